// SPDX-License-Identifier: Apache-2.0
// Products, prices and labels through the real gondolad over TLS: the public API as a till's or an ERP's
// programmer meets it. No agents, no labels: those journeys are in journeys.mjs.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert, datadir, equal, needData, run, test } from '../lib/tap.mjs';
import { endStore, newStore, oneAp } from '../lib/stores.mjs';

const store = newStore(oneAp());
let api;

const csv = (text, query = '') => api.request('POST', `/api/v1/products/import${query}`, text, { 'content-type': 'text/csv' });

test('gondolad starts and lets the admin in', async () => {
	await store.startController();
	api = await store.signIn();
});

test('a dry run names bad rows by line and column, and changes nothing', async () => {
	const bad = Buffer.concat([
		Buffer.from('gtin;name;price\n4006381333932;wrong check digit;1\n4006381333931;good;1\n4006381333931;again;1\n5901234123457;cheap;-1\n96385074;'),
		Buffer.from([0xff, 0xfe]), Buffer.from(';1\n'),
	]);
	for (const query of ['?dry_run=1', '']) {
		const r = await csv(bad, query);
		equal(r.status, 422, 'status');
		equal(JSON.stringify(r.body.errors.map((e) => [e.line, e.column, e.code])),
			JSON.stringify([[2, 1, 'bad-check-digit'], [4, 1, 'duplicate-gtin'], [5, 3, 'negative-price'], [6, 2, 'bad-utf8']]), 'errors');
		equal((await api.all('/products')).length, 0, 'products');
	}
});

test('20,000 real products come in within five seconds, and a price change meanwhile', async () => {
	const text = readFileSync(needData(join(datadir, 'catalogue', 'products-20k.csv')));
	const dry = await csv(text, '?dry_run=1');
	equal(dry.body.created, 20000, 'would be created');
	await csv('gtin,name,price\n4006381333931,Pencil,1.99\n');
	const start = Date.now();
	const importing = csv(text);
	const price = await api.request('POST', '/api/v1/price-changes', { gtin: '4006381333931', price: '2.49' });
	equal(price.status, 201, 'price change meanwhile');
	const waited = Date.now() - start;
	const r = await importing;
	const took = Date.now() - start;
	equal(r.body.created, 20000, 'created');
	assert(took < 5000, `import took ${took} ms`);
	assert(waited < 2000, `price waited ${waited} ms`);
	console.log(`# import ${took} ms, price change meanwhile ${waited} ms`);
	equal((await csv(text)).body.unchanged, 20000, 'unchanged the second time');
	const first = await api.get('/products?limit=2'), next = await api.get(`/products?limit=2&after=${first.next}`);
	assert(first.total > 20000, `the first page counts all: ${first.total}`);
	equal(next.total, undefined, 'total of a later page');
	const found = await api.get('/products?q=chocolat&limit=1');
	equal(found.total, (await api.all('/products?q=chocolat')).length, 'total of a search');
	const figures = (await api.call('GET', '/metrics')).toString();
	assert(/^gondola_price_changes_total [1-9]/m.test(figures), 'the shop has its figures');
});

test('products are found by words, by accents or without, and by the start of a number', async () => {
	await csv('gtin,name,brand,content,unit\n5901234123457,Crème brûlée,Chez Nous,0.75,kg\n');
	for (const q of ['creme', 'BRÛLÉE crè', 'nous brulee', '590123', '05901234123457']) {
		const items = await api.all(`/products?q=${encodeURIComponent(q)}`);
		assert(items.some((p) => p.gtin === '05901234123457'), `found by ${q}`);
	}
	equal((await api.get('/products?q=creme+zzz')).items.length, 0, 'every word must match');
});

test('unit prices follow from content and price', async () => {
	await api.call('POST', '/api/v1/price-changes', { gtin: '5901234123457', price_minor: 199 });
	const p = await api.get('/products/by-gtin/5901234123457');
	equal(JSON.stringify(p.unit_price), JSON.stringify({ minor: 265, per: '1 kg' }), 'unit price');
});

test('a repeated price change is one price change', async () => {
	const headers = { 'idempotency-key': 'till-7-00042' }, body = { gtin: '5901234123457', price: '1.79' };
	const first = await api.request('POST', '/api/v1/price-changes', body, headers);
	const again = await api.request('POST', '/api/v1/price-changes', body, headers);
	equal(first.body.id, again.body.id, 'id');
	equal(again.headers['idempotency-replayed'], 'true', 'mark');
	const other = await api.request('POST', '/api/v1/price-changes', { ...body, price: '1.69' }, headers);
	equal(other.status, 422, 'other request with the same key');
	const both = await Promise.all([1, 2].map(() => api.request('POST', '/api/v1/price-changes', body, { 'idempotency-key': 'twice-at-once' })));
	equal(both[0].body.id, both[1].body.id, 'id of two at once');
});

test('a preview is a picture of the asked size', async () => {
	const p = await api.get('/products/by-gtin/5901234123457');
	const r = await api.request('POST', '/api/v1/templates/preview', { product_id: p.id, price_minor: 149, width: 400, height: 300, display_type: 6 });
	equal(r.headers['content-type'], 'image/png', 'type');
	equal(r.raw.readUInt32BE(16), 400, 'width');
	equal(r.raw.readUInt32BE(20), 300, 'height');
});

test('gondolactl says what is wrong and how a verb is used', async () => {
	const refusal = (...args) => store.ctl(...args).then(() => 'done', (e) => e.message);
	const file = store.path('bad.csv');
	writeFileSync(file, 'gtin,name,price\n4006381333932,wrong,1\n');
	for (const [args, words] of [
		[['products', 'import', file, '--dry-run'], /line 2, column 1: The check digit/],
		[['products'], /gondolactl products list \[SEARCH\]/],
		[['labels', 'list', '--shown'], /no option --shown here\nUsage: gondolactl labels list/],
		[['price', 'set', '4006381333931'], /Usage: gondolactl price set GTIN PRICE/],
		[['stock', '--product', '5901234123464'], /No product has this number/],
	]) {
		const said = await refusal(...args);
		assert(words.test(said), `${args.join(' ')}: ${said}`);
	}
	await store.ctl('price', 'set', '5901234123457', '3,05');
	assert(/price +3\.05 EUR/.test(await store.ctl('products', 'show', '5901234123457')), 'money with its digits');
});

test('what was acknowledged is there after a kill', async () => {
	await api.call('POST', '/api/v1/price-changes', { gtin: '5901234123457', price_minor: 4242 });
	process.kill(store.controller.pid, 'SIGKILL');
	await store.controller.done;
	api.close();
	await store.startController();
	api = await store.signIn();
	equal((await api.get('/products/by-gtin/5901234123457')).price_minor, 4242, 'price');
	const log = readFileSync(join(store.dir, 'gondolad.log'), 'utf8');
	assert(existsSync(store.path('gondolad', 'escrow.key')), 'escrow key');
	assert(!/escrow\.key/.test(log), 'the log is silent about keys');
});

test('garbage gets an answer, not a crash', async () => {
	for (const [method, path, body, type] of [
		['POST', '/api/v1/products', '{"name":', 'application/json'], ['POST', '/api/v1/products', '[]', 'application/json'],
		['POST', '/api/v1/products/import', Buffer.alloc(100000, 0), 'text/csv'], ['POST', '/api/v1/products/import', '"', 'text/csv'],
		['POST', '/api/v1/products/import', 'gtin,name\r1,2\r', 'text/csv'], ['GET', '/api/v1/products?limit=0'], ['GET', '/api/v1/products?after=-1'],
		['GET', `/api/v1/products?q=${'x'.repeat(2000)}`], ['GET', '/api/v1/labels/%00%00'], ['PUT', '/api/v1/labels/C0FFEE000001/link', '{"product_id":1e99}', 'application/json'],
	]) {
		const r = await api.request(method, path, body, type ? { 'content-type': type } : {});
		assert(r.status >= 400 && r.status < 500, `${method} ${path}: ${r.status}`);
		assert(r.body?.code, 'problem details');
	}
	equal((await api.request('GET', '/healthz')).status, 200, 'alive');
});

run(async (failed) => {
	api?.close();
	await endStore(store, failed);
});
