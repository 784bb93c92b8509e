// SPDX-License-Identifier: Apache-2.0
// One difference opened: the sum it comes from, the ledger behind the expectation, the tags behind what is seen.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { type DifferenceDetail, type DifferenceItem, differences, type Reason } from '../api/books';
import { count, dateTime, gtinShort } from '../format';
import { useEvery, useFetched, useLive, useThrottled } from '../hooks';
import { may } from '../session';
import { t } from '../strings';
import { d } from '../strings/differences';
import { Ago, Button, ErrorBox, Field, Loading, say, Select } from '../ui';
import { DifferenceChip, GRACE_MS } from './differences';

/** Book + delivered − sold = expected; beside it what is seen. As a sum, because that is what it is. */
function Sum({ x }: { x: DifferenceDetail }): JSX.Element {
  const line = (name: string, value: string, cls = ''): JSX.Element => (
    <div class={`sum-line ${cls}`}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
  return (
    <section aria-label={d.detail.how}>
      <h3>{d.detail.how}</h3>
      <dl class="sum" data-sum>
        {line(d.detail.book, count(x.book))}
        {line(d.detail.delivered, x.delivered ? d.signed(x.delivered) : '0')}
        {x.returned ? line(d.detail.returned, d.signed(x.returned)) : null}
        {line(d.detail.sold, x.sold ? d.signed(-x.sold) : '0')}
        {line(d.detail.expected, count(x.expected), 'sum-total')}
        {line(d.detail.seen, count(x.seen))}
        {line(d.detail.difference, x.difference === null ? '–' : d.signed(x.difference), 'sum-total')}
      </dl>
    </section>
  );
}

function ByPlace({ x }: { x: DifferenceDetail }): JSX.Element | null {
  const rows = x.places ?? [];
  if (rows.length === 0) {
    return null;
  }
  return (
    <section>
      <h3>{d.detail.byPlace}</h3>
      <div class="table-scroll" tabIndex={0} role="region" aria-label={d.detail.byPlace}>
        <table>
          <thead>
            <tr>
              <th scope="col">{d.place}</th>
              <th scope="col" class="num">
                {d.expected}
              </th>
              <th scope="col" class="num">
                {d.seen}
              </th>
              <th scope="col" class="num">
                {d.difference}
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((r) => (
              <tr key={String(r.place_id)}>
                <td>{r.place ?? d.wholeStore}</td>
                <td class="num">{count(r.expected)}</td>
                <td class="num">{count(r.seen)}</td>
                <td class="num">{r.difference === null ? '–' : d.signed(r.difference)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Ledger({ x }: { x: DifferenceDetail }): JSX.Element {
  return (
    <section>
      <h3 id="ledger">{d.detail.ledger}</h3>
      <p class="hint">{x.ledger.length ? d.detail.ledgerHint : d.detail.noLedger}</p>
      {x.ledger.length > 0 && (
        <div class="table-scroll ledger" tabIndex={0} role="region" aria-label={d.detail.ledger}>
          <table>
            <thead>
              <tr>
                <th scope="col">{d.detail.at}</th>
                <th scope="col">{d.detail.what}</th>
                <th scope="col" class="num">
                  {d.detail.quantity}
                </th>
                <th scope="col" class="num">
                  {d.detail.running}
                </th>
              </tr>
            </thead>
            <tbody>
              {x.ledger.map((r, i) => (
                <tr key={i} data-kind={r.kind}>
                  <td>
                    <time dateTime={r.at}>{dateTime(r.at)}</time>
                  </td>
                  <td>
                    {d.detail.kinds[r.kind] ?? r.kind}
                    <div class="sub">{[r.ref, r.place, r.reason, r.by].filter(Boolean).join(' · ')}</div>
                  </td>
                  <td class="num">{r.kind === 'book' || r.kind === 'adjustment' ? count(r.quantity) : d.signed(r.quantity)}</td>
                  <td class="num">
                    <strong>{count(r.running)}</strong>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {(x.ledger_total ?? 0) > x.ledger.length && <p class="hint">{d.detail.more(count(x.ledger.length), count(x.ledger_total))}</p>}
    </section>
  );
}

function words(r: Reason | string | null): string {
  return r === null ? '' : typeof r === 'string' ? (d.reasons[r] ?? r) : r.text || d.reasons[r.code] || r.code;
}

function placeOf(i: DifferenceItem): string {
  return i.place === null ? '–' : typeof i.place === 'string' ? i.place : i.place.name;
}

function Items({ x }: { x: DifferenceDetail }): JSX.Element {
  return (
    <section>
      <h3>{d.detail.items}</h3>
      <p class="hint">{x.items.length ? d.detail.itemsHint : d.detail.noItems}</p>
      {x.items.length > 0 && (
        <ul class="plain-list evidence-items">
          {x.items.map((i) => (
            <li key={i.epc} data-epc={i.epc}>
              <a class="mono break" href={`/items/${i.epc}`}>
                {i.epc}
              </a>
              <span class="sub">
                {i.state === 'present' ? d.detail.present : i.state === 'never-heard' ? d.detail.neverHeard : d.detail.gone} · {placeOf(i)} · <Ago at={i.last_seen} />
              </span>
              {i.sold && (
                <span class="sub">
                  {d.detail.sale} {d.detail.soldAt(i.sold.sale, i.sold.till ?? '')} · {dateTime(i.sold.at)}
                </span>
              )}
              {i.reason && <span class="item-why">{words(i.reason)}</span>}
            </li>
          ))}
        </ul>
      )}
      {(x.items_total ?? 0) > x.items.length && <p class="hint">{d.detail.more(count(x.items.length), count(x.items_total))}</p>}
    </section>
  );
}

function Settle({ x, onSettled }: { x: DifferenceDetail; onSettled: () => void }): JSX.Element {
  const rows = x.places ?? [];
  const worst = rows.find((r) => r.difference !== 0) ?? rows[0];
  const [place, setPlace] = useState(worst ? String(worst.place_id ?? '') : '');
  const row = rows.find((r) => String(r.place_id ?? '') === place);
  const [quantity, setQuantity] = useState(String(row?.seen ?? x.seen));
  const [reason, setReason] = useState('');
  const [error, setError] = useState<unknown>(null);
  const [bad, setBad] = useState<{ quantity?: string; reason?: string }>({});
  const [busy, setBusy] = useState(false);
  const whole = /^\d{1,9}$/.test(quantity.trim()) ? Number(quantity) : null;
  const before = row ? row.expected : x.expected;
  const move = (to: string): void => {
    setPlace(to);
    setQuantity(String(rows.find((r) => String(r.place_id ?? '') === to)?.seen ?? x.seen));
  };
  const submit = (e: Event): void => {
    e.preventDefault();
    setBad({ ...(whole === null ? { quantity: d.settle.badQuantity } : {}), ...(reason.trim() ? {} : { reason: d.settle.needReason }) });
    if (whole === null || !reason.trim()) {
      return;
    }
    setBusy(true);
    setError(null);
    differences.settle(x.product_id, whole, place ? Number(place) : null, reason.trim()).then(
      () => {
        setBusy(false);
        setReason('');
        say(d.settle.done(x.name, whole));
        onSettled();
      },
      (er: unknown) => {
        setBusy(false);
        setError(er);
      },
    );
  };
  return (
    <section>
      <h3>{d.settle.title}</h3>
      <p class="hint">{d.settle.hint}</p>
      <form onSubmit={submit} class="settle" noValidate>
        {rows.length > 0 && (
          <Select label={d.settle.place} value={place} options={rows.map((r): [string, string] => [String(r.place_id ?? ''), r.place ?? d.wholeStore])} onChange={move} />
        )}
        <div class="row">
          <Field label={d.settle.quantity} value={quantity} onInput={setQuantity} inputMode="numeric" error={bad.quantity ?? null} class="short" />
          <Field label={d.settle.reason} value={reason} onInput={setReason} hint={d.settle.reasonHint} error={bad.reason ?? null} maxLength={200} />
        </div>
        {whole !== null && before !== null && whole !== before && <p>{d.settle.preview(before, whole)}</p>}
        <ErrorBox error={error} />
        <div class="actions">
          <Button type="submit" kind="main" busy={busy}>
            {d.settle.action}
          </Button>
        </div>
      </form>
    </section>
  );
}

export function DifferencePanel({ id, onClose, onSettled }: { id: number; onClose: () => void; onSettled: () => void }): JSX.Element {
  const f = useFetched(`difference/${id}`, () => differences.get(id));
  const again = useThrottled(f.reload, 2000);
  useLive('difference', again);
  useLive('stock', (e) => e.product_id === id && again());
  useEvery(GRACE_MS, again);
  const x = f.data;
  return (
    <aside class="panel" aria-label={x ? d.detail.title(x.name) : d.title}>
      <header class="panel-head">
        <div class="grow">
          <h2>{x?.name ?? ''}</h2>
          {x && <span class="sub mono">{gtinShort(x.gtin)}</span>}
        </div>
        <Button icon="cross" kind="quiet" label={t.close} onClick={onClose} />
      </header>
      <ErrorBox error={f.error} retry={f.reload} />
      {!x && !f.error && <Loading />}
      {x && (
        <>
          <div class="why" data-reason={x.reason.code}>
            <DifferenceChip x={x} />
            <p>{words(x.reason)}</p>
          </div>
          <Sum x={x} />
          <ByPlace x={x} />
          <Ledger x={x} />
          <Items x={x} />
          {may('books') && (
            <Settle
              key={`${x.seen}/${x.ledger.length}`}
              x={x}
              onSettled={() => {
                f.reload();
                onSettled();
              }}
            />
          )}
          <p>
            <a href={`/products/${x.product_id}`}>{d.detail.openProduct}</a>
          </p>
        </>
      )}
    </aside>
  );
}
