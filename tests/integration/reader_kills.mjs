// SPDX-License-Identifier: Apache-2.0
// Kills the agent with -9 while its reader works, again and again. The reader holds what it reads meanwhile:
// afterwards every item is where the simulator has it, nothing is held back or dropped, the reader's inventory
// was never torn down, and what died in the socket shows as a gap with a length. KILLS=50 for more.
import { assert, random, run, test } from '../lib/tap.mjs';
import { endStore, newStore, oneAp } from '../lib/stores.mjs';
import { delay, until } from '../../sim/demo/process.mjs';

const kills = Number(process.env.KILLS ?? 4), seed = Number(process.env.SEED ?? 11);
const rnd = random(seed), pick = (list) => list[Math.floor(rnd() * list.length)];
const store = newStore(oneAp({ items: 80, aps: [{ name: 'ap1', antennas: 4 }] }));
let items = [], failed = true, inView;

const reader = async () => (await store.api.call('GET', '/api/v1/agents')).items[0].readers[0];
const simulated = async () => (await store.truth.ask({ op: 'readers' })).readers[0];

/** Every item at its true place, by the controller's account. */
async function allPlaced(patience = 30000) {
	return until('every item to be where it is', async () => {
		const { items: truth } = await store.truth.ask({ op: 'items' });
		const stock = await store.api.call('GET', '/api/v1/stock?limit=1000');
		const count = (place) => stock.items.flatMap((p) => p.places).filter((p) => p.place === place).reduce((n, p) => n + p.count, 0);
		return ['Floor', 'Back room'].every((place) => count(place) === truth.filter((i) => i.place === place).length) && truth;
	}, patience, 250);
}

async function move() {
	const item = pick(items);
	await store.truth.ask({ op: 'move', epc: item.epc, place: item.place === 'Floor' ? 'Back room' : 'Floor' });
	item.place = item.place === 'Floor' ? 'Back room' : 'Floor';
	return item;
}

test('a store counts its items', async () => {
	await store.start({ link: false });
	items = await allPlaced(60000);
	inView = (await simulated()).connections;
});

test(`${kills} kills (seed ${seed}) leave every item where it is, also those that moved meanwhile`, async () => {
	for (let i = 0; i < kills; i++) {
		await move();
		await delay(Math.floor(rnd() * 1500));
		const agent = store.agents.get('ap1');
		agent.kill('SIGKILL');
		await agent.done;
		await move();
		await delay(500 + Math.floor(rnd() * 2500));
		assert((await simulated()).inventory, 'the reader goes on by itself');
		store.startAgent('ap1');
		const started = Date.now();
		await until('the reader to be served again', async () => (await simulated()).connected, 20000, 50);
		items = await allPlaced();
		console.log(`# kill ${i + 1}: all right ${Date.now() - started} ms after the start`);
	}
	assert((await simulated()).dropped <= kills * 200, 'only what fell between the kill and its notice is lost');
});

test('the last life found the inventory running and shows what may be missing', async () => {
	const r = await until('the ledger', async () => {
		const now = await reader();
		return now?.ledger?.resumed === 1 && now.ledger.held > 0 && now;
	}, 90000, 500);
	assert(r.ledger.reports === r.ledger.handed_on + r.ledger.strange + r.ledger.unclaimed, JSON.stringify(r.ledger));
	assert(r.ledger.gaps === 1 && r.ledger.last_gap.cause === 'connection' && r.ledger.gaps_ms < 15000, JSON.stringify(r.ledger));
	assert((await simulated()).connections === inView + kills, 'one connection for each life');
	assert(r.troubles.length === 0, JSON.stringify(r.troubles));
	failed = false;
});

await run(() => endStore(store, failed));
