// SPDX-License-Identifier: Apache-2.0
// Linking many labels by a list.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { links } from '../api/links';
import { may } from '../session';
import { t } from '../strings';
import { k } from '../strings/links';
import { Empty, LinkButton } from '../ui';
import { ImportFlow } from './import_flow';

const w = k.import;

export function LinkImportPage(_: object): JSX.Element {
  const [relink, setRelink] = useState(false);
  if (!may('labels')) {
    return (
      <Empty icon="warn" title={t.problems.forbidden}>
        <LinkButton href="/labels">{t.nav.labels}</LinkButton>
      </Empty>
    );
  }
  return (
    <ImportFlow
      kind={{
        title: w.title,
        lead: w.lead,
        format: w.format,
        example: 'label,gtin\nC0FFEE000001,4006381333931\nC0:FF:EE:00:00:02,4006381000017\n',
        back: { href: '/labels', text: t.nav.labels },
        options: (
          <label class="check">
            <input type="checkbox" checked={relink} onChange={(e) => setRelink(e.currentTarget.checked)} />
            <span>
              {w.relink}
              <span class="hint"> {w.relinkHint}</span>
            </span>
          </label>
        ),
        upload: (file, dry, progress) => links.import(file, dry, relink, progress),
        figures: (r) => [
          [w.rows, r.rows],
          [w.linked, r.linked],
          [w.relinked, r.relinked],
          [w.unchanged, r.unchanged],
        ],
      }}
    />
  );
}
