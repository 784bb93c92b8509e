// SPDX-License-Identifier: Apache-2.0
// What is typed into the form of a promotion, and whether the server could understand it. Nothing here draws.

import type { Promotion, PromotionBody, Selection } from '../api/promotions';
import { gtinOfScan, gtinShort, moneyInput, parsePrice } from '../format';
import { type Every, ONCE, parseRule, type Repeat, ruleOf } from '../recurrence';
import { p } from '../strings/promotions';
import { type Day, wallDate } from '../wall';
import { percentText } from './promotion_parts';

export type Which = 'list' | 'brand' | 'category';
export type Ends = 'forever' | 'times' | 'until';

export interface Draft {
  name: string;
  kind: 'percent' | 'fixed';
  percent: string;
  price: string;
  which: Which;
  list: string;
  /** Chosen by the page's own numbers of products; kept when only ids are known. */
  ids: number[];
  brand: string;
  category: string;
  start: string;
  end: string;
  every: Every;
  days: Day[];
  ends: Ends;
  times: string;
  until: string;
  rule: string | null;
}

export const EMPTY: Draft = {
  name: '',
  kind: 'percent',
  percent: '',
  price: '',
  which: 'list',
  list: '',
  ids: [],
  brand: '',
  category: '',
  start: '',
  end: '',
  every: 'none',
  days: [],
  ends: 'forever',
  times: '4',
  until: '',
  rule: null,
};

export function draftOf(x: Promotion): Draft {
  const r = parseRule(x.recurrence);
  return {
    ...EMPTY,
    name: x.name,
    kind: x.kind,
    percent: x.percent ? percentText(x.percent) : '',
    price: moneyInput(x.price_minor, x.currency),
    which: x.select.brand ? 'brand' : x.select.category ? 'category' : 'list',
    list: (x.select.gtins ?? []).map(gtinShort).join('\n'),
    ids: x.select.product_ids ?? [],
    brand: x.select.brand ?? '',
    category: x.select.category ?? '',
    start: x.start,
    end: x.end,
    every: r.every,
    days: r.days,
    ends: r.times !== null ? 'times' : r.until ? 'until' : 'forever',
    times: r.times !== null ? String(r.times) : EMPTY.times,
    until: r.until ?? '',
    rule: r.rule,
  };
}

const LIST_MAX = 5000;

export interface ReadList {
  gtins: string[];
  bad: string[];
  twice: number;
}

/** GTINs between any spaces, commas or semicolons, as pasted or scanned. */
export function readList(text: string): ReadList {
  const gtins = new Set<string>();
  const bad: string[] = [];
  let twice = 0;
  for (const word of text.split(/[\s,;]+/).filter(Boolean)) {
    const gtin = gtinOfScan(word)?.padStart(14, '0');
    if (!gtin) {
      bad.push(word);
    } else if (gtins.has(gtin)) {
      twice++;
    } else {
      gtins.add(gtin);
    }
  }
  return { gtins: [...gtins], bad, twice };
}

/** "12,5" -> "12.5"; null when it is not between 0 and 100 or has more than three decimals. */
export function readPercent(text: string): string | null {
  const s = text.trim().replace(/\s*%$/, '').replace(',', '.');
  const v = Number(s);
  return /^\d{1,2}(\.\d{1,3})?$/.test(s) && v > 0 ? s : null;
}

export function repeatOf(d: Draft): Repeat {
  if (d.every === 'none') {
    return ONCE;
  }
  const times = d.ends === 'times' ? Number(d.times) : null;
  return { every: d.every, days: d.days, times, until: d.ends === 'until' ? d.until : null, rule: d.rule };
}

export type Problems = Partial<Record<'name' | 'percent' | 'price' | 'list' | 'brand' | 'category' | 'start' | 'end' | 'times' | 'until', string>>;

function selectionOf(d: Draft, wrong: Problems): Selection {
  if (d.which === 'brand') {
    if (!d.brand.trim()) {
      wrong.brand = p.form.needBrand;
    }
    return { brand: d.brand.trim() };
  }
  if (d.which === 'category') {
    if (!d.category.trim()) {
      wrong.category = p.form.needCategory;
    }
    return { category: d.category.trim() };
  }
  const { gtins, bad } = readList(d.list);
  if (bad.length > 0) {
    wrong.list = p.form.listBad(bad.length, bad.slice(0, 3).join(', '));
  } else if (gtins.length === 0 && d.ids.length === 0) {
    wrong.list = p.form.needList;
  } else if (gtins.length > LIST_MAX) {
    wrong.list = p.form.listLong(LIST_MAX);
  }
  return gtins.length > 0 || d.ids.length === 0 ? { gtins } : { product_ids: d.ids };
}

function checkTimes(d: Draft, wrong: Problems): void {
  const start = wallDate(d.start);
  const end = wallDate(d.end);
  if (!start) {
    wrong.start = p.form.needStart;
  }
  if (!end) {
    wrong.end = p.form.needEnd;
  } else if (start && end <= start) {
    wrong.end = p.form.endFirst;
  }
  if (d.every === 'none' || d.every === 'other') {
    return;
  }
  if (d.ends === 'times' && !(/^\d{1,4}$/.test(d.times) && Number(d.times) >= 1 && Number(d.times) <= 1000)) {
    wrong.times = p.form.timesBad;
  }
  if (d.ends === 'until' && (!wallDate(`${d.until}T00:00`) || (start && d.until < d.start.slice(0, 10)))) {
    wrong.until = p.form.untilBad;
  }
}

/** The body to send, and what is wrong with each field; the body is only good when nothing is. */
export function read(d: Draft, currency: string): { body: PromotionBody; wrong: Problems } {
  const wrong: Problems = {};
  const percent = d.kind === 'percent' ? readPercent(d.percent) : null;
  const price = d.kind === 'fixed' ? parsePrice(d.price, currency) : null;
  if (!d.name.trim()) {
    wrong.name = p.form.needName;
  }
  if (d.kind === 'percent' && percent === null) {
    wrong.percent = p.form.percentBad;
  }
  if (price?.error !== undefined) {
    wrong.price = price.error;
  }
  const select = selectionOf(d, wrong);
  checkTimes(d, wrong);
  const body: PromotionBody = {
    name: d.name.trim(),
    kind: d.kind,
    select,
    start: d.start,
    end: d.end,
    recurrence: ruleOf(repeatOf(d), d.start),
    ...(d.kind === 'percent' ? { percent: percent ?? '' } : { price_minor: price?.minor ?? 0, currency }),
  };
  return { body, wrong };
}
