// SPDX-License-Identifier: Apache-2.0
// The mock server's books: book stock, sales, deliveries, and the differences that follow from them.

import { need, page, Refusal, words } from './mock_base.mjs';

const HOUR = 3600_000;
const ago = (ms) => new Date(Date.now() - ms).toISOString();

const TEXTS = {
  matching: 'The books and the antennas agree.',
  missing: (n) => `${n} ${n === 1 ? 'item was' : 'items were'} last seen on the sales floor more than 3 hours ago and ${n === 1 ? 'was' : 'were'} not sold.`,
  surplus: 'More items are seen than the books expect. Perhaps a delivery was not announced.',
  untagged: 'No tag of this product was ever read: its goods probably carry none.',
  'delivery-open': 'A delivery that is not received yet explains the additional items.',
};

/** What the books know of a product: made the same way in every run. */
function makeBook(row, i) {
  const kind = i % 6 === 1 ? 'missing' : i % 11 === 3 ? 'surplus' : i % 13 === 5 ? 'delivery-open' : 'matching';
  const shift = { missing: 2, surplus: -1, 'delivery-open': -6, matching: 0 }[kind];
  const sold = 3 + (i % 4);
  const delivered = i % 3 === 0 ? 12 : 0;
  const expected = row.total + shift;
  const ledger = [
    { at: ago(30 * 24 * HOUR), kind: 'book', quantity: expected + sold - delivered, running: expected + sold - delivered, ref: 'inventory-2026' },
    ...(delivered ? [{ at: ago(9 * 24 * HOUR), kind: 'delivery', quantity: delivered, running: expected + sold, ref: 'DN-10021' }] : []),
  ];
  for (let k = 0; k < sold; k++) {
    ledger.push({ at: ago((sold - k) * 5 * HOUR), kind: 'sale', quantity: -1, running: expected + sold - 1 - k, ref: `till-1/${40 + i}-${k}` });
  }
  return { row, kind, sold, delivered, ledger: ledger.reverse() };
}

export function makeBooks(stock, products) {
  const known = stock.filter((r) => r.product_id !== null);
  const books = new Map(known.map((r, i) => [r.product_id, makeBook(r, i)]));
  const bare = products[70];
  if (bare) {
    books.set(bare.id, {
      row: { product_id: bare.id, gtin: bare.gtin, name: bare.name, total: 0, places: [] },
      kind: 'untagged', sold: 0, delivered: 0, ledger: [{ at: ago(20 * 24 * HOUR), kind: 'book', quantity: 18, running: 18, ref: null }],
    });
  }
  const sales = known.slice(0, 40).map((r, i) => ({
    id: `${4000 - i}`, at: ago(i * 0.4 * HOUR), till: `till-${1 + (i % 3)}`,
    lines: [{ product_id: r.product_id, gtin: r.gtin, name: r.name, epc: i % 2 ? null : '3034257bf400b78000000300', quantity: 1 + (i % 3 === 2 ? 1 : 0) }],
  }));
  const line = (i, quantity, seen) => ({ gtin: known[i].gtin, product_id: known[i].product_id, name: known[i].name, quantity, seen });
  const deliveries = known.length
    ? [
        { id: 3, reference: 'DN-10047', supplier: 'Nordhof', expected_at: ago(-20 * HOUR), state: 'announced', created: ago(HOUR), lines: [line(4, 12, 0), line(9, 24, 0)] },
        { id: 2, reference: 'DN-10046', supplier: 'Casa Rossi', expected_at: ago(-2 * HOUR), state: 'arriving', created: ago(26 * HOUR), lines: [line(2, 6, 4), line(5, 12, 12)] },
        { id: 1, reference: 'DN-10021', supplier: 'Verde', expected_at: ago(9 * 24 * HOUR), state: 'received', created: ago(11 * 24 * HOUR), lines: [{ ...line(0, 12, 12), received: 12 }] },
      ]
    : [];
  return { books, sales, deliveries };
}

function figures(book) {
  const last = book.ledger[0];
  const first = book.ledger.at(-1);
  const seen = book.row.total;
  const difference = seen - last.running;
  const kind = difference === 0 ? 'matching' : book.kind;
  const text = TEXTS[kind];
  return {
    product_id: book.row.product_id, gtin: book.row.gtin, name: book.row.name,
    book: first.quantity, sold: book.sold, delivered: book.delivered, expected: last.running, seen, difference,
    reason: { code: kind, text: typeof text === 'function' ? text(-difference) : text },
  };
}

const rowsOf = (api) => [...api.books.books.values()].map((b) => ({ ...figures(b), place_id: null, place: null }));

function summary(api) {
  const rows = rowsOf(api);
  const of = (code) => rows.filter((r) => r.reason.code === code);
  const some = rows.length > 0;
  return { products: rows.length, matching: of('matching').length, missing: of('missing').length, surplus: of('surplus').length, untagged: of('untagged').length, unknown: some ? 3 : 0, foreign: some ? 7 : 0, as_of: some ? ago(4000) : null };
}

function listDifferences(c) {
  const w = words(c.query.get('q'));
  const [id, place, reason] = ['product_id', 'place_id', 'reason'].map((k) => c.query.get(k));
  const rows = rowsOf(this)
    .filter((r) => (!id || r.product_id === Number(id)) && (!reason || r.reason.code === reason) && w.every((x) => `${r.name} ${r.gtin}`.toLowerCase().includes(x)))
    .map((r) => (place ? { ...r, place_id: Number(place), place: this.store.places.find((p) => p.id === Number(place))?.name ?? null } : r))
    .sort((a, b) => Math.abs(b.difference) - Math.abs(a.difference));
  return page(rows, c.query, { summary: summary(this) });
}

function itemsOf(book) {
  const f = figures(book);
  const epc = (n) => `3034257bf400b78000${book.row.product_id.toString(16).padStart(4, '0')}${n.toString(16).padStart(2, '0')}`;
  const present = Array.from({ length: Math.min(3, book.row.total) }, (_, i) => ({ epc: epc(i), state: 'present', place: { id: 1, name: 'Sales floor' }, last_seen: ago(4000 * (i + 1)), sold: null, reason: { code: 'present', text: 'Seen now' } }));
  const gone = f.reason.code === 'missing' ? [{ epc: epc(0xf0), state: 'gone', place: { id: 4, name: 'Exit' }, last_seen: ago(3 * HOUR), sold: null, reason: { code: 'missing', text: 'Last seen 3 hours ago at Exit, and not sold' } }] : [];
  const sold = { epc: epc(0xf8), state: 'gone', place: { id: 1, name: 'Sales floor' }, last_seen: ago(6 * HOUR), sold: { sale: '3988', till: 'till-1', at: ago(5.9 * HOUR) }, reason: { code: 'sold', text: 'Sold by its tag' } };
  return [...gone, ...present, sold];
}

function oneDifference(c, id) {
  const book = need(this.books.books.get(Number(id)));
  const f = figures(book);
  const places = book.row.places.map((p, i) => ({ ...f, place_id: p.place_id, place: p.place, seen: p.count, expected: p.count - (i === 0 ? f.difference : 0), difference: i === 0 ? f.difference : 0 }));
  // Every other product's book is kept by place.
  return { ...f, as_of: ago(4000), places: Number(id) % 2 ? places : [], ledger: book.ledger, items: itemsOf(book) };
}

function strangers(c) {
  const rows = this.store.stock.filter((r) => r.product_id === null);
  return page(rows.map((r) => ({ kind: r.gtin ? 'unknown' : 'foreign', gtin: r.gtin, scheme: r.gtin ? 'sgtin' : 'sscc', count: r.total, places: r.places, last_seen: ago(9000) })), c.query);
}

function append(book, row) {
  book.ledger.unshift({ at: ago(0), ...row });
}

function settle(c, id) {
  const book = need(this.books.books.get(Number(id)));
  if (!c.json.reason) {
    throw new Refusal(422, 'missing-reason', 'A reason is needed', [{ pointer: '/reason', code: 'missing', detail: 'Say why.' }]);
  }
  this.publish('difference', {});
  append(book, { kind: 'adjustment', quantity: c.json.quantity, running: c.json.quantity, ref: c.json.reason });
  return { status: 201, body: figures(book) };
}

function bookRow(b) {
  const f = figures(b);
  return { product_id: f.product_id, gtin: f.gtin, name: f.name, place_id: null, place: null, quantity: f.book, as_of: b.ledger.at(-1).at, by: 'stock', reason: null };
}

function setBook(c, id) {
  const b = need(this.books.books.get(Number(id)));
  b.ledger = [{ at: ago(0), kind: 'book', quantity: c.json.quantity, running: c.json.quantity, ref: c.json.reason ?? null }];
  return bookRow(b);
}

function importBooks(c) {
  const rows = c.body.toString().split('\n').filter(Boolean).slice(1);
  const errors = rows.flatMap((r, i) => (/^\d+,\d+(,|$)/.test(r) ? [] : [{ line: i + 2, column: 2, code: 'bad-number', detail: `${r.split(',')[1]} is not a quantity` }]));
  if (errors.length) {
    throw new Refusal(422, 'bad-rows', 'The file has bad rows', errors);
  }
  return { dry_run: c.query.get('dry_run') === '1', rows: rows.length, changed: rows.length, unchanged: 0, older: 0, errors: [] };
}

function announce(c) {
  const nameOf = (gtin) => this.store.products.find((p) => p.gtin === gtin);
  const d = { id: this.books.deliveries.length + 1, supplier: null, expected_at: null, state: 'announced', created: ago(0), ...c.json };
  d.lines = c.json.lines.map((l) => ({ ...l, product_id: nameOf(l.gtin)?.id ?? null, name: nameOf(l.gtin)?.name ?? null, seen: 0 }));
  this.books.deliveries.unshift(d);
  return { status: 201, body: d };
}

function receive(c, id) {
  const d = need(this.books.deliveries.find((x) => String(x.id) === id));
  if (d.state === 'received') {
    throw new Refusal(409, 'wrong-state', 'It is received already');
  }
  d.state = 'received';
  d.lines.forEach((l) => {
    l.received = c.json.lines?.find((x) => x.gtin === l.gtin)?.quantity ?? l.quantity;
    const book = this.books.books.get(l.product_id);
    if (book) {
      append(book, { kind: 'delivery', quantity: l.received, running: book.ledger[0].running + l.received, ref: d.reference });
      book.delivered += l.received;
    }
  });
  return d;
}

export const BOOK_ROUTES = [
  ['GET', /^\/differences$/, listDifferences, 'view'],
  ['GET', /^\/differences\/strangers$/, strangers, 'view'],
  ['GET', /^\/differences\/(\d+)$/, oneDifference, 'view'],
  ['POST', /^\/differences\/(\d+)\/settle$/, settle, 'books'],
  ['GET', /^\/books\/stock$/, function (c) { const w = words(c.query.get('q')); return page([...this.books.books.values()].map(bookRow).filter((r) => w.every((x) => `${r.name} ${r.gtin}`.toLowerCase().includes(x))), c.query); }, 'view'],
  ['PUT', /^\/books\/stock\/(\d+)$/, setBook, 'books'],
  ['POST', /^\/books\/stock\/import$/, importBooks, 'books'],
  ['GET', /^\/sales$/, function (c) { const id = c.query.get('product_id'); return page(this.books.sales.filter((s) => !id || s.lines.some((l) => String(l.product_id) === id)), c.query); }, 'view'],
  ['GET', /^\/deliveries$/, function (c) { const s = c.query.get('state'); return page(this.books.deliveries.filter((x) => !s || x.state === s), c.query); }, 'view'],
  ['POST', /^\/deliveries$/, announce, 'books'],
  ['GET', /^\/deliveries\/(\d+)$/, function (c, id) { return need(this.books.deliveries.find((x) => String(x.id) === id)); }, 'view'],
  ['POST', /^\/deliveries\/(\d+)\/receive$/, receive, 'books'],
  ['POST', /^\/deliveries\/(\d+)\/cancel$/, function (c, id) { return Object.assign(need(this.books.deliveries.find((x) => String(x.id) === id)), { state: 'cancelled' }); }, 'books'],
];
