/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The unit price that the law wants beside the selling price (EU 98/6/EC and its like): computed
 * from the product's content and unit, never typed. Integer arithmetic, rounded half up.
 *
 * Per 1 kg, 1 l, 1 m or 1 pc; per 100 g or 100 ml for contents of up to 250 g or 250 ml.
 */
#pragma once

#include "common/util.h"
#include <stdbool.h>

enum content_unit {
	CONTENT_NONE = 0,
	CONTENT_KG,
	CONTENT_G,
	CONTENT_L,
	CONTENT_ML,
	CONTENT_M,
	CONTENT_PC,
	CONTENT_UNIT_COUNT
};

/** "kg", "g", "l", "ml", "m", "pc"; CONTENT_NONE for any other text. */
enum content_unit content_unit_parse(const char *text, size_t len);
const char *content_unit_text(enum content_unit unit);

#define CONTENT_TEXT_MAX 24
#define CONTENT_MICRO    INT64_C(1000000)

/**
 * Parses a content such as "0.75" or "0,75" into millionths of its unit: up to six decimals, above
 * 0, at most 1,000,000. -ERR_RANGE, -ERR_CONFLICT (a comma before exactly three digits, "1,234") or
 * -ERR_SYNTAX.
 */
int content_parse(const char *text, size_t len, int64_t *ret_micro) _must_check_;
/** The canonical decimal text: no needless zeros, decimal point. Returns buf. */
const char *content_format(int64_t micro, char buf[CONTENT_TEXT_MAX]);

struct unit_price {
	int64_t minor;
	const char *per; /**< "1 kg", "100 g", ... (static) */
};

/** False if there is nothing to compute: no unit, no content, or a result beyond all prices. */
bool unit_price(int64_t price_minor, int64_t content_micro, enum content_unit unit,
		struct unit_price *ret);
