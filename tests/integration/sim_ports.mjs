// SPDX-License-Identifier: Apache-2.0
// The simulator as a process: its ready line, garbage on every port, a recorded trace played to a client,
// a clean end by signal.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { assert, builddir, run, test } from '../lib/tap.mjs';

const program = join(builddir, 'bin', 'gondola-sim');
const dir = mkdtempSync(join(tmpdir(), 'gondola-sim-ports-'));
const config = join(dir, 'sim.conf');
let sim, ready;

/** Starts the program; yields it, what its ready line says, and a promise of its end. */
async function start(...args) {
	const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
	const ended = new Promise((resolve) => child.on('exit', (code, signal) => resolve({ code, signal })));
	const lines = createInterface({ input: child.stdout });
	const json = await new Promise((resolve, reject) => {
		lines.on('line', (line) => {
			const m = /^gondola-sim ready (\{.*\})$/.exec(line);
			if (m) resolve(m[1]);
		});
		ended.then(() => reject(new Error('ended before it was ready')));
	});
	return { child, ended, ready: JSON.parse(json) };
}

/** Sends bytes; yields what comes back until the other side ends or the time is over. */
function exchange(where, bytes, ms = 300) {
	return new Promise((resolve) => {
		const socket = net.connect(where), got = [];
		let ended = false;
		const done = () => { socket.destroy(); resolve({ data: Buffer.concat(got), ended }); };
		socket.on('connect', () => socket.write(bytes));
		socket.on('data', (d) => got.push(d));
		socket.on('end', () => { ended = true; done(); });
		socket.on('error', () => { ended = true; done(); });
		setTimeout(done, ms);
	});
}

const tcp = (port) => ({ port, host: '127.0.0.1' });
const garbage = Buffer.from([...Array(5000).keys()].map((i) => (i * 37 + 201) & 0xff));

async function truth(query) {
	return JSON.parse((await exchange(tcp(ready.truth_port), JSON.stringify(query) + '\n')).data.toString());
}

test('a store comes up and names its ports', async () => {
	writeFileSync(config, [
		'seed = 9',
		`radio "ap" { hci = "${dir}/ap.hci" labels = 20 }`,
		'reader "door" { port = 0 antennas = 2 }',
		'place "Door" { reader = "door" antennas = "1,2" kind = "exit" }',
		'goods { gtins = "09506000134352" items = 10 }', '',
	].join('\n'));
	sim = await start('store', '--config', config);
	ready = sim.ready;
	assert(ready.truth_port > 0 && ready.readers.door > 0, 'ports');
	assert(existsSync(ready.radios.ap.hci), 'sockets');
	assert((await truth({ op: 'labels' })).labels.length === 20, 'labels');
});

test('garbage costs its own connection and nothing else', async () => {
	for (const where of [tcp(ready.readers.door), tcp(ready.truth_port), { path: ready.radios.ap.hci }]) {
		for (let i = 0; i < 20; i++) await exchange(where, garbage.subarray(i * 100), 30);
		await exchange(where, Buffer.alloc(200000, 'x'), 200);
	}
	const hello = await exchange(tcp(ready.readers.door), '');
	assert(hello.data.length === 32 && hello.data.readUInt16BE(0) === 0x043f, 'the reader still welcomes a client');
	const reset = await exchange({ path: ready.radios.ap.hci }, Buffer.from([1, 3, 0x0c, 0]));
	assert(reset.data.equals(Buffer.from([4, 0x0e, 4, 1, 3, 0x0c, 0])), 'the controller still answers HCI_Reset');
	assert((await truth({ op: 'items' })).items.length === 10, 'the truth is still told');
});

test('a truth line that never ends is cut off', async () => {
	const { ended } = await exchange(tcp(ready.truth_port), Buffer.alloc(100000, '{'), 2000);
	assert(ended, 'the connection ended');
});

test('a signal ends it cleanly and removes its sockets', async () => {
	sim.child.kill('SIGTERM');
	const { code } = await sim.ended;
	assert(code === 0, `exit code ${code}`);
	assert(!existsSync(ready.radios.ap.hci), 'sockets are gone');
});

/** An ADD_ROSPEC (all antennas, a report per tag) and its ENABLE_ROSPEC. */
const inventory = Buffer.from(
	'0414000000490000000100b1003f00000001000000b2001200b300050100b60009000000000000b70016000000b80009000000000000ba000700010100ed000d01000100ee0006' + 'ffc0' +
	'04180000000e0000000200000001', 'hex');

test('a trace is played to its first client, to the last row, and the program ends', async () => {
	const rows = Array.from({ length: 200 }, (_, i) => `${1700000000 + i / 50},r,${1 + i % 2},-60,30aabbccddeeff00112233${(i % 7 + 16).toString(16)},0,1,0`);
	rows.splice(17, 0, 'this,is,no,row');
	writeFileSync(join(dir, 'trace.csv'), ['timestamp,reader,antenna,rssi,epc,phase_angle,channel_index,doppler_frequency', ...rows, ''].join('\n'));
	const player = await start('reader', '--replay', join(dir, 'trace.csv'), '--speed', '10');
	assert(player.ready.reads === 200 && player.ready.bad_rows === 1, 'rows');
	const { data, ended } = await exchange(tcp(player.ready.port), inventory, 10000);
	assert(ended, 'the reader hangs up at the end');
	let reports = 0;
	for (let at = 0; at + 10 <= data.length; at += data.readUInt32BE(at + 2)) if ((data.readUInt16BE(at) & 0x3ff) === 61) reports++;
	assert(reports === 200, `200 reads, ${reports} reports`);
	assert((await player.ended).code === 0, 'exit code');
});

test('--check-config names the mistake', async () => {
	writeFileSync(config, 'seed = 1\nreader "r" { antenas = 4 }\n');
	const r = spawnSync(program, ['store', '--config', config, '--check-config'], { encoding: 'utf8' });
	assert(r.status === 1 && r.stderr.includes('sim.conf:2') && r.stderr.includes('antenas'), `said: ${r.stderr}`);
	assert(spawnSync(program, ['--help']).status === 0 && spawnSync(program, ['--version']).status === 0, 'help and version');
	assert(spawnSync(program, ['dance']).status === 2, 'a wrong command');
});

await run(async () => {
	sim?.child.kill('SIGKILL');
	rmSync(dir, { recursive: true, force: true });
});
