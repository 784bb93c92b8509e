// SPDX-License-Identifier: Apache-2.0
// What labels measure: values asked for now, and those before.

import { call, idempotencyKey, type ListOptions, listCall } from '../api';
import type { Page, SensorReading } from '../types';

export const sensors = {
  /** Has them read, all of them unless one is named; the values come with the label. */
  read: (label: string, sensor?: number) =>
    call<{ until: string; sensors: number[] }>('POST', '/labels/{id}/readings', {
      args: [label],
      body: sensor === undefined ? {} : { sensors: [sensor] },
      headers: { 'Idempotency-Key': idempotencyKey() },
    }),
  /** Values of one sensor, newest first. */
  readings: (label: string, sensor: number, o: ListOptions = {}) => listCall<Page<SensorReading>>('/labels/{id}/readings', o, { sensor }, [label]),
};
