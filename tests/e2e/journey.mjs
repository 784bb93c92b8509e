// SPDX-License-Identifier: Apache-2.0
// The two journeys as a person walks them, against a running gondolad. Used by the system test; also:
//   node journey.mjs price URL USER PASSWORD GTIN PRICE
//   node journey.mjs stock URL USER PASSWORD EPC PLACE

import { launch, openPage, shot, shotsDir, signIn } from './browser.mjs';

const VIEWPORT = { viewport: { width: 1280, height: 900 }, ignoreHTTPSErrors: true };

async function withPage({ url, user, password, browser }, f) {
  const own = browser ?? (await launch());
  const { context, page, trouble } = await openPage(own, VIEWPORT);
  try {
    await signIn(page, url, user, password);
    const result = await f(page);
    return { ...result, trouble };
  } finally {
    await context.close();
    if (!browser) {
      await own.close();
    }
  }
}

/** A GTIN as the page shows it: without the zeros that make it 14 digits. */
function shown(gtin) {
  const digits = gtin.replace(/^0+/, '');
  return digits.padStart(digits.length <= 8 ? 8 : 13, '0');
}

/** Finds a product by its GTIN and opens it. */
async function openProduct(page, gtin) {
  await page.getByRole('navigation').getByRole('link', { name: 'Products' }).click();
  const short = shown(gtin);
  await page.keyboard.press('/');
  await page.locator('[data-search]').fill(short);
  await page.keyboard.press('Enter');
  const row = page.locator('.vrow', { hasText: short }).locator('[data-row]').first();
  await row.waitFor();
  await row.click();
  await page.locator('.panel .price-form').waitFor();
}

/**
 * Changes a price in the browser and waits until the page says that every linked label shows it.
 * `shown_ms` is from the click on Save to *shown* in the page; `clicked_at` is the wall clock of the click.
 */
export async function priceJourney({ url, user, password, gtin, price, shots, browser, timeout = 60_000 }) {
  return withPage({ url, user, password, browser }, async (page) => {
    await openProduct(page, gtin);
    const panel = page.locator('.panel');
    await panel.locator('.price-field input').fill(String(price));
    await panel.locator('.price-change .old-new').waitFor();
    if (shots) {
      await shot(page, 'journey-price-old-new', shots === true ? shotsDir() : shots);
    }
    await page.evaluate(() => {
      window.gondolaClick = 0;
      window.gondolaShown = 0;
      addEventListener('submit', () => (window.gondolaClick = performance.now()), { capture: true, once: true });
      const look = () => {
        const steps = [...document.querySelectorAll('.panel .label-steps')];
        if (window.gondolaClick && steps.length > 0 && steps.every((s) => s.dataset.stage === 'shown')) {
          window.gondolaShown ||= performance.now();
        }
      };
      new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
    });
    await panel.getByRole('button', { name: 'Save' }).click();
    await page.locator('.progress-card').waitFor();
    await page.waitForFunction(() => window.gondolaShown > 0, undefined, { timeout });
    if (shots) {
      await shot(page, 'journey-price-shown', shots === true ? shotsDir() : shots);
    }
    return page.evaluate(() => ({
      clicked_at: performance.timeOrigin + window.gondolaClick,
      shown_ms: Math.round(window.gondolaShown - window.gondolaClick),
      labels: [...document.querySelectorAll('.panel .label-steps')].map((s) => s.dataset.label),
      price: document.querySelector('.panel .progress-card strong')?.textContent ?? '',
    }));
  });
}

/**
 * Opens an item and waits until the page says it is at `place`. Call `onReady` to move the item then.
 * `seen_ms` counts from the return of onReady; `at` is the wall clock when the page changed.
 */
export async function stockJourney({ url, user, password, epc, place, onReady, shots, browser, timeout = 60_000 }) {
  return withPage({ url, user, password, browser }, async (page) => {
    await page.getByRole('navigation').getByRole('link', { name: 'Stock' }).click();
    await page.locator('.vbox.stock').waitFor();
    if (shots) {
      await shot(page, 'journey-stock', shots === true ? shotsDir() : shots);
    }
    await page.goto(`${new URL(url).origin}/items/${epc}`);
    const where = page.locator('[data-item-place]');
    await where.waitFor();
    const from = (await where.textContent())?.trim() ?? '';
    await page.evaluate((wanted) => {
      window.gondolaSeen = 0;
      const look = () => {
        if (document.querySelector('[data-item-place]')?.textContent?.trim() === wanted) {
          window.gondolaSeen ||= Date.now();
        }
      };
      new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
      look();
    }, place);
    await onReady?.();
    const begun = Date.now();
    await page.waitForFunction(() => window.gondolaSeen > 0, undefined, { timeout });
    const at = await page.evaluate(() => window.gondolaSeen);
    if (shots) {
      await shot(page, 'journey-item-moved', shots === true ? shotsDir() : shots);
    }
    return { from, to: place, at, seen_ms: at - begun };
  });
}

if (process.argv[1] && import.meta.url.endsWith(process.argv[1].split('/').pop() ?? '')) {
  const [kind, url, user, password, what, value] = process.argv.slice(2);
  const result =
    kind === 'price'
      ? await priceJourney({ url, user, password, gtin: what, price: value, shots: true })
      : await stockJourney({ url, user, password, epc: what, place: value, shots: true });
  console.log(JSON.stringify(result));
}
