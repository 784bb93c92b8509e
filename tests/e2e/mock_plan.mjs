// SPDX-License-Identifier: Apache-2.0
// The mock server's floor plan.

import { Refusal } from './mock_base.mjs';

const ROOMS = [
  [1, 1, 1, 15, 11],
  [2, 17, 1, 10, 7],
  [3, 17, 9, 5, 5],
  [4, 7, 12.5, 4, 2],
];

export function makePlan(store) {
  const antennas = store.agents.flatMap((a, i) => a.readers.flatMap((r) => r.antennas.map((n) => ({ agent_id: a.id, agent: a.name, reader: r.name, antenna: n, x: 5 + 13 * i + 3 * (n - 1), y: 5, place_id: n <= 2 ? n : null }))));
  return {
    rev: 1,
    width_m: 28,
    height_m: 16,
    places: ROOMS.flatMap(([id, x, y, w, h]) => store.places.filter((p) => p.id === id).map((p) => ({ place_id: id, place: p.name, kind: p.kind, x, y, w, h }))),
    antennas: antennas.slice(0, 3),
  };
}

const shown = ({ rev, ...plan }) => ({ ...plan, etag: `"plan-${rev}"` });

function put(c) {
  if (c.rq.headers['if-match'] !== `"plan-${this.plan.rev}"`) {
    throw new Refusal(412, 'precondition-failed', 'The plan has changed');
  }
  const { width_m, height_m, places, antennas } = c.json;
  this.plan = { rev: this.plan.rev + 1, width_m, height_m, places, antennas };
  return shown(this.plan);
}

function stock(c) {
  const id = c.query.get('product_id');
  const rows = this.store.stock.filter((r) => !id || r.product_id === Number(id));
  const places = this.store.places.map((p) => {
    const here = rows.map((r) => r.places.find((x) => x.place_id === p.id)?.count ?? 0).filter((n) => n > 0);
    return { place_id: p.id, items: here.reduce((n, x) => n + x, 0), products: here.length };
  });
  const none = rows.flatMap((r) => r.places.filter((x) => x.place_id === null).map((x) => x.count));
  return { places: none.length ? [...places, { place_id: null, items: none.reduce((n, x) => n + x, 0), products: none.length }] : places };
}

export const PLAN_ROUTES = [
  ['GET', /^\/plan$/, function () { return shown(this.plan); }, 'view'],
  ['PUT', /^\/plan$/, put, 'places'],
  ['GET', /^\/plan\/stock$/, stock, 'view'],
];
