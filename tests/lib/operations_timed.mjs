// SPDX-License-Identifier: Apache-2.0
// Promotions and rollouts, as rows for the fault tests (see operations.mjs). A flip is nobody's request: its instant comes,
// and `act` waits for it; what the fault held up must come by itself afterwards.
import { until } from '../../sim/demo/process.mjs';
import { panelOf } from '../../sim/demo/checks.mjs';
import { fresh, linked, post, whole } from './operations.mjs';
import { wallAt } from './walltime.mjs';

const products = async (store, count) => (await linked(store, count)).map((l) => l.product);
const inSeconds = (store, s) => new Date(store.now().getTime() + 1000 * s).toISOString();

/** Waits for what must come by itself; while it does not come, that is a refusal like a full disk's. */
async function come(what, probe, timeoutMs) {
	try {
		await until(what, probe, timeoutMs);
		return { status: 200 };
	} catch (e) {
		if (/^timed out/.test(e.message) && !/ECONN|hang up/.test(e.message)) return { status: 507, body: { code: 'not-come', detail: e.message } };
		throw e;
	}
}

const rolloutNamed = async (store, name) => (await store.api.all('/rollouts')).filter((r) => r.name === name);
const makeRollout = (store, ctx, more) => post(store, '/rollouts', { name: ctx.name, changes: ctx.products.map((p) => ({ product_id: p.id, price_minor: ctx.price })), waves: [{ percent: 50 }, { percent: 100 }], lead_s: 5, settle_s: 20, ...more }, ctx);
const newRollout = async (store) => ({ name: `R-${fresh()}`, products: await products(store, 4), price: fresh(), key: `rollout-${fresh()}` });

/** Ledger rows of its products. */
async function rows(store, ctx) {
	let n = 0;
	for (const p of ctx.products) n += (await store.api.all(`/price-changes?product_id=${p.id}`)).length;
	return n;
}

/** Products with a ledger row of that price, as many as whole waves have flipped: in one look, for a wave
 * may flip between two. */
async function written(store, ctx) {
	const { items } = await store.api.get('/price-changes?limit=1000');
	return ctx.products.filter((p) => items.some((c) => c.product_id === p.id && c.price_minor === ctx.price)).length;
}

async function endRollout(store, ctx) {
	const [r] = await rolloutNamed(store, ctx.name);
	if (r) await post(store, `/rollouts/${r.id}/cancel`, {}, { key: `end-${ctx.name}` });
}

async function created(store, ctx, more) {
	const r = await makeRollout(store, ctx, more);
	if (r.status !== 201) throw new Error(`rollout: ${r.status} ${r.body?.code} ${r.body?.detail}`);
	return r.body;
}

/* --- promotions ------------------------------------------------------------------------------------------- */

const MINUTE = 60000;
/** The next full minute that is at least so many seconds ahead, and what the wall shows then. */
const minuteAhead = (store, s) => Math.ceil((store.now().getTime() + 1000 * s) / MINUTE) * MINUTE;
const promotionNamed = async (store, name) => (await store.api.all('/promotions')).filter((p) => p.name === name);
const makePromotion = (store, ctx, key = ctx.key) => post(store, '/promotions', {
	name: ctx.name, kind: 'percent', percent: '25', select: { product_ids: ctx.labels.map((l) => l.product.id) },
	start: wallAt(store.zone, ctx.start), end: wallAt(store.zone, ctx.start + 1440 * MINUTE), state: 'scheduled',
}, { key });

async function newPromotion(store, secondsAhead) {
	return { name: `P-${fresh()}`, labels: await linked(store, 3), start: minuteAhead(store, secondsAhead) };
}

async function madePromotion(store, secondsAhead) {
	const ctx = await newPromotion(store, secondsAhead), r = await makePromotion(store, ctx, `make-${ctx.name}`);
	if (r.status !== 201) throw new Error(`promotion: ${r.status} ${r.body?.code} ${r.body?.detail}`);
	return { ...ctx, id: r.body.id };
}

/** Panels that show the picture of the offer, by the simulator. */
async function onOffer(store, ctx) {
	let n = 0;
	for (const { id } of ctx.labels) {
		const { wanted } = await store.api.get(`/labels/${id}`), product = (await store.api.get(`/labels/${id}`)).product;
		const { offer } = await store.api.get(`/products/${product.id}`);
		n += offer?.promotion_id === ctx.id && wanted.price_minor === offer.price_minor && (await panelOf(store, id)).hash === wanted.image;
	}
	return n === ctx.labels.length;
}

/** A promotion that has been put on its labels in time, a little before its start. */
async function stagedPromotion(store) {
	const ctx = await madePromotion(store, 90);
	await until('the promotion to be on its labels', async () => {
		const p = await store.api.get(`/promotions/${ctx.id}/progress`);
		return p.staged + p.flipped + p.shown === p.total;
	}, 30000);
	return ctx;
}

async function cancelPromotion(store, ctx) {
	const [p] = await promotionNamed(store, ctx.name);
	if (p && !['cancelled', 'ended'].includes(p.state)) await post(store, `/promotions/${p.id}/cancel`, { reason: 'over' }, { key: `end-${ctx.name}` });
}

export const timedOperations = [
	{
		/* The labels flip by themselves; what is written about it is what the fault hits. */
		name: 'promotion flips', byItself: true, points: { 'ctl.db.before_commit': 'done', 'ctl.db.after_commit': 'done' },
		prepare: stagedPromotion,
		act: (store, ctx) => come('the labels to show the promotion', () => onOffer(store, ctx), 10000),
		outcome: async (store, ctx) => {
			await until('the labels to show the promotion', () => onOffer(store, ctx), 30000);
			return 'done';
		},
		after: cancelPromotion,
	},
	{
		name: 'rollout planned', points: { 'ctl.db.before_commit': 'nothing', 'ctl.rollout.created': 'done' },
		prepare: newRollout,
		act: async (store, ctx) => makeRollout(store, ctx, { start: ctx.start ??= inSeconds(store, 86400) }),
		outcome: async (store, ctx) => {
			const found = await rolloutNamed(store, ctx.name);
			if (found.length) whole((await store.api.get(`/rollouts/${found[0].id}`)).products, ctx.products.length, 'products');
			return whole(found.length, 1, 'rollouts');
		},
		after: endRollout,
	},
	{
		name: 'rollout flips', points: { 'ctl.rollout.half_flip': 'done', 'ctl.rollout.step': 'done', 'ctl.rollout.after_step': 'done' },
		prepare: async (store) => {
			/* Answers that a full disk refuses would count as failures, and halt it for a person. */
			const ctx = await newRollout(store);
			return { ...ctx, id: (await created(store, ctx, { start: inSeconds(store, 40), halt: { failed_percent: 100 } })).id };
		},
		act: (store, ctx) => come('the rollout to be done', async () => (await store.api.get(`/rollouts/${ctx.id}`)).state === 'done', 6000),
		outcome: async (store, ctx) => {
			const n = await written(store, ctx), waves = (await store.api.get(`/rollouts/${ctx.id}`)).waves;
			if (![0, waves[0].products, ctx.products.length].includes(n)) throw new Error(`half done: ${n} of ${waves.map((w) => w.products)} prices`);
			await until('the rollout to go on by itself', async () => {
				const { state, reason, waves: w } = await store.api.get(`/rollouts/${ctx.id}`);
				if (state !== 'done') throw new Error(`${state}: ${reason} ${JSON.stringify(w)}`);
				return true;
			}, 120000);
			return whole(await written(store, ctx), ctx.products.length, 'prices');
		},
		after: endRollout,
	},
	{
		name: 'rollout rolled back', points: { 'ctl.rollout.verb': 'nothing', 'ctl.rollout.half_back': 'nothing', 'ctl.rollout.verb_done': 'done' },
		prepare: async (store) => {
			const ctx = await newRollout(store), { id } = await created(store, ctx, { settle_s: 3600 });
			await until('the first wave to flip', async () => (await store.api.get(`/rollouts/${id}`)).state === 'settling', 180000);
			return { ...ctx, id, rows: await rows(store, ctx) };
		},
		act: (store, ctx) => post(store, `/rollouts/${ctx.id}/rollback`, { reason: 'fault test' }, ctx),
		outcome: async (store, ctx) => {
			const { state, waves } = await store.api.get(`/rollouts/${ctx.id}`), more = (await rows(store, ctx)) - ctx.rows;
			if (/^roll(ed|ing)-back$/.test(state) !== more > 0) throw new Error(`half done: ${state} with ${more} new prices`);
			return whole(more, waves[0].products, 'prices given back');
		},
		after: async (store, ctx) => {
			await until('the labels to have gone back', async () => (await store.api.get(`/rollouts/${ctx.id}`)).state === 'rolled-back', 60000);
		},
	},
];
