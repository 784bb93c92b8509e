/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test_common.h"

#include "common/err.h"
#include "controller/shop/unit_price.h"
#include <string.h>

static void expect(int64_t price, const char *content, enum content_unit unit, int64_t minor,
		   const char *per)
{
	struct unit_price up;
	int64_t micro;

	assert_int_equal(content_parse(content, strlen(content), &micro), 0);
	assert_true(unit_price(price, micro, unit, &up));
	assert_int_equal(up.minor, minor);
	assert_string_equal(up.per, per);
}

static void price_is_per_kilogram_and_litre(void **state)
{
	(void) state;
	expect(199, "0.75", CONTENT_L, 265, "1 l");
	expect(199, "750", CONTENT_ML, 265, "1 l");
	expect(1000, "3", CONTENT_KG, 333, "1 kg");
	expect(299, "1", CONTENT_KG, 299, "1 kg");
}

static void small_contents_are_per_hundred(void **state)
{
	(void) state;
	expect(299, "250", CONTENT_G, 120, "100 g");
	expect(299, "0.25", CONTENT_KG, 120, "100 g");
	expect(299, "251", CONTENT_G, 1191, "1 kg");
	expect(100, "30", CONTENT_ML, 333, "100 ml");
}

static void metres_and_pieces_count_singly(void **state)
{
	(void) state;
	expect(1000, "2.5", CONTENT_M, 400, "1 m");
	expect(299, "6", CONTENT_PC, 50, "1 pc");
}

static void halves_are_rounded_up(void **state)
{
	(void) state;
	expect(1, "2", CONTENT_KG, 1, "1 kg");
	expect(1, "2.000001", CONTENT_KG, 0, "1 kg");
	expect(3, "2", CONTENT_PC, 2, "1 pc");
	expect(0, "2", CONTENT_PC, 0, "1 pc");
}

static void nothing_to_compute_is_said(void **state)
{
	struct unit_price up;

	(void) state;
	assert_false(unit_price(100, 0, CONTENT_KG, &up));
	assert_false(unit_price(100, CONTENT_MICRO, CONTENT_NONE, &up));
	assert_false(unit_price(INT64_C(999999999999), 1, CONTENT_KG, &up));
}

static void contents_are_read_strictly(void **state)
{
	static const struct {
		const char *text;
		int err;
	} bad[] = {{"", -ERR_SYNTAX},
		   {"0", -ERR_RANGE},
		   {"-1", -ERR_RANGE},
		   {"1,234", -ERR_CONFLICT},
		   {"1.2.3", -ERR_SYNTAX},
		   {".5", -ERR_SYNTAX},
		   {"1.", -ERR_SYNTAX},
		   {"1.2345678", -ERR_SYNTAX},
		   {"1e3", -ERR_SYNTAX},
		   {"1000001", -ERR_RANGE},
		   {"99999999999999999999", -ERR_RANGE}};
	char text[CONTENT_TEXT_MAX];
	int64_t v;

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(content_parse(bad[i].text, strlen(bad[i].text), &v), bad[i].err);
	assert_int_equal(content_parse("0,125", 5, &v), 0);
	assert_string_equal(content_format(v, text), "0.125");
	assert_int_equal(content_parse("1.234", 5, &v), 0);
	assert_int_equal(v, 1234000);
	assert_int_equal(content_parse("0750.50", 7, &v), 0);
	assert_string_equal(content_format(v, text), "750.5");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(price_is_per_kilogram_and_litre),
		cmocka_unit_test(small_contents_are_per_hundred),
		cmocka_unit_test(metres_and_pieces_count_singly),
		cmocka_unit_test(halves_are_rounded_up),
		cmocka_unit_test(nothing_to_compute_is_said),
		cmocka_unit_test(contents_are_read_strictly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
