// SPDX-License-Identifier: Apache-2.0
// What access point and labels say to each other, judged by a decoder that is not ours: a world of labels
// runs in virtual time, its controller's byte stream is kept, and tshark takes it apart.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { builddir, run, skipAll, test } from '../lib/tap.mjs';

const PACKETS = 1500; // connecting, pairing, configuring, two pictures and a price

try {
	execFileSync('tshark', ['--version'], { stdio: 'ignore' });
} catch {
	skipAll('tshark is not installed');
}

const dir = mkdtempSync(join(tmpdir(), 'gondola-capture-')), file = join(dir, 'radio.btsnoop');
execFileSync(join(builddir, 'tests', 'sim', 'test_esl_held'), { env: { ...process.env, WORLD_CAPTURE: file }, stdio: 'ignore' });

/* The first packets alone: the world goes on for hours. */
const whole = readFileSync(file);
let end = 16;
for (let i = 0; i < PACKETS; i++) end += 24 + whole.readUInt32BE(end + 4);
writeFileSync(file, whole.subarray(0, end));

const fields = ['_ws.malformed', 'btsmp.opcode', 'btl2cap.cmd_code', 'btatt.opcode', 'btatt.handle', 'bthci_acl.length'];
const rows = execFileSync('tshark', ['-r', file, '-T', 'fields', ...fields.flatMap((f) => ['-e', f])], { encoding: 'utf8', maxBuffer: 1 << 26, stdio: ['ignore', 'pipe', 'ignore'] })
	.trimEnd().split('\n').map((line) => Object.fromEntries(line.split('\t').map((v, i) => [fields[i], v])));
const having = (field, value) => rows.filter((r) => Number(r[field]) === value && r[field] !== '').length;

function assert(ok, what) {
	if (!ok) throw new Error(what);
}

test('a label is paired with LE Secure Connections, packet by packet', async () => {
	for (const [name, opcode, times] of [['Pairing Request', 1, 1], ['Pairing Response', 2, 1], ['Public Key', 0x0c, 2], ['Confirm', 3, 1], ['Random', 4, 2], ['DHKey Check', 0x0d, 2]])
		assert(having('btsmp.opcode', opcode) >= times, `${name}: ${having('btsmp.opcode', opcode)}`);
	assert(having('btsmp.opcode', 5) === 0, 'a pairing failed');
});

test('its services are found, its values written and its pictures announced', async () => {
	for (const opcode of [0x02, 0x03, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x12, 0x13, 0x1b, 0x1d, 0x1e])
		assert(having('btatt.opcode', opcode) > 0, `no attribute packet 0x${opcode.toString(16)}`);
});

test('pictures have a credit-based channel of their own', async () => {
	for (const code of [0x14, 0x15, 0x06, 0x07])
		assert(having('btl2cap.cmd_code', code) > 0, `no signal 0x${code.toString(16)}`);
});

test('nothing is malformed', async () => {
	/* This tshark wants a parameter in every answer of the object action control point, where the
	 * service has none after a write. */
	const control = rows.find((r) => Number(r['btatt.opcode']) === 0x1d && r['_ws.malformed'])?.['btatt.handle'];
	const bad = rows.filter((r) => r['_ws.malformed'] && !(Number(r['btatt.opcode']) === 0x1d && r['btatt.handle'] === control));
	assert(bad.length === 0, `${bad.length} packets: ${JSON.stringify(bad[0])}`);
	const answers = rows.filter((r) => r['_ws.malformed']);
	assert(answers.every((r) => Number(r['bthci_acl.length']) === 10), 'an indication of another length is malformed');
});

test('the train of the same capture is followed by gondola-esl', async () => {
	const out = execFileSync(join(builddir, 'bin', 'gondola-esl'), ['decode', file], { encoding: 'utf8', maxBuffer: 1 << 28 });
	assert(/packets to labels and \d+ answers, .* 0 malformed\n$/.test(out), out.slice(-200));
});

await run(async () => rmSync(dir, { recursive: true, force: true }));
