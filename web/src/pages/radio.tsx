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

function TrainWords({ radio }: { radio: LabelRadio }): JSX.Element | null {
  const train = radio.train;
  if (!train) {
    return null;
  }
  const groups = radio.groups ?? [];
  return (
    <section>
      <h3>{r.train}</h3>
      <p>
        {r.trainWords(train.interval_ms, train.subevents, train.subevent_ms)} {r.answers(train.response_slots, train.response_spacing_ms, train.response_delay_ms)} {r.latency(train.interval_ms)}
      </p>
      <dl class="facts">
        <Fact name={r.capacity}>{r.of(radio.labels ?? 0, train.capacity)}</Fact>
        <Fact name={r.synced}>{count(radio.synced)}</Fact>
        <Fact name={r.waiting}>{count(radio.waiting)}</Fact>
        <Fact name={r.lost}>
          <span class={radio.lost ? 'warn-text' : ''}>{count(radio.lost)}</span>
        </Fact>
      </dl>
      {groups.length > 0 && (
        <>
          <h4>{r.groups}</h4>
          <Columns
            values={groups.map((n, i) => ({ n, title: r.group(i, n), text: i === 0 || i === groups.length - 1 ? String(i) : undefined }))}
            label={`${r.groups}. ${r.groupsWords(Math.min(...groups), Math.max(...groups))}`}
          />
          <p class="sub">{r.groupsWords(Math.min(...groups), Math.max(...groups))}</p>
        </>
      )}
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

function Counters({ radio }: { radio: LabelRadio }): JSX.Element {
  const facts: [string, number | undefined][] = [
    [r.packets, radio.packets],
    [r.commands, radio.commands],
    [r.acks, radio.acks],
    [r.retries, radio.retries],
    [r.uploads, radio.uploads],
    [r.uploadFailures, radio.upload_failures],
    [r.decrypt, radio.decrypt_failures],
  ];
  return (
    <dl class="facts">
      <Fact name={r.driver}>{r.drivers[radio.driver ?? ''] ?? radio.driver}</Fact>
      <Fact name={r.controller}>{radio.controller ?? '–'}</Fact>
      {radio.train && (
        <Fact name={r.armed}>
          <Ago at={radio.armed_at ?? null} /> <span class="sub">({r.times(radio.armed ?? 0)})</span>
        </Fact>
      )}
      {facts.map(([name, n]) => (
        <Fact key={name} name={name}>
          {count(n)}
        </Fact>
      ))}
    </dl>
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

function Stations({ radio, list }: { radio: LabelRadio; list: Station[] }): JSX.Element {
  return (
    <section>
      <h3>{r.stations}</h3>
      <dl class="facts">
        <Fact name={r.stationLabels}>{count(radio.labels)}</Fact>
        <Fact name={r.calling}>{count(radio.synced)}</Fact>
        <Fact name={r.waiting}>{count(radio.waiting)}</Fact>
        <Fact name={r.lost}>
          <span class={radio.lost ? 'warn-text' : ''}>{count(radio.lost)}</span>
        </Fact>
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
  const well = radio.state === 'running';
  return (
    <article class="card radio-card" data-radio={a.name} id={`agent-${a.id}`}>
      <header>
        <h2 class="grow">
          <a href={`/agents/${a.id}`}>{a.name}</a>
        </h2>
        <Chip tone={well ? 'good' : 'bad'} icon={well ? 'check' : 'warn'}>
          {t.radio[radio.state as keyof typeof t.radio] ?? radio.state}
        </Chip>
      </header>
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
          {radio.stations?.length ? <Stations radio={radio} list={radio.stations} /> : <Channels a={a} radio={radio} />}
          <div class="radio-columns">
            <TrainWords radio={radio} />
            <Signal radio={radio} />
          </div>
          <Counters radio={radio} />
          <p>
            <a href={`/labels?q=${encodeURIComponent(a.name)}`}>{r.toLabels}</a>
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
