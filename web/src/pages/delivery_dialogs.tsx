// SPDX-License-Identifier: Apache-2.0
// Announcing a delivery and receiving it: a list of products with quantities each.

import type { JSX } from 'preact';
import { useId, useState } from 'preact/hooks';
import * as api from '../api';
import { type Delivery, deliveries } from '../api/books';
import { count, gtinShort } from '../format';
import { useFetched } from '../hooks';
import { t } from '../strings';
import { b, v } from '../strings/differences';
import { Button, Dialog, ErrorBox, Field, say, Select } from '../ui';
import { ProductPicker } from './product_picker';

interface Line {
  gtin: string;
  name: string;
  quantity: string;
}

function whole(text: string, least: number): number | null {
  return /^\d{1,9}$/.test(text.trim()) && Number(text) >= least ? Number(text) : null;
}

/** A product with the quantity one types. */
function Quantity({ line, least, bad, onInput, onRemove, note }: { line: Line; least: number; bad: boolean; onInput: (q: string) => void; onRemove?: () => void; note?: string }): JSX.Element {
  const id = useId();
  const wrong = bad && whole(line.quantity, least) === null;
  return (
    <li class="quantity-line">
      <label for={id} class="grow">
        {line.name}
        {note && <span class="sub"> {note}</span>}
      </label>
      <input
        id={id}
        class="quantity"
        inputMode="numeric"
        autocomplete="off"
        value={line.quantity}
        aria-invalid={wrong || undefined}
        aria-label={v.quantityOf(line.name)}
        onInput={(e) => onInput(e.currentTarget.value)}
      />
      {onRemove && <Button icon="cross" kind="quiet" label={v.removeLine(line.name)} onClick={onRemove} />}
    </li>
  );
}

export function AnnounceDialog({ onClose, onSaved, onChanged }: { onClose: () => void; onSaved: (x: Delivery) => void; onChanged: () => void }): JSX.Element {
  const [reference, setReference] = useState('');
  const [supplier, setSupplier] = useState('');
  const [lines, setLines] = useState<Line[]>([]);
  const [tried, setTried] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const good = lines.every((l) => whole(l.quantity, 1) !== null);
  const add = (gtin: string, name: string): void =>
    setLines((old) => (old.some((l) => l.gtin === gtin) ? old.map((l) => (l.gtin === gtin ? { ...l, quantity: String(Number(l.quantity) + 1) } : l)) : [...old, { gtin, name, quantity: '1' }]));
  const submit = (e: Event): void => {
    e.preventDefault();
    setTried(true);
    if (!reference.trim() || lines.length === 0 || !good) {
      return;
    }
    setBusy(true);
    setError(null);
    const body = { reference: reference.trim(), ...(supplier.trim() ? { supplier: supplier.trim() } : {}), lines: lines.map((l) => ({ gtin: l.gtin, quantity: Number(l.quantity) })) };
    deliveries.announce(body).then(
      (x) => {
        say(v.announcedDone(body.reference));
        onChanged();
        onClose();
        onSaved(x);
      },
      (x: unknown) => {
        setError(x);
        setBusy(false);
      },
    );
  };
  return (
    <Dialog title={v.announce} onClose={onClose} wide>
      <form onSubmit={submit} noValidate>
        <div class="row">
          <Field label={v.reference} value={reference} onInput={setReference} hint={v.referenceHint} error={tried && !reference.trim() ? v.needReference : null} focus maxLength={60} />
          <Field label={v.supplier} value={supplier} onInput={setSupplier} maxLength={100} />
        </div>
        <section>
          <h3>{v.lines}</h3>
          {lines.length === 0 && <p class={tried ? 'field-error' : 'hint'}>{tried ? v.needLines : v.noLines}</p>}
          <ul class="plain-list quantity-lines">
            {lines.map((l) => (
              <Quantity
                key={l.gtin}
                line={l}
                least={1}
                bad={tried}
                onInput={(q) => setLines((old) => old.map((x) => (x.gtin === l.gtin ? { ...x, quantity: q } : x)))}
                onRemove={() => setLines((old) => old.filter((x) => x.gtin !== l.gtin))}
              />
            ))}
          </ul>
          {tried && !good && <p class="field-error">{v.badQuantity}</p>}
          <ProductPicker label={v.addLine} onPick={(p) => add(p.gtin, p.name)} again />
        </section>
        <ErrorBox error={error} />
        <div class="actions">
          <Button type="submit" kind="main" busy={busy}>
            {v.create}
          </Button>
          <Button onClick={onClose}>{t.cancel}</Button>
        </div>
      </form>
    </Dialog>
  );
}

export function ReceiveDialog({ delivery, onClose, onDone }: { delivery: Delivery; onClose: () => void; onDone: () => void }): JSX.Element {
  const start = (pick: (l: Delivery['lines'][number]) => number): Line[] =>
    delivery.lines.map((l) => ({ gtin: l.gtin, name: l.name ?? gtinShort(l.gtin), quantity: String(pick(l)) }));
  const [lines, setLines] = useState<Line[]>(() => start((l) => (delivery.lines.some((x) => (x.seen ?? 0) > 0) ? (l.seen ?? 0) : l.quantity)));
  const places = useFetched('places', () => api.places.list({ limit: 1000 }));
  const [place, setPlace] = useState(delivery.place_id ? String(delivery.place_id) : '');
  const [tried, setTried] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const good = lines.every((l) => whole(l.quantity, 0) !== null);
  const submit = (e: Event): void => {
    e.preventDefault();
    setTried(true);
    if (!good) {
      return;
    }
    setBusy(true);
    setError(null);
    const counted = lines.map((l) => ({ gtin: l.gtin, quantity: Number(l.quantity) }));
    deliveries.receive(delivery.id, counted, place ? Number(place) : null).then(
      () => {
        say(v.receivedDone(delivery.reference));
        onDone();
        onClose();
      },
      (x: unknown) => {
        setError(x);
        setBusy(false);
      },
    );
  };
  return (
    <Dialog title={v.receiveTitle(delivery.reference)} onClose={onClose} wide>
      <form onSubmit={submit} noValidate>
        <p>{v.receiveHint}</p>
        <div class="actions">
          <Button onClick={() => setLines(start((l) => l.seen ?? 0))}>{v.useSeen}</Button>
          <Button onClick={() => setLines(start((l) => l.quantity))}>{v.useAnnounced}</Button>
        </div>
        <ul class="plain-list quantity-lines">
          {lines.map((l, i) => (
            <Quantity
              key={l.gtin}
              line={l}
              least={0}
              bad={tried}
              note={`${v.announced} ${count(delivery.lines[i]?.quantity)} · ${v.seen} ${count(delivery.lines[i]?.seen ?? 0)}`}
              onInput={(q) => setLines((old) => old.map((x) => (x.gtin === l.gtin ? { ...x, quantity: q } : x)))}
            />
          ))}
        </ul>
        {tried && !good && <p class="field-error">{b.badQuantity}</p>}
        <Select
          label={v.place}
          value={place}
          options={[['', v.noPlace], ...(places.data?.items ?? []).map((x): [string, string] => [String(x.id), x.name])]}
          onChange={setPlace}
        />
        <ErrorBox error={error} />
        <div class="actions">
          <Button type="submit" kind="main" icon="check" busy={busy}>
            {v.receive}
          </Button>
          <Button onClick={onClose}>{t.cancel}</Button>
        </div>
      </form>
    </Dialog>
  );
}
