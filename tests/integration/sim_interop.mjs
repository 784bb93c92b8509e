// SPDX-License-Identifier: Apache-2.0
// Run by interop.sh: node sim_interop.mjs GONDOLA-SIM MODULES. The client llrpjs talks to the simulated
// reader through a relay of ours that hands it one message at a time (it drops what comes together
// with another) and writes the session down for tshark.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { assert, run, test } from '../lib/tap.mjs';

const [program, modules] = process.argv.slice(2);
const { LLRPClient, LLRPCore } = createRequire(join(modules, 'package.json'))('llrpjs');
const dir = mkdtempSync(join(tmpdir(), 'gondola-interop-'));
const ITEMS = 40;
const SECONDS = 20;

/* --- the simulated store ------------------------------------------------------------------------ */

let sim, ready;

async function startSim() {
	writeFileSync(join(dir, 'sim.conf'), [
		'seed = 5',
		'reader "floor" { port = 0 antennas = 4 reads_per_s = 2 cross = 0.05 }',
		'place "Shelf" { reader = "floor" antennas = "1,2" kind = "sales-floor" }',
		'place "Stock" { reader = "floor" antennas = "3,4" kind = "back-room" }',
		`goods { gtins = "09506000134352,04012345678901" items = ${ITEMS} }`, '',
	].join('\n'));
	sim = spawn(program, ['store', '--config', join(dir, 'sim.conf')], { stdio: ['ignore', 'pipe', 'inherit'] });
	for await (const line of createInterface({ input: sim.stdout })) {
		const m = /^gondola-sim ready (\{.*\})$/.exec(line);
		if (m) { ready = JSON.parse(m[1]); break; }
	}
	assert(ready, 'the simulator came up');
}

async function truth(query) {
	const socket = net.connect(ready.truth_port, '127.0.0.1');
	socket.write(JSON.stringify(query) + '\n');
	for await (const line of createInterface({ input: socket })) {
		socket.destroy();
		return JSON.parse(line);
	}
}

/* --- the relay ---------------------------------------------------------------------------------- */

const packets = []; /* { fromReader, bytes, at } */

/** Calls `each` with every whole LLRP message of a stream. */
function cutter(each) {
	let rest = Buffer.alloc(0);
	return (chunk) => {
		rest = Buffer.concat([rest, chunk]);
		while (rest.length >= 10 && rest.length >= rest.readUInt32BE(2)) {
			const n = rest.readUInt32BE(2);
			each(rest.subarray(0, n));
			rest = rest.subarray(n);
		}
	};
}

function note(fromReader, bytes) {
	packets.push({ fromReader, bytes: Buffer.from(bytes), at: Date.now() });
}

/** Writes queued messages one by one, far enough apart to arrive one by one. */
function pacer(socket) {
	const queue = [];
	let busy = false;
	const next = () => {
		if (!queue.length) { busy = false; return; }
		busy = true;
		if (!socket.destroyed) socket.write(queue.shift(), () => setTimeout(next, 4));
	};
	return (bytes) => { queue.push(Buffer.from(bytes)); if (!busy) next(); };
}

function startRelay() {
	const server = net.createServer((client) => {
		const reader = net.connect(ready.readers.floor, '127.0.0.1');
		client.setNoDelay(true);
		const toClient = pacer(client);
		reader.on('data', cutter((m) => { note(true, m); toClient(m); }));
		client.on('data', cutter((m) => { note(false, m); reader.write(m); }));
		reader.on('end', () => setTimeout(() => client.end(), 200));
		for (const s of [reader, client]) s.on('error', () => { reader.destroy(); client.destroy(); });
	});
	return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

/* --- the session as a capture file ---------------------------------------------------------------- */

/** One IPv4/TCP packet; `seq` per direction. */
function ipPacket(p, seq, ack) {
	const ip = Buffer.alloc(40), ports = p.fromReader ? [5084, 40000] : [40000, 5084];
	ip[0] = 0x45;
	ip.writeUInt16BE(40 + p.bytes.length, 2);
	ip[8] = 64;
	ip[9] = 6;
	ip.set(p.fromReader ? [10, 0, 0, 1, 10, 0, 0, 2] : [10, 0, 0, 2, 10, 0, 0, 1], 12);
	ip.writeUInt16BE(ports[0], 20);
	ip.writeUInt16BE(ports[1], 22);
	ip.writeUInt32BE(seq >>> 0, 24);
	ip.writeUInt32BE(ack >>> 0, 28);
	ip[32] = 0x50;
	ip[33] = 0x18;
	ip.writeUInt16BE(65535, 34);
	return Buffer.concat([ip, p.bytes]);
}

function writeCapture(file) {
	const head = Buffer.alloc(24);
	head.writeUInt32LE(0xa1b2c3d4, 0);
	head.writeUInt16LE(2, 4);
	head.writeUInt16LE(4, 6);
	head.writeUInt32LE(262144, 16);
	head.writeUInt32LE(101, 20); /* raw IP */
	const out = [head], sent = { true: 1, false: 1 };
	for (const p of packets) {
		const body = ipPacket(p, sent[p.fromReader], sent[!p.fromReader]);
		sent[p.fromReader] += p.bytes.length;
		const h = Buffer.alloc(16);
		h.writeUInt32LE(Math.floor(p.at / 1000), 0);
		h.writeUInt32LE((p.at % 1000) * 1000, 4);
		h.writeUInt32LE(body.length, 8);
		h.writeUInt32LE(body.length, 12);
		out.push(h, body);
	}
	writeFileSync(file, Buffer.concat(out));
}

const tshark = (...args) => execFileSync('tshark', ['-r', join(dir, 'session.pcap'), '-d', 'tcp.port==5084,llrp', ...args],
	{ encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n').filter(Boolean);

/* --- the client --------------------------------------------------------------------------------- */

let client;
const faults = [], seen = new Map();

/** Sends a request; yields its response, of which the status must be a success. */
async function ask(message) {
	const name = `${message.getName()}_RESPONSE`;
	const answer = new Promise((resolve, reject) => {
		const timer = setTimeout(() => reject(new Error(`no ${name}`)), 10000);
		client.once(name, (m) => { clearTimeout(timer); resolve(m); });
	});
	await client.send(message);
	const m = await answer, status = m.getLLRPStatus();
	assert(status.getStatusCode() === 'M_Success', `${name}: ${status.getStatusCode()} ${status.getErrorDescription()}`);
	return m;
}

const selector = {
	EnableROSpecID: 1, EnableSpecIndex: 1, EnableInventoryParameterSpecID: 1, EnableAntennaID: 1, EnableChannelIndex: 1,
	EnablePeakRSSI: 1, EnableFirstSeenTimestamp: 1, EnableLastSeenTimestamp: 1, EnableTagSeenCount: 1, EnableAccessSpecID: 1,
	C1G2EPCMemorySelector: { EnableCRC: 1, EnablePCBits: 1 },
};

const rospec = {
	ROSpecID: 1, Priority: 0, CurrentState: 'Disabled',
	ROBoundarySpec: {
		ROSpecStartTrigger: { ROSpecStartTriggerType: 'Null' },
		ROSpecStopTrigger: { ROSpecStopTriggerType: 'Null', DurationTriggerValue: 0 },
	},
	AISpec: {
		AntennaIDs: [1, 2, 3, 4],
		AISpecStopTrigger: { AISpecStopTriggerType: 'Null', DurationTrigger: 0 },
		InventoryParameterSpec: { InventoryParameterSpecID: 1, ProtocolID: 'EPCGlobalClass1Gen2' },
	},
	ROReportSpec: { ROReportTrigger: 'Upon_N_Tags_Or_End_Of_ROSpec', N: 20, TagReportContentSelector: selector },
};

function takeReport(message) {
	for (const tag of [message.getTagReportData()].flat()) {
		const epc = String(tag.getEPCParameter().getEPC()).toLowerCase().padStart(24, '0');
		seen.set(epc, (seen.get(epc) ?? 0) + 1);
	}
}

test('llrpjs connects and is welcomed', async () => {
	await startSim();
	const relay = await startRelay();
	client = new LLRPClient({ host: '127.0.0.1', port: relay.address().port });
	client.on('error', (e) => faults.push(e));
	client.on('RO_ACCESS_REPORT', takeReport);
	const hello = new Promise((resolve) => client.once('READER_EVENT_NOTIFICATION', resolve));
	await client.connect();
	const status = (await hello).getReaderEventNotificationData().getConnectionAttemptEvent().getStatus();
	assert(status === 'Success', `connection attempt: ${status}`);
	relay.unref();
});

test('llrpjs reads the capabilities and the configuration', async () => {
	const caps = await ask(new LLRPCore.GET_READER_CAPABILITIES({ data: { RequestedData: 'All' } }));
	assert(caps.getGeneralDeviceCapabilities().getMaxNumberOfAntennaSupported() === 4, 'four antennas');
	await ask(new LLRPCore.GET_READER_CONFIG({ data: { AntennaID: 0, RequestedData: 'All', GPIPortNum: 0, GPOPortNum: 0 } }));
	await ask(new LLRPCore.SET_READER_CONFIG({ data: { ResetToFactoryDefault: true } }));
});

test(`llrpjs completes an inventory of all ${ITEMS} items`, async () => {
	await ask(new LLRPCore.DELETE_ROSPEC({ data: { ROSpecID: 0 } }));
	await ask(new LLRPCore.ADD_ROSPEC({ data: { ROSpec: rospec } }));
	await ask(new LLRPCore.ENABLE_ROSPEC({ data: { ROSpecID: 1 } }));
	const specs = await ask(new LLRPCore.GET_ROSPECS());
	assert([specs.getROSpec()].flat().length === 1, 'one ROSpec');
	await ask(new LLRPCore.START_ROSPEC({ data: { ROSpecID: 1 } }));
	for (let i = 0; i < SECONDS * 10 && seen.size < ITEMS; i++) await new Promise((r) => setTimeout(r, 100));
	await ask(new LLRPCore.STOP_ROSPEC({ data: { ROSpecID: 1 } }));
	const { items } = await truth({ op: 'items' });
	assert(items.length === ITEMS, 'items in the truth');
	for (const item of items) assert(seen.has(item.epc), `item ${item.epc} was read, only ${[...seen.keys()].slice(0, 3)}`);
	assert(seen.size === ITEMS, `no other tag was read: ${[...seen.keys()].slice(0, 3)} (${seen.size} tags)`);
});

test('llrpjs takes the ROSpec away and says goodbye', async () => {
	await ask(new LLRPCore.DISABLE_ROSPEC({ data: { ROSpecID: 1 } }));
	await ask(new LLRPCore.DELETE_ROSPEC({ data: { ROSpecID: 1 } }));
	await ask(new LLRPCore.CLOSE_CONNECTION());
	assert(faults.length === 0, `llrpjs found no fault: ${faults[0]?.message}`);
});

test('tshark decodes the session without a malformed frame', async () => {
	writeCapture(join(dir, 'session.pcap'));
	const frames = tshark('-Y', 'llrp', '-T', 'fields', '-e', 'llrp.type');
	assert(frames.length === packets.length, `${packets.length} messages, tshark saw ${frames.length} of LLRP`);
	for (const type of ['61', '63', '11', '12', '36', '4'])
		assert(frames.includes(type), `message type ${type} is there`);
	/* tshark 4.0 calls every Identification parameter (218) malformed, good ones too. */
	const bad = tshark('-Y', '_ws.malformed && !(llrp.tlv_type == 218)', '-T', 'fields', '-e', 'frame.number', '-e', 'llrp.type');
	assert(bad.length === 0, `malformed: ${bad.join('; ')}`);
	const errors = tshark('-Y', '_ws.expert.severity >= 0x600000 && llrp && !(llrp.tlv_type == 218)', '-T', 'fields', '-e', 'frame.number', '-e', '_ws.expert.message');
	assert(errors.length === 0, `expert: ${errors.slice(0, 3).join('; ')}`);
	console.log(`# ${packets.length} messages, ${[...seen.values()].reduce((a, b) => a + b, 0)} tag reports`);
});

await run(async () => {
	sim?.kill('SIGTERM');
	rmSync(dir, { recursive: true, force: true });
});
