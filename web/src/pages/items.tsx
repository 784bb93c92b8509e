// SPDX-License-Identifier: Apache-2.0
// The items behind a stock figure.

import type { JSX } from 'preact';
import * as api from '../api';
import { count, gtinShort, percent } from '../format';
import { useFetched, useLive, usePaged, useThrottled, useWide } from '../hooks';
import { here } from '../router';
import { t } from '../strings';
import type { Item } from '../types';
import { Ago, Chip, Empty, ErrorBox, LinkButton, PageHead } from '../ui';
import { VirtualTable } from '../virtual';
import { tagWords } from './scheme';
import { FOREIGN } from './stock';

/** How sure we are of the place, in words, number and colour. */
export function Confidence({ value }: { value: number }): JSX.Element {
  const tone = value >= 0.85 ? 'good' : value >= 0.6 ? 'busy' : 'warn';
  const icon = value >= 0.85 ? 'check' : value >= 0.6 ? 'clock' : 'unknown';
  return (
    <Chip tone={tone} icon={icon} title={t.items.confidenceHint}>
      {percent(value)} {value >= 0.85 ? t.items.sure : value >= 0.6 ? t.items.likely : t.items.unsure}
    </Chip>
  );
}

function ItemRow({ item }: { item: Item }): JSX.Element {
  return (
    <>
      <div role="cell" class="c-name">
        <a class="row-link clip mono" data-row href={`/items/${item.epc}`}>
          {item.epc}
        </a>
        <span class="sub clip">
          {item.product?.name ?? (item.gtin ? t.stock.unknownProduct(gtinShort(item.gtin)) : `${t.stock.foreign} · ${tagWords(item)}`)}
          {item.serial ? ` · ${t.items.serial} ${item.serial}` : ''}
        </span>
      </div>
      <div role="cell" class="c-place">
        {item.state === 'gone' ? t.items.gone : (item.place?.name ?? t.stock.unplaced)}
      </div>
      <div role="cell" class="c-conf">
        <Confidence value={item.confidence} />
      </div>
      <div role="cell" class="c-time sub">
        <Ago at={item.last_seen} />
      </div>
    </>
  );
}

function useSubject(product: string | null, gtin: string | null, place: string | null): { product: string; place: string } {
  const p = useFetched(`items-product/${product}`, () => (product ? api.products.get(Number(product)) : Promise.resolve(null)));
  const all = useFetched(`items-places/${place}`, () => (place ? api.places.list({ limit: 1000 }) : Promise.resolve(null)));
  const productText = product ? (p.data?.name ?? '') : gtin === FOREIGN ? t.stock.foreign : gtin ? t.stock.unknownProduct(gtinShort(gtin)) : t.items.all;
  const placeText = place === '0' ? t.stock.unplaced : place ? (all.data?.items.find((x) => String(x.id) === place)?.name ?? '') : t.stock.allPlaces;
  return { product: productText, place: placeText };
}

export function ItemsPage(): JSX.Element {
  const query = here.value.query;
  const product = query.get('product_id');
  const gtin = query.get('gtin');
  const place = query.get('place_id');
  const wide = useWide(720);
  const subject = useSubject(product, gtin, place);
  const list = usePaged<Item>(`items/${product}/${gtin}/${place}`, (after, limit, signal) => {
    const o: api.ItemQuery = {};
    if (product) {
      o.product_id = product;
    }
    if (gtin !== null) {
      o.gtin = gtin;
    }
    if (place) {
      o.place_id = place;
    }
    return api.items.list(o, { after, limit, signal });
  });
  const reload = useThrottled(() => list.reload(), 1500);
  useLive('item', (e) => {
    const known = list.held().some((i) => i.epc === e.epc);
    if (known || !product || String(e.product_id) === product) {
      reload();
    }
  });
  void list.version.value;
  const empty = list.empty;
  return (
    <div class="page fill">
      <div class="list-side">
        <PageHead title={t.items.title} lead={`${subject.product} · ${subject.place}`}>
          <LinkButton href="/stock" icon="back">
            {t.stock.title}
          </LinkButton>
        </PageHead>
        <p class="hint" role="status">
          {list.read > 0 ? t.items.total(list.length, list.exact, count(list.length)) : list.loading.value ? t.loading : ''}
        </p>
        <ErrorBox error={list.error.value} retry={() => list.retry()} />
        {empty ? (
          <Empty icon="boxes" title={t.items.none}>
            <p>{t.items.noneHint}</p>
          </Empty>
        ) : (
          <VirtualTable
            list={list}
            rowHeight={wide ? 72 : 92}
            label={t.items.title}
            class="items"
            row={(i) => (i ? <ItemRow item={i} /> : <div role="cell" class="skeleton" />)}
          />
        )}
      </div>
    </div>
  );
}
