/* SPDX-License-Identifier: Apache-2.0 */
/** @file What labels measure, as their access points report it. */
#pragma once

#include "common/proto.h"
#include "common/sql.h"
#include <jansson.h>

/** On the writer: the report's values, unless newer ones are there. */
int label_sensors_keep(struct sql *s, uint64_t addr, const struct proto_label_report *rep,
		       int64_t at_us) _must_check_;
/** A new reference. */
json_t *label_sensors_json(struct sql *s, uint64_t addr);
