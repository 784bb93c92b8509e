// SPDX-License-Identifier: Apache-2.0
// Who is signed in, and which machines may sign in by token.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import * as api from '../api';
import { type SessionRow, sessions, type Token, tokens } from '../api/access';
import { dateTime } from '../format';
import { useFetched } from '../hooks';
import { may, session } from '../session';
import { t } from '../strings';
import { a } from '../strings/access';
import type { Permission } from '../types';
import { Ago, Button, Confirm, CopyButton, Dialog, ErrorBox, Field, say, Select } from '../ui';

function SessionLine({ s, onEnd }: { s: SessionRow; onEnd: () => void }): JSX.Element {
  return (
    <li>
      <div class="grow">
        <strong>{s.user}</strong> {s.current && <span class="sub">{a.sessions.this}</span>}
        <div class="sub">
          {a.sessions.since} <Ago at={s.created} /> · {a.sessions.seen} <Ago at={s.seen} /> · {a.sessions.until} <Ago at={s.expires} />
        </div>
      </div>
      {!s.current && (
        <Button icon="out" label={a.sessions.endOf(s.user, dateTime(s.created))} onClick={onEnd}>
          {a.sessions.end}
        </Button>
      )}
    </li>
  );
}

export function Sessions(): JSX.Element {
  const f = useFetched('sessions', () => sessions.list());
  const [error, setError] = useState<unknown>(null);
  const end = (id: string): void => {
    setError(null);
    sessions.end(id).then(() => {
      say(a.sessions.ended);
      f.reload();
    }, setError);
  };
  return (
    <section class="card full" data-sessions>
      <h2>{may('users') ? a.sessions.titleAll : a.sessions.title}</h2>
      <p class="hint">{a.sessions.lead}</p>
      <ErrorBox error={error ?? f.error} retry={error ? undefined : f.reload} />
      <ul class="plain-list rows-list">
        {f.data?.items.map((s) => (
          <SessionLine key={s.id} s={s} onEnd={() => end(s.id)} />
        ))}
      </ul>
    </section>
  );
}

function Made({ token, onClose }: { token: Token; onClose: () => void }): JSX.Element {
  const text = token.token ?? '';
  return (
    <div class="made">
      <p>
        <strong>{a.tokens.once}</strong>
      </p>
      <div class="secret">
        <code tabIndex={0} data-token>
          {text}
        </code>
        <CopyButton text={text} />
      </div>
      <p class="hint">{a.tokens.use}</p>
      <div class="secret">
        <code tabIndex={0}>{`Authorization: Bearer ${text}`}</code>
      </div>
      <div class="actions">
        <Button kind="main" onClick={onClose}>
          {a.tokens.done}
        </Button>
      </div>
    </div>
  );
}

function Permissions({ chosen, onChange, bad }: { chosen: Permission[]; onChange: (p: Permission[]) => void; bad: boolean }): JSX.Element {
  const mine = session.value?.permissions ?? [];
  return (
    <fieldset class="permissions">
      <legend>{a.tokens.may}</legend>
      {mine.map((p) => (
        <label key={p} class="check">
          <input type="checkbox" value={p} checked={chosen.includes(p)} onChange={(e) => onChange(e.currentTarget.checked ? [...chosen, p] : chosen.filter((x) => x !== p))} />
          <span>
            {a.permissions[p] ?? p} <span class="sub mono">{p}</span>
          </span>
        </label>
      ))}
      {bad && (
        <p class="field-error" role="alert">
          {a.tokens.needOne}
        </p>
      )}
    </fieldset>
  );
}

function MakeDialog({ onClose, onMade }: { onClose: () => void; onMade: () => void }): JSX.Element {
  const [name, setName] = useState('');
  const [chosen, setChosen] = useState<Permission[]>([]);
  const [ttl, setTtl] = useState('7776000');
  const [tried, setTried] = useState(false);
  const [made, setMade] = useState<Token | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const submit = (e: Event): void => {
    e.preventDefault();
    setTried(true);
    if (!name.trim() || chosen.length === 0) {
      return;
    }
    setBusy(true);
    setError(null);
    tokens.make(name.trim(), chosen, Number(ttl)).then(
      (x) => {
        setBusy(false);
        setMade(x);
        onMade();
      },
      (x: unknown) => {
        setBusy(false);
        setError(x);
      },
    );
  };
  const named = error instanceof api.Problem ? error.field('name') : null;
  return (
    <Dialog title={made ? a.tokens.made : a.tokens.make} onClose={onClose} wide>
      {made ? (
        <Made token={made} onClose={onClose} />
      ) : (
        <form onSubmit={submit} noValidate>
          <Field label={a.tokens.name} hint={a.tokens.nameHint} value={name} onInput={setName} error={tried && !name.trim() ? a.tokens.needName : named} focus maxLength={48} />
          <Permissions chosen={chosen} onChange={setChosen} bad={tried && chosen.length === 0} />
          <Select label={a.tokens.ttl} value={ttl} options={a.tokens.ttls} onChange={setTtl} />
          {!named && <ErrorBox error={error} />}
          <div class="actions">
            <Button type="submit" kind="main" icon="key" busy={busy}>
              {a.tokens.make}
            </Button>
            <Button onClick={onClose}>{t.cancel}</Button>
          </div>
        </form>
      )}
    </Dialog>
  );
}

function TokenLine({ x, onRevoke }: { x: Token; onRevoke: () => void }): JSX.Element {
  const over = new Date(x.expires).getTime() < Date.now();
  return (
    <li data-token-id={x.id}>
      <div class="grow">
        <strong>{x.name}</strong> <span class="sub">{x.user === session.value?.user ? '' : a.tokens.by(x.user)}</span>
        <div class="sub">
          <span class="mono">{x.permissions.join(', ')}</span> · {x.last_used ? <>{a.tokens.used} <Ago at={x.last_used} /></> : a.tokens.never} ·{' '}
          {over ? a.tokens.expired : <>{a.tokens.until} <Ago at={x.expires} /></>}
        </div>
      </div>
      <Button icon="off" label={a.tokens.revokeOf(x.name)} onClick={onRevoke}>
        {a.tokens.revoke}
      </Button>
    </li>
  );
}

export function Tokens(): JSX.Element {
  const f = useFetched('tokens', () => tokens.list({ limit: 1000 }));
  const [making, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<Token | null>(null);
  return (
    <section class="card full" data-tokens>
      <h2>{a.tokens.title}</h2>
      <p class="hint">{a.tokens.lead}</p>
      <ErrorBox error={f.error} retry={f.reload} />
      {f.data?.items.length === 0 && <p>{a.tokens.none}</p>}
      <ul class="plain-list rows-list">
        {f.data?.items.map((x) => (
          <TokenLine key={x.id} x={x} onRevoke={() => setRevoking(x)} />
        ))}
      </ul>
      <div class="actions">
        <Button icon="key" onClick={() => setMaking(true)}>
          {a.tokens.make}
        </Button>
      </div>
      {making && <MakeDialog onClose={() => setMaking(false)} onMade={f.reload} />}
      {revoking && (
        <Confirm
          title={a.tokens.revokeOf(revoking.name)}
          text={a.tokens.revokeAsk(revoking.name)}
          action={a.tokens.revoke}
          onDo={() => tokens.revoke(revoking.id).then(f.reload)}
          onClose={() => setRevoking(null)}
        />
      )}
    </section>
  );
}
