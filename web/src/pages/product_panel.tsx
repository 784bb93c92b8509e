// SPDX-License-Identifier: Apache-2.0
// One product: its price and the way of that price to the shelf, its labels, its stock, its price history.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import * as api from '../api';
import { count, dateTime, gtinShort, money } from '../format';
import { useFetched, useLive, useThrottled, useWide } from '../hooks';
import { PriceForm, PricePreview, PriceProgress } from '../price';
import { may } from '../session';
import { t } from '../strings';
import type { Label, Product } from '../types';
import { Button, ErrorBox, Fact, Loading } from '../ui';
import { Facts3, LabelPicture, StateChip } from './label_parts';
import { unitPrice } from './products';

function PriceHistory({ product }: { product: Product }): JSX.Element {
  const f = useFetched(`history/${product.id}`, () => api.prices.history(product.id, { limit: 50 }));
  useLive('price', (e) => e.product_id === product.id && f.reload());
  return (
    <section>
      <h3>{t.price.history}</h3>
      <ErrorBox error={f.error} retry={f.reload} />
      {f.data && f.data.items.length === 0 && <p class="hint">{t.price.noHistory}</p>}
      {f.data && f.data.items.length > 0 && (
        <div class="table-scroll" tabIndex={0} role="region" aria-label={t.price.history}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t.price.validFrom}</th>
                <th scope="col" class="num">
                  {t.products.price}
                </th>
                <th scope="col">{t.price.by}</th>
              </tr>
            </thead>
            <tbody>
              {f.data.items.map((c) => (
                <tr key={c.id}>
                  <td>{dateTime(c.from)}</td>
                  <td class="num">{money(c.price_minor, c.currency)}</td>
                  <td>
                    {c.by}
                    {c.reason && <div class="sub">{c.reason}</div>}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

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

function PriceSection({ product, labels }: { product: Product; labels: Label[] }): JSX.Element {
  const [minor, setMinor] = useState<number | null>(null);
  // On a phone the focus would raise the keyboard over what one came to read.
  const wide = useWide(720);
  const first = labels.find((l) => l.width > 0);
  return (
    <section class="price-section">
      <div class="price-now">
        <span class="big-price">{money(product.price_minor, product.currency)}</span>
        <span class="sub">{unitPrice(product) || t.products.noUnitPrice}</span>
      </div>
      {may('prices') && <PriceForm product={product} focus={wide} onMinor={setMinor} />}
      {minor !== null && first && <PricePreview product={product} minor={minor} label={first} />}
      <PriceProgress productId={product.id} />
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
        <Button icon="cross" kind="quiet" label={t.close} onClick={onClose} />
      </header>
      <ErrorBox error={f.error} retry={f.reload} />
      {!p && !f.error && <Loading />}
      {p && (
        <>
          <PriceSection product={p} labels={labels} />
          <ErrorBox error={l.error} retry={l.reload} />
          <ProductLabels product={p} labels={labels} />
          <ProductStock product={p} />
          <PriceHistory product={p} />
        </>
      )}
    </aside>
  );
}
