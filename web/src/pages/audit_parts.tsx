// SPDX-License-Identifier: Apache-2.0
// What the audit page and the history of single things share.

import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { audit } from '../api';
import { dateTime } from '../format';
import { useFetched } from '../hooks';
import { a } from '../strings/audit';
import { t } from '../strings';
import type { AuditEntry } from '../types';
import { ErrorBox, Loading } from '../ui';

export function actionName(action: string): string {
  return a.actions[action as keyof typeof a.actions] ?? action;
}

const INSTANT = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;

/** Text that may be JSON, as facts; anything else as it is. */
export function detailText({ action, detail: d }: AuditEntry): string {
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
  return String(d).replace(INSTANT, (at) => dateTime(at));
}

/** Who did what to one thing, newest first. */
export function AuditTrail({ object, turn, none }: { object: string; turn: number; none: string }): JSX.Element {
  const f = useFetched(`audit-of/${object}`, () => audit.list({ object }, { limit: 50 }));
  useEffect(() => {
    if (turn > 0) {
      f.reload();
    }
  }, [turn]);
  return (
    <>
      <ErrorBox error={f.error} retry={f.reload} />
      {!f.data && !f.error && <Loading />}
      {f.data?.items.length === 0 && <p class="hint">{none}</p>}
      <ol class="timeline">
        {f.data?.items.map((e) => (
          <li key={e.id}>
            <time dateTime={e.at}>{dateTime(e.at)}</time>
            <span>
              <strong>{actionName(e.action)}</strong> · {e.who}
              {detailText(e) && <span class="sub"> · {detailText(e)}</span>}
            </span>
          </li>
        ))}
      </ol>
    </>
  );
}
