// SPDX-License-Identifier: Apache-2.0
// Editing a price and following it to the shelf.

import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import * as api from './api';
import { digitsOf, money, moneyInput, parsePrice, percent, seconds } from './format';
import { Icon } from './icons';
import { t } from './strings';
import type { Label, Product } from './types';
import { Button, Chip, ErrorBox, Field, plain, say } from './ui';
import { changePrice, forgetWatch, type LabelProgress, type PriceWatch, watches } from './watch';

/** Beyond this change, up or down, the form asks to look twice. */
const LARGE_CHANGE = 0.5;

function largeChange(old: number | null, next: number): string | null {
  if (!old) {
    return null;
  }
  const change = (next - old) / old;
  return Math.abs(change) > LARGE_CHANGE ? t.price.large(percent(Math.abs(change)), change > 0) : null;
}

function OldNew({ product, minor }: { product: Product; minor: number }): JSX.Element {
  return (
    <span class="old-new">
      <span class="hidden">{t.price.from} </span>
      <s>{money(product.price_minor, product.currency)}</s>
      <Icon name="send" size={18} />
      <span class="hidden"> {t.price.to} </span>
      <strong>{money(minor, product.currency)}</strong>
    </span>
  );
}

interface PriceFormProps {
  product: Product;
  compact?: boolean;
  focus?: boolean;
  onSaved?: () => void;
  onCancel?: () => void;
  onMinor?: (minor: number | null) => void;
}

interface PriceEdit {
  text: string;
  touched: boolean;
  busy: boolean;
  error: unknown;
  /** The price typed, when it can be read and is another one than now. */
  minor: number | null;
  wrong: string | null;
  type: (v: string) => void;
  reset: () => void;
  submit: (e: Event) => void;
}

/** The state of a price being typed; follows the product's price until somebody types. */
function usePriceEdit(product: Product, onSaved: (() => void) | undefined): PriceEdit {
  const start = moneyInput(product.price_minor, product.currency);
  const [text, setText] = useState(start);
  const [touched, setTouched] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    if (!touched) {
      setText(start);
    }
  }, [start]);
  const parsed = parsePrice(text, product.currency);
  const minor = parsed.minor !== undefined && parsed.minor !== product.price_minor ? parsed.minor : null;
  const submit = (e: Event): void => {
    e.preventDefault();
    setTouched(true);
    if (minor === null || busy) {
      return;
    }
    setBusy(true);
    setError(null);
    changePrice(product, minor, '').then(
      () => {
        setBusy(false);
        setTouched(false);
        say(t.price.saved(product.name, money(minor, product.currency)));
        onSaved?.();
      },
      (x: unknown) => {
        setBusy(false);
        setError(x);
      },
    );
  };
  return {
    text,
    touched,
    busy,
    error,
    minor,
    wrong: touched && parsed.error && parsed.error !== 'empty' ? t.price.errors(parsed.error, digitsOf(product.currency)) : null,
    type: (v) => {
      setText(v);
      setTouched(true);
    },
    reset: () => {
      setText(start);
      setTouched(false);
      setError(null);
    },
    submit,
  };
}

/** Type a price, see old -> new, save. Decimal comma and point both work. */
export function PriceForm(p: PriceFormProps): JSX.Element {
  const { product } = p;
  const edit = usePriceEdit(product, p.onSaved);
  const { minor, error } = edit;
  useEffect(() => p.onMinor?.(minor), [minor]);
  const cancel = (): void => {
    edit.reset();
    p.onCancel?.();
  };
  const served = error instanceof api.Problem ? (error.field('price_minor') ?? error.field('price')) : null;
  const warning = minor !== null ? largeChange(product.price_minor, minor) : null;
  return (
    <form
      class={`price-form ${p.compact ? 'compact' : ''}`}
      onSubmit={edit.submit}
      aria-label={t.price.formFor(product.name)}
      onKeyDown={(e) => e.key === 'Escape' && cancel()}
    >
      <Field
        label={t.price.field(product.currency)}
        value={edit.text}
        onInput={edit.type}
        inputMode="decimal"
        error={edit.wrong ?? served ?? (p.compact && error ? plain(error) : null)}
        focus={p.focus ?? false}
        class="price-field"
      />
      <div class="price-change">
        {minor !== null ? <OldNew product={product} minor={minor} /> : <span class="hint">{t.price.hint}</span>}
        {warning && (
          <span class="warn-text">
            <Icon name="warn" size={16} /> {warning}
          </span>
        )}
      </div>
      <div class="actions">
        <Button type="submit" kind="main" disabled={minor === null} busy={edit.busy}>
          {t.save}
        </Button>
        {(p.onCancel || minor !== null || edit.wrong) && <Button onClick={cancel}>{t.cancel}</Button>}
      </div>
      {!p.compact && !served && <ErrorBox error={error} />}
    </form>
  );
}

/** The picture a label would show with this price, drawn by the server. */
export function PricePreview({ product, minor, label }: { product: Product; minor: number; label: Pick<Label, 'width' | 'height' | 'display_type'> }): JSX.Element | null {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    let gone = false;
    let made: string | null = null;
    const timer = setTimeout(() => {
      api.labels.preview(product.id, minor, label).then(
        (blob) => {
          if (!gone) {
            made = URL.createObjectURL(blob);
            setUrl(made);
          }
        },
        () => undefined,
      );
    }, 250);
    return () => {
      gone = true;
      clearTimeout(timer);
      if (made) {
        URL.revokeObjectURL(made);
      }
    };
  }, [product.id, minor, label.width, label.height, label.display_type]);
  return url ? (
    <figure class="picture">
      <img src={url} width={label.width} height={label.height} alt={t.price.previewAlt(money(minor, product.currency))} />
      <figcaption>{t.price.preview}</figcaption>
    </figure>
  ) : null;
}

function Step({ name, ms, active }: { name: string; ms: number | null; active: boolean }): JSX.Element {
  const done = ms !== null;
  return (
    <li class={done ? 'done' : active ? 'active' : ''}>
      <Icon name={done ? 'check' : 'clock'} size={18} />
      <span>{name}</span>
      <span class="ms">{done ? seconds(ms) : active ? '…' : ''}</span>
    </li>
  );
}

function LabelSteps({ p }: { p: LabelProgress }): JSX.Element {
  return (
    <li class="label-steps" data-label={p.id} data-stage={p.stage}>
      <a href={`/labels/${p.id}`} class="mono">
        {p.id}
      </a>
      <ol class="steps" aria-label={t.price.steps(p.id)}>
        <Step name={t.stage.wanted} ms={p.wantedMs} active={p.wantedMs === null} />
        <Step name={t.stage.sent} ms={p.sentMs} active={p.wantedMs !== null && p.sentMs === null} />
        <Step name={t.stage.shown} ms={p.shownMs} active={p.sentMs !== null && p.shownMs === null} />
      </ol>
      {p.stage === 'shown' && p.grade && <span class="hint">{t.grade[p.grade]}</span>}
      {p.stage === 'error' && <span class="warn-text">{p.label.reason ?? t.state[p.label.state]}</span>}
    </li>
  );
}

/** One line about a running price change. */
export function WatchChip({ w }: { w: PriceWatch }): JSX.Element {
  const shown = w.labels.filter((l) => l.stage === 'shown');
  const all = w.labels.length;
  if (w.savedMs === null) {
    return <Chip tone="busy" icon="clock">{t.price.saving}</Chip>;
  }
  if (w.loaded && all === 0) {
    return <Chip tone="plain" icon="check">{t.price.savedNoLabel}</Chip>;
  }
  if (w.labels.some((l) => l.stage === 'error')) {
    return <Chip tone="bad" icon="warn">{t.price.shownOf(shown.length, all)}</Chip>;
  }
  if (all > 0 && shown.length === all) {
    const last = Math.max(...shown.map((l) => l.shownMs ?? 0));
    return <Chip tone="good" icon="check">{t.price.shownAll(all, seconds(last))}</Chip>;
  }
  return <Chip tone="busy" icon="send">{t.price.shownOf(shown.length, all)}</Chip>;
}

function useTick(running: boolean): void {
  const [, set] = useState(0);
  useEffect(() => {
    if (!running) {
      return undefined;
    }
    const timer = setInterval(() => set((n) => n + 1), 100);
    return () => clearInterval(timer);
  }, [running]);
}

/** How far a saved price has come, label by label, with the time since the click. */
export function PriceProgress({ productId }: { productId: number }): JSX.Element | null {
  const w = watches.value.get(productId);
  const finished = !!w && w.loaded && w.labels.every((l) => l.stage === 'shown');
  const told = useRef<number>(0);
  useTick(!!w && !finished);
  useEffect(() => {
    if (w && finished && w.labels.length > 0 && told.current !== w.clicked) {
      told.current = w.clicked;
      say(t.price.announceShown(w.product.name, w.labels.length));
    }
  }, [w, finished]);
  if (!w) {
    return null;
  }
  const last = Math.max(0, ...w.labels.map((l) => l.shownMs ?? 0));
  const elapsed = finished ? last : performance.now() - w.clicked;
  return (
    <section class="progress-card" aria-label={t.price.progressTitle} data-finished={finished}>
      <header>
        <span class="old-new">
          <s>{money(w.oldMinor, w.currency)}</s>
          <Icon name="send" size={18} />
          <strong>{money(w.newMinor, w.currency)}</strong>
        </span>
        <WatchChip w={w} />
        {w.labels.length > 0 && !finished && <span class="elapsed" aria-hidden="true">{seconds(elapsed)}</span>}
        <Button icon="cross" kind="quiet" label={t.price.dismiss} onClick={() => forgetWatch(productId)} />
      </header>
      {w.loaded && w.labels.length === 0 ? (
        <p class="hint">
          {t.price.noLabels} <a href="/labels?scan=1">{t.price.linkOne}</a>
        </p>
      ) : (
        <ul class="plain-list">
          {w.labels.map((p) => (
            <LabelSteps key={p.id} p={p} />
          ))}
        </ul>
      )}
    </section>
  );
}
