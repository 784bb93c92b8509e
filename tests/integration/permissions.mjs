// SPDX-License-Identifier: Apache-2.0
// Who may do what: every role at every route of both doors. What is allowed stands here by hand; the route tables in
// the sources are read only to see that none is missing, so that a new route needs a decision here.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import https from 'node:https';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Daemon, within } from './core_daemon.mjs';
import { run, test } from '../lib/tap.mjs';

const source = process.env.top_srcdir ?? join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const ROLES = ['admin', 'manager', 'stock', 'it', 'viewer'];
const everyone = ['nobody', ...ROLES], people = ROLES;
const boss = ['admin'], prices = ['admin', 'manager'], fleet = ['admin', 'it'], labels = ['admin', 'manager', 'stock', 'it'];
const trail = ['admin', 'manager', 'it'], stock = ['admin', 'manager', 'stock'];
const writers = ['admin', 'stock', 'it'], staff = ['admin', 'manager', 'stock', 'it'];

const PUBLIC = {
	'GET /api/v1/session': people, 'POST /api/v1/session': everyone, 'DELETE /api/v1/session': people, 'PUT /api/v1/session/password': people,
	'GET /api/v1/users': boss, 'POST /api/v1/users': boss, 'PATCH /api/v1/users/{}': boss, 'DELETE /api/v1/users/{}': boss,
	'GET /api/v1/audit': trail, 'GET /api/v1/events': people,
	'GET /api/v1/sessions': people, 'DELETE /api/v1/sessions/{}': people,
	'GET /api/v1/tokens': people, 'POST /api/v1/tokens': people, 'DELETE /api/v1/tokens/{}': people,
	'POST /api/v1/backup': boss, 'GET /api/v1/diagnostics': fleet,
	'GET /healthz': everyone, 'GET /readyz': everyone, 'GET /metrics': everyone,
	'GET /api/v1/agents': people, 'GET /api/v1/agents/{}': people, 'DELETE /api/v1/agents/{}': fleet,
	'POST /api/v1/agents/{}/rotate-keys': fleet, 'PUT /api/v1/agents/{}/readers/{}': fleet, 'DELETE /api/v1/agents/{}/readers/{}': fleet,
	'GET /api/v1/agents/join-codes': fleet, 'POST /api/v1/agents/join-codes': fleet, 'DELETE /api/v1/agents/join-codes/{}': fleet,
	'GET /api/v1/products': people, 'GET /api/v1/products/{}': people, 'GET /api/v1/products/by-gtin/{}': people,
	'POST /api/v1/products': prices, 'PATCH /api/v1/products/{}': prices, 'POST /api/v1/products/import': prices,
	'GET /api/v1/rollouts': people, 'GET /api/v1/rollouts/{}': people, 'GET /api/v1/rollouts/{}/labels': people,
	'POST /api/v1/rollouts': prices, 'POST /api/v1/rollouts/preview': prices, 'POST /api/v1/rollouts/{}/pause': prices,
	'POST /api/v1/rollouts/{}/resume': prices, 'POST /api/v1/rollouts/{}/cancel': prices, 'POST /api/v1/rollouts/{}/rollback': prices,
	'GET /api/v1/price-changes': people, 'POST /api/v1/price-changes': prices, 'POST /api/v1/price-changes/{}/undo': prices,
	'GET /api/v1/products/{}/history': people,
	'GET /api/v1/promotions': people, 'POST /api/v1/promotions': prices, 'POST /api/v1/promotions/preview': people,
	'GET /api/v1/promotions/{}': people, 'PATCH /api/v1/promotions/{}': prices, 'POST /api/v1/promotions/{}/cancel': prices,
	'GET /api/v1/promotions/{}/products': people, 'GET /api/v1/promotions/{}/labels': people, 'GET /api/v1/promotions/{}/progress': people,
	'GET /api/v1/labels': people, 'GET /api/v1/labels/{}': people, 'GET /api/v1/labels/{}/image.png': people, 'GET /api/v1/labels/{}/history': people,
	'GET /api/v1/labels/links': people, 'POST /api/v1/labels/links/import': labels, 'POST /api/v1/labels/links/{}/undo': labels,
	'POST /api/v1/labels/{}/replace': labels, 'POST /api/v1/labels/{}/flash': labels,
	'POST /api/v1/labels/{}/readings': labels, 'GET /api/v1/labels/{}/readings': people,
	'POST /api/v1/labels/pick': labels, 'POST /api/v1/labels/pick/stop': labels,
	'PUT /api/v1/labels/{}/link': labels, 'DELETE /api/v1/labels/{}/link': labels, 'POST /api/v1/templates/preview': people,
	'GET /api/v1/places': people, 'POST /api/v1/places': labels, 'PATCH /api/v1/places/{}': labels, 'DELETE /api/v1/places/{}': labels,
	'GET /api/v1/walks': people, 'POST /api/v1/walks': labels, 'GET /api/v1/walks/{}': people, 'DELETE /api/v1/walks/{}': labels,
	'POST /api/v1/walks/{}/stop': labels, 'GET /api/v1/walks/{}/reads.csv': people,
	'GET /api/v1/place-models': people, 'POST /api/v1/place-models': labels, 'GET /api/v1/place-models/{}': people,
	'DELETE /api/v1/place-models/{}': labels, 'PUT /api/v1/place-models/active': labels,
	'GET /api/v1/doors': people, 'POST /api/v1/doors': labels, 'PATCH /api/v1/doors/{}': labels, 'DELETE /api/v1/doors/{}': labels,
	'GET /api/v1/passages': people, 'GET /api/v1/passages/{}': people,
	'GET /api/v1/plan': people, 'PUT /api/v1/plan': labels, 'GET /api/v1/plan/stock': people,
	'GET /api/v1/antennas': people, 'PUT /api/v1/antennas/{}/{}/{}': labels,
	'GET /api/v1/books/stock': people, 'POST /api/v1/books/stock/import': stock, 'PUT /api/v1/books/stock/{}': stock,
	'GET /api/v1/sales': people, 'POST /api/v1/sales': stock,
	'GET /api/v1/deliveries': people, 'POST /api/v1/deliveries': stock, 'GET /api/v1/deliveries/{}': people,
	'POST /api/v1/deliveries/{}/receive': stock, 'POST /api/v1/deliveries/{}/cancel': stock,
	'GET /api/v1/differences': people, 'GET /api/v1/differences/strangers': people, 'GET /api/v1/differences/{}': people,
	'POST /api/v1/differences/{}/settle': stock,
	'GET /api/v1/incidents': people, 'GET /api/v1/incidents/{}': people, 'POST /api/v1/incidents/{}/acknowledge': staff,
	'GET /api/v1/tag-operations': writers, 'POST /api/v1/tag-operations': writers, 'GET /api/v1/tag-operations/{}': writers,
	'GET /api/v1/stock': people, 'GET /api/v1/items': people, 'GET /api/v1/items/{}': people, 'GET /api/v1/items/{}/events': people,
};
const AGENTS = ['POST /agent/v1/enroll', 'POST /agent/v1/renew', 'POST /agent/v1/health', 'POST /agent/v1/sightings',
	'GET /agent/v1/desired', 'GET /agent/v1/images/{}', 'GET /agent/v1/escrow', 'POST /agent/v1/escrow', 'POST /agent/v1/labels', 'POST /agent/v1/reads', 'POST /agent/v1/operations'];

const d = new Daemon();
const cookies = {}, passwords = {};
let ap;
const code = (r) => (/problem\+json/.test(r.headers['content-type']) ? JSON.parse(r.body).code : '');

/* What a route is asked with: nothing that would change anything if it were let through. */
const split = (route) => {
	const [method, pattern] = route.split(' ');
	return { method, path: pattern.replaceAll('{}', '999999'), body: method === 'GET' || method === 'DELETE' ? undefined : { not: 'a field of this call' } };
};

/* Resolves at the headers: an event stream has no end. */
function ask(route, { who = 'nobody', headers = {}, type = 'application/json', ...rest } = {}) {
	const { method, path, body } = typeof route === 'string' ? split(route) : route;
	const data = body === undefined ? undefined : JSON.stringify(body);
	const all = { ...headers };
	if (cookies[who]) all.Cookie = cookies[who];
	if (data !== undefined) Object.assign(all, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(data) });
	return within(10, new Promise((yes, no) => {
		const rq = https.request({ host: '127.0.0.1', port: rest.port ?? d.publicPort, method, path, headers: all, ca: d.ca, agent: false, ...rest }, (rs) => {
			const parts = [];
			const over = () => yes({ status: rs.statusCode, headers: rs.headers, body: Buffer.concat(parts).toString() });
			rs.on('data', (b) => parts.push(b));
			rs.on('end', over);
			rs.on('error', () => {});
			if (/event-stream/.test(rs.headers['content-type'])) {
				over();
				rq.destroy();
			}
		});
		rq.on('error', no);
		rq.end(data);
	}), `${method} ${path}`);
}

async function signIn(name, headers = {}) {
	const r = await ask({ method: 'POST', path: '/api/v1/session', body: { user: name, password: passwords[name] } }, { headers });
	assert.equal(r.status, 200, `${name}: ${r.body}`);
	return r.headers['set-cookie'][0].split(';')[0];
}

const makeUser = (name, role) => {
	passwords[name] = `password of ${name}`;
	return ask({ method: 'POST', path: '/api/v1/users', body: { name, role, password: passwords[name] } }, { who: 'admin' });
};

test('a person of every role signs in', async () => {
	await d.start();
	passwords.admin = /^first password for admin: (\S+)$/m.exec(d.out)[1];
	cookies.admin = await signIn('admin');
	for (const role of ROLES.slice(1)) {
		assert.equal((await makeUser(role, role)).status, 201);
		cookies[role] = await signIn(role);
	}
	d.cookie = cookies.admin;
	ap = await d.enrol(await d.joinCode(), d.request('ap1'));
	assert.equal(ap.status, 200);
});

test('no route of the sources is missing here', () => {
	const found = { HTTP_PUBLIC: [], HTTP_AGENTS: [] };
	for (const file of readdirSync(join(source, 'controller'), { recursive: true }).filter((f) => f.endsWith('.c'))) {
		const text = readFileSync(join(source, 'controller', file), 'utf8');
		for (const m of text.matchAll(/\{\s*(HTTP_PUBLIC|HTTP_AGENTS),\s*HTTP_(\w+),\s*"([^"]+)"/g)) found[m[1]].push(`${m[2]} ${m[3]}`);
	}
	assert.deepEqual(found.HTTP_PUBLIC.sort(), Object.keys(PUBLIC).sort());
	assert.deepEqual(found.HTTP_AGENTS.sort(), [...AGENTS].sort());
});

test('every role gets through where it may, and nowhere else', async () => {
	for (const [route, allowed] of Object.entries(PUBLIC)) {
		if (route === 'DELETE /api/v1/session') continue;
		for (const who of everyone) {
			const r = await ask(route, { who });
			const at = `${who}: ${route} -> ${r.status} ${code(r)}`;
			if (allowed.includes(who)) assert.ok(![401, 403, 500].includes(r.status), at);
			else assert.equal(code(r), who === 'nobody' ? 'sign-in-needed' : 'forbidden', at);
		}
	}
});

test('a call from a page of another site changes nothing, whoever is signed in', async () => {
	for (const route of Object.keys(PUBLIC).filter((x) => !x.startsWith('GET'))) {
		for (const headers of [{ 'Sec-Fetch-Site': 'cross-site' }, { 'Sec-Fetch-Site': 'same-site' }, { Origin: 'https://shop.example' }, { Origin: 'null' }])
			assert.equal(code(await ask(route, { who: 'admin', headers })), 'cross-site', `${route} ${JSON.stringify(headers)}`);
		if (/^(POST|PUT|PATCH)/.test(route)) {
			for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])
				assert.equal(code(await ask(route, { who: 'admin', type })), 'content-type', `${route} ${type}`);
		}
	}
	assert.equal((await ask('GET /api/v1/session', { who: 'admin' })).status, 200);
});

test('the agents\' door knows only agents, and agents only that door', async () => {
	const stranger = { port: d.agentsPort }, agent = { port: d.agentsPort, cert: ap.cert, key: ap.key };
	for (const route of AGENTS) {
		if (route.endsWith('/enroll')) continue;
		assert.equal(code(await ask(route, stranger)), 'no-agent-certificate', route);
		assert.equal(code(await ask(route, { ...stranger, who: 'admin' })), 'no-agent-certificate', `${route} with a cookie`);
		assert.ok(![401, 403, 500].includes((await ask(route, agent)).status), route);
		assert.equal((await ask(route, { who: 'admin' })).status, 404, `${route} at the public door`);
	}
	for (const [route, allowed] of Object.entries(PUBLIC)) {
		const { status } = await ask(route, { cert: ap.cert, key: ap.key });
		if (!allowed.includes('nobody')) assert.equal(status, 401, `${route} with an agent's certificate`);
		assert.equal((await ask(route, { ...agent, who: 'admin' })).status, 404, `${route} at the agents' door`);
	}
});

test('a cookie that somebody else chose is never taken over', async () => {
	const planted = `__Host-gondola=${'A'.repeat(43)}`;
	const fresh = await signIn('viewer', { Cookie: planted });
	assert.notEqual(fresh, planted);
	assert.notEqual(await signIn('viewer', { Cookie: fresh }), fresh);
	for (const bad of [planted, '__Host-gondola=', '__Host-gondola=%00', `__Host-gondola=${'A'.repeat(5000)}`, `gondola=${fresh.slice(15)}`, `__Host-gondola="${fresh.slice(15)}"`]) {
		cookies.odd = bad;
		assert.equal((await ask('GET /api/v1/session', { who: 'odd' })).status, 401, bad.slice(0, 40));
	}
});

test('signing out ends that session and no other', async () => {
	cookies.one = await signIn('stock');
	assert.equal((await ask('DELETE /api/v1/session', { who: 'one' })).status, 204);
	assert.equal((await ask('GET /api/v1/session', { who: 'one' })).status, 401);
	assert.equal((await ask('GET /api/v1/session', { who: 'stock' })).status, 200);
});

test('a new password ends the other sessions, and a new role counts at once', async () => {
	cookies.other = await signIn('stock');
	const put = await ask({ method: 'PUT', path: '/api/v1/session/password', body: { old: passwords.stock, new: 'another password' } }, { who: 'stock' });
	assert.equal(put.status, 204);
	passwords.stock = 'another password';
	assert.equal((await ask('GET /api/v1/session', { who: 'other' })).status, 401);
	assert.equal((await ask('GET /api/v1/session', { who: 'stock' })).status, 200);
	const users = JSON.parse((await ask('GET /api/v1/users', { who: 'admin' })).body).items;
	const change = (name, body) => ask({ method: 'PATCH', path: `/api/v1/users/${users.find((u) => u.name === name).id}`, body }, { who: 'admin' });
	assert.equal((await change('manager', { role: 'viewer' })).status, 200);
	assert.equal(code(await ask('POST /api/v1/price-changes', { who: 'manager' })), 'forbidden');
	assert.equal((await change('it', { password: 'set by the admin' })).status, 200);
	assert.equal((await ask('GET /api/v1/session', { who: 'it' })).status, 401);
	assert.equal(code(await change('admin', { role: 'viewer' })), 'last-admin');
});

test('a name in capitals is not locked out by its own successes', async () => {
	assert.equal((await makeUser('Anna Müller', 'viewer')).status, 201);
	for (let i = 0; i < 9; i++) await signIn('Anna Müller');
	const post = (password) => ask({ method: 'POST', path: '/api/v1/session', body: { user: 'anna Müller', password } });
	let last;
	for (let i = 0; i < 7; i++) last = await post('not her password');
	assert.equal(last.status, 429, 'but by failures');
	assert.ok(Number(last.headers['retry-after']) > 0);
});

test('nothing secret is in the log', () => {
	for (const secret of [...Object.values(passwords), ...Object.values(cookies).map((c) => c.slice(15)).filter((c) => /^[\w-]{43}$/.test(c))])
		assert.ok(!d.err.includes(secret));
});

await run(() => d.end());
