// SPDX-License-Identifier: Apache-2.0
// The frame around every page: what one may open, whether the page is live, who is signed in.

import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { Icon } from './icons';
import { liveState, startLive } from './live';
import { openIncidents, startIncidents } from './open_incidents';
import { SignInPage } from './pages/signin';
import { segments } from './router';
import { navFor, pageOf, preloadAll } from './routes';
import { onScan, ScanDock } from './scan_dock';
import { loadSession, session, startProblem } from './session';
import { t } from './strings';
import { Announcer, Chip, ErrorBox, Loading } from './ui';
import { startWatching } from './watch';
import { startWedge } from './wedge';

function Live(): JSX.Element {
  switch (liveState.value) {
    case 'live':
      return (
        <Chip tone="good" icon="check" title={t.live.liveHint}>
          {t.live.live}
        </Chip>
      );
    case 'paused':
      return (
        <Chip tone="plain" icon="clock">
          {t.live.paused}
        </Chip>
      );
    case 'connecting':
      return (
        <Chip tone="plain" icon="clock">
          {t.live.connecting}
        </Chip>
      );
    default:
      return (
        <Chip tone="warn" icon="refresh" title={t.live.reconnectingHint}>
          {t.live.reconnecting}
        </Chip>
      );
  }
}

/** How many incidents are open; nothing when none is. */
function Alarm(): JSX.Element | null {
  const n = openIncidents.value ?? 0;
  return n > 0 ? (
    <a class="alarm" href="/incidents" data-open-incidents={n} title={t.openIncidents(n)}>
      <Icon name="warn" size={16} />
      <span aria-hidden="true">{n}</span>
      <span class="hidden">{t.openIncidents(n)}</span>
    </a>
  ) : null;
}

function Nav(): JSX.Element {
  const at = segments.value[0];
  const entries = navFor(session.value?.role);
  return (
    <nav class="nav" aria-label={t.nav.title}>
      {entries.map(({ entry: e, minor }, i) => (
        <a
          key={e.path}
          href={`/${e.path}`}
          class={`${minor ? 'minor' : ''} ${i > 0 && entries[i - 1]?.entry.group !== e.group ? 'begins' : ''}`}
          aria-current={at === e.path ? 'page' : undefined}
        >
          <Icon name={e.icon} size={22} />
          <span>{e.text}</span>
        </a>
      ))}
      <a href="/account" class={`nav-account ${entries.some((e) => e.minor && e.entry.path === at) ? 'is-within' : ''}`} aria-current={at === 'account' ? 'page' : undefined}>
        <Icon name="more" size={22} />
        <span>{t.nav.more}</span>
      </a>
    </nav>
  );
}

/** `/` goes to the search box of the page, unless one is typing somewhere. */
function onSlash(e: KeyboardEvent): void {
  if (e.key !== '/' || e.ctrlKey || e.metaKey || e.altKey) {
    return;
  }
  const el = e.target as HTMLElement;
  if (el.matches('input, select, textarea, [contenteditable]') || document.querySelector('dialog[open]')) {
    return;
  }
  const box = document.querySelector<HTMLInputElement>('[data-search]');
  if (box) {
    e.preventDefault();
    box.focus();
    box.select();
  }
}

function Frame(): JSX.Element {
  useEffect(() => {
    const stops = [startLive(loadSession), startIncidents(), startWatching(), startWedge((s) => void onScan(s))];
    preloadAll();
    document.addEventListener('keydown', onSlash);
    return () => {
      stops.forEach((f) => f());
      document.removeEventListener('keydown', onSlash);
    };
  }, []);
  const s = session.value;
  return (
    <div class="frame">
      <a class="skip" href="#main">
        {t.skip}
      </a>
      <header class="top">
        <span class="brand">
          <Icon name="gondola" size={24} />
          <span class="brand-name">{t.app}</span>
        </span>
        <span class="store">{s?.store.name}</span>
        <Alarm />
        <Live />
        <a class="who" href="/account" title={t.account.title}>
          <span class="avatar" aria-hidden="true">
            {s?.user.slice(0, 1).toUpperCase()}
          </span>
          <span class="who-name">{s?.user}</span>
        </a>
      </header>
      <Nav />
      <main id="main" tabIndex={-1}>
        {pageOf(segments.value, s?.role)}
      </main>
      <ScanDock />
      <Announcer />
    </div>
  );
}

export function App(): JSX.Element {
  const s = session.value;
  if (s) {
    return <Frame />;
  }
  if (s === null) {
    return <SignInPage />;
  }
  return (
    <main class="starting">
      <h1 class="hidden">{t.app}</h1>
      {startProblem.value ? <ErrorBox error={startProblem.value} retry={() => void loadSession()} /> : <Loading />}
    </main>
  );
}
