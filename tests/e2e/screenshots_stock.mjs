// SPDX-License-Identifier: Apache-2.0
// The pictures of doc/stock.md and doc/it.md, taken while the steps of those documents are done in a store like that
// of ./quickstart: `make screenshots`.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { allHeard, gtinOfEpc, itemsByGtin } from '../lib/day.mjs';
import { endStore, newStore } from '../lib/stores.mjs';
import { srcdir } from '../lib/tap.mjs';
import { launch, missing, openPage, shot, signIn } from './browser.mjs';
import { scan } from './scanner.mjs';
import { smallStore } from '../../sim/demo/store.mjs';

const why = missing();
if (why) {
	console.error(`error: ${why}`);
	process.exit(1);
}
const dir = join(srcdir, 'doc', 'screenshots');
mkdirSync(dir, { recursive: true });

const store = newStore(smallStore, { controllerConfig: ['books { grace_s = 5 }'] });
let browser, failed = true;

async function as(user, f) {
	const { context, page } = await openPage(browser, { ignoreHTTPSErrors: true, viewport: { width: 1280, height: 760 } });
	page.setDefaultTimeout(30000);
	await signIn(page, store.url, user, store.passwords[user]);
	await f(page);
	await context.close();
}

/** A picture in which nothing moves any more. */
async function still(page, name) {
	await page.mouse.move(0, 0);
	await page.waitForFunction(() => document.getAnimations().every((a) => a.playState === 'finished' || a.effect?.getTiming().iterations === Infinity));
	await shot(page, name, dir);
}

async function importBooks(page) {
	const items = await itemsByGtin(store);
	const csv = ['gtin,quantity', ...[...items].map(([gtin, list]) => `${gtin},${list.length}`)].join('\n');
	await page.getByRole('link', { name: 'Differences' }).first().click();
	await page.getByRole('link', { name: 'Book stock', exact: true }).click();
	await page.getByRole('link', { name: 'Import CSV' }).click();
	await page.locator('.drop').waitFor();
	await page.locator('input[type=file]').setInputFiles({ name: 'books.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) });
	await page.getByRole('button', { name: /^Import \d+ rows/ }).click();
	await page.locator('[data-import=done]').getByRole('link', { name: 'Book stock' }).click();
	await page.locator('.books .vrow').first().waitFor();
}

/** Three items are carried out, one of them paid for; a delivery is on its way. */
async function aDay(page) {
	const items = [...(await itemsByGtin(store)).values()].filter((l) => l.length > 1).slice(0, 3);
	for (const [i, [item]] of items.entries()) await store.truth.ask({ op: 'leave', epc: item.epc, how: i ? 'stolen' : 'sold' });
	await store.api.call('POST', '/api/v1/sales', { sales: [{ id: '4711', till: '1', at: new Date().toISOString(), lines: [{ epc: items[0][0].epc }] }] });
	await page.getByRole('link', { name: 'Deliveries', exact: true }).click();
	await page.getByRole('button', { name: 'Announce a delivery' }).click();
	await page.getByLabel('Reference').fill('DN-10047');
	await page.getByLabel('Add a product').focus();
	await scan(page, gtinOfEpc(items[1][0].epc));
	await page.locator('.quantity-line').waitFor();
	await page.getByRole('dialog').getByRole('button', { name: 'Announce', exact: true }).click();
	await page.locator('.panel').waitFor();
}

async function differences(page) {
	await page.getByRole('navigation', { name: 'Books and differences' }).getByRole('link', { name: 'Differences' }).click();
	await page.locator('[data-figure=missing]', { hasText: '2' }).waitFor({ timeout: 90000 });
	await still(page, 'differences');
	await page.locator('[data-figure=missing]').click();
	await page.locator('.differences [data-row]').first().click();
	await page.locator('.panel .ledger tr').first().waitFor();
	await still(page, 'difference');
}

/** Rectangles by number, as a plan on paper gives them. */
const ROOMS = { 'Dry goods': [1, 1, 13, 11], Drinks: [15, 1, 7, 11], 'Back room': [23, 1, 6, 8], Receiving: [23, 10, 6, 5] };
const ANTENNAS = { 'floor 1': [4, 6], 'floor 2': [10, 6], 'floor 3': [17, 5], 'floor 4': [20, 9], 'back 1': [25, 3], 'back 2': [24, 13.5] };

async function number(page, label, value) {
	const field = page.getByRole('region', { name: 'Selected' }).getByLabel(label);
	await field.fill(String(value));
	await field.press('Enter');
}

async function plan(page) {
	await page.getByRole('link', { name: 'Plan' }).first().click();
	await page.getByRole('button', { name: 'Draw the plan' }).click();
	for (const [label, value] of [['Width (m)', 30], ['Depth (m)', 16]]) {
		await page.getByLabel(label).fill(String(value));
		await page.getByLabel(label).press('Enter');
	}
	for (const [name, [x, y, w, h]] of Object.entries(ROOMS)) {
		await page.getByRole('button', { name: `Put ${name} on the plan` }).click();
		await page.getByRole('heading', { name, exact: true }).waitFor();
		for (const [label, value] of [['Width (m)', w], ['Depth (m)', h], ['From the left (m)', x], ['From the top (m)', y]]) await number(page, label, value);
	}
	for (const [name, [x, y]] of Object.entries(ANTENNAS)) {
		await page.getByRole('button', { name: `Put ${name} on the plan` }).click();
		await page.getByRole('heading', { name, exact: true }).waitFor();
		for (const [label, value] of [['From the left (m)', x], ['From the top (m)', y]]) await number(page, label, value);
	}
	await page.getByRole('button', { name: 'Save plan' }).click();
	await page.getByRole('button', { name: 'Save plan', disabled: true }).waitFor();
	await page.getByRole('button', { name: 'Stop editing' }).click();
	await page.locator('.plan-place[data-items]').first().waitFor();
	await page.waitForFunction(() => [...document.querySelectorAll('.plan-place')].some((p) => Number(p.dataset.items) > 0));
	await still(page, 'plan');
}

async function link(page) {
	const labels = (await store.api.all('/labels')).filter((l) => l.product);
	await page.getByRole('link', { name: 'Labels' }).first().click();
	await page.locator('.vrow .picture img').first().waitFor();
	await page.getByRole('button', { name: 'Link by scanning' }).click();
	await page.locator('#scan-input:focus').waitFor();
	await scan(page, labels[0].id);
	await page.locator('.scan-have').waitFor();
	await scan(page, labels[5].product.gtin);
	await page.locator('.scan-answer').waitFor();
	await page.getByRole('button', { name: 'Replace the link' }).click();
	await page.locator('.scan-answer[data-tone=good]').waitFor();
	await still(page, 'link');
	await page.getByRole('button', { name: 'Undo last' }).click();
	await page.locator('.scan-answer', { hasText: 'as it was before' }).waitFor();
	await page.goto(`${store.url}/labels/${labels[2].id}`);
	await page.locator('.panel').getByRole('button', { name: 'Flash' }).click();
	await page.locator('[data-flash=on]').waitFor();
	await page.locator('.panel').getByRole('button', { name: 'Stop' }).click();
	await page.locator('[data-flash=off]').waitFor();
	await page.locator('.panel').getByRole('button', { name: 'Read now' }).click();
	await page.locator('[data-sensors]').getByText('Asking the label').first().waitFor({ state: 'hidden' });
}

async function pick(page) {
	const labels = (await store.api.all('/labels')).filter((l) => l.product);
	await page.goto(`${store.url}/labels`);
	await page.getByRole('button', { name: 'Pick by light' }).click();
	for (const l of labels.slice(0, 3)) await page.getByRole('checkbox', { name: `Choose label ${l.id}` }).check();
	const bar = page.getByRole('region', { name: 'Pick by light' });
	await bar.getByLabel('For').selectOption('60');
	await bar.getByRole('button', { name: 'Light up' }).click();
	await bar.getByText('3 labels chosen, 3 blink now').waitFor();
	await still(page, 'pick');
	await bar.getByRole('button', { name: 'Stop' }).click();
	await bar.getByText(/called off/).waitFor();
}

async function agents(page) {
	await page.locator('.agent-card').nth(1).waitFor();
	await page.getByText('2 agents, all well').waitFor();
	await still(page, 'agents');
	await page.getByRole('link', { name: 'back', exact: true }).click();
	await page.getByRole('button', { name: 'Replace it' }).click();
	await page.getByRole('dialog').waitFor();
	await page.keyboard.press('Escape');
	await page.getByRole('button', { name: 'Close' }).first().click();
	await page.getByRole('button', { name: 'New join code' }).click();
	await page.getByRole('button', { name: 'Make a join code' }).click();
	await page.locator('[data-join-code]').waitFor();
	await still(page, 'join');
}

try {
	browser = await launch();
	await store.start();
	for (const role of ['stock', 'it']) await store.addUser(role, role);
	await store.allShown(240000);
	await allHeard(store);
	await as('stock', async (page) => {
		for (const step of [importBooks, aDay, differences, plan, link, pick]) await step(page);
	});
	await as('it', agents);
	failed = false;
} finally {
	await browser?.close();
	await endStore(store, failed);
}
process.exit(0);
