/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * From checked rows to one transaction. The plan compares each row with the database on the pool,
 * with a reader of its own, so that the writer thread later only writes what differs: 20,000 new
 * products hold it for about a tenth of a second. A product that somebody changes between plan and
 * write is noticed by its revision; then the write undoes itself and the plan is made again.
 */
#pragma once

#include "common/sql.h"
#include "controller/shop/import_rows.h"

struct import_counts {
	uint64_t rows, created, updated, unchanged, prices_changed;
};

/** Fills in each row's action. For the pool; `s` is a reader. */
int import_plan(struct sql *s, struct import_set *set, const struct currency *currency,
		int64_t now_us, struct import_counts *ret) _must_check_;
/** Carries the plan out, inside a write. -ERR_CONFLICT: the database is no longer what the plan
 * saw. */
int import_apply(struct sql *s, const struct import_set *set, const struct currency *currency,
		 const char *who, int64_t now_us) _must_check_;
