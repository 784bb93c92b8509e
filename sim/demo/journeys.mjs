// SPDX-License-Identifier: Apache-2.0
// What ./quickstart --check lives through after a price change and a stock move: a promotion, a rollout, a
// theft. Each is compared with the simulator's truth: what panels show, where items are.
import { delay, until } from './process.mjs';
import { panelOf, panelShowsWanted } from './checks.mjs';

const MINUTE = 60000;
const money = (minor) => (minor / 100).toFixed(2);

/** Wall time in the store, to the minute. */
export const wallTime = (store, ms) => new Intl.DateTimeFormat('sv-SE', { timeZone: store.zone, hourCycle: 'h23', dateStyle: 'short', timeStyle: 'short' }).format(ms).replace(' ', 'T');

/** The label's panel shows what is wanted at that price, since the instant within a moment. */
async function turned(store, label, price, sinceMs, waitMs) {
	const { panel } = await panelShowsWanted(store, label.id, { price, timeoutMs: waitMs });
	const late = panel.truth.shown_at_us / 1000 - sinceMs;
	if (late < -1000 || late > 10000) throw new Error(`label ${label.id} changed ${Math.round(late)} ms after its instant`);
	return Math.round(late);
}

/** A promotion of one minute, from the next full minute on: there and back. */
export async function checkPromotion(store, label) {
	const { price_minor: regular } = await store.api.get(`/products/${label.product.id}`), reduced = Math.floor((regular * 80 + 50) / 100);
	const start = Math.ceil((Date.now() + 15000) / MINUTE) * MINUTE, end = start + MINUTE;
	await store.ctl('promotions', 'add', '--percent', '20', '--gtins', label.product.gtin, '--from', wallTime(store, start), '--to', wallTime(store, end), 'One minute');
	const before = await panelOf(store, label.id);
	const there = await turned(store, label, reduced, start, start + 30000 - Date.now());
	await delay(Math.max(end - 2000 - Date.now(), 0));
	if ((await panelOf(store, label.id)).hash === before.hash) throw new Error('the promotion ended too soon');
	const back = await turned(store, label, regular, end, end + 30000 - Date.now());
	if ((await panelOf(store, label.id)).hash !== before.hash) throw new Error('the panel does not show its old picture');
	return `promotion: label ${label.id} showed ${money(reduced)} instead of ${money(regular)} EUR from ${wallTime(store, start).slice(11)} to ${wallTime(store, end).slice(11)}, ${there} and ${back} ms after the minute`;
}

/** A rollout whose second wave is at an access point that goes deaf: it halts, and is rolled back. */
export async function checkRollout(store, heard, deaf) {
	const hashes = async () => [(await panelOf(store, heard.id)).hash, (await panelOf(store, deaf.id)).hash];
	const before = await hashes(), old = (await store.api.get(`/products/${heard.product.id}`)).price_minor, price_minor = old + 111;
	await store.truth.ask({ op: 'set', radio: deaf.agent, loss: 1 });
	const { id } = await store.api.call('POST', '/api/v1/rollouts', {
		name: 'Halted', lead_s: 5, settle_s: 5, waves: [{ percent: 50 }, { percent: 100 }], gate: { staged_percent: 100, timeout_s: 15 }, halt: { failed_percent: 10 },
		changes: [heard, deaf].map((l) => ({ product_id: l.product.id, price_minor })),
	});
	await panelShowsWanted(store, heard.id, { price: price_minor, timeoutMs: 60000 });
	const rollout = async (state) => {
		const r = await store.api.get(`/rollouts/${id}`);
		return r.state === state && r;
	};
	const halted = await until('the rollout to halt', () => rollout('halted'), 120000, 300);
	if ((await hashes())[1] !== before[1]) throw new Error('the deaf label has changed');
	await store.truth.ask({ op: 'set', radio: deaf.agent, loss: store.plan.loss });
	await store.ctl('rollouts', 'rollback', id, 'half the store is deaf');
	await until('the rollout to be rolled back', () => rollout('rolled-back'), 60000, 300);
	await panelShowsWanted(store, heard.id, { price: old, timeoutMs: 30000 });
	const after = await hashes();
	if (after.some((h, i) => h !== before[i])) throw new Error('a panel does not show its old picture');
	return `rollout: label ${heard.id} showed ${money(price_minor)} EUR, "${halted.reason}", rolled back to ${money(old)}; label ${deaf.id} never changed`;
}

/** An item is stolen: the difference is found, and is this one. */
export async function checkDifference(store, product, epc) {
	const row = async () => (await store.api.get(`/differences?product_id=${product.id}`)).items[0];
	const was = await until('the product to be seen as it is in the books', async () => {
		const r = await row();
		return r?.difference === 0 && r;
	}, 60000, 300);
	const started = Date.now();
	await store.truth.ask({ op: 'leave', epc, how: 'stolen' });
	const found = await until('the theft to be found', async () => {
		const r = await row();
		return r.reason.code === 'missing' && r;
	}, 120000, 300);
	const detail = await store.api.get(`/differences/${product.id}`), item = detail.items.find((i) => i.epc === epc);
	if (item?.reason?.code !== 'missing') throw new Error(`the missing item is ${JSON.stringify(item)}`);
	return `difference: ${product.name}: ${found.expected} expected, ${found.seen} seen (${was.seen} before), "${found.reason.text}"; item ${epc} stolen ${Math.round((Date.now() - started) / 1000)} s ago`;
}
