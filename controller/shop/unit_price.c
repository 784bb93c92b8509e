/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/shop/unit_price.h"
#include "common/err.h"
#include "controller/shop/price_text.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CONTENT_MAX_MICRO (INT64_C(1000000) * CONTENT_MICRO)

static const char *const unit_texts[CONTENT_UNIT_COUNT] = {"", "kg", "g", "l", "ml", "m", "pc"};

enum content_unit content_unit_parse(const char *text, size_t len)
{
	for (int u = CONTENT_KG; u < CONTENT_UNIT_COUNT; u++)
		if (strlen(unit_texts[u]) == len && memcmp(unit_texts[u], text, len) == 0)
			return (enum content_unit) u;
	return CONTENT_NONE;
}

const char *content_unit_text(enum content_unit unit)
{
	return (unsigned int) unit < CONTENT_UNIT_COUNT ? unit_texts[unit] : "";
}

int content_parse(const char *text, size_t len, int64_t *ret_micro)
{
	int64_t v = 0;
	int decimals = -1;
	char mark = 0;

	if (len == 0 || len > 20)
		return -ERR_SYNTAX;
	for (size_t i = 0; i < len; i++) {
		if (text[i] >= '0' && text[i] <= '9') {
			v = v * 10 + (text[i] - '0');
			if (decimals >= 0 && ++decimals > 6)
				return -ERR_SYNTAX;
			if (v > CONTENT_MAX_MICRO)
				return -ERR_RANGE;
		} else if ((text[i] == '.' || text[i] == ',') && decimals < 0 && i > 0) {
			decimals = 0;
			mark = text[i];
		} else {
			return text[i] == '-' && i == 0 ? -ERR_RANGE : -ERR_SYNTAX;
		}
	}
	if (decimals == 0)
		return -ERR_SYNTAX;
	if (mark == ',' && decimals == 3 && text[0] != '0')
		return -ERR_CONFLICT;
	for (int i = decimals < 0 ? 0 : decimals; i < 6 && v <= CONTENT_MAX_MICRO; i++)
		v *= 10;
	if (v <= 0 || v > CONTENT_MAX_MICRO)
		return -ERR_RANGE;
	*ret_micro = v;
	return 0;
}

const char *content_format(int64_t micro, char buf[CONTENT_TEXT_MAX])
{
	int n = snprintf(buf, CONTENT_TEXT_MAX, "%" PRId64 ".%06" PRId64, micro / CONTENT_MICRO,
			 micro % CONTENT_MICRO);

	while (n > 0 && buf[n - 1] == '0')
		buf[--n] = 0;
	if (n > 0 && buf[n - 1] == '.')
		buf[--n] = 0;
	return buf;
}

bool unit_price(int64_t price_minor, int64_t content_micro, enum content_unit unit,
		struct unit_price *ret)
{
	bool thousandth = unit == CONTENT_G || unit == CONTENT_ML;
	bool mass = unit == CONTENT_G || unit == CONTENT_KG;
	bool weighed = mass || unit == CONTENT_L || unit == CONTENT_ML;
	__int128 base = content_micro; /* in millionths of kg, l, m or pc, times 1000 */
	__int128 per = CONTENT_MICRO, v;
	const char *text = unit == CONTENT_M ? "1 m" : "1 pc";

	if (content_micro <= 0 || price_minor < 0 || unit == CONTENT_NONE ||
	    unit >= CONTENT_UNIT_COUNT)
		return false;
	if (!thousandth)
		base *= 1000;
	per *= 1000;
	if (weighed) {
		text = mass ? "1 kg" : "1 l";
		if (base <= 250 * (__int128) CONTENT_MICRO) {
			per /= 10;
			text = mass ? "100 g" : "100 ml";
		}
	}
	v = (2 * (__int128) price_minor * per + base) / (2 * base);
	if (v > PRICE_MAX_MINOR)
		return false;
	*ret = (struct unit_price){.minor = (int64_t) v, .per = text};
	return true;
}
