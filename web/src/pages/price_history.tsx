// SPDX-License-Identifier: Apache-2.0
// What a product cost when, by whom and why: a chart of steps with its promotions, every step in a table, and undo
// as a new change.

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import * as api from '../api';
import { ledger, type PricePeriod } from '../api/prices';
import { Chart, Legend, type Point } from '../chart';
import { date, dateTime, money } from '../format';
import { useFetched, useLive, useThrottled } from '../hooks';
import { Icon } from '../icons';
import { may } from '../session';
import { w } from '../strings/prices';
import type { Product } from '../types';
import { Button, Chip, Confirm, ErrorBox, Field, Loading, say } from '../ui';

/** The lowest price in force at each instant at which anything begins or ends, oldest first. */
export function offeredSteps(periods: PricePeriod[]): Point[] {
  const spans = periods.map((p) => ({ from: Date.parse(p.from), to: p.to ? Date.parse(p.to) : Infinity, value: p.price_minor }));
  const edges = [...new Set(spans.flatMap((s) => [s.from, s.to]))].filter((t) => t !== Infinity).sort((a, b) => a - b);
  const points: Point[] = [];
  for (const at of edges) {
    const open = spans.filter((s) => s.from <= at && at < s.to).map((s) => s.value);
    const value = Math.min(...open);
    if (open.length > 0 && points.at(-1)?.value !== value) {
      points.push({ at, value });
    }
  }
  return points;
}

function HistoryChart({ periods, currency, now }: { periods: PricePeriod[]; currency: string; now: number }): JSX.Element | null {
  const points = offeredSteps(periods);
  const first = points[0];
  const last = points.at(-1);
  if (!first || !last || points.length < 2) {
    return null;
  }
  const values = points.map((p) => p.value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = Math.max(1, (high - low) * 0.15);
  const promoted = periods.filter((p) => p.kind === 'promotion');
  const to = Math.max(now, last.at + (last.at > now ? 7 * 86_400_000 : 0), ...promoted.map((p) => (p.to ? Date.parse(p.to) : 0)));
  const series = { name: w.offered, class: 'is-offer', points, steps: true };
  const present = points.filter((p) => p.at <= now).at(-1) ?? first;
  return (
    <div class="chart-box">
      <Chart
        series={[series]}
        bands={promoted.map((p) => ({ from: Date.parse(p.from), to: p.to ? Date.parse(p.to) : to, title: p.promotion ?? w.byPromotion }))}
        from={first.at}
        to={to}
        min={Math.max(0, low - room)}
        max={high + room}
        height={170}
        label={w.chart(money(present.value, currency), money(low, currency), money(high, currency))}
        yText={(v) => money(Math.round(v), currency)}
      />
      <div class="chart-legend">
        <Legend series={[series]} />
        {promoted.length > 0 && (
          <span class="band-key">
            <span class="band-swatch" /> {w.promotions}
          </span>
        )}
      </div>
    </div>
  );
}

function UndoDialog({ p, onClose, onDone }: { p: PricePeriod; onClose: () => void; onDone: () => void }): JSX.Element {
  const [reason, setReason] = useState('');
  return (
    <Confirm
      title={w.undoTitle}
      text={w.undoAsk(money(p.price_minor, p.currency))}
      action={w.undo}
      onDo={() =>
        ledger.undo(p.price_change_id as number, reason.trim()).then(
          () => {
            say(w.undone);
            onDone();
          },
          (e: unknown) => {
            throw e instanceof api.Problem && e.code === 'superseded' ? new Error(w.superseded) : e;
          },
        )
      }
      onClose={onClose}
    >
      <Field label={w.reason} value={reason} onInput={setReason} maxLength={200} />
    </Confirm>
  );
}

function Row({ p, now, undo }: { p: PricePeriod; now: number; undo: (() => void) | null }): JSX.Element {
  const ahead = Date.parse(p.from) > now;
  const open = !ahead && (!p.to || Date.parse(p.to) > now);
  return (
    <tr class={open ? 'is-open' : ''} data-kind={p.kind}>
      <td>
        <time dateTime={p.from} title={dateTime(p.from)}>
          {dateTime(p.from)}
        </time>
        <div class="sub">
          {ahead ? (
            <Chip tone="busy" icon="clock">
              {w.planned}
            </Chip>
          ) : open ? (
            w.inForce
          ) : (
            w.until(date(p.to))
          )}
        </div>
      </td>
      <td class="num">
        <strong>{money(p.price_minor, p.currency)}</strong>
      </td>
      <td>
        {p.kind === 'promotion' ? (
          <>
            <Icon name="percent" size={16} /> <a href={`/promotions/${p.promotion_id}`}>{p.promotion ?? w.byPromotion}</a>
          </>
        ) : (
          (p.by ?? '–')
        )}
        {p.reason && <div class="sub">{p.reason}</div>}
        {undo && (
          <Button icon="undo" kind="quiet" class="undo" onClick={undo}>
            {w.undo}
          </Button>
        )}
      </td>
    </tr>
  );
}

/** `turn` grows when a change was made of which no event tells, because it does not hold yet. */
export function PriceHistory({ product, turn }: { product: Product; turn: number }): JSX.Element {
  const f = useFetched(`history/${product.id}`, () => ledger.history(product.id, { limit: 200 }));
  const [undoing, setUndoing] = useState<PricePeriod | null>(null);
  const reload = useThrottled(f.reload, 500);
  useLive('price', (e) => e.product_id === product.id && reload());
  useLive('promotion', reload);
  useEffect(() => {
    if (turn > 0) {
      f.reload();
    }
  }, [turn]);
  const items = f.data?.items ?? [];
  const now = Date.now();
  // Only the newest change can be undone; every older one is answered by those after it.
  const newest = may('prices') ? items.filter((p) => p.price_change_id !== null).sort((a, b) => (b.price_change_id as number) - (a.price_change_id as number))[0] : undefined;
  const undoable = items.filter((p) => p.kind === 'regular').length > 1 ? newest : undefined;
  return (
    <section>
      <h3>{w.history}</h3>
      <ErrorBox error={f.error} retry={f.reload} />
      {!f.data && !f.error && <Loading />}
      {f.data && items.length === 0 && <p class="hint">{w.none}</p>}
      {items.length > 0 && (
        <>
          <HistoryChart periods={items} currency={product.currency} now={now} />
          <div class="table-scroll tall price-table" tabIndex={0} role="region" aria-label={w.history}>
            <table>
              <thead>
                <tr>
                  <th scope="col">{w.when}</th>
                  <th scope="col" class="num">
                    {w.price}
                  </th>
                  <th scope="col">{w.why}</th>
                </tr>
              </thead>
              <tbody>
                {items.map((p) => (
                  <Row key={`${p.from}/${p.kind}/${p.promotion_id ?? p.price_change_id}`} p={p} now={now} undo={p === undoable ? () => setUndoing(p) : null} />
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
      {undoing && <UndoDialog p={undoing} onClose={() => setUndoing(null)} onDone={f.reload} />}
    </section>
  );
}
