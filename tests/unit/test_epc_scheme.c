/* SPDX-License-Identifier: Apache-2.0 */
/** @file EPC schemes against the examples of the standard, and against themselves. */
#include "common/epc_scheme.h"
#include "common/err.h"
#include "tests/unit/epc_bits.h"

/* --- the examples of TDS 2.3, E.3, and E.1 (misprints of the URIs put right) ------------------ */

static const struct {
	enum epc_scheme scheme;
	const char *hex;
	uint8_t filter;
	const char *key, *serial;
	const char *uri, *tag, *link; /* NULL: has none */
} examples[] = {
	{EPC_SGTIN_96, "3066C4409047E140075BCD15", 3, "09506000134352", "123456789",
	 "urn:epc:id:sgtin:95060001343.05.123456789",
	 "urn:epc:tag:sgtin-96:3.95060001343.05.123456789",
	 "https://id.gs1.org/01/09506000134352/21/123456789"},
	{EPC_SGTIN_96, "3066C4409047E14000001A85", 3, "09506000134352", "6789",
	 "urn:epc:id:sgtin:95060001343.05.6789", "urn:epc:tag:sgtin-96:3.95060001343.05.6789",
	 "https://id.gs1.org/01/09506000134352/21/6789"},
	{EPC_SGTIN_198, "3666C4409047E159B2C2BF100000000000000000000000000000", 3, "09506000134352",
	 "32a/b", "urn:epc:id:sgtin:95060001343.05.32a%2Fb",
	 "urn:epc:tag:sgtin-198:3.95060001343.05.32a%2Fb",
	 "https://id.gs1.org/01/09506000134352/21/32a%2Fb"},
	{EPC_SGTIN_PLUS, "F73795211411234538566CB0AFC4", 3, "79521141123453", "32a/b", NULL, NULL,
	 "https://id.gs1.org/01/79521141123453/21/32a%2Fb"},
	{EPC_DSGTIN_PLUS, "FB342CDE795211411234538566CB0AFC4", 3, "79521141123453", "32a/b", NULL,
	 NULL, "https://id.gs1.org/01/79521141123453/21/32a%2Fb?17=220630"},
	{EPC_SSCC_96, "311BA1B300CE0A6A83000000", 0, "095201234567891235", "",
	 "urn:epc:id:sscc:952012.03456789123", "urn:epc:tag:sscc-96:0.952012.03456789123",
	 "https://id.gs1.org/00/095201234567891235"},
	{EPC_SSCC_PLUS, "F90095201234567891235", 0, "095201234567891235", "", NULL, NULL,
	 "https://id.gs1.org/00/095201234567891235"},
	{EPC_SGLN_96, "3276451FD46072000000162E", 3, "9521141123454", "5678",
	 "urn:epc:id:sgln:9521141.12345.5678", "urn:epc:tag:sgln-96:3.9521141.12345.5678",
	 "https://id.gs1.org/414/9521141123454/254/5678"},
	{EPC_SGLN_195, "3976451FD46072CD9615F8800000000000000000000000000000", 3, "9521141123454",
	 "32a/b", "urn:epc:id:sgln:9521141.12345.32a%2Fb",
	 "urn:epc:tag:sgln-195:3.9521141.12345.32a%2Fb",
	 "https://id.gs1.org/414/9521141123454/254/32a%2Fb"},
	{EPC_SGLN_PLUS, "F2395211411234548566CB0AFC4", 3, "9521141123454", "32a/b", NULL, NULL,
	 "https://id.gs1.org/414/9521141123454/254/32a%2Fb"},
	{EPC_GRAI_96, "3376451FD40C0E400000162E", 3, "09521141123454", "5678",
	 "urn:epc:id:grai:9521141.12345.5678", "urn:epc:tag:grai-96:3.9521141.12345.5678",
	 "https://id.gs1.org/8003/095211411234545678"},
	{EPC_GRAI_170, "3776451FD40C0E59B2C2BF1000000000000000000000", 3, "09521141123454", "32a/b",
	 "urn:epc:id:grai:9521141.12345.32a%2Fb", "urn:epc:tag:grai-170:3.9521141.12345.32a%2Fb",
	 "https://id.gs1.org/8003/0952114112345432a%2Fb"},
	{EPC_GRAI_PLUS, "F13095211411234548566CB0AFC4", 3, "09521141123454", "32a/b", NULL, NULL,
	 "https://id.gs1.org/8003/0952114112345432a%2Fb"},
	{EPC_GIAI_96, "3476451FD40000000000162E", 3, "95211415678", "",
	 "urn:epc:id:giai:9521141.5678", "urn:epc:tag:giai-96:3.9521141.5678",
	 "https://id.gs1.org/8004/95211415678"},
	{EPC_GIAI_202, "3876451FD59B2C2BF10000000000000000000000000000000000", 3, "952114132a/b",
	 "", "urn:epc:id:giai:9521141.32a%2Fb", "urn:epc:tag:giai-202:3.9521141.32a%2Fb",
	 "https://id.gs1.org/8004/952114132a%2Fb"},
	{EPC_GIAI_PLUS, "FA3952114132E83C2BF10", 3, "952114132a/b", "", NULL, NULL,
	 "https://id.gs1.org/8004/952114132a%2Fb"},
	{EPC_GSRN_96, "2D76451FD4499602D2000000", 3, "952114112345678906", "",
	 "urn:epc:id:gsrn:9521141.1234567890", "urn:epc:tag:gsrn-96:3.9521141.1234567890",
	 "https://id.gs1.org/8018/952114112345678906"},
	{EPC_GSRN_PLUS, "F43952114112345678906", 3, "952114112345678906", "", NULL, NULL,
	 "https://id.gs1.org/8018/952114112345678906"},
	{EPC_GSRNP_96, "2E76451FD4499602D2000000", 3, "952114112345678906", "",
	 "urn:epc:id:gsrnp:9521141.1234567890", "urn:epc:tag:gsrnp-96:3.9521141.1234567890",
	 "https://id.gs1.org/8017/952114112345678906"},
	{EPC_GSRNP_PLUS, "F53952114112345678906", 3, "952114112345678906", "", NULL, NULL,
	 "https://id.gs1.org/8017/952114112345678906"},
	{EPC_GDTI_96, "2C76451FD46072000000162E", 3, "9521141123454", "5678",
	 "urn:epc:id:gdti:9521141.12345.5678", "urn:epc:tag:gdti-96:3.9521141.12345.5678",
	 "https://id.gs1.org/253/95211411234545678"},
	{EPC_GDTI_174, "3E76451FD7039B061438997367D0C18B266D1AB66EE0", 3, "9521141987650",
	 "ABCDefgh012345678", "urn:epc:id:gdti:9521141.98765.ABCDefgh012345678",
	 "urn:epc:tag:gdti-174:3.9521141.98765.ABCDefgh012345678",
	 "https://id.gs1.org/253/9521141987650ABCDefgh012345678"},
	{EPC_GDTI_PLUS, "F6395211411234540458B8", 3, "9521141123454", "5678", NULL, NULL,
	 "https://id.gs1.org/253/95211411234545678"},
	{EPC_SGCN_96, "3F76451FD612640000019907", 3, "9521141678909", "04711",
	 "urn:epc:id:sgcn:9521141.67890.04711", "urn:epc:tag:sgcn-96:3.9521141.67890.04711",
	 "https://id.gs1.org/255/952114167890904711"},
	{EPC_SGCN_PLUS, "F839521141678909509338", 3, "9521141678909", "04711", NULL, NULL,
	 "https://id.gs1.org/255/952114167890904711"},
	{EPC_CPI_96, "3C76451FD400C0E680003039", 3, "952114198765", "12345",
	 "urn:epc:id:cpi:9521141.98765.12345", "urn:epc:tag:cpi-96:3.9521141.98765.12345",
	 "https://id.gs1.org/8010/952114198765/8011/12345"},
	{EPC_CPI_PLUS, "F0395211415E87A145BAFB4D19A8C0E4", 3, "95211415PQ7/Z43", "12345", NULL,
	 NULL, "https://id.gs1.org/8010/95211415PQ7%2FZ43/8011/12345"},
	{EPC_ITIP_110, "4076451FD40C0E40820000000F54", 3, "095211411234540102", "981",
	 "urn:epc:id:itip:9521141.012345.01.02.981",
	 "urn:epc:tag:itip-110:3.9521141.012345.01.02.981",
	 "https://id.gs1.org/8006/095211411234540102/21/981"},
	{EPC_ITIP_212, "4176451FD40C0E4082DBDD8B36600000000000000000000000000000", 3,
	 "095211411234540102", "mw133", "urn:epc:id:itip:9521141.012345.01.02.mw133",
	 "urn:epc:tag:itip-212:3.9521141.012345.01.02.mw133",
	 "https://id.gs1.org/8006/095211411234540102/21/mw133"},
	{EPC_ITIP_PLUS, "F3309521141123454010266AE27FDF35", 3, "095211411234540102", "rif981", NULL,
	 NULL, "https://id.gs1.org/8006/095211411234540102/21/rif981"},
	{EPC_GID_96, "3500E86F8000A9E000000586", 0, "952056.2718", "1414",
	 "urn:epc:id:gid:952056.2718.1414", "urn:epc:tag:gid-96:952056.2718.1414", NULL},
};

static void is_same(const struct epc_id *a, const struct epc_id *b)
{
	assert_int_equal(a->scheme, b->scheme);
	assert_int_equal(a->filter, b->filter);
	assert_int_equal(a->prefix_digits, b->prefix_digits);
	assert_int_equal(a->date_ai, b->date_ai);
	assert_string_equal(a->date, b->date);
	assert_string_equal(a->key, b->key);
	assert_string_equal(a->serial, b->serial);
}

static void examples_of_the_standard_are_decoded(void **state)
{
	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		struct epc e = bits_of(examples[i].hex);
		struct epc_id id;

		assert_true(epc_decode(&e, &id) > 0);
		assert_int_equal(id.scheme, examples[i].scheme);
		assert_int_equal(id.filter, examples[i].filter);
		assert_string_equal(id.key, examples[i].key);
		assert_string_equal(id.serial, examples[i].serial);
		assert_false(id.aidc);
		assert_int_equal(epc_classify(&e, NULL), EPC_CLASS_GS1);
	}
}

static void examples_of_the_standard_are_encoded(void **state)
{
	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		struct epc e = bits_of(examples[i].hex), again;
		struct epc_id id;

		assert_true(epc_decode(&e, &id) > 0);
		id.method = EPC_METHOD_BEST; /* what the standard chose is the shortest */
		assert_true(epc_encode(&id, &again) > 0);
		assert_int_equal(again.bits % 16, 0);
		assert_true(again.bits >= e.bits - 7 && again.bits < e.bits + 16);
		assert_memory_equal(again.data, e.data, sizeof(e.data));
	}
}

static void examples_of_the_standard_have_their_uris(void **state)
{
	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		struct epc e = bits_of(examples[i].hex);
		char uri[EPC_URI_SIZE];
		struct epc_id id, again;

		assert_true(epc_decode(&e, &id) > 0);
		if (examples[i].uri) {
			assert_int_equal(epc_id_uri(&id, uri, sizeof(uri)), 0);
			assert_string_equal(uri, examples[i].uri);
			assert_int_equal(epc_id_parse(uri, &again), 0);
			assert_string_equal(again.key, id.key);
			assert_string_equal(again.serial, id.serial);
			assert_int_equal(again.scheme, id.scheme);
			assert_int_equal(epc_tag_uri(&id, uri, sizeof(uri)), 0);
			assert_string_equal(uri, examples[i].tag);
			assert_int_equal(epc_id_parse(uri, &again), 0);
			is_same(&again, &id);
		} else {
			assert_int_equal(epc_id_uri(&id, uri, sizeof(uri)), -ERR_STATE);
			assert_int_equal(epc_tag_uri(&id, uri, sizeof(uri)), -ERR_STATE);
		}
		if (!examples[i].link) {
			assert_int_equal(epc_digital_link(&id, uri, sizeof(uri)), -ERR_STATE);
			continue;
		}
		assert_int_equal(epc_digital_link(&id, uri, sizeof(uri)), 0);
		assert_string_equal(uri, examples[i].link);
		assert_int_equal(epc_id_parse(uri, &again), 0);
		assert_true(epc_scheme_is_plus(again.scheme));
		assert_string_equal(again.key, id.key);
		assert_string_equal(again.serial, id.serial);
	}
}

/* --- random identities ------------------------------------------------------------------------ */

static uint32_t seed = 20261122;

static unsigned int any(unsigned int below)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed % below;
}

static void any_text(char *ret, size_t n, const char *set)
{
	for (size_t i = 0; i < n; i++)
		ret[i] = set[any((unsigned int) strlen(set))];
	ret[n] = 0;
}

#define DIGITS "0123456789"
static const char *const sets[] = {
	DIGITS,
	"0123456789ABCDEF",
	"0123456789abcdef",
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ-.:0123456789",
	"!\"%&'()*+,-./0123456789:;<=>?ABCXYZ_abcxyz",
};

/** Bits that are likely to be a scheme's: its header, plausible digits, the rest random. */
static struct epc any_bits(enum epc_scheme s)
{
	struct epc e = {0};

	for (size_t i = 0; i < ARRAY_SIZE(examples); i++)
		if (examples[i].scheme == s)
			e = bits_of(examples[i].hex);
	for (unsigned int n = any(6) + 1; n; n--) {
		unsigned int at = 8 + any(e.bits - 8u);

		e.data[at / 8] ^= (uint8_t) (0x80 >> at % 8);
	}
	return e;
}

static void what_decodes_encodes_to_the_same_bits(void **state)
{
	unsigned int accepted = 0;

	(void) state;
	for (int s = EPC_SCHEME_NONE + 1; s < EPC_SCHEME_COUNT; s++) {
		for (int i = 0; i < 3000; i++) {
			struct epc e = any_bits((enum epc_scheme) s), again;
			struct epc_id id;
			int n = epc_decode(&e, &id);

			if (n < 0)
				continue;
			accepted++;
			assert_int_equal(epc_encode(&id, &again), n);
			if (!id.aidc)
				assert_memory_equal(again.data, e.data, sizeof(e.data));
		}
	}
	assert_true(accepted > 10000);
}

static void serials_of_any_text_come_back(void **state)
{
	static const struct {
		enum epc_scheme scheme;
		const char *key;
		size_t max;
	} carriers[] = {
		{EPC_SGTIN_198, "09506000134352", 20},    {EPC_SGTIN_PLUS, "09506000134352", 20},
		{EPC_SGLN_195, "9521141123454", 20},      {EPC_SGLN_PLUS, "9521141123454", 20},
		{EPC_GRAI_170, "09521141123454", 16},     {EPC_GRAI_PLUS, "09521141123454", 16},
		{EPC_GDTI_174, "9521141987650", 17},      {EPC_GDTI_PLUS, "9521141987650", 17},
		{EPC_ITIP_212, "095211411234540102", 20}, {EPC_ITIP_PLUS, "095211411234540102", 20},
	};

	(void) state;
	for (int i = 0; i < 20000; i++) {
		size_t c = any(ARRAY_SIZE(carriers));
		struct epc_id id = {.scheme = carriers[c].scheme, .filter = (uint8_t) any(8)};
		struct epc_id again;
		char uri[EPC_URI_SIZE];
		struct epc e;

		snprintf(id.key, sizeof(id.key), "%s", carriers[c].key);
		any_text(id.serial, 1 + any((unsigned int) carriers[c].max),
			 sets[any(ARRAY_SIZE(sets))]);
		id.prefix_digits = epc_scheme_is_plus(id.scheme) ? 0 : (uint8_t) (6 + any(7));
		assert_true(epc_encode(&id, &e) > 0);
		assert_true(epc_decode(&e, &again) > 0);
		is_same(&again, &id);
		assert_int_equal(epc_digital_link(&id, uri, sizeof(uri)), 0);
		assert_int_equal(epc_id_parse(uri, &again), 0);
		assert_string_equal(again.serial, id.serial);
		if (!id.prefix_digits)
			continue;
		assert_int_equal(epc_tag_uri(&id, uri, sizeof(uri)), 0);
		assert_int_equal(epc_id_parse(uri, &again), 0);
		is_same(&again, &id);
	}
}

static void assets_and_parts_of_any_text_come_back(void **state)
{
	(void) state;
	for (int i = 0; i < 20000; i++) {
		static const enum epc_scheme schemes[] = {EPC_GIAI_202, EPC_GIAI_PLUS,
							  EPC_CPI_PLUS};
		struct epc_id id = {.scheme = schemes[any(3)]}, again;
		unsigned int p = 6 + any(7);
		char uri[EPC_URI_SIZE];
		struct epc e;

		any_text(id.key, p, DIGITS);
		any_text(id.key + p, 1 + any(30 - p),
			 id.scheme == EPC_CPI_PLUS ? "0123456789ABCXYZ#-/"
						   : sets[any(ARRAY_SIZE(sets))]);
		if (id.scheme == EPC_CPI_PLUS)
			any_text(id.serial, 1 + any(12), DIGITS);
		id.prefix_digits = id.scheme == EPC_GIAI_202 ? (uint8_t) p : 0;
		assert_true(epc_encode(&id, &e) > 0);
		assert_true(epc_decode(&e, &again) > 0);
		is_same(&again, &id);
		assert_int_equal(epc_digital_link(&id, uri, sizeof(uri)), 0);
		assert_int_equal(epc_id_parse(uri, &again), 0);
		assert_string_equal(again.key, id.key);
		id.prefix_digits = (uint8_t) p; /* now its identity can be named */
		assert_int_equal(epc_id_uri(&id, uri, sizeof(uri)), 0);
	}
}

static void every_method_writes_what_it_can_and_nothing_else(void **state)
{
	struct epc_id id = {.scheme = EPC_SGTIN_PLUS, .key = "09506000134352"}, again;
	static const char *const serials[] = {"0012", "00AF", "00af", "aZ-_", "a/b!", "A.B:"};
	struct epc e;

	(void) state;
	for (uint8_t m = EPC_METHOD_DIGITS; m < EPC_METHOD_COUNT; m++) {
		for (size_t i = 0; i < ARRAY_SIZE(serials); i++) {
			snprintf(id.serial, sizeof(id.serial), "%s", serials[i]);
			id.method = m;
			int r = epc_encode(&id, &e);

			if (m == i + 1u || m == EPC_METHOD_ASCII)
				assert_true(r > 0);
			if (r < 0) {
				assert_int_equal(r, -ERR_SYNTAX);
				continue;
			}
			assert_true(epc_decode(&e, &again) > 0);
			assert_int_equal(again.method, m);
			assert_string_equal(again.serial, serials[i]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples_of_the_standard_are_decoded),
		cmocka_unit_test(examples_of_the_standard_are_encoded),
		cmocka_unit_test(examples_of_the_standard_have_their_uris),
		cmocka_unit_test(what_decodes_encodes_to_the_same_bits),
		cmocka_unit_test(serials_of_any_text_come_back),
		cmocka_unit_test(assets_and_parts_of_any_text_come_back),
		cmocka_unit_test(every_method_writes_what_it_can_and_nothing_else),
	};

	print_message("seed %u\n", seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
