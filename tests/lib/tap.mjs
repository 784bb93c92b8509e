// SPDX-License-Identifier: Apache-2.0
// Test scripts in TAP: test('a sentence', async () => {...}), run in order; finish() prints the plan.
import { existsSync } from 'node:fs';

const tests = [];

export class Skip extends Error {}

export function test(sentence, fn) {
	tests.push({ sentence, fn });
}

/** Skips unless the recorded data is there; with REQUIRE_DATA=1 its absence is a failure. */
export function needData(path) {
	if (existsSync(path)) return path;
	if (process.env.REQUIRE_DATA === '1') throw new Error(`missing recorded data: ${path}`);
	throw new Skip('recorded data is not there');
}

/** Runs all; `always` runs at the end whatever happened. */
export async function run(always = async () => {}) {
	let n = 0, failed = 0;
	console.log(`1..${tests.length}`);
	for (const { sentence, fn } of tests) {
		n++;
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
	}
	await always(failed).catch?.(() => {});
	process.exit(failed ? 1 : 0);
}

export function assert(condition, message) {
	if (!condition) throw new Error(message);
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
