// SPDX-License-Identifier: Apache-2.0
// A store with three rooms, in the simulator's radio model: somebody carries tags through the rooms, a model is
// learnt from it and says where things are; then somebody carries goods out by the door, paid and unpaid, and
// the controller dies between writing a passage down and saying so.
import { writeFileSync } from 'node:fs';
import { assert, run, test } from '../lib/tap.mjs';
import { endStore, newStore } from '../lib/stores.mjs';
import { delay, until } from '../../sim/demo/process.mjs';

const WALK_S = 21, LOOK_S = 6;
const rooms = [
	{ name: 'Floor', kind: 'sales-floor', antennas: [1], at: 'x = 0.0 y = 0.0 w = 7.0 h = 6.0' },
	{ name: 'Back room', kind: 'back-room', antennas: [2], at: 'x = 7.0 y = 0.0 w = 5.0 h = 6.0 wall_db = 4.0 door = "7,3"' },
	{ name: 'Way out', kind: 'exit', antennas: [3, 4], at: 'x = -4.0 y = 1.0 w = 4.0 h = 4.0 door = "0,3"' },
];
const antennas = [
	'x = 3.5 y = 0.3 z = 2.6 direction = 90.0 tilt = 35.0', 'x = 9.5 y = 0.3 z = 2.6 direction = 90.0 tilt = 35.0',
	'x = -0.3 y = 1.2 z = 2.4 direction = 60.0 tilt = 40.0', 'x = -3.4 y = 1.2 z = 2.4 direction = 120.0 tilt = 40.0',
];
const store = newStore({ seed: 5, loss: 0, places: rooms.map((r) => ({ ...r, ap: 'ap1' })), aps: [{ name: 'ap1', antennas: 4 }], items: 30, moveEverySeconds: 0 });
const text = store.writeSimConfig.bind(store);
store.writeSimConfig = () => {
	text();
	const out = [`seed = 5`, 'truth_port = 0', 'reader "ap1" { port = 0 antennas = 4 }', 'room { shadow_db = 2.0 outside = "-9,3" }'];
	for (const r of rooms) out.push(`place "${r.name}" { reader = "ap1" antennas = "${r.antennas.join(',')}" kind = "${r.kind}" ${r.at} }`);
	antennas.forEach((a, i) => out.push(`antenna "${i + 1}" { reader = "ap1" number = ${i + 1} ${a} }`));
	out.push(`goods { products = "${store.products}" items = 30 move_every_s = 0.0 }`);
	writeFileSync(store.path('sim.conf'), `${out.join('\n')}\n`);
};
const faults = store.path('fault');
writeFileSync(faults, '');
store.env = { gondolad: { GONDOLA_FAULT: `@${faults}`, GONDOLA_FAULT_LOG: store.path('fault.log') } };

let failed = true, carried = [];
const api = (...args) => store.api.call(...args);
const walkTo = (epc, place, more = {}) => store.truth.ask({ op: 'walk', epc, place, ...more });
const of = (epc, list) => list.items.filter((p) => p.epc.toUpperCase() === epc.toUpperCase());
const passages = async (epc) => of(epc, await api('GET', '/api/v1/passages'));
const incidents = async (epc, state = 'open') => (await api('GET', `/api/v1/incidents?state=${state}&kind=exit-unsold`)).items.filter((i) => i.subject.toUpperCase() === `ITEM:${epc.toUpperCase()}`);

/** The carried tags wander about their rooms; how often the store names the right one. */
async function wander(seconds) {
	const end = Date.now() + seconds * 1000;
	let looks = 0, right = 0;
	while (Date.now() < end) {
		for (const c of carried) await walkTo(c.epc, c.room, { speed: 0.9 }).catch(() => {});
		for (const c of carried) {
			const item = await api('GET', `/api/v1/items/${c.epc}`);
			looks++;
			right += item.place?.name === c.room;
		}
		await delay(350);
	}
	return right / looks;
}

test('a store with a ground plan hears its goods', async () => {
	await store.start({ link: false });
	const { items } = await store.truth.ask({ op: 'items' });
	carried = rooms.map((r) => ({ room: r.name, epc: items.find((i) => i.place === r.name).epc }));
	await until('the carried tags to be known', async () => {
		for (const c of carried) await walkTo(c.epc, c.room).catch(() => {});
		return (await Promise.all(carried.map((c) => api('GET', `/api/v1/items/${c.epc}`).catch(() => null)))).every(Boolean);
	}, 30000, 500);
});

test('walks through three rooms say how far they are, and a model is learnt from them', async () => {
	for (const c of carried) await store.ctl('walk', 'start', '--place', c.room, '--tag', c.epc, '--seconds', WALK_S);
	const before = await wander(WALK_S);
	await until('the walks to end by themselves', async () => (await api('GET', '/api/v1/walks')).items.every((x) => !x.open), 15000, 250);
	let last = -1;
	const walks = await until('the last reads to arrive', async () => {
		const w = (await api('GET', '/api/v1/walks')).items, sum = w.reduce((n, x) => n + x.reads, 0), same = sum === last;
		last = sum;
		return same && w;
	}, 15000, 1500);
	for (const w of walks) assert(w.reads > 20 && w.told > 5 && w.seconds === WALK_S && /Too short/.test(w.words), JSON.stringify(w));
	const csv = (await store.ctl('walk', 'export', walks[0].id, '-')).trim().split('\n');
	assert(csv.length === walks[0].reads + 1 && /^timestamp,/.test(csv[0]), `${csv.length} lines for ${walks[0].reads} reads`);
	const words = await store.ctl('places', 'model', 'fit');
	assert(/of 100 looks named the right place/.test(words), words);
	await store.ctl('places', 'model', 'activate', 1);
	const after = await wander(LOOK_S);
	console.log(`# right by the general rules ${before.toFixed(3)}, by the model ${after.toFixed(3)}`);
	assert(after >= before - 0.1 && after > 0.5, `the model is no worse: ${before} before, ${after} after`);
	const item = await api('GET', `/api/v1/items/${carried[0].epc}`);
	assert(item.judged.by === 'model' && /^fitted model of \d{4}-/.test(item.judged.words), JSON.stringify(item.judged));
});

test('what leaves unpaid becomes an incident, and what is paid does not', async () => {
	const wishes = () => store.agents.get('ap1').errors.filter((line) => line.includes('msg="desired state"')).length, before = wishes();
	await store.ctl('doors', 'set', 'Main door', '--place', 'Way out', '--agent', 'ap1', '--inner', 'ap1:3', '--outer', 'ap1:4', '--grace', 1);
	await until('the agent to have heard of it', () => wishes() > before, 15000, 50);
	const floor = (await store.truth.ask({ op: 'items' })).items.filter((i) => i.place === 'Floor' && !carried.some((c) => c.epc === i.epc));
	const [stolen, paid] = floor;
	await api('POST', '/api/v1/sales', { sales: [{ id: '1', at: new Date().toISOString(), till: 'till 1', lines: [{ epc: paid.epc }] }] });
	await walkTo(stolen.epc, 'nowhere', { how: 'stolen' });
	await walkTo(paid.epc, 'nowhere', { how: 'sold' });
	const [incident] = await until('the incident', async () => {
		const i = await incidents(stolen.epc);
		return i.length && i;
	}, 30000, 250);
	const [p] = await passages(stolen.epc);
	console.log(`# ${p.reads} reads: ${p.direction}, confidence ${p.confidence.toFixed(2)}`);
	assert(p.direction === 'out' && p.state === 'unsold' && p.door.name === 'Main door', JSON.stringify(p));
	const full = await api('GET', `/api/v1/incidents/${incident.id}`);
	const evidence = full.detail ?? full.evidence;
	assert(evidence.direction === 'out' && evidence.chart.length > 5 && /Look at the door/.test(full.next_step), JSON.stringify(full));
	await until('the paid one to be explained', async () => (await passages(paid.epc))[0]?.state === 'sold', 15000, 250);
	assert((await incidents(paid.epc)).length === 0, 'nothing is said of what was paid');
	await api('POST', '/api/v1/sales', { sales: [{ id: '2', at: new Date().toISOString(), till: 'till 1', lines: [{ epc: stolen.epc }] }] });
	await until('the late sale to close it', async () => (await incidents(stolen.epc)).length === 0, 10000, 100);
	assert(/till 1/.test((await passages(stolen.epc))[0].note), 'with the reason');
});

test('a controller that dies between writing a passage and saying so has it once', async () => {
	const floor = (await store.truth.ask({ op: 'items' })).items.filter((i) => i.place === 'Floor' && !carried.some((c) => c.epc === i.epc));
	writeFileSync(faults, 'ctl.reads.after_commit:1');
	await walkTo(floor[0].epc, 'nowhere', { how: 'stolen' });
	await store.controller.done;
	writeFileSync(faults, '');
	await store.startController();
	store.api = await store.signIn();
	await until('the incident', async () => (await incidents(floor[0].epc)).length, 40000, 250);
	const all = await passages(floor[0].epc);
	assert(all.length === 1 && all[0].state === 'unsold', JSON.stringify(all));
	assert((await api('GET', '/api/v1/place-models')).items[0].active, 'the model is in use as before');
	failed = false;
});

await run(() => endStore(store, failed));
