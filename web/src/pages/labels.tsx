// SPDX-License-Identifier: Apache-2.0
// Labels: what each one should show, what was sent to it, and what it really shows.

import type { JSX } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';
import * as api from '../api';
import { count, gtinShort } from '../format';
import { useLive, usePaged, useThrottled, useWide } from '../hooks';
import { go, here, setQuery } from '../router';
import { may } from '../session';
import { t } from '../strings';
import { k } from '../strings/links';
import type { Label } from '../types';
import { Button, Empty, ErrorBox, LinkButton, PageHead, SearchBox, Select } from '../ui';
import { VirtualTable } from '../virtual';
import { continuous } from '../wedge';
import { LabelPanel } from './label_panel';
import { BlinkMark, Facts3, LABEL_STATES, LabelPicture, StateChip } from './label_parts';
import { type Chosen, PickBar, PickBox } from './label_pick';

/** The address of a label, with search and filter kept. */
function labelHref(id: string): string {
  const q = new URLSearchParams(here.value.query);
  q.delete('scan');
  const tail = q.toString();
  return `/labels/${id}${tail ? `?${tail}` : ''}`;
}

interface Choosing {
  chosen: Chosen;
  onChange: (c: Chosen) => void;
}

function LabelRow({ l, choosing }: { l: Label; choosing: Choosing }): JSX.Element {
  return (
    <>
      <div role="cell" class="c-pic">
        <PickBox id={l.id} {...choosing} />
        <LabelPicture label={l} what={l.shown?.image ? 'shown' : 'wanted'} />
      </div>
      <div role="cell" class="c-name">
        <a class="row-link clip" data-row href={labelHref(l.id)}>
          {l.product?.name ?? t.labels.notLinked}
        </a>
        <span class="sub clip">
          <span class="mono">{l.id}</span>
          {l.width > 0 ? ` · ${l.width}×${l.height}` : ''}
          {l.agent ? ` · ${l.agent}` : ''}
        </span>
        {l.reason && <span class="warn-text clip">{l.reason}</span>}
      </div>
      <div role="cell" class="c-facts">
        <Facts3 label={l} />
      </div>
      <div role="cell" class="c-state">
        <StateChip label={l} />
        <BlinkMark label={l} />
      </div>
    </>
  );
}

function Head(): JSX.Element {
  return (
    <>
      <div role="columnheader" class="c-pic">
        {t.labels.picture}
      </div>
      <div role="columnheader" class="c-name">
        {t.labels.productAndLabel}
      </div>
      <div role="columnheader" class="c-facts">
        {t.labels.facts}
      </div>
      <div role="columnheader" class="c-state">
        {t.labels.state}
      </div>
    </>
  );
}

function Tiles({ labels, choosing }: { labels: Label[]; choosing: Choosing }): JSX.Element {
  return (
    <ul class="tiles plain-list">
      {labels.map((l) => (
        <li key={l.id} class="tile">
          <PickBox id={l.id} {...choosing} />
          <LabelPicture label={l} what={l.shown?.image ? 'shown' : 'wanted'} />
          <a class="row-link clip" data-row href={labelHref(l.id)}>
            {l.product?.name ?? t.labels.notLinked}
          </a>
          <span class="sub mono">{l.id}</span>
          {l.product && <span class="sub mono">{gtinShort(l.product.gtin)}</span>}
          <StateChip label={l} />
          <BlinkMark label={l} />
        </li>
      ))}
    </ul>
  );
}

function NoLabels({ filtered }: { filtered: boolean }): JSX.Element {
  return filtered ? (
    <Empty icon="search" title={t.labels.noMatch}>
      <Button onClick={() => setQuery({ q: null, state: null })}>{t.clearSearch}</Button>
    </Empty>
  ) : (
    <Empty icon="label" title={t.labels.none}>
      <p>{t.labels.noneHint}</p>
      <LinkButton href="/agents" kind="main">
        {t.nav.agents}
      </LinkButton>
    </Empty>
  );
}

export function LabelsPage({ id }: { id: string | null }): JSX.Element {
  const query = here.value.query;
  const q = query.get('q') ?? '';
  const state = query.get('state') ?? '';
  const tiles = query.get('view') === 'tiles';
  const scanning = query.get('scan') === '1' && may('labels');
  useEffect(() => {
    if (scanning) {
      continuous.value = true;
      setQuery({ scan: null });
    }
  }, [scanning]);
  const [chosen, setChosen] = useState<Chosen>(null);
  const choosing = { chosen, onChange: setChosen };
  const wide = useWide(1000);
  const list = usePaged<Label>(`labels/${q}/${state}`, (after, limit, signal) => api.labels.list(q, state, { after, limit, signal }));
  const reload = useThrottled(() => list.reload(), 2000);
  useLive('label', (l) => {
    if (!list.patch((old) => (old.id === l.id ? l : null)) && list.complete) {
      reload();
    }
  });
  const close = useCallback(() => {
    const tail = here.value.query.toString();
    go(`/labels${tail ? `?${tail}` : ''}`);
  }, []);
  void list.version.value;
  const empty = list.empty;
  // On a small screen picking has the room to itself.
  const alone = !!chosen && !wide;
  const states: [string, string][] = [['', t.labels.allStates], ...LABEL_STATES.map((s): [string, string] => [s, t.state[s]])];
  return (
    <div class={`page fill ${id ? 'with-panel' : ''}`}>
      <div class="list-side">
        <PageHead title={t.nav.labels}>
          {may('labels') && !alone && (
            <>
              <Button icon="scan" kind={continuous.value ? 'plain' : 'main'} pressed={continuous.value} onClick={() => (continuous.value = !continuous.value)}>
                {k.bar.title}
              </Button>
              <LinkButton href="/labels/import" icon="upload">
                {k.bar.list}
              </LinkButton>
            </>
          )}
          {may('labels') && (
            <Button icon="bulb" pressed={!!chosen} onClick={() => setChosen(chosen ? null : new Set())}>
              {chosen ? k.pick.end : k.pick.choose}
            </Button>
          )}
          {!alone && (
            <LinkButton href="/labels/links" icon="clock" kind="quiet">
              {k.bar.history}
            </LinkButton>
          )}
        </PageHead>
        <div class="toolbar">
          <SearchBox label={t.labels.search} value={q} onSearch={(v) => setQuery({ q: v })} />
          <Select label={t.labels.state} hideLabel value={state} options={states} onChange={(v) => setQuery({ state: v })} />
          <div class="segmented" role="group" aria-label={t.labels.view}>
            <Button icon="rows" label={t.labels.viewList} pressed={!tiles} onClick={() => setQuery({ view: null })} />
            <Button icon="grid" label={t.labels.viewTiles} pressed={tiles} onClick={() => setQuery({ view: 'tiles' })} />
          </div>
          <span class="hint" role="status">
            {list.read > 0 ? t.labels.total(list.length, list.exact, count(list.length)) : list.loading.value ? t.loading : ''}
          </span>
        </div>
        {chosen && <PickBar chosen={chosen} labels={list.held()} onChange={setChosen} />}
        <ErrorBox error={list.error.value} retry={() => list.retry()} />
        {empty && <NoLabels filtered={!!q || !!state} />}
        {!empty && tiles && (
          <div class="tiles-box">
            <Tiles labels={list.held()} choosing={choosing} />
            {!list.complete && (
              <Button onClick={() => void list.ensure(list.read, list.read + 1)} busy={list.loading.value}>
                {t.showMore}
              </Button>
            )}
          </div>
        )}
        {!empty && !tiles && (
          <VirtualTable
            list={list}
            rowHeight={wide ? 96 : 172}
            label={t.nav.labels}
            class="labels"
            head={wide ? <Head /> : undefined}
            rowClass={(l) => (l && l.id === id ? 'is-selected' : '')}
            row={(l) => (l ? <LabelRow l={l} choosing={choosing} /> : <div role="cell" class="skeleton" />)}
          />
        )}
      </div>
      {id && <LabelPanel key={id} id={id} onClose={close} />}
    </div>
  );
}
