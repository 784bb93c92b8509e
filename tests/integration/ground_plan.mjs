// SPDX-License-Identifier: Apache-2.0
// A store with a ground plan, whose tags are heard as radio has it: what lies still is found where it lies, and
// an item that somebody carries to another room, or out of the store, is followed.
import { assert, run, test } from '../lib/tap.mjs';
import { endStore, newStore } from '../lib/stores.mjs';
import { until } from '../../sim/demo/process.mjs';

const items = 60;
const place = (name, kind, ap, antennas, x, y, w, h, more = '') => ({ name, kind, ap, antennas, plan: ` x = ${x} y = ${y} w = ${w} h = ${h} ${more}` });
const antenna = (reader, n, x, y) => `antenna "${reader} ${n}" { reader = "${reader}" number = ${n} x = ${x} y = ${y} z = 2.6 tilt = 90 }`;
const store = newStore({
	seed: 3, loss: 0, items, moveEverySeconds: 0,
	places: [
		place('Floor', 'sales-floor', 'shop', [1, 2], 0, 0, 7, 4),
		place('Back room', 'back-room', 'shop', [3, 4], 0, 4.2, 7, 4, 'wall_db = 12 door = "3.5,4.1"'),
		place('Exit', 'exit', 'door', [1], 9, 1, 2, 2),
	],
	aps: [{ name: 'shop', antennas: 4 }, { name: 'door', antennas: 1 }],
	floorPlan: [antenna('shop', 1, 1.8, 2), antenna('shop', 2, 5.2, 2), antenna('shop', 3, 1.8, 6.2), antenna('shop', 4, 5.2, 6.2), antenna('door', 1, 10, 2), 'room { outside = "30,2" }'],
});

const claimed = async () => new Map((await store.api.all('/items')).filter((i) => i.state === 'present' && i.place).map((i) => [i.epc, i.place.name]));
const truth = async () => (await store.truth.ask({ op: 'items' })).items;

/** An item that lies in that place, and is believed to. */
async function rightOne(name) {
	const now = await claimed();
	return (await truth()).find((t) => t.place === name && now.get(t.epc) === name).epc;
}

test('what lies still is found where it lies', async () => {
	await store.start({ link: false });
	let right = 0, wrong = 0;
	await until('nearly all of what is heard to be where it is', async () => {
		const now = await claimed(), all = (await truth()).filter((t) => t.place !== 'Exit');
		right = all.filter((t) => now.get(t.epc) === t.place).length;
		wrong = all.filter((t) => now.has(t.epc) && now.get(t.epc) !== t.place).length;
		return right >= all.length * 0.8 && wrong <= all.length * 0.15;
	}, 60000, 500);
	console.log(`# ${right} right, ${wrong} wrong`);
});

test('an item that is carried to another room is followed there', async () => {
	const epc = await rightOne('Floor');
	const walk = await store.truth.ask({ op: 'walk', epc, place: 'Back room', speed: 1.2 });
	assert(walk.path?.length >= 3, `it goes through the door: ${JSON.stringify(walk)}`);
	await until('it to be in the back room by the product\'s account', async () => (await claimed()).get(epc) === 'Back room', 60000, 300);
	const really = await until('the walk to end', async () => {
		const at = await store.truth.ask({ op: 'where', epc });
		return at.walking === null && at;
	}, 30000, 300);
	assert(really.place === 'Back room', `it lies in the back room: ${JSON.stringify(really)}`);
});

test('an item that is walked out of the store is no longer in it', async () => {
	const epc = await rightOne('Floor');
	await store.truth.ask({ op: 'walk', epc, place: 'nowhere', how: 'stolen', speed: 1.2 });
	await until('the product to miss it', async () => !['Floor', 'Back room'].includes((await claimed()).get(epc)), 90000, 300);
	const { passages } = await until('it to have left', async () => {
		const p = await store.truth.ask({ op: 'passages', since_us: 0 });
		return p.passages.length && p;
	}, 60000, 300);
	assert(passages.length === 1 && passages[0].epc === epc && passages[0].how === 'stolen', `the truth tells who left: ${JSON.stringify(passages)}`);
});

await run((failed) => endStore(store, failed));
