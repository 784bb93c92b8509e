// SPDX-License-Identifier: Apache-2.0
// A whole store whose labels belong to two OpenEPaperLink access points behind one agent: a price changed in the shop is on
// the panels, pixel by pixel, and told as shown with the grade of its evidence; the agent killed and the
// access point restarted on the way. And other people's clients against the simulated access point.
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { assert, run, test } from '../lib/tap.mjs';
import { endStore, newStore, oneAp } from '../lib/stores.mjs';
import { delay, until } from '../../sim/demo/process.mjs';
import { panelShowsWanted } from '../../sim/demo/checks.mjs';
import { launch, missing } from '../e2e/browser.mjs';

const tags = 4;
const oepl = { type: '60', pollSeconds: 0.5, speed: 10 };
const store = newStore(oneAp({ loss: 0, items: 0, places: [], aps: [{ name: 'ap1', oepl: [{ ...oepl, tags: 3 }, { ...oepl, tags: 1 }] }] }));
const base = () => `http://127.0.0.1:${store.simPorts.oepls.ap1}`;

let labels = [], nextPrice = 700;

/** Another price for every label's product; what each should show. */
async function changePrices() {
	const wanted = new Map();
	for (const l of labels) {
		const price_minor = ++nextPrice;
		await store.api.call('POST', '/api/v1/price-changes', { gtin: l.product.gtin, price_minor });
		wanted.set(l.id, price_minor);
	}
	return wanted;
}

const allShow = async (wanted) => {
	for (const [id, price] of wanted) await panelShowsWanted(store, id, { timeoutMs: 120000, price });
};

test('labels of an OpenEPaperLink access point join the store and show their prices', async () => {
	await store.start();
	labels = await store.allShown(120000);
	assert(labels.length === tags, `${labels.length} labels`);
	for (const l of labels) assert(l.width === 296 && l.height === 128, `${l.id} is ${l.width} x ${l.height}`);
});

test('a price changed in the shop is on every panel, pixel by pixel', async () => {
	const began = Date.now();
	await allShow(await changePrices());
	console.log(`# ${tags} labels polling each second: ${Date.now() - began} ms from the first change to the last panel`);
});

test('it is told as shown, and confirmed once the label has called again', async () => {
	for (const l of labels) {
		const shown = await until(`${l.id} to be confirmed`, async () => {
			const now = await store.api.get(`/labels/${l.id}`);
			return now.shown?.image === now.wanted.image && now.shown.grade === 'confirmed' && now;
		}, 60000);
		const t = await store.truth.ask({ op: 'label', addr: l.id });
		const since = Date.parse(shown.shown.since) * 1000;
		assert(since >= t.shown_at_us - 1000000 && since <= t.shown_at_us + 8000000, `told ${(since - t.shown_at_us) / 1000} ms from when it was there`);
		assert(shown.battery_mv === 2950, `battery ${shown.battery_mv}`);
	}
});

test('the agent says what its radio is, and that nothing protects it', async () => {
	const agent = await until('the radio to be told', async () => {
		const a = (await store.api.get('/agents')).items[0];
		return a.radio?.state === 'running' && a;
	}, 30000);
	assert(/no encryption and no password/.test(agent.radio.error), agent.radio.error);
});

test('the radio tells of both access points, and which serves how many', async () => {
	const agent = await until('both to be known', async () => {
		const a = (await store.api.get('/agents')).items[0];
		return a.radio?.stations?.every((s) => s.up && s.tags !== null) && a;
	}, 30000);
	assert(agent.radio.driver === 'oepl' && agent.radio.train === null, JSON.stringify(agent.radio));
	assert(JSON.stringify(agent.radio.stations.map((s) => [s.name, s.labels, s.tags, s.channel])) === '[["ap1",3,3,11],["ap1-2",1,1,11]]', JSON.stringify(agent.radio.stations));
});

test('a label carried to the other access point is the same label, and goes on there', async () => {
	const moved = labels.find((l) => l.id.startsWith('E91A00'));
	await store.truth.ask({ op: 'oepl-tag', addr: moved.id, move: 'ap1-2' });
	await allShow(await changePrices());
	const t = await store.truth.ask({ op: 'label', addr: moved.id });
	assert(t.oepl === 'ap1-2', `it hangs at ${t.oepl}`);
	assert((await store.api.get('/labels')).items.length === tags, 'labels');
});

test('an agent killed between taking the prices and seeing them shown loses none', async () => {
	const wanted = await changePrices();
	await delay(1500);
	store.agents.get('ap1').kill('SIGKILL');
	await store.agents.get('ap1').done;
	await store.startAgent('ap1').line(/^gondola-agent ready/, 60000);
	await allShow(wanted);
	await store.allShown(120000);
});

test('an access point that restarts in the middle is asked again', async () => {
	const wanted = await changePrices();
	await delay(800);
	await store.truth.ask({ op: 'oepl', restart_s: 3 });
	await allShow(wanted);
	await store.allShown(120000);
});

test('curl has a record and a picture taken, and its word order matters', async () => {
	const curl = (...args) => new Promise((resolve) => execFile('curl', ['-s', '-m', '10', '-w', '\n%{http_code}', ...args], (e, out) => resolve(out.split('\n'))));
	const [page] = await curl(`${base()}/get_db?mac=0000${labels[0].id}`);
	assert(JSON.parse(page).tags[0].mac === `0000${labels[0].id}`, page);
	const file = `file=@${store.path('sim.conf')};filename=x.jpg`, mac = `mac=0000${labels[0].id}`;
	assert((await curl('-F', mac, '-F', file, `${base()}/imgupload`)).at(-1) === '200', 'the label first');
	assert((await curl('-F', file, '-F', mac, `${base()}/imgupload`)).at(-1) === '400', 'the file first');
	assert((await curl('-F', 'mac=0000FFFFFFFFFFFF', '-F', file, `${base()}/imgupload`)).at(-1) === '400', 'nobody’s label');
});

test('a WebSocket of node’s own making is answered as RFC 6455 says', async () => {
	const key = randomBytes(16).toString('base64');
	const [answer, socket] = await new Promise((resolve, reject) => {
		const r = request(`${base()}/ws`, { headers: { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Key': key, 'Sec-WebSocket-Version': '13' } });
		r.on('upgrade', (res, s) => resolve([res, s]));
		r.on('error', reject);
		r.end();
	});
	socket.destroy();
	assert(answer.headers['sec-websocket-accept'] === createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64'), 'the key is not the answer’s');
});

test('a browser opens the feed and reads its messages', async () => {
	if (missing()) return;
	const browser = await launch();
	try {
		const page = await browser.newPage();
		await page.goto(`${base()}/get_ap_config`);
		const kinds = await page.evaluate(() => new Promise((resolve, reject) => {
			const ws = new WebSocket(`ws://${location.host}/ws`), seen = new Set();
			ws.onmessage = (m) => {
				for (const k of Object.keys(JSON.parse(m.data))) seen.add(k);
				if (seen.has('tags') && seen.has('sys')) ws.close(), resolve([...seen]);
			};
			ws.onerror = () => reject(new Error('the browser refuses it'));
		}));
		assert(kinds.includes('sys'), `${kinds}`);
	} finally {
		await browser.close();
	}
});

await run((failed) => endStore(store, failed));
