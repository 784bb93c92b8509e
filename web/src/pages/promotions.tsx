// SPDX-License-Identifier: Apache-2.0
// Promotions: which there are, when they run, and how far their labels are.

import type { JSX } from 'preact';
import { type Promotion, promotions } from '../api/promotions';
import { useFetched, useLive, usePaged, useThrottled, useWide } from '../hooks';
import { here, setQuery } from '../router';
import { may } from '../session';
import { t } from '../strings';
import { p } from '../strings/promotions';
import { Button, Empty, ErrorBox, LinkButton, PageHead, say, Select } from '../ui';
import { VirtualTable } from '../virtual';
import { wallSpan } from '../wall';
import { ProgressBar } from './progress_parts';
import { PROMOTION_STATES, PromotionChip, whatOf, whichOf } from './promotion_parts';
import { PromotionDetail } from './promotion_detail';
import { PromotionForm } from './promotion_form';

/** How far the labels are with the next edge; asked for only while something is on its way. */
function RowProgress({ x }: { x: Promotion }): JSX.Element | null {
  const f = useFetched(`row-progress/${x.id}/${x.state}`, () => promotions.progress(x.id));
  useLive('promotion', (e) => e.id === x.id && f.reload());
  return <ProgressBar counts={f.data ?? { total: x.labels, staged: 0, flipped: 0, shown: 0, failed: 0 }} small />;
}

function PromotionRow({ x }: { x: Promotion }): JSX.Element {
  const when = x.next ? wallSpan(x.next.start_wall, x.next.end_wall) : wallSpan(x.start, x.end);
  return (
    <>
      <div role="cell" class="c-name">
        <a class="row-link clip" data-row href={`/promotions/${x.id}`}>
          {x.name}
        </a>
        <span class="sub clip">
          {whatOf(x)}, {whichOf(x.select)}
        </span>
      </div>
      <div role="cell" class="c-when">
        <span class="clip">{when}</span>
      </div>
      <div role="cell" class="c-reach sub">
        {p.reach(x.products, x.labels)}
        {x.labels > 0 && (x.state === 'scheduled' || x.state === 'running') && <RowProgress key={x.id} x={x} />}
      </div>
      <div role="cell" class="c-state">
        <PromotionChip state={x.state} />
      </div>
    </>
  );
}

function Head(): JSX.Element {
  return (
    <>
      <div role="columnheader">{p.name}</div>
      <div role="columnheader">{p.when}</div>
      <div role="columnheader">{t.products.onShelf}</div>
      <div role="columnheader">{p.state}</div>
    </>
  );
}

function NoPromotions({ filtered }: { filtered: boolean }): JSX.Element {
  return filtered ? (
    <Empty icon="search" title={p.noneInState}>
      <Button onClick={() => setQuery({ state: null })}>{t.clearSearch}</Button>
    </Empty>
  ) : (
    <Empty icon="percent" title={p.none}>
      <p>{p.noneHint}</p>
      {may('prices') && (
        <LinkButton href="/promotions/new" icon="plus" kind="main">
          {p.add}
        </LinkButton>
      )}
    </Empty>
  );
}

function PromotionList(): JSX.Element {
  const state = here.value.query.get('state') ?? '';
  const wide = useWide(900);
  const list = usePaged<Promotion>(`promotions/${state}`, (after, limit, signal) => promotions.list(state, { after, limit, signal }));
  const reload = useThrottled(() => list.reload(), 1000);
  useLive('promotion', (e) => {
    const known = list.held().find((x) => x.id === e.id);
    if (known && known.state !== e.state) {
      say(p.detail.stateChanged(known.name, p.states[e.state] ?? e.state));
    }
    reload();
  });
  void list.version.value;
  const states: [string, string][] = [['', p.allStates], ...PROMOTION_STATES.map((s): [string, string] => [s, p.states[s]])];
  return (
    <div class="page fill">
      <div class="list-side">
        <PageHead title={t.nav.promotions} lead={p.lead}>
          {may('prices') && (
            <LinkButton href="/promotions/new" icon="plus" kind="main">
              {p.add}
            </LinkButton>
          )}
        </PageHead>
        <div class="toolbar">
          <Select label={p.state} hideLabel value={state} options={states} onChange={(v) => setQuery({ state: v })} />
          <span class="hint" role="status">
            {list.read > 0 ? p.total(list.length) : list.loading.value ? t.loading : ''}
          </span>
        </div>
        <ErrorBox error={list.error.value} retry={() => list.retry()} />
        {list.empty ? (
          <NoPromotions filtered={!!state} />
        ) : (
          <VirtualTable
            list={list}
            rowHeight={wide ? 60 : 108}
            label={t.nav.promotions}
            class="promotions"
            head={wide ? <Head /> : undefined}
            row={(x) => (x ? <PromotionRow x={x} /> : <div role="cell" class="skeleton" />)}
          />
        )}
      </div>
    </div>
  );
}

/** /promotions, /promotions/new, /promotions/7, /promotions/7/edit */
export function PromotionsPage({ id, what }: { id: string | null; what: string | null }): JSX.Element {
  if (id === 'new') {
    return <PromotionForm key="new" id={null} />;
  }
  if (id && /^\d+$/.test(id)) {
    return what === 'edit' ? <PromotionForm key={id} id={Number(id)} /> : <PromotionDetail key={id} id={Number(id)} />;
  }
  return <PromotionList />;
}
