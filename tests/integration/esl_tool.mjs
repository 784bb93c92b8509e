// SPDX-License-Identifier: Apache-2.0
// gondola-esl as its user has it: payloads in words, words in payloads, a train out of a capture. The
// encrypted samples are published ones or made from the published key; see tests/unit/test_ead.c.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { builddir, run as runTests, test } from '../lib/tap.mjs';

const KEY = '196a0ad12a61201e136e2ed112daa9579e7a00efb17ae746';
const dir = mkdtempSync(join(tmpdir(), 'gondola-esl-'));

function esl(...args) {
	return new Promise((resolve) => {
		execFile(join(builddir, 'bin', 'gondola-esl'), args, (error, stdout, stderr) => resolve({ code: error ? error.code : 0, out: stdout, err: stderr }));
	});
}

const expect = (what, got, wanted) => {
	if (wanted instanceof RegExp ? !wanted.test(got) : got !== wanted) throw new Error(`${what}: ${JSON.stringify(got)}, wanted ${wanted}`);
};

/* --- a capture put together by hand ------------------------------------------------------------ */

const u32 = (v) => { const b = Buffer.alloc(4); b.writeUInt32BE(v); return b; };
const u64 = (v) => { const b = Buffer.alloc(8); b.writeBigUInt64BE(v); return b; };
const hex = (text) => Buffer.from(text.replace(/ /g, ''), 'hex');

/** Records of [to host, H4 type, packet after the type] in one of the three link types. */
function capture(link, records) {
	const parts = [Buffer.from('btsnoop\0', 'latin1'), u32(1), u32(link)];
	records.forEach(([toHost, type, packet], i) => {
		const body = link === 1002 ? Buffer.concat([Buffer.from([type]), packet]) : packet;
		const flags = link === 2001 ? (type === 1 ? 2 : 3) : (toHost ? 1 : 0) | (type === 2 ? 0 : 2);
		parts.push(u32(body.length), u32(body.length), u32(flags), u32(0), u64(62168256000000000n + 1795000000000000n + BigInt(i) * 20000n), body);
	});
	return Buffer.concat(parts);
}

function command(opcode, params) {
	return [false, 1, Buffer.concat([Buffer.from([opcode & 255, opcode >> 8, params.length]), params])];
}

function meta(params) {
	return [true, 4, Buffer.concat([Buffer.from([0x3e, params.length]), params])];
}

const sealedPing = hex('0f3118e157cade7fd98fc7b2323b2ae2');      // group 0, Ping to label 1
const sealedAnswer = hex('0f3118e157cade7fd99fc5b3dab88733');    // Basic State: synchronized
const records = () => [
	command(0x2086, hex('e0 e004 e004 0000 1a 30 22 06 17')),
	meta(hex('27 e0 00 01')),
	command(0x2082, Buffer.concat([hex('e0 01 00 00 01'), Buffer.from([sealedPing.length]), sealedPing])),
	meta(Buffer.concat([hex('28 e0 00 00 02 7f cd ff 00 00'), Buffer.from([sealedAnswer.length]), sealedAnswer, hex('7f 7f ff 01 ff 00')])),
];

function file(name, data) {
	const path = join(dir, name);
	writeFileSync(path, data);
	return path;
}

test('the published capture of a test suite reads as its commands', async () => {
	const r = await esl('print', '--key', KEY, '1431396a41fe204b31a50bf2ff506afbe3599ccdb9');
	expect('status', r.code, 0);
	expect('output', r.out, 'group 3\n  slot 0  Service Reset, label 241\n  slot 1  Factory Reset, label 241\n  slot 2  Refresh Display, label 3: display 0\n');
});
test('what is built and encrypted equals the known packet', async () => {
	const r = await esl('build', '--key', KEY, '--randomizer', '18e157cade', '2', 'timed 5 0 3 100000');
	expect('packet', r.out.trim(), '153118e157cade71d98da7b623b0a8e378acb79464d9');
});
test('every command survives the way into bytes and back into words', async () => {
	const built = await esl('build', '7', 'ping 1', 'unassociate 2', 'service-reset 3', 'sensor 4 1', 'refresh 5 0', 'display 6 0 1', 'display all 0 1', 'led 8 0 0xc3 00000000ff 5 5 21');
	expect('status', built.code, 0);
	const r = await esl('print', built.out.trim());
	expect('words', r.out, ['group 7', 'slot 0  Ping, label 1', 'slot 1  Unassociate, label 2', 'slot 2  Service Reset, label 3', 'slot 3  Read Sensor Data, label 4: sensor 1', 'slot 4  Refresh Display, label 5: display 0',
		'slot 5  Display Image, label 6: display 0, image 1', 'slot 6  Display Image, all labels of the group: display 0, image 1',
		'slot 7  LED Control, label 8: LED 0, brightness 100 %, red 3 green 0 blue 0, pattern 00000000ff, 10 ms off, 10 ms on a bit, for 10 s'].map((l, i) => (i ? `  ${l}` : l)).join('\n') + '\n');
});
test('answers of labels are put in words', async () => {
	const r = await esl('print', '--response', '10020011000300 0b'.replace(' ', ''));
	expect('status', r.code, 0);
	expect('words', r.out, /^Basic State: synchronized\nDisplay State: display 0 shows image 3\nError 0x0b, Queue Full: /);
});
for (const [name, link] of [['HCI', 1001], ['H4', 1002], ['the Linux monitor', 2001]])
	test(`a capture of ${name} is followed down to commands and answers`, async () => {
		const keys = file('keys', `# a store\ntrain ${KEY}\nlabel 0 1 ${KEY}\n`);
		const r = await esl('decode', '--keys', keys, file(`c${link}`, capture(link, records())));
		expect('status', r.code, 0);
		for (const line of [/interval 1560\.00 to 1560\.00 ms, 26 subevents of 60\.00 ms/, /responses after 42\.50 ms, 23 slots of 0\.750 ms/, /0\.020000 {2}controller {2}LE Periodic Advertising Subevent Data Request, set 224: 1 subevents from 0/,
			/slot 0 {2}Ping, label 1/, /slot 0, -51 dBm, label 1\n {6}Basic State: synchronized/, /slot 1: nothing intact received/, /4 records: 1 packets to labels and 1 answers, 2 opened, 0 not, 0 malformed/])
			expect('output', r.out, line);
	});
test('without keys it says how much stays closed, and never a key', async () => {
	const r = await esl('decode', file('closed', capture(2001, records())));
	expect('output', r.out, /encrypted: no key for it[^]*1 packets to labels and 1 answers, 0 opened, 2 not/);
	const wrong = await esl('decode', '--keys', file('bad-keys', `train ${KEY.slice(2)}\n`), file('closed', capture(2001, records())));
	expect('status', wrong.code, 1);
	expect('message', wrong.err, /bad-keys: line 1: /);
	if (wrong.err.includes(KEY.slice(8, 20))) throw new Error('a key was printed');
});
test('damaged captures are refused where they go wrong', async () => {
	const whole = capture(2001, records());
	for (const [name, data, message] of [['empty', Buffer.alloc(0), /not a btsnoop capture/], ['short', whole.subarray(0, whole.length - 3), /record 4 at offset \d+: the file ends inside it/], ['version', Buffer.concat([whole.subarray(0, 11), Buffer.from([9]), whole.subarray(12)]), /btsnoop version 9/],
		['huge', Buffer.concat([whole.subarray(0, 20), u32(0x7fffffff), whole.subarray(24)]), /record 1 at offset 16: longer than any packet/]]) {
		const r = await esl('decode', file(name, data));
		expect(`${name}: status`, r.code, 1);
		expect(name, r.err, message);
	}
	const lying = await esl('decode', file('lying', capture(1001, [command(0x2082, hex('e0 0f 00 00 01 ff 00'))])));
	expect('status', lying.code, 1);
	expect('lying', lying.out, /record 1 is malformed at byte/);
});
test('wrong use is told apart from wrong data', async () => {
	for (const args of [[], ['fly'], ['print'], ['print', 'xyz'], ['build', '128', 'ping 1'], ['build', '1', 'ping'], ['build', '1', 'ping 255'], ['build', '1', 'timed 5 0 3'], ['build', '--key', KEY, '1', 'ping 1'], ['decode']])
		expect(args.join(' '), (await esl(...args)).code, 2);
	expect('too much', (await esl('build', '1', ...Array(24).fill('ping 1'))).code, 1);
});

await runTests(async () => rmSync(dir, { recursive: true, force: true }));
