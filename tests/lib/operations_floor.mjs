// SPDX-License-Identifier: Apache-2.0
// What is done on the shop floor, as rows for the fault tests (see operations.mjs): tags written, incidents
// acknowledged, tags carried through the rooms, models chosen, keys of labels replaced. Points that begin with
// "agent." kill the access point instead of the controller. `only`: the disk plays no part.
import { randomBytes } from 'node:crypto';
import { until } from '../../sim/demo/process.mjs';
import { COMMIT, fresh, post, whole } from './operations.mjs';

const GTIN = '4006381333931';
const agentOf = async (store) => (await store.api.get('/agents')).items[0];
const itemsOf = async (store) => (await store.truth.ask({ op: 'items' })).items;
const placeNamed = async (store, name) => (await store.api.all('/places')).find((p) => p.name === name);

/** How often something was done to an object, by the audit. */
const audited = async (store, object, action, detail) => (await store.api.all(`/audit?object=${encodeURIComponent(object)}`)).filter((a) => a.action === action && (!detail || detail(a.detail))).length;

/* --- tags ------------------------------------------------------------------------------------------------- */

const asked = async (store, ctx) => (await store.api.all('/tag-operations')).filter((o) => o.new_uri?.endsWith(`.${ctx.serial}`));

/* What tags are called by now; the simulator's list has their first names. */
const names = new Map();

const ended = (store, id) => until(`operation ${id} to end`, async () => {
	const o = await store.api.get(`/tag-operations/${id}`);
	return ['done', 'failed'].includes(o.state) && o;
}, 60000);

/** Its end is on record once, and the tag itself bears the name that the end tells. */
async function written(store, ctx) {
	const list = await asked(store, ctx);
	if (whole(list.length, 1, 'operations') === 'nothing') return 'nothing';
	const { id, state, reason, new_epc } = await ended(store, list[0].id);
	/* Who dies before the reader was asked does not ask it again: that tag is as it was. */
	const epc = state === 'done' ? new_epc : ctx.epc;
	names.set(ctx.item, epc);
	const { id: look } = await store.api.call('POST', '/api/v1/tag-operations', { agent_id: ctx.agent, reader: 'ap1', kind: 'read', bank: 'epc', pointer: 2, words: 6, epc, timeout_s: 600 });
	const back = await ended(store, look);
	if (back.data?.toLowerCase() !== epc.toLowerCase()) throw new Error(`${state} (${reason}), and the tag says ${back.data} (${back.reason})`);
	const told = await audited(store, `tag-operation:${id}`, 'tags.result', (text) => /^(done|failed)/.test(text));
	if (told !== 1) throw new Error(`its end is on record ${told} times`);
	return 'done';
}

const tagWritten = {
	name: 'tag written',
	points: {
		'ctl.tags.asked': 'nothing', 'ctl.tags.result': 'done', ...COMMIT,
		'agent.operation.begun': 'done', 'agent.operation.sent': 'done', 'agent.operation.answered': 'done', 'agent.operation.tell': 'done',
	},
	prepare: async (store) => {
		/* A reader's answer has some seconds, and they are to be more than a blink. */
		store.clock.setRate(4);
		const agent = await until('the reader to work', async () => {
			const a = await agentOf(store);
			return a.readers[0]?.state === 'running' && a;
		}, 60000);
		const items = (await itemsOf(store)).filter((i) => i.place !== 'nowhere'), serial = fresh();
		const item = items[serial % items.length].epc;
		return { agent: agent.id, item, epc: names.get(item) ?? item, serial };
	},
	act: (store, ctx) => post(store, '/tag-operations', { agent_id: ctx.agent, reader: 'ap1', kind: 'write-epc', gtin: GTIN, serial: ctx.serial, epc: ctx.epc, timeout_s: 600 }, ctx),
	outcome: written,
	after: (store) => store.clock.setRate(20),
};

/* --- incidents -------------------------------------------------------------------------------------------- */

const incidentAcknowledged = {
	name: 'incident acknowledged', points: { 'ctl.incidents.acknowledge': 'nothing', 'ctl.db.after_commit': 'done' },
	prepare: async (store) => {
		await store.truth.ask({ op: 'reader', name: 'ap1', antenna: 2, connected: false });
		const incident = await until('the incident', async () => (await store.api.get('/incidents?kind=antenna-off')).items[0], 60000);
		return { id: incident.id, note: `looked at ${fresh()}` };
	},
	act: (store, ctx) => post(store, `/incidents/${ctx.id}/acknowledge`, { note: ctx.note }, ctx),
	outcome: async (store, ctx) => {
		const { acknowledged, changes } = await store.api.get(`/incidents/${ctx.id}`);
		const trail = changes.filter((c) => c.what === 'acknowledged' && c.text === ctx.note).length;
		const record = await audited(store, `incident:${ctx.id}`, 'incident.acknowledge', (text) => text === ctx.note);
		if (trail !== record || (acknowledged?.note === ctx.note) !== trail > 0) throw new Error(`half done: ${acknowledged?.note}, ${trail} in its trail, ${record} on record`);
		return trail ? 'done' : 'nothing';
	},
};

/* --- walks and models ------------------------------------------------------------------------------------- */

const walksOf = async (store, epc) => (await store.api.all('/walks')).filter((w) => w.epc.toLowerCase() === epc.toLowerCase());
const startWalk = (store, ctx, key = ctx.key) => post(store, '/walks', { place_id: ctx.place, epc: ctx.epc, seconds: ctx.seconds ?? 3600 }, { key });
const newWalk = async (store) => ({ epc: `3034257bf400b780${randomBytes(4).toString('hex')}`, place: (await placeNamed(store, 'Floor')).id });

async function deleteWalk(store, ctx) {
	for (const w of await walksOf(store, ctx.epc)) await store.api.call('DELETE', `/api/v1/walks/${w.id}`);
}

const walkRows = [
	{
		name: 'walk begun', points: { 'ctl.walk.before_commit': 'nothing', 'ctl.db.after_commit': 'done', 'ctl.db.before_done': 'done' },
		prepare: newWalk,
		act: startWalk,
		outcome: async (store, ctx) => whole((await walksOf(store, ctx.epc)).filter((w) => w.open).length, 1, 'walks'),
		after: deleteWalk,
	},
	{
		name: 'walk ended', points: { 'ctl.walk.before_commit': 'nothing', 'ctl.db.after_commit': 'done' },
		prepare: async (store) => {
			const ctx = await newWalk(store), r = await startWalk(store, ctx, `walk-${ctx.epc}`);
			return { ...ctx, id: r.body.id };
		},
		act: (store, ctx) => post(store, `/walks/${ctx.id}/stop`, {}, ctx),
		outcome: async (store, ctx) => {
			const { open, ended } = await store.api.get(`/walks/${ctx.id}`);
			/* Asked again, it has ended when it ended. */
			if (!open && (ctx.ended ??= ended) !== ended) throw new Error(`it ended at ${ctx.ended}, and again at ${ended}`);
			return open ? 'nothing' : 'done';
		},
		after: deleteWalk,
	},
	{
		name: 'model put aside', points: { 'ctl.model.before_commit': 'nothing', 'ctl.db.after_commit': 'done' },
		prepare: async (store) => ({ were: await audited(store, 'none', 'place-model.use') }),
		act: (store) => store.api.request('PUT', '/api/v1/place-models/active', { model_id: null }),
		/* There is no model to be seen: what is on record tells. */
		outcome: async (store, ctx) => ((await audited(store, 'none', 'place-model.use')) > ctx.were ? 'done' : 'nothing'),
	},
];

/* Raw reads of a carried tag, owed while the controller stands still, and told when it goes on. A reader on a busy
 * machine tells two reads of one moment as one: a few fewer rows than reads are no loss. Reads go in chunks of a second,
 * and one that is lost or told twice is more than that. */
const ENOUGH = 0.8;

const inTruth = async (store, epc) => (await store.truth.ask({ op: 'reads', epc })).antennas.reduce((n, a) => n + a.reads, 0);
const keptReads = async (store, ctx) => (await store.api.request('GET', `/api/v1/walks/${ctx.id}/reads.csv`)).raw.toString().trim().split('\n').slice(1);

const readsTold = {
	name: 'raw reads told', only: 'points',
	points: { 'ctl.reads.before_commit': 'done', 'ctl.reads.after_commit': 'done', 'agent.reads.before': 'done', 'agent.reads.after': 'done' },
	prepare: async (store) => {
		const items = (await itemsOf(store)).filter((i) => i.place === 'Floor' && !names.has(i.epc)), n = fresh();
		const [{ epc }, other] = [items[n % items.length], items[(n + 1) % items.length]];
		const ctx = { epc, place: (await placeNamed(store, 'Floor')).id, seconds: 600 }, second = { ...ctx, epc: other.epc };
		const move = (place) => store.truth.ask({ op: 'move', epc, place });
		store.clock.setRate(4);
		await move('nowhere');
		await store.clock.pass(3000);
		const before = await inTruth(store, epc);
		ctx.id = (await startWalk(store, ctx, `walk-${n}`)).body.id;
		/* Whoever follows the walk begun later follows this one too. */
		second.id = (await startWalk(store, second, `second-${n}`)).body.id;
		await until('the walks to be followed', async () => (await store.api.get(`/walks/${second.id}`)).reads > 0, 60000);
		await store.api.call('DELETE', `/api/v1/walks/${second.id}`);
		await store.clock.pass(5000);
		process.kill(store.controller.pid, 'SIGSTOP');
		await move('Back room');
		await until('reads in the other room', async () => (await inTruth(store, epc)) - before > 20, 60000);
		await move('nowhere');
		/* A chunk is full or a second old, and the journal is on flash soon after. */
		await store.clock.pass(5000);
		ctx.want = (await inTruth(store, ctx.epc)) - before;
		return ctx;
	},
	act: async (store, ctx) => {
		process.kill(store.controller.pid, 'SIGCONT');
		await until('the reads to be told', async () => (await keptReads(store, ctx)).length >= ENOUGH * ctx.want, 3000);
		return { status: 200 };
	},
	outcome: async (store, ctx) => {
		await until('every read to be told', async () => {
			const { length } = await keptReads(store, ctx);
			if (length < ENOUGH * ctx.want) throw new Error(`${length} of ${ctx.want}`);
			return true;
		}, 120000);
		await store.clock.pass(3000);
		const kept = await keptReads(store, ctx);
		if (kept.length > ctx.want) throw new Error(`${ctx.want} reads, and ${kept.length} were kept`);
		return 'done';
	},
	after: async (store, ctx) => {
		store.clock.setRate(20);
		await deleteWalk(store, ctx);
		await store.truth.ask({ op: 'move', epc: ctx.epc, place: 'Floor' });
	},
};

/* --- keys of labels --------------------------------------------------------------------------------------- */

const ordersFor = (store, ctx) => audited(store, ctx.agent.name, 'labels.rotate-keys');

const keysOrdered = {
	name: 'keys ordered',
	points: {
		...COMMIT, 'agent.keys.before_begin': 'done', 'agent.keys.after_begin': 'done', 'agent.keys.before_end': 'done', 'agent.keys.after_end': 'done',
		/* the new ones go into escrow */
		'agent.escrow.before_tell': 'done', 'agent.escrow.before_mark': 'done', 'agent.escrow.after_mark': 'done',
		'ctl.escrow.before_commit': 'done', 'ctl.escrow.before_ack': 'done',
	},
	prepare: async (store) => {
		const agent = await agentOf(store);
		return { agent, were: await ordersFor(store, { agent }), at: store.now().getTime() };
	},
	act: (store, ctx) => post(store, `/agents/${ctx.agent.id}/rotate-keys`, {}, ctx),
	outcome: async (store, ctx) => ((await ordersFor(store, ctx)) > ctx.were ? 'done' : 'nothing'),
	after: async (store, ctx) => {
		await until('every label to have the new key', async () => {
			const { keys } = (await store.api.get(`/agents/${ctx.agent.id}`)).radio;
			if (keys.rotating || keys.old || keys.unescrowed || Date.parse(keys.since) < ctx.at) throw new Error(JSON.stringify(keys));
			return true;
		}, 120000, 250);
	},
};

export const floorOperations = [tagWritten, incidentAcknowledged, ...walkRows, readsTold, keysOrdered];
