// SPDX-License-Identifier: Apache-2.0
// What the tests of single pages share: a mock server, Debian's browser, and a page that fails its test when
// anything happens that never must.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { axe, launch, missing, openPage, overflows, shot, signIn } from './browser.mjs';
import { MockApi } from './mock_api.mjs';
import { PASSWORD } from './mock_base.mjs';
import { builddir, equal, ok, skipAll, srcdir } from '../lib/tap.mjs';

export { PASSWORD };
export const webRoot = [path.join(builddir, 'web/dist'), path.join(srcdir, 'web/dist')].find((d) => existsSync(path.join(d, 'index.html')));

/** A mock server with a browser; ends the script as skipped where neither can run. */
export async function startMock(options = {}) {
  if (missing()) {
    skipAll(missing());
  }
  if (!webRoot) {
    skipAll('the front end is not built');
  }
  const mock = new MockApi({ webRoot, stepMs: 250, ...options });
  const url = await mock.listen();
  const browser = await launch();

  async function withPage(f, pageOptions) {
    const { context, page, trouble } = await openPage(browser, pageOptions);
    page.setDefaultTimeout(15_000);
    try {
      await f(page);
      equal(trouble, [], 'trouble');
    } catch (e) {
      await shot(page, 'failure').catch(() => undefined);
      throw e;
    } finally {
      await context.close();
    }
  }

  async function signedIn(user, f, pageOptions, at = url) {
    await withPage(async (page) => {
      await signIn(page, at, user, PASSWORD);
      await f(page);
    }, pageOptions);
  }

  async function close() {
    await browser.close();
    await mock.close();
  }

  return { mock, url, browser, withPage, signedIn, checkPage, close };
}

/** Accessible, and not wider than the screen. */
export async function checkPage(page, name) {
  equal(await axe(page), [], `axe on ${name}`);
  ok(!(await overflows(page)), `${name} fits the width of the screen`);
}
