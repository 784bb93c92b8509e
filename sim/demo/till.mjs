// SPDX-License-Identifier: Apache-2.0
// A simulated till: feeds sales and returns to POST /api/v1/sales with a token that may do nothing else. It
// numbers its sales itself and asks again under the same number until it is answered, so that whatever happens
// to the controller meanwhile, a sale counts once.
//
//     till.mjs --url https://127.0.0.1:8443 --ca ca.pem --token-file FILE [--till NAME]
//
// reads one sale a line: GTINs and EPCs (epc:HEX) parted by spaces, each with *N for several pieces or *-1 for a
// return, for example  `04006381333931*2 epc:3014f487b4209c4000000001`.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { Api } from './clients.mjs';
import { delay } from './process.mjs';

/** One line of a sale from its word. */
export function lineOf(word) {
	const [what, times] = word.split('*');
	const line = what.startsWith('epc:') ? { epc: what.slice(4) } : { gtin: what };
	if (times !== undefined) line.quantity = Number(times);
	return line;
}

export class Till {
	/** @param options url, ca (PEM), token, name; first: the number of its first sale. */
	constructor({ url, ca, token, name = '1', first = 1 }) {
		this.api = new Api(url, ca);
		this.headers = { authorization: `Bearer ${token}` };
		this.name = name;
		this.next = first;
		this.sent = [];
		this.repeats = 0;
	}

	/** A sale with its number; `at` is when it was made, which may be before it is told. */
	make(lines, at = new Date()) {
		return { id: String(this.next++), till: this.name, at: at.toISOString(), lines };
	}

	/** Tells sales until somebody answers. What is refused is the till's mistake, and an error. */
	async feed(sales, patienceMs = 60000) {
		const end = Date.now() + patienceMs;
		for (;;) {
			let r;
			try {
				r = await this.api.request('POST', '/api/v1/sales', { sales }, this.headers);
			} catch (e) {
				if (Date.now() > end) throw e;
			}
			if (r && r.status < 500) {
				if (r.status !== 200) throw new Error(`the till was refused: ${r.status} ${JSON.stringify(r.body)}`);
				this.sent.push(...sales);
				this.repeats += r.body.duplicates;
				return r.body;
			}
			if (Date.now() > end) throw new Error(`nobody takes the till's sales: ${r?.status}`);
			await delay(100);
		}
	}

	sell(lines, at) {
		return this.feed([this.make(lines, at)]);
	}

	close() {
		this.api.close();
	}
}

async function main() {
	const option = (name, or) => {
		const i = process.argv.indexOf(`--${name}`);
		return i < 0 ? or : process.argv[i + 1];
	};
	const file = option('token-file');
	if (!file) throw new Error('--token-file is needed');
	const ca = option('ca');
	const till = new Till({
		url: option('url', 'https://127.0.0.1:8443'), ca: ca && readFileSync(ca),
		token: readFileSync(file, 'utf8').trim(), name: option('till', '1'), first: Date.now(),
	});
	for await (const text of createInterface({ input: process.stdin })) {
		const words = text.trim().split(/\s+/).filter(Boolean);
		if (words.length) console.log(JSON.stringify(await till.sell(words.map(lineOf))));
	}
	till.close();
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href)
	await main().catch((e) => { console.error(`till: ${e.message}`); process.exit(1); });
