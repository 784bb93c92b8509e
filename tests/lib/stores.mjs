// SPDX-License-Identifier: Apache-2.0
// Stores for system tests, in folders of their own below the build tree's temporary folder.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Store } from '../../sim/demo/store.mjs';
import { builddir, srcdir } from './tap.mjs';

/* A whole store wants both cores, so only one runs at a time: a script that imports this waits here until
 * it is alone. The lock is that of the pipe's other end, and goes with this process however it ends. */
const turn = spawn('flock', [join(builddir, 'bin'), 'sh', '-c', 'echo; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
await new Promise((resolve, reject) => {
	turn.stdout.once('data', resolve);
	turn.once('error', reject);
	turn.once('exit', (code) => reject(new Error(`no lock on ${builddir}/bin: flock ended with ${code}`)));
});
for (const handle of [turn, turn.stdin, turn.stdout]) handle.unref();

/** One access point with labels and a reader over two places: what most tests need. */
export const oneAp = (more = {}) => ({
	quick: true,
	seed: 7,
	loss: 0.02,
	places: [
		{ name: 'Floor', kind: 'sales-floor', ap: 'ap1', antennas: [1, 2] },
		{ name: 'Back room', kind: 'back-room', ap: 'ap1', antennas: [3, 4] },
	],
	aps: [{ name: 'ap1', panels: [{ labels: 8, width: 296, height: 128, type: 'bw' }], antennas: 4 }],
	items: 40,
	moveEverySeconds: 0,
	...more,
});

export function newStore(plan, options = {}) {
	return new Store({
		dir: options.dir ?? mkdtempSync(join(tmpdir(), 'gondola-test-')),
		bin: join(builddir, 'bin'),
		webRoot: join(builddir, 'web', 'dist'),
		products: join(srcdir, 'sim', 'demo', 'products.csv'),
		plan,
		...options,
	});
}

/** Ends a test's store; its folder stays when something failed. */
export async function endStore(store, failed) {
	if (!store) return;
	await Promise.race([store.stop(), new Promise((r) => setTimeout(r, 10000))]).catch(() => {});
	store.kill();
	if (failed) console.log(`# logs are in ${store.dir}`);
	else rmSync(store.dir, { recursive: true, force: true });
}
