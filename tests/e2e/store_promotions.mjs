// SPDX-License-Identifier: Apache-2.0
// A manager makes a promotion at the page of a real store. What the page previewed is compared with the simulator's
// panels pixel by pixel, the instants with the simulator's clock; at the end the regular price is back. Then the page
// of a rollout beside what the labels show.
import { assert, run, Skip, test } from '../lib/tap.mjs';
import { endStore, newStore, oneAp } from '../lib/stores.mjs';
import { differingPixels, panelOf } from '../../sim/demo/checks.mjs';
import { until } from '../../sim/demo/process.mjs';
import { axe, launch, missing, openPage, shot, signIn } from './browser.mjs';

const store = newStore(oneAp({ items: 4, aps: [{ name: 'ap1', panels: [{ labels: 4, width: 296, height: 128, type: 'bw' }], antennas: 4 }] }));
const LEAD_MS = 11_000, RUN_MS = 9_000;
const at = {};
let browser, labels, page, context, trouble;

const need = () => {
	const why = missing();
	if (why) throw new Skip(why);
};

/** Wall time of the store with seconds. */
function wall(ms) {
	const parts = new Intl.DateTimeFormat('en-CA', { timeZone: store.zone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' }).formatToParts(ms);
	const of = (type) => parts.find((p) => p.type === type).value;
	return `${of('year')}-${of('month')}-${of('day')}T${of('hour')}:${of('minute')}:${of('second')}`;
}

/** The pixels of a picture in the page, as a PNG. */
async function pictureOf(locator) {
	const url = await locator.evaluate(async (img) => {
		await img.decode();
		const canvas = document.createElement('canvas');
		[canvas.width, canvas.height] = [img.naturalWidth, img.naturalHeight];
		canvas.getContext('2d').drawImage(img, 0, 0);
		return canvas.toDataURL('image/png');
	});
	return Buffer.from(url.split(',')[1], 'base64');
}

const chip = (text, timeout) => page.locator('.title-line .chip', { hasText: text }).waitFor({ timeout });

test('a store comes up for its manager', async () => {
	need();
	browser = await launch();
	await store.start();
	await store.addUser('manager', 'manager');
	await store.allShown(240000);
	labels = (await store.api.all('/labels')).filter((l) => l.product);
	({ context, page, trouble } = await openPage(browser, { ignoreHTTPSErrors: true }));
	await signIn(page, store.url, 'manager', store.passwords.manager);
});

test('a promotion is made with its label before one’s eyes', async () => {
	need();
	at.before = (await panelOf(store, labels[0].id)).hash;
	await page.goto(`${store.url}/promotions/new`);
	await page.getByLabel('Name').fill('Quarter off');
	await page.getByRole('textbox', { name: 'Percent off' }).fill('25');
	await page.getByLabel('GTINs').fill(labels.slice(0, 2).map((l) => l.product.gtin).join('\n'));
	at.start = Math.ceil((Date.now() + LEAD_MS) / 1000) * 1000;
	/* A browser drops seconds that are 00 from what was typed, and the driver takes that for a mistake. */
	while (at.start % 60_000 === 0 || (at.start + RUN_MS) % 60_000 === 0) at.start += 1000;
	at.end = at.start + RUN_MS;
	await page.getByLabel('Start').fill(wall(at.start));
	await page.getByLabel('End', { exact: true }).fill(wall(at.end));
	const pane = page.locator('.preview-pane');
	await pane.getByText('2 products on 2 labels').waitFor();
	await pane.getByLabel('Label of').selectOption(String(labels[0].product.id));
	const picture = pane.locator('.offer-picture img').first();
	await page.waitForFunction((name) => document.querySelector('.offer-picture img')?.alt.includes(name), labels[0].product.name);
	at.picture = await pictureOf(picture);
	await page.getByRole('button', { name: 'Schedule' }).click();
	await page.getByRole('heading', { name: 'Quarter off' }).waitFor();
	await chip('Scheduled', 5000);
	at.url = page.url();
});

test('its pictures are stored ahead, and the panels show exactly what was previewed', async () => {
	need();
	await page.locator('.parts-legend', { hasText: '2 stored' }).waitFor({ timeout: LEAD_MS });
	assert((await panelOf(store, labels[0].id)).hash === at.before, 'before the start the panel shows what it showed');
	await chip('Running', LEAD_MS + 10_000);
	const panel = await until('the promotion on the panel', async () => {
		const p = await panelOf(store, labels[0].id);
		return p.hash !== at.before && p;
	}, 15_000);
	const wrong = differingPixels(panel.bytes, at.picture);
	assert(wrong === 0, `${wrong} pixels differ from the preview`);
	const late = panel.truth.shown_at_us / 1000 - at.start;
	assert(late >= 0, `the panel flipped ${-late} ms before the start`);
	console.log(`# start of the promotion to the last pixel: ${Math.round(late)} ms`);
	await page.locator('.step-table .chip', { hasText: 'Shown' }).first().waitFor({ timeout: 20_000 });
	const found = await axe(page);
	assert(found.length === 0, found.join('\n'));
	await shot(page, 'store-promotion-running');
});

test('at the end the regular price is back, and the page says so', async () => {
	need();
	await chip('Ended', RUN_MS + 15_000);
	const panel = await until('the regular price on the panel', async () => {
		const p = await panelOf(store, labels[0].id);
		return p.hash === at.before && p;
	}, 20_000);
	assert(panel.truth.shown_at_us / 1000 >= at.end, 'not before the end');
	await page.goto(`${store.url}/products/${labels[0].product.id}`);
	await page.locator('.price-table tr', { hasText: 'Quarter off' }).waitFor();
	await page.locator('.chart-band').waitFor({ state: 'attached' });
	await page.goto(`${store.url}/audit?action=promotion.`);
	await page.locator('.vrow', { hasText: 'Promotion made' }).waitFor();
});

test('a past picture of a label opens from its history', async () => {
	need();
	await page.goto(`${store.url}/labels/${labels[0].id}`);
	const shown = page.locator('.timeline li', { hasText: 'Shown' }).first();
	await shown.locator('summary').click();
	await page.waitForFunction(() => document.querySelector('.event-picture img')?.naturalWidth > 0);
	const png = await pictureOf(page.locator('.event-picture img').first());
	assert(png.length > 200, 'a picture');
});

test('a rollout goes out wave by wave, and the page and the panels agree', async () => {
	need();
	/* The page leaves it to the store how long labels are given before they flip: not to the quarter of a minute here. */
	await page.route('**/api/v1/rollouts', (r) => r.continue(r.request().method() === 'POST' ? { postData: { ...r.request().postDataJSON(), lead_s: 3 } } : {}));
	await page.goto(`${store.url}/rollouts/new`);
	await page.getByLabel('Name').fill('Prices of the week');
	await page.getByLabel('New prices').fill(labels.map((l, i) => `${l.product.gtin};${7 + i},77`).join('\n'));
	await page.getByLabel('Waves', { exact: true }).last().fill('25, 100');
	await page.locator('[data-preview=ready]').waitFor();
	await page.getByRole('button', { name: 'Start the rollout' }).click();
	await page.getByRole('heading', { name: 'Prices of the week' }).waitFor();
	await page.locator('[data-wave="1"][data-state=flipped], [data-wave="1"][data-state=settled]').waitFor({ timeout: 60_000 });
	const first = await until('the canary on its panel', async () => {
		const l = (await store.api.all('/labels')).find((x) => x.wanted?.price_minor === 777);
		const p = l && (await panelOf(store, l.id));
		return p && p.hash === l.wanted.image && l;
	}, 20_000);
	assert(labels.some((l) => l.id === first.id), 'a label of the list');
	await page.locator('.page-actions').getByRole('button', { name: 'Roll back' }).click();
	await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).click();
	await chip('Rolled back', 60_000);
	await until('the old price on its panel', async () => {
		const l = await store.api.get(`/labels/${first.id}`);
		return l.wanted?.price_minor !== 777 && (await panelOf(store, l.id)).hash === l.wanted.image;
	}, 20_000);
	await shot(page, 'store-rollout-rolled-back');
	assert(trouble.length === 0, trouble.join('; '));
});

await run(async (failed) => {
	if (failed && page) await shot(page, 'store-promotions-failed').catch(() => {});
	await context?.close();
	await browser?.close();
	await endStore(store, failed);
});
