// SPDX-License-Identifier: Apache-2.0
// The floor as an SVG. It is drawn in pixels of its own box, so that names stay readable at any size.

import type { ComponentChildren, JSX, RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Plan, PlanAntenna, PlanPlace } from '../api/plan';

/** Pixels per metre, from the room there is. */
export function useScale(width: number, height: number): { box: RefObject<HTMLDivElement | null>; k: number } {
  const box = useRef<HTMLDivElement>(null);
  const [room, setRoom] = useState({ w: 900, h: 600 });
  useEffect(() => {
    const el = box.current;
    if (!el) {
      return undefined;
    }
    const measure = (): void => setRoom({ w: el.clientWidth, h: Math.max(260, innerHeight - 300) });
    const ro = new ResizeObserver(measure);
    ro.observe(el);
    measure();
    return () => ro.disconnect();
  }, []);
  return { box, k: Math.max(4, Math.min((room.w - 2) / width, Math.max(room.h / height, (room.w - 2) / width / 2.2))) };
}

export function centre(p: PlanPlace): { x: number; y: number } {
  return { x: p.x + p.w / 2, y: p.y + p.h / 2 };
}

/** A text that is cut where its room ends. */
export function fitted(text: string, room: number, size = 13): string {
  const letters = Math.floor(room / (size * 0.58));
  return text.length <= letters ? text : letters < 3 ? '' : `${text.slice(0, letters - 1)}…`;
}

function Grid({ plan, k }: { plan: Plan; k: number }): JSX.Element {
  const every = k < 14 ? 5 : 1;
  const lines: JSX.Element[] = [];
  for (let x = every; x < plan.width_m; x += every) {
    lines.push(<line key={`x${x}`} x1={x * k} y1={0} x2={x * k} y2={plan.height_m * k} />);
  }
  for (let y = every; y < plan.height_m; y += every) {
    lines.push(<line key={`y${y}`} x1={0} y1={y * k} x2={plan.width_m * k} y2={y * k} />);
  }
  return <g class="plan-grid">{lines}</g>;
}

/** Which antenna hears which place. */
export function HearingLines({ plan, k, only }: { plan: Plan; k: number; only?: string | null }): JSX.Element {
  return (
    <g class="plan-lines" aria-hidden="true">
      {plan.antennas.map((a) => {
        const p = plan.places.find((x) => x.place_id === a.place_id);
        const key = `${a.agent_id}/${a.reader}/${a.antenna}`;
        if (!p) {
          return null;
        }
        const c = centre(p);
        return <line key={key} x1={a.x * k} y1={a.y * k} x2={c.x * k} y2={c.y * k} class={only === key ? 'is-selected' : ''} />;
      })}
    </g>
  );
}

/** An antenna: a point with waves. */
export function AntennaMark({ a, k }: { a: PlanAntenna; k: number }): JSX.Element {
  const x = a.x * k;
  const y = a.y * k;
  return (
    <g class={`antenna-mark ${a.place_id === null ? 'is-deaf' : ''}`} aria-hidden="true">
      <circle cx={x} cy={y} r={12} class="antenna-hit" />
      <circle cx={x} cy={y} r={5} class="antenna-dot" />
      <path d={`M${x - 6} ${y - 6}a8.500 8.500 0 0 0 0 12M${x + 6} ${y - 6}a8.500 8.500 0 0 1 0 12`} class="antenna-waves" />
    </g>
  );
}

interface FloorProps {
  plan: Plan;
  k: number;
  label: string;
  grid?: boolean;
  children: ComponentChildren;
  svg?: RefObject<SVGSVGElement | null>;
  onPointerDown?: () => void;
}

export function Floor({ plan, k, label, grid, children, svg, onPointerDown }: FloorProps): JSX.Element {
  const w = plan.width_m * k;
  const h = plan.height_m * k;
  return (
    <svg ref={svg} class="plan" width={w} height={h} viewBox={`0 0 ${w} ${h}`} role="group" aria-label={label} onPointerDown={onPointerDown}>
      <rect class="plan-floor" x={0} y={0} width={w} height={h} />
      {grid && <Grid plan={plan} k={k} />}
      {children}
    </svg>
  );
}
