// SPDX-License-Identifier: Apache-2.0
// Walking the store: a carried tag, what the antennas hear of it now, and the models learnt from it.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import * as api from '../api';
import { models as modelApi, type PlaceModel, type Walk, walks as walkApi } from '../api/walks';
import { count, date } from '../format';
import { useEvery, useFetched, useLive, useThrottled } from '../hooks';
import { may } from '../session';
import { t } from '../strings';
import { w } from '../strings/walks';
import type { Place } from '../types';
import { Ago, Button, Chip, Confirm, Empty, ErrorBox, Field, LinkButton, Loading, PageHead, say, Select } from '../ui';

const TONES = { good: 'good', fair: 'warn', poor: 'bad' } as const;
const ICONS = { good: 'check', fair: 'warn', poor: 'cross' } as const;

function StartForm({ places, onStarted }: { places: Place[]; onStarted: () => void }): JSX.Element {
  const [place, setPlace] = useState('');
  const [epc, setEpc] = useState('');
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const submit = (e: Event): void => {
    e.preventDefault();
    setBusy(true);
    setError(null);
    walkApi
      .start(Number(place), epc.trim())
      .then(onStarted, setError)
      .finally(() => setBusy(false));
  };
  return (
    <form onSubmit={submit} class="walk-start">
      <Select label={w.place} value={place} options={[['', w.choose], ...places.map((p): [string, string] => [String(p.id), p.name])]} onChange={setPlace} />
      <Field label={w.tag} value={epc} onInput={setEpc} hint={w.tagHint} required maxLength={124} />
      <ErrorBox error={error} />
      <div class="actions">
        <Button type="submit" kind="main" busy={busy} disabled={!place || !epc.trim()}>
          {w.start}
        </Button>
      </div>
    </form>
  );
}

/** What every antenna has heard of the tag so far. */
function Picture({ walk }: { walk: Walk }): JSX.Element {
  const antennas = walk.antennas ?? [];
  if (antennas.length === 0) {
    return <p class="hint">{w.nothing}</p>;
  }
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label={w.walkOf(walk.place?.name ?? '')}>
      <table>
        <thead>
          <tr>
            <th scope="col">{w.antenna}</th>
            <th scope="col">{w.hears}</th>
            <th scope="col" class="number">
              {w.reads}
            </th>
            <th scope="col" class="number">
              {w.level}
            </th>
          </tr>
        </thead>
        <tbody>
          {antennas.map((a) => (
            <tr key={`${a.agent_id}/${a.reader}/${a.antenna}`}>
              <td>
                {a.agent} / {a.reader} / {a.antenna}
              </td>
              <td>{a.place?.name ?? t.places.unassigned}</td>
              <td class="number">{count(a.reads)}</td>
              <td class="number">{w.dbm(a.rssi_dbm)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Going({ id, onEnded }: { id: number; onEnded: () => void }): JSX.Element {
  const f = useFetched(`walk/${id}`, () => walkApi.get(id));
  useEvery(1000, f.reload);
  const [error, setError] = useState<unknown>(null);
  const walk = f.data;
  return (
    <section class="card full" data-walk={id}>
      <ErrorBox error={error ?? f.error} />
      {!walk && !f.error && <Loading />}
      {walk && (
        <>
          <h3>{w.walkOf(walk.place?.name ?? '')}</h3>
          <p>
            <Chip tone={walk.enough ? 'good' : 'busy'} icon={walk.enough ? 'check' : 'clock'}>
              {walk.enough ? w.enough : w.more}
            </Chip>{' '}
            {w.figures(walk.seconds, walk.reads)}
          </p>
          <p role="status">{walk.words}</p>
          <Picture walk={walk} />
          {may('places') && (
            <div class="actions">
              <Button kind="main" onClick={() => void walkApi.stop(id).then(onEnded, setError)}>
                {w.stop}
              </Button>
            </div>
          )}
        </>
      )}
    </section>
  );
}

function WalkList({ walks, onRemove }: { walks: Walk[]; onRemove: (walk: Walk) => void }): JSX.Element {
  return (
    <ul class="plain-list rows-list">
      {walks.map((walk) => (
        <li key={walk.id}>
          <div class="grow">
            <strong>{walk.place?.name}</strong> <Ago at={walk.started} />
            <span class="sub">
              {' '}
              {w.figures(walk.seconds, walk.reads)}. {walk.words}
            </span>
          </div>
          <a class="button quiet" href={walkApi.csv(walk.id)} download={`walk-${walk.id}.csv`}>
            {w.csv}
          </a>
          {may('places') && <Button icon="cross" kind="quiet" label={`${w.remove} ${walk.place?.name ?? ''}`} onClick={() => onRemove(walk)} />}
        </li>
      ))}
    </ul>
  );
}

function ModelCard({ model, onUse, onRemove }: { model: PlaceModel; onUse: (id: number | null) => void; onRemove: (id: number) => void }): JSX.Element {
  const poor = model.outlook.places.some((p) => p.verdict === 'poor');
  return (
    <section class="card full" data-model={model.id}>
      <h3>{w.modelOf(model.id, date(model.made))}</h3>
      {model.active && (
        <Chip tone="good" icon="check">
          {w.inUse}
        </Chip>
      )}
      <p>{model.outlook.words}</p>
      <ul class="plain-list">
        {model.outlook.places.map((p) => (
          <li key={p.place_id}>
            <Chip tone={TONES[p.verdict]} icon={ICONS[p.verdict]}>
              {w.verdict[p.verdict]}
            </Chip>{' '}
            {p.place?.name ?? '–'}: {w.right(p.accuracy)}
            {p.taken_for && p.taken_for.share >= 0.05 && `, ${w.takenFor(p.taken_for.place?.name ?? '–', p.taken_for.share)}`}
          </li>
        ))}
      </ul>
      {poor && <p class="hint">{w.poorHint}</p>}
      {model.notes.map((n) => (
        <p class="hint" key={n}>
          {n}
        </p>
      ))}
      {may('places') && (
        <div class="actions">
          {model.active ? <Button onClick={() => onUse(null)}>{w.useNone}</Button> : <Button onClick={() => onUse(model.id)}>{w.use}</Button>}
          {!model.active && (
            <Button kind="quiet" onClick={() => onRemove(model.id)}>
              {w.removeModel}
            </Button>
          )}
        </div>
      )}
    </section>
  );
}

function Models({ canLearn }: { canLearn: boolean }): JSX.Element {
  const f = useFetched('place-models', () => modelApi.list({ limit: 20 }));
  useLive('walk', useThrottled(f.reload, 2000));
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const act = (what: Promise<unknown>, done?: string): void => {
    setError(null);
    setBusy(true);
    what
      .then(() => {
        if (done) {
          say(done);
        }
        f.reload();
      }, setError)
      .finally(() => setBusy(false));
  };
  return (
    <section>
      <h2>{w.models}</h2>
      <p class="hint">{w.modelsHint}</p>
      <ErrorBox error={error ?? f.error} />
      {may('places') && (
        <div class="actions">
          <Button kind="main" busy={busy} disabled={!canLearn} onClick={() => act(modelApi.fit())}>
            {busy ? w.fitting : w.fit}
          </Button>
        </div>
      )}
      {f.data?.items.map((m) => (
        <ModelCard key={m.id} model={m} onUse={(id) => act(modelApi.use(id), id === null ? w.unused : w.used)} onRemove={(id) => act(modelApi.remove(id))} />
      ))}
    </section>
  );
}

export function WalksPage(): JSX.Element {
  const f = useFetched('walks', () => walkApi.list({ limit: 256 }));
  const places = useFetched('places', () => api.places.list({ limit: 1000 }));
  useLive('walk', useThrottled(f.reload, 1000));
  const [removing, setRemoving] = useState<Walk | null>(null);
  const all = f.data?.items ?? [];
  const open = all.filter((x) => x.open);
  const ended = all.filter((x) => !x.open);
  return (
    <div class="page">
      <PageHead title={w.title} lead={w.lead}>
        <LinkButton href="/stock/places" icon="back">
          {t.places.title}
        </LinkButton>
      </PageHead>
      <ErrorBox error={f.error} retry={f.reload} />
      {!f.data && !f.error && <Loading />}
      {open.length > 0 && (
        <section>
          <h2>{w.going}</h2>
          {open.map((x) => (
            <Going key={x.id} id={x.id} onEnded={f.reload} />
          ))}
        </section>
      )}
      {may('places') && (
        <section>
          <h2>{w.start}</h2>
          <StartForm places={places.data?.items ?? []} onStarted={f.reload} />
        </section>
      )}
      {f.data && all.length === 0 && (
        <Empty icon="place" title={w.none}>
          <p>{w.noneHint}</p>
        </Empty>
      )}
      {ended.length > 0 && (
        <section>
          <h2>{w.walks}</h2>
          <WalkList walks={ended} onRemove={setRemoving} />
        </section>
      )}
      <Models canLearn={ended.length > 1} />
      {removing && (
        <Confirm
          title={w.remove}
          text={w.removeAsk(removing.place?.name ?? '')}
          action={w.remove}
          onDo={() => walkApi.remove(removing.id).then(f.reload)}
          onClose={() => setRemoving(null)}
        />
      )}
    </div>
  );
}
