// SPDX-License-Identifier: Apache-2.0
// Tags that belong to no product of the store: counted, listed, never hidden.

import type { JSX } from 'preact';
import { differences, type Stranger } from '../api/books';
import { count, gtinShort } from '../format';
import { useFetched, useLive, useThrottled } from '../hooks';
import { may } from '../session';
import { d } from '../strings/differences';
import { Ago, Empty, ErrorBox, LinkButton, Loading, PageHead } from '../ui';
import { schemeWords } from './scheme';
import { FOREIGN } from './stock';
import { StockTabs } from './stock_tabs';

const w = d.strangers;

function Where({ x }: { x: Stranger }): JSX.Element {
  return <>{x.places.map((p) => `${p.place ?? w.noPlace}: ${count(p.count)}`).join(' · ') || w.noPlace}</>;
}

function Rows({ rows, unknown }: { rows: Stranger[]; unknown: boolean }): JSX.Element {
  return (
    <ul class="plain-list rows-list" data-strangers={unknown ? 'unknown' : 'foreign'}>
      {rows.map((x, i) => (
        <li key={`${x.gtin ?? x.scheme ?? ''}${i}`}>
          <strong class="stranger-count">{count(x.count)}</strong>
          <div class="grow">
            <span class={x.gtin ? 'mono' : ''}>{x.gtin ? gtinShort(x.gtin) : schemeWords(x.scheme)}</span>
            <div class="sub">
              <Where x={x} /> · <Ago at={x.last_seen} />
            </div>
          </div>
          <LinkButton href={`/stock/items?gtin=${x.gtin ?? FOREIGN}`} kind="quiet">
            {w.show}
          </LinkButton>
          {unknown && may('products') && x.gtin && (
            <LinkButton href={`/products?new=${x.gtin}`} icon="plus">
              {w.add}
            </LinkButton>
          )}
        </li>
      ))}
    </ul>
  );
}

export function StrangersPage(): JSX.Element {
  const f = useFetched('strangers', () => differences.strangers({ limit: 1000 }));
  useLive('stock', useThrottled(f.reload, 3000));
  const all = f.data?.items ?? [];
  const unknown = all.filter((x) => x.gtin !== null);
  const foreign = all.filter((x) => x.gtin === null);
  return (
    <div class="page">
      <StockTabs />
      <PageHead title={w.title} lead={w.lead} />
      <ErrorBox error={f.error} retry={f.reload} />
      {!f.data && !f.error && <Loading />}
      {f.data && all.length === 0 && (
        <Empty icon="check" title={w.none}>
          <p>{w.noneHint}</p>
        </Empty>
      )}
      {unknown.length > 0 && (
        <section class="card full">
          <h2>{w.unknown}</h2>
          <p class="hint">{w.unknownHint}</p>
          <Rows rows={unknown} unknown />
        </section>
      )}
      {foreign.length > 0 && (
        <section class="card full">
          <h2>{w.foreign}</h2>
          <p class="hint">{w.foreignHint}</p>
          <Rows rows={foreign} unknown={false} />
        </section>
      )}
    </div>
  );
}
