// SPDX-License-Identifier: Apache-2.0
// The promotions of the mock store. Times are kept as walls; what a rule of the real server decides is played
// with a few fixed answers, enough for the page to have something to say.

import { labelSteps } from './mock_progress.mjs';
import { need, page, Refusal } from './mock_base.mjs';

const HOUR = 3600_000;
const DAY_CODES = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'];

function wall(ms) {
  return new Date(ms).toISOString().slice(0, 16);
}

const asUtc = (w) => Date.parse(`${w}:00Z`);

/** Does any product of the store match? */
function chosen(store, s) {
  if (s.gtins) {
    return s.gtins.map((g) => store.byGtin.get(g.padStart(14, '0'))).filter(Boolean);
  }
  const ids = new Set(s.product_ids ?? []);
  return store.products.filter((x) => ids.has(x.id) || (s.brand && x.brand === s.brand) || (s.category && x.category === s.category));
}

function occurrencesOf(b) {
  const first = asUtc(b.start);
  const length = asUtc(b.end) - first;
  const rule = new Map((b.recurrence ?? '').split(';').filter(Boolean).map((x) => x.split('=')));
  const n = b.recurrence ? Math.min(10, Number(rule.get('COUNT') ?? 10)) : 1;
  const days = rule.get('BYDAY')?.split(',');
  const found = [];
  for (let d = 0; found.length < n && d < 400; d++) {
    const at = first + d * 24 * HOUR;
    if (!days || days.includes(DAY_CODES[new Date(at).getUTCDay()])) {
      const notes = wall(at).endsWith('03-28T02:30') ? ['02:30 does not exist on 2027-03-28; it starts at 03:00'] : [];
      found.push({ start: new Date(at - HOUR).toISOString(), end: new Date(at + length - HOUR).toISOString(), start_wall: wall(at), end_wall: wall(at + length), notes });
    }
  }
  return found;
}

function promoPrice(b, regular) {
  return b.kind === 'percent' ? Math.round((regular * (100 - Number(b.percent))) / 100) : b.price_minor;
}

function previewOf(store, b) {
  const products = chosen(store, b.select);
  const occurrences = occurrencesOf(b);
  const labels = products.reduce((n, x) => n + x.labels, 0);
  const warnings = occurrences.flatMap((o) => o.notes.map((detail) => ({ code: 'skipped-time', detail })));
  if (products.some((x) => x.price_minor === null)) {
    warnings.push({ code: 'no-price', detail: '1 product has no regular price and gets no reduction.' });
  }
  const conflicts = store.promotions
    .filter((o) => ['scheduled', 'running'].includes(o.state) && o.id !== b.id)
    .flatMap((o) => chosen(store, o.select).filter((x) => products.includes(x)).slice(0, 2).map((x) => ({ promotion_id: o.id, name: o.name, product_id: x.id, gtin: x.gtin, detail: `${x.name}: the lower of both prices shows` })));
  const sample = products.slice(0, 20).map((x) => {
    const promo = x.price_minor === null ? null : promoPrice(b, x.price_minor);
    return { product_id: x.id, gtin: x.gtin, name: x.name, regular_minor: x.price_minor, promo_minor: promo, was_minor: x.price_minor, prior_minor: x.price_minor === null ? null : x.price_minor - 10, labels: x.labels };
  });
  return { products: products.length, labels, occurrences, warnings, conflicts, sample };
}

function check(c) {
  const b = c.json;
  const select = b.select ?? {};
  if (b.name === 'refuse me') {
    throw new Refusal(422, 'bad-name', 'This name is refused', [{ pointer: '/name', code: 'bad-name', detail: 'This name is refused.' }]);
  }
  if (select.gtins?.some((g) => !this.store.byGtin.has(g.padStart(14, '0')))) {
    throw new Refusal(422, 'unknown-product', 'A GTIN of the list is not in the product list');
  }
}

function promotionOf(store, b, id, state) {
  const { products, labels, occurrences, warnings } = previewOf(store, b);
  return {
    id, name: b.name, kind: b.kind, percent: b.percent ?? null, price_minor: b.price_minor ?? null, currency: 'EUR', select: b.select, zone: 'Europe/Berlin',
    start: b.start, end: b.end, recurrence: b.recurrence ?? null, state, created: new Date(Date.now() - 50 * HOUR).toISOString(), by: 'manager', etag: `"${id}-${state}-1"`,
    products, labels, next: state === 'ended' || state === 'cancelled' ? null : occurrences[0], occurrences: state === 'ended' || state === 'cancelled' ? [] : occurrences, warnings,
  };
}

/** A few promotions in each state. */
export function seedPromotions(store) {
  store.byGtin = new Map(store.products.map((x) => [x.gtin, x]));
  store.promotions = [];
  if (store.products.length === 0) {
    return;
  }
  const today = Date.UTC(2026, 10, 27);
  const add = (b, state) => store.promotions.unshift(promotionOf(store, b, store.promotions.length + 1, state));
  const gtins = store.products.slice(0, 6).map((x) => x.gtin);
  add({ name: 'Summer drinks', kind: 'percent', percent: '15', select: { brand: 'Verde' }, start: wall(today - 2000 * HOUR), end: wall(today - 1800 * HOUR) }, 'ended');
  add({ name: 'Notebooks for school', kind: 'fixed', price_minor: 99, select: { gtins: gtins.slice(3, 5) }, start: wall(today - 900 * HOUR), end: wall(today - 800 * HOUR) }, 'cancelled');
  add({ name: 'Coffee week', kind: 'percent', percent: '20.00', select: { gtins }, start: wall(today - 20 * HOUR), end: wall(today + 30 * HOUR) }, 'running');
  add({ name: 'Fresh Friday', kind: 'percent', percent: '12.5', select: { brand: 'Alba' }, start: '2026-11-27T08:00', end: '2026-11-27T20:00', recurrence: 'FREQ=WEEKLY;BYDAY=FR;COUNT=4' }, 'scheduled');
  add({ name: 'Night of the clocks', kind: 'fixed', price_minor: 149, select: { gtins: gtins.slice(0, 2) }, start: '2027-03-28T02:30', end: '2027-03-28T20:00' }, 'draft');
}

function find(store, id) {
  return need(store.promotions.find((x) => x.id === Number(id)));
}

function changed(x) {
  x.etag = `"${x.id}-${x.state}-${Number(/-(\d+)"$/.exec(x.etag)[1]) + 1}"`;
  this.publish('promotion', { id: x.id, state: x.state });
  return x;
}

function audited(who, action, x, detail = null) {
  this.store.audit.unshift({ id: this.store.audit.length + 1000, at: new Date().toISOString(), who, action, object: `promotion:${x.id}`, detail });
}

function create(c) {
  check.call(this, c);
  const x = promotionOf(this.store, c.json, Math.max(0, ...this.store.promotions.map((y) => y.id)) + 1, c.json.state ?? 'scheduled');
  x.by = c.user.name;
  x.created = new Date().toISOString();
  this.store.promotions.unshift(x);
  audited.call(this, c.user.name, 'promotion.create', x, x.name);
  this.publish('promotion', { id: x.id, state: x.state });
  return { status: 201, body: x };
}

function edit(c, id) {
  const x = find(this.store, id);
  if (c.rq.headers['if-match'] !== x.etag) {
    throw new Refusal(412, 'precondition-failed', 'It has been changed');
  }
  check.call(this, c);
  const next = promotionOf(this.store, { ...x, ...c.json }, x.id, c.json.state ?? x.state);
  Object.assign(x, { ...next, created: x.created, by: x.by, etag: x.etag });
  audited.call(this, c.user.name, 'promotion.change', x);
  return changed.call(this, x);
}

function cancel(c, id) {
  const x = find(this.store, id);
  if (x.state === 'ended' || x.state === 'cancelled') {
    throw new Refusal(409, 'wrong-state', 'The promotion is over');
  }
  Object.assign(x, { state: 'cancelled', next: null, occurrences: [] });
  audited.call(this, c.user.name, 'promotion.cancel', x, c.json.reason);
  return changed.call(this, x);
}

function stepsOf(store, x) {
  const ids = new Set(chosen(store, x.select).map((y) => y.id));
  return labelSteps(store.labels.filter((l) => l.product && ids.has(l.product.id)), x.state === 'running' ? 'flipped' : x.state === 'scheduled' ? 'staged' : 'waiting');
}

function progress(c, id) {
  const x = find(this.store, id);
  const steps = stepsOf(this.store, x);
  const of = (s) => steps.filter((y) => y.state === s).length;
  const edge = x.state === 'running' ? 'end' : 'start';
  return { edge, due: x.next ? x.next[edge] : null, total: steps.length, waiting: of('waiting'), staged: of('staged'), flipped: of('flipped'), shown: of('shown'), failed: of('failed') };
}

export const promotionRoutes = [
  ['GET', /^\/promotions$/, function (c) { const s = c.query.get('state'); return page(this.store.promotions.filter((x) => !s || x.state === s), c.query); }, 'view'],
  ['POST', /^\/promotions$/, create, 'prices'],
  ['POST', /^\/promotions\/preview$/, function (c) { check.call(this, c); return previewOf(this.store, c.json); }, 'prices'],
  ['GET', /^\/promotions\/(\d+)$/, function (c, id) { return find(this.store, id); }, 'view'],
  ['PATCH', /^\/promotions\/(\d+)$/, edit, 'prices'],
  ['POST', /^\/promotions\/(\d+)\/cancel$/, cancel, 'prices'],
  ['GET', /^\/promotions\/(\d+)\/products$/, function (c, id) { const x = find(this.store, id); const on = x.state === 'running'; return page(previewOf(this.store, x).sample.map((s) => ({ product_id: s.product_id, gtin: s.gtin, name: s.name, price_minor: s.regular_minor, labels: s.labels, offer: on ? { price_minor: s.promo_minor, was_minor: s.was_minor, prior_minor: s.prior_minor, promotion_id: x.id, until: x.next.end } : null })), c.query); }, 'view'],
  ['GET', /^\/promotions\/(\d+)\/labels$/, function (c, id) { const s = c.query.get('state'); return page(stepsOf(this.store, find(this.store, id)).filter((y) => !s || y.state === s), c.query); }, 'view'],
  ['GET', /^\/promotions\/(\d+)\/progress$/, progress, 'view'],
];
