// SPDX-License-Identifier: Apache-2.0
// Places, and which antenna looks at which place.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import * as api from '../api';
import { type PlanStock, plan as planApi } from '../api/plan';
import { useFetched, useLive, useThrottled } from '../hooks';
import { may } from '../session';
import { t } from '../strings';
import { p as words } from '../strings/plan';
import { w as walkWords } from '../strings/walks';
import type { Agent, Antenna, Place, PlaceKind } from '../types';
import { Ago, Button, Confirm, Dialog, Empty, ErrorBox, Field, LinkButton, Loading, PageHead, plain, say, Select } from '../ui';

const KINDS = Object.entries(t.kinds) as [PlaceKind, string][];

export function PlaceDialog({ place, onClose, onSaved }: { place: Place | null; onClose: () => void; onSaved: () => void }): JSX.Element {
  const [name, setName] = useState(place?.name ?? '');
  const [kind, setKind] = useState<PlaceKind>(place?.kind ?? 'sales-floor');
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const named = error instanceof api.Problem ? error.field('name') : null;
  const submit = (e: Event): void => {
    e.preventDefault();
    setBusy(true);
    setError(null);
    const call = place ? api.places.change(place.id, { name: name.trim(), kind }) : api.places.create(name.trim(), kind);
    call.then(
      () => {
        onSaved();
        onClose();
      },
      (x: unknown) => {
        setError(x);
        setBusy(false);
      },
    );
  };
  return (
    <Dialog title={place ? t.places.edit : t.places.add} onClose={onClose}>
      <form onSubmit={submit}>
        <Field label={t.places.name} value={name} onInput={setName} error={named} focus required maxLength={100} />
        <Select label={t.places.kind} value={kind} options={KINDS} onChange={(v) => setKind(v as PlaceKind)} />
        {!named && <ErrorBox error={error} />}
        <div class="actions">
          <Button type="submit" kind="main" busy={busy} disabled={!name.trim()}>
            {t.save}
          </Button>
          <Button onClick={onClose}>{t.cancel}</Button>
        </div>
      </form>
    </Dialog>
  );
}

/** What the server has heard of or been told, and the antennas of readers that have not read anything yet. */
export function withSilent(known: Antenna[], agents: Agent[]): Antenna[] {
  const key = (agent: number, reader: string, n: number): string => `${agent}/${reader}/${n}`;
  const have = new Set(known.map((a) => key(a.agent_id, a.reader, a.antenna)));
  const silent = agents
    .filter((a) => a.state !== 'revoked')
    .flatMap((a) => a.readers.flatMap((r) => r.antennas.map((n) => ({ agent_id: a.id, agent: a.name, reader: r.name, antenna: n }))))
    .filter((a) => !have.has(key(a.agent_id, a.reader, a.antenna)))
    .map((a) => ({ ...a, place_id: null, place: null, last_heard: null }));
  return [...known, ...silent].sort((a, b) => a.agent.localeCompare(b.agent) || a.reader.localeCompare(b.reader) || a.antenna - b.antenna);
}

interface AntennaTableProps {
  antennas: Antenna[];
  places: Place[];
  onChanged: () => void;
  /** Of one agent: its name goes without saying. */
  ofAgent?: boolean;
}

/** Every antenna with the place it looks at; a change is saved at once. */
export function AntennaTable({ antennas, places, onChanged, ofAgent }: AntennaTableProps): JSX.Element {
  const [error, setError] = useState<string | null>(null);
  const options: [string, string][] = [['', t.places.unassigned], ...places.map((p): [string, string] => [String(p.id), p.name])];
  const assign = (a: Antenna, v: string): void => {
    setError(null);
    api.antennas.assign(a, v ? Number(v) : null).then(
      () => {
        say(t.places.assigned(`${a.reader} ${a.antenna}`, places.find((p) => String(p.id) === v)?.name ?? t.places.unassigned));
        onChanged();
      },
      (e: unknown) => setError(plain(e)),
    );
  };
  return (
    <>
      <ErrorBox error={error ? new Error(error) : null} />
      <div class="table-scroll" tabIndex={0} role="region" aria-label={t.places.antennas}>
        <table>
          <thead>
            <tr>
              <th scope="col">{ofAgent ? t.places.readerAntenna : t.places.antenna}</th>
              <th scope="col">{t.places.place}</th>
              <th scope="col">{t.places.lastHeard}</th>
            </tr>
          </thead>
          <tbody>
            {antennas.map((a) => (
              <tr key={`${a.agent_id}/${a.reader}/${a.antenna}`}>
                <td>
                  {!ofAgent && (
                    <>
                      <a href={`/agents/${a.agent_id}`}>{a.agent}</a>
                      {' / '}
                    </>
                  )}
                  {a.reader} / {a.antenna}
                </td>
                <td>
                  {may('places') ? (
                    <Select
                      label={t.places.placeOf(`${a.agent} ${a.reader} ${a.antenna}`)}
                      hideLabel
                      value={a.place_id === null ? '' : String(a.place_id)}
                      options={options}
                      onChange={(v) => assign(a, v)}
                    />
                  ) : (
                    (a.place ?? t.places.unassigned)
                  )}
                </td>
                <td>
                  <Ago at={a.last_heard} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function PlaceList({ places, stock, onEdit, onRemove }: { places: Place[]; stock: PlanStock | null; onEdit: (p: Place) => void; onRemove: (p: Place) => void }): JSX.Element {
  return (
    <ul class="plain-list rows-list">
      {places.map((p) => (
        <li key={p.id}>
          <div class="grow">
            <strong>{p.name}</strong>
            <span class="sub"> {t.kinds[p.kind] ?? p.kind}</span>
          </div>
          <LinkButton href={`/stock?place_id=${p.id}`} kind="quiet">
            {words.items(stock?.places.find((x) => x.place_id === p.id)?.items ?? 0)}
          </LinkButton>
          {may('places') && (
            <>
              <Button icon="edit" kind="quiet" label={t.places.editOf(p.name)} onClick={() => onEdit(p)} />
              <Button icon="cross" kind="quiet" label={t.places.removeOf(p.name)} onClick={() => onRemove(p)} />
            </>
          )}
        </li>
      ))}
    </ul>
  );
}

export function PlacesPage(): JSX.Element {
  const f = useFetched('places', () => api.places.list({ limit: 1000 }));
  const a = useFetched('antennas', () => api.antennas.list({ limit: 1000 }));
  const stock = useFetched('plan-stock/', () => planApi.stock());
  useLive('stock', useThrottled(stock.reload, 2000));
  const agents = useFetched('agents', () => api.agents.list({ limit: 1000 }));
  const antennas = withSilent(a.data?.items ?? [], agents.data?.items ?? []);
  const [editing, setEditing] = useState<Place | 'new' | null>(null);
  const [removing, setRemoving] = useState<Place | null>(null);
  const reload = (): void => {
    f.reload();
    a.reload();
  };
  return (
    <div class="page">
      <PageHead title={t.places.title} lead={t.places.lead}>
        {may('places') && (
          <Button icon="plus" kind="main" onClick={() => setEditing('new')}>
            {t.places.add}
          </Button>
        )}
        <LinkButton href="/stock/places/walks" icon="place">
          {walkWords.title}
        </LinkButton>
        <LinkButton href="/stock/places/doors" icon="out">
          {walkWords.doors}
        </LinkButton>
        <LinkButton href="/plan" icon="plan">
          {words.title}
        </LinkButton>
        <LinkButton href="/stock" icon="back">
          {t.stock.title}
        </LinkButton>
      </PageHead>
      <ErrorBox error={f.error ?? a.error} retry={reload} />
      {!f.data && !f.error && <Loading />}
      {f.data?.items.length === 0 && (
        <Empty icon="place" title={t.places.none}>
          <p>{t.places.noneHint}</p>
        </Empty>
      )}
      {f.data && f.data.items.length > 0 && <PlaceList places={f.data.items} stock={stock.data} onEdit={setEditing} onRemove={setRemoving} />}
      <section>
        <h2>{t.places.antennas}</h2>
        {a.data && antennas.length === 0 && <p class="hint">{t.places.noAntennas}</p>}
        {a.data && antennas.length > 0 && <AntennaTable antennas={antennas} places={f.data?.items ?? []} onChanged={a.reload} />}
      </section>
      {editing && <PlaceDialog place={editing === 'new' ? null : editing} onClose={() => setEditing(null)} onSaved={reload} />}
      {removing && (
        <Confirm
          title={t.places.remove}
          text={t.places.removeAsk(removing.name)}
          action={t.places.remove}
          onDo={() => api.places.remove(removing.id).then(reload)}
          onClose={() => setRemoving(null)}
        />
      )}
    </div>
  );
}
