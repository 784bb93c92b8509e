/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/shop/price_text.h"
#include "common/err.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ISO 4217 minor units; those with two digits, a comma and no sign of their own need no row. */
static const struct currency currencies[] = {
	{"AUD", 2, '.', true, "$"},    {"BGN", 2, ',', false, "лв"},  {"BHD", 3, '.', false, "BHD"},
	{"BRL", 2, ',', true, "R$"},   {"CAD", 2, '.', true, "$"},    {"CHF", 2, '.', false, "CHF"},
	{"CLP", 0, ',', true, "$"},    {"CNY", 2, '.', true, "¥"},    {"CZK", 2, ',', false, "Kč"},
	{"DKK", 2, ',', false, "kr"},  {"EUR", 2, ',', false, "€"},   {"GBP", 2, '.', true, "£"},
	{"HKD", 2, '.', true, "$"},    {"HUF", 2, ',', false, "Ft"},  {"ILS", 2, '.', true, "₪"},
	{"INR", 2, '.', true, "₹"},    {"IQD", 3, '.', false, "IQD"}, {"ISK", 0, ',', false, "kr"},
	{"JOD", 3, '.', false, "JOD"}, {"JPY", 0, '.', true, "¥"},    {"KRW", 0, '.', true, "₩"},
	{"KWD", 3, '.', false, "KWD"}, {"LYD", 3, '.', false, "LYD"}, {"MXN", 2, '.', true, "$"},
	{"NOK", 2, ',', false, "kr"},  {"NZD", 2, '.', true, "$"},    {"OMR", 3, '.', false, "OMR"},
	{"PLN", 2, ',', false, "zł"},  {"PYG", 0, ',', false, "₲"},   {"RON", 2, ',', false, "lei"},
	{"SEK", 2, ',', false, "kr"},  {"SGD", 2, '.', true, "$"},    {"THB", 2, '.', true, "฿"},
	{"TND", 3, ',', false, "TND"}, {"TRY", 2, ',', true, "₺"},    {"UAH", 2, ',', false, "₴"},
	{"USD", 2, '.', true, "$"},    {"VND", 0, ',', false, "₫"},   {"ZAR", 2, ',', true, "R"},
};

bool currency_find(const char *code, struct currency *ret)
{
	if (!code || strlen(code) != 3)
		return false;
	for (size_t i = 0; i < 3; i++)
		if (code[i] < 'A' || code[i] > 'Z')
			return false;
	*ret = (struct currency){.digits = 2, .separator = ','};
	for (size_t i = 0; i < ARRAY_SIZE(currencies); i++)
		if (memcmp(currencies[i].code, code, 3) == 0)
			*ret = currencies[i];
	memcpy(ret->code, code, 4);
	return true;
}

const char *currency_sign(const struct currency *cur)
{
	return cur->sign ? cur->sign : cur->code;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int64_t pow10_of(unsigned int n)
{
	int64_t v = 1;

	while (n--)
		v *= 10;
	return v;
}

/* What separators a number has, found in one pass before anything is believed. */
struct shape {
	size_t points, commas, spaces;
	size_t last;  /* offset of the last '.' or ',' */
	size_t first; /* offset of the first '.' or ',' */
};

static int shape_of(const char *text, size_t len, struct shape *s)
{
	*s = (struct shape){.last = len, .first = len};
	for (size_t i = 0; i < len; i++) {
		if (is_digit(text[i]))
			continue;
		if (text[i] == ' ')
			s->spaces++;
		else if (text[i] == '.')
			s->points++;
		else if (text[i] == ',')
			s->commas++;
		else
			return -ERR_SYNTAX;
		if (text[i] == '.' || text[i] == ',') {
			s->first = MIN(s->first, i);
			s->last = i;
		}
	}
	return 0;
}

/* Digits in groups of three between the separators `sep`: "1,234,567". */
static bool grouped(const char *text, size_t len, char sep)
{
	size_t run = 0;
	bool first = true;

	for (size_t i = 0; i <= len; i++) {
		if (i < len && is_digit(text[i])) {
			run++;
			continue;
		}
		if (i < len && text[i] != sep)
			return false;
		if (first ? run < 1 || run > 3 : run != 3)
			return false;
		first = false;
		run = 0;
	}
	return true;
}

/* Finds the end of the whole part and whether its digits are grouped; the rest are decimals. */
static int find_decimals(const char *text, size_t len, const struct shape *s, unsigned int digits,
			 size_t *ret_whole)
{
	size_t seps = s->points + s->commas, decimals = s->last < len ? len - s->last - 1 : 0;

	*ret_whole = len;
	if (seps == 0)
		return s->spaces && !grouped(text, len, ' ') ? -ERR_SYNTAX : 0;
	if (seps == 1) {
		*ret_whole = s->last;
		if (decimals == 3 && s->last > 0 && s->last <= 3 && text[0] != '0' && !s->spaces &&
		    (digits != 3 || text[s->last] == ','))
			return -ERR_CONFLICT;
		return s->spaces && !grouped(text, s->last, ' ') ? -ERR_SYNTAX : 0;
	}
	if (s->spaces)
		return -ERR_SYNTAX;
	if (s->points && s->commas) { /* the last kind is the decimal mark, once */
		if ((text[s->last] == '.' ? s->points : s->commas) != 1)
			return -ERR_SYNTAX;
		*ret_whole = s->last;
		return grouped(text, s->last, text[s->first]) ? 0 : -ERR_SYNTAX;
	}
	return grouped(text, len, text[s->first]) ? 0 : -ERR_SYNTAX;
}

static int add_digits(const char *text, size_t len, int64_t *v)
{
	for (size_t i = 0; i < len; i++) {
		if (!is_digit(text[i]))
			continue;
		*v = *v * 10 + (text[i] - '0');
		if (*v > PRICE_MAX_MINOR)
			return -ERR_RANGE;
	}
	return 0;
}

int price_parse(const char *text, size_t len, const struct currency *cur, int64_t *ret_minor)
{
	struct shape s;
	size_t whole, decimals;
	int64_t v = 0;
	bool negative;
	int r;

	while (len && text[0] == ' ')
		text++, len--;
	while (len && text[len - 1] == ' ')
		len--;
	negative = len && text[0] == '-';
	if (negative)
		text++, len--;
	if (len == 0 || len > 32 || !is_digit(text[0]) || !is_digit(text[len - 1]))
		return -ERR_SYNTAX;
	r = shape_of(text, len, &s);
	if (r == 0)
		r = find_decimals(text, len, &s, cur->digits, &whole);
	if (r < 0)
		return r;
	decimals = whole < len ? len - whole - 1 : 0;
	if (decimals > cur->digits)
		return -ERR_SYNTAX;
	r = add_digits(text, len, &v);
	for (size_t i = decimals; r == 0 && i < cur->digits; i++)
		r = add_digits("0", 1, &v);
	if (r < 0)
		return r;
	if (negative && v > 0)
		return -ERR_RANGE;
	*ret_minor = v;
	return 0;
}

/* `digits` decimals (at most 7) of a part below one major unit, zeros in front kept. */
static void decimals_text(int64_t part, unsigned int digits, char buf[8])
{
	buf[digits] = 0;
	while (digits--) {
		buf[digits] = (char) ('0' + part % 10);
		part /= 10;
	}
}

const char *price_decimal(int64_t minor, const struct currency *cur, char buf[PRICE_TEXT_MAX])
{
	int64_t unit = pow10_of(cur->digits);
	char decimals[8];

	decimals_text(minor % unit, cur->digits, decimals);
	snprintf(buf, PRICE_TEXT_MAX, "%" PRId64 "%s%s", minor / unit, cur->digits ? "." : "",
		 decimals);
	return buf;
}

const char *price_with_code(int64_t minor, const char *code, char buf[PRICE_TEXT_MAX])
{
	struct currency cur = {.digits = 2};
	char number[PRICE_TEXT_MAX];

	ignore_result(currency_find(code, &cur));
	snprintf(buf, PRICE_TEXT_MAX, "%.30s %.3s", price_decimal(minor, &cur, number), code);
	return buf;
}

const char *price_sentence(int64_t minor, const struct currency *cur, char buf[PRICE_TEXT_MAX])
{
	struct price_parts p;
	const char *sep = cur->digits == 0 ? "" : cur->separator == ',' ? "," : ".";

	price_split(minor, cur, &p);
	if (cur->sign_first)
		snprintf(buf, PRICE_TEXT_MAX, "%s%s%s%s", currency_sign(cur), p.major, sep,
			 p.minor);
	else
		snprintf(buf, PRICE_TEXT_MAX, "%s%s%s %s", p.major, sep, p.minor,
			 currency_sign(cur));
	return buf;
}

void price_split(int64_t minor, const struct currency *cur, struct price_parts *ret)
{
	int64_t unit = pow10_of(cur->digits), major = minor / unit;
	char digits[24];
	size_t n = (size_t) snprintf(digits, sizeof digits, "%" PRId64, major), at = 0;

	*ret = (struct price_parts){.major = ""};
	for (size_t i = 0; i < n && at < sizeof ret->major - 2; i++) {
		if (n > 4 && i > 0 && (n - i) % 3 == 0)
			ret->major[at++] = ' ';
		ret->major[at++] = digits[i];
	}
	ret->major[at] = 0;
	if (cur->digits)
		decimals_text(minor % unit, cur->digits, ret->minor);
}
