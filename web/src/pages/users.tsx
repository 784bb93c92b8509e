// SPDX-License-Identifier: Apache-2.0

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import * as api from '../api';
import { useFetched } from '../hooks';
import { session } from '../session';
import { t } from '../strings';
import type { Role, User } from '../types';
import { Ago, Button, Confirm, Dialog, ErrorBox, Field, Loading, PageHead, plain, Select } from '../ui';
import { PermissionMatrix } from './permissions';

const ROLES = Object.entries(t.roles) as [Role, string][];

function AddUser({ onClose, onSaved }: { onClose: () => void; onSaved: () => void }): JSX.Element {
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('manager');
  const [password, setPassword] = useState('');
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const problem = error instanceof api.Problem ? error : null;
  const submit = (e: Event): void => {
    e.preventDefault();
    setBusy(true);
    setError(null);
    api.users.create(name.trim(), role, password).then(
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
    <Dialog title={t.users.add} onClose={onClose}>
      <form onSubmit={submit}>
        <Field label={t.signIn.user} value={name} onInput={setName} error={problem?.field('name') ?? null} autocomplete="off" focus required maxLength={63} />
        <Select label={t.users.role} value={role} options={ROLES} onChange={(v) => setRole(v as Role)} hint={t.roleHints[role]} />
        <Field
          label={t.signIn.password}
          type="password"
          value={password}
          onInput={setPassword}
          autocomplete="new-password"
          error={problem?.field('password') ?? null}
          hint={t.users.passwordHint}
          required
        />
        <ErrorBox error={api.unplaced(error, 'name', 'password')} />
        <div class="actions">
          <Button type="submit" kind="main" busy={busy} disabled={!name.trim() || !password}>
            {t.users.add}
          </Button>
          <Button onClick={onClose}>{t.cancel}</Button>
        </div>
      </form>
    </Dialog>
  );
}

function NewPassword({ user, onClose }: { user: User; onClose: () => void }): JSX.Element {
  const [password, setPassword] = useState('');
  const [error, setError] = useState<unknown>(null);
  const submit = (e: Event): void => {
    e.preventDefault();
    api.users.change(user.id, { password }).then(onClose, setError);
  };
  return (
    <Dialog title={t.users.passwordOf(user.name)} onClose={onClose}>
      <form onSubmit={submit}>
        <Field
          label={t.account.newPassword}
          type="password"
          value={password}
          onInput={setPassword}
          autocomplete="new-password"
          error={error ? plain(error) : null}
          hint={t.users.passwordHint}
          focus
          required
        />
        <div class="actions">
          <Button type="submit" kind="main" disabled={!password}>
            {t.save}
          </Button>
          <Button onClick={onClose}>{t.cancel}</Button>
        </div>
      </form>
    </Dialog>
  );
}

export function UsersPage(): JSX.Element {
  const f = useFetched('users', () => api.users.list({ limit: 1000 }));
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<User | null>(null);
  const [password, setPassword] = useState<User | null>(null);
  const [error, setError] = useState<unknown>(null);
  const me = session.value?.user;
  const setRole = (u: User, role: string): void => {
    setError(null);
    api.users.change(u.id, { role: role as Role }).then(f.reload, (e: unknown) => {
      setError(e);
      f.reload();
    });
  };
  return (
    <div class="page">
      <PageHead title={t.nav.users} lead={t.users.lead}>
        <Button icon="plus" kind="main" onClick={() => setAdding(true)}>
          {t.users.add}
        </Button>
      </PageHead>
      <ErrorBox error={error ?? f.error} retry={error ? undefined : f.reload} />
      {!f.data && !f.error && <Loading />}
      <ul class="plain-list rows-list users">
        {f.data?.items.map((u) => (
          <li key={u.id}>
            <span class="avatar" aria-hidden="true">
              {u.name.slice(0, 1).toUpperCase()}
            </span>
            <div class="grow">
              <strong>{u.name}</strong> {u.name === me && <span class="sub">{t.users.you}</span>}
              <div class="sub">
                {u.last_login ? (
                  <>
                    {t.users.lastLogin} <Ago at={u.last_login} />
                  </>
                ) : (
                  t.users.never
                )}
              </div>
            </div>
            {u.name === me ? (
              <span>{t.roles[u.role]}</span>
            ) : (
              <>
                <Select label={t.users.roleOf(u.name)} hideLabel value={u.role} options={ROLES} onChange={(v) => setRole(u, v)} />
                <Button icon="key" kind="quiet" label={t.users.passwordOf(u.name)} onClick={() => setPassword(u)} />
                <Button icon="cross" kind="quiet" label={t.users.removeOf(u.name)} onClick={() => setRemoving(u)} />
              </>
            )}
          </li>
        ))}
      </ul>
      <PermissionMatrix />
      {adding && <AddUser onClose={() => setAdding(false)} onSaved={f.reload} />}
      {password && <NewPassword user={password} onClose={() => setPassword(null)} />}
      {removing && (
        <Confirm
          title={t.users.remove}
          text={t.users.removeAsk(removing.name)}
          action={t.users.remove}
          onDo={() => api.users.remove(removing.id).then(f.reload)}
          onClose={() => setRemoving(null)}
        />
      )}
    </div>
  );
}
