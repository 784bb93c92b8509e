// SPDX-License-Identifier: Apache-2.0
// Promotions: a lower price between two wall-clock edges.

import { call, idempotencyKey, listCall, type ListOptions, request } from '../api';
import type { Offer, Page } from '../types';
import type { LabelStep, StepState } from './progress';

export type PromotionState = 'draft' | 'scheduled' | 'running' | 'ended' | 'cancelled';

/** Exactly one of these says which products. */
export interface Selection {
  product_ids?: number[];
  gtins?: string[];
  brand?: string;
  category?: string;
}

export interface Occurrence {
  start: string;
  end: string;
  start_wall: string;
  end_wall: string;
  notes: string[];
}

export interface Warning {
  code: string;
  detail: string;
}

export interface PromotionBody {
  name: string;
  kind: 'percent' | 'fixed';
  percent?: string | null;
  price_minor?: number | null;
  currency?: string;
  select: Selection;
  start: string;
  end: string;
  recurrence: string | null;
  state?: 'draft' | 'scheduled';
  /** In a preview: the promotion being edited, which is not in conflict with itself. */
  id?: number;
}

export interface Promotion {
  id: number;
  name: string;
  kind: 'percent' | 'fixed';
  percent: string | null;
  price_minor: number | null;
  currency: string;
  select: Selection;
  zone: string;
  start: string;
  end: string;
  recurrence: string | null;
  state: PromotionState;
  created: string;
  by: string;
  etag: string;
  products: number;
  labels: number;
  next: Occurrence | null;
  occurrences: Occurrence[];
  warnings: Warning[];
  cancelled?: { at: string; by: string; reason: string | null } | null;
}

export interface PromotionSample {
  product_id: number;
  gtin: string;
  name: string;
  regular_minor: number | null;
  promo_minor: number | null;
  was_minor: number | null;
  prior_minor: number | null;
  labels: number;
}

export interface PromotionPreview {
  products: number;
  labels: number;
  occurrences: Occurrence[];
  warnings: Warning[];
  conflicts: { promotion_id: number; name: string; product_id: number; gtin: string; detail: string }[];
  sample: PromotionSample[];
}

export interface PromotionProduct {
  product_id: number;
  gtin: string;
  name: string;
  /** The regular price. */
  price_minor: number | null;
  labels: number;
  /** What the shelf shows now. */
  offer: Offer | null;
}

export interface EdgeProgress {
  edge: 'start' | 'end' | null;
  due: string | null;
  total: number;
  waiting: number;
  staged: number;
  flipped: number;
  shown: number;
  failed: number;
}

/** What a label's picture says besides the price. */
export interface OfferText {
  was_minor?: number | null;
  prior_minor?: number | null;
  until?: string | null;
}

export interface Panel {
  width: number;
  height: number;
  display_type: number | string;
}

export const promotions = {
  list: (state: string, o: ListOptions = {}) => listCall<Page<Promotion>>('/promotions', o, { state }),
  get: (id: number) => call<Promotion>('GET', '/promotions/{id}', { args: [id] }),
  create: (body: PromotionBody) =>
    call<Promotion>('POST', '/promotions', { body, headers: { 'Idempotency-Key': idempotencyKey() } }),
  change: (id: number, etag: string, body: Partial<PromotionBody>) =>
    call<Promotion>('PATCH', '/promotions/{id}', { args: [id], body, headers: { 'If-Match': etag } }),
  cancel: (id: number, reason: string) => call<Promotion>('POST', '/promotions/{id}/cancel', { args: [id], body: { reason } }),
  preview: (body: PromotionBody, signal: AbortSignal) => call<PromotionPreview>('POST', '/promotions/preview', { body, signal }),
  products: (id: number, o: ListOptions = {}) => listCall<Page<PromotionProduct>>('/promotions/{id}/products', o, {}, [id]),
  labels: (id: number, state: StepState | '', o: ListOptions = {}) =>
    listCall<Page<LabelStep>>('/promotions/{id}/labels', o, { state }, [id]),
  progress: (id: number) => call<EdgeProgress>('GET', '/promotions/{id}/progress', { args: [id] }),
};

/** The picture of an offer on a panel of this size, drawn by the server exactly as a label would show it. */
export async function previewPicture(product: number, minor: number, offer: OfferText, panel: Panel, signal: AbortSignal): Promise<Blob> {
  const body = { product_id: product, price_minor: minor, width: panel.width, height: panel.height, display_type: panel.display_type, ...offer };
  const res = await request('POST', '/templates/preview', { body, headers: { Accept: 'image/png' }, signal });
  return res.blob();
}
