// SPDX-License-Identifier: Apache-2.0
// The agents on the access points: which are well, which are not, and what to do about it.

import type { JSX } from 'preact';
import { useCallback, useState } from 'preact/hooks';
import * as api from '../api';
import { count, date } from '../format';
import { useFetched, useLive } from '../hooks';
import { Icon } from '../icons';
import { go } from '../router';
import { may } from '../session';
import { t } from '../strings';
import { a as access } from '../strings/access';
import type { Agent } from '../types';
import { Ago, Button, Chip, Empty, ErrorBox, Fact, Loading, now, PageHead } from '../ui';
import { AgentPanel } from './agent_panel';
import { JoinCodes } from './join';

export function AgentState({ a }: { a: Agent }): JSX.Element {
  switch (a.state) {
    case 'online':
      return (
        <Chip tone="good" icon="check">
          {t.agents.online}
        </Chip>
      );
    case 'revoked':
      return (
        <Chip tone="plain" icon="off">
          {t.agents.revoked}
        </Chip>
      );
    default:
      return (
        <Chip tone="bad" icon="warn">
          {t.agents.offline}
        </Chip>
      );
  }
}

const w = access.health;

/** A clock this far off, or an error this near, deserves a word on the card. */
const CLOCK_BAD_MS = 2000;

export function ClockOffset({ a }: { a: Agent }): JSX.Element {
  if (a.clock_offset_ms === null || a.clock_offset_ms === undefined) {
    return <span>–</span>;
  }
  const bad = Math.abs(a.clock_offset_ms) > CLOCK_BAD_MS;
  return (
    <span class={bad ? 'warn-text' : ''}>
      {bad && <Icon name="warn" size={16} />} {t.agents.offset(a.clock_offset_ms, a.clock_uncertainty_ms)}
    </span>
  );
}

const CERT_SOON_MS = 10 * 86_400_000;

/** Milliseconds until the certificate ends; null when nobody knows. */
function certLeft(a: Agent): number | null {
  return a.cert_expires ? new Date(a.cert_expires).getTime() - now.value : null;
}

export function Certificate({ a }: { a: Agent }): JSX.Element {
  const left = certLeft(a);
  const bad = left !== null && left < CERT_SOON_MS;
  return (
    <span class={bad ? 'warn-text' : ''}>
      {bad && <Icon name="warn" size={16} />} {date(a.cert_expires)} (<Ago at={a.cert_expires} />)
      {bad && <span class="sub"> {left <= 0 ? w.certOver : w.certSoon}</span>}
    </span>
  );
}

const READER_GOOD = new Set(['running']);
const READER_BUSY = new Set(['idle', 'connecting', 'negotiating', 'configuring', 'stopping']);

export function readerWell(state: string | undefined): boolean {
  return READER_GOOD.has(state ?? '');
}

export function ReaderChip({ state }: { state: string | undefined }): JSX.Element {
  const tone = readerWell(state) ? 'good' : !state || READER_BUSY.has(state) ? 'busy' : 'bad';
  return (
    <Chip tone={tone} icon={tone === 'good' ? 'check' : tone === 'busy' ? 'clock' : 'warn'}>
      {t.readerState[state as keyof typeof t.readerState] ?? (state || t.agents.waiting)}
    </Chip>
  );
}

/** How its label radio is, as far as is known now. */
export function radioWords(a: Agent): string {
  if (!a.radio) {
    return t.agents.noRadio;
  }
  const words = t.radio[a.radio.state as keyof typeof t.radio] ?? a.radio.state;
  return a.state === 'online' ? words : t.agents.whenHeard(words);
}

/** Something about it wants a person. */
function ailing(a: Agent): boolean {
  const left = certLeft(a);
  return (
    a.state === 'offline' ||
    (a.state !== 'revoked' &&
      (!!a.last_error || !!a.next_step || Math.abs(a.clock_offset_ms ?? 0) > CLOCK_BAD_MS || (left !== null && left < CERT_SOON_MS) || a.readers.some((r) => r.state === 'error')))
  );
}

/** The faulty ones first, then by name; those that are gone last. */
function byNeed(list: Agent[]): Agent[] {
  const rank = (a: Agent): number => (ailing(a) ? 0 : a.state === 'revoked' ? 2 : 1);
  return [...list].sort((x, y) => rank(x) - rank(y) || x.name.localeCompare(y.name));
}

function AgentCard({ a, selected }: { a: Agent; selected: boolean }): JSX.Element {
  const up = a.readers.filter((r) => readerWell(r.state)).length;
  return (
    <li class={`agent-card card ${selected ? 'is-selected' : ''}`} data-agent={a.name}>
      <header>
        <a class="row-link" href={`/agents/${a.id}`} data-row>
          {a.name}
        </a>
        <AgentState a={a} />
      </header>
      <dl class="facts">
        <Fact name={t.agents.lastSeen}>
          <Ago at={a.last_seen} />
        </Fact>
        <Fact name={t.agents.readers}>
          {a.readers.length === 0 ? t.agents.noReaders : <a href={`/agents/${a.id}`}>{t.agents.readersUp(up, a.readers.length)}</a>}
        </Fact>
        <Fact name={t.agents.tags}>{count(a.tags_in_view)}</Fact>
        <Fact name={t.agents.radio}>{radioWords(a)}</Fact>
        <Fact name={t.agents.labels}>
          <a href={`/labels?q=${encodeURIComponent(a.name)}`}>{count(a.labels_synced)}</a>
        </Fact>
        <Fact name={t.agents.clock}>
          <ClockOffset a={a} />
        </Fact>
        {(certLeft(a) ?? CERT_SOON_MS) < CERT_SOON_MS && (
          <Fact name={t.agents.certificate}>
            <Certificate a={a} />
          </Fact>
        )}
      </dl>
      {(a.last_error || a.next_step) && (
        <div class="notice tone-warn">
          <Icon name="warn" />
          <div>
            {a.last_error && <div>{a.last_error}</div>}
            {a.next_step && <strong>{t.agents.nextStep(a.next_step)}</strong>}
          </div>
        </div>
      )}
    </li>
  );
}

export function AgentsPage({ id }: { id: number | null }): JSX.Element {
  const f = useFetched('agents', () => api.agents.list({ limit: 1000 }));
  const [joining, setJoining] = useState(false);
  useLive('agent', (a) =>
    f.set((page) => ({
      ...page,
      items: page.items.some((x) => x.id === a.id) ? page.items.map((x) => (x.id === a.id ? a : x)) : [...page.items, a],
    })),
  );
  const close = useCallback(() => go('/agents'), []);
  const list = byNeed(f.data?.items ?? []);
  const present = list.filter((a) => a.state !== 'revoked');
  const bad = present.filter(ailing).length;
  return (
    <div class={`page ${id ? 'with-panel' : ''}`}>
      <div class="list-side">
        <PageHead title={t.nav.agents} lead={t.agents.lead}>
          {may('fleet') && (
            <Button icon="key" kind="main" onClick={() => setJoining(true)}>
              {t.agents.add}
            </Button>
          )}
        </PageHead>
        {present.length > 0 && (
          <p role="status">
            <Chip tone={bad ? 'warn' : 'good'} icon={bad ? 'warn' : 'check'}>
              {bad ? w.bad(bad, present.length) : w.good(present.length)}
            </Chip>
          </p>
        )}
        <ErrorBox error={f.error} retry={f.reload} />
        {!f.data && !f.error && <Loading />}
        {f.data && list.length === 0 && (
          <Empty icon="antenna" title={t.agents.none}>
            <p>{t.agents.noneHint}</p>
            {may('fleet') && (
              <Button icon="key" kind="main" onClick={() => setJoining(true)}>
                {t.join.make}
              </Button>
            )}
          </Empty>
        )}
        <ul class="plain-list agent-grid">
          {list.map((a) => (
            <AgentCard key={a.id} a={a} selected={a.id === id} />
          ))}
        </ul>
      </div>
      {id !== null && <AgentPanel key={id} id={id} live={list.find((a) => a.id === id) ?? null} onClose={close} onChanged={f.reload} />}
      {joining && <JoinCodes onClose={() => setJoining(false)} />}
    </div>
  );
}
