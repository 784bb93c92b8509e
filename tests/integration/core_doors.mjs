// SPDX-License-Identifier: Apache-2.0
// gondolad's two doors, spoken to by a client that is not ours: garbage, strangers, slow and greedy clients, live
// events, an orderly stop, and a kill in the middle of an enrolment.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import { Daemon, program, within } from './core_daemon.mjs';
import { run, Skip, test } from '../lib/tap.mjs';

const d = new Daemon();
const code = (r) => JSON.parse(r.body).code;
const opened = (s, event) => new Promise((yes, no) => { s.once(event, yes); s.once('error', no); });
const closed = (s) => new Promise((yes) => { s.once('close', yes); s.on('error', () => {}); });
let ap1;

test('the first start prints the password once and the real ports', async () => {
	await d.start();
	assert.match(d.out, /^first password for admin: [a-z0-9]{20}$/m);
	assert.ok(d.publicPort > 0 && d.agentsPort > 0 && d.publicPort !== d.agentsPort);
	assert.equal(statSync(d.state).mode & 0o777, 0o700);
	assert.equal(statSync(join(d.state, 'ca', 'ca.key')).mode & 0o777, 0o600);
});

test('a damaged state directory is told by the file to restore', async () => {
	for (const [file, spoil] of [['gondola.db', (f) => writeFileSync(f, Buffer.alloc(8192, 0x5a))], ['ca.key', (f) => writeFileSync(f, 'x')], ['ca.key', rmSync]]) {
		const hurt = new Daemon();
		await hurt.start();
		await hurt.stop();
		for (const f of ['gondola.db-wal', 'gondola.db-shm']) rmSync(join(hurt.state, f), { force: true });
		spoil(join(hurt.state, file === 'ca.key' ? 'ca' : '', file));
		const r = spawnSync(program, ['--config', hurt.config], { encoding: 'utf8', timeout: 10000 });
		await hurt.end();
		assert.equal(r.status, 1, file);
		assert.ok(r.stderr.includes(`${hurt.state}/${file === 'ca.key' ? 'ca/ca.key' : file}`), r.stderr);
	}
});

test('a second daemon on the same state directory is refused', async () => {
	const r = spawnSync(program, ['--config', d.config], { encoding: 'utf8', timeout: 10000 });
	assert.equal(r.status, 1);
	assert.match(r.stderr, /in use by another gondolad/);
});

test('a wrong configuration is told by file and key', async () => {
	const file = join(d.dir, 'bad.conf');
	writeFileSync(file, 'currency = "euro"\n');
	const r = spawnSync(program, ['--config', file, '--check-config'], { encoding: 'utf8', timeout: 10000 });
	assert.equal(r.status, 1);
	assert.match(r.stderr, /bad\.conf.*currency/);
	for (const [text, words] of [['keep { ledger_days = 7 }', /keep\.ledger_days: must be 0/], ['keep { sales_days = 89 }', /keep\.sales_days: must be 0/], ['keep { export_dir = "kept" }', /keep\.export_dir: must be the absolute path/]]) {
		writeFileSync(file, `${text}\n`);
		assert.match(spawnSync(program, ['--config', file, '--check-config'], { encoding: 'utf8', timeout: 10000 }).stderr, words);
	}
	assert.equal(spawnSync(program, ['--config', d.config, '--check-config'], { timeout: 10000 }).status, 0);
});

test('signing in gives a strict cookie, and a wrong password nothing', async () => {
	const bad = await d.ask('POST', '/api/v1/session', { body: { user: 'admin', password: 'guess guess' } });
	assert.equal(bad.status, 401);
	assert.equal(code(bad), 'bad-credentials');
	const r = await d.signIn();
	assert.match(r.headers['set-cookie'][0], /^__Host-gondola=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Strict/);
	assert.equal((await d.ask('GET', '/api/v1/session')).status, 200);
});

test('every reply carries the security headers', async () => {
	for (const path of ['/', '/api/v1/session', '/api/v1/nothing', '/healthz', '/app-0123ABCD.js']) {
		const h = (await d.ask('GET', path)).headers;
		assert.match(h['content-security-policy'], /default-src 'none'.*require-trusted-types-for 'script'/, path);
		assert.equal(h['x-content-type-options'], 'nosniff');
		assert.equal(h['referrer-policy'], 'no-referrer');
		assert.ok(h['strict-transport-security'] && h['cross-origin-opener-policy']);
	}
});

test('TLS older than 1.2 is not spoken', async () => {
	const s = tls.connect({ host: '127.0.0.1', port: d.publicPort, ca: d.ca, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' });
	await assert.rejects(within(5, opened(s, 'secureConnect'), 'refusal'));
	s.destroy();
});

test('files outside web_root stay outside', async () => {
	for (const path of ['/../secret.txt', '/%2e%2e/secret.txt', '/..%2fsecret.txt', '/x/..%5c..%5csecret.txt', '//etc/passwd', '/%00']) {
		const r = await d.ask('GET', path);
		assert.ok(!r.body.includes('not for the web') && !r.body.includes('root:'), path);
	}
	assert.equal((await d.ask('GET', '/nothing.js')).status, 404);
	const page = await d.ask('GET', '/labels/C0FFEE');
	assert.match(page.headers['content-type'], /text\/html/);
	const again = await d.ask('GET', '/', { headers: { 'If-None-Match': (await d.ask('GET', '/')).headers.etag } });
	assert.equal(again.status, 304);
});

test('garbage on both ports hurts nobody', async () => {
	const mess = [Buffer.from('GET / HTTP/1.0\r\n\r\n'), Buffer.alloc(5000, 0xff), Buffer.from([22, 3, 1, 0xff, 0xff, 1, 0, 0]),
		Buffer.from([22, 3, 1, 0, 5, 1, 0, 0, 1, 0]), Buffer.alloc(1)];
	for (const port of [d.publicPort, d.agentsPort]) {
		for (const bytes of mess) {
			const s = net.connect(port, '127.0.0.1');
			const over = closed(s);
			await opened(s, 'connect');
			s.end(bytes);
			s.resume();
			await within(5, over, 'close after garbage');
		}
	}
	assert.equal((await d.ask('GET', '/healthz')).status, 200);
});

test('garbage inside TLS is answered or cut, not followed', async () => {
	for (const bytes of ['GET\r\n\r\n', 'A'.repeat(70000), `GET /${'a'.repeat(40000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
		`GET / HTTP/1.1\r\nHost: x\r\n${'X-A: b\r\n'.repeat(5000)}\r\n`, 'POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
		'POST /api/v1/session HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n']) {
		const s = tls.connect({ host: '127.0.0.1', port: d.publicPort, ca: d.ca });
		let text = '';
		const over = closed(s);
		s.on('data', (b) => { text += b; });
		await opened(s, 'secureConnect');
		s.write(bytes);
		await within(10, Promise.race([over, new Promise((yes) => s.once('data', yes))]), 'answer');
		assert.ok(text === '' || /^HTTP\/1\.[01] 4\d\d /.test(text), text.slice(0, 60));
		s.destroy();
	}
	assert.equal((await d.ask('GET', '/healthz')).status, 200);
});

test('a query with more fields than there is room for is cut soon, not held', async () => {
	for (const port of [d.publicPort, d.agentsPort]) {
		const s = tls.connect({ host: '127.0.0.1', port, ca: d.ca });
		const over = closed(s);
		await opened(s, 'secureConnect');
		s.resume();
		s.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
		await within(5, new Promise((yes) => s.once('data', yes)), 'first answer');
		s.write(`GET /healthz?${'a=b&'.repeat(700)} HTTP/1.1\r\nHost: x\r\n\r\n`);
		await within(4, over, 'end');
	}
});

test('greedy requests are refused with their own problem', async () => {
	let r = await d.ask('GET', `/api/v1/${'a'.repeat(3000)}`);
	assert.equal(r.status, 414);
	r = await d.ask('POST', '/api/v1/users', { body: Buffer.alloc(200000, 0x20) });
	assert.equal(r.status, 413);
	r = await d.ask('POST', '/api/v1/users', { headers: { 'Content-Length': '99999999999', Expect: '100-continue' }, body: Buffer.alloc(0) }).catch((e) => e);
	assert.ok(r.status === 413 || r instanceof Error);
	const chunked = await within(10, new Promise((yes) => {
		const rq = https.request({ host: '127.0.0.1', port: d.publicPort, method: 'POST', path: '/api/v1/users', ca: d.ca, agent: false,
			headers: { Cookie: d.cookie, 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' } }, (rs) => { rs.resume(); yes(rs.statusCode); });
		rq.on('error', () => yes('cut'));
		rq.write(Buffer.alloc(100000, 0x20));
		rq.end();
	}), 'chunked');
	assert.equal(chunked, 413);
	assert.equal((await d.ask('GET', '/healthz')).status, 200);
});

test('a thousand idle connections do not keep others out', async () => {
	const idle = [];
	for (let i = 0; i < 1000; i++) {
		const s = net.connect(i % 2 ? d.publicPort : d.agentsPort, '127.0.0.1');
		s.on('error', () => {});
		idle.push(opened(s, 'connect').then(() => s));
		if (i % 100 === 99) await Promise.all(idle.slice(-100));
	}
	const all = await Promise.all(idle);
	const start = process.hrtime.bigint();
	for (let i = 0; i < 20; i++) assert.equal((await d.ask('GET', '/api/v1/session')).status, 200);
	const each = Number(process.hrtime.bigint() - start) / 20e6;
	console.log(`# ${each.toFixed(1)} ms a request with a new TLS connection beside 1000 idle ones`);
	assert.ok(each < 250, `${each} ms`);
	for (const s of all) s.destroy();
});

test('an agent without a certificate is nobody, and a join code lets it in once', async () => {
	let r = await d.ask('POST', '/agent/v1/health', { port: d.agentsPort, body: Buffer.from('x'), type: 'application/cbor' });
	assert.equal(r.status, 401);
	assert.equal(code(r), 'no-agent-certificate');
	const join1 = await d.joinCode();
	ap1 = await d.enrol(join1, d.request('ap1'));
	assert.equal(ap1.status, 200, String(ap1.body));
	assert.equal(ap1.name, 'ap1');
	r = await d.ask('POST', '/agent/v1/health', { port: d.agentsPort, cert: ap1.cert, key: ap1.key, body: Buffer.from([0xff]), type: 'application/cbor' });
	assert.equal(r.status, 400);
	assert.equal(code(r), 'malformed');
	r = await d.enrol(join1, d.request('ap2'));
	assert.equal(code(r), 'join-code-expired');
	const list = JSON.parse((await d.ask('GET', '/api/v1/agents')).body);
	assert.equal(list.items[0].state, 'online');
});

test('a certificate of another authority is refused', async () => {
	const crt = join(d.dir, 'other.crt'), key = join(d.dir, 'other.key');
	execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '10',
		'-subj', '/CN=agent-1', '-addext', 'extendedKeyUsage=clientAuth', '-keyout', key, '-out', crt], { stdio: 'ignore' });
	const r = await d.ask('POST', '/agent/v1/health', { port: d.agentsPort, cert: readFileSync(crt), key: readFileSync(key), body: Buffer.from('x'), type: 'application/cbor' });
	assert.equal(r.status, 401);
});

test('people cannot use the agents\' door, nor agents the people\'s', async () => {
	assert.equal((await d.ask('GET', '/api/v1/agents', { port: d.agentsPort, cert: ap1.cert, key: ap1.key })).status, 404);
	const saved = d.cookie;
	delete d.cookie;
	assert.equal((await d.ask('GET', '/api/v1/agents', { cert: ap1.cert, key: ap1.key })).status, 401);
	d.cookie = saved;
});

/* Reads a stream until `done` says so; resolves with the text. */
function stream(done, headers = {}) {
	let rq;
	const text = new Promise((yes, no) => {
		rq = https.get({ host: '127.0.0.1', port: d.publicPort, path: '/api/v1/events', ca: d.ca, agent: false, headers: { Cookie: d.cookie, ...headers } }, (rs) => {
			let all = '';
			assert.match(rs.headers['content-type'], /^text\/event-stream/);
			rs.on('data', (b) => {
				all += b;
				if (done(all)) yes(all);
			});
			rs.on('end', () => yes(all));
			rs.on('error', () => yes(all));
		});
		rq.on('error', no);
	});
	return { text: within(10, text, 'event stream'), end: () => rq.destroy() };
}

test('live events arrive, and a returning browser goes on or starts anew', async () => {
	const first = stream((t) => /event: agent\n/.test(t));
	await new Promise((yes) => setTimeout(yes, 200));
	await d.ask('PUT', `/api/v1/agents/${ap1.id}/readers/door`, { body: { host: '127.0.0.1', antennas: [1, 2] } });
	const text = await first.text;
	first.end();
	assert.match(text, /"name":"door"/);
	const ids = [...text.matchAll(/^id: (\S+)$/gm)].map((m) => m[1]);
	const resumed = stream((t) => t.includes('event: agent'), { 'Last-Event-ID': ids[0] });
	assert.match(await resumed.text, new RegExp(`id: ${ids.at(-1)}\nevent: agent`));
	resumed.end();
	const stale = stream((t) => t.includes('event: reset'), { 'Last-Event-ID': '00000000-5' });
	await stale.text;
	stale.end();
});

test('browsers that leave give their places back', async () => {
	const open = async () => Number(/^gondola_http_streams (\d+)$/m.exec((await d.ask('GET', '/metrics')).body)[1]);
	const many = Array.from({ length: 50 }, () => stream(() => false));
	for (const s of many) s.text.catch(() => {});
	await within(8, (async () => { while (await open() < 50); })(), 'fifty streams');
	for (const s of many) s.end();
	await within(8, (async () => { while (await open() > 0); })(), 'their ends');
});

test('revoking shuts an agent out at its next request', async () => {
	assert.equal((await d.ask('DELETE', `/api/v1/agents/${ap1.id}`)).status, 204);
	const r = await d.ask('POST', '/agent/v1/health', { port: d.agentsPort, cert: ap1.cert, key: ap1.key, body: Buffer.from('x'), type: 'application/cbor' });
	assert.equal(r.status, 403);
	assert.equal(code(r), 'revoked');
});

test('slow clients are cut while others are served', async () => {
	const silent = net.connect(d.publicPort, '127.0.0.1');
	const shaken = tls.connect({ host: '127.0.0.1', port: d.agentsPort, ca: d.ca });
	const dripping = tls.connect({ host: '127.0.0.1', port: d.publicPort, ca: d.ca });
	const ends = [silent, shaken, dripping].map(closed);
	await opened(dripping, 'secureConnect');
	dripping.write('GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ');
	const drip = setInterval(() => dripping.writable && dripping.write('a'), 500);
	const asks = setInterval(() => d.ask('GET', '/healthz').catch(() => {}), 1000);
	try {
		await within(45, Promise.all(ends), 'all three cut');
		assert.equal((await d.ask('GET', '/healthz')).status, 200);
	} finally {
		clearInterval(drip);
		clearInterval(asks);
	}
});

test('a password is reset beside the running daemon', async () => {
	const out = execFileSync(program, ['--config', d.config, '--reset-password', 'admin'], { encoding: 'utf8', timeout: 20000 });
	assert.equal((await d.ask('GET', '/api/v1/session')).status, 401);
	d.password = /^new password for admin: (\S+)$/m.exec(out)[1];
	await d.signIn();
});

test('SIGHUP takes a new log level and no secret is logged', async () => {
	d.configure('debug');
	d.child.kill('SIGHUP');
	await within(10, (async () => { while (!d.err.includes('path=/healthz')) await d.ask('GET', '/healthz'); })(), 'debug line');
	await d.signIn();
	for (const secret of [d.password, d.cookie.split('=')[1]]) assert.ok(!d.err.includes(secret));
});

test('a new server certificate is shown to new connections while old ones go on', async () => {
	const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
	const ask = () => within(10, new Promise((yes, no) => {
		https.get({ host: '127.0.0.1', port: d.publicPort, path: '/healthz', ca: d.ca, agent }, (rs) => {
			const { serialNumber: serial } = rs.socket.getPeerCertificate(), port = rs.socket.localPort;
			rs.resume();
			rs.on('end', () => yes({ status: rs.statusCode, serial, port }));
		}).on('error', no);
	}), 'kept connection');
	const shown = async () => {
		const s = tls.connect({ host: '127.0.0.1', port: d.publicPort, ca: d.ca });
		await opened(s, 'secureConnect');
		const { serialNumber } = s.getPeerCertificate();
		s.destroy();
		return serialNumber;
	};
	const before = await ask();
	rmSync(join(d.state, 'ca', 'server.pem'));
	d.child.kill('SIGHUP');
	await within(10, (async () => { while (await shown() === before.serial) await d.ask('GET', '/healthz'); })(), 'new certificate');
	const after = await ask();
	assert.equal(after.status, 200);
	assert.equal(after.port, before.port);
	assert.equal((await d.ask('GET', '/api/v1/session')).status, 200);
	agent.destroy();
});

test('SIGTERM ends streams and stops cleanly, and sessions live on', async () => {
	const open = stream(() => false);
	await new Promise((yes) => setTimeout(yes, 200));
	const { code: status } = await d.stop();
	assert.equal(status, 0, d.err.slice(-3000));
	await open.text.catch(() => {});
	await d.start();
	assert.ok(!d.out.includes('first password'));
	assert.equal((await d.ask('GET', '/api/v1/session')).status, 200);
});

test('an enrolment that a kill interrupts after its commit is repeated without another use', async () => {
	const log = join(d.dir, 'fault.log'), arm = join(d.dir, 'fault.arm');
	await d.stop();
	writeFileSync(arm, '');
	await d.start({ GONDOLA_FAULT: `@${arm}`, GONDOLA_FAULT_LOG: log });
	const join1 = await d.joinCode(), who = d.request('ap3');
	writeFileSync(arm, 'ctl.db.after_commit:1');
	const answer = await d.enrol(join1, who).catch((e) => e);
	if (!(answer instanceof Error)) throw new Skip('built without fault points');
	await d.exited;
	assert.match(readFileSync(log, 'utf8'), /ctl\.db\.after_commit/);
	await d.start();
	const again = await d.enrol(join1, who);
	assert.equal(again.status, 200, String(again.body));
	const codes = JSON.parse((await d.ask('GET', '/api/v1/agents/join-codes')).body).items;
	assert.equal(codes.at(-1).used, 1);
	const agents = JSON.parse((await d.ask('GET', '/api/v1/agents')).body).items;
	assert.equal(agents.filter((a) => a.name === who.name).length, 1);
});

await run(() => d.end());
