// SPDX-License-Identifier: Apache-2.0
// What is done to the books, as rows for the fault tests (see operations.mjs).
import { COMMIT, fresh, linked, post, whole } from './operations.mjs';

const products = async (store, count) => (await linked(store, count)).map((l) => l.product);
const lines = (ctx) => ctx.products.map((p) => ({ gtin: p.gtin, quantity: 3 }));
const announce = (store, ctx) => post(store, '/deliveries', { reference: ctx.reference, lines: lines(ctx) }, ctx);
const deliveriesNamed = async (store, ctx) => (await store.api.all('/deliveries')).filter((d) => d.reference === ctx.reference);

export const bookOperations = [
	{
		name: 'book import', points: { 'ctl.books.import_written': 'nothing', 'ctl.books.import_unanswered': 'done' },
		prepare: async (store) => ({ products: await products(store, 4), quantity: fresh() }),
		act: (store, ctx) => post(store, '/books/stock/import', `gtin,quantity\n${ctx.products.map((p) => `${p.gtin},${ctx.quantity}\n`).join('')}`, ctx, 'text/csv'),
		outcome: async (store, ctx) => whole((await store.api.all('/books/stock')).filter((f) => f.quantity === ctx.quantity).length, ctx.products.length, 'figures'),
	},
	{
		name: 'sales feed', points: { 'ctl.books.sales_written': 'nothing', 'ctl.books.sales_unanswered': 'done' },
		prepare: async (store) => {
			const [product] = await products(store, 1);
			return { product, at: store.now().toISOString(), ids: Array.from({ length: 20 }, () => `sale-${fresh()}`) };
		},
		act: (store, ctx) => post(store, '/sales', { sales: ctx.ids.map((id) => ({ id, till: '1', at: ctx.at, lines: [{ gtin: ctx.product.gtin, quantity: 1 }] })) }, ctx),
		outcome: async (store, ctx) => whole((await store.api.all(`/sales?product_id=${ctx.product.id}`)).filter((s) => ctx.ids.includes(s.id)).length, ctx.ids.length, 'sales'),
	},
	{
		name: 'delivery announced', points: { 'ctl.books.delivery_written': 'nothing', 'ctl.db.after_commit': 'done' },
		prepare: async (store) => ({ products: await products(store, 3), reference: `D-${fresh()}` }),
		act: announce,
		outcome: async (store, ctx) => {
			const found = await deliveriesNamed(store, ctx);
			if (found.length === 1) whole((await store.api.get(`/deliveries/${found[0].id}`)).lines.length, ctx.products.length, 'lines');
			return whole(found.length, 1, 'deliveries');
		},
	},
	{
		name: 'delivery received', points: { 'ctl.books.delivery_written': 'nothing', 'ctl.db.after_commit': 'done' },
		prepare: async (store) => {
			const ctx = { products: await products(store, 3), reference: `D-${fresh()}` };
			const reply = await announce(store, { ...ctx, key: `announce-${ctx.reference}` });
			return { ...ctx, id: reply.body.id };
		},
		act: (store, ctx) => post(store, `/deliveries/${ctx.id}/receive`, {}, ctx),
		outcome: async (store, ctx) => whole((await store.api.get(`/deliveries/${ctx.id}`)).state === 'received' ? 1 : 0, 1, 'deliveries'),
	},
	{
		name: 'difference settled', points: { 'ctl.books.figure_written': 'nothing', ...COMMIT },
		prepare: async (store) => ({ product: (await products(store, 1))[0], quantity: fresh() }),
		act: (store, ctx) => post(store, `/differences/${ctx.product.id}/settle`, { quantity: ctx.quantity, reason: 'counted' }, ctx),
		outcome: async (store, ctx) => whole((await store.api.all(`/books/stock?product_id=${ctx.product.id}&history=1`)).filter((f) => f.quantity === ctx.quantity).length, 1, 'figures'),
	},
];
