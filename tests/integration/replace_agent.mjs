// SPDX-License-Identifier: Apache-2.0
// An access point dies, with its flash; another machine takes its place by a join code. It is the same agent: the
// same number and name, the same readers, antennas where they were, and all labels come back by themselves and show
// what is wanted. What the dead machine still has opens no door.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { assert, equal, run, test } from '../lib/tap.mjs';
import { canConduct } from '../lib/clock.mjs';
import { endStore, newStore, oneAp } from '../lib/stores.mjs';
import { Process, until } from '../../sim/demo/process.mjs';
import { itemFollowsMove, panelShowsWanted } from '../../sim/demo/checks.mjs';

const store = newStore(oneAp({ aps: [{ name: 'ap1', panels: [{ labels: 5, width: 296, height: 128, type: 'bw' }], antennas: 4 }], items: 10 }));
const state = store.path('agent-ap1'), dead = store.path('agent-ap1.dead');
const sql = (text) => execFileSync('sqlite3', ['-readonly', store.path('gondolad', 'gondola.db'), text], { encoding: 'utf8' }).trim();
const pairings = async () => (await store.truth.ask({ op: 'radio' })).radios[0].pairings;
/** Nothing that another machine would need is owed. */
const escrowed = () => until('bonds and keys to be in escrow', async () => sql('SELECT count(*) FROM label_bonds') === '10', 30000, 100);
let before, paired;

const facts = async () => ({
	agents: (await store.api.all('/agents')).map((a) => [a.id, a.name, a.readers.map((r) => [r.name, r.host, r.port])]),
	labels: (await store.api.all('/labels')).map((l) => [l.id, l.agent, l.product.id]),
	antennas: (await store.api.all('/antennas')).map((a) => [a.agent, a.reader, a.antenna, a.place]).sort(),
});

/** A request at the agents' door with the identity in a state directory. */
const knock = (dir) => new Promise((yes, no) => {
	const url = new URL(store.agentsUrl);
	https.get({ host: url.hostname, port: url.port, path: '/agent/v1/desired', ca: store.ca, agent: false, cert: readFileSync(`${dir}/cert.pem`), key: readFileSync(`${dir}/key.pem`) }, (rs) => {
		const parts = [];
		rs.on('data', (b) => parts.push(b));
		rs.on('end', () => yes({ status: rs.statusCode, body: Buffer.concat(parts) }));
	}).on('error', no);
});

const setPrices = async (price_minor) => {
	for (const p of await store.api.all('/products')) await store.api.call('POST', '/api/v1/price-changes', { product_id: p.id, price_minor });
};

/** The controller dies when the place has been taken and the new machine does not know it yet; that machine dies when
 * it has taken over one label's bond, a label and another's bond, two labels. */
async function joinThroughFaults(code) {
	const log = store.path('faults.log'), agentLog = store.path('agent-faults.log');
	const hits = () => (existsSync(agentLog) ? readFileSync(agentLog, 'utf8').split('\n').length - 1 : 0);
	const die = (point) => store.startAgent('ap1', { join: code, env: { GONDOLA_FAULT: point, GONDOLA_FAULT_LOG: agentLog } });
	await store.controller.stop();
	await store.startController({ GONDOLA_FAULT: 'ctl.links.after_takeover:1', GONDOLA_FAULT_LOG: log });
	let p = die('agent.escrow.after_take:1');
	await store.controller.done;
	assert(existsSync(log), 'the point was passed');
	await store.startController();
	await p.done;
	for (const point of ['agent.escrow.before_take:4', 'agent.escrow.after_take:4']) {
		p = die(point);
		await p.done;
	}
	equal(hits(), 3, 'the new machine died so often');
	store.startAgent('ap1', { join: code });
}

test('a store is at work', async () => {
	await store.start();
	await store.allShown(240000);
	before = await facts();
	equal(before.labels.length, 5, 'labels');
	equal((await knock(state)).status, 200, 'the agent is let in');
	await escrowed();
	paired = await pairings();
	equal(paired, 5, 'each label has paired once');
});

test('the controller is put back from a backup', async () => {
	const file = store.path('store.backup'), GONDOLA_BACKUP_PASSPHRASE = 'seven geese on a barge';
	process.env.GONDOLA_BACKUP_PASSPHRASE = GONDOLA_BACKUP_PASSPHRASE;
	await store.ctl('backup', file);
	await store.controller.stop();
	renameSync(store.path('gondolad'), store.path('gondolad.lost'));
	const r = spawnSync(store.program('gondolad'), ['--config', store.path('gondolad.conf'), '--restore', file], { encoding: 'utf8', timeout: 60000 });
	equal(r.status, 0, r.stderr);
	await store.startController();
	store.api = await store.signIn();
	equal(sql('SELECT count(*) FROM label_bonds'), '10', 'what is in escrow came along');
});

test('its access point dies with all that it knew, and a code gives its place away', async () => {
	await store.agents.get('ap1').kill('SIGKILL');
	await store.agents.get('ap1').done;
	renameSync(state, dead);
	await store.truth.ask({ op: 'radio-reset', radio: 'ap1', replace: true });
	const text = await store.ctl('agents', 'replace', 'ap1');
	const code = /^GJ1-\S+$/m.exec(text)?.[0];
	assert(code, `a code: ${text}`);
	const { items } = await store.api.get('/agents/join-codes');
	equal(items.at(-1).replaces_agent, 'ap1', 'whose place it gives away');
	await (canConduct && process.env.FAULTS === 'all' ? joinThroughFaults(code) : store.startAgent('ap1', { join: code }));
	await store.agents.get('ap1').line(/^gondola-agent ready name=ap1$/, 60000);
	assert(existsSync(state), 'with a state directory of its own');
});

test('the new machine is the same agent', async () => {
	equal(JSON.stringify(await facts()), JSON.stringify(before), 'agents, labels, antennas');
	equal(sql("SELECT count(*) FROM agents"), '1', 'agents');
	equal(sql("SELECT count(*) FROM audit WHERE action = 'agent.replace'"), '1', 'the trail says so');
});

test('what the dead machine has opens no door', async () => {
	const r = await knock(dead);
	equal(r.status, 403, 'status');
	assert(r.body.includes('revoked'), r.body.toString());
	equal((await knock(state)).status, 200, 'the new one is let in');
	/* nor after a restart of the controller */
	await store.controller.stop();
	await store.startController();
	equal((await knock(dead)).status, 403, 'after a restart');
});

test('all labels come back without being visited, and show what is wanted', async () => {
	await setPrices(4321);
	for (const [id] of before.labels) await panelShowsWanted(store, id, { timeoutMs: 240000, price: 4321 });
	await store.allShown(120000);
	for (const [id] of before.labels) {
		const { items } = await store.api.get(`/labels/${id}/history`);
		assert(items.filter((e) => e.kind === 'associated').length >= 2, `${id} was taken in again`);
		assert(items.some((e) => e.kind === 'shown' && e.price_minor === 4321), `${id} has evidence`);
	}
	equal(sql('SELECT count(*) FROM label_streams'), '2', 'each machine has its own stream of reports');
	equal(await pairings(), paired, 'no label had to pair again');
	equal(sql("SELECT count(*) > 0 FROM audit WHERE action = 'labels.escrow-handed' AND object = 'ap1'"), '1', 'the trail says who was handed what');
	await until('the new machine to have told what it keeps', async () => sql('SELECT count(DISTINCT machine) FROM label_bonds') === '1', 30000, 100);
	const { keys } = (await store.api.get('/agents/1')).radio;
	assert(Number.isInteger(keys.unescrowed_bonds) && keys.unescrowed_bonds <= keys.unescrowed, `health counts what is owed: ${JSON.stringify(keys)}`);
});

test('the dead machine, switched on again, is told and lets go of the reader', async () => {
	const conf = store.path('dead.conf'), log = store.path('dead.log');
	writeFileSync(conf, `state_dir = "${dead}"\ncontroller = "${store.agentsUrl}"\nname = "ap1"\n`);
	const p = new Process('the dead gondola-agent', store.program('gondola-agent'), ['--config', conf], { logFile: log });
	await until('it to be told', async () => existsSync(log) && /readers and label radio are at rest/.test(readFileSync(log, 'utf8')), 30000, 100);
	await p.stop();
	equal(sql('SELECT count(*) FROM agents'), '1', 'agents');
});

test('its antennas are where they were', async () => {
	await until('the reader to run', async () => (await store.api.all('/agents'))[0].readers[0]?.state === 'running', 60000, 200);
	const { items } = await store.truth.ask({ op: 'items' });
	const item = items[0], to = item.place === 'Floor' ? 'Back room' : 'Floor';
	await itemFollowsMove(store, item.epc, to, 60000);
});

await run((failed) => endStore(store, failed));
