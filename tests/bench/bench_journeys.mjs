// SPDX-License-Identifier: Apache-2.0
// How long the two journeys take, as a person at the page sees them, with the conditions printed beside the
// figures. A price: from the click on Save to *shown* in the page, and to the last pixel in the simulator's
// frame buffer. An item: from its first read at the new antenna to the page. Then quiet minutes in which
// nothing moves, and the moves claimed all the same. CHANGES, MOVES and QUIET_MINUTES choose how much.
import { endStore, newStore, oneAp } from '../lib/stores.mjs';
import { delay, until } from '../../sim/demo/process.mjs';
import { launch, missing } from '../e2e/browser.mjs';
import { priceJourney, stockJourney } from '../e2e/journey.mjs';
import { panelOf } from '../../sim/demo/checks.mjs';

const changes = Number(process.env.CHANGES ?? 100), moves = Number(process.env.MOVES ?? 30), quiet = Number(process.env.QUIET_MINUTES ?? 10);
const plan = oneAp({ seed: 20261122, items: 100, aps: [{ name: 'ap1', panels: [{ labels: 24, width: 296, height: 128, type: 'bw' }], antennas: 4 }] });
const store = newStore(plan);

const percentile = (list, p) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.ceil((p / 100) * list.length) - 1)];
const line = (name, value, unit) => console.log(`bench ${name} ${Number.isFinite(value) ? Math.round(value) : 'none'} ${unit}`);

async function prices(browser) {
	const labels = (await store.api.all('/labels')).filter((l) => l.product), page = [], pixels = [];
	console.log(`# price: ${changes} changes one after another, black-white labels 296x128, default train (1560 ms, 26 subevents), loss ${plan.loss * 100} % each way, redraw 800 ms +-25 %, seed ${plan.seed}, ${labels.length} labels on one access point`);
	for (let i = 0; i < changes; i++) {
		const label = labels[i % labels.length];
		/* A click at any phase of the train. */
		await delay(((i * 617) % 1560));
		const before = Date.now();
		const r = await priceJourney({ url: store.url, user: 'manager', password: store.passwords.manager, browser, gtin: label.product.gtin, price: (10 + i / 100).toFixed(2) });
		page.push(r.shown_ms);
		const now = await store.api.get(`/labels/${label.id}`);
		const panel = await until('the frame buffer', async () => {
			const p = await panelOf(store, label.id);
			return p.hash === now.wanted.image && p;
		}, 20000);
		/* shown_at_us is when the redraw ended; the page's click is taken from its own clock. */
		pixels.push(panel.truth.shown_at_us / 1000 - (r.clicked_at ?? before));
	}
	line('price_click_to_shown_p50', percentile(page, 50), 'ms');
	line('price_click_to_shown_p99', percentile(page, 99), 'ms');
	line('price_click_to_shown_max', Math.max(...page), 'ms');
	line('price_click_to_pixels_p50', percentile(pixels, 50), 'ms');
	line('price_click_to_pixels_p99', percentile(pixels, 99), 'ms');
}

async function items(browser) {
	const latencies = [];
	console.log(`# item: ${moves} moves, 5 reads/s at an antenna, two places of two antennas on one reader, ${plan.items} items, cross reads 2 %`);
	const all = (await store.truth.ask({ op: 'items' })).items;
	for (let i = 0; i < moves; i++) {
		const item = all[i % all.length], place = (await store.truth.ask({ op: 'item', epc: item.epc })).place === 'Floor' ? 'Back room' : 'Floor';
		const r = await stockJourney({ url: store.url, user: 'stock', password: store.passwords.stock, browser, epc: item.epc, place, onReady: () => store.truth.ask({ op: 'move', epc: item.epc, place }) });
		const { first_read_us: first } = await store.truth.ask({ op: 'item', epc: item.epc });
		if (first) latencies.push(r.at - first / 1000);
	}
	line('item_first_read_to_page_p50', percentile(latencies, 50), 'ms');
	line('item_first_read_to_page_max', Math.max(...latencies), 'ms');
}

async function quietMinutes() {
	const all = (await store.truth.ask({ op: 'items' })).items;
	await delay(5000);
	const since = Date.now();
	console.log(`# quiet: ${quiet} minutes in which none of ${all.length} items moves`);
	await delay(quiet * 60000);
	let claimed = 0;
	for (const i of all) claimed += (await store.api.all(`/items/${i.epc}/events`)).filter((e) => Date.parse(e.at) > since && e.from_place?.name !== e.to_place?.name).length;
	line('item_false_moves', claimed, `moves_in_${quiet}_min`);
}

const why = missing();
if (why) {
	console.log(`# not run: ${why}`);
	process.exit(0);
}
let failed = false;
const browser = await launch();
try {
	await store.start();
	for (const role of ['manager', 'stock']) await store.addUser(role, role);
	await store.allShown(300000);
	await items(browser);
	await prices(browser);
	await quietMinutes();
} catch (e) {
	failed = true;
	console.log(`# failed: ${e.stack}`);
}
await browser.close();
await endStore(store, failed);
process.exit(failed ? 1 : 0);
