/* SPDX-License-Identifier: Apache-2.0 */
/** @file The objects of the API. */
#pragma once

#include "controller/promo/promotion.h"

/** One occurrence: {start, end, start_wall, end_wall, notes}. */
json_t *occurrence_json(const struct promotion *p, const struct occurrence *o);
/** The first PROMOTION_SHOWN that end after `now_us`, or of all if none does. */
int promotion_occurrences_json(const struct promotion *p, int64_t now_us,
			       json_t **ret) _must_check_;
/** {code, detail}. */
void promotion_warn(json_t *warnings, const char *code, const char *fmt, ...) _printf_(3, 4);
/** Warnings that follow from the promotion alone. */
void promotion_warn_plain(const struct promotion *p, json_t *occurrences, json_t *warnings);
/** The whole object. */
int promotion_json(struct sql *s, const struct promotion *p, int64_t now_us,
		   json_t **ret) _must_check_;
/** "12.5". Returns buf. */
const char *promotion_percent_text(int64_t milli, char buf[16]);
