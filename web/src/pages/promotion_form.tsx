// SPDX-License-Identifier: Apache-2.0
// Making or changing a promotion: the form on one side, what it would do on the other.

import type { JSX } from 'preact';
import { useEffect, useId, useState } from 'preact/hooks';
import * as api from '../api';
import { type Promotion, type PromotionBody, promotions } from '../api/promotions';
import { digitsOf, type PriceError, zoneOf } from '../format';
import { useFetched } from '../hooks';
import { repeatWords } from '../recurrence';
import { go } from '../router';
import { currency, may } from '../session';
import { p } from '../strings/promotions';
import { t } from '../strings';
import { Button, ErrorBox, Field, Loading, PageHead, say, Select, TextArea } from '../ui';
import { DAYS, dayName, dayOf, wallDate } from '../wall';
import { type Draft, draftOf, EMPTY, type Ends, type Problems, read, readList, repeatOf, type Which } from './promotion_fields';
import { PromotionPreviewPane } from './promotion_preview';

interface PartProps {
  d: Draft;
  wrong: Problems;
  /** Only name and end may change. */
  fixed: boolean;
  set: (change: Partial<Draft>) => void;
}

interface ChoiceProps<K extends string> {
  label: string;
  value: K;
  options: [K, string][];
  onChange: (v: K) => void;
  disabled?: boolean;
}

/** A few alternatives side by side. */
function Choice<K extends string>(c: ChoiceProps<K>): JSX.Element {
  return (
    <div class="segmented" role="group" aria-label={c.label}>
      {c.options.map(([v, text]) => (
        <Button key={v} pressed={c.value === v} disabled={c.disabled ?? false} onClick={() => c.onChange(v)}>
          {text}
        </Button>
      ))}
    </div>
  );
}

function Reduction({ d, wrong, fixed, set }: PartProps): JSX.Element {
  const priceWrong = wrong.price ? t.price.errors(wrong.price as PriceError, digitsOf(currency.value)) : null;
  return (
    <fieldset>
      <legend>{p.form.kind}</legend>
      <Choice
        label={p.form.kind}
        value={d.kind}
        options={[['percent', p.form.percent], ['fixed', p.form.fixed]]}
        onChange={(kind) => set({ kind })}
        disabled={fixed}
      />
      {d.kind === 'percent' ? (
        <Field label={p.form.percentField} value={d.percent} onInput={(percent) => set({ percent })} inputMode="decimal" hint={p.form.percentHint} error={wrong.percent ?? null} class="short" disabled={fixed} />
      ) : (
        <Field label={p.form.priceField(currency.value)} value={d.price} onInput={(price) => set({ price })} inputMode="decimal" hint={t.price.hint} error={priceWrong} class="short" disabled={fixed} />
      )}
    </fieldset>
  );
}

/** Names that the first products of the list carry, to choose from; any other can be typed. */
function useSuggestions(): { brands: string[]; categories: string[] } {
  const f = useFetched('suggestions', () => api.products.list('', { limit: 500 }));
  const names = (of: (x: { brand?: string | null; category?: string | null }) => string | null | undefined): string[] =>
    [...new Set((f.data?.items ?? []).map(of).filter((x): x is string => !!x))].sort().slice(0, 100);
  return { brands: names((x) => x.brand), categories: names((x) => x.category) };
}

function Products({ d, wrong, fixed, set }: PartProps): JSX.Element {
  const id = useId();
  const { brands, categories } = useSuggestions();
  const list = readList(d.list);
  const told = [d.ids.length > 0 && !d.list.trim() ? p.form.listIds(d.ids.length) : '', list.gtins.length > 0 ? p.form.listRead(list.gtins.length) : '', list.twice > 0 ? p.form.listTwice(list.twice) : ''].filter(Boolean).join(' · ');
  return (
    <fieldset>
      <legend>{p.form.which}</legend>
      <Choice<Which>
        label={p.form.which}
        value={d.which}
        options={[['list', p.form.byList], ['brand', p.form.byBrand], ['category', p.form.byCategory]]}
        onChange={(which) => set({ which })}
        disabled={fixed}
      />
      {d.which === 'list' && (
        <TextArea label={p.form.listField} value={d.list} onInput={(v) => set({ list: v })} hint={told || p.form.listHint} error={wrong.list ?? null} rows={6} mono disabled={fixed} />
      )}
      {d.which === 'brand' && <Field label={p.form.brandField} value={d.brand} onInput={(brand) => set({ brand })} error={wrong.brand ?? null} list={`${id}-b`} disabled={fixed} />}
      {d.which === 'category' && <Field label={p.form.categoryField} value={d.category} onInput={(category) => set({ category })} error={wrong.category ?? null} list={`${id}-c`} disabled={fixed} />}
      <datalist id={`${id}-b`}>{brands.map((b) => <option key={b} value={b} />)}</datalist>
      <datalist id={`${id}-c`}>{categories.map((c) => <option key={c} value={c} />)}</datalist>
    </fieldset>
  );
}

/** "1 day 12 hours", by the clock on the wall. */
function lengthWords(start: string, end: string): string | null {
  const a = wallDate(start);
  const b = wallDate(end);
  if (!a || !b || b <= a) {
    return null;
  }
  const all = Math.round((b.getTime() - a.getTime()) / 60_000);
  const [days, hours, minutes] = [Math.floor(all / 1440), Math.floor((all % 1440) / 60), all % 60];
  return [days ? p.form.days(days) : '', hours ? p.form.hours(hours) : '', minutes ? p.form.minutes(minutes) : ''].filter(Boolean).join(' ');
}

function Times({ d, wrong, fixed, set }: PartProps): JSX.Element {
  const length = lengthWords(d.start, d.end);
  return (
    <fieldset>
      <legend>{p.form.whenTitle}</legend>
      <p class="hint">
        {p.form.zone(zoneOf())} {length && p.form.lasts(length)}
      </p>
      <div class="pair">
        <Field label={p.form.start} type="datetime-local" value={d.start} onInput={(start) => set({ start })} error={wrong.start ?? null} disabled={fixed} />
        <Field label={p.form.end} type="datetime-local" value={d.end} onInput={(end) => set({ end })} error={wrong.end ?? null} />
      </div>
      {!fixed && <Recurrence d={d} wrong={wrong} fixed={fixed} set={set} />}
      {d.every !== 'none' && <p class="in-words">{repeatWords(repeatOf(d), d.start)}</p>}
    </fieldset>
  );
}

function Days({ d, set }: { d: Draft; set: PartProps['set'] }): JSX.Element {
  const first = dayOf(d.start);
  return (
    <div class="segmented days" role="group" aria-label={p.form.on}>
      {DAYS.map((day) => (
        <Button
          key={day}
          pressed={d.days.includes(day) || day === first}
          disabled={day === first}
          onClick={() => set({ days: d.days.includes(day) ? d.days.filter((x) => x !== day) : [...d.days, day] })}
        >
          {dayName(day, 'short')}
        </Button>
      ))}
    </div>
  );
}

function Recurrence({ d, wrong, set }: PartProps): JSX.Element {
  const every: [Draft['every'], string][] = [['none', p.repeat.none], ['day', p.repeat.day], ['week', p.repeat.week], ['month', p.repeat.month]];
  if (d.every === 'other' || d.rule) {
    every.push(...(d.every === 'other' ? [['other', p.repeat.other] as [Draft['every'], string]] : []));
  }
  const ends: [Ends, string][] = [['forever', p.form.forever], ['times', p.form.times], ['until', p.form.untilDay]];
  const repeats = d.every !== 'none' && d.every !== 'other';
  return (
    <>
      <div class="pair">
        <Select label={p.form.repeats} value={d.every} options={every} onChange={(v) => set({ every: v as Draft['every'] })} />
        {repeats && <Select label={p.form.until} value={d.ends} options={ends} onChange={(v) => set({ ends: v as Ends })} />}
      </div>
      {d.every === 'week' && <Days d={d} set={set} />}
      {repeats && d.ends === 'times' && <Field label={p.form.timesField} value={d.times} onInput={(times) => set({ times })} inputMode="numeric" error={wrong.times ?? null} class="short" />}
      {repeats && d.ends === 'until' && <Field label={p.form.untilField} type="date" value={d.until} onInput={(until) => set({ until })} error={wrong.until ?? null} class="short" />}
    </>
  );
}

interface Save {
  busy: boolean;
  error: unknown;
  run: (body: PromotionBody, state: 'draft' | 'scheduled' | null) => void;
  clear: () => void;
}

/** Sends the form: a new promotion, or what may change of an old one. */
function useSave(old: Promotion | null): Save {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const run = (body: PromotionBody, state: 'draft' | 'scheduled' | null): void => {
    setBusy(true);
    setError(null);
    const running = old?.state === 'running';
    const change = running ? { name: body.name, end: body.end } : { ...body, ...(state ? { state } : {}) };
    const sent = old ? promotions.change(old.id, old.etag, change) : promotions.create({ ...body, state: state ?? 'scheduled' });
    sent.then(
      (x) => {
        say(state === 'scheduled' ? p.form.scheduled(x.name) : p.form.saved(x.name));
        go(`/promotions/${x.id}`);
      },
      (e: unknown) => {
        setBusy(false);
        setError(e);
      },
    );
  };
  return { busy, error, run, clear: () => setError(null) };
}

function FormBody({ old, onReload }: { old: Promotion | null; onReload: () => void }): JSX.Element {
  const [d, setDraft] = useState<Draft>(() => (old ? draftOf(old) : EMPTY));
  const [tried, setTried] = useState(false);
  const save = useSave(old);
  const fixed = old?.state === 'running';
  const { body, wrong } = read(d, currency.value);
  const good = Object.keys(wrong).length === 0;
  const set = (change: Partial<Draft>): void => {
    setDraft((x) => ({ ...x, ...change }));
    save.clear();
  };
  // What one has not reached yet is not wrong; a list with a bad entry is, at once.
  const shown: Problems = tried ? wrong : { ...(d.list && wrong.list ? { list: wrong.list } : {}), ...(d.end && d.start && wrong.end ? { end: wrong.end } : {}) };
  const send = (state: 'draft' | 'scheduled' | null): void => {
    setTried(true);
    if (good && !save.busy) {
      save.run(body, state);
    }
  };
  const stale = save.error instanceof api.Problem && save.error.status === 412;
  const planned = !old || old.state === 'draft';
  const parts = { d, wrong: shown, fixed, set };
  return (
    <div class="form-and-preview">
      <form
        class="card"
        aria-label={old ? p.form.editTitle(old.name) : p.form.title}
        noValidate
        onSubmit={(e) => {
          e.preventDefault();
          send(planned ? 'scheduled' : null);
        }}
      >
        {fixed && <p class="hint">{p.form.runningHint}</p>}
        <Field label={p.form.name} value={d.name} onInput={(name) => set({ name })} hint={p.form.nameHint} error={shown.name ?? null} maxLength={120} focus={!old} />
        <Reduction {...parts} />
        <Products {...parts} />
        <Times {...parts} />
        {stale ? (
          <div class="notice tone-warn" role="alert">
            <div class="grow">{p.form.changed}</div>
            <Button icon="refresh" onClick={onReload}>
              {p.form.loadNew}
            </Button>
          </div>
        ) : (
          <ErrorBox error={save.error} />
        )}
        <div class="actions">
          <Button type="submit" kind="main" icon="clock" busy={save.busy}>
            {planned ? p.form.schedule : p.form.save}
          </Button>
          {planned && (
            <Button busy={save.busy} onClick={() => send('draft')}>
              {p.form.draft}
            </Button>
          )}
          <a class="button quiet" href={old ? `/promotions/${old.id}` : '/promotions'}>
            {t.cancel}
          </a>
        </div>
      </form>
      <PromotionPreviewPane id={old?.id ?? null} body={body} good={Object.keys(wrong).filter((k) => k !== 'name').length === 0} />
    </div>
  );
}

export function PromotionForm({ id }: { id: number | null }): JSX.Element {
  const f = useFetched(`promotion-form/${id}`, () => (id === null ? Promise.resolve(null) : promotions.get(id)));
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (!may('prices')) {
      go('/promotions', 'replace');
    }
  }, []);
  const ready = id === null || f.data;
  return (
    <div class="page">
      <a class="back" href={id === null ? '/promotions' : `/promotions/${id}`}>
        {id === null ? p.detail.back : (f.data?.name ?? p.detail.back)}
      </a>
      <PageHead title={f.data ? p.form.editTitle(f.data.name) : p.form.title} />
      <ErrorBox error={f.error} retry={f.reload} />
      {!ready && !f.error && <Loading />}
      {ready && (
        <FormBody
          key={`${f.data?.etag ?? 'new'}/${turn}`}
          old={f.data}
          onReload={() => {
            f.reload();
            setTurn((n) => n + 1);
          }}
        />
      )}
    </div>
  );
}
