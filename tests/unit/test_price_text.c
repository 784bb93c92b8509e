/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test_common.h"

#include "common/err.h"
#include "controller/shop/price_text.h"
#include <string.h>

static int parse(const char *text, const char *code, int64_t *ret)
{
	struct currency c;

	assert_true(currency_find(code, &c));
	return price_parse(text, strlen(text), &c, ret);
}

static void prices_are_read_as_people_write_them(void **state)
{
	static const struct {
		const char *text, *code;
		int64_t minor;
	} good[] = {{"1.99", "EUR", 199},
		    {"1,99", "EUR", 199},
		    {" 12 ", "EUR", 1200},
		    {"0.5", "EUR", 50},
		    {"1.234,50", "EUR", 123450},
		    {"1,234.50", "USD", 123450},
		    {"1 234,50", "EUR", 123450},
		    {"1,234,567", "USD", 123456700},
		    {"250", "JPY", 250},
		    {"1.234", "KWD", 1234},
		    {"0", "EUR", 0},
		    {"-0", "EUR", 0},
		    {"0,125", "KWD", 125}};
	int64_t v;

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(parse(good[i].text, good[i].code, &v), 0);
		assert_int_equal(v, good[i].minor);
	}
}

static void what_may_be_read_in_two_ways_is_refused(void **state)
{
	int64_t v;

	(void) state;
	assert_int_equal(parse("1,234", "EUR", &v), -ERR_CONFLICT);
	assert_int_equal(parse("1.234", "EUR", &v), -ERR_CONFLICT);
	assert_int_equal(parse("1,234", "KWD", &v), -ERR_CONFLICT);
	assert_int_equal(parse("999.999", "JPY", &v), -ERR_CONFLICT);
}

static void nonsense_is_refused(void **state)
{
	static const char *const bad[] = {"",     "abc",   "1.999",    "1..2", "1,2,3", "1.2.3,4",
					  "1e5",  "$1",    "1.",       ".5",   "--1",   "1 2",
					  "0x10", "1.2\n", "12,34.56", "NaN",  "1'000"};
	int64_t v;

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(parse(bad[i], "EUR", &v),
				 strcmp(bad[i], "1.999") == 0 ? -ERR_CONFLICT : -ERR_SYNTAX);
	assert_int_equal(parse("-1.99", "EUR", &v), -ERR_RANGE);
	assert_int_equal(parse("99999999999999", "EUR", &v), -ERR_RANGE);
	assert_int_equal(parse("1.5", "JPY", &v), -ERR_SYNTAX);
}

static void prices_print_as_their_shops_do(void **state)
{
	char buf[PRICE_TEXT_MAX];
	struct price_parts parts;
	struct currency c;

	(void) state;
	assert_true(currency_find("EUR", &c));
	assert_string_equal(price_sentence(399, &c, buf), "3,99 €");
	assert_string_equal(price_decimal(5, &c, buf), "0.05");
	assert_string_equal(price_with_code(333, "EUR", buf), "3.33 EUR");
	assert_string_equal(price_with_code(333, "JPY", buf), "333 JPY");
	assert_string_equal(price_with_code(PRICE_MAX_MINOR, "KWD", buf), "999999999.999 KWD");
	price_split(1234567, &c, &parts);
	assert_string_equal(parts.major, "12 345");
	assert_string_equal(parts.minor, "67");
	assert_true(currency_find("USD", &c));
	assert_string_equal(price_sentence(399, &c, buf), "$3.99");
	assert_true(currency_find("JPY", &c));
	assert_string_equal(price_sentence(1980, &c, buf), "¥1980");
	assert_true(currency_find("XTS", &c));
	assert_string_equal(price_sentence(1980, &c, buf), "19,80 XTS");
	assert_false(currency_find("eur", &c));
	assert_false(currency_find("EURO", &c));
	assert_false(currency_find(NULL, &c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prices_are_read_as_people_write_them),
		cmocka_unit_test(what_may_be_read_in_two_ways_is_refused),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(prices_print_as_their_shops_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
