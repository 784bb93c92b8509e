/* SPDX-License-Identifier: Apache-2.0 */
/** @file What labels measure, as their access points report it. */
#pragma once

#include "common/proto.h"
#include "common/sql.h"
#include <jansson.h>

/** What became of a reading that somebody asked for. */
enum sensor_asked {
	SENSOR_ASKED = 1,
	SENSOR_READ,
	SENSOR_FAILED,
};

/** On the writer: the report's values, of which older ones change only the past. `text` is the
 * report's, cleaned. Counts them in *taken. */
int label_sensors_keep(struct sql *s, uint64_t addr, const struct proto_label_report *rep,
		       int64_t at_us, const char *text, int *taken) _must_check_;
/** A new reference. */
json_t *label_sensors_json(struct sql *s, uint64_t addr, int64_t now_us);
/** Values of one sensor, newest first, before an instant (0 = now). */
int label_readings_list(struct sql *s, uint64_t addr, int64_t n, int64_t before_us, int64_t limit,
			json_t *items, int64_t *ret_next) _must_check_;
