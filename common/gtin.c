/* SPDX-License-Identifier: Apache-2.0 */
#include "common/gtin.h"
#include "common/err.h"
#include <inttypes.h>
#include <stdio.h>

unsigned int gtin_check_digit(uint64_t body)
{
	unsigned int sum = 0;

	/* GS1 General Specifications 7.9.1: weights 3 and 1, from the right. */
	for (unsigned int weight = 3; body; body /= 10, weight = 4 - weight)
		sum += (unsigned int) (body % 10) * weight;
	return (10 - sum % 10) % 10;
}

int gtin_parse(const char *text, size_t len, uint64_t *ret_gtin)
{
	uint64_t v = 0;

	if (len == 0 || len > 14)
		return -ERR_SYNTAX;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -ERR_SYNTAX;
		v = v * 10 + (uint64_t) (text[i] - '0');
	}
	if (v == 0 || gtin_check_digit(v / 10) != v % 10)
		return -ERR_CHECK_DIGIT;
	*ret_gtin = v;
	return 0;
}

const char *gtin_format(uint64_t gtin, char buf[GTIN_STR_MAX])
{
	snprintf(buf, GTIN_STR_MAX, "%014" PRIu64, gtin % UINT64_C(100000000000000));
	return buf;
}

int gtin_is_restricted(uint64_t gtin)
{
	if (gtin < UINT64_C(100000000)) { /* GTIN-8: prefixes 0 and 2 (RCN-8) */
		uint64_t first = gtin / 10000000;

		return first == 0 || first == 2;
	}
	uint64_t prefix2 = gtin / UINT64_C(100000000000) % 100; /* first two of thirteen digits */

	return prefix2 == 2 || prefix2 == 4 || (prefix2 >= 20 && prefix2 <= 29);
}
