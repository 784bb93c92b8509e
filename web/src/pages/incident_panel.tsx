// SPDX-License-Identifier: Apache-2.0
// One incident: what is wrong, how that is known, what to do, what became of it.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { type Incident, incidents, type Severity } from '../api/incidents';
import { dateTime } from '../format';
import { useFetched, useLive, useThrottled } from '../hooks';
import type { IconName } from '../icons';
import { may } from '../session';
import { t } from '../strings';
import { w } from '../strings/incidents';
import { Ago, Button, Chip, ErrorBox, Fact, Field, Loading, say, type Tone } from '../ui';

const TONES: Record<Severity, [Tone, IconName]> = { grave: ['bad', 'warn'], warning: ['warn', 'warn'], notice: ['plain', 'bulb'] };

export function SeverityChip({ x }: { x: Pick<Incident, 'severity' | 'state'> }): JSX.Element {
  const [tone, icon] = TONES[x.severity] ?? TONES.warning;
  return x.state === 'closed' ? (
    <Chip tone="plain" icon="check">
      {w.closed}
    </Chip>
  ) : (
    <Chip tone={tone} icon={icon}>
      {w.severities[x.severity] ?? x.severity}
    </Chip>
  );
}

const INSTANT = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

function nameOf(key: string): string {
  return w.keys[key] ?? key.replaceAll('_', ' ');
}

/** A value of the evidence as people read it. */
function evidenceText(v: unknown): string {
  if (Array.isArray(v)) {
    return v.map(evidenceText).join(v.some((x) => x !== null && typeof x === 'object') ? '; ' : ', ');
  }
  if (typeof v === 'string') {
    return INSTANT.test(v) ? dateTime(v) : v;
  }
  if (v === null || v === undefined) {
    return '–';
  }
  return typeof v === 'object'
    ? Object.entries(v)
        .map(([key, x]) => `${nameOf(key)}: ${evidenceText(x)}`)
        .join(', ')
    : String(v);
}

function Evidence({ x }: { x: Incident }): JSX.Element {
  const { evidence, ...figures } = x.detail;
  const rows = Object.entries(figures);
  return (
    <section>
      <h3>{w.evidence}</h3>
      {typeof evidence === 'string' && <p>{evidence}</p>}
      {rows.length > 0 && (
        <dl class="facts">
          {rows.map(([key, v]) => (
            <Fact key={key} name={nameOf(key)}>
              {evidenceText(v)}
            </Fact>
          ))}
        </dl>
      )}
      {rows.length === 0 && typeof evidence !== 'string' && <p class="hint">{w.noEvidence}</p>}
    </section>
  );
}

/** Where on our pages its subject is. */
function Where({ x }: { x: Incident }): JSX.Element | null {
  const reader = /^agent:(\d+)\/reader:([^/]+)/.exec(x.subject);
  const agent = /^agent:(\d+)/.exec(x.subject);
  const label = /^label:(\w+)$/.exec(x.subject);
  const item = /^item:([0-9a-f]+)$/i.exec(x.subject);
  if (reader) {
    return <a href={`/agents/${reader[1]}/${encodeURIComponent(reader[2] ?? '')}`}>{`${x.agent ?? ''} · ${reader[2]}`}</a>;
  }
  if (agent) {
    return <a href={`/agents/${agent[1]}`}>{x.agent ?? x.subject}</a>;
  }
  if (label) {
    return <a href={`/labels/${label[1]}`}>{label[1]}</a>;
  }
  return item ? <a href={`/items/${item[1]}`}>{item[1]}</a> : <span>{x.subject}</span>;
}

function Acknowledge({ x, onDone }: { x: Incident; onDone: (x: Incident) => void }): JSX.Element {
  const [note, setNote] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const submit = (e: Event): void => {
    e.preventDefault();
    setBusy(true);
    setError(null);
    incidents
      .acknowledge(x.id, note.trim())
      .then(
        (done) => {
          say(w.acknowledged);
          setNote('');
          onDone(done);
        },
        (problem: unknown) => setError(problem),
      )
      .finally(() => setBusy(false));
  };
  return (
    <form onSubmit={submit} class="stack">
      <Field label={w.note} value={note} onInput={setNote} hint={w.noteHint} maxLength={300} />
      <ErrorBox error={error} />
      <div class="actions">
        <Button type="submit" kind="main" icon="check" busy={busy}>
          {w.acknowledge}
        </Button>
      </div>
    </form>
  );
}

function Trail({ x }: { x: Incident }): JSX.Element {
  return (
    <section>
      <h3>{w.trail}</h3>
      <ol class="plain-list rows-list" data-trail>
        {(x.changes ?? []).map((c) => (
          <li key={c.at + c.what}>
            <span class="sub">
              <Ago at={c.at} />
            </span>
            <span class="grow">
              <strong>{w.changes[c.what] ?? c.what}</strong> {c.by && w.by(c.by)} {c.text}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

export function IncidentPanel({ id, onClose }: { id: number; onClose: () => void }): JSX.Element {
  const f = useFetched(`incident/${id}`, () => incidents.get(id));
  const reload = useThrottled(f.reload, 1000);
  useLive('incident', (e) => e.id === id && reload());
  const x = f.data;
  return (
    <aside class="panel" aria-label={x?.title ?? w.title}>
      <header class="panel-head">
        <div class="grow">
          <h2>{x?.title ?? ''}</h2>
          {x && <SeverityChip x={x} />}
        </div>
        <Button icon="cross" kind="quiet" label={t.close} onClick={onClose} />
      </header>
      <ErrorBox error={f.error} retry={f.reload} />
      {!x && !f.error && <Loading />}
      {x && (
        <>
          {x.next_step && x.state === 'open' && (
            <section class="next-step">
              <h3>{w.nextStep}</h3>
              <p>{x.next_step}</p>
            </section>
          )}
          <Evidence x={x} />
          <section>
            <dl class="facts">
              <Fact name={w.where}>
                <Where x={x} />
              </Fact>
              <Fact name={w.opened}>
                {dateTime(x.opened)} (<Ago at={x.opened} />)
              </Fact>
              <Fact name={w.times}>{w.timesOf(x.times)}</Fact>
              {x.closed && (
                <Fact name={w.ended}>
                  {dateTime(x.closed)} · {x.why_closed}
                </Fact>
              )}
              {x.acknowledged && (
                <Fact name={w.changes['acknowledged'] ?? ''}>
                  {w.lookedAt(x.acknowledged.by)}, <Ago at={x.acknowledged.at} />
                  {x.acknowledged.note && <div>{x.acknowledged.note}</div>}
                </Fact>
              )}
            </dl>
            {x.state === 'open' && may('incidents') && <Acknowledge x={x} onDone={(done) => f.set(() => done)} />}
          </section>
          <Trail x={x} />
        </>
      )}
    </aside>
  );
}
