// SPDX-License-Identifier: Apache-2.0
// The pages about books and differences belong together; this row leads from one to the next.

import type { JSX } from 'preact';
import { here } from '../router';
import { d } from '../strings/differences';

const TABS: [string, string][] = [
  ['/differences', d.tabs.differences],
  ['/differences/books', d.tabs.book],
  ['/differences/deliveries', d.tabs.deliveries],
  ['/differences/sales', d.tabs.sales],
  ['/differences/strangers', d.tabs.strangers],
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
