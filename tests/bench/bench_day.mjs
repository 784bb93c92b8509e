// SPDX-License-Identifier: Apache-2.0
// A simulated trading day with the real daemons, compressed in time: goods are sold, some with EPC and some
// without, brought back, stolen, put in the wrong place and delivered, sales are told late and twice; then who is
// missing by the reconciliation's account is held against the simulator's. ITEMS, SALES, DAY_SECONDS and SEED
// choose how much.
import { endStore, newStore } from '../lib/stores.mjs';
import { random } from '../lib/tap.mjs';
import { allHeard, calledMissing, gtinOfEpc, importBooks, itemsByGtin, reallyMissing, salesAreThereOnce, score, tillOf, writeCatalogue } from '../lib/day.mjs';
import { Till } from '../../sim/demo/till.mjs';
import { delay, until } from '../../sim/demo/process.mjs';

const number = (name, or) => Number(process.env[name] ?? or);
const day = {
	items: number('ITEMS', 5000), sales: number('SALES', 200), seconds: number('DAY_SECONDS', 150), seed: number('SEED', 20261122),
	epcShare: 0.5, thefts: 40, returns: 10, misplaced: 100, late: 0.15, twice: 0.05, walkSeconds: 5, graceSeconds: 20, readsPerSecond: 1, cross: 0.02, loss: 0.02,
};
const reader = ` reads_per_s = ${day.readsPerSecond.toFixed(2)} cross = ${day.cross.toFixed(2)}`;
const plan = {
	seed: day.seed, loss: day.loss, items: day.items, moveEverySeconds: 0,
	places: [
		{ name: 'Dry goods', kind: 'sales-floor', ap: 'floor', antennas: [1] },
		{ name: 'Drinks', kind: 'sales-floor', ap: 'floor', antennas: [2] },
		{ name: 'Household', kind: 'sales-floor', ap: 'floor', antennas: [3] },
		{ name: 'Back room', kind: 'back-room', ap: 'back', antennas: [1] },
		{ name: 'Receiving', kind: 'receiving', ap: 'back', antennas: [2] },
	],
	aps: [{ name: 'floor', antennas: 3, reader }, { name: 'back', antennas: 2, reader }],
};
const store = newStore(plan, { controllerConfig: [`books { grace_s = ${day.graceSeconds} }`] });
const rnd = random(day.seed), pick = (list) => list[Math.floor(rnd() * list.length)];
const pending = [];

/** An item off the shelves. Some products are asked for much more than others, by customers and thieves alike. */
function takeOne(shelves) {
	for (;;) {
		const shelf = shelves[Math.floor(shelves.length * rnd() ** 2)];
		if (shelf.length) return shelf.splice(Math.floor(rnd() * shelf.length), 1)[0];
	}
}
const done = { pieces: 0, withEpc: 0, returns: 0, late: 0, twice: 0, delivered: 0 };

const lineOf = (item, byEpc, quantity) => ({ ...(byEpc ? { epc: item.epc } : { gtin: gtinOfEpc(item.epc) }), quantity });

/** One customer: what is bought is heard no more, then the till tells, at once, late, or twice. */
async function sell(till, shelves, sold, later) {
	const byEpc = rnd() < day.epcShare, basket = Array.from({ length: 1 + Math.floor(rnd() * 3) }, () => takeOne(shelves));
	for (const item of basket) await store.truth.ask({ op: 'leave', epc: item.epc, how: 'sold' });
	pending.push(pay(till, basket, byEpc, sold, later, rnd() * day.walkSeconds * 1000));
}

async function pay(till, basket, byEpc, sold, later, walkMs) {
	await delay(walkMs);
	const sale = till.make(basket.map((item) => lineOf(item, byEpc, 1)));
	done.pieces += basket.length;
	if (byEpc) done.withEpc += basket.length;
	sold.push(...basket.map((item) => ({ item, byEpc, at: Date.now() })));
	if (rnd() < day.late) {
		done.late++;
		later.push(sale);
		return;
	}
	await till.feed([sale]);
	if (rnd() < day.twice) {
		done.twice++;
		await till.feed([sale]);
		till.sent.pop();
	}
}

async function bringBack(till, sold) {
	const i = sold.findIndex((s) => Date.now() - s.at > 45000);
	if (i < 0) return false;
	const [{ item, byEpc }] = sold.splice(i, 1);
	await store.truth.ask({ op: 'arrive', epc: item.epc, place: 'Dry goods' });
	await till.sell([lineOf(item, byEpc, -1)]);
	done.returns++;
	return true;
}

async function deliver(gtins) {
	const lines = gtins.map((gtin) => ({ gtin, quantity: 10 }));
	const { id } = await store.api.call('POST', '/api/v1/deliveries', { reference: 'bench day', supplier: 'bench', lines });
	for (const { gtin, quantity } of lines) await store.truth.ask({ op: 'arrive', gtin, place: 'Receiving', n: quantity });
	await delay(5000);
	await store.api.call('POST', `/api/v1/deliveries/${id}/receive`, {});
	done.delivered += lines.length * 10;
}

/** The day's happenings in the order of their times. */
function schedule(acts) {
	const at = () => rnd() * day.seconds * 1000;
	return [
		...Array.from({ length: day.sales }, () => ({ at: at(), act: acts.sell })),
		...Array.from({ length: day.thefts }, () => ({ at: at(), act: acts.steal })),
		...Array.from({ length: day.misplaced }, () => ({ at: at(), act: acts.misplace })),
		...Array.from({ length: day.returns }, (_, i) => ({ at: day.seconds * 1000 * (0.5 + 0.05 * i), act: acts.bringBack })),
		{ at: day.seconds * 333, act: acts.deliver },
	].sort((a, b) => a.at - b.at);
}

async function trade(catalogue) {
	const till = await tillOf(store, Till), sold = [], later = [], known = new Set(catalogue.tagged);
	const shelves = [...(await itemsByGtin(store))].filter(([gtin]) => known.has(gtin)).map(([, items]) => items);
	const acts = {
		sell: () => sell(till, shelves, sold, later),
		steal: async () => store.truth.ask({ op: 'leave', epc: takeOne(shelves).epc, how: 'stolen' }),
		misplace: async () => store.truth.ask({ op: 'move', epc: pick(pick(shelves.filter((s) => s.length))).epc, place: pick(plan.places).name }),
		bringBack: async () => { while (!(await bringBack(till, sold))) await delay(1000); },
		deliver: () => deliver(catalogue.tagged.slice(0, 10)),
	};
	const start = Date.now();
	for (const { at, act } of schedule(acts)) {
		await delay(Math.max(0, start + at - Date.now()));
		await act();
	}
	await Promise.all(pending);
	/* The tills that were late tell last things first. */
	if (later.length) await till.feed(later.reverse());
	await salesAreThereOnce(store, till);
	till.close();
}

/** All that left is believed gone, and longer than the grace. */
async function settle() {
	await until('readers and truth to agree', async () => {
		const there = (await store.truth.ask({ op: 'items' })).items.filter((i) => i.place !== 'nowhere').length;
		return (await store.api.get('/stock?limit=1')).summary.items === there;
	}, 240000, 1000);
	await delay((day.graceSeconds + 3) * 1000);
}

const line = (name, value) => console.log(`bench ${name} ${value.toFixed(3)} ratio`);

async function report() {
	const called = await calledMissing(store), real = await reallyMissing(store);
	const items = score(called.epcs, real.epcs), products = score(called.gtins, real.gtins);
	const { summary } = await store.api.get('/differences?limit=1');
	console.log(`# seed ${day.seed}, ${day.items} items, ${day.sales} sales of ${done.pieces} pieces in ${day.seconds} s, ${Math.round((100 * done.withEpc) / done.pieces)} % of them by EPC, ${done.returns} returns, ${real.epcs.size} thefts, ${day.misplaced} misplaced, ${done.delivered} delivered, ${done.late} sales told late, ${done.twice} twice`);
	console.log(`# popular products are bought and stolen more (an item's product is drawn by the square of chance), sold goods are silent up to ${day.walkSeconds} s before their sale`);
	console.log(`# ${day.readsPerSecond} reads/s of an item, cross reads ${day.cross * 100} %, grace ${day.graceSeconds} s; the books are right at opening`);
	line('day_missing_precision', items.precision);
	line('day_missing_recall', items.recall);
	line('day_missing_product_precision', products.precision);
	line('day_missing_product_recall', products.recall);
	console.log(`# wrong ${items.wrong.length} items, overlooked ${items.overlooked.length}; products wrong ${products.wrong.length}, overlooked ${products.overlooked.length}`);
	console.log(`# rows by reason ${JSON.stringify(summary.reasons)}`);
}

let failed = false;
try {
	const catalogue = writeCatalogue(store, { tagged: 250, untagged: 10, unknown: 5 });
	await store.start();
	await allHeard(store, 180000);
	await importBooks(store, catalogue);
	await trade(catalogue);
	await settle();
	await report();
} catch (e) {
	failed = true;
	console.log(`# failed: ${e.stack}`);
}
await endStore(store, failed);
process.exit(failed ? 1 : 0);
