// SPDX-License-Identifier: Apache-2.0
// The front end in Debian's browser against a mock server: every page on every screen with axe-core, no violation
// of the Content-Security-Policy anywhere, and the work of each role.

import { axe, openPage, shot, shotsDir, signIn } from './browser.mjs';
import { priceJourney, stockJourney } from './journey.mjs';
import { MockApi } from './mock_api.mjs';
import { PASSWORD, SCREENS, startMock, webRoot } from './page_test.mjs';
import { equal, ok, run, test } from '../lib/tap.mjs';

const PAGES = [
  ['products', '/products', '.vrow'],
  ['product', '/products/1', '.panel .label-line'],
  ['import', '/products/import', '.drop'],
  ['labels', '/labels', '.vrow'],
  ['labels-tiles', '/labels?view=tiles', '.tile'],
  ['label', '/labels/C0FFEE000006', '.panel .timeline li'],
  ['stock', '/stock', '.vrow'],
  ['items', '/stock/items?product_id=3', '.vrow'],
  ['item', '/items/3034257bf400b78000000300', '.where'],
  ['places', '/stock/places', 'td select'],
  ['agents', '/agents', '.agent-card'],
  ['agent', '/agents/2', '.panel td'],
  ['users', '/users', '.users li'],
  ['audit', '/audit', '.vrow'],
  ['account', '/account', 'form'],
  ['not-found', '/nowhere', '.empty'],
];

const { mock, url, browser, withPage, signedIn, checkPage, lookAt } = await startMock();
const empty = new MockApi({ webRoot, products: 0 });
const emptyUrl = await empty.listen();

for (const [screen, options] of SCREENS) {
  test(`every page is accessible and fits: ${screen}`, () =>
    withPage(async (page) => {
      await page.goto(url);
      await page.locator('.sign-in form').waitFor();
      await checkPage(page, 'sign-in');
      await shot(page, `ui-sign-in-${screen}`);
      await signIn(page, url, 'admin', PASSWORD);
      await lookAt(page, PAGES, screen, 'ui');
    }, options));
}

test('the watchers see what they are there for', async () => {
  const { context, page, trouble } = await openPage(browser);
  await page.goto(url);
  await page.locator('.sign-in form').waitFor();
  await page.evaluate(() => {
    document.querySelector('h1').setAttribute('style', 'color: red');
    try {
      document.createElement('div').innerHTML = '<b>text</b>';
    } catch {
      // Trusted Types refuse it
    }
    document.querySelector('main').append(document.createElement('img'));
  });
  ok((await axe(page)).some((v) => v.startsWith('image-alt')), 'axe finds a picture without a text');
  const seen = trouble.filter((x) => x.startsWith('CSP violation')).join();
  ok(seen.includes('style-src') && seen.includes('require-trusted-types-for'), `CSP violations are heard, got ${seen}`);
  await context.close();
});

test('empty pages say the next step and are accessible', () =>
  signedIn(
    'admin',
    async (page) => {
      for (const [at, words] of [['/products', 'Import a CSV'], ['/labels', 'agent'], ['/stock', 'places'], ['/agents', 'join code'], ['/stock/places', 'Make a place']]) {
        await page.goto(emptyUrl + at);
        const box = page.locator('.empty');
        await box.waitFor();
        ok((await box.textContent()).includes(words), `${at} names the next step`);
        equal(await axe(page), [], `axe on empty ${at}`);
      }
      await shot(page, 'ui-empty-places');
    },
    {},
    emptyUrl,
  ));

test('the switch for dark overrides the system', () =>
  signedIn(
    'admin',
    async (page) => {
      await page.goto(`${url}/account`);
      await page.getByRole('button', { name: 'Dark' }).click();
      const dark = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      await page.reload();
      await page.locator('form').waitFor();
      equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), dark, 'background after reload');
      ok(dark !== 'rgb(244, 246, 245)', 'a dark background');
      equal(await axe(page), [], 'axe with the switch');
    },
    { colorScheme: 'light' },
  ));

test('each role lands on its own first task and sees only what it may', async () => {
  for (const [user, first, users] of [['manager', '/products', 0], ['stock', '/stock', 0], ['it', '/agents', 0], ['admin', '/products', 1]]) {
    await signedIn(user, async (page) => {
      equal(new URL(page.url()).pathname, first, `first page of ${user}`);
      equal(await page.getByRole('navigation').getByRole('link', { name: 'Users' }).count(), users, `users link of ${user}`);
    });
  }
  await signedIn('stock', async (page) => {
    await page.goto(`${url}/products`);
    await page.locator('.vrow').first().waitFor();
    equal(await page.locator('.price-button').count(), 0, 'price buttons for a stock clerk');
  });
});

test('a wrong password is told in plain words and the page stays usable', () =>
  withPage(async (page) => {
    await page.goto(url);
    await page.getByLabel('User name').fill('manager');
    await page.getByLabel('Password').fill('wrong');
    await page.keyboard.press('Enter');
    await page.getByText('User name or password is wrong.').waitFor();
    equal(await axe(page), [], 'axe with an error');
    mock.refuse = { method: 'POST', path: /session$/, status: 429, code: 'throttled', detail: 'Too many attempts' };
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('Too many attempts.').waitFor();
    await page.getByLabel('Password').fill(PASSWORD);
    await page.keyboard.press('Enter');
    await page.locator('.frame').waitFor();
  }));

test('the keyboard alone signs in, finds a product, changes its price and sees it shown', () =>
  withPage(async (page) => {
    const key = page.keyboard;
    await page.goto(url);
    await page.locator('.sign-in input:focus').waitFor();
    await key.type('manager');
    await key.press('Tab');
    await key.type(PASSWORD);
    await key.press('Enter');
    await page.locator('.vrow [data-row]').first().waitFor();
    await key.press('/');
    await key.type('olive oil');
    await key.press('Enter');
    await page.locator('.vrow', { hasText: 'Olive oil' }).first().waitFor();
    await page.waitForFunction(() => !document.querySelector('.vrow')?.textContent?.includes('Espresso'));
    await key.press('ArrowDown');
    await key.press('ArrowDown');
    await key.press('ArrowUp');
    await key.press('Enter');
    await page.locator('.panel .price-field input:focus').waitFor();
    await key.type('2,49');
    ok((await page.locator('.panel .price-change').textContent()).includes('€2.49'), 'old and new price');
    await shot(page, 'ui-price-old-new');
    await key.press('Enter');
    await page.locator('.progress-card[data-finished="true"] [data-stage="shown"]').waitFor();
    ok(/Shown after/.test(await page.locator('.progress-card').textContent()), 'time until shown');
    equal(await page.locator('.progress-card .steps li.done').count(), 3, 'stages done');
    await page.locator('.big-price', { hasText: '€2.49' }).waitFor();
    equal(await axe(page), [], 'axe after the change');
    await shot(page, 'ui-price-shown');
  }));

test('a price is edited in its row, and a refused price is told at the field', () =>
  signedIn('manager', async (page) => {
    await page.locator('.price-button').nth(1).click();
    const form = page.locator('.price-form.compact');
    await form.locator('input').fill('1,234');
    await form.getByText('at most 2 digits').waitFor();
    await form.locator('input').fill('250000');
    await form.getByRole('button', { name: 'Save' }).click();
    await form.getByText('This store’s highest price is 100,000.').waitFor();
    equal(await axe(page), [], 'axe with a field error');
    await form.locator('input').fill('1.29');
    await form.getByRole('button', { name: 'Save' }).click();
    await page.locator('.progress-card[data-finished="true"]').waitFor();
  }));

test('a list of 100,000 products scrolls to its end with few rows in the page', () =>
  signedIn('manager', async (page) => {
    await page.locator('.vrow').first().waitFor();
    await page.locator('.vbox').evaluate((el) => el.scrollTo(0, el.scrollHeight));
    await page.locator('[data-index="99999"] .row-link').waitFor({ timeout: 60_000 });
    ok((await page.locator('.vrow').count()) < 80, 'few rows in the page');
    equal(await page.locator('.vbox').getAttribute('aria-rowcount'), '100001', 'rows told to assistive technology');
    await page.locator('.vbox').evaluate((el) => el.scrollTo(0, 0));
    await page.locator('[data-index="0"] .row-link').waitFor();
  }));

test('events change the page, also after the connection was lost', () =>
  signedIn('stock', async (page) => {
    const cell = page.locator('.vrow', { hasText: 'Oat drink' }).first().locator('[data-place="1"]');
    await cell.waitFor();
    const before = Number(await cell.textContent());
    await page.locator('.top .tone-good', { hasText: 'Live' }).waitFor();
    mock.moveItem(2, 2, 1);
    await page.waitForFunction(([n]) => [...document.querySelectorAll('.vrow')].some((r) => r.textContent?.includes('Oat drink') && r.querySelector('[data-place="1"]')?.textContent === String(n)), [before + 1]);
    mock.dropStreams();
    await page.locator('.top', { hasText: 'Reconnecting' }).waitFor();
    mock.moveItem(2, 2, 1);
    await page.locator('.top', { hasText: 'Live' }).waitFor();
    await page.waitForFunction(([n]) => [...document.querySelectorAll('.vrow')].some((r) => r.textContent?.includes('Oat drink') && r.querySelector('[data-place="1"]')?.textContent === String(n)), [before + 2]);
    await page.waitForTimeout(0);
    await cell.locator('a').click();
    await page.locator('.items .row-link').first().click();
    await page.getByRole('heading', { name: 'Reads this rests on' }).waitFor();
  }));

test('a reset event makes the page fetch anew', () =>
  signedIn('manager', async (page) => {
    await page.locator('.vrow').first().waitFor();
    const list = () => mock.requests.filter((r) => r.method === 'GET' && r.path === '/products').length;
    const before = list();
    mock.publish('reset', {});
    for (let i = 0; i < 100 && list() === before; i++) {
      await page.waitForTimeout(50);
    }
    ok(list() > before, 'the list is read again');
  }));

test('an ended session asks to sign in again and comes back to the same page', () =>
  signedIn('manager', async (page) => {
    await page.goto(`${url}/labels`);
    await page.locator('.vrow').first().waitFor();
    mock.sessions.clear();
    await page.locator('[data-search]').fill('olive');
    await page.getByText('your session ended').waitFor();
    await page.getByLabel('User name').fill('manager');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.keyboard.press('Enter');
    await page.locator('.vbox.labels').waitFor();
  }));

test('an import shows bad rows by line and column, and then what a good file did', () =>
  signedIn('manager', async (page) => {
    await page.goto(`${url}/products/import`);
    const file = (text) => ({ name: 'prices.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });
    const input = page.locator('input[type=file]');
    await input.setInputFiles(file('gtin,name,price\n4006381333931,Pen,1.99\n4006381333932,Wrong,1\n4006381333931,Again,-2\n'));
    await page.locator('.error-table').waitFor();
    const rows = await page.locator('.error-table tbody tr').allTextContents();
    equal(rows.length, 3, 'bad rows');
    ok(/^31.*check digit/.test(rows[0]), 'line 3, column 1, check digit');
    equal(await axe(page), [], 'axe with the table of errors');
    await shot(page, 'ui-import-errors');
    await input.setInputFiles(file('gtin,name,price\n4006381333931,Pen,1.99\n'));
    await page.getByRole('heading', { name: 'The file is good' }).waitFor();
    await shot(page, 'ui-import-checked');
    await page.getByRole('button', { name: 'Import 1 row' }).click();
    await page.locator('[data-import=done]').waitFor();
  }));

test('IT staff get a join code once, with the command, and edit a reader', () =>
  signedIn('it', async (page) => {
    await page.getByRole('button', { name: 'New join code' }).click();
    await page.getByRole('button', { name: 'Make a join code' }).click();
    const code = await page.locator('[data-join-code]').textContent();
    ok(/^GJ1-/.test(code), 'a join code');
    ok((await page.locator('.made').textContent()).includes(`--join ${code}`), 'the command with the code');
    equal(await axe(page), [], 'axe with the code');
    await shot(page, 'ui-join-code');
    await page.keyboard.press('Escape');
    equal(await page.locator('dialog').count(), 0, 'dialogs after Escape');
    await page.goto(`${url}/agents/1`);
    await page.getByRole('button', { name: 'Add reader' }).click();
    await page.getByLabel('Name').fill('reader-2');
    await page.getByLabel('Address').fill('not an address');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('This is not a host name or address.').waitFor();
    equal(await axe(page), [], 'axe with the dialog');
    await page.getByLabel('Address').fill('10.0.0.77');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.locator('.reader', { hasText: 'reader-2' }).waitFor();
  }));

test('the journeys of the system test work against the mock', async () => {
  const r = await priceJourney({ url, user: 'manager', password: PASSWORD, gtin: '04006381000017', price: '3.33', browser, shots: shotsDir() });
  equal(r.trouble, [], 'trouble');
  equal(r.labels.length, 1, 'labels');
  ok(r.shown_ms >= 900, `a time that fits the mock, got ${r.shown_ms}`);
  const s = await stockJourney({ url, user: 'stock', password: PASSWORD, epc: '3034257bf400b78000000300', place: 'Sales floor', browser });
  equal(s.trouble, [], 'trouble');
});

await run(async () => {
  await browser.close();
  await mock.close();
  await empty.close();
});
