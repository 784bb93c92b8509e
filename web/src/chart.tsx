// SPDX-License-Identifier: Apache-2.0
// Small charts of our own, drawn as SVG with the page's colours. Whatever they show also stands in words or in a
// table beside them.

import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { localeOf, zoneOf } from './format';

export interface Point {
  at: number;
  value: number;
}

export interface Series {
  name: string;
  class: string;
  points: Point[];
  /** Holds its value until the next point, instead of a line between them. */
  steps?: boolean;
  /** Where the last value of steps ends; else at the edge of the chart. */
  end?: number;
}

/** A band of time that stands out, such as a promotion. */
export interface Band {
  from: number;
  to: number;
  title: string;
}

interface ChartProps {
  series: Series[];
  bands?: Band[];
  from: number;
  to: number;
  min: number;
  max: number;
  height?: number;
  label: string;
  yText: (v: number) => string;
  children?: ComponentChildren;
}

const PAD = { left: 56, right: 14, top: 10, bottom: 26 };

/** Round values for an axis: 1, 2 or 5 times a power of ten apart. */
export function ticks(min: number, max: number, wanted: number): number[] {
  const span = Math.max(1e-9, max - min);
  const raw = span / Math.max(1, wanted);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw) ?? raw;
  const found: number[] = [];
  for (let v = Math.ceil(min / step) * step; v <= max + step * 1e-6; v += step) {
    found.push(Math.round(v / step) * step);
  }
  return found;
}

/** Days when the span is long, times when it is short. */
function timeText(span: number): (at: number) => string {
  const o: Intl.DateTimeFormatOptions =
    span > 300 * 86_400_000
      ? { month: 'short', year: 'numeric' }
      : span > 2 * 86_400_000
        ? { day: 'numeric', month: 'short' }
        : span > 5 * 60_000
          ? { hour: '2-digit', minute: '2-digit' }
          : { hour: '2-digit', minute: '2-digit', second: '2-digit' };
  const f = new Intl.DateTimeFormat(localeOf(), { ...o, timeZone: zoneOf() });
  return (at) => f.format(at);
}

function pathOf(s: Series, x: (at: number) => number, y: (v: number) => number, to: number): string {
  let d = '';
  s.points.forEach((p, i) => {
    if (i === 0) {
      d += `M${x(p.at)} ${y(p.value)}`;
    } else if (s.steps) {
      d += `H${x(p.at)}V${y(p.value)}`;
    } else {
      d += `L${x(p.at)} ${y(p.value)}`;
    }
  });
  return s.steps && s.points.length > 0 ? `${d}H${x(s.end ?? to)}` : d;
}

/** The width of a box, measured; charts are drawn in real pixels so that their text keeps its size. */
export function useWidth(): [{ current: HTMLDivElement | null }, number] {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const el = box.current;
    if (!el) {
      return undefined;
    }
    const ro = new ResizeObserver(() => setWidth(Math.floor(el.clientWidth)));
    ro.observe(el);
    setWidth(Math.floor(el.clientWidth));
    return () => ro.disconnect();
  }, []);
  return [box, width];
}

export function Chart(c: ChartProps): JSX.Element {
  const [box, width] = useWidth();
  const height = c.height ?? 220;
  const span = Math.max(1, c.to - c.from);
  const x = (at: number): number => Math.round((PAD.left + ((Math.min(c.to, Math.max(c.from, at)) - c.from) / span) * (width - PAD.left - PAD.right)) * 10) / 10;
  const y = (v: number): number => Math.round((height - PAD.bottom - ((v - c.min) / Math.max(1e-9, c.max - c.min)) * (height - PAD.top - PAD.bottom)) * 10) / 10;
  const n = width < 460 ? 2 : 4;
  const xs = Array.from({ length: n + 1 }, (_, i) => c.from + (span * i) / n);
  const text = timeText(span);
  return (
    <div class="chart" ref={box} style={{ minHeight: `${height}px` }}>
      {width > 0 && (
        <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={c.label}>
          {(c.bands ?? []).map((b) => (
            <rect key={b.from} class="chart-band" x={x(b.from)} y={PAD.top} width={Math.max(2, x(b.to) - x(b.from))} height={height - PAD.top - PAD.bottom}>
              <title>{b.title}</title>
            </rect>
          ))}
          {ticks(c.min, c.max, 4).map((v) => (
            <g key={v} class="chart-y">
              <line x1={PAD.left} x2={width - PAD.right} y1={y(v)} y2={y(v)} />
              <text x={PAD.left - 8} y={y(v) + 4} text-anchor="end">
                {c.yText(v)}
              </text>
            </g>
          ))}
          {xs.map((at, i) => (
            <text key={i} class="chart-x" x={x(at)} y={height - 8} text-anchor={i === 0 ? 'start' : i === xs.length - 1 ? 'end' : 'middle'}>
              {text(at)}
            </text>
          ))}
          {c.series.map((s) => (
            <path key={s.name} class={`chart-line ${s.class}`} d={pathOf(s, x, y, c.to)} />
          ))}
        </svg>
      )}
      {c.children}
    </div>
  );
}

/** Which line is which, in words. */
export function Legend({ series }: { series: Pick<Series, 'name' | 'class'>[] }): JSX.Element {
  return (
    <ul class="chart-legend plain-list">
      {series.map((s) => (
        <li key={s.name}>
          <svg width="26" height="10" aria-hidden="true">
            <path class={`chart-line ${s.class}`} d="M1 5H25" />
          </svg>
          {s.name}
        </li>
      ))}
    </ul>
  );
}
