// SPDX-License-Identifier: Apache-2.0
// The pictures of doc/places.md, a walk that goes on with what was learnt before, and the doors, and that of doc/esl.md,
// an access point on the page of the label radios. Taken from the pages over the mock server: `make screenshots`.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { srcdir } from '../lib/tap.mjs';
import { shot } from './browser.mjs';
import { startMock } from './page_test.mjs';

const dir = join(srcdir, 'doc', 'screenshots');
mkdirSync(dir, { recursive: true });
const { url, signedIn, close } = await startMock();
try {
  await signedIn(
    'it',
    async (page) => {
      await page.goto(`${url}/stock/places/walks`);
      await page.locator('[data-walk] td').first().waitFor();
      await page.locator('[data-model]').first().waitFor();
      await shot(page, 'walk', dir);
      await page.goto(`${url}/stock/places/doors`);
      await page.locator('[data-passage]').first().waitFor();
      await shot(page, 'doors', dir);
    },
    { viewport: { width: 1100, height: 1500 } },
  );
  await signedIn(
    'it',
    async (page) => {
      await page.goto(`${url}/radio`);
      const card = page.locator('[data-radio="ap-floor"]');
      await card.locator('svg .band-used').first().waitFor();
      await card.screenshot({ path: join(dir, 'radio.png') });
    },
    { viewport: { width: 1280, height: 1500 } },
  );
} finally {
  await close();
}
