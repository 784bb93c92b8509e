// SPDX-License-Identifier: Apache-2.0
// The demo store of ./quickstart. `run` prints where to look and stays until Ctrl-C; `check` takes the
// store through a price change and a stock move and compares both with the simulator's truth.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import net from 'node:net';
import { Store } from './store.mjs';
import { itemFollowsMove, panelOf, panelShowsWanted } from './checks.mjs';

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
			say('check passed');
		} else {
			introduce(store);
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
