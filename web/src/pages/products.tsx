// SPDX-License-Identifier: Apache-2.0
// Products: find one, change its price, see it arrive on the shelf.

import type { JSX } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';
import * as api from '../api';
import { count, gtinShort, money } from '../format';
import { Icon } from '../icons';
import { useLive, usePaged, useThrottled, useWide } from '../hooks';
import { PriceForm, WatchChip } from '../price';
import { go, here, setQuery } from '../router';
import { may } from '../session';
import { t } from '../strings';
import type { Product } from '../types';
import { Button, Empty, ErrorBox, LinkButton, PageHead, SearchBox } from '../ui';
import { VirtualTable } from '../virtual';
import { watches } from '../watch';
import { NewProductDialog } from './new_product';
import { ProductPanel } from './product_panel';

/** The address of a product, with the search kept. */
export function productHref(id: number): string {
  const q = here.value.path.startsWith('/products') ? here.value.query.get('q') : null;
  return `/products/${id}${q ? `?q=${encodeURIComponent(q)}` : ''}`;
}

export function unitPrice(p: Product): string {
  return p.unit_price ? t.products.per(money(p.unit_price.minor, p.currency), p.unit_price.per) : '';
}

interface RowProps {
  p: Product;
  wide: boolean;
  editing: boolean;
  onEdit: (id: number | null) => void;
}

function PriceCell({ p, wide, onEdit }: Omit<RowProps, 'editing'>): JSX.Element {
  const text = p.price_minor === null ? t.products.noPrice : money(p.price_minor, p.currency);
  if (!may('prices')) {
    return <span class="price">{text}</span>;
  }
  return (
    <button
      type="button"
      class="price price-button"
      aria-label={t.price.edit(p.name, text)}
      onClick={() => (wide ? onEdit(p.id) : go(productHref(p.id)))}
    >
      {text}
    </button>
  );
}

function ProductRow({ p, wide, editing, onEdit }: RowProps): JSX.Element {
  const w = watches.value.get(p.id);
  if (editing) {
    return (
      <>
        <div role="cell" class="c-name">
          <strong class="clip">{p.name}</strong>
        </div>
        <div role="cell" class="c-edit">
          <PriceForm
            product={p}
            compact
            focus
            onCancel={() => onEdit(null)}
            onSaved={() => {
              onEdit(null);
              go(productHref(p.id));
            }}
          />
        </div>
      </>
    );
  }
  return (
    <>
      <div role="cell" class="c-name">
        <a class="row-link clip" data-row href={productHref(p.id)}>
          {p.name}
        </a>
        <span class="sub clip">{[p.brand, p.content && p.unit ? `${p.content} ${p.unit}` : ''].filter(Boolean).join(' · ')}</span>
      </div>
      <div role="cell" class="c-gtin mono">
        {gtinShort(p.gtin)}
      </div>
      <div role="cell" class="c-unit sub">
        {unitPrice(p)}
      </div>
      <div role="cell" class="c-status">
        {w ? (
          <WatchChip w={w} />
        ) : (
          <a class="count-link" href={`/labels?q=${p.gtin}`} aria-label={t.products.labelsOf(p.labels, p.name)}>
            {t.products.labels(p.labels)}
          </a>
        )}
        {!w && p.offer?.promotion_id ? (
          <a class="offer-chip" href={`/promotions/${p.offer.promotion_id}`} title={t.products.offer}>
            <Icon name="percent" size={14} />
            <span class="hidden">{t.products.offer} </span>
            {money(p.offer.price_minor, p.currency)}
          </a>
        ) : null}
      </div>
      <div role="cell" class="c-price num">
        <PriceCell p={p} wide={wide} onEdit={onEdit} />
      </div>
    </>
  );
}

function Head(): JSX.Element {
  return (
    <>
      <div role="columnheader" class="c-name">
        {t.products.name}
      </div>
      <div role="columnheader" class="c-gtin">
        {t.products.gtin}
      </div>
      <div role="columnheader" class="c-unit">
        {t.products.unitPrice}
      </div>
      <div role="columnheader" class="c-status">
        {t.products.onShelf}
      </div>
      <div role="columnheader" class="c-price num">
        {t.products.price}
      </div>
    </>
  );
}

function NoProducts({ q, onNew }: { q: string; onNew: () => void }): JSX.Element {
  if (q) {
    return (
      <Empty icon="search" title={t.products.noMatch(q)}>
        <p>{t.products.noMatchHint}</p>
        <Button onClick={() => setQuery({ q: null })}>{t.clearSearch}</Button>
      </Empty>
    );
  }
  return (
    <Empty icon="tag" title={t.products.none}>
      <p>{t.products.noneHint}</p>
      {may('products') && (
        <div class="actions">
          <LinkButton href="/products/import" icon="upload" kind="main">
            {t.products.import}
          </LinkButton>
          <Button icon="plus" onClick={onNew}>
            {t.products.add}
          </Button>
        </div>
      )}
    </Empty>
  );
}

export function ProductsPage({ id }: { id: number | null }): JSX.Element {
  const q = here.value.query.get('q') ?? '';
  const wide = useWide(720);
  const [editing, setEditing] = useState<number | null>(null);
  const [adding, setAdding] = useState(false);
  const list = usePaged<Product>(`products/${q}`, (after, limit, signal) => api.products.list(q, { after, limit, signal }));
  const reload = useThrottled(() => list.reload(), 2000);
  useLive('price', (e) =>
    list.patch((p) => (p.id === e.product_id ? { ...p, price_minor: e.price_minor, currency: e.currency } : null)),
  );
  useLive('product', (e) => {
    if (e.id === undefined || !list.held().some((p) => p.id === e.id)) {
      reload();
      return;
    }
    void api.products.get(e.id).then((fresh) => list.patch((p) => (p.id === fresh.id ? fresh : null)), () => undefined);
  });
  useEffect(() => setEditing(null), [q]);
  const close = useCallback(() => go(q ? `/products?q=${encodeURIComponent(q)}` : '/products'), [q]);
  void list.version.value;
  const empty = list.empty;
  return (
    <div class={`page fill ${id ? 'with-panel' : ''}`}>
      <div class="list-side">
        <PageHead title={t.nav.products}>
          {may('products') && (
            <>
              <LinkButton href="/products/import" icon="upload">
                {t.products.import}
              </LinkButton>
              <Button icon="plus" onClick={() => setAdding(true)}>
                {t.products.add}
              </Button>
            </>
          )}
        </PageHead>
        <div class="toolbar">
          <SearchBox label={t.products.search} value={q} onSearch={(v) => setQuery({ q: v })} />
          <span class="hint" role="status">
            {list.read > 0 ? t.products.total(list.length, list.exact, count(list.length)) : list.loading.value ? t.loading : ''}
          </span>
        </div>
        <ErrorBox error={list.error.value} retry={() => list.retry()} />
        {empty ? (
          <NoProducts q={q} onNew={() => setAdding(true)} />
        ) : (
          <VirtualTable
            list={list}
            rowHeight={wide ? 52 : 76}
            label={t.nav.products}
            class="products"
            head={wide ? <Head /> : undefined}
            rowClass={(p) => (p && p.id === id ? 'is-selected' : '')}
            row={(p) =>
              p ? <ProductRow p={p} wide={wide} editing={editing === p.id} onEdit={setEditing} /> : <div role="cell" class="skeleton" />
            }
          />
        )}
      </div>
      {id !== null && <ProductPanel key={id} id={id} onClose={close} />}
      {adding && <NewProductDialog onClose={() => setAdding(false)} />}
    </div>
  );
}
