// SPDX-License-Identifier: Apache-2.0
// The rollouts of the mock store: one in each state, and a new one that really walks through its waves.

import { need, page, Refusal } from './mock_base.mjs';
import { labelSteps } from './mock_progress.mjs';

const iso = (ms) => new Date(ms).toISOString();

function waveOf(n, percent, products, labels, state) {
  const failed = labels > 20 ? { flipped: 2, settled: 1 }[state] ?? 0 : 0;
  const flipped = state === 'flipped' || state === 'settled' ? labels - failed : 0;
  const shown = state === 'flipped' ? Math.floor(flipped * 0.7) : flipped;
  const staged = state === 'staging' ? Math.floor(labels * 0.6) : flipped;
  return { n, percent, products, labels, state, staged, flipped, shown, failed, rolled_back: state === 'rolled-back' ? labels : 0, flip_at: state === 'flipped' || state === 'settled' ? iso(Date.now() - 600_000 / n) : null };
}

function totals(x) {
  for (const k of ['staged', 'flipped', 'shown', 'failed', 'rolled_back']) {
    x[k] = x.waves.reduce((n, w) => n + w[k], 0);
  }
  x.total = x.waves.reduce((n, w) => n + w.labels, 0);
  return x;
}

/** A day of samples: stored a little behind what was expected, shown in the steps of the waves. */
function samplesOf(x, minutes) {
  const begun = Date.now() - minutes * 60_000;
  const samples = [];
  const [a, b] = [x.waves[0]?.labels ?? 0, (x.waves[0]?.labels ?? 0) + (x.waves[1]?.labels ?? 0)];
  for (let m = 0; m <= minutes; m += 2) {
    const part = m / minutes;
    const shown = part > 0.75 ? b : part > 0.3 ? a : 0;
    const have = Math.min(x.total, Math.round(x.total * part ** 1.25 * 0.8));
    samples.push({ at: iso(begun + m * 60_000), staged: have, flipped: Math.min(shown, have), shown: Math.min(shown, have), failed: part > 0.8 ? x.failed : 0, forecast_staged: Math.min(x.total, Math.round(x.total * part)) });
  }
  return samples;
}

function rollout(id, name, state, waveStates, reason = null) {
  const shape = [[5, 12, 31], [25, 49, 122], [100, 180, 447]];
  const x = {
    id, name, state, reason, created: iso(Date.now() - 4000_000), by: 'manager', start: iso(Date.now() - 3900_000), finished: ['done', 'cancelled', 'rolled-back'].includes(state) ? iso(Date.now() - 300_000) : null,
    waves: shape.map(([percent, products, labels], i) => waveOf(i + 1, percent, products, labels, waveStates[i])),
    gate: { staged_percent: 95, timeout_s: 3600 }, halt: { failed_percent: 5 }, settle_s: 120,
    forecast: { at: iso(Date.now()), finish: iso(Date.now() + 1500_000), why: 'from the pace of the last minutes' },
    first_forecast: { at: iso(Date.now() - 3900_000), finish: iso(Date.now() + 900_000), why: null },
  };
  totals(x);
  return Object.assign(x, { samples: samplesOf(x, 64) });
}

export function seedRollouts(store) {
  store.rollouts = store.products.length === 0 ? [] : [
    rollout(4, 'Autumn prices', 'settling', ['settled', 'flipped', 'staging']),
    rollout(3, 'Bakery, new supplier', 'halted', ['flipped', 'waiting', 'waiting'], 'Wave 1: 2 of 31 labels have failed (6.5 %).'),
    rollout(2, 'Prices of the week', 'done', ['settled', 'settled', 'settled']),
    rollout(1, 'Wrong list', 'rolled-back', ['rolled-back', 'rolled-back', 'rolled-back'], 'The list was last week’s.'),
  ];
}

const find = (store, id) => need(store.rollouts.find((x) => x.id === Number(id)));

function tell(x) {
  const { id, state, reason, total, staged, flipped, shown, failed } = x;
  this.publish('rollout', { id, state, reason, total, staged, flipped, shown, failed });
}

function chosen(store, changes) {
  const unknown = changes.filter((c) => !store.byGtin.has(c.gtin));
  if (unknown.length > 0) {
    throw new Refusal(422, 'unknown-product', `${unknown[0].gtin} is not in the product list`);
  }
  return changes.map((c) => store.byGtin.get(c.gtin));
}

function planOf(store, b) {
  const products = chosen(store, b.changes);
  const labels = store.labels.filter((l) => products.includes(store.byGtin.get(l.product?.gtin ?? '')));
  let before = 0;
  const waves = (b.waves ?? [{ percent: 100 }]).map(({ percent }) => {
    const upTo = Math.ceil((products.length * percent) / 100);
    const part = products.slice(before, upTo);
    before = Math.max(before, upTo);
    return { percent, products: part.length, labels: labels.filter((l) => part.some((p) => p.id === l.product.id)).length };
  });
  return { products: products.length, labels: labels.length, waves, forecast: { at: iso(Date.now()), finish: iso(Date.now() + 420_000), why: null }, warnings: b.changes.some((c) => c.price_minor > 1000) ? [{ code: 'large-change', detail: '1 price is more than twice the present one.' }] : [] };
}

/** The waves one after the other: stored, shown, well; as long as nobody stops it. */
function walk(x) {
  const step = (n, stage) => {
    this.later(this.stepMs, () => {
      if (x.state === 'paused' || x.state === 'cancelled' || x.state.startsWith('rol')) {
        return;
      }
      const w = x.waves[n];
      if (!w) {
        Object.assign(x, { state: 'done', finished: iso(Date.now()) });
        tell.call(this, totals(x));
        return;
      }
      Object.assign(w, [{ state: 'staging', staged: w.labels }, { state: 'flipped', flipped: w.labels, flip_at: iso(Date.now()) }, { state: 'settled', shown: w.labels }][stage]);
      x.state = ['staging', 'settling', 'settling'][stage];
      totals(x);
      x.samples.push({ at: iso(Date.now()), staged: x.staged, flipped: x.flipped, shown: x.shown, failed: 0, forecast_staged: x.total });
      tell.call(this, x);
      step(stage === 2 ? n + 1 : n, (stage + 1) % 3);
    });
  };
  step(x.waves.findIndex((w) => w.state !== 'settled'), 0);
}

function create(c) {
  const plan = planOf(this.store, c.json);
  const x = totals({
    id: Math.max(0, ...this.store.rollouts.map((y) => y.id)) + 1, name: c.json.name, state: 'staging', reason: null, created: iso(Date.now()), by: c.user.name, start: iso(Date.now()), finished: null,
    waves: plan.waves.map((w, i) => ({ n: i + 1, ...w, state: 'waiting', staged: 0, flipped: 0, shown: 0, failed: 0, rolled_back: 0, flip_at: null })),
    gate: c.json.gate, halt: c.json.halt, settle_s: 120, forecast: plan.forecast, first_forecast: plan.forecast, samples: [{ at: iso(Date.now()), staged: 0, flipped: 0, shown: 0, failed: 0, forecast_staged: 0 }],
  });
  this.store.rollouts.unshift(x);
  walk.call(this, x);
  return { status: 201, body: x };
}

const NEXT = { pause: 'paused', resume: 'staging', cancel: 'cancelled', rollback: 'rolling-back' };

function act(what) {
  return function run(c, id) {
    const x = find(this.store, id);
    if (['done', 'cancelled', 'rolled-back'].includes(x.state) || (what === 'resume' && !['paused', 'halted'].includes(x.state))) {
      throw new Refusal(409, 'wrong-state', 'The rollout is not in a state for this.');
    }
    Object.assign(x, { state: NEXT[what], reason: c.json.reason ?? null });
    this.store.audit.unshift({ id: this.store.audit.length + 1000, at: iso(Date.now()), who: c.user.name, action: `rollout.${what}`, object: `rollout:${x.id}`, detail: c.json.reason ?? null });
    if (what === 'resume') {
      walk.call(this, x);
    } else if (what === 'rollback') {
      this.later(this.stepMs * 3, () => {
        x.waves.forEach((w) => Object.assign(w, { state: 'rolled-back', rolled_back: w.labels }));
        Object.assign(totals(x), { state: 'rolled-back', finished: iso(Date.now()) });
        tell.call(this, x);
      });
    }
    tell.call(this, x);
    return x;
  };
}

function labelsOf(c, id) {
  const x = find(this.store, id);
  const state = c.query.get('state');
  const wave = c.query.get('wave');
  const steps = labelSteps(this.store.labels.filter((l) => l.product), x.waves[0].state === 'settled' || x.waves[0].state === 'flipped' ? 'flipped' : 'staged', (l) => 1 + (l.product.id % x.waves.length));
  return page(steps.filter((s) => (!state || s.state === state) && (!wave || s.wave === Number(wave))), c.query);
}

export const rolloutRoutes = [
  ['GET', /^\/rollouts$/, function (c) { const s = c.query.get('state'); return page(this.store.rollouts.filter((x) => !s || x.state === s).map(({ samples, ...x }) => x), c.query); }, 'view'],
  ['POST', /^\/rollouts$/, create, 'prices'],
  ['POST', /^\/rollouts\/preview$/, function (c) { return planOf(this.store, c.json); }, 'prices'],
  ['GET', /^\/rollouts\/(\d+)$/, function (c, id) { return find(this.store, id); }, 'view'],
  ['GET', /^\/rollouts\/(\d+)\/labels$/, labelsOf, 'view'],
  ...Object.keys(NEXT).map((what) => ['POST', new RegExp(`^/rollouts/(\\d+)/${what}$`), act(what), 'prices']),
];
