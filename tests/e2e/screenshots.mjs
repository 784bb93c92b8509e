// SPDX-License-Identifier: Apache-2.0
// The pictures of the README, from a store like that of ./quickstart: `make screenshots`.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { endStore, newStore } from '../lib/stores.mjs';
import { srcdir } from '../lib/tap.mjs';
import { launch, missing, openPage, shot, signIn } from './browser.mjs';
import { smallStore } from '../../sim/demo/store.mjs';

const why = missing();
if (why) {
	console.error(`error: ${why}`);
	process.exit(1);
}
const dir = join(srcdir, 'doc', 'screenshots');
mkdirSync(dir, { recursive: true });

const store = newStore(smallStore);
let browser, failed = true;

/** Signs in and leaves the page as it is for a moment, so that nothing in the picture still moves. */
async function take(user, name, prepare, height = 720) {
	const { context, page } = await openPage(browser, { ignoreHTTPSErrors: true, viewport: { width: 1280, height } });
	await signIn(page, store.url, user, store.passwords[user]);
	await prepare(page);
	await shot(page, name, dir);
	await context.close();
}

/** A promotion of four Fridays, before it is saved. */
async function takePromotion() {
	const linked = (await store.api.all('/labels')).filter((l) => l.product);
	await take('manager', 'promotion', async (page) => {
		await page.goto(`${store.url}/promotions/new`);
		await page.getByLabel('Name').fill('Fresh Friday');
		await page.getByRole('textbox', { name: 'Percent off' }).fill('20');
		await page.getByLabel('GTINs').fill([2, 6, 9, 11].map((i) => linked[i].product.gtin.slice(1)).join('\n'));
		await page.getByLabel('Start').fill('2027-01-08T08:00');
		await page.getByLabel('End', { exact: true }).fill('2027-01-08T20:00');
		await page.getByLabel('Repeats').selectOption('week');
		await page.getByLabel('How long').selectOption('times');
		await page.locator('[data-preview=ready]').waitFor();
		await page.waitForFunction(() => [...document.querySelectorAll('.offer-picture img')].filter((i) => i.complete && i.naturalWidth).length === 2);
		await page.evaluate(() => {
			document.activeElement.blur();
			document.querySelector('main').scrollTo(0, 0);
		});
	}, 1010);
}

/** A rollout of all linked products whose canary shows its prices, while the next wave is being stored. */
async function takeRollout() {
	const linked = (await store.api.all('/labels')).filter((l) => l.product), products = [...new Map(linked.map((l) => [l.product.id, l.product])).values()];
	const changes = await Promise.all(products.map(async (p) => ({ product_id: p.id, price_minor: (await store.api.get(`/products/${p.id}`)).price_minor + 20 })));
	const made = await store.api.call('POST', '/api/v1/rollouts', { name: 'Prices of the week', reason: 'supplier list', changes, waves: [{ percent: 15 }, { percent: 50 }, { percent: 100 }], settle_s: 15 });
	await take('manager', 'rollout', async (page) => {
		await page.goto(`${store.url}/rollouts/${made.id}`);
		await page.locator('[data-wave="2"][data-state=flipped] .parts-legend', { hasText: 'shown' }).waitFor({ timeout: 180000 });
		await page.locator('.chart svg').waitFor();
	}, 1010);
}

try {
	browser = await launch();
	await store.start();
	for (const role of ['manager', 'stock']) await store.addUser(role, role);
	await store.allShown(240000);
	await take('manager', 'price', async (page) => {
		await page.getByRole('link', { name: 'Basmati rice', exact: true }).click();
		await page.getByLabel('New price (EUR)').fill('3,29');
		await page.getByRole('button', { name: 'Save' }).click();
		await page.locator('[data-finished=true]').waitFor({ timeout: 60000 });
	});
	await take('stock', 'stock', (page) => page.getByRole('link', { name: /items? of/ }).first().waitFor());
	await takePromotion();
	await takeRollout();
	failed = false;
} finally {
	await browser?.close();
	await endStore(store, failed);
}
process.exit(0);
