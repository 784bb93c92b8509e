// SPDX-License-Identifier: Apache-2.0
// What the tests of single pages share: a mock server, Debian's browser, and a page that fails its test when
// anything happens that never must.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { axe, launch, missing, openPage, overflows, settled, shot, signIn } from './browser.mjs';
import { MockApi } from './mock_api.mjs';
import { PASSWORD } from './mock_base.mjs';
import { builddir, equal, ok, skipAll, srcdir, test } from '../lib/tap.mjs';

export { PASSWORD };
export const webRoot = [path.join(builddir, 'web/dist'), path.join(srcdir, 'web/dist')].find((d) => existsSync(path.join(d, 'index.html')));

/* Every width and every theme. What fits does not depend on colours, nor colours on what fits. The second is a
 * screen of 1280 by 800 at 200 % zoom. SCREENS=all: each width in each theme. */
const WIDTHS = [['phone', 360, 740, 'dark'], ['zoom', 640, 400, 'light'], ['desk', 1920, 1080, 'light']];
const themes = (theme) => (process.env.SCREENS === 'all' ? ['light', 'dark'] : [theme]);
export const SCREENS = WIDTHS.flatMap(([name, width, height, theme]) =>
  themes(theme).map((colorScheme) => [`${name}-${colorScheme}`, { viewport: { width, height }, colorScheme }]));

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

  /** Opens each of `pages` ([name, path, what to wait for]) and looks at it; with SHOTS=1 for people, too. */
  async function lookAt(page, pages, screen, prefix) {
    for (const [name, at, ready] of pages) {
      await page.goto(url + at);
      await page.locator(ready).first().waitFor();
      await settled(page);
      await checkPage(page, name);
      if (process.env.SHOTS) {
        await shot(page, `${prefix}-${name}-${screen}`);
      }
    }
  }

  /** A test for every screen that the pages are accessible and fit. */
  function testPages(which, user, pages, prefix = 'ui') {
    for (const [screen, options] of SCREENS) {
      test(`${which} are accessible and fit: ${screen}`, () => signedIn(user, (page) => lookAt(page, pages, screen, prefix), options));
    }
  }

  async function close() {
    await browser.close();
    await mock.close();
  }

  return { mock, url, browser, withPage, signedIn, checkPage, lookAt, testPages, close };
}

/** Accessible, and not wider than the screen. */
export async function checkPage(page, name) {
  equal(await axe(page), [], `axe on ${name}`);
  ok(!(await overflows(page)), `${name} fits the width of the screen`);
}
