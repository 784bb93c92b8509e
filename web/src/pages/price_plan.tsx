// SPDX-License-Identifier: Apache-2.0
// A price that holds from a later day on, by the store's clock.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import * as api from '../api';
import { ledger } from '../api/prices';
import { dateTime, digitsOf, money, parsePrice, zoneOf } from '../format';
import { Icon } from '../icons';
import { t } from '../strings';
import { w } from '../strings/prices';
import type { Product } from '../types';
import { Button, ErrorBox, Field, say } from '../ui';
import { instantOf, wallAt, wallTime } from '../wall';

/** When it takes effect, in words; says so when the clock skips the time asked for. */
function WhenWords({ from, instant }: { from: string; instant: number }): JSX.Element {
  const when = dateTime(new Date(instant).toISOString());
  const skipped = wallAt(instant, zoneOf()) !== from;
  return (
    <p class={skipped ? 'warn-text' : 'hint'}>
      {skipped && <Icon name="warn" size={16} />} {skipped ? w.planGap(wallTime(from), when) : w.planWhen(when)}
    </p>
  );
}

function PlanForm({ product, onDone, onPlanned }: { product: Product; onDone: () => void; onPlanned: () => void }): JSX.Element {
  const [text, setText] = useState('');
  const [from, setFrom] = useState('');
  const [reason, setReason] = useState('');
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const price = parsePrice(text, product.currency);
  const instant = instantOf(from, zoneOf());
  const ahead = instant !== null && instant > Date.now();
  const problem = error instanceof api.Problem ? error : null;
  const submit = (e: Event): void => {
    e.preventDefault();
    setTried(true);
    if (busy || price.minor === undefined || !ahead) {
      return;
    }
    setBusy(true);
    setError(null);
    ledger.plan(product.id, price.minor, product.currency, new Date(instant).toISOString(), reason.trim()).then(
      (c) => {
        setBusy(false);
        say(w.plannedSaid(money(c.price_minor, c.currency), dateTime(c.from)));
        onPlanned();
        onDone();
      },
      (x: unknown) => {
        setBusy(false);
        setError(x);
      },
    );
  };
  return (
    <form class="plan-form" aria-label={w.plan} noValidate onSubmit={submit}>
      <div class="pair">
        <Field
          label={w.planPrice(product.currency)}
          value={text}
          onInput={setText}
          inputMode="decimal"
          error={tried && price.error ? t.price.errors(price.error, digitsOf(product.currency)) : (problem?.field('price_minor') ?? null)}
        />
        <Field label={w.planFrom} type="datetime-local" value={from} onInput={setFrom} hint={w.planHint(zoneOf())} error={tried && !ahead ? w.planPast : (problem?.field('from') ?? null)} />
      </div>
      {ahead && <WhenWords from={from} instant={instant} />}
      <Field label={w.reason} value={reason} onInput={setReason} maxLength={200} />
      <ErrorBox error={api.unplaced(error, 'price_minor', 'from')} />
      <div class="actions">
        <Button type="submit" kind="main" icon="calendar" busy={busy}>
          {w.planSave}
        </Button>
        <Button onClick={onDone}>{t.cancel}</Button>
      </div>
    </form>
  );
}

export function PricePlan({ product, onPlanned }: { product: Product; onPlanned: () => void }): JSX.Element {
  const [open, setOpen] = useState(false);
  return open ? (
    <PlanForm product={product} onPlanned={onPlanned} onDone={() => setOpen(false)} />
  ) : (
    <Button icon="calendar" onClick={() => setOpen(true)}>
      {w.plan}
    </Button>
  );
}
