// SPDX-License-Identifier: Apache-2.0
// What the books say there is: a list, one quantity set by hand, and many by file.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import * as api from '../api';
import { type BookRow, books, type StockImport } from '../api/books';
import { count, gtinShort } from '../format';
import { useFetched, usePaged, useWide } from '../hooks';
import { here, setQuery } from '../router';
import { may } from '../session';
import { t } from '../strings';
import { b, d } from '../strings/differences';
import type { Product } from '../types';
import { Ago, Button, Dialog, Empty, ErrorBox, Field, LinkButton, PageHead, say, SearchBox, Select } from '../ui';
import { VirtualTable } from '../virtual';
import { ImportFlow, type ImportKind } from './import_flow';
import { ProductPicker } from './product_picker';
import { StockTabs } from './stock_tabs';

/** The numbers of an import's answer that we have words for, in the order of the words. */
export function figuresOf(r: { rows: number }): [string, number][] {
  const found: [string, number][] = [];
  for (const [key, name] of Object.entries(b.figures)) {
    const value = (r as Record<string, unknown>)[key];
    if (typeof value === 'number') {
      found.push([name, value]);
    }
  }
  return found;
}

const IMPORT: ImportKind<StockImport> = {
  title: b.importTitle,
  lead: b.importLead,
  format: b.format,
  example: 'gtin,quantity,place\n4006381333931,24,Sales floor\n4006381333931,60,Back room\n',
  back: { href: '/differences/books', text: b.title },
  upload: books.import,
  figures: figuresOf,
};

function SetDialog({ onClose, onSaved }: { onClose: () => void; onSaved: () => void }): JSX.Element {
  const places = useFetched('places', () => api.places.list({ limit: 1000 }));
  const [product, setProduct] = useState<Product | null>(null);
  const [quantity, setQuantity] = useState('');
  const [place, setPlace] = useState('');
  const [reason, setReason] = useState('');
  const [error, setError] = useState<unknown>(null);
  const [bad, setBad] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = (e: Event): void => {
    e.preventDefault();
    const whole = /^\d{1,9}$/.test(quantity.trim()) ? Number(quantity) : null;
    setBad(whole === null ? b.badQuantity : null);
    if (whole === null || !product) {
      return;
    }
    setBusy(true);
    setError(null);
    const body = { quantity: whole, ...(place ? { place_id: Number(place) } : {}), ...(reason.trim() ? { reason: reason.trim() } : {}) };
    books.set(product.id, body).then(
      () => {
        say(b.saved(product.name, whole));
        onSaved();
        onClose();
      },
      (x: unknown) => {
        setError(x);
        setBusy(false);
      },
    );
  };
  const options: [string, string][] = [['', b.wholeStore], ...(places.data?.items ?? []).map((p): [string, string] => [String(p.id), p.name])];
  return (
    <Dialog title={b.set} onClose={onClose}>
      <form onSubmit={submit} noValidate>
        <ProductPicker label={b.product} onPick={setProduct} focus />
        <div class="row">
          <Field label={b.quantity} value={quantity} onInput={setQuantity} inputMode="numeric" error={bad} class="short" />
          <Select label={b.place} value={place} options={options} onChange={setPlace} />
        </div>
        <Field label={b.reason} value={reason} onInput={setReason} maxLength={200} />
        <ErrorBox error={error} />
        <div class="actions">
          <Button type="submit" kind="main" busy={busy} disabled={!product || !quantity.trim()}>
            {t.save}
          </Button>
          <Button onClick={onClose}>{t.cancel}</Button>
        </div>
      </form>
    </Dialog>
  );
}

function Row({ r }: { r: BookRow }): JSX.Element {
  return (
    <>
      <div role="cell" class="c-name">
        <a class="row-link clip" data-row href={`/differences/${r.product_id}`}>
          {r.name}
        </a>
        <span class="sub mono">{gtinShort(r.gtin)}</span>
      </div>
      <div role="cell" class="c-place clip">
        {r.place ?? b.wholeStore}
      </div>
      <div role="cell" class="num c-quantity">
        <strong>{count(r.quantity)}</strong>
      </div>
      <div role="cell" class="c-time clip sub">
        <Ago at={r.as_of} />
        {r.by ? ` · ${r.by}` : ''}
      </div>
    </>
  );
}

function Head(): JSX.Element {
  return (
    <>
      <div role="columnheader">{b.product}</div>
      <div role="columnheader">{b.place}</div>
      <div role="columnheader" class="num">
        {b.quantity}
      </div>
      <div role="columnheader">{b.asOf}</div>
    </>
  );
}

function BookList(): JSX.Element {
  const q = here.value.query.get('q') ?? '';
  const wide = useWide(720);
  const [setting, setSetting] = useState(false);
  const list = usePaged<BookRow>(`books/${q}`, (after, limit, signal) => books.list(q, { after, limit, signal }));
  void list.version.value;
  return (
    <div class="page fill">
      <div class="list-side">
        <StockTabs />
        <PageHead title={b.title} lead={b.lead}>
          {may('books') && (
            <>
              <LinkButton href="/differences/books/import" icon="upload" kind="main">
                {b.import}
              </LinkButton>
              <Button icon="edit" onClick={() => setSetting(true)}>
                {b.set}
              </Button>
            </>
          )}
        </PageHead>
        <div class="toolbar">
          <SearchBox label={b.search} value={q} onSearch={(v) => setQuery({ q: v })} />
        </div>
        <ErrorBox error={list.error.value} retry={() => list.retry()} />
        {list.empty && (
          <Empty icon={q ? 'search' : 'list'} title={q ? b.noMatch : b.none}>
            {!q && <p>{b.noneHint}</p>}
          </Empty>
        )}
        {!list.empty && (
          <VirtualTable
            list={list}
            rowHeight={wide ? 56 : 84}
            label={b.title}
            class="books"
            head={wide ? <Head /> : undefined}
            row={(r) => (r ? <Row r={r} /> : <div role="cell" class="skeleton" />)}
          />
        )}
      </div>
      {setting && <SetDialog onClose={() => setSetting(false)} onSaved={() => list.reload()} />}
    </div>
  );
}

export function BooksPage({ id }: { id: string | null }): JSX.Element {
  if (id !== 'import') {
    return <BookList />;
  }
  return may('books') ? (
    <ImportFlow kind={IMPORT} />
  ) : (
    <Empty icon="warn" title={t.problems.forbidden}>
      <LinkButton href="/differences">{d.title}</LinkButton>
    </Empty>
  );
}
