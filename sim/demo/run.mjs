// SPDX-License-Identifier: Apache-2.0
// The demo store of ./quickstart. `run` prints where to look and stays until Ctrl-C; `check` takes the
// store through a price change, a stock move, a promotion, a rollout and a theft, and compares all with the
// simulator's truth.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import net from 'node:net';
import { Store } from './store.mjs';
import { itemFollowsMove, panelOf, panelShowsWanted } from './checks.mjs';
import { furnish, takeBooks } from './furnish.mjs';
import { checkDifference, checkPromotion, checkRollout } from './journeys.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const build = process.env.GONDOLA_BUILD ?? join(here, '..', '..', 'build');
const mode = process.argv[2] ?? 'run';

const say = (text) => console.log(text);

/** The usual port if nobody has it, else any. */
function freePort(port) {
	return new Promise((resolve) => {
		const s = net.createServer();
		s.once('error', () => resolve(0));
		s.listen(port, '127.0.0.1', () => s.close(() => resolve(port)));
	});
}

async function makeStore() {
	return new Store({
		dir: mkdtempSync(join(tmpdir(), 'gondola-demo-')),
		bin: join(build, 'bin'),
		webRoot: join(build, 'web', 'dist'),
		products: join(here, 'products.csv'),
		/* A theft is missed after half an hour; nobody watches a check for that long. */
		controllerConfig: mode === 'check' ? ['books { grace_s = 5 }'] : [],
		publicPort: mode === 'run' ? await freePort(8443) : 0,
		agentsPort: mode === 'run' ? await freePort(8444) : 0,
	});
}

async function checkPriceChange(store) {
	const labels = await store.allShown(300000);
	const label = labels.find((l) => l.product && l.width === 296);
	const before = await panelOf(store, label.id);
	const price = 100 + Math.floor(Math.random() * 900);
	const started = Date.now();
	await store.ctl('price', 'set', label.product.gtin, (price / 100).toFixed(2));
	const { panel } = await panelShowsWanted(store, label.id, { price });
	if (panel.hash === before.hash) throw new Error('the panel did not change');
	say(`price: label ${label.id} shows ${(price / 100).toFixed(2)} EUR for ${label.product.name}, every pixel as previewed, ${Date.now() - started} ms after the command`);
}

async function checkStockMove(store) {
	const { items } = await store.truth.ask({ op: 'items' });
	const item = items.find((i) => i.place === 'Back room') ?? items[0];
	const to = item.place === 'Dry goods' ? 'Drinks' : 'Dry goods';
	const { ms, item: seen } = await itemFollowsMove(store, item.epc, to);
	say(`stock: item ${item.epc} moved from ${item.place} to ${to}, seen after ${ms} ms with confidence ${seen.confidence}`);
	say((await store.ctl('items', item.epc)).trimEnd());
}

/** A label of each access point, with a product of its own; the promotion's is a third one. */
async function checkOffers(store) {
	const labels = (await store.allShown(300000)).filter((l) => l.product && l.width === 296);
	const [promoted, heard] = labels.filter((l) => l.agent === 'floor').slice(2), deaf = labels.find((l) => l.agent === 'back');
	/* One waits for full minutes while the other waits for an access point. */
	const told = [checkPromotion(store, promoted), checkRollout(store, heard, deaf)].map((c) => c.then(say));
	await Promise.all(told);
}

async function checkTheft(store) {
	await takeBooks(store);
	const { items } = await store.truth.ask({ op: 'items' });
	const gtins = new Map((await store.api.all('/products')).map((p) => [p.gtin, p]));
	for (const { epc } of items) {
		const item = await store.api.get(`/items/${epc}`);
		if (item.product && gtins.has(item.gtin)) {
			say(await checkDifference(store, gtins.get(item.gtin), epc));
			return;
		}
	}
	throw new Error('there is no item of a known product');
}

function introduce(store) {
	say('');
	say(`The demo store is open at ${store.url}/`);
	say('(its certificate comes from the store\'s own authority: the browser asks once)');
	say('');
	for (const [user, first] of [['manager', 'Products: change a price, watch the label'], ['stock', 'Stock: live stock by product and place'], ['it', 'Agents: health of the access points, join codes'], ['admin', 'everything, and Users']])
		say(`  user ${user.padEnd(8)} password ${store.passwords[user].padEnd(24)} ${first}`);
	say(`  access points join at ${store.agentsUrl}`);
	say('');
	say('On the command line:');
	say(`  export GONDOLA_URL=${store.url} GONDOLA_CA=${store.path('gondolad', 'ca', 'ca.pem')}`);
	say(`  ${store.program('gondolactl')} login --user manager`);
	say('');
	say('Ctrl-C stops it.');
}

async function stayOpen(store, stopRequested) {
	let last = -1;
	store.allShown(600000, (n, of) => {
		if (n !== last) say(`labels showing their price: ${n} of ${of}`);
		last = n;
	}).catch(() => {});
	const died = Promise.race([store.sim, store.controller, ...store.agents.values()].map((p) => p.done.then((how) => `${p.name} ended: ${JSON.stringify(how)}`)));
	const why = await Promise.race([stopRequested, died]);
	if (why) throw new Error(why);
}

const stopRequested = new Promise((resolve) => {
	process.once('SIGINT', () => resolve(''));
	process.once('SIGTERM', () => resolve(''));
});

const store = await makeStore();
let failed = false;
try {
	say('Starting the demo store: simulator, controller, two agents ...');
	const opened = (async () => {
		await store.start({ link: true });
		for (const role of ['manager', 'stock', 'it']) await store.addUser(role, role);
		return true;
	})();
	if (await Promise.race([opened, stopRequested.then(() => false)])) {
		if (mode === 'check') {
			await checkPriceChange(store);
			await checkStockMove(store);
			await checkOffers(store);
			await checkTheft(store);
			say('check passed');
		} else {
			introduce(store);
			furnish(store).catch((e) => say(`the store could not be furnished: ${e.message}`));
			await stayOpen(store, stopRequested);
		}
	}
} catch (e) {
	failed = true;
	console.error(`error: ${e.message}`);
	console.error(`logs are in ${store.dir}`);
} finally {
	if (mode === 'run') say('\nStopping ...');
	await Promise.race([store.stop(), new Promise((r) => setTimeout(r, 15000))]).catch(() => {});
	store.kill();
	if (!failed) rmSync(store.dir, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);
