// SPDX-License-Identifier: Apache-2.0
// The two journeys end to end, without a browser: a price to the pixels of a label, a read to a stock
// figure; and the other side misbehaving: garbage on every port, a reader that goes away, a controller
// that is gone, an agent whose clock is off by a year.
import net from 'node:net';
import { existsSync } from 'node:fs';
import { assert, run, Skip, test } from '../lib/tap.mjs';
import { endStore, newStore, oneAp } from '../lib/stores.mjs';
import { delay, until } from '../../sim/demo/process.mjs';
import { itemFollowsMove, panelOf, panelShowsWanted } from '../../sim/demo/checks.mjs';

const store = newStore(oneAp());

async function setPrice(label, minor) {
	await store.api.call('POST', '/api/v1/price-changes', { gtin: label.product.gtin, price_minor: minor });
}

async function someLabel() {
	return (await store.api.all('/labels')).find((l) => l.product);
}

async function someItem(place) {
	const { items } = await store.truth.ask({ op: 'items' });
	return items.find((i) => i.place === place);
}

/** How often readers have told the agent of it. */
async function readsOf(epc) {
	return (await store.truth.ask({ op: 'reads', epc })).antennas.reduce((n, a) => n + a.reads, 0);
}

test('a store comes up: labels adopted, linked, and showing their prices', async () => {
	await store.start();
	await store.allShown(240000);
});

test('a price reaches the pixels of its label', async () => {
	const label = await someLabel(), before = await panelOf(store, label.id);
	await setPrice(label, 1234);
	const { panel } = await panelShowsWanted(store, label.id, { price: 1234 });
	assert(panel.hash !== before.hash, 'the panel changed');
	const shown = await until('shown', async () => {
		const l = await store.api.get(`/labels/${label.id}`);
		return l.shown?.image === l.wanted.image && l;
	}, 20000);
	assert(['acknowledged', 'confirmed', 'read-back'].includes(shown.shown.grade), 'grade of evidence');
});

test('the history of a label names what it showed and on what evidence', async () => {
	const label = await someLabel();
	const history = await store.api.all(`/labels/${label.id}/history`);
	assert(history.some((h) => h.kind === 'shown' && h.image), `history has a shown row: ${JSON.stringify(history.slice(0, 3))}`);
});

test('a moved item is counted in its new place', async () => {
	const item = await someItem('Back room');
	const { item: seen } = await itemFollowsMove(store, item.epc, 'Floor');
	assert(seen.evidence.length > 0, 'the reads behind the belief are given');
	const rows = await store.api.all('/stock');
	const mine = rows.find((r) => r.gtin === seen.gtin);
	const truth = (await store.truth.ask({ op: 'items' })).items;
	assert(mine.total > 0 && truth.length > 0, 'stock row');
});

test('every stock figure equals the simulator within its settling time', async () => {
	await until('stock to equal the truth', async () => {
		const truth = {};
		for (const i of (await store.truth.ask({ op: 'items' })).items) truth[i.place] = (truth[i.place] ?? 0) + 1;
		const mine = {};
		for (const r of await store.api.all('/stock')) for (const p of r.places) if (p.place) mine[p.place] = (mine[p.place] ?? 0) + p.count;
		return Object.keys(truth).every((p) => truth[p] === mine[p]);
	}, 30000, 500);
});

test('garbage on every port costs only its own connection', async () => {
	const ports = [store.publicPort, store.agentsPort, store.readerPort('ap1')];
	const garbage = [Buffer.alloc(4096, 0xff), Buffer.from('GET / HTTP/1.1\r\n\r\n'), Buffer.from([4, 61, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1])];
	await Promise.all(ports.flatMap((port) => garbage.map((bytes) => new Promise((resolve) => {
		const s = net.connect(port, '127.0.0.1', () => s.end(bytes));
		s.on('error', resolve);
		s.on('close', resolve);
		s.setTimeout(3000, () => { s.destroy(); });
	}))));
	const label = await someLabel();
	await setPrice(label, 555);
	await panelShowsWanted(store, label.id, { price: 555 });
});

test('half-open connections do not keep others out', async () => {
	const sockets = [];
	for (let i = 0; i < 200; i++) {
		const s = net.connect(i % 2 ? store.publicPort : store.agentsPort, '127.0.0.1');
		s.on('error', () => {});
		sockets.push(s);
	}
	await delay(200);
	await store.api.get('/labels');
	const label = await someLabel();
	await setPrice(label, 556);
	await panelShowsWanted(store, label.id, { price: 556 });
	for (const s of sockets) s.destroy();
});

test('a reader unplugged in the middle of a message comes back and empties no shelf', async () => {
	const before = (await store.api.all('/stock')).reduce((n, r) => n + r.total, 0);
	await store.truth.ask({ op: 'reader', name: 'ap1', unplug: true });
	await delay(4000);
	const during = (await store.api.all('/stock')).reduce((n, r) => n + r.total, 0);
	assert(during === before, `stock went from ${before} to ${during} while the reader was away`);
	await store.truth.ask({ op: 'reader', name: 'ap1', unplug: false });
	const item = await someItem('Floor');
	await itemFollowsMove(store, item.epc, 'Back room', 60000);
});

test('a controller that was away finds nothing lost', async () => {
	const item = await someItem('Floor');
	const how = await store.controller.stop();
	assert(how.code === 0, `gondolad ended with ${JSON.stringify(how)}: ${store.controller.errors.slice(-3)}`);
	const before = await readsOf(item.epc);
	await store.truth.ask({ op: 'move', epc: item.epc, place: 'Back room' });
	await until('the agent to have read it there', async () => (await readsOf(item.epc)) - before > 20, 30000);
	await store.startController();
	await until('the move made meanwhile', async () => (await store.api.get(`/items/${item.epc}`)).place?.name === 'Back room', 60000, 500);
	const label = await someLabel();
	await setPrice(label, 777);
	await panelShowsWanted(store, label.id, { price: 777, timeoutMs: 60000 });
});

test('an agent killed outright takes up where it was', async () => {
	store.agents.get('ap1').kill('SIGKILL');
	await store.agents.get('ap1').done;
	const label = await someLabel();
	await setPrice(label, 888);
	store.startAgent('ap1');
	await panelShowsWanted(store, label.id, { price: 888, timeoutMs: 60000 });
	const item = await someItem('Back room');
	await itemFollowsMove(store, item.epc, 'Floor', 60000);
});

test('an agent whose clock is off by a year still tells the right time', async () => {
	const lib = ['/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1', '/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1'].find(existsSync);
	if (!lib) throw new Skip('libfaketime is not installed');
	await store.agents.get('ap1').stop();
	store.startAgent('ap1', { env: { LD_PRELOAD: lib, FAKETIME: '-365d', FAKETIME_DONT_FAKE_MONOTONIC: '1' } });
	const label = await someLabel();
	await setPrice(label, 999);
	await panelShowsWanted(store, label.id, { price: 999, timeoutMs: 60000 });
	const item = await someItem('Floor');
	const { item: seen } = await itemFollowsMove(store, item.epc, 'Back room', 60000);
	assert(Math.abs(Date.parse(seen.last_seen) - Date.now()) < 60000, `last seen at ${seen.last_seen}`);
	const shown = await until('shown', async () => {
		const l = await store.api.get(`/labels/${label.id}`);
		return l.shown?.image === l.wanted.image && l;
	}, 20000);
	assert(Math.abs(Date.parse(shown.shown.since) - Date.now()) < 60000, `shown since ${shown.shown.since}`);
	const agent = (await store.api.get('/agents')).items[0];
	await until('health with the offset', async () => Math.abs((await store.api.get(`/agents/${agent.id}`)).clock_offset_ms - 365 * 86400000) < 60000, 60000, 500);
});

await run((failed) => endStore(store, failed));
