// SPDX-License-Identifier: Apache-2.0
// Letting a new agent in: a code shown once, and the command that uses it.

import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import * as api from '../api';
import { dateTime } from '../format';
import { useFetched } from '../hooks';
import { Icon } from '../icons';
import { t } from '../strings';
import { a } from '../strings/access';
import type { Agent, JoinCode } from '../types';
import { Ago, Button, CopyButton, Dialog, ErrorBox, Field, Select } from '../ui';

const TTLS: [string, string][] = [
  ['3600', t.join.hour],
  ['86400', t.join.day],
  ['604800', t.join.week],
];

/** With the package, the service reads the code once, under its own account. */
export function packagedJoin(code: string): string {
  return [
    'install -m 0640 -g gondola-agent /dev/null /etc/gondola/join-code',
    `echo ${code} >/etc/gondola/join-code`,
    'systemctl enable --now gondola-agent',
  ].join('\n');
}

function ToCopy({ text, isCode }: { text: string; isCode?: boolean }): JSX.Element {
  const ref = useRef<HTMLElement>(null);
  // The button that made the code is gone, and the focus with it.
  useEffect(() => {
    if (isCode) {
      ref.current?.focus();
    }
  }, []);
  return (
    <div class="secret">
      <code ref={ref} data-join-code={isCode} tabIndex={0}>
        {text}
      </code>
      <CopyButton text={text} />
    </div>
  );
}

function Made({ code }: { code: JoinCode }): JSX.Element {
  const text = code.code ?? '';
  return (
    <div class="made">
      <p>
        <strong>{t.join.once}</strong> {t.join.expires(code.uses, dateTime(code.expires))}
      </p>
      <ToCopy text={text} isCode />
      <h3>{t.join.command}</h3>
      <p class="hint">{t.join.address}</p>
      <ToCopy text={`controller = "https://${location.hostname}:8444"`} />
      <p class="hint">{t.join.withPackage}</p>
      <ToCopy text={packagedJoin(text)} />
      <p class="hint">{t.join.withoutPackage}</p>
      <ToCopy text={`gondola-agent --config /etc/gondola/agent.conf --join ${text}`} />
      <p class="hint">{t.join.after}</p>
    </div>
  );
}

function OpenCodes({ version }: { version: number }): JSX.Element {
  const f = useFetched(`join-codes/${version}`, () => api.agents.joinCodes({ limit: 100 }));
  const rows = f.data?.items ?? [];
  return (
    <section>
      <h3>{t.join.open}</h3>
      <ErrorBox error={f.error} retry={f.reload} />
      {f.data && rows.length === 0 && <p class="hint">{t.join.noneOpen}</p>}
      <ul class="plain-list rows-list">
        {rows.map((c) => (
          <li key={c.id}>
            <div class="grow">
              {c.note || t.join.noNote}
              <div class="sub">
                {c.replaces_agent ? `${a.replace.of(c.replaces_agent)} · ` : ''}
                {t.join.used(c.used ?? 0, c.uses)} · {t.join.until} <Ago at={c.expires} /> · {c.created_by}
              </div>
            </div>
            <Button icon="cross" onClick={() => void api.agents.removeJoinCode(c.id).then(f.reload, f.reload)}>
              {t.join.withdraw}
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** For a new agent, or for a machine that takes a dead one's place. */
export function JoinCodes({ onClose, replaces }: { onClose: () => void; replaces?: Agent }): JSX.Element {
  const [uses, setUses] = useState('1');
  const [ttl, setTtl] = useState('3600');
  const [note, setNote] = useState('');
  const [made, setMade] = useState<JoinCode | null>(null);
  const [version, setVersion] = useState(0);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const problem = error instanceof api.Problem ? error : null;
  const submit = (e: Event): void => {
    e.preventDefault();
    setBusy(true);
    setError(null);
    api.agents.makeJoinCode(replaces ? 1 : Number(uses), Number(ttl), note.trim(), replaces?.id).then(
      (c) => {
        setMade(c);
        setVersion((n) => n + 1);
        setBusy(false);
      },
      (x: unknown) => {
        setError(x);
        setBusy(false);
      },
    );
  };
  return (
    <Dialog title={replaces ? a.replace.dialog(replaces.name) : t.join.title} onClose={onClose} wide>
      {made ? (
        <Made code={made} />
      ) : (
        <form onSubmit={submit}>
          <p>{replaces ? a.replace.lead(replaces.name) : t.join.lead}</p>
          {replaces?.state === 'online' && (
            <div class="notice tone-warn">
              <Icon name="warn" /> <div>{a.replace.online(replaces.name)}</div>
            </div>
          )}
          <div class="row">
            {!replaces && (
              <Field
                label={t.join.uses}
                value={uses}
                onInput={(v) => setUses(v.replace(/\D/g, ''))}
                inputMode="numeric"
                error={problem?.field('uses') ?? null}
                required
              />
            )}
            <Select label={t.join.ttl} value={ttl} options={TTLS} onChange={setTtl} />
          </div>
          <Field label={t.join.note} value={note} onInput={setNote} hint={t.join.noteHint} maxLength={100} />
          <ErrorBox error={api.unplaced(error, 'uses')} />
          <div class="actions">
            <Button type="submit" icon="key" kind="main" busy={busy} disabled={Number(uses) < 1}>
              {t.join.make}
            </Button>
            <Button onClick={onClose}>{t.cancel}</Button>
          </div>
        </form>
      )}
      <OpenCodes version={version} />
    </Dialog>
  );
}
