// SPDX-License-Identifier: Apache-2.0
// Linking by scanning, without a page around it: label and product come in either order, again and again.

import { signal } from '@preact/signals';
import * as api from './api';
import { links } from './api/links';
import { gtinOfScan, gtinShort } from './format';
import { play, type Tune } from './sound';
import { k } from './strings/links';
import type { Label, Product } from './types';
import { plain, say } from './ui';

/** What was scanned first is forgotten after this time: nobody links with a scan of half an hour ago. */
const FORGET_MS = 120_000;
const KEEP_DONE = 20;

export interface Done {
  n: number;
  label: string;
  gtin: string;
  tone: 'good' | 'ask' | 'bad';
  text: string;
  undone: boolean;
}

export const pendingLabel = signal<string | null>(null);
export const pendingProduct = signal<Product | null>(null);
/** A label that belongs to another product: replaced only when one says so. */
export const question = signal<{ label: string; gtin: string; name: string } | null>(null);
export const done = signal<Done[]>([]);
export const keepProduct = signal(false);
/** Rises with each answer, so that a bar can flash in its colour. */
export const answers = signal(0);

/** The label scanned last, as the server knew it then. */
let known: Label | null = null;
let forget: ReturnType<typeof setTimeout> | undefined;
let count = 0;

/** A label's own barcode is its 12-digit hexadecimal address, with or without colons. */
export function labelOfScan(s: string): string | null {
  const hex = s.replace(/[:\-\s]/g, '').toUpperCase();
  return /^[0-9A-F]{12}$/.test(hex) ? hex : null;
}

/** What a scan is. Twelve digits may be a UPC or a label's address; the check digit decides. */
export function meaning(scan: string): { gtin: string } | { label: string } | null {
  const gtin = gtinOfScan(scan);
  const label = gtin ? null : labelOfScan(scan);
  return gtin ? { gtin } : label ? { label } : null;
}

function tell(tone: Done['tone'], text: string, label = '', gtin = ''): void {
  const tune: Record<Done['tone'], Tune> = { good: 'good', ask: 'ask', bad: 'bad' };
  done.value = [{ n: ++count, label, gtin, tone, text, undone: false }, ...done.value].slice(0, KEEP_DONE);
  answers.value++;
  play(tune[tone]);
  say(text);
}

function clearLater(): void {
  clearTimeout(forget);
  forget = setTimeout(reset, FORGET_MS);
}

export function reset(): void {
  clearTimeout(forget);
  pendingLabel.value = null;
  pendingProduct.value = null;
  question.value = null;
}

/** Sends the link; asks first when the label belongs to another product. */
async function link(label: string, product: Pick<Product, 'gtin' | 'name'>, force: boolean): Promise<void> {
  question.value = null;
  if (known?.id === label && known.product?.gtin === product.gtin) {
    // Nothing changes, so there is nothing that Undo could take back.
    tell('good', k.bar.same(label, product.name));
    return;
  }
  try {
    const l = await api.labels.link(label, product.gtin, force);
    tell('good', k.bar.linked(label, l?.product?.name ?? product.name), label, product.gtin);
  } catch (e) {
    if (e instanceof api.Problem && e.code === 'already-linked' && !force) {
      question.value = { label, gtin: product.gtin, name: product.name };
      tell('ask', k.bar.already(label, known?.product?.name ?? ''), label, product.gtin);
    } else {
      tell('bad', k.bar.failed(label, plain(e)), label, product.gtin);
    }
  }
}

async function both(): Promise<void> {
  const label = pendingLabel.value;
  const product = pendingProduct.value;
  if (!label || !product) {
    play('taken');
    clearLater();
    return;
  }
  pendingLabel.value = null;
  if (!keepProduct.value) {
    pendingProduct.value = null;
  }
  await link(label, product, false);
}

async function takeLabel(id: string): Promise<void> {
  try {
    known = await api.labels.get(id);
  } catch (e) {
    tell('bad', e instanceof api.Problem && e.status === 404 ? k.bar.noLabel(id) : plain(e), id);
    return;
  }
  pendingLabel.value = id;
  say(known.product ? `${id}, ${known.product.name}` : id);
  await both();
}

async function takeProduct(gtin: string): Promise<void> {
  try {
    pendingProduct.value = await api.products.byGtin(gtin);
  } catch (e) {
    tell('bad', e instanceof api.Problem && e.status === 404 ? k.bar.noProduct(gtinShort(gtin.padStart(14, '0'))) : plain(e), '', gtin);
    return;
  }
  say(pendingProduct.value?.name ?? '');
  await both();
}

// Scans are taken one after the other: a fast hand must not overtake the server.
let queue: Promise<void> = Promise.resolve();

/** Takes one scan. The same label again answers an open question with yes, anything else with no. */
export function take(scan: string): Promise<void> {
  queue = queue.then(async () => {
    const m = meaning(scan);
    const q = question.value;
    if (q && m && 'label' in m && m.label === q.label) {
      await link(q.label, q, true);
      return;
    }
    question.value = null;
    if (!m) {
      tell('bad', k.bar.unknown(scan));
    } else if ('label' in m) {
      await takeLabel(m.label);
    } else {
      await takeProduct(m.gtin);
    }
  });
  return queue;
}

export function confirmReplace(): void {
  const q = question.value;
  if (q) {
    void link(q.label, q, true);
  }
}

export function refuseReplace(): void {
  const q = question.value;
  question.value = null;
  if (q) {
    say(k.bar.left(q.label));
  }
}

/** The newest link that was made here and not yet taken back. */
export function lastUndoable(): Done | undefined {
  return done.value.find((d) => d.tone === 'good' && !d.undone && d.label !== '');
}

/** Takes a link back: the label belongs again to whatever it belonged to before. */
export async function undo(d: Done): Promise<void> {
  try {
    const page = await links.list(d.label, { limit: 1 });
    const last = page.items[0];
    if (last && last.label === d.label && !last.undone) {
      await links.undo(last.id);
    }
    done.value = done.value.map((x) => (x.n === d.n ? { ...x, undone: true, text: k.bar.undone(d.label) } : x));
    say(k.bar.undone(d.label));
  } catch (e) {
    tell('bad', k.bar.failed(d.label, plain(e)));
  }
}
