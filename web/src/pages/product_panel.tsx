// SPDX-License-Identifier: Apache-2.0
// One product: its price and the way of that price to the shelf, its labels, its stock, its price history.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import * as api from '../api';
import { count, dateTime, gtinShort, money } from '../format';
import { useFetched, useLive, useThrottled, useWide } from '../hooks';
import { Icon } from '../icons';
import { PriceForm, PricePreview, PriceProgress } from '../price';
import { may } from '../session';
import { t } from '../strings';
import { w } from '../strings/prices';
import type { Label, Product } from '../types';
import { Button, ErrorBox, Fact, Loading } from '../ui';
import { Facts3, LabelPicture, StateChip } from './label_parts';
import { PriceHistory } from './price_history';
import { PricePlan } from './price_plan';
import { ProductEditDialog } from './product_edit';
import { unitPrice } from './products';

function ProductLabels({ product, labels }: { product: Product; labels: Label[] }): JSX.Element {
  return (
    <section>
      <h3>{t.products.labelsTitle}</h3>
      {labels.length === 0 && (
        <p class="hint">
          {t.price.noLabels} {may('labels') && <a href="/labels?scan=1">{t.price.linkOne}</a>}
        </p>
      )}
      {labels.map((l) => (
        <div class="label-line" key={l.id}>
          <LabelPicture label={l} what="shown" />
          <div>
            <a href={`/labels/${l.id}`} class="mono">
              {l.id}
            </a>{' '}
            <StateChip label={l} />
            <Facts3 label={l} />
          </div>
        </div>
      ))}
      {labels.length > 0 && product.labels > labels.length && (
        <a href={`/labels?q=${product.gtin}`}>{t.products.labels(product.labels)}</a>
      )}
    </section>
  );
}

function ProductStock({ product }: { product: Product }): JSX.Element {
  const f = useFetched(`stock/${product.id}`, () => api.stock.list({ product_id: product.id }));
  const reload = useThrottled(f.reload, 1000);
  useLive('stock', (e) => e.product_id === product.id && reload());
  const row = f.data?.items[0];
  return (
    <section>
      <h3>{t.stock.title}</h3>
      <ErrorBox error={f.error} retry={f.reload} />
      {f.data && !row && <p class="hint">{t.stock.noneOfProduct}</p>}
      {row && (
        <dl class="facts">
          <Fact name={t.stock.total}>
            <a href={`/stock/items?product_id=${product.id}`}>{count(row.total)}</a>
          </Fact>
          {row.places.map((p) => (
            <Fact key={String(p.place_id)} name={p.place ?? t.stock.unplaced}>
              <a href={`/stock/items?product_id=${product.id}&place_id=${p.place_id ?? 0}`}>{count(p.count)}</a>
            </Fact>
          ))}
        </dl>
      )}
    </section>
  );
}

/** What the shelf shows now, and what it is measured by. */
function OfferNow({ product }: { product: Product }): JSX.Element {
  const o = product.offer?.promotion_id ? product.offer : null;
  return (
    <>
      <div class="price-now">
        <span class="big-price">{money(o ? o.price_minor : product.price_minor, product.currency)}</span>
        {o?.was_minor ? (
          <span class="was">
            <span class="hidden">{w.instead('')}</span>
            <s>{money(o.was_minor, product.currency)}</s>
          </span>
        ) : null}
        <span class="sub">{unitPrice(product) || t.products.noUnitPrice}</span>
      </div>
      {o && (
        <p class="offer-line">
          <Icon name="percent" size={18} /> <a href={`/promotions/${o.promotion_id}`}>{w.byPromotion}</a>
          {o.until && ` ${w.until(dateTime(o.until))}`}
          {o.prior_minor ? <span class="sub">{w.prior(money(o.prior_minor, product.currency))}</span> : null}
        </p>
      )}
    </>
  );
}

function PriceSection({ product, labels, onPlanned }: { product: Product; labels: Label[]; onPlanned: () => void }): JSX.Element {
  const [minor, setMinor] = useState<number | null>(null);
  // On a phone the focus would raise the keyboard over what one came to read.
  const wide = useWide(720);
  const first = labels.find((l) => l.width > 0);
  return (
    <section class="price-section">
      <OfferNow product={product} />
      {may('prices') && <PriceForm product={product} focus={wide} onMinor={setMinor} />}
      {minor !== null && first && <PricePreview product={product} minor={minor} label={first} />}
      <PriceProgress productId={product.id} />
      {may('prices') && <PricePlan product={product} onPlanned={onPlanned} />}
    </section>
  );
}

export function ProductPanel({ id, onClose }: { id: number; onClose: () => void }): JSX.Element {
  const f = useFetched(`product/${id}`, () => api.products.get(id));
  const gtin = f.data?.gtin ?? '';
  const l = useFetched(`labels-of/${gtin}`, () =>
    gtin ? api.labels.list(gtin, '', { limit: 50 }) : Promise.resolve({ items: [], next: null }),
  );
  useLive('price', (e) => {
    if (e.product_id === id) {
      f.reload();
    }
  });
  useLive('product', (e) => (e.id === id || e.id === undefined) && f.reload());
  useLive('label', (e) => {
    const known = l.data?.items.some((x) => x.id === e.id);
    if (known || e.product?.id === id) {
      l.set((page) => ({ ...page, items: known ? page.items.map((x) => (x.id === e.id ? e : x)) : [...page.items, e] }));
    }
  });
  useLive('promotion', f.reload);
  const [editing, setEditing] = useState(false);
  const [turn, setTurn] = useState(0);
  const labels = (l.data?.items ?? []).filter((x) => x.product?.id === id);
  const p = f.data;
  return (
    <aside class="panel" aria-label={p?.name ?? t.nav.products}>
      <header class="panel-head">
        <div class="grow">
          <h2>{p?.name ?? ''}</h2>
          {p && (
            <p class="sub">
              <span class="mono">{gtinShort(p.gtin)}</span>
              {[p.brand, p.content && p.unit ? `${p.content} ${p.unit}` : null, p.category].filter(Boolean).map((x) => ` · ${x}`)}
            </p>
          )}
        </div>
        {p && may('products') && (
          <Button icon="edit" kind="quiet" label={w.edit} onClick={() => setEditing(true)} />
        )}
        <Button icon="cross" kind="quiet" label={t.close} onClick={onClose} />
      </header>
      <ErrorBox error={f.error} retry={f.reload} />
      {!p && !f.error && <Loading />}
      {p && (
        <>
          <PriceSection product={p} labels={labels} onPlanned={() => setTurn((n) => n + 1)} />
          <ErrorBox error={l.error} retry={l.reload} />
          <ProductLabels product={p} labels={labels} />
          <ProductStock product={p} />
          <PriceHistory product={p} turn={turn} />
          {editing && <ProductEditDialog product={p} onClose={() => setEditing(false)} onSaved={(x) => f.set(() => x)} />}
        </>
      )}
    </aside>
  );
}
