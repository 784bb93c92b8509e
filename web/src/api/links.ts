// SPDX-License-Identifier: Apache-2.0
// Which label belongs to which product: by list, with its history; and finding and replacing a label.

import { call, type ImportHandle, type ListOptions, listCall, uploadCsv } from '../api';
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
  from: LinkProduct | null;
  to: LinkProduct | null;
  undone: boolean;
}

export interface LinkImport {
  dry_run: boolean;
  rows: number;
  [figure: string]: unknown;
}

export type FlashColour = 'red' | 'green' | 'blue' | 'white';

export const links = {
  list: (o: ListOptions = {}) => listCall<Page<LinkEvent>>('/labels/links', o),
  undo: (id: number) => call<unknown>('POST', '/labels/links/{id}/undo', { args: [id] }),
  import: (file: Blob, dry: boolean, relink: boolean, progress: (sent: number, of: number) => void): ImportHandle<LinkImport> =>
    uploadCsv('/labels/links/import', { dry_run: dry ? 1 : 0, relink: relink ? 1 : 0 }, file, progress),
  flash: (label: string, seconds: number, colour: FlashColour) =>
    call<{ until: string }>('POST', '/labels/{id}/flash', { args: [label], body: { seconds, colour } }),
  replace: (label: string, by: string) => call<Label | undefined>('POST', '/labels/{id}/replace', { args: [label], body: { by } }),
};
