// SPDX-License-Identifier: Apache-2.0
// What people do to a store, each as one row for the fault tests: what must be there before, the one
// request (or the instant that passes), and what has come of it. `outcome` yields 'nothing' or 'done', and
// fails on anything between. `points` are the named places where a kill would hurt most.
import { randomBytes } from 'node:crypto';

const COMMIT = ['ctl.db.before_commit', 'ctl.db.after_commit', 'ctl.db.before_done'];

let number = 1000;
const fresh = () => ++number;

function gtin() {
	const body = `2100000${String(fresh()).padStart(5, '0')}`;
	const sum = [...body].reduce((n, d, k) => n + Number(d) * (k % 2 ? 3 : 1), 0);
	return body + ((10 - (sum % 10)) % 10);
}

const post = (store, path, body, ctx, type) => store.api.request('POST', `/api/v1${path}`, body, { 'idempotency-key': ctx.key, ...(type ? { 'content-type': type } : {}) });

/** All or none of `wanted`; `there` are those found. */
export function whole(there, wanted, what) {
	if (there !== 0 && there !== wanted) throw new Error(`half done: ${there} of ${wanted} ${what}`);
	return there ? 'done' : 'nothing';
}

/** A linked label's product, with a price of its own. */
async function someProduct(store) {
	const labels = await store.api.all('/labels');
	return labels[fresh() % labels.length].product;
}

export const operations = [
	{
		name: 'price change', points: COMMIT,
		prepare: async (store) => ({ product: await someProduct(store), price_minor: fresh() }),
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
];

export const newContext = async (store, op) => ({ key: randomBytes(9).toString('base64url'), ...(await op.prepare(store)) });
