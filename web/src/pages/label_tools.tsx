// SPDX-License-Identifier: Apache-2.0
// What one does to a label at the shelf: find it by its light, link it, put another in its place.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import * as api from '../api';
import { type FlashColour, links } from '../api/links';
import { relative } from '../format';
import { labelOfScan } from '../linking';
import { play } from '../sound';
import { t } from '../strings';
import { k } from '../strings/links';
import { s } from '../strings/sensors';
import type { Label, Product } from '../types';
import { Button, Confirm, Dialog, ErrorBox, Field, now, plain, say, Select } from '../ui';
import { BudgetLine, isSpent } from './label_sensors';
import { ProductPicker } from './product_picker';

export const COLOURS: FlashColour[] = ['green', 'red', 'blue', 'white'];

/** How the last flash goes, counted down by the page's own clock. */
function FlashState({ label }: { label: Label }): JSX.Element | null {
  const f = label.flash;
  if (!f) {
    return null;
  }
  const left = Math.max(0, Math.ceil((new Date(f.until).getTime() - now.value) / 1000));
  const state = f.state !== 'failed' && f.state !== 'off' && left === 0 ? 'over' : f.state;
  const words: Record<typeof state, string> = {
    failed: k.flash.failed(f.reason ?? ''),
    over: k.flash.over,
    on: k.flash.on(left),
    asked: k.flash.asked(left),
    stopping: f.reason ?? k.flash.stopping(left),
    off: k.flash.off,
  };
  const text = words[state];
  return (
    <p class={`flash-now ${state === 'failed' ? 'warn-text' : ''}`} data-flash={state}>
      <span class={`flash-dot ${f.colour} ${state === 'on' || state === 'asked' ? 'is-on' : 'is-dark'}`} aria-hidden="true" />
      {text}
    </p>
  );
}

/** A refusal in words: what is spared, and when it is possible again. */
function budget(e: api.Problem): string {
  const wait = e.retryAfter ? relative(new Date(now.value + e.retryAfter * 1000).toISOString(), now.value) : '';
  return k.flash.budget(e.body.detail ?? '', wait);
}

export function FlashSection({ label, onChanged }: { label: Label; onChanged: (l: Label) => void }): JSX.Element {
  const colours = COLOURS.filter((c) => !label.leds || label.leds.includes(c));
  const [colour, setColour] = useState<FlashColour>(colours[0] ?? 'green');
  const [seconds, setSeconds] = useState('10');
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const start = (): void => {
    setBusy(true);
    setError(null);
    links.flash(label.id, Number(seconds), colour).then(
      (r) => {
        setBusy(false);
        say(k.flash.started(label.id));
        onChanged({ ...label, flash: { colour, until: r.until, state: 'asked', reason: null } });
      },
      (e: unknown) => {
        setBusy(false);
        setError(e);
      },
    );
  };
  const stop = (): void => {
    setBusy(true);
    setError(null);
    links
      .stopPick([label.id])
      .then(
        () => label.flash && onChanged({ ...label, flash: { ...label.flash, state: 'stopping' } }),
        (e: unknown) => setError(e),
      )
      .finally(() => setBusy(false));
  };
  const lit = !!label.flash && ['asked', 'on'].includes(label.flash.state) && new Date(label.flash.until).getTime() > now.value;
  const spared = error instanceof api.Problem && error.code === 'battery-budget' ? error : null;
  return (
    <section>
      <h3>{k.flash.title}</h3>
      {label.leds?.length === 0 ? (
        <p class="hint">{k.flash.none}</p>
      ) : (
        <>
          <p class="hint">{k.flash.hint}</p>
          <div class="flash-row">
            <Select
              label={k.flash.colour}
              value={colour}
              options={colours.map((c): [string, string] => [c, k.flash.colours[c] ?? c])}
              onChange={(c) => setColour(c as FlashColour)}
            />
            <Select label={k.flash.seconds} value={seconds} options={k.flash.choices} onChange={setSeconds} />
            <Button icon="bulb" busy={busy} disabled={isSpent(label.budget?.flashes)} onClick={start}>
              {label.flash ? k.flash.again : k.flash.action}
            </Button>
            {lit && (
              <Button disabled={busy} onClick={stop}>
                {k.flash.stop}
              </Button>
            )}
          </div>
          <FlashState label={label} />
          <ErrorBox error={spared ? new Error(budget(spared)) : error} />
          <BudgetLine budget={label.budget?.flashes} words={s.budget.flashes} />
        </>
      )}
    </section>
  );
}

/** Links by name, GTIN or scan; asks before it replaces a link. */
export function LinkPicker({ label, onLinked }: { label: Label; onLinked: () => void }): JSX.Element {
  const [asking, setAsking] = useState<Product | null>(null);
  const [error, setError] = useState<unknown>(null);
  const link = (p: Product, force: boolean): Promise<void> =>
    api.labels.link(label.id, p.gtin, force).then((l) => {
      say(k.bar.linked(label.id, l?.product?.name ?? p.name));
      setError(null);
      onLinked();
    });
  const pick = (p: Product): void => {
    if (label.product && label.product.id !== p.id) {
      setAsking(p);
    } else {
      link(p, false).catch((e: unknown) => (e instanceof api.Problem && e.code === 'already-linked' ? setAsking(p) : setError(e)));
    }
  };
  return (
    <>
      <ProductPicker key={label.product?.id ?? 0} label={label.product ? k.link.other : k.link.to} hint={k.link.hint} onPick={pick} again />
      <ErrorBox error={error} />
      {asking && (
        <Confirm
          title={t.labels.relink}
          text={k.link.ask(label.product?.name ?? '')}
          action={t.labels.relink}
          onDo={() => link(asking, true)}
          onClose={() => setAsking(null)}
        />
      )}
    </>
  );
}

/** Refusals that one may overrule. */
const OVERRULED = new Set(['other-size', 'size-unknown', 'retired']);

function ReplaceDialog({ label, onClose, onDone }: { label: Label; onClose: () => void; onDone: () => void }): JSX.Element {
  const [text, setText] = useState('');
  const [error, setError] = useState<unknown>(null);
  const [bad, setBad] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const may = error instanceof api.Problem && OVERRULED.has(error.code);
  const send = (force: boolean): void => {
    const by = labelOfScan(text);
    const wrong = !by ? k.replace.bad : by === label.id ? k.replace.same : null;
    setBad(wrong);
    setError(null);
    if (!by || wrong) {
      play('bad');
      return;
    }
    setBusy(true);
    links.replace(label.id, by, force).then(
      () => {
        play('good');
        say(k.replace.done(label.id, by, label.product?.name ?? ''));
        onDone();
        onClose();
      },
      (e: unknown) => {
        play('bad');
        setBusy(false);
        setError(e);
      },
    );
  };
  return (
    <Dialog title={k.replace.dialog(label.id)} onClose={onClose}>
      <form
        noValidate
        onSubmit={(e) => {
          e.preventDefault();
          send(false);
        }}
      >
        <p>{k.replace.hint}</p>
        <Field
          label={k.replace.scan}
          hint={k.replace.scanHint}
          value={text}
          onInput={(v) => {
            setText(v);
            setBad(null);
          }}
          error={bad}
          focus
        />
        {error ? (
          <div class="notice tone-bad" role="alert">
            {plain(error)}
          </div>
        ) : null}
        <div class="actions">
          <Button type="submit" kind="main" icon="swap" busy={busy} disabled={!text.trim()}>
            {k.replace.go}
          </Button>
          {may && (
            <Button kind="danger" onClick={() => send(true)}>
              {k.replace.force}
            </Button>
          )}
          <Button onClick={onClose}>{t.cancel}</Button>
        </div>
      </form>
    </Dialog>
  );
}

export function ReplaceSection({ label, onDone }: { label: Label; onDone: () => void }): JSX.Element {
  const [open, setOpen] = useState(false);
  return (
    <section>
      <h3>{k.replace.title}</h3>
      <p class="hint">{k.replace.hint}</p>
      <Button icon="swap" onClick={() => setOpen(true)}>
        {k.replace.action}
      </Button>
      {open && <ReplaceDialog label={label} onClose={() => setOpen(false)} onDone={onDone} />}
    </section>
  );
}
