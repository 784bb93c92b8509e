// SPDX-License-Identifier: Apache-2.0
// Changing a floor plan: moving, resizing, snapping and taking back, without a page around it.

import type { Plan, PlanAntenna, PlanPlace } from './api/plan';

export const GRID_M = 0.5;
export const LEAST_M = 0.5;
export const MOST_M = 1000;
const UNDO_DEPTH = 100;

export type Selection = { kind: 'place'; id: number } | { kind: 'antenna'; key: string } | null;

export function antennaKey(a: Pick<PlanAntenna, 'agent_id' | 'reader' | 'antenna'>): string {
  return `${a.agent_id}/${a.reader}/${a.antenna}`;
}

/** To the grid, or to the centimetre when the grid is off: nobody measures a shop more finely. */
export function snap(v: number, grid: number): number {
  const step = grid > 0 ? grid : 0.01;
  return Math.round(Math.round(v / step) * step * 100) / 100;
}

const within = (v: number, least: number, most: number): number => Math.max(least, Math.min(Math.max(least, most), v));

function cents(v: number): number {
  return Math.round(v * 100) / 100;
}

/** A place kept inside the floor, at least as large as can be seen. */
export function fitPlace<P extends Pick<PlanPlace, 'x' | 'y' | 'w' | 'h'>>(p: P, plan: Pick<Plan, 'width_m' | 'height_m'>): P {
  const w = cents(within(p.w, LEAST_M, plan.width_m));
  const h = cents(within(p.h, LEAST_M, plan.height_m));
  return { ...p, w, h, x: cents(within(p.x, 0, plan.width_m - w)), y: cents(within(p.y, 0, plan.height_m - h)) };
}

export function fitAntenna<A extends Pick<PlanAntenna, 'x' | 'y'>>(a: A, plan: Pick<Plan, 'width_m' | 'height_m'>): A {
  return { ...a, x: cents(within(a.x, 0, plan.width_m)), y: cents(within(a.y, 0, plan.height_m)) };
}

/** The plan with the selected thing changed. */
export function change(plan: Plan, s: Selection, place: (p: PlanPlace) => PlanPlace, antenna: (a: PlanAntenna) => PlanAntenna): Plan {
  if (!s) {
    return plan;
  }
  return s.kind === 'place'
    ? { ...plan, places: plan.places.map((p) => (p.place_id === s.id ? fitPlace(place(p), plan) : p)) }
    : { ...plan, antennas: plan.antennas.map((a) => (antennaKey(a) === s.key ? fitAntenna(antenna(a), plan) : a)) };
}

export function move(plan: Plan, s: Selection, dx: number, dy: number, grid: number): Plan {
  const to = <T extends { x: number; y: number }>(t: T): T => ({ ...t, x: dx ? snap(t.x + dx, grid) : t.x, y: dy ? snap(t.y + dy, grid) : t.y });
  return change(plan, s, to, to);
}

export function resize(plan: Plan, s: Selection, dw: number, dh: number, grid: number): Plan {
  return change(
    plan,
    s,
    (p) => ({
      ...p,
      w: dw ? within(snap(p.w + dw, grid), LEAST_M, plan.width_m - p.x) : p.w,
      h: dh ? within(snap(p.h + dh, grid), LEAST_M, plan.height_m - p.y) : p.h,
    }),
    (a) => a,
  );
}

/** Takes the selected thing off the drawing; the place or antenna itself stays. */
export function takeOff(plan: Plan, s: Selection): Plan {
  if (!s) {
    return plan;
  }
  return s.kind === 'place'
    ? { ...plan, places: plan.places.filter((p) => p.place_id !== s.id) }
    : { ...plan, antennas: plan.antennas.filter((a) => antennaKey(a) !== s.key) };
}

/** Another size of the floor; what would lie outside comes in. */
export function floor(plan: Plan, width: number, height: number): Plan {
  const size = { width_m: within(cents(width), LEAST_M, MOST_M), height_m: within(cents(height), LEAST_M, MOST_M) };
  return { ...plan, ...size, places: plan.places.map((p) => fitPlace(p, size)), antennas: plan.antennas.map((a) => fitAntenna(a, size)) };
}

/** Room for a new rectangle: the first free spot, row by row; the corner when the floor is full. */
export function freeSpot(plan: Plan, w: number, h: number): { x: number; y: number } {
  const hits = (x: number, y: number): boolean => plan.places.some((p) => x < p.x + p.w && p.x < x + w && y < p.y + p.h && p.y < y + h);
  for (let y = GRID_M; y + h <= plan.height_m; y += GRID_M) {
    for (let x = GRID_M; x + w <= plan.width_m; x += GRID_M) {
      if (!hits(x, y)) {
        return { x, y };
      }
    }
  }
  return { x: 0, y: 0 };
}

/** What was, what is, and what was taken back. */
export interface Draft {
  past: Plan[];
  now: Plan;
  future: Plan[];
}

export const draftOf = (plan: Plan): Draft => ({ past: [], now: plan, future: [] });

export function same(a: Plan, b: Plan): boolean {
  return JSON.stringify([a.width_m, a.height_m, a.places, a.antennas]) === JSON.stringify([b.width_m, b.height_m, b.places, b.antennas]);
}

/** A step that can be taken back; none when nothing changed. */
export function step(d: Draft, next: Plan): Draft {
  return same(d.now, next) ? d : { past: [...d.past, d.now].slice(-UNDO_DEPTH), now: next, future: [] };
}

export function undo(d: Draft): Draft {
  const last = d.past.at(-1);
  return last ? { past: d.past.slice(0, -1), now: last, future: [d.now, ...d.future] } : d;
}

export function redo(d: Draft): Draft {
  const next = d.future[0];
  return next ? { past: [...d.past, d.now], now: next, future: d.future.slice(1) } : d;
}
