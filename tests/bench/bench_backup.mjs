// SPDX-License-Identifier: Apache-2.0
// What a backup of a store of 100,000 products and 100,000 items takes, while prices go on changing: time from the
// call to the synced file, its size, the slowest price change beside it; then the restore, and the first start from
// it. PRODUCTS and ITEMS choose how many.
import { spawn, spawnSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Daemon, program } from '../integration/core_daemon.mjs';

const products = Number(process.env.PRODUCTS ?? 100000), items = Number(process.env.ITEMS ?? 100000);
const d = new Daemon(), file = join(d.dir, 'store.backup');
const line = (name, value, unit) => console.log(`bench ${name} ${value} ${unit}`);
const words = { GONDOLA_BACKUP_PASSPHRASE: 'three ducks in a canoe' };
const env = () => ({ ...process.env, ...words, GONDOLA_URL: `https://127.0.0.1:${d.publicPort}`, GONDOLA_CA: join(d.state, 'ca', 'ca.pem'), GONDOLA_USER: 'admin', GONDOLA_PASSWORD: d.password });

function must(r, what) {
	if (r.status !== 0 && !(r.status >= 200 && r.status < 300)) throw new Error(`${what}: ${r.status} ${r.stderr ?? r.body}`);
	return r;
}

function gtin13(n) {
	const body = `400${String(n).padStart(9, '0')}`;
	const sum = [...body].reduce((s, c, i) => s + Number(c) * (i % 2 ? 3 : 1), 0);
	return body + String((10 - (sum % 10)) % 10);
}

/* --- sightings, as an agent sends them ------------------------------------------------------------ */

function head(major, n) {
	if (n < 24) return Buffer.from([major << 5 | n]);
	const b = Buffer.alloc(9);
	b[0] = major << 5 | 27;
	b.writeBigUInt64BE(BigInt(n), 1);
	return b;
}
const num = (n) => (n < 0 ? head(1, -1 - n) : head(0, n));
const list = (parts) => Buffer.concat([head(4, parts.length), ...parts]);
const bytes = (b) => Buffer.concat([head(2, b.length), b]);
const text = (s) => Buffer.concat([head(3, s.length), Buffer.from(s)]);

function sighting(serial, now) {
	const epc = Buffer.from('3074257bf7194e4000000000', 'hex');
	epc.writeUInt32BE(serial, 8);
	return list([num(1), bytes(epc), num(0), num(now), num(1000000), num(5), num(-5500), num(-5400), num(5000)]);
}

function batch(first, n) {
	const now = Date.now() * 1000, map = [[0, num(1)], [1, num(2)], [2, bytes(Buffer.alloc(16, 7))], [3, num(first)],
		[4, list([list([text('dock'), num(1)])])], [5, list(Array.from({ length: n }, (_, i) => sighting(first + i, now)))]];
	return Buffer.concat([head(5, map.length), ...map.flatMap(([k, v]) => [num(k), v])]);
}

/* --- the measurement ------------------------------------------------------------------------------ */

async function fill() {
	const csv = join(d.dir, 'products.csv'), rows = ['gtin,name,price,brand,category'];
	for (let i = 0; i < products; i++) rows.push(`${gtin13(i)},Product number ${i},${(((i % 5000) + 99) / 100).toFixed(2)},Brand ${i % 200},Category ${i % 50}`);
	writeFileSync(csv, rows.join('\n') + '\n');
	must(spawnSync(join(dirname(program), 'gondolactl'), ['products', 'import', csv], { encoding: 'utf8', env: env() }), 'import');
	const who = d.request('bench'), agent = await d.enrol(await d.joinCode(), who);
	for (let at = 0; at < items; at += 1000)
		must(await d.ask('POST', '/agent/v1/sightings', { port: d.agentsPort, body: batch(at + 1, Math.min(1000, items - at)), type: 'application/cbor', cert: agent.cert, key: agent.key }), 'sightings');
}

async function takeUnderLoad() {
	let stop = false, slowest = 0, n = 0;
	const load = (async () => {
		while (!stop) {
			const t = performance.now();
			must(await d.ask('POST', '/api/v1/price-changes', { body: { gtin: gtin13(n % products), price_minor: 1000 + n } }), 'price');
			slowest = Math.max(slowest, performance.now() - t);
			n++;
		}
	})();
	const began = performance.now(), child = spawn(join(dirname(program), 'gondolactl'), ['backup', file], { env: env(), stdio: 'ignore' });
	const status = await new Promise((yes) => child.on('exit', yes));
	const took = performance.now() - began;
	stop = true;
	await load;
	must({ status }, 'backup');
	line('backup.time', Math.round(took), 'ms');
	line('backup.size', (statSync(file).size / 1e6).toFixed(1), 'MB');
	line('backup.price_changes_meanwhile', n, 'changes');
	line('backup.slowest_price_change', Math.round(slowest), 'ms');
}

try {
	await d.start();
	await d.signIn();
	await fill();
	console.log(`# ${products} products with a price each, ${items} items on one antenna, prices changed one after another meanwhile`);
	await takeUnderLoad();
	await d.stop();
	const began = performance.now();
	must(spawnSync(program, ['--config', d.config, '--restore', file], { encoding: 'utf8', env: { ...process.env, ...words } }), 'restore');
	line('backup.restore', Math.round(performance.now() - began), 'ms');
	const again = performance.now();
	await d.start();
	line('backup.first_start', Math.round(performance.now() - again), 'ms');
	await d.signIn();
	const m = (await d.ask('GET', '/metrics')).body.toString();
	line('backup.items_back', /^gondola_items (\d+)$/m.exec(m)[1], 'items');
	await d.stop();
} finally {
	await d.end();
}
