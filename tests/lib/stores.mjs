// SPDX-License-Identifier: Apache-2.0
// Stores for system tests, in folders of their own below the build tree's temporary folder.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Store } from '../../sim/demo/store.mjs';

export const source = process.env.top_srcdir ?? join(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const build = process.env.top_builddir ?? join(source, 'build');
export const data = process.env.GONDOLA_DATA ?? join(source, '..', 'shared', 'data');

/** One access point with labels and a reader over two places: what most tests need. */
export const oneAp = (more = {}) => ({
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
		bin: join(build, 'bin'),
		webRoot: join(build, 'web', 'dist'),
		products: join(source, 'sim', 'demo', 'products.csv'),
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
