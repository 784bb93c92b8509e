// SPDX-License-Identifier: Apache-2.0
// The conductor of a store in virtual time: writes the file that every daemon of the store reads its
// clocks from (common/clock_conducted.h). Start it anywhere, run it faster or slower, let it stand.
import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { endianness } from 'node:os';
import { builddir } from './tap.mjs';
import { delay } from '../../sim/demo/process.mjs';

const RECORD = 32, FIRST = 16;
/** A machine that came up a while ago. */
const MONO_START_US = 1_000_000_000n;

/** Whether the daemons were built to be conducted. */
export const canConduct = existsSync(`${builddir}/config.h`) && readFileSync(`${builddir}/config.h`, 'utf8').includes('#define ENABLE_FAULT_POINTS 1');

export class Clock {
	/** @param start an instant: Date, or text that Date takes; rate: 1 = as fast as this machine. */
	constructor(path, { start, rate = 1 }) {
		this.path = path;
		this.fd = openSync(path, 'w+', 0o600);
		this.count = 0n;
		const real_us = BigInt(new Date(start).getTime()) * 1000n;
		if (real_us < 0n) throw new Error('time begins in 1970');
		this.record = { host_us: this.#host(), mono_us: MONO_START_US, real_us, rate_milli: 0n };
		const head = Buffer.alloc(FIRST + 2 * RECORD);
		head.write('GONDCLK1', 'latin1');
		writeSync(this.fd, head, 0, head.length, 0);
		this.#put({ ...this.record, rate_milli: milli(rate) });
	}

	/** What a daemon needs in its environment. */
	get env() {
		return { GONDOLA_CLOCK: this.path };
	}

	/* libuv's time of day for durations is the clock that the daemons read too. */
	#host() {
		return process.hrtime.bigint() / 1000n;
	}

	#numbers(...list) {
		const b = Buffer.alloc(8 * list.length);
		list.forEach((n, i) => (endianness() === 'LE' ? b.writeBigInt64LE(n, 8 * i) : b.writeBigInt64BE(n, 8 * i)));
		return b;
	}

	/* First the record that does not hold, then the count that makes it hold. */
	#put(record) {
		const next = this.count + 1n;
		writeSync(this.fd, this.#numbers(record.host_us, record.mono_us, record.real_us, record.rate_milli), 0, RECORD, FIRST + RECORD * Number(next & 1n));
		writeSync(this.fd, this.#numbers(next), 0, 8, 8);
		this.count = next;
		this.record = record;
	}

	#told(host_us = this.#host()) {
		const r = this.record, passed = ((host_us - r.host_us) * r.rate_milli) / 1000n;
		return { ...r, host_us, mono_us: r.mono_us + passed, real_us: r.real_us + passed };
	}

	get nowUs() {
		return Number(this.#told().real_us);
	}

	get now() {
		return new Date(this.nowUs / 1000);
	}

	get rate() {
		return Number(this.record.rate_milli) / 1000;
	}

	setRate(rate) {
		this.#put({ ...this.#told(), rate_milli: milli(rate) });
	}

	/** The wall clock of the whole store is set; durations do not notice. */
	step(byMs) {
		const t = this.#told();
		this.#put({ ...t, real_us: t.real_us + BigInt(Math.round(byMs * 1000)) });
	}

	/** Waits until it is that instant (Date, text, or microseconds). */
	async reach(instant) {
		const us = typeof instant === 'number' ? instant : new Date(instant).getTime() * 1000;
		for (let left; (left = us - this.nowUs) > 0; ) {
			if (!this.rate) throw new Error('time stands');
			await delay(Math.min(left / 1000 / this.rate, 200));
		}
	}

	async pass(ms) {
		await this.reach(this.nowUs + ms * 1000);
	}

	close() {
		closeSync(this.fd);
	}
}

const milli = (rate) => BigInt(Math.round(rate * 1000));
