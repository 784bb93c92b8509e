// SPDX-License-Identifier: Apache-2.0
// Rollouts: many price changes that go out in waves.

import type { JSX } from 'preact';
import { type Rollout, rollouts } from '../api/rollouts';
import { useLive, usePaged, useThrottled, useWide } from '../hooks';
import { here, setQuery } from '../router';
import { may } from '../session';
import { t } from '../strings';
import { r } from '../strings/rollouts';
import { Ago, Button, Empty, ErrorBox, LinkButton, PageHead, say, Select } from '../ui';
import { VirtualTable } from '../virtual';
import { ProgressBar } from './progress_parts';
import { countsOf, RolloutChip } from './rollout_parts';
import { RolloutDetail } from './rollout_detail';
import { RolloutForm } from './rollout_form';

function RolloutRow({ x }: { x: Rollout }): JSX.Element {
  return (
    <>
      <div role="cell" class="c-name">
        <a class="row-link clip" data-row href={`/rollouts/${x.id}`}>
          {x.name}
        </a>
        <span class="sub clip">
          <Ago at={x.created} /> · {x.by}
        </span>
      </div>
      <div role="cell" class="c-bar">
        <ProgressBar counts={countsOf(x, x.total)} small />
      </div>
      <div role="cell" class="c-reach sub num">
        {r.of(x.flipped, x.total)}
      </div>
      <div role="cell" class="c-state">
        <RolloutChip state={x.state} />
      </div>
    </>
  );
}

function Head(): JSX.Element {
  return (
    <>
      <div role="columnheader">{r.name}</div>
      <div role="columnheader">{r.progress}</div>
      <div role="columnheader" class="num">
        {t.stage.shown}
      </div>
      <div role="columnheader">{r.state}</div>
    </>
  );
}

const STATES: [string, string][] = [['', r.allStates], ...Object.entries(r.states)];

function RolloutList(): JSX.Element {
  const wide = useWide(900);
  const state = here.value.query.get('state') ?? '';
  const list = usePaged<Rollout>(`rollouts/${state}`, (after, limit, signal) => rollouts.list(state, { after, limit, signal }));
  const reload = useThrottled(() => list.reload(), 1000);
  useLive('rollout', (e) => {
    const known = list.held().find((x) => x.id === e.id);
    if (known && known.state !== e.state) {
      say(r.detail.announce(known.name, r.states[e.state] ?? e.state));
    }
    if (!list.patch((x) => (x.id === e.id ? { ...x, ...e } : null))) {
      reload();
    }
  });
  void list.version.value;
  return (
    <div class="page fill">
      <div class="list-side">
        <PageHead title={t.nav.rollouts} lead={r.lead}>
          {may('prices') && (
            <LinkButton href="/rollouts/new" icon="plus" kind="main">
              {r.add}
            </LinkButton>
          )}
        </PageHead>
        <div class="toolbar">
          <Select label={r.state} hideLabel value={state} options={STATES} onChange={(v) => setQuery({ state: v })} />
          <span class="hint" role="status">
            {list.read > 0 ? r.total(list.length) : list.loading.value ? t.loading : ''}
          </span>
        </div>
        <ErrorBox error={list.error.value} retry={() => list.retry()} />
        {list.empty && state ? (
          <Empty icon="search" title={r.noneInState}>
            <Button onClick={() => setQuery({ state: null })}>{t.clearSearch}</Button>
          </Empty>
        ) : list.empty ? (
          <Empty icon="waves" title={r.none}>
            <p>{r.noneHint}</p>
            {may('prices') && (
              <LinkButton href="/rollouts/new" icon="plus" kind="main">
                {r.add}
              </LinkButton>
            )}
          </Empty>
        ) : (
          <VirtualTable
            list={list}
            rowHeight={wide ? 60 : 92}
            label={t.nav.rollouts}
            class="rollouts"
            head={wide ? <Head /> : undefined}
            row={(x) => (x ? <RolloutRow x={x} /> : <div role="cell" class="skeleton" />)}
          />
        )}
      </div>
    </div>
  );
}

/** /rollouts, /rollouts/new, /rollouts/7 */
export function RolloutsPage({ id }: { id: string | null }): JSX.Element {
  if (id === 'new') {
    return <RolloutForm />;
  }
  return id && /^\d+$/.test(id) ? <RolloutDetail key={id} id={Number(id)} /> : <RolloutList />;
}
