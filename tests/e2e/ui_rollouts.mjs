// SPDX-License-Identifier: Apache-2.0
// The rollouts pages in Debian's browser against the mock server: the ladder of waves live, every action behind a
// question, prices pasted with their mistakes told by line; light, dark, on a phone and at 200 % zoom.

import { axe, shot } from './browser.mjs';
import { MockApi } from './mock_api.mjs';
import { startMock, webRoot } from './page_test.mjs';
import { equal, ok, run, test } from '../lib/tap.mjs';

const { mock, url, signedIn, testPages, close } = await startMock({ products: 2000 });
const empty = new MockApi({ webRoot, products: 0 });
const emptyUrl = await empty.listen();

const PAGES = [
  ['rollouts', '/rollouts', '.vrow .row-link'],
  ['rollout-running', '/rollouts/4', '.chart svg path'],
  ['rollout-halted', '/rollouts/3', '.notice.tone-bad'],
  ['rollout-new', '/rollouts/new', 'form fieldset'],
];

testPages('rollouts', 'manager', PAGES);

test('the chart says in words and in a table what its lines show', () =>
  signedIn('manager', async (page) => {
    await page.goto(`${url}/rollouts/4`);
    const chart = page.locator('.chart svg');
    await chart.waitFor();
    ok(/\d+ labels have the picture and \d+ show it, of 600/.test(await chart.getAttribute('aria-label')), 'the chart in words');
    equal(await page.locator('.chart path').count(), 4, 'expected, stored, shown, failed');
    await page.getByText('The same as a table').click();
    ok((await page.locator('.chart-box table tbody tr').count()) > 20, 'a row for each sample');
    equal(await axe(page), [], 'axe with the table');
  }));

test('a list with mistakes is told by line, a good one is previewed and goes out wave by wave', () =>
  signedIn('manager', async (page) => {
    await page.goto(`${url}/rollouts/new`);
    await page.locator('form input:focus').waitFor();
    await page.keyboard.type('Prices of week 48');
    const box = page.getByLabel('New prices');
    await box.fill('gtin;price\n4006381000000;1,29\n4006381000018;2,00\n4006381000017;cheap\n4006381000000;1,30');
    for (const words of ['Line 3: this is not a valid GTIN', 'Line 4: this is not a price', 'Line 5: this GTIN appears twice']) {
      await page.locator('.bad-lines', { hasText: words }).waitFor();
    }
    equal(await axe(page), [], 'axe with bad lines');
    await box.fill('gtin;price\n4006381000000;1,29\n4006381000017;0,99\n4006381000024;2,49\n4006381000031;1,99');
    await page.getByLabel('Waves', { exact: true }).last().fill('25, 100');
    await page.locator('[data-preview=ready]').getByText('4 products on 4 labels').waitFor();
    equal(await page.locator('.wave-plan li').count(), 2, 'waves in the preview');
    await shot(page, 'ui-rollout-preview');
    await page.getByLabel('Name').focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Prices of week 48' }).waitFor();
    await page.locator('[data-wave="1"][data-state=flipped], [data-wave="1"][data-state=settled]').waitFor();
    await page.locator('.title-line .chip', { hasText: 'Done' }).waitFor();
    await page.locator('[data-wave="2"][data-state=settled]').waitFor();
    await page.locator('[aria-live=polite]', { hasText: 'Prices of week 48: Done' }).waitFor({ state: 'attached' });
    equal(mock.store.rollouts[0].gate, { staged_percent: 95, timeout_s: 3600 }, 'the gate that was sent');
  }));

test('a rollout is paused, resumed and rolled back, each after a question', () =>
  signedIn('manager', async (page) => {
    await page.goto(`${url}/rollouts/4`);
    const state = (text) => page.locator('.title-line .chip', { hasText: text }).waitFor();
    const ask = async (button, words) => {
      await page.locator('.page-actions').getByRole('button', { name: button }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByText(words).waitFor();
      equal(await axe(page), [], `axe asking to ${button}`);
      await dialog.getByRole('button', { name: button }).click();
    };
    await ask('Pause', 'No further wave switches');
    await state('Paused');
    await page.reload();
    await ask('Roll back', 'goes back to the price before');
    await state('Rolled back');
    equal(await page.locator('.page-actions button').count(), 0, 'actions of what is over');
    await page.locator('.timeline', { hasText: 'Rollout rolled back' }).waitFor();
  }));

test('an action that comes too late is told in words', () =>
  signedIn('manager', async (page) => {
    await page.goto(`${url}/rollouts/3`);
    await page.getByRole('button', { name: 'Resume' }).waitFor();
    mock.refuse = { method: 'POST', path: /\/rollouts\/3\/resume$/, status: 409, code: 'wrong-state', detail: 'The rollout is already over.' };
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('dialog').getByText('The rollout is already over.').waitFor();
    await page.keyboard.press('Escape');
  }));

test('labels are filtered by wave and state in the keyboard’s order', () =>
  signedIn('it', async (page) => {
    await page.goto(`${url}/rollouts/4`);
    await page.locator('.step-table .vrow .row-link').first().waitFor();
    equal(await page.locator('.page-actions button').count(), 0, 'actions of IT staff');
    await page.getByLabel('Wave', { exact: true }).selectOption('2');
    await page.waitForFunction(() => [...document.querySelectorAll('.step-table .vrow')].every((v) => v.textContent.includes('Wave 2')));
    await page.getByLabel('State').focus();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    equal(await page.evaluate(() => document.activeElement?.matches('[data-row]')), true, 'the first label has the focus');
    await page.keyboard.press('ArrowDown');
    equal(await page.evaluate(() => document.activeElement?.closest('[data-index]')?.dataset.index), '1', 'row after the arrow key');
  }));

test('the list is narrowed to a state, and says when there is none', () =>
  signedIn('manager', async (page) => {
    await page.goto(`${url}/rollouts`);
    await page.locator('.vrow .row-link').first().waitFor();
    await page.getByLabel('State').selectOption('halted');
    await page.waitForFunction(() => document.querySelectorAll('.vrow').length === 1);
    ok((await page.locator('.vrow').textContent()).includes('Bakery'), 'the halted one');
    await page.getByLabel('State').selectOption('scheduled');
    await page.getByText('No rollout in this state').waitFor();
    equal(await axe(page), [], 'axe on nothing found');
  }));

test('without rollouts the page says the next step', () =>
  signedIn(
    'manager',
    async (page) => {
      await page.goto(`${emptyUrl}/rollouts`);
      await page.locator('.empty').getByRole('link', { name: 'New rollout' }).waitFor();
      equal(await axe(page), [], 'axe on the empty page');
    },
    {},
    emptyUrl,
  ));

await run(async () => {
  await close();
  await empty.close();
});
