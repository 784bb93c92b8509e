// SPDX-License-Identifier: Apache-2.0
// The drawing itself while it is edited: things take the focus, are dragged, and resized by a corner.

import type { JSX, TargetedPointerEvent } from 'preact';
import { useRef } from 'preact/hooks';
import type { Plan, PlanAntenna, PlanPlace } from '../api/plan';
import { antennaKey, move, resize, type Selection } from '../plan_model';
import { p } from '../strings/plan';
import { AntennaMark, Floor, fitted, HearingLines } from './plan_drawing';

interface FloorProps {
  plan: Plan;
  k: number;
  grid: number;
  selected: Selection;
  onSelect: (s: Selection) => void;
  onDrag: (next: Plan) => void;
  onDrop: () => void;
}

type Grip = (e: TargetedPointerEvent<SVGElement>, s: Selection, how: 'move' | 'resize') => void;

interface Dragging {
  start: Plan;
  s: Selection;
  how: 'move' | 'resize';
  x: number;
  y: number;
}

/** Follows the pointer from where it went down; the first movement begins the change. */
function useGrip(f: FloorProps): { grip: Grip; onMove: (e: PointerEvent) => void; onUp: () => void } {
  const held = useRef<Dragging | null>(null);
  const grip: Grip = (e, s, how) => {
    if (e.button !== 0) {
      return;
    }
    e.stopPropagation();
    f.onSelect(s);
    e.currentTarget.setPointerCapture(e.pointerId);
    held.current = { start: f.plan, s, how, x: e.clientX, y: e.clientY };
  };
  const onMove = (e: PointerEvent): void => {
    const h = held.current;
    if (h) {
      const by = (to: number, from: number): number => (to - from) / f.k;
      const act = h.how === 'move' ? move : resize;
      f.onDrag(act(h.start, h.s, by(e.clientX, h.x), by(e.clientY, h.y), f.grid));
    }
  };
  const onUp = (): void => {
    if (held.current) {
      held.current = null;
      f.onDrop();
    }
  };
  return { grip, onMove, onUp };
}

function EditablePlace({ x, f, grip }: { x: PlanPlace; f: FloorProps; grip: Grip }): JSX.Element {
  const s: Selection = { kind: 'place', id: x.place_id };
  const chosen = f.selected?.kind === 'place' && f.selected.id === x.place_id;
  const [px, py, pw, ph] = [x.x * f.k, x.y * f.k, x.w * f.k, x.h * f.k];
  return (
    <g>
      <g
        class={`plan-place kind-${x.kind} ${chosen ? 'is-selected' : ''}`}
        tabIndex={0}
        role="button"
        aria-pressed={chosen}
        aria-label={p.placeButton(x.place, x.x, x.y, x.w, x.h)}
        data-place={x.place_id}
        onFocus={() => f.onSelect(s)}
        onPointerDown={(e) => grip(e, s, 'move')}
      >
        <rect class="plan-box" x={px} y={py} width={pw} height={ph} rx={4} />
        {chosen && <rect class="plan-corner" x={px + pw - 7} y={py + ph - 7} width={14} height={14} rx={3} onPointerDown={(e) => grip(e, s, 'resize')} />}
      </g>
      <text x={px + 8} y={py + 19} class="plan-name plan-words" aria-hidden="true">
        {fitted(x.place, pw - 16)}
      </text>
    </g>
  );
}

function EditableAntenna({ a, f, grip }: { a: PlanAntenna; f: FloorProps; grip: Grip }): JSX.Element {
  const s: Selection = { kind: 'antenna', key: antennaKey(a) };
  const chosen = f.selected?.kind === 'antenna' && f.selected.key === s.key;
  const hears = f.plan.places.find((x) => x.place_id === a.place_id)?.place ?? p.nothing;
  return (
    <g>
      <g
        class={`plan-antenna ${chosen ? 'is-selected' : ''}`}
        tabIndex={0}
        role="button"
        aria-pressed={chosen}
        aria-label={p.antennaButton(p.antenna(a.reader, a.antenna), a.x, a.y, hears)}
        data-antenna={s.key}
        onFocus={() => f.onSelect(s)}
        onPointerDown={(e) => grip(e, s, 'move')}
      >
        <AntennaMark a={a} k={f.k} />
      </g>
      <text x={a.x * f.k} y={a.y * f.k + 26} text-anchor="middle" class="antenna-name plan-words" aria-hidden="true">
        {p.antenna(a.reader, a.antenna)}
      </text>
    </g>
  );
}

export function EditableFloor(f: FloorProps): JSX.Element {
  const { grip, onMove, onUp } = useGrip(f);
  return (
    <div class="plan-edit" onPointerMove={onMove} onPointerUp={onUp} onPointerCancel={onUp}>
      <Floor plan={f.plan} k={f.k} label={p.drawing} grid onPointerDown={() => f.onSelect(null)}>
        {f.plan.places.map((x) => (
          <EditablePlace key={x.place_id} x={x} f={f} grip={grip} />
        ))}
        <HearingLines plan={f.plan} k={f.k} only={f.selected?.kind === 'antenna' ? f.selected.key : null} />
        {f.plan.antennas.map((a) => (
          <EditableAntenna key={antennaKey(a)} a={a} f={f} grip={grip} />
        ))}
      </Floor>
    </div>
  );
}
