// SPDX-License-Identifier: Apache-2.0
// A whole store in one folder: simulator, controller, agents, set up as an IT person would do it, with
// gondolactl. The demo runs one; the system tests and benches run others.
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { Api, Truth } from './clients.mjs';
import { Process, delay, until } from './process.mjs';

export { delay, until };

const q = (text) => `"${String(text).replace(/(["\\])/g, '\\$1')}"`;

/** What a store is made of; `aps` names access points with their radio and readers. */
export const smallStore = {
	seed: 42,
	loss: 0.02,
	places: [
		{ name: 'Dry goods', kind: 'sales-floor', ap: 'floor', antennas: [1, 2] },
		{ name: 'Drinks', kind: 'sales-floor', ap: 'floor', antennas: [3, 4] },
		{ name: 'Back room', kind: 'back-room', ap: 'back', antennas: [1] },
		{ name: 'Receiving', kind: 'receiving', ap: 'back', antennas: [2] },
	],
	aps: [
		{ name: 'floor', panels: [{ labels: 18, width: 296, height: 128, type: 'bw' }, { labels: 6, width: 400, height: 300, type: 'bwr' }], antennas: 4 },
		{ name: 'back', panels: [{ labels: 4, width: 296, height: 128, type: 'bw' }], antennas: 2 },
	],
	items: 120,
	moveEverySeconds: 20,
};

/* A train of half a second and labels that advertise five times as often: everything on the air is the
 * same, and comes sooner. */
const QUICK = { radio: { advert_ms: 200 }, train: { interval: 416, subevents: 8 } };
const pace = (plan) => (plan.quick ? QUICK : {});
const settings = (table = {}) => Object.entries(table).map(([key, value]) => `\t${key} = ${value}`);

/** The OpenEPaperLink access points that the agent of `ap` drives: the first one has its name. */
function oeplsOf(ap) {
	return [ap.oepl ?? []].flat().map((o, i) => ({ ...o, name: i ? `${ap.name}-${i + 1}` : ap.name }));
}

export class Store {
	/** @param options dir: folder of its own; bin: build/bin; products: CSV; goods: CSV of what there are
	 * items of, if not of all products; plan: see smallStore;
	 * env: { gondolad, agent, sim } extra environment; publicPort, agentsPort: 0 = any free;
	 * zone: the store's; clock: a conductor, for all daemons of the store (tests/lib/clock.mjs). */
	constructor(options) {
		Object.assign(this, { plan: smallStore, publicPort: 0, agentsPort: 0, env: {}, zone: 'Europe/Berlin', log: () => {} }, options);
		this.agents = new Map();
		this.passwords = {};
		mkdirSync(this.dir, { recursive: true, mode: 0o700 });
	}

	path(...parts) {
		return join(this.dir, ...parts);
	}

	program(name) {
		return join(this.bin, name);
	}

	/* All daemons of a store live in one time. */
	environment(...more) {
		return Object.assign({}, this.clock?.env, ...more);
	}

	/** What time it is in the store. */
	now() {
		return this.clock ? this.clock.now : new Date();
	}

	/* --- the simulated store --------------------------------------------------------------------- */

	writeSimConfig() {
		const p = this.plan, out = [`seed = ${p.seed}`, 'truth_port = 0'];
		for (const ap of p.aps) {
			/* An access point has a radio for labels of the standard, or is next to OpenEPaperLink ones. */
			oeplsOf(ap).forEach((o) => out.push(`oepl ${q(o.name)} { port = ${o.port ?? 0} tags = ${o.tags} type = ${q(o.type)} poll_s = ${o.pollSeconds} speed = ${o.speed ?? 1} loss = ${p.loss.toFixed(4)} }`));
			if (!ap.oepl) out.push(`radio ${q(ap.name)} {`, `\thci = ${q(this.path(`${ap.name}.hci`))}`, `\tloss = ${p.loss.toFixed(4)}`, ...settings(pace(p).radio), ...(p.links ? [`\tlinks = ${p.links}`] : []), '}');
			(ap.panels ?? []).forEach((panel, i) => out.push(`panel ${q(`${ap.name}-${i + 1}`)} { radio = ${q(ap.name)} labels = ${panel.labels} width = ${panel.width} height = ${panel.height} type = ${q(panel.type)} }`));
			if (ap.antennas) out.push(`reader ${q(ap.name)} { port = 0 antennas = ${ap.antennas}${ap.reader ?? ''} }`);
		}
		for (const place of p.places)
			out.push(`place ${q(place.name)} { reader = ${q(place.ap)} antennas = ${q(place.antennas.join(','))} kind = ${q(place.kind)}${place.plan ?? ''} }`);
		/* Antennas, room and day of a store with a ground plan. */
		out.push(...(p.floorPlan ?? []));
		out.push(`goods { products = ${q(this.goods ?? this.products)} items = ${p.items} move_every_s = ${p.moveEverySeconds} }`);
		writeFileSync(this.path('sim.conf'), out.join('\n') + '\n');
	}

	async startSim() {
		this.writeSimConfig();
		this.sim = new Process('gondola-sim', this.program('gondola-sim'), ['store', '--config', this.path('sim.conf')], { env: this.environment(this.env.sim), logFile: this.path('sim.log') });
		const [, json] = await this.sim.line(/^gondola-sim ready (\{.*\})$/);
		this.simPorts = JSON.parse(json);
		this.truth = new Truth(this.simPorts.truth_port);
	}

	readerPort(name) {
		const r = this.simPorts.readers;
		return Array.isArray(r) ? r.find((x) => x.name === name).port : r[name].port ?? r[name];
	}

	/* --- the controller -------------------------------------------------------------------------- */

	writeControllerConfig() {
		writeFileSync(this.path('gondolad.conf'), [
			`state_dir = ${q(this.path('gondolad'))}`,
			'store_name = "Demo store"', `store_zone = ${q(this.zone)}`, 'currency = "EUR"',
			`web_root = ${q(this.webRoot ?? '')}`,
			`public { address = "127.0.0.1" port = ${this.publicPort} }`,
			`agents { address = "127.0.0.1" port = ${this.agentsPort} }`,
			...(this.controllerConfig ?? []), '',
		].join('\n'));
	}

	async startController(env = {}) {
		this.writeControllerConfig();
		this.controller = new Process('gondolad', this.program('gondolad'), ['--config', this.path('gondolad.conf')], { env: this.environment(this.env.gondolad, env), logFile: this.path('gondolad.log') });
		const [, pub, agents] = await this.controller.line(/^gondolad ready public=(\S+) agents=(\S+)$/);
		const first = this.controller.lines.map((l) => /^first password for admin: (\S+)$/.exec(l)).find(Boolean);
		if (first) this.passwords.admin = first[1];
		this.url = pub;
		this.agentsUrl = agents;
		/* The same ports again after a restart: agents and pages find their way back. */
		this.publicPort = Number(new URL(pub).port);
		this.agentsPort = Number(new URL(agents).port);
		this.ca = readFileSync(this.path('gondolad', 'ca', 'ca.pem'));
	}

	/** Runs gondolactl; yields its standard output, or fails with what it said. */
	ctl(...args) {
		const user = typeof args[0] === 'object' ? args.shift().user : 'admin';
		const env = { ...process.env, ...(this.clock ? { TZ: 'UTC' } : {}), GONDOLA_URL: this.url, GONDOLA_CA: this.path('gondolad', 'ca', 'ca.pem'), GONDOLA_USER: user, GONDOLA_PASSWORD: this.passwords[user], XDG_CONFIG_HOME: this.path('config') };
		return new Promise((resolve, reject) => {
			/* gondolactl leaves the server's certificate to libcurl, which asks the machine's clock. */
			const at = this.clock ? ['faketime', '-f', this.clock.now.toISOString().replace('T', ' ').slice(0, 19)] : [];
			const command = [...at, this.program('gondolactl'), ...args.map(String)];
			execFile(command[0], command.slice(1), { env, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
				if (error) reject(new Error(`gondolactl ${args.join(' ')}: ${stderr.trim() || stdout.trim() || error.message}`));
				else resolve(stdout);
			});
		});
	}

	async ctlJson(...args) {
		return JSON.parse(await this.ctl('--json', ...args));
	}

	async signIn(user = 'admin') {
		const api = new Api(this.url, this.ca, { anyTime: !!this.clock });
		await api.login(user, this.passwords[user]);
		return api;
	}

	async addUser(name, role) {
		this.passwords[name] = randomBytes(9).toString('base64url');
		await this.api.call('POST', '/api/v1/users', { name, role, password: this.passwords[name] });
	}

	/* --- agents ---------------------------------------------------------------------------------- */

	writeAgentConfig(ap) {
		const out = [`state_dir = ${q(this.path(`agent-${ap.name}`))}`, `controller = ${q(this.agentsUrl)}`, `name = ${q(ap.name)}`];
		if (ap.oepl) out.push(`radio { driver = "oepl" oepl = ${q(oeplsOf(ap).map((o) => `http://127.0.0.1:${this.simPorts.oepls[o.name]}`).join(', '))} }`);
		if (ap.panels?.length) out.push(`radio {`, `\thci = ${q(`unix:${this.path(`${ap.name}.hci`)}`)}`, ...settings(pace(this.plan).train), '}');
		writeFileSync(this.path(`agent-${ap.name}.conf`), out.join('\n') + '\n');
	}

	startAgent(name, { join: code, env = {}, wrapper = [] } = {}) {
		const ap = this.plan.aps.find((a) => a.name === name);
		this.writeAgentConfig(ap);
		const args = ['--config', this.path(`agent-${name}.conf`), ...(code ? ['--join', code] : [])];
		const [program, ...more] = [...wrapper, this.program('gondola-agent'), ...args];
		const p = new Process(`gondola-agent ${name}`, program, more, { env: this.environment({ UV_THREADPOOL_SIZE: '1' }, this.env.agent, env), logFile: this.path(`agent-${name}.log`) });
		this.agents.set(name, p);
		return p;
	}

	async enrolAgents() {
		const { code } = await this.api.call('POST', '/api/v1/agents/join-codes', { uses: this.plan.aps.length, ttl_s: 3600, note: 'access points of this store' });
		for (const ap of this.plan.aps) this.startAgent(ap.name, { join: code });
		for (const ap of this.plan.aps) await this.agents.get(ap.name).line(/^gondola-agent ready/, 60000);
	}

	/** Places, readers and antennas, as the IT person sets them. */
	async describeStore() {
		for (const place of this.plan.places) await this.ctl('places', 'set', place.name, '--kind', place.kind);
		for (const ap of this.plan.aps) {
			if (!ap.antennas) continue;
			const list = Array.from({ length: ap.antennas }, (_, i) => i + 1).join(',');
			await this.ctl('readers', 'set', ap.name, ap.name, `127.0.0.1:${this.readerPort(ap.name)}`, '--antennas', list);
			for (const place of this.plan.places.filter((p) => p.ap === ap.name))
				for (const n of place.antennas) await this.ctl('antennas', 'set', ap.name, ap.name, n, place.name);
		}
	}

	/* --- labels ---------------------------------------------------------------------------------- */

	labelCount() {
		return this.plan.aps.flatMap((ap) => ap.panels ?? []).reduce((n, p) => n + p.labels, 0) + this.plan.aps.flatMap(oeplsOf).reduce((n, o) => n + o.tags, 0);
	}

	/** Waits until every label has reported itself, then links them to products in turn. */
	async linkLabels(timeoutMs = 180000) {
		const want = this.labelCount();
		const labels = await until(`${want} labels to report`, async () => {
			const l = await this.api.all('/labels');
			return l.length >= want && l;
		}, timeoutMs, 500);
		const products = await this.api.all('/products');
		for (let i = 0; i < labels.length; i++)
			await this.api.call('PUT', `/api/v1/labels/${labels[i].id}/link`, { product_id: products[i % products.length].id });
	}

	/** Every linked label shows what is wanted of it, by the controller's own account. */
	async allShown(timeoutMs = 300000, progress = () => {}) {
		return until('every label to show its price', async () => {
			const labels = await this.api.all('/labels');
			const shown = labels.filter((l) => l.wanted && l.shown && l.shown.image === l.wanted.image);
			progress(shown.length, labels.length);
			return labels.length && shown.length === labels.length && labels;
		}, timeoutMs, 500);
	}

	/* --- the whole ------------------------------------------------------------------------------- */

	async start({ link = true } = {}) {
		if (this.plan.items || this.plan.aps.length) await this.startSim();
		await this.startController();
		this.api = await this.signIn('admin');
		if (this.products) await this.ctl('products', 'import', this.products);
		await this.enrolAgents();
		await this.describeStore();
		if (link && this.labelCount()) await this.linkLabels();
	}

	async stop() {
		for (const a of this.agents.values()) await a.stop();
		await this.controller?.stop();
		this.api?.close();
		this.truth?.close();
		await this.sim?.stop();
	}

	/** Ends everything at once, for clean-up after a failure. */
	kill() {
		for (const p of [...this.agents.values(), this.controller, this.sim]) p?.kill('SIGKILL');
	}
}
