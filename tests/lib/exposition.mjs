// SPDX-License-Identifier: Apache-2.0
// A strict reader of the Prometheus text format 0.0.4 with the rules of `promtool check metrics`: what it lists is
// what a scraper or a linter would object to.
const nameRe = /^[a-z_][a-z0-9_]*$/;
const sampleRe = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*",?)*\})? ([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]?Inf|NaN)$/;
const types = ['counter', 'gauge', 'histogram', 'summary', 'untyped'];
const notBase = /(^|_)(ms|us|ns|milliseconds|microseconds|minutes|hours|kb|kib|mb|mib|kilobytes|megabytes|percent|celsius_milli)(_|$)/;

export function problems(text) {
	const found = [], families = new Map(), series = new Set();
	let current = null;
	if (!text.endsWith('\n')) found.push('the last line does not end');
	for (const line of text.split('\n').slice(0, -1)) {
		let m = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
		if (m) {
			const [, what, name, rest] = m;
			const f = families.get(name) ?? {};
			if (f[what]) found.push(`${name}: second ${what}`);
			if (f.samples) found.push(`${name}: ${what} after its samples`);
			if (what === 'TYPE' && !types.includes(rest)) found.push(`${name}: type ${rest}`);
			f[what] = rest;
			families.set(name, f);
			current = name;
			continue;
		}
		m = sampleRe.exec(line);
		if (!m) {
			found.push(`not a sample: ${line}`);
			continue;
		}
		const [, name, labels = ''] = m, f = families.get(name);
		if (!f?.TYPE || !f.HELP) found.push(`${name}: no HELP or TYPE before`);
		if (current !== name) found.push(`${name}: samples are not together`);
		if (series.has(name + labels)) found.push(`${name}${labels}: twice`);
		series.add(name + labels);
		if (f) f.samples = true;
	}
	for (const [name, f] of families) {
		if (!f.samples) found.push(`${name}: no sample`);
		if (!nameRe.test(name)) found.push(`${name}: not snake_case`);
		if (f.TYPE === 'counter' && !name.endsWith('_total')) found.push(`${name}: a counter ends in _total`);
		if (f.TYPE !== 'counter' && name.endsWith('_total')) found.push(`${name}: only counters end in _total`);
		if (/_(counter|gauge|histogram|summary)(_|$)/.test(name)) found.push(`${name}: the type is in the name`);
		if (/_(count|sum|bucket)$/.test(name) && !/histogram|summary/.test(f.TYPE)) found.push(`${name}: a histogram's suffix`);
		if (notBase.test(name)) found.push(`${name}: not in base units`);
	}
	return { found, families: [...families.keys()], series: [...series] };
}
