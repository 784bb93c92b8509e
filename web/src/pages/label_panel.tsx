// SPDX-License-Identifier: Apache-2.0
// One label: the picture it should show beside the picture it shows, its link, its health, its history.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import * as api from '../api';
import { gtinShort } from '../format';
import { Icon } from '../icons';
import { useFetched, useLive, useThrottled } from '../hooks';
import { may } from '../session';
import { t } from '../strings';
import { k } from '../strings/links';
import type { Label } from '../types';
import { Ago, Button, Confirm, ErrorBox, Fact, Loading } from '../ui';
import { LabelHistory } from './label_history';
import { Ahead, Battery, Facts3, LabelPicture, StateChip } from './label_parts';
import { SensorSection } from './label_sensors';
import { FlashSection, LinkPicker, ReplaceSection } from './label_tools';

function Pictures({ label }: { label: Label }): JSX.Element {
  const same = !!label.wanted?.image && label.wanted.image === label.shown?.image;
  return (
    <section class="pictures">
      <LabelPicture label={label} what="wanted" caption={t.labels.wantedPicture} />
      <LabelPicture label={label} what="shown" caption={t.labels.shownPicture} />
      {label.wanted?.image && (
        <p class={same ? 'good-text' : 'busy-text'}>
          <Icon name={same ? 'check' : 'clock'} size={18} /> {same ? t.labels.picturesEqual : t.labels.picturesDiffer}
        </p>
      )}
    </section>
  );
}

function LinkSection({ label, onChanged }: { label: Label; onChanged: () => void }): JSX.Element {
  const [asking, setAsking] = useState(false);
  return (
    <section>
      <h3>{t.labels.product}</h3>
      {label.product ? (
        <p class="linked">
          <a href={`/products/${label.product.id}`}>{label.product.name}</a>
          <span class="sub mono">{gtinShort(label.product.gtin)}</span>
          {may('labels') && (
            <Button icon="unlink" onClick={() => setAsking(true)}>
              {t.labels.unlink}
            </Button>
          )}
        </p>
      ) : (
        <p class="hint">{t.labels.notLinkedHint}</p>
      )}
      {may('labels') && <LinkPicker label={label} onLinked={onChanged} />}
      <p>
        <a href={`/labels/links?label=${label.id}`}>{k.bar.history}</a>
      </p>
      {asking && (
        <Confirm
          title={t.labels.unlink}
          text={t.labels.unlinkAsk(label.product?.name ?? '')}
          action={t.labels.unlink}
          onDo={() => api.labels.unlink(label.id).then(onChanged)}
          onClose={() => setAsking(false)}
        />
      )}
    </section>
  );
}

function Health({ label }: { label: Label }): JSX.Element {
  return (
    <section>
      <h3>{t.labels.health}</h3>
      <dl class="facts">
        <Fact name={t.labels.battery}>
          <Battery mv={label.battery_mv} />
        </Fact>
        <Fact name={t.labels.temperature}>{label.temperature_c === null ? '–' : t.labels.celsius(label.temperature_c)}</Fact>
        <Fact name={t.labels.rssi}>{label.rssi_dbm === null ? '–' : t.dbm(label.rssi_dbm)}</Fact>
        <Fact name={t.labels.lastSeen}>
          <Ago at={label.last_seen} />
        </Fact>
        <Fact name={t.labels.agent}>
          {label.agent_id ? <a href={`/agents/${label.agent_id}`}>{label.agent ?? label.agent_id}</a> : '–'}
        </Fact>
        <Fact name={t.labels.panel}>
          {label.width > 0 ? `${label.width}×${label.height} ` : '– '}
          {t.colours[label.colours as keyof typeof t.colours] ?? label.colours}
        </Fact>
      </dl>
    </section>
  );
}

export function LabelPanel({ id, onClose }: { id: string; onClose: () => void }): JSX.Element {
  const f = useFetched(`label/${id}`, () => api.labels.get(id));
  // An event tells of a label what the list does: its sensors and its battery's budget are asked for.
  const refresh = useThrottled(f.reload, 1000);
  useLive('label', (l) => {
    if (l.id === id) {
      f.set((old) => ({ sensors: old.sensors ?? [], ...(old.budget ? { budget: old.budget } : {}), ...l }));
      refresh();
    }
  });
  const l = f.data;
  return (
    <aside class="panel" aria-label={t.labels.one(id)}>
      <header class="panel-head">
        <div class="grow">
          <h2 class="mono">{id}</h2>
          {l && <StateChip label={l} />}
        </div>
        <Button icon="cross" kind="quiet" label={t.close} onClick={onClose} />
      </header>
      <ErrorBox error={f.error} retry={f.reload} />
      {!l && !f.error && <Loading />}
      {l && (
        <>
          {l.reason && (
            <div class="notice tone-bad">
              <Icon name="warn" /> <div>{l.reason}</div>
            </div>
          )}
          <Pictures label={l} />
          <Facts3 label={l} />
          <Ahead label={l} />
          <LinkSection label={l} onChanged={f.reload} />
          {may('labels') && <FlashSection label={l} onChanged={(next) => { f.set(() => next); refresh(); }} />}
          <Health label={l} />
          <SensorSection label={l} onChanged={f.reload} />
          {may('labels') && l.product && <ReplaceSection label={l} onDone={f.reload} />}
          <LabelHistory label={l} />
        </>
      )}
    </aside>
  );
}
