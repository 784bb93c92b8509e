// SPDX-License-Identifier: Apache-2.0
// Linking at the shelf: scan label and product in either order, again and again, without touching the screen.

import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import * as api from '../api';
import { gtinOfScan } from '../format';
import { Icon, type IconName } from '../icons';
import { t } from '../strings';
import { Button, plain, say } from '../ui';

interface Done {
  label: string;
  gtin: string;
  name: string;
  ok: boolean;
  text: string;
  undone: boolean;
  ask: boolean;
}

/** A label's own barcode is its 12-digit hexadecimal address, with or without colons. */
function labelOfScan(s: string): string | null {
  const hex = s.replace(/[:\-\s]/g, '').toUpperCase();
  return /^[0-9A-F]{12}$/.test(hex) ? hex : null;
}

function DoneLine({ d, onUndo, onRelink }: { d: Done; onUndo: () => void; onRelink: () => void }): JSX.Element {
  return (
    <li class={d.ok ? 'good-text' : 'warn-text'}>
      <Icon name={d.ok ? 'check' : 'warn'} size={18} />
      <span class="grow">{d.text}</span>
      {d.ok && !d.undone && (
        <Button kind="quiet" onClick={onUndo}>
          {t.undo}
        </Button>
      )}
      {d.ask && <Button onClick={onRelink}>{t.labels.relink}</Button>}
    </li>
  );
}

interface Linking {
  label: string | null;
  gtin: string | null;
  error: string | null;
  done: Done[];
  /** Takes one scan; links as soon as label and product are both known. */
  take: (scan: string) => void;
  link: (label: string, gtin: string, force: boolean) => void;
  undo: (d: Done) => void;
}

function useLinking(): Linking {
  const [label, setLabel] = useState<string | null>(null);
  const [gtin, setGtin] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [done, setDone] = useState<Done[]>([]);
  const add = (d: Done): void => {
    setDone((old) => [d, ...old.filter((x) => !(x.ask && x.label === d.label))].slice(0, 20));
    say(d.text);
  };
  const link = (l: string, g: string, force: boolean): void => {
    api.labels.link(l, g, force).then(
      (r) => {
        const name = r?.product?.name ?? g;
        add({ label: l, gtin: g, name, ok: true, text: t.scan.linked(l, name), undone: false, ask: false });
      },
      (e: unknown) => {
        const ask = e instanceof api.Problem && e.code === 'already-linked';
        const why = ask ? t.scan.already(l) : t.scan.failed(l, plain(e));
        add({ label: l, gtin: g, name: g, ok: false, text: why, undone: false, ask });
      },
    );
  };
  const take = (scan: string): void => {
    const g = gtinOfScan(scan);
    // Twelve digits may be a UPC or a label address; the check digit decides.
    const l = g ? null : labelOfScan(scan);
    setError(g || l ? null : t.scan.unknown(scan));
    const nextLabel = l ?? label;
    const nextGtin = g ?? gtin;
    const both = nextLabel !== null && nextGtin !== null;
    setLabel(both ? null : nextLabel);
    setGtin(both ? null : nextGtin);
    if (both) {
      link(nextLabel, nextGtin, false);
    }
  };
  const undo = (d: Done): void => {
    api.labels.unlink(d.label).then(
      () => setDone((old) => old.map((x) => (x === d ? { ...x, undone: true, text: t.scan.undone(d.label) } : x))),
      (e: unknown) => setError(plain(e)),
    );
  };
  return { label, gtin, error, done, take, link, undo };
}

function Needed({ value, icon, words }: { value: string | null; icon: IconName; words: string }): JSX.Element {
  return (
    <span class={value ? 'good-text' : 'hint'}>
      <Icon name={value ? 'check' : icon} size={18} /> {value ? <span class="mono">{value}</span> : words}
    </span>
  );
}

export function LinkByScan({ onClose }: { onClose: () => void }): JSX.Element {
  const [text, setText] = useState('');
  const input = useRef<HTMLInputElement>(null);
  const { label, gtin, error, done, take, link, undo } = useLinking();
  useEffect(() => input.current?.focus(), []);
  const submit = (e: Event): void => {
    e.preventDefault();
    take(text);
    setText('');
  };
  return (
    <section class="card scan" aria-label={t.scan.title}>
      <form onSubmit={submit}>
        <label for="scan-input">{t.scan.field}</label>
        <div class="row">
          <input
            id="scan-input"
            ref={input}
            value={text}
            autocomplete="off"
            spellcheck={false}
            aria-describedby="scan-state"
            onInput={(e) => setText(e.currentTarget.value)}
          />
          <Button type="submit" disabled={!text.trim()}>
            {t.scan.enter}
          </Button>
          <Button icon="cross" kind="quiet" label={t.close} onClick={onClose} />
        </div>
        <div id="scan-state" class="scan-state" role="status">
          <Needed value={label} icon="label" words={t.scan.needLabel} />
          <Needed value={gtin} icon="tag" words={t.scan.needProduct} />
        </div>
        {error && (
          <p class="field-error" role="alert">
            <Icon name="warn" size={16} /> {error}
          </p>
        )}
      </form>
      {done.length > 0 && (
        <ul class="plain-list scan-done">
          {done.map((d) => (
            <DoneLine key={`${d.label}${d.gtin}${d.text}`} d={d} onUndo={() => undo(d)} onRelink={() => link(d.label, d.gtin, true)} />
          ))}
        </ul>
      )}
    </section>
  );
}
