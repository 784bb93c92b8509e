// SPDX-License-Identifier: Apache-2.0
// What keeps a store in order: figures that a scraper accepts, readiness that follows the disk's state, tokens and
// sessions through gondolactl, and a diagnostics file without a secret in it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Daemon, program } from './core_daemon.mjs';
import { run, Skip, test } from '../lib/tap.mjs';
import { problems } from '../lib/exposition.mjs';

const d = new Daemon(), small = new Daemon(), secrets = new Map();
let mounted = false;

function ctl(args, env = {}) {
	const r = spawnSync(join(dirname(program), 'gondolactl'), args, {
		encoding: 'utf8', timeout: 20000,
		env: { ...process.env, GONDOLA_URL: `https://127.0.0.1:${d.publicPort}`, GONDOLA_CA: join(d.state, 'ca', 'ca.pem'), XDG_CONFIG_HOME: join(d.dir, 'config'), GONDOLA_USER: 'admin', GONDOLA_PASSWORD: d.password, ...env },
	});
	return { code: r.status, out: r.stdout, err: r.stderr };
}

const asToken = (token) => ({ GONDOLA_TOKEN: token, GONDOLA_USER: '', GONDOLA_PASSWORD: '' });

test('a store with people, an agent, a product and a price', async () => {
	await d.start();
	await d.signIn();
	secrets.set('password', d.password).set('cookie', d.cookie.split('=')[1]);
	const user = { name: 'Berta Beispiel', role: 'manager', password: 'mountain-goat-77' };
	assert.equal((await d.ask('POST', '/api/v1/users', { body: user })).status, 201);
	secrets.set('user password', user.password).set('user name', user.name);
	const code = await d.joinCode();
	secrets.set('join code', code.split('-')[1]);
	const who = d.request('ap-keep');
	assert.equal((await d.enrol(code, who)).status, 200);
	secrets.set('agent key', who.key.toString().split('\n')[1]);
	assert.equal((await d.ask('POST', '/api/v1/products', { body: { gtin: '4006381333931', name: 'Pen' } })).status, 201);
	assert.equal((await d.ask('POST', '/api/v1/price-changes', { body: { gtin: '4006381333931', price_minor: 129 } })).status, 201);
});

test('the checker of figures finds what a linter would', () => {
	const wrong = [
		'# HELP a_total x\n# TYPE a_total gauge\na_total 1\n', '# HELP a x\n# TYPE a counter\na 1\n', 'a 1\n',
		'# HELP a_ms x\n# TYPE a_ms gauge\na_ms 1\n', '# HELP a x\n# TYPE a gauge\na 1\na 1\n', '# HELP a x\n# TYPE a gauge\na{b=c} 1\n',
		'# HELP a x\n# TYPE a gauge\n', '# HELP a x\n# TYPE a gauge\na 1', '# HELP aB x\n# TYPE aB gauge\naB 1\n', '# HELP a_count x\n# TYPE a_count gauge\na_count 1\n',
	];
	for (const text of wrong) assert.ok(problems(text).found.length > 0, text);
	assert.deepEqual(problems('# HELP a_total x\n# TYPE a_total counter\na_total{b="c"} 1\na_total{b="d"} 2.5e+10\n').found, []);
});

test('/metrics is accepted by the checker, and by promtool where it is installed', async () => {
	const r = await d.ask('GET', '/metrics', { headers: { Cookie: '' } });
	assert.equal(r.status, 200);
	assert.match(r.headers['content-type'], /^text\/plain; version=0\.0\.4/);
	const { found, families } = problems(r.body.toString());
	assert.deepEqual(found, []);
	for (const name of ['gondola_price_changes_total', 'gondola_db_writable', 'gondola_items', 'gondola_agents', 'gondola_http_requests_total'])
		assert.ok(families.includes(name), name);
	const promtool = spawnSync('promtool', ['check', 'metrics'], { input: r.body });
	if (!promtool.error) assert.equal(promtool.status, 0, String(promtool.stderr));
});

test('more products, prices, agents and people make no more series', async () => {
	const series = async () => problems((await d.ask('GET', '/metrics')).body.toString()).series.sort();
	const before = await series();
	for (const gtin of ['4006381333948', '4006381333955']) {
		assert.equal((await d.ask('POST', '/api/v1/products', { body: { gtin, name: gtin } })).status, 201);
		await d.ask('POST', '/api/v1/price-changes', { body: { gtin, price_minor: 5 } });
	}
	assert.deepEqual(await series(), before);
	assert.ok(!before.some((s) => /ap-keep|Berta|4006381/.test(s)));
});

test('health and readiness answer without a session', async () => {
	for (const path of ['/healthz', '/readyz']) assert.equal((await d.ask('GET', path, { headers: { Cookie: '' } })).status, 200);
});

test('gondolactl makes a token that may what it says, uses it, and takes it back', () => {
	const made = ctl(['tokens', 'add', 'till-1', 'view,fleet', '--ttl', '1h']);
	assert.equal(made.code, 0, made.err);
	const token = made.out.trim();
	assert.match(token, /^gt_[\w-]{43}$/);
	secrets.set('token', token.slice(3));
	assert.equal(ctl(['products', 'list'], asToken(token)).code, 0);
	const refused = ctl(['users', 'list'], asToken(token));
	assert.equal(refused.code, 1, refused.out);
	assert.match(ctl(['tokens', 'list']).out, /till-1 +admin/);
	assert.equal(ctl(['tokens', 'add', 'x', 'view', '--ttl', 'soon']).code, 2);
	assert.equal(ctl(['tokens', 'add', 'spare', 'view']).code, 0);
	assert.equal(ctl(['tokens', 'revoke', 'spare']).code, 0);
	assert.equal(ctl(['tokens', 'revoke', 'spare']).code, 1);
});

test('gondolactl lists sessions and ends one', async () => {
	const list = JSON.parse(ctl(['--json', 'sessions', 'list']).out);
	assert.ok(list.length >= 2 && list.every((s) => s.user === 'admin'));
	const other = list.find((s) => !s.current);
	assert.equal(ctl(['sessions', 'end', other.id]).code, 0);
	assert.equal(ctl(['sessions', 'end', other.id]).code, 1);
	await d.signIn();
	secrets.set('cookie after', d.cookie.split('=')[1]);
});

test('the diagnostics file says how the store is and holds no secret that this test knows', () => {
	const file = join(d.dir, 'diagnostics.json');
	const r = ctl(['diagnostics', file], asToken(`gt_${secrets.get('token')}`));
	assert.equal(r.code, 0, r.err);
	const text = readFileSync(file, 'utf8'), doc = JSON.parse(text);
	assert.equal(doc.database.schema, 5);
	assert.equal(doc.database.products, 3);
	assert.equal(doc.agents[0].name, 'ap-keep');
	assert.ok(doc.disk.available_bytes > 0 && doc.versions.gondolad && doc.config.currency === 'EUR');
	assert.ok(doc.audit.some((a) => a.action === 'token.create') && doc.audit.every((a) => Object.keys(a).length === 2));
	assert.deepEqual(problems(doc.metrics).found, []);
	const key = readFileSync(join(d.state, 'ca', 'ca.key'), 'utf8').split('\n')[1], escrow = readFileSync(join(d.state, 'escrow.key'));
	secrets.set('authority key', key).set('escrow key', escrow.toString('hex')).set('escrow key 64', escrow.toString('base64').slice(0, 40));
	secrets.set('hash', 'argon2').set('private key', 'PRIVATE KEY');
	for (const [what, secret] of secrets) assert.ok(secret.length >= 6 && !text.includes(secret), `${what} is in it`);
});

test('who may not see it gets no file', () => {
	const file = join(d.dir, 'refused.json');
	const r = ctl(['diagnostics', file], { GONDOLA_USER: 'Berta Beispiel', GONDOLA_PASSWORD: secrets.get('user password') });
	assert.equal(r.code, 1, r.err);
	assert.ok(!existsSync(file) && !existsSync(`${file}.part`));
});

test('with a full disk a backup is refused in plain words, readiness says so, health does not, and room mends all', async () => {
	mkdirSync(small.state, { mode: 0o700 });
	if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m,mode=700', 'gondola-test', small.state]).status !== 0) throw new Skip('file systems cannot be mounted here');
	mounted = true;
	await small.start();
	await small.signIn();
	const ask = (method, path, body) => small.ask(method, path, body ? { body } : {});
	assert.equal((await ask('POST', '/api/v1/products', { gtin: '4006381333931', name: 'Pen' })).status, 201);
	const ballast = join(small.state, 'ballast'), fd = openSync(ballast, 'w');
	for (let size = 65536; size >= 512;) {
		try {
			writeSync(fd, Buffer.alloc(size, 1));
		} catch (e) {
			assert.equal(e.code, 'ENOSPC');
			size >>= 1;
		}
	}
	closeSync(fd);
	const r = await ask('POST', '/api/v1/backup', { passphrase: 'three ducks in a canoe' });
	assert.equal(r.status, 507, String(r.body));
	assert.equal(JSON.parse(r.body).code, 'disk-full');
	assert.ok(!readdirSync(small.state).includes('backup.tmp'));
	/* The last free page may still take a small write where a price finds no room. */
	let ready, refused = 0;
	for (let i = 0; i < 500 && ready?.status !== 503; i++) {
		refused += (await ask('POST', '/api/v1/price-changes', { gtin: '4006381333931', price_minor: i })).status === 507;
		ready = await ask('GET', '/readyz');
	}
	assert.ok(refused > 0, 'no price was refused');
	assert.equal(ready.status, 503);
	assert.equal(JSON.parse(ready.body).code, 'disk-full');
	assert.equal((await ask('GET', '/healthz')).status, 200);
	assert.match((await ask('GET', '/metrics')).body.toString(), /^gondola_db_writable 0$/m);
	rmSync(ballast);
	assert.equal((await ask('GET', '/readyz')).status, 200);
	assert.equal((await ask('POST', '/api/v1/backup', { passphrase: 'three ducks in a canoe' })).status, 200);
	await small.stop();
});

await run(async () => {
	await d.end();
	if (small.child && small.child.exitCode === null && small.child.signalCode === null) {
		small.child.kill('SIGKILL');
		await small.exited;
	}
	if (mounted) spawnSync('umount', [small.state]);
	await small.end();
});
