// SPDX-License-Identifier: Apache-2.0
// A server with the public API of gondolad, for testing the front end without a store. It keeps a made-up
// store in memory, plays the way of a price to its labels, and can be told to misbehave.

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ACCESS_ROUTES, makeAccess } from './mock_access.mjs';
import { add, byId, change, HEADERS, need, page, PASSWORD, png, Refusal, remove, words } from './mock_base.mjs';
import { BOOK_ROUTES, makeBooks } from './mock_books.mjs';
import { priceRoutes, seedPrices } from './mock_prices.mjs';
import { promotionRoutes, seedPromotions } from './mock_promotions.mjs';
import { READER_ROUTES, seedReaders } from './mock_readers.mjs';
import { rolloutRoutes, seedRollouts } from './mock_rollouts.mjs';
import { gtin14, makeStore } from './mock_data.mjs';
import { LINK_ROUTES, makeLinks, measured } from './mock_links.mjs';
import { makePlan, PLAN_ROUTES } from './mock_plan.mjs';
import { makeWalks, WALK_ROUTES } from './mock_walks.mjs';

const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.yaml': 'application/yaml' };
const PERMS = {
  admin: ['view', 'prices', 'products', 'labels', 'places', 'fleet', 'users', 'audit', 'backup', 'books', 'sales', 'incidents', 'tags'],
  manager: ['view', 'prices', 'products', 'labels', 'places', 'audit', 'books', 'sales', 'incidents'],
  stock: ['view', 'labels', 'places', 'books', 'sales', 'incidents', 'tags'],
  it: ['view', 'labels', 'places', 'fleet', 'audit', 'incidents', 'tags'],
  viewer: ['view'],
};

export class MockApi {
  constructor({ webRoot, products = 100_000, stepMs = 250 }) {
    this.webRoot = webRoot;
    this.stepMs = stepMs;
    this.store = makeStore(products);
    this.books = makeBooks(this.store.stock, this.store.products);
    this.access = makeAccess();
    this.links = makeLinks(this.store.labels);
    this.plan = makePlan(this.store);
    this.walks = makeWalks(this.store);
    seedPrices(this.store);
    seedPromotions(this.store);
    seedRollouts(this.store);
    seedReaders(this.store);
    this.streams = new Set();
    this.events = [];
    this.sessions = new Map();
    this.requests = [];
    this.refuse = null;
    this.timers = new Set();
    this.server = createServer((rq, rs) => void this.serve(rq, rs));
  }

  async listen() {
    await new Promise((ok) => this.server.listen(0, '127.0.0.1', ok));
    this.url = `http://localhost:${this.server.address().port}`;
    return this.url;
  }

  async close() {
    this.timers.forEach(clearTimeout);
    this.dropStreams();
    this.server.closeAllConnections?.();
    await new Promise((ok) => this.server.close(ok));
  }

  later(ms, f) {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      f();
    }, ms);
    this.timers.add(timer);
  }

  publish(type, data) {
    this.events.push({ id: this.events.length + 1, type, data });
    for (const rs of this.streams) {
      rs.write(`id: ${this.events.length}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
    }
  }

  dropStreams() {
    for (const rs of this.streams) {
      rs.destroy();
    }
    this.streams.clear();
  }

  // The way of a price to its labels: wanted at once, then sent, then shown.
  priceChanged(p) {
    for (const l of this.store.labels.filter((x) => x.product?.id === p.id)) {
      const image = `c${p.price_minor}${l.id}`.padEnd(64, '0').toLowerCase();
      const step = (change) => {
        Object.assign(l, change);
        this.publish('label', l);
      };
      this.later(this.stepMs * 0.2, () => step({ state: 'pending', reason: null, wanted: { image, from: new Date().toISOString(), price_minor: p.price_minor, currency: 'EUR' } }));
      this.later(this.stepMs * 2, () => step({ state: 'sending', sent: { image, at: new Date().toISOString() } }));
      this.later(this.stepMs * 4, () => step({ state: 'shown', shown: { image, since: new Date().toISOString(), grade: 'acknowledged' } }));
    }
  }

  /** One item moves from one place to another. */
  moveItem(productId, fromId, toId) {
    const row = this.store.stock.find((r) => r.product_id === productId);
    for (const [id, d] of [[fromId, -1], [toId, 1]]) {
      let at = row.places.find((p) => p.place_id === id);
      if (!at) {
        at = { place_id: id, place: this.store.places.find((p) => p.id === id).name, count: 0 };
        row.places.push(at);
      }
      at.count += d;
      this.publish('stock', { product_id: productId, place_id: id, count: at.count });
    }
    this.publish('item', { epc: '3034257bf400b7800004cb2f', product_id: productId, place_id: toId, from_place_id: fromId, at: new Date().toISOString(), confidence: 0.93 });
  }

  async serve(rq, rs) {
    const url = new URL(rq.url, this.url);
    try {
      if (!url.pathname.startsWith('/api/')) {
        await this.file(url.pathname, rs);
        return;
      }
      const chunks = [];
      for await (const c of rq) {
        chunks.push(c);
      }
      this.requests.push({ method: rq.method, path: url.pathname.replace('/api/v1', '') });
      if (this.refuse?.path.test(url.pathname) && this.refuse.method === rq.method) {
        const r = this.refuse;
        this.refuse = null;
        throw new Refusal(r.status, r.code, r.detail, r.errors);
      }
      this.answer(rq, rs, url, Buffer.concat(chunks));
    } catch (e) {
      if (!(e instanceof Refusal)) {
        console.error(e);
      }
      const status = e.status ?? 500;
      const body = { type: `urn:gondola:problem:${e.code ?? 'server-error'}`, title: e.detail ?? 'error', status, code: e.code ?? 'server-error', detail: e.detail, ...(e.errors ? { errors: e.errors } : {}) };
      rs.writeHead(status, { ...HEADERS, 'Content-Type': 'application/problem+json' });
      rs.end(JSON.stringify(body));
    }
  }

  async file(name, rs) {
    const asset = /\.[a-z]+$/.test(name) && !name.includes('..') ? name : '/index.html';
    try {
      const bytes = await readFile(path.join(this.webRoot, asset));
      rs.writeHead(200, { ...HEADERS, 'Content-Type': TYPES[path.extname(asset)] ?? 'application/octet-stream' });
      rs.end(bytes);
    } catch {
      rs.writeHead(404, HEADERS);
      rs.end();
    }
  }

  answer(rq, rs, url, body) {
    const p = url.pathname.replace('/api/v1', '');
    const cookie = /(?:^|; )session=([^;]+)/.exec(rq.headers.cookie ?? '')?.[1];
    const user = this.store.users.find((u) => u.id === this.sessions.get(cookie));
    const json = body.length && (rq.headers['content-type'] ?? '').startsWith('application/json') ? JSON.parse(body.toString()) : {};
    const ctx = { rq, rs, url, query: url.searchParams, json, body, user, cookie };
    for (const [method, pattern, handler, perm] of [...LINK_ROUTES, ...READER_ROUTES, ...ROUTES, ...BOOK_ROUTES, ...PLAN_ROUTES, ...WALK_ROUTES, ...ACCESS_ROUTES]) {
      const hit = method === rq.method ? pattern.exec(p) : null;
      if (hit) {
        if (perm !== 'none' && !user) {
          throw new Refusal(401, 'no-session', 'Sign in first');
        }
        if (perm !== 'none' && perm !== 'self' && !PERMS[user.role].includes(perm)) {
          throw new Refusal(403, 'forbidden', 'Not permitted');
        }
        const result = handler.call(this, ctx, ...hit.slice(1).map(decodeURIComponent));
        if (result !== undefined) {
          const empty = result === null;
          rs.writeHead(empty ? 204 : result.status ?? 200, { ...HEADERS, ...(empty ? {} : { 'Content-Type': 'application/json' }), ...(ctx.headers ?? {}) });
          rs.end(empty ? '' : JSON.stringify(result.body ?? result));
        }
        return;
      }
    }
    throw new Refusal(404, 'not-found', 'No such path');
  }

  sessionBody(u) {
    return { user: u.name, role: u.role, permissions: PERMS[u.role], store: { name: 'Demo store', zone: 'Europe/Berlin', currency: 'EUR' }, expires: new Date(Date.now() + 3600_000).toISOString() };
  }
}

function signIn(c) {
  const u = this.store.users.find((x) => x.name === c.json.user);
  if (!u || c.json.password !== PASSWORD) {
    throw new Refusal(401, 'bad-credentials', 'User name or password is wrong');
  }
  const id = Math.random().toString(36).slice(2);
  this.sessions.set(id, u.id);
  c.headers = { 'Set-Cookie': `session=${id}; HttpOnly; SameSite=Strict; Path=/` };
  return this.sessionBody(u);
}

function stream(c) {
  c.rs.writeHead(200, { ...HEADERS, 'Content-Type': 'text/event-stream' });
  c.rs.write('retry: 500\n\n');
  const last = Number(c.rq.headers['last-event-id'] ?? this.events.length);
  for (const e of this.events.slice(last)) {
    c.rs.write(`id: ${e.id}\nevent: ${e.type}\ndata: ${JSON.stringify(e.data)}\n\n`);
  }
  this.streams.add(c.rs);
  c.rs.on('close', () => this.streams.delete(c.rs));
}

function listProducts(c) {
  const w = words(c.query.get('q'));
  const all = this.store.products;
  return page(w.length ? all.filter((p) => w.every((x) => p.name.toLowerCase().includes(x) || p.gtin.startsWith(x) || p.gtin.replace(/^0+/, '').startsWith(x))) : all, c.query);
}

function importCsv(c) {
  const rows = c.body.toString().split('\n').filter(Boolean).slice(1);
  const errors = [];
  const seen = new Set();
  rows.forEach((r, i) => {
    const [gtin, , price] = r.split(',');
    if (gtin14(gtin.padStart(14, '0').slice(0, 13)) !== gtin.padStart(14, '0')) {
      errors.push({ line: i + 2, column: 1, code: 'bad-check-digit', detail: `${gtin} has a wrong check digit` });
    } else if (seen.has(gtin)) {
      errors.push({ line: i + 2, column: 1, code: 'duplicate-gtin', detail: `${gtin} appears twice` });
    }
    seen.add(gtin);
    if (Number(price) < 0) {
      errors.push({ line: i + 2, column: 3, code: 'negative-price', detail: `${price} is below zero` });
    }
  });
  if (errors.length) {
    throw new Refusal(422, 'bad-rows', 'The file has bad rows', errors);
  }
  const dry = c.query.get('dry_run') === '1';
  if (!dry) {
    this.publish('product', {});
  }
  return { dry_run: dry, rows: rows.length, created: rows.length, updated: 0, unchanged: 0, prices_changed: rows.length, errors: [] };
}

function listLabels(c) {
  const w = words(c.query.get('q'));
  const state = c.query.get('state');
  const text = (l) => `${l.id} ${l.agent} ${l.product?.name ?? ''} ${l.product?.gtin ?? ''}`.toLowerCase();
  return page(this.store.labels.filter((l) => (!state || l.state === state) && w.every((x) => text(l).includes(x))), c.query);
}

function labelImage(c, id) {
  const l = need(this.store.labels.find((x) => x.id === id));
  const past = c.query.get('image');
  if (past) {
    need(!/^f/.test(past));
    png(c, l, l.product?.name ?? '', (l.wanted?.price_minor ?? 0) / 100, l.product?.gtin ?? '');
    return;
  }
  const what = c.query.get('what') ?? 'wanted';
  need(l[what]?.image);
  const old = l[what].image !== l.wanted?.image;
  const price = ((l.wanted?.price_minor ?? 0) - (old ? 20 : 0)) / 100;
  png(c, l, l.product?.name ?? '', price, l.product?.gtin ?? '');
}

function itemOf(row, i) {
  const place = row.places.find((p) => p.count > i) ?? row.places[0];
  return {
    epc: `3034257bf400b78000${(row.product_id ?? 4095).toString(16).padStart(4, '0')}${i.toString(16).padStart(2, '0')}`,
    uri: row.gtin ? `urn:epc:id:sgtin:4006381.${row.gtin.slice(1, 7)}.${1000 + i}` : null,
    gtin: row.gtin,
    serial: row.gtin ? String(1000 + i) : null,
    product: row.product_id ? { id: row.product_id, name: row.name, gtin: row.gtin } : null,
    place: place?.place_id ? { id: place.place_id, name: place.place } : null,
    confidence: [0.97, 0.91, 0.72, 0.41][i % 4],
    since: new Date(Date.now() - 3600_000 * (i + 1)).toISOString(),
    last_seen: new Date(Date.now() - 4000 * (i + 1)).toISOString(),
    state: 'present',
  };
}

function listItems(c) {
  const id = c.query.get('product_id');
  const gtin = c.query.get('gtin');
  const place = c.query.get('place_id');
  const rows = this.store.stock.filter((r) => (id ? r.product_id === Number(id) : gtin === '00000000000000' ? r.gtin === null : gtin ? r.gtin === gtin : true));
  const all = rows.flatMap((r) => {
    const n = place ? (r.places.find((p) => (p.place_id ?? 0) === Number(place))?.count ?? 0) : r.total;
    return Array.from({ length: n }, (_, i) => itemOf(r, i));
  });
  return page(all, c.query);
}

function oneItem(c, epc) {
  need(/^30/.test(epc));
  const seen = (reader, antenna, place, weight, reads) => ({ agent: 'ap-floor', reader, antenna, place: { id: antenna, name: place }, kind: 'refresh', rssi_dbm: -58.5, peak_dbm: -51, reads, rate: reads / 60, first: new Date(Date.now() - 3600_000).toISOString(), last: new Date(Date.now() - 2500).toISOString(), weight });
  const row = this.store.stock.find((r) => r.product_id === Number.parseInt(epc.slice(18, 22), 16)) ?? this.store.stock[0];
  return { ...itemOf(row, 0), epc, evidence: [seen('reader-1', 1, 'Sales floor', 0.93, 318), seen('reader-1', 2, 'Back room', 0.07, 21)] };
}

function itemEvents(c) {
  const at = (h) => new Date(Date.now() - h * 3600_000).toISOString();
  return page([{ at: at(1), from_place: { id: 2, name: 'Back room' }, to_place: { id: 1, name: 'Sales floor' }, confidence: 0.93, cause: 'stronger-elsewhere' }, { at: at(20), from_place: null, to_place: { id: 2, name: 'Back room' }, confidence: 0.88, cause: 'first-seen' }], c.query);
}

function stockList(c) {
  const w = words(c.query.get('q'));
  const place = c.query.get('place_id');
  const id = c.query.get('product_id');
  const rows = this.store.stock.filter(
    (r) => (!place || r.places.some((p) => p.place_id === Number(place))) && (!id || r.product_id === Number(id)) && w.every((x) => `${r.name} ${r.gtin}`.toLowerCase().includes(x)),
  );
  const items = this.store.stock.reduce((n, r) => n + r.total, 0);
  return page(rows, c.query, { summary: { items, unknown_products: items ? 1 : 0, unplaced: items ? 7 : 0, foreign_tags: items ? 7 : 0 } });
}

function listAudit(c) {
  const [who, action, object] = ['who', 'action', 'object'].map((k) => c.query.get(k) ?? '');
  const hit = (e) => (!who || e.who === who) && (!action || (action.endsWith('.') ? e.action.startsWith(action) : e.action === action)) && (!object || e.object === object);
  return page(this.store.audit.filter(hit), c.query);
}

function antennaList(c) {
  const all = this.store.agents.flatMap((a) =>
    a.readers.flatMap((r) => r.antennas.map((n) => ({ agent_id: a.id, agent: a.name, reader: r.name, antenna: n, place_id: n <= 2 ? n : null, place: this.store.places[n - 1]?.name ?? null, last_heard: new Date(Date.now() - 3000).toISOString() }))),
  );
  return page(all, c.query);
}

function setReader(c, id, name) {
  const a = need(this.store.agents.find((x) => x.id === Number(id)));
  if (!/^[\w.:-]+$/.test(c.json.host)) {
    throw new Refusal(422, 'bad-host', 'Not an address', [{ pointer: '/host', code: 'bad-host', detail: 'This is not a host name or address.' }]);
  }
  a.readers = [...a.readers.filter((r) => r.name !== name), { name, ...c.json, state: 'connecting', reads: 0, reconnects: 0 }];
  this.publish('agent', a);
  return null;
}

function makeCode(c) {
  const code = { id: this.store.joinCodes.length + 1, uses: c.json.uses, used: 0, expires: new Date(Date.now() + c.json.ttl_s * 1000).toISOString(), created_by: c.user.name, note: c.json.note, replaces: c.json.replaces ?? null, replaces_agent: this.store.agents.find((a) => a.id === c.json.replaces)?.name ?? null };
  this.store.joinCodes.push(code);
  return { status: 201, body: { ...code, code: 'GJ1-K7QX2M5TWB4RN3PA-9f86d081884c7d659a2feaa0c55ad015' } };
}

function addUser(c) {
  if (c.json.password.length < 10) {
    throw new Refusal(422, 'weak-password', 'The password is too short', [{ pointer: '/password', code: 'too-short', detail: 'Use at least 10 characters.' }]);
  }
  const u = { id: this.store.users.length + 1, name: c.json.name, role: c.json.role, created: new Date().toISOString(), last_login: null };
  this.store.users.push(u);
  return { status: 201, body: u };
}

function history(c, id) {
  const l = need(this.store.labels.find((x) => x.id === id));
  const at = l.wanted?.from ?? new Date(0).toISOString();
  const rows = l.product ? [{ at, kind: 'shown', image: l.shown?.image ?? null, grade: 'acknowledged', price_minor: l.wanted?.price_minor }, { at, kind: 'sent', image: l.sent?.image ?? null }, { at, kind: 'wanted', image: l.wanted?.image ?? null, price_minor: l.wanted?.price_minor }, { at, kind: 'linked', image: null, text: l.product.name }] : [];
  return page(rows, c.query);
}

const ROUTES = [
  ...priceRoutes,
  ...promotionRoutes,
  ...rolloutRoutes,
  ['POST', /^\/session$/, signIn, 'none'],
  ['GET', /^\/session$/, function (c) { return this.sessionBody(c.user); }, 'self'],
  ['DELETE', /^\/session$/, function (c) { this.sessions.delete(c.cookie); return null; }, 'self'],
  ['PUT', /^\/session\/password$/, (c) => { if (c.json.old !== PASSWORD) { throw new Refusal(403, 'bad-credentials', 'The old password is wrong'); } return null; }, 'self'],
  ['GET', /^\/events$/, stream, 'view'],
  ['GET', /^\/products$/, listProducts, 'view'],
  ['POST', /^\/products$/, function (c) { return add('products').call(this, { ...c, json: { price_minor: null, currency: 'EUR', unit_price: null, labels: 0, ...c.json } }); }, 'products'],
  ['POST', /^\/products\/import$/, importCsv, 'products'],
  ['GET', /^\/products\/by-gtin\/(\d+)$/, function (c, gtin) { return need(this.store.products.find((x) => x.gtin === gtin.padStart(14, '0'))); }, 'view'],
  ['GET', /^\/products\/(\d+)$/, byId('products'), 'view'],
  ['GET', /^\/price-changes$/, function (c) { return page(this.store.prices.filter((x) => String(x.product_id) === c.query.get('product_id')).reverse(), c.query); }, 'view'],
  ['POST', /^\/templates\/preview$/, function (c) { const p = need(this.store.products.find((x) => x.id === c.json.product_id)); png(c, c.json, p.name, c.json.price_minor / 100, p.gtin, c.json.was_minor); }, 'view'],
  ['GET', /^\/labels$/, listLabels, 'view'],
  ['GET', /^\/labels\/([^/]+)$/, function (c, id) { const l = byId('labels').call(this, c, id); return { ...l, ...measured(this, l) }; }, 'view'],
  ['GET', /^\/labels\/([^/]+)\/image\.png$/, labelImage, 'view'],
  ['GET', /^\/labels\/([^/]+)\/history$/, history, 'view'],
  ['GET', /^\/places$/, function (c) { return page(this.store.places, c.query); }, 'view'],
  ['POST', /^\/places$/, add('places'), 'places'],
  ['PATCH', /^\/places\/(\d+)$/, change('places'), 'places'],
  ['DELETE', /^\/places\/(\d+)$/, remove('places'), 'places'],
  ['GET', /^\/antennas$/, antennaList, 'view'],
  ['PUT', /^\/antennas\/(\d+)\/([^/]+)\/(\d+)$/, () => null, 'places'],
  ['GET', /^\/stock$/, stockList, 'view'],
  ['GET', /^\/items$/, listItems, 'view'],
  ['GET', /^\/items\/([^/]+)$/, oneItem, 'view'],
  ['GET', /^\/items\/([^/]+)\/events$/, itemEvents, 'view'],
  ['GET', /^\/agents$/, function (c) { return page(this.store.agents, c.query); }, 'view'],
  ['GET', /^\/agents\/join-codes$/, function (c) { return page(this.store.joinCodes, c.query); }, 'fleet'],
  ['POST', /^\/agents\/join-codes$/, makeCode, 'fleet'],
  ['DELETE', /^\/agents\/join-codes\/(\d+)$/, remove('joinCodes'), 'fleet'],
  ['GET', /^\/agents\/(\d+)$/, byId('agents'), 'view'],
  ['DELETE', /^\/agents\/(\d+)$/, function (c, id) { need(this.store.agents.find((x) => String(x.id) === id)).state = 'revoked'; return null; }, 'fleet'],
  ['PUT', /^\/agents\/(\d+)\/readers\/([^/]+)$/, setReader, 'fleet'],
  ['DELETE', /^\/agents\/(\d+)\/readers\/([^/]+)$/, function (c, id, name) { const a = need(this.store.agents.find((x) => String(x.id) === id)); a.readers = a.readers.filter((r) => r.name !== name); return null; }, 'fleet'],
  ['GET', /^\/users$/, function (c) { return page(this.store.users, c.query); }, 'users'],
  ['POST', /^\/users$/, addUser, 'users'],
  ['PATCH', /^\/users\/(\d+)$/, change('users'), 'users'],
  ['DELETE', /^\/users\/(\d+)$/, remove('users'), 'users'],
  ['GET', /^\/audit$/, listAudit, 'audit'],
];
