// SPDX-License-Identifier: Apache-2.0
// What the books expect beside what the antennas see, per product and place. Every number leads to what made it.

import type { JSX } from 'preact';
import { useCallback } from 'preact/hooks';
import * as api from '../api';
import { type Difference, type DifferenceSummary, differences } from '../api/books';
import { count, dateTime, gtinShort } from '../format';
import { useEvery, useFetched, useLive, usePaged, useThrottled, useWide } from '../hooks';
import type { IconName } from '../icons';
import { go, here, setQuery } from '../router';
import { may } from '../session';
import { t } from '../strings';
import { d } from '../strings/differences';
import { Button, Chip, Empty, ErrorBox, LinkButton, PageHead, SearchBox, Select, type Tone } from '../ui';
import { VirtualTable } from '../virtual';
import { DifferencePanel } from './difference_panel';
import { StockTabs } from './stock_tabs';

/** A missing item becomes one when its time of grace is over: nothing happens then that could be told. */
export const GRACE_MS = 20_000;

/** Reasons that explain a difference without anything being wrong in the store. */
const CALM = new Set(['matching', 'delivery-open', 'not-yet-sold-feed', 'untagged', 'no-book', 'misplaced']);

/** The difference as a status: icon, words and colour. */
export function DifferenceChip({ x }: { x: Pick<Difference, 'difference' | 'reason'> }): JSX.Element {
  const n = x.difference;
  if (n === null || n === undefined) {
    return (
      <Chip tone="plain" icon="unknown">
        {d.noBook}
      </Chip>
    );
  }
  const calm = CALM.has(x.reason.code);
  const tone: Tone = n === 0 ? (x.reason.code === 'matching' ? 'good' : 'plain') : calm ? 'plain' : n < 0 ? 'bad' : 'warn';
  const icon: IconName = n === 0 ? 'check' : n > 0 ? 'plus' : calm ? 'unknown' : 'warn';
  return (
    <Chip tone={tone} icon={icon}>
      {n === 0 ? d.match : n > 0 ? d.surplusBy(n) : calm ? d.notSeen(-n) : d.missingBy(-n)}
    </Chip>
  );
}

/** The address of what made a row, with search and filters kept. */
function detailHref(x: Difference, hash = ''): string {
  if (x.product_id === null) {
    return '/differences/strangers';
  }
  const tail = here.value.query.toString();
  return `/differences/${x.product_id}${tail ? `?${tail}` : ''}${hash}`;
}

function seenHref(x: Difference): string {
  const q = new URLSearchParams();
  if (x.product_id !== null) {
    q.set('product_id', String(x.product_id));
  } else if (x.gtin) {
    q.set('gtin', x.gtin);
  }
  if (x.place_id !== null) {
    q.set('place_id', String(x.place_id));
  }
  return `/stock/items?${q.toString()}`;
}

function nameOf(x: Difference): string {
  return x.name ?? (x.gtin ? t.stock.unknownProduct(gtinShort(x.gtin)) : t.stock.foreign);
}

function Row({ x }: { x: Difference }): JSX.Element {
  const name = nameOf(x);
  const place = x.place ?? d.wholeStore;
  return (
    <>
      <div role="cell" class="c-name">
        <a class="row-link clip" data-row href={detailHref(x)}>
          {name}
        </a>
        <span class="sub clip">
          {place} · <span class="mono">{gtinShort(x.gtin)}</span>
        </span>
      </div>
      <div role="cell" class="num c-expected">
        <span class="narrow-word">{d.expected} </span>
        <a class="count-link" href={detailHref(x)} aria-label={d.openExpected(count(x.expected), name)}>
          {count(x.expected)}
        </a>
      </div>
      <div role="cell" class="num c-seen">
        <span class="narrow-word">{d.seen} </span>
        <a class="count-link" href={seenHref(x)} aria-label={d.openSeen(count(x.seen), name, place)}>
          {count(x.seen)}
        </a>
      </div>
      <div role="cell" class="c-diff">
        <DifferenceChip x={x} />
      </div>
      <div role="cell" class="c-why">
        <span class="two-lines" title={x.reason.text}>
          {x.reason.text || d.reasons[x.reason.code] || x.reason.code}
        </span>
      </div>
    </>
  );
}

function Head(): JSX.Element {
  return (
    <>
      <div role="columnheader">{d.product}</div>
      <div role="columnheader" class="num">
        {d.expected}
      </div>
      <div role="columnheader" class="num">
        {d.seen}
      </div>
      <div role="columnheader">{d.difference}</div>
      <div role="columnheader">{d.why}</div>
    </>
  );
}

interface Figure {
  key: string;
  value: number;
  text: string;
  href: string;
  tone: Tone;
}

/** What the store's figures are made of. Rows by reason are products; strangers are tags and codes. */
function figuresOf(s: DifferenceSummary): Figure[] {
  const by = (code: string, fallback: number): number => s.reasons?.[code] ?? fallback;
  const of = (key: string, value: number, text: string, tone: Tone, href = `?reason=${key}`): Figure => ({ key, value, text, tone, href });
  const left = by('left-unsold', 0);
  return [
    of('matching', by('matching', s.matching), d.matching, 'good'),
    of('missing', by('missing', s.missing), d.missing, 'bad'),
    ...(left > 0 ? [of('left-unsold', left, d.leftUnsold, 'bad')] : []),
    of('surplus', by('surplus', s.surplus), d.surplus, 'warn'),
    of('untagged', by('untagged', s.untagged), d.untagged, 'plain'),
    of('unknown', s.unknown, d.unknown, 'plain', '/strangers'),
    of('foreign', s.foreign, d.foreign, 'plain', '/strangers'),
  ];
}

/** The figures of the store; each is the way to its rows. */
function Summary({ s, reason }: { s: DifferenceSummary; reason: string }): JSX.Element {
  return (
    <ul class="plain-list figures" data-summary>
      {figuresOf(s).map((f) => (
        <li key={f.key}>
          <a class={`figure tone-edge-${f.value > 0 ? f.tone : 'plain'}`} href={`/differences${f.href}`} aria-current={f.href === `?reason=${reason}` ? 'true' : undefined} data-figure={f.key}>
            <strong>{count(f.value)}</strong>
            <span>{f.text}</span>
          </a>
        </li>
      ))}
    </ul>
  );
}

function Nothing({ filtered, known }: { filtered: boolean; known: boolean }): JSX.Element {
  if (filtered) {
    return (
      <Empty icon="search" title={d.noMatch}>
        <Button onClick={() => setQuery({ q: null, place_id: null, reason: null })}>{t.clearSearch}</Button>
      </Empty>
    );
  }
  return known ? (
    <Empty icon="check" title={d.none}>
      <p>{d.noneHint}</p>
    </Empty>
  ) : (
    <Empty icon="list" title={d.noBooks}>
      <p>{d.noBooksHint}</p>
      {may('books') && (
        <LinkButton href="/differences/books/import" kind="main" icon="upload">
          {d.importBooks}
        </LinkButton>
      )}
    </Empty>
  );
}

const REASONS: [string, string][] = [['', d.allReasons], ...Object.entries(d.reasons)];

function Filters({ q, place, reason }: { q: string; place: string; reason: string }): JSX.Element {
  const places = useFetched('places', () => api.places.list({ limit: 1000 }));
  const all = places.data?.items ?? [];
  return (
    <div class="toolbar">
      <SearchBox label={d.search} value={q} onSearch={(v) => setQuery({ q: v })} />
      <Select
        label={d.place}
        hideLabel
        value={place}
        options={[['', d.allPlaces], ...all.map((p): [string, string] => [String(p.id), p.name])]}
        onChange={(v) => setQuery({ place_id: v })}
      />
      <Select label={d.reason} hideLabel value={reason} options={REASONS} onChange={(v) => setQuery({ reason: v })} />
    </div>
  );
}

export function DifferencesPage({ id }: { id: number | null }): JSX.Element {
  const query = here.value.query;
  const q = query.get('q') ?? '';
  const place = query.get('place_id') ?? '';
  const reason = query.get('reason') ?? '';
  const wide = useWide(900);
  const summary = useFetched('difference-summary', () => differences.list({}, { limit: 1 }));
  const list = usePaged<Difference>(`differences/${q}/${place}/${reason}`, (after, limit, signal) =>
    differences.list({ q, place_id: place, reason }, { after, limit, signal }),
  );
  const reload = useThrottled(() => {
    list.reload();
    summary.reload();
  }, 2000);
  useLive('difference', reload);
  useLive('stock', reload);
  useEvery(GRACE_MS, reload);
  const close = useCallback(() => {
    const tail = here.value.query.toString();
    go(`/differences${tail ? `?${tail}` : ''}`);
  }, []);
  void list.version.value;
  const s = summary.data?.summary;
  const known = !!s && s.products > 0;
  return (
    <div class={`page fill ${id !== null ? 'with-panel' : ''}`}>
      <div class="list-side">
        <StockTabs />
        <PageHead title={d.title} lead={`${d.lead}${s?.as_of ? ` ${d.asOf(dateTime(s.as_of))}` : ''}`} />
        {s && <Summary s={s} reason={reason} />}
        <Filters q={q} place={place} reason={reason} />
        <ErrorBox error={list.error.value ?? summary.error} retry={reload} />
        {list.empty ? (
          <Nothing filtered={!!q || !!place || !!reason} known={known} />
        ) : (
          <VirtualTable
            list={list}
            rowHeight={wide ? 60 : 116}
            label={d.title}
            class="differences"
            head={wide ? <Head /> : undefined}
            rowClass={(x) => (x && x.product_id === id && id !== null ? 'is-selected' : '')}
            row={(x) => (x ? <Row x={x} /> : <div role="cell" class="skeleton" />)}
          />
        )}
      </div>
      {id !== null && <DifferencePanel key={id} id={id} onClose={close} onSettled={reload} />}
    </div>
  );
}
