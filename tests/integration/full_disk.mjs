// SPDX-License-Identifier: Apache-2.0
// A full disk: a clear error, nothing half done, nothing corrupt, and recovery when space returns. Controller
// and agent each keep their state on a small file system of their own that the test fills and empties.
import { execFileSync } from 'node:child_process';
import { mkdirSync, openSync, rmSync, writeSync, closeSync, fsyncSync } from 'node:fs';
import { assert, run, Skip, test } from '../lib/tap.mjs';
import { endStore, newStore, oneAp } from '../lib/stores.mjs';
import { delay, until } from '../../sim/demo/process.mjs';
import { itemFollowsMove, panelShowsWanted } from '../../sim/demo/checks.mjs';

const store = newStore(oneAp());
const mounts = [];
let canMount = true;

function mountSmall(path, size) {
	mkdirSync(path, { recursive: true, mode: 0o700 });
	try {
		execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=700`, 'gondola-test', path], { stdio: 'ignore' });
		mounts.push(path);
	} catch {
		canMount = false;
	}
}

const ballast = (where) => `${where}/ballast`;

function fill(where) {
	const fd = openSync(ballast(where), 'w'), block = Buffer.alloc(65536, 1);
	try {
		for (let size = block.length; size >= 512; ) {
			try {
				writeSync(fd, block, 0, size);
			} catch (e) {
				if (e.code !== 'ENOSPC') throw e;
				size >>= 1;
			}
		}
		fsyncSync(fd);
	} finally {
		closeSync(fd);
	}
}

const empty = (where) => rmSync(ballast(where), { force: true });

function integrity(file) {
	return execFileSync('sqlite3', [file, 'PRAGMA integrity_check'], { encoding: 'utf8' }).trim();
}

mountSmall(store.path('gondolad'), '96m');
mountSmall(store.path('agent-ap1'), '12m');

const need = () => {
	if (!canMount) throw new Skip('file systems cannot be mounted here');
};

async function change(minor) {
	const label = (await store.api.all('/labels')).find((l) => l.product);
	return { label, reply: await store.api.request('POST', '/api/v1/price-changes', { gtin: label.product.gtin, price_minor: minor }) };
}

test('a store comes up on small file systems', async () => {
	need();
	await store.start();
	await store.allShown(240000);
});

test('with the controller\'s disk full a price change is refused in plain words and changes nothing', async () => {
	need();
	const label = (await store.api.all('/labels')).find((l) => l.product), before = await store.api.get(`/products/${label.product.id}`);
	fill(store.path('gondolad'));
	let refused = null, last = before.price_minor;
	/* What is left inside already allocated pages may still take a few changes: they count as done. */
	for (let i = 0; i < 400 && !refused; i++) {
		const { reply } = await change(2000 + i);
		if (reply.status >= 400) refused = reply;
		else last = 2000 + i;
	}
	assert(refused, 'no change was refused');
	assert(refused.status === 507, `status ${refused.status}`);
	assert(refused.body.code === 'disk-full', `code ${refused.body.code}`);
	assert(refused.body.detail, 'a sentence for a person');
	const after = await store.api.get(`/products/${label.product.id}`);
	assert(after.price_minor === last, `price is ${after.price_minor}, last acknowledged ${last}`);
});

test('with the controller\'s disk full the agent keeps what it owes', async () => {
	need();
	const { items } = await store.truth.ask({ op: 'items' });
	for (const i of items.slice(0, 10)) await store.truth.ask({ op: 'move', epc: i.epc, place: i.place === 'Floor' ? 'Back room' : 'Floor' });
	await until('the agent to be refused', () => store.agents.get('ap1').errors.some((line) => /lane=sightings .*507 disk-full/.test(line)), 60000);
	assert(!store.controller.exited, 'gondolad is still running');
	assert(!store.agents.get('ap1').exited, 'the agent is still running');
});

test('when space returns the controller takes prices and sightings again, and every fact is whole', async () => {
	need();
	empty(store.path('gondolad'));
	const { label, reply } = await change(4321);
	assert(reply.status === 201, `status ${reply.status} ${JSON.stringify(reply.body)}`);
	await panelShowsWanted(store, label.id, { price: 4321, timeoutMs: 60000 });
	await until('belief to equal the truth', async () => {
		for (const i of (await store.truth.ask({ op: 'items' })).items)
			if ((await store.api.get(`/items/${i.epc}`)).place?.name !== i.place) return false;
		return true;
	}, 90000, 1000);
	assert(integrity(store.path('gondolad', 'gondola.db')) === 'ok', 'database integrity');
});

test('with the agent\'s disk full it goes on, says so, and recovers', async () => {
	need();
	/* Begun anew its write-ahead log is short: what it writes next needs room at once. */
	await store.agents.get('ap1').stop();
	const agent = store.startAgent('ap1');
	await until('the reader to be read', () => agent.errors.some((line) => /inventory is running/.test(line)), 60000);
	fill(store.path('agent-ap1'));
	const { items } = await store.truth.ask({ op: 'items' });
	for (const i of items.slice(0, 20)) await store.truth.ask({ op: 'move', epc: i.epc, place: i.place === 'Floor' ? 'Back room' : 'Floor' });
	await until('the agent to say so', async () => /journal/.test((await store.api.get('/agents')).items[0].last_error), 60000);
	assert(!store.agents.get('ap1').exited, 'the agent is still running');
	empty(store.path('agent-ap1'));
	await itemFollowsMove(store, items[0].epc, items[0].place, 60000);
	const { label, reply } = await change(8765);
	assert(reply.status === 201, `status ${reply.status}`);
	await panelShowsWanted(store, label.id, { price: 8765, timeoutMs: 60000 });
	await store.agents.get('ap1').stop();
	assert(integrity(store.path('agent-ap1', 'agent.db')) === 'ok', 'agent database integrity');
});

test('a restart after the full disk finds everything', async () => {
	need();
	const how = await store.controller.stop();
	assert(how.code === 0, `gondolad ended with ${JSON.stringify(how)}`);
	await store.startController();
	store.startAgent('ap1');
	const { label, reply } = await change(5678);
	assert(reply.status === 201, `status ${reply.status}`);
	await panelShowsWanted(store, label.id, { price: 5678, timeoutMs: 90000 });
});

await run(async (failed) => {
	await Promise.race([store.stop(), delay(10000)]).catch(() => {});
	store.kill();
	await delay(300);
	for (const m of mounts) try { execFileSync('umount', ['-l', m]); } catch { /* gone already */ }
	await endStore(store, failed);
});
