// SPDX-License-Identifier: Apache-2.0
// Addresses: the path says which page and which thing, the query holds the filters.

import { computed, signal } from '@preact/signals';

export interface Location {
  path: string;
  query: URLSearchParams;
}

function read(): Location {
  return { path: location.pathname, query: new URLSearchParams(location.search) };
}

export const here = signal<Location>(read());

/** The path in segments: /labels/AB -> ["labels", "AB"]. */
export const segments = computed(() => here.value.path.split('/').filter(Boolean).map(decodeURIComponent));

export function go(to: string, how: 'push' | 'replace' = 'push'): void {
  if (how === 'push') {
    history.pushState(null, '', to);
  } else {
    history.replaceState(null, '', to);
  }
  here.value = read();
}

/** Sets or removes filters of the present page without a new history entry. */
export function setQuery(change: Record<string, string | null>): void {
  const q = new URLSearchParams(here.value.query);
  for (const [k, v] of Object.entries(change)) {
    if (v) {
      q.set(k, v);
    } else {
      q.delete(k);
    }
  }
  const tail = q.toString();
  go(here.value.path + (tail ? `?${tail}` : ''), 'replace');
}

/** Our own links change the page without loading it; everything else is left to the browser. */
function onClick(e: MouseEvent): void {
  if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) {
    return;
  }
  const a = e.target instanceof Element ? e.target.closest('a') : null;
  if (!a || a.target || a.hasAttribute('download') || a.origin !== location.origin || a.pathname.startsWith('/api/')) {
    return;
  }
  if (a.getAttribute('href')?.startsWith('#') || /\.[a-z]+$/.test(a.pathname)) {
    return;
  }
  e.preventDefault();
  go(a.pathname + a.search);
}

export function startRouter(): void {
  addEventListener('popstate', () => {
    here.value = read();
  });
  document.addEventListener('click', onClick);
}
