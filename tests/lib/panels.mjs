// SPDX-License-Identifier: Apache-2.0
// What panels of the simulated store showed, and when: the simulator's log of changes, read by the price
// that stands on the picture. Which picture is which price is learned from previews, never from what the
// product says it sent.
import { createHash } from 'node:crypto';
import { decodePng, inkOf } from '../../sim/demo/checks.mjs';

const TYPES = { bw: 1, bwr: 6, bwy: 7 };

/** The serial form (common/image.h) of a picture. */
export function encodePlanes(png, type) {
	const { width, height, pixel } = decodePng(png), planes = type === TYPES.bw ? 1 : 2, stride = (width + 7) >> 3;
	const out = Buffer.alloc(10 + planes * stride * height);
	out.write('GLI1', 'latin1');
	out[4] = type;
	out[5] = planes;
	out.writeUInt16BE(width, 6);
	out.writeUInt16BE(height, 8);
	for (let y = 0; y < height; y++)
		for (let x = 0; x < width; x++) {
			const ink = inkOf(pixel(x, y));
			if (ink) out[10 + ((ink - 1) * height + y) * stride + (x >> 3)] |= 0x80 >> (x & 7);
		}
	return out;
}

export class Panels {
	constructor(store) {
		this.store = store;
		this.prices = new Map(); // product id and picture -> price
		this.changes = new Map(); // label -> [{ at_us, started_us, sha256 }]
		this.next = 0;
		this.lost = 0;
	}

	/** Learns the picture of an offer: { price_minor, was_minor?, prior_minor?, until? }. */
	async learn(productId, offer, { width, height, type }) {
		const display_type = TYPES[type] ?? type;
		const png = await this.store.api.call('POST', '/api/v1/templates/preview', { product_id: productId, ...offer, width, height, display_type });
		const sha256 = createHash('sha256').update(encodePlanes(png, display_type)).digest('hex'), key = `${productId} ${sha256}`;
		const before = this.prices.get(key);
		if (before !== undefined && before !== offer.price_minor) throw new Error(`one picture for the prices ${before} and ${offer.price_minor}`);
		this.prices.set(key, offer.price_minor);
		return sha256;
	}

	/** The price on a picture of that product; undefined = a picture nobody learned. */
	priceOf(productId, sha256) {
		return this.prices.get(`${productId} ${sha256}`);
	}

	/** Fetches what happened since the last time. */
	async collect() {
		for (;;) {
			const r = await this.store.truth.ask({ op: 'shows', since: this.next });
			this.lost += r.lost;
			this.next = r.next;
			for (const s of r.shows) {
				if (!this.changes.has(s.addr)) this.changes.set(s.addr, []);
				this.changes.get(s.addr).push(s);
			}
			if (!r.shows.length) return this;
		}
	}

	changesOf(label) {
		return this.changes.get(label) ?? [];
	}

	/** What the panel showed at that instant (the newest finished redraw). */
	shownAt(label, us) {
		return this.changesOf(label).findLast((c) => c.at_us <= us)?.sha256 ?? null;
	}
}
