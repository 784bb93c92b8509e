// SPDX-License-Identifier: Apache-2.0
// The floor plan in numbers: for exact work, and for those who do not use a pointer.

import type { JSX } from 'preact';
import { useEffect, useId, useState } from 'preact/hooks';
import type { Plan, PlanPlace } from '../api/plan';
import { antennaKey, change, freeSpot, type Selection, takeOff } from '../plan_model';
import { t } from '../strings';
import { p } from '../strings/plan';
import type { Antenna, Place } from '../types';
import { Button, Select } from '../ui';

/** Metres as one types them; taken over when one leaves the field or presses Enter. */
function Metres({ label, value, onChange }: { label: string; value: number; onChange: (v: number) => void }): JSX.Element {
  const id = useId();
  const [text, setText] = useState(String(value));
  useEffect(() => setText(String(value)), [value]);
  const number = /^\d{1,4}([.,]\d{1,3})?$/.test(text.trim()) ? Number(text.trim().replace(',', '.')) : null;
  const take = (): void => {
    if (number === null) {
      setText(String(value));
    } else if (number !== value) {
      onChange(number);
    }
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        inputMode="decimal"
        autocomplete="off"
        value={text}
        aria-invalid={number === null || undefined}
        title={number === null ? p.bad : undefined}
        onInput={(e) => setText(e.currentTarget.value)}
        onBlur={take}
        onKeyDown={(e) => e.key === 'Enter' && take()}
      />
    </div>
  );
}

interface SelectionProps {
  plan: Plan;
  selected: Selection;
  places: Place[];
  onChange: (next: Plan) => void;
  onTakenOff: () => void;
}

export function SelectionFields({ plan, selected, places, onChange, onTakenOff }: SelectionProps): JSX.Element {
  const place = selected?.kind === 'place' ? plan.places.find((x) => x.place_id === selected.id) : undefined;
  const antenna = selected?.kind === 'antenna' ? plan.antennas.find((x) => antennaKey(x) === selected.key) : undefined;
  if (!place && !antenna) {
    return <p class="hint">{p.nothingSelected}</p>;
  }
  const set = (f: Partial<PlanPlace>): void => onChange(change(plan, selected, (x) => ({ ...x, ...f }), (a) => ({ ...a, ...('x' in f ? { x: f.x as number } : {}), ...('y' in f ? { y: f.y as number } : {}) })));
  const at = place ?? antenna;
  const options: [string, string][] = [['', t.places.unassigned], ...places.map((x): [string, string] => [String(x.id), x.name])];
  return (
    <section class="plan-fields" aria-label={p.selected} data-selected>
      <h2>{place ? place.place : antenna ? p.antenna(antenna.reader, antenna.antenna) : ''}</h2>
      {antenna && <p class="sub">{antenna.agent}</p>}
      <div class="plan-numbers">
        <Metres label={p.x} value={at?.x ?? 0} onChange={(x) => set({ x })} />
        <Metres label={p.y} value={at?.y ?? 0} onChange={(y) => set({ y })} />
        {place && (
          <>
            <Metres label={p.w} value={place.w} onChange={(w) => set({ w })} />
            <Metres label={p.h} value={place.h} onChange={(h) => set({ h })} />
          </>
        )}
      </div>
      {antenna && (
        <Select
          label={p.hears}
          value={antenna.place_id === null ? '' : String(antenna.place_id)}
          options={options}
          onChange={(v) => onChange(change(plan, selected, (x) => x, (a) => ({ ...a, place_id: v ? Number(v) : null })))}
        />
      )}
      <Button
        icon="cross"
        onClick={() => {
          onChange(takeOff(plan, selected));
          onTakenOff();
        }}
      >
        {p.takeOff}
      </Button>
    </section>
  );
}

interface ToPutProps {
  plan: Plan;
  places: Place[];
  antennas: Antenna[];
  onPut: (next: Plan, s: Selection) => void;
  onNew: () => void;
}

/** What exists but is not drawn yet. */
export function ToPut({ plan, places, antennas, onPut, onNew }: ToPutProps): JSX.Element {
  const restPlaces = places.filter((x) => !plan.places.some((y) => y.place_id === x.id));
  const restAntennas = antennas.filter((x) => !plan.antennas.some((y) => antennaKey(y) === antennaKey(x)));
  const putPlace = (x: Place): void => {
    const [w, h] = [Math.min(6, plan.width_m), Math.min(4, plan.height_m)];
    onPut({ ...plan, places: [...plan.places, { place_id: x.id, place: x.name, kind: x.kind, ...freeSpot(plan, w, h), w, h }] }, { kind: 'place', id: x.id });
  };
  const putAntenna = (x: Antenna): void => {
    const room = plan.places.find((y) => y.place_id === x.place_id);
    const n = room ? plan.antennas.filter((y) => y.place_id === x.place_id).length : plan.antennas.length;
    const at = room ? { x: room.x + Math.min(room.w - 0.5, 1 + n), y: room.y + room.h / 2 } : { x: Math.min(plan.width_m, 1 + n), y: Math.min(plan.height_m, 1) };
    onPut(
      { ...plan, antennas: [...plan.antennas, { agent_id: x.agent_id, agent: x.agent, reader: x.reader, antenna: x.antenna, place_id: x.place_id, ...at }] },
      { kind: 'antenna', key: antennaKey(x) },
    );
  };
  return (
    <section class="plan-fields">
      <h2>{p.toPut}</h2>
      {restPlaces.length + restAntennas.length === 0 && <p class="hint">{p.allPut}</p>}
      <div class="actions">
        {restPlaces.map((x) => (
          <Button key={x.id} icon="plus" label={p.put(x.name)} onClick={() => putPlace(x)}>
            {x.name}
          </Button>
        ))}
        {restAntennas.map((x) => (
          <Button key={antennaKey(x)} icon="antenna" label={p.put(p.antenna(x.reader, x.antenna))} onClick={() => putAntenna(x)}>
            {p.antenna(x.reader, x.antenna)}
          </Button>
        ))}
        <Button icon="plus" kind="quiet" onClick={onNew}>
          {p.newPlace}
        </Button>
      </div>
    </section>
  );
}

export function FloorFields({ plan, onChange }: { plan: Plan; onChange: (w: number, h: number) => void }): JSX.Element {
  return (
    <section class="plan-fields">
      <h2>{p.floor}</h2>
      <div class="plan-numbers">
        <Metres label={p.width} value={plan.width_m} onChange={(w) => onChange(w, plan.height_m)} />
        <Metres label={p.height} value={plan.height_m} onChange={(h) => onChange(plan.width_m, h)} />
      </div>
    </section>
  );
}
