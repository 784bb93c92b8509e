// SPDX-License-Identifier: Apache-2.0
// Recurrence in plain words. The server speaks RFC 5545 rules; the form offers those that a shop needs, and leaves
// a rule that it cannot say untouched.

import { DAYS, type Day, dayName, dayOf, wallDay } from './wall';
import { p } from './strings/promotions';

export type Every = 'none' | 'day' | 'week' | 'month' | 'other';

export interface Repeat {
  every: Every;
  days: Day[];
  /** How often altogether; null = see until. */
  times: number | null;
  /** The last day, "2026-12-31"; null with times null = without end. */
  until: string | null;
  /** The rule itself when every is other. */
  rule: string | null;
}

export const ONCE: Repeat = { every: 'none', days: [], times: null, until: null, rule: null };

const FREQ: Record<string, Every> = { DAILY: 'day', WEEKLY: 'week', MONTHLY: 'month' };

function untilDay(value: string): string | null {
  const m = /^(\d{4})(\d{2})(\d{2})(?:T\d{6}Z?)?$/.exec(value);
  return m ? `${m[1]}-${m[2]}-${m[3]}` : null;
}

/** What a rule says, as the form knows it. */
export function parseRule(rule: string | null): Repeat {
  if (!rule) {
    return ONCE;
  }
  const other: Repeat = { every: 'other', days: [], times: null, until: null, rule };
  const parts = new Map(rule.split(';').map((x) => x.split('=', 2) as [string, string]));
  const every = FREQ[parts.get('FREQ') ?? ''];
  const known = ['FREQ', 'BYDAY', 'COUNT', 'UNTIL', 'INTERVAL', 'WKST'];
  if (!every || [...parts.keys()].some((k) => !known.includes(k)) || (parts.get('INTERVAL') ?? '1') !== '1') {
    return other;
  }
  const days = (parts.get('BYDAY') ?? '').split(',').filter(Boolean);
  if (days.some((d) => !DAYS.includes(d as Day)) || (days.length > 0 && every !== 'week')) {
    return other;
  }
  const times = parts.has('COUNT') ? Number(parts.get('COUNT')) : null;
  const until = parts.has('UNTIL') ? untilDay(parts.get('UNTIL') ?? '') : null;
  return { every, days: days as Day[], times, until, rule };
}

/** The rule of what the form says. The first day is always one of the days. */
export function ruleOf(r: Repeat, start: string): string | null {
  if (r.every === 'none') {
    return null;
  }
  if (r.every === 'other') {
    return r.rule;
  }
  const parts = [`FREQ=${{ day: 'DAILY', week: 'WEEKLY', month: 'MONTHLY' }[r.every]}`];
  if (r.every === 'week') {
    const first = dayOf(start);
    const days = DAYS.filter((d) => r.days.includes(d) || d === first);
    parts.push(`BYDAY=${days.join(',')}`);
  }
  if (r.times !== null) {
    parts.push(`COUNT=${r.times}`);
  } else if (r.until) {
    parts.push(`UNTIL=${r.until.replace(/-/g, '')}T235959`);
  }
  return parts.join(';');
}

function listOf(names: string[]): string {
  return new Intl.ListFormat('en', { type: 'conjunction' }).format(names);
}

/** "Every week on Friday and Saturday, 4 times" */
export function repeatWords(r: Repeat, start: string): string {
  const first = dayOf(start);
  const days = DAYS.filter((d) => r.days.includes(d) || d === first);
  const how = {
    none: p.repeat.none,
    day: p.repeat.day,
    week: days.length === 7 ? p.repeat.day : p.repeat.weekOn(listOf(days.map((d) => dayName(d, 'long')))),
    month: p.repeat.month,
    other: p.repeat.otherRule(r.rule ?? ''),
  }[r.every];
  if (r.every === 'none' || r.every === 'other') {
    return how;
  }
  const end = r.times !== null ? p.repeat.timesWords(r.times) : r.until ? p.repeat.untilWords(wallDay(r.until)) : p.repeat.foreverWords;
  return `${how}, ${end}`;
}
