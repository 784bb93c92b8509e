// SPDX-License-Identifier: Apache-2.0
// Stored and shown labels of a rollout over time, with what was expected beside what happened.

import type { JSX } from 'preact';
import type { Rollout } from '../api/rollouts';
import { Chart, Legend, type Series } from '../chart';
import { count, dateTime } from '../format';
import { r } from '../strings/rollouts';

type Sample = NonNullable<Rollout['samples']>[number];

function seriesOf(samples: Sample[], end: number): Series[] {
  const line = (name: string, cls: string, of: (s: Sample) => number | null): Series => ({
    name,
    class: cls,
    points: samples.flatMap((s) => {
      const value = of(s);
      return value === null ? [] : [{ at: Date.parse(s.at), value }];
    }),
  });
  const all = [
    line(r.detail.expected, 'is-expected', (s) => s.forecast_staged),
    line(r.detail.staged, 'is-staged', (s) => s.staged),
    { ...line(r.detail.shown, 'is-shown', (s) => s.flipped), steps: true, end },
    line(r.detail.failed, 'is-failed', (s) => s.failed),
  ];
  return all.filter((s) => s.points.length > 0 && (s.class !== 'is-failed' || s.points.some((p) => p.value > 0)));
}

function SampleTable({ samples }: { samples: Sample[] }): JSX.Element {
  return (
    <details>
      <summary>{r.detail.asTable}</summary>
      <div class="table-scroll tall sample" tabIndex={0} role="region" aria-label={r.detail.chart}>
        <table>
          <thead>
            <tr>
              <th scope="col">{r.detail.time}</th>
              {[r.detail.staged, r.detail.expected, r.detail.shown, r.detail.failed].map((name) => (
                <th key={name} scope="col" class="num">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {samples.map((s) => (
              <tr key={s.at}>
                <td>{dateTime(s.at)}</td>
                <td class="num">{count(s.staged)}</td>
                <td class="num">{count(s.forecast_staged)}</td>
                <td class="num">{count(s.flipped)}</td>
                <td class="num">{count(s.failed)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

export function RolloutChart({ x }: { x: Rollout }): JSX.Element {
  const samples = x.samples ?? [];
  const first = samples[0];
  const last = samples.at(-1);
  if (!first || !last || samples.length < 2) {
    return <p class="hint">{r.detail.chartEmpty}</p>;
  }
  const end = Date.parse(last.at);
  const series = seriesOf(samples, end);
  // What was expected at first goes on to its end; what is expected now sets how far the chart reaches.
  const promised = x.first_forecast?.finish ? Date.parse(x.first_forecast.finish) : 0;
  if (promised > end) {
    series.find((s) => s.class === 'is-expected')?.points.push({ at: promised, value: x.total });
  }
  const open = !x.finished && x.forecast?.finish ? Date.parse(x.forecast.finish) : 0;
  const to = Math.max(end, open, x.finished ? 0 : promised);
  return (
    <div class="chart-box">
      <Legend series={series} />
      <Chart
        series={series}
        from={Date.parse(first.at)}
        to={to}
        min={0}
        max={Math.max(1, x.total)}
        label={r.detail.chartLabel(last.staged, last.flipped, x.total)}
        yText={count}
      />
      <SampleTable samples={samples} />
    </div>
  );
}
