// SPDX-License-Identifier: Apache-2.0
// Money, scans, the paged list and the watch over a price change, without a browser.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { builddir, equal, ok, requireFrom, run, skipAll, srcdir, test } from '../lib/tap.mjs';

const require = requireFrom('esbuild');
if (!require) {
  skipAll('node modules are missing (npm ci in web/)');
}
globalThis.matchMedia = () => ({ matches: false });

async function load(entry) {
  const r = await require('esbuild').build({
    entryPoints: [path.join(srcdir, 'web/src', entry)],
    nodePaths: [path.join(builddir, 'web/node_modules'), path.join(srcdir, 'web/node_modules')],
    bundle: true,
    format: 'esm',
    write: false,
    platform: 'node',
  });
  return import(`data:text/javascript;base64,${Buffer.from(r.outputFiles[0].contents).toString('base64')}`);
}

const format = await load('format.ts');
const paged = await load('paged.ts');
const api = await load('api.ts');
globalThis.location = { pathname: '/', search: '' };
const watch = await load('watch.ts');
const audit = await load('strings/audit.ts');
const incidents = await load('strings/incidents.ts');
format.setLocale('en-GB');

test('a price is read with a point or a comma', () => {
  for (const [text, minor] of [['1.99', 199], ['1,99', 199], ['2', 200], ['2,5', 250], [' 12.30 ', 1230], ['.5', 50], ['€ 3,10', 310], ['3.10 €', 310], ['1.234,50', 123450], ['1,234.50', 123450], ['0', 0], ["1'299,00", 129900]]) {
    equal(format.parsePrice(text, 'EUR'), { minor }, text);
  }
});

test('a price that could mean two things is refused', () => {
  for (const [text, error] of [['1,234', 'too-many-decimals'], ['1.999', 'too-many-decimals'], ['-1', 'negative'], ['−1,5', 'negative'], ['', 'empty'], ['  ', 'empty'], ['abc', 'not-a-number'], ['1.2.3', 'not-a-number'], ['1,2,3', 'not-a-number'], ['12,34.50', 'not-a-number'], ['1e5', 'not-a-number'], ['99999999999', 'too-large']]) {
    equal(format.parsePrice(text, 'EUR'), { error }, text);
  }
});

test('currencies keep their own number of decimals', () => {
  equal(format.parsePrice('250', 'JPY'), { minor: 250 }, 'yen');
  equal(format.parsePrice('250.5', 'JPY'), { error: 'too-many-decimals' }, 'half a yen');
  equal(format.parsePrice('1.234', 'KWD'), { minor: 1234 }, 'dinar');
  equal(format.money(199, 'EUR'), '€1.99', 'euro');
  equal(format.money(null, 'EUR'), '–', 'no price');
});

test('what is shown as an input is read back as the same price', () => {
  for (const locale of ['en-GB', 'de-DE', 'fr-FR']) {
    format.setLocale(locale);
    for (const minor of [0, 5, 199, 123456, 9999999]) {
      equal(format.parsePrice(format.moneyInput(minor, 'EUR'), 'EUR'), { minor }, `${minor} in ${locale}`);
    }
  }
  format.setLocale('en-GB');
});

test('a GTIN is found in what a scanner types', () => {
  equal(format.gtinOfScan('4006381333931'), '4006381333931', 'EAN-13');
  equal(format.gtinOfScan('4006381333932'), null, 'wrong check digit');
  equal(format.gtinOfScan('(01)04006381333931(21)77'), '04006381333931', 'element string');
  equal(format.gtinOfScan('https://id.gs1.org/01/04006381333931/21/77?17=261231'), '04006381333931', 'digital link');
  equal(format.gtinOfScan('C0FFEE000001'), null, 'a label');
  equal(format.gtinShort('04006381333931'), '4006381333931', 'shown as scanned');
});

test('times are relative to the store’s present', () => {
  const now = Date.UTC(2026, 0, 1, 12);
  equal(format.relative('2026-01-01T11:59:30.000Z', now), '30 seconds ago', 'seconds');
  equal(format.relative('2026-01-01T09:00:00.000Z', now), '3 hours ago', 'hours');
  equal(format.relative('2026-01-11T12:00:00.000Z', now), 'in 10 days', 'days');
  format.setZone('Europe/Berlin');
  ok(format.dateTime('2026-07-01T22:30:00Z').includes('2 Jul 2026'), 'the store’s own day');
});

test('a problem names its field and nothing is said twice', () => {
  const p = api.problemOf(422, JSON.stringify({ type: 'x', title: 'bad', status: 422, code: 'bad', errors: [{ pointer: '/host', code: 'x', detail: 'No host.' }] }), null);
  equal(p.field('host'), 'No host.', 'field');
  equal(p.field('port'), null, 'other field');
  equal(api.unplaced(p, 'host'), null, 'placed');
  ok(api.unplaced(p, 'port') === p, 'unplaced problem stays');
  equal(api.problemOf(502, '<html>', null).code, 'server-error', 'not JSON');
  equal(api.urlOf('/antennas/{agent_id}/{reader}/{n}', [1, 'a/b', 2], { q: '', x: 1 }), '/api/v1/antennas/1/a%2Fb/2?x=1', 'address');
});

/** A server with `n` rows behind cursors. */
function source(n) {
  const calls = [];
  const fetch = async (after, limit) => {
    calls.push({ after, limit });
    const start = Number(after ?? 0);
    const end = Math.min(n, start + limit);
    return { items: Array.from({ length: end - start }, (_, i) => ({ id: start + i })), next: end < n ? String(end) : null, total: n };
  };
  return { fetch, calls };
}

const settle = () => new Promise((r) => setImmediate(r));

test('a paged list reads forward to where the eye is, and only holds a window', async () => {
  const s = source(20_000);
  const list = new paged.PagedList(s.fetch);
  list.reload();
  await settle();
  equal([list.length, list.read], [20_000, 100], 'known and read');
  await list.ensure(19_990, 20_000);
  equal(list.at(19_999), { id: 19_999 }, 'last row');
  ok(list.held().length <= 6500, 'a bounded window');
  equal(list.at(0), undefined, 'the beginning was dropped');
  await list.ensure(0, 20);
  equal(list.at(0), { id: 0 }, 'and came back');
});

test('a paged list shows an error and goes on after a retry', async () => {
  let broken = true;
  const s = source(300);
  const list = new paged.PagedList((a, l) => (broken ? Promise.reject(new Error('no')) : s.fetch(a, l)));
  list.reload();
  await settle();
  ok(list.error.value instanceof Error, 'an error');
  broken = false;
  list.retry();
  await settle();
  equal([list.error.value, list.length], [null, 300], 'after the retry');
});

test('an answer that comes after a newer question is dropped', async () => {
  const answers = [];
  const list = new paged.PagedList(() => new Promise((r) => answers.push(r)));
  list.reload();
  list.reload();
  answers[1]({ items: [{ id: 'new' }], next: null });
  await settle();
  answers[0]({ items: [{ id: 'old' }], next: null });
  await settle();
  equal(list.at(0), { id: 'new' }, 'the newer answer');
});

function label(change = {}) {
  return { id: 'A', state: 'pending', reason: null, product: { id: 1 }, wanted: { image: 'new', from: '', price_minor: 249, currency: 'EUR' }, sent: null, shown: { image: 'old', since: '', grade: 'acknowledged' }, ...change };
}

test('a label has shown a price only when it shows the wanted picture', () => {
  equal(watch.stageOf(label({ wanted: { image: 'old', price_minor: 199 } }), 249), 'waiting', 'old price wanted');
  equal(watch.stageOf(label(), 249), 'wanted', 'wanted');
  equal(watch.stageOf(label({ wanted: { image: null, price_minor: 249 }, shown: { image: null } }), 249), 'wanted', 'not rendered yet');
  equal(watch.stageOf(label({ sent: { image: 'new' } }), 249), 'sent', 'sent');
  equal(watch.stageOf(label({ sent: { image: 'old' } }), 249), 'wanted', 'an older picture was sent');
  equal(watch.stageOf(label({ shown: { image: 'new', grade: 'confirmed' } }), 249), 'shown', 'shown');
  equal(watch.stageOf(label({ state: 'lost' }), 249), 'error', 'lost');
});

test('stage times are kept from the first report of each stage', () => {
  let p = watch.advance(undefined, label(), 249, 100);
  p = watch.advance(p, label({ sent: { image: 'new' } }), 249, 900);
  p = watch.advance(p, label({ sent: { image: 'new' }, shown: { image: 'new', grade: 'acknowledged' } }), 249, 2500);
  p = watch.advance(p, label({ sent: { image: 'new' }, shown: { image: 'new', grade: 'confirmed' } }), 249, 9000);
  equal([p.wantedMs, p.sentMs, p.shownMs, p.grade], [100, 900, 2500, 'confirmed'], 'times');
});

/** The server's source, or a folder of it. */
function serverSource(folder = '') {
  const dir = path.join(srcdir, 'controller', folder);
  return readdirSync(dir, { recursive: true }).filter((f) => f.endsWith('.c')).map((f) => readFileSync(path.join(dir, f), 'utf8')).join('\n');
}

/** Every action that the server writes into the audit trail, as its source has them. */
function auditActions() {
  const text = serverSource();
  const calls = [...text.matchAll(/\b(?:db_)?audit\(s, [^;]*?;/g), ...text.matchAll(/\bactions\[\] = \{[^}]*\}/g)].map(([x]) => x).join('\n');
  const verbs = /verb_names\[\] = \{([^}]*)\}/.exec(text)[1];
  return new Set([...[...calls.matchAll(/"([a-z-]+\.[a-z-]+)"/g)].map((m) => m[1]), ...[...verbs.matchAll(/"([a-z]+)"/g)].map((m) => `rollout.${m[1]}`)]);
}

test('whatever the server writes into the audit trail has words, and can be asked for by its kind', () => {
  const actions = [...auditActions()];
  ok(actions.length > 50, `only ${actions.length} actions were found`);
  equal(actions.filter((x) => !audit.a.actions[x]).sort(), [], 'without words');
  equal(Object.keys(audit.a.actions).filter((x) => !actions.includes(x)).sort(), [], 'words of nothing');
  equal(Object.keys(audit.a.kinds).sort(), [...new Set(actions.map((x) => x.split('.')[0]))].sort(), 'kinds');
});

test('every kind of incident that an access point can have is called something', () => {
  const text = serverSource('fleet');
  const kinds = [...text.matchAll(/\.kind = "([a-z-]+)"/g), ...text.matchAll(/\{"([a-z-]+)",[^{}]*INCIDENT_/g)].map((m) => m[1]);
  ok(kinds.length > 12, `only ${kinds.join(', ')} were found`);
  equal(kinds.filter((x) => !incidents.w.kinds[x]), [], 'without words');
});

await run();
