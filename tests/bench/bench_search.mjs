// SPDX-License-Identifier: Apache-2.0
// How long a person waits for the product list: from a keystroke in the search box to the filtered rows painted, in
// a browser at a real controller with 100,000 products. PRODUCTS and ROUNDS choose how much.
import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { endStore, newStore, oneAp } from '../lib/stores.mjs';
import { launch, missing, openPage, signIn } from '../e2e/browser.mjs';

const PRODUCTS = Number(process.env.PRODUCTS ?? 100_000), ROUNDS = Number(process.env.ROUNDS ?? 5), PART = 20_000;
const THINGS = ['Espresso beans', 'Oat drink', 'Olive oil', 'Penne rigate', 'Tomato passata', 'Dark chocolate', 'Sparkling water', 'Green tea', 'Basmati rice', 'Raspberry jam', 'Hand soap', 'Felt tip pen'];
const BRANDS = ['Alba', 'Nordhof', 'Casa Rossi', 'Tillmann', 'Verde', 'Morgenrot'];
const store = newStore(oneAp());

function gtin(i) {
	const d = `952${String(i).padStart(9, '0')}`;
	const sum = [...d].reduce((n, c, k) => n + Number(c) * (k % 2 ? 3 : 1), 0);
	return d + ((10 - (sum % 10)) % 10);
}

const row = (i) => `${gtin(i)},${THINGS[i % THINGS.length]} no. ${i},${BRANDS[i % BRANDS.length]},${(99 + (i % 900)) / 100}`;

async function fill() {
	const begun = Date.now();
	for (let at = 0; at < PRODUCTS; at += PART) {
		const rows = Array.from({ length: Math.min(PART, PRODUCTS - at) }, (_, k) => row(at + k));
		await store.api.call('POST', '/api/v1/products/import', `gtin,name,brand,price\n${rows.join('\n')}\n`, { 'content-type': 'text/csv' });
	}
	console.log(`# ${PRODUCTS} products imported in ${((Date.now() - begun) / 1000).toFixed(1)} s`);
}

/** What is typed: a word of many products, of few, of one, two words, the digits of a GTIN, and nothing that is there. */
const QUERIES = ['oil', 'no. 4711', 'jam no. 99', 'espresso 77', `${gtin(77_777).slice(0, 12)}`, 'zebra', 'olive 12345', '9520000'];

/** Milliseconds from the last key of the query to the painted rows, by the page's own clock. */
async function measure(page, query) {
	const total = (await store.api.get(`/products?limit=1&q=${encodeURIComponent(query)}`)).total;
	const box = page.locator('[data-search]');
	await box.fill(query.slice(0, -1));
	await page.waitForFunction((q) => new URL(location.href).searchParams.get('q') === q, query.slice(0, -1).trim());
	await page.waitForFunction(() => document.querySelector('.vbox')?.getAttribute('aria-busy') !== 'true');
	await page.evaluate(
		({ q, text }) => {
			window.took = new Promise((done) => {
				let begun = 0;
				document.querySelector('[data-search]').addEventListener('input', () => (begun = performance.now()), { once: true, capture: true });
				const there = () => {
					const list = document.querySelector('.vbox'), words = q.toLowerCase().split(' ');
					const first = document.querySelector('.vrow[data-index="0"]')?.textContent?.toLowerCase() ?? '';
					if (text === null) return !!document.querySelector('.empty');
					return list?.getAttribute('aria-rowcount') === text && words.every((w) => /^\d{7,}$/.test(w) || first.includes(w));
				};
				const look = () => {
					if (begun && new URL(location.href).searchParams.get('q') === q && document.querySelector('.vbox')?.getAttribute('aria-busy') !== 'true' && there()) {
						// Twice: the first callback runs before the rows are painted, the second after.
						requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - begun)));
					} else requestAnimationFrame(look);
				};
				look();
			});
		},
		{ q: query, text: total ? String(total + 1) : null },
	);
	await box.press('End');
	await page.keyboard.type(query.at(-1));
	return page.evaluate(() => window.took);
}

/** Milliseconds of processor time that the controller has used. */
const cpu = () => readFileSync(`/proc/${store.controller.pid}/stat`, 'latin1').split(') ')[1].split(' ').slice(11, 13).reduce((n, t) => n + 10 * Number(t), 0);

const percentile = (list, p) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.ceil((p / 100) * list.length) - 1)];
const line = (name, value) => console.log(`bench ${name} ${Math.round(value)} ms`);

const why = missing();
if (why) {
	console.log(`# not run: ${why}`);
	process.exit(0);
}
let browser, failed = true;
try {
	browser = await launch();
	await store.startController();
	store.api = await store.signIn();
	await fill();
	const { page } = await openPage(browser, { ignoreHTTPSErrors: true });
	await signIn(page, store.url, 'admin', store.passwords.admin);
	await page.locator('.vrow .row-link').first().waitFor();
	const took = [], busy = cpu();
	for (let r = 0; r < ROUNDS; r++) for (const q of QUERIES) took.push(await measure(page, q));
	/* Each measurement asks three times: for its total, with one letter less, and with all of it. */
	const spent = (cpu() - busy) / took.length / 3;
	await page.goto(`${store.url}/products`);
	await page.locator('.vrow .row-link').first().waitFor();
	const first = await page.evaluate(() => performance.now());
	console.log(`# ${PRODUCTS} products in a real gondolad on this machine, over TLS on loopback, headless Chromium ${browser.version()} at 1280x800, ${cpus().length} cores, load average ${loadavg()[0].toFixed(1)}; ${took.length} searches of ${QUERIES.length} kinds; the pause after typing is in it`);
	line('product_search_keystroke_to_rows_p50', percentile(took, 50));
	line('product_search_keystroke_to_rows_p95', percentile(took, 95));
	line('product_search_keystroke_to_rows_max', Math.max(...took));
	console.log(`bench product_search_controller_cpu ${spent.toFixed(1)} ms_per_search`);
	line('product_list_open_to_first_row', first);
	failed = false;
} finally {
	await browser?.close();
	await endStore(store, failed);
}
process.exit(failed ? 1 : 0);
