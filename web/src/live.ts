// SPDX-License-Identifier: Apache-2.0
// What the server tells us live. One event stream per page; the browser resumes it by itself with
// Last-Event-ID, and when the server no longer has what we missed everything on the page is fetched anew.

import { signal } from '@preact/signals';
import { eventsUrl } from './api';
import type { PromotionState } from './api/promotions';
import type { RolloutState } from './api/rollouts';
import type * as T from './types';

export type LiveState = 'connecting' | 'live' | 'reconnecting' | 'paused';

export interface LiveEvents {
  price: { product_id: number; price_minor: number | null; currency: string; from: string };
  product: { id?: number };
  label: T.Label;
  stock: { product_id: number | null; gtin?: string | null; place_id: number | null; count: number };
  item: {
    epc: string;
    product_id: number | null;
    place_id: number | null;
    from_place_id: number | null;
    at: string;
    confidence: number;
  };
  agent: T.Agent;
  /** The books or what they are compared with have changed. */
  difference: Record<string, never>;
  /** A walk, its reads, or the models learnt from them have changed. */
  walk: Record<string, never>;
  /** Somebody passed a door, or what became of it is known. */
  passage: Record<string, never>;
  promotion: { id: number; state: PromotionState };
  rollout: { id: number; state: RolloutState; reason: string | null; total: number; staged: number; flipped: number; shown: number; failed: number };
  incident: { id: number; kind: string; subject: string; state: 'open' | 'closed'; severity: string; title: string; agent_id: number; open: number };
  /** Empty when several ran out of time. */
  'tag-operation': { id?: number; state?: string; agent_id?: number; reader?: string };
  /** We missed something: fetch anew. */
  reset: Record<string, never>;
}

export const liveState = signal<LiveState>('connecting');

type Handler<K extends keyof LiveEvents> = (data: LiveEvents[K]) => void;
const handlers = new Map<string, Set<(data: never) => void>>();
const KINDS: (keyof LiveEvents)[] = ['price', 'product', 'label', 'stock', 'item', 'agent', 'difference', 'walk', 'passage', 'promotion', 'rollout', 'incident', 'tag-operation', 'reset'];

/** A hidden page gives its connection back after this time: browsers allow only six to a server. */
const HIDDEN_MS = 60_000;
const RETRY_MS = 3_000;

/** Registers a handler; the returned function takes it away. */
export function on<K extends keyof LiveEvents>(kind: K, f: Handler<K>): () => void {
  let set = handlers.get(kind);
  if (!set) {
    set = new Set();
    handlers.set(kind, set);
  }
  set.add(f as (data: never) => void);
  return () => {
    set.delete(f as (data: never) => void);
  };
}

function emit(kind: string, data: unknown): void {
  for (const f of handlers.get(kind) ?? []) {
    f(data as never);
  }
}

let source: EventSource | null = null;
let retry: ReturnType<typeof setTimeout> | undefined;
let hiddenTimer: ReturnType<typeof setTimeout> | undefined;
let check: () => Promise<void> = () => Promise.resolve();

function open(fresh: boolean): void {
  clearTimeout(retry);
  source?.close();
  const es = new EventSource(eventsUrl());
  source = es;
  es.onopen = () => {
    liveState.value = 'live';
    if (!fresh) {
      fresh = true;
      emit('reset', {});
    }
  };
  es.onerror = () => {
    liveState.value = 'reconnecting';
    if (es.readyState === EventSource.CLOSED && source === es) {
      // Refused, not lost: perhaps the session has ended. A new stream does not know what we missed.
      source = null;
      retry = setTimeout(() => void check().then(() => open(false), () => open(false)), RETRY_MS);
    }
  };
  for (const kind of KINDS) {
    es.addEventListener(kind, (e: MessageEvent<string>) => {
      let data: unknown = {};
      try {
        data = JSON.parse(e.data || '{}');
      } catch {
        return;
      }
      emit(kind, data);
    });
  }
}

function onVisibility(): void {
  clearTimeout(hiddenTimer);
  if (document.visibilityState === 'hidden') {
    hiddenTimer = setTimeout(() => {
      source?.close();
      source = null;
      liveState.value = 'paused';
    }, HIDDEN_MS);
  } else if (liveState.value === 'paused') {
    liveState.value = 'connecting';
    open(false);
  }
}

/** Starts the stream; `checkSession` is asked when the server refuses it. */
export function startLive(checkSession: () => Promise<void>): () => void {
  check = checkSession;
  liveState.value = 'connecting';
  open(true);
  document.addEventListener('visibilitychange', onVisibility);
  return () => {
    document.removeEventListener('visibilitychange', onVisibility);
    clearTimeout(retry);
    clearTimeout(hiddenTimer);
    source?.close();
    source = null;
  };
}
