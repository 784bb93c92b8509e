// SPDX-License-Identifier: Apache-2.0
// The stock clerk at the page of a real store: book stock by file, a theft that becomes a difference with its events,
// a label linked by scanner, found by its light, and the floor drawn. What the page says is held against the
// simulator's truth.
import { assert, run, Skip, test } from '../lib/tap.mjs';
import { endStore, newStore, oneAp } from '../lib/stores.mjs';
import { allHeard, gtinOfEpc, itemsByGtin } from '../lib/day.mjs';
import { panelShowsWanted } from '../../sim/demo/checks.mjs';
import { until } from '../../sim/demo/process.mjs';
import { axe, launch, missing, openPage, shot, signIn } from './browser.mjs';
import { scan } from './scanner.mjs';

const store = newStore(oneAp({ aps: [{ name: 'ap1', panels: [{ labels: 3, width: 296, height: 128, type: 'bw' }], antennas: 4 }] }), { controllerConfig: ['books { grace_s = 5 }'] });
let browser, stolen, label;

const need = () => {
	const why = missing();
	if (why) throw new Skip(why);
};

/** A page of the stock clerk; it fails on any script error or violation of the policy. */
async function atPage(f) {
	const { context, page, trouble } = await openPage(browser, { ignoreHTTPSErrors: true });
	page.setDefaultTimeout(20000);
	try {
		await signIn(page, store.url, 'stock', store.passwords.stock);
		await f(page);
		const found = await axe(page);
		assert(found.length === 0, found.join('\n'));
		assert(trouble.length === 0, trouble.join('; '));
	} catch (e) {
		await shot(page, 'store-stock-failure').catch(() => {});
		throw e;
	} finally {
		await context.close();
	}
}

test('book stock comes in by file, and everything matches', async () => {
	need();
	browser = await launch();
	await store.start({ link: false });
	await store.addUser('stock', 'stock');
	await allHeard(store);
	const items = await itemsByGtin(store);
	const csv = ['gtin,quantity', ...[...items].map(([gtin, list]) => `${gtin},${list.length}`)].join('\n');
	await atPage(async (page) => {
		await page.goto(`${store.url}/differences/books/import`);
		await page.locator('.drop').waitFor();
		await page.locator('input[type=file]').setInputFiles({ name: 'books.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) });
		await page.getByRole('button', { name: `Import ${items.size} rows` }).click();
		await page.locator('[data-import=done]').waitFor();
		await page.goto(`${store.url}/differences`);
		await page.waitForFunction((n) => document.querySelector('[data-figure=matching] strong')?.textContent === String(n), items.size);
		assert((await page.locator('[data-figure=missing] strong').textContent()) === '0', 'nothing is missing');
	});
});

test('a theft becomes a difference that opens to the item and where it was last seen', async () => {
	need();
	[stolen] = (await store.truth.ask({ op: 'items' })).items.filter((i) => i.place === 'Floor');
	await atPage(async (page) => {
		await page.goto(`${store.url}/differences?reason=missing`);
		await page.locator('.empty').waitFor();
		await store.truth.ask({ op: 'leave', epc: stolen.epc, how: 'stolen' });
		const row = page.locator('.differences .vrow', { hasText: '1 missing' });
		await row.waitFor({ timeout: 60000 });
		await row.locator('[data-row]').press('Enter');
		const panel = page.locator('.panel');
		const item = panel.locator(`[data-epc="${stolen.epc.toLowerCase()}"]`);
		await item.waitFor();
		const text = await item.textContent();
		/* Where it was seen last is the belief's to say: the last weak reads may come from next door. */
		const last = (await store.api.get(`/items/${stolen.epc}`)).place.name;
		assert(text.includes(last) && /not sold/i.test(text), text);
		assert((await panel.locator('[data-sum]').textContent()).includes('Difference−1'), 'the sum');
		await panel.locator('.ledger tr[data-kind=book]').waitFor();
		await shot(page, 'store-stock-theft');
		await item.locator('a').click();
		await page.locator('.timeline li').first().waitFor();
		assert((await page.locator('.timeline').textContent()).includes(last), 'the item’s events');
	});
});

test('looking into it settles the difference', async () => {
	need();
	const product = (await store.api.get(`/differences?q=${gtinOfEpc(stolen.epc)}`)).items[0];
	await atPage(async (page) => {
		await page.goto(`${store.url}/differences/${product.product_id}`);
		const panel = page.locator('.panel');
		await panel.getByLabel('Reason', { exact: true }).fill('stolen');
		await panel.getByRole('button', { name: 'Settle' }).click();
		await panel.locator('.ledger tr[data-kind=adjustment]').waitFor();
		await panel.locator('.why[data-reason=matching]').waitFor();
	});
	const now = (await store.api.get(`/differences?q=${gtinOfEpc(stolen.epc)}`)).items[0];
	assert(now.expected === product.seen && now.difference === 0, JSON.stringify(now));
});

test('a label linked by scanner shows the product on its panel', async () => {
	need();
	const labels = await until('the labels to report', async () => {
		const l = await store.api.all('/labels');
		return l.length >= 3 && l;
	}, 60000, 500);
	const product = (await store.api.all('/products'))[0];
	label = labels[0];
	await atPage(async (page) => {
		await page.locator('.vrow').first().waitFor();
		await scan(page, label.id);
		await scan(page, product.gtin.replace(/^0/, ''));
		await page.locator('.scan-answer', { hasText: `${label.id} now belongs to ${product.name}` }).waitFor();
		await page.goto(`${store.url}/labels/links`);
		await page.locator('.link-history .vrow', { hasText: product.name }).waitFor();
	});
	assert((await store.api.get(`/labels/${label.id}`)).product.gtin === product.gtin, 'the link');
	await panelShowsWanted(store, label.id, { price: product.price_minor, timeoutMs: 60000 });
});

test('a label that is looked for blinks in the truth, and the page counts down', async () => {
	need();
	await atPage(async (page) => {
		await page.goto(`${store.url}/labels/${label.id}`);
		await page.locator('.panel').getByRole('button', { name: 'Flash' }).click();
		await until('the light', async () => (await store.truth.ask({ op: 'label', addr: label.id })).led, 20000, 200);
		await page.locator('[data-flash=on]', { hasText: 'Blinking' }).waitFor();
	});
});

test('the floor is drawn in the browser and shows the stock that moves on it', async () => {
	need();
	await atPage(async (page) => {
		await page.goto(`${store.url}/plan`);
		await page.getByRole('button', { name: 'Draw the plan' }).click();
		for (const name of ['Floor', 'Back room']) await page.getByRole('button', { name: `Put ${name} on the plan` }).click();
		await page.getByRole('button', { name: /^Put ap1 1 on the plan/ }).click();
		await page.getByRole('button', { name: 'Save plan' }).click();
		await page.getByRole('button', { name: 'Save plan', disabled: true }).waitFor();
		await page.getByRole('button', { name: 'Stop editing' }).click();
		const places = (await store.api.get('/places')).items;
		const id = places.find((p) => p.name === 'Back room').id;
		const inBack = async () => (await store.truth.ask({ op: 'items' })).items.filter((i) => i.place === 'Back room').length;
		const shows = (n) => page.waitForFunction(([p, v]) => document.querySelector(`[data-place="${p}"]`)?.getAttribute('data-items') === String(v), [id, n], { timeout: 30000 });
		await shows(await inBack());
		const item = (await store.truth.ask({ op: 'items' })).items.find((i) => i.place === 'Floor');
		await store.truth.ask({ op: 'move', epc: item.epc, place: 'Back room' });
		await shows(await inBack());
		await shot(page, 'store-stock-plan');
	});
	assert((await store.api.get('/plan')).places.length === 2, 'places on the stored plan');
});

await run(async (failed) => {
	await browser?.close();
	await endStore(store, failed);
});
