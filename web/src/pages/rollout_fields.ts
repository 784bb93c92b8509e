// SPDX-License-Identifier: Apache-2.0
// Reading a list of new prices, as pasted from a table or a CSV file, and the numbers of a rollout's gates.

import { gtinOfScan, parsePrice } from '../format';

export type LineError = 'gtin' | 'price' | 'twice' | 'columns';

export interface ReadPrices {
  changes: { gtin: string; price_minor: number }[];
  bad: { line: number; text: string; error: LineError }[];
}

/** A first line without any digit names the columns; they may stand in any order. */
function columnsOf(first: string[]): { gtin: number; price: number } | null {
  const names = first.map((x) => x.trim().toLowerCase());
  const find = (...known: string[]): number => names.findIndex((n) => known.includes(n));
  const gtin = find('gtin', 'ean', 'upc', 'barcode');
  const price = find('price', 'price_minor', 'new price');
  return gtin >= 0 && price >= 0 ? { gtin, price } : null;
}

function cells(line: string, delimiter: string): string[] {
  return line.split(delimiter).map((x) => x.trim().replace(/^"(.*)"$/, '$1'));
}

/** Tab, semicolon or comma: the first that every GTIN line has; a decimal comma needs one of the others. */
function delimiterOf(text: string): string {
  return text.includes('\t') ? '\t' : text.includes(';') ? ';' : text.includes(',') ? ',' : ' ';
}

export function readPrices(text: string, currency: string): ReadPrices {
  const found: ReadPrices = { changes: [], bad: [] };
  const seen = new Set<string>();
  const delimiter = delimiterOf(text);
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  let columns = { gtin: 0, price: 1 };
  let first = true;
  lines.forEach((raw, i) => {
    const line = raw.trim();
    if (!line) {
      return;
    }
    const at = delimiter === ' ' ? line.split(/\s+/) : cells(line, delimiter);
    const head = first ? columnsOf(at) : null;
    first = false;
    if (head) {
      columns = head;
      return;
    }
    const wrong = (error: LineError): void => void found.bad.push({ line: i + 1, text: line, error });
    const [gtinText, priceText] = [at[columns.gtin], at[columns.price]];
    if (!gtinText || !priceText) {
      wrong('columns');
      return;
    }
    const gtin = gtinOfScan(gtinText)?.padStart(14, '0');
    const price = parsePrice(priceText, currency);
    if (!gtin) {
      wrong('gtin');
    } else if (price.error !== undefined) {
      wrong('price');
    } else if (seen.has(gtin)) {
      wrong('twice');
    } else {
      seen.add(gtin);
      found.changes.push({ gtin, price_minor: price.minor });
    }
  });
  return found;
}

/** "5, 25, 100" -> [5, 25, 100]; null unless they grow and end with 100. */
export function readWaves(text: string): number[] | null {
  const all = text.split(/[\s,;%]+/).filter(Boolean).map(Number);
  const grows = all.every((v, i) => Number.isInteger(v) && v >= 1 && v <= 100 && v > (all[i - 1] ?? 0));
  return all.length > 0 && all.length <= 10 && grows && all.at(-1) === 100 ? all : null;
}

export function readWhole(text: string, min: number, max: number): number | null {
  const v = Number(text.trim());
  return /^\d{1,6}$/.test(text.trim()) && v >= min && v <= max ? v : null;
}
