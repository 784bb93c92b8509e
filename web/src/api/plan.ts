// SPDX-License-Identifier: Apache-2.0
// The floor plan: places as rectangles and antennas as points, in metres from the top left corner.

import { call, listCall } from '../api';
import type { PlaceKind } from '../types';

export interface PlanPlace {
  place_id: number;
  place: string;
  kind: PlaceKind;
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface PlanAntenna {
  agent_id: number;
  agent: string;
  reader: string;
  antenna: number;
  x: number;
  y: number;
  place_id: number | null;
}

export interface Plan {
  width_m: number;
  height_m: number;
  etag: string;
  places: PlanPlace[];
  antennas: PlanAntenna[];
}

export interface PlanStock {
  places: { place_id: number | null; items: number; products: number }[];
}

export const plan = {
  get: () => call<Plan>('GET', '/plan'),
  put: (p: Plan) => call<Plan>('PUT', '/plan', { body: p, headers: { 'If-Match': p.etag } }),
  stock: (product?: number | null) => listCall<PlanStock>('/plan/stock', {}, { product_id: product ?? null }),
};
