// SPDX-License-Identifier: Apache-2.0
// What labels measure and picking them by their light, in Debian's browser against a mock server.

import { shot } from './browser.mjs';
import { startMock } from './page_test.mjs';
import { equal, ok, run, test } from '../lib/tap.mjs';

const { mock, url, signedIn, checkPage, close } = await startMock();

for (const width of [360, 1280]) {
  test(`a label tells what its sensors measure, at ${width} px`, () =>
    signedIn(
      'stock',
      async (page) => {
        await page.goto(`${url}/labels/C0FFEE000001`);
        const sensors = page.locator('[data-sensors]');
        await sensors.getByText('4.25 °C').waitFor();
        const text = await sensors.innerText();
        ok(/Relative humidity\s+61\.5 %/.test(text) && /Sensor 00010203\s+as it said it: 1f2e/.test(text), text);
        // An event brings what the list tells of a label; the sensors stay.
        const l = mock.store.labels[0];
        mock.publish('label', { ...l, rssi_dbm: -33 });
        await page.locator('.panel').getByText('-33 dBm').waitFor();
        equal(await sensors.getByText('4.25 °C').count(), 1, 'the temperature after an event');
        await sensors.scrollIntoViewIfNeeded();
        await checkPage(page, 'a label with sensors');
        await shot(page, `labels-sensors-${width}`);
        await page.goto(`${url}/labels/C0FFEE000002`);
        await page.locator('.panel .timeline li').first().waitFor();
        equal(await sensors.count(), 0, 'sensors of a label without any');
      },
      { viewport: { width, height: 800 } },
    ));
}

for (const width of [360, 1280]) {
  test(`several labels are lit up, and who is refused is named, at ${width} px`, () =>
    signedIn(
      'stock',
      async (page) => {
        mock.links.flashes.clear();
        await page.goto(`${url}/labels`);
        await page.getByRole('button', { name: 'Choose labels' }).click();
        const bar = page.getByRole('region', { name: 'Pick by light' });
        ok(await bar.getByRole('button', { name: 'Light up' }).isDisabled(), 'nothing chosen, nothing to light');
        for (const n of [2, 3, 7]) {
          await page.getByRole('checkbox', { name: `Choose label C0FFEE00000${n}` }).check();
        }
        await bar.getByText('3 labels chosen').waitFor();
        await bar.getByLabel('Colour').selectOption('blue');
        await bar.getByRole('button', { name: 'Light up' }).click();
        const said = bar.locator('[data-picked]');
        await said.getByText('2 of 3 labels are asked to blink.').waitFor();
        equal(await said.locator('li').allInnerTexts(), ['C0FFEE000007 No access point takes care of this label.'], 'who is refused and why');
        equal(mock.store.labels.slice(0, 4).map((l) => l.flash?.colour ?? null).slice(1, 3), ['blue', 'blue'], 'their lights');
        await checkPage(page, 'a pick');
        await shot(page, `labels-pick-${width}`);
        for (let i = 0; i < 3; i++) {
          await bar.getByRole('button', { name: 'Light up' }).click();
          await said.waitFor();
        }
        await said.getByText('None of them blinks.').waitFor();
        ok(/C0FFEE000002 A label blinks 3 times an hour at most/.test(await said.innerText()), 'the battery is spared');
        await bar.getByRole('button', { name: 'Stop' }).click();
        await said.getByText(/called off/).waitFor();
        await page.getByRole('button', { name: 'Choose labels' }).click();
        equal(await page.getByRole('checkbox').count(), 0, 'boxes when nobody chooses');
      },
      { viewport: { width, height: 900 } },
    ));
}

await run(close);
