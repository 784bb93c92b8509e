// SPDX-License-Identifier: Apache-2.0
// One rollout: its waves, its way over time, each label, and what one may do about it.

import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { type Rollout, type RolloutAction, rollouts, type RolloutState } from '../api/rollouts';
import { dateTime, duration } from '../format';
import { useFetched, useLive, useThrottled } from '../hooks';
import { Icon, type IconName } from '../icons';
import { may } from '../session';
import { t } from '../strings';
import { g } from '../strings/progress';
import { r } from '../strings/rollouts';
import { Ago, Button, Confirm, ErrorBox, Fact, Field, Loading, PageHead, say, Select } from '../ui';
import { AuditTrail } from './audit_parts';
import { ProgressBar, StepTable } from './progress_parts';
import { RolloutChart } from './rollout_chart';
import { countsOf, Ladder, RolloutChip } from './rollout_parts';

const MAY_DO: Record<RolloutState, RolloutAction[]> = {
  scheduled: ['pause', 'cancel'],
  staging: ['pause', 'rollback', 'cancel'],
  flipping: ['pause', 'rollback', 'cancel'],
  settling: ['pause', 'rollback', 'cancel'],
  paused: ['resume', 'rollback', 'cancel'],
  halted: ['resume', 'rollback', 'cancel'],
  'rolling-back': [],
  'rolled-back': [],
  done: [],
  cancelled: [],
};
const CLOSED: RolloutState[] = ['rolled-back', 'done', 'cancelled'];
const ICONS: Record<RolloutAction, IconName> = { pause: 'pause', resume: 'play', cancel: 'cross', rollback: 'undo' };

function ActDialog({ x, what, onClose, onDone }: { x: Rollout; what: RolloutAction; onClose: () => void; onDone: () => void }): JSX.Element {
  const [reason, setReason] = useState('');
  return (
    <Confirm
      title={`${r.detail[what]}: ${x.name}`}
      text={r.detail.ask[what]}
      action={r.detail[what]}
      keep={r.detail.keep}
      onDo={() =>
        rollouts.act(x.id, what, reason.trim()).then(() => {
          say(r.detail.announce(x.name, r.detail.did[what]));
          onDone();
        })
      }
      onClose={onClose}
    >
      <Field label={r.detail.reason} value={reason} onInput={setReason} maxLength={200} />
    </Confirm>
  );
}

function Actions({ x, onDone }: { x: Rollout; onDone: () => void }): JSX.Element | null {
  const [asking, setAsking] = useState<RolloutAction | null>(null);
  const flipped = x.waves.some((w) => w.state === 'flipped' || w.state === 'settled');
  const actions = (MAY_DO[x.state] ?? []).filter((a) => a !== 'rollback' || flipped);
  if (!may('prices')) {
    return null;
  }
  return (
    <>
      {actions.map((a) => (
        <Button key={a} icon={ICONS[a]} kind={a === 'resume' ? 'main' : a === 'pause' ? 'plain' : 'danger'} onClick={() => setAsking(a)}>
          {r.detail[a]}
        </Button>
      ))}
      {asking && <ActDialog x={x} what={asking} onClose={() => setAsking(null)} onDone={onDone} />}
    </>
  );
}

function Summary({ x }: { x: Rollout }): JSX.Element {
  const stopped = x.state === 'halted' || x.state === 'paused' || !!x.reason;
  return (
    <section class="card">
      {stopped && (
        <div class={`notice ${x.state === 'halted' ? 'tone-bad' : 'tone-warn'}`}>
          <Icon name={x.state === 'halted' ? 'warn' : x.state === 'paused' ? 'pause' : x.state === 'cancelled' ? 'cross' : 'undo'} />
          <div>
            {r.stateHints[x.state]} {x.reason && <strong>{x.reason}</strong>}
          </div>
        </div>
      )}
      {!stopped && <p class="hint">{r.stateHints[x.state]}</p>}
      <ProgressBar counts={countsOf(x, x.total)} />
      <dl class="facts wide">
        <Fact name={r.detail.started}>
          {dateTime(x.start ?? x.created)} · {x.by}
        </Fact>
        {x.why && <Fact name={r.detail.reasonGiven}>{x.why}</Fact>}
        {x.finished ? (
          <Fact name={r.detail.finished}>{dateTime(x.finished)}</Fact>
        ) : (
          x.forecast && (
            <Fact name={r.detail.forecast}>
              {x.forecast.finish ? <Ago at={x.forecast.finish} /> : '–'}
            </Fact>
          )
        )}
        {x.first_forecast?.finish && <Fact name={r.detail.firstForecast}>{dateTime(x.first_forecast.finish)}</Fact>}
      </dl>
      {!x.finished && x.forecast?.why && <p class="hint">{x.forecast.why}</p>}
    </section>
  );
}

function Labels({ x, turn }: { x: Rollout; turn: number }): JSX.Element {
  const [state, setState] = useState('');
  const [wave, setWave] = useState('');
  const waves: [string, string][] = [['', g.allWaves], ...x.waves.map((w): [string, string] => [String(w.n), g.waveOf(w.n)])];
  return (
    <section class="card">
      <h2>{r.detail.labelsTitle}</h2>
      <StepTable
        name={`rollout-labels/${x.id}`}
        fetcher={(after, limit, signal) => rollouts.labels(x.id, { wave, state: state as '' }, { after, limit, signal })}
        state={state}
        onState={setState}
        turn={turn}
        waves
        expected={x.total}
        filterKey={wave}
        filters={<Select label={g.wave} hideLabel value={wave} options={waves} onChange={setWave} />}
      />
    </section>
  );
}

export function RolloutDetail({ id }: { id: number }): JSX.Element {
  const f = useFetched(`rollout/${id}`, () => rollouts.get(id));
  const [turn, setTurn] = useState(0);
  const told = useRef({ state: '', quarter: 0 });
  const fresh = useThrottled(() => {
    f.reload();
    setTurn((n) => n + 1);
  }, 1000);
  useLive('rollout', (e) => {
    if (e.id !== id || !f.data) {
      return;
    }
    // The event carries the totals; waves and samples are asked for, but not at every label.
    const quarter = e.total > 0 ? Math.floor((4 * e.flipped) / e.total) : 0;
    if (e.state !== f.data.state) {
      say(r.detail.announce(f.data.name, r.states[e.state] ?? e.state));
    } else if (quarter > told.current.quarter) {
      say(r.detail.announceShown(f.data.name, e.flipped, e.total));
    }
    told.current = { state: e.state, quarter };
    f.set((x) => ({ ...x, ...e }));
    fresh();
  });
  const x = f.data;
  return (
    <div class="page detail">
      <a class="back" href="/rollouts">
        {r.detail.back}
      </a>
      <PageHead title={x?.name ?? t.nav.rollouts} chip={x && <RolloutChip state={x.state} />}>
        {x && <Actions x={x} onDone={f.reload} />}
      </PageHead>
      <ErrorBox error={f.error} retry={f.reload} />
      {!x && !f.error && <Loading />}
      {x && (
        <>
          <Summary x={x} />
          <section class="card">
            <h2>{r.detail.waves}</h2>
            <Ladder waves={x.waves} open={!CLOSED.includes(x.state)} />
            <p class="hint">
              {r.detail.gate(x.gate.staged_percent, duration(x.gate.timeout_s * 1000))} {r.detail.halt(x.halt.failed_percent)}
            </p>
          </section>
          <section class="card">
            <h2>{r.detail.chart}</h2>
            <RolloutChart x={x} />
          </section>
          <Labels x={x} turn={turn} />
          {may('audit') && (
            <section class="card">
              <h2>{r.detail.history}</h2>
              <AuditTrail object={`rollout:${id}`} turn={turn} none={r.detail.noHistory} />
            </section>
          )}
        </>
      )}
    </div>
  );
}
