// SPDX-License-Identifier: Apache-2.0
// Who may do what, in Debian's browser against a mock server: sessions, tokens, roles, and an access point that
// takes a dead one's place.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { axe } from './browser.mjs';
import { startMock } from './page_test.mjs';
import { equal, ok, run, srcdir, test } from '../lib/tap.mjs';

const { mock, url, signedIn, testPages, close } = await startMock();

/** The sets of permissions that the server's table gives each role. */
function serverRoles() {
  const text = readFileSync(path.join(srcdir, 'controller/perm.c'), 'utf8');
  const names = [...text.matchAll(/\{PERM_(\w+),\s*"(\w+)"\}/g)].map((m) => [m[1], m[2]]);
  const table = text.slice(text.indexOf('roles[] = {'), text.indexOf('};'));
  const rows = [...table.matchAll(/\{"(\w+)",([^}]*)\}/g)];
  return new Map(rows.map((m) => [m[1], names.filter(([bit]) => new RegExp(`PERM_(${bit}|ALL)\\b`).test(m[2])).map(([, name]) => name)]));
}

testPages('account, users and agents', 'admin', [
  ['account', '/account', '[data-token-id]'],
  ['users', '/users', '.matrix td'],
  ['agents', '/agents', '.agent-card'],
  ['agent', '/agents/2', '.panel td'],
], 'access');

test('the matrix of roles says what the server does', () =>
  signedIn('admin', async (page) => {
    await page.goto(`${url}/users`);
    await page.locator('.matrix td').first().waitFor();
    const shown = await page.evaluate(() => {
      const rows = [...document.querySelectorAll('.matrix tbody tr')];
      return rows.map((r) => [r.querySelector('.mono').textContent.trim(), [...r.querySelectorAll('td .hidden')].map((x) => x.textContent === 'yes')]);
    });
    const server = serverRoles();
    equal(shown.length, server.get('admin').length, 'permissions');
    ['admin', 'manager', 'stock', 'it', 'viewer'].forEach((role, i) => {
      equal(shown.filter(([, may]) => may[i]).map(([name]) => name).sort().join(), server.get(role).sort().join(), `permissions of ${role}`);
    });
  }));

test('a session that one does not know is ended', () =>
  signedIn('admin', async (page) => {
    await page.goto(`${url}/account`);
    await page.getByRole('heading', { name: 'Who is signed in' }).waitFor();
    await page.getByRole('button', { name: /^End the session of manager/ }).click();
    await page.getByRole('button', { name: /^End the session of manager/ }).waitFor({ state: 'detached' });
    equal(mock.access.others.length, 0, 'other sessions');
  }));

test('a token is made with few permissions, shown once, and revoked', () =>
  signedIn('stock', async (page) => {
    await page.goto(`${url}/account`);
    await page.getByRole('button', { name: 'Make a token' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Make a token' }).click();
    await dialog.getByText('Give it a name.').waitFor();
    await dialog.getByText('Choose at least one permission.').waitFor();
    equal(await dialog.locator('input[value=prices]').count(), 0, 'permissions a stock clerk does not have');
    await dialog.getByLabel('Name').fill('till 2');
    await dialog.getByLabel('Feed sales').check();
    equal(await axe(page), [], 'axe while making a token');
    await dialog.getByLabel('Valid for').selectOption({ label: '30 days' });
    await dialog.getByRole('button', { name: 'Make a token' }).click();
    ok((await dialog.locator('[data-token]').textContent()).startsWith('gt_'), 'the token');
    equal(await axe(page), [], 'axe with the token');
    equal(mock.access.tokens.at(-1).permissions.join(), 'sales', 'its permissions');
    await dialog.getByRole('button', { name: 'Done' }).click();
    equal(await page.getByText('gt_').count(), 0, 'tokens in the page afterwards');
    await page.getByRole('button', { name: 'Revoke till 2' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke', exact: true }).click();
    await page.getByText('No tokens.').waitFor();
  }));

test('a dead access point is found first and replaced by a code for its place', () =>
  signedIn('it', async (page) => {
    await page.goto(`${url}/agents`);
    await page.getByText('1 of 2 agents needs attention').waitFor();
    equal(await page.locator('.agent-card').first().getAttribute('data-agent'), 'ap-back', 'the first card');
    await page.locator('.agent-card').first().getByRole('link', { name: 'ap-back' }).click();
    await page.getByRole('button', { name: 'Replace it' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Whoever joins with this code becomes ap-back.').waitFor();
    equal(await dialog.getByLabel('How many agents').count(), 0, 'choices of how many');
    await dialog.getByRole('button', { name: 'Make a join code' }).click();
    await dialog.locator('[data-join-code]').waitFor();
    await dialog.getByText('replaces ap-back').waitFor();
    equal(await axe(page), [], 'axe with the code');
    equal(mock.store.joinCodes.at(-1).replaces, 2, 'the agent it replaces');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Remove reader reader-1' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove reader' }).click();
    await page.getByText('This agent has no readers.').waitFor();
  }));

await run(close);
