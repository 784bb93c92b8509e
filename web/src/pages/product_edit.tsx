// SPDX-License-Identifier: Apache-2.0
// Editing what a product is called and what is in it. Somebody else's edit in the meantime is never overwritten.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import * as api from '../api';
import { t } from '../strings';
import { w } from '../strings/prices';
import type { Product } from '../types';
import { Button, Dialog, ErrorBox, Field, say, Select } from '../ui';
import { UNITS } from './new_product';

interface Entries {
  name: string;
  brand: string;
  category: string;
  content: string;
  unit: string;
}
type Key = keyof Entries;

function entriesOf(p: Product): Entries {
  return { name: p.name, brand: p.brand ?? '', category: p.category ?? '', content: p.content ?? '', unit: p.unit ?? '' };
}

/** Only what differs is sent; content and unit belong together. */
function changesOf(p: Product, e: Entries): Partial<api.NewProduct> {
  const old = entriesOf(p);
  const body: Partial<api.NewProduct> = {};
  const text = { ...e, name: e.name.trim(), brand: e.brand.trim(), category: e.category.trim(), content: e.content.trim().replace(',', '.') };
  for (const k of ['name', 'brand', 'category'] as Key[]) {
    if (text[k] !== old[k]) {
      body[k] = text[k];
    }
  }
  if (text.content !== old.content || text.unit !== old.unit) {
    Object.assign(body, { content: text.content, unit: text.unit });
  }
  return body;
}

export function ProductEditDialog({ product, onClose, onSaved }: { product: Product; onClose: () => void; onSaved: (p: Product) => void }): JSX.Element {
  const [base, setBase] = useState(product);
  const [e, setEntries] = useState(() => entriesOf(product));
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const problem = error instanceof api.Problem ? error : null;
  const stale = problem?.status === 412;
  const set = (change: Partial<Entries>): void => setEntries((x) => ({ ...x, ...change }));
  const body = changesOf(base, e);
  const submit = (ev: Event): void => {
    ev.preventDefault();
    if (Object.keys(body).length === 0) {
      onClose();
      return;
    }
    setBusy(true);
    setError(null);
    api.products.change(base.id, base.etag, body).then(
      (p) => {
        say(w.saved(p.name));
        onSaved(p);
        onClose();
      },
      (x: unknown) => {
        setBusy(false);
        setError(x);
      },
    );
  };
  const load = (): void => {
    api.products.get(base.id).then((p) => {
      setBase(p);
      setEntries(entriesOf(p));
      setError(null);
    }, setError);
  };
  const field = (k: Exclude<Key, 'unit'>, label: string, more = {}): JSX.Element => (
    <Field label={label} value={e[k]} onInput={(v) => set({ [k]: v })} error={problem?.field(k) ?? null} {...more} />
  );
  return (
    <Dialog title={w.edit} onClose={onClose}>
      <form onSubmit={submit}>
        {field('name', t.products.name, { required: true, focus: true })}
        {field('brand', t.products.brand)}
        {field('category', w.category)}
        <div class="row">
          {field('content', t.products.content, { inputMode: 'decimal', hint: t.products.contentHint })}
          <Select label={t.products.unit} value={e.unit} options={UNITS.map((u) => [u, u || '–'])} onChange={(unit) => set({ unit })} />
        </div>
        {stale ? (
          <div class="notice tone-warn" role="alert">
            <div class="grow">{w.changed}</div>
            <Button icon="refresh" onClick={load}>
              {w.loadNew}
            </Button>
          </div>
        ) : (
          <ErrorBox error={api.unplaced(error, 'name', 'brand', 'category', 'content')} />
        )}
        <div class="actions">
          <Button type="submit" kind="main" busy={busy} disabled={!e.name.trim()}>
            {t.save}
          </Button>
          <Button onClick={onClose}>{t.cancel}</Button>
        </div>
      </form>
    </Dialog>
  );
}
