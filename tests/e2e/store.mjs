// SPDX-License-Identifier: Apache-2.0
// Three people at the page of a real store: the manager changes a price and sees it shown, the stock clerk
// sees an item move, the IT person finds an access point healthy and makes a join code. What the page says
// is compared with the simulator's truth.
import { assert, run, Skip, test } from '../lib/tap.mjs';
import { endStore, newStore, oneAp } from '../lib/stores.mjs';
import { panelShowsWanted } from '../../sim/demo/checks.mjs';
import { axe, launch, missing, openPage, shot, signIn } from './browser.mjs';
import { priceJourney, stockJourney } from './journey.mjs';

/* One store for people at the pace of a real one. */
const store = newStore(oneAp({ quick: false }));
let browser;

const need = () => {
	const why = missing();
	if (why) throw new Skip(why);
};
const as = (user) => ({ url: store.url, user, password: store.passwords[user], browser, shots: true });

test('a store comes up for its people', async () => {
	need();
	browser = await launch();
	await store.start();
	for (const role of ['manager', 'stock', 'it']) await store.addUser(role, role);
	await store.allShown(240000);
});

test('the manager changes a price and the page says shown when the label shows it', async () => {
	need();
	const label = (await store.api.all('/labels')).find((l) => l.product);
	const r = await priceJourney({ ...as('manager'), gtin: label.product.gtin, price: '7.31' });
	const { panel } = await panelShowsWanted(store, label.id, { price: 731, timeoutMs: 3000 });
	assert(panel.hash === (await store.api.get(`/labels/${label.id}`)).wanted.image, 'the panel shows the wanted picture');
	assert(r.trouble.length === 0, r.trouble.join('; '));
	console.log(`# click to shown in the page: ${r.shown_ms} ms`);
});

test('the stock clerk sees an item move to where the simulator has it', async () => {
	need();
	const item = (await store.truth.ask({ op: 'items' })).items.find((i) => i.place === 'Floor');
	const r = await stockJourney({ ...as('stock'), epc: item.epc, place: 'Back room', onReady: () => store.truth.ask({ op: 'move', epc: item.epc, place: 'Back room' }) });
	assert((await store.truth.ask({ op: 'item', epc: item.epc })).place === 'Back room', 'truth');
	assert(r.trouble.length === 0, r.trouble.join('; '));
});

test('the IT person finds the access point healthy and makes a join code', async () => {
	need();
	const { context, page, trouble } = await openPage(browser, { ignoreHTTPSErrors: true });
	try {
		await signIn(page, store.url, 'it', store.passwords.it);
		await page.getByText('ap1').first().waitFor();
		const found = await axe(page);
		assert(found.length === 0, found.join('\n'));
		await shot(page, 'store-agents');
		await page.getByRole('button', { name: /join code/i }).first().click();
		await page.getByRole('dialog').getByRole('button', { name: /make|create/i }).click();
		await page.getByText(/GJ1-/).first().waitFor();
		assert(trouble.length === 0, trouble.join('; '));
	} finally {
		await context.close();
	}
});

test('a clerk of the stock may not change a price', async () => {
	need();
	const api = await store.signIn('stock');
	const label = (await store.api.all('/labels')).find((l) => l.product);
	const r = await api.request('POST', '/api/v1/price-changes', { gtin: label.product.gtin, price_minor: 1 });
	api.close();
	assert(r.status === 403, `status ${r.status}`);
});

await run(async (failed) => {
	await browser?.close();
	await endStore(store, failed);
});
