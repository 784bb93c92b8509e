// SPDX-License-Identifier: Apache-2.0
// Prices that can answer, in Debian's browser against the mock server: the history as a chart and a table, undo,
// a price for a later day, editing a product that somebody else has edited, any past picture of a label, and the
// audit list by who, what and object.

import { axe } from './browser.mjs';
import { startMock } from './page_test.mjs';
import { equal, ok, run, test } from '../lib/tap.mjs';

const { mock, url, signedIn, testPages, close } = await startMock({ products: 2000 });
const panel = (page) => page.locator('.panel');

testPages('a product, a label and the audit list', 'manager', [
  ['product-prices', '/products/1', '.price-table tbody tr'],
  ['label-history', '/labels/C0FFEE000002', '.event-picture'],
  ['audit-filtered', '/audit?action=price.', '.vrow'],
]);

test('the product says its offer, what it is measured by, and every price it had', () =>
  signedIn('manager', async (page) => {
    await page.goto(`${url}/products/1`);
    await panel(page).locator('.big-price', { hasText: '€0.79' }).waitFor();
    await panel(page).getByText('Lowest price of the 30 days before: €0.89').waitFor();
    await panel(page).locator('.chart svg').waitFor();
    ok(/Price over time: €0.99 now, between €0.99 and €1.29/.test(await panel(page).locator('.chart svg').getAttribute('aria-label')), 'the chart in words');
    equal(await panel(page).locator('.chart-band').count(), 1, 'promotions marked');
    const rows = await panel(page).locator('.price-table tbody tr').allTextContents();
    equal(rows.length, 4, 'rows');
    ok(rows.some((r) => r.includes('Coffee week')) && rows.some((r) => r.includes('new supplier')), 'promotion and reason named');
  }));

test('a change is undone as a new change, with its reason', () =>
  signedIn('manager', async (page) => {
    await page.goto(`${url}/products/2`);
    await page.locator('.price-table tbody tr').first().waitFor();
    equal(await page.getByRole('button', { name: 'Undo' }).count(), 1, 'only the newest change can be undone');
    const before = mock.store.prices.length;
    await page.getByRole('button', { name: 'Undo' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('A new change brings back').waitFor();
    equal(await axe(page), [], 'axe with the question');
    await dialog.getByLabel('Reason').fill('typed too fast');
    await dialog.getByRole('button', { name: 'Undo' }).click();
    await page.locator('.price-table', { hasText: 'typed too fast' }).waitFor();
    equal([mock.store.prices.length, typeof mock.store.prices.at(-1).undo_of], [before + 1, 'number'], 'one more change, that names the other');
    mock.refuse = { method: 'POST', path: /undo$/, status: 409, code: 'superseded', detail: 'x' };
    await page.getByRole('button', { name: 'Undo' }).click();
    await dialog.getByRole('button', { name: 'Undo' }).click();
    await dialog.getByText('A newer change of this product exists').waitFor();
  }));

test('a price for a later day is planned by the store’s clock', () =>
  signedIn('manager', async (page) => {
    await page.goto(`${url}/products/3`);
    await page.getByRole('button', { name: 'Change the price later' }).click();
    const form = page.locator('.plan-form');
    await form.getByLabel('Price from then on').fill('1,55');
    await form.getByLabel('From', { exact: true }).fill('2020-01-01T08:00');
    await form.getByRole('button', { name: 'Plan the price' }).click();
    await form.getByText('Enter a day and time in the future.').waitFor();
    await form.getByLabel('From', { exact: true }).fill('2027-03-28T02:30');
    await form.getByText('02:30 does not exist on that day; it takes effect on 28 Mar 2027, 03:00:00.').waitFor();
    equal(await axe(page), [], 'axe with the form');
    await form.getByRole('button', { name: 'Plan the price' }).click();
    await page.locator('.price-table .chip', { hasText: 'Planned' }).waitFor();
    equal(mock.store.prices.at(-1).from, '2027-03-28T01:00:00.000Z', 'the instant that was sent');
  }));

test('an edit that comes second is not lost and overwrites nothing', () =>
  signedIn('manager', async (page) => {
    await page.goto(`${url}/products/4`);
    await page.getByRole('button', { name: 'Edit product' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Product', { exact: true }).fill('Penne, large');
    Object.assign(mock.store.products[3], { etag: '"4-77"', brand: 'Somebody' });
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByText('Somebody else has changed this product').waitFor();
    equal(await dialog.getByLabel('Product', { exact: true }).inputValue(), 'Penne, large', 'the entry is still there');
    equal(await axe(page), [], 'axe with the notice');
    await dialog.getByRole('button', { name: 'Load the newer one' }).click();
    await page.waitForFunction(() => [...document.querySelectorAll('dialog input')].some((i) => i.value === 'Somebody'));
    await dialog.getByLabel('Category').fill('Pasta');
    await page.keyboard.press('Enter');
    await panel(page).getByText('Pasta').waitFor();
    equal([mock.store.products[3].brand, mock.store.products[3].category], ['Somebody', 'Pasta'], 'both edits');
  }));

test('any entry of a label’s history opens its picture', () =>
  signedIn('stock', async (page) => {
    await page.goto(`${url}/labels/C0FFEE000002`);
    const first = page.locator('.event-picture').first();
    await first.locator('summary').focus();
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.querySelector('.event-picture img')?.naturalWidth > 0);
    ok(/image=[0-9a-f]+/.test(await first.locator('img').getAttribute('src')), 'asked for by its hash');
    await page.locator('.timeline .grade').first().waitFor();
    equal(await axe(page), [], 'axe with an open picture');
  }));

test('the audit list is narrowed, and its objects open', () =>
  signedIn('manager', async (page) => {
    mock.store.audit.unshift({ id: 9001, at: new Date().toISOString(), who: 'manager', action: 'promotion.change', object: 'promotion:4', detail: null });
    await page.goto(`${url}/audit`);
    await page.locator('.vrow').first().waitFor();
    await page.getByLabel('Who').fill('it');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => [...document.querySelectorAll('.c-who')].every((c) => c.textContent === 'it'));
    ok(page.url().includes('who=it'), 'the filter is in the address');
    equal(await page.evaluate(() => document.activeElement?.tagName), 'INPUT', 'the focus stays in the field');
    await page.getByLabel('Who').fill('');
    await page.getByLabel('What').selectOption('promotion.');
    await page.locator('.vrow', { hasText: 'Promotion changed' }).getByRole('link', { name: '4' }).click();
    await page.getByRole('heading', { name: 'Fresh Friday' }).waitFor();
    await page.goto(`${url}/audit?who=nobody`);
    await page.getByText('No entry matches').waitFor();
    equal(await axe(page), [], 'axe on no match');
  }));

await run(close);
