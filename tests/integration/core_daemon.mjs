// SPDX-License-Identifier: Apache-2.0
// A gondolad of its own for the tests of its doors: start, sign in, ask, enrol, stop.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { builddir, srcdir } from '../lib/tap.mjs';

export const program = join(builddir, 'bin', 'gondolad');

/** Fails after so many seconds instead of hanging the whole test. */
export function within(seconds, promise, what) {
	let timer;
	const late = new Promise((_, no) => {
		timer = setTimeout(() => no(new Error(`${what}: not within ${seconds} s`)), seconds * 1000);
	});
	return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export class Daemon {
	constructor() {
		this.dir = mkdtempSync(join(tmpdir(), 'gondola-core-'));
		this.config = join(this.dir, 'gondolad.conf');
		this.state = join(this.dir, 'state');
		const web = join(this.dir, 'web');
		mkdirSync(web);
		writeFileSync(join(web, 'index.html'), '<!doctype html><title>page</title>');
		writeFileSync(join(web, 'app-0123ABCD.js'), 'export {};');
		writeFileSync(join(this.dir, 'secret.txt'), 'not for the web');
		this.configure('info');
	}

	configure(level) {
		writeFileSync(this.config, [
			`state_dir = "${this.state}"`, 'store_name = "Test"', 'currency = "EUR"',
			`web_root = "${join(this.dir, 'web')}"`, `log_level = "${level}"`,
			'public { address = "127.0.0.1" port = 0 }',
			'agents { address = "127.0.0.1" port = 0 }', '',
		].join('\n'));
	}

	/** Resolves when the ready line is there. */
	start(env = {}) {
		this.out = '';
		this.err = '';
		/* A sanitized build exits with a failure for what a library keeps, too. */
		const leaks = `suppressions=${join(srcdir, 'tests', 'lsan.supp')}:print_suppressions=0`;
		this.child = spawn(program, ['--config', this.config], { env: { LSAN_OPTIONS: leaks, ...process.env, ...env } });
		this.exited = new Promise((yes) => {
			this.child.on('exit', (code, signal) => yes({ code, signal }));
		});
		this.child.stderr.on('data', (d) => { this.err += d; });
		const ready = new Promise((yes, no) => {
			this.child.stdout.on('data', (d) => {
				this.out += d;
				const m = /^gondolad ready public=https:\/\/127\.0\.0\.1:(\d+) agents=https:\/\/127\.0\.0\.1:(\d+)$/m.exec(this.out);
				if (!m) return;
				this.publicPort = Number(m[1]);
				this.agentsPort = Number(m[2]);
				this.ca = readFileSync(join(this.state, 'ca', 'ca.pem'));
				yes();
			});
			this.child.on('exit', () => no(new Error(`gondolad ended: ${this.err}`)));
		});
		return within(20, ready, 'ready line');
	}

	async stop() {
		this.child.kill('SIGTERM');
		return within(10, this.exited, 'clean stop');
	}

	async end() {
		if (this.child && this.child.exitCode === null && this.child.signalCode === null) {
			this.child.kill('SIGKILL');
			await this.exited;
		}
		rmSync(this.dir, { recursive: true, force: true });
	}

	/** One request on a connection of its own: { status, headers, body }. */
	ask(method, path, { port = this.publicPort, body, headers = {}, cert, key, type } = {}) {
		const data = body === undefined || Buffer.isBuffer(body) ? body : JSON.stringify(body);
		const all = { ...headers };
		if (this.cookie && port === this.publicPort) all.Cookie = this.cookie;
		if (data !== undefined) {
			all['Content-Type'] ??= type ?? 'application/json';
			all['Content-Length'] ??= Buffer.byteLength(data);
		}
		const answer = new Promise((yes, no) => {
			const rq = https.request({
				host: '127.0.0.1', port, method, path, headers: all, ca: this.ca, cert, key, agent: false,
			}, (rs) => {
				const parts = [];
				rs.on('data', (d) => parts.push(d));
				rs.on('error', no);
				rs.on('end', () => yes({ status: rs.statusCode, headers: rs.headers, body: Buffer.concat(parts) }));
			});
			rq.on('error', no);
			rq.end(data);
		});
		return within(10, answer, `${method} ${path}`);
	}

	async signIn() {
		this.password ??= /^first password for admin: (\S+)$/m.exec(this.out)[1];
		delete this.cookie;
		const r = await this.ask('POST', '/api/v1/session', { body: { user: 'admin', password: this.password } });
		if (r.status !== 200) throw new Error(`sign-in: ${r.status} ${r.body}`);
		this.cookie = r.headers['set-cookie'][0].split(';')[0];
		return r;
	}

	async joinCode(uses = 1) {
		const r = await this.ask('POST', '/api/v1/agents/join-codes', { body: { uses, ttl_s: 600 } });
		if (r.status !== 201) throw new Error(`join code: ${r.status} ${r.body}`);
		return JSON.parse(r.body).code;
	}

	/** A key and a certificate request, as an agent makes them. */
	request(name) {
		const key = join(this.dir, `${name}.key`), csr = join(this.dir, `${name}.csr`);
		execFileSync('openssl', ['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1',
			'-nodes', '-subj', `/CN=${name}`, '-keyout', key, '-outform', 'DER', '-out', csr], { stdio: 'ignore' });
		return { name, key: readFileSync(key), csr: readFileSync(csr) };
	}

	/** Joins; resolves with the answer and, when it worked, the agent's id and certificate in PEM. */
	async enrol(code, who, path = '/agent/v1/enroll', identity = {}) {
		const body = cbor(new Map([[0, 1], [1, 2], [2, code], [3, who.name], [4, '0.1.0'], [5, who.csr]]));
		const r = await this.ask('POST', path, { port: this.agentsPort, body, type: 'application/cbor', ...identity });
		if (r.status !== 200) return r;
		const m = uncbor(r.body);
		return { ...r, id: m.get(2), name: m.get(3), cert: pem(m.get(4)), key: who.key };
	}
}

const pem = (der) => `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/(.{64})/g, '$1\n')}\n-----END CERTIFICATE-----\n`;

function head(major, n) {
	if (n < 24) return Buffer.from([major << 5 | n]);
	if (n < 256) return Buffer.from([major << 5 | 24, n]);
	return Buffer.from([major << 5 | 25, n >> 8, n & 255]);
}

/** What the enrolment needs of RFC 8949, and no more. */
export function cbor(v) {
	if (typeof v === 'number') return head(0, v);
	if (typeof v === 'string') return Buffer.concat([head(3, Buffer.byteLength(v)), Buffer.from(v)]);
	if (Buffer.isBuffer(v)) return Buffer.concat([head(2, v.length), v]);
	return Buffer.concat([head(5, v.size), ...[...v].flatMap(([k, x]) => [cbor(k), cbor(x)])]);
}

export function uncbor(bytes) {
	let at = 0;
	const number = (info) => {
		if (info < 24) return info;
		const n = 1 << (info - 24);
		const v = n === 8 ? Number(bytes.readBigUInt64BE(at)) : bytes.readUIntBE(at, n);
		at += n;
		return v;
	};
	const item = () => {
		const first = bytes[at++], major = first >> 5, n = number(first & 31);
		if (major === 0) return n;
		if (major === 1) return -1 - n;
		if (major === 2 || major === 3) {
			const part = bytes.subarray(at, at += n);
			return major === 2 ? part : part.toString();
		}
		if (major === 5) {
			const m = new Map();
			for (let i = 0; i < n; i++) {
				const k = item();
				m.set(k, item());
			}
			return m;
		}
		throw new Error(`unexpected CBOR major type ${major}`);
	};
	return item();
}
