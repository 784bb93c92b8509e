// SPDX-License-Identifier: Apache-2.0
// What the list, the form and the page of a promotion share.

import type { JSX } from 'preact';
import type { Occurrence, Promotion, PromotionState, Selection, Warning } from '../api/promotions';
import { money } from '../format';
import { Icon, type IconName } from '../icons';
import { p } from '../strings/promotions';
import { Chip, type Tone } from '../ui';
import { wallSpan } from '../wall';

const LOOK: Record<PromotionState, [Tone, IconName]> = {
  draft: ['plain', 'edit'],
  scheduled: ['busy', 'clock'],
  running: ['good', 'check'],
  ended: ['plain', 'check'],
  cancelled: ['warn', 'cross'],
};
export const PROMOTION_STATES = Object.keys(LOOK) as PromotionState[];

export function PromotionChip({ state }: { state: PromotionState }): JSX.Element {
  const [tone, icon] = LOOK[state] ?? ['plain', 'unknown'];
  return (
    <Chip tone={tone} icon={icon}>
      {p.states[state] ?? state}
    </Chip>
  );
}

/** "20" for "20.00", "12.5" for "12.50". */
export function percentText(percent: string | null): string {
  const v = Number(percent);
  return Number.isFinite(v) ? new Intl.NumberFormat(undefined, { maximumFractionDigits: 3 }).format(v) : (percent ?? '');
}

export function whatOf(x: Pick<Promotion, 'kind' | 'percent' | 'price_minor' | 'currency'>): string {
  return x.kind === 'percent' ? p.off(percentText(x.percent)) : p.fixed(money(x.price_minor, x.currency));
}

export function whichOf(s: Selection): string {
  if (s.brand) {
    return p.select.brand(s.brand);
  }
  if (s.category) {
    return p.select.category(s.category);
  }
  return p.select.list(s.gtins?.length ?? s.product_ids?.length ?? 0);
}

export function Notes({ notes }: { notes: string[] }): JSX.Element | null {
  return notes.length === 0 ? null : (
    <>
      {notes.map((note) => (
        <div class="warn-text" key={note}>
          <Icon name="warn" size={16} /> {note}
        </div>
      ))}
    </>
  );
}

export function Occurrences({ items }: { items: Occurrence[] }): JSX.Element {
  return (
    <ol class="occurrences">
      {items.map((o) => (
        <li key={o.start}>
          <time dateTime={o.start}>{wallSpan(o.start_wall, o.end_wall)}</time>
          <Notes notes={o.notes} />
        </li>
      ))}
    </ol>
  );
}

export function Warnings({ items }: { items: Warning[] }): JSX.Element | null {
  return items.length === 0 ? null : (
    <div class="notice tone-warn">
      <Icon name="warn" />
      <div>
        <strong>{p.preview.warnings}</strong>
        <ul class="plain-list">
          {items.map((w) => (
            <li key={w.code + w.detail}>{w.detail}</li>
          ))}
        </ul>
      </div>
    </div>
  );
}
