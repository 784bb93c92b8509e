// SPDX-License-Identifier: Apache-2.0
// A backup of a store that works, and the store back from it: every price, label, item and user that was
// acknowledged before; agents take up again by themselves; kills at every step of either; full disks; files that
// are cut, damaged, from a newer program, or opened with a wrong passphrase.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert, run, Skip, test } from '../lib/tap.mjs';
import { endStore, newStore, oneAp } from '../lib/stores.mjs';
import { delay, until } from '../../sim/demo/process.mjs';
import { panelShowsWanted } from '../../sim/demo/checks.mjs';

const store = newStore(oneAp({ items: 60 }), { controllerConfig: ['inventory { checkpoint_s = 2 }'] });
const passphrase = 'three ducks in a canoe';
const file = store.path('store.backup'), state = store.path('gondolad');
let before;

const ctlEnv = (more = {}) => ({
	...process.env, GONDOLA_URL: store.url, GONDOLA_CA: store.path('gondolad', 'ca', 'ca.pem'), GONDOLA_USER: 'admin',
	GONDOLA_PASSWORD: store.passwords.admin, GONDOLA_BACKUP_PASSPHRASE: passphrase, XDG_CONFIG_HOME: store.path('config'), ...more,
});

/** gondolactl backup beside whatever else happens: { code, err }. */
function backup(to, env = {}) {
	const child = spawn(store.program('gondolactl'), ['backup', to], { env: ctlEnv(env) });
	let err = '';
	child.stderr.on('data', (d) => { err += d; });
	return new Promise((yes) => child.on('exit', (code) => yes({ code, err })));
}

/** gondolad --restore on a state directory: { status, stdout, stderr, signal }. */
function restore(dir, { from = file, env = {}, words = passphrase } = {}) {
	const conf = store.path('restore.conf');
	writeFileSync(conf, `state_dir = "${dir}"\nstore_name = "Demo store"\ncurrency = "EUR"\npublic { address = "127.0.0.1" port = 0 }\nagents { address = "127.0.0.1" port = 0 }\n`);
	return spawnSync(store.program('gondolad'), ['--config', conf, '--restore', from], {
		encoding: 'utf8', timeout: 60000, env: { ...process.env, GONDOLA_BACKUP_PASSPHRASE: words, ...env },
	});
}

const freshDir = () => join(mkdtempSync(store.path('restore-')), 'state');
const sql = (dir, text) => execFileSync('sqlite3', [join(dir, 'gondola.db'), text], { encoding: 'utf8' }).trim();
const leftovers = (dir) => (existsSync(dir) ? readdirSync(dir).filter((n) => n.startsWith('restore.') || n === 'backup.tmp') : []);

/** What a store knows, without what moves by itself. */
async function facts() {
	const items = await store.api.all('/items');
	return {
		products: (await store.api.all('/products')).map((p) => [p.id, p.gtin, p.name, p.price_minor]),
		prices: JSON.parse(JSON.stringify((await store.api.all('/price-changes')).map((p) => [p.id, p.product_id, p.price_minor, p.at]))),
		labels: (await store.api.all('/labels')).map((l) => [l.id, l.product?.id, l.wanted?.image]),
		items: items.map((i) => [i.epc, i.gtin, i.place?.name]).sort(),
		users: (await store.api.all('/users')).map((u) => [u.id, u.name, u.role]),
		places: (await store.api.all('/places')).map((p) => [p.id, p.name, p.kind]),
		antennas: (await store.api.all('/antennas')).map((a) => [a.agent, a.reader, a.antenna, a.place]),
		agents: (await store.api.all('/agents')).map((a) => [a.id, a.name]),
	};
}

const same = (a, b, what) => assert(JSON.stringify(a) === JSON.stringify(b), `${what} differ:\n${JSON.stringify(a).slice(0, 600)}\n${JSON.stringify(b).slice(0, 600)}`);

test('a store is at work', async () => {
	await store.start();
	await store.allShown(240000);
	await store.addUser('anna', 'manager');
	await until('all items to be known', async () => (await store.api.all('/items')).filter((i) => i.place).length >= 60, 60000, 500);
});

test('a backup under load holds all that was acknowledged before it, and nobody waits for it', async () => {
	before = await facts();
	let stop = false, slowest = 0, n = 0;
	const gtins = before.products.map((p) => p[1]);
	const load = (async () => {
		while (!stop) {
			const t = Date.now();
			await store.api.call('POST', '/api/v1/price-changes', { gtin: gtins[n % gtins.length], price_minor: 100000 + n });
			slowest = Math.max(slowest, Date.now() - t);
			n++;
		}
	})();
	const moves = (async () => {
		const { items } = await store.truth.ask({ op: 'items' });
		for (let i = 0; !stop; i++) {
			await store.truth.ask({ op: 'move', epc: items[i % 5].epc, place: i % 2 ? 'Floor' : 'Back room' });
			await delay(50);
		}
	})();
	await delay(300);
	const acknowledged = n;
	const r = await backup(file);
	stop = true;
	await Promise.all([load, moves]);
	assert(r.code === 0, r.err);
	assert(acknowledged > 0 && n > acknowledged, `${acknowledged} prices before, ${n} in all`);
	assert(slowest < 3000, `a price change took ${slowest} ms`);
	assert((statSync(file).mode & 0o777) === 0o600, 'only its owner may read it');
	assert(!existsSync(`${file}.part`) && leftovers(state).length === 0, 'nothing is left over');
	before.acknowledged = acknowledged;
	const audit = await store.api.all('/audit');
	assert(audit.some((a) => a.action === 'backup.create' && a.who === 'admin'), 'the trail names who took it');
	console.log(`# ${acknowledged} of ${n} prices before, slowest ${slowest} ms, ${statSync(file).size} bytes`);
});

test('nothing of the store can be read in the file', async () => {
	const bytes = readFileSync(file);
	for (const secret of [readFileSync(join(state, 'escrow.key')), 'PRIVATE KEY', 'SQLite format', 'anna', 'argon2id', passphrase])
		assert(!bytes.includes(secret), `found ${secret}`);
});

test('only who may take it gets it, and a short passphrase is refused', async () => {
	const anna = await store.signIn('anna');
	const r = await anna.request('POST', '/api/v1/backup', { passphrase });
	assert(r.status === 403, `manager: ${r.status}`);
	const short = await backup(store.path('short.backup'), { GONDOLA_BACKUP_PASSPHRASE: 'short' });
	assert(short.code === 1 && /passphrase/i.test(short.err), short.err);
	assert(!existsSync(store.path('short.backup')) && !existsSync(store.path('short.backup.part')), 'no file');
});

test('a file that is cut, damaged, newer, of something else or under another passphrase is told apart and changes nothing', async () => {
	const good = readFileSync(file), bad = store.path('bad.backup');
	const flip = (at) => { const b = Buffer.from(good); b[at] ^= 1; return b; };
	const newer = Buffer.from(good);
	newer.writeUInt32BE(2, 16);
	const cases = [
		[good.subarray(0, good.length - 1), /not complete/], [good.subarray(0, 96), /not complete/], [good.subarray(0, 40), /not complete/],
		[good.subarray(0, 96 + 65553), /not complete/], [flip(96 + 70000), /damaged/], [Buffer.concat([good, Buffer.from('x')]), /damaged|not complete/],
		[newer, /newer version/], [Buffer.from('SQLite format 3'), /not a backup/], [Buffer.alloc(0), /not a backup/],
	];
	for (const [bytes, words] of cases) {
		const dir = freshDir();
		writeFileSync(bad, bytes);
		const r = restore(dir, { from: bad });
		assert(r.status === 1 && words.test(r.stderr), `${bytes.length} bytes, want ${words}: ${r.status} ${r.stderr}`);
		assert(!existsSync(join(dir, 'gondola.db')) && leftovers(dir).length === 0, `left: ${readdirSync(dir)}`);
	}
	const r = restore(freshDir(), { words: 'three ducks in a kayak' });
	assert(r.status === 1 && /passphrase is wrong/.test(r.stderr), r.stderr);
});

test('a running gondolad is not restored over', async () => {
	const r = restore(state);
	assert(r.status === 1 && /in use/.test(r.stderr), r.stderr);
});

test('killed at any step of a backup the store goes on and no half file is taken for a backup', async () => {
	for (const [point, nth] of [['ctl.backup.copied', 1], ['ctl.backup.copied', 3], ['ctl.backup.sealed', 1]]) {
		const log = store.path('faults.log'), to = store.path('killed.backup');
		rmSync(log, { force: true });
		await store.controller.stop();
		await store.startController({ GONDOLA_FAULT: `${point}:${nth}`, GONDOLA_FAULT_LOG: log });
		const r = await backup(to);
		assert(r.code === 3, `gondolactl ended with ${r.code}: ${r.err}`);
		assert(existsSync(log) && readFileSync(log, 'utf8').includes(point), `${point} was hit`);
		assert(!existsSync(to) && !existsSync(`${to}.part`), 'no file');
		await store.controller.done;
		await store.startController();
		assert(leftovers(state).length === 0, `left: ${leftovers(state)}`);
	}
	store.api = await store.signIn();
});

test('killed at any step of a restore there is the old store or the new one, never a mixture', async () => {
	const points = [['unpacking', 1], ['unpacking', 5], ['unpacked', 1], ['prepared', 1], ['moving', 1], ['moving', 4], ['moved_away', 1], ['moving', 9], ['moving', 12], ['moved_in', 1]];
	for (const [name, nth] of points) {
		const dir = freshDir(), log = store.path('faults.log');
		mkdirSync(dir, { mode: 0o700 });
		rmSync(log, { force: true });
		execFileSync('sqlite3', [join(dir, 'gondola.db'), 'CREATE TABLE old(x); INSERT INTO old VALUES(1)']);
		writeFileSync(join(dir, 'escrow.key'), 'old');
		const r = restore(dir, { env: { GONDOLA_FAULT: `ctl.restore.${name}:${nth}`, GONDOLA_FAULT_LOG: log } });
		assert(r.signal === 'SIGKILL' && existsSync(log), `${name}:${nth} was hit: ${r.status} ${r.stderr}`);
		/* A second restore with a wrong passphrase finishes or drops the first, as a start would. */
		restore(dir, { words: 'not the passphrase' });
		const old = sql(dir, "SELECT count(*) FROM sqlite_schema WHERE name = 'old'") === '1';
		const oldKey = readFileSync(join(dir, 'escrow.key'), 'latin1') === 'old';
		const early = ['unpacking', 'unpacked', 'prepared'].includes(name);
		assert(old === early && oldKey === early, `${name}:${nth}: database ${old ? 'old' : 'new'}, key ${oldKey ? 'old' : 'new'}`);
		assert(leftovers(dir).length === 0, `left: ${leftovers(dir)}`);
		if (!early) {
			assert(sql(join(dir, 'replaced'), 'SELECT x FROM old') === '1', 'the store before is kept');
			assert(sql(dir, 'PRAGMA integrity_check') === 'ok', 'integrity');
		}
		rmSync(join(dir, '..'), { recursive: true });
	}
});

test('a full disk ends backup and restore in plain words with nothing half done', async () => {
	const small = store.path('small');
	mkdirSync(small);
	try {
		execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=700', 'gondola-test', small], { stdio: 'ignore' });
	} catch {
		throw new Skip('file systems cannot be mounted here');
	}
	try {
		const r = await backup(join(small, 'x.backup'));
		assert(r.code === 1 && /No space left/.test(r.err), `${r.code} ${r.err}`);
		assert(readdirSync(small).length === 0, 'no file');
		const back = restore(join(small, 'state'));
		assert(back.status === 1 && /No space left/.test(back.stderr), back.stderr);
		assert(!existsSync(join(small, 'state', 'gondola.db')) && leftovers(join(small, 'state')).length === 0, 'nothing restored');
	} finally {
		execFileSync('umount', [small]);
	}
});

test('on a read-only disk a restore changes nothing', async () => {
	const small = store.path('readonly');
	mkdirSync(join(small, 'state'), { recursive: true, mode: 0o700 });
	try {
		execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'gondola-test', small], { stdio: 'ignore' });
	} catch {
		throw new Skip('file systems cannot be mounted here');
	}
	try {
		const r = restore(join(small, 'state'));
		assert(r.status === 1 && /Read-only file system/.test(r.stderr), r.stderr);
	} finally {
		execFileSync('umount', [small]);
	}
});

test('the store comes back from the backup: every price, label, item and user acknowledged before it', async () => {
	const epoch = sql(state, "SELECT value FROM meta WHERE key = 'epoch'");
	await store.controller.stop();
	await store.agents.get('ap1').stop();
	/* Not only older: gone. */
	for (const name of readdirSync(state)) rmSync(join(state, name), { recursive: true });
	const r = restore(state);
	assert(r.status === 0 && /^restored backup of Demo store, made \d{4}-/.test(r.stdout), `${r.stdout} ${r.stderr}`);
	assert(sql(state, "SELECT value FROM meta WHERE key = 'epoch'") !== epoch, 'a new epoch');
	await store.startController();
	store.api = await store.signIn();
	const after = await facts();
	for (const what of ['users', 'places', 'antennas', 'agents']) same(before[what], after[what], what);
	same(before.labels.map((l) => l.slice(0, 2)), after.labels.map((l) => l.slice(0, 2)), 'labels');
	same(before.products.map((p) => p.slice(0, 3)), after.products.map((p) => p.slice(0, 3)), 'products');
	const known = new Map(after.prices.map((p) => [p[0], JSON.stringify(p)]));
	for (const p of before.prices) assert(known.get(p[0]) === JSON.stringify(p), `price ${p} is lost`);
	assert(after.prices.length >= before.prices.length + before.acknowledged, `${after.prices.length} prices, ${before.prices.length} + ${before.acknowledged} were acknowledged`);
	const epcs = new Map(after.items.map((i) => [i[0], i]));
	for (const i of before.items) assert(epcs.has(i[0]), `item ${i[0]} is lost`);
	const moved = new Set((await store.truth.ask({ op: 'items' })).items.slice(0, 5).map((i) => i.epc.toUpperCase()));
	for (const i of before.items) if (!moved.has(i[0].toUpperCase())) same(i, epcs.get(i[0]), 'item');
});

test('agents take up again by themselves: labels follow new prices, items are where they are', async () => {
	store.startAgent('ap1');
	const label = (await store.api.all('/labels')).find((l) => l.product);
	await store.api.call('POST', '/api/v1/price-changes', { gtin: label.product.gtin, price_minor: 7654 });
	await panelShowsWanted(store, label.id, { price: 7654, timeoutMs: 90000 });
	await store.allShown(120000);
	await until('belief to equal the truth', async () => {
		for (const i of (await store.truth.ask({ op: 'items' })).items)
			if ((await store.api.get(`/items/${i.epc}`)).place?.name !== i.place) return false;
		return true;
	}, 90000, 1000);
	const audit = await store.api.all('/audit');
	assert(audit.some((a) => a.action === 'backup.restore' && a.who === 'local'), 'the trail names the restore');
});

await run((failed) => endStore(store, failed));
