// SPDX-License-Identifier: Apache-2.0
// Importing a CSV file in two steps: choose a file and see what it would do, then do it. A file with one bad row
// changes nothing.

import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import * as api from '../api';
import { bytes, count, percent } from '../format';
import { Icon } from '../icons';
import { t } from '../strings';
import type { ProblemBody, ProblemError } from '../types';
import { Button, ErrorBox, Fact, LinkButton, PageHead, say } from '../ui';

export interface ImportKind<R extends { rows: number }> {
  title: string;
  lead: string;
  format: string;
  example: string;
  back: { href: string; text: string };
  /** Choices that the upload needs, shown above the file. */
  options?: ComponentChildren;
  upload: (file: File, dry: boolean, progress: (sent: number, of: number) => void) => api.ImportHandle<R>;
  figures: (r: R) => [name: string, value: number][];
}

type Phase<R> =
  | { at: 'choose' }
  | { at: 'working'; dry: boolean; sent: number; of: number }
  | { at: 'checked'; result: R }
  | { at: 'bad'; body: ProblemBody }
  | { at: 'failed'; error: unknown }
  | { at: 'done'; result: R };

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

function Working({ phase, onCancel }: { phase: Extract<Phase<unknown>, { at: 'working' }>; onCancel: () => void }): JSX.Element {
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

function Chooser({ onFile, format, example }: { onFile: (f: File) => void; format: string; example: string }): JSX.Element {
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
        <p>{format}</p>
        <pre tabIndex={0}>{example}</pre>
      </details>
    </div>
  );
}

function Counts({ figures }: { figures: [string, number][] }): JSX.Element {
  return (
    <dl class="facts big">
      {figures.map(([name, value]) => (
        <Fact key={name} name={name}>
          {count(value)}
        </Fact>
      ))}
    </dl>
  );
}

function Outcome<R extends { rows: number }>({ phase, kind, onImport }: { phase: Phase<R>; kind: ImportKind<R>; onImport: () => void }): JSX.Element | null {
  switch (phase.at) {
    case 'checked':
      return (
        <section class="card" data-import="checked">
          <h2>{t.import.checked}</h2>
          <Counts figures={kind.figures(phase.result)} />
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
          <Counts figures={kind.figures(phase.result)} />
          <div class="actions">
            <LinkButton href={kind.back.href} kind="main">
              {kind.back.text}
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

export function ImportFlow<R extends { rows: number }>({ kind }: { kind: ImportKind<R> }): JSX.Element {
  const [file, setFile] = useState<File | null>(null);
  const [phase, setPhase] = useState<Phase<R>>({ at: 'choose' });
  const handle = useRef<api.ImportHandle<R> | null>(null);
  useEffect(() => () => handle.current?.cancel(), []);

  const run = (f: File, dry: boolean): void => {
    setPhase({ at: 'working', dry, sent: 0, of: f.size });
    const h = kind.upload(f, dry, (sent, of) => setPhase({ at: 'working', dry, sent, of }));
    handle.current = h;
    h.done.then(
      (result) => {
        setPhase({ at: dry ? 'checked' : 'done', result });
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
  return (
    <div class="page">
      <PageHead title={kind.title} lead={kind.lead}>
        <LinkButton href={kind.back.href} icon="back">
          {kind.back.text}
        </LinkButton>
      </PageHead>
      {phase.at !== 'working' && phase.at !== 'done' && (
        <>
          {kind.options}
          <Chooser onFile={choose} format={kind.format} example={kind.example} />
        </>
      )}
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
      <Outcome phase={phase} kind={kind} onImport={() => file && run(file, false)} />
    </div>
  );
}
