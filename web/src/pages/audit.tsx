// SPDX-License-Identifier: Apache-2.0
// Who changed what; by who, what and object.

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import * as api from '../api';
import { dateTime } from '../format';
import { usePaged } from '../hooks';
import { here, setQuery } from '../router';
import { a } from '../strings/audit';
import { t } from '../strings';
import type { AuditEntry } from '../types';
import { Ago, Button, Empty, ErrorBox, Field, PageHead, Select } from '../ui';
import { VirtualTable } from '../virtual';
import { actionName, detailText } from './audit_parts';

const HOMES: Record<string, string> = {
  product: '/products/',
  label: '/labels/',
  agent: '/agents/',
  item: '/items/',
  promotion: '/promotions/',
  rollout: '/rollouts/',
};

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
          <strong>{actionName(e.action)}</strong> <ObjectName name={e.object} />
        </span>
        <span class="sub clip" title={detailText(e)}>
          {detailText(e)}
        </span>
      </div>
    </>
  );
}

/** Who and object are asked for on Enter or when one leaves the field. */
function Filters({ who, action, object }: { who: string; action: string; object: string }): JSX.Element {
  const [w, setWho] = useState(who);
  const [o, setObject] = useState(object);
  useEffect(() => setWho(who), [who]);
  useEffect(() => setObject(object), [object]);
  const ask = (more: { action?: string | null } = {}): void => setQuery({ who: w.trim() || null, object: o.trim() || null, ...more });
  const kinds: [string, string][] = [['', a.allActions], ...Object.entries(a.kinds).map(([k, text]): [string, string] => [`${k}.`, text])];
  return (
    <form
      class="toolbar filters"
      role="search"
      aria-label={a.filter}
      onSubmit={(e) => {
        e.preventDefault();
        ask();
      }}
      onFocusOut={() => ask()}
    >
      <Field label={a.who} value={w} onInput={setWho} placeholder={a.whoHint} />
      <Select label={a.action} value={action} options={kinds} onChange={(v) => ask({ action: v || null })} />
      <Field label={a.object} value={o} onInput={setObject} placeholder={a.objectHint} />
      <button type="submit" class="hidden" tabIndex={-1}>
        {a.filter}
      </button>
    </form>
  );
}

export function AuditPage(): JSX.Element {
  const query = here.value.query;
  const [who, action, object] = ['who', 'action', 'object'].map((k) => query.get(k) ?? '') as [string, string, string];
  const list = usePaged<AuditEntry>(`audit/${who}/${action}/${object}`, (after, limit, signal) => api.audit.list({ who, action, object }, { after, limit, signal }));
  void list.version.value;
  const filtered = !!who || !!action || !!object;
  return (
    <div class="page fill">
      <div class="list-side">
        <PageHead title={t.nav.audit} lead={a.lead}>
          <Button icon="refresh" onClick={() => list.reload()}>
            {t.reload}
          </Button>
        </PageHead>
        <Filters who={who} action={action} object={object} />
        <ErrorBox error={list.error.value} retry={() => list.retry()} />
        {list.empty ? (
          <Empty icon="list" title={filtered ? a.noMatch : a.none}>
            {filtered && <Button onClick={() => setQuery({ who: null, action: null, object: null })}>{t.clearSearch}</Button>}
          </Empty>
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
