// SPDX-License-Identifier: Apache-2.0
// An oracle of prices: what the shelf should show at any instant, from a test's own account of price
// changes and promotions, and a judge of what panels did show. Instants are milliseconds, prices minor units.

/** Percent off, rounded half up to the minor unit. `percent` is text such as "12.5". */
export function reduced(price, percent) {
	const [whole, part = ''] = String(percent).split('.'), scale = 10n ** BigInt(part.length);
	const left = 100n * scale - BigInt(whole + part), of = 100n * scale;
	return Number((2n * BigInt(price) * left + of) / (2n * of));
}

/**
 * What is to be shown from `from` to `to`: [{ from, to, price, regular, promotion }], in order.
 * ledger: [{ from, price }]; promotions: [{ start, end, percent } or { start, end, price }].
 */
export function timeline(ledger, promotions, from, to) {
	const edges = [from, to, ...ledger.map((l) => l.from), ...promotions.flatMap((p) => [p.start, p.end])];
	const cuts = [...new Set(edges)].filter((e) => e >= from && e <= to).sort((a, b) => a - b), steps = [];
	for (let i = 0; i + 1 < cuts.length; i++) {
		const at = cuts[i], regular = ledger.filter((l) => l.from <= at).sort((a, b) => a.from - b.from).at(-1)?.price;
		let best = { price: regular, promotion: null };
		for (const p of promotions) {
			if (at < p.start || at >= p.end) continue;
			const price = p.percent === undefined ? p.price : reduced(regular, p.percent);
			if (price < best.price) best = { price, promotion: p };
		}
		steps.push({ from: at, to: cuts[i + 1], regular, ...best });
	}
	return steps;
}

/**
 * How long a panel showed what was not valid: the longest stay of an old price behind its edge, and the
 * longest show of a new one ahead of it. shown: [{ from, price }] in order, the first at or before the
 * timeline's beginning. Only what is shown for longer than `grace` is returned.
 */
export function invalid(shown, steps, grace) {
	const found = [];
	shown.forEach((s, i) => {
		const end = Math.min(shown[i + 1]?.from ?? Infinity, steps.at(-1).to);
		for (const step of steps) {
			const from = Math.max(s.from, step.from), to = Math.min(end, step.to);
			/* Where the price before or behind the step is the same, the span goes on. */
			if (to - from > grace && s.price !== step.price) found.push({ from, to, shows: s.price, valid: step.price });
		}
	});
	return found;
}
