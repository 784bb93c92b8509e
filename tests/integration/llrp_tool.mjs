// SPDX-License-Identifier: Apache-2.0
// gondola-llrp as a program: frames in files, captures, a session with a simulated reader.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { assert, needData, run, test } from '../lib/tap.mjs';

const build = process.env.top_builddir ?? 'build';
const program = join(build, 'bin/gondola-llrp');
const data = process.env.GONDOLA_DATA ?? '.';
const dir = mkdtempSync(join(tmpdir(), 'gondola-llrp-'));
const file = (name) => join(dir, name);
let sim;

const call = (...args) => {
	const r = spawnSync(program, args, { maxBuffer: 64 << 20 });
	return { code: r.status, out: r.stdout, text: r.stdout.toString(), err: r.stderr.toString() };
};
const hex = (s) => Buffer.from(s.replaceAll(' ', ''), 'hex');
const hello = hex('043f 00000020 00000000 00f6 0016 0080 000c 0004a9b5c3d2e1f0 0100 0006 0000');
const report = hex('043d 0000001d 00000005 00f0 0013 8d 3066c4409047e140075bcd15 86 c4');
const ask = hex('082e 0000000a 00000002');

// --- captures, built here

function tcp(from, to, seq, payload, flags = 0x18) {
	const b = Buffer.alloc(20);
	b.writeUInt16BE(from, 0);
	b.writeUInt16BE(to, 2);
	b.writeUInt32BE(seq >>> 0, 4);
	b[12] = 5 << 4;
	b[13] = flags;
	return Buffer.concat([b, payload]);
}

function ipv4(segment) {
	const b = Buffer.alloc(20);
	b[0] = 0x45;
	b.writeUInt16BE(20 + segment.length, 2);
	b[9] = 6;
	b.set([192, 0, 2, 1], 12);
	b.set([192, 0, 2, 9], 16);
	return Buffer.concat([b, segment]);
}

function ipv6(segment) {
	const b = Buffer.alloc(40);
	b[0] = 0x60;
	b.writeUInt16BE(segment.length, 4);
	b[6] = 6;
	b.set([0x20, 1, 0x0d, 0xb8], 8);
	b.set([0x20, 1, 0x0d, 0xb8], 24);
	b[39] = 1;
	return Buffer.concat([b, segment]);
}

const ethernet = (ip, type = 0x0800) =>
	Buffer.concat([Buffer.alloc(12), Buffer.from([type >> 8, type & 255]), ip, Buffer.alloc(6)]);

function pcap(packets, link = 1) {
	const head = Buffer.alloc(24);
	head.writeUInt32LE(0xa1b2c3d4, 0);
	head.writeUInt16LE(2, 4);
	head.writeUInt16LE(4, 6);
	head.writeUInt32LE(65535, 16);
	head.writeUInt32LE(link, 20);
	return Buffer.concat([head, ...packets.map((p, i) => {
		const h = Buffer.alloc(16);
		h.writeUInt32LE(1700000000 + i, 0);
		h.writeUInt32LE(p.length, 8);
		h.writeUInt32LE(p.length, 12);
		return Buffer.concat([h, p]);
	})]);
}

function block(type, body) {
	const pad = Buffer.alloc((4 - (body.length % 4)) % 4), n = 12 + body.length + pad.length;
	const b = Buffer.alloc(8), e = Buffer.alloc(4);
	b.writeUInt32BE(type, 0);
	b.writeUInt32BE(n, 4);
	e.writeUInt32BE(n, 0);
	return Buffer.concat([b, body, pad, e]);
}

function pcapng(packets) {
	const section = hex('1a2b3c4d 0001 0000 ffffffffffffffff'), link = hex('0065 0000 00000000 0009 0001 09000000 0000 0000');
	return Buffer.concat([block(0x0a0d0d0a, section), block(1, link), ...packets.map((p) => {
		const h = Buffer.alloc(20);
		const ns = 1700000000n * 1000000000n;
		h.writeUInt32BE(Number(ns >> 32n), 4);
		h.writeUInt32BE(Number(ns & 0xffffffffn), 8);
		h.writeUInt32BE(p.length, 12);
		h.writeUInt32BE(p.length, 16);
		return block(6, Buffer.concat([h, p]));
	})]);
}

const heads = (text) => text.split('\n').filter((l) => l.startsWith('frame '));

// --- files

for (const name of ['dx101_a', 'dx101_b', 'dx301_a']) {
	test(`${name} is written again byte for byte`, async () => {
		const path = needData(join(data, 'llrp-golden', `${name}.bin`));
		const r = call('reencode', path);
		assert(r.code === 0 && r.out.equals(readFileSync(path)), `exit ${r.code}: ${r.err}`);
	});
}

test('every golden frame is printed with its name', async () => {
	const r = call('print', needData(join(data, 'llrp-golden/dx101_a.bin')));
	assert(r.code === 0 && heads(r.text).length === 934, `exit ${r.code}, ${heads(r.text).length} frames`);
	assert(!/parameter \d+:/.test(r.text), 'an unknown parameter');
});

test('a report is printed with units and with what the EPC names', async () => {
	writeFileSync(file('report.bin'), Buffer.concat([hello, report]));
	const r = call('print', file('report.bin'));
	assert(r.code === 0, r.err);
	for (const words of ['PeakRSSI: -60 dBm', '(sgtin-96 urn:epc:id:sgtin:95060001343.05.123456789)', 'ConnectionAttemptEvent: 0 (success)',
		'frame 2 at 32: RO_ACCESS_REPORT, id 5, LLRP 1.0.1, 29 octets'])
		assert(r.text.includes(words), `no "${words}" in ${r.text}`);
});

test('the version of a frame is kept', async () => {
	writeFileSync(file('ask.bin'), ask);
	assert(call('reencode', file('ask.bin')).out.equals(ask), 'other bytes');
	assert(call('print', file('ask.bin')).text.includes('GET_SUPPORTED_VERSION, id 2, LLRP 1.1'), 'other words');
});

test('a frame that cannot be decoded is named by number and offset', async () => {
	const bad = Buffer.from(report);
	bad[13] = 0x30; /* a parameter longer than its message */
	writeFileSync(file('bad.bin'), Buffer.concat([hello, report, bad, hello]));
	const r = call('reencode', file('bad.bin'));
	assert(r.code === 1 && /frame 3 .*offset 61/.test(r.err), `exit ${r.code}: ${r.err}`);
	assert(r.out.equals(Buffer.concat([hello, report])), 'what came before is not there');
	const p = call('print', file('bad.bin'));
	assert(p.code === 1 && heads(p.text).length === 3 && /frame 3 .*offset 61/.test(p.err), 'print stopped at it');
});

test('a file that ends inside a frame is an error that says where', async () => {
	for (const n of [1, 9, 10, 28]) {
		writeFileSync(file('cut.bin'), Buffer.concat([hello, report.subarray(0, n)]));
		const r = call('reencode', file('cut.bin'));
		assert(r.code === 1 && /frame 2 at offset 32/.test(r.err), `cut at ${n}: exit ${r.code}: ${r.err}`);
	}
});

test('wrong usage is status 2 with a hint', async () => {
	for (const args of [[], ['sing'], ['print'], ['reencode', '--loud'], ['session'], ['session', '--session', '7', 'x'],
		['session', 'host:99999'], ['print', '--port', '0', 'x']]) {
		const r = call(...args);
		assert(r.code === 2 && r.err.includes('--help'), `${args}: ${r.code} ${r.err}`);
	}
	assert(call('print', file('nothing')).code === 1, 'a missing file');
	assert(call('--help').code === 0 && /^gondola-llrp \d/.test(call('--version').text), 'help and version');
});

// --- captures

const both = Buffer.concat([hello, report]);

test('messages are put together from the segments of a capture', async () => {
	writeFileSync(file('a.pcap'), pcap([
		ethernet(ipv4(tcp(5084, 40000, 999, Buffer.alloc(0), 0x12))),
		ethernet(ipv4(tcp(5084, 40000, 1000, both.subarray(0, 7)))),
		ethernet(ipv4(tcp(40000, 5084, 77, ask))),
		ethernet(ipv4(tcp(5084, 40000, 1000, both.subarray(0, 20)))), /* sent again, with more */
		ethernet(ipv4(tcp(5084, 40000, 1020, both.subarray(20)))),
		ethernet(ipv4(tcp(80, 40000, 1, Buffer.from('HTTP/1.1 200 OK\r\n')))),
	]));
	const r = call('print', file('a.pcap')), h = heads(r.text);
	assert(r.code === 0 && r.err === '' && h.length === 3, `${r.code} ${r.err} ${r.text}`);
	assert(h[0].includes('192.0.2.1:40000 > 192.0.2.9:5084 at 0: GET_SUPPORTED_VERSION'), h[0]);
	assert(h[2].includes('2023-11-14T22:13:24.000Z 192.0.2.1:5084 > 192.0.2.9:40000 at 32: RO_ACCESS_REPORT'), h[2]);
});

test('after a gap a capture goes on with the next message', async () => {
	writeFileSync(file('gap.pcap'), pcap([
		ethernet(ipv4(tcp(5084, 40000, 1000, both.subarray(0, 40)))),
		ethernet(ipv4(tcp(5084, 40000, 1059, Buffer.from('xyz')))),
		ethernet(ipv4(tcp(5084, 40000, 1062, report))),
	]));
	const r = call('print', file('gap.pcap'));
	assert(heads(r.text).length === 2 && /19 octets are missing after 40/.test(r.err), r.err + r.text);
});

test('pcapng, IPv6, raw links and another port are read', async () => {
	writeFileSync(file('b.pcapng'), pcapng([ipv6(tcp(15084, 2, 1, hello)), ipv6(tcp(15084, 2, 33, report))]));
	const r = call('print', '--port', '15084', file('b.pcapng'));
	assert(r.code === 0 && heads(r.text).length === 2, `${r.code} ${r.err} ${r.text}`);
	assert(heads(r.text)[0].includes('2023-11-14T22:13:20.000Z 2001:db8:::15084 > 2001:db8::1:2'), r.text);
});

test('no cut of a capture and no flipped bit upsets the reader of captures', async () => {
	for (const whole of [readFileSync(file('a.pcap')), readFileSync(file('b.pcapng'))]) {
		for (let i = 0; i < 60; i++) {
			const n = 24 + ((i * 7919) % (whole.length - 24)), b = Buffer.from(whole);
			if (i % 2) b[n] ^= 1 << (i % 8);
			writeFileSync(file('c.pcap'), i % 2 ? b : b.subarray(0, n));
			const code = call('print', file('c.pcap')).code;
			assert(code === 0 || code === 1, `${n}: exit ${code}`);
		}
	}
});

// --- a live session

let port;

test('a session makes an inventory and records what both sides said', async () => {
	const conf = file('sim.conf');
	writeFileSync(conf, 'seed = 9\nreader "door" { port = 0 antennas = 2 }\n' +
		'place "Door" { reader = "door" antennas = "1,2" kind = "exit" }\ngoods { gtins = "09506000134352" items = 10 }\n');
	sim = spawn(join(build, 'bin/gondola-sim'), ['store', '--config', conf], { stdio: ['ignore', 'pipe', 'inherit'] });
	port = await new Promise((resolve, reject) => {
		createInterface({ input: sim.stdout }).on('line', (line) => {
			const m = /^gondola-sim ready (\{.*\})$/.exec(line);
			if (m) resolve(JSON.parse(m[1]).readers.door);
		});
		sim.on('exit', () => reject(new Error('the simulator ended')));
	});
	const r = call('session', '--record', file('live.bin'), '--reads', '20', '--seconds', '60', '--print', `127.0.0.1:${port}`);
	assert(r.code === 0, `exit ${r.code}: ${r.err}\n${r.text}`);
	assert(/^state running$/m.test(r.text) && (r.text.match(/^read [0-9a-f]{24} antenna [12] /gm) ?? []).length >= 20, r.text);
	const again = call('reencode', file('live.bin'));
	assert(again.code === 0 && again.out.equals(readFileSync(file('live.bin'))), again.err);
	const p = call('print', file('live.bin'));
	assert(p.code === 0 && heads(p.text).length > 10 && p.text.includes('CLOSE_CONNECTION'), p.err);
});

test('the memory of a tag is read, written and locked', () => {
	const at = `127.0.0.1:${port}`;
	let r = call('tag', '--read', 'tid', '--write', 'user:1:cafe', '--read', 'user:0:2', at);
	assert(r.code === 0 && /^read tid from word 0: e280[0-9a-f]{20}$/m.test(r.text) && /^read user from word 0: 0000cafe$/m.test(r.text), r.err + r.text);
	const epc = /^tag ([0-9a-f]{24}) antenna/m.exec(r.text)[1], now = `e2${epc.slice(2)}`;
	r = call('tag', '--epc', epc, '--new-epc', now, at);
	assert(r.code === 0 && /6 of 6 words: done/.test(r.text), r.err + r.text);
	r = call('tag', '--epc', now, '--lock', 'epc:forever', '--new-epc', epc, at);
	assert(r.code === 1 && /write epc from word 2, 0 of 6 words: the memory is locked/.test(r.text), `${r.code} ${r.err}${r.text}`);
	r = call('tag', '--epc', epc, '--read', 'tid', at);
	assert(r.code === 1 && /no such tag answered/.test(r.err), r.err + r.text);
	for (const bad of [['--read', 'attic'], ['--write', 'user:cafe'], ['--new-epc', now], ['--lock', 'epc'], []])
		assert(call('tag', ...bad, at).code === 2, bad.join(' '));
});

test('a reader that is not there is an error', async () => {
	const r = call('session', '127.0.0.1:1');
	assert(r.code === 1 && /refused/.test(r.err), `${r.code} ${r.err}`);
});

await run(async () => {
	sim?.kill();
	rmSync(dir, { recursive: true });
});
