// SPDX-License-Identifier: Apache-2.0
// Doors, their antennas, and who passed them.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import * as api from '../api';
import { type Door, type DoorAntenna, doors as doorApi, type Passage, type PassageState } from '../api/walks';
import { dateTime, percent } from '../format';
import { type IconName } from '../icons';
import { useFetched, useLive, useThrottled } from '../hooks';
import { may } from '../session';
import { t } from '../strings';
import { w } from '../strings/walks';
import type { Agent, Place } from '../types';
import { Button, Chip, Confirm, Dialog, Empty, ErrorBox, Field, LinkButton, Loading, PageHead, Select, type Tone } from '../ui';

type Side = '' | 'inner' | 'outer';

const STATES: Record<PassageState, [Tone, IconName]> = {
  waiting: ['busy', 'clock'],
  unsold: ['bad', 'warn'],
  sold: ['good', 'check'],
  stayed: ['good', 'check'],
  returned: ['good', 'check'],
  stranger: ['plain', 'unknown'],
  noted: ['plain', 'check'],
};

const keyOf = (a: DoorAntenna): string => `${a.reader}/${a.antenna}`;

function sidesOf(door: Door | null): Record<string, Side> {
  const sides: Record<string, Side> = {};
  for (const a of door?.inner ?? []) {
    sides[keyOf(a)] = 'inner';
  }
  for (const a of door?.outer ?? []) {
    sides[keyOf(a)] = 'outer';
  }
  return sides;
}

interface DoorDialogProps {
  door: Door | null;
  places: Place[];
  agents: Agent[];
  onClose: () => void;
  onSaved: () => void;
}

function DoorDialog({ door, places, agents, onClose, onSaved }: DoorDialogProps): JSX.Element {
  const exit = places.find((p) => p.kind === 'exit') ?? places[0];
  const [name, setName] = useState(door?.name ?? '');
  const [place, setPlace] = useState(String(door?.place?.id ?? exit?.id ?? ''));
  const [agent, setAgent] = useState(String(door?.agent_id ?? agents[0]?.id ?? ''));
  const [grace, setGrace] = useState(String(door?.grace_s ?? 120));
  const [sides, setSides] = useState(sidesOf(door));
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const antennas = agents.find((a) => String(a.id) === agent)?.readers.flatMap((r) => r.antennas.map((n) => ({ reader: r.name, antenna: n }))) ?? [];
  const of = (side: Side): DoorAntenna[] => antennas.filter((a) => sides[keyOf(a)] === side);
  const submit = (e: Event): void => {
    e.preventDefault();
    setBusy(true);
    setError(null);
    const d = { name: name.trim(), place_id: Number(place), agent_id: Number(agent), grace_s: Number(grace), inner: of('inner'), outer: of('outer') };
    (door ? doorApi.change(door.id, d) : doorApi.create(d)).then(
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
    <Dialog title={door ? w.editDoor : w.addDoor} onClose={onClose}>
      <form onSubmit={submit}>
        <Field label={w.name} value={name} onInput={setName} focus required maxLength={64} />
        <Select label={w.place} value={place} options={places.map((p) => [String(p.id), p.name])} onChange={setPlace} />
        <Select label={w.agent} value={agent} options={agents.map((a) => [String(a.id), a.name])} onChange={setAgent} />
        <fieldset>
          <legend>{w.antennasOf}</legend>
          {antennas.map((a) => (
            <Select
              key={keyOf(a)}
              label={`${a.reader} / ${a.antenna}`}
              value={sides[keyOf(a)] ?? ''}
              options={[
                ['', w.neither],
                ['inner', w.inner],
                ['outer', w.outer],
              ]}
              onChange={(v) => setSides({ ...sides, [keyOf(a)]: v as Side })}
            />
          ))}
        </fieldset>
        <Field label={w.grace} value={grace} onInput={setGrace} hint={w.graceHint} inputMode="numeric" required maxLength={5} />
        <ErrorBox error={error} />
        <div class="actions">
          <Button type="submit" kind="main" busy={busy} disabled={!name.trim() || !place || !of('inner').length || !of('outer').length || !/^\d+$/.test(grace)}>
            {t.save}
          </Button>
          <Button onClick={onClose}>{t.cancel}</Button>
        </div>
      </form>
    </Dialog>
  );
}

const names = (list: DoorAntenna[]): string => list.map((a) => `${a.reader} ${a.antenna}`).join(', ');

function DoorList({ doors, onEdit, onRemove }: { doors: Door[]; onEdit: (d: Door) => void; onRemove: (d: Door) => void }): JSX.Element {
  return (
    <ul class="plain-list rows-list">
      {doors.map((d) => (
        <li key={d.id}>
          <div class="grow">
            <strong>{d.name}</strong> {w.at(d.place?.name ?? '–')}
            <span class="sub">
              {' '}
              {d.agent}. {w.inner}: {names(d.inner)}. {w.outer}: {names(d.outer)}.
            </span>
          </div>
          {may('places') && (
            <>
              <Button icon="edit" kind="quiet" label={w.editOf(d.name)} onClick={() => onEdit(d)} />
              <Button icon="cross" kind="quiet" label={w.removeOf(d.name)} onClick={() => onRemove(d)} />
            </>
          )}
        </li>
      ))}
    </ul>
  );
}

function PassageTable({ passages }: { passages: Passage[] }): JSX.Element {
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label={w.passages}>
      <table>
        <thead>
          <tr>
            <th scope="col">{w.when}</th>
            <th scope="col">{w.door}</th>
            <th scope="col">{w.item}</th>
            <th scope="col">{w.way}</th>
            <th scope="col" class="number">
              {w.sure}
            </th>
            <th scope="col">{w.became}</th>
          </tr>
        </thead>
        <tbody>
          {passages.map((p) => {
            const [tone, icon] = STATES[p.state] ?? STATES.noted;
            return (
              <tr key={p.id} data-passage={p.state}>
                <td>{dateTime(p.at)}</td>
                <td>{p.door?.name ?? p.place?.name ?? '–'}</td>
                <td>
                  <a href={`/items/${p.epc}`}>{p.product?.name ?? w.unknownItem}</a>
                </td>
                <td>{w.direction[p.direction]}</td>
                <td class="number">{percent(p.confidence)}</td>
                <td>
                  <Chip tone={tone} icon={icon}>
                    {w.state[p.state] ?? p.state}
                  </Chip>{' '}
                  <span class="sub">{p.note}</span>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

export function DoorsPage(): JSX.Element {
  const f = useFetched('doors', () => doorApi.list());
  const passages = useFetched('passages', () => doorApi.passages({ limit: 200 }));
  useLive('passage', useThrottled(passages.reload, 1000));
  const places = useFetched('places', () => api.places.list({ limit: 1000 }));
  const agents = useFetched('agents', () => api.agents.list({ limit: 1000 }));
  const [editing, setEditing] = useState<Door | 'new' | null>(null);
  const [removing, setRemoving] = useState<Door | null>(null);
  return (
    <div class="page">
      <PageHead title={w.doors} lead={w.doorsLead}>
        {may('places') && (
          <Button icon="plus" kind="main" onClick={() => setEditing('new')}>
            {w.addDoor}
          </Button>
        )}
        <LinkButton href="/stock/places" icon="back">
          {t.places.title}
        </LinkButton>
      </PageHead>
      <ErrorBox error={f.error ?? passages.error} retry={f.reload} />
      {!f.data && !f.error && <Loading />}
      {f.data?.items.length === 0 && (
        <Empty icon="place" title={w.noDoors}>
          <p>{w.noDoorsHint}</p>
        </Empty>
      )}
      {f.data && f.data.items.length > 0 && <DoorList doors={f.data.items} onEdit={setEditing} onRemove={setRemoving} />}
      <section>
        <h2>{w.passages}</h2>
        {passages.data?.items.length === 0 && <p class="hint">{w.noPassages}</p>}
        {passages.data && passages.data.items.length > 0 && <PassageTable passages={passages.data.items} />}
      </section>
      {editing && (
        <DoorDialog
          door={editing === 'new' ? null : editing}
          places={places.data?.items ?? []}
          agents={(agents.data?.items ?? []).filter((a) => a.state !== 'revoked')}
          onClose={() => setEditing(null)}
          onSaved={f.reload}
        />
      )}
      {removing && (
        <Confirm
          title={w.removeDoor}
          text={w.removeDoorAsk(removing.name)}
          action={w.removeDoor}
          onDo={() => doorApi.remove(removing.id).then(f.reload)}
          onClose={() => setRemoving(null)}
        />
      )}
    </div>
  );
}
