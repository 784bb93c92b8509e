// SPDX-License-Identifier: Apache-2.0
// Who is signed in, and what the page may offer them. The server decides again on every call.

import { computed, signal } from '@preact/signals';
import * as api from './api';
import { setZone } from './format';
import { go, here } from './router';
import type { Permission, Session } from './types';

/** undefined: not known yet; null: nobody. */
export const session = signal<Session | null | undefined>(undefined);

/** Set when the server could not be reached at the start. */
export const startProblem = signal<unknown>(null);

/** Set when a session ended by itself, so that the sign-in page can say so. */
export const expired = signal(false);

export const currency = computed(() => session.value?.store.currency ?? 'EUR');

export function may(p: Permission): boolean {
  return session.value?.permissions.includes(p) ?? false;
}

/** Where each role's first task is. */
export function firstPage(s: Session): string {
  switch (s.role) {
    case 'stock':
      return '/stock';
    case 'it':
      return '/agents';
    default:
      return '/products';
  }
}

function begin(s: Session): void {
  setZone(s.store.zone);
  expired.value = false;
  session.value = s;
  const path = here.value.path;
  if (path === '/' || path === '/sign-in') {
    go(firstPage(s), 'replace');
  }
}

export async function loadSession(): Promise<void> {
  startProblem.value = null;
  try {
    begin(await api.session.get());
  } catch (e) {
    if (e instanceof api.Problem && e.status === 401) {
      session.value = null;
    } else {
      startProblem.value = e;
    }
  }
}

export async function signIn(user: string, password: string): Promise<void> {
  begin(await api.session.signIn(user, password));
}

export async function signOut(): Promise<void> {
  try {
    await api.session.signOut();
  } finally {
    session.value = null;
    expired.value = false;
    go('/', 'replace');
  }
}

api.setUnauthorizedHandler(() => {
  if (session.value) {
    expired.value = true;
    session.value = null;
  }
});
