// SPDX-License-Identifier: Apache-2.0
// The promotions pages in Debian's browser against the mock server: every state in light and dark, on a phone, at
// 200 % zoom and by keyboard alone; the label's picture before anything is saved; and what happens when it fails.

import { axe, shot, signIn } from './browser.mjs';
import { MockApi } from './mock_api.mjs';
import { PASSWORD, startMock, webRoot } from './page_test.mjs';
import { equal, ok, run, test } from '../lib/tap.mjs';

const { mock, url, withPage, signedIn, testPages, close } = await startMock({ products: 2000 });
const empty = new MockApi({ webRoot, products: 0 });
const emptyUrl = await empty.listen();

const PAGES = [
  ['promotions', '/promotions', '.vrow .row-link'],
  ['promotion-running', '/promotions/3', '.step-table .vrow .row-link'],
  ['promotion-weekly', '/promotions/4', '.occurrences li'],
  ['promotion-new', '/promotions/new', 'form fieldset'],
  ['promotion-edit', '/promotions/4/edit', '[data-preview=ready] .picture-room img'],
];

testPages('promotions', 'manager', PAGES);

/** Everything of the form but its buttons. */
async function fillForm(page, change = {}) {
  const d = { name: 'Breakfast', percent: '20', list: '4006381000000\n4006381000017', start: '2027-03-28T02:30', end: '2027-03-28T20:00', ...change };
  await page.getByLabel('Name').fill(d.name);
  await page.getByRole('textbox', { name: 'Percent off' }).fill(d.percent);
  await page.getByLabel('GTINs').fill(d.list);
  await page.getByLabel('Start').fill(d.start);
  await page.getByLabel('End', { exact: true }).fill(d.end);
}

const posts = () => mock.requests.filter((r) => r.method === 'POST' && r.path === '/promotions').length;

test('the label is seen on every size of panel before anything is saved', () =>
  signedIn('manager', async (page) => {
    const before = posts();
    await page.goto(`${url}/promotions/new`);
    await fillForm(page);
    const pane = page.locator('.preview-pane');
    await pane.getByText('2 products on 2 labels').waitFor();
    await pane.getByText('02:30 does not exist on 2027-03-28').first().waitFor();
    await pane.getByText('Coffee week').first().waitFor();
    await page.waitForFunction(() => document.querySelectorAll('.offer-picture img').length === 3);
    const sizes = await page.locator('.offer-picture img').evaluateAll((all) => all.map((i) => `${i.naturalWidth}x${i.naturalHeight}`));
    ok(sizes.includes('296x128') && sizes.includes('400x300'), `two sizes of panel, got ${sizes}`);
    ok(/Espresso beans, €0.79 instead of €0.99/.test(await page.locator('.offer-picture img').first().getAttribute('alt')), 'price and was-price in the text of the picture');
    const first = await page.locator('.offer-picture img').first().getAttribute('src');
    await page.getByRole('textbox', { name: 'Percent off' }).fill('50');
    await page.waitForFunction((old) => document.querySelector('.offer-picture img')?.src !== old, first);
    equal(posts(), before, 'nothing has been saved');
    await shot(page, 'ui-promotion-preview');
  }));

test('a scanner fills the list of products, one after the other', () =>
  signedIn('manager', async (page) => {
    await page.goto(`${url}/promotions/new`);
    await page.getByLabel('GTINs').focus();
    await page.keyboard.type('4006381000000\n4006381000017\n(01)04006381000024(21)7\n', { delay: 3 });
    await page.getByText('3 products in the list').waitFor();
    ok(page.url().endsWith('/promotions/new'), 'the page is still the form');
    equal(await page.getByRole('dialog').count(), 0, 'dialogs');
  }));

test('the keyboard alone makes a weekly promotion and finds it scheduled', () =>
  withPage(async (page) => {
    const key = page.keyboard;
    await signIn(page, url, 'manager', PASSWORD);
    await page.goto(`${url}/promotions`);
    await page.locator('.vrow').first().waitFor();
    await page.getByRole('link', { name: 'New promotion' }).focus();
    await key.press('Enter');
    await page.locator('form input:focus').waitFor();
    await key.type('Alba Fridays');
    await key.press('Tab');
    await key.press('Tab');
    await key.press('Tab');
    await key.type('12,5');
    await key.press('Tab');
    await key.press('Tab');
    await key.press('Enter');
    await page.getByRole('combobox', { name: 'Brand' }).waitFor();
    await key.press('Tab');
    await key.press('Tab');
    await key.type('Alba');
    await page.getByLabel('Start').fill('2026-11-27T08:00');
    await page.getByLabel('End', { exact: true }).fill('2026-11-27T20:00');
    await page.getByLabel('Repeats').focus();
    await key.press('ArrowDown');
    await key.press('ArrowDown');
    await page.locator('.in-words', { hasText: 'Every week on Friday, without end' }).waitFor();
    await page.getByLabel('How long').focus();
    await key.press('ArrowDown');
    await page.locator('.in-words', { hasText: 'Every week on Friday, 4 times' }).waitFor();
    await page.locator('[data-preview=ready]').waitFor();
    equal(await page.locator('.preview-pane .occurrences li').count(), 4, 'occurrences in the preview');
    await page.getByLabel('Name').focus();
    await key.press('Enter');
    await page.getByRole('heading', { name: 'Alba Fridays' }).waitFor();
    await page.locator('.title-line .chip', { hasText: 'Scheduled' }).waitFor();
    const made = mock.store.promotions[0];
    equal([made.percent, made.select, made.recurrence], ['12.5', { brand: 'Alba' }, 'FREQ=WEEKLY;BYDAY=FR;COUNT=4'], 'what was sent');
    equal(await axe(page), [], 'axe on the new promotion');
  }));

test('what is wrong is told at its field and nothing is sent', () =>
  signedIn('manager', async (page) => {
    const before = posts();
    await page.goto(`${url}/promotions/new`);
    await fillForm(page, { name: '', percent: '120', list: '4006381000018', end: '2027-03-28T01:00' });
    await page.getByRole('button', { name: 'Schedule' }).click();
    for (const words of ['Give the promotion a name.', 'Enter a percentage between 0 and 100', '1 entry is not a valid GTIN: 4006381000018', 'The end must come after the start.']) {
      await page.getByText(words).waitFor();
    }
    equal(await axe(page), [], 'axe with errors');
    equal(posts(), before, 'nothing was sent');
    await fillForm(page, { list: '4006381999991' });
    await page.locator('.preview-pane [role=alert]').waitFor();
  }));

test('a running promotion is cancelled after a question, and its history says who and why', () =>
  signedIn('manager', async (page) => {
    await page.goto(`${url}/promotions/3`);
    await page.getByRole('button', { name: 'Cancel promotion' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('every label goes back to the regular price at once').waitFor();
    equal(await axe(page), [], 'axe with the question');
    await page.keyboard.press('Escape');
    equal(await page.getByRole('dialog').count(), 0, 'dialogs after Escape');
    equal(mock.store.promotions.find((x) => x.id === 3).state, 'running', 'state after Escape');
    await page.getByRole('button', { name: 'Cancel promotion' }).click();
    await dialog.getByLabel('Reason').fill('Supplier changed his mind');
    await dialog.getByRole('button', { name: 'Cancel the promotion' }).click();
    await page.locator('.title-line .chip', { hasText: 'Cancelled' }).waitFor();
    await page.locator('.timeline', { hasText: 'Supplier changed his mind' }).waitFor();
    equal(await page.getByRole('button', { name: 'Cancel promotion' }).count(), 0, 'cancel buttons of what is over');
  }));

test('somebody else’s change is not overwritten', () =>
  signedIn('manager', async (page) => {
    await page.goto(`${url}/promotions/4/edit`);
    const name = page.getByLabel('Name');
    await name.waitFor();
    const x = mock.store.promotions.find((y) => y.id === 4);
    Object.assign(x, { etag: '"4-scheduled-77"', name: 'Fresher Friday' });
    await name.fill('My Friday');
    await page.getByRole('button', { name: 'Save changes' }).click();
    await page.getByText('Somebody else has changed this promotion').waitFor();
    equal(x.name, 'Fresher Friday', 'the other change stands');
    equal(await axe(page), [], 'axe with the notice');
    await page.getByRole('button', { name: 'Load the newer one' }).click();
    await page.waitForFunction(() => [...document.querySelectorAll('input')].some((i) => i.value === 'Fresher Friday'));
  }));

test('a live event changes the state in the list and is read out', () =>
  signedIn('manager', async (page) => {
    await page.goto(`${url}/promotions`);
    await page.locator('.vrow', { hasText: 'Night of the clocks' }).waitFor();
    await page.locator('.top', { hasText: 'Live' }).waitFor();
    const x = mock.store.promotions.find((y) => y.id === 5);
    x.state = 'scheduled';
    mock.publish('promotion', { id: 5, state: 'scheduled' });
    await page.locator('.vrow', { hasText: 'Night of the clocks' }).locator('.chip', { hasText: 'Scheduled' }).waitFor();
    await page.locator('[aria-live=polite]', { hasText: 'Night of the clocks: Scheduled' }).waitFor({ state: 'attached' });
  }));

test('labels are filtered by their state', () =>
  signedIn('stock', async (page) => {
    await page.goto(`${url}/promotions/4`);
    await page.locator('.step-table .vrow .row-link').first().waitFor();
    equal(await page.getByRole('button', { name: 'Cancel promotion' }).count(), 0, 'buttons of a stock clerk');
    await page.getByLabel('State').selectOption('failed');
    await page.waitForFunction(() => [...document.querySelectorAll('.step-table .chip')].every((c) => c.textContent.includes('Failed')));
  }));

test('without promotions the page says the next step', () =>
  signedIn(
    'manager',
    async (page) => {
      await page.goto(`${emptyUrl}/promotions`);
      await page.locator('.empty').getByRole('link', { name: 'New promotion' }).waitFor();
      equal(await axe(page), [], 'axe on the empty page');
    },
    {},
    emptyUrl,
  ));

test('a server out of reach is told, and a retry brings the page back', () =>
  signedIn('manager', async (page) => {
    await page.locator('.vrow').first().waitFor();
    await page.waitForFunction(() => performance.getEntriesByType('resource').some((r) => /\/promotions-/.test(r.name)));
    await page.context().setOffline(true);
    await page.getByRole('navigation').getByRole('link', { name: 'Promotions' }).click();
    await page.getByText('The server cannot be reached').waitFor();
    equal(await axe(page), [], 'axe while offline');
    await page.context().setOffline(false);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.locator('.vrow .row-link').first().waitFor();
  }));

test('a page whose script cannot be fetched says so, and a retry loads the newer one', () =>
  withPage(async (page) => {
    await page.route(/\/rollouts-[^/]*\.js/, (route) => route.abort());
    await signIn(page, url, 'manager', PASSWORD);
    await page.getByRole('navigation').getByRole('link', { name: 'Rollouts' }).click();
    await page.getByText('This page could not be loaded').waitFor();
    equal(await axe(page), [], 'axe with the message');
    // Until the idle browser has fetched all pages, it may try this one again by itself.
    await page.waitForFunction(() => performance.getEntriesByType('resource').some((r) => /\/users-/.test(r.name)));
    await page.unroute(/\/rollouts-[^/]*\.js/);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.locator('.vrow .row-link').first().waitFor();
  }));

test('the list shows how far the labels of what is on its way are', () =>
  signedIn('manager', async (page) => {
    await page.goto(`${url}/promotions?state=scheduled`);
    await page.waitForFunction(() => [...document.querySelectorAll('.vrow .parts-bar')].some((b) => /stored/.test(b.getAttribute('aria-label'))));
    equal(await axe(page), [], 'axe with the bars');
  }));

test('the detail page does not jump while it fills', () =>
  signedIn('manager', async (page) => {
    await page.addInitScript(() => {
      window.shifts = [];
      new PerformanceObserver((l) => l.getEntries().forEach((e) => (window.shifts.push(...(e.hadRecentInput ? [] : [[e.value, ...e.sources.map((x) => x.node?.className ?? x.node?.nodeName)]]))))).observe({ type: 'layout-shift', buffered: true });
    });
    await page.goto(`${url}/promotions/4`);
    await page.locator('.step-table .vrow .row-link').first().waitFor();
    await page.locator('.cards .rows-list li').first().waitFor();
    const shifts = await page.evaluate(() => window.shifts);
    ok(shifts.reduce((n, [v]) => n + v, 0) < 0.1, `a layout shift below 0.1, got ${JSON.stringify(shifts)}`);
  }));

await run(async () => {
  await close();
  await empty.close();
});
