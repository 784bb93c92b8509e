// SPDX-License-Identifier: Apache-2.0
// What the list and the page of a rollout share.

import type { JSX } from 'preact';
import type { Rollout, RolloutState, Wave, WaveState } from '../api/rollouts';
import type { IconName } from '../icons';
import { r } from '../strings/rollouts';
import { Ago, Chip, now as nowSignal, type Tone } from '../ui';
import { type Counts, ProgressBar } from './progress_parts';

const LOOK: Record<RolloutState, [Tone, IconName]> = {
  scheduled: ['plain', 'clock'],
  staging: ['busy', 'send'],
  flipping: ['busy', 'refresh'],
  settling: ['busy', 'clock'],
  paused: ['warn', 'pause'],
  halted: ['bad', 'warn'],
  'rolling-back': ['warn', 'undo'],
  'rolled-back': ['plain', 'undo'],
  done: ['good', 'double'],
  cancelled: ['plain', 'cross'],
};

export function RolloutChip({ state }: { state: RolloutState }): JSX.Element {
  const [tone, icon] = LOOK[state] ?? ['plain', 'unknown'];
  return (
    <Chip tone={tone} icon={icon}>
      {r.states[state] ?? state}
    </Chip>
  );
}

const WAVE_LOOK: Record<WaveState, [Tone, IconName]> = {
  waiting: ['plain', 'clock'],
  staging: ['busy', 'send'],
  flipped: ['busy', 'check'],
  settled: ['good', 'double'],
  'rolled-back': ['warn', 'undo'],
};

type Reached = Pick<Rollout, 'staged' | 'flipped' | 'shown' | 'failed' | 'rolled_back'>;

/** Rollouts count how many labels have ever come so far; the bar wants each label once, where it is now. */
export function countsOf(x: Reached, total: number): Counts {
  const back = x.rolled_back ?? 0;
  let rest = Math.max(0, total - x.failed - back);
  const take = (n: number): number => {
    const taken = Math.max(0, Math.min(n, rest));
    rest -= taken;
    return taken;
  };
  // What went back had the picture as well, and may still count as flipped.
  const had = Math.max(0, x.staged - back);
  const on = Math.min(x.flipped, had);
  const sure = Math.min(x.shown, on);
  const shown = take(sure);
  const flipped = take(on - sure);
  const staged = take(had - on);
  return { total, shown, flipped, staged, failed: x.failed, back };
}

function WaveStep({ w, now }: { w: Wave; now: boolean }): JSX.Element {
  const [tone, icon] = WAVE_LOOK[w.state] ?? ['plain', 'unknown'];
  const done = w.flip_at !== null && Date.parse(w.flip_at) <= nowSignal.value;
  return (
    <li class={`wave is-${w.state} ${now ? 'is-now' : ''}`} data-wave={w.n} data-state={w.state} aria-current={now ? 'step' : undefined}>
      <div class="wave-head">
        <strong>{r.detail.wave(w.n, w.n === 1)}</strong>
        <Chip tone={tone} icon={icon}>
          {r.detail.waveStates[w.state] ?? w.state}
        </Chip>
      </div>
      <div class="sub">
        {r.detail.percent(w.percent)} · {r.detail.reach(w.products, w.labels)}
      </div>
      <ProgressBar counts={countsOf(w, w.labels)} />
      {w.flip_at && (
        <div class="sub">
          {done ? r.detail.flipped : r.detail.flipAt} <Ago at={w.flip_at} />
        </div>
      )}
    </li>
  );
}

/** The waves as steps of a ladder, the canary first. */
/** `open`: something will still happen. */
export function Ladder({ waves, open }: { waves: Wave[]; open: boolean }): JSX.Element {
  const present = waves.find((w) => w.state === 'staging' || w.state === 'flipped') ?? waves.find((w) => w.state === 'waiting');
  const now = open ? present : undefined;
  return (
    <ol class="ladder" aria-label={r.detail.waves}>
      {waves.map((w) => (
        <WaveStep key={w.n} w={w} now={w === now} />
      ))}
    </ol>
  );
}
