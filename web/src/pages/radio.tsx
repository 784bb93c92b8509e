// SPDX-License-Identifier: Apache-2.0
// The label radios: for each access point its channels beside the Wi-Fi, its train, its labels, and what to do when
// something is wrong.

import type { JSX } from 'preact';
import * as api from '../api';
import { count } from '../format';
import { useFetched, useLive } from '../hooks';
import { Icon } from '../icons';
import { Band, Columns, wifiOf } from '../radio_band';
import { t } from '../strings';
import { r } from '../strings/radio';
import type { Agent, LabelRadio, Station } from '../types';
import { Ago, Chip, Empty, ErrorBox, Fact, Loading, PageHead } from '../ui';

const ALL = Array.from({ length: 37 }, (_, i) => i);

/** What the controller uses, as far as that is known. */
function usedBy(radio: LabelRadio): number[] {
  const c = radio.channels;
  return c?.known ? c.used : c?.refused ? ALL : (c?.wanted ?? ALL);
}

function Channels({ a, radio }: { a: Agent; radio: LabelRadio }): JSX.Element {
  const wifi = wifiOf(a.interfaces);
  const used = usedBy(radio);
  const words = r.inUse(used.length) + r.left(37 - used.length);
  return (
    <section>
      <h3>{r.band}</h3>
      <Band used={used} wifi={wifi} label={`${words} ${wifi.map((w) => r.wifiOne(w.ssid, w.centre_mhz ?? 0, w.width_mhz)).join('; ')}`} />
      <p data-channels={used.length}>{words}</p>
      {wifi.length === 0 && <p class="hint">{r.noWifi}</p>}
      <ul class="plain-list rows-list">
        {wifi.map((w) => (
          <li key={w.name}>
            <span class="mono">{w.name}</span>
            <span class="sub grow">
              {[r.wifiOne(w.ssid, w.centre_mhz ?? 0, w.width_mhz), w.busy_percent === null || w.busy_percent === undefined ? '' : r.busy(w.busy_percent), w.noise_dbm ? r.noise(w.noise_dbm) : '']
                .filter(Boolean)
                .join(' · ')}
            </span>
          </li>
        ))}
      </ul>
      {radio.channels?.refused ? <p class="warn-text">{r.refused(radio.channels.refused)}</p> : !radio.channels?.known && <p class="hint">{r.unknown}</p>}
    </section>
  );
}

/** Labels of this access point, perhaps of one state, on their own page. */
function labelsOf(a: Agent, state?: string): string {
  return `/labels?q=${encodeURIComponent(a.name)}${state ? `&state=${state}` : ''}`;
}

function LabelCounts({ a, radio, synced }: { a: Agent; radio: LabelRadio; synced: string }): JSX.Element {
  return (
    <>
      <Fact name={synced}>
        <a href={labelsOf(a)}>{count(radio.synced)}</a>
      </Fact>
      <Fact name={r.waiting}>
        <a href={labelsOf(a, 'sending')}>{count(radio.waiting)}</a>
      </Fact>
      <Fact name={r.lost}>
        <a class={radio.lost ? 'warn-text' : ''} href={labelsOf(a, 'lost')}>
          {count(radio.lost)}
        </a>
      </Fact>
    </>
  );
}

/** What new prices on every label would take, as far as the agent can say. */
function Outlook({ radio }: { radio: LabelRadio }): JSX.Element | null {
  const { picture_ms: picture, flip_s: flip } = radio.outlook ?? { picture_ms: null, flip_s: null };
  return !picture || !flip || !radio.synced ? null : (
    <p data-outlook>{r.outlook(radio.synced, picture, flip * 1000)}</p>
  );
}

function TrainWords({ a, radio }: { a: Agent; radio: LabelRadio }): JSX.Element | null {
  const train = radio.train;
  if (!train) {
    return null;
  }
  return (
    <section>
      <h3>{r.train}</h3>
      <p>
        {r.trainWords(train.interval_ms, train.subevents, train.subevent_ms)} {r.answers(train.response_slots, train.response_spacing_ms, train.response_delay_ms)} {r.latency(train.interval_ms)}
      </p>
      <dl class="facts">
        <Fact name={r.capacity}>{r.of(radio.labels ?? 0, train.capacity)}</Fact>
        <LabelCounts a={a} radio={radio} synced={r.synced} />
      </dl>
      <Outlook radio={radio} />
    </section>
  );
}

function Groups({ radio }: { radio: LabelRadio }): JSX.Element | null {
  const groups = radio.groups ?? [];
  const words = r.groupsWords(Math.min(...groups), Math.max(...groups));
  return groups.length === 0 ? null : (
    <section>
      <h3>{r.groups}</h3>
      <Columns values={groups.map((n, i) => ({ n, title: r.group(i, n), text: i === 0 || i === groups.length - 1 ? String(i) : undefined }))} label={`${r.groups}. ${words}`} />
      <p class="sub">{words}</p>
    </section>
  );
}

/** The first of the steps that are good enough. */
const GOOD_FROM_DBM = -85;

function Signal({ radio }: { radio: LabelRadio }): JSX.Element {
  const bins = radio.signal ?? [];
  const isWeak = (to: number | null): boolean => to !== null && to <= GOOD_FROM_DBM;
  const all = bins.reduce((s, b) => s + b.labels, 0);
  const weak = bins.reduce((s, b) => s + (isWeak(b.to_dbm) ? b.labels : 0), 0);
  return (
    <section>
      <h3>{r.signal}</h3>
      {all === 0 ? (
        <p class="hint">{r.signalNone}</p>
      ) : (
        <>
          <Columns
            values={bins.map((b, i) => ({
              n: b.labels,
              title: r.signalBin(b.from_dbm, b.to_dbm, b.labels),
              class: isWeak(b.to_dbm) ? 'column is-weak' : 'column',
              text: i === 0 ? r.weak : i === bins.length - 1 ? r.good : b.from_dbm === GOOD_FROM_DBM || b.from_dbm === -65 ? `${b.from_dbm}`.replace('-', '−') : undefined,
            }))}
            label={`${r.signal}. ${r.signalWords(weak, all)}`}
          />
          <p class="sub">{r.signalWords(weak, all)}</p>
        </>
      )}
    </section>
  );
}

/** Keys of a store's own; labels of another make have none. */
function Keys({ radio }: { radio: LabelRadio }): JSX.Element | null {
  const keys = radio.keys;
  return !keys?.since || !radio.train ? null : (
    <Fact name={r.keys}>
      <Ago at={keys.since} />
      {keys.rotating && <span class="sub"> {r.keysOld(keys.old)}</span>}
    </Fact>
  );
}

function Counters({ radio }: { radio: LabelRadio }): JSX.Element {
  const sent = radio.commands ?? 0;
  const facts: [string, string][] = [
    [r.packets, count(radio.packets)],
    [r.commands, count(radio.commands)],
    [r.acks, count(radio.acks)],
    [r.retries, sent ? r.share(radio.retries ?? 0, sent) : count(radio.retries)],
    [r.uploads, count(radio.uploads)],
    [r.uploadFailures, count(radio.upload_failures)],
    [r.decrypt, count(radio.decrypt_failures)],
  ];
  return (
    <section>
      <h3>{r.counters}</h3>
      <dl class="facts">
        {facts.map(([name, n]) => (
          <Fact key={name} name={name}>
            {n}
          </Fact>
        ))}
      </dl>
    </section>
  );
}

/** What the radio is made of. */
function Machine({ radio }: { radio: LabelRadio }): JSX.Element {
  return (
    <section>
      <h3>{r.machine}</h3>
      <dl class="facts roomy">
        <Fact name={r.driver}>{r.drivers[radio.driver ?? ''] ?? radio.driver}</Fact>
        {radio.controller && <Fact name={r.controller}>{radio.controller}</Fact>}
        {radio.train && (
          <Fact name={r.armed}>
            <Ago at={radio.armed_at ?? null} /> <span class="sub">({r.times(radio.armed ?? 0)})</span>
          </Fact>
        )}
        <Keys radio={radio} />
      </dl>
    </section>
  );
}

/** What an access point of another make tells of itself; what it has not told yet is left out. */
function StationFacts({ s }: { s: Station }): JSX.Element {
  const facts: [string, string | null, boolean?][] = [
    [r.stationLabels, count(s.labels)],
    [r.stationQueued, count(s.queued)],
    [r.stationTimeouts, count(s.timeouts), s.timeouts > 0],
    [r.stationLow, count(s.low_batteries), s.low_batteries > 0],
    [r.stationTags, s.tags === null ? null : count(s.tags)],
    [r.stationChannel, s.channel === null ? null : String(s.channel)],
    [r.stationHeap, s.heap_bytes === null ? null : r.bytes(s.heap_bytes)],
    [r.stationStorage, s.storage_bytes === null ? null : r.bytes(s.storage_bytes)],
    [r.stationWifi, s.wifi_dbm === null ? null : r.dbm(s.wifi_dbm)],
    [r.stationUptime, s.uptime_s === null ? null : r.hours(s.uptime_s)],
    [r.stationVersion, s.version],
  ];
  return (
    <dl class="facts">
      {facts.map(([name, value, bad]) =>
        value === null ? null : (
          <Fact key={name} name={name}>
            <span class={bad ? 'warn-text' : ''}>{value}</span>
          </Fact>
        ),
      )}
    </dl>
  );
}

function Stations({ a, radio, list }: { a: Agent; radio: LabelRadio; list: Station[] }): JSX.Element {
  return (
    <section>
      <h3>{r.stations}</h3>
      <dl class="facts">
        <Fact name={r.stationLabels}>{count(radio.labels)}</Fact>
        <LabelCounts a={a} radio={radio} synced={r.calling} />
      </dl>
      {list.map((s) => (
        <div key={s.address} data-station={s.address}>
          <h4>
            {s.name ? `${s.name} · ` : ''}
            <span class="mono">{s.address}</span>{' '}
            <Chip tone={s.up ? 'good' : 'bad'} icon={s.up ? 'check' : 'warn'}>
              {s.up ? r.stationOnline : r.stationDown}
            </Chip>
          </h4>
          {!s.up && <p class="warn-text">{s.state}</p>}
          <StationFacts s={s} />
        </div>
      ))}
    </section>
  );
}

function RadioCard({ a, radio }: { a: Agent; radio: LabelRadio }): JSX.Element {
  const there = a.state === 'online';
  const well = there && radio.state === 'running';
  return (
    <article class="card radio-card" data-radio={a.name} id={`agent-${a.id}`}>
      <header>
        <h2 class="grow">
          <a href={`/agents/${a.id}`}>{a.name}</a>
        </h2>
        <Chip tone={well ? 'good' : 'bad'} icon={well ? 'check' : 'warn'}>
          {there ? (t.radio[radio.state as keyof typeof t.radio] ?? radio.state) : t.agents.offline}
        </Chip>
      </header>
      {!there && (
        <p class="warn-text">
          {r.away} <Ago at={a.last_seen} />.
        </p>
      )}
      {(radio.error || radio.next_step) && (
        <div class="notice tone-warn">
          <Icon name="warn" />
          <div>
            {radio.error && <div>{radio.error}</div>}
            {radio.next_step && <strong>{t.agents.nextStep(radio.next_step)}</strong>}
          </div>
        </div>
      )}
      {radio.driver ? (
        <>
          {radio.stations?.length ? <Stations a={a} radio={radio} list={radio.stations} /> : <Channels a={a} radio={radio} />}
          <div class="radio-columns">
            <div class="radio-part">
              <TrainWords a={a} radio={radio} />
              <Machine radio={radio} />
            </div>
            <div class="radio-part">
              <Signal radio={radio} />
              <Groups radio={radio} />
            </div>
          </div>
          <Counters radio={radio} />
          <p>
            <a href={labelsOf(a)}>{r.toLabels}</a>
          </p>
        </>
      ) : (
        <p class="hint">{r.silent}</p>
      )}
    </article>
  );
}

export function RadioPage(): JSX.Element {
  const f = useFetched('agents', () => api.agents.list({ limit: 1000 }));
  useLive('agent', (a) => f.set((page) => ({ ...page, items: page.items.map((x) => (x.id === a.id ? a : x)) })));
  const list = (f.data?.items ?? []).filter((a) => a.state !== 'revoked' && a.radio && a.radio.state !== 'none').sort((x, y) => x.name.localeCompare(y.name));
  return (
    <div class="page">
      <PageHead title={t.nav.radio} lead={r.lead} />
      <ErrorBox error={f.error} retry={f.reload} />
      {!f.data && !f.error && <Loading />}
      {f.data && list.length === 0 && (
        <Empty icon="antenna" title={r.none}>
          <p>{r.noneHint}</p>
        </Empty>
      )}
      {list.map((a) => a.radio && <RadioCard key={a.id} a={a} radio={a.radio} />)}
    </div>
  );
}
