// SPDX-License-Identifier: Apache-2.0
// Picking by light: several labels of the list blink at once; those that cannot are named with the reason.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Problem } from '../api';
import { type FlashColour, links, PICK_MAX, type Picked } from '../api/links';
import { k } from '../strings/links';
import type { Label } from '../types';
import { Button, ErrorBox, now, say, Select } from '../ui';
import { COLOURS } from './label_tools';

/** The ids that are chosen; null while nobody chooses. */
export type Chosen = ReadonlySet<string> | null;

export function PickBox({ id, chosen, onChange }: { id: string; chosen: Chosen; onChange: (c: Chosen) => void }): JSX.Element | null {
  if (!chosen) {
    return null;
  }
  const change = (on: boolean): void => {
    const next = new Set(chosen);
    if (on) {
      next.add(id);
    } else {
      next.delete(id);
    }
    onChange(next);
  };
  const full = chosen.size >= PICK_MAX && !chosen.has(id);
  return (
    <label class="check pick-box">
      <input type="checkbox" aria-label={k.pick.box(id)} checked={chosen.has(id)} disabled={full} onChange={(e) => change(e.currentTarget.checked)} />
    </label>
  );
}

/** A request that was refused for every label names them as its errors. */
function refusedOf(e: unknown): Picked[] | null {
  const errors = e instanceof Problem && (e.code === 'battery-budget' || e.code === 'none-blinks') ? e.body.errors : null;
  return errors ? errors.map((x) => ({ label: (x as { label?: string }).label ?? null, refused: { code: x.code, detail: x.detail } })) : null;
}

function Result({ text, items, nameOf }: { text: string; items: Picked[]; nameOf: (id: string | null) => string | undefined }): JSX.Element {
  const refused = items.filter((x) => x.refused);
  return (
    <div class={`notice ${refused.length ? 'tone-warn' : 'tone-good'}`} role="status" data-picked>
      <div>
        <strong>{text}</strong>
        {refused.length > 0 && (
          <>
            {' '}
            {k.pick.refused}
            <ul class="pick-refused" tabIndex={0}>
              {refused.map((x) => (
                <li key={x.label}>
                  {nameOf(x.label)} <span class="mono">{x.label}</span> {x.refused?.detail}
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
    </div>
  );
}

export function PickBar({ chosen, labels, onChange }: { chosen: ReadonlySet<string>; labels: Label[]; onChange: (c: Chosen) => void }): JSX.Element {
  const [colour, setColour] = useState<FlashColour>('green');
  const [seconds, setSeconds] = useState('30');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [result, setResult] = useState<{ text: string; items: Picked[] } | null>(null);
  const ids = [...chosen];
  const nameOf = (id: string | null): string | undefined => labels.find((l) => l.id === id)?.product?.name;
  const blinking = labels.filter((l) => chosen.has(l.id) && l.flash?.state === 'on' && new Date(l.flash.until).getTime() > now.value).length;
  const send = (what: Promise<{ items: Picked[] }>, words: (items: Picked[]) => string): void => {
    setBusy(true);
    setError(null);
    setResult(null);
    what
      .then(
        ({ items }) => {
          setResult({ text: words(items), items });
          say(words(items));
        },
        (e: unknown) => {
          const items = refusedOf(e);
          return items ? setResult({ text: k.pick.nothing, items }) : setError(e);
        },
      )
      .finally(() => setBusy(false));
  };
  const lit = (items: Picked[]): number => items.filter((x) => x.until).length;
  const start = (): void => send(links.pick(ids, Number(seconds), colour), (items) => k.pick.lit(lit(items), items.length));
  const stop = (): void => send(links.stopPick(ids), (items) => k.pick.stopped(items.filter((x) => !x.until && !x.refused).length, lit(items)));
  return (
    <section class="pick-bar" aria-label={k.pick.title}>
      <div class="flash-row">
        <Select label={k.flash.colour} value={colour} options={COLOURS.map((c): [string, string] => [c, k.flash.colours[c] ?? c])} onChange={(c) => setColour(c as FlashColour)} />
        <Select label={k.flash.seconds} value={seconds} options={k.flash.choices} onChange={setSeconds} />
        <Button icon="bulb" kind="main" busy={busy} disabled={!ids.length} onClick={start}>
          {k.pick.action}
        </Button>
        <Button disabled={!ids.length || busy} onClick={stop}>
          {k.pick.stop}
        </Button>
      </div>
      <div class="pick-count">
        <p class="hint" role="status">
          {ids.length ? k.pick.chosen(ids.length) : k.pick.none}
          {blinking > 0 && `, ${k.pick.blinking(blinking)}`} {ids.length >= PICK_MAX && k.pick.many(PICK_MAX)}
        </p>
        {ids.length > 0 && (
          <Button kind="quiet" onClick={() => onChange(new Set())}>
            {k.pick.clear}
          </Button>
        )}
      </div>
      <ErrorBox error={error} />
      {result && <Result text={result.text} items={result.items} nameOf={nameOf} />}
    </section>
  );
}
