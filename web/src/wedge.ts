// SPDX-License-Identifier: Apache-2.0
// A barcode scanner that types: it is told from a person by its speed and by the Enter at the end. What a person
// types is never touched; a scan reaches the page wherever the focus is, but not the fields one types in.

import { signal } from '@preact/signals';

/** Scanners leave some 2 to 20 ms between keys; people seldom less than 60, and never so for eight keys on end. */
const GAP_MS = 40;
const LEAST_KEYS = 8;
const MOST_KEYS = 400;

export interface Heard {
  /** The whole scan, when this key ended one. */
  scan: string | null;
  /** A machine is typing: the page should not act on these keys. */
  machine: boolean;
}

/** Pure: fed with keys and their times, it says when a scan is complete. */
export class Wedge {
  private keys = '';
  private last = Number.NEGATIVE_INFINITY;

  hear(key: string, time: number): Heard {
    const near = time - this.last <= GAP_MS;
    if (!near) {
      this.keys = '';
    }
    this.last = time;
    if (key === 'Enter' || key === 'Tab') {
      const scan = near && this.keys.length >= LEAST_KEYS ? this.keys : null;
      this.keys = '';
      return { scan, machine: scan !== null };
    }
    if ([...key].length !== 1) {
      // Shift, which scanners send before capitals, is no character; anything else ends what was typed.
      if (key !== 'Shift') {
        this.keys = '';
      }
      return { scan: null, machine: near && this.keys.length > 1 };
    }
    this.keys = this.keys.length < MOST_KEYS ? this.keys + key : this.keys;
    return { scan: null, machine: near && this.keys.length > 1 };
  }

  /** How many keys the burst has so far. */
  get length(): number {
    return this.keys.length;
  }
}

/** Open while one links by scanning: then scans are taken from fields too, and the field gets its text back. */
export const continuous = signal(false);

type FieldElement = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

interface Field {
  el: FieldElement;
  before: string;
}

function fieldOf(target: EventTarget | null): FieldElement | null {
  return target instanceof HTMLInputElement || target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement ? target : null;
}

/** Gives a field back what it had before the scan, and tells the page so. */
function restore(f: Field): void {
  f.el.value = f.before;
  f.el.dispatchEvent(new Event(f.el instanceof HTMLSelectElement ? 'change' : 'input', { bubbles: true }));
}

/** True where scans belong to what has the focus: fields made for them, dialogs, and fields while one is not scanning. */
function leaveAlone(el: EventTarget | null): boolean {
  const field = fieldOf(el);
  if (field?.hasAttribute('data-takes-scan') || document.querySelector('dialog[open]')) {
    return true;
  }
  return (field !== null && !continuous.value) || (el instanceof HTMLElement && el.isContentEditable);
}

export function startWedge(onScan: (scan: string) => void): () => void {
  const wedge = new Wedge();
  let field: Field | null = null;
  const onKey = (e: KeyboardEvent): void => {
    // A key that is held down repeats as fast as a scanner types: the space bar must go on scrolling.
    if (e.repeat || e.ctrlKey || e.metaKey || e.altKey || e.isComposing || leaveAlone(e.target)) {
      return;
    }
    const el = fieldOf(e.target);
    const heard = wedge.hear(e.key, e.timeStamp);
    if (wedge.length === 1) {
      field = el ? { el, before: el.value } : null;
    }
    if (heard.machine && !el) {
      // Neither the slash of an address nor the Enter may act on what happens to have the focus.
      e.preventDefault();
      e.stopPropagation();
    }
    if (heard.scan !== null) {
      e.preventDefault();
      e.stopPropagation();
      if (field) {
        restore(field);
      }
      onScan(heard.scan);
    }
  };
  addEventListener('keydown', onKey, { capture: true });
  return () => removeEventListener('keydown', onKey, { capture: true });
}
