// SPDX-License-Identifier: Apache-2.0
// Words of the label radios, and of the links of an access point.

import { count, duration, localeOf } from '../format';
import { plural } from './words';

function number(value: number, digits: number): string {
  return new Intl.NumberFormat(localeOf(), { maximumFractionDigits: digits }).format(value).replace('-', '−');
}

const ms = (v: number): string => (v >= 1000 ? `${number(v / 1000, 2)} s` : `${number(v, 3)} ms`);

/** In the unit that fits, rounded up. */
const span = (v: number): string => (v < 120_000 ? plural(Math.ceil(v / 1000), 'second', 'seconds') : duration(v));

/** 2437 is channel 6; null outside of 2.4 GHz. */
export function wifiChannel(mhz: number): number | null {
  return mhz === 2484 ? 14 : mhz >= 2412 && mhz <= 2472 && (mhz - 2407) % 5 === 0 ? (mhz - 2407) / 5 : null;
}

export const r = {
  lead: 'How each access point talks to its shelf labels, and how it keeps out of the way of its own Wi-Fi.',
  none: 'No label radio yet',
  noneHint: 'An access point with a label radio appears here as soon as its agent has told about it.',
  silent: 'This agent tells no more about its radio. A newer one does.',
  band: 'The 2.4 GHz band',
  used: 'Used by labels',
  avoided: 'Left alone',
  adverts: 'Advertising, fixed',
  wifi: 'Wi-Fi here',
  wifiOne: (ssid: string | null | undefined, mhz: number, width: number | null | undefined) =>
    `Wi-Fi${ssid ? ` “${ssid}”` : ''} at ${number(mhz, 0)} MHz${wifiChannel(mhz) ? ` (channel ${wifiChannel(mhz)})` : ''}${width ? `, ${width} MHz wide` : ''}`,
  inUse: (n: number) => `${n} of 37 data channels are in use`,
  left: (n: number) => (n ? `, ${n} are left to others.` : '.'),
  noWifi: 'This access point has no Wi-Fi in this band.',
  unknown: 'The controller has not said yet which channels it uses; the picture shows those that should be.',
  refused: (status: number) => `The controller takes no channel map (status 0x${status.toString(16).padStart(2, '0')}): it uses all channels, or chooses by itself.`,
  busy: (v: number) => `busy ${number(v, 0)} % of the time`,
  noise: (v: number) => `noise ${number(v, 0)} dBm`,
  train: 'Train',
  trainWords: (every: number, groups: number, apart: number) =>
    `Every ${ms(every)} each of ${plural(groups, 'group', 'groups')} of labels is called once, ${ms(apart)} after the one before it.`,
  answers: (slots: number, spacing: number, delay: number) => `Up to ${plural(slots, 'label answers', 'labels answer')} a call, ${ms(spacing)} apart, ${ms(delay)} after it.`,
  latency: (every: number) => `A label hears a command after ${ms(every / 2)} on average, ${ms(every)} at most.`,
  capacity: 'Places taken',
  of: (n: number, max: number) => `${count(n)} of ${count(max)} (${number((100 * n) / Math.max(1, max), 1)} %)`,
  synced: 'In step',
  waiting: 'Waiting for their picture',
  lost: 'Silent',
  controller: 'Controller',
  driver: 'Driver',
  drivers: { h4: 'HCI stream (h4)', bluez: 'Linux Bluetooth (bluez)', oepl: 'OpenEPaperLink (oepl)' } as Record<string, string>,
  armed: 'Train started',
  times: (n: number) => plural(n, 'time', 'times'),
  outlook: (labels: number, pictureMs: number, tellMs: number) =>
    `New prices on all of the ${plural(labels, 'label', 'labels')} in step: about ${span(labels * pictureMs)} until every picture is there (${ms(pictureMs)} each), then ${span(tellMs)} to tell each label when to show it.`,
  away: 'The access point is offline. This is what it told',
  keys: 'Keys made',
  keysOld: (n: number) => `(being replaced: ${plural(n, 'label has', 'labels have')} older ones)`,
  machine: 'The radio itself',
  counters: 'Since the agent was started',
  share: (n: number, of: number) => `${count(n)} (${number((100 * n) / of, 1)} %)`,
  packets: 'Packets sent',
  commands: 'Commands',
  acks: 'Acknowledged',
  retries: 'Repeated',
  uploads: 'Pictures sent',
  uploadFailures: 'Pictures lost on the way',
  decrypt: 'Answers nobody could read',
  groups: 'Labels in each group',
  groupsWords: (least: number, most: number) => (least === most ? `${plural(most, 'label', 'labels')} in each.` : `From ${count(least)} to ${count(most)} labels.`),
  group: (i: number, n: number) => `Group ${i}: ${plural(n, 'label', 'labels')}`,
  signal: 'How well labels are heard',
  signalNone: 'No label has answered yet.',
  signalWords: (weak: number, all: number) => (weak ? `${count(weak)} of ${count(all)} are weaker than −85 dBm and often need a second try.` : `All ${count(all)} are heard with −85 dBm or more.`),
  signalBin: (from: number | null, to: number | null, n: number) =>
    `${from === null ? `below ${to}` : to === null ? `${from} and more` : `${from} to ${to}`} dBm: ${plural(n, 'label', 'labels')}`,
  weak: 'weak',
  good: 'good',
  agent: 'Access point',
  toLabels: 'Its labels',
  mbps: (v: number) => (v >= 1000 ? `${number(v / 1000, 1)} Gbit/s` : `${number(v, 0)} Mbit/s`),
  duplex: { full: 'full duplex', half: 'half duplex' },
  role: { station: 'client', 'access-point': 'access point', mesh: 'mesh', monitor: 'listens only', other: '' } as Record<string, string>,
  width: (v: number) => `${number(v, 0)} MHz wide`,
  changes: (n: number) => `up or down ${plural(n, 'time', 'times')} in ten minutes`,
  radioPage: 'How the radio does',
  stations: 'Access points of the labels',
  stationOnline: 'online',
  stationDown: 'not there',
  calling: 'Calling as they should',
  stationLabels: 'Labels of this store',
  stationQueued: 'With something waiting',
  stationTags: 'Labels it knows',
  stationChannel: 'Radio channel',
  stationVersion: 'Firmware',
  stationHeap: 'Free memory',
  stationStorage: 'Free storage',
  stationWifi: 'Its own Wi-Fi',
  stationLow: 'Low batteries',
  stationTimeouts: 'No longer calling',
  stationUptime: 'Running for',
  bytes: (v: number) => (v >= 1e6 ? `${number(v / 1e6, 1)} MB` : `${number(v / 1e3, 0)} kB`),
  dbm: (v: number) => `${number(v, 0)} dBm`,
  hours: (s: number) => (s >= 172800 ? plural(Math.floor(s / 86400), 'day', 'days') : s >= 7200 ? plural(Math.floor(s / 3600), 'hour', 'hours') : plural(Math.floor(s / 60), 'minute', 'minutes')),
};
