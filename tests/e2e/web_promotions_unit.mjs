// SPDX-License-Identifier: Apache-2.0
// Wall times, recurrence in words, and the lists people paste, without a browser.

import path from 'node:path';
import { builddir, equal, ok, requireFrom, run, skipAll, srcdir, test } from '../lib/tap.mjs';

const require = requireFrom('esbuild');
if (!require) {
  skipAll('node modules are missing (npm ci in web/)');
}
globalThis.matchMedia = () => ({ matches: false });
globalThis.location = { pathname: '/', search: '' };
globalThis.document = { visibilityState: 'hidden' };
globalThis.setInterval = () => 0;

/** One bundle, so that the language set in one module holds in all. */
async function load() {
  const lines = [['format', 'format.ts'], ['wall', 'wall.ts'], ['recurrence', 'recurrence.ts'], ['fields', 'pages/promotion_fields.tsx'], ['prices', 'pages/rollout_fields.ts'], ['chart', 'chart.tsx']];
  const r = await require('esbuild').build({
    stdin: { contents: lines.map(([name, file]) => `export * as ${name} from './${file}';`).join('\n'), resolveDir: path.join(srcdir, 'web/src') },
    nodePaths: [path.join(builddir, 'web/node_modules'), path.join(srcdir, 'web/node_modules')],
    bundle: true,
    format: 'esm',
    write: false,
    platform: 'node',
    jsx: 'automatic',
    jsxImportSource: 'preact',
  });
  return import(`data:text/javascript;base64,${Buffer.from(r.outputFiles[0].contents).toString('base64')}`);
}

const { format, wall, recurrence, fields, prices, chart } = await load();
format.setLocale('en-GB');

test('a wall time is a day that exists, whatever the browser’s zone', () => {
  equal(wall.wallWords('2026-11-27T08:00'), 'Fri, 27 Nov 2026, 08:00', 'words');
  equal(wall.wallDate('2026-02-30T08:00'), null, '30 February');
  equal(wall.wallDate('2026-11-27'), null, 'no time');
  equal(wall.wallSpan('2026-11-27T08:00', '2026-11-27T20:00'), 'Fri, 27 Nov 2026, 08:00 – 20:00', 'one day');
  equal(wall.wallSpan('2026-12-31T08:00', '2027-01-01T20:00'), 'Thu, 31 Dec 2026, 08:00 – Fri, 1 Jan 2027, 20:00', 'two years');
  equal(wall.wallAt(Date.UTC(2026, 6, 1, 22, 30), 'Europe/Berlin'), '2026-07-02T00:30', 'summer in Berlin');
  equal(wall.dayOf('2026-11-27T08:00'), 'FR', 'day of the week');
});

test('recurrence goes to words and back to the same rule', () => {
  for (const [rule, words] of [
    ['FREQ=WEEKLY;BYDAY=FR;COUNT=4', 'Every week on Friday, 4 times'],
    ['FREQ=WEEKLY;BYDAY=MO,FR', 'Every week on Monday and Friday, without end'],
    ['FREQ=DAILY;UNTIL=20261231T235959', 'Every day, until Thu, 31 Dec 2026'],
    ['FREQ=MONTHLY;COUNT=1', 'Every month, once'],
  ]) {
    const r = recurrence.parseRule(rule);
    equal(recurrence.repeatWords(r, '2026-11-27T08:00'), words, rule);
    equal(recurrence.ruleOf(r, '2026-11-27T08:00'), rule, 'the same rule');
  }
  equal(recurrence.ruleOf(recurrence.parseRule(null), '2026-11-27T08:00'), null, 'no rule');
});

test('a rule that the form cannot say stays as it is', () => {
  for (const rule of ['FREQ=WEEKLY;INTERVAL=2;BYDAY=FR', 'FREQ=MONTHLY;BYDAY=1FR', 'FREQ=YEARLY']) {
    const r = recurrence.parseRule(rule);
    equal([r.every, recurrence.ruleOf(r, '2026-11-27T08:00')], ['other', rule], rule);
  }
});

test('the first day is always one of the days of a weekly promotion', () => {
  const r = { ...recurrence.ONCE, every: 'week', days: ['MO'] };
  equal(recurrence.ruleOf(r, '2026-11-27T08:00'), 'FREQ=WEEKLY;BYDAY=MO,FR', 'Friday joins');
});

test('a pasted list keeps each GTIN once and names what is none', () => {
  const list = fields.readList('4006381333931, 04006381333931\n96385074;https://id.gs1.org/01/04006381000017/21/7 nonsense 4006381333932');
  equal(list.gtins, ['04006381333931', '00000096385074', '04006381000017'], 'GTINs');
  equal([list.bad, list.twice], [['nonsense', '4006381333932'], 1], 'others');
});

test('a percentage has a point or a comma and at most three digits after it', () => {
  for (const [text, value] of [['20', '20'], ['12,5', '12.5'], ['12.55 %', '12.55'], ['99.999', '99.999'], ['100', null], ['0', null], ['101', null], ['1.2345', null], ['-5', null], ['', null]]) {
    equal(fields.readPercent(text), value, text);
  }
});

test('new prices are read from tables with any delimiter, and mistakes by line', () => {
  equal(prices.readPrices('4006381000017;1,99', 'EUR').changes, [{ gtin: '04006381000017', price_minor: 199 }], 'semicolon and comma');
  equal(prices.readPrices('price\tname\tgtin\n2.49\tPen\t4006381333931', 'EUR').changes, [{ gtin: '04006381333931', price_minor: 249 }], 'named columns');
  equal(prices.readPrices('gtin,price\n4006381333931,"3.10"', 'EUR').changes, [{ gtin: '04006381333931', price_minor: 310 }], 'quotes');
  equal(prices.readPrices('4006381333931 0.99', 'EUR').changes, [{ gtin: '04006381333931', price_minor: 99 }], 'spaces');
  const bad = prices.readPrices('4006381333931;1\n4006381333932;1\n4006381000017\n4006381000017;x\n4006381333931;2', 'EUR').bad;
  equal(bad.map((b) => [b.line, b.error]), [[2, 'gtin'], [3, 'columns'], [4, 'price'], [5, 'twice']], 'mistakes');
});

test('waves grow to the whole', () => {
  equal(prices.readWaves('5, 25 100'), [5, 25, 100], 'three waves');
  for (const text of ['', '5, 25', '25, 5, 100', '0, 100', '50, 50, 100', 'x, 100', '100, 101']) {
    equal(prices.readWaves(text), null, text);
  }
});

test('an axis has round values that cover it', () => {
  equal(chart.ticks(0, 600, 4), [0, 200, 400, 600], '0 to 600');
  equal(chart.ticks(0, 7, 4), [0, 2, 4, 6], '0 to 7');
  ok(chart.ticks(99, 99, 4).length <= 2, 'a flat line');
});

await run();
