/* SPDX-License-Identifier: Apache-2.0 */
/* GTIN, EPC and instants: numbers whose meaning a standard fixes. */
#include "tests/unit/test_common.h"

#include "common/clock.h"
#include "common/epc.h"
#include "common/err.h"
#include "common/gtin.h"
#include <stdio.h>
#include <string.h>

static int parse(const char *text, uint64_t *ret)
{
	return gtin_parse(text, strlen(text), ret);
}

static void gtin_of_every_length_becomes_fourteen_digits(void **state)
{
	(void) state;
	uint64_t gtin;
	char text[GTIN_STR_MAX];

	assert_int_equal(parse("96385074", &gtin), 0);
	assert_string_equal(gtin_format(gtin, text), "00000096385074");
	assert_int_equal(parse("036000291452", &gtin), 0);
	assert_int_equal(parse("4006381333931", &gtin), 0);
	assert_string_equal(gtin_format(gtin, text), "04006381333931");
	assert_int_equal(parse("09506000134352", &gtin), 0);
}

static void gtin_with_a_wrong_digit_is_refused(void **state)
{
	(void) state;
	uint64_t gtin;

	assert_int_equal(parse("4006381333932", &gtin), -ERR_CHECK_DIGIT);
	assert_int_equal(parse("400638133393A", &gtin), -ERR_SYNTAX);
	assert_int_equal(parse("", &gtin), -ERR_SYNTAX);
	assert_int_equal(parse("123456789012345", &gtin), -ERR_SYNTAX);
	assert_int_equal(parse("00000000000000", &gtin), -ERR_CHECK_DIGIT);
}

static void store_numbers_are_recognised(void **state)
{
	(void) state;
	uint64_t gtin;

	assert_int_equal(parse("2012345678903", &gtin), 0);
	assert_true(gtin_is_restricted(gtin));
	assert_int_equal(parse("4006381333931", &gtin), 0);
	assert_false(gtin_is_restricted(gtin));
}

static void sgtin_decodes_the_standards_example(void **state)
{
	(void) state;
	struct epc epc;
	struct sgtin s;

	/* TDS 2.3 E.3: (01)09506000134352(21)123456789. */
	assert_int_equal(epc_from_hex("3066C4409047E140075BCD15", &epc), 0);
	assert_int_equal(sgtin96_decode(&epc, &s), 0);
	assert_true(s.gtin == UINT64_C(9506000134352));
	assert_true(s.serial == 123456789);
	assert_int_equal(s.filter, 3);
	char uri[SGTIN_URI_MAX];

	assert_string_equal(sgtin_uri(&s, uri), "urn:epc:id:sgtin:95060001343.05.123456789");
}

static void sgtin_encoding_is_the_inverse_for_every_partition(void **state)
{
	(void) state;
	for (unsigned int digits = 6; digits <= 12; digits++) {
		struct sgtin s = {.gtin = UINT64_C(19506000134359),
				  .serial = (UINT64_C(1) << 38) - 1,
				  .filter = 1,
				  .prefix_digits = digits};
		struct sgtin back;
		struct epc epc;

		assert_int_equal(sgtin96_encode(&s, &epc), 0);
		assert_int_equal(sgtin96_decode(&epc, &back), 0);
		assert_true(back.gtin == s.gtin && back.serial == s.serial);
		assert_int_equal(back.prefix_digits, digits);
	}
}

static void sgtin_outside_its_digits_is_refused(void **state)
{
	(void) state;
	struct epc epc;
	struct sgtin s;

	/* Prefix value 16777215 needs eight digits where partition 5 has seven. */
	assert_int_equal(epc_from_hex("3037FFFFFC00000000000001", &epc), 0);
	assert_int_equal(sgtin96_decode(&epc, &s), -ERR_RANGE);
	/* Partition 7 does not exist. */
	assert_int_equal(epc_from_hex("303C00000000000000000001", &epc), 0);
	assert_int_equal(sgtin96_decode(&epc, &s), -ERR_RANGE);
	/* A maker's tag number is no SGTIN. */
	assert_int_equal(epc_from_hex("E28011606000020612345678", &epc), 0);
	assert_int_equal(sgtin96_decode(&epc, &s), -ERR_VERSION);
	s = (struct sgtin){
		.gtin = UINT64_C(9506000134352), .serial = UINT64_C(1) << 38, .prefix_digits = 7};
	assert_int_equal(sgtin96_encode(&s, &epc), -ERR_RANGE);
}

static void epc_bits_beyond_its_length_do_not_count(void **state)
{
	(void) state;
	struct epc a, b;
	char hex[EPC_HEX_MAX];

	assert_int_equal(epc_set(&a, (const uint8_t *) "\xab\xcf", 12), 0);
	assert_int_equal(epc_set(&b, (const uint8_t *) "\xab\xc0", 12), 0);
	assert_true(epc_equal(&a, &b));
	assert_string_equal(epc_to_hex(&a, hex), "abc0");
	assert_int_equal(epc_set(&a, (const uint8_t *) "", 497), -ERR_RANGE);
	assert_int_equal(epc_from_hex("abc", &a), -ERR_SYNTAX);
}

static void instants_survive_their_text(void **state)
{
	(void) state;
	char text[CLOCK_RFC3339_MAX];
	int64_t t;

	assert_int_equal(clock_parse_rfc3339("2026-11-22T13:10:12.123Z", &t), 0);
	assert_string_equal(clock_rfc3339(t, text), "2026-11-22T13:10:12.123Z");
	assert_int_equal(clock_parse_rfc3339("2026-11-22T14:10:12.123+01:00", &t), 0);
	assert_string_equal(clock_rfc3339(t, text), "2026-11-22T13:10:12.123Z");
	assert_string_equal(clock_rfc3339(-1000, text), "1969-12-31T23:59:59.999Z");
}

static void dates_that_do_not_exist_are_refused(void **state)
{
	(void) state;
	static const char *const bad[] = {
		"2026-02-30T00:00:00Z",
		"2026-13-01T00:00:00Z",
		"2026-11-22",
		"2026-11-22T24:00:00Z",
		"2026-11-22T13:10:12",
		"2026-11-22T13:10:12.Z",
		"2026-11-22T13:10:12Zx",
		"",
	};
	int64_t t;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(clock_parse_rfc3339(bad[i], &t), -ERR_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gtin_of_every_length_becomes_fourteen_digits),
		cmocka_unit_test(gtin_with_a_wrong_digit_is_refused),
		cmocka_unit_test(store_numbers_are_recognised),
		cmocka_unit_test(sgtin_decodes_the_standards_example),
		cmocka_unit_test(sgtin_encoding_is_the_inverse_for_every_partition),
		cmocka_unit_test(sgtin_outside_its_digits_is_refused),
		cmocka_unit_test(epc_bits_beyond_its_length_do_not_count),
		cmocka_unit_test(instants_survive_their_text),
		cmocka_unit_test(dates_that_do_not_exist_are_refused),
	};

	return cmocka_run_group_tests_name("numbers", tests, NULL, NULL);
}
