// SPDX-License-Identifier: Apache-2.0
// A rollout over a whole store with two access points: pictures staged unseen, a canary, a wave in which
// one access point goes deaf, the halt, and the way back without one upload. What labels show and what was
// written into them comes from the simulator's truth.
import { writeFileSync } from 'node:fs';
import https from 'node:https';
import { assert, run, test } from '../lib/tap.mjs';
import { Panels } from '../lib/panels.mjs';
import { endStore, newStore } from '../lib/stores.mjs';
import { until } from '../../sim/demo/process.mjs';
import { panelOf, panelShowsWanted } from '../../sim/demo/checks.mjs';

const PRODUCTS = 6, NEW = 777;
const panels = [{ labels: PRODUCTS, width: 152, height: 96, type: 'bw' }];
const store = newStore({
	quick: true, seed: 11, loss: 0.02, items: 0, moveEverySeconds: 0,
	places: [],
	aps: [{ name: 'left', panels }, { name: 'right', panels }],
});
const shelf = []; // by product: { product, left, right, before: [panel hash of each] }
const heard = []; // states of rollout events, as a browser gets them
let id, writesBefore, stream;

const labelsOf = (first, last) => shelf.slice(first, last).flatMap((s) => [s.left, s.right]);
const rollout = () => store.api.get(`/rollouts/${id}`);
const say = (verb, reason) => store.api.call('POST', `/api/v1/rollouts/${id}/${verb}`, { reason });
const inState = (state, ms = 30000) => until(`the rollout to be ${state}`, async () => {
	const r = await rollout();
	if (['halted', 'done', 'cancelled'].includes(r.state) && r.state !== state) throw new Error(`it is ${r.state}: ${r.reason}`);
	return r.state === state && r;
}, ms, 100);

/** Listens to the events of the store, as a page does. */
function listen() {
	const rq = https.request({ host: '127.0.0.1', port: store.publicPort, path: '/api/v1/events', ca: store.ca, headers: { cookie: store.api.cookie }, agent: false }, (rs) => {
		let rest = '';
		rs.setEncoding('utf8');
		rs.on('error', () => {});
		rs.on('data', (text) => {
			const blocks = (rest + text).split('\n\n');
			rest = blocks.pop();
			for (const b of blocks.filter((x) => /^event: ?rollout$/m.test(x))) heard.push(JSON.parse(/^data: ?(.*)$/m.exec(b)[1]));
		});
	});
	rq.on('error', () => {});
	rq.end();
	return rq;
}

async function writes() {
	const { labels } = await store.truth.ask({ op: 'labels' });
	return labels.reduce((n, l) => n + l.writes, 0);
}

/** The panels of labels show what they showed before the rollout. */
async function showOldPrices(labels, what) {
	for (const label of labels) {
		const { hash } = await panelOf(store, label);
		assert(hash === shelf.find((s) => s.left === label || s.right === label).before[label], `${label} ${what}`);
	}
}

test('a store with two access points comes up, each product with a label at both', async () => {
	await store.start({ link: false });
	const want = store.labelCount();
	const labels = await until('labels to report', async () => {
		const l = await store.api.all('/labels');
		return l.length === want && l;
	}, 120000, 300);
	const products = await store.api.all('/products');
	for (let i = 0; i < PRODUCTS; i++) {
		const s = { product: products[i] };
		for (const ap of ['left', 'right']) {
			/* linking a label gives it to the access point that hears it; the simulator numbers them by radio */
			s[ap] = labels.map((l) => l.id).sort()[ap === 'left' ? i : PRODUCTS + i];
			await store.api.call('PUT', `/api/v1/labels/${s[ap]}/link`, { product_id: products[i].id });
		}
		shelf.push(s);
	}
	await store.allShown(120000);
	for (const s of shelf) s.before = { [s.left]: (await panelOf(store, s.left)).hash, [s.right]: (await panelOf(store, s.right)).hash };
});

test('gondolactl previews and starts it from a file', async () => {
	const file = store.path('spring.csv');
	writeFileSync(file, `gtin;price\n${shelf.map((s) => `${s.product.gtin};7,77\n`).join('')}`);
	const preview = await store.ctl('rollouts', 'preview', '--waves', '10,50,100', file);
	assert(/6 products, 12 labels/.test(preview) && /wave 1: 1 products, 2 labels/.test(preview), preview);
	assert((await store.api.all('/rollouts')).length === 0, 'a preview starts nothing');
	const r = await store.api.call('POST', '/api/v1/rollouts', {
		name: 'Spring', reason: 'new list', lead_s: 5, settle_s: 5, gate: { staged_percent: 100, timeout_s: 60 }, halt: { failed_percent: 20 },
		waves: [{ percent: 10 }, { percent: 50 }, { percent: 100 }],
		changes: shelf.map((s) => ({ gtin: s.product.gtin, price_minor: NEW })),
	});
	id = r.id;
	assert(r.waves.map((w) => w.products).join() === '1,2,3', JSON.stringify(r.waves));
	assert(r.first_forecast.why, 'it says when it will be over, and why');
	stream = listen();
	const again = await store.api.request('POST', '/api/v1/rollouts', { name: 'Other', changes: [{ gtin: shelf[5].product.gtin, price_minor: 1 }] });
	assert(again.status === 409 && again.body.errors[0].rollout_id === id, 'one product is in one rollout at a time');
});

test('the canary has its picture in a slot before anything is shown, and flips alone', async () => {
	const staged = await until('the canary to be staged', async () => {
		const r = await rollout();
		return r.waves[0].staged === 2 && r;
	}, 30000, 100);
	assert(['staging', 'flipping'].includes(staged.state), staged.state);
	await showOldPrices(labelsOf(0, 6), 'shows its old price while the canary is staged');
	const { labels } = await store.truth.ask({ op: 'labels' });
	for (const l of labelsOf(0, 1)) assert(labels.find((x) => x.addr === l).image_slots.filter(Boolean).length === 2, 'both pictures are on the label');
	await inState('settling');
	for (const l of labelsOf(0, 1)) await panelShowsWanted(store, l, { price: NEW, timeoutMs: 5000 });
	await showOldPrices(labelsOf(1, 6), 'is not in the first wave');
});

test('a wave flips where its access point hears, fails where it is deaf, and halts the rollout', async () => {
	await until('the second wave', async () => (await rollout()).wave === 2, 30000, 50);
	await say('pause', 'wait a moment');
	await until('the second wave to be staged', async () => (await rollout()).waves[1].staged === 4, 30000, 200);
	await store.truth.ask({ op: 'set', radio: 'right', loss: 1 });
	await say('resume');
	const halted = await inState('halted');
	assert(/2 of 4 labels failed/.test(halted.reason), halted.reason);
	for (const s of shelf.slice(1, 3)) {
		await panelShowsWanted(store, s.left, { price: NEW, timeoutMs: 5000 });
		await showOldPrices([s.right], 'could not hear the flip');
	}
	await showOldPrices(labelsOf(3, 6), 'is in a later wave: the halt came before it');
	const failed = await store.api.all(`/rollouts/${id}/labels?state=failed`);
	assert(failed.length === 2 && failed.every((l) => l.agent === 'right' && l.reason), JSON.stringify(failed));
	const ledger = await store.api.all('/price-changes');
	assert(ledger.filter((p) => p.price_minor === NEW).length === 3, 'prices of the flipped waves alone are in the ledger');
});

test('rolled back, every label shows its old price again, and nothing was uploaded', async () => {
	writesBefore = await writes();
	await store.truth.ask({ op: 'set', radio: 'right', loss: 0.02 });
	await store.ctl('rollouts', 'rollback', id, 'the right side is deaf');
	const r = await inState('rolled-back', 40000);
	assert(/the right side is deaf/.test(r.reason), r.reason);
	await until('old prices on all panels', async () => {
		try {
			await showOldPrices(labelsOf(0, 6), 'shows its old price again');
			return true;
		} catch {
			return false;
		}
	}, 15000, 500);
	assert(await writes() === writesBefore, `pictures were uploaded to go back: ${writesBefore} -> ${await writes()}`);
	for (const s of shelf.slice(0, 3)) {
		const newest = (await store.api.get(`/price-changes?product_id=${s.product.id}`)).items[0];
		assert(/^Rolled back: Spring/.test(newest.reason) && newest.price_minor !== NEW, JSON.stringify(newest));
	}
});

test('gondolactl shows the ladder and lists every label with its state', async () => {
	const text = await store.ctl('rollouts', 'show', id);
	assert(/rolled-back/.test(text) && /wave 3 .*waiting/.test(text), text);
	const labels = await store.ctlJson('rollouts', 'labels', '--wave', 1, id);
	assert(labels.length === 2 && labels.every((l) => l.state === 'rolled-back'), JSON.stringify(labels));
	const states = new Set(heard.filter((e) => e.id === id).map((e) => e.state));
	for (const s of ['flipping', 'settling', 'paused', 'halted', 'rolling-back', 'rolled-back']) assert(states.has(s), `browsers heard of ${[...states]}`);
	stream.destroy();
	const samples = (await rollout()).samples;
	assert(samples.length > 3 && Math.max(...samples.map((s) => s.staged)) >= 6, 'samples of what happened are kept');
});

test('no panel began to show a price before that price was the store\'s', async () => {
	const seen = new Panels(store), ledger = await store.api.all('/price-changes');
	let flips = 0;
	for (const s of shelf) {
		const rows = ledger.filter((p) => p.product_id === s.product.id).map((p) => ({ ...p, us: Date.parse(p.from) * 1000 })).sort((a, b) => a.us - b.us || a.id - b.id);
		for (const price of new Set(rows.map((p) => p.price_minor))) await seen.learn(s.product.id, { price_minor: price }, panels[0]);
		await seen.collect();
		for (const label of [s.left, s.right]) {
			for (const c of seen.changesOf(label)) {
				const price = seen.priceOf(s.product.id, c.sha256);
				if (price === undefined) continue; /* before it was linked */
				const valid = rows.findLast((p) => p.us <= c.started_us + 100e3);
				assert(valid?.price_minor === price, `${label} showed ${price} at ${c.started_us}, valid was ${JSON.stringify(valid)}`);
				flips += price === NEW;
			}
		}
	}
	assert(flips >= 4 && seen.lost === 0, `${flips} flips seen, ${seen.lost} changes lost`);
});

test('cancelled before its flip, it leaves no picture waiting', async () => {
	const r = await store.api.call('POST', '/api/v1/rollouts', {
		name: 'Never', waves: [{ percent: 100 }], gate: { staged_percent: 100 }, start: new Date(Date.now() + 3600e3).toISOString(),
		changes: [{ gtin: shelf[5].product.gtin, price_minor: 999 }],
	});
	id = r.id;
	assert(r.state === 'scheduled', r.state);
	await say('cancel');
	const label = await store.api.get(`/labels/${shelf[5].left}`);
	assert(label.ahead.length === 0, JSON.stringify(label.ahead));
});

await run((failed) => endStore(store, failed));
