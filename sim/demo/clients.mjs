// SPDX-License-Identifier: Apache-2.0
// Two clients for demos and tests: the public API, and the simulator's truth.
import { X509Certificate } from 'node:crypto';
import https from 'node:https';
import net from 'node:net';

/** The public API with a session cookie, over TLS pinned to the store's own authority. */
export class Api {
	/** With anyTime the store's certificates may be of another time than this machine's: only who signed
	 * them is checked, here. */
	constructor(url, ca, { anyTime = false } = {}) {
		this.url = new URL(url);
		/* Where time runs faster, so does the server's patience with a connection that nobody uses. */
		this.agent = new https.Agent({ ca, keepAlive: true, maxSockets: 4, rejectUnauthorized: !anyTime, ...(anyTime ? { timeout: 100 } : {}) });
		this.authority = anyTime ? new X509Certificate(ca) : null;
		this.checked = new WeakSet();
		this.cookie = '';
	}

	/* Before a byte of the request is sent; a kept connection was checked when it was made. */
	#checkPeer(rq) {
		rq.on('socket', (socket) => {
			if (this.checked.has(socket)) return;
			this.checked.add(socket);
			socket.once('secureConnect', () => {
				if (!socket.getPeerX509Certificate()?.verify(this.authority.publicKey)) socket.destroy(new Error('the server is not of this store\'s authority'));
			});
		});
	}

	request(method, path, body, headers = {}) {
		const text = body === undefined ? undefined : typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
		const options = {
			method, agent: this.agent, host: this.url.hostname, port: this.url.port, path,
			headers: {
				...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
				...(this.cookie ? { cookie: this.cookie } : {}), ...headers,
			},
			timeout: 30000,
		};
		return new Promise((resolve, reject) => {
			const rq = https.request(options, (res) => {
				const parts = [];
				res.on('data', (d) => parts.push(d));
				res.on('error', reject);
				res.on('end', () => {
					const raw = Buffer.concat(parts);
					const type = res.headers['content-type'] ?? '';
					resolve({ status: res.statusCode, headers: res.headers, raw, body: type.includes('json') && raw.length ? JSON.parse(raw) : undefined });
				});
			});
			if (this.authority) this.#checkPeer(rq);
			rq.on('timeout', () => rq.destroy(new Error('request timed out')));
			/* A kept connection may be one of a daemon that is gone: asking again does no harm. */
			rq.on('error', (e) => (method === 'GET' && rq.reusedSocket && e.code === 'ECONNRESET' ? resolve(this.request(method, path, body, headers)) : reject(e)));
			rq.end(text);
		});
	}

	/** Like request(), but a status of 400 or more is an error that says what the server said. */
	async call(method, path, body, headers) {
		const r = await this.request(method, path, body, headers);
		if (r.status >= 400)
			throw new Error(`${method} ${path}: ${r.status} ${r.body?.code ?? ''} ${r.body?.detail ?? ''}`);
		return r.body ?? r.raw;
	}

	async login(user, password) {
		const r = await this.request('POST', '/api/v1/session', { user, password });
		if (r.status !== 200) throw new Error(`sign in as ${user}: ${r.status} ${r.body?.code}`);
		this.cookie = r.headers['set-cookie'][0].split(';')[0];
		return r.body;
	}

	get(path) {
		return this.call('GET', `/api/v1${path}`);
	}

	/** All items of a paged list. */
	async all(path) {
		const items = [];
		let after = null;
		do {
			const sep = path.includes('?') ? '&' : '?';
			const page = await this.get(`${path}${sep}limit=1000${after ? `&after=${encodeURIComponent(after)}` : ''}`);
			items.push(...page.items);
			after = page.next;
		} while (after);
		return items;
	}

	close() {
		this.agent.destroy();
	}
}

/** The simulator's own truth: one JSON object a line, one answer a line. No product process reads it. */
export class Truth {
	constructor(port) {
		this.queue = [];
		this.rest = '';
		this.socket = net.connect(port, '127.0.0.1');
		this.socket.setEncoding('utf8');
		this.socket.on('data', (text) => {
			const lines = (this.rest + text).split('\n');
			this.rest = lines.pop();
			for (const line of lines) this.queue.shift()?.resolve(JSON.parse(line));
		});
		const fail = (e) => { for (const q of this.queue.splice(0)) q.reject(e ?? new Error('truth port closed')); };
		this.socket.on('error', fail);
		this.socket.on('close', () => fail());
	}

	ask(request) {
		return new Promise((resolve, reject) => {
			this.queue.push({
				resolve: (a) => (a.error ? reject(new Error(`truth: ${a.error}`)) : resolve(a)),
				reject,
			});
			this.socket.write(`${JSON.stringify(request)}\n`);
		});
	}

	close() {
		this.socket.destroy();
	}
}
