// SPDX-License-Identifier: Apache-2.0
// One promotion: what it does, when, and how far each of its labels is on the way to the next edge.

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { type Promotion, promotions } from '../api/promotions';
import { dateTime, gtinShort, money } from '../format';
import { useFetched, useLive, useThrottled } from '../hooks';
import { parseRule, repeatWords } from '../recurrence';
import { may } from '../session';
import { t } from '../strings';
import { p } from '../strings/promotions';
import { Ago, Button, Confirm, ErrorBox, Fact, Field, LinkButton, Loading, PageHead, say } from '../ui';
import { wallSpan } from '../wall';
import { AuditTrail } from './audit_parts';
import { ProgressBar, StepTable } from './progress_parts';
import { Notes, Occurrences, PromotionChip, Warnings, whatOf, whichOf } from './promotion_parts';

function CancelDialog({ x, onClose, onDone }: { x: Promotion; onClose: () => void; onDone: () => void }): JSX.Element {
  const [reason, setReason] = useState('');
  return (
    <Confirm
      title={p.detail.cancelTitle(x.name)}
      text={x.state === 'running' ? p.detail.cancelRunning : p.detail.cancelWaiting}
      action={p.detail.cancelDo}
      keep={p.detail.keep}
      onDo={() =>
        promotions.cancel(x.id, reason.trim()).then(() => {
          say(p.detail.cancelled(x.name));
          onDone();
        })
      }
      onClose={onClose}
    >
      <Field label={p.detail.reason} value={reason} onInput={setReason} maxLength={200} />
    </Confirm>
  );
}

function Actions({ x, onDone }: { x: Promotion; onDone: () => void }): JSX.Element | null {
  const [asking, setAsking] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const open = x.state === 'draft' || x.state === 'scheduled' || x.state === 'running';
  if (!open || !may('prices')) {
    return null;
  }
  const schedule = (): void => {
    setBusy(true);
    setError(null);
    promotions.change(x.id, x.etag, { state: 'scheduled' }).then(
      () => {
        setBusy(false);
        say(p.form.scheduled(x.name));
        onDone();
      },
      (e: unknown) => {
        setBusy(false);
        setError(e);
      },
    );
  };
  return (
    <>
      {x.state === 'draft' && (
        <Button icon="clock" kind="main" busy={busy} onClick={schedule}>
          {p.detail.schedule}
        </Button>
      )}
      <LinkButton href={`/promotions/${x.id}/edit`} icon="edit">
        {p.detail.edit}
      </LinkButton>
      <Button icon="cross" kind="danger" onClick={() => setAsking(true)}>
        {p.detail.cancel}
      </Button>
      <ErrorBox error={error} />
      {asking && <CancelDialog x={x} onClose={() => setAsking(false)} onDone={onDone} />}
    </>
  );
}

function Summary({ x }: { x: Promotion }): JSX.Element {
  const at = x.next;
  return (
    <section class="card">
      <dl class="facts wide">
        <Fact name={p.detail.what}>
          {whatOf(x)}, {whichOf(x.select)}
        </Fact>
        <Fact name={x.state === 'running' ? p.detail.now : p.detail.next}>
          {at ? (
            <>
              {wallSpan(at.start_wall, at.end_wall)}
              <Notes notes={at.notes} />
            </>
          ) : (
            p.noNext
          )}
        </Fact>
        <Fact name={p.detail.regularly}>{repeatWords(parseRule(x.recurrence), x.start)}</Fact>
        <Fact name={t.products.onShelf}>{p.reach(x.products, x.labels)}</Fact>
        {x.cancelled && (
          <Fact name={p.detail.cancelledFact}>
            {dateTime(x.cancelled.at)} · {x.cancelled.by}
            {x.cancelled.reason && <div class="sub">{x.cancelled.reason}</div>}
          </Fact>
        )}
        <Fact name={p.detail.made}>
          <Ago at={x.created} />, {p.createdBy(x.by)}
        </Fact>
      </dl>
      <Warnings items={x.warnings} />
    </section>
  );
}

function Progress({ x, turn }: { x: Promotion; turn: number }): JSX.Element {
  const f = useFetched(`promotion-progress/${x.id}`, () => promotions.progress(x.id));
  const [state, setState] = useState('');
  useEffect(() => {
    if (turn > 0) {
      f.reload();
    }
  }, [turn]);
  const d = f.data;
  return (
    <section class="card">
      <h2>{x.state === 'running' ? p.detail.progressOn : d?.edge === 'end' ? p.detail.progressEnd : p.detail.progressStart}</h2>
      <ErrorBox error={f.error} retry={f.reload} />
      <p class="hint one-line">
        {d?.due && (
          <>
            {x.state === 'running' && d.edge === 'start' ? p.detail.since : p.detail.due} {dateTime(d.due)} (<Ago at={d.due} />)
          </>
        )}
      </p>
      {(d ? d.total : x.labels) > 0 && <ProgressBar counts={d ?? { total: x.labels, staged: 0, flipped: 0, shown: 0, failed: 0 }} />}
      <StepTable
        name={`promotion-labels/${x.id}`}
        fetcher={(after, limit, signal) => promotions.labels(x.id, state as '', { after, limit, signal })}
        state={state}
        onState={setState}
        turn={turn}
        expected={x.labels}
      />
    </section>
  );
}

/** About the height of a row, kept free until the products are there. */
const PRODUCT_ROW = 45;

function Products({ x }: { x: Promotion }): JSX.Element {
  const f = useFetched(`promotion-products/${x.id}/${x.etag}/${x.state}`, () => promotions.products(x.id, { limit: 50 }));
  const items = f.data?.items ?? [];
  return (
    <section class="card">
      <h2>{p.detail.productsTitle}</h2>
      <ErrorBox error={f.error} retry={f.reload} />
      <ul class="plain-list rows-list full" style={{ minHeight: f.data ? undefined : `${Math.min(50, x.products) * PRODUCT_ROW}px` }}>
        {items.map((i) => (
          <li key={i.product_id}>
            <a href={`/products/${i.product_id}`} class="grow">
              {i.name}
            </a>
            <span class="sub mono">{gtinShort(i.gtin)}</span>
            {i.offer?.was_minor ? (
              <span class="old-new">
                <s>{money(i.price_minor, x.currency)}</s> <strong>{money(i.offer.price_minor, x.currency)}</strong>
              </span>
            ) : (
              <span class="num">{money(i.price_minor, x.currency)}</span>
            )}
          </li>
        ))}
      </ul>
      {f.data?.next && <p class="hint">{p.reach(x.products, x.labels)}</p>}
    </section>
  );
}

export function PromotionDetail({ id }: { id: number }): JSX.Element {
  const f = useFetched(`promotion/${id}`, () => promotions.get(id));
  const [turn, setTurn] = useState(0);
  const moved = useThrottled(() => setTurn((n) => n + 1), 1000);
  useLive('promotion', (e) => {
    if (e.id === id) {
      if (f.data && f.data.state !== e.state) {
        say(p.detail.stateChanged(f.data.name, p.states[e.state] ?? e.state));
      }
      f.reload();
      moved();
    }
  });
  useLive('label', moved);
  const x = f.data;
  return (
    <div class="page detail">
      <a class="back" href="/promotions">
        {p.detail.back}
      </a>
      <PageHead title={x?.name ?? t.nav.promotions} chip={x && <PromotionChip state={x.state} />}>
        {x && <Actions x={x} onDone={f.reload} />}
      </PageHead>
      <ErrorBox error={f.error} retry={f.reload} />
      {!x && !f.error && <Loading />}
      {x && (
        <>
          <Summary x={x} />
          <Progress x={x} turn={turn} />
          <div class="cards">
            {x.occurrences.length > 0 && (
              <section class="card">
                <h2>{p.detail.occurrences}</h2>
                <Occurrences items={x.occurrences} />
              </section>
            )}
            <Products x={x} />
            {may('audit') && (
              <section class="card">
                <h2>{p.detail.history}</h2>
                <AuditTrail object={`promotion:${id}`} turn={turn} none={p.detail.noHistory} />
              </section>
            )}
          </div>
        </>
      )}
    </div>
  );
}

