// SPDX-License-Identifier: Apache-2.0
// One's own account: appearance, password, signing out. On small screens also the way to the rarer pages.

import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import * as api from '../api';
import { Icon, type IconName } from '../icons';
import { session, signOut } from '../session';
import { t } from '../strings';
import { applyTheme, type Theme, theme } from '../theme';
import { Button, ErrorBox, Field, PageHead, plain, say } from '../ui';
import { Sessions, Tokens } from './access';

const THEMES: [Theme, string, IconName][] = [
  ['auto', t.account.auto, 'auto'],
  ['light', t.account.light, 'sun'],
  ['dark', t.account.dark, 'moon'],
];

function PasswordForm(): JSX.Element {
  const [old, setOld] = useState('');
  const [next, setNext] = useState('');
  const [error, setError] = useState<unknown>(null);
  const [done, setDone] = useState(false);
  const problem = error instanceof api.Problem ? error : null;
  const oldWrong = problem && (problem.code === 'bad-credentials' || problem.field('old')) ? t.account.wrongOld : null;
  const submit = (e: Event): void => {
    e.preventDefault();
    setError(null);
    setDone(false);
    api.session.changePassword(old, next).then(() => {
      setOld('');
      setNext('');
      setDone(true);
      say(t.account.changed);
    }, setError);
  };
  return (
    <form class="card" onSubmit={submit}>
      <h2>{t.account.password}</h2>
      <Field label={t.account.oldPassword} type="password" value={old} onInput={setOld} autocomplete="current-password" error={oldWrong} required />
      <Field
        label={t.account.newPassword}
        type="password"
        value={next}
        onInput={setNext}
        autocomplete="new-password"
        error={problem && !oldWrong ? (problem.field('new') ?? plain(problem)) : null}
        hint={t.users.passwordHint}
        required
      />
      <div class="actions">
        <Button type="submit" kind="main" disabled={!old || !next}>
          {t.account.change}
        </Button>
        {done && (
          <span class="good-text">
            <Icon name="check" size={18} /> {t.account.changed}
          </span>
        )}
      </div>
      {!problem && <ErrorBox error={error} />}
    </form>
  );
}

export function AccountPage({ entries }: { entries: { path: string; text: string; icon: IconName }[] }): JSX.Element {
  const s = session.value;
  return (
    <div class="page narrow">
      <PageHead title={t.account.title} lead={s ? `${s.user} · ${t.roles[s.role] ?? s.role} · ${s.store.name}` : ''}>
        <Button icon="out" onClick={() => void signOut()}>
          {t.account.signOut}
        </Button>
      </PageHead>
      {entries.length > 0 && (
        <ul class="plain-list more-links">
          {entries.map((e) => (
            <li key={e.path}>
              <a href={`/${e.path}`} class="button plain">
                <Icon name={e.icon} />
                <span>{e.text}</span>
              </a>
            </li>
          ))}
        </ul>
      )}
      <section class="card">
        <h2>{t.account.appearance}</h2>
        <div class="segmented" role="group" aria-label={t.account.appearance}>
          {THEMES.map(([value, text, icon]) => (
            <Button key={value} icon={icon} pressed={theme.value === value} onClick={() => applyTheme(value)}>
              {text}
            </Button>
          ))}
        </div>
      </section>
      <PasswordForm />
      <Sessions />
      <Tokens />
    </div>
  );
}
