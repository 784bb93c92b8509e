// SPDX-License-Identifier: Apache-2.0
// A table of any length: only the rows in view are in the page. Rows have a fixed height.

import type { ComponentChildren, JSX, RefObject, TargetedKeyboardEvent } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { PagedList } from './paged';

const OVERSCAN = 8;

export interface VirtualProps<T> {
  list: PagedList<T>;
  rowHeight: number;
  label: string;
  head?: ComponentChildren;
  row: (item: T | undefined, index: number) => ComponentChildren;
  rowClass?: (item: T | undefined) => string;
  class?: string;
  /** For rows without links: the list itself takes the focus, so that keys can scroll it. */
  scrollByKeys?: boolean;
}

/** Moves the focus between the rows' main links with the arrow keys. */
function onKey(e: TargetedKeyboardEvent<HTMLElement>, scroller: HTMLElement, rowHeight: number): void {
  const target = e.target as HTMLElement;
  if (!target.matches('[data-row]') || (e.key !== 'ArrowDown' && e.key !== 'ArrowUp')) {
    return;
  }
  const index = Number(target.closest<HTMLElement>('[data-index]')?.dataset['index']);
  const next = scroller.querySelector<HTMLElement>(`[data-index="${index + (e.key === 'ArrowDown' ? 1 : -1)}"] [data-row]`);
  if (next) {
    e.preventDefault();
    next.focus({ preventScroll: true });
    const row = next.closest<HTMLElement>('[data-index]');
    const head = scroller.querySelector<HTMLElement>('.vhead')?.offsetHeight ?? 0;
    if (row) {
      const top = row.offsetTop - head;
      const view = scroller.clientHeight - head;
      if (top < scroller.scrollTop) {
        scroller.scrollTop = top;
      } else if (top + rowHeight > scroller.scrollTop + view) {
        scroller.scrollTop = top + rowHeight - view;
      }
    }
  }
}

interface View {
  top: number;
  height: number;
}

/** What part of a scrolling box is in view; measured once per frame. */
function useView(box: RefObject<HTMLElement | null>): View {
  const [view, setView] = useState<View>({ top: 0, height: 800 });
  useEffect(() => {
    const el = box.current;
    if (!el) {
      return undefined;
    }
    let frame = 0;
    const measure = (): void => {
      frame = 0;
      setView((v) => (v.top === el.scrollTop && v.height === el.clientHeight ? v : { top: el.scrollTop, height: el.clientHeight }));
    };
    const later = (): void => {
      frame ||= requestAnimationFrame(measure);
    };
    el.addEventListener('scroll', later, { passive: true });
    const ro = new ResizeObserver(later);
    ro.observe(el);
    measure();
    return () => {
      el.removeEventListener('scroll', later);
      ro.disconnect();
      cancelAnimationFrame(frame);
    };
  }, []);
  return view;
}

function Row<T>({ p, item, index }: { p: VirtualProps<T>; item: T | undefined; index: number }): JSX.Element {
  return (
    <div
      role="row"
      class={`vrow ${item === undefined ? 'is-loading' : ''} ${p.rowClass?.(item) ?? ''}`}
      aria-rowindex={index + (p.head ? 2 : 1)}
      data-index={index}
      style={{ transform: `translateY(${index * p.rowHeight}px)`, height: `${p.rowHeight}px` }}
    >
      {p.row(item, index)}
    </div>
  );
}

export function VirtualTable<T>(p: VirtualProps<T>): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const view = useView(box);
  const { list, rowHeight } = p;
  const version = list.version.value;
  const n = list.length;
  const from = Math.max(0, Math.floor(view.top / rowHeight) - OVERSCAN);
  const to = Math.min(n, Math.ceil((view.top + view.height) / rowHeight) + OVERSCAN);
  useEffect(() => {
    void list.ensure(from, to);
  }, [list, from, to, version]);
  const rows: JSX.Element[] = [];
  for (let i = from; i < to; i++) {
    rows.push(<Row key={i} p={p} item={list.at(i)} index={i} />);
  }
  return (
    <div
      ref={box}
      class={`vbox ${p.class ?? ''}`}
      role="table"
      tabIndex={p.scrollByKeys ? 0 : undefined}
      aria-label={p.label}
      aria-rowcount={list.exact ? n + (p.head ? 1 : 0) : -1}
      aria-busy={list.loading.value}
      onKeyDown={(e) => box.current && onKey(e, box.current, rowHeight)}
    >
      {p.head && (
        <div role="rowgroup" class="vhead">
          <div role="row" class="vrow-head" aria-rowindex={1}>
            {p.head}
          </div>
        </div>
      )}
      <div role="rowgroup" class="vbody" style={{ height: `${n * rowHeight}px` }}>
        {rows}
      </div>
    </div>
  );
}
