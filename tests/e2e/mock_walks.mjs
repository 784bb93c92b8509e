// SPDX-License-Identifier: Apache-2.0
// The mock server's walks, models of places, doors and passages.

import { Refusal } from './mock_base.mjs';

const TAG = '3036452148001C8000000001';
const ago = (s) => new Date(Date.now() - s * 1000).toISOString();

function makeWalk(store, id, place, seconds, reads, open) {
  const p = store.places[place];
  const antennas = store.agents[0].readers[0].antennas.map((n, i) => ({
    agent_id: store.agents[0].id, agent: store.agents[0].name, reader: store.agents[0].readers[0].name, antenna: n,
    place: { id: p.id, name: p.name }, reads: Math.round(reads / (i + 2)), rssi_dbm: -52 - 6 * i, last: ago(1),
  }));
  const enough = seconds >= 90;
  return {
    id, place: { id: p.id, name: p.name }, epc: TAG, started: ago(seconds + (open ? 0 : 3600)), ended: open ? null : ago(3600), by: 'eva', seconds, reads, told: Math.round(reads / 10), refused: 0, open, enough,
    words: enough ? 'Enough. More is better up to about three minutes: edges, high, low.' : `Keep walking: ${seconds} of 90 seconds.`, antennas,
  };
}

function makeModel(store, id, active) {
  const shares = [0.93, 0.78, 0.52];
  const places = store.places.slice(0, 3).map((p, i) => ({
    place_id: p.id, place: { id: p.id, name: p.name }, accuracy: shares[i], verdict: ['good', 'fair', 'poor'][i],
    taken_for: i ? { place_id: store.places[0].id, place: { id: store.places[0].id, name: store.places[0].name }, share: 0.2 } : null,
  }));
  return {
    id, made: ago(86400 * (4 - id)), by: 'eva', active, notes: [],
    outlook: {
      accuracy: 0.77, moves: 24, real_moves: 15, seconds: 480, places, confidence: [{ from: 0.8, to: 0.9, looks: 400, right: 0.86 }], walks: [1, 2], antennas: [],
      words: 'Judged on quarters of the walks that it was not shown, played as one tag\'s life: 77 of 100 looks named the right place; 24 moves were claimed where 15 were made. A tag that stays where it is does better, another day a little worse.',
    },
  };
}

export function makeWalks(store) {
  if (!store.places.length || !store.agents.length) {
    return { walks: [], models: [], doors: [], passages: [] };
  }
  const reader = store.agents[0].readers[0];
  const exit = store.places.find((p) => p.kind === 'exit') ?? store.places[0];
  const passage = (id, direction, state, note, confidence) => ({
    id, door: { id: 1, name: 'Main door' }, place: { id: exit.id, name: exit.name }, epc: TAG.slice(0, -1) + id, gtin: null, product: { id: 2, gtin: null, name: 'Blue coat' }, began: ago(60 * id), at: ago(60 * id), direction, confidence, reads: 61, state, due: null, note,
  });
  return {
    walks: [makeWalk(store, 3, 1, 42, 512, true), makeWalk(store, 2, 1, 130, 1710, false), makeWalk(store, 1, 0, 118, 1544, false)],
    models: [makeModel(store, 2, true), makeModel(store, 1, false)],
    doors: [{ id: 1, name: 'Main door', place: { id: exit.id, name: exit.name }, agent_id: store.agents[0].id, agent: store.agents[0].name, grace_s: 120, inner: [{ reader: reader.name, antenna: 1 }], outer: [{ reader: reader.name, antenna: 2 }] }],
    passages: [passage(4, 'out', 'unsold', 'Not sold within the grace.', 0.94), passage(3, 'out', 'sold', 'Sold: till 1, number 4711.', 0.91), passage(2, 'in', 'noted', '', 0.88), passage(1, 'unknown', 'stayed', 'Still in the store: heard at Sales floor later.', 0.55)],
  };
}

const items = (list) => ({ items: list, next: null });
const find = (list, id) => {
  const found = list.find((x) => x.id === Number(id));
  if (!found) {
    throw new Refusal(404, 'not-found', 'There is no such thing');
  }
  return found;
};

function start(c) {
  const w = this.walks;
  const place = this.store.places.findIndex((p) => p.id === c.json.place_id);
  if (w.walks.some((x) => x.open && x.epc === c.json.epc)) {
    throw new Refusal(409, 'wrong-state', 'This tag is being carried already: end that walk first.');
  }
  const walk = { ...makeWalk(this.store, w.walks.length + 1, place, 1, 0, true), epc: c.json.epc };
  w.walks.unshift(walk);
  return walk;
}

function stop(c, id) {
  return Object.assign(find(this.walks.walks, id), { open: false, ended: new Date().toISOString() });
}

function fit() {
  const m = makeModel(this.store, this.walks.models.length + 1, false);
  this.walks.models.unshift(m);
  return m;
}

function use(c) {
  this.walks.models.forEach((m) => Object.assign(m, { active: m.id === c.json.model_id }));
  return { id: c.json.model_id };
}

function saveDoor(c, id) {
  const p = this.store.places.find((x) => x.id === c.json.place_id);
  const a = this.store.agents.find((x) => x.id === c.json.agent_id);
  const door = { id: id ?? this.walks.doors.length + 1, ...c.json, place: { id: p.id, name: p.name }, agent: a.name };
  this.walks.doors = [...this.walks.doors.filter((d) => d.id !== door.id), door];
  return door;
}

export const WALK_ROUTES = [
  ['GET', /^\/walks$/, function () { return items(this.walks.walks); }, 'view'],
  ['POST', /^\/walks$/, start, 'places'],
  ['GET', /^\/walks\/(\d+)$/, function (c, id) { return find(this.walks.walks, id); }, 'view'],
  ['POST', /^\/walks\/(\d+)\/stop$/, stop, 'places'],
  ['GET', /^\/place-models$/, function () { return items(this.walks.models); }, 'view'],
  ['POST', /^\/place-models$/, fit, 'places'],
  ['PUT', /^\/place-models\/active$/, use, 'places'],
  ['GET', /^\/doors$/, function () { return items(this.walks.doors); }, 'view'],
  ['POST', /^\/doors$/, function (c) { return saveDoor.call(this, c, null); }, 'places'],
  ['PATCH', /^\/doors\/(\d+)$/, function (c, id) { return saveDoor.call(this, c, Number(id)); }, 'places'],
  ['GET', /^\/passages$/, function () { return items(this.walks.passages); }, 'view'],
];
