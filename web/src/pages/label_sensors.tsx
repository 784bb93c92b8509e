// SPDX-License-Identifier: Apache-2.0
// What a label measures: the last values, a small chart of those before, and asking for new ones.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import * as api from '../api';
import { sensors as sensorApi } from '../api/sensors';
import { Chart } from '../chart';
import { relative } from '../format';
import { useFetched } from '../hooks';
import { Icon } from '../icons';
import { may } from '../session';
import { s } from '../strings/sensors';
import type { Budget, Label, SensorReading } from '../types';
import { Ago, Button, ErrorBox, now, say } from '../ui';

const MOST = 400;

type Words = (hour: number, perHour: number, day: number, perDay: number) => string;

/** True while nothing more may be asked of the battery. */
export function isSpent(b: Budget | undefined): boolean {
  return !!b?.free_at && new Date(b.free_at).getTime() > now.value;
}

/** How much of it is used, once some is; and when there is more. */
export function BudgetLine({ budget, words }: { budget: Budget | undefined; words: Words }): JSX.Element | null {
  if (!budget || budget.day === 0) {
    return null;
  }
  const spent = isSpent(budget);
  return (
    <p class={spent ? 'warn-text' : 'hint'} data-budget={spent ? 'spent' : 'left'}>
      {words(budget.hour, budget.per_hour, budget.day, budget.per_day)} {spent && <strong>{s.budget.again(relative(budget.free_at ?? '', now.value))}</strong>}
    </p>
  );
}

function nameOf(r: SensorReading): string {
  return r.name ? (r.name[0]?.toUpperCase() ?? '') + r.name.slice(1) : s.unknown(r.id);
}

/** A little room above and below, so that a level line is a line and not an edge. */
function rangeOf(values: number[]): [number, number] {
  const lowest = Math.min(...values);
  const highest = Math.max(...values);
  const room = Math.max((highest - lowest) * 0.1, Math.abs(highest) * 0.01, 0.05);
  return [lowest - room, highest + room];
}

/** Its values over time; nothing while there are fewer than two. */
function History({ label, r }: { label: Label; r: SensorReading }): JSX.Element | null {
  const f = useFetched(`readings/${label.id}/${r.sensor}/${r.at}`, () => sensorApi.readings(label.id, r.sensor, { limit: MOST }));
  const points = (f.data?.items ?? [])
    .flatMap((x) => (x.id === r.id && x.value !== null ? [{ at: Date.parse(x.at), value: x.value }] : []))
    .reverse();
  const first = points[0];
  const last = points[points.length - 1];
  if (!first || !last || points.length < 2) {
    return null;
  }
  const values = points.map((p) => p.value);
  const [min, max] = rangeOf(values);
  const words = s.range(s.value(Math.min(...values), r.unit), s.value(Math.max(...values), r.unit), points.length);
  return (
    <figure class="sensor-chart">
      <Chart
        series={[{ name: nameOf(r), class: 'is-shown', points }]}
        from={first.at}
        to={last.at}
        min={min}
        max={max}
        height={110}
        label={`${s.chart(nameOf(r))}: ${words}`}
        yText={(v) => s.value(v, r.unit)}
      />
      <figcaption class="hint">{words}</figcaption>
    </figure>
  );
}

function Sensor({ label, r }: { label: Label; r: SensorReading }): JSX.Element {
  const asking = r.asked?.state === 'asked' && new Date(r.asked.until).getTime() > now.value;
  return (
    <li class="sensor">
      <div class="sensor-head">
        <span class="sensor-name">{nameOf(r)}</span>
        {r.name && r.value !== null ? <strong>{s.value(r.value, r.unit)}</strong> : <span>{s.raw(!!r.name, r.bytes)}</span>}
        <span class="sub">
          {asking ? (
            <span class="busy-text">
              <Icon name="clock" size={14} /> {s.reading}
            </span>
          ) : (
            r.bytes !== '' && <Ago at={r.at} />
          )}
        </span>
      </div>
      {!asking && r.asked?.state === 'failed' && <p class="warn-text">{s.failed(r.asked.reason ?? '')}</p>}
      {r.name && <History label={label} r={r} />}
    </li>
  );
}

export function SensorSection({ label, onChanged }: { label: Label; onChanged: () => void }): JSX.Element | null {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  if (!label.sensors?.length) {
    return null;
  }
  const read = (): void => {
    setBusy(true);
    setError(null);
    sensorApi.read(label.id).then(
      () => {
        setBusy(false);
        say(s.asked(label.id));
        onChanged();
      },
      (e: unknown) => {
        setBusy(false);
        setError(e);
        if (e instanceof api.Problem && e.code === 'battery-budget') {
          onChanged();
        }
      },
    );
  };
  return (
    <section>
      <h3>{s.title}</h3>
      <ul class="sensors plain-list" data-sensors>
        {label.sensors.map((r) => (
          <Sensor key={r.sensor} label={label} r={r} />
        ))}
      </ul>
      {may('labels') && (
        <>
          <Button icon="refresh" busy={busy} disabled={isSpent(label.budget?.readings)} onClick={read}>
            {s.read}
          </Button>
          <ErrorBox error={error} />
          <BudgetLine budget={label.budget?.readings} words={s.budget.readings} />
        </>
      )}
    </section>
  );
}
