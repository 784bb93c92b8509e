// SPDX-License-Identifier: Apache-2.0
// Child processes with line-wise output: start, wait for a line, end. Only processes started here are
// ever ended, by their id.
import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';

export const delay = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Polls `probe` until it yields something truthy; fails with `what` after `timeoutMs`. */
export async function until(what, probe, timeoutMs = 30000, everyMs = 100) {
	const end = Date.now() + timeoutMs;
	let last;
	for (;;) {
		try {
			const got = await probe();
			if (got) return got;
			last = undefined;
		} catch (e) {
			last = e;
		}
		if (Date.now() > end) throw new Error(`timed out waiting for ${what}${last ? `: ${last.message}` : ''}`);
		await delay(everyMs);
	}
}

export class Process {
	constructor(name, program, args, { env = {}, logFile } = {}) {
		this.name = name;
		this.lines = [];
		this.errors = [];
		this.logFile = logFile;
		this.waiters = [];
		this.exited = null;
		this.child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
		this.pid = this.child.pid;
		this.done = new Promise((resolve) => {
			const finish = (code, signal) => {
				this.exited = { code, signal };
				resolve(this.exited);
				this.#wake();
			};
			this.child.on('error', (e) => { this.errors.push(String(e)); finish(127, null); });
			this.child.on('close', finish);
		});
		this.#collect(this.child.stdout, this.lines);
		this.#collect(this.child.stderr, this.errors);
	}

	/* A last word may come when the folder has been removed already. */
	#log(text) {
		try {
			if (this.logFile) appendFileSync(this.logFile, text);
		} catch {
			this.logFile = null;
		}
	}

	#collect(stream, into) {
		let rest = '';
		stream.setEncoding('utf8');
		stream.on('data', (text) => {
			this.#log(text);
			const parts = (rest + text).split('\n');
			rest = parts.pop();
			into.push(...parts);
			if (into.length > 20000) into.splice(0, 10000);
			this.#wake();
		});
	}

	#wake() {
		for (const w of this.waiters.splice(0)) w();
	}

	/** The first standard-output line that matches; fails when the process ends first. */
	async line(regex, timeoutMs = 30000) {
		const end = Date.now() + timeoutMs;
		let seen = 0;
		for (;;) {
			for (; seen < this.lines.length; seen++) {
				const m = regex.exec(this.lines[seen]);
				if (m) return m;
			}
			if (this.exited)
				throw new Error(`${this.name} ended (${JSON.stringify(this.exited)}): ${this.errors.slice(-5).join(' | ')}`);
			const left = end - Date.now();
			if (left <= 0) throw new Error(`${this.name} did not print ${regex} in time: ${this.errors.slice(-5).join(' | ')}`);
			await Promise.race([new Promise((r) => this.waiters.push(r)), delay(Math.min(left, 500))]);
		}
	}

	kill(signal = 'SIGTERM') {
		if (!this.exited) this.child.kill(signal);
	}

	/** Asks politely, insists after `graceMs`. Yields how it ended. */
	async stop(graceMs = 10000) {
		this.kill('SIGTERM');
		const timer = setTimeout(() => this.kill('SIGKILL'), graceMs);
		const how = await this.done;
		clearTimeout(timer);
		return how;
	}
}
