// SPDX-License-Identifier: Apache-2.0
// What goes wrong with a reader, seen through the whole store: an antenna is pulled, another program changes the
// reader behind our back, a transmitter drowns two channels, the reader has no room for what it holds. Each
// becomes one incident with its evidence, and ends when its cause does. And tags are written through the store,
// also when the access point loses its power in the middle: once, and then it is known.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { assert, equal, run, Skip, test } from '../lib/tap.mjs';
import { canConduct, Clock } from '../lib/clock.mjs';
import { endStore, newStore, oneAp } from '../lib/stores.mjs';
import { until } from '../../sim/demo/process.mjs';

const store = newStore(oneAp({ items: 24, aps: [{ name: 'ap1', antennas: 4 }] }));
if (canConduct) store.clock = new Clock(store.path('clock'), { start: Date.now(), rate: 1 });
const armed = store.path('armed'), faultLog = store.path('faults.log');
store.env.agent = { GONDOLA_FAULT: `@${armed}`, GONDOLA_FAULT_LOG: faultLog };
const hits = () => (existsSync(faultLog) ? readFileSync(faultLog, 'utf8').split('\n').filter(Boolean) : []);
let failed = true, agentId, items;

const ask = (change) => store.truth.ask({ op: 'reader', name: 'ap1', ...change });
const incidents = async (query) => (await store.api.call('GET', `/api/v1/incidents?${query}`)).items;
const opened = (kind, patience = 60000) => until(`an incident ${kind}`, async () => (await incidents(`state=open&kind=${kind}`))[0], patience, 200);
const closed = (id, patience = 60000) => until('it to close', async () => {
	const one = await store.api.call('GET', `/api/v1/incidents/${id}`);
	return one.state === 'closed' && one;
}, patience, 200);
/** From here on a second of ours is that many of the store's. */
const inTime = (rate) => {
	if (!canConduct) throw new Skip('without --enable-fault-points time does not pass faster');
	store.clock.setRate(rate);
};
const reader = async () => (await store.api.call('GET', `/api/v1/agents/${agentId}`)).readers[0];

const post = (body) => store.api.call('POST', '/api/v1/tag-operations', { agent_id: agentId, reader: 'ap1', ...body });
const ended = (id) => until(`operation ${id} to end`, async () => {
	const one = await store.api.call('GET', `/api/v1/tag-operations/${id}`);
	return ['done', 'failed'].includes(one.state) && one;
}, 60000, 100);

test('a store counts its items, and there is nothing to report', async () => {
	writeFileSync(armed, '');
	await store.start({ link: false });
	({ items } = await store.truth.ask({ op: 'items' }));
	await until('items on both places', async () => (await store.api.call('GET', '/api/v1/stock')).items.flatMap((i) => i.places).filter((p) => p.place).length > 1, 60000);
	agentId = (await store.api.call('GET', '/api/v1/agents')).items[0].id;
	equal(await incidents('state=open'), [], 'incidents');
});

test('a tag is read, written with the next serial of its GTIN, and read back', async () => {
	if (canConduct) store.clock.setRate(6);
	const tid = await ended((await post({ kind: 'read', bank: 'tid', words: 6, epc: items[0].epc })).id);
	assert(tid.state === 'done' && /^e2[0-9a-f]{22}$/.test(tid.data), `${tid.state} ${tid.data} ${tid.reason}`);
	const first = await ended((await post({ kind: 'write-epc', gtin: '4006381333931', epc: items[0].epc })).id);
	assert(first.state === 'done', first.reason);
	assert(first.new_uri.endsWith('.1'), first.new_uri);
	const second = await ended((await post({ kind: 'write-epc', gtin: '4006381333931', epc: items[1].epc })).id);
	assert(second.new_uri.endsWith('.2'), second.new_uri);
	const back = await ended((await post({ kind: 'read', bank: 'epc', pointer: 2, words: 6, epc: first.new_epc })).id);
	equal(back.data, first.new_epc);
	await until('the shop to know it by its new name', async () => (await store.api.get(`/items/${first.new_epc}`).catch(() => ({}))).epc === first.new_epc, 20000);
});

test('what is in doubt is refused: several tags, a serial twice, a tag that is not there', async () => {
	const many = await ended((await post({ kind: 'write-epc', gtin: '4006381333931' })).id);
	assert(many.state === 'failed' && /tags answer/.test(many.reason), `${many.state} ${many.reason}`);
	const twice = await store.api.request('POST', '/api/v1/tag-operations', { agent_id: agentId, reader: 'ap1', kind: 'write-epc', gtin: '4006381333931', serial: 2, epc: items[2].epc });
	assert(twice.status === 409 && twice.body.code === 'serial-used', JSON.stringify(twice.body));
	const gone = await ended((await post({ kind: 'lock', field: 'epc', how: 'with-password', epc: '3034257bf400b7800004cb2f' })).id);
	assert(gone.state === 'failed' && /no such tag/.test(gone.reason), gone.reason);
});

test('an access point that loses its power while a tag is written writes once, and finds out', async () => {
	if (!canConduct) throw new Skip('without --enable-fault-points nobody is killed in the middle');
	for (const [i, point] of ['agent.operation.begun', 'agent.operation.sent', 'agent.operation.answered'].entries()) {
		const before = hits().length, agent = store.agents.get('ap1');
		writeFileSync(armed, `${point}:1`);
		const { id } = await post({ kind: 'write-epc', gtin: '4006381333931', epc: items[3 + i].epc });
		await agent.done;
		writeFileSync(armed, '');
		assert(hits().length === before + 1 && hits().at(-1).includes(point), 'it died where it should');
		store.startAgent('ap1');
		const one = await ended(id);
		/* Nothing had been sent at the first point; at the last the tag was written. */
		if (point.endsWith('begun')) assert(one.state === 'failed' && /old EPC/.test(one.reason), `${point}: ${one.state} ${one.reason}`);
		if (point.endsWith('answered')) assert(one.state === 'done' && /after an interruption/.test(one.reason), `${point}: ${one.state} ${one.reason}`);
		const name = one.state === 'done' ? one.new_epc : items[3 + i].epc;
		const back = await ended((await post({ kind: 'read', bank: 'epc', pointer: 2, words: 6, epc: name })).id);
		equal(back.data, name, `${point}: what the tag says`);
		const trail = await store.api.call('GET', `/api/v1/audit?object=tag-operation:${id}`);
		assert(trail.items.some((x) => x.action === 'tags.result' && /^unknown/.test(x.detail)), `${point}: it was told that nobody knew`);
	}
});

test('a pulled antenna is an incident with its evidence, and over when it is plugged in', async () => {
	await ask({ antenna: 2, connected: false });
	const open = await opened('antenna-off');
	assert(open.subject.endsWith('/reader:ap1/antenna:2') && /antenna 2/.test(open.detail.evidence) && open.next_step, JSON.stringify(open));
	inTime(20);
	await ask({ antenna: 2, connected: true });
	const over = await closed(open.id);
	equal([over.times, over.changes.map((c) => c.what)], [1, ['closed', 'opened']], 'its trail');
});

test('a power changed behind our back is told with what was found, and mended', async () => {
	inTime(60);
	await ask({ power: 21 });
	const open = await opened('drifted');
	assert(/15\.00 dBm instead of 30\.00 dBm/.test(open.detail.evidence), open.detail.evidence);
	await until('the power to be as before', async () => (await ask({})).power_db === 0, 60000);
	await ask({ keepalive_ms: 55000, hold: false });
	await until('the rest to be mended too', async () => (await reader()).radio.mended >= 2, 60000);
	assert(/keepalive period in ms 55000 instead of 10000/.test((await incidents('state=open&kind=drifted'))[0].detail.evidence), 'and told');
	assert((await ask({})).inventory, 'the inventory goes on');
});

test('two drowned channels are named in MHz', async () => {
	inTime(100);
	await until('the channels to be known', async () => (await reader()).radio.channels.length === 50, 60000);
	await store.clock.pass(11 * 60 * 1000);
	const named = (await reader()).radio.channels.filter((c) => [5, 31].includes(c.channel)).map((c) => c.mhz);
	await ask({ jam: [5, 31] });
	await opened('interference');
	/* One falls out of the average before the other. */
	const open = await until('both to be named', async () => (await incidents('state=open&kind=interference')).find((x) => x.detail.channels_mhz.length > 1), 60000, 200);
	equal(open.detail.channels_mhz.sort(), named.sort(), open.detail.evidence);
	await ask({ jam: [] });
	await closed(open.id);
});

test('a reader without room for what it holds is an incident', async () => {
	inTime(1);
	await ask({ room: 2000 });
	const agent = store.agents.get('ap1');
	agent.kill('SIGKILL');
	await agent.done;
	await until('reports to be lost', async () => (await ask({})).dropped > 0, 30000);
	store.startAgent('ap1');
	const open = await opened('reader-buffer');
	assert(/reads were lost/.test(open.detail.evidence), open.detail.evidence);
	const { ledger } = await reader();
	assert(ledger.buffer_overflows > 0, 'the ledger counts it');
});

test('gondolactl reads a tag and lists what is open', async () => {
	const out = await store.ctl('incidents', 'list');
	assert(/reader-buffer/.test(out), out);
	const id = /^\s*(\d+) .*reader-buffer/m.exec(out)[1];
	await store.ctl('incidents', 'acknowledge', id, 'more room is ordered');
	assert(/more room is ordered/.test(await store.ctl('incidents', 'show', id)));
	assert(/done/.test(await store.ctl('tags', 'read', '--epc', items[10].epc, 'ap1', 'ap1')));
	failed = false;
});

await run(() => endStore(store, failed));
