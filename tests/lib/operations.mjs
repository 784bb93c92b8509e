// SPDX-License-Identifier: Apache-2.0
// What people do to a store, each as one row for the fault tests: what must be there before, the one
// request (or the instant that passes), and what has come of it. `outcome` yields 'nothing' or 'done', and
// fails on anything between; `byItself`: it comes without the controller's disk. `points` are the named
// places where a kill would hurt most, each with the outcome that a kill there has.
import { randomBytes } from 'node:crypto';

/* Every write passes these. */
export const COMMIT = { 'ctl.db.before_commit': 'nothing', 'ctl.db.after_commit': 'done', 'ctl.db.before_done': 'done' };

let number = 1000;
/** A number not used before. */
export const fresh = () => ++number;

function gtin() {
	const body = `2100000${String(fresh()).padStart(5, '0')}`;
	const sum = [...body].reduce((n, d, k) => n + Number(d) * (k % 2 ? 3 : 1), 0);
	return body + ((10 - (sum % 10)) % 10);
}

export const post = (store, path, body, ctx, type) => store.api.request('POST', `/api/v1${path}`, body, { 'idempotency-key': ctx.key, ...(type ? { 'content-type': type } : {}) });

/** All or none of `wanted`; `there` are those found. */
export function whole(there, wanted, what) {
	if (there !== 0 && there !== wanted) throw new Error(`half done: ${there} of ${wanted} ${what}`);
	return there ? 'done' : 'nothing';
}

/** Some labels in turn that are linked, each to a product of its own. */
export async function linked(store, count) {
	const all = (await store.api.all('/labels')).filter((l) => l.product), first = fresh();
	const labels = all.filter((l, i) => all.findIndex((o) => o.product.id === l.product.id) === i);
	return Array.from({ length: count }, (_, i) => labels[(first + i) % labels.length]);
}

const productOf = async (store, label) => (await store.api.get(`/labels/${label}`)).product?.id ?? null;

export const operations = [
	{
		name: 'price change', points: COMMIT,
		prepare: async (store) => ({ product: (await linked(store, 1))[0].product, price_minor: fresh() }),
		act: (store, ctx) => post(store, '/price-changes', { product_id: ctx.product.id, price_minor: ctx.price_minor }, ctx),
		outcome: async (store, ctx) => whole((await store.api.all(`/price-changes?product_id=${ctx.product.id}`)).filter((p) => p.price_minor === ctx.price_minor).length, 1, 'ledger rows'),
	},
	{
		name: 'product import', points: COMMIT,
		prepare: async () => ({ gtins: Array.from({ length: 700 }, gtin) }),
		act: (store, ctx) => post(store, '/products/import', `gtin,name,price\n${ctx.gtins.map((g) => `${g},Imported,1.00\n`).join('')}`, ctx, 'text/csv'),
		outcome: async (store, ctx) => {
			const there = new Set((await store.api.all('/products?q=Imported')).filter((p) => p.price_minor === 100).map((p) => p.gtin.slice(-13)));
			return whole(ctx.gtins.filter((g) => there.has(g)).length, ctx.gtins.length, 'products');
		},
	},
	{
		name: 'link', points: { 'ctl.links.before_commit': 'nothing', 'ctl.links.after_commit': 'done' },
		prepare: async (store) => {
			const [to, label] = await linked(store, 2);
			return { label: label.id, product: to.product };
		},
		act: (store, ctx) => store.api.request('PUT', `/api/v1/labels/${ctx.label}/link`, { product_id: ctx.product.id, relink: true }),
		outcome: async (store, ctx) => whole(await productOf(store, ctx.label) === ctx.product.id ? 1 : 0, 1, 'links'),
	},
	{
		name: 'link import', points: { 'ctl.links.before_import': 'nothing', 'ctl.links.after_import': 'done' },
		prepare: async (store) => {
			const labels = await linked(store, 4), products = await store.api.all('/products');
			return { links: labels.map((l) => ({ label: l.id, product: products.find((p) => p.id !== l.product.id && !labels.some((o) => o.product.id === p.id)) })) };
		},
		act: (store, ctx) => post(store, '/labels/links/import?relink=1', `label,gtin\n${ctx.links.map((l) => `${l.label},${l.product.gtin}\n`).join('')}`, ctx, 'text/csv'),
		outcome: async (store, ctx) => {
			let there = 0;
			for (const l of ctx.links) there += (await productOf(store, l.label)) === l.product.id;
			return whole(there, ctx.links.length, 'links');
		},
	},
	{
		name: 'link undo', points: { 'ctl.links.before_undo': 'nothing', 'ctl.links.after_undo': 'done' },
		prepare: async (store) => {
			const [to, label] = await linked(store, 2);
			await store.api.call('PUT', `/api/v1/labels/${label.id}/link`, { product_id: to.product.id, relink: true });
			return { label: label.id, was: label.product.id, event: (await store.api.get(`/labels/links?label=${label.id}`)).items[0].id };
		},
		act: (store, ctx) => post(store, `/labels/links/${ctx.event}/undo`, {}, ctx),
		outcome: async (store, ctx) => whole(await productOf(store, ctx.label) === ctx.was ? 1 : 0, 1, 'links'),
	},
	{
		name: 'replace', points: { 'ctl.links.before_replace': 'nothing', 'ctl.links.after_replace': 'done' },
		prepare: async (store) => {
			const [old, by] = await linked(store, 2);
			await store.api.call('DELETE', `/api/v1/labels/${by.id}/link`);
			return { old: old.id, by: by.id, product: old.product.id };
		},
		act: (store, ctx) => post(store, `/labels/${ctx.old}/replace`, { by: ctx.by }, ctx),
		outcome: async (store, ctx) => {
			const [from, to] = [await productOf(store, ctx.old), await productOf(store, ctx.by)];
			if ((from === ctx.product) === (to === ctx.product)) throw new Error(`half done: product ${ctx.product} is on ${from === to ? 'both labels' : 'neither label'}`);
			return to === ctx.product ? 'done' : 'nothing';
		},
	},
	{
		name: 'flash', points: { 'ctl.links.before_flash': 'nothing', 'ctl.links.after_flash': 'done' },
		prepare: async (store) => {
			const [label] = await linked(store, 1);
			return { label: label.id, after: Date.now() };
		},
		act: (store, ctx) => post(store, `/labels/${ctx.label}/flash`, { seconds: 60 }, ctx),
		outcome: async (store, ctx) => {
			const { flash } = await store.api.get(`/labels/${ctx.label}`);
			return whole(flash && Date.parse(flash.until) > ctx.after + 50000 ? 1 : 0, 1, 'flashes');
		},
	},
	{
		name: 'reading', points: { 'ctl.links.before_reading': 'nothing', 'ctl.links.after_reading': 'done' }, only: 'points',
		prepare: async (store) => {
			for (const l of await linked(store, 4)) {
				const { sensors, budget } = await store.api.get(`/labels/${l.id}`);
				if (sensors.length) return { label: l.id, sensors: sensors.length, before: budget.readings.day };
			}
			throw new Error('no label has told of a sensor');
		},
		act: (store, ctx) => post(store, `/labels/${ctx.label}/readings`, {}, ctx),
		outcome: async (store, ctx) => whole((await store.api.get(`/labels/${ctx.label}`)).budget.readings.day - ctx.before, ctx.sensors, 'readings'),
	},
	{
		name: 'floor plan', points: { 'ctl.plan.before_commit': 'nothing', 'ctl.plan.after_commit': 'done' },
		prepare: async (store) => ({ width_m: 20 + fresh() / 10000, places: await store.api.all('/places') }),
		act: (store, ctx) => store.api.request('PUT', '/api/v1/plan', { width_m: ctx.width_m, height_m: 10, antennas: [], places: ctx.places.map((p, i) => ({ place_id: p.id, x: i, y: 0, w: ctx.width_m - 19, h: 2 })) }, { 'if-match': '*' }),
		outcome: async (store, ctx) => {
			const plan = await store.api.get('/plan');
			const there = plan.places.filter((p) => Math.abs(p.w - (ctx.width_m - 19)) < 1e-9).length;
			if ((plan.width_m === ctx.width_m) !== (there === ctx.places.length)) throw new Error(`half done: the floor is ${plan.width_m} m wide and ${there} places fit it`);
			return whole(there, ctx.places.length, 'places');
		},
	},
	{
		name: 'plan saved', points: { 'ctl.plan.before_commit': 'nothing', 'ctl.plan.after_commit': 'done' },
		prepare: async (store) => {
			const places = await store.api.all('/places');
			return { width: 20 + fresh() / 1000, places: places.map((p, i) => ({ place_id: p.id, x: i, y: 1, w: 1, h: 4 })) };
		},
		act: (store, ctx) => store.api.request('PUT', '/api/v1/plan', { width_m: ctx.width, height_m: 10, places: ctx.places, antennas: [] }, { 'if-match': '*' }),
		outcome: async (store, ctx) => {
			const plan = await store.api.get('/plan');
			if (Math.abs(plan.width_m - ctx.width) > 1e-6) return 'nothing';
			if (plan.places.length !== ctx.places.length) throw new Error(`half done: ${plan.places.length} of ${ctx.places.length} places`);
			return 'done';
		},
	},
];

export const newContext = async (store, op) => ({ key: randomBytes(9).toString('base64url'), ...(await op.prepare(store)) });
