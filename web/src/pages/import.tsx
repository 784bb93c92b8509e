// SPDX-License-Identifier: Apache-2.0
// Importing products and their prices.

import type { JSX } from 'preact';
import * as api from '../api';
import { may } from '../session';
import { t } from '../strings';
import type { ImportResult } from '../types';
import { Empty, LinkButton } from '../ui';
import { ImportFlow, type ImportKind } from './import_flow';

const KIND: ImportKind<ImportResult> = {
  title: t.import.title,
  lead: t.import.lead,
  format: t.import.formatText,
  example: 'gtin,name,price,content,unit\n4006381333931,Felt tip pen,1.99,1,pc\n',
  back: { href: '/products', text: t.nav.products },
  upload: api.importProducts,
  figures: (r) => [
    [t.import.rows, r.rows],
    [t.import.created, r.created],
    [t.import.updated, r.updated],
    [t.import.pricesChanged, r.prices_changed],
    [t.import.unchanged, r.unchanged],
  ],
};

export function ImportPage(): JSX.Element {
  return may('products') ? (
    <ImportFlow kind={KIND} />
  ) : (
    <Empty icon="warn" title={t.problems.forbidden}>
      <LinkButton href="/products">{t.nav.products}</LinkButton>
    </Empty>
  );
}
