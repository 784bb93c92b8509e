// SPDX-License-Identifier: Apache-2.0
// The page of the label radios in Debian's browser against a mock server: channels beside Wi-Fi, train, signal, and links
// in the agent's panel.

import path from 'node:path';
import { shot, shotsDir } from './browser.mjs';
import { SCREENS, startMock } from './page_test.mjs';
import { equal, ok, run, test } from '../lib/tap.mjs';

const { mock, url, signedIn, checkPage, close } = await startMock();

const open = async (page) => {
  await page.goto(`${url}/radio`);
  await page.locator('[data-radio="ap-floor"] svg .band-used').first().waitFor();
};

for (const [screen, options] of SCREENS) {
  test(`the label radios are accessible and fit: ${screen}`, () =>
    signedIn(
      'it',
      async (page) => {
        await open(page);
        await checkPage(page, 'radio');
        await shot(page, `radio-${screen}`);
        await page.setViewportSize({ width: options.viewport.width, height: 2400 });
        await page.locator('[data-radio="ap-floor"]').screenshot({ path: path.join(shotsDir(), `radio-card-${screen}.png`) });
      },
      options,
    ));
}

test('the picture has every channel, those under the Wi-Fi left alone, and says so in words', () =>
  signedIn('manager', async (page) => {
    await open(page);
    const card = page.locator('[data-radio="ap-floor"]');
    equal(await card.locator('svg[role=img] .band-used').count(), 26, 'channels in use');
    equal(await card.locator('svg[role=img] .band-avoided').count(), 11, 'channels left alone');
    equal(await card.locator('svg[role=img] .band-advert').count(), 3, 'advertising channels');
    equal(await card.locator('svg[role=img] .band-wifi').count(), 1, 'Wi-Fi in the band');
    ok(await card.getByText('26 of 37 data channels are in use, 11 are left to others.').isVisible(), 'the channels in words');
    ok(await card.locator('.rows-list').getByText('Wi-Fi “Shop” at 2,437 MHz (channel 6), 20 MHz wide').isVisible(), 'the Wi-Fi in words');
    ok(await card.getByText('each of 26 groups of labels is called once').isVisible(), 'the train in words');
    ok(await card.getByText('3 of 174 are weaker than −85 dBm', { exact: false }).isVisible(), 'the signal in words');
    ok(await page.locator('[data-radio="ap-back"]').getByText('The radio does not answer').isVisible(), 'the other one is down, with its reason');
  }));

test('what new prices would take stands in words, and every count leads to its labels', () =>
  signedIn('manager', async (page) => {
    await open(page);
    const card = page.locator('[data-radio="ap-floor"]');
    equal(await card.locator('[data-outlook]').innerText(), 'New prices on all of the 174 labels in step: about 20 seconds until every picture is there (113 ms each), then 4 seconds to tell each label when to show it.', 'the outlook');
    ok(await card.getByText(/^452 \(0\.9\s%\)$/).isVisible(), 'the share of what was repeated');
    equal(await card.getByRole('link', { name: '4', exact: true }).getAttribute('href'), '/labels?q=ap-floor&state=lost', 'the silent ones');
    await card.getByRole('link', { name: '174', exact: true }).click();
    await page.locator('.labels .vrow').first().waitFor();
  }));

test('the radio of an access point that is away is not said to run', () =>
  signedIn('it', async (page) => {
    const [a] = mock.store.agents, online = { ...a };
    Object.assign(a, { state: 'offline', last_seen: new Date(Date.now() - 300_000).toISOString() });
    await open(page);
    const card = page.locator('[data-radio="ap-floor"]');
    await card.getByText('The access point is offline. This is what it told 5 minutes ago.').waitFor();
    equal(await card.locator('header .chip').innerText(), 'Offline', 'its state');
    await checkPage(page, 'a radio that is away');
    Object.assign(a, online);
  }));

test('the panel says whom a dead access point would leave to pair anew', () =>
  signedIn('it', async (page) => {
    const a = mock.store.agents[0], { keys } = a.radio;
    await page.goto(`${url}/agents/1`);
    const panel = page.locator('.panel');
    await panel.getByText('no label to pair anew').waitFor();
    equal(await panel.locator('[data-escrow]').count(), 0, 'no warning of nothing');
    await page.getByText('Live', { exact: true }).waitFor(); // else what is told now is told to nobody
    a.radio.keys = { ...keys, unescrowed: 5, unescrowed_bonds: 3 };
    mock.publish('agent', a);
    await panel.getByText('3 labels would have to be paired anew if this access point died now', { exact: false }).waitFor();
    await checkPage(page, 'an agent with pairings not in escrow');
    a.state = 'offline';
    mock.publish('agent', a);
    await panel.getByText('no copy of their pairing has reached the controller', { exact: false }).waitFor();
    Object.assign(a, { state: 'online' }).radio.keys = { ...keys, unescrowed_bonds: null };
    mock.publish('agent', a);
    await panel.getByText('not known; a newer agent says it').waitFor();
    a.radio.keys = keys;
  }));

test('a channel that changes is shown as it comes', () =>
  signedIn('it', async (page) => {
    await open(page);
    const a = structuredClone(mock.store.agents[0]);
    a.radio.channels.used = a.radio.channels.wanted = Array.from({ length: 37 }, (_, i) => i);
    a.radio.next_step = 'Put the access point higher.';
    mock.publish('agent', a);
    await page.locator('[data-radio="ap-floor"] [data-channels="37"]').waitFor();
    ok(await page.getByText('Next step: Put the access point higher.').isVisible(), 'the next step');
  }));

test('access points of another make are shown as they tell of themselves', () =>
  signedIn('it', async (page) => {
    await open(page);
    const a = structuredClone(mock.store.agents[0]);
    const station = { name: 'Door', up: true, state: 'online', version: '2.80', channel: 11, tags: 41, labels: 38, queued: 3, heap_bytes: 120000, storage_bytes: 3900000, wifi_dbm: -51, low_batteries: 2, timeouts: 0, uptime_s: 90061 };
    const silent = { address: 'http://192.0.2.18', name: null, up: false, state: 'The access point does not answer.', version: null, channel: null, tags: null, labels: 0, queued: 0, heap_bytes: null, storage_bytes: null, wifi_dbm: null, low_batteries: 0, timeouts: 0, uptime_s: null };
    Object.assign(a.radio, { driver: 'oepl', controller: 'OpenEPaperLink access points', train: null, groups: [], stations: [{ ...station, address: 'http://192.0.2.17' }, silent] });
    mock.publish('agent', a);
    const one = page.locator('[data-station="http://192.0.2.17"]'), other = page.locator('[data-station="http://192.0.2.18"]');
    await one.waitFor();
    const words = await one.innerText();
    for (const word of ['Door', 'online', '38', '41', '2.80', '120 kB', '3.9 MB', '−51 dBm', '25 hours', 'Low batteries']) ok(words.includes(word), `${word} in: ${words}`);
    ok(await other.getByText('The access point does not answer.').isVisible(), 'the silent one says why');
    ok(!(await other.innerText()).includes('Free memory'), 'what is not known is left out');
    equal(await page.locator('[data-radio="ap-floor"] svg .band-used').count(), 0, 'no Bluetooth channels');
    await checkPage(page, 'radio of another make');
  }));

test('the panel of an agent tells its links and leads to its radio', () =>
  signedIn('it', async (page) => {
    await page.goto(`${url}/agents/1`);
    const panel = page.locator('.panel');
    await panel.getByText('wlan1').waitFor();
    ok(await panel.getByText('access point · Shop · 2,437 MHz · 20 MHz wide · noise −92 dBm', { exact: false }).isVisible(), 'the Wi-Fi of its own');
    ok(await panel.getByText('up or down 7 times in ten minutes').isVisible(), 'the unsteady link');
    await panel.getByRole('link', { name: 'How the radio does' }).click();
    await page.locator('[data-radio="ap-floor"]').waitFor();
  }));

await run(close);
