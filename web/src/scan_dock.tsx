// SPDX-License-Identifier: Apache-2.0
// Where scans arrive, on any page. The bar and what it needs are fetched with the first scan.

import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { lazy } from './lazy';
import { go } from './router';
import { may } from './session';
import { continuous } from './wedge';

const ScanBar = lazy(() => import('./pages/scan_bar').then((m) => m.ScanBar));
/** Something was scanned, and the bar is open to say what. */
const heard = signal(false);

/** A scan on any page: who may link gets the bar, everybody else sees the thing that was scanned. */
export async function onScan(scan: string): Promise<void> {
  const linking = await import('./linking');
  if (may('labels')) {
    heard.value = true;
    void linking.take(scan);
    return;
  }
  const m = linking.meaning(scan);
  if (m) {
    go('label' in m ? `/labels/${m.label}` : `/products?q=${m.gtin}`);
  }
}

export function ScanDock(): JSX.Element | null {
  const close = (): void => {
    heard.value = false;
    continuous.value = false;
  };
  return heard.value || (continuous.value && may('labels')) ? (
    <div class="scan-dock">
      <ScanBar onClose={close} />
    </div>
  ) : null;
}
