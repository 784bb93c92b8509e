// SPDX-License-Identifier: Apache-2.0
// Money, numbers and times, by the browser's language and the store's currency and zone.

let zone: string | undefined;
let locale: string | undefined;

/** The store's IANA zone; the browser's own until it is known. */
export function setZone(z: string | undefined): void {
  try {
    new Intl.DateTimeFormat(locale, { timeZone: z });
    zone = z;
  } catch {
    zone = undefined;
  }
}

/** For tests: a fixed language instead of the browser's. */
export function setLocale(l: string | undefined): void {
  locale = l;
}

export function localeOf(): string | undefined {
  return locale;
}

/** The zone in which times are shown. */
export function zoneOf(): string {
  return zone ?? new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** Digits after the point of a currency: 2 for EUR, 0 for JPY, 3 for KWD. */
export function digitsOf(currency: string): number {
  try {
    const f = new Intl.NumberFormat('en', { style: 'currency', currency });
    return f.resolvedOptions().maximumFractionDigits ?? 2;
  } catch {
    return 2;
  }
}

export function money(minor: number | null | undefined, currency: string): string {
  if (minor === null || minor === undefined) {
    return '–';
  }
  const value = minor / 10 ** digitsOf(currency);
  try {
    return new Intl.NumberFormat(locale, { style: 'currency', currency }).format(value);
  } catch {
    return `${value.toFixed(2)} ${currency}`;
  }
}

/** Money as a person types it: no sign, the language's decimal mark, no grouping. */
export function moneyInput(minor: number | null, currency: string): string {
  if (minor === null) {
    return '';
  }
  const digits = digitsOf(currency);
  return new Intl.NumberFormat(locale, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    useGrouping: false,
  }).format(minor / 10 ** digits);
}

export type PriceError = 'empty' | 'not-a-number' | 'negative' | 'too-many-decimals' | 'too-large';
export type ParsedPrice = { minor: number; error?: undefined } | { minor?: undefined; error: PriceError };

/** The largest price we accept, in minor units. */
const PRICE_MAX = 99_999_999_99;

/** Splits "1.234,50" into digits and decimals; null when it is not a number that can mean one thing only. */
function splitNumber(s: string): { whole: string; decimals: string } | null {
  const dot = s.lastIndexOf('.');
  const comma = s.lastIndexOf(',');
  const at = Math.max(dot, comma);
  if (at < 0) {
    return /^\d+$/.test(s) ? { whole: s, decimals: '' } : null;
  }
  const mark = s.charAt(at);
  const other = mark === '.' ? ',' : '.';
  const whole = s.slice(0, at);
  const decimals = s.slice(at + 1);
  if (!/^\d*$/.test(decimals) || whole.includes(mark)) {
    return null;
  }
  if (whole.includes(other)) {
    const grouped = other === '.' ? /^\d{1,3}(\.\d{3})+$/ : /^\d{1,3}(,\d{3})+$/;
    return grouped.test(whole) ? { whole: whole.split(other).join(''), decimals } : null;
  }
  return /^\d*$/.test(whole) && (whole || decimals) ? { whole: whole || '0', decimals } : null;
}

/**
 * Reads a price that a person typed, with a decimal point or a decimal comma. Never guesses: "1,234" has too
 * many decimals for euros and is refused, because it could mean two prices.
 */
export function parsePrice(text: string, currency: string): ParsedPrice {
  const s = text.replace(/[\s\u00a0\u202f'’]/g, '').replace(/^[^\d.,+\-−]+|[^\d.,]+$/g, '');
  if (!s) {
    return { error: text.trim() ? 'not-a-number' : 'empty' };
  }
  if (/^[-−]/.test(s)) {
    return { error: 'negative' };
  }
  const parts = splitNumber(s.replace(/^\+/, ''));
  if (!parts) {
    return { error: 'not-a-number' };
  }
  const digits = digitsOf(currency);
  if (parts.decimals.length > digits) {
    return { error: 'too-many-decimals' };
  }
  const minor = Number(parts.whole + parts.decimals.padEnd(digits, '0'));
  return minor > PRICE_MAX ? { error: 'too-large' } : { minor };
}

export function count(n: number | null | undefined): string {
  return n === null || n === undefined ? '–' : new Intl.NumberFormat(locale).format(n);
}

export function percent(ratio: number): string {
  return new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 }).format(ratio);
}

export function bytes(n: number): string {
  const unit = n >= 1_000_000 ? 'megabyte' : 'kilobyte';
  const value = n / (unit === 'megabyte' ? 1_000_000 : 1000);
  return new Intl.NumberFormat(locale, { style: 'unit', unit, maximumFractionDigits: 1 }).format(value);
}

export function seconds(ms: number): string {
  const s = ms / 1000;
  return new Intl.NumberFormat(locale, {
    style: 'unit',
    unit: 'second',
    unitDisplay: 'narrow',
    minimumFractionDigits: s < 60 ? 1 : 0,
    maximumFractionDigits: s < 60 ? 1 : 0,
  }).format(s);
}

/** A long stretch of time in the one unit that fits: minutes, hours or days. */
export function duration(ms: number): string {
  const [unit, length] = ms < 7_200_000 ? (['minute', 60_000] as const) : ms < 172_800_000 ? (['hour', 3_600_000] as const) : (['day', 86_400_000] as const);
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits: 0 }).format(ms / length);
}

const dateTimes = new Map<string, Intl.DateTimeFormat>();

function formatter(style: 'full' | 'time' | 'date'): Intl.DateTimeFormat {
  const key = `${style}/${zone ?? ''}/${locale ?? ''}`;
  let f = dateTimes.get(key);
  if (!f) {
    const o: Intl.DateTimeFormatOptions =
      style === 'time' ? { timeStyle: 'medium' } : style === 'date' ? { dateStyle: 'medium' } : { dateStyle: 'medium', timeStyle: 'medium' };
    f = new Intl.DateTimeFormat(locale, zone ? { ...o, timeZone: zone } : o);
    dateTimes.set(key, f);
  }
  return f;
}

function parsed(iso: string | null | undefined): Date | null {
  const d = iso ? new Date(iso) : null;
  return d && !Number.isNaN(d.getTime()) ? d : null;
}

export function dateTime(iso: string | null | undefined): string {
  const d = parsed(iso);
  return d ? formatter('full').format(d) : '–';
}

export function date(iso: string | null | undefined): string {
  const d = parsed(iso);
  return d ? formatter('date').format(d) : '–';
}

/** Unit, its length in seconds, and the distance below which it is used. */
const RELATIVE_UNITS: [Intl.RelativeTimeFormatUnit, number, number][] = [
  ['second', 1, 60],
  ['minute', 60, 3600],
  ['hour', 3600, 86_400],
  ['day', 86_400, 86_400 * 60],
  ['month', 86_400 * 30.4, 86_400 * 730],
];

/** "12 seconds ago", "in 3 days"; the exact time belongs in a title next to it. */
export function relative(iso: string | null | undefined, now: number): string {
  const d = parsed(iso);
  if (!d) {
    return '–';
  }
  const f = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  const exact = (d.getTime() - now) / 1000;
  // Our own clock ticks once a second and others run a little ahead: that is now, not the future.
  const s = exact > 0 && exact < 3 ? 0 : exact;
  for (const [unit, length, below] of RELATIVE_UNITS) {
    if (Math.abs(s) < below) {
      return f.format(Math.round(s / length), unit);
    }
  }
  return f.format(Math.round(s / (86_400 * 365)), 'year');
}

/** True when a GTIN of 8, 12, 13 or 14 digits has the right check digit. */
export function gtinValid(gtin: string): boolean {
  if (!/^(\d{8}|\d{12,14})$/.test(gtin)) {
    return false;
  }
  const d = gtin.padStart(14, '0');
  let sum = 0;
  for (let i = 0; i < 13; i++) {
    sum += Number(d[i]) * (i % 2 === 0 ? 3 : 1);
  }
  return (10 - (sum % 10)) % 10 === Number(d[13]);
}

/** The GTIN inside what a scanner typed: plain digits, GS1 element strings or a GS1 Digital Link. */
export function gtinOfScan(scan: string): string | null {
  const s = scan.trim();
  const link = /\/01\/(\d{8,14})(?:[/?#]|$)/.exec(s);
  const element = /^(?:\](?:d2|C1|e0|Q3))?\(?01\)?(\d{14})/.exec(s);
  const plain = /^\d{8}$|^\d{12,14}$/.exec(s);
  const gtin = link?.[1] ?? plain?.[0] ?? element?.[1] ?? null;
  return gtin && gtinValid(gtin) ? gtin : null;
}

/** GTINs are stored with 14 digits; people know them with 13 or 8. */
export function gtinShort(gtin: string | null | undefined): string {
  if (!gtin) {
    return '–';
  }
  return gtin.length === 14 && gtin.startsWith('000000') ? gtin.slice(6) : gtin.length === 14 && gtin.startsWith('0') ? gtin.slice(1) : gtin;
}
