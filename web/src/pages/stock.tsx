// SPDX-License-Identifier: Apache-2.0
// Live stock by product and place. Every number opens the items behind it.

import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import * as api from '../api';
import { count, gtinShort } from '../format';
import { useFetched, useLive, usePaged, useThrottled, useWide } from '../hooks';
import { here, setQuery } from '../router';
import { may } from '../session';
import { t } from '../strings';
import type { Place, StockRow, StockSummary } from '../types';
import { Button, Empty, ErrorBox, Fact, LinkButton, PageHead, SearchBox, Select } from '../ui';
import { VirtualTable } from '../virtual';

/** Beyond this many places the columns would not fit; the counts then stand in one cell. */
const MAX_COLUMNS = 6;

/** How the server names tags that carry no GTIN, and (place 0) items without a place. */
export const FOREIGN = '00000000000000';

/** The items behind a number of the table. */
export function itemsHref(row: StockRow, placeId?: number | null): string {
  const q = new URLSearchParams();
  if (row.product_id !== null) {
    q.set('product_id', String(row.product_id));
  } else {
    q.set('gtin', row.gtin ?? FOREIGN);
  }
  if (placeId !== undefined) {
    q.set('place_id', String(placeId ?? 0));
  }
  return `/stock/items?${q.toString()}`;
}

function rowName(row: StockRow): string {
  if (row.product_id !== null) {
    return row.name ?? gtinShort(row.gtin);
  }
  return row.gtin ? t.stock.unknownProduct(gtinShort(row.gtin)) : t.stock.foreign;
}

function Count({ row, placeId, n, place }: { row: StockRow; placeId?: number | null; n: number; place: string }): JSX.Element {
  if (n === 0) {
    return <span class="zero">0</span>;
  }
  return (
    <a class="count-link" href={itemsHref(row, placeId)} aria-label={t.stock.open(n, rowName(row), place)}>
      {count(n)}
    </a>
  );
}

function countAt(row: StockRow, place: number | null): number {
  return row.places.find((p) => p.place_id === place)?.count ?? 0;
}

function Name({ row }: { row: StockRow }): JSX.Element {
  return (
    <div role="cell" class="c-name">
      <a class={`row-link clip ${row.product_id === null ? 'is-unknown' : ''}`} data-row href={itemsHref(row)}>
        {rowName(row)}
      </a>
      <span class="sub clip">
        {row.product_id === null ? (row.gtin ? t.stock.unknownHint : t.stock.foreignHint) : <span class="mono">{gtinShort(row.gtin)}</span>}
      </span>
    </div>
  );
}

/** Rows whose number just changed, for a short highlight. */
const fresh = signal<ReadonlySet<string>>(new Set());

function mark(key: string): void {
  fresh.value = new Set([...fresh.value, key]);
  setTimeout(() => {
    const rest = new Set(fresh.value);
    rest.delete(key);
    fresh.value = rest;
  }, 2500);
}

const cellKey = (row: StockRow, place: number | null): string => `${row.product_id ?? row.gtin ?? ''}/${place ?? ''}`;

function WideRow({ row, columns }: { row: StockRow; columns: Place[] }): JSX.Element {
  const shown = new Set(columns.map((c) => c.id));
  const unplaced = countAt(row, null);
  const other = row.places.filter((p) => p.place_id === null || !shown.has(p.place_id)).reduce((n, p) => n + p.count, 0);
  return (
    <>
      <Name row={row} />
      {columns.map((c) => (
        <div role="cell" key={c.id} class={`num c-count ${fresh.value.has(cellKey(row, c.id)) ? 'is-fresh' : ''}`} data-place={c.id}>
          <Count row={row} placeId={c.id} n={countAt(row, c.id)} place={c.name} />
        </div>
      ))}
      <div role="cell" class={`num c-count ${fresh.value.has(cellKey(row, null)) ? 'is-fresh' : ''}`}>
        {other === unplaced ? <Count row={row} placeId={null} n={other} place={t.stock.unplaced} /> : <Count row={row} n={other} place={t.stock.elsewhere} />}
      </div>
      <div role="cell" class="num c-count total">
        <Count row={row} n={row.total} place={t.stock.allPlaces} />
      </div>
    </>
  );
}

function NarrowRow({ row }: { row: StockRow }): JSX.Element {
  return (
    <>
      <Name row={row} />
      <div role="cell" class="c-chips">
        {row.places.map((p) => (
          <a
            key={String(p.place_id)}
            class={`place-chip ${fresh.value.has(cellKey(row, p.place_id)) ? 'is-fresh' : ''}`}
            href={itemsHref(row, p.place_id)}
          >
            {p.place ?? t.stock.unplaced} <strong>{count(p.count)}</strong>
          </a>
        ))}
      </div>
      <div role="cell" class="num c-count total">
        <Count row={row} n={row.total} place={t.stock.allPlaces} />
      </div>
    </>
  );
}

function Head({ columns }: { columns: Place[] }): JSX.Element {
  return (
    <>
      <div role="columnheader" class="c-name">
        {t.products.name}
      </div>
      {columns.map((c) => (
        <div role="columnheader" class="num c-count clip" key={c.id} title={`${c.name} (${t.kinds[c.kind] ?? c.kind})`}>
          {c.name}
        </div>
      ))}
      <div role="columnheader" class="num c-count">
        {t.stock.elsewhere}
      </div>
      <div role="columnheader" class="num c-count total">
        {t.stock.total}
      </div>
    </>
  );
}

function Summary({ s }: { s: StockSummary }): JSX.Element {
  return (
    <dl class="facts summary">
      <Fact name={t.stock.items}>
        <a href="/stock/items">{count(s.items)}</a>
      </Fact>
      <Fact name={t.stock.unknownProducts}>{count(s.unknown_products)}</Fact>
      <Fact name={t.stock.unplaced}>
        <a href="/stock/items?place_id=0">{count(s.unplaced)}</a>
      </Fact>
      {s.foreign_tags ? (
        <Fact name={t.stock.foreign}>
          <a href={`/stock/items?gtin=${FOREIGN}`}>{count(s.foreign_tags)}</a>
        </Fact>
      ) : null}
    </dl>
  );
}

function NoStock({ filtered, places }: { filtered: boolean; places: Place[] }): JSX.Element {
  if (filtered) {
    return (
      <Empty icon="search" title={t.stock.noMatch}>
        <Button onClick={() => setQuery({ q: null, place_id: null })}>{t.clearSearch}</Button>
      </Empty>
    );
  }
  return (
    <Empty icon="boxes" title={t.stock.none}>
      <p>{places.length === 0 ? t.stock.noPlacesHint : t.stock.noReadsHint}</p>
      {places.length === 0 && may('places') ? (
        <LinkButton href="/stock/places" kind="main" icon="place">
          {t.places.title}
        </LinkButton>
      ) : (
        <LinkButton href="/agents" kind="main">
          {t.nav.agents}
        </LinkButton>
      )}
    </Empty>
  );
}

/** The row with one count replaced, and its total with it. */
export function withCount(row: StockRow, place: { id: number | null; name: string | null }, n: number): StockRow {
  const old = countAt(row, place.id);
  const rest = row.places.filter((p) => p.place_id !== place.id);
  const places = n > 0 ? [...rest, { place_id: place.id, place: place.name, count: n }] : rest;
  places.sort((a, b) => (a.place_id ?? Number.MAX_SAFE_INTEGER) - (b.place_id ?? Number.MAX_SAFE_INTEGER));
  return { ...row, places, total: row.total - old + n };
}

export function StockPage(): JSX.Element {
  const query = here.value.query;
  const q = query.get('q') ?? '';
  const placeId = query.get('place_id') ?? '';
  const wide = useWide(900);
  const placeList = useFetched('places', () => api.places.list({ limit: 1000 }));
  const summary = useFetched('stock-summary', () => api.stock.list({}, { limit: 1 }));
  const places = placeList.data?.items ?? [];
  const list = usePaged<StockRow>(`stock/${q}/${placeId}`, (after, limit, signal) =>
    api.stock.list({ q, ...(placeId ? { place_id: Number(placeId) } : {}) }, { after, limit, signal }),
  );
  const reload = useThrottled(() => list.reload(), 1500);
  const reloadSummary = useThrottled(summary.reload, 3000);
  useLive('stock', (e) => {
    const name = places.find((p) => p.id === e.place_id)?.name ?? null;
    const hit =
      (e.product_id !== null || e.gtin !== undefined) &&
      !placeId &&
      list.patch((row) => {
        if (row.product_id !== e.product_id || (e.gtin !== undefined && row.gtin !== e.gtin)) {
          return null;
        }
        mark(cellKey(row, e.place_id));
        return withCount(row, { id: e.place_id, name }, e.count);
      });
    if (!hit) {
      reload();
    }
    reloadSummary();
  });
  void list.version.value;
  const empty = list.empty;
  const columns = places.slice(0, MAX_COLUMNS);
  return (
    <div class="page fill">
      <div class="list-side">
        <PageHead title={t.stock.title} lead={t.stock.lead}>
          <LinkButton href="/stock/places" icon="place">
            {t.places.title}
          </LinkButton>
        </PageHead>
        {summary.data?.summary && <Summary s={summary.data.summary} />}
        <div class="toolbar">
          <SearchBox label={t.stock.search} value={q} onSearch={(v) => setQuery({ q: v })} />
          <Select
            label={t.stock.place}
            hideLabel
            value={placeId}
            options={[['', t.stock.allPlaces], ...places.map((p): [string, string] => [String(p.id), p.name])]}
            onChange={(v) => setQuery({ place_id: v })}
          />
        </div>
        <ErrorBox error={list.error.value ?? placeList.error} retry={() => list.retry()} />
        {empty ? (
          <NoStock filtered={!!q || !!placeId} places={places} />
        ) : (
          <VirtualTable
            key={`${columns.length}`}
            list={list}
            rowHeight={wide ? 52 : 88}
            label={t.stock.title}
            class={`stock cols-${columns.length}`}
            head={wide ? <Head columns={columns} /> : undefined}
            rowClass={(r) => (r && r.product_id === null ? 'is-unknown-row' : '')}
            row={(r) => (r ? wide ? <WideRow row={r} columns={columns} /> : <NarrowRow row={r} /> : <div role="cell" class="skeleton" />)}
          />
        )}
      </div>
    </div>
  );
}
