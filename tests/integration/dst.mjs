// SPDX-License-Identifier: Apache-2.0
// The nights in which clocks are changed, with whole daemons in virtual time: promotions that begin and
// end before, inside and after the skipped or repeated hour. What the panels show, minute by minute, is
// compared with what an oracle that is not ours says of the wall clock (node's ICU, checked by `date`).
// DST=all takes every night; otherwise one of each kind.
import { writeFileSync } from 'node:fs';
import { assert, equal, run, Skip, test } from '../lib/tap.mjs';
import { canConduct, Clock } from '../lib/clock.mjs';
import { reduced } from '../lib/offers.mjs';
import { Panels } from '../lib/panels.mjs';
import { endStore, newStore } from '../lib/stores.mjs';
import { changesOfClocks, endInstant, instantsOf, startInstant, wallAt, wallByDate, wallMinutes, wallPlus } from '../lib/walltime.mjs';
import { delay, until } from '../../sim/demo/process.mjs';

const MINUTE = 60000, YEAR = [Date.parse('2027-01-01Z'), Date.parse('2028-01-01Z')];
const PANEL = { width: 296, height: 128, type: 'bw' };
/* A panel redraws for about a second. Clocks are set over links whose delays of some milliseconds are a
 * few hundred times as long in that time. */
const REDRAW_MS = 2000, CLOCK_MS = 5000;
/* Pictures are sent and clocks set at a moderate pace; then hours pass in seconds. */
const SETTING_UP = 20, THROUGH_THE_NIGHT = 300;

/** Edges around the hour that is skipped or repeated, or about an hour that is like any other. */
function edges(zone, change) {
	const [lo, hi] = change ? [change.before, change.after].sort() : ['2027-03-28T02:00', '2027-03-28T03:00'];
	const length = wallMinutes(lo, hi), at = (from, minutes) => wallPlus(from, minutes);
	const list = [
		['from before to after', at(lo, -20), at(hi, 20)],
		['from before to inside', at(lo, -15), at(lo, length / 2)],
		['from inside to after', at(lo, length / 2), at(hi, 15)],
		['from its beginning', lo, at(hi, 25)],
		['to its beginning', at(lo, -25), lo],
		['to its end', at(lo, -10), hi],
	];
	/* A span inside of a skipped hour is no span at all. */
	if (instantsOf(zone, at(lo, length / 2)).length) list.push(['within', at(lo, length / 4), at(lo, (3 * length) / 4)]);
	return list.map(([name, start, end], i) => ({
		name, start, end, from: startInstant(zone, start), to: endInstant(zone, end), regular: 1000 + 10 * i, reduced: 500 + 10 * i,
	}));
}

const gtin = (i) => {
	const body = `20000000${String(i).padStart(4, '0')}`;
	const sum = [...body].reduce((n, d, k) => n + Number(d) * (k % 2 ? 3 : 1), 0);
	return body + ((10 - (sum % 10)) % 10);
};

/** Starts a store some time before the first edge and puts each case on two labels. */
async function openStore(zone, cases) {
	const store = newStore({ seed: 11, loss: 0.02, places: [], aps: [{ name: 'ap1', panels: [{ labels: 2 * cases.length, ...PANEL }] }], items: 0, moveEverySeconds: 0 }, { zone });
	store.clock = new Clock(store.path('clock'), { start: Math.min(...cases.map((c) => c.from)) - 20 * MINUTE, rate: SETTING_UP });
	store.products = store.path('products.csv');
	writeFileSync(store.products, `gtin,name,price\n${cases.map((c, i) => `${gtin(i)},${c.name},${(c.regular / 100).toFixed(2)}\n`).join('')}`);
	await store.start();
	const products = await store.api.all('/products');
	for (const [i, c] of cases.entries()) c.product = products.find((p) => p.gtin.endsWith(gtin(i)));
	const labels = await store.allShown(120000);
	for (const c of cases) c.labels = labels.filter((l) => l.product.id === c.product.id).map((l) => l.id);
	return store;
}

const near = (zone, edge, ms, notes) => {
	if (instantsOf(zone, edge).length !== 1) assert(notes.length, `${edge} is no ordinary time, and nothing is said of it`);
	return new Date(ms).toISOString();
};

/** Plans a promotion between two wall times; its instants are the oracle's, or it is refused here. */
async function plan(store, panels, zone, c, i) {
	const price = i % 2 ? { kind: 'fixed', price_minor: c.reduced } : { kind: 'percent', percent: '12.5' };
	if (!(i % 2)) c.reduced = reduced(c.regular, '12.5');
	const p = await store.api.call('POST', '/api/v1/promotions', { name: c.name, ...price, select: { product_ids: [c.product.id] }, start: c.start, end: c.end, state: 'scheduled' });
	equal(p.zone, zone, 'zone');
	equal([p.next.start, p.next.end], [near(zone, c.start, c.from, p.next.notes), near(zone, c.end, c.to, p.next.notes)], `${c.name}: instants of ${c.start} to ${c.end}`);
	const offer = { price_minor: c.reduced, was_minor: c.regular, prior_minor: c.regular, until: new Date(c.to).toISOString() };
	c.pictures = [await panels.learn(c.product.id, { price_minor: c.regular }, PANEL), await panels.learn(c.product.id, offer, PANEL)];
}

/** One that comes every day over the change: each day's instants are that day's. */
async function recur(store, zone, c) {
	const day = (wall, days) => wallPlus(wall, days * 1440);
	const r = await store.api.call('POST', '/api/v1/promotions/preview', { name: 'daily', kind: 'percent', percent: '5', select: { product_ids: [c.product.id] }, start: day(c.start, -1), end: day(c.end, -1), recurrence: 'FREQ=DAILY;COUNT=4' });
	const should = [-1, 0, 1, 2].map((d) => [startInstant(zone, day(c.start, d)), endInstant(zone, day(c.end, d))].map((ms) => new Date(ms).toISOString()));
	/* What is over already is not listed. */
	equal(r.occurrences.map((o) => [o.start, o.end]), should.slice(-r.occurrences.length), `${c.name}, daily`);
	assert(r.occurrences.length >= 3, `${r.occurrences.length} times listed`);
}

async function staged(store, cases) {
	await until('every picture to be on its labels', async () => {
		const { labels } = await store.truth.ask({ op: 'labels' });
		return cases.every((c) => c.labels.every((id) => c.pictures.every((p) => labels.find((l) => l.addr === id).image_slots.includes(p))));
	}, 60000);
}

/** Lets time pass as fast as this machine can follow: where a label loses its access point, it was too fast. */
async function hurry(store, ms) {
	let rate = 60;
	while (store.clock.now.getTime() < ms) {
		const { labels } = await store.truth.ask({ op: 'labels' });
		rate = labels.every((l) => l.state === 'synchronized') ? Math.min(rate * 1.25, THROUGH_THE_NIGHT) : Math.max(rate / 2, SETTING_UP);
		store.clock.setRate(Math.min(rate, Math.max((ms - store.clock.now.getTime()) / 200, 1)));
		await delay(100);
	}
}

/** Passes the night; slowly before an edge until its labels have taken their command, and over it. */
async function passNight(store, cases, endMs) {
	const flips = cases.flatMap((c) => [[c.from, c.pictures[1], c], [c.to, c.pictures[0], c]]).sort((a, b) => a[0] - b[0]);
	for (const [ms, picture, c] of flips) {
		await hurry(store, ms - MINUTE);
		store.clock.setRate(SETTING_UP);
		for (const id of c.labels)
			while (store.clock.now.getTime() < ms && (await store.api.get(`/labels/${id}`)).sent?.image !== picture) await delay(50);
		store.clock.setRate(40);
		await store.clock.reach((ms + 2000) * 1000);
	}
	await hurry(store, endMs);
}

/** Compares every minute of the night; an edge counts from when the redraw may be over. */
function compare(zone, panels, cases, fromMs, toMs) {
	let minutes = 0, early = Infinity, late = -Infinity;
	for (const c of cases) {
		for (const label of c.labels) {
			for (let ms = fromMs; ms <= toMs; ms += MINUTE, minutes++) {
				const at = ms + REDRAW_MS + CLOCK_MS, price = panels.priceOf(c.product.id, panels.shownAt(label, at * 1000));
				const should = ms >= c.from && ms < c.to ? c.reduced : c.regular;
				assert(price === should, `${c.name} (${c.start} to ${c.end}): at ${wallAt(zone, ms)}, ${new Date(ms).toISOString()}, label ${label} shows ${price}, not ${should}`);
			}
			const flips = panels.changesOf(label).slice(-2);
			equal(flips.map((f) => panels.priceOf(c.product.id, f.sha256)), [c.reduced, c.regular], `${c.name}: the last two pictures of ${label}`);
			for (const [flip, ms] of [[flips[0], c.from], [flips[1], c.to]]) {
				early = Math.min(early, flip.started_us / 1000 - ms);
				late = Math.max(late, flip.started_us / 1000 - ms);
			}
		}
	}
	assert(early >= -CLOCK_MS && late <= CLOCK_MS, `panels turned from ${early} to ${late} ms after their edge`);
	return { minutes, early, late };
}

async function liveThrough(zone, change) {
	const cases = edges(zone, change);
	for (const c of cases) for (const ms of [c.from, c.to]) equal(wallByDate(zone, ms), wallAt(zone, ms), 'ICU and date agree');
	const store = await openStore(zone, cases), panels = new Panels(store);
	let failed = true;
	try {
		for (const [i, c] of cases.entries()) await plan(store, panels, zone, c, i);
		for (const c of cases) await recur(store, zone, c);
		await staged(store, cases);
		const begin = Math.ceil(store.clock.now.getTime() / MINUTE) * MINUTE, end = Math.max(...cases.map((c) => c.to)) + 5 * MINUTE;
		assert(begin < Math.min(...cases.map((c) => c.from)), 'everything was ready before the first edge');
		await passNight(store, cases, end + MINUTE);
		await panels.collect();
		equal(panels.lost, 0, 'changes forgotten by the log');
		const r = compare(zone, panels, cases, begin, end);
		console.log(`# ${zone} ${change ? `${change.before} becomes ${change.after}` : 'no change'}: ${cases.length} cases, ${cases.length * 2} labels, ${r.minutes} minutes compared; redraws began ${r.early.toFixed(0)} to ${r.late.toFixed(0)} ms after their edge`);
		failed = false;
	} finally {
		await endStore(store, failed);
		store.clock.close();
	}
}

const nights = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata'].flatMap((zone) => {
	const changes = changesOfClocks(zone, ...YEAR);
	return (changes.length ? changes : [null]).map((change) => ({ zone, change }));
});
const few = nights.filter(({ zone, change }) => change && (zone === 'Europe/Berlin') === change.before < change.after && /Berlin|Howe/.test(zone));

/* Mostly they wait for time to pass: two nights at once. */
const all = process.env.DST === 'all' ? nights : few;
for (const n of all) n.over = new Promise((resolve) => { n.told = resolve; });
let next = 0;
const lane = async () => {
	while (next < all.length) {
		const n = all[next++];
		await liveThrough(n.zone, n.change).then(() => n.told(null), n.told);
	}
};
const lanes = canConduct ? [lane(), lane()] : [];

for (const n of all)
	test(`in ${n.zone}, ${n.change ? `when ${n.change.before} becomes ${n.change.after}` : 'where no clock changes'}, panels show what the wall clock says`, async () => {
		if (!canConduct) throw new Skip('built without --enable-fault-points');
		const error = await n.over;
		if (error) throw error;
	});

await run(() => Promise.all(lanes));
