// SPDX-License-Identifier: Apache-2.0
// After a price change: how far each label of the product has come, and how long that took since the click.
// A stage counts only when a label reports it for the wanted picture; nothing here is assumed.

import { signal } from '@preact/signals';
import * as api from './api';
import { on } from './live';
import type { Grade, Label, PriceChange, Product } from './types';

export type Stage = 'waiting' | 'wanted' | 'sent' | 'shown' | 'error';

export interface LabelProgress {
  id: string;
  label: Label;
  stage: Stage;
  grade: Grade | null;
  /** Milliseconds from the click until this page knew of the stage. */
  wantedMs: number | null;
  sentMs: number | null;
  shownMs: number | null;
}

export interface PriceWatch {
  product: Pick<Product, 'id' | 'gtin' | 'name'>;
  oldMinor: number | null;
  newMinor: number;
  currency: string;
  clicked: number;
  savedMs: number | null;
  failed: unknown;
  loaded: boolean;
  labels: LabelProgress[];
}

/** By product id. A later change of the same product replaces the earlier watch. */
export const watches = signal<ReadonlyMap<number, PriceWatch>>(new Map());

/** How far a label has come with a price. */
export function stageOf(l: Label, minor: number): Stage {
  const w = l.wanted;
  if (!w || w.price_minor !== minor) {
    return 'waiting';
  }
  if (w.image && l.shown?.image === w.image) {
    return 'shown';
  }
  if (l.state === 'error' || l.state === 'lost') {
    return 'error';
  }
  return w.image && l.sent?.image === w.image ? 'sent' : 'wanted';
}

/** The progress after one more report; times once set are kept. */
export function advance(p: LabelProgress | undefined, l: Label, minor: number, elapsed: number): LabelProgress {
  const stage = stageOf(l, minor);
  const reached = (s: Stage, ...more: Stage[]): boolean => stage === s || more.includes(stage);
  return {
    id: l.id,
    label: l,
    stage,
    grade: stage === 'shown' ? (l.shown?.grade ?? null) : null,
    wantedMs: p?.wantedMs ?? (reached('wanted', 'sent', 'shown') ? elapsed : null),
    sentMs: p?.sentMs ?? (reached('sent', 'shown') ? elapsed : null),
    shownMs: p?.shownMs ?? (reached('shown') ? elapsed : null),
  };
}

function update(id: number, change: (w: PriceWatch) => PriceWatch): void {
  const w = watches.value.get(id);
  if (w) {
    const next = new Map(watches.value);
    next.set(id, change(w));
    watches.value = next;
  }
}

function takeLabel(l: Label): void {
  const id = l.product?.id;
  if (id === undefined || !watches.value.has(id)) {
    return;
  }
  update(id, (w) => {
    const elapsed = performance.now() - w.clicked;
    const old = w.labels.find((p) => p.id === l.id);
    const now = advance(old, l, w.newMinor, elapsed);
    return { ...w, labels: old ? w.labels.map((p) => (p === old ? now : p)) : [...w.labels, now] };
  });
}

async function loadLabels(id: number, gtin: string): Promise<void> {
  const page = await api.labels.list(gtin, '', { limit: 200 });
  for (const l of page.items) {
    if (l.product?.id === id) {
      takeLabel(l);
    }
  }
  update(id, (w) => ({ ...w, loaded: true }));
}

/** Saves a price and watches its labels. Rejects when the server refuses the price. */
export async function changePrice(p: Product, minor: number, reason: string): Promise<PriceChange> {
  const clicked = performance.now();
  const w: PriceWatch = {
    product: { id: p.id, gtin: p.gtin, name: p.name },
    oldMinor: p.price_minor,
    newMinor: minor,
    currency: p.currency,
    clicked,
    savedMs: null,
    failed: null,
    loaded: false,
    labels: [],
  };
  watches.value = new Map(watches.value).set(p.id, w);
  try {
    const change = await api.prices.change(p.id, minor, p.currency, reason);
    update(p.id, (x) => ({ ...x, savedMs: performance.now() - clicked }));
    loadLabels(p.id, p.gtin).catch(() => update(p.id, (x) => ({ ...x, loaded: true })));
    return change;
  } catch (e) {
    const next = new Map(watches.value);
    next.delete(p.id);
    watches.value = next;
    throw e;
  }
}

export function forgetWatch(id: number): void {
  const next = new Map(watches.value);
  next.delete(id);
  watches.value = next;
}

export function startWatching(): () => void {
  const offLabel = on('label', takeLabel);
  const offReset = on('reset', () => {
    for (const w of watches.value.values()) {
      void loadLabels(w.product.id, w.product.gtin).catch(() => undefined);
    }
  });
  return () => {
    offLabel();
    offReset();
  };
}
