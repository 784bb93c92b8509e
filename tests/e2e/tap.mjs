// SPDX-License-Identifier: Apache-2.0
// TAP for tests written in JavaScript, and the one place that knows where node modules are.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
export const srcdir = path.resolve(process.env.top_srcdir ?? path.join(here, '../..'));
/** Outside of make check: build/ when there is one. */
const besides = path.join(srcdir, 'build');
export const builddir = path.resolve(process.env.top_builddir ?? (existsSync(besides) ? besides : srcdir));

/** require() that finds the modules the front end is built with; null when they are not installed. */
export function requireFrom(name) {
  for (const dir of [builddir, srcdir]) {
    try {
      const r = createRequire(path.join(dir, 'web', 'x.js'));
      r.resolve(name);
      return r;
    } catch {
      // try the next place
    }
  }
  return null;
}

const tests = [];

/** Registers a test; its name is a sentence. */
export function test(name, f) {
  tests.push({ name, f });
}

export function skipAll(reason) {
  console.log(`1..0 # SKIP ${reason}`);
  process.exit(0);
}

export function ok(cond, what) {
  if (!cond) {
    throw new Error(`expected ${what}`);
  }
}

export function equal(actual, expected, what = 'value') {
  const a = JSON.stringify(actual);
  const e = JSON.stringify(expected);
  if (a !== e) {
    throw new Error(`${what}: got ${a}, expected ${e}`);
  }
}

/** Runs what was registered, one after the other, and ends the process. */
export async function run(cleanup = async () => undefined) {
  console.log(`1..${tests.length}`);
  let failed = 0;
  for (const [i, t] of tests.entries()) {
    try {
      await t.f();
      console.log(`ok ${i + 1} - ${t.name}`);
    } catch (e) {
      failed++;
      console.log(`not ok ${i + 1} - ${t.name}`);
      for (const line of String(e.stack ?? e).split('\n').slice(0, 12)) {
        console.log(`# ${line}`);
      }
    }
  }
  await cleanup();
  process.exit(failed ? 1 : 0);
}
