/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Money as people write it, and back: a decimal text becomes an integer count of minor units, and
 * the integer becomes the parts that a shelf label prints. No floating point, no locale: what a
 * currency looks like comes from one table (ISO 4217 minor units; sign and separator as its shops
 * use them).
 */
#pragma once

#include "common/util.h"
#include <stdbool.h>

#define PRICE_CURRENCY_MAX 4                     /**< three letters and a NUL */
#define PRICE_MAX_MINOR    INT64_C(999999999999) /**< 12 digits: beyond any shelf */
#define PRICE_TEXT_MAX     40

struct currency {
	char code[PRICE_CURRENCY_MAX];
	uint8_t digits;   /**< of the minor unit */
	char separator;   /**< decimal separator on a label */
	bool sign_first;  /**< "$1" rather than "1 €" */
	const char *sign; /**< UTF-8; NULL where there is no common one, see currency_sign() */
};

/** False unless three capital letters. A code that the table does not know has two minor digits. */
bool currency_find(const char *code, struct currency *ret);
/** What stands beside the number: its sign, or its code. */
const char *currency_sign(const struct currency *cur);

/**
 * Parses a price such as "1.99", "1,99", "1 234,50" or "1,234.50" into minor units. Blanks around
 * it are ignored. -ERR_RANGE for a negative or too large one; -ERR_CONFLICT for a text that
 * different countries read differently ("1,234": is it a thousand?); -ERR_SYNTAX for anything else,
 * also for more decimals than the currency has.
 */
int price_parse(const char *text, size_t len, const struct currency *cur,
		int64_t *ret_minor) _must_check_;

/** "1234.50": digits and a decimal point, as the API writes decimal text. Returns buf. */
const char *price_decimal(int64_t minor, const struct currency *cur, char buf[PRICE_TEXT_MAX]);

/** "1234.50 EUR", as it stands in the audit trail. Returns buf. */
const char *price_with_code(int64_t minor, const char *code, char buf[PRICE_TEXT_MAX]);

/** As the label says it in running text: "3,99 €", "$3.99". Returns buf. */
const char *price_sentence(int64_t minor, const struct currency *cur, char buf[PRICE_TEXT_MAX]);

/** The parts of a price for large print. */
struct price_parts {
	char major[24]; /**< grouped by spaces from five digits on */
	char minor[8];  /**< empty for currencies without a minor unit */
};
void price_split(int64_t minor, const struct currency *cur, struct price_parts *ret);
