// SPDX-License-Identifier: Apache-2.0
// The mock server's links between labels and products: their history, by list, lights, and replacing a label.

import { need, page, Refusal } from './mock_base.mjs';
import { readingsOf, sensorsOf } from './mock_data.mjs';

const BUDGET = 3;

export function makeLinks(labels) {
  const linked = labels.filter((l) => l.product);
  return {
    events: linked.map((l, i) => ({ id: i + 1, at: l.wanted?.from ?? l.last_seen, by: 'admin', label: l.id, cause: 'link', batch: null, undo_of: null, from: null, to: l.product, undone: false, superseded: false })).reverse(),
    flashes: new Map(),
    reads: new Map(),
  };
}

const labelOf = (api, id) => need(api.store.labels.find((x) => x.id === id));

/** One change, with its row; everything that links goes through here. */
function set(api, l, product, by, more = {}) {
  const from = l.product;
  api.links.events.filter((e) => e.label === l.id).forEach((e) => { e.superseded = true; });
  const event = { id: api.links.events.length + 1, at: new Date().toISOString(), by, label: l.id, cause: product ? 'link' : 'unlink', batch: null, undo_of: null, from, to: product, undone: false, superseded: false, ...more };
  api.links.events.unshift(event);
  l.product = product ? { id: product.id, gtin: product.gtin, name: product.name } : null;
  if (product) {
    api.priceChanged(api.store.products.find((p) => p.id === product.id));
  } else {
    Object.assign(l, { state: 'unlinked', wanted: null });
  }
  api.publish('label', l);
  return event;
}

function link(c, id) {
  const l = labelOf(this, id);
  const p = this.store.products.find((x) => x.gtin === c.json.gtin.padStart(14, '0'));
  if (!p) {
    throw new Refusal(404, 'not-found', 'No product has this GTIN');
  }
  if (l.product && l.product.id !== p.id && !c.json.relink) {
    throw new Refusal(409, 'already-linked', 'The label is linked');
  }
  if (l.product?.id !== p.id) {
    set(this, l, p, c.user.name);
  }
  return l;
}

function undo(c, id) {
  const e = need(this.links.events.find((x) => String(x.id) === id));
  const all = c.json.batch && e.batch ? this.links.events.filter((x) => x.batch === e.batch) : [e];
  if (all.some((x) => x.superseded || x.undone)) {
    throw new Refusal(409, 'superseded', 'The label has been linked anew since');
  }
  all.forEach((x) => {
    set(this, labelOf(this, x.label), x.from, c.user.name, { cause: 'undo', undo_of: x.id });
    Object.assign(x, { undone: true });
  });
  return { status: 201, body: this.links.events[0] };
}

function importLinks(c) {
  const rows = c.body.toString().split('\n').filter(Boolean).slice(1).map((r) => r.split(','));
  const [dry, relink] = ['dry_run', 'relink'].map((x) => c.query.get(x) === '1');
  const found = rows.map(([id, gtin]) => [this.store.labels.find((l) => l.id === id?.replaceAll(':', '')), this.store.products.find((p) => p.gtin === gtin?.trim().padStart(14, '0'))]);
  const errors = found.flatMap(([l, p], i) => {
    const bad = (column, code, detail) => [{ line: i + 2, column, code, detail }];
    return !l ? bad(1, 'no-such-label', `${rows[i][0]} was never heard`) : !p ? bad(2, 'no-such-product', `${rows[i][1]} is no product`) : l.product && l.product.id !== p.id && !relink ? bad(1, 'already-linked', `${l.id} belongs to ${l.product.name}`) : [];
  });
  if (errors.length) {
    throw new Refusal(422, 'bad-rows', 'The file has bad rows', errors);
  }
  const fresh = found.filter(([l]) => !l.product);
  const moved = found.filter(([l, p]) => l.product && l.product.id !== p.id);
  const batch = this.links.events.length + 1;
  if (!dry) {
    [...fresh, ...moved].forEach(([l, p]) => set(this, l, p, c.user.name, { cause: 'import', batch }));
  }
  return { dry_run: dry, rows: rows.length, linked: fresh.length, relinked: moved.length, unchanged: rows.length - fresh.length - moved.length, errors: [] };
}

function flash(c, id) {
  const l = labelOf(this, id);
  const n = (this.links.flashes.get(id) ?? 0) + 1;
  if (n > BUDGET) {
    c.rs.setHeader('Retry-After', '1500');
    throw new Refusal(429, 'battery-budget', `A label blinks ${BUDGET} times an hour at most.`);
  }
  this.links.flashes.set(id, n);
  const until = new Date(Date.now() + c.json.seconds * 1000).toISOString();
  l.flash = { colour: c.json.colour, until, state: 'asked', reason: null };
  this.later(this.stepMs, () => {
    l.flash = { ...l.flash, state: 'on' };
    this.publish('label', l);
  });
  return { status: 202, body: { until, colour: c.json.colour, seconds: c.json.seconds } };
}

/** Each label by its own flash; refused as a whole only when all are. */
function pick(c) {
  let wait = 0;
  const items = c.json.labels.map((id) => {
    try {
      const l = labelOf(this, id);
      if (l.state === 'lost') {
        throw new Refusal(409, 'no-access-point', 'No access point takes care of this label.');
      }
      return { label: id, ...flash.call(this, { ...c, rs: { setHeader: (_, s) => { wait = s; } } }, id).body };
    } catch (e) {
      return { label: id, refused: { code: e.code, detail: e.message } };
    }
  });
  if (items.every((x) => x.refused)) {
    c.rs.setHeader('Retry-After', wait);
    throw new Refusal(wait ? 429 : 409, wait ? 'battery-budget' : 'none-blinks', 'None of these labels may blink now.', items.map((x, i) => ({ pointer: `/labels/${i}`, label: x.label, ...x.refused })));
  }
  return { status: 202, body: { items } };
}

const of = (used, perHour) => ({ hour: used, per_hour: perHour, day: used, per_day: 5 * perHour, free_at: used < perHour ? null : new Date(Date.now() + 1_500_000).toISOString() });

/** What one label alone tells: its sensors and what its battery was asked for. */
export function measured(mock, l) {
  const reads = mock.links.reads.get(l.id);
  return { sensors: sensorsOf(l, reads?.of), budget: { flashes: of(mock.links.flashes.get(l.id) ?? 0, BUDGET), readings: of(reads?.used ?? 0, 20) } };
}

/** The first sensor answers with another value, the last one does not. */
function read(c, id) {
  const l = labelOf(this, id), of = sensorsOf(l), [at, until] = [0, 60_000].map((ms) => new Date(Date.now() + ms).toISOString());
  const r = this.links.reads.get(id) ?? { used: 0, of: {} };
  if (!of.length) {
    throw new Refusal(409, 'no-sensor', 'This label has not told of a sensor.');
  }
  r.used += of.length;
  r.of = Object.fromEntries(of.map((x) => [x.sensor, { asked: { at, until, state: 'asked', reason: null } }]));
  this.links.reads.set(id, r);
  const answer = () => {
    const now = { at: new Date().toISOString() };
    of.forEach((x, i) => {
      const failed = i === of.length - 1;
      r.of[x.sensor] = { ...(failed ? {} : now), ...(i === 0 ? { value: 4.5, bytes: 'c201' } : {}), asked: { at, until, state: failed ? 'failed' : 'read', reason: failed ? 'The label gives no value: it says "Insufficient Resources".' : null } };
    });
    this.publish('label', l);
  };
  if (this.links.patient) {
    this.links.answer = answer; // a test looks at the question first
  } else {
    this.later(this.stepMs, answer);
  }
  return { status: 202, body: { until, sensors: of.map((x) => x.sensor) } };
}

function readings(c, id) {
  return { items: readingsOf(labelOf(this, id), Number(c.query.get('sensor') ?? 0)), next: null };
}

function stopPick(c) {
  const items = c.json.labels.map((id) => {
    const l = labelOf(this, id);
    const until = l.flash?.state === 'on' ? l.flash.until : null;
    if (l.flash) {
      l.flash = { ...l.flash, state: until ? 'stopping' : 'off' };
      this.publish('label', l);
      this.later(this.stepMs, () => {
        l.flash = { ...l.flash, state: 'off' };
        this.publish('label', l);
      });
    }
    return { label: id, until };
  });
  return { items };
}

function replace(c, id) {
  const [old, by] = [labelOf(this, id), this.store.labels.find((x) => x.id === c.json.by)];
  if (!by) {
    throw new Refusal(422, 'no-such-label', `No access point has heard label ${c.json.by} yet.`);
  }
  if (by.product) {
    throw new Refusal(409, 'already-linked', `Label ${by.id} belongs to a product already: ${by.product.name}.`);
  }
  if (by.width !== old.width && !c.json.force) {
    throw new Refusal(409, 'other-size', `Label ${by.id} has ${by.width}x${by.height} pixels, the old one ${old.width}x${old.height}; say force to use it all the same.`);
  }
  const product = old.product;
  set(this, old, null, c.user.name, { cause: 'replace' });
  set(this, by, product, c.user.name, { cause: 'replace' });
  return by;
}

export const LINK_ROUTES = [
  ['GET', /^\/labels\/links$/, function (c) { const id = c.query.get('label'); return page(this.links.events.filter((e) => !id || e.label === id), c.query); }, 'view'],
  ['POST', /^\/labels\/links\/import$/, importLinks, 'labels'],
  ['POST', /^\/labels\/links\/(\d+)\/undo$/, undo, 'labels'],
  ['PUT', /^\/labels\/([^/]+)\/link$/, link, 'labels'],
  ['DELETE', /^\/labels\/([^/]+)\/link$/, function (c, id) { set(this, labelOf(this, id), null, c.user.name); return null; }, 'labels'],
  ['POST', /^\/labels\/pick$/, pick, 'labels'],
  ['POST', /^\/labels\/pick\/stop$/, stopPick, 'labels'],
  ['POST', /^\/labels\/([^/]+)\/flash$/, flash, 'labels'],
  ['POST', /^\/labels\/([^/]+)\/readings$/, read, 'labels'],
  ['GET', /^\/labels\/([^/]+)\/readings$/, readings, 'view'],
  ['POST', /^\/labels\/([^/]+)\/replace$/, replace, 'labels'],
];
