// SPDX-License-Identifier: Apache-2.0
// The pages about stock belong together; this row leads from one to the next.

import type { JSX } from 'preact';
import { here } from '../router';
import { d } from '../strings/differences';

const TABS: [string, string][] = [
  ['/stock', d.tabs.stock],
  ['/differences', d.tabs.differences],
  ['/books', d.tabs.book],
  ['/deliveries', d.tabs.deliveries],
  ['/sales', d.tabs.sales],
  ['/stock/places', d.tabs.places],
  ['/plan', d.tabs.plan],
];

export function StockTabs(): JSX.Element {
  const path = here.value.path;
  const at = TABS.filter(([p]) => path === p || path.startsWith(`${p}/`)).sort((a, b) => b[0].length - a[0].length)[0];
  return (
    <nav class="tabs" aria-label={d.tabs.title}>
      {TABS.map(([href, text]) => (
        <a key={href} href={href} aria-current={at?.[0] === href ? 'page' : undefined}>
          {text}
        </a>
      ))}
    </nav>
  );
}
