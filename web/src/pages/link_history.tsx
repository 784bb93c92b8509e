// SPDX-License-Identifier: Apache-2.0
// Every change of a link between label and product, and the way back.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { type LinkEvent, links, type LinkProduct } from '../api/links';
import { dateTime, gtinShort } from '../format';
import { useLive, usePaged, useThrottled, useWide } from '../hooks';
import { here } from '../router';
import { may } from '../session';
import { t } from '../strings';
import { k } from '../strings/links';
import { Button, Empty, ErrorBox, LinkButton, PageHead, say } from '../ui';
import { VirtualTable } from '../virtual';

const w = k.history;

function nameOf(p: LinkProduct | null): string {
  return p ? (p.name ?? gtinShort(p.gtin)) : '';
}

function change(e: LinkEvent): string {
  return e.from && e.to ? w.moved(nameOf(e.from), nameOf(e.to)) : e.to ? w.linked(nameOf(e.to)) : w.unlinked(nameOf(e.from));
}

function Row({ e, onUndo }: { e: LinkEvent; onUndo: (e: LinkEvent, batch: boolean) => void }): JSX.Element {
  const open = !e.undone && !e.superseded;
  return (
    <>
      <div role="cell" class="c-time sub">
        <time dateTime={e.at}>{dateTime(e.at)}</time> · {e.by}
      </div>
      <div role="cell" class="c-name">
        <a class="row-link mono" data-row href={`/labels/${e.label}`}>
          {e.label}
        </a>
        <span class="clip">
          {w.causes[e.cause ?? 'link'] ?? e.cause} {change(e)}
        </span>
      </div>
      <div role="cell" class="c-state actions">
        {!open && <span class="sub">{e.undone ? w.undone : w.superseded}</span>}
        {open && may('labels') && (
          <Button icon="undo" label={w.undoOf(e.label)} onClick={() => onUndo(e, false)}>
            {w.undo}
          </Button>
        )}
        {open && may('labels') && e.cause === 'import' && e.batch && (
          <Button kind="quiet" label={w.undoBatch(e.label)} onClick={() => onUndo(e, true)}>
            {w.batch}
          </Button>
        )}
      </div>
    </>
  );
}

export function LinkHistoryPage(_: object): JSX.Element {
  const label = here.value.query.get('label') ?? '';
  const wide = useWide(800);
  const [error, setError] = useState<unknown>(null);
  const list = usePaged<LinkEvent>(`links/${label}`, (after, limit, signal) => links.list(label, { after, limit, signal }));
  useLive('label', useThrottled(() => list.reload(), 1500));
  void list.version.value;
  const undo = (e: LinkEvent, batch: boolean): void => {
    setError(null);
    links.undo(e.id, batch).then(() => {
      say(w.done);
      list.reload();
    }, setError);
  };
  return (
    <div class="page fill">
      <div class="list-side">
        <PageHead title={label ? w.of(label) : w.title} lead={w.lead}>
          {label && <LinkButton href="/labels/links">{w.all}</LinkButton>}
          <LinkButton href="/labels" icon="back">
            {t.nav.labels}
          </LinkButton>
        </PageHead>
        <ErrorBox error={error ?? list.error.value} retry={error ? undefined : () => list.retry()} />
        {list.empty ? (
          <Empty icon="link" title={w.none}>
            <p>{w.noneHint}</p>
          </Empty>
        ) : (
          <VirtualTable
            list={list}
            rowHeight={wide ? 60 : 128}
            label={w.title}
            class="link-history"
            rowClass={(e) => (e?.undone ? 'is-undone' : '')}
            row={(e) => (e ? <Row e={e} onUndo={undo} /> : <div role="cell" class="skeleton" />)}
          />
        )}
      </div>
    </div>
  );
}
