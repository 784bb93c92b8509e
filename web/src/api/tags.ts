// SPDX-License-Identifier: Apache-2.0
// Reading, writing and locking a tag at a reader.

import { call, idempotencyKey, listCall, type ListOptions } from '../api';
import type { Page } from '../types';

export type TagKind = 'read' | 'write-epc' | 'lock';
export type TagState = 'pending' | 'running' | 'done' | 'failed' | 'unknown';

export interface TagOperation {
  id: number;
  agent_id: number;
  reader: string;
  antenna: number | null;
  kind: TagKind;
  epc: string | null;
  state: TagState;
  reason: string | null;
  tag: string | null;
  answered_at: number | null;
  created: string;
  by: string;
  finished: string | null;
  bank?: string;
  data?: string | null;
  new_epc?: string | null;
  new_uri?: string | null;
  field?: string;
  how?: string;
}

export interface TagAsk {
  agent_id: number;
  reader: string;
  antenna?: number | undefined;
  epc?: string | undefined;
  kind: TagKind;
  bank?: string;
  gtin?: string | undefined;
  serial?: number | undefined;
  field?: string;
  how?: string;
  password?: string | undefined;
}

export const tagOperations = {
  list: (agent: number, reader: string, o: ListOptions = {}) => listCall<Page<TagOperation>>('/tag-operations', o, { agent_id: agent, reader }),
  get: (id: number) => call<TagOperation>('GET', '/tag-operations/{id}', { args: [id] }),
  ask: (body: TagAsk) => call<TagOperation>('POST', '/tag-operations', { body, headers: { 'Idempotency-Key': idempotencyKey() } }),
};
