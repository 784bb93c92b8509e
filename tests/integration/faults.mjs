// SPDX-License-Identifier: Apache-2.0
// Each operation (tests/lib/operations*.mjs) under each fault: the controller, or the access point, killed at
// each of the operation's named points, the controller's disk full, its disk read-only. Afterwards nothing is half done, nothing that
// was acknowledged is lost, and the same request again leads to the end, once. Every kill is proven by its
// own record. FAULTS=all takes the whole table, otherwise a few drawn by SEED.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { assert, equal, random, run, Skip, test } from '../lib/tap.mjs';
import { canConduct, Clock } from '../lib/clock.mjs';
import { Disk } from '../lib/disk.mjs';
import { COMMIT, newContext, operations } from '../lib/operations.mjs';
import { bookOperations } from '../lib/operations_books.mjs';
import { floorOperations } from '../lib/operations_floor.mjs';
import { promoOperations } from '../lib/operations_promo.mjs';
import { timedOperations } from '../lib/operations_timed.mjs';
import { endStore, newStore, oneAp } from '../lib/stores.mjs';
import { delay, until } from '../../sim/demo/process.mjs';

const only = process.env.FAULTS_ONLY;
const few = process.env.FAULTS === 'all' ? Infinity : Number(process.env.FAULTS ?? 12);
const seed = Number(process.env.SEED ?? Math.floor(Date.now() / 86400000));

/** A product on no label, whose prices fill up what a full disk still has room for. */
const BALLAST = '2199999999995';
const store = newStore(oneAp({ aps: [{ name: 'ap1', panels: [{ labels: 24, width: 296, height: 128, type: 'bw' }], antennas: 4 }] }));
/* Flips and settling times pass in a blink. */
if (canConduct) store.clock = new Clock(store.path('clock'), { start: Date.now(), rate: 20 });
const disk = new Disk(store.path('gondolad'), store.path('disk.img'), 192);
const faultLog = store.path('faults.log');
const hits = () => (existsSync(faultLog) ? readFileSync(faultLog, 'utf8').split('\n').filter(Boolean) : []);
const haveDisk = canConduct && disk.make();

/* --- the controller comes and goes --------------------------------------------------------------------- */

/* What is in this file is armed in the running controller, or in the access point, by the point's name. */
const armed = store.path('armed');
store.env.gondolad = store.env.agent = { GONDOLA_FAULT: `@${armed}`, GONDOLA_FAULT_LOG: faultLog };

/** A request whose answer may never come. */
async function attempt(op, ctx) {
	try {
		return await op.act(store, ctx);
	} catch (e) {
		return { lost: e.message };
	}
}

const acknowledged = (reply) => reply.status >= 200 && reply.status < 300;
const describe = (reply) => (reply.lost ? `no answer (${reply.lost})` : `${reply.status} ${reply.body?.code ?? ''}`);

/** After the fault: whole, nothing acknowledged lost, and once more leads to the end. */
async function settle(op, ctx, reply) {
	await until('the controller to answer', () => store.api.get('/session'), 20000);
	const came = await op.outcome(store, ctx);
	assert(!acknowledged(reply) || came === 'done', `acknowledged (${describe(reply)}), and nothing is there`);
	const again = await op.act(store, ctx);
	const over = came === 'done' && again.status === 409;
	assert(acknowledged(again) || over, `asked again: ${describe(again)} ${again.body?.detail ?? ''}`);
	equal(await op.outcome(store, ctx), 'done', 'outcome of asking again');
	await op.after?.(store, ctx);
	return came;
}

/* --- three kinds of fault ------------------------------------------------------------------------------- */

async function killed(op, point) {
	for (let tries = 5; ; tries--) {
		const { reply, came } = await killOnce(op, point);
		if (came === op.points[point]) return `${describe(reply)}, ${came}`;
		/* A general point may have been passed by other work first. */
		assert(tries && point in COMMIT, `outcome ${came}, expected ${op.points[point]}`);
	}
}

async function killOnce(op, point) {
	const ctx = await newContext(store, op), before = hits().length, ofAgent = point.startsWith('agent.');
	const victim = ofAgent ? store.agents.get('ap1') : store.controller;
	writeFileSync(armed, point);
	const reply = await Promise.race([attempt(op, ctx), store.controller.done.then(() => ({ lost: 'gondolad died' }))]);
	await Promise.race([victim.done, delay(ofAgent ? 60000 : 10000)]);
	rmSync(armed);
	assert(hits().length > before && hits().at(-1) === point, `point ${point} was not passed`);
	if (ofAgent) store.startAgent('ap1');
	else await store.startController();
	return { reply, came: await settle(op, ctx, reply) };
}

async function full(op) {
	const ctx = await newContext(store, op);
	let reply;
	disk.fill();
	try {
		/* What is left inside of pages already allocated is used up first. */
		for (let i = 0; i < 400; i++)
			if ((await store.api.request('POST', '/api/v1/price-changes', { gtin: BALLAST, price_minor: 90000 + i })).status === 507) break;
		reply = await attempt(op, ctx);
		assert(!reply.lost, `no answer: ${reply.lost}`);
		assert(acknowledged(reply) || reply.status === 507, `refused in other words: ${describe(reply)}`);
		assert(!store.controller.exited, 'gondolad is still running');
	} finally {
		disk.empty();
	}
	return `${describe(reply)}, ${await settle(op, ctx, reply)}`;
}

async function readOnly(op) {
	const ctx = await newContext(store, op);
	let reply;
	disk.breakDown();
	try {
		reply = await attempt(op, ctx);
		assert(!reply.lost, `no answer: ${reply.lost}`);
		if (op.byItself) assert(acknowledged(reply), `it did not come by itself: ${describe(reply)}`);
		else assert(reply.status >= 500 && reply.body?.detail, `refused in other words: ${describe(reply)}`);
		equal((await store.api.request('GET', '/api/v1/products?limit=1')).status, 200, 'reading goes on');
		const how = await store.controller.stop();
		assert(how.signal !== 'SIGKILL', 'gondolad did not stop by itself');
	} finally {
		await store.controller.stop();
		disk.repair();
		await store.startController();
	}
	return `${describe(reply)}, ${await settle(op, ctx, reply)}`;
}

/* FAULTS_ONLY=words|other words takes the rows that have them in their names. */
const table = [...operations, ...promoOperations, ...bookOperations, ...timedOperations, ...floorOperations].flatMap((op) => [
	...Object.keys(op.points).map((point) => ({ name: `${op.name}, killed at ${point}`, run: () => killed(op, point) })),
	...(op.only === 'points' ? [] : [
		{ name: `${op.name}, disk full`, run: () => full(op) },
		{ name: `${op.name}, disk read-only`, run: () => readOnly(op) },
	]),
]).filter((row) => !only || only.split('|').some((words) => row.name.includes(words)));

const rnd = random(seed);
const chosen = table.map((row) => ({ row, key: rnd() })).sort((a, b) => a.key - b.key).slice(0, few).map((r) => r.row);

const need = () => {
	if (!canConduct) throw new Skip('built without --enable-fault-points');
	if (!haveDisk) throw new Skip('file systems cannot be made here');
};

test('a store comes up on a disk of its own', async () => {
	need();
	await store.start();
	await store.allShown(240000);
	await store.api.call('POST', '/api/v1/products', { gtin: BALLAST, name: 'Ballast' });
});

for (const row of table.filter((r) => chosen.includes(r)))
	test(`${row.name}: whole afterwards (${chosen.length} of ${table.length} rows, seed ${seed})`, async () => {
		need();
		const started = Date.now();
		console.log(`# ${row.name}: ${await row.run()}, ${Date.now() - started} ms`);
	});

test('the database is sound and every label shows what is wanted', async () => {
	need();
	await until('every linked label to show its price', async () => (await store.api.all('/labels')).filter((l) => l.product).every((l) => l.wanted && l.shown?.image === l.wanted.image), 240000, 500);
	equal(execFileSync('sqlite3', [store.path('gondolad', 'gondola.db'), 'PRAGMA integrity_check'], { encoding: 'utf8' }).trim(), 'ok', 'integrity');
});

await run(async (failed) => {
	await Promise.race([store.stop(), delay(10000)]).catch(() => {});
	store.kill();
	await delay(300);
	disk.letGo();
	await endStore(store, failed);
});
