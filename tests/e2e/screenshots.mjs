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
async function take(user, name, prepare) {
	const { context, page } = await openPage(browser, { ignoreHTTPSErrors: true, viewport: { width: 1280, height: 720 } });
	await signIn(page, store.url, user, store.passwords[user]);
	await prepare(page);
	await shot(page, name, dir);
	await context.close();
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
	failed = false;
} finally {
	await browser?.close();
	await endStore(store, failed);
}
process.exit(0);
