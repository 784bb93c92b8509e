// SPDX-License-Identifier: Apache-2.0
// Who changed what.

import type { JSX } from 'preact';
import * as api from '../api';
import { dateTime } from '../format';
import { usePaged } from '../hooks';
import { t } from '../strings';
import type { AuditEntry } from '../types';
import { Ago, Button, Empty, ErrorBox, PageHead } from '../ui';
import { VirtualTable } from '../virtual';

function detailText({ action, detail: d }: AuditEntry): string {
  if (d === null || d === undefined || d === '') {
    return '';
  }
  if (action === 'user.create' && typeof d === 'string') {
    return t.roles[d as keyof typeof t.roles] ?? d;
  }
  if (typeof d === 'object') {
    return Object.entries(d)
      .map(([k, v]) => `${k}: ${typeof v === 'object' ? JSON.stringify(v) : String(v)}`)
      .join(', ');
  }
  return String(d);
}

const HOMES: Record<string, string> = { product: '/products/', label: '/labels/', agent: '/agents/', item: '/items/' };

/** "product:12" opens the product; anything else is plain text. The action has said what kind it is. */
function ObjectName({ name }: { name: string | null }): JSX.Element | null {
  const [, kind, id] = /^([a-z]+):([0-9A-Fa-f]+)$/.exec(name ?? '') ?? [];
  const home = kind ? HOMES[kind] : undefined;
  return home ? <a href={`${home}${id}`}>{id}</a> : <>{name}</>;
}

function AuditRow({ e }: { e: AuditEntry }): JSX.Element {
  return (
    <>
      <div role="cell" class="c-time" title={dateTime(e.at)}>
        <Ago at={e.at} />
      </div>
      <div role="cell" class="c-who clip">
        {e.who}
      </div>
      <div role="cell" class="c-name">
        <span class="clip">
          <strong>{t.actions[e.action as keyof typeof t.actions] ?? e.action}</strong> <ObjectName name={e.object} />
        </span>
        <span class="sub clip" title={detailText(e)}>
          {detailText(e)}
        </span>
      </div>
    </>
  );
}

export function AuditPage(): JSX.Element {
  const list = usePaged<AuditEntry>('audit', (after, limit, signal) => api.audit.list({ after, limit, signal }));
  void list.version.value;
  const empty = list.empty;
  return (
    <div class="page fill">
      <div class="list-side">
        <PageHead title={t.nav.audit} lead={t.audit.lead}>
          <Button icon="refresh" onClick={() => list.reload()}>
            {t.reload}
          </Button>
        </PageHead>
        <ErrorBox error={list.error.value} retry={() => list.retry()} />
        {empty ? (
          <Empty icon="list" title={t.audit.none} />
        ) : (
          <VirtualTable
            list={list}
            rowHeight={60}
            label={t.nav.audit}
            class="audit"
            scrollByKeys
            row={(e) => (e ? <AuditRow e={e} /> : <div role="cell" class="skeleton" />)}
          />
        )}
      </div>
    </div>
  );
}
