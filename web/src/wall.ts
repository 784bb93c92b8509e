// SPDX-License-Identifier: Apache-2.0
// Wall-clock times of the store as people write them: a day and a time without an offset. Only the server turns
// them into instants; here they are compared, counted and put into words.

import { localeOf } from './format';

/** A wall time as if it were UTC, so that the calendar can be counted with; null when it is not one. */
export function wallDate(wall: string): Date | null {
  const m = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2}))?$/.exec(wall);
  const d = m ? new Date(`${m[1]}-${m[2]}-${m[3]}T${m[4]}:${m[5]}:${m[6] ?? '00'}Z`) : null;
  return d && !Number.isNaN(d.getTime()) && d.toISOString().slice(0, 10) === wall.slice(0, 10) ? d : null;
}

/** The wall time in a zone at an instant; "2026-11-27T08:00". */
export function wallAt(instant: number, zone: string): string {
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  }).formatToParts(instant);
  const of = (type: string): string => parts.find((p) => p.type === type)?.value ?? '00';
  return `${of('year')}-${of('month')}-${of('day')}T${of('hour')}:${of('minute')}`;
}

const DAY_MS = 86_400_000;

/** How far the zone's clock is ahead of UTC at an instant. */
function offsetAt(instant: number, zone: string): number {
  return Date.parse(`${wallAt(instant, zone)}:00Z`) - Math.floor(instant / 60_000) * 60_000;
}

/**
 * The instant of a wall time: of an hour that comes twice the first, of one that is skipped the first instant after
 * the gap. The same rules as the server's; null when it is not a wall time.
 */
export function instantOf(wall: string, zone: string): number | null {
  const asUtc = wallDate(wall)?.getTime();
  if (asUtc === undefined) {
    return null;
  }
  let [low, high] = [asUtc - DAY_MS, asUtc + DAY_MS];
  const before = offsetAt(low, zone);
  const found = [asUtc - before, asUtc - offsetAt(high, zone)].filter((at) => wallAt(at, zone) === wall);
  if (found.length > 0) {
    return Math.min(...found);
  }
  while (high - low > 60_000) {
    const mid = Math.floor((low + high) / 120_000) * 60_000;
    [low, high] = offsetAt(mid, zone) === before ? [mid, high] : [low, mid];
  }
  return high;
}

function words(wall: string, o: Intl.DateTimeFormatOptions): string {
  const d = wallDate(wall);
  // Whole minutes are what shops write; seconds are shown where somebody has given some.
  const exact: Intl.DateTimeFormatOptions = o.minute && d?.getUTCSeconds() ? { second: '2-digit' } : {};
  return d ? new Intl.DateTimeFormat(localeOf(), { ...o, ...exact, timeZone: 'UTC' }).format(d) : wall;
}

/** "Fri, 27 Nov 2026, 08:00" */
export function wallWords(wall: string): string {
  return words(wall, { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' });
}

export function wallDay(wall: string): string {
  return words(wall.length === 10 ? `${wall}T00:00` : wall, { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' });
}

export function wallTime(wall: string): string {
  return words(wall, { hour: '2-digit', minute: '2-digit' });
}

/** "Fri, 27 Nov 2026, 08:00 – 20:00": the day once when both edges share it, else the year once. */
export function wallSpan(start: string, end: string): string {
  if (start.slice(0, 10) === end.slice(0, 10)) {
    return `${wallWords(start)} – ${wallTime(end)}`;
  }
  const sameYear = start.slice(0, 4) === end.slice(0, 4);
  const from = sameYear ? words(start, { weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' }) : wallWords(start);
  return `${from} – ${wallWords(end)}`;
}

/** Names of the days, Monday first, with their codes in recurrence rules. */
export const DAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'] as const;
export type Day = (typeof DAYS)[number];

export function dayName(day: Day, width: 'short' | 'long'): string {
  // 5 January 2026 is a Monday.
  return new Intl.DateTimeFormat(localeOf(), { weekday: width, timeZone: 'UTC' }).format(Date.UTC(2026, 0, 5 + DAYS.indexOf(day)));
}

export function dayOf(wall: string): Day | null {
  const d = wallDate(wall);
  return d ? (DAYS[(d.getUTCDay() + 6) % 7] ?? null) : null;
}
