// SPDX-License-Identifier: Apache-2.0
// One agent: its health, its readers and what they look at.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import * as api from '../api';
import { count } from '../format';
import { useFetched, useLive, useThrottled } from '../hooks';
import { Icon } from '../icons';
import { may } from '../session';
import { t } from '../strings';
import { a as w } from '../strings/access';
import { r } from '../strings/radio';
import { w as reader } from '../strings/reader';
import type { Agent, NetInterface, Reader } from '../types';
import { Ago, Button, Confirm, ErrorBox, Fact, Loading } from '../ui';
import { AgentState, Certificate, ClockOffset, radioWords, ReaderChip } from './agents';
import { JoinCodes } from './join';
import { AntennaTable, withSilent } from './places';
import { ReaderDialog } from './reader_dialog';

function ReaderCard({ r, agent, onEdit, onChanged }: { r: Reader; agent: Agent; onEdit: () => void; onChanged: () => void }): JSX.Element {
  const [removing, setRemoving] = useState(false);
  return (
    <li class="reader">
      <header>
        <strong class="grow">
          <a href={`/agents/${agent.id}/${encodeURIComponent(r.name)}`} aria-label={reader.openOf(r.name)}>
            {r.name}
          </a>
        </strong>
        <ReaderChip state={r.state} />
        {may('fleet') && (
          <>
            <Button icon="edit" kind="quiet" label={t.reader.editOf(r.name)} onClick={onEdit} />
            <Button icon="cross" kind="quiet" label={t.reader.removeOf(r.name)} onClick={() => setRemoving(true)} />
          </>
        )}
      </header>
      <dl class="facts">
        <Fact name={t.reader.address}>
          <span class="mono">
            {r.host}:{r.port}
          </span>
        </Fact>
        <Fact name={t.reader.model}>{r.model || '–'}</Fact>
        <Fact name={t.reader.antennas}>{r.antennas.join(', ') || t.reader.allAntennas}</Fact>
        <Fact name={t.reader.reads}>{count(r.reads)}</Fact>
        <Fact name={t.reader.reconnects}>{count(r.reconnects)}</Fact>
      </dl>
      {r.error && (
        <p class="warn-text">
          <Icon name="warn" size={16} /> {r.error}
        </p>
      )}
      {removing && (
        <Confirm
          title={t.reader.remove}
          text={t.reader.removeAsk(r.name)}
          action={t.reader.remove}
          onDo={() => api.agents.removeReader(agent.id, r.name).then(onChanged)}
          onClose={() => setRemoving(false)}
        />
      )}
    </li>
  );
}

function Readers({ agent, onChanged }: { agent: Agent; onChanged: () => void }): JSX.Element {
  const [editing, setEditing] = useState<Reader | 'new' | null>(null);
  return (
    <section>
      <h3 class="with-action">
        <span class="grow">{t.agents.readers}</span>
        {may('fleet') && (
          <Button icon="plus" onClick={() => setEditing('new')}>
            {t.reader.add}
          </Button>
        )}
      </h3>
      {agent.readers.length === 0 && <p class="hint">{t.reader.none}</p>}
      <ul class="plain-list">
        {agent.readers.map((r) => (
          <ReaderCard key={r.name} r={r} agent={agent} onEdit={() => setEditing(r)} onChanged={onChanged} />
        ))}
      </ul>
      {editing && <ReaderDialog agent={agent} reader={editing === 'new' ? null : editing} onClose={() => setEditing(null)} onSaved={onChanged} />}
    </section>
  );
}

function Antennas({ agent }: { agent: Agent }): JSX.Element {
  const f = useFetched('antennas', () => api.antennas.list({ limit: 1000 }));
  const reload = useThrottled(f.reload, 3000);
  useLive('agent', (a) => a.id === agent.id && reload());
  const p = useFetched('places', () => api.places.list({ limit: 1000 }));
  const mine = withSilent(f.data?.items ?? [], [agent]).filter((a) => a.agent_id === agent.id);
  return (
    <section>
      <h3>{t.places.antennas}</h3>
      <ErrorBox error={f.error ?? p.error} retry={f.reload} />
      {f.data && mine.length === 0 && <p class="hint">{t.places.noAntennas}</p>}
      {mine.length > 0 && <AntennaTable antennas={mine} places={p.data?.items ?? []} onChanged={f.reload} ofAgent />}
      {p.data?.items.length === 0 && (
        <p>
          <a href="/stock/places">{t.places.noneHint}</a>
        </p>
      )}
    </section>
  );
}

/** What a link is like, in a line. */
function linkWords(i: NetInterface): string {
  return [
    i.address,
    i.wireless ? (r.role[i.role ?? ''] ?? '') || t.agents.wireless : t.agents.wired,
    i.speed_mbps ? r.mbps(i.speed_mbps) : '',
    i.duplex ? r.duplex[i.duplex] : '',
    i.ssid ?? '',
    i.frequency_mhz ? t.mhz(i.frequency_mhz) : '',
    i.width_mhz ? r.width(i.width_mhz) : '',
    i.signal_dbm ? t.dbm(i.signal_dbm) : '',
    i.noise_dbm ? r.noise(i.noise_dbm) : '',
    i.busy_percent === null || i.busy_percent === undefined ? '' : r.busy(i.busy_percent),
  ]
    .filter(Boolean)
    .join(' · ');
}

/** Labels whose pairing would be lost with this machine; null where it keeps none. */
function EscrowFact({ a }: { a: Agent }): JSX.Element | null {
  const keys = a.radio?.keys;
  return !keys || a.radio?.driver === 'oepl' || a.state === 'revoked' ? null : (
    <Fact name={w.escrow.name}>
      {a.radio?.driver === 'bluez' ? w.escrow.system : keys.unescrowed_bonds === null ? w.escrow.unknown : w.escrow.count(keys.unescrowed_bonds)}
    </Fact>
  );
}

/** What to do about them. */
function EscrowWords({ a }: { a: Agent }): JSX.Element | null {
  const n = a.radio?.keys?.unescrowed_bonds ?? 0;
  if (a.state === 'revoked') {
    return null;
  }
  if (a.radio?.driver === 'bluez') {
    return <p class="hint">{w.escrow.systemHint}</p>;
  }
  return n === 0 ? null : (
    <p class="warn-text" data-escrow={n}>
      <Icon name="warn" size={16} /> {a.state === 'online' ? w.escrow.online(n) : w.escrow.offline(n)}
    </p>
  );
}

function Health({ a }: { a: Agent }): JSX.Element {
  return (
    <section>
      <h3>{t.agents.health}</h3>
      <dl class="facts">
        <Fact name={t.agents.lastSeen}>
          <Ago at={a.last_seen} />
        </Fact>
        {a.state_since && (
          <Fact name={a.state === 'online' ? reader.onlineSince : reader.offlineSince}>
            <Ago at={a.state_since} />
          </Fact>
        )}
        <Fact name={t.agents.version}>{a.version || '–'}</Fact>
        <Fact name={t.agents.clock}>
          <ClockOffset a={a} />
        </Fact>
        <Fact name={t.agents.certificate}>
          <Certificate a={a} />
        </Fact>
        <Fact name={t.agents.radio}>
          {radioWords(a)}
          {a.radio?.error && <div class="warn-text">{a.radio.error}</div>}
          {a.radio?.driver && (
            <div>
              <a href={`/radio#agent-${a.id}`}>{r.radioPage}</a>
            </div>
          )}
        </Fact>
        <Fact name={t.agents.labels}>
          <a href={`/labels?q=${encodeURIComponent(a.name)}`}>{count(a.labels_synced)}</a>
        </Fact>
        <Fact name={t.agents.tags}>{count(a.tags_in_view)}</Fact>
        <Fact name={t.agents.journal}>{count(a.journal_depth)}</Fact>
        <Fact name={t.agents.memory}>{!a.rss_kib ? '–' : t.mib(a.rss_kib / 1024)}</Fact>
        <EscrowFact a={a} />
      </dl>
      <EscrowWords a={a} />
      {a.interfaces.length > 0 && (
        <ul class="plain-list rows-list">
          {a.interfaces.map((i) => (
            <li key={i.name}>
              <span class="mono">{i.name}</span>
              <span class={i.up ? 'good-text' : 'warn-text'}>
                <Icon name={i.up ? 'check' : 'warn'} size={16} /> {i.up ? t.agents.linkUp : t.agents.linkDown}
              </span>
              <span class="sub grow">
                {linkWords(i)}
                {(i.changes ?? 0) > 1 && (
                  <span class="warn-text">
                    {' '}
                    <Icon name="warn" size={16} /> {r.changes(i.changes ?? 0)}
                  </span>
                )}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

interface AgentPanelProps {
  id: number;
  live: Agent | null;
  onClose: () => void;
  onChanged: () => void;
}

export function AgentPanel({ id, live, onClose, onChanged }: AgentPanelProps): JSX.Element {
  const f = useFetched(`agent/${id}`, () => api.agents.get(id));
  const [revoking, setRevoking] = useState(false);
  const [replacing, setReplacing] = useState(false);
  useLive('agent', (a) => a.id === id && f.set(() => a));
  const a = f.data ?? live;
  const changed = (): void => {
    f.reload();
    onChanged();
  };
  return (
    <aside class="panel" aria-label={a?.name ?? t.nav.agents}>
      <header class="panel-head">
        <div class="grow">
          <h2>{a?.name ?? ''}</h2>
          {a && <AgentState a={a} />}
        </div>
        <Button icon="cross" kind="quiet" label={t.close} onClick={onClose} />
      </header>
      <ErrorBox error={f.error} retry={f.reload} />
      {!a && !f.error && <Loading />}
      {a && (
        <>
          {(a.last_error || a.next_step) && (
            <div class="notice tone-warn">
              <Icon name="warn" />
              <div>
                {a.last_error && <div>{a.last_error}</div>}
                {a.next_step && <strong>{t.agents.nextStep(a.next_step)}</strong>}
              </div>
            </div>
          )}
          <Health a={a} />
          <Readers agent={a} onChanged={changed} />
          <Antennas agent={a} />
          {may('fleet') && (
            <section>
              <h3>{w.replace.title}</h3>
              <p class="hint">{w.replace.hint}</p>
              <Button icon="swap" onClick={() => setReplacing(true)}>
                {w.replace.action}
              </Button>
            </section>
          )}
          {replacing && <JoinCodes replaces={a} onClose={() => setReplacing(false)} />}
          {may('fleet') && a.state !== 'revoked' && (
            <section>
              <h3>{t.agents.revoke}</h3>
              <p class="hint">{t.agents.revokeHint}</p>
              <Button kind="danger" icon="off" onClick={() => setRevoking(true)}>
                {t.agents.revoke}
              </Button>
            </section>
          )}
          {revoking && (
            <Confirm
              title={t.agents.revoke}
              text={t.agents.revokeAsk(a.name)}
              action={t.agents.revoke}
              onDo={() => api.agents.revoke(a.id).then(changed)}
              onClose={() => setRevoking(false)}
            />
          )}
        </>
      )}
    </aside>
  );
}
