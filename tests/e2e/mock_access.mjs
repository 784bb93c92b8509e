// SPDX-License-Identifier: Apache-2.0
// The mock server's sessions and tokens.

import { need, Refusal } from './mock_base.mjs';

const HOUR = 3600_000;
const at = (ms) => new Date(Date.now() + ms).toISOString();

export function makeAccess() {
  return {
    others: [{ id: 'ab'.repeat(16), user: 'manager', created: at(-5 * HOUR), seen: at(-HOUR), expires: at(7 * HOUR), current: false }],
    tokens: [{ id: 1, name: 'till 1', user: 'admin', permissions: ['sales'], created: at(-72 * HOUR), expires: at(700 * HOUR), last_used: at(-60_000) }],
  };
}

function listSessions(c) {
  const mine = { id: 'cd'.repeat(16), user: c.user.name, created: at(-600_000), seen: at(0), expires: at(11 * HOUR), current: true };
  return { items: [mine, ...this.access.others.filter((s) => c.user.role === 'admin' || s.user === c.user.name)] };
}

function end(c, id) {
  need(this.access.others.some((s) => s.id === id));
  this.access.others = this.access.others.filter((s) => s.id !== id);
  return null;
}

function make(c) {
  if (this.access.tokens.some((t) => t.name === c.json.name)) {
    throw new Refusal(409, 'name-taken', 'There is a token of this name.');
  }
  const t = { id: this.access.tokens.length + 1, name: c.json.name, user: c.user.name, permissions: c.json.permissions, created: at(0), expires: at(c.json.ttl_s * 1000), last_used: null };
  this.access.tokens.push(t);
  return { status: 201, body: { ...t, token: 'gt_4Qh7mZxT2wYpLr8sVb3nKc6d' } };
}

export const ACCESS_ROUTES = [
  ['GET', /^\/sessions$/, listSessions, 'self'],
  ['DELETE', /^\/sessions\/([0-9a-f]{32})$/, end, 'self'],
  ['GET', /^\/tokens$/, function (c) { return { items: this.access.tokens.filter((t) => c.user.role === 'admin' || t.user === c.user.name), next: null }; }, 'self'],
  ['POST', /^\/tokens$/, make, 'self'],
  ['DELETE', /^\/tokens\/(\d+)$/, function (c, id) { this.access.tokens = this.access.tokens.filter((t) => String(t.id) !== id); return null; }, 'self'],
];
