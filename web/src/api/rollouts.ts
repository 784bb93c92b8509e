// SPDX-License-Identifier: Apache-2.0
// Rollouts: price changes that go out in waves, each behind a gate.

import { call, idempotencyKey, listCall, type ListOptions } from '../api';
import type { Page } from '../types';
import type { LabelStep, StepState } from './progress';

export type RolloutState =
  | 'scheduled'
  | 'staging'
  | 'flipping'
  | 'settling'
  | 'paused'
  | 'halted'
  | 'rolling-back'
  | 'rolled-back'
  | 'done'
  | 'cancelled';

export type WaveState = 'waiting' | 'staging' | 'flipped' | 'settled' | 'rolled-back';

export interface Wave {
  n: number;
  percent: number;
  products: number;
  labels: number;
  state: WaveState;
  staged: number;
  flipped: number;
  shown: number;
  failed: number;
  rolled_back?: number;
  flip_at: string | null;
}

export interface Forecast {
  at: string;
  finish: string | null;
  why: string | null;
}

export interface RolloutSample {
  at: string;
  staged: number;
  flipped: number;
  shown: number;
  failed: number;
  forecast_staged: number | null;
}

export interface Rollout {
  id: number;
  name: string;
  state: RolloutState;
  reason: string | null;
  /** The reason given when it was made. */
  why?: string | null;
  created: string;
  by: string;
  start: string | null;
  finished: string | null;
  waves: Wave[];
  gate: { staged_percent: number; timeout_s: number };
  halt: { failed_percent: number };
  settle_s: number;
  /** Labels. Staged counts all that ever had the picture, flipped all that acknowledged it, shown all confirmed. */
  total: number;
  staged: number;
  flipped: number;
  shown: number;
  failed: number;
  rolled_back?: number;
  forecast: Forecast | null;
  first_forecast: Forecast | null;
  samples?: RolloutSample[];
}

export interface RolloutBody {
  name: string;
  changes: { gtin: string; price_minor: number }[];
  waves?: { percent: number }[];
  gate?: { staged_percent: number; timeout_s: number };
  halt?: { failed_percent: number };
  start?: string;
  reason?: string;
}

export interface RolloutPreview {
  products: number;
  labels: number;
  waves: { products: number; labels: number; percent?: number }[];
  forecast: Forecast | null;
  warnings: { code: string; detail: string }[];
}

export type RolloutAction = 'pause' | 'resume' | 'cancel' | 'rollback';

const act = {
  pause: (id: number, body: { reason?: string }) => call<Rollout>('POST', '/rollouts/{id}/pause', { args: [id], body }),
  resume: (id: number, body: { reason?: string }) => call<Rollout>('POST', '/rollouts/{id}/resume', { args: [id], body }),
  cancel: (id: number, body: { reason?: string }) => call<Rollout>('POST', '/rollouts/{id}/cancel', { args: [id], body }),
  rollback: (id: number, body: { reason?: string }) => call<Rollout>('POST', '/rollouts/{id}/rollback', { args: [id], body }),
};

export const rollouts = {
  list: (state: string, o: ListOptions = {}) => listCall<Page<Rollout>>('/rollouts', o, { state }),
  get: (id: number) => call<Rollout>('GET', '/rollouts/{id}', { args: [id] }),
  create: (body: RolloutBody) => call<Rollout>('POST', '/rollouts', { body, headers: { 'Idempotency-Key': idempotencyKey() } }),
  preview: (body: RolloutBody, signal: AbortSignal) => call<RolloutPreview>('POST', '/rollouts/preview', { body, signal }),
  act: (id: number, what: RolloutAction, reason: string) => act[what](id, reason ? { reason } : {}),
  labels: (id: number, filter: { wave?: string; state?: StepState | '' }, o: ListOptions = {}) =>
    listCall<Page<LabelStep>>('/rollouts/{id}/labels', o, filter, [id]),
};
