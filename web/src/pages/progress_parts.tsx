// SPDX-License-Identifier: Apache-2.0
// How far the labels of a promotion or a rollout are: a bar of all of them, and a table of each with its reason.

import type { ComponentChildren, JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { LabelStep, StepState } from '../api/progress';
import { count, dateTime } from '../format';
import { usePaged, useThrottled, useWide } from '../hooks';
import type { IconName } from '../icons';
import type { Fetch } from '../paged';
import { g } from '../strings/progress';
import { t } from '../strings';
import { Ago, Chip, ErrorBox, Select, type Tone } from '../ui';
import { VirtualTable } from '../virtual';

export interface Counts {
  total: number;
  staged: number;
  flipped: number;
  shown: number;
  failed: number;
  /** Back at what they showed before. */
  back?: number;
}

type Part = 'shown' | 'flipped' | 'staged' | 'failed' | 'back' | 'waiting';
const PARTS: Part[] = ['shown', 'flipped', 'staged', 'back', 'waiting', 'failed'];

/** Each label is in one part only; what is in none waits. */
function partsOf(c: Counts): Record<Part, number> {
  const back = c.back ?? 0;
  const done = c.shown + c.flipped + c.staged + c.failed + back;
  return { shown: c.shown, flipped: c.flipped, staged: c.staged, failed: c.failed, back, waiting: Math.max(0, c.total - done) };
}

/** A bar whose parts are told in words below it, never by colour alone. */
export function ProgressBar({ counts, small }: { counts: Counts; small?: boolean }): JSX.Element {
  const parts = partsOf(counts);
  const shown = PARTS.filter((k) => parts[k] > 0);
  const text = shown.map((k) => `${count(parts[k])} ${g.bar[k]}`).join(', ');
  return (
    <div class={`parts ${small ? 'small' : ''}`}>
      <div class="parts-bar" role="img" aria-label={`${g.barLabel}: ${text || count(0)}`}>
        {shown.map((k) => (
          <span key={k} class={`part is-${k}`} style={{ flexGrow: parts[k] }} />
        ))}
      </div>
      {!small && (
        <ul class="parts-legend plain-list" aria-hidden="true">
          {shown.map((k) => (
            <li key={k}>
              <span class={`part-key is-${k}`} />
              <strong>{count(parts[k])}</strong> {g.bar[k]}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

const LOOK: Record<StepState, [Tone, IconName]> = {
  waiting: ['plain', 'clock'],
  drawing: ['plain', 'edit'],
  staging: ['busy', 'send'],
  staged: ['busy', 'label'],
  flipped: ['good', 'check'],
  shown: ['good', 'double'],
  failed: ['bad', 'warn'],
  'rolled-back': ['warn', 'undo'],
};
export const STEP_STATES = Object.keys(LOOK) as StepState[];

function StepChip({ state }: { state: StepState }): JSX.Element {
  const [tone, icon] = LOOK[state] ?? ['plain', 'unknown'];
  return (
    <Chip tone={tone} icon={icon}>
      {g.states[state] ?? state}
    </Chip>
  );
}

function latest(s: LabelStep): string | null {
  return s.shown_at ?? s.flipped_at ?? s.staged_at;
}

function StepRow({ s, waves }: { s: LabelStep; waves: boolean }): JSX.Element {
  // "Shown, confirmed" says its grade itself.
  const grade = s.grade === 'acknowledged' || s.grade === 'read-back' ? t.grade[s.grade] : '';
  return (
    <>
      <div role="cell" class="c-name">
        <a class="row-link clip" data-row href={`/labels/${s.label}`}>
          {s.product?.name ?? s.label}
        </a>
        <span class="sub clip">
          <span class="mono">{s.label}</span>
          {s.agent ? ` · ${s.agent}` : ''}
          {waves && s.wave ? ` · ${g.waveOf(s.wave)}` : ''}
        </span>
      </div>
      <div role="cell" class="c-state">
        <StepChip state={s.state} />
      </div>
      <div role="cell" class="c-why sub" title={s.reason ?? undefined}>
        {s.reason ?? (grade && (s.state === 'shown' || s.state === 'flipped') ? grade : '')}
      </div>
      <div role="cell" class="c-time sub" title={dateTime(latest(s))}>
        {latest(s) ? <Ago at={latest(s)} /> : ''}
      </div>
    </>
  );
}

interface StepTableProps {
  /** Changes with everything that the list depends on, besides the filters. */
  name: string;
  fetcher: Fetch<LabelStep>;
  state: string;
  onState: (s: string) => void;
  /** Grows when a live event says that labels have moved. */
  turn: number;
  waves?: boolean;
  /** How many rows to make room for until they are there, so that nothing below jumps. */
  expected: number;
  filters?: ComponentChildren;
  filterKey?: string;
}

const ROW_WIDE = 56;
const ROW_NARROW = 96;
const BOX_MAX = 560;

export function StepTable(p: StepTableProps): JSX.Element {
  const wide = useWide(720);
  const list = usePaged<LabelStep>(`${p.name}/${p.state}/${p.filterKey ?? ''}`, p.fetcher);
  const reload = useThrottled(() => list.reload(), 1500);
  useEffect(() => {
    if (p.turn > 0) {
      reload();
    }
  }, [p.turn]);
  void list.version.value;
  const height = wide ? ROW_WIDE : ROW_NARROW;
  const states: [string, string][] = [['', g.allStates], ...STEP_STATES.map((s): [string, string] => [s, g.states[s]])];
  const filtered = !!p.state || !!p.filterKey;
  return (
    <div class="step-table">
      <div class="toolbar">
        <Select label={g.state} hideLabel value={p.state} options={states} onChange={p.onState} />
        {p.filters}
        <span class="hint" role="status">
          {list.read > 0 ? g.total(list.length, list.exact) : list.loading.value ? t.loading : ''}
        </span>
      </div>
      <ErrorBox error={list.error.value} retry={() => list.retry()} />
      {list.empty ? (
        <p class="hint">{filtered ? g.none : g.noLabels}</p>
      ) : (
        <div class="step-box" style={{ height: `${Math.min(BOX_MAX, Math.max(1, list.read > 0 ? list.length : p.expected) * height + 2)}px` }}>
          <VirtualTable
            list={list}
            rowHeight={height}
            label={t.nav.labels}
            class="steps-list"
            row={(s) => (s ? <StepRow s={s} waves={p.waves ?? false} /> : <div role="cell" class="skeleton" />)}
          />
        </div>
      )}
    </div>
  );
}
