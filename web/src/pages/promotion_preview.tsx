// SPDX-License-Identifier: Apache-2.0
// What a promotion would do, asked from the server while one types: products, warnings, conflicts, and the picture
// of the label before anything is saved.

import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { labels as labelApi } from '../api';
import { type Panel, previewPicture, type PromotionBody, type PromotionPreview, type PromotionSample, promotions } from '../api/promotions';
import { gtinShort, money } from '../format';
import { useFetched } from '../hooks';
import { Icon } from '../icons';
import { currency } from '../session';
import { t } from '../strings';
import { p } from '../strings/promotions';
import type { Label } from '../types';
import { ErrorBox, say, Select } from '../ui';
import { Occurrences, Warnings } from './promotion_parts';

const PAUSE_MS = 350;
const PANELS_MAX = 3;
const PLAIN_PANEL: SizedPanel = { width: 296, height: 128, display_type: 0, colours: 'bw', n: 0 };

type SizedPanel = Panel & { colours: string; n: number };

/** The sizes of panel in this store, the most frequent first. */
export function panelsOf(labels: Label[]): SizedPanel[] {
  const found = new Map<string, SizedPanel>();
  for (const l of labels) {
    if (l.width > 0) {
      const key = `${l.width}/${l.height}/${l.display_type}`;
      const old = found.get(key) ?? { width: l.width, height: l.height, display_type: l.display_type, colours: l.colours, n: 0 };
      found.set(key, { ...old, n: old.n + 1 });
    }
  }
  const all = [...found.values()].sort((a, b) => b.n - a.n);
  return all.length > 0 ? all.slice(0, PANELS_MAX) : [PLAIN_PANEL];
}

export function usePanels(): SizedPanel[] {
  const f = useFetched('panels', () => labelApi.list('', '', { limit: 300 }));
  return panelsOf(f.data?.items ?? []);
}

interface PictureProps {
  product: { id: number; name: string };
  minor: number;
  was: number | null;
  prior: number | null;
  until: string | null;
  panel: SizedPanel;
}

/** One label as it would look; the old picture stays until the new one is there, so that nothing jumps. */
export function OfferPicture(o: PictureProps): JSX.Element {
  const [url, setUrl] = useState<string | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    const stop = new AbortController();
    const offer = { ...(o.was ? { was_minor: o.was } : {}), ...(o.prior ? { prior_minor: o.prior } : {}), ...(o.until ? { until: o.until } : {}) };
    previewPicture(o.product.id, o.minor, offer, o.panel, stop.signal).then(
      (blob) => {
        if (!stop.signal.aborted) {
          setFailed(false);
          setUrl(URL.createObjectURL(blob));
        }
      },
      () => setFailed(!stop.signal.aborted),
    );
    return () => stop.abort();
  }, [o.product.id, o.minor, o.was, o.prior, o.until, o.panel.width, o.panel.height, o.panel.display_type]);
  useEffect(() => () => void (url && URL.revokeObjectURL(url)), [url]);
  const { width, height, colours } = o.panel;
  const alt = p.preview.alt(o.product.name, money(o.minor, currency.value), o.was ? money(o.was, currency.value) : '');
  return (
    <figure class="picture offer-picture">
      <div class="picture-room" style={{ aspectRatio: `${width} / ${height}`, maxWidth: `${width}px` }}>
        {url && !failed && <img src={url} width={width} height={height} alt={alt} />}
        {failed && (
          <span class="no-picture">
            <Icon name="label" size={22} /> {p.preview.noPicture}
          </span>
        )}
      </div>
      <figcaption>{p.preview.panel(width, height, t.colours[colours as keyof typeof t.colours] ?? colours)}</figcaption>
    </figure>
  );
}

function Pictures({ r }: { r: PromotionPreview }): JSX.Element | null {
  const [id, setId] = useState<number | null>(null);
  const panels = usePanels();
  const choices = r.sample.filter((s) => s.promo_minor !== null);
  const s = choices.find((x) => x.product_id === id) ?? choices[0];
  if (!s || s.promo_minor === null) {
    return null;
  }
  return (
    <section>
      <h3>{p.preview.picture}</h3>
      {choices.length > 1 && (
        <Select label={p.preview.pictureOf} value={String(s.product_id)} options={choices.map((x): [string, string] => [String(x.product_id), x.name])} onChange={(v) => setId(Number(v))} />
      )}
      <div class="offer-pictures">
        {panels.map((panel) => (
          <OfferPicture
            key={`${panel.width}/${panel.height}/${panel.display_type}`}
            product={{ id: s.product_id, name: s.name }}
            minor={s.promo_minor as number}
            was={s.was_minor}
            prior={s.prior_minor}
            until={r.occurrences[0]?.end ?? null}
            panel={panel}
          />
        ))}
      </div>
    </section>
  );
}

function SampleRow({ s }: { s: PromotionSample }): JSX.Element {
  return (
    <tr>
      <th scope="row">
        <a href={`/products/${s.product_id}`}>{s.name}</a>
        <div class="sub mono">{gtinShort(s.gtin)}</div>
      </th>
      <td class="num">{money(s.regular_minor, currency.value)}</td>
      <td class="num">
        <strong>{money(s.promo_minor, currency.value)}</strong>
      </td>
      <td class="num">{money(s.prior_minor, currency.value)}</td>
      <td class="num">{s.labels}</td>
    </tr>
  );
}

function Sample({ items }: { items: PromotionSample[] }): JSX.Element | null {
  return items.length === 0 ? null : (
    <section>
      <h3>{p.preview.sample}</h3>
      <div class="table-scroll tall sample" tabIndex={0} role="region" aria-label={p.preview.sample}>
        <table>
          <thead>
            <tr>
              <th scope="col">{p.preview.product}</th>
              <th scope="col" class="num">
                {p.preview.regular}
              </th>
              <th scope="col" class="num">
                {p.preview.during}
              </th>
              <th scope="col" class="num">
                {p.preview.prior}
              </th>
              <th scope="col" class="num">
                {p.preview.labels}
              </th>
            </tr>
          </thead>
          <tbody>
            {items.map((s) => (
              <SampleRow key={s.product_id} s={s} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Conflicts({ r }: { r: PromotionPreview }): JSX.Element | null {
  return r.conflicts.length === 0 ? null : (
    <div class="notice tone-warn">
      <Icon name="warn" />
      <div>
        <strong>{p.preview.conflicts}</strong> <span>{p.preview.conflictRule}</span>
        <ul class="plain-list">
          {r.conflicts.slice(0, 10).map((c) => (
            <li key={`${c.promotion_id}/${c.product_id}`}>
              <a href={`/promotions/${c.promotion_id}`}>{c.name}</a>: {c.detail}
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}

/** Asks again after a pause in typing; the last answer stays until the next is there. */
function usePreview(id: number | null, body: PromotionBody, good: boolean): { data: PromotionPreview | null; error: unknown; busy: boolean } {
  const [state, setState] = useState<{ data: PromotionPreview | null; error: unknown; busy: boolean }>({ data: null, error: null, busy: false });
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
      promotions.preview({ ...latest.current, name: latest.current.name || '–', ...(id === null ? {} : { id }) }, stop.signal).then(
        (data) => {
          setState({ data, error: null, busy: false });
          say(p.preview.announce(data.products, data.labels, data.warnings.length + data.conflicts.length));
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

export function PromotionPreviewPane({ id, body, good }: { id: number | null; body: PromotionBody; good: boolean }): JSX.Element {
  const { data: r, error, busy } = usePreview(id, body, good);
  return (
    <aside class="card preview-pane" aria-label={p.preview.title} aria-busy={busy} data-preview={r && good ? 'ready' : undefined}>
      <h2>{p.preview.title}</h2>
      <ErrorBox error={good ? error : null} />
      {!r && !error && <p class="hint">{p.preview.wait}</p>}
      {r && (
        <div class={`preview-body ${good && !busy ? '' : 'is-old'}`}>
          <p class="big-text">{r.products === 0 ? p.preview.nothing : p.preview.reach(r.products, r.labels)}</p>
          <Warnings items={r.warnings} />
          <Conflicts r={r} />
          <Pictures r={r} />
          {r.occurrences.length > 0 && (
            <section>
              <h3>{p.preview.occurrences}</h3>
              <Occurrences items={r.occurrences.slice(0, 5)} />
              {r.occurrences.length > 5 && <p class="hint">{p.preview.more}</p>}
            </section>
          )}
          <Sample items={r.sample} />
        </div>
      )}
    </aside>
  );
}
