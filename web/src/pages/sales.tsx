// SPDX-License-Identifier: Apache-2.0
// What the tills have reported.

import type { JSX } from 'preact';
import { type Sale, sales } from '../api/books';
import { count, dateTime, gtinShort } from '../format';
import { useLive, usePaged, useThrottled, useWide } from '../hooks';
import { here } from '../router';
import { s } from '../strings/differences';
import { Empty, ErrorBox, LinkButton, PageHead } from '../ui';
import { VirtualTable } from '../virtual';
import { StockTabs } from './stock_tabs';

function Lines({ x }: { x: Sale }): JSX.Element {
  return (
    <span class="two-lines">
      {x.lines.map((l, i) => (
        <span key={i} class="sale-line">
          {l.quantity === 1 ? '' : `${count(l.quantity)} × `}
          {l.product_id ? <a href={`/differences/${l.product_id}`}>{l.name ?? gtinShort(l.gtin)}</a> : (l.name ?? gtinShort(l.gtin))}
          {l.epc ? <span class="sub"> {s.withTag}</span> : ''}
          {i < x.lines.length - 1 ? ', ' : ''}
        </span>
      ))}
    </span>
  );
}

function Row({ x }: { x: Sale }): JSX.Element {
  return (
    <>
      <div role="cell" class="c-time">
        <time dateTime={x.at}>{dateTime(x.at)}</time>
      </div>
      <div role="cell" class="c-till clip">
        {x.till ?? '–'} <span class="sub mono">{x.id}</span>
      </div>
      <div role="cell" class="c-lines">
        <Lines x={x} />
      </div>
    </>
  );
}

function Head(): JSX.Element {
  return (
    <>
      <div role="columnheader">{s.at}</div>
      <div role="columnheader">
        {s.till}, {s.sale}
      </div>
      <div role="columnheader">{s.lines}</div>
    </>
  );
}

export function SalesPage(): JSX.Element {
  const product = here.value.query.get('product_id') ?? '';
  const wide = useWide(720);
  const list = usePaged<Sale>(`sales/${product}`, (after, limit, signal) => sales.list(product, { after, limit, signal }));
  useLive('difference', useThrottled(() => list.reload(), 3000));
  void list.version.value;
  return (
    <div class="page fill">
      <div class="list-side">
        <StockTabs />
        <PageHead title={s.title} lead={s.lead}>
          {product && <LinkButton href="/differences/sales">{s.all}</LinkButton>}
        </PageHead>
        <ErrorBox error={list.error.value} retry={() => list.retry()} />
        {list.empty ? (
          <Empty icon="list" title={s.none}>
            <p>{s.noneHint}</p>
            <LinkButton href="/account" icon="key">
              {s.makeToken}
            </LinkButton>
          </Empty>
        ) : (
          <VirtualTable
            list={list}
            rowHeight={wide ? 56 : 92}
            label={s.title}
            class="sales"
            head={wide ? <Head /> : undefined}
            scrollByKeys
            row={(x) => (x ? <Row x={x} /> : <div role="cell" class="skeleton" />)}
          />
        )}
      </div>
    </div>
  );
}
