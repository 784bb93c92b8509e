// SPDX-License-Identifier: Apache-2.0

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import * as api from '../api';
import { t } from '../strings';
import type { Agent, Reader } from '../types';
import { Button, Dialog, ErrorBox, Field, Select } from '../ui';

/** "1, 2,4" -> [1, 2, 4]; null when it is not a list of antenna numbers. */
export function parseAntennas(text: string): number[] | null {
  const parts = text.split(/[\s,;]+/).filter(Boolean);
  const numbers = parts.map(Number);
  return numbers.every((n) => Number.isInteger(n) && n >= 1 && n <= 65_535) ? [...new Set(numbers)].sort((a, b) => a - b) : null;
}

const LLRP_PORT = 5084;

interface Form {
  name: string;
  host: string;
  port: string;
  antennas: string;
  session: string;
  power: string;
}

function startOf(r: Reader | null): Form {
  return {
    name: r?.name ?? '',
    host: r?.host ?? '',
    port: String(r?.port ?? LLRP_PORT),
    antennas: r?.antennas.join(', ') ?? '1',
    session: String(r?.session ?? 1),
    power: r?.power_cdbm ? String(r.power_cdbm / 100) : '',
  };
}

function configOf(f: Form, antennas: number[]): api.ReaderConfig {
  const power = Number.parseFloat(f.power.replace(',', '.'));
  return {
    host: f.host.trim(),
    port: Number(f.port),
    antennas,
    session: Number(f.session),
    power_cdbm: Number.isFinite(power) ? Math.round(power * 100) : 0,
  };
}

/** Add or change an LLRP reader of an agent. */
export function ReaderDialog({ agent, reader, onClose, onSaved }: { agent: Agent; reader: Reader | null; onClose: () => void; onSaved: () => void }): JSX.Element {
  const [f, setForm] = useState<Form>(() => startOf(reader));
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const problem = error instanceof api.Problem ? error : null;
  const set = (key: keyof Form) => (v: string) => setForm((old) => ({ ...old, [key]: v }));
  const antennas = parseAntennas(f.antennas);
  const submit = (e: Event): void => {
    e.preventDefault();
    if (!antennas) {
      return;
    }
    setBusy(true);
    setError(null);
    api.agents.setReader(agent.id, f.name.trim(), configOf(f, antennas)).then(
      () => {
        onSaved();
        onClose();
      },
      (x: unknown) => {
        setError(x);
        setBusy(false);
      },
    );
  };
  return (
    <Dialog title={reader ? t.reader.edit : t.reader.add} onClose={onClose}>
      <form onSubmit={submit}>
        {!reader && <Field label={t.reader.name} value={f.name} onInput={set('name')} error={problem?.field('name') ?? null} focus required maxLength={63} />}
        <div class="row">
          <Field label={t.reader.host} value={f.host} onInput={set('host')} error={problem?.field('host') ?? null} focus={!!reader} required />
          <Field label={t.reader.port} value={f.port} onInput={set('port')} inputMode="numeric" error={problem?.field('port') ?? null} required />
        </div>
        <Field
          label={t.reader.antennas}
          value={f.antennas}
          onInput={set('antennas')}
          hint={t.reader.antennasHint}
          error={antennas ? (problem?.field('antennas') ?? null) : t.reader.antennasBad}
        />
        <div class="row">
          <Select
            label={t.reader.session}
            value={f.session}
            options={['0', '1', '2', '3'].map((s): [string, string] => [s, `S${s}`])}
            onChange={set('session')}
            hint={t.reader.sessionHint}
          />
          <Field
            label={t.reader.power}
            value={f.power}
            onInput={set('power')}
            inputMode="decimal"
            hint={t.reader.powerHint}
            error={problem?.field('power_cdbm') ?? null}
          />
        </div>
        <ErrorBox error={api.unplaced(error, 'name', 'host', 'port', 'antennas', 'power_cdbm')} />
        <div class="actions">
          <Button type="submit" kind="main" busy={busy} disabled={!f.name.trim() || !f.host.trim() || !antennas}>
            {t.save}
          </Button>
          <Button onClick={onClose}>{t.cancel}</Button>
        </div>
      </form>
    </Dialog>
  );
}
