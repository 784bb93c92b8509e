// SPDX-License-Identifier: Apache-2.0
// The frame around every page: what one may open, whether the page is live, who is signed in.

import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { Icon, type IconName } from './icons';
import { liveState, startLive } from './live';
import { AccountPage } from './pages/account';
import { AgentsPage } from './pages/agents';
import { AuditPage } from './pages/audit';
import { ImportPage } from './pages/import';
import { ItemPage } from './pages/item';
import { ItemsPage } from './pages/items';
import { LabelsPage } from './pages/labels';
import { PlacesPage } from './pages/places';
import { ProductsPage } from './pages/products';
import { SignInPage } from './pages/signin';
import { StockPage } from './pages/stock';
import { UsersPage } from './pages/users';
import { segments } from './router';
import { loadSession, may, session, startProblem } from './session';
import { t } from './strings';
import type { Permission } from './types';
import { Announcer, Chip, Empty, ErrorBox, LinkButton, Loading } from './ui';
import { startWatching } from './watch';

interface NavEntry {
  path: string;
  text: string;
  icon: IconName;
  needs: Permission;
}

const NAV: NavEntry[] = [
  { path: 'products', text: t.nav.products, icon: 'tag', needs: 'view' },
  { path: 'labels', text: t.nav.labels, icon: 'label', needs: 'view' },
  { path: 'stock', text: t.nav.stock, icon: 'boxes', needs: 'view' },
  { path: 'agents', text: t.nav.agents, icon: 'antenna', needs: 'view' },
  { path: 'users', text: t.nav.users, icon: 'users', needs: 'users' },
  { path: 'audit', text: t.nav.audit, icon: 'list', needs: 'audit' },
];

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

function Nav(): JSX.Element {
  const at = segments.value[0];
  const entries = NAV.filter((e) => may(e.needs));
  return (
    <nav class="nav" aria-label={t.nav.title}>
      {entries.map((e) => (
        <a key={e.path} href={`/${e.path}`} class={entries.indexOf(e) > 3 ? 'minor' : ''} aria-current={at === e.path ? 'page' : undefined}>
          <Icon name={e.icon} size={22} />
          <span>{e.text}</span>
        </a>
      ))}
      <a href="/account" class="nav-account" aria-current={at === 'account' ? 'page' : undefined}>
        <Icon name="more" size={22} />
        <span>{t.nav.more}</span>
      </a>
    </nav>
  );
}

function Missing(): JSX.Element {
  return (
    <Empty icon="unknown" title={t.missing.title}>
      <p>{t.missing.text}</p>
      <LinkButton href="/products" kind="main">
        {t.nav.products}
      </LinkButton>
    </Empty>
  );
}

function Route(): JSX.Element {
  const [page, id] = segments.value;
  switch (page) {
    case undefined:
    case 'sign-in':
    case 'products':
      return id === 'import' ? <ImportPage /> : <ProductsPage id={id ? Number(id) : null} />;
    case 'labels':
      return <LabelsPage id={id ?? null} />;
    case 'stock':
      return id === 'items' ? <ItemsPage /> : id === 'places' ? <PlacesPage /> : <StockPage />;
    case 'items':
      return id ? <ItemPage key={id} epc={id} /> : <ItemsPage />;
    case 'agents':
      return <AgentsPage id={id ? Number(id) : null} />;
    case 'users':
      return may('users') ? <UsersPage /> : <Missing />;
    case 'audit':
      return may('audit') ? <AuditPage /> : <Missing />;
    case 'account':
      return <AccountPage entries={NAV.slice(4).filter((e) => may(e.needs))} />;
    default:
      return <Missing />;
  }
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
    const stops = [startLive(loadSession), startWatching()];
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
        <Route />
      </main>
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
