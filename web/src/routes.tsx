// SPDX-License-Identifier: Apache-2.0
// Which page an address opens, and what the navigation offers to whom. Each page is a script of its own.

import type { JSX } from 'preact';
import type { IconName } from './icons';
import { type LazyPage, lazy } from './lazy';
import { may } from './session';
import { t } from './strings';
import type { Permission, Role } from './types';
import { Empty, LinkButton } from './ui';

export interface NavEntry {
  path: string;
  text: string;
  icon: IconName;
  needs: Permission;
  /** Entries of one group stand together. */
  group: number;
}

const NAV: NavEntry[] = [
  { path: 'products', text: t.nav.products, icon: 'tag', needs: 'view', group: 1 },
  { path: 'promotions', text: t.nav.promotions, icon: 'percent', needs: 'view', group: 1 },
  { path: 'rollouts', text: t.nav.rollouts, icon: 'waves', needs: 'view', group: 1 },
  { path: 'labels', text: t.nav.labels, icon: 'label', needs: 'view', group: 1 },
  { path: 'stock', text: t.nav.stock, icon: 'boxes', needs: 'view', group: 2 },
  { path: 'differences', text: t.nav.differences, icon: 'differ', needs: 'view', group: 2 },
  { path: 'plan', text: t.nav.plan, icon: 'plan', needs: 'view', group: 2 },
  { path: 'incidents', text: t.nav.incidents, icon: 'warn', needs: 'view', group: 3 },
  { path: 'agents', text: t.nav.agents, icon: 'antenna', needs: 'view', group: 3 },
  { path: 'radio', text: t.nav.radio, icon: 'sine', needs: 'view', group: 3 },
  { path: 'users', text: t.nav.users, icon: 'users', needs: 'users', group: 3 },
  { path: 'audit', text: t.nav.audit, icon: 'list', needs: 'audit', group: 3 },
];

/** The bar of a small screen has room for four; the others are behind More. */
const FIRST_FOUR: Record<Role, string[]> = {
  admin: ['products', 'labels', 'stock', 'agents'],
  manager: ['products', 'promotions', 'labels', 'stock'],
  stock: ['stock', 'differences', 'labels', 'products'],
  it: ['incidents', 'agents', 'labels', 'stock'],
  viewer: ['products', 'promotions', 'labels', 'stock'],
};

export function navFor(role: Role | undefined): { entry: NavEntry; minor: boolean }[] {
  const four = FIRST_FOUR[role ?? 'viewer'] ?? FIRST_FOUR.viewer;
  return NAV.filter((e) => may(e.needs)).map((entry) => ({ entry, minor: !four.includes(entry.path) }));
}

const Account = lazy(() => import('./pages/account').then((m) => m.AccountPage));
const Agents = lazy(() => import('./pages/agents').then((m) => m.AgentsPage));
const Audit = lazy(() => import('./pages/audit').then((m) => m.AuditPage));
const Books = lazy(() => import('./pages/books').then((m) => m.BooksPage));
const Deliveries = lazy(() => import('./pages/deliveries').then((m) => m.DeliveriesPage));
const Differences = lazy(() => import('./pages/differences').then((m) => m.DifferencesPage));
const Import = lazy(() => import('./pages/import').then((m) => m.ImportPage));
const Incidents = lazy(() => import('./pages/incidents').then((m) => m.IncidentsPage));
const Item = lazy(() => import('./pages/item').then((m) => m.ItemPage));
const Items = lazy(() => import('./pages/items').then((m) => m.ItemsPage));
const Labels = lazy(() => import('./pages/labels').then((m) => m.LabelsPage));
const LinkHistory = lazy(() => import('./pages/link_history').then((m) => m.LinkHistoryPage));
const LinkImport = lazy(() => import('./pages/link_import').then((m) => m.LinkImportPage));
const Places = lazy(() => import('./pages/places').then((m) => m.PlacesPage));
const Plan = lazy(() => import('./pages/plan').then((m) => m.PlanPage));
const Products = lazy(() => import('./pages/products').then((m) => m.ProductsPage));
const Promotions = lazy(() => import('./pages/promotions').then((m) => m.PromotionsPage));
const Radio = lazy(() => import('./pages/radio').then((m) => m.RadioPage));
const Reader = lazy(() => import('./pages/reader').then((m) => m.ReaderPage));
const Rollouts = lazy(() => import('./pages/rollouts').then((m) => m.RolloutsPage));
const Sales = lazy(() => import('./pages/sales').then((m) => m.SalesPage));
const Stock = lazy(() => import('./pages/stock').then((m) => m.StockPage));
const Strangers = lazy(() => import('./pages/strangers').then((m) => m.StrangersPage));
const Doors = lazy(() => import('./pages/doors').then((m) => m.DoorsPage));
const Walks = lazy(() => import('./pages/walks').then((m) => m.WalksPage));
const Users = lazy(() => import('./pages/users').then((m) => m.UsersPage));

/** In the order in which they are fetched when the browser has nothing better to do. */
const PAGES = [Products, Promotions, Labels, Stock, Rollouts, Agents, Incidents, Reader, Differences, Plan, Account, Items, Item, Import, Places, Audit, Users, Books, Deliveries, Sales, Strangers, LinkHistory, LinkImport, Radio, Walks, Doors];

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

function idOf(id: string | undefined): number | null {
  return id && /^\d+$/.test(id) ? Number(id) : null;
}

function differencesPage(id: string | undefined, what: string | null): JSX.Element {
  switch (id) {
    case 'books':
      return <Books id={what} />;
    case 'deliveries':
      return <Deliveries id={what} />;
    case 'sales':
      return <Sales />;
    case 'strangers':
      return <Strangers />;
    default:
      return <Differences id={idOf(id)} />;
  }
}

function placesPage(what: string | undefined): JSX.Element {
  return what === 'walks' ? <Walks /> : what === 'doors' ? <Doors /> : <Places />;
}

/** The page of an address. Each `key` makes a new page of a new thing. */
export function pageOf([page, id, what]: string[], role: Role | undefined): JSX.Element {
  switch (page) {
    case undefined:
    case 'sign-in':
    case 'products':
      return id === 'import' ? <Import /> : <Products id={idOf(id)} />;
    case 'promotions':
      return <Promotions id={id ?? null} what={what ?? null} />;
    case 'rollouts':
      return <Rollouts id={id ?? null} />;
    case 'labels':
      return id === 'import' ? <LinkImport /> : id === 'links' ? <LinkHistory /> : <Labels id={id ?? null} />;
    case 'stock':
      return id === 'items' ? <Items /> : id === 'places' ? placesPage(what) : <Stock />;
    case 'items':
      return id ? <Item key={id} epc={id} /> : <Items />;
    case 'differences':
      return differencesPage(id, what ?? null);
    case 'plan':
      return <Plan />;
    case 'incidents':
      return <Incidents id={idOf(id)} />;
    case 'agents':
      return what && idOf(id) !== null ? <Reader key={`${id}/${what}`} id={Number(id)} name={what} /> : <Agents id={idOf(id)} />;
    case 'radio':
      return <Radio />;
    case 'users':
      return may('users') ? <Users /> : <Missing />;
    case 'audit':
      return may('audit') ? <Audit /> : <Missing />;
    case 'account':
      return <Account entries={navFor(role).flatMap((n) => (n.minor ? [n.entry] : []))} />;
    default:
      return <Missing />;
  }
}

/** Begins to fetch the page of an address, before one knows who is signed in. */
export function preloadPage(segments: string[]): void {
  const type = pageOf(segments, undefined).type as Partial<LazyPage<never>>;
  void type.preload?.();
}

/** Fetches the other pages one after the other while the browser is idle, so that they open at once. */
export function preloadAll(): void {
  const saving = (navigator as { connection?: { saveData?: boolean } }).connection?.saveData;
  const idle = window.requestIdleCallback ?? ((f: () => void) => setTimeout(f, 300));
  const rest: { preload: () => Promise<void> }[] = saving ? [] : [...PAGES];
  const step = (): void => {
    void rest.shift()?.preload().then(() => idle(step));
  };
  idle(step);
}
