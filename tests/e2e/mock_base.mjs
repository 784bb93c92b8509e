// SPDX-License-Identifier: Apache-2.0
// What every part of the mock server is made of: its headers, refusals, pages of a list, and the simplest handlers.

import { labelPng } from './mock_png.mjs';

export const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

export const HEADERS = {
  'Content-Security-Policy': CSP,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};
export const PASSWORD = 'correct horse';

export class Refusal extends Error {
  constructor(status, code, detail, errors) {
    super(detail);
    Object.assign(this, { status, code, detail, errors });
  }
}

export function page(all, query, extra = {}) {
  const limit = Math.min(1000, Number(query.get('limit') ?? 100));
  const start = Number(query.get('after') ?? 0);
  const end = start + limit;
  return { items: all.slice(start, end), next: end < all.length ? String(end) : null, total: all.length, ...extra };
}

export function words(q) {
  return (q ?? '').toLowerCase().split(/\s+/).filter(Boolean);
}

export function need(x) {
  if (!x) {
    throw new Refusal(404, 'not-found', 'There is no such thing');
  }
  return x;
}

export function png(c, l, name, price, gtin, was = null) {
  c.rs.writeHead(200, { ...HEADERS, 'Content-Type': 'image/png' });
  c.rs.end(labelPng({ width: l.width, height: l.height, name, price: price.toFixed(2), unitPrice: was ? `WAS ${(was / 100).toFixed(2)}` : '1 KG', gtin, scale: Number(c.query.get('scale') ?? 1), red: l.display_type === 6 }));
}

export function byId(list) {
  return function find(c, id) {
    return need(this.store[list].find((x) => String(x.id) === id));
  };
}

export function change(list) {
  return function edit(c, id) {
    return Object.assign(need(this.store[list].find((x) => String(x.id) === id)), c.json);
  };
}

export function remove(list) {
  return function drop(c, id) {
    this.store[list] = this.store[list].filter((x) => String(x.id) !== id);
    return null;
  };
}

export function add(list) {
  return function create(c) {
    const x = { id: Math.max(0, ...this.store[list].map((y) => y.id)) + 1, ...c.json };
    this.store[list].push(x);
    return { status: 201, body: x };
  };
}
