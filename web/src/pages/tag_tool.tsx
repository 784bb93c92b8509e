// SPDX-License-Identifier: Apache-2.0
// Reading, writing and locking one tag at a reader, and what became of it.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { type TagAsk, type TagKind, type TagOperation, tagOperations } from '../api/tags';
import { useFetched, useLive, useThrottled } from '../hooks';
import type { IconName } from '../icons';
import { w as words } from '../strings/reader';
import type { Agent, Reader } from '../types';
import { Ago, Button, Chip, ErrorBox, Field, say, Select, type Tone } from '../ui';

const w = words.tags;

interface Form {
  kind: TagKind;
  antenna: string;
  epc: string;
  bank: string;
  gtin: string;
  serial: string;
  field: string;
  how: string;
  password: string;
}

const START: Form = { kind: 'write-epc', antenna: '', epc: '', bank: 'tid', gtin: '', serial: '', field: 'epc', how: 'with-password', password: '' };

function askOf(f: Form, agent: number, reader: string): TagAsk {
  return {
    agent_id: agent,
    reader,
    kind: f.kind,
    antenna: f.antenna ? Number(f.antenna) : undefined,
    epc: f.epc.trim() || undefined,
    password: f.password.trim() || undefined,
    ...(f.kind === 'read' ? { bank: f.bank } : {}),
    ...(f.kind === 'write-epc' ? { gtin: f.gtin.trim(), serial: f.serial.trim() ? Number(f.serial) : undefined } : {}),
    ...(f.kind === 'lock' ? { field: f.field, how: f.how } : {}),
  };
}

/** What is wrong with the form before it is sent, by field. */
function problemsOf(f: Form): Partial<Record<keyof Form, string>> {
  const found: Partial<Record<keyof Form, string>> = {};
  if (f.kind === 'write-epc' && !f.gtin.trim()) {
    found.gtin = w.gtinNeeded;
  }
  if (f.kind === 'lock' && !f.epc.trim()) {
    found.epc = w.epcNeeded;
  }
  if (f.password && !/^[0-9a-f]{8}$/i.test(f.password.trim())) {
    found.password = w.passwordBad;
  }
  return found;
}

const LOOKS: Record<string, [Tone, IconName]> = { pending: ['busy', 'clock'], running: ['busy', 'clock'], done: ['good', 'check'], failed: ['bad', 'warn'], unknown: ['warn', 'unknown'] };

function OperationLine({ x }: { x: TagOperation }): JSX.Element {
  const [tone, icon] = LOOKS[x.state] ?? ['plain', 'clock'];
  return (
    <li data-operation={x.state}>
      <Chip tone={tone} icon={icon}>
        {w.states[x.state] ?? x.state}
      </Chip>
      <span class="grow">
        <strong>{w.verbs[x.kind]}</strong> <span class="mono break">{x.new_epc ?? x.tag ?? x.epc ?? ''}</span>
        {x.data && <div class="mono break">{x.data}</div>}
        {x.new_uri && <div class="sub break">{x.new_uri}</div>}
        {x.reason && <div class="sub">{x.reason}</div>}
      </span>
      <span class="sub">
        <Ago at={x.created} /> · {x.by}
      </span>
    </li>
  );
}

export function TagTool({ agent, reader }: { agent: Agent; reader: Reader }): JSX.Element {
  const [f, setForm] = useState<Form>(START);
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const list = useFetched(`tags/${agent.id}/${reader.name}`, () => tagOperations.list(agent.id, reader.name, { limit: 10 }));
  const reload = useThrottled(list.reload, 300);
  useLive('tag-operation', (e) => (e.agent_id === undefined || (e.agent_id === agent.id && e.reader === reader.name)) && reload());
  const set = (key: keyof Form) => (v: string) => setForm((old) => ({ ...old, [key]: v }));
  const wrong = tried ? problemsOf(f) : {};
  const numbers = (reader.radio?.antennas ?? []).map((a) => a.antenna);
  const antennas = (reader.antennas.length ? reader.antennas : numbers).map((n) => [String(n), String(n)] as [string, string]);
  const submit = (e: Event): void => {
    e.preventDefault();
    setTried(true);
    if (Object.keys(problemsOf(f)).length > 0) {
      return;
    }
    setBusy(true);
    setError(null);
    tagOperations
      .ask(askOf(f, agent.id, reader.name))
      .then(
        () => {
          say(w.asked);
          setTried(false);
          setForm((old) => ({ ...old, epc: '', serial: '', password: '' }));
          list.reload();
        },
        (problem: unknown) => setError(problem),
      )
      .finally(() => setBusy(false));
  };
  return (
    <section class="card reader-part">
      <h2>{w.title}</h2>
      <p class="hint">{w.lead}</p>
      <form onSubmit={submit} class="tag-form">
        <Select label={w.kind} value={f.kind} options={w.kinds} onChange={set('kind')} />
        <Select label={w.antenna} value={f.antenna} options={[['', w.anyAntenna], ...antennas]} onChange={set('antenna')} />
        {f.kind === 'read' && <Select label={w.bank} value={f.bank} options={w.banks} onChange={set('bank')} />}
        {f.kind === 'write-epc' && (
          <>
            <Field label={w.gtin} value={f.gtin} onInput={set('gtin')} inputMode="numeric" error={wrong.gtin ?? null} />
            <Field label={w.serial} value={f.serial} onInput={set('serial')} inputMode="numeric" hint={w.serialHint} />
          </>
        )}
        {f.kind === 'lock' && (
          <>
            <Select label={w.field} value={f.field} options={w.fields} onChange={set('field')} />
            <Select label={w.how} value={f.how} options={w.hows} onChange={set('how')} />
          </>
        )}
        <Field label={w.epc} value={f.epc} onInput={set('epc')} hint={w.epcHint} error={wrong.epc ?? null} />
        <Field label={w.password} value={f.password} onInput={set('password')} type="password" hint={w.passwordHint} error={wrong.password ?? null} />
        <ErrorBox error={error} />
        <div class="actions">
          <Button type="submit" kind="main" icon="tag" busy={busy}>
            {w.go}
          </Button>
        </div>
      </form>
      <h3>{w.list}</h3>
      <ErrorBox error={list.error} retry={list.reload} />
      {list.data?.items.length === 0 && <p class="hint">{w.none}</p>}
      <ul class="plain-list rows-list operations">
        {(list.data?.items ?? []).map((x) => (
          <OperationLine key={x.id} x={x} />
        ))}
      </ul>
    </section>
  );
}
