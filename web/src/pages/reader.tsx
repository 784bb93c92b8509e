// SPDX-License-Identifier: Apache-2.0
// One RFID reader: how it is, what became of its reports, what its antennas and channels read, what is wrong.

import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import * as api from '../api';
import { type Incident, incidents } from '../api/incidents';
import { count, seconds } from '../format';
import { useFetched, useLive, useThrottled } from '../hooks';
import { Icon } from '../icons';
import { may } from '../session';
import { t } from '../strings';
import { w } from '../strings/reader';
import type { Agent, Reader, ReaderAntenna, ReaderChannel, ReaderLedger } from '../types';
import { Ago, Button, Chip, Empty, ErrorBox, Fact, LinkButton, Loading, PageHead } from '../ui';
import { AgentState, ReaderChip } from './agents';
import { IncidentLine } from './incidents';
import { ReaderDialog } from './reader_dialog';
import { TagTool } from './tag_tool';

const one = (n: number): string => n.toFixed(1);

function Card({ title, lead, children }: { title: string; lead?: string; children: ComponentChildren }): JSX.Element {
  return (
    <section class="card reader-part">
      <h2>{title}</h2>
      {lead && <p class="hint">{lead}</p>}
      {children}
    </section>
  );
}

function Tls({ r }: { r: Reader }): JSX.Element {
  const other = r.tls && r.pin && r.peer_pin && r.pin !== r.peer_pin;
  return (
    <>
      <Fact name={w.tls}>
        {!r.tls ? (
          <span class="warn-text">
            <Icon name="warn" size={16} /> {w.noTls}
          </span>
        ) : r.pin ? (
          w.pinned
        ) : (
          w.notPinned
        )}
      </Fact>
      {r.peer_pin && (
        <Fact name={w.shown}>
          <span class="mono break">{r.peer_pin}</span>
          {other && <div class="warn-text">{w.otherPin}</div>}
        </Fact>
      )}
    </>
  );
}

function How({ r }: { r: Reader }): JSX.Element {
  return (
    <Card title={w.how}>
      <dl class="facts">
        <Fact name={w.state}>
          <ReaderChip state={r.state} />
          {r.error && <div class="warn-text">{r.error}</div>}
        </Fact>
        <Fact name={t.reader.model}>{r.model || '–'}</Fact>
        <Fact name={t.reader.address}>
          <span class="mono">
            {r.host}:{r.port}
          </span>
        </Fact>
        <Fact name={w.profile}>{w.profiles[r.profile ?? ''] ?? r.profile}</Fact>
        <Fact name={w.spoken}>{r.llrp_version || '–'}</Fact>
        <Fact name={w.calls}>{r.reader_calls ? w.callsUs : w.weCall}</Fact>
        <Tls r={r} />
        <Fact name={w.power}>{r.power_cdbm ? t.dbm(r.power_cdbm / 100) : w.highest}</Fact>
        {r.radio && <Fact name={w.drifts}>{w.driftsOf(r.radio.drifts, r.radio.mended)}</Fact>}
        <Fact name={t.reader.reconnects}>{count(r.reconnects)}</Fact>
      </dl>
    </Card>
  );
}

function Ledger({ l }: { l: ReaderLedger }): JSX.Element {
  const rows: [string, ComponentChildren][] = [
    [w.reports, count(l.reports)],
    [w.handed, count(l.handed_on)],
    [w.sightings, count(l.sightings)],
    [w.held, count(l.held)],
    [w.resumed, count(l.resumed)],
    [w.strange, count(l.strange)],
    [w.unclaimed, count(l.unclaimed)],
    [w.warnings, count(l.buffer_warnings)],
    [w.overflows, count(l.buffer_overflows)],
    [w.gaps, w.gapsOf(l.gaps, seconds(l.gaps_ms))],
  ];
  const gap = l.last_gap;
  return (
    <Card title={w.ledger} lead={w.ledgerLead}>
      <dl class="facts" data-ledger>
        {rows.map(([name, v]) => (
          <Fact key={name} name={name}>
            {v}
          </Fact>
        ))}
        {gap && (
          <Fact name={w.lastGap}>
            <Ago at={gap.from} /> · {w.gapOf(gap.cause, seconds(new Date(gap.to).getTime() - new Date(gap.from).getTime()))}
          </Fact>
        )}
      </dl>
    </Card>
  );
}

function AntennaRow({ a, most }: { a: ReaderAntenna; most: number }): JSX.Element {
  const silent = !a.off && a.usual_reads_per_s >= 0.05 && a.reads_per_s < a.usual_reads_per_s / 10;
  const wide = (v: number): number => Math.round((200 * v) / most);
  return (
    <tr data-antenna={a.antenna}>
      <th scope="row" class="num">
        {a.antenna}
      </th>
      <td class="antenna-bars" aria-hidden="true">
        <svg viewBox="0 0 200 20" preserveAspectRatio="none" role="presentation">
          <rect class="bar-usual" x="0" y="2" width={wide(a.usual_reads_per_s)} height="16" />
          <rect class={a.off || silent ? 'bar-bad' : 'bar-now'} x="0" y="6" width={Math.max(wide(a.reads_per_s), 1)} height="8" />
        </svg>
      </td>
      <td class="num">{one(a.reads_per_s)}</td>
      <td class="num">{one(a.usual_reads_per_s)}</td>
      <td>
        {a.off ? (
          <Chip tone="bad" icon="warn">
            {w.off}
          </Chip>
        ) : silent ? (
          <Chip tone="warn" icon="warn">
            {w.silent}
          </Chip>
        ) : (
          <Ago at={a.last_read} />
        )}
      </td>
    </tr>
  );
}

function Antennas({ list }: { list: ReaderAntenna[] }): JSX.Element {
  const most = Math.max(0.1, ...list.map((a) => Math.max(a.reads_per_s, a.usual_reads_per_s)));
  return (
    <Card title={w.antennas}>
      {list.length === 0 ? (
        <p class="hint">{w.noAntennas}</p>
      ) : (
        <div class="table-scroll" tabIndex={0} role="region" aria-label={w.antennas}>
          <table>
            <caption class="sub">{w.perS}</caption>
            <thead>
              <tr>
                <th scope="col">{w.antenna}</th>
                <td />
                <th scope="col" class="num">
                  {w.now}
                </th>
                <th scope="col" class="num">
                  {w.usual}
                </th>
                <th scope="col">{w.lastRead}</th>
              </tr>
            </thead>
            <tbody>
              {list.map((a) => (
                <AntennaRow key={a.antenna} a={a} most={most} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}

const CHART = { width: 640, height: 120 };

function Channels({ list }: { list: ReaderChannel[] }): JSX.Element | null {
  if (list.length === 0) {
    return null;
  }
  const byMhz = [...list].sort((a, b) => (a.mhz ?? a.channel) - (b.mhz ?? b.channel));
  const most = Math.max(0.1, ...list.map((c) => Math.max(c.percent, c.usual_percent)));
  const step = CHART.width / byMhz.length;
  const tall = (v: number): number => (v / most) * CHART.height;
  const failing = byMhz.filter((c) => c.failing).map((c) => (c.mhz ?? 0).toFixed(2));
  return (
    <Card title={w.channels} lead={w.channelsLead}>
      <svg class="channels" viewBox={`0 0 ${CHART.width} ${CHART.height}`} preserveAspectRatio="none" role="img" aria-label={w.channelsText(byMhz.length, failing)}>
        {byMhz.map((c, i) => (
          <g key={c.channel}>
            <title>{w.channelTitle((c.mhz ?? 0).toFixed(2), one(c.percent), one(c.usual_percent))}</title>
            <rect class="bar-usual" x={i * step} y={CHART.height - tall(c.usual_percent)} width={step * 0.8} height={tall(c.usual_percent)} />
            <rect class={c.failing ? 'bar-bad' : 'bar-now'} x={i * step + step * 0.2} y={CHART.height - Math.max(tall(c.percent), 2)} width={step * 0.4} height={Math.max(tall(c.percent), 2)} />
          </g>
        ))}
      </svg>
      <p class={failing.length ? 'warn-text' : 'sub'}>
        {(byMhz[0]?.mhz ?? 0).toFixed(2)} – {(byMhz.at(-1)?.mhz ?? 0).toFixed(2)} MHz. {w.channelsText(byMhz.length, failing)}
      </p>
    </Card>
  );
}

function OpenIncidents({ agent, name }: { agent: Agent; name: string }): JSX.Element {
  const f = useFetched(`incidents/${agent.id}`, () => incidents.list({ state: 'open', agent_id: agent.id }, { limit: 200 }));
  const reload = useThrottled(f.reload, 1000);
  useLive('incident', (e) => e.agent_id === agent.id && reload());
  const subject = `agent:${agent.id}/reader:${name}`;
  const mine = (f.data?.items ?? []).filter((x: Incident) => x.subject === subject || x.subject.startsWith(`${subject}/`));
  return (
    <Card title={w.incidents}>
      <ErrorBox error={f.error} retry={f.reload} />
      {mine.length === 0 ? (
        <p class="hint">{w.noIncidents}</p>
      ) : (
        <ul class="plain-list incident-lines">
          {mine.map((x) => (
            <IncidentLine key={x.id} x={x} />
          ))}
        </ul>
      )}
    </Card>
  );
}

export function ReaderPage({ id, name }: { id: number; name: string }): JSX.Element {
  const f = useFetched(`agent/${id}`, () => api.agents.get(id));
  const [editing, setEditing] = useState(false);
  const reload = useThrottled(f.reload, 3000);
  useLive('agent', (a) => a.id === id && reload());
  const agent = f.data;
  const r = agent?.readers.find((x) => x.name === name);
  if (!agent) {
    return f.error ? <ErrorBox error={f.error} retry={f.reload} /> : <Loading />;
  }
  if (!r) {
    return (
      <Empty icon="antenna" title={w.gone}>
        <LinkButton href={`/agents/${id}`}>{agent.name}</LinkButton>
      </Empty>
    );
  }
  return (
    <div class="page reader-page">
      <PageHead title={r.name} lead={w.of(agent.name)} chip={<AgentState a={agent} />}>
        <LinkButton href={`/agents/${id}`} icon="back" kind="plain">
          {agent.name}
        </LinkButton>
        {may('fleet') && (
          <Button icon="edit" onClick={() => setEditing(true)}>
            {t.reader.edit}
          </Button>
        )}
      </PageHead>
      <div class="reader-grid">
        <OpenIncidents agent={agent} name={name} />
        <How r={r} />
        {r.radio && <Antennas list={r.radio.antennas} />}
        {r.radio && <Channels list={r.radio.channels} />}
        {r.ledger && <Ledger l={r.ledger} />}
        {may('tags') && <TagTool agent={agent} reader={r} />}
      </div>
      {editing && <ReaderDialog agent={agent} reader={r} onClose={() => setEditing(false)} onSaved={f.reload} />}
    </div>
  );
}
