// SPDX-License-Identifier: Apache-2.0
// What somebody should look at: open ones first, each with its evidence and the next step.

import type { JSX } from 'preact';
import { useCallback } from 'preact/hooks';
import { type Incident, incidents } from '../api/incidents';
import { useLive, usePaged, useThrottled, useWide } from '../hooks';
import { go, here, setQuery } from '../router';
import { t } from '../strings';
import { w } from '../strings/incidents';
import { Ago, Button, Chip, Empty, ErrorBox, PageHead, Select } from '../ui';
import { VirtualTable } from '../virtual';
import { IncidentPanel, SeverityChip } from './incident_panel';

function Row({ x, query }: { x: Incident; query: string }): JSX.Element {
  return (
    <>
      <div role="cell" class="c-state">
        <SeverityChip x={x} />
      </div>
      <div role="cell" class="c-name">
        <a class="row-link clip" data-row href={`/incidents/${x.id}${query}`}>
          {x.title}
        </a>
        <span class="sub clip">
          {w.kinds[x.kind] ?? x.kind}
          {x.acknowledged && ` · ${w.lookedAt(x.acknowledged.by)}`}
        </span>
      </div>
      <div role="cell" class="c-since sub">
        <Ago at={x.opened} />
      </div>
    </>
  );
}

function Head(): JSX.Element {
  return (
    <>
      <div role="columnheader">{w.severity}</div>
      <div role="columnheader">{w.what}</div>
      <div role="columnheader">{w.since}</div>
    </>
  );
}

export function IncidentsPage({ id }: { id: number | null }): JSX.Element {
  const wide = useWide(900);
  const state = here.value.query.get('state') ?? 'open';
  const asked = state === 'all' ? '' : state;
  const query = state === 'open' ? '' : `?state=${state}`;
  const list = usePaged<Incident>(`incidents/${state}`, (after, limit, signal) => incidents.list({ state: asked }, { after, limit, signal }));
  const reload = useThrottled(() => list.reload(), 1000);
  useLive('incident', reload);
  const close = useCallback(() => go(`/incidents${query}`), [query]);
  void list.version.value;
  return (
    <div class={`page fill ${id ? 'with-panel' : ''}`}>
      <div class="list-side">
        <PageHead title={w.title} lead={w.lead} />
        <div class="toolbar">
          <Select label={w.state} hideLabel value={state} options={w.states} onChange={(v) => setQuery({ state: v === 'open' ? null : v })} />
          <span class="hint" role="status">
            {list.loading.value ? t.loading : state === 'open' ? w.open(list.length) : ''}
          </span>
        </div>
        <ErrorBox error={list.error.value} retry={() => list.retry()} />
        {list.empty ? (
          <Empty icon="check" title={state === 'open' ? w.none : w.noneClosed}>
            {state === 'open' ? <p>{w.noneHint}</p> : <Button onClick={() => setQuery({ state: null })}>{w.states[0]?.[1]}</Button>}
          </Empty>
        ) : (
          <VirtualTable list={list} rowHeight={wide ? 60 : 108} label={w.title} class="incidents" head={wide ? <Head /> : undefined} row={(x) => (x ? <Row x={x} query={query} /> : <div role="cell" class="skeleton" />)} />
        )}
      </div>
      {id !== null && <IncidentPanel key={id} id={id} onClose={close} />}
    </div>
  );
}

/** In a list of a page about something else. */
export function IncidentLine({ x }: { x: Incident }): JSX.Element {
  return (
    <li>
      <SeverityChip x={x} />
      <a class="grow" href={`/incidents/${x.id}`}>
        {x.title}
      </a>
      <span class="sub">
        <Ago at={x.opened} />
      </span>
      {x.next_step && <p class="hint">{x.next_step}</p>}
      {x.acknowledged && <Chip tone="plain" icon="check">{w.lookedAt(x.acknowledged.by)}</Chip>}
    </li>
  );
}
