// SPDX-License-Identifier: Apache-2.0
// Importing products: choose a file, see what it would do, then do it. A file with one bad row changes nothing.

import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import * as api from '../api';
import { bytes, count, percent } from '../format';
import { Icon } from '../icons';
import { may } from '../session';
import { t } from '../strings';
import type { ImportResult, ProblemBody, ProblemError } from '../types';
import { Button, Empty, ErrorBox, Fact, LinkButton, PageHead, say } from '../ui';

type Phase =
  | { at: 'choose' }
  | { at: 'working'; dry: boolean; sent: number; of: number }
  | { at: 'checked'; result: ImportResult }
  | { at: 'bad'; body: ProblemBody }
  | { at: 'failed'; error: unknown }
  | { at: 'done'; result: ImportResult; ms: number };

const EXAMPLE = 'gtin,name,price,content,unit\n4006381333931,Felt tip pen,1.99,1,pc\n';

function Errors({ body }: { body: ProblemBody }): JSX.Element {
  const errors = body.errors ?? [];
  const all = body.error_count ?? errors.length;
  return (
    <section>
      <div class="notice tone-bad" role="alert">
        <Icon name="warn" />
        <div>
          <strong>{t.import.bad(all, count(all))}</strong>
          <div>{t.import.nothingChanged}</div>
        </div>
      </div>
      <div class="table-scroll tall" tabIndex={0} role="region" aria-label={t.import.errorTable}>
        <table class="error-table">
          <thead>
            <tr>
              <th scope="col">{t.import.line}</th>
              <th scope="col">{t.import.column}</th>
              <th scope="col">{t.import.what}</th>
            </tr>
          </thead>
          <tbody>
            {errors.map((e: ProblemError, i) => (
              <tr key={i}>
                <td>{e.line ?? '–'}</td>
                <td>{e.column ?? '–'}</td>
                <td>
                  {t.importCodes[e.code as keyof typeof t.importCodes] ?? e.detail}
                  {t.importCodes[e.code as keyof typeof t.importCodes] && e.detail && <div class="sub">{e.detail}</div>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {all > errors.length && <p class="hint">{t.import.firstOnly(count(errors.length), count(all))}</p>}
    </section>
  );
}

function Counts({ r }: { r: ImportResult }): JSX.Element {
  return (
    <dl class="facts big">
      <Fact name={t.import.rows}>{count(r.rows)}</Fact>
      <Fact name={t.import.created}>{count(r.created)}</Fact>
      <Fact name={t.import.updated}>{count(r.updated)}</Fact>
      <Fact name={t.import.pricesChanged}>{count(r.prices_changed)}</Fact>
      <Fact name={t.import.unchanged}>{count(r.unchanged)}</Fact>
    </dl>
  );
}

function Working({ phase, onCancel }: { phase: Extract<Phase, { at: 'working' }>; onCancel: () => void }): JSX.Element {
  const sending = phase.of > 0 && phase.sent < phase.of;
  return (
    <div class="card working">
      <label>
        {sending ? t.import.sending(percent(phase.sent / phase.of)) : phase.dry ? t.import.checking : t.import.writing}
        <progress max={1} value={sending ? phase.sent / phase.of : undefined} />
      </label>
      {sending && <Button onClick={onCancel}>{t.cancel}</Button>}
    </div>
  );
}

function Chooser({ onFile }: { onFile: (f: File) => void }): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  return (
    <div
      class={`drop ${over ? 'is-over' : ''}`}
      onDragOver={(e) => {
        e.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(e) => {
        e.preventDefault();
        setOver(false);
        const f = e.dataTransfer?.files[0];
        if (f) {
          onFile(f);
        }
      }}
    >
      <Icon name="upload" size={36} />
      <p>{t.import.drop}</p>
      <input
        ref={input}
        class="hidden"
        type="file"
        accept=".csv,.txt,text/csv"
        aria-label={t.import.choose}
        tabIndex={-1}
        onChange={(e) => {
          const f = e.currentTarget.files?.[0];
          e.currentTarget.value = '';
          if (f) {
            onFile(f);
          }
        }}
      />
      <Button kind="main" onClick={() => input.current?.click()}>
        {t.import.choose}
      </Button>
      <details>
        <summary>{t.import.format}</summary>
        <p>{t.import.formatText}</p>
        <pre tabIndex={0}>{EXAMPLE}</pre>
      </details>
    </div>
  );
}

function Outcome({ phase, onImport }: { phase: Phase; onImport: () => void }): JSX.Element | null {
  switch (phase.at) {
    case 'checked':
      return (
        <section class="card">
          <h2>{t.import.checked}</h2>
          <Counts r={phase.result} />
          <p class="hint">{t.import.checkedHint}</p>
          <div class="actions">
            <Button kind="main" icon="upload" onClick={onImport} disabled={phase.result.rows === 0}>
              {t.import.run(phase.result.rows, count(phase.result.rows))}
            </Button>
          </div>
        </section>
      );
    case 'done':
      return (
        <section class="card" data-import="done">
          <h2>
            <Icon name="check" /> {t.import.done}
          </h2>
          <Counts r={phase.result} />
          <div class="actions">
            <LinkButton href="/products" kind="main">
              {t.nav.products}
            </LinkButton>
          </div>
        </section>
      );
    case 'bad':
      return <Errors body={phase.body} />;
    case 'failed':
      return <ErrorBox error={phase.error} />;
    default:
      return null;
  }
}

export function ImportPage(): JSX.Element {
  const [file, setFile] = useState<File | null>(null);
  const [phase, setPhase] = useState<Phase>({ at: 'choose' });
  const handle = useRef<api.ImportHandle | null>(null);
  useEffect(() => () => handle.current?.cancel(), []);

  const run = (f: File, dry: boolean): void => {
    const begun = performance.now();
    setPhase({ at: 'working', dry, sent: 0, of: f.size });
    const h = api.importProducts(f, dry, (sent, of) => setPhase({ at: 'working', dry, sent, of }));
    handle.current = h;
    h.done.then(
      (result) => {
        setPhase(dry ? { at: 'checked', result } : { at: 'done', result, ms: performance.now() - begun });
        say(dry ? t.import.checked : t.import.done);
      },
      (e: unknown) => {
        if (e instanceof api.Problem && e.code === 'cancelled') {
          setPhase({ at: 'choose' });
        } else if (e instanceof api.Problem && e.status === 422 && e.body.errors) {
          setPhase({ at: 'bad', body: e.body });
        } else {
          setPhase({ at: 'failed', error: e });
        }
      },
    );
  };
  const choose = (f: File): void => {
    setFile(f);
    run(f, true);
  };
  if (!may('products')) {
    return (
      <Empty icon="warn" title={t.problems.forbidden}>
        <LinkButton href="/products">{t.nav.products}</LinkButton>
      </Empty>
    );
  }
  return (
    <div class="page">
      <PageHead title={t.import.title} lead={t.import.lead}>
        <LinkButton href="/products" icon="back">
          {t.nav.products}
        </LinkButton>
      </PageHead>
      {phase.at !== 'working' && phase.at !== 'done' && <Chooser onFile={choose} />}
      {file && phase.at !== 'choose' && (
        <p class="file-line">
          <Icon name="list" /> <strong>{file.name}</strong> <span class="sub">{bytes(file.size)}</span>
          {phase.at === 'bad' && (
            <Button icon="refresh" onClick={() => run(file, true)}>
              {t.import.again}
            </Button>
          )}
        </p>
      )}
      {phase.at === 'working' && <Working phase={phase} onCancel={() => handle.current?.cancel()} />}
      <Outcome phase={phase} onImport={() => file && run(file, false)} />
    </div>
  );
}
