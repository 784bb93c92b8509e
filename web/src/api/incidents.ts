// SPDX-License-Identifier: Apache-2.0
// What a person should look at.

import { call, listCall, type ListOptions } from '../api';
import type { Page } from '../types';

export type Severity = 'notice' | 'warning' | 'grave';

export interface IncidentChange {
  at: string;
  what: 'opened' | 'reopened' | 'severity' | 'closed' | 'acknowledged';
  by: string | null;
  text: string | null;
}

export interface Incident {
  id: number;
  kind: string;
  subject: string;
  agent_id: number | null;
  agent: string | null;
  state: 'open' | 'closed';
  severity: Severity;
  opened: string;
  updated: string;
  closed: string | null;
  times: number;
  title: string;
  /** The evidence; what is in it depends on the kind. */
  detail: Record<string, unknown>;
  next_step: string | null;
  why_closed: string | null;
  acknowledged: { at: string; by: string; note: string | null } | null;
  changes?: IncidentChange[];
}

export interface IncidentFilter {
  state?: string;
  kind?: string;
  agent_id?: number;
}

export const incidents = {
  list: (f: IncidentFilter, o: ListOptions = {}) => listCall<Page<Incident>>('/incidents', o, { ...f }),
  get: (id: number) => call<Incident>('GET', '/incidents/{id}', { args: [id] }),
  acknowledge: (id: number, note: string) => call<Incident>('POST', '/incidents/{id}/acknowledge', { args: [id], body: note ? { note } : {} }),
};
