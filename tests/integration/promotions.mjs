// SPDX-License-Identifier: Apache-2.0
// Promotions from the command line over a whole controller: seen before they are made, made, followed, moved and
// ended; prices that answer what they were, and are taken back.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import https from 'node:https';
import { dirname, join } from 'node:path';
import { Daemon, program, within } from './core_daemon.mjs';
import { run, test } from '../lib/tap.mjs';

const d = new Daemon();
const PEN = '4006381333931', INK = '5901234123457';

function ctl(...args) {
	const r = spawnSync(join(dirname(program), 'gondolactl'), args, {
		encoding: 'utf8', timeout: 20000,
		env: { ...process.env, GONDOLA_URL: `https://127.0.0.1:${d.publicPort}`, GONDOLA_CA: join(d.state, 'ca', 'ca.pem'), XDG_CONFIG_HOME: join(d.dir, 'config'), GONDOLA_USER: 'admin', GONDOLA_PASSWORD: d.password },
	});
	return { code: r.status, out: r.stdout, err: r.stderr };
}
const done = (...args) => {
	const r = ctl(...args);
	assert.equal(r.code, 0, r.err);
	return r.out;
};
const wall = (hours) => new Date(Date.now() + hours * 3600000).toISOString().slice(0, 16);
const asked = async (method, path, body) => {
	const r = await d.ask(method, path, body ? { body } : {});
	return { status: r.status, body: JSON.parse(r.body) };
};
const start = wall(-1), end = wall(5), later = wall(9);

test('a store with two products of one brand', async () => {
	await d.start();
	await d.signIn();
	for (const [gtin, name, price] of [[PEN, 'Pen', 200], [INK, 'Ink', 400]]) {
		assert.equal((await asked('POST', '/api/v1/products', { gtin, name, brand: 'Acme' })).status, 201);
		assert.equal((await asked('POST', '/api/v1/price-changes', { gtin, price_minor: price })).status, 201);
	}
});

test('a preview says what would be, and makes nothing', () => {
	const out = done('promotions', 'preview', '--percent', '25', '--brand', 'Acme', '--from', start, '--to', end, 'Sale');
	assert.match(out, /^2 products on 0 labels; nothing has been changed\.$/m);
	assert.match(out, /begins at once/);
	assert.match(out, /Pen +2\.00 +1\.50/);
	assert.equal(done('promotions', 'list').split('\n').length, 2);
});

test('a promotion is made, shown, and in the list by its state', () => {
	const out = done('promotions', 'add', '--percent', '25', '--brand', 'Acme', '--from', start, '--to', end, 'Sale');
	assert.match(out, /^Promotion 1: Sale$/m);
	assert.match(out, /state +running/);
	assert.match(out, /price +-25 %/);
	assert.match(done('promotions', 'show', '1'), /0 in all: 0 shown/);
	assert.match(done('promotions', 'list', '--state', 'running'), /1 +Sale +running +-25 % +brand Acme/);
	assert.doesNotMatch(done('promotions', 'list', '--state', 'ended'), /Sale/);
	assert.equal(JSON.parse(done('--json', 'promotions', 'show', '1')).percent, '25');
});

test('a second one is told what the first does', () => {
	const out = done('promotions', 'preview', '--price', '1.00', '--gtins', PEN, '--from', wall(1), '--to', wall(2), 'Happy hour');
	assert.match(out, /Sale +From .* both hold; this promotion shows, because it is lower\./);
});

test('what makes no sense is refused in words', () => {
	for (const [args, code, words] of [
		[['--percent', '25', '--brand', 'Acme', '--from', end, '--to', start, 'x'], 1, /ends after it starts/],
		[['--percent', '25', '--brand', 'Acme', '--from', start, '--to', end, '--repeat', 'FREQ=HOURLY', 'x'], 1, /daily at most/],
		[['--percent', '125', '--brand', 'Acme', '--from', start, '--to', end, 'x'], 1, /above 0 and below 100/],
		[['--percent', '25', '--price', '1', '--brand', 'Acme', '--from', start, '--to', end, 'x'], 2, /Usage/],
		[['--percent', '25', '--from', start, '--to', end, 'x'], 2, /Usage/],
	]) {
		const r = ctl('promotions', 'add', ...args);
		assert.equal(r.code, code, r.err);
		assert.match(r.err, words);
	}
	assert.equal(ctl('promotions', 'show', 'one').code, 2);
	assert.equal(ctl('promotions', 'show', '7').code, 1);
});

test('the end of a running one moves over a restart, and it ends where it was moved to', async () => {
	assert.match(done('promotions', 'change', '--to', later, '1'), new RegExp(`until ${later}`));
	assert.equal((await d.stop()).code, 0);
	await d.start();
	await d.signIn();
	const { body } = await asked('GET', '/api/v1/promotions/1');
	assert.equal(body.state, 'running');
	assert.equal(body.next.end_wall, later);
	assert.equal((await asked('GET', `/api/v1/products/by-gtin/${PEN}`)).body.offer.price_minor, 150);
});

test('the history has the promotion beside the regular price', () => {
	const out = done('price', 'history', PEN);
	assert.match(out, /1\.50 EUR +promotion +Sale/);
	assert.match(out, /2\.00 EUR +regular/);
});

test('cancelling goes back at once, and only once', async () => {
	assert.match(done('promotions', 'cancel', '1', 'sold out'), /cancelled/);
	assert.match(done('promotions', 'show', '1'), /cancelled +sold out/);
	assert.equal((await asked('GET', `/api/v1/products/by-gtin/${PEN}`)).body.offer, null);
	const again = ctl('promotions', 'cancel', '1');
	assert.equal(again.code, 1);
	assert.match(again.err, /cancelled; make a new one/);
});

test('a draft waits until it is scheduled', async () => {
	done('promotions', 'add', '--draft', '--price', '1.00', '--gtins', `${PEN},${INK}`, '--from', start, '--to', end, 'Later');
	assert.equal((await asked('GET', `/api/v1/products/by-gtin/${PEN}`)).body.offer, null);
	assert.equal(ctl('promotions', 'change', '2').code, 2);
	assert.match(done('promotions', 'change', '--schedule', '--name', 'Now', '2'), /Promotion 2: Now\n +state +running/);
	assert.equal((await asked('GET', `/api/v1/products/by-gtin/${PEN}`)).body.offer.price_minor, 100);
	done('promotions', 'cancel', '2');
});

test('browsers hear of both edges when they come, and the price is that of the instant', async () => {
	const states = [], prices = [];
	let rq;
	const over = new Promise((yes, no) => {
		rq = https.get({ host: '127.0.0.1', port: d.publicPort, path: '/api/v1/events', ca: d.ca, agent: false, headers: { Cookie: d.cookie } }, (rs) => {
			rs.setEncoding('utf8');
			rs.on('data', async (text) => {
				for (const m of text.matchAll(/^event: promotion\n(?:id: .*\n)?data: (.*)$|^id: .*\nevent: promotion\ndata: (.*)$/gm)) states.push(JSON.parse(m[1] ?? m[2]).state);
				if (states.at(-1) === 'running' && !prices.length) prices.push((await asked('GET', `/api/v1/products/by-gtin/${INK}`)).body.offer?.price_minor);
				if (states.at(-1) === 'ended') yes();
			});
			rs.on('error', () => {});
		});
		rq.on('error', no);
	});
	const second = (ms) => new Date(ms).toISOString().slice(0, 19), soon = Date.now() + 2000;
	const body = { name: 'Blink', kind: 'fixed', price_minor: 123, select: { gtins: [INK] }, start: second(soon), end: second(soon + 2000) };
	assert.equal((await asked('POST', '/api/v1/promotions', body)).status, 201);
	await within(20, over, 'both edges');
	rq.destroy();
	assert.deepEqual(states, ['scheduled', 'running', 'ended']);
	assert.deepEqual(prices, [123]);
	assert.equal((await asked('GET', `/api/v1/products/by-gtin/${INK}`)).body.offer, null);
});

test('a price is taken back by a new change', () => {
	done('price', 'set', PEN, '9.99');
	assert.match(done('price', 'undo', PEN, 'typed wrong'), /is 2\.00 EUR again/);
	assert.match(done('price', 'history', PEN), /2\.00 EUR +regular +- +\d+ +admin +typed wrong/);
	assert.match(done('price', 'undo', PEN), /9\.99 EUR again/);
	assert.equal(ctl('price', 'undo', INK).code, 1);
});

await run(() => d.end());
