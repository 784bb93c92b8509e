// SPDX-License-Identifier: Apache-2.0
// Book stock, sales and readers together: a theft is found as a difference and a sale is not, with or without
// EPCs, goods without tags and tags without products are listed, and a controller killed again and again in the
// middle of the tills' feed has lost no sale and taken none twice.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { assert, builddir, run, srcdir, test } from '../lib/tap.mjs';
import { endStore, newStore } from '../lib/stores.mjs';
import { allHeard, calledMissing, gtinOfEpc, importBooks, itemsByGtin, reallyMissing, salesAreThereOnce, score, tillOf, writeCatalogue } from '../lib/day.mjs';
import { Till } from '../../sim/demo/till.mjs';
import { delay, until } from '../../sim/demo/process.mjs';

const plan = {
	seed: 11, loss: 0, items: 60, moveEverySeconds: 0,
	places: [
		{ name: 'Floor', kind: 'sales-floor', ap: 'ap1', antennas: [1, 2] },
		{ name: 'Back room', kind: 'back-room', ap: 'ap1', antennas: [3] },
		{ name: 'Door', kind: 'exit', ap: 'ap1', antennas: [4] },
	],
	aps: [{ name: 'ap1', antennas: 4 }],
};
const store = newStore(plan, { controllerConfig: ['books { grace_s = 5 }'] });
const faultLog = store.path('faults.log');
const hasPoints = existsSync(`${builddir}/config.h`) && readFileSync(`${builddir}/config.h`, 'utf8').includes('#define ENABLE_FAULT_POINTS 1');
let catalogue, till, stolen, soldByEpc, soldByGtin;

const reasonOf = async (gtin) => (await store.api.all(`/differences?q=${gtin}`))[0].reason.code;

test('a store whose books are right has no difference but what has no tag or no product', async () => {
	catalogue = writeCatalogue(store, { tagged: 10, untagged: 2, unknown: 2 });
	await store.start();
	till = await tillOf(store, Till);
	await allHeard(store);
	await importBooks(store, catalogue);
	const page = await store.api.get('/differences');
	const { matching, untagged, unknown, missing } = page.summary;
	assert(matching === 10 && untagged === 2 && unknown === 2 && missing === 0, JSON.stringify(page.summary));
	const strangers = await store.api.all('/differences/strangers');
	assert(strangers.map((s) => s.gtin).sort().join() === catalogue.unknown.join(), JSON.stringify(strangers));
	const bare = await store.api.get(`/differences?q=${catalogue.untagged[0]}`);
	assert(bare.items[0].reason.code === 'untagged', JSON.stringify(bare.items));
});

test('the till may feed sales and nothing else', async () => {
	const r = await till.api.request('GET', '/api/v1/differences', undefined, till.headers);
	assert(r.status === 403, `${r.status}`);
	const refused = await till.feed([till.make([{ gtin: '124' }])]).catch((e) => e.message);
	assert(/422/.test(refused) && /bad-check-digit/.test(refused), String(refused));
});

test('a controller killed in the middle of the feed loses no sale and takes none twice', async () => {
	const items = await itemsByGtin(store);
	[stolen] = items.get(catalogue.tagged[0]);
	[soldByEpc] = items.get(catalogue.tagged[1]);
	[soldByGtin] = items.get(catalogue.tagged[2]);
	await store.truth.ask({ op: 'leave', epc: stolen.epc, how: 'stolen' });
	for (const item of [soldByEpc, soldByGtin]) await store.truth.ask({ op: 'leave', epc: item.epc, how: 'sold' });
	await till.sell([{ epc: soldByEpc.epc }]);
	await till.sell([{ gtin: gtinOfEpc(soldByGtin.epc) }]);
	/* Sales and returns of goods without tags: they end where they began. */
	const feed = (async () => {
		for (let i = 0; i < 120; i++) await till.sell([{ gtin: catalogue.untagged[1], quantity: i % 2 ? -1 : 1 }]);
	})();
	const points = hasPoints ? ['ctl.books.sales_written:3', 'ctl.db.after_commit:5', 'ctl.books.sales_unanswered:2'] : ['', ''];
	for (const point of points) {
		await store.controller.kill('SIGKILL');
		await store.controller.done;
		await store.startController(point ? { GONDOLA_FAULT: point, GONDOLA_FAULT_LOG: faultLog } : {});
		await Promise.race([store.controller.done, delay(point ? 8000 : 300)]);
	}
	if (store.controller.exited) await store.startController();
	else {
		await store.controller.stop();
		await store.startController();
	}
	await feed;
	if (hasPoints) {
		const hit = readFileSync(faultLog, 'utf8').split('\n').filter(Boolean);
		for (const p of points) assert(hit.includes(p.split(':')[0]), `${p} was not hit: ${hit}`);
	}
	assert(till.repeats > 0 || !hasPoints, 'no sale was taken and not answered');
	await salesAreThereOnce(store, till);
	const lines = (await store.api.all('/sales')).flatMap((s) => s.lines).filter((l) => l.gtin === catalogue.untagged[1]);
	assert(lines.reduce((n, l) => n + l.quantity, 0) === 0 && lines.length === 120, `${lines.length} lines`);
});

test('the theft is a difference, the sales are not', async () => {
	await until('the theft to be found', async () => (await reasonOf(gtinOfEpc(stolen.epc))) === 'missing', 90000, 500);
	await until('the sold goods to be gone', async () => {
		for (const item of [soldByEpc, soldByGtin]) if ((await reasonOf(gtinOfEpc(item.epc))) !== 'matching') return false;
		return true;
	}, 60000, 500);
	const called = await calledMissing(store), real = await reallyMissing(store), s = score(called.epcs, real.epcs);
	assert(s.precision === 1 && s.recall === 1, JSON.stringify(s));
	const id = (await store.api.get(`/differences?q=${gtinOfEpc(soldByGtin.epc)}`)).items[0].product_id;
	const item = (await store.api.get(`/differences/${id}`)).items.find((i) => i.epc === soldByGtin.epc);
	assert(item.reason.code === 'sold-likely' && item.sold.till === till.name, JSON.stringify(item));
});

test('a person keeps the books from the command line', async () => {
	const [one, two] = catalogue.untagged, file = (name, text) => { writeFileSync(store.path(name), text); return store.path(name); };
	const says = async (pattern, ...args) => {
		const out = await store.ctl(...args);
		assert(pattern.test(out), `gondolactl ${args.join(' ')} says: ${out}`);
	};
	await says(/: 20 in the book/, 'books', 'set', one, 20, '--reason', 'counted by hand');
	await says(/20 .*set .*counted by hand/, 'books', 'list', one);
	await says(/1 taken, 0 known already/, 'sales', 'add', 'A-1', `${one}*2`, two, '--till', 'hand');
	const rows = `id,at,till,gtin,quantity\nA-1,${new Date().toISOString()},file,${one},1\nA-1,,file,${two},1\nA-2,${new Date().toISOString()},file,${one},-1\n`;
	await says(/2 taken, 0 known already/, 'sales', 'import', file('sales.csv', rows));
	await says(/0 taken, 2 known already/, 'sales', 'import', store.path('sales.csv'));
	await says(/till file {2}sale A-2/, 'sales', 'list', one);
	const { token } = await store.api.call('POST', '/api/v1/tokens', { name: 'till-of-a-person', permissions: ['sales'], ttl_s: 3600 });
	const sold = execFileSync('node', [join(srcdir, 'sim', 'demo', 'till.mjs'), '--url', store.url, '--ca', store.path('gondolad', 'ca', 'ca.pem'), '--token-file', file('token', token), '--till', 'script'], { input: `${two}*2\n${two}*-2\n` }).toString();
	assert((sold.match(/"accepted":1/g) ?? []).length === 2, sold);
	const delivery = file('delivery.csv', `gtin,quantity\n${one},6\n${two},4\n`);
	await says(/DN-1: announced, from Leaf/, 'deliveries', 'add', 'DN-1', delivery, '--supplier', 'Leaf');
	await says(/DN-1 .*announced +10/, 'deliveries', 'list');
	await says(/DN-1: received/, 'deliveries', 'receive', 'DN-1', `${one}*5`);
	await says(new RegExp(`${one} +6 .* 5 `), 'deliveries', 'show', 'DN-1');
	await says(/expected +23/, 'differences', one);
	await says(new RegExp(`${catalogue.unknown[0]} +5 `), 'differences', 'strangers');
	await says(/untagged/, 'differences', '--reason', 'untagged');
	const refused = await store.ctl('books', 'import', file('bad.csv', `gtin,quantity\n${one},some\n`)).catch((e) => e.message);
	assert(/line 2, column 2/.test(refused), refused);
});

test('somebody looked: the difference is settled and stays explained', async () => {
	const gtin = gtinOfEpc(stolen.epc);
	await store.ctl('settle', gtin, 4, '--reason', 'looked everywhere');
	const out = await store.ctl('differences', gtin);
	assert(/matching/.test(out) && /adjustment/.test(out) && /looked everywhere/.test(out), out);
});

await run((failed) => {
	till?.close();
	return endStore(store, failed);
});
