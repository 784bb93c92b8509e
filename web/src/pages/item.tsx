// SPDX-License-Identifier: Apache-2.0
// One item: where it is, from which reads we know, and where it has been.

import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import * as api from '../api';
import { count, dateTime, gtinShort, percent } from '../format';
import { useFetched, useLive, useThrottled } from '../hooks';
import { Icon } from '../icons';
import { t } from '../strings';
import { d } from '../strings/differences';
import type { Evidence, Item, ItemEvent } from '../types';
import { Ago, Chip, CopyButton, Empty, ErrorBox, Fact, LinkButton, Loading, PageHead } from '../ui';
import { Confidence } from './items';
import { tagWords } from './scheme';

function EvidenceTable({ rows }: { rows: Evidence[] }): JSX.Element {
  if (rows.length === 0) {
    return <p class="hint">{t.item.noEvidence}</p>;
  }
  // Weights are only meaningful beside each other.
  const all = rows.reduce((sum, e) => sum + e.weight, 0);
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label={t.item.evidence}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t.item.place}</th>
            <th scope="col">{t.item.antenna}</th>
            <th scope="col">{t.item.kind}</th>
            <th scope="col" class="num">
              {t.item.reads}
            </th>
            <th scope="col" class="num">
              {t.item.rate}
            </th>
            <th scope="col" class="num">
              {t.item.rssi}
            </th>
            <th scope="col" class="num">
              {t.item.peak}
            </th>
            <th scope="col">{t.item.first}</th>
            <th scope="col">{t.item.last}</th>
            <th scope="col" class="num">
              {t.item.weight}
            </th>
          </tr>
        </thead>
        <tbody>
          {[...rows].sort((a, b) => b.weight - a.weight).map((e) => (
            <tr key={`${e.agent}/${e.reader}/${e.antenna}`}>
              <td>{e.place?.name ?? t.stock.unplaced}</td>
              <td>
                {e.agent} / {e.reader} / {e.antenna}
              </td>
              <td>{t.evidence[e.kind as keyof typeof t.evidence] ?? e.kind}</td>
              <td class="num">{count(e.reads)}</td>
              <td class="num">{t.item.perSecond(e.rate)}</td>
              <td class="num">{e.rssi_dbm === null ? '–' : t.dbm(e.rssi_dbm)}</td>
              <td class="num">{e.peak_dbm === null ? '–' : t.dbm(e.peak_dbm)}</td>
              <td>{dateTime(e.first)}</td>
              <td>
                <Ago at={e.last} />
              </td>
              <td class="num">{all > 0 ? percent(e.weight / all) : '–'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Events({ rows }: { rows: ItemEvent[] }): JSX.Element {
  return (
    <ol class="timeline">
      {rows.map((e, i) => (
        <li key={i}>
          <time dateTime={e.at}>{dateTime(e.at)}</time>
          <span>
            {e.from_place?.name ?? t.item.nowhere} <Icon name="send" size={16} /> <strong>{e.to_place?.name ?? t.item.nowhere}</strong>
            <span class="sub">
              {' '}
              {percent(e.confidence)} · {t.causes[e.cause as keyof typeof t.causes] ?? e.cause}
            </span>
          </span>
        </li>
      ))}
    </ol>
  );
}

function Where({ item }: { item: Item }): JSX.Element {
  return (
    <section class="card where">
      <div class="where-now">
        <Icon name="place" size={28} />
        <div>
          <div class="big-text" data-item-place>
            {item.state === 'gone' ? t.items.gone : (item.place?.name ?? t.stock.unplaced)}
          </div>
          <div class="sub">
            {t.item.since} <Ago at={item.since} /> · {t.item.lastSeen} <Ago at={item.last_seen} />
          </div>
        </div>
        <Confidence value={item.confidence} />
        {item.judged && <span class="sub"> {t.item.judged(item.judged.words)}</span>}
        {item.state === 'gone' && (
          <Chip tone="plain" icon="off">
            {t.items.gone}
          </Chip>
        )}
      </div>
      <dl class="facts">
        <Fact name={t.item.product}>
          {item.product ? <a href={`/products/${item.product.id}`}>{item.product.name}</a> : item.gtin ? t.item.notInCatalogue : t.stock.foreign}
        </Fact>
        <Fact name={t.products.gtin}>
          <span class="mono">{gtinShort(item.gtin)}</span>
        </Fact>
        <Fact name={t.items.serial}>
          <span class="mono">{item.serial ?? '–'}</span>
        </Fact>
        <Fact name={d.tag}>{tagWords(item)}</Fact>
        <Fact name={t.item.uri}>
          <span class="mono break">{item.uri ?? '–'}</span>
        </Fact>
      </dl>
    </section>
  );
}

const EVIDENCE_MS = 5000;

export function ItemPage({ epc }: { epc: string }): JSX.Element {
  const f = useFetched(`item/${epc}`, () => api.items.get(epc));
  const events = useFetched(`item-events/${epc}`, () => api.items.events(epc, { limit: 100 }));
  const reload = useThrottled(() => {
    f.reload();
    events.reload();
  }, 1000);
  useLive('item', (e) => e.epc.toLowerCase() === epc.toLowerCase() && reload());
  // Reads that change nothing make no event; the evidence still grows.
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === 'visible' && f.reload(), EVIDENCE_MS);
    return () => clearInterval(timer);
  }, [f.reload]);
  const missing = f.error instanceof api.Problem && f.error.status === 404;
  return (
    <div class="page">
      <PageHead title={t.item.title} lead={<span class="mono break">{epc}</span>}>
        <CopyButton text={epc} />
        <LinkButton href="/stock" icon="back">
          {t.stock.title}
        </LinkButton>
      </PageHead>
      {missing ? (
        <Empty icon="unknown" title={t.item.missing}>
          <p>{t.item.missingHint}</p>
        </Empty>
      ) : (
        <ErrorBox error={f.error} retry={f.reload} />
      )}
      {!f.data && !f.error && <Loading />}
      {f.data && (
        <>
          <Where item={f.data} />
          <section>
            <h2>{t.item.evidence}</h2>
            <p class="hint">{t.item.evidenceHint}</p>
            <EvidenceTable rows={f.data.evidence ?? []} />
          </section>
          <section>
            <h2>{t.item.events}</h2>
            <ErrorBox error={events.error} retry={events.reload} />
            {events.data?.items.length === 0 && <p class="hint">{t.item.noEvents}</p>}
            {events.data && <Events rows={events.data.items} />}
          </section>
        </>
      )}
    </div>
  );
}
