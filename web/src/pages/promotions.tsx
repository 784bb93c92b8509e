// SPDX-License-Identifier: Apache-2.0
import type { JSX } from 'preact';
import { t } from '../strings';
import { PageHead } from '../ui';

export function PromotionsPage(_: { id: string | null; what: string | null }): JSX.Element {
  return (
    <div class="page fill">
      <PageHead title={t.nav.promotions} />
    </div>
  );
}
