// SPDX-License-Identifier: Apache-2.0
// What labels measure, in Debian's browser against a mock server.

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

await run(close);
