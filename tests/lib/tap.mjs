// SPDX-License-Identifier: Apache-2.0
// Test scripts in TAP: test('a sentence', async () => {...}), then run() runs them in order. Also where
// the trees and the node modules are, inside of make check and outside of it.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const srcdir = resolve(process.env.top_srcdir ?? join(dirname(fileURLToPath(import.meta.url)), '..', '..'));
export const builddir = resolve(process.env.top_builddir ?? join(srcdir, 'build'));
/** Recorded data that may not be published. */
export const datadir = resolve(process.env.GONDOLA_DATA ?? join(srcdir, '..', 'shared', 'data'));

const tests = [];

export class Skip extends Error {}

/** ONLY=words in the environment leaves out every test whose sentence does not hold them. */
export function test(sentence, fn) {
	if (!process.env.ONLY || sentence.includes(process.env.ONLY)) tests.push({ sentence, fn });
}

/** Skips unless the recorded data is there; with REQUIRE_DATA=1 its absence is a failure. */
export function needData(path) {
	if (existsSync(path)) return path;
	if (process.env.REQUIRE_DATA === '1') throw new Error(`missing recorded data: ${path}`);
	throw new Skip('recorded data is not there');
}

/** Ends a script none of whose tests can run here. */
export function skipAll(reason) {
	console.log(`1..0 # SKIP ${reason}`);
	process.exit(0);
}

/** require() that finds the modules the page is built with; null when `name` is not installed. */
export function requireFrom(name) {
	for (const dir of [builddir, srcdir]) {
		try {
			const r = createRequire(join(dir, 'web', 'x.js'));
			r.resolve(name);
			return r;
		} catch {
			/* the next place */
		}
	}
	return null;
}

/** Runs all; `always` runs at the end whatever happened. */
export async function run(always = async () => {}) {
	let n = 0, failed = 0;
	console.log(`1..${tests.length}`);
	for (const { sentence, fn } of tests) {
		n++;
		const begun = process.hrtime.bigint();
		try {
			await fn();
			console.log(`ok ${n} - ${sentence}`);
		} catch (e) {
			if (e instanceof Skip) {
				console.log(`ok ${n} - ${sentence} # SKIP ${e.message}`);
			} else {
				failed++;
				console.log(`not ok ${n} - ${sentence}`);
				for (const line of String(e.stack ?? e).split('\n')) console.log(`# ${line}`);
			}
		}
		/* What a person wants to know who makes the suite shorter. */
		console.log(`# took ${(Number(process.hrtime.bigint() - begun) / 1e9).toFixed(1)} s`);
	}
	await Promise.resolve(always(failed)).catch(() => {});
	process.exit(failed ? 1 : 0);
}

/** `message` says what was found. */
export function assert(condition, message) {
	if (!condition) throw new Error(message);
}

/** `what` says what should be. */
export function ok(condition, what) {
	assert(condition, `expected ${what}`);
}

export function equal(actual, expected, what = 'value') {
	const is = JSON.stringify(actual), should = JSON.stringify(expected);
	assert(is === should, `${what}: got ${is}, expected ${should}`);
}

/** A small seeded generator, so that a failing run can be repeated. */
export function random(seed) {
	let s = seed >>> 0 || 1;
	return () => {
		s ^= s << 13;
		s >>>= 0;
		s ^= s >>> 17;
		s ^= s << 5;
		s >>>= 0;
		return s / 4294967296;
	};
}
