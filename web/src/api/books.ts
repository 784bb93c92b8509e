// SPDX-License-Identifier: Apache-2.0
// Book stock, sales, deliveries, and what they differ from what the antennas see.

import { call, idempotencyKey, type ImportHandle, type ListOptions, listCall, uploadCsv } from '../api';
import type { Page, PlaceRef } from '../types';

export interface Reason {
  code: string;
  text: string;
}

export interface Difference {
  product_id: number | null;
  gtin: string | null;
  name: string | null;
  place_id: number | null;
  place: string | null;
  /** null: nobody has told a book stock. */
  book: number | null;
  sold: number;
  returned?: number;
  delivered: number;
  expected: number | null;
  seen: number;
  difference: number | null;
  /** Items that are gone and not sold. */
  missing?: number;
  reason: Reason;
}

/** Figures of products, but for the tags. */
export interface DifferenceSummary {
  products: number;
  matching: number;
  missing: number;
  surplus: number;
  untagged: number;
  unknown: number;
  foreign: number;
  missing_items?: number;
  as_of: string | null;
  /** Products by reason code. */
  reasons?: Record<string, number>;
}

export interface DifferencePage extends Page<Difference> {
  summary?: DifferenceSummary;
}

export type LedgerKind = 'book' | 'sale' | 'return' | 'delivery' | 'adjustment';

export interface LedgerRow {
  at: string;
  kind: LedgerKind;
  quantity: number;
  running: number;
  ref: string | null;
  place?: string | null;
  by?: string | null;
  reason?: string | null;
}

export interface DifferenceItem {
  epc: string;
  state: string;
  place: PlaceRef | string | null;
  last_seen: string | null;
  sold: { sale: string; till: string | null; at: string } | null;
  reason: Reason | string | null;
}

/** One place of a product whose book is kept by place. */
export interface PlaceDifference {
  place_id: number | null;
  place: string | null;
  book: number | null;
  expected: number | null;
  seen: number;
  difference: number | null;
  reason?: Reason;
}

export interface DifferenceDetail extends Difference {
  product_id: number;
  gtin: string;
  name: string;
  as_of?: string | null;
  places?: PlaceDifference[];
  ledger: LedgerRow[];
  ledger_total?: number;
  items: DifferenceItem[];
  items_total?: number;
}

export interface Stranger {
  kind: 'unknown' | 'foreign' | string;
  gtin: string | null;
  /** What the tags are, when they carry no GTIN. */
  scheme?: string | null;
  count: number;
  places: { place_id: number | null; place: string | null; count: number }[];
  last_seen: string | null;
}

export interface BookRow {
  product_id: number;
  gtin: string;
  name: string;
  place_id: number | null;
  place: string | null;
  quantity: number;
  as_of: string;
  by?: string | null;
  reason?: string | null;
}

export interface Sale {
  id: string;
  at: string;
  till: string | null;
  lines: { product_id?: number | null; gtin: string | null; name?: string | null; epc?: string | null; quantity: number }[];
}

export interface DeliveryLine {
  gtin: string;
  name?: string | null;
  product_id?: number | null;
  quantity: number;
  seen?: number | null;
  received?: number | null;
  epcs?: string[];
}

export type DeliveryState = 'announced' | 'arriving' | 'received' | 'cancelled';

export interface Delivery {
  id: number;
  reference: string;
  supplier: string | null;
  expected_at: string | null;
  received_at?: string | null;
  state: DeliveryState;
  created?: string;
  announced?: number;
  seen?: number | null;
  place_id?: number | null;
  place?: string | null;
  lines: DeliveryLine[];
}

export interface StockImport {
  dry_run: boolean;
  rows: number;
  [figure: string]: unknown;
}

export interface DifferenceQuery {
  q?: string;
  product_id?: number;
  place_id?: string;
  reason?: string;
}

export const differences = {
  list: (query: DifferenceQuery, o: ListOptions = {}) => listCall<DifferencePage>('/differences', o, { ...query }),
  get: (product: number) => call<DifferenceDetail>('GET', '/differences/{product_id}', { args: [product] }),
  strangers: (o: ListOptions = {}) => listCall<Page<Stranger>>('/differences/strangers', o),
  settle: (product: number, quantity: number, place: number | null, reason: string) =>
    call<unknown>('POST', '/differences/{product_id}/settle', {
      args: [product],
      body: { quantity, reason, ...(place === null ? {} : { place_id: place }) },
      headers: { 'Idempotency-Key': idempotencyKey() },
    }),
};

export const books = {
  list: (q: string, o: ListOptions = {}) => listCall<Page<BookRow>>('/books/stock', o, { q }),
  set: (product: number, body: { quantity: number; place_id?: number | null; reason?: string }) =>
    call<BookRow>('PUT', '/books/stock/{product_id}', { args: [product], body }),
  import: (file: Blob, dry: boolean, progress: (sent: number, of: number) => void): ImportHandle<StockImport> =>
    uploadCsv('/books/stock/import', { dry_run: dry ? 1 : 0 }, file, progress),
};

export const sales = {
  list: (product: string, o: ListOptions = {}) => listCall<Page<Sale>>('/sales', o, { product_id: product }),
};

export interface NewDelivery {
  reference: string;
  supplier?: string;
  expected_at?: string;
  place_id?: number;
  lines: { gtin: string; quantity: number }[];
}

export const deliveries = {
  list: (state: string, o: ListOptions = {}) => listCall<Page<Delivery>>('/deliveries', o, { state }),
  get: (id: number) => call<Delivery>('GET', '/deliveries/{id}', { args: [id] }),
  announce: (d: NewDelivery) => call<Delivery>('POST', '/deliveries', { body: d, headers: { 'Idempotency-Key': idempotencyKey() } }),
  receive: (id: number, lines: { gtin: string; quantity: number }[], place: number | null) =>
    call<Delivery>('POST', '/deliveries/{id}/receive', {
      args: [id],
      body: { lines, ...(place === null ? {} : { place_id: place }) },
      headers: { 'Idempotency-Key': idempotencyKey() },
    }),
  cancel: (id: number) =>
    call<Delivery>('POST', '/deliveries/{id}/cancel', { args: [id], body: {}, headers: { 'Idempotency-Key': idempotencyKey() } }),
};
