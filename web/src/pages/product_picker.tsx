// SPDX-License-Identifier: Apache-2.0
// Choosing one product by name, by GTIN or by scanning it: a text field with a list of what matches.

import type { JSX, TargetedKeyboardEvent } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import * as api from '../api';
import { gtinOfScan, gtinShort } from '../format';
import { Icon } from '../icons';
import { pick } from '../strings/differences';
import type { Product } from '../types';
import { plain, say } from '../ui';

const WAIT_MS = 180;
const SHOWN = 8;

interface PickerProps {
  label: string;
  onPick: (p: Product) => void;
  focus?: boolean;
  hint?: string;
  /** Empties the field after a choice, for adding several. */
  again?: boolean;
}

interface Search {
  found: Product[] | null;
  error: unknown;
  /** Searches after a pause in typing; at once when told. */
  look: (q: string, wait: number) => void;
  /** The product that a scan names, if there is one. */
  scanned: (gtin: string) => Promise<Product>;
  forget: () => void;
}

function useSearch(): Search {
  const [found, setFound] = useState<Product[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const turn = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  const forget = (): void => {
    clearTimeout(timer.current);
    turn.current++;
    setFound(null);
    setError(null);
  };
  const look = (q: string, wait: number): void => {
    forget();
    if (!q.trim()) {
      return;
    }
    const mine = turn.current;
    timer.current = setTimeout(() => {
      api.products.list(q.trim(), { limit: SHOWN }).then(
        (page) => {
          if (mine === turn.current) {
            setFound(page.items);
            say(page.items.length ? pick.results(page.items.length) : pick.none(q));
          }
        },
        (e: unknown) => mine === turn.current && setError(e),
      );
    }, wait);
  };
  return { found, error, look, scanned: (gtin) => api.products.byGtin(gtin), forget };
}

export function ProductPicker({ label, onPick, focus, hint, again }: PickerProps): JSX.Element {
  const id = useId();
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const s = useSearch();
  useEffect(() => {
    if (focus) {
      input.current?.focus();
    }
  }, [focus]);
  const list = s.found ?? [];
  const choose = (p: Product): void => {
    setText(again ? '' : p.name);
    s.forget();
    setAt(0);
    onPick(p);
    input.current?.focus();
  };
  const enter = (): void => {
    const hit = list[at];
    const gtin = gtinOfScan(text);
    if (hit) {
      choose(hit);
    } else if (gtin) {
      s.scanned(gtin).then(choose, () => s.look(text, 0));
    } else {
      s.look(text, 0);
    }
  };
  const onKey = (e: TargetedKeyboardEvent<HTMLInputElement>): void => {
    if (e.key === 'Enter') {
      e.preventDefault();
      enter();
    } else if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
      e.preventDefault();
      setAt((n) => Math.max(0, Math.min(list.length - 1, n + (e.key === 'ArrowDown' ? 1 : -1))));
    } else if (e.key === 'Escape' && s.found) {
      e.preventDefault();
      e.stopPropagation();
      s.forget();
    }
  };
  const open = list.length > 0;
  return (
    <div class="field picker">
      <label for={id}>{label}</label>
      <input
        ref={input}
        id={id}
        role="combobox"
        value={text}
        autocomplete="off"
        spellcheck={false}
        aria-autocomplete="list"
        aria-expanded={open}
        aria-controls={`${id}-list`}
        aria-activedescendant={open ? `${id}-${at}` : undefined}
        aria-describedby={`${id}-h`}
        onInput={(e) => {
          setText(e.currentTarget.value);
          setAt(0);
          s.look(e.currentTarget.value, WAIT_MS);
        }}
        onKeyDown={onKey}
      />
      <ul class="plain-list pick-list" role="listbox" id={`${id}-list`} aria-label={pick.list} hidden={!open}>
        {list.map((p, i) => (
          <li key={p.id} id={`${id}-${i}`} role="option" aria-selected={i === at} onMouseDown={(e) => e.preventDefault()} onClick={() => choose(p)}>
            <span class="clip grow">{p.name}</span>
            <span class="sub mono">{gtinShort(p.gtin)}</span>
          </li>
        ))}
      </ul>
      {s.found?.length === 0 && <div class="hint">{pick.none(text)}</div>}
      {s.error ? (
        <div class="field-error" role="alert">
          <Icon name="warn" size={16} /> {plain(s.error)}
        </div>
      ) : null}
      <div class="hint" id={`${id}-h`}>
        {hint ?? pick.hint}
      </div>
    </div>
  );
}
