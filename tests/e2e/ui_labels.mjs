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
        ok(/Relative humidity\s+61\.5 %/.test(text) && /Sensor 00010203\s+of a kind not known here, bytes 1f2e/.test(text), text);
        // An event brings what the list tells of a label; the sensors stay.
        const l = mock.store.labels[0];
        mock.publish('label', Object.assign(l, { rssi_dbm: -33 }));
        await page.locator('.panel').getByText('-33 dBm').waitFor();
        equal(await sensors.getByText('4.25 °C').count(), 1, 'the temperature after an event');
        await page.getByRole('img', { name: /^Temperature over time: .* to .* °C in 108 readings/ }).waitFor();
        await page.getByRole('img', { name: /^Battery over time/ }).waitFor();
        equal(await page.getByRole('img', { name: /over time/ }).count(), 2, 'none of a single value, nor of unknown bytes');
        mock.links.patient = true;
        await page.getByRole('button', { name: 'Read now' }).click();
        await sensors.getByText('Asking the label').first().waitFor();
        mock.links.answer();
        await sensors.getByText('4.5 °C').first().waitFor();
        await sensors.getByText('Not read: The label gives no value: it says "Insufficient Resources".').waitFor();
        await page.locator('[data-budget=left]').getByText('asked for 4 of the 20 values').waitFor();
        await sensors.scrollIntoViewIfNeeded();
        await checkPage(page, 'a label with sensors');
        await shot(page, `labels-sensors-${width}`);
        await page.goto(`${url}/labels/C0FFEE000002`);
        await page.locator('.panel .timeline li').first().waitFor();
        equal(await sensors.count(), 0, 'sensors of a label without any');
        mock.links.reads.clear();
        mock.links.patient = false;
      },
      { viewport: { width, height: 800 } },
    ));
}

test('a label blinks, is turned off, and says when its battery is spared', () =>
  signedIn('stock', async (page) => {
    mock.links.flashes.set('C0FFEE000001', 2);
    await page.goto(`${url}/labels/C0FFEE000001`);
    const panel = page.locator('.panel');
    const flash = panel.getByRole('button', { name: /^Flash/ });
    await panel.getByText('blinked 2 of the 3 times allowed within an hour').waitFor();
    await flash.click();
    await panel.locator('[data-flash=on]').waitFor();
    await panel.getByRole('button', { name: 'Stop' }).click();
    await panel.locator('[data-flash=off]').getByText('It is turned off.').waitFor();
    await panel.getByText('blinked 3 of the 3 times allowed within an hour').waitFor();
    const spared = panel.locator('[data-budget=spent]');
    await spared.getByText('Used up; possible again in 25 minutes.').waitFor();
    ok(await flash.isDisabled(), 'nobody asks in vain');
    equal(await panel.getByRole('button', { name: 'Stop' }).count(), 0, 'nothing to stop');
    await checkPage(page, 'a spent battery');
    await spared.scrollIntoViewIfNeeded();
    await shot(page, 'label-spent');
  }));

for (const width of [360, 1280]) {
  test(`several labels are lit up, and who is refused is named, at ${width} px`, () =>
    signedIn(
      'stock',
      async (page) => {
        mock.links.flashes.clear();
        await page.goto(`${url}/labels`);
        await page.getByRole('button', { name: 'Pick by light' }).click();
        const bar = page.getByRole('region', { name: 'Pick by light' });
        ok(await bar.getByRole('button', { name: 'Light up' }).isDisabled(), 'nothing chosen, nothing to light');
        for (const n of [2, 3, 7]) {
          await page.getByRole('checkbox', { name: `Choose label C0FFEE00000${n}` }).check();
        }
        await bar.getByText('3 labels chosen', { exact: true }).waitFor();
        await bar.getByLabel('Colour').selectOption('blue');
        await bar.getByRole('button', { name: 'Light up' }).click();
        const said = bar.locator('[data-picked]');
        await said.getByText('2 of 3 labels are asked to blink.').waitFor();
        equal(await said.locator('li').allInnerTexts(), ['Sparkling water C0FFEE000007 No access point takes care of this label.'], 'who is refused and why');
        await bar.getByText('3 labels chosen, 2 blink now').waitFor();
        equal(await page.locator('[data-blinks]').count(), 2, 'marks in the list');
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
        await page.getByRole('button', { name: 'End picking' }).click();
        equal(await page.getByRole('checkbox').count(), 0, 'boxes when nobody chooses');
      },
      { viewport: { width, height: 900 } },
    ));
}

await run(close);
