// SPDX-License-Identifier: Apache-2.0
// openapi.yaml and the front end agree: what web/src/api.ts calls is documented, and what is documented has an
// answer, an owner in the list of tags and no dangling reference.

import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { equal, ok, run, srcdir, test } from '../lib/tap.mjs';

const yaml = readFileSync(path.join(srcdir, 'web/openapi.yaml'), 'utf8');
const sources = path.join(srcdir, 'web/src');
const isApi = (f) => f === 'api.ts' || f.startsWith('api/');
const api = allSources().filter(isApi).map((f) => readFileSync(path.join(sources, f), 'utf8')).join('\n');
const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

/** Every TypeScript file, by its path below web/src. */
function allSources() {
  return readdirSync(sources, { withFileTypes: true }).flatMap((d) => (d.isDirectory() ? readdirSync(path.join(sources, d.name)).map((f) => `${d.name}/${f}`) : [d.name])).filter((f) => /\.tsx?$/.test(f));
}

/** "METHOD /path" of every operation. Our file keeps paths at two spaces and methods at four. */
function documented() {
  const found = new Set();
  let at = null;
  for (const line of yaml.slice(yaml.indexOf('\npaths:'), yaml.indexOf('\ncomponents:')).split('\n')) {
    at = /^ {2}(\/[^:]*):$/.exec(line)?.[1] ?? at;
    const method = /^ {4}([a-z]+):/.exec(line)?.[1];
    if (method && METHODS.includes(method)) {
      found.add(`${method.toUpperCase()} ${at}`);
    }
  }
  return found;
}

/** "METHOD /path" of every call in api.ts and api/. */
function called() {
  const found = new Set();
  for (const m of api.matchAll(/(?:call|request)(?:<[^(]*>)?\('([A-Z]+)', '([^']+)'/g)) {
    found.add(`${m[1]} ${m[2]}`);
  }
  for (const m of api.matchAll(/(listCall|urlOf|uploadCsv)(?:<[^(]*>)?\(\s*'([^']+)'/g)) {
    found.add(`${m[1] === 'uploadCsv' ? 'POST' : 'GET'} ${m[2]}`);
  }
  return found;
}

test('every call of the front end is documented', () => {
  const known = documented();
  const calls = [...called()];
  ok(calls.length > 35, `the calls are found, got ${calls.length}`);
  equal(calls.filter((c) => !known.has(c)), [], 'calls that are not documented');
});

test('only api.ts and the files of api/ speak to the server', () => {
  const loud = allSources().filter((f) => !isApi(f) && /\bfetch\(|XMLHttpRequest|['"`]\/api\/v1/.test(readFileSync(path.join(sources, f), 'utf8')));
  equal(loud, [], 'files that bypass api.ts');
});

test('every reference of openapi.yaml leads somewhere', () => {
  const dangling = [...yaml.matchAll(/'#\/components\/(\w+)\/(\w+)'/g)].filter((m) => !new RegExp(`^ {4}${m[2]}:`, 'm').test(yaml.slice(yaml.indexOf('\ncomponents:'))));
  equal(dangling.map((m) => m[0]), [], 'dangling references');
});

test('every operation says what it does and what it answers', () => {
  const blocks = yaml.slice(yaml.indexOf('\npaths:'), yaml.indexOf('\ncomponents:')).split(/\n {4}(?=(?:get|post|put|patch|delete):)/).slice(1);
  equal(blocks.length, documented().size, 'operations');
  equal(blocks.filter((b) => !/summary: /.test(b) || !/responses: ?/.test(b)).map((b) => b.slice(0, 60)), [], 'operations without summary or answer');
});

await run();
