// SPDX-License-Identifier: Apache-2.0

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Icon } from '../icons';
import { expired, signIn } from '../session';
import { t } from '../strings';
import { Button, ErrorBox, Field } from '../ui';

export function SignInPage(): JSX.Element {
  const [user, setUser] = useState('');
  const [password, setPassword] = useState('');
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    document.title = `${t.signIn.title} · ${t.app}`;
  }, []);
  const submit = (e: Event): void => {
    e.preventDefault();
    setBusy(true);
    setError(null);
    signIn(user.trim(), password).catch((x: unknown) => {
      setError(x);
      setBusy(false);
    });
  };
  return (
    <main class="sign-in">
      <form onSubmit={submit} class="card">
        <div class="brand big">
          <Icon name="gondola" size={40} />
          <span class="brand-name">{t.app}</span>
        </div>
        <h1>{t.signIn.title}</h1>
        {expired.value && !error && <p class="notice tone-warn">{t.signIn.expired}</p>}
        <ErrorBox error={error} />
        <Field label={t.signIn.user} value={user} onInput={setUser} autocomplete="username" required focus />
        <Field
          label={t.signIn.password}
          type="password"
          value={password}
          onInput={setPassword}
          autocomplete="current-password"
          required
        />
        <Button type="submit" kind="main" busy={busy} disabled={!user.trim() || !password} class="full">
          {busy ? t.signIn.busy : t.signIn.action}
        </Button>
        <p class="hint">{t.signIn.help}</p>
      </form>
    </main>
  );
}
