// SPDX-License-Identifier: Apache-2.0
// An oracle of wall time that is not ours: what node's ICU and the machine's `date` say of a zone. Wall
// times are texts like 2027-03-28T02:30, instants are milliseconds.
import { execFileSync } from 'node:child_process';

const MINUTE = 60000, HOUR = 60 * MINUTE;
const formats = new Map();

/** What a clock on the wall shows at that instant. */
export function wallAt(zone, ms) {
	if (!formats.has(zone))
		formats.set(zone, new Intl.DateTimeFormat('sv-SE', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' }));
	return formats.get(zone).format(ms).replace(' ', 'T');
}

/** The same from the machine's zone files. */
export function wallByDate(zone, ms) {
	return execFileSync('date', ['-d', `@${ms / 1000}`, '+%Y-%m-%dT%H:%M'], { env: { ...process.env, TZ: zone, LC_ALL: 'C' }, encoding: 'utf8' }).trim();
}

/** Moves a wall time by minutes, as if no clock were ever changed. */
export const wallPlus = (wall, minutes) => new Date(Date.parse(`${wall}Z`) + minutes * MINUTE).toISOString().slice(0, 16);
/** Minutes from one wall time to another, likewise. */
export const wallMinutes = (from, to) => (Date.parse(`${to}Z`) - Date.parse(`${from}Z`)) / MINUTE;

/** All instants at which the wall shows that, in order: none in a skipped hour, two in a repeated one. */
export function instantsOf(zone, wall) {
	const about = Date.parse(`${wall}Z`), found = [];
	for (let ms = about - 15 * HOUR; ms <= about + 15 * HOUR; ms += MINUTE) if (wallAt(zone, ms) === wall) found.push(ms);
	return found;
}

/** The first instant at which the wall shows at least that, coming from less. */
function firstAfterGap(zone, wall) {
	const about = Date.parse(`${wall}Z`);
	for (let ms = about - 15 * HOUR; ms <= about + 15 * HOUR; ms += MINUTE) if (wallAt(zone, ms) > wall && wallAt(zone, ms - MINUTE) < wall) return ms;
	throw new Error(`${wall} is nowhere near in ${zone}`);
}

/** A start takes the first of two, an end the second; what does not exist is the end of the gap. */
export const startInstant = (zone, wall) => instantsOf(zone, wall)[0] ?? firstAfterGap(zone, wall);
export const endInstant = (zone, wall) => instantsOf(zone, wall).at(-1) ?? firstAfterGap(zone, wall);

/** Instants of a span at which the clocks of a zone are changed, to the minute. */
export function changesOfClocks(zone, fromMs, toMs) {
	const offset = (ms) => Date.parse(`${wallAt(zone, ms)}Z`) - ms, found = [];
	for (let ms = fromMs; ms + HOUR <= toMs; ms += HOUR) {
		if (offset(ms) === offset(ms + HOUR)) continue;
		let at = ms;
		while (offset(at) === offset(ms)) at += MINUTE;
		found.push({ at, before: wallPlus(wallAt(zone, at - MINUTE), 1), after: wallAt(zone, at) });
	}
	return found;
}
