// SPDX-License-Identifier: Apache-2.0
// The price ledger of the mock store: changes now and later, undo as a new change, and what was offered when.

import { need, page, Refusal } from './mock_base.mjs';
import { unitPriceOf } from './mock_data.mjs';

const DAY = 86_400_000;
const iso = (ms) => new Date(ms).toISOString();

function productOf(store, c) {
  return need(store.products.find((x) => x.id === c.json.product_id || (c.json.gtin && x.gtin === c.json.gtin.padStart(14, '0'))));
}

/** Takes a change into the ledger; one that holds from now on goes to the shelf. */
function append(p, minor, more) {
  const now = iso(Date.now());
  const change = { id: this.store.prices.length + 1, product_id: p.id, gtin: p.gtin, price_minor: minor, currency: 'EUR', from: now, at: now, undo_of: null, reason: null, ...more };
  this.store.prices.push(change);
  if (Date.parse(change.from) <= Date.now()) {
    Object.assign(p, { price_minor: minor, unit_price: unitPriceOf(minor, p.content, p.unit) });
    this.publish('price', { product_id: p.id, price_minor: minor, currency: 'EUR', from: change.from });
    this.priceChanged(p);
  }
  return change;
}

function changePrice(c) {
  const p = productOf(this.store, c);
  if (c.json.price_minor > 100_000_00) {
    throw new Refusal(422, 'bad-price', 'The price is refused', [{ pointer: '/price_minor', code: 'too-large', detail: 'This store’s highest price is 100,000.' }]);
  }
  const { from, reason } = c.json;
  return { status: 201, body: append.call(this, p, c.json.price_minor, { by: c.user.name, ...(from ? { from } : {}), ...(reason ? { reason } : {}) }) };
}

function undo(c, id) {
  const x = need(this.store.prices.find((y) => y.id === Number(id)));
  const all = this.store.prices.filter((y) => y.product_id === x.product_id);
  if (all.at(-1) !== x) {
    throw new Refusal(409, 'superseded', 'A newer change exists');
  }
  const before = need(all.at(-2));
  const p = this.store.products.find((y) => y.id === x.product_id);
  return { status: 201, body: append.call(this, p, before.price_minor, { by: c.user.name, undo_of: x.id, reason: c.json.reason ?? null }) };
}

/** The ledger as stretches of time, and the promotions that were on, newest first. */
function history(c, id) {
  const all = this.store.prices.filter((y) => y.product_id === Number(id)).sort((a, b) => Date.parse(a.from) - Date.parse(b.from));
  const regular = all.map((x, i) => ({ from: x.from, to: all[i + 1]?.from ?? null, kind: 'regular', price_minor: x.price_minor, currency: 'EUR', promotion_id: null, promotion: null, price_change_id: x.id, by: x.by, reason: x.reason ?? null }));
  const promoted = Number(id) > 6 ? [] : [{ from: iso(Date.now() - 60 * DAY), to: iso(Date.now() - 53 * DAY), kind: 'promotion', price_minor: Math.round((all[0]?.price_minor ?? 100) * 0.8), currency: 'EUR', promotion_id: 3, promotion: 'Coffee week', price_change_id: null, by: 'manager', reason: null }];
  return page([...regular, ...promoted].sort((a, b) => Date.parse(b.from) - Date.parse(a.from)), c.query);
}

function editProduct(c, id) {
  const p = need(this.store.products.find((x) => x.id === Number(id)));
  const match = c.rq.headers['if-match'];
  if (match && match !== p.etag) {
    throw new Refusal(412, 'precondition-failed', 'It has been changed');
  }
  Object.assign(p, c.json, { etag: `"${p.id}-${Number(/-(\d+)"$/.exec(p.etag)[1]) + 1}"` });
  p.unit_price = unitPriceOf(p.price_minor, p.content, p.unit);
  this.publish('product', { id: p.id });
  return p;
}

/** The first products have a past: two regular changes some weeks ago. */
export function seedPrices(store) {
  const past = store.products.slice(0, 6).flatMap((p) => [[110, 30], [75, 12]].map(([days, more]) => ({ product_id: p.id, gtin: p.gtin, price_minor: (p.price_minor ?? 100) + more, currency: 'EUR', from: iso(Date.now() - days * DAY), at: iso(Date.now() - days * DAY), by: 'manager', reason: more === 30 ? null : 'new supplier' })));
  const now = store.prices.map((x) => (x.product_id <= 6 ? { ...x, from: iso(Date.now() - 40 * DAY), at: iso(Date.now() - 40 * DAY) } : x));
  store.prices = [...past, ...now].map((x, i) => ({ ...x, id: i + 1 }));
  const p = store.products[0];
  if (p) {
    p.offer = { price_minor: Math.round(p.price_minor * 0.8), was_minor: p.price_minor, prior_minor: Math.round(p.price_minor * 0.8) + 10, promotion_id: 3, until: iso(Date.now() + 30 * 3600_000) };
  }
}

export const priceRoutes = [
  ['POST', /^\/price-changes$/, changePrice, 'prices'],
  ['POST', /^\/price-changes\/(\d+)\/undo$/, undo, 'prices'],
  ['GET', /^\/products\/(\d+)\/history$/, history, 'view'],
  ['PATCH', /^\/products\/(\d+)$/, editProduct, 'products'],
];
