// SPDX-License-Identifier: Apache-2.0
// Walks through the store with a carried tag, the models learnt from them, doors and who passed them.

import { call, idempotencyKey, type ListOptions, listCall, urlOf } from '../api';
import type { Page } from '../types';

export interface PlaceName {
  id: number;
  name: string | null;
}

export interface WalkAntenna {
  agent_id: number;
  agent: string;
  reader: string;
  antenna: number;
  place: PlaceName | null;
  reads: number;
  rssi_dbm: number | null;
}

export interface Walk {
  id: number;
  place: PlaceName | null;
  epc: string;
  started: string;
  ended: string | null;
  by: string;
  seconds: number;
  reads: number;
  told: number;
  open: boolean;
  enough: boolean;
  words: string;
  antennas?: WalkAntenna[];
}

export interface ModelPlace {
  place_id: number;
  place: PlaceName | null;
  accuracy: number;
  verdict: 'good' | 'fair' | 'poor';
  taken_for: { place: PlaceName | null; share: number } | null;
}

export interface PlaceModel {
  id: number;
  made: string;
  by: string;
  active: boolean;
  notes: string[];
  outlook: {
    accuracy: number;
    moves: number;
    real_moves: number;
    words: string;
    places: ModelPlace[];
    confidence: { from: number; to: number; looks: number; right: number }[];
  };
}

export interface DoorAntenna {
  reader: string;
  antenna: number;
}

export interface Door {
  id: number;
  name: string;
  place: PlaceName | null;
  agent_id: number;
  agent: string;
  grace_s: number;
  inner: DoorAntenna[];
  outer: DoorAntenna[];
}

export interface NewDoor {
  name: string;
  place_id: number;
  agent_id: number;
  grace_s: number;
  inner: DoorAntenna[];
  outer: DoorAntenna[];
}

export type PassageState = 'waiting' | 'unsold' | 'sold' | 'stayed' | 'returned' | 'stranger' | 'noted';

export interface Passage {
  id: number;
  door: { id: number; name: string } | null;
  place: PlaceName | null;
  epc: string;
  product: { id: number; name: string } | null;
  at: string;
  direction: 'out' | 'in' | 'unknown';
  confidence: number;
  reads: number;
  state: PassageState;
  note: string;
}

const once = (): { 'Idempotency-Key': string } => ({ 'Idempotency-Key': idempotencyKey() });

export const walks = {
  list: (o: ListOptions = {}) => listCall<Page<Walk>>('/walks', o),
  get: (id: number) => call<Walk>('GET', '/walks/{id}', { args: [id] }),
  start: (place_id: number, epc: string) => call<Walk>('POST', '/walks', { body: { place_id, epc }, headers: once() }),
  stop: (id: number) => call<Walk>('POST', '/walks/{id}/stop', { args: [id], body: {} }),
  remove: (id: number) => call<void>('DELETE', '/walks/{id}', { args: [id] }),
  csv: (id: number): string => urlOf('/walks/{id}/reads.csv', [id]),
};

export const models = {
  list: (o: ListOptions = {}) => listCall<Page<PlaceModel>>('/place-models', o),
  fit: () => call<PlaceModel>('POST', '/place-models', { body: {}, headers: once() }),
  use: (model_id: number | null) => call<unknown>('PUT', '/place-models/active', { body: { model_id } }),
  remove: (id: number) => call<void>('DELETE', '/place-models/{id}', { args: [id] }),
};

export const doors = {
  list: () => listCall<Page<Door>>('/doors', {}),
  create: (d: NewDoor) => call<Door>('POST', '/doors', { body: d, headers: once() }),
  change: (id: number, d: NewDoor) => call<Door>('PATCH', '/doors/{id}', { args: [id], body: d }),
  remove: (id: number) => call<void>('DELETE', '/doors/{id}', { args: [id] }),
  passages: (o: ListOptions = {}) => listCall<Page<Passage>>('/passages', o),
};
