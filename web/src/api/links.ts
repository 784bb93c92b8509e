// SPDX-License-Identifier: Apache-2.0
// Which label belongs to which product: by list, with its history; and finding and replacing a label.

import { call, idempotencyKey, type ImportHandle, type ListOptions, listCall, uploadCsv } from '../api';
import type { Label, Page } from '../types';

export interface LinkProduct {
  id?: number;
  gtin?: string;
  name?: string;
}

export interface LinkEvent {
  id: number;
  at: string;
  by: string;
  label: string;
  cause?: 'link' | 'unlink' | 'import' | 'replace' | 'undo';
  /** The first of those that were written together. */
  batch?: number | null;
  undo_of?: number | null;
  from: LinkProduct | null;
  to: LinkProduct | null;
  undone: boolean;
  superseded?: boolean;
}

export interface LinkImport {
  dry_run: boolean;
  rows: number;
  linked: number;
  relinked: number;
  unchanged: number;
}

export type FlashColour = 'red' | 'green' | 'blue' | 'white';

/** One label of a pick: it blinks until then, or is refused. */
export interface Picked {
  label: string | null;
  until?: string | null;
  refused?: { code: string; detail: string };
}

/** The most that one pick may name. */
export const PICK_MAX = 100;

export const links = {
  list: (label: string, o: ListOptions = {}) => listCall<Page<LinkEvent>>('/labels/links', o, { label }),
  /** Takes one change back; with `batch`, all that was written together with it. */
  undo: (id: number, batch = false) =>
    call<unknown>('POST', '/labels/links/{id}/undo', { args: [id], body: batch ? { batch: true } : {}, headers: { 'Idempotency-Key': idempotencyKey() } }),
  import: (file: Blob, dry: boolean, relink: boolean, progress: (sent: number, of: number) => void): ImportHandle<LinkImport> =>
    uploadCsv('/labels/links/import', { dry_run: dry ? 1 : 0, relink: relink ? 1 : 0 }, file, progress),
  flash: (label: string, seconds: number, colour: FlashColour) =>
    call<{ until: string }>('POST', '/labels/{id}/flash', { args: [label], body: { seconds, colour }, headers: { 'Idempotency-Key': idempotencyKey() } }),
  pick: (labels: string[], seconds: number, colour: FlashColour) =>
    call<{ items: Picked[] }>('POST', '/labels/pick', { body: { labels, seconds, colour }, headers: { 'Idempotency-Key': idempotencyKey() } }),
  stopPick: (labels: string[]) => call<{ items: Picked[] }>('POST', '/labels/pick/stop', { body: { labels }, headers: { 'Idempotency-Key': idempotencyKey() } }),
  replace: (label: string, by: string, force: boolean) =>
    call<Label | undefined>('POST', '/labels/{id}/replace', { args: [label], body: { by, ...(force ? { force: true } : {}) }, headers: { 'Idempotency-Key': idempotencyKey() } }),
};
