// SPDX-License-Identifier: Apache-2.0
// A list of new prices becomes a rollout: prices, waves, gates; what it would do stands beside the form.

import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { type RolloutBody, type RolloutPreview, rollouts } from '../api/rollouts';
import { gtinShort, money, zoneOf } from '../format';
import { Icon } from '../icons';
import { go } from '../router';
import { currency, may } from '../session';
import { t } from '../strings';
import { p } from '../strings/promotions';
import { r } from '../strings/rollouts';
import { Ago, Button, ErrorBox, Field, PageHead, say, TextArea } from '../ui';
import { instantOf } from '../wall';
import { Warnings } from './promotion_parts';
import { type ReadPrices, readPrices, readWaves, readWhole } from './rollout_fields';

const CHANGES_MAX = 20_000;
const PAUSE_MS = 350;
const BAD_SHOWN = 20;

interface Draft {
  name: string;
  reason: string;
  prices: string;
  waves: string;
  gate: string;
  timeout: string;
  halt: string;
  later: boolean;
  start: string;
}

const EMPTY: Draft = { name: '', reason: '', prices: '', waves: '2, 25, 100', gate: '95', timeout: '60', halt: '5', later: false, start: '' };

type Problems = Partial<Record<'name' | 'prices' | 'waves' | 'gate' | 'timeout' | 'halt' | 'start', string>>;

function read(d: Draft, list: ReadPrices): { body: RolloutBody; wrong: Problems } {
  const waves = readWaves(d.waves);
  const [gate, timeout, halt] = [readWhole(d.gate, 1, 100), readWhole(d.timeout, 1, 1440), readWhole(d.halt, 0, 100)];
  const at = d.later ? instantOf(d.start, zoneOf()) : null;
  const start = at === null ? null : new Date(at);
  const wrong: Problems = {};
  if (!d.name.trim()) {
    wrong.name = r.form.needName;
  }
  if (list.bad.length > 0) {
    wrong.prices = r.form.bad(list.bad.length);
  } else if (list.changes.length === 0) {
    wrong.prices = r.form.needPrices;
  } else if (list.changes.length > CHANGES_MAX) {
    wrong.prices = r.form.tooMany(CHANGES_MAX);
  }
  if (!waves) {
    wrong.waves = r.form.wavesBad;
  }
  if (gate === null) {
    wrong.gate = r.form.percentBad;
  }
  if (timeout === null) {
    wrong.timeout = r.form.minutesBad;
  }
  if (halt === null) {
    wrong.halt = r.form.haltBad;
  }
  if (d.later && !(start && start.getTime() > Date.now())) {
    wrong.start = r.form.startBad;
  }
  const body: RolloutBody = {
    name: d.name.trim(),
    changes: list.changes,
    waves: (waves ?? []).map((percent) => ({ percent })),
    gate: { staged_percent: gate ?? 0, timeout_s: (timeout ?? 0) * 60 },
    halt: { failed_percent: halt ?? 0 },
    ...(d.reason.trim() ? { reason: d.reason.trim() } : {}),
    ...(start && !wrong.start ? { start: start.toISOString() } : {}),
  };
  return { body, wrong };
}

function BadLines({ list }: { list: ReadPrices }): JSX.Element | null {
  return list.bad.length === 0 ? null : (
    <ul class="plain-list bad-lines">
      {list.bad.slice(0, BAD_SHOWN).map((b) => (
        <li key={b.line}>
          <strong>{r.form.line(b.line)}:</strong> {r.form.errors[b.error]} <code class="break">{b.text.slice(0, 60)}</code>
        </li>
      ))}
    </ul>
  );
}

function FileButton({ onText }: { onText: (text: string) => void }): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button icon="upload" onClick={() => input.current?.click()}>
        {r.form.file}
      </Button>
      <input
        ref={input}
        type="file"
        class="hidden"
        tabIndex={-1}
        aria-label={r.form.file}
        accept=".csv,.txt,text/csv,text/plain"
        onChange={(e) => {
          const file = e.currentTarget.files?.[0];
          e.currentTarget.value = '';
          if (file) {
            void file.text().then(onText);
          }
        }}
      />
    </>
  );
}

function usePreview(body: RolloutBody, good: boolean): { data: RolloutPreview | null; error: unknown; busy: boolean } {
  const [state, setState] = useState<{ data: RolloutPreview | null; error: unknown; busy: boolean }>({ data: null, error: null, busy: false });
  const key = JSON.stringify({ ...body, name: '' });
  const latest = useRef(body);
  latest.current = body;
  useEffect(() => {
    if (!good) {
      return undefined;
    }
    const stop = new AbortController();
    const timer = setTimeout(() => {
      setState((s) => ({ ...s, busy: true }));
      rollouts.preview({ ...latest.current, name: latest.current.name || '–' }, stop.signal).then(
        (data) => {
          setState({ data, error: null, busy: false });
          say(r.preview.announce(data.products, data.labels));
        },
        (error: unknown) => stop.signal.aborted || setState({ data: null, error, busy: false }),
      );
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [key, good]);
  return state;
}

function PreviewPane({ body, good }: { body: RolloutBody; good: boolean }): JSX.Element {
  const { data: x, error, busy } = usePreview(body, good);
  return (
    <aside class="card preview-pane" aria-label={r.preview.title} aria-busy={busy} data-preview={x && good ? 'ready' : undefined}>
      <h2>{r.preview.title}</h2>
      <ErrorBox error={good ? error : null} />
      {!x && !error && <p class="hint">{r.preview.wait}</p>}
      {x && (
        <div class={`preview-body ${good && !busy ? '' : 'is-old'}`}>
          <p class="big-text">{r.preview.reach(x.products, x.labels)}</p>
          <Warnings items={x.warnings} />
          <ol class="wave-plan">
            {x.waves.map((w, i) => (
              <li key={i}>
                <strong>{r.preview.wave(i + 1)}</strong> <span class="sub">{r.preview.reach(w.products, w.labels)}</span>
                <span class="wave-size" style={{ inlineSize: `${x.labels > 0 ? Math.max(1, (100 * w.labels) / x.labels) : 0}%` }} />
              </li>
            ))}
          </ol>
          {x.forecast?.finish && (
            <p>
              <Icon name="clock" size={18} /> {r.preview.forecast} <Ago at={x.forecast.finish} /> {x.forecast.why && <span class="sub">{x.forecast.why}</span>}
            </p>
          )}
          <section>
            <h3>{r.preview.changes}</h3>
            <ul class="plain-list changes">
              {body.changes.slice(0, 8).map((c) => (
                <li key={c.gtin}>
                  <span class="mono">{gtinShort(c.gtin)}</span> <strong>{money(c.price_minor, currency.value)}</strong>
                </li>
              ))}
            </ul>
          </section>
        </div>
      )}
    </aside>
  );
}

function Gates({ d, wrong, set }: { d: Draft; wrong: Problems; set: (c: Partial<Draft>) => void }): JSX.Element {
  return (
    <fieldset>
      <legend>{r.form.waves}</legend>
      <Field label={r.form.waves} value={d.waves} onInput={(waves) => set({ waves })} hint={r.form.wavesHint} error={wrong.waves ?? null} class="short" />
      <details open={!!(wrong.gate || wrong.timeout || wrong.halt)}>
        <summary>{r.form.options}</summary>
        <div class="options">
          <Field label={r.form.gate} value={d.gate} onInput={(gate) => set({ gate })} inputMode="numeric" error={wrong.gate ?? null} />
          <Field label={r.form.timeout} value={d.timeout} onInput={(timeout) => set({ timeout })} inputMode="numeric" error={wrong.timeout ?? null} />
          <Field label={r.form.halt} value={d.halt} onInput={(halt) => set({ halt })} inputMode="numeric" error={wrong.halt ?? null} />
        </div>
      </details>
    </fieldset>
  );
}

function When({ d, wrong, set }: { d: Draft; wrong: Problems; set: (c: Partial<Draft>) => void }): JSX.Element {
  return (
    <fieldset>
      <legend>{r.form.start}</legend>
      <div class="segmented" role="group" aria-label={r.form.start}>
        <Button pressed={!d.later} onClick={() => set({ later: false })}>
          {r.form.now}
        </Button>
        <Button pressed={d.later} onClick={() => set({ later: true })}>
          {r.form.later}
        </Button>
      </div>
      {d.later && <Field label={r.form.startField} type="datetime-local" value={d.start} onInput={(start) => set({ start })} hint={p.form.zone(zoneOf())} error={wrong.start ?? null} class="short" />}
    </fieldset>
  );
}

export function RolloutForm(): JSX.Element {
  const [d, setDraft] = useState<Draft>(EMPTY);
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    if (!may('prices')) {
      go('/rollouts', 'replace');
    }
  }, []);
  const list = readPrices(d.prices, currency.value);
  const { body, wrong } = read(d, list);
  const set = (change: Partial<Draft>): void => {
    setDraft((x) => ({ ...x, ...change }));
    setError(null);
  };
  const shown: Problems = tried ? wrong : d.prices && list.bad.length > 0 && wrong.prices ? { prices: wrong.prices } : {};
  const send = (e: Event): void => {
    e.preventDefault();
    setTried(true);
    if (busy || Object.keys(wrong).length > 0) {
      return;
    }
    setBusy(true);
    rollouts.create(body).then(
      (x) => {
        say(r.form.made(x.name));
        go(`/rollouts/${x.id}`);
      },
      (x: unknown) => {
        setBusy(false);
        setError(x);
      },
    );
  };
  return (
    <div class="page">
      <a class="back" href="/rollouts">
        {r.detail.back}
      </a>
      <PageHead title={r.form.title} />
      <div class="form-and-preview">
        <form class="card" aria-label={r.form.title} noValidate onSubmit={send}>
          <Field label={r.form.name} value={d.name} onInput={(name) => set({ name })} hint={r.form.nameHint} error={shown.name ?? null} maxLength={100} focus />
          <Field label={r.form.reason} value={d.reason} onInput={(reason) => set({ reason })} hint={r.form.reasonHint} maxLength={100} />
          <fieldset>
            <legend>{r.form.prices}</legend>
            <TextArea
              label={r.form.prices}
              value={d.prices}
              onInput={(prices) => set({ prices })}
              rows={8}
              mono
              hint={list.changes.length > 0 ? r.form.read(list.changes.length) : r.form.pricesHint}
              error={shown.prices ?? null}
            />
            {shown.prices && <BadLines list={list} />}
            <div class="actions">
              <FileButton onText={(prices) => set({ prices })} />
            </div>
          </fieldset>
          <Gates d={d} wrong={shown} set={set} />
          <When d={d} wrong={shown} set={set} />
          <ErrorBox error={error} />
          <div class="actions">
            <Button type="submit" kind="main" icon="waves" busy={busy}>
              {d.later ? r.form.plan : r.form.action}
            </Button>
            <a class="button quiet" href="/rollouts">
              {t.cancel}
            </a>
          </div>
        </form>
        <PreviewPane body={body} good={Object.keys(wrong).filter((k) => k !== 'name').length === 0} />
      </div>
    </div>
  );
}
