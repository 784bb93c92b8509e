/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The display ledger: what was wanted on each label and what it is known to have shown, with the
 * grade of the evidence. Append-only; the database refuses anything else.
 */
#pragma once

#include "common/image.h"
#include "common/sql.h"
#include <jansson.h>

struct ledger_entry {
	uint64_t addr;
	int64_t at_us;
	int64_t agent_id;     /**< 0 = the controller's own doing */
	const char *kind;     /**< "seen", "associated", "linked", "unlinked", "wanted", "held",
				   "staged", "sent", "shown", "error", "lost", "found" */
	const uint8_t *image; /**< NULL = none */
	int grade;            /**< enum evidence_grade */
	const char *text;     /**< NULL = none */
	bool has_price;
	int64_t price_minor;
	const char *currency;
};

/** Inside a write. */
int ledger_append(struct sql *s, const struct ledger_entry *e) _must_check_;
/** Entries of a label older than `before` (an id; 0 = the newest), newest first, as API objects.
 * The cursor for more goes to *ret_next, 0 = that was all. */
int ledger_list(struct sql *s, uint64_t addr, int64_t before, int64_t limit, json_t *items,
		int64_t *ret_next) _must_check_;
/** 1 = an entry of this label names the picture, 0 = none does. */
int ledger_names(struct sql *s, uint64_t addr, const uint8_t image[IMAGE_HASH_BYTES]) _must_check_;
/** "acknowledged", "confirmed", "read-back"; NULL for none. */
const char *ledger_grade_text(int grade);
