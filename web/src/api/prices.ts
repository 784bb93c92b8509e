// SPDX-License-Identifier: Apache-2.0
// Prices that can answer: what held when, by whom and why; undo as a new change; changes for a later day.

import { call, idempotencyKey, listCall, type ListOptions } from '../api';
import type { Page, PriceChange } from '../types';

/** One stretch of time in which one price was offered. */
export interface PricePeriod {
  from: string;
  to: string | null;
  kind: 'regular' | 'promotion';
  price_minor: number;
  currency: string;
  promotion_id: number | null;
  promotion: string | null;
  price_change_id: number | null;
  by: string | null;
  reason: string | null;
}

export const ledger = {
  history: (product: number, o: ListOptions = {}) => listCall<Page<PricePeriod>>('/products/{id}/history', o, {}, [product]),
  undo: (change: number, reason: string) =>
    call<PriceChange>('POST', '/price-changes/{id}/undo', { args: [change], body: reason ? { reason } : {}, headers: { 'Idempotency-Key': idempotencyKey() } }),
  /** A price that holds from a later instant on. */
  plan: (product: number, priceMinor: number, currency: string, from: string, reason: string) =>
    call<PriceChange>('POST', '/price-changes', {
      body: { product_id: product, price_minor: priceMinor, currency, from, ...(reason ? { reason } : {}) },
      headers: { 'Idempotency-Key': idempotencyKey() },
    }),
};
