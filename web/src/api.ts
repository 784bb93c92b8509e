// SPDX-License-Identifier: Apache-2.0
// The only door to the server: one function per use of the public API, here or in api/ by subject. Every path is
// written as a template, so that a test can hold these files against openapi.yaml.

import type * as T from './types';

const BASE = '/api/v1';

/** An answer that is not a success: RFC 9457 problem details, or what we know when there are none. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly body: T.ProblemBody,
    readonly retryAfter: number | null = null,
  ) {
    super(body.detail || body.title);
  }
  get code(): string {
    return this.body.code;
  }
  /** The message for one field of the request, if the server named it. */
  field(name: string): string | null {
    const hit = this.body.errors?.find((e) => e.pointer === `/${name}` || e.pointer === `#/${name}`);
    if (hit) {
      return hit.detail;
    }
    if (this.code === 'bad-user') {
      return name === (/password/i.test(this.message) ? 'password' : /role/i.test(this.message) ? 'role' : 'name') ? this.message : null;
    }
    return CODE_FIELDS[this.code]?.includes(name) ? this.message : null;
  }
}

/** Codes that can only be about one field. */
const CODE_FIELDS: Record<string, string[]> = {
  'bad-password': ['password', 'new'],
  'weak-password': ['password', 'new'],
  'name-taken': ['name'],
  'bad-check-digit': ['gtin'],
  'duplicate-gtin': ['gtin'],
  'bad-gtin': ['gtin'],
};

/** The error, unless one of these fields already shows it. */
export function unplaced(error: unknown, ...fields: string[]): unknown {
  return error instanceof Problem && fields.some((f) => error.field(f) !== null) ? null : error;
}

export type Query = Record<string, string | number | boolean | null | undefined>;
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

let onUnauthorized: () => void = () => undefined;

/** Called when the server no longer knows this session. */
export function setUnauthorizedHandler(f: () => void): void {
  onUnauthorized = f;
}

/** Fills the {} of a path template, in order, and adds the query. */
export function urlOf(template: string, args: (string | number)[] = [], query: Query = {}): string {
  let i = 0;
  const path = template.replace(/\{[a-z_]+\}/g, () => encodeURIComponent(String(args[i++])));
  const q = new URLSearchParams();
  for (const [k, v] of Object.entries(query)) {
    if (v !== null && v !== undefined && v !== '') {
      q.set(k, String(v));
    }
  }
  const tail = q.toString();
  return BASE + path + (tail ? `?${tail}` : '');
}

/** A key that lets the server recognise a repeated request. */
export function idempotencyKey(): string {
  return crypto.randomUUID();
}

export function problemOf(status: number, text: string, retryAfter: string | null): Problem {
  const after = retryAfter ? Number.parseInt(retryAfter, 10) : Number.NaN;
  let body: T.ProblemBody | null = null;
  try {
    const v: unknown = JSON.parse(text);
    if (v && typeof v === 'object' && 'code' in v) {
      body = v as T.ProblemBody;
    }
  } catch {
    // not JSON: a proxy's page, or nothing at all
  }
  body ??= { type: 'about:blank', title: `HTTP ${status}`, status, code: status >= 500 ? 'server-error' : 'refused' };
  return new Problem(status, body, Number.isFinite(after) ? after : null);
}

export interface CallOptions {
  args?: (string | number)[];
  query?: Query;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  quiet?: boolean;
}

export async function request(method: Method, template: string, o: CallOptions = {}): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json', ...o.headers };
  const init: RequestInit = { method, headers, credentials: 'same-origin', cache: 'no-store' };
  if (o.signal) {
    init.signal = o.signal;
  }
  if (method !== 'GET') {
    headers['Content-Type'] = 'application/json';
    init.body = o.body === undefined ? null : JSON.stringify(o.body);
  }
  let res: Response;
  try {
    res = await fetch(urlOf(template, o.args, o.query), init);
  } catch (e) {
    if (e instanceof DOMException && e.name === 'AbortError') {
      throw e;
    }
    throw new Problem(0, { type: 'about:blank', title: 'no answer', status: 0, code: 'unreachable' });
  }
  if (!res.ok) {
    if (res.status === 401 && !o.quiet) {
      onUnauthorized();
    }
    throw problemOf(res.status, await res.text(), res.headers.get('Retry-After'));
  }
  return res;
}

export async function call<R>(method: Method, template: string, o: CallOptions = {}): Promise<R> {
  const res = await request(method, template, o);
  const text = await res.text();
  return (text ? JSON.parse(text) : undefined) as R;
}

export interface ListOptions {
  limit?: number;
  after?: string | null;
  signal?: AbortSignal;
}

export function listCall<R>(template: string, o: ListOptions, query: Query = {}, args: (string | number)[] = []): Promise<R> {
  const c: CallOptions = { args, query: { ...query, limit: o.limit, after: o.after } };
  if (o.signal) {
    c.signal = o.signal;
  }
  return call<R>('GET', template, c);
}

export const session = {
  get: () => call<T.Session>('GET', '/session', { quiet: true }),
  signIn: (user: string, password: string) =>
    call<T.Session>('POST', '/session', { body: { user, password }, quiet: true }),
  signOut: () => call<void>('DELETE', '/session', { quiet: true }),
  changePassword: (old: string, next: string) =>
    call<void>('PUT', '/session/password', { body: { old, new: next }, quiet: true }),
};

export const users = {
  list: (o: ListOptions = {}) => listCall<T.Page<T.User>>('/users', o),
  create: (name: string, role: T.Role, password: string) =>
    call<T.User>('POST', '/users', { body: { name, role, password } }),
  change: (id: number, body: { role?: T.Role; password?: string }) =>
    call<T.User>('PATCH', '/users/{id}', { args: [id], body }),
  remove: (id: number) => call<void>('DELETE', '/users/{id}', { args: [id] }),
};

export interface NewProduct {
  gtin: string;
  name: string;
  brand?: string;
  category?: string;
  content?: string;
  unit?: string;
}

export const products = {
  list: (q: string, o: ListOptions = {}) => listCall<T.Page<T.Product>>('/products', o, { q }),
  get: (id: number) => call<T.Product>('GET', '/products/{id}', { args: [id] }),
  byGtin: (gtin: string) => call<T.Product>('GET', '/products/by-gtin/{gtin}', { args: [gtin] }),
  create: (p: NewProduct) => call<T.Product>('POST', '/products', { body: p }),
  change: (id: number, etag: string | undefined, body: Partial<NewProduct>) =>
    call<T.Product>('PATCH', '/products/{id}', { args: [id], body, headers: etag ? { 'If-Match': etag } : {} }),
};

export interface ImportHandle<R = T.ImportResult> {
  done: Promise<R>;
  cancel: () => void;
}

/** Uploads a CSV file. XMLHttpRequest, because fetch does not report how much has gone out. */
export function uploadCsv<R>(template: string, query: Query, file: Blob, progress: (sent: number, of: number) => void): ImportHandle<R> {
  const xhr = new XMLHttpRequest();
  const done = new Promise<R>((resolve, reject) => {
    xhr.open('POST', urlOf(template, [], query));
    xhr.setRequestHeader('Content-Type', 'text/csv');
    xhr.upload.onprogress = (e) => progress(e.loaded, e.total);
    xhr.onerror = () => reject(problemOf(0, '{"code":"unreachable","title":"no answer"}', null));
    xhr.onabort = () => reject(problemOf(0, '{"code":"cancelled","title":"cancelled"}', null));
    xhr.onload = () => {
      if (xhr.status === 401) {
        onUnauthorized();
      }
      if (xhr.status >= 200 && xhr.status < 300) {
        resolve(JSON.parse(xhr.responseText) as R);
      } else {
        reject(problemOf(xhr.status, xhr.responseText, xhr.getResponseHeader('Retry-After')));
      }
    };
    xhr.send(file);
  });
  return { done, cancel: () => xhr.abort() };
}

export const importProducts = (file: Blob, dryRun: boolean, progress: (sent: number, of: number) => void): ImportHandle =>
  uploadCsv('/products/import', { dry_run: dryRun ? 1 : 0 }, file, progress);

export const prices = {
  change: (product: number, priceMinor: number, currency: string, reason: string) =>
    call<T.PriceChange>('POST', '/price-changes', {
      body: { product_id: product, price_minor: priceMinor, currency, ...(reason ? { reason } : {}) },
      headers: { 'Idempotency-Key': idempotencyKey() },
    }),
  history: (product: number, o: ListOptions = {}) =>
    listCall<T.Page<T.PriceChange>>('/price-changes', o, { product_id: product }),
};

export const labels = {
  list: (q: string, state: string, o: ListOptions = {}) => listCall<T.Page<T.Label>>('/labels', o, { q, state }),
  get: (id: string) => call<T.Label>('GET', '/labels/{id}', { args: [id] }),
  link: (id: string, gtin: string, relink: boolean) =>
    call<T.Label>('PUT', '/labels/{id}/link', { args: [id], body: { gtin, ...(relink ? { relink: true } : {}) } }),
  unlink: (id: string) => call<void>('DELETE', '/labels/{id}/link', { args: [id] }),
  history: (id: string, o: ListOptions = {}) =>
    listCall<T.Page<T.LabelEvent>>('/labels/{id}/history', o, {}, [id]),
  /** The address of the picture; the hash in it makes the browser load a new one when it changes. */
  imageUrl: (id: string, what: 'wanted' | 'sent' | 'shown', image: string, scale: number) =>
    urlOf('/labels/{id}/image.png', [id], { what, scale, v: image.slice(0, 16) }),
  /** The address of any picture of the label's history. */
  pastImageUrl: (id: string, image: string, scale: number) => urlOf('/labels/{id}/image.png', [id], { image, scale }),
  preview: async (product: number, priceMinor: number, l: Pick<T.Label, 'width' | 'height' | 'display_type'>) => {
    const body = {
      product_id: product,
      price_minor: priceMinor,
      width: l.width,
      height: l.height,
      display_type: l.display_type,
    };
    const res = await request('POST', '/templates/preview', { body, headers: { Accept: 'image/png' } });
    return res.blob();
  },
};

export const places = {
  list: (o: ListOptions = {}) => listCall<T.Page<T.Place>>('/places', o),
  create: (name: string, kind: T.PlaceKind) => call<T.Place>('POST', '/places', { body: { name, kind } }),
  change: (id: number, body: { name?: string; kind?: T.PlaceKind }) =>
    call<T.Place>('PATCH', '/places/{id}', { args: [id], body }),
  remove: (id: number) => call<void>('DELETE', '/places/{id}', { args: [id] }),
};

export const antennas = {
  list: (o: ListOptions = {}) => listCall<T.Page<T.Antenna>>('/antennas', o),
  assign: (a: T.Antenna, place: number | null) =>
    call<void>('PUT', '/antennas/{agent_id}/{reader}/{n}', {
      args: [a.agent_id, a.reader, a.antenna],
      body: { place_id: place },
    }),
};

export interface StockQuery {
  q?: string;
  product_id?: number;
  place_id?: number;
}

export const stock = {
  list: (query: StockQuery, o: ListOptions = {}) => listCall<T.StockPage>('/stock', o, { ...query }),
};

export interface ItemQuery {
  product_id?: string;
  gtin?: string;
  place_id?: string;
}

export const items = {
  list: (query: ItemQuery, o: ListOptions = {}) => listCall<T.Page<T.Item>>('/items', o, { ...query }),
  get: (epc: string) => call<T.Item>('GET', '/items/{epc}', { args: [epc] }),
  events: (epc: string, o: ListOptions = {}) => listCall<T.Page<T.ItemEvent>>('/items/{epc}/events', o, {}, [epc]),
};

export interface ReaderConfig {
  host: string;
  port: number;
  antennas: number[];
  session: number;
  /** Hundredths of a dBm; 0 leaves the reader its own setting. */
  power_cdbm: number;
}

export const agents = {
  list: (o: ListOptions = {}) => listCall<T.Page<T.Agent>>('/agents', o),
  get: (id: number) => call<T.Agent>('GET', '/agents/{id}', { args: [id] }),
  revoke: (id: number) => call<void>('DELETE', '/agents/{id}', { args: [id] }),
  setReader: (id: number, name: string, c: ReaderConfig) =>
    call<void>('PUT', '/agents/{id}/readers/{name}', { args: [id, name], body: c }),
  removeReader: (id: number, name: string) =>
    call<void>('DELETE', '/agents/{id}/readers/{name}', { args: [id, name] }),
  joinCodes: (o: ListOptions = {}) => listCall<T.Page<T.JoinCode>>('/agents/join-codes', o),
  makeJoinCode: (uses: number, ttl: number, note: string, replaces?: number) =>
    call<T.JoinCode>('POST', '/agents/join-codes', { body: { uses, ttl_s: ttl, note, ...(replaces ? { replaces } : {}) } }),
  removeJoinCode: (id: number) => call<void>('DELETE', '/agents/join-codes/{id}', { args: [id] }),
};

/** `action` may end in a point: "label." is everything about labels. */
export interface AuditFilter {
  who?: string;
  action?: string;
  object?: string;
}

export const audit = {
  list: (filter: AuditFilter = {}, o: ListOptions = {}) => listCall<T.Page<T.AuditEntry>>('/audit', o, { ...filter }),
};

/** Where events come from; see live.ts. */
export const eventsUrl = (): string => urlOf('/events');
