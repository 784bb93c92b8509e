// SPDX-License-Identifier: Apache-2.0
// Stock by place where tags are heard as radio has it: a simulated clothes shop of 18 x 13 m with four readers,
// reflections, shadows, walls and people, goods that customers, staff and thieves carry about on foot; the real
// daemons, places told but no walk made to fit them. The product's stock is held against the truth, item by item.
// ITEMS, SHOP_SECONDS and SEED choose how much.
import { endStore, newStore } from '../lib/stores.mjs';
import { delay, until } from '../../sim/demo/process.mjs';

const number = (name, or) => Number(process.env[name] ?? or);
const items = number('ITEMS', 300), seconds = number('SHOP_SECONDS', 120), seed = number('SEED', 11);
const settledMs = 30000, looseBound = 0.5;

const place = (name, kind, ap, antennas, x, y, w, h, more = '') => ({ name, kind, ap, antennas, plan: ` x = ${x} y = ${y} w = ${w} h = ${h} ${more}` });
const plan = {
	seed, loss: 0, items, moveEverySeconds: 0,
	places: [
		place('Women', 'sales-floor', 'women', [1, 2, 3, 4], 0, 0, 9, 8),
		place('Men', 'sales-floor', 'men', [1, 2, 3, 4], 9, 0, 9, 8),
		place('Fitting rooms', 'fitting-room', 'back', [1], 0, 8.2, 5, 4, 'wall_db = 6 door = "2.5,8.1"'),
		place('Back room', 'back-room', 'back', [2, 3], 5.2, 8.2, 8, 5, 'wall_db = 12 door = "9,8.1"'),
		place('Receiving', 'receiving', 'back', [4], 13.4, 8.2, 4.6, 5, 'wall_db = 12 door = "13.3,10"'),
		place('Exit', 'exit', 'door', [1, 2], 18.2, 3, 2.5, 3),
	],
	aps: [{ name: 'women', antennas: 4 }, { name: 'men', antennas: 4 }, { name: 'back', antennas: 4 }, { name: 'door', antennas: 2 }],
	floorPlan: [
		...[[2.2, 2], [6.8, 2], [2.2, 6], [6.8, 6]].flatMap(([x, y], i) => [['women', i + 1, x, y], ['men', i + 1, x + 9, y]]),
		['back', 1, 2.5, 10.2], ['back', 2, 7.2, 10.7], ['back', 3, 11.2, 10.7], ['back', 4, 15.7, 10.7],
		['door', 1, 18.6, 4.5], ['door', 2, 20.3, 4.5],
	].map(([reader, n, x, y]) => `antenna "${reader} ${n}" { reader = "${reader}" number = ${n} x = ${x} y = ${y} z = 2.9 tilt = 90 }`)
		.concat('room { dock = "20,12" }', 'day { deliveries_per_h = 20 delivery_items = 5 put_away_min = 1 replenish_per_h = 300 customers_per_h = 900 thefts_per_h = 90 try_on = 0.4 buy = 0.3 misplace = 0.3 }'),
};

/** Where the product says that each item is. */
async function claims(store) {
	return new Map((await store.api.all('/items')).filter((i) => i.state === 'present' && i.place).map((i) => [i.epc.toLowerCase(), i.place.name]));
}

/** Right claims against all claims and against all that is there; `since` leaves out what moved lately. */
function score(truth, claimed, nowUs, stillMs) {
	let there = 0, right = 0, made = 0, ghosts = 0;
	const wrong = new Map();
	for (const t of truth) {
		const name = claimed.get(t.epc.toLowerCase()), here = t.place !== 'nowhere';
		if ((nowUs - t.since_us) / 1000 < stillMs) continue;
		there += here;
		made += name !== undefined;
		right += here && name === t.place;
		ghosts += !here && name !== undefined;
		if (name !== t.place && (here || name)) {
			const k = `${t.place} -> ${name ?? 'nowhere'}`;
			wrong.set(k, (wrong.get(k) ?? 0) + 1);
		}
	}
	return { precision: made ? right / made : 0, recall: there ? right / there : 0, there, made, ghosts, wrong };
}

/** How many of those that lie still were read at all since they came to lie there: the rest is the radio's fault. */
async function readable(truth, claimed, nowUs, stillMs) {
	const still = truth.filter((t) => t.place !== 'nowhere' && (nowUs - t.since_us) / 1000 >= stillMs);
	const unheard = still.filter((t) => t.first_read_us === 0);
	const lost = still.filter((t) => t.first_read_us !== 0 && !claimed.has(t.epc.toLowerCase()));
	return { heard: 1 - unheard.length / still.length, lost };
}

const store = newStore(plan);
let failed = false;
try {
	await store.start({ link: false });
	await until('the shop to be heard', async () => (await claims(store)).size > items * 0.7, 120000, 1000);
	await delay(seconds * 1000);
	const { items: truth } = await store.truth.ask({ op: 'items' });
	const claimed = await claims(store);
	const { real_us: now } = await store.truth.ask({ op: 'time' });
	const all = score(truth, claimed, now, 0), still = score(truth, claimed, now, settledMs);
	const { events } = await store.truth.ask({ op: 'events', since: 0 });
	console.log(`# ${items} items, 4 readers, 14 antennas, ${events.length} things happened; no walk fitted; still = where it is for ${settledMs / 1000} s`);
	console.log(`# wrong: ${[...still.wrong].sort((a, b) => b[1] - a[1]).slice(0, 12).map(([k, n]) => `${k} ${n}`).join(', ')}`);
	console.log(`bench rf_store_precision ${all.precision.toFixed(3)} share`);
	console.log(`bench rf_store_recall ${all.recall.toFixed(3)} share`);
	console.log(`bench rf_store_still_precision ${still.precision.toFixed(3)} share`);
	console.log(`bench rf_store_still_recall ${still.recall.toFixed(3)} share`);
	const air = await readable(truth, claimed, now, settledMs);
	for (const t of air.lost.slice(0, 5)) {
		const { antennas } = await store.truth.ask({ op: 'reads', epc: t.epc });
		const said = await store.api.get(`/items/${t.epc.toUpperCase()}`).catch(() => null);
		console.log(`# heard, but nowhere: ${t.epc} in ${t.place}: ${antennas.filter((a) => a.reads).map((a) => `${a.reader} ${a.antenna}: ${a.reads}`).join(', ')}; ${said ? `${said.state} ${said.place?.name ?? '-'}` : 'unknown'}`);
	}
	console.log(`bench rf_store_heard ${air.heard.toFixed(3)} share`);
	console.log(`bench rf_store_ghosts ${still.ghosts} items`);
	failed = still.recall < looseBound || still.precision < looseBound;
} finally {
	await endStore(store);
}
process.exit(failed ? 1 : 0);
