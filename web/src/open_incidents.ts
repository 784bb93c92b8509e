// SPDX-License-Identifier: Apache-2.0
// How many incidents are open: the number in the frame.

import { signal } from '@preact/signals';
import { incidents } from './api/incidents';
import { on } from './live';

/** null until it is known. */
export const openIncidents = signal<number | null>(null);

function load(): void {
  incidents.list({ state: 'open' }, { limit: 1 }).then(
    (page) => {
      openIncidents.value = page.total ?? page.items.length;
    },
    () => undefined, // the page says by itself when the server is away
  );
}

export function startIncidents(): () => void {
  load();
  const offs = [
    on('incident', (e) => {
      openIncidents.value = e.open;
    }),
    on('reset', load),
  ];
  return () => offs.forEach((f) => f());
}
