// SPDX-License-Identifier: Apache-2.0
// Incidents and the page of one reader in Debian's browser against a mock server: every page light and dark, narrow,
// wide and at 200 % zoom, and the work on them by keyboard.

import { axe } from './browser.mjs';
import { MockApi } from './mock_api.mjs';
import { startMock, webRoot } from './page_test.mjs';
import { equal, ok, run, test } from '../lib/tap.mjs';

const PAGES = [
  ['incidents', '/incidents', '.incidents .vrow'],
  ['incident', '/incidents/5', '.panel [data-trail] li'],
  ['incidents-all', '/incidents?state=all', '.incidents .vrow'],
  ['reader', '/agents/1/reader-1', '.channels'],
];

const { mock, url, signedIn, testPages, close } = await startMock();
const empty = new MockApi({ webRoot, products: 0 });
const emptyUrl = await empty.listen();

testPages('incidents and readers', 'admin', PAGES, 'readers');

test('the frame tells how many are open, the gravest stand first, and one is looked at', () =>
  signedIn('stock', async (page) => {
    await page.locator('[data-open-incidents="5"]').click();
    await page.locator('.incidents .vrow').first().waitFor();
    equal(await page.locator('.incidents .vrow').first().locator('.chip').innerText(), 'grave');
    await page.getByRole('link', { name: /Antenna 2 of reader/ }).click();
    const panel = page.locator('.panel');
    await panel.getByText('Check the antenna’s cable').waitFor();
    await panel.getByText('usually 4.5 reads a second').waitFor();
    await panel.getByLabel('Note for the others').fill('a new cable is on its way');
    await panel.getByRole('button', { name: 'I look at it' }).click();
    await panel.getByText('stock looks at it').waitFor();
    equal(mock.store.incidents.find((x) => x.id === 5).acknowledged.note, 'a new cable is on its way');
    const x = mock.store.incidents.find((y) => y.id === 5);
    Object.assign(x, { state: 'closed', closed: new Date().toISOString(), why_closed: 'It is no longer in the reports.' });
    mock.publish('incident', { id: 5, kind: x.kind, subject: x.subject, state: 'closed', severity: x.severity, title: x.title, agent_id: 1, open: 4 });
    await page.locator('[data-open-incidents="4"]').waitFor();
    await page.waitForFunction(() => document.querySelectorAll('.incidents .vrow').length === 4);
  }));

test('evidence of several links stands in words', () =>
  signedIn('it', async (page) => {
    await page.goto(`${url}/incidents/6`);
    const panel = page.locator('.panel');
    await panel.getByText(/^Link: eth1, Times up or down in ten minutes: 7, Since: /).waitFor();
    await page.locator('.incidents').getByText('Unsteady network link').waitFor();
  }));

test('a page of a reader names what fails, and a tag is written there', () =>
  signedIn('it', async (page) => {
    await page.goto(`${url}/agents/1`);
    await page.getByRole('link', { name: 'Open reader reader-1' }).click();
    await page.getByText('2 of 50 channels fail: 907.75, 911.75 MHz.').waitFor();
    await page.locator('[data-antenna="2"]').getByText('silent').waitFor();
    await page.locator('[data-antenna="3"]').getByText('not connected').waitFor();
    await page.locator('[data-ledger]').getByText('the connection ended').waitFor();
    await page.getByText('Dense shelf: many tags').waitFor();
    await page.getByRole('button', { name: 'Do it' }).click();
    await page.getByText('Type or scan the GTIN.').waitFor();
    await page.getByLabel('GTIN').fill('4006381333931');
    await page.getByRole('button', { name: 'Do it' }).click();
    await page.locator('[data-operation=done]').getByText('Written, and read back.').waitFor();
    equal(await axe(page), [], 'axe with a result');
  }));

test('who may not write tags sees none of it', () =>
  signedIn('manager', async (page) => {
    await page.goto(`${url}/agents/1/reader-1`);
    await page.locator('.channels').waitFor();
    equal(await page.getByText('Write tags').count(), 0);
  }));

test('a store without trouble says so', () =>
  signedIn(
    'admin',
    async (page) => {
      await page.goto(`${emptyUrl}/incidents`);
      await page.getByText('Nothing needs attention').waitFor();
      ok((await page.locator('[data-open-incidents]').count()) === 0, 'no number in the frame');
    },
    {},
    emptyUrl,
  ));

await run(async () => {
  await close();
  await empty.close();
});
