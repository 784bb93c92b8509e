// SPDX-License-Identifier: Apache-2.0
// What a simulated trading day is made of: a catalogue, its book stock, and how far the reconciliation's account
// of who is missing agrees with the simulator's.
import { writeFileSync } from 'node:fs';
import { assert } from './tap.mjs';
import { until } from '../../sim/demo/process.mjs';

/** The i-th GTIN of a company prefix that no product of the demo has. */
export function gtinOf(i) {
	const body = `0${String(4299900000000 + i * 10).slice(0, 12)}`;
	const sum = [...body].reverse().reduce((n, c, k) => n + Number(c) * (k % 2 ? 1 : 3), 0);
	return body + ((10 - (sum % 10)) % 10);
}

/** Catalogue files: `tagged` products with items, `untagged` without, `unknown` GTINs with items and no product. */
export function writeCatalogue(store, { tagged, untagged = 0, unknown = 0 }) {
	const row = (i) => `${gtinOf(i)},Product ${i},1.99`;
	const range = (from, n) => Array.from({ length: n }, (_, i) => from + i);
	store.products = store.path('products.csv');
	store.goods = store.path('goods.csv');
	const known = range(0, tagged), bare = range(tagged, untagged), strange = range(tagged + untagged, unknown);
	writeFileSync(store.products, `gtin,name,price\n${[...known, ...bare].map(row).join('\n')}\n`);
	writeFileSync(store.goods, `gtin\n${[...known, ...strange].map(gtinOf).join('\n')}\n`);
	return { tagged: known.map(gtinOf), untagged: bare.map(gtinOf), unknown: strange.map(gtinOf) };
}

/** The GTIN that an SGTIN-96 names. */
export function gtinOfEpc(hex) {
	const bits = BigInt(`0x${hex}`), at = (from, n) => Number((bits >> BigInt(96 - from - n)) & ((1n << BigInt(n)) - 1n));
	const widths = [40, 37, 34, 30, 27, 24, 20], partition = at(11, 3), prefix = String(at(14, widths[partition])).padStart(12 - partition, '0');
	const item = String(at(14 + widths[partition], 44 - widths[partition])).padStart(partition + 1, '0');
	const body = item[0] + prefix + item.slice(1);
	const sum = [...body].reverse().reduce((n, c, k) => n + Number(c) * (k % 2 ? 1 : 3), 0);
	return body + ((10 - (sum % 10)) % 10);
}

export async function itemsByGtin(store) {
	const map = new Map();
	for (const item of (await store.truth.ask({ op: 'items' })).items) {
		if (item.place === 'nowhere') continue;
		const gtin = gtinOfEpc(item.epc);
		map.set(gtin, [...(map.get(gtin) ?? []), item]);
	}
	return map;
}

/** Waits until the readers have heard all that is there. */
export async function allHeard(store, timeoutMs = 90000) {
	await until('all goods to be heard', async () => {
		const there = (await store.truth.ask({ op: 'items' })).items.filter((i) => i.place !== 'nowhere').length;
		const r = await store.api.get('/stock?limit=1');
		return r.summary.items === there;
	}, timeoutMs, 500);
}

/** Book stock as an ERP would send it: exact for what is tagged, and for goods without tags as given. */
export async function importBooks(store, catalogue, untaggedQuantity = 12) {
	const items = await itemsByGtin(store);
	const rows = [...catalogue.tagged.map((g) => `${g},${items.get(g)?.length ?? 0}`), ...catalogue.untagged.map((g) => `${g},${untaggedQuantity}`)];
	writeFileSync(store.path('books.csv'), `gtin,quantity\n${rows.join('\n')}\n`);
	await store.ctl('books', 'import', store.path('books.csv'));
	return rows.length;
}

/** EPCs and products that the reconciliation calls missing. */
export async function calledMissing(store) {
	const rows = (await store.api.all('/differences')).filter((r) => r.product_id && r.missing > 0);
	const epcs = new Set(), gtins = new Set();
	for (const row of rows) {
		gtins.add(row.gtin);
		for (const item of (await store.api.get(`/differences/${row.product_id}`)).items)
			if (['missing', 'left-unsold'].includes(item.reason.code)) epcs.add(item.epc);
	}
	return { epcs, gtins };
}

/** What the truth says left the store without being sold, and did not come back. */
export async function reallyMissing(store) {
	const epcs = new Set();
	for (const p of (await store.truth.ask({ op: 'passages', since_us: 0 })).passages) {
		if (p.how === 'stolen') epcs.add(p.epc);
		else epcs.delete(p.epc);
	}
	return { epcs, gtins: new Set([...epcs].map(gtinOfEpc)) };
}

/** Precision, recall and what went wrong. */
export function score(called, real) {
	const right = [...called].filter((x) => real.has(x)).length;
	return {
		precision: called.size ? right / called.size : 1, recall: real.size ? right / real.size : 1,
		wrong: [...called].filter((x) => !real.has(x)), overlooked: [...real].filter((x) => !called.has(x)),
	};
}

/** Every sale that the till was answered for is there once, and no other. */
export async function salesAreThereOnce(store, till) {
	const told = await store.api.all('/sales'), mine = told.filter((s) => s.till === till.name);
	assert(new Set(mine.map((s) => s.id)).size === mine.length, 'a sale is there twice');
	for (const s of till.sent) {
		const there = mine.find((m) => m.id === s.id);
		assert(there, `sale ${s.id} was acknowledged and is not there`);
		assert(there.lines.length === s.lines.length, `sale ${s.id} has ${there.lines.length} lines, it was told with ${s.lines.length}`);
	}
	assert(mine.length === till.sent.length, `${mine.length} sales are there, ${till.sent.length} were answered`);
}

export async function tillOf(store, Till, name = '1') {
	const { token } = await store.api.call('POST', '/api/v1/tokens', { name: `till-${name}`, permissions: ['sales'], ttl_s: 86400 });
	return new Till({ url: store.url, ca: store.ca, token, name });
}
