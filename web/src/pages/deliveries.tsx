// SPDX-License-Identifier: Apache-2.0
// What suppliers have announced, and how much of it the antennas have seen.

import type { JSX } from 'preact';
import { useCallback, useState } from 'preact/hooks';
import { type Delivery, type DeliveryState, deliveries } from '../api/books';
import { count, dateTime, gtinShort } from '../format';
import { useFetched, useLive, usePaged, useThrottled, useWide } from '../hooks';
import type { IconName } from '../icons';
import { go, here, setQuery } from '../router';
import { may } from '../session';
import { t } from '../strings';
import { v } from '../strings/differences';
import { Button, Chip, Confirm, Empty, ErrorBox, Loading, PageHead, Select, type Tone } from '../ui';
import { VirtualTable } from '../virtual';
import { AnnounceDialog, ReceiveDialog } from './delivery_dialogs';
import { StockTabs } from './stock_tabs';

const LOOKS: Record<DeliveryState, [Tone, IconName]> = {
  announced: ['plain', 'clock'],
  arriving: ['busy', 'send'],
  received: ['good', 'check'],
  cancelled: ['plain', 'off'],
};

/** States one may filter by; arriving ones are announced ones of which something was seen. */
const STATES = ['announced', 'received', 'cancelled'];

function StateChip({ x }: { x: Delivery }): JSX.Element {
  const [tone, icon] = LOOKS[x.state] ?? ['plain', 'unknown'];
  return (
    <Chip tone={tone} icon={icon}>
      {v.states[x.state] ?? x.state}
    </Chip>
  );
}

/** Pieces announced and seen: told by the list, or added up from the lines. */
function sums(x: Delivery): { announced: number; seen: number } {
  const lines = x.lines ?? [];
  return {
    announced: x.announced ?? lines.reduce((n, l) => n + l.quantity, 0),
    seen: x.seen ?? lines.reduce((n, l) => n + Math.min(l.seen ?? 0, l.quantity), 0),
  };
}

function Progress({ x }: { x: Delivery }): JSX.Element {
  const { announced, seen } = sums(x);
  return (
    <span class="delivery-progress">
      <progress max={Math.max(1, announced)} value={Math.min(seen, announced)} aria-hidden="true" />
      <span>{x.state === 'received' ? v.pieces(announced) : v.progress(seen, announced)}</span>
    </span>
  );
}

function Row({ x }: { x: Delivery }): JSX.Element {
  return (
    <>
      <div role="cell" class="c-name">
        <a class="row-link clip" data-row href={`/differences/deliveries/${x.id}`}>
          {x.reference}
        </a>
        <span class="sub clip">
          {[x.supplier, x.expected_at ? dateTime(x.expected_at) : ''].filter(Boolean).join(' · ')}
        </span>
      </div>
      <div role="cell" class="c-progress">
        <Progress x={x} />
      </div>
      <div role="cell" class="c-state">
        <StateChip x={x} />
      </div>
    </>
  );
}

function Lines({ x }: { x: Delivery }): JSX.Element {
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label={v.lines}>
      <table>
        <thead>
          <tr>
            <th scope="col">{v.product}</th>
            <th scope="col" class="num">
              {v.announced}
            </th>
            <th scope="col" class="num">
              {v.seen}
            </th>
            <th scope="col" class="num">
              {x.state === 'received' ? v.received : v.open}
            </th>
          </tr>
        </thead>
        <tbody>
          {x.lines.map((l) => (
            <tr key={l.gtin}>
              <td>
                {l.product_id ? <a href={`/differences/${l.product_id}`}>{l.name ?? gtinShort(l.gtin)}</a> : (l.name ?? gtinShort(l.gtin))}
                <div class="sub mono">{gtinShort(l.gtin)}</div>
              </td>
              <td class="num">{count(l.quantity)}</td>
              <td class="num">{count(l.seen ?? 0)}</td>
              <td class="num">{count(x.state === 'received' ? (l.received ?? l.quantity) : Math.max(0, l.quantity - (l.seen ?? 0)))}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function DeliveryPanel({ id, onClose, onChanged }: { id: number; onClose: () => void; onChanged: () => void }): JSX.Element {
  const f = useFetched(`delivery/${id}`, () => deliveries.get(id));
  const [receiving, setReceiving] = useState(false);
  const [cancelling, setCancelling] = useState(false);
  const again = useThrottled(f.reload, 2000);
  useLive('difference', again);
  useLive('stock', again);
  const x = f.data;
  const changed = (): void => {
    f.reload();
    onChanged();
  };
  return (
    <aside class="panel" aria-label={x ? v.one(x.reference) : v.title}>
      <header class="panel-head">
        <div class="grow">
          <h2>{x?.reference ?? ''}</h2>
          {x && <StateChip x={x} />}
        </div>
        <Button icon="cross" kind="quiet" label={t.close} onClick={onClose} />
      </header>
      <ErrorBox error={f.error} retry={f.reload} />
      {!x && !f.error && <Loading />}
      {x && (
        <>
          <section>
            <p class="sub">{[x.supplier, x.expected_at ? `${v.expected} ${dateTime(x.expected_at)}` : ''].filter(Boolean).join(' · ')}</p>
            <Progress x={x} />
          </section>
          <section>
            <h3>{v.lines}</h3>
            <Lines x={x} />
          </section>
          {may('books') && (x.state === 'announced' || x.state === 'arriving') && (
            <div class="actions">
              <Button kind="main" icon="check" onClick={() => setReceiving(true)}>
                {v.receive}
              </Button>
              <Button icon="off" onClick={() => setCancelling(true)}>
                {v.cancel}
              </Button>
            </div>
          )}
          {cancelling && (
            <Confirm
              title={v.cancelTitle}
              text={v.cancelAsk(x.reference)}
              action={v.cancel}
              onDo={() => deliveries.cancel(id).then(changed)}
              onClose={() => setCancelling(false)}
            />
          )}
          {receiving && (
            <ReceiveDialog
              delivery={x}
              onClose={() => setReceiving(false)}
              onDone={changed}
            />
          )}
        </>
      )}
    </aside>
  );
}

export function DeliveriesPage({ id }: { id: string | null }): JSX.Element {
  const wide = useWide(720);
  const state = here.value.query.get('state') ?? '';
  const [announcing, setAnnouncing] = useState(false);
  const list = usePaged<Delivery>(`deliveries/${state}`, (after, limit, signal) => deliveries.list(state, { after, limit, signal }));
  useLive('difference', useThrottled(() => list.reload(), 3000));
  const close = useCallback(() => go('/differences/deliveries'), []);
  void list.version.value;
  const open = id !== null && /^\d+$/.test(id) ? Number(id) : null;
  return (
    <div class={`page fill ${open !== null ? 'with-panel' : ''}`}>
      <div class="list-side">
        <StockTabs />
        <PageHead title={v.title} lead={v.lead}>
          {may('books') && (
            <Button icon="plus" kind="main" onClick={() => setAnnouncing(true)}>
              {v.announce}
            </Button>
          )}
        </PageHead>
        <div class="toolbar">
          <Select label={v.state} hideLabel value={state} options={[['', v.allStates], ...STATES.map((s): [string, string] => [s, v.states[s] ?? s])]} onChange={(s) => setQuery({ state: s })} />
        </div>
        <ErrorBox error={list.error.value} retry={() => list.retry()} />
        {list.empty ? (
          <Empty icon="boxes" title={state ? v.noMatch : v.none}>
            {!state && <p>{v.noneHint}</p>}
          </Empty>
        ) : (
          <VirtualTable
            list={list}
            rowHeight={wide ? 60 : 92}
            label={v.title}
            class="deliveries"
            rowClass={(x) => (x && x.id === open ? 'is-selected' : '')}
            row={(x) => (x ? <Row x={x} /> : <div role="cell" class="skeleton" />)}
          />
        )}
      </div>
      {open !== null && <DeliveryPanel key={open} id={open} onClose={close} onChanged={() => list.reload()} />}
      {announcing && <AnnounceDialog onClose={() => setAnnouncing(false)} onSaved={(x) => go(`/differences/deliveries/${x.id}`)} onChanged={() => list.reload()} />}
    </div>
  );
}
