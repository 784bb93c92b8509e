/* SPDX-License-Identifier: Apache-2.0 */
/** @file What a label's battery may be asked for: how much of it is used, and when there is more.
 * Counted from rows that stay for months, so that no restart gives any of it back. */
#pragma once

#include "common/sql.h"
#include <jansson.h>

enum label_cost {
	LABEL_COST_FLASH,
	LABEL_COST_READING,
	LABEL_COST_COUNT
};

struct label_budget {
	int64_t hour, day;         /**< used within the last ones */
	int64_t per_hour, per_day; /**< allowed within these */
	int64_t free_us;           /**< from then on there is room for what was asked; 0 = now */
};

/** Is there room for `n` more? */
int label_budget_load(struct sql *s, enum label_cost cost, uint64_t addr, int64_t now_us, int64_t n,
		      struct label_budget *ret) _must_check_;
/** {flashes: {...}, readings: {...}}; a new reference. */
json_t *label_budget_json(struct sql *s, uint64_t addr, int64_t now_us);
