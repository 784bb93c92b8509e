// SPDX-License-Identifier: Apache-2.0
// Drawing the floor plan, by pointer, by keys or by numbers. Nothing is saved until one says so, and what somebody
// else saved in the meantime is never overwritten unasked.

import type { JSX, TargetedKeyboardEvent } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import * as api from '../api';
import { type Plan, plan as planApi } from '../api/plan';
import { p } from '../strings/plan';
import { antennaKey, type Draft, draftOf, floor, GRID_M, move, redo, resize, same, type Selection, step, takeOff, undo } from '../plan_model';
import type { Antenna, Place } from '../types';
import { Button, Confirm, ErrorBox, say } from '../ui';
import { useScale } from './plan_drawing';
import { EditableFloor } from './plan_edit_floor';
import { FloorFields, SelectionFields, ToPut } from './plan_fields';
import { PlaceDialog } from './places';

interface EditorProps {
  plan: Plan;
  places: Place[];
  antennas: Antenna[];
  onPlaces: () => void;
  onSaved: (next: Plan) => void;
  onClose: () => void;
}

/** What is said to people who do not see where a thing went. */
function whereIs(plan: Plan, s: Selection, sized: boolean): string {
  const place = s?.kind === 'place' ? plan.places.find((x) => x.place_id === s.id) : null;
  const antenna = s?.kind === 'antenna' ? plan.antennas.find((x) => antennaKey(x) === s.key) : null;
  const at = place ?? antenna;
  return place && sized ? p.sized(place.w, place.h) : at ? p.at(at.x, at.y) : '';
}

interface Drawing {
  draft: Draft;
  selected: Selection;
  select: (s: Selection) => void;
  /** One step that can be taken back. */
  apply: (next: Plan) => void;
  /** Changes without a step of its own, while the pointer drags; `settle` makes the step. */
  drag: (next: Plan) => void;
  settle: () => void;
  back: () => void;
  again: () => void;
  restart: (plan: Plan) => void;
}

function useDrawing(plan: Plan): Drawing {
  const [draft, setDraft] = useState<Draft>(() => draftOf(plan));
  const [selected, select] = useState<Selection>(null);
  const held = useRef<Plan | null>(null);
  return {
    draft,
    selected,
    select,
    apply: (next) => setDraft((d) => step(d, next)),
    drag: (next) => {
      held.current ??= draft.now;
      setDraft((d) => ({ ...d, now: next }));
    },
    settle: () => {
      const before = held.current;
      held.current = null;
      if (before) {
        setDraft((d) => (same(before, d.now) ? { ...d, now: before } : { past: [...d.past, before], now: d.now, future: [] }));
      }
    },
    back: () => setDraft(undo),
    again: () => setDraft(redo),
    restart: (next) => setDraft(draftOf(next)),
  };
}

const ARROWS: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Keys on the drawing; the fields beside it keep their own. */
function onKeys(e: TargetedKeyboardEvent<HTMLElement>, d: Drawing, grid: number): void {
  const arrow = ARROWS[e.key];
  const typing = e.target instanceof Element && e.target.matches('input, select');
  if ((e.ctrlKey || e.metaKey) && !typing && (e.key === 'z' || e.key === 'Z' || e.key === 'y')) {
    e.preventDefault();
    (e.key === 'y' || e.shiftKey ? d.again : d.back)();
  } else if (typing || !d.selected) {
    return;
  } else if (arrow) {
    e.preventDefault();
    const fine = e.altKey ? 0 : grid;
    const by = e.altKey ? 0.01 : grid || 0.1;
    const next = (e.shiftKey ? resize : move)(d.draft.now, d.selected, arrow[0] * by, arrow[1] * by, fine);
    d.apply(next);
    say(whereIs(next, d.selected, e.shiftKey));
  } else if (e.key === 'Delete' || e.key === 'Backspace') {
    e.preventDefault();
    d.apply(takeOff(d.draft.now, d.selected));
    d.select(null);
  } else if (e.key === 'Escape') {
    d.select(null);
  }
}

/** Antennas whose place was changed in the drawing: that link has its own call. */
async function saveLinks(before: Antenna[], now: Plan): Promise<void> {
  for (const a of before) {
    const drawn = now.antennas.find((x) => antennaKey(x) === antennaKey(a));
    if (drawn && drawn.place_id !== a.place_id) {
      await api.antennas.assign(a, drawn.place_id);
    }
  }
}

interface Saving {
  busy: boolean;
  error: unknown;
  conflict: boolean;
  save: (over?: boolean) => void;
  theirs: () => void;
}

function useSaving(e: EditorProps, d: Drawing): Saving {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const done = (next: Plan): void => {
    setBusy(false);
    d.restart(next);
    e.onSaved(next);
    say(p.saved);
  };
  const failed = (x: unknown): void => {
    setBusy(false);
    setError(x);
  };
  const save = (over = false): void => {
    setBusy(true);
    setError(null);
    const mine = d.draft.now;
    const etag = over ? planApi.get().then((x) => x.etag) : Promise.resolve(mine.etag);
    etag
      .then((tag) => saveLinks(e.antennas, mine).then(() => planApi.put({ ...mine, etag: tag })))
      .then((answer) => answer ?? planApi.get())
      .then(done, failed);
  };
  const theirs = (): void => {
    setError(null);
    planApi.get().then((x) => {
      d.restart(x);
      d.select(null);
      e.onSaved(x);
    }, failed);
  };
  const conflict = error instanceof api.Problem && error.status === 412;
  return { busy, error: conflict ? null : error, conflict, save, theirs };
}

function Conflict({ s }: { s: Saving }): JSX.Element {
  return (
    <div class="notice tone-warn" role="alert">
      <div class="grow">
        <strong>{p.conflict}</strong>
        <div>{p.conflictHint}</div>
      </div>
      <Button onClick={s.theirs}>{p.theirs}</Button>
      <Button kind="danger" onClick={() => s.save(true)}>
        {p.mine}
      </Button>
    </div>
  );
}

export function PlanEditor(e: EditorProps): JSX.Element {
  const d = useDrawing(e.plan);
  const s = useSaving(e, d);
  const [grid, setGrid] = useState(GRID_M);
  const [leaving, setLeaving] = useState(false);
  const [naming, setNaming] = useState(false);
  const now = d.draft.now;
  const dirty = !same(now, e.plan);
  const { box, k } = useScale(now.width_m, now.height_m);
  useEffect(() => {
    if (!dirty) {
      return undefined;
    }
    const ask = (x: BeforeUnloadEvent): void => x.preventDefault();
    addEventListener('beforeunload', ask);
    return () => removeEventListener('beforeunload', ask);
  }, [dirty]);
  return (
    <div class="plan-page" onKeyDown={(x) => onKeys(x, d, grid)}>
      <div class="plan-side">
        <div class="toolbar" role="toolbar" aria-label={p.tools}>
          <Button kind="main" icon="check" busy={s.busy} disabled={!dirty} onClick={() => s.save()}>
            {p.save}
          </Button>
          <Button icon="undo" label={p.undo} disabled={d.draft.past.length === 0} onClick={d.back} />
          <Button icon="redo" label={p.redo} disabled={d.draft.future.length === 0} onClick={d.again} />
          <Button pressed={grid > 0} onClick={() => setGrid(grid ? 0 : GRID_M)}>
            {p.snap}
          </Button>
          <Button onClick={() => (dirty ? setLeaving(true) : e.onClose())}>{p.stop}</Button>
          {dirty && <span class="hint">{p.unsaved}</span>}
        </div>
        <ErrorBox error={s.error} />
        {s.conflict && <Conflict s={s} />}
        <SelectionFields plan={now} selected={d.selected} places={e.places} onChange={d.apply} onTakenOff={() => d.select(null)} />
        <ToPut plan={now} places={e.places} antennas={e.antennas} onPut={(next, sel) => { d.apply(next); d.select(sel); }} onNew={() => setNaming(true)} />
        <FloorFields plan={now} onChange={(w, h) => d.apply(floor(now, w, h))} />
      </div>
      <div class="plan-scroll" ref={box}>
        <EditableFloor plan={now} k={k} grid={grid} selected={d.selected} onSelect={d.select} onDrag={d.drag} onDrop={d.settle} />
      </div>
      {leaving && <Confirm title={p.stop} text={p.discardAsk} action={p.discard} onDo={() => Promise.resolve(e.onClose())} onClose={() => setLeaving(false)} />}
      {naming && <PlaceDialog place={null} onClose={() => setNaming(false)} onSaved={e.onPlaces} />}
    </div>
  );
}
