// SPDX-License-Identifier: Apache-2.0
// Promotions and taking a price back, as rows for the fault tests (see operations.mjs).
import { fresh, linked, post, whole } from './operations.mjs';

const POINTS = { 'ctl.promotion.before_commit': 'nothing', 'ctl.promotion.after_commit': 'done' };

/** A time on the shop's clock, so many hours from now; the store of the tests keeps UTC. */
const wall = (store, hours) => new Date(store.now().getTime() + hours * 3600000).toISOString().slice(0, 16);

const terms = (store, ctx) => ({
	name: ctx.name, kind: 'percent', percent: '30', select: { product_ids: ctx.products },
	zone: 'UTC', start: ctx.start ??= wall(store, -1), end: ctx.end ??= wall(store, 30),
});
const named = async (store, name) => (await store.api.all('/promotions')).filter((p) => p.name === name);
const newOne = async (store) => ({ name: `P-${fresh()}`, products: (await linked(store, 4)).map((l) => l.product.id) });

async function made(store) {
	const ctx = await newOne(store);
	ctx.id = (await store.api.call('POST', '/api/v1/promotions', terms(store, ctx))).id;
	return ctx;
}

/** As many of its products as the promotion reduces now. */
async function reduced(store, ctx) {
	let n = 0;
	for (const id of ctx.products) n += (await store.api.get(`/products/${id}`)).offer !== null;
	return n;
}

async function end(store, ctx) {
	for (const p of await named(store, ctx.name)) if (p.state === 'running') await post(store, `/promotions/${p.id}/cancel`, {}, { key: `end-${p.id}` });
}

export const promoOperations = [
	{
		name: 'promotion made', points: POINTS,
		prepare: newOne,
		act: (store, ctx) => post(store, '/promotions', terms(store, ctx), ctx),
		outcome: async (store, ctx) => {
			const found = whole((await named(store, ctx.name)).length, 1, 'promotions');
			const effect = whole(await reduced(store, ctx), ctx.products.length, 'reduced products');
			if (found !== effect) throw new Error(`half done: the promotion ${found}, its prices ${effect}`);
			return found;
		},
		after: end,
	},
	{
		name: 'promotion changed', points: POINTS,
		prepare: async (store) => ({ ...(await made(store)), later: wall(store, 40) }),
		act: (store, ctx) => store.api.request('PATCH', `/api/v1/promotions/${ctx.id}`, { end: ctx.later }),
		outcome: async (store, ctx) => {
			const p = await store.api.get(`/promotions/${ctx.id}`);
			return whole((p.end === ctx.later) + (p.next.end_wall === ctx.later), 2, 'ends');
		},
		after: end,
	},
	{
		name: 'promotion cancelled', points: POINTS,
		prepare: made,
		act: (store, ctx) => post(store, `/promotions/${ctx.id}/cancel`, { reason: 'fault test' }, ctx),
		outcome: async (store, ctx) => {
			const gone = (await store.api.get(`/promotions/${ctx.id}`)).state === 'cancelled';
			const left = await reduced(store, ctx);
			if (left !== (gone ? 0 : ctx.products.length)) throw new Error(`half done: cancelled ${gone}, and ${left} products still reduced`);
			return gone ? 'done' : 'nothing';
		},
		after: end,
	},
	{
		name: 'price undo', points: { 'ctl.price_undo.before_commit': 'nothing', 'ctl.price_undo.after_commit': 'done' },
		prepare: async (store) => {
			const [label] = await linked(store, 1);
			return { change: (await store.api.call('POST', '/api/v1/price-changes', { product_id: label.product.id, price_minor: fresh() })).id, product: label.product.id };
		},
		act: (store, ctx) => post(store, `/price-changes/${ctx.change}/undo`, {}, ctx),
		outcome: async (store, ctx) => whole((await store.api.all(`/price-changes?product_id=${ctx.product}`)).filter((c) => c.undo_of === ctx.change).length, 1, 'undoing rows'),
	},
];
