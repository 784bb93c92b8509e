// SPDX-License-Identifier: Apache-2.0
// Differences, books, deliveries, the floor plan and the links of labels in Debian's browser against a mock server:
// every page light and dark, narrow, wide and at 200 % zoom, and the work on them by keyboard and scanner.

import { axe, shot } from './browser.mjs';
import { MockApi } from './mock_api.mjs';
import { startMock, webRoot } from './page_test.mjs';
import { scan } from './scanner.mjs';
import { equal, ok, run, test } from '../lib/tap.mjs';

const PAGES = [
  ['differences', '/differences', '.differences .vrow'],
  ['difference', '/differences/2', '.panel .ledger tr'],
  ['books', '/differences/books', '.books .vrow'],
  ['books-import', '/differences/books/import', '.drop'],
  ['deliveries', '/differences/deliveries', '.deliveries .vrow'],
  ['delivery', '/differences/deliveries/2', '.panel td'],
  ['sales', '/differences/sales', '.sales .vrow'],
  ['strangers', '/differences/strangers', '[data-strangers]'],
  ['plan', '/plan', '.plan-place[data-items]'],
  ['plan-product', '/plan?product_id=2', '.plan-shown'],
  ['plan-edit', '/plan?edit=1', '.plan-place'],
  ['places', '/stock/places', 'td select'],
  ['walks', '/stock/places/walks', '[data-walk] td'],
  ['doors', '/stock/places/doors', '[data-passage]'],
  ['link-by-scanning', '/labels?scan=1', '.scan'],
  ['link-history', '/labels/links', '.link-history .vrow'],
  ['link-import', '/labels/import', '.drop'],
  ['label', '/labels/C0FFEE000001', '.panel .flash-row'],
];
const EMPTY = [
  ['/differences', 'Import book stock'],
  ['/differences/books', 'Import a CSV'],
  ['/differences/deliveries', 'Announce what is coming'],
  ['/differences/sales', 'API'],
  ['/differences/strangers', 'Every tag'],
  ['/plan', 'Make places'],
  ['/stock/places/walks', 'Two minutes'],
  ['/stock/places/doors', 'A door needs'],
  ['/labels/links', 'Scan a label'],
];

const { mock, url, signedIn, testPages, close } = await startMock();
const empty = new MockApi({ webRoot, products: 0 });
const emptyUrl = await empty.listen();

testPages('stock pages', 'admin', PAGES, 'stock');

test('a walk is begun, shows what antennas hear, is ended, and what was learnt is used', () =>
  signedIn('it', async (page) => {
    await page.goto(`${url}/stock/places`);
    await page.getByRole('link', { name: 'Walk your store' }).click();
    await page.getByLabel('Place', { exact: true }).selectOption({ index: 1 });
    await page.getByLabel('EPC of the tag you carry').fill('303435FC8803D056D15B963F');
    await page.getByRole('button', { name: 'Start a walk' }).click();
    const walk = page.locator('[data-walk]').first();
    await walk.getByText('Keep walking: 1 of 90 seconds.').waitFor();
    equal(await walk.locator('tbody tr').count() > 1, true, 'antennas are listed');
    await walk.getByRole('button', { name: 'End the walk' }).click();
    await page.locator('[data-walk]').nth(1).waitFor({ state: 'detached' });
    const before = await page.locator('[data-model]').count();
    await page.getByRole('button', { name: 'Learn from all walks' }).click();
    await page.locator('[data-model]').nth(before).waitFor();
    await page.locator('[data-model]').first().getByRole('button', { name: 'Use this model' }).click();
    await page.locator('[data-model]').first().getByText('In use').waitFor();
  }));

test('a door is made of antennas inside and outside', () =>
  signedIn('it', async (page) => {
    await page.goto(`${url}/stock/places/doors`);
    await page.getByText('Left unsold').waitFor();
    await page.getByRole('button', { name: 'Add a door' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('Goods in');
    const sides = dialog.locator('fieldset select');
    await sides.nth(0).selectOption('inner');
    equal(await dialog.getByRole('button', { name: 'Save' }).isDisabled(), true, 'one side is no door');
    await sides.nth(1).selectOption('outer');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Goods in').waitFor();
  }));

test('empty stock pages say the next step', () =>
  signedIn(
    'admin',
    async (page) => {
      for (const [at, words] of EMPTY) {
        await page.goto(emptyUrl + at);
        const box = page.locator('.empty');
        await box.waitFor();
        ok((await box.textContent()).includes(words), `${at} names the next step, got ${await box.textContent()}`);
        equal(await axe(page), [], `axe on empty ${at}`);
      }
    },
    {},
    emptyUrl,
  ));

test('without an answer a page says so and comes back', () =>
  signedIn('stock', async (page) => {
    await page.route('**/api/v1/differences**', (r) => r.abort());
    await page.goto(`${url}/differences`);
    await page.getByText('The server cannot be reached').first().waitFor();
    equal(await axe(page), [], 'axe offline');
    await page.unroute('**/api/v1/differences**');
    await page.getByRole('button', { name: 'Try again' }).first().click();
    await page.locator('.differences .vrow').first().waitFor();
  }));

test('by keyboard a number opens to its ledger and its tags, and the difference is settled', () =>
  signedIn('stock', async (page) => {
    const key = page.keyboard;
    await page.goto(`${url}/differences`);
    await page.locator('.differences .vrow').first().waitFor();
    equal(await page.locator('[data-figure="missing"] strong').textContent(), '10', 'products with missing items');
    await key.press('/');
    await key.type('oat drink');
    await key.press('Enter');
    await page.waitForFunction(() => document.querySelector('.differences .vrow')?.textContent?.includes('Oat drink'));
    await key.press('ArrowDown');
    await key.press('Enter');
    const panel = page.locator('.panel');
    await panel.locator('.ledger tr[data-kind="sale"]').first().waitFor();
    ok((await panel.locator('[data-sum]').textContent()).includes('Difference−2'), 'the sum');
    equal(await panel.locator('.ledger tbody tr').first().locator('td').last().textContent(), '20', 'running figure of the newest row');
    await panel.getByText('Last seen 3 hours ago at Exit, and not sold').waitFor();
    await panel.getByLabel('Reason').fill('');
    await panel.getByRole('button', { name: 'Settle' }).focus();
    await key.press('Enter');
    await panel.getByText('Say why: the next reader').waitFor();
    await key.type('counted by hand');
    await panel.getByText('The books change by −2: from 20 to 18.').waitFor();
    await key.press('Enter');
    await panel.locator('.ledger tr[data-kind="adjustment"]').waitFor();
    await panel.locator('.why[data-reason="matching"]').waitFor();
    equal(await axe(page), [], 'axe after settling');
  }));

test('filters narrow the differences, and the seen figure opens the items', () =>
  signedIn('stock', async (page) => {
    await page.goto(`${url}/differences`);
    await page.locator('[data-figure="surplus"]').click();
    await page.waitForFunction(() => [...document.querySelectorAll('.differences .c-diff')].every((c) => c.textContent.includes('too many')));
    await page.getByLabel('Reason').selectOption('missing');
    const row = page.locator('.differences .vrow', { hasText: 'missing' }).first();
    await row.waitFor();
    await row.locator('.c-seen a').click();
    await page.waitForURL(/\/stock\/items\?product_id=/);
  }));

test('book stock is imported in two steps and set by hand', () =>
  signedIn('stock', async (page) => {
    await page.goto(`${url}/differences/books/import`);
    const file = (text) => page.locator('input[type=file]').setInputFiles({ name: 'books.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });
    await page.locator('.drop').waitFor();
    await file('gtin,quantity\n4006381000017,many\n');
    await page.getByText('1 problem in this file').waitFor();
    await file('gtin,quantity\n4006381000017,24\n4006381000048,7\n');
    await page.getByRole('button', { name: 'Import 2 rows' }).click();
    await page.locator('[data-import=done]').waitFor();
    await page.goto(`${url}/differences/books`);
    await page.getByRole('button', { name: 'Set a quantity' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Product').fill('green tea');
    await dialog.getByRole('option').first().waitFor();
    await page.keyboard.press('Enter');
    await dialog.getByLabel('Quantity').fill('33');
    equal(await axe(page), [], 'axe with the dialog');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.locator('.books .vrow', { hasText: 'Green tea' }).locator('.c-quantity', { hasText: '33' }).first().waitFor();
  }));

test('a delivery is announced by scanning its goods, and received', () =>
  signedIn('stock', async (page) => {
    await page.goto(`${url}/differences/deliveries`);
    await page.getByRole('button', { name: 'Announce a delivery' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Reference').fill('DN-20001');
    await dialog.getByLabel('Add a product').focus();
    await scan(page, '4006381000017');
    await dialog.getByLabel('Quantity of Oat drink').waitFor();
    await scan(page, '4006381000048');
    await dialog.getByLabel('Quantity of Tomato passata').waitFor();
    await dialog.getByLabel('Quantity of Oat drink').fill('6');
    equal(await axe(page), [], 'axe while announcing');
    await dialog.getByRole('button', { name: 'Announce' }).click();
    const panel = page.locator('.panel');
    await panel.getByText('0 of 7 seen').waitFor();
    await panel.getByRole('button', { name: 'Receive' }).click();
    await page.getByRole('dialog').getByLabel('Quantity of Oat drink').fill('5');
    equal(await axe(page), [], 'axe while receiving');
    await page.getByRole('dialog').getByRole('button', { name: 'Receive', exact: true }).click();
    await panel.locator('.chip', { hasText: 'Received' }).waitFor();
    equal(mock.books.deliveries[0].lines[0].received, 5, 'pieces received');
  }));

test('the floor plan shows stock as it changes, for all products and for one', () =>
  signedIn('stock', async (page) => {
    await page.goto(`${url}/plan`);
    const box = page.locator('[data-place="1"]');
    await box.waitFor();
    await page.waitForFunction(() => Number(document.querySelector('[data-place="1"]')?.getAttribute('data-items')) > 0);
    await page.locator('.top', { hasText: 'Live' }).waitFor();
    const before = Number(await box.getAttribute('data-items'));
    mock.moveItem(2, 2, 1);
    await page.waitForFunction((n) => document.querySelector('[data-place="1"]')?.getAttribute('data-items') === String(n), before + 1);
    await page.getByLabel('Show one product').fill('olive oil');
    await page.getByRole('option').first().click();
    await page.getByText('Showing Olive oil').waitFor();
    await page.waitForFunction((n) => Number(document.querySelector('[data-place="1"]')?.getAttribute('data-items')) < n, before);
    await box.focus();
    await page.keyboard.press('Enter');
    await page.waitForURL(/product_id=3&place_id=1/);
  }));

test('by keyboard a place is moved, resized, undone and saved', () =>
  signedIn('stock', async (page) => {
    const key = page.keyboard;
    const shows = (label, value) => page.waitForFunction(([l, v]) => [...document.querySelectorAll('label')].find((x) => x.textContent === l)?.control.value === v, [label, value]);
    await page.goto(`${url}/plan`);
    await page.getByRole('button', { name: 'Edit the plan' }).press('Enter');
    const place = page.locator('g[data-place="3"]');
    await place.focus();
    await key.press('ArrowRight');
    await key.press('ArrowDown');
    await key.press('Shift+ArrowRight');
    await page.getByLabel('From the left (m)').waitFor();
    await shows('From the left (m)', '17.5');
    await shows('Width (m)', '5.5');
    await key.press('Control+z');
    await shows('Width (m)', '5');
    await key.press('Control+Shift+z');
    await shows('Width (m)', '5.5');
    await page.getByLabel('From the left (m)').fill('20,25');
    await key.press('Enter');
    await page.getByRole('button', { name: /^Place Fitting room.* at 20\.25/ }).waitFor();
    equal(await axe(page), [], 'axe while editing');
    await page.getByRole('button', { name: 'Save plan' }).press('Enter');
    await page.getByRole('button', { name: 'Save plan', disabled: true }).waitFor();
    equal(mock.plan.places.find((p) => p.place_id === 3).x, 20.25, 'saved');
  }));

test('by pointer a place is dragged by the grid and an antenna is put on the plan', () =>
  signedIn('stock', async (page) => {
    await page.goto(`${url}/plan?edit=1`);
    const place = page.locator('g[data-place="2"]');
    await place.waitFor();
    const box = await place.boundingBox();
    await page.mouse.move(box.x + 40, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + 20, box.y + 75, { steps: 4 });
    await page.mouse.up();
    const x = Number(await page.getByLabel('From the left (m)').inputValue());
    ok(x < 17 && (x * 2) % 1 === 0, `moved to the grid, got ${x}`);
    await page.getByRole('button', { name: 'Put reader-1 2 on the plan' }).click();
    await page.getByLabel('Hears', { exact: true }).selectOption({ label: 'Exit' });
    equal(await page.locator('.plan-lines line').count(), 4, 'lines from antennas to places');
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('button', { name: 'Stop editing' }).click();
    await page.getByRole('button', { name: 'Discard my changes' }).click();
    await page.getByRole('button', { name: 'Edit the plan' }).waitFor();
  }));

test('a plan that somebody else saved is not overwritten unasked', () =>
  signedIn('stock', async (page) => {
    await page.goto(`${url}/plan?edit=1`);
    await page.locator('g[data-place="4"]').focus();
    await page.keyboard.press('ArrowLeft');
    mock.plan = { ...mock.plan, rev: mock.plan.rev + 1, width_m: 30 };
    await page.getByRole('button', { name: 'Save plan' }).click();
    await page.getByText('Somebody else has saved the plan').waitFor();
    equal(await axe(page), [], 'axe with the conflict');
    await page.getByRole('button', { name: 'Take theirs' }).click();
    await page.waitForFunction(() => [...document.querySelectorAll('input')].some((i) => i.value === '30'));
    equal(await page.getByText('Somebody else has saved the plan').count(), 0, 'conflicts left');
  }));

test('a scanner links on any page in either order, asks before a re-link, and undoes', () =>
  signedIn('stock', async (page) => {
    const text = (t) => page.locator('.scan-answer', { hasText: t }).waitFor();
    await page.goto(`${url}/stock`);
    await page.locator('.vrow').first().waitFor();
    await scan(page, 'C0FFEE000005');
    await page.locator('.scan-have', { hasText: 'C0FFEE000005' }).waitFor();
    await scan(page, 'https://id.gs1.org/01/04006381000048/10/LOT7');
    await text('C0FFEE000005 now belongs to Tomato passata');
    equal(new URL(page.url()).pathname, '/stock', 'the page stays');
    await page.getByRole('button', { name: 'Undo last' }).click();
    await page.locator('.scan-answer', { hasText: 'C0FFEE000005 is as it was before' }).waitFor();
    equal(mock.store.labels.find((l) => l.id === 'C0FFEE000005').product, null, 'product after undo');
    await scan(page, '4006381000048');
    await page.locator('.scan-have', { hasText: 'Tomato passata' }).waitFor();
    await scan(page, 'C0FFEE000001');
    await text('C0FFEE000001 already belongs to Espresso beans.');
    equal(await axe(page), [], 'axe with the question');
    await shot(page, 'stock-scan-question');
    await page.getByRole('button', { name: 'Leave it' }).click();
    equal(mock.store.labels.find((l) => l.id === 'C0FFEE000001').product.name, 'Espresso beans', 'product after refusing');
    await scan(page, 'C0FFEE000001');
    await scan(page, '4006381000048');
    await text('C0FFEE000001 already belongs');
    await scan(page, 'C0FFEE000001');
    await text('C0FFEE000001 now belongs to Tomato passata');
    await page.getByRole('button', { name: 'Undo last' }).click();
    await text('C0FFEE000001 is as it was before');
    equal(mock.store.labels.find((l) => l.id === 'C0FFEE000001').product.name, 'Espresso beans', 'undo restores the former product');
    await scan(page, 'WRONG-CODE-1');
    await text('neither a label nor a valid GTIN');
  }));

test('with the product kept, one scan a label is enough', () =>
  signedIn('stock', async (page) => {
    await page.goto(`${url}/labels?scan=1`);
    await page.locator('#scan-input:focus').waitFor();
    await page.getByRole('button', { name: 'Same product for the next label' }).click();
    await scan(page, '4006381000048');
    await page.locator('.scan-have', { hasText: 'Tomato passata' }).waitFor();
    await scan(page, 'C0FFEE000005');
    await page.locator('.scan-answer', { hasText: 'C0FFEE000005 now belongs to Tomato passata' }).waitFor();
    await page.locator('.scan-have', { hasText: 'Tomato passata' }).waitFor();
    await page.getByRole('button', { name: 'Undo last' }).click();
    await page.locator('.scan-answer', { hasText: 'as it was before' }).waitFor();
  }));

test('what a person types is never taken for a scan, and fields keep what is scanned into them', () =>
  signedIn('stock', async (page) => {
    await page.goto(`${url}/stock`);
    await page.locator('.vrow').first().waitFor();
    await scan(page, 'C0FFEE000005', 90);
    equal(await page.locator('.scan-dock').count(), 0, 'bars opened by slow keys');
    await page.locator('[data-search]').focus();
    await scan(page, '4006381000017');
    equal(await page.locator('[data-search]').inputValue(), '4006381000017', 'the search box');
    equal(await page.locator('.scan-dock').count(), 0, 'bars opened by a scan into a field');
    await page.goto(`${url}/labels?scan=1`);
    await page.locator('#scan-input:focus').waitFor();
    await page.locator('[data-search]').fill('oat');
    await page.locator('[data-search]').focus();
    await scan(page, 'C0FFEE000005');
    await page.locator('.scan-have', { hasText: 'C0FFEE000005' }).waitFor();
    equal(await page.locator('[data-search]').inputValue(), 'oat', 'a field while one links by scanning');
  }));

test('labels are linked by a list, and the list is taken back as a whole', () =>
  signedIn('stock', async (page) => {
    await page.goto(`${url}/labels/import`);
    await page.locator('.drop').waitFor();
    const file = (text) => page.locator('input[type=file]').setInputFiles({ name: 'links.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });
    await file('label,gtin\nC0FFEE000005,4006381000048\nC0FFEE000002,4006381000048\n');
    await page.getByText('1 problem in this file').waitFor();
    await page.getByLabel('Replace links that exist').check();
    await page.getByRole('button', { name: 'Check again' }).click();
    await page.getByRole('button', { name: 'Import 2 rows' }).click();
    await page.locator('[data-import=done]').waitFor();
    await page.goto(`${url}/labels/links`);
    await page.getByRole('button', { name: /Undo all that was imported together/ }).first().click();
    await page.getByText('taken back').first().waitFor();
    equal(mock.store.labels.find((l) => l.id === 'C0FFEE000005').product, null, 'product after taking the list back');
  }));

test('a label blinks, its battery is spared, it is linked by name and replaced by another', () =>
  signedIn('stock', async (page) => {
    await page.goto(`${url}/labels/C0FFEE000001`);
    const panel = page.locator('.panel');
    const flash = panel.getByRole('button', { name: /^Flash/ });
    await flash.click();
    await panel.locator('[data-flash="on"]').waitFor();
    ok(/Blinking, \d+ seconds left/.test(await panel.locator('[data-flash]').textContent()), 'a countdown');
    for (let i = 2; i <= 3; i++) {
      await flash.click();
      await panel.getByText(`blinked ${i} of the 3 times allowed within an hour`).waitFor();
    }
    await panel.getByText('Used up; possible again in 25 minutes.').waitFor();
    ok(await flash.isDisabled(), 'nobody asks in vain');
    await panel.getByLabel('Link to another product').fill('green tea');
    await panel.getByRole('option').first().waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByText('Replace the link to Espresso beans?').waitFor();
    await page.keyboard.press('Escape');
    await panel.getByRole('button', { name: 'Replace by another label' }).click();
    await page.getByLabel('Scan the new label').waitFor();
    await scan(page, 'C0FFEE000001');
    await page.getByText('This is the label you want to replace.').waitFor();
    equal(await axe(page), [], 'axe with the dialog');
    await page.getByLabel('Scan the new label').fill('');
    await scan(page, 'C0FFEE000005');
    await page.getByText('C0FFEE000005 has 400x300 pixels').waitFor();
    await page.getByRole('button', { name: 'Replace all the same' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    equal(mock.store.labels.find((l) => l.id === 'C0FFEE000005').product.name, 'Espresso beans', 'the new label’s product');
  }));

test('a viewer sees all of it and may change nothing', async () => {
  mock.store.users.push({ id: 9, name: 'viewer', role: 'viewer', created: '2026-01-05T07:00:00.000Z', last_login: null });
  await signedIn('viewer', async (page) => {
    for (const [at, ready, button] of [['/differences/2', '.panel .ledger tr', 'Settle'], ['/differences/deliveries', '.vrow', 'Announce a delivery'], ['/plan', '.plan-place', 'Edit the plan'], ['/labels/C0FFEE000002', '.panel .facts', 'Flash'], ['/labels/links', '.vrow', 'Undo']]) {
      await page.goto(url + at);
      await page.locator(ready).first().waitFor();
      equal(await page.getByRole('button', { name: button }).count(), 0, `${button} for a viewer`);
    }
    await scan(page, 'C0FFEE000002');
    await page.waitForURL(/\/labels\/C0FFEE000002$/);
  });
});

await run(async () => {
  await close();
  await empty.close();
});
