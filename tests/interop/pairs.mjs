// SPDX-License-Identifier: Apache-2.0
// Run by `make interop`: our client and our simulated reader, llrpjs (client, reader and codec) and tshark,
// in all pairings. Prints a table; fails when a pairing does that is not known to fail on the other side.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { builddir, datadir, srcdir } from '../lib/tap.mjs';

const modules = join(builddir, 'interop-modules');
const { LLRPCore, LLRPMessage, LLRPServer } = createRequire(join(modules, 'package.json'))('llrpjs');
const tool = join(builddir, 'bin/gondola-llrp'), simulator = join(builddir, 'bin/gondola-sim');
const dir = mkdtempSync(join(tmpdir(), 'gondola-pairs-'));
const rows = [];
let sim, ready;

async function row(one, other, what, work) {
	let result, note;
	try {
		note = await work();
		result = 'ok';
	} catch (e) {
		note = String(e.message).split('\n')[0];
		result = 'FAILED';
	}
	rows.push([one, other, what, result, note ?? '']);
}

function must(fact, words) {
	if (!fact) throw new Error(words);
}

/** Frames that stand one after another. */
function cut(bytes) {
	const list = [];
	for (let at = 0; at + 10 <= bytes.length; at += list.at(-1).length) list.push(bytes.subarray(at, at + bytes.readUInt32BE(at + 2)));
	return list;
}

/* --- the simulated store ------------------------------------------------------------------------ */

async function startSim() {
	writeFileSync(join(dir, 'sim.conf'), [
		'seed = 5',
		'reader "old" { port = 0 antennas = 2 reads_per_s = 3 }',
		'reader "new" { port = 0 antennas = 2 reads_per_s = 3 version = 2 }',
		'reader "maker" { port = 0 antennas = 2 reads_per_s = 3 impinj = true }',
		'reader "secure" { port = 0 antennas = 2 reads_per_s = 3 tls = true }',
		...['old', 'new', 'maker', 'secure'].map((r) => `place "at ${r}" { reader = "${r}" antennas = "1,2" kind = "sales-floor" }`),
		'goods { gtins = "09506000134352,04012345678901" items = 40 }', '',
	].join('\n'));
	sim = spawn(simulator, ['store', '--config', join(dir, 'sim.conf')], { stdio: ['ignore', 'pipe', 'inherit'] });
	for await (const line of createInterface({ input: sim.stdout })) {
		const m = /^gondola-sim ready (\{.*\})$/.exec(line);
		if (m) {
			ready = JSON.parse(m[1]);
			return;
		}
	}
	throw new Error('the simulator did not come up');
}

/** Our client until so many reads; yields what it printed. */
function session(port, record, ...options) {
	const child = spawn(tool, ['session', '--reads', '60', '--seconds', '20', '--record', record, ...options, `127.0.0.1:${port}`], { stdio: ['ignore', 'pipe', 'pipe'] });
	let text = '', errors = '';
	child.stdout.on('data', (d) => (text += d));
	child.stderr.on('data', (d) => (errors += d));
	return new Promise((resolve, reject) => child.on('close', (code) => (code === 0 ? resolve(text) : reject(new Error(errors || `exit ${code}`)))));
}

const reads = (text) => /^(\d+) reads in (\d+) messages/m.exec(text) ?? [];

/* --- a reader made of llrpjs -------------------------------------------------------------------- */

const fine = { LLRPStatus: { StatusCode: 'M_Success', ErrorDescription: '' } };
const answers = {
	GET_READER_CAPABILITIES: () => ({
		...fine,
		GeneralDeviceCapabilities: {
			MaxNumberOfAntennaSupported: 2, CanSetAntennaProperties: 0, HasUTCClockCapability: 1, DeviceManufacturerName: 0, ModelName: 1, ReaderFirmwareVersion: 'llrpjs',
			ReceiveSensitivityTableEntry: { Index: 1, ReceiveSensitivityValue: 0 },
			GPIOCapabilities: { NumGPIs: 0, NumGPOs: 0 },
			PerAntennaAirProtocol: { AntennaID: 1, ProtocolID: ['EPCGlobalClass1Gen2'] },
		},
		LLRPCapabilities: {
			CanDoRFSurvey: 0, CanReportBufferFillWarning: 0, SupportsClientRequestOpSpec: 0, CanDoTagInventoryStateAwareSingulation: 0, SupportsEventAndReportHolding: 0,
			MaxNumPriorityLevelsSupported: 1, ClientRequestOpSpecTimeout: 0, MaxNumROSpecs: 1, MaxNumSpecsPerROSpec: 1, MaxNumInventoryParameterSpecsPerAISpec: 1, MaxNumAccessSpecs: 1, MaxNumOpSpecsPerAccessSpec: 1,
		},
	}),
};

/** Answers requests with its own codec; once started, reports `n` tags. */
function llrpjsReader(n) {
	const server = new LLRPServer({ host: '127.0.0.1', port: 0 });
	const faults = [];
	let id = 1;
	server.on('error', (e) => faults.push(e));
	server.on('connection', () => {
		server.send(new LLRPCore.READER_EVENT_NOTIFICATION({ id: id++, data: { ReaderEventNotificationData: { UTCTimestamp: { Microseconds: BigInt(Date.now()) * 1000n }, ConnectionAttemptEvent: { Status: 'Success' } } } }));
	});
	server.on('message', async (m) => {
		const name = m.getName(), Response = LLRPCore[`${name}_RESPONSE`];
		if (!Response) return;
		await server.send(new Response({ id: m.getMessageId(), data: answers[name]?.() ?? fine }));
		if (name !== 'START_ROSPEC') return;
		for (let i = 0; i < n; i++) {
			const epc = `3034000000000000000000${i.toString(16).padStart(2, '0')}`;
			await server.send(new LLRPCore.RO_ACCESS_REPORT({
				id: id++,
				data: { TagReportData: { EPC_96: { EPC: epc }, AntennaID: { AntennaID: 1 + (i % 2) }, PeakRSSI: { PeakRSSI: -50 }, LastSeenTimestampUTC: { Microseconds: BigInt(Date.now()) * 1000n }, TagSeenCount: { TagCount: 1 } } },
			}));
		}
	});
	server.listen();
	return new Promise((resolve) => server._server.on('listening', () => resolve({ server, faults, port: server._server.address().port })));
}

/* --- tshark ------------------------------------------------------------------------------------- */

function capture(frames, file) {
	const head = Buffer.alloc(24), out = [head];
	let seq = 1;
	head.writeUInt32LE(0xa1b2c3d4, 0);
	head.writeUInt16LE(2, 4);
	head.writeUInt16LE(4, 6);
	head.writeUInt32LE(262144, 16);
	head.writeUInt32LE(101, 20); /* raw IP */
	for (const f of frames) {
		const ip = Buffer.alloc(40), h = Buffer.alloc(16);
		ip[0] = 0x45;
		ip.writeUInt16BE(40 + f.length, 2);
		ip[8] = 64;
		ip[9] = 6;
		ip.set([10, 0, 0, 1, 10, 0, 0, 2], 12);
		ip.writeUInt16BE(5084, 20);
		ip.writeUInt16BE(40000, 22);
		ip.writeUInt32BE(seq, 24);
		ip[32] = 0x50;
		ip[33] = 0x18;
		seq += f.length;
		h.writeUInt32LE(40 + f.length, 8);
		h.writeUInt32LE(40 + f.length, 12);
		out.push(h, ip, f);
	}
	writeFileSync(file, Buffer.concat(out));
}

/** Has tshark read them; yields a note. Parameter 218 it calls malformed whatever is in it. */
function tsharkReads(frames) {
	const file = join(dir, 'frames.pcap');
	const ask = (filter, ...fields) => execFileSync('tshark', ['-r', file, '-d', 'tcp.port==5084,llrp', '-Y', filter, '-T', 'fields', ...fields.flatMap((f) => ['-e', f])], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n').filter(Boolean);
	capture(frames, file);
	const seen = ask('llrp', 'frame.number').length;
	must(seen === frames.length, `${frames.length} messages, tshark saw ${seen}`);
	/* The maker's Doppler parameters (67, 68) it does not know, and calls what it does not know malformed. */
	const unknown = (f) => f.includes(Buffer.from('0000651a00000043', 'hex')) || f.includes(Buffer.from('0000651a00000044', 'hex'));
	const bad = ask('_ws.malformed && !(llrp.tlv_type == 218)', 'frame.number', 'llrp.type').filter((line) => !unknown(frames[Number(line.split('\t')[0]) - 1]));
	must(bad.length === 0, `malformed: ${bad.slice(0, 3).join('; ')}`);
	const n = frames.filter(unknown).length;
	return `${frames.length} messages${n ? `, ${n} of them with a parameter it does not know` : ''}`;
}

/** llrpjs decodes each and encodes it again. */
function llrpjsReads(frames) {
	let same = 0, skipped = 0;
	for (const f of frames) {
		const type = f.readUInt16BE(0) & 0x3ff;
		/* It knows LLRP 1.0.1 without the maker's parameters. */
		if (type === 1023 || type === 46 || type === 47 || type === 56 || type === 57 || f.includes(Buffer.from([0x03, 0xff]))) {
			skipped++;
			continue;
		}
		const again = new LLRPMessage(f).decode().encode().getBuffer();
		must(Buffer.compare(again, f) === 0, `type ${type} comes out otherwise`);
		same++;
	}
	return `${same} byte for byte${skipped ? `, ${skipped} of other versions or makers left out` : ''}`;
}

function weReencode(bytes, name) {
	const file = join(dir, 'one.llrp');
	writeFileSync(file, bytes);
	const r = spawnSync(tool, ['reencode', file], { maxBuffer: 1 << 28 });
	must(r.status === 0, `${name}: ${r.stderr}`);
	must(Buffer.compare(r.stdout, bytes) === 0, `${name} comes out otherwise`);
}

/* --- all pairings ------------------------------------------------------------------------------- */

const record = (name) => join(dir, `${name}.llrp`);
const recorded = (name) => cut(readFileSync(record(name)));

async function ours() {
	for (const [reader, what, ...options] of [
		['old', 'inventory, LLRP 1.0.1'], ['old', 'asks for 1.1, gets 1.0.1', '--llrp', '1.1'], ['new', 'inventory, LLRP 1.1', '--llrp', '1.1'],
		['maker', "inventory with the maker's extensions"], ['secure', 'inventory over TLS, pinned', '--tls', '--pin', ready.pins?.secure ?? '']]) {
		await row('our client', 'our reader', what, async () => {
			const text = await session(ready.readers[reader], record(reader + options.join('')), ...options);
			must(text.includes(what.endsWith(' 1.1') ? 'LLRP 1.1' : 'LLRP 1.0.1'), 'the version');
			return `${reads(text)[0]}`;
		});
	}
}

async function withLlrpjs() {
	const { server, faults, port } = await llrpjsReader(60);
	await row('our client', 'llrpjs reader', 'inventory', async () => {
		const text = await session(port, record('llrpjs'));
		must(faults.length === 0, `llrpjs: ${faults[0]?.message}`);
		must(Number(reads(text)[1]) === 60, `${reads(text)[1]} of 60 reads`);
		return reads(text)[0];
	});
	server._server.close();
	await row('llrpjs client', 'our reader', 'inventory, requests of all kinds', () => {
		const r = spawnSync('bash', [join(srcdir, 'tests/integration/interop.sh')], { encoding: 'utf8', env: { ...process.env, top_srcdir: srcdir, top_builddir: builddir } });
		must(r.status === 0 && !/^not ok/m.test(r.stdout), /^not ok.*$/m.exec(r.stdout)?.[0] ?? r.stderr);
		return /^# (.*)$/m.exec(r.stdout)?.[1] ?? /SKIP.*/.exec(r.stdout)?.[0];
	});
	await row('llrpjs codec', 'our client and reader', 'decode and encode again', () => llrpjsReads([...recorded('old'), ...recorded('maker')]));
	await row('our codec', 'llrpjs reader', 'decode and encode again', () => {
		weReencode(readFileSync(record('llrpjs')), 'what llrpjs said');
		return `${recorded('llrpjs').length} messages byte for byte`;
	});
}

async function withTshark() {
	await row('tshark', 'our client and reader', 'decode 1.0.1', () => tsharkReads(recorded('old')));
	await row('tshark', 'our client and reader', 'decode the maker\'s', () => tsharkReads(recorded('maker')));
	await row('tshark', 'llrpjs reader', 'decode', () => tsharkReads(recorded('llrpjs')));
}

async function golden() {
	const folder = join(datadir, 'llrp-golden');
	let files;
	try {
		files = readdirSync(folder).filter((f) => f.endsWith('.bin'));
	} catch {
		rows.push(['our codec', 'published frames', 'decode and encode again', 'skipped', 'the recorded data is not there']);
		return;
	}
	await row('our codec', 'published frames', 'decode and encode again', () => {
		for (const f of files) weReencode(readFileSync(join(folder, f)), f);
		return `${files.length} files byte for byte`;
	});
}

try {
	await startSim();
	await ours();
	await withLlrpjs();
	await withTshark();
	await golden();
} finally {
	sim?.kill('SIGTERM');
	rmSync(dir, { recursive: true, force: true });
}
const widths = [0, 1, 2, 3].map((i) => Math.max(...rows.map((r) => r[i].length)));
for (const r of rows) console.log([...widths.map((w, i) => r[i].padEnd(w)), r[4]].join('  '));
process.exit(rows.some((r) => r[3] === 'FAILED') ? 1 : 0);
