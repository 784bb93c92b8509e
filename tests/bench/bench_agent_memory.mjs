// SPDX-License-Identifier: Apache-2.0
// What one access point costs in memory: gondola-agent with 2,000 tags in view and 1,000 labels, enrolled and
// linked to gondolad by mutual TLS, against the simulated store. Anonymous memory and peak resident set are the
// kernel's own counts. TAGS, LABELS and MINUTES choose how much and how long at most.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { endStore, newStore } from '../lib/stores.mjs';
import { builddir } from '../lib/tap.mjs';
import { delay } from '../../sim/demo/process.mjs';

const tags = Number(process.env.TAGS ?? 2000), labels = Number(process.env.LABELS ?? 1000), minutes = Number(process.env.MINUTES ?? 12);
const limits = { anon: 6 * 1024, peak: 16 * 1024 };
const plan = {
	seed: 20261122, loss: 0.02, items: tags, moveEverySeconds: 5,
	places: [{ name: 'Floor', kind: 'sales-floor', ap: 'ap1', antennas: [1, 2] }, { name: 'Back room', kind: 'back-room', ap: 'ap1', antennas: [3, 4] }],
	aps: [{ name: 'ap1', panels: [{ labels, width: 296, height: 128, type: 'bw' }], antennas: 4 }],
};

for (const program of ['gondolad', 'gondola-agent', 'gondola-sim', 'gondolactl']) {
	if (existsSync(join(builddir, 'bin', program))) continue;
	console.log(`# not run: ${program} is not built`);
	process.exit(0);
}

const status = (pid) => Object.fromEntries(readFileSync(`/proc/${pid}/status`, 'utf8').split('\n').map((l) => l.split(/:\s+/)).filter((p) => p.length === 2));
const kib = (text) => Number.parseInt(text, 10);
const store = newStore(plan);
let failed = false, anon = 0, peak = 0, agent;

/** Reads the kernel's counts and what the agent tells of itself, until all is there or time is up. */
async function watch() {
	const until = Date.now() + minutes * 60000, pid = store.agents.get('ap1').pid;
	do {
		await delay(5000);
		const s = status(pid);
		anon = Math.max(anon, kib(s.RssAnon));
		peak = kib(s.VmHWM);
		agent = (await store.api.get('/agents')).items[0];
	} while (Date.now() < until && !(agent.tags_in_view >= tags && agent.labels_synced >= labels));
	/* A few more reports and pictures on top of the full house. */
	await delay(20000);
	anon = Math.max(anon, kib(status(pid).RssAnon));
	peak = kib(status(pid).VmHWM);
}

try {
	await store.start({ link: false });
	/* Labels are linked as they report themselves; a thousand take the radio some minutes. */
	const linking = store.linkLabels(minutes * 60000).catch((e) => console.log(`# labels: ${e.message}`));
	await watch();
	await linking;
	anon = Math.max(anon, kib(status(store.agents.get('ap1').pid).RssAnon));
	agent = (await store.api.get('/agents')).items[0];
	console.log(`# agent: ${agent.tags_in_view} of ${tags} tags in view, ${agent.labels_synced} of ${labels} labels in step, 4 antennas at 5 reads a second and tag, an item moved every 5 s, loss 2 %, mutual TLS, seed ${plan.seed}`);
	console.log(`bench agent_anon_kib ${anon} KiB`);
	console.log(`bench agent_peak_rss_kib ${kib(status(store.agents.get('ap1').pid).VmHWM)} KiB`);
	console.log(`# limits: ${limits.anon} KiB anonymous, ${limits.peak} KiB peak resident`);
	failed = anon > limits.anon || peak > limits.peak;
} catch (e) {
	failed = true;
	console.log(`# failed: ${e.stack}`);
}
await endStore(store, failed);
process.exit(failed ? 1 : 0);
