// SPDX-License-Identifier: Apache-2.0
// Checks of a running store against the simulator's truth: pixels on labels, places of items. What the
// product believes is never used to prove what happened.
import { createHash } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import { until } from './process.mjs';

/** Bits of the serial form of a label picture (common/image.h). */
export function decodePlanes(bytes) {
	if (bytes.toString('latin1', 0, 4) !== 'GLI1') throw new Error('not a label picture');
	const planes = bytes[5], width = bytes.readUInt16BE(6), height = bytes.readUInt16BE(8);
	const stride = (width + 7) >> 3, data = bytes.subarray(10);
	if (data.length !== planes * stride * height) throw new Error('label picture has the wrong length');
	const bit = (p, x, y) => (data[(p * height + y) * stride + (x >> 3)] >> (7 - (x & 7))) & 1;
	/** 0 white, 1 black, 2 the colour */
	return { width, height, ink: (x, y) => (planes > 1 && bit(1, x, y) ? 2 : bit(0, x, y)) };
}

/** A PNG of 8 bit grey, RGB or RGBA, or palette, without interlace: pixels as [r, g, b]. */
export function decodePng(png) {
	let at = 8, width, height, depth, type, palette;
	const parts = [];
	while (at < png.length) {
		const n = png.readUInt32BE(at), kind = png.toString('latin1', at + 4, at + 8), d = png.subarray(at + 8, at + 8 + n);
		if (kind === 'IHDR') [width, height, depth, type] = [d.readUInt32BE(0), d.readUInt32BE(4), d[8], d[9]];
		if (kind === 'PLTE') palette = d;
		if (kind === 'IDAT') parts.push(d);
		at += 12 + n;
	}
	const channels = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }[type], bits = channels * depth;
	const line = Math.ceil((width * bits) / 8), step = Math.max(1, bits >> 3), raw = inflateSync(Buffer.concat(parts));
	const out = Buffer.alloc(line * height);
	for (let y = 0; y < height; y++) {
		const filter = raw[y * (line + 1)];
		for (let i = 0; i < line; i++) {
			const a = i >= step ? out[y * line + i - step] : 0, b = y ? out[(y - 1) * line + i] : 0, c = y && i >= step ? out[(y - 1) * line + i - step] : 0;
			const p = a + b - c, pa = Math.abs(p - a), pb = Math.abs(p - b), pc = Math.abs(p - c);
			const guess = [0, a, b, (a + b) >> 1, pa <= pb && pa <= pc ? a : pb <= pc ? b : c][filter];
			out[y * line + i] = raw[y * (line + 1) + 1 + i] + guess;
		}
	}
	const pixel = (x, y) => {
		if (depth < 8) {
			const v = (out[y * line + ((x * depth) >> 3)] >> (8 - depth - ((x * depth) & 7))) & ((1 << depth) - 1);
			if (type === 3) return [...palette.subarray(3 * v, 3 * v + 3)];
			const g = Math.round((255 * v) / ((1 << depth) - 1));
			return [g, g, g];
		}
		const i = y * line + x * channels;
		if (type === 3) return [...palette.subarray(3 * out[i], 3 * out[i] + 3)];
		return channels < 3 ? [out[i], out[i], out[i]] : [...out.subarray(i, i + 3)];
	};
	return { width, height, pixel };
}

export const inkOf = ([r, g, b]) => (r > 200 && g > 200 && b > 200 ? 0 : r < 60 && g < 60 && b < 60 ? 1 : 2);

/** Number of pixels in which a label's panel differs from a PNG. */
export function differingPixels(panelBytes, png) {
	const panel = decodePlanes(panelBytes), picture = decodePng(png);
	if (panel.width !== picture.width || panel.height !== picture.height) return panel.width * panel.height;
	let n = 0;
	for (let y = 0; y < panel.height; y++)
		for (let x = 0; x < panel.width; x++) n += panel.ink(x, y) !== inkOf(picture.pixel(x, y));
	return n;
}

/** What a label's panel shows, from the simulator: serial bytes and their hash. */
export async function panelOf(store, addr) {
	const t = await store.truth.ask({ op: 'label', addr });
	if (!t.planes_base64) return { truth: t, bytes: null, hash: null };
	const bytes = Buffer.from(t.planes_base64, 'base64');
	return { truth: t, bytes, hash: createHash('sha256').update(bytes).digest('hex') };
}

/** Waits until the panel in the truth shows exactly the picture the API gives as wanted, for `price` if
 * given (a picture is wanted a moment after its price is acknowledged). */
export async function panelShowsWanted(store, id, { timeoutMs = 30000, price } = {}) {
	return until(`label ${id} to show the wanted picture`, async () => {
		const label = await store.api.get(`/labels/${id}`);
		const panel = await panelOf(store, id);
		if (!label.wanted || (price !== undefined && label.wanted.price_minor !== price) || panel.hash !== label.wanted.image) return false;
		const png = await store.api.call('GET', `/api/v1/labels/${id}/image.png?what=wanted`);
		const wrong = differingPixels(panel.bytes, png);
		if (wrong) throw new Error(`${wrong} pixels differ from the preview`);
		return { label, panel, png };
	}, timeoutMs);
}

/** Moves an item in the simulated store and waits until the API names its new place. */
export async function itemFollowsMove(store, epc, place, timeoutMs = 30000) {
	const started = Date.now();
	await store.truth.ask({ op: 'move', epc, place });
	const item = await until(`item ${epc} to be seen in ${place}`, async () => {
		const i = await store.api.get(`/items/${epc}`);
		return i.place?.name === place && i;
	}, timeoutMs, 50);
	const truth = await store.truth.ask({ op: 'item', epc });
	if (truth.place !== place) throw new Error(`the simulator has ${epc} in ${truth.place}`);
	return { item, ms: Date.now() - started };
}
