/* SPDX-License-Identifier: Apache-2.0 */
/** @file What is no EPC of a scheme we know, or only half of one: refused, read or classed. */
#include "common/epc_scheme.h"
#include "common/err.h"
#include "tests/unit/epc_bits.h"

/* --- what is refused -------------------------------------------------------------------------- */

static void bits_that_a_scheme_does_not_allow_are_refused(void **state)
{
	static const struct {
		const char *hex;
		int err;
	} bad[] = {
		{"303CC4409047E140075BCD15", -ERR_RANGE},   /* partition 7 */
		{"3037FFFFFC00000000000001", -ERR_RANGE},   /* a prefix of too many digits */
		{"3074257BFFFFFE4000001A85", -ERR_RANGE},   /* an item reference likewise */
		{"311BA1B300CE0A6A83000001", -ERR_RANGE},   /* reserved bits of SSCC-96 */
		{"3066C4409047E140075BCD", -ERR_TRUNCATED}, /* 88 bits */
		{"3066C4409047E140075BCD1500000001", -ERR_TRAILING},
		{"3666C4409047E100000000000000000000000000000000000000", -ERR_SYNTAX}, /* empty */
		{"3666C4409047E159B2C2BF100000000000000000000000000400", -ERR_SYNTAX},
		{"3F76451FD612640000000001", -ERR_RANGE},     /* no 1 before the serial */
		{"F7379521141123453E566CB0AFC4", -ERR_RANGE}, /* method 7 */
		{"F7379521141123453D566CB0AFC4", -ERR_RANGE}, /* 21 characters */
		{"F73795211411234528566CB0AFC4", -ERR_CHECK_DIGIT},
		{"F7379A211411234538566CB0AFC4", -ERR_RANGE},       /* A is no digit */
		{"FB3F2CDE795211411234538566CB0AFC40", -ERR_RANGE}, /* date type 15 */
		{"FB342DBE795211411234538566CB0AFC40", -ERR_RANGE}, /* month 13 */
		{"FA3D", -ERR_RANGE},
		{"E2801160600002054A1B2C3D", -ERR_VERSION},
		{"00", -ERR_VERSION},
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct epc e = bits_of(bad[i].hex);
		struct epc_id id;

		assert_int_equal(epc_decode(&e, &id), bad[i].err);
	}
}

static void identities_that_do_not_fit_are_refused(void **state)
{
	static const struct {
		struct epc_id id;
		int err;
	} bad[] = {
		{{.scheme = EPC_SGTIN_96,
		  .key = "09506000134352",
		  .serial = "274877906944",
		  .prefix_digits = 7},
		 -ERR_RANGE},
		{{.scheme = EPC_SGTIN_96,
		  .key = "09506000134352",
		  .serial = "01",
		  .prefix_digits = 7},
		 -ERR_RANGE},
		{{.scheme = EPC_SGTIN_96,
		  .key = "09506000134353",
		  .serial = "1",
		  .prefix_digits = 7},
		 -ERR_CHECK_DIGIT},
		{{.scheme = EPC_SGTIN_96, .key = "09506000134352", .serial = "1"}, -ERR_RANGE},
		{{.scheme = EPC_SGTIN_198,
		  .key = "09506000134352",
		  .serial = "a b",
		  .prefix_digits = 7},
		 -ERR_SYNTAX},
		{{.scheme = EPC_SGTIN_96,
		  .key = "9506000134352",
		  .serial = "1",
		  .prefix_digits = 7},
		 -ERR_RANGE},
		{{.scheme = EPC_GIAI_96, .key = "952114105678", .prefix_digits = 7}, -ERR_RANGE},
		{{.scheme = EPC_GIAI_96, .key = "9521141", .prefix_digits = 7}, -ERR_RANGE},
		{{.scheme = EPC_GRAI_96,
		  .key = "19521141123451",
		  .serial = "1",
		  .prefix_digits = 7},
		 -ERR_RANGE},
		{{.scheme = EPC_SSCC_96,
		  .key = "095201234567891235",
		  .serial = "1",
		  .prefix_digits = 6},
		 -ERR_RANGE},
		{{.scheme = EPC_DSGTIN_PLUS,
		  .key = "09506000134352",
		  .serial = "1",
		  .date_ai = 17,
		  .date = "220931"},
		 -ERR_RANGE},
		{{.scheme = EPC_DSGTIN_PLUS,
		  .key = "09506000134352",
		  .serial = "1",
		  .date_ai = 12,
		  .date = "220930"},
		 -ERR_RANGE},
		{{.scheme = EPC_SCHEME_NONE}, -ERR_VERSION},
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct epc e;

		assert_int_equal(epc_encode(&bad[i].id, &e), bad[i].err);
	}
}

static void uris_with_a_fault_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"urn:epc:id:",
		"urn:epc:id:sgtin:",
		"urn:epc:id:sgtin:9506000134.05.1",    /* a digit short */
		"urn:epc:id:sgtin:95060001343.05",     /* no serial */
		"urn:epc:id:sgtin:95060001343.05.",    /* an empty one */
		"urn:epc:id:sgtin:95060001343.05.a/b", /* to be escaped */
		"urn:epc:id:sgtin:95060001343.05.a%2", /* half an escape */
		"urn:epc:id:sgtin:95060001343.05.a%G0",
		"urn:epc:id:sgtin:95060001343.05.a%00",
		"urn:epc:id:sgtin:95060001343.05.a%20b", /* a space */
		"urn:epc:id:sgtin:95060001343.05.123456789012345678901",
		"urn:epc:id:sgtin+:95060001343.05.1",
		"urn:epc:tag:sgtin-96:95060001343.05.1", /* no filter */
		"urn:epc:tag:sgtin-96:8.95060001343.05.1",
		"urn:epc:tag:sgtin-96:3.95060001343.05.a",
		"urn:epc:tag:sgtin-97:3.95060001343.05.1",
		"urn:epc:id:gid:268435456.1.1",
		"https://id.gs1.org/",
		"https://id.gs1.org/01",
		"https://id.gs1.org/01/09506000134353/21/1", /* check digit */
		"https://id.gs1.org/01/09506000134352",      /* no serial */
		"https://id.gs1.org/01/09506000134352/10/1",
		"https://id.gs1.org/01/09506000134352/21/1/x",
		"https://id.gs1.org/01/09506000134352/21/1?17=220931",
		"ftp://id.gs1.org/01/09506000134352/21/1",
	};
	struct epc_id id;

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (epc_id_parse(bad[i], &id) == 0)
			fail_msg("%s is taken", bad[i]);
}

static void uri_that_does_not_fit_its_buffer_is_too_large(void **state)
{
	struct epc e = bits_of("3066C4409047E140075BCD15");
	struct epc_id id;
	char uri[64];

	(void) state;
	assert_true(epc_decode(&e, &id) > 0);
	assert_int_equal(epc_id_uri(&id, uri, 41), -ERR_TOO_LARGE);
	assert_int_equal(epc_id_uri(&id, uri, 42), 0);
	assert_int_equal(epc_digital_link(&id, uri, 10), -ERR_TOO_LARGE);
	assert_int_equal(epc_tag_uri(&id, uri, 0), -ERR_TOO_LARGE);
}

static void links_of_other_domains_and_with_more_in_the_query_are_read(void **state)
{
	struct epc_id id;

	(void) state;
	assert_int_equal(epc_id_parse("http://shop.example/some/where/01/09506000134352/21/"
				      "x%2fy?10=AB&15=261100&linkType=all#top",
				      &id),
			 0);
	assert_int_equal(id.scheme, EPC_DSGTIN_PLUS);
	assert_int_equal(id.date_ai, 15);
	assert_string_equal(id.date, "261100");
	assert_string_equal(id.serial, "x/y");
	assert_int_equal(epc_id_parse("https://id.gs1.org/414/9521141123454", &id), 0);
	assert_int_equal(id.scheme, EPC_SGLN_PLUS);
	assert_string_equal(id.serial, "0");
}

static void link_can_be_written_to_an_older_tag_when_the_prefix_is_known(void **state)
{
	struct epc_id id;
	struct epc e;
	char hex[EPC_HEX_MAX];

	(void) state;
	assert_int_equal(epc_id_parse("https://id.gs1.org/01/09506000134352/21/123456789", &id), 0);
	id.scheme = EPC_SGTIN_96;
	id.prefix_digits = 11;
	id.filter = 3;
	assert_int_equal(epc_encode(&id, &e), 96);
	assert_string_equal(epc_to_hex(&e, hex), "3066c4409047e140075bcd15");
}

/* --- tags of others --------------------------------------------------------------------------- */

static void tags_of_others_are_classed(void **state)
{
	static const struct {
		const char *hex;
		enum epc_class class;
	} tags[] = {
		{"3066C4409047E140075BCD15", EPC_CLASS_GS1},
		{"303CC4409047E140075BCD15", EPC_CLASS_BROKEN},
		{"E2801160600002054A1B2C3D", EPC_CLASS_TID},
		{"E0040100123456789ABCDEF0", EPC_CLASS_TID},
		{"000000000000000000000001", EPC_CLASS_BLANK},
		{"2F320434147455900000162E", EPC_CLASS_OTHER_GS1},
		{"FD3795211411234538566CB0AFC525065F1876F0D996D800", EPC_CLASS_OTHER_GS1},
		{"AD9012345678901234567890", EPC_CLASS_UNKNOWN},
		{"FFFFFFFFFFFFFFFFFFFFFFFF", EPC_CLASS_UNKNOWN},
	};
	const uint16_t epc_pc = 0x3000, iso_pc = 0x31c2;
	struct epc none = {0};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
		struct epc e = bits_of(tags[i].hex);

		assert_int_equal(epc_classify(&e, NULL), tags[i].class);
		assert_int_equal(epc_classify(&e, &epc_pc), tags[i].class);
		assert_int_equal(epc_classify(&e, &iso_pc), EPC_CLASS_ISO);
	}
	assert_int_equal(epc_classify(&none, NULL), EPC_CLASS_BLANK);
	assert_int_equal(epc_pc_read(iso_pc).words, 6);
	assert_int_equal(epc_pc_read(iso_pc).attributes, 0xc2);
}

static void data_after_a_plus_tag_are_left_alone(void **state)
{
	struct epc e = bits_of("F7B795211411234538566CB0AFC4123456789ABC"), again;
	struct epc_id id;

	(void) state;
	assert_int_equal(epc_decode(&e, &id), 111);
	assert_true(id.aidc);
	assert_int_equal(epc_encode(&id, &again), 111);
	assert_int_equal(again.data[1], 0xb7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bits_that_a_scheme_does_not_allow_are_refused),
		cmocka_unit_test(identities_that_do_not_fit_are_refused),
		cmocka_unit_test(uris_with_a_fault_are_refused),
		cmocka_unit_test(uri_that_does_not_fit_its_buffer_is_too_large),
		cmocka_unit_test(links_of_other_domains_and_with_more_in_the_query_are_read),
		cmocka_unit_test(link_can_be_written_to_an_older_tag_when_the_prefix_is_known),
		cmocka_unit_test(tags_of_others_are_classed),
		cmocka_unit_test(data_after_a_plus_tag_are_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
