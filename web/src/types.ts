// SPDX-License-Identifier: Apache-2.0
// The objects of the public API (openapi.yaml), as the front end reads them.

export interface Page<T> {
  items: T[];
  next: string | null;
  total?: number;
}

export interface ProblemError {
  line?: number;
  column?: number;
  pointer?: string;
  code: string;
  detail: string;
}

export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  code: string;
  detail?: string;
  errors?: ProblemError[];
  error_count?: number;
}

export type Role = 'admin' | 'manager' | 'stock' | 'it' | 'viewer';
export type Permission = 'view' | 'prices' | 'products' | 'labels' | 'places' | 'fleet' | 'users' | 'audit' | 'backup' | 'books' | 'sales' | 'incidents' | 'tags';

export interface Session {
  user: string;
  role: Role;
  permissions: Permission[];
  store: { name: string; zone: string; currency: string };
  expires: string;
}

export interface User {
  id: number;
  name: string;
  role: Role;
  created: string;
  last_login: string | null;
}

export interface Product {
  id: number;
  gtin: string;
  name: string;
  brand?: string | null;
  category?: string | null;
  content?: string | null;
  unit?: string | null;
  price_minor: number | null;
  currency: string;
  unit_price?: { minor: number; per: string } | null;
  labels: number;
  etag?: string;
  /** What the shelf shows now, when a promotion makes it another than the regular price. */
  offer?: Offer | null;
}

export interface Offer {
  price_minor: number;
  was_minor: number | null;
  prior_minor: number | null;
  promotion_id: number | null;
  until: string | null;
}

export interface PriceChange {
  id: number;
  product_id: number;
  gtin: string;
  price_minor: number;
  currency: string;
  from: string;
  at: string;
  by: string;
  reason?: string | null;
  undo_of?: number | null;
}

export interface ImportResult {
  dry_run: boolean;
  rows: number;
  created: number;
  updated: number;
  unchanged: number;
  prices_changed: number;
}

export type LabelState = 'unlinked' | 'pending' | 'sending' | 'shown' | 'error' | 'lost';
export type Grade = 'acknowledged' | 'confirmed' | 'read-back';

/** A picture with the time from which it is wanted. */
export interface Wish {
  image: string | null;
  from: string;
  price_minor: number | null;
  currency: string | null;
  /** Kept on the label for a rollout: `from` is null until it flips. */
  held?: boolean;
}

/** The last value of a sensor; without a name when its kind is not known, and without a number when it has none. */
export interface SensorReading {
  sensor: number;
  id: string;
  name: string | null;
  value: number | null;
  unit: string | null;
  bytes: string;
  at: string;
  /** The last reading that somebody asked for. */
  asked?: { at: string; until: string; state: 'asked' | 'read' | 'failed'; reason: string | null } | null;
}

/** What a battery was asked for, and when there is room again; null = there is. */
export interface Budget {
  hour: number;
  per_hour: number;
  day: number;
  per_day: number;
  free_at: string | null;
}

export interface Label {
  id: string;
  width: number;
  height: number;
  display_type: number | string;
  colours: string;
  agent_id: number | null;
  agent: string | null;
  product: { id: number; gtin: string; name: string } | null;
  state: LabelState;
  reason: string | null;
  wanted: Wish | null;
  /** What is wanted later, in order of time. */
  ahead?: Wish[];
  sent: { image: string | null; at: string } | null;
  shown: { image: string | null; since: string; grade: Grade } | null;
  battery_mv: number | null;
  temperature_c: number | null;
  rssi_dbm: number | null;
  last_seen: string | null;
  /** Colours its light can have; null when it has not said. */
  leds?: string[] | null;
  sensors?: SensorReading[];
  flash?: { colour: string; until: string; state: 'asked' | 'on' | 'stopping' | 'off' | 'over' | 'failed'; reason: string | null } | null;
  /** Of one label alone. */
  budget?: { flashes?: Budget; readings?: Budget };
}

export interface LabelEvent {
  at: string;
  kind: string;
  image: string | null;
  grade?: Grade | null;
  price_minor?: number | null;
  currency?: string | null;
  text?: string | null;
}

export type PlaceKind = 'sales-floor' | 'back-room' | 'fitting-room' | 'receiving' | 'exit' | 'other';

export interface Place {
  id: number;
  name: string;
  kind: PlaceKind;
}

export interface Antenna {
  agent_id: number;
  agent: string;
  reader: string;
  antenna: number;
  place_id: number | null;
  place: string | null;
  last_heard: string | null;
}

export interface StockRow {
  product_id: number | null;
  gtin: string | null;
  name: string | null;
  total: number;
  /** Known items of it that no antenna sees now. */
  not_seen?: number;
  places: { place_id: number | null; place: string | null; count: number }[];
}

export interface StockSummary {
  items: number;
  unknown_products: number;
  unplaced: number;
  foreign_tags?: number;
}

export interface StockPage extends Page<StockRow> {
  summary?: StockSummary;
}

export interface PlaceRef {
  id: number;
  name: string;
}

export interface Item {
  epc: string;
  uri: string | null;
  /** Of the tag data standard, such as sgtin-96. */
  scheme?: string | null;
  /** What the tag is, in words. */
  kind?: string;
  gtin: string | null;
  serial: string | null;
  product: { id: number; name: string; gtin?: string } | null;
  place: PlaceRef | null;
  confidence: number;
  since: string | null;
  last_seen: string | null;
  state: 'present' | 'gone';
  evidence?: Evidence[];
  /** Who decided where it is. */
  judged?: { by: 'model' | 'rules'; model_id: number | null; words: string };
}

export interface Evidence {
  agent: string;
  reader: string;
  antenna: number;
  place: PlaceRef | null;
  kind: string;
  rssi_dbm: number | null;
  peak_dbm: number | null;
  reads: number;
  rate: number;
  first: string;
  last: string;
  weight: number;
}

export interface ItemEvent {
  at: string;
  from_place: PlaceRef | null;
  to_place: PlaceRef | null;
  confidence: number;
  cause: string;
}

export interface Reader {
  name: string;
  host: string;
  port: number;
  antennas: number[];
  session?: number;
  power_cdbm?: number | null;
  state?: string;
  model?: string | null;
  error?: string | null;
  reads?: number;
  reconnects?: number;
  profile?: string;
  llrp_version?: string;
  reader_calls?: boolean;
  tls?: boolean;
  /** The only certificate that is allowed; empty = any. */
  pin?: string;
  /** The one it shows. */
  peer_pin?: string;
  ledger?: ReaderLedger;
  /** Only when one agent is asked for. */
  radio?: ReaderRadio;
}

export interface ReaderLedger {
  reports: number;
  handed_on: number;
  unclaimed: number;
  strange: number;
  held: number;
  resumed: number;
  sightings: number;
  buffer_warnings: number;
  buffer_overflows: number;
  gaps: number;
  gaps_ms: number;
  last_gap: { from: string; to: string; cause: string } | null;
}

export interface ReaderAntenna {
  antenna: number;
  usual_reads_per_s: number;
  reads_per_s: number;
  last_read: string | null;
  off: boolean;
}

export interface ReaderChannel {
  channel: number;
  mhz: number | null;
  usual_percent: number;
  percent: number;
  usual_rssi_dbm: number | null;
  rssi_dbm: number | null;
  failing: boolean;
}

export interface ReaderRadio {
  drifts: number;
  mended: number;
  antennas: ReaderAntenna[];
  channels: ReaderChannel[];
}

export interface NetInterface {
  name: string;
  up: boolean;
  wireless?: boolean;
  address?: string | null;
  frequency_mhz?: number | null;
  signal_dbm?: number | null;
  carrier?: boolean;
  speed_mbps?: number | null;
  duplex?: 'full' | 'half' | null;
  role?: 'station' | 'access-point' | 'mesh' | 'monitor' | 'other' | null;
  ssid?: string | null;
  centre_mhz?: number | null;
  width_mhz?: number | null;
  noise_dbm?: number | null;
  busy_percent?: number | null;
  /** Times it went up or down within ten minutes. */
  changes?: number;
  changed?: string | null;
}

export interface Train {
  interval_ms: number;
  subevents: number;
  subevent_ms: number;
  response_delay_ms: number;
  response_spacing_ms: number;
  response_slots: number;
  capacity: number;
}

/** An access point of another make that is a label radio. */
export interface Station {
  address: string;
  name: string | null;
  up: boolean;
  state: string;
  version: string | null;
  channel: number | null;
  tags: number | null;
  labels: number;
  queued: number;
  heap_bytes: number | null;
  storage_bytes: number | null;
  wifi_dbm: number | null;
  low_batteries: number;
  timeouts: number;
  uptime_s: number | null;
}

/** What an access point keeps of its labels. */
export interface LabelKeys {
  rotating: boolean;
  /** Labels that still have older ones. */
  old: number;
  since: string | null;
  /** Bonds and keys that the controller has no copy of yet, */
  unescrowed: number | null;
  /** and labels whose bond it has not; null = the agent is older and does not say. */
  unescrowed_bonds: number | null;
}

export interface LabelRadio {
  state: string;
  error: string | null;
  next_step?: string;
  keys?: LabelKeys;
  /** What a picture for every label would take; null = it cannot say. */
  outlook?: { picture_ms: number | null; flip_s: number | null };
  /** Without it the agent tells nothing of what follows. */
  driver?: string;
  controller?: string | null;
  train?: Train | null;
  armed?: number;
  armed_at?: string | null;
  channels?: { known: boolean; used: number[]; wanted: number[]; refused: number | null };
  labels?: number;
  synced?: number;
  waiting?: number;
  lost?: number;
  packets?: number;
  commands?: number;
  acks?: number;
  retries?: number;
  uploads?: number;
  upload_failures?: number;
  decrypt_failures?: number;
  groups?: number[];
  signal?: { from_dbm: number | null; to_dbm: number | null; labels: number }[];
  stations?: Station[];
}

export interface Agent {
  id: number;
  name: string;
  state: 'online' | 'offline' | 'revoked';
  state_since?: string | null;
  last_seen: string | null;
  version: string | null;
  caps: string[];
  clock_offset_ms: number | null;
  clock_uncertainty_ms: number | null;
  cert_expires: string | null;
  journal_depth: number | null;
  rss_kib: number | null;
  tags_in_view: number | null;
  labels_synced: number | null;
  radio: LabelRadio | null;
  readers: Reader[];
  interfaces: NetInterface[];
  last_error: string | null;
  next_step: string | null;
}

export interface JoinCode {
  id: number;
  code?: string;
  uses: number;
  used?: number;
  expires: string;
  created_by?: string;
  note?: string | null;
  /** The name of the agent whose place it gives away. */
  replaces_agent?: string | null;
}

export interface AuditEntry {
  id: number;
  at: string;
  who: string;
  action: string;
  object: string | null;
  detail: unknown;
}
