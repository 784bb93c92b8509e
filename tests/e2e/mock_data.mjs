// SPDX-License-Identifier: Apache-2.0
// The store that the mock server serves: seeded, the same in every run.

const THINGS = ['Espresso beans', 'Oat drink', 'Olive oil', 'Penne rigate', 'Tomato passata', 'Dark chocolate', 'Sparkling water', 'Green tea', 'Basmati rice', 'Raspberry jam', 'Crème fraîche', 'Sourdough bread', 'Hand soap', 'Notebook A5', 'Felt tip pen', 'T-shirt white'];
const BRANDS = ['Alba', 'Nordhof', 'Casa Rossi', 'Tillmann', 'Verde', 'Morgenrot'];
const CONTENT = [['0.5', 'kg'], ['1', 'l'], ['0.75', 'l'], ['500', 'g'], ['690', 'g'], ['100', 'g'], ['1.5', 'l'], ['50', 'g'], ['1', 'kg'], ['340', 'g'], ['200', 'g'], ['750', 'g'], ['300', 'ml'], ['1', 'pc'], ['1', 'pc'], ['1', 'pc']];
const FIRST = Date.UTC(2026, 0, 5, 7, 0, 0);

export function gtin14(body) {
  const d = String(body).padStart(13, '0');
  let sum = 0;
  for (let i = 0; i < 13; i++) {
    sum += Number(d[i]) * (i % 2 === 0 ? 3 : 1);
  }
  return d + ((10 - (sum % 10)) % 10);
}

export function unitPriceOf(minor, content, unit) {
  if (minor === null || !content) {
    return null;
  }
  const c = Number(content);
  const per = { kg: ['1 kg', 1], l: ['1 l', 1], g: ['1 kg', 1000], ml: ['1 l', 1000], m: ['1 m', 1], pc: ['1 pc', 1] }[unit];
  const small = (unit === 'g' || unit === 'ml') && c <= 250;
  const [name, scale] = small ? [`100 ${unit}`, 100] : per;
  return { minor: Math.round((minor * scale) / c), per: name };
}

function product(i) {
  const kind = i % THINGS.length;
  const [content, unit] = CONTENT[kind];
  const price = i === 11 ? null : 99 + ((i * 37) % 900);
  return {
    id: i + 1,
    gtin: gtin14(`0400638${String(100000 + i).padStart(6, '0')}`.slice(0, 13)),
    name: `${THINGS[kind]}${i < THINGS.length ? '' : ` ${Math.floor(i / THINGS.length) + 1}`}`,
    brand: BRANDS[(i * 7) % BRANDS.length],
    category: 'Groceries',
    content,
    unit,
    price_minor: price,
    currency: 'EUR',
    unit_price: unitPriceOf(price, content, unit),
    labels: 0,
    etag: `"${i}-1"`,
  };
}

function label(i, products) {
  const large = i % 5 === 4;
  const red = i % 3 === 2;
  const state = ['shown', 'shown', 'shown', 'pending', 'unlinked', 'error', 'lost', 'sending'][i < 8 ? i : 0];
  const p = state === 'unlinked' ? null : products[i];
  const image = p ? `a${String(i).padStart(4, '0')}`.repeat(13).slice(0, 64) : null;
  const old = image ? `b${image.slice(1)}` : null;
  const at = new Date(FIRST + i * 61_000).toISOString();
  const shown = state === 'shown' ? image : state === 'unlinked' || state === 'pending' ? null : old;
  if (p) {
    p.labels++;
  }
  return {
    id: `C0FFEE${String(i + 1).padStart(6, '0')}`,
    width: large ? 400 : 296,
    height: large ? 300 : 128,
    display_type: red ? 6 : 1,
    colours: red ? 'bwr' : 'bw',
    agent_id: 1 + (i % 2),
    agent: i % 2 ? 'ap-back' : 'ap-floor',
    product: p ? { id: p.id, gtin: p.gtin, name: p.name } : null,
    state,
    reason: state === 'error' ? 'The label refused the picture: its memory is full.' : state === 'lost' ? 'Not heard for 26 hours. Check its battery.' : null,
    wanted: p ? { image, from: at, price_minor: p.price_minor, currency: 'EUR' } : null,
    sent: state === 'pending' || !p ? null : { image: state === 'lost' ? old : image, at },
    shown: shown ? { image: shown, since: at, grade: i % 4 === 1 ? 'confirmed' : i % 4 === 2 ? 'read-back' : 'acknowledged' } : null,
    battery_mv: i === 6 ? 2210 : 2900 + i * 7,
    temperature_c: 21,
    rssi_dbm: -50 - (i % 30),
    last_seen: new Date(Date.now() - (state === 'lost' ? 26 * 3600_000 : 20_000 + i * 1000)).toISOString(),
  };
}

/** What one label alone tells: its sensors, one of them of a kind that nobody knows. */
export function sensorsOf(l, read = {}) {
  const at = new Date(Date.now() - 90_000).toISOString();
  const of = (sensor, id, name, value, unit, bytes) => ({ sensor, id, vendor: id.length > 4, name, value, unit, bytes, at, asked: null, ...read[sensor] });
  return l.id.endsWith('1') ? [of(0, '0054', 'temperature', 4.25, '°C', 'a901'), of(1, '0059', 'battery', 2.984, 'V', 'bf00'), of(2, '0076', 'relative humidity', 61.5, '%', '0618'), of(3, '00010203', null, null, null, '1f2e')] : [];
}

/** What a sensor said before: two days by the hour, a season by the day, newest first. */
export function readingsOf(l, sensor) {
  const r = sensorsOf(l)[sensor];
  if (!r || r.name === 'relative humidity') {
    return r ? [r] : [];
  }
  const ages = [...Array.from({ length: 48 }, (_, i) => i / 24), ...Array.from({ length: 60 }, (_, i) => i + 2)];
  return ages.map((d, i) => ({
    ...r,
    at: new Date(Date.now() - 90_000 - d * 86_400_000).toISOString(),
    value: r.value === null ? null : r.unit === 'V' ? Math.round((r.value + d * 0.0011) * 64) / 64 : i === 0 ? r.value : Math.round((r.value + 2 * Math.sin(d * 6.283) + Math.sin(d / 4)) * 100) / 100,
  }));
}

export const PLACES = [
  { id: 1, name: 'Sales floor', kind: 'sales-floor' },
  { id: 2, name: 'Back room', kind: 'back-room' },
  { id: 3, name: 'Fitting room', kind: 'fitting-room' },
  { id: 4, name: 'Exit', kind: 'exit' },
];

function stockRow(i, products) {
  const counts = [5 + ((i * 7) % 40), (i * 5) % 22, i % 4, i % 9 === 0 ? 1 : 0];
  const places = PLACES.map((p, k) => ({ place_id: p.id, place: p.name, count: counts[k] })).filter((p) => p.count > 0);
  const total = places.reduce((s, p) => s + p.count, 0);
  const p = products[i];
  return { product_id: p.id, gtin: p.gtin, name: p.name, total, places };
}

/** Beside Wi-Fi channel 6: data channels 11 to 21 are left alone. */
function radio() {
  const clear = Array.from({ length: 37 }, (_, i) => i).filter((i) => i < 11 || i > 21);
  const heard = [0, 1, 2, 5, 11, 24, 38, 41, 30, 14, 6, 2];
  return {
    state: 'running',
    error: null,
    next_step: '',
    driver: 'h4',
    controller: 'Nordic Semiconductor, Bluetooth 5.4, firmware 2134',
    train: { interval_ms: 1560, subevents: 26, subevent_ms: 60, response_delay_ms: 42.5, response_spacing_ms: 0.75, response_slots: 23, capacity: 6630 },
    armed: 1,
    armed_at: new Date(Date.now() - 86_400_000).toISOString(),
    channels: { known: true, used: clear, wanted: clear, refused: null },
    labels: 180,
    synced: 174,
    waiting: 2,
    lost: 4,
    packets: 1_204_331,
    commands: 48_112,
    acks: 47_660,
    retries: 452,
    uploads: 1911,
    upload_failures: 12,
    decrypt_failures: 0,
    keys: { rotating: false, old: 0, unescrowed: 0, unescrowed_bonds: 0, since: new Date(Date.now() - 20 * 86_400_000).toISOString() },
    outlook: { picture_ms: 113, flip_s: 4 },
    groups: Array.from({ length: 26 }, (_, i) => 7 - (i > 23 ? 1 : 0)),
    signal: heard.map((labels, i) => ({ from_dbm: i ? -100 + 5 * i : null, to_dbm: i < 11 ? -95 + 5 * i : null, labels })),
  };
}

function agents() {
  const base = (id, name, state) => ({
    id,
    name,
    state,
    last_seen: new Date(Date.now() - (state === 'online' ? 3000 : 5_400_000)).toISOString(),
    version: '0.1.0',
    caps: ['labels', 'rfid'],
    clock_offset_ms: id === 2 ? 31_536_000_412 : 3,
    clock_uncertainty_ms: 2,
    cert_expires: new Date(Date.now() + 40 * 86_400_000).toISOString(),
    journal_depth: id === 2 ? 1204 : 0,
    rss_kib: 9412,
    tags_in_view: id === 2 ? 0 : 1840,
    labels_synced: id === 2 ? 11 : 13,
    radio: id === 2 ? { state: 'error', error: 'The radio does not answer (no reply to Reset within 2 s)' } : radio(),
    readers: [
      { name: 'reader-1', host: `10.0.0.${20 + id}`, port: 5084, antennas: [1, 2], session: 1, power_cdbm: 2700, state: id === 2 ? 'error' : 'running', model: 'R700', error: id === 2 ? 'Connection refused' : null, reads: 1_284_113, reconnects: id },
    ],
    interfaces: [
      { name: 'eth0', up: true, wireless: false, address: `10.0.0.${10 + id}`, frequency_mhz: null, signal_dbm: null },
      { name: 'wlan0', up: id !== 2, wireless: true, address: null, frequency_mhz: 5180, signal_dbm: -48 },
      ...(id === 1
        ? [
            { name: 'wlan1', up: true, wireless: true, address: null, frequency_mhz: 2437, signal_dbm: 0, carrier: true, speed_mbps: null, duplex: null, role: 'access-point', ssid: 'Shop', centre_mhz: 2437, width_mhz: 20, noise_dbm: -92, busy_percent: 31, changes: 0, changed: null },
            { name: 'eth1', up: false, wireless: false, address: null, frequency_mhz: null, signal_dbm: null, carrier: false, speed_mbps: null, duplex: null, role: null, ssid: null, centre_mhz: null, width_mhz: null, noise_dbm: null, busy_percent: null, changes: 7, changed: new Date(Date.now() - 40_000).toISOString() },
          ]
        : []),
    ],
    last_error: id === 2 ? 'reader-1: connection refused' : null,
    next_step: id === 2 ? 'Check that the reader at 10.0.0.22 has power and that LLRP is switched on.' : null,
  });
  return [base(1, 'ap-floor', 'online'), base(2, 'ap-back', 'offline')];
}

export function makeStore(size) {
  const products = Array.from({ length: size }, (_, i) => product(i));
  const labels = size ? Array.from({ length: 24 }, (_, i) => label(i, products)) : [];
  const stock = size ? Array.from({ length: 60 }, (_, i) => stockRow(i, products)) : [];
  if (size) {
    stock.push({ product_id: null, gtin: '00012345678905', name: null, total: 3, places: [{ place_id: 1, place: 'Sales floor', count: 3 }] });
    stock.push({ product_id: null, gtin: null, name: null, total: 7, places: [{ place_id: null, place: null, count: 7 }] });
  }
  const prices = products.slice(0, 40).filter((p) => p.price_minor !== null).map((p, i) => ({
    id: i + 1, product_id: p.id, gtin: p.gtin, price_minor: p.price_minor, currency: 'EUR',
    from: new Date(FIRST + i * 1000).toISOString(), at: new Date(FIRST + i * 1000).toISOString(), by: 'admin', reason: 'import',
  }));
  return {
    products,
    labels,
    stock,
    prices,
    places: size ? PLACES.map((p) => ({ ...p })) : [],
    agents: size ? agents() : [],
    users: [
      { id: 1, name: 'admin', role: 'admin', created: '2026-01-05T07:00:00.000Z', last_login: '2026-01-05T07:01:00.000Z' },
      { id: 2, name: 'manager', role: 'manager', created: '2026-01-05T07:05:00.000Z', last_login: null },
      { id: 3, name: 'stock', role: 'stock', created: '2026-01-05T07:05:00.000Z', last_login: null },
      { id: 4, name: 'it', role: 'it', created: '2026-01-05T07:05:00.000Z', last_login: null },
    ],
    audit: size
      ? Array.from({ length: 130 }, (_, i) => ({ id: 130 - i, at: new Date(FIRST + (130 - i) * 60_000).toISOString(), who: ['manager', 'it', 'admin'][i % 3], action: ['price.change', 'label.link', 'place.create'][i % 3], object: ['04006381000007', 'C0FFEE000001', 'Back room'][i % 3], detail: i % 3 ? null : { price_minor: 249, old: 199 } }))
      : [],
    joinCodes: [],
  };
}
