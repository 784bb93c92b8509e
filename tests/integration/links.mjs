// SPDX-License-Identifier: Apache-2.0
// Linking labels as people do it, with gondolactl and a whole store: by a list, with what is wrong told by line;
// taken back; a label found by its light; a broken one replaced, which its access point then lets go of; the floor
// plan from a file. What labels do is looked up in the simulator's truth.
import { readFileSync, writeFileSync } from 'node:fs';
import { assert, equal, run, test } from '../lib/tap.mjs';
import { endStore, newStore, oneAp } from '../lib/stores.mjs';
import { until } from '../../sim/demo/process.mjs';
import { panelShowsWanted } from '../../sim/demo/checks.mjs';

const store = newStore(oneAp({ items: 4 }), { controllerConfig: ['labels { adopt = "auto" }'] });
const file = store.path('links.csv');
let ids, gtins, prices;

/** What gondolactl said while refusing. */
const refused = async (...args) => {
	try {
		await store.ctl(...args);
	} catch (e) {
		return e.message;
	}
	throw new Error(`gondolactl ${args.join(' ')} was not refused`);
};
const label = (i) => store.api.get(`/labels/${ids[i]}`);
const truth = (i) => store.truth.ask({ op: 'label', addr: ids[i] });

test('labels report themselves', async () => {
	await store.start({ link: false });
	const labels = await until('8 labels', async () => {
		const l = await store.api.all('/labels');
		return l.length === 8 && l.every((x) => x.width && x.leds) && l;
	}, 120000, 300);
	ids = labels.map((l) => l.id);
	const products = (await store.api.all('/products')).slice(0, 4);
	gtins = products.map((p) => p.gtin);
	prices = products.map((p) => p.price_minor);
	equal(labels[0].leds.join(), 'green,red,blue,white', 'what the lights can do');
});

test('a list with mistakes links nothing and says where they are', async () => {
	writeFileSync(file, `label;gtin\n${ids[0]};${gtins[0]}\nC0FFEE;${gtins[1]}\n${ids[1]};4006381333930\n`);
	const said = await refused('labels', 'import-links', file);
	assert(/line 3/.test(said) && /12 hexadecimal/.test(said), said);
	assert(/line 4/.test(said) && /check digit/.test(said), said);
	equal((await store.api.all('/labels/links')).length, 0, 'links');
});

test('a list links all its labels, and their panels show it', async () => {
	writeFileSync(file, `label;gtin\n${gtins.map((g, i) => `${ids[i]};${g}`).join('\n')}\n`);
	assert(/4 labels linked.*dry run/.test(await store.ctl('labels', 'import-links', '--dry-run', file)), 'dry run');
	assert(/4 labels linked/.test(await store.ctl('labels', 'import-links', file)), 'links');
	for (let i = 0; i < 4; i++) await panelShowsWanted(store, ids[i], { timeoutMs: 120000, price: prices[i] });
	equal(((await store.ctl('labels', 'links')).match(/ import /g) ?? []).length, 4, 'rows of the history');
});

test('a label of another product is moved only when told so, and back again', async () => {
	writeFileSync(file, `label,gtin\n${ids[0]},${gtins[3]}\n`);
	assert(/relink/.test(await refused('labels', 'import-links', file)), 'refused');
	assert(/1 moved/.test(await store.ctl('labels', 'import-links', '--relink', file)), 'moved');
	const [last] = await store.api.all('/labels/links');
	assert(/is taken back/.test(await store.ctl('labels', 'undo', last.id)), 'taken back');
	equal((await label(0)).product.gtin, gtins[0], 'product');
	assert(/linked anew/.test(await refused('labels', 'undo', last.id)), 'twice');
	await panelShowsWanted(store, ids[0], { timeoutMs: 60000, price: prices[0] });
});

test('a label is found by its light', async () => {
	const said = await store.ctl('labels', 'flash', '--seconds', 6, '--colour', 'red', ids[2]);
	const end = Date.parse(/until (\S+?)\.?\n/.exec(said)[1]);
	const led = await until('the label to blink', async () => (await truth(2)).led, 15000, 100);
	assert(led.red && !led.green && led.until_us <= end * 1000, JSON.stringify(led));
	equal((await truth(1)).led, null, 'its neighbour');
	await until('the controller to know', async () => (await label(2)).flash.state === 'on', 10000, 100);
	await until('it to go out', async () => Date.now() > end && !(await truth(2)).led, 25000, 200);
	const { items } = await store.api.get(`/labels/${ids[2]}/history`);
	assert(items.some((e) => e.kind === 'flash') && items.some((e) => e.kind === 'flash-asked'), 'its history');
});

test('a storm of flashes is refused for the sake of the battery', async () => {
	let r;
	for (let i = 0; i < 11; i++) r = await store.api.request('POST', `/api/v1/labels/${ids[3]}/flash`, { seconds: 1 });
	equal(r.status, 429, 'status');
	equal(r.body.code, 'battery-budget', 'code');
	assert(Number(r.headers?.['retry-after'] ?? 3600) > 3000, 'when again');
});

test('neither a killed controller nor a killed access point gives the budget back', async () => {
	store.controller.kill('SIGKILL');
	store.agents.get('ap1').kill('SIGKILL');
	await Promise.all([store.controller.done, store.agents.get('ap1').done]);
	await store.startController();
	store.startAgent('ap1');
	const r = await store.api.request('POST', `/api/v1/labels/${ids[3]}/flash`, { seconds: 1 });
	equal(r.status, 429, 'status');
	const { budget } = await label(3);
	equal(`${budget.flashes.hour} of ${budget.flashes.per_hour}`, '10 of 10', 'used');
	assert(Date.parse(budget.flashes.free_at) > Date.now(), 'when again');
});

test('a pick that is stopped is dark long before its end', async () => {
	await store.ctl('labels', 'pick', '--seconds', 60, '--colour', 'blue', ids[2], ids[4]);
	for (const i of [2, 4]) await until(`label ${i} to blink`, async () => (await truth(i)).led, 30000, 100);
	const end = (await truth(2)).led.until_us / 1000;
	assert(/Called off/.test(await store.ctl('labels', 'pick', '--stop', ids[2], ids[4])), 'called off');
	for (const i of [2, 4]) await until(`label ${i} to be dark`, async () => !(await truth(i)).led, 30000, 100);
	assert(Date.now() < end - 5000, 'before it would have gone out by itself');
	await until('the controller to know', async () => (await label(2)).flash.state === 'off', 10000, 100);
});

test('sensors are read when somebody asks', async () => {
	const before = (await label(4)).sensors.map((x) => x.at);
	const said = await store.ctl('labels', 'read', ids[4]);
	assert(/temperature +-?[0-9.]+ °C .* read/.test(said) && /battery +[0-9.]+ V .* read/.test(said), said);
	assert(/2 of 20 this hour/.test(said), said);
	const { sensors } = await label(4);
	assert(sensors.every((x, i) => x.at > before[i]), 'newer than those of the visit');
	assert(/battery/.test(await store.ctl('labels', 'readings', ids[4], 1)), 'values before');
	assert(/`battery` is not the number of a sensor/.test(await refused('labels', 'readings', ids[4], 'battery')), 'no number');
	assert(/no such sensor/.test(await refused('labels', 'read', ids[4], 5)), 'another');
});

test('a broken label gives its product to another and is let go of', async () => {
	const gtin = (await label(1)).product.gtin, before = (await truth(5)).shown_sha256;
	assert(/belongs to a product already/.test(await refused('labels', 'replace', ids[1], ids[0])), 'a linked one');
	assert(/takes the place/.test(await store.ctl('labels', 'replace', ids[1], ids[5])), 'replaced');
	const { panel } = await panelShowsWanted(store, ids[5], { timeoutMs: 60000, price: prices[1] });
	assert(panel.hash !== before, 'it shows another picture');
	equal((await label(5)).product.gtin, gtin, 'product');
	equal((await label(1)).retired.replaced_by, ids[5], 'who took its place');
	await until('the old one to be let go of', async () => /unassociated/i.test((await truth(1)).state), 60000, 300);
	const heard = await until('it to be heard again', async () => {
		const l = await label(1);
		return Date.parse(l.last_seen) > Date.parse(l.retired.at) && l;
	}, 60000, 300);
	equal(heard.agent, null, 'and it stays so, though it is heard');
});

test('a replacement is taken back as a whole', async () => {
	const row = (await store.api.all('/labels/links')).find((l) => l.cause === 'replace');
	assert(/2 labels changed/.test(await store.ctl('labels', 'undo', row.id)), 'taken back');
	await panelShowsWanted(store, ids[1], { timeoutMs: 120000, price: prices[1] });
	equal((await label(5)).product, null, 'the other');
});

test('the floor plan comes from a file, and an older file is refused', async () => {
	const places = await store.api.all('/places'), antennas = await store.api.all('/antennas');
	const plan = store.path('plan.json');
	writeFileSync(plan, JSON.stringify({
		width_m: 20, height_m: 10, etag: '0',
		places: places.map((p, i) => ({ place_id: p.id, x: 10 * i, y: 0, w: 10, h: 10 })),
		antennas: antennas.map((a, i) => ({ agent_id: a.agent_id, reader: a.reader, antenna: a.antenna, x: 5 * i, y: 5 })),
	}));
	assert(/2 places and 4 antennas/.test(await store.ctl('plan', 'set', plan)), 'set');
	assert(/Somebody else/.test(await refused('plan', 'set', plan)), 'again, from the older one');
	assert(/Back room/.test(await store.ctl('plan', 'show')), 'shown');
	const bad = JSON.parse(readFileSync(plan, 'utf8'));
	delete bad.etag;
	bad.places[1].w = 11;
	writeFileSync(plan, JSON.stringify(bad));
	assert(/\/places\/1\/w/.test(await refused('plan', 'set', plan)), 'by pointer');
	await until('all items to be on it', async () => (await store.api.get('/plan/stock')).places.reduce((n, p) => n + p.items, 0) === 4, 30000, 200);
});

test('places and readers are removed, and no antenna is invented', async () => {
	assert(/no antenna 5/.test(await refused('antennas', 'set', 'ap1', 'ap1', 5, 'Floor')), 'antenna 5 of 4');
	assert(/is removed/.test(await store.ctl('places', 'remove', 'Back room')), 'place');
	equal((await store.api.get('/plan')).places.length, 1, 'places on the plan');
	assert(/no more/.test(await store.ctl('readers', 'remove', 'ap1', 'ap1')), 'reader');
	equal((await store.api.all('/agents'))[0].readers.length, 0, 'readers');
});

await run((failed) => endStore(store, failed));
