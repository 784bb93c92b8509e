// SPDX-License-Identifier: Apache-2.0
// The feed's WebSocket against the server that most of node's world uses (npm: ws): the product's own
// client, as the agent has it, run by oepl_listen.
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { assert, builddir, requireFrom, run, skipAll, test } from '../lib/tap.mjs';

const require = requireFrom('ws');
if (!require) skipAll('the npm package ws is not installed');
const { WebSocketServer } = require('ws');
const MESSAGE_MAX = 256 * 1024;

/** A server for one listener; `meet` is given its socket. What both sides saw. */
async function meeting(meet, { options = {}, onServer = () => {}, leave = false } = {}) {
	const http = createServer(), wss = new WebSocketServer({ server: http, path: '/ws', maxPayload: 1 << 20, ...options });
	const seen = { lines: [], closed: null, pongs: [], extensions: null, path: null };
	onServer(wss);
	wss.on('connection', (socket, req) => {
		Object.assign(seen, { extensions: socket.extensions, path: req.url, offered: req.headers['sec-websocket-extensions'] });
		socket.on('pong', (data) => seen.pongs.push(data.toString('hex')));
		socket.on('error', (e) => (seen.error = e.message));
		seen.over = once(socket, 'close').then(([code, reason]) => (seen.closed = { code, reason: reason.toString() }));
		meet(socket, seen);
	});
	http.listen(0, '127.0.0.1');
	await once(http, 'listening');
	const child = spawn(join(builddir, 'tests/integration/oepl_listen'), [`http://127.0.0.1:${http.address().port}`], { stdio: ['pipe', 'pipe', 'inherit'] });
	createInterface({ input: child.stdout }).on('line', (line) => {
		seen.lines.push(line);
		if (leave && line === 'up') child.stdin.end();
	});
	const [status] = await once(child, 'close');
	await seen.over;
	wss.close();
	http.close();
	assert(status === 0, `the listener ended with ${status}`);
	return seen;
}

const message = (text) => `message ${Buffer.byteLength(text)} ${createHash('sha256').update(text).digest('hex')}`;
const same = (got, want) => assert(JSON.stringify(got) === JSON.stringify(want), `${JSON.stringify(got)} instead of ${JSON.stringify(want)}`);

test('it is let in at /ws and asks for no compression, even where there is some', async () => {
	const seen = await meeting((s) => s.close(1000), { options: { perMessageDeflate: true } });
	same([seen.path, seen.extensions, seen.offered ?? null], ['/ws', '', null]);
	same(seen.lines, ['up', 'down']);
});

test('compression that nobody asked for is refused', async () => {
	const seen = await meeting(() => {}, { onServer: (wss) => wss.on('headers', (h) => h.push('Sec-WebSocket-Extensions: permessage-deflate')) });
	same(seen.lines, ['down']);
});

test('messages come whole however they are cut, with pings between the pieces', async () => {
	const text = `{"tags":[${'"ü€𝄞",'.repeat(3000)}0]}`, bytes = Buffer.from(text);
	const seen = await meeting((s) => {
		for (let at = 0; at < bytes.length; at += 977) {
			s.send(bytes.subarray(at, at + 977), { binary: false, fin: at + 977 >= bytes.length });
			if (at % (977 * 10) === 0) s.ping(`at ${at}`);
		}
		s.send('short');
		s.once('pong', () => s.close(1000));
	});
	same(seen.lines, ['up', message(text), message('short'), 'down']);
	assert(seen.pongs.length >= 1 && seen.pongs[0] === Buffer.from('at 0').toString('hex'), `pongs ${seen.pongs}`);
	assert(seen.closed.code === 1000, `closed with ${seen.closed.code}`);
});

test('lengths of every form are read: 0, 125, 126, 65535, 65536 and the longest', async () => {
	const texts = [125, 126, 65535, 65536, MESSAGE_MAX].map((n) => 'x'.repeat(n));
	const seen = await meeting((s) => {
		s.send('');
		for (const text of texts) s.send(text);
		s.close(1000);
	});
	same(seen.lines, ['up', ...texts.map(message), 'down']);
});

test('a ping with as much as one can hold is answered with the same', async () => {
	const data = randomBytes(125);
	const seen = await meeting((s) => {
		s.ping(data);
		s.once('pong', () => s.close(1000));
	});
	same(seen.pongs, [data.toString('hex')]);
});

test('a server that says goodbye gets its own code back', async () => {
	for (const code of [1000, 1001, 4321]) {
		const seen = await meeting((s) => s.close(code, 'REBOOTING'));
		assert(seen.closed.code === code, `${code} came back as ${seen.closed.code}`);
		same(seen.lines, ['up', 'down']);
	}
});

test('a server that vanishes is noticed', async () => {
	const seen = await meeting((s) => s.terminate());
	same(seen.lines, ['up', 'down']);
});

test('too much in one frame, or in many, ends it with 1009', async () => {
	const one = await meeting((s) => s.send('x'.repeat(MESSAGE_MAX + 1)));
	assert(one.closed.code === 1009, `one frame: ${one.closed.code}`);
	const many = await meeting((s) => {
		for (let i = 0; i < 9; i++) s.send('x'.repeat(32768), { fin: false });
	});
	assert(many.closed.code === 1009, `many frames: ${many.closed.code}`);
	same(many.lines, ['up', 'down']);
});

test('what is no text ends it with 1003', async () => {
	const seen = await meeting((s) => s.send(Buffer.from([1, 2, 3]), { binary: true }));
	assert(seen.closed.code === 1003, `closed with ${seen.closed.code}`);
});

test('bytes that are no frames end it with 1002', async () => {
	for (const bytes of [[0xf1, 0x00], [0x83, 0x00], [0x81, 0x80, 0, 0, 0, 0], [0x09, 0x00], [0x80, 0x01, 0x41], [0x89, 126, 0, 126]]) {
		const seen = await meeting((s) => s._socket.write(Buffer.from(bytes)));
		assert(seen.closed.code === 1002, `${bytes}: closed with ${seen.closed.code}`);
		same(seen.lines, ['up', 'down']);
	}
});

test('who is asked to go away, or not known there, is not let in', async () => {
	for (const options of [{ path: '/elsewhere' }, { verifyClient: () => false }]) {
		const seen = await meeting(() => {}, { options });
		same(seen.lines, ['down']);
	}
});

test('when it has heard enough it says goodbye with 1000', async () => {
	const seen = await meeting(() => {}, { leave: true });
	same(seen.lines, ['up', 'left']);
	assert(seen.closed.code === 1000, `closed with ${seen.closed.code}`);
});

await run();
