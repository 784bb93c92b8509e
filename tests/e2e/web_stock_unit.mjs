// SPDX-License-Identifier: Apache-2.0
// The scanner's ear, the floor plan's rules and the words for tags, without a browser; and whether the guides for the
// people of a store call things by the names that the page has for them.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { builddir, equal, ok, requireFrom, run, skipAll, srcdir, test } from '../lib/tap.mjs';

const require = requireFrom('esbuild');
if (!require) {
  skipAll('node modules are missing (npm ci in web/)');
}
globalThis.matchMedia = () => ({ matches: false });
globalThis.location = { pathname: '/', search: '' };

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

const { Wedge } = await load('wedge.ts');
const plan = await load('plan_model.ts');
const { schemeWords, tagWords } = await load('pages/scheme.ts');

/** What a row of keys with these gaps is heard as. */
function hear(text, gap, end = 'Enter') {
  const w = new Wedge();
  const keys = [...text, end].map((key, i) => w.hear(key, 1000 + i * (typeof gap === 'function' ? gap(i) : gap)));
  return { scan: keys.at(-1).scan, machine: keys.filter((k) => k.machine).length };
}

test('keys at the speed of a machine with Enter at the end are a scan', () => {
  equal(hear('4006381333931', 5).scan, '4006381333931', 'a GTIN');
  equal(hear('C0FFEE000001', 20).scan, 'C0FFEE000001', 'a label');
  equal(hear('4006381333931', 5, 'Tab').scan, '4006381333931', 'ended by Tab');
});

test('what a person types is no scan, however fast the fingers', () => {
  equal(hear('4006381333931', 70).scan, null, 'a practised hand');
  equal(hear('hello', 10).scan, null, 'five keys on end');
  equal(hear('400638', 5).scan, null, 'too few keys');
  const w = new Wedge();
  [...'40063813'].forEach((k, i) => w.hear(k, i * 5));
  equal(w.hear('Enter', 900).scan, null, 'Enter comes later');
});

test('a pause begins anew, and Shift before a capital does not', () => {
  const w = new Wedge();
  w.hear('x', 0);
  let t = 1000;
  for (const k of ['Shift', 'C', '0', 'Shift', 'F', 'Shift', 'F', 'Shift', 'E', 'Shift', 'E', '0', '1', '2']) {
    t += 4;
    w.hear(k, t);
  }
  equal(w.hear('Enter', t + 4).scan, 'C0FFEE012', 'the scan without what was typed before');
  const broken = new Wedge();
  [...'4006'].forEach((k, i) => broken.hear(k, i * 5));
  broken.hear('Backspace', 25);
  [...'381'].forEach((k, i) => broken.hear(k, 30 + i * 5));
  equal(broken.hear('Enter', 50).scan, null, 'a correction in between');
});

test('a machine is noticed from its second key on, so that its keys do nothing else', () => {
  equal(hear('40063813', 5).machine, 8, 'keys that the page must not act on');
  equal(hear('40063813', 100).machine, 0, 'of a person');
});

const PLAN = {
  width_m: 20, height_m: 10, etag: '"1"',
  places: [{ place_id: 1, place: 'Floor', kind: 'sales-floor', x: 1, y: 1, w: 4, h: 3 }],
  antennas: [{ agent_id: 1, agent: 'ap', reader: 'r', antenna: 1, x: 2, y: 2, place_id: 1 }],
};
const place = { kind: 'place', id: 1 };
const antenna = { kind: 'antenna', key: '1/r/1' };

test('things move by the grid and stay on the floor', () => {
  equal(plan.move(PLAN, place, 0.7, 0, 0.5).places[0].x, 1.5, 'snapped');
  equal(plan.move(PLAN, place, 0.07, 0, 0).places[0].x, 1.07, 'without the grid');
  equal(plan.move(PLAN, place, 99, -99, 0.5).places[0], { ...PLAN.places[0], x: 16, y: 0 }, 'stopped by the walls');
  equal(plan.move(PLAN, antenna, -99, 99, 0.5).antennas[0].y, 10, 'an antenna too');
  equal(plan.resize(PLAN, place, 99, -99, 0.5).places[0], { ...PLAN.places[0], w: 19, h: 0.5 }, 'sizes end at the wall and at the least');
});

test('a smaller floor takes everything in', () => {
  const small = plan.floor(PLAN, 3, 2);
  equal(small.places[0], { ...PLAN.places[0], x: 0, y: 0, w: 3, h: 2 }, 'place');
  equal([small.antennas[0].x, small.antennas[0].y], [2, 2], 'antenna');
});

test('steps are taken back and done again, and no change is no step', () => {
  let d = plan.draftOf(PLAN);
  d = plan.step(d, plan.move(d.now, place, 0.5, 0, 0.5));
  d = plan.step(d, plan.takeOff(d.now, antenna));
  equal(plan.step(d, { ...d.now }), d, 'the same plan');
  equal([d.past.length, d.now.antennas.length], [2, 0], 'two steps');
  d = plan.undo(plan.undo(d));
  ok(plan.same(d.now, PLAN), 'the beginning');
  d = plan.redo(d);
  equal(d.now.places[0].x, 1.5, 'the first step again');
  equal(plan.step(d, plan.takeOff(d.now, place)).future.length, 0, 'steps ahead after a new one');
});

test('a new place is put where there is room', () => {
  const spot = plan.freeSpot(PLAN, 6, 4);
  ok(spot.x >= 5 || spot.y >= 4, `beside the other, got ${JSON.stringify(spot)}`);
  equal(plan.freeSpot({ ...PLAN, width_m: 5, height_m: 4 }, 4, 3), { x: 0, y: 0 }, 'on a full floor');
});

test('a tag is named by its scheme, or by what it is instead', () => {
  equal(tagWords({ scheme: 'sscc-96', kind: 'a GS1 identity', uri: null }), 'SSCC: a logistic unit, such as a pallet or carton', 'SSCC');
  equal(tagWords({ scheme: 'giai+', kind: 'a GS1 identity', uri: null }), 'GIAI: an asset, such as equipment', 'a newer scheme');
  equal(tagWords({ scheme: null, kind: 'blank', uri: null }), 'Blank', 'no EPC');
  equal(tagWords({ uri: 'urn:epc:id:sgtin:952.1.1' }), 'SGTIN: one trade item', 'from the URI alone');
  equal(schemeWords(null), 'No scheme that we know', 'nothing known');
});

/** Words of the guides that are no names of the page. */
const OWN_WORDS = ['wanted', 'sent', 'shown', 'token', 'Three words.', 'Wrong price?', 'By scanner, on any page.', 'By search.', 'By list.', 'From a file', 'Step by step', 'Find it', 'Find many', 'Replace it'];

test('the guides call things by the names that the page has for them', () => {
  const dirs = ['web/src', 'web/src/strings', 'web/src/pages'].map((d) => path.join(srcdir, d));
  const page = dirs.flatMap((d) => readdirSync(d).filter((f) => /\.tsx?$/.test(f)).map((f) => readFileSync(path.join(d, f), 'utf8'))).join('\n');
  for (const guide of ['manager', 'stock', 'it']) {
    const text = readFileSync(path.join(srcdir, 'doc', `${guide}.md`), 'utf8').replace(/\n\s*/g, ' ');
    const names = [...text.matchAll(/\*\*([^*]+?)(?:\.|:)?\*\*/g)].map((m) => m[1]).filter((n) => !OWN_WORDS.some((w) => w.replace(/[.?]$/, '') === n.replace(/[.?]$/, '')));
    ok(names.length > 8, `${guide}.md names things`);
    equal(names.filter((n) => !page.includes(`'${n}'`) && !page.includes(`'${n}…'`)), [], `names in ${guide}.md that the page does not have`);
  }
});

await run();
