/* SPDX-License-Identifier: Apache-2.0 */
/** @file A promotion from a request's body, with every fault named by JSON pointer. */
#pragma once

#include "controller/promo/promotion.h"

enum {
	PROMOTION_HAS_NAME = 1,
	PROMOTION_HAS_TERMS = 2,
	PROMOTION_HAS_SELECT = 4,
	PROMOTION_HAS_ZONE = 8,
	PROMOTION_HAS_START = 16,
	PROMOTION_HAS_END = 32,
	PROMOTION_HAS_RECURRENCE = 64,
	PROMOTION_HAS_STATE = 128,
	PROMOTION_HAS_ALL = 255
};

struct promotion_reading {
	struct sql *sql; /**< to find products */
	struct currency currency;
	int64_t now_us;
	json_t *errors;   /**< owned; [{pointer, code, detail}], empty when all is well */
	unsigned int has; /**< what the body gave */
};

/** Reads `body` over what `p` holds already. -ENOMEM, or what the database said; faults of the body
 * are in r->errors. */
int promotion_read(struct promotion_reading *r, json_t *body, struct promotion *p) _must_check_;
/** Is it whole, and does it make sense in time? Adds to r->errors. */
int promotion_check(struct promotion_reading *r, const struct promotion *p) _must_check_;
/** Both, of a body that must name everything a promotion needs. */
int promotion_read_whole(struct promotion_reading *r, json_t *body,
			 struct promotion *p) _must_check_;
