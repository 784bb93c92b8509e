// SPDX-License-Identifier: Apache-2.0
// A recorded trace of a real reader, played as an LLRP reader, is inventoried by an agent, and the command
// line says where the tag is and from which reads it knows.
import { join } from 'node:path';
import { assert, datadir, needData, run, test } from '../lib/tap.mjs';
import { endStore, newStore } from '../lib/stores.mjs';
import { Process, until } from '../../sim/demo/process.mjs';

const epc = '303435fc8803d056d15b963f';
const store = newStore({ seed: 1, loss: 0, places: [], aps: [], items: 0, moveEverySeconds: 0 }, { products: null });
let reader;

test('a recorded trace is inventoried and the item is explained', async () => {
	const trace = needData(join(datadir, 'rfid-traces', 'quadrant', 'quad1_train.csv'));
	store.plan.aps.push({ name: 'ap1' });
	await store.startController();
	store.api = await store.signIn();
	await store.enrolAgents();
	reader = new Process('reader', store.program('gondola-sim'), ['reader', '--replay', trace, '--speed', '4', '--stay'], { logFile: store.path('reader.log') });
	const [, json] = await reader.line(/^gondola-sim ready (\{.*\})$/);
	const port = JSON.parse(json).port ?? JSON.parse(json).readers?.[0]?.port;
	for (const [i, place] of ['Lower left', 'Upper left', 'Upper right', 'Lower right'].entries()) {
		await store.ctl('places', 'set', place, '--kind', 'sales-floor');
		if (i === 0) await store.ctl('readers', 'set', 'ap1', 'corners', `127.0.0.1:${port}`, '--antennas', '1,2,3,4');
		await store.ctl('antennas', 'set', 'ap1', 'corners', i + 1, place);
	}
	const item = await until('the tag to be known', async () => {
		const i = await store.ctlJson('items', epc);
		return i.place && i.evidence.length >= 2 && i;
	}, 60000, 300);
	assert(item.epc === epc, 'the item named is the one asked for');
	const text = await store.ctl('items', epc);
	assert(/(Lower|Upper) (left|right)/.test(text), `the place is named: ${text}`);
	assert(/corners/.test(text), `the reads are named: ${text}`);
});

await run(async (failed) => {
	reader?.kill('SIGKILL');
	await endStore(store, failed);
});
