// SPDX-License-Identifier: Apache-2.0
// Incidents, what readers say of their radio, and operations on tags of the mock store.

import { need, page, Refusal } from './mock_base.mjs';

const iso = (ms) => new Date(ms).toISOString();
const ago = (minutes) => iso(Date.now() - minutes * 60_000);

function incident(id, kind, subject, severity, title, detail, next_step, more = {}) {
  return {
    id, kind, subject, agent_id: 1, agent: 'ap-floor', state: 'open', severity, opened: ago(7 * id), updated: ago(id), closed: null, times: 1, title, detail, next_step, why_closed: null, acknowledged: null,
    changes: [{ at: ago(7 * id), what: 'opened', by: null, text: title }], ...more,
  };
}

function seedIncidents() {
  const all = [
    incident(5, 'silent-antenna', 'agent:1/reader:reader-1/antenna:2', 'warning', 'Antenna 2 of reader reader-1 of ap-floor reads nothing.', { reader: 'reader-1', evidence: 'antenna 2 reads nothing, usually 4.5 reads a second; others of this reader do', antenna: 2, since: ago(41), usual_reads_per_s: 4.5, reads_per_s: 0 }, 'Check the antenna’s cable and connectors, and that nothing stands in front of it; swap it with its neighbour to see what is broken.', { times: 3 }),
    incident(4, 'interference', 'agent:1/reader:reader-1', 'warning', 'Reader reader-1 of ap-floor is disturbed on the air.', { reader: 'reader-1', evidence: '2 of 50 channels (907.75, 911.75 MHz) read 1 % of what they usually do, while the others read on; 4 % of all reads are lost', channels_mhz: [907.75, 911.75] }, 'Where channels are named, a transmitter on those frequencies is near.'),
    incident(3, 'agent-silent', 'agent:2', 'grave', 'Nothing is heard from access point ap-back.', { evidence: 'nothing came from it', last_seen: ago(90) }, 'Check power and network of the access point, then that gondola-agent runs there.', { agent_id: 2, agent: 'ap-back' }),
    incident(6, 'link-flapping', 'agent:1', 'warning', 'Network link eth1 of ap-floor comes and goes.', { links: [{ interface: 'eth1', changes: 7, since: ago(2) }] }, 'Replace the cable, then try another port of the switch.'),
    incident(2, 'label-battery', 'label:C0FFEE000003', 'notice', 'The battery of label C0FFEE000003 is nearly empty.', { battery_mv: 2310 }, 'Change its battery within the next weeks.', { acknowledged: { at: ago(3), by: 'it', note: 'cells are ordered' } }),
  ];
  const over = incident(1, 'drifted', 'agent:1/reader:reader-1', 'notice', 'Reader reader-1 of ap-floor was not as it had been set.', { reader: 'reader-1', evidence: 'found transmit power 15.00 dBm instead of 30.00 dBm; set right again (1 so far)' }, null);
  return [...all, Object.assign(over, { state: 'closed', closed: ago(1), why_closed: 'It is no longer in the reports.', changes: [{ at: ago(1), what: 'closed', by: null, text: 'It is no longer in the reports.' }, ...over.changes] })];
}

function radioOf(bad) {
  const channels = Array.from({ length: 50 }, (_, i) => {
    const failing = bad && (i === 10 || i === 18), usual = 2 + Math.sin(i * 1.7) * 0.3;
    return { channel: i + 1, mhz: 902.75 + 0.5 * i, usual_percent: usual, percent: failing ? 0.02 : usual * 1.04, usual_rssi_dbm: -56, rssi_dbm: -56.5, failing };
  });
  return {
    drifts: bad ? 1 : 0, mended: bad ? 1 : 0, channels,
    antennas: [{ antenna: 1, usual_reads_per_s: 5.2, reads_per_s: 5.6, last_read: ago(0), off: false }, { antenna: 2, usual_reads_per_s: 4.5, reads_per_s: bad ? 0 : 4.4, last_read: ago(bad ? 41 : 0), off: false }, { antenna: 3, usual_reads_per_s: 0, reads_per_s: 0, last_read: null, off: true }],
  };
}

/** The readers tell more than the list of agents has. */
export function seedReaders(store) {
  store.incidents = store.products.length === 0 ? [] : seedIncidents();
  store.tagOperations = [];
  for (const a of store.agents) {
    for (const r of a.readers) {
      Object.assign(r, {
        profile: a.id === 1 ? 'dense-shelf' : '', llrp: '1.1', llrp_version: '1.1', reader_calls: a.id === 2, tls: a.id === 1, pin: a.id === 1 ? 'ab'.repeat(32) : '', peer_pin: a.id === 1 ? 'ab'.repeat(32) : '',
        ledger: { reports: 1_284_113, handed_on: 1_284_101, unclaimed: 12, strange: 0, held: 840, resumed: 2, sightings: 20_311, buffer_warnings: 1, buffer_overflows: 0, gaps: 2, gaps_ms: 5400, last_gap: { from: ago(55), to: iso(Date.now() - 55 * 60_000 + 2300), cause: 'connection' } },
        radio: radioOf(a.id === 1),
      });
    }
  }
}

const find = (store, id) => need(store.incidents.find((x) => x.id === Number(id)));
const RANK = { grave: 3, warning: 2, notice: 1 };

function list(c) {
  const state = c.query.get('state'), agent = c.query.get('agent_id');
  const hits = this.store.incidents.filter((x) => (!state || x.state === state) && (!agent || x.agent_id === Number(agent)));
  if (state === 'open') {
    hits.sort((a, b) => RANK[b.severity] - RANK[a.severity] || b.id - a.id);
  }
  return { ...page(hits.map(({ changes, ...x }) => x), c.query), total: hits.length };
}

function acknowledge(c, id) {
  const x = find(this.store, id), at = iso(Date.now());
  x.acknowledged = { at, by: c.user.name, note: c.json.note ?? null };
  x.changes.unshift({ at, what: 'acknowledged', by: c.user.name, text: c.json.note ?? null });
  this.publish('incident', { id: x.id, kind: x.kind, subject: x.subject, state: x.state, severity: x.severity, title: x.title, agent_id: x.agent_id, open: this.store.incidents.filter((y) => y.state === 'open').length });
  return x;
}

function askTag(c) {
  const b = c.json;
  if (b.kind === 'write-epc' && !/^\d{8,14}$/.test(b.gtin ?? '')) {
    throw new Refusal(422, 'bad-operation', '`gtin` is no GTIN, or its check digit is wrong.');
  }
  const x = { id: this.store.tagOperations.length + 1, agent_id: b.agent_id, reader: b.reader, antenna: b.antenna ?? null, kind: b.kind, epc: b.epc ?? null, state: 'pending', reason: null, tag: null, answered_at: null, created: iso(Date.now()), by: c.user.name, finished: null, with_password: !!b.password };
  if (b.kind === 'write-epc') {
    Object.assign(x, { new_epc: '3034257bf400b78000000001', new_uri: 'urn:epc:id:sgtin:4006381.033393.1' });
  }
  this.store.tagOperations.unshift(x);
  this.later(this.stepMs, () => {
    Object.assign(x, { state: 'done', tag: '3034257bf400b7800004cb2f', reason: b.kind === 'read' ? 'The tag was read.' : 'Written, and read back.', ...(b.kind === 'read' ? { data: 'e28011912000654321098765' } : {}) });
    this.publish('tag-operation', { id: x.id, state: x.state, agent_id: x.agent_id, reader: x.reader });
  });
  return { status: 202, body: x };
}

export const READER_ROUTES = [
  ['GET', /^\/incidents$/, list, 'view'],
  ['GET', /^\/incidents\/(\d+)$/, function (c, id) { return find(this.store, id); }, 'view'],
  ['POST', /^\/incidents\/(\d+)\/acknowledge$/, acknowledge, 'incidents'],
  ['GET', /^\/tag-operations$/, function (c) { return page(this.store.tagOperations.filter((x) => x.reader === c.query.get('reader')), c.query); }, 'tags'],
  ['POST', /^\/tag-operations$/, askTag, 'tags'],
];
