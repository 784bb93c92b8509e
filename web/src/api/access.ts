// SPDX-License-Identifier: Apache-2.0
// Who is signed in, and the tokens of machines.

import { call, idempotencyKey, type ListOptions, listCall } from '../api';
import type { Page, Permission } from '../types';

export interface SessionRow {
  id: string;
  user: string;
  created: string;
  seen: string;
  expires: string;
  current: boolean;
}

export interface Token {
  id: number;
  name: string;
  user: string;
  permissions: Permission[];
  created: string;
  expires: string;
  last_used: string | null;
  /** Only in the answer that makes it. */
  token?: string;
}

export const sessions = {
  list: () => call<{ items: SessionRow[] }>('GET', '/sessions'),
  end: (id: string) => call<void>('DELETE', '/sessions/{id}', { args: [id] }),
};

export const tokens = {
  list: (o: ListOptions = {}) => listCall<Page<Token>>('/tokens', o),
  make: (name: string, permissions: Permission[], ttl: number) =>
    call<Token>('POST', '/tokens', { body: { name, permissions, ttl_s: ttl }, headers: { 'Idempotency-Key': idempotencyKey() } }),
  revoke: (id: number) => call<void>('DELETE', '/tokens/{id}', { args: [id] }),
};
