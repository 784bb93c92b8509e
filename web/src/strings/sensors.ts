// SPDX-License-Identifier: Apache-2.0
// Words of what labels measure, and of what their batteries are asked for.

import { plural } from './words';

const number = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });

export const s = {
  title: 'Sensors',
  value: (v: number, unit: string | null) => `${number.format(v)} ${unit ?? ''}`.trim(),
  unknown: (id: string) => `Sensor ${id}`,
  raw: (known: boolean, bytes: string) => (!bytes ? 'no value yet' : known ? `no value (bytes ${bytes})` : `of a kind not known here, bytes ${bytes}`),
  read: 'Read now',
  reading: 'Asking the label',
  failed: (why: string) => `Not read: ${why}`,
  asked: (id: string) => `Label ${id} is asked what it measures`,
  chart: (name: string) => `${name} over time`,
  range: (from: string, to: string, v: number) => (from === to ? `${from} in all of ${plural(v, 'reading', 'readings')}` : `${from} to ${to} in ${plural(v, 'reading', 'readings')}`),
  budget: {
    flashes: (hour: number, perHour: number, day: number, perDay: number) => `It has blinked ${hour} of the ${perHour} times allowed within an hour, ${day} of ${perDay} within a day: more would wear its battery.`,
    readings: (hour: number, perHour: number, day: number, perDay: number) => `It was asked for ${hour} of the ${perHour} values allowed within an hour, ${day} of ${perDay} within a day: more would wear its battery.`,
    again: (wait: string) => `Used up; possible again ${wait}.`,
  },
};
