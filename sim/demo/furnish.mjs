// SPDX-License-Identifier: Apache-2.0
// Furnishes the demo store, so that each page has something to show: a floor plan, book stock with
// differences, a delivery, a promotion next week, a rollout.
import { writeFileSync } from 'node:fs';
import { until } from './process.mjs';
import { wallTime } from './journeys.mjs';

const WEEK = 7 * 86400000;

/** Places side by side, each with its antennas, on a floor of 20 by 12 metres. */
async function drawPlan(store) {
	const places = await store.api.all('/places'), antennas = await store.api.all('/antennas');
	const w = 20 / places.length, plan = { width_m: 20, height_m: 12, places: [], antennas: [] };
	for (const [i, p] of places.entries()) {
		plan.places.push({ place_id: p.id, x: i * w + 0.25, y: 0.5, w: w - 0.5, h: 11 });
		antennas.filter((a) => a.place_id === p.id).forEach((a, k) => plan.antennas.push({ agent_id: a.agent_id, reader: a.reader, antenna: a.antenna, x: (i + 0.5) * w, y: 3 + 5 * k }));
	}
	await store.api.call('PUT', '/api/v1/plan', plan, { 'if-match': '*' });
}

/** Waits until the readers have heard everything. */
async function allHeard(store) {
	const { items } = await store.truth.ask({ op: 'items' });
	await until('all goods to be heard', async () => (await store.api.get('/stock?limit=1')).summary.items === items.length, 90000, 500);
}

/** Book stock as it is seen; `wrong` maps a product's place in the list to what the books have more. */
export async function takeBooks(store, wrong = new Map()) {
	await allHeard(store);
	const rows = (await store.api.all('/stock')).filter((r) => r.product_id).map((r, i) => `${r.gtin},${Math.max(r.total + (wrong.get(i) ?? 0), 0)}`);
	writeFileSync(store.path('books.csv'), `gtin,quantity\n${rows.join('\n')}\n`);
	await store.ctl('books', 'import', store.path('books.csv'));
}

/** What people did before the doors opened. */
export async function furnish(store) {
	await drawPlan(store);
	await takeBooks(store, new Map([[2, 2], [5, 1], [9, -1]]));
	const products = await store.api.all('/products'), api = store.api;
	const next = Date.now() + WEEK, day = (ms) => wallTime(store, ms).slice(0, 10);
	await api.call('POST', '/api/v1/promotions', {
		name: 'Breakfast week', kind: 'percent', percent: '15', select: { product_ids: products.slice(0, 6).map((p) => p.id) },
		start: `${day(next)}T08:00`, end: `${day(next + WEEK)}T20:00`, state: 'scheduled',
	});
	await api.call('POST', '/api/v1/deliveries', {
		reference: 'DN-1001', supplier: 'Central warehouse', expected_at: new Date(Date.now() + 86400000).toISOString(),
		lines: products.slice(6, 10).map((p) => ({ gtin: p.gtin, quantity: 12 })),
	});
	const sold = products.slice(12, 15).map((p, i) => ({ id: String(i + 1), till: '1', at: new Date().toISOString(), lines: [{ gtin: p.gtin, quantity: 1 }] }));
	await api.call('POST', '/api/v1/sales', { sales: sold });
	await api.call('POST', '/api/v1/rollouts', {
		name: 'New prices of the week', reason: 'price list', lead_s: 10, settle_s: 10, waves: [{ percent: 20 }, { percent: 100 }],
		changes: products.slice(15, 20).map((p) => ({ product_id: p.id, price_minor: p.price_minor + 10 })),
	});
}
