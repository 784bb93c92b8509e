/* SPDX-License-Identifier: Apache-2.0 */
/** @file The LLRP table, its interpreters, and the fast path. */
#include "tests/unit/llrp_frames.h"

/* --- the table -------------------------------------------------------------------------------- */

static void rows_are_sorted_and_fields_fill_octets(void **state)
{
	const struct llrp_type *t, *before = NULL;

	(void) state;
	for (size_t i = 0; (t = llrp_type_at(i)); before = t, i++) {
		unsigned int bits = 0;

		if (before && before->message == t->message && !t->vendor)
			assert_true(before->num < t->num);
		for (size_t f = 0; f < t->n_fields; f++) {
			if (t->fields[f].kind == LLRP_BITS)
				bits += t->fields[f].bits;
			else
				assert_int_equal(bits % 8, 0);
			if (t->fields[f].kind == LLRP_REST)
				assert_int_equal(f, t->n_fields - 1);
		}
		assert_int_equal(bits % 8, 0);
		for (size_t s = 0; s < t->n_slots; s++)
			for (size_t c = 0; c < LLRP_MAX_CHOICES && t->slots[s].types[c]; c++)
				assert_non_null(llrp_parameter_type(t->slots[s].types[c]));
	}
	assert_int_equal(llrp_message_type(61)->num, 61);
	assert_null(llrp_message_type(48));
	assert_null(llrp_parameter_type(0));
}

static void fast_path_knows_the_length_of_every_tv(void **state)
{
	(void) state;
	for (unsigned int num = 1; num < 128; num++) {
		uint8_t frame[64] = {0x04, 0x3d, 0, 0, 0, 0, 0, 0, 0, 1, 0, 240, 0, 0};
		size_t n = llrp_tv_bytes((uint16_t) num), at = 14;

		frame[at++] = 0x80 | 13; /* an EPC first */
		at += 12;
		frame[at++] = (uint8_t) (0x80 | num);
		at += n;
		frame[13] = (uint8_t) (at - 10);
		frame[5] = (uint8_t) at;
		assert_int_equal(llrp_report_check(frame, at), n ? 1 : -ERR_BADMSG);
	}
}

/* --- decode and encode ------------------------------------------------------------------------ */

static void built_message_has_the_bytes_of_the_standard(void **state)
{
	_cleanup_(llrp_msg_freep) struct llrp_msg *m = NULL;
	struct llrp_elem *spec, *bound, *e;
	uint16_t antennas[] = {1, 2};

	(void) state;
	assert_int_equal(llrp_msg_new(LLRP_ADD_ROSPEC, 7, &m), 0);
	spec = llrp_add(llrp_root(m), LLRP_P_ROSPEC);
	llrp_set(spec, "ROSpecID", 1);
	e = llrp_add(spec, LLRP_P_AISPEC); /* out of order on purpose */
	llrp_set_u16v(e, "AntennaIDs", antennas, 2);
	bound = llrp_add(spec, LLRP_P_RO_BOUNDARY_SPEC);
	e = llrp_add(bound, LLRP_P_ROSPEC_STOP_TRIGGER);
	llrp_set(e, "DurationTriggerValue", 500);
	e = llrp_add(bound, LLRP_P_ROSPEC_START_TRIGGER);
	llrp_set(e, "ROSpecStartTriggerType", 1);
	encode_is(m, "0414000000300000000700b1002600000001000000b2001200b300050100b6000900000001f40"
		     "0b7000a000200010002");
}

static void value_that_does_not_fit_fails_the_encoding(void **state)
{
	_cleanup_(llrp_msg_freep) struct llrp_msg *m = NULL;
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct llrp_elem *e;

	(void) state;
	assert_int_equal(llrp_msg_new(LLRP_SET_READER_CONFIG, 7, &m), 0);
	e = llrp_add(llrp_root(m), LLRP_P_ANTENNA_PROPERTIES);
	llrp_set_signed(e, "AntennaGain", -32768);
	llrp_set_signed(e, "AntennaGain", -32769);
	assert_null(llrp_add(llrp_root(m), LLRP_P_KEEPALIVE_SPEC));
	assert_int_equal(llrp_msg_encode(m, &out), -ERR_RANGE);
}

static void parameter_past_64k_fails_the_encoding(void **state)
{
	static const uint8_t big[65535];
	_cleanup_(llrp_msg_freep) struct llrp_msg *m = NULL;
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct llrp_elem *e;

	(void) state;
	assert_int_equal(llrp_msg_new(LLRP_GET_READER_CONFIG_RESPONSE, 7, &m), 0);
	e = llrp_add(llrp_root(m), LLRP_P_IDENTIFICATION);
	llrp_set_bytes(e, "ReaderID", big, sizeof(big));
	assert_int_equal(llrp_msg_encode(m, &out), -ERR_TOO_LARGE);
}

/* A tag report with EPC-96, antenna 3, RSSI -60, an unknown TLV and an unknown custom parameter. */
#define EPC_HEX "303435fc8803d056d15b963f"
static const char odd_report[] =
	"043d000000370000000500f0002986c403e60006beef03ff000d0000123400000009778100038d" EPC_HEX
	"01020004";
static const char odd_report_in_order[] =
	"043d000000370000000500f000298d" EPC_HEX
	"81000386c403ff000d00001234000000097703e60006beef01020004";

static void any_order_is_read_and_the_normative_one_written(void **state)
{
	_cleanup_(llrp_msg_freep) struct llrp_msg *m = NULL;
	const struct llrp_elem *tag;
	const uint8_t *epc;
	struct llrp_diag diag;
	size_t len;
	int r;

	(void) state;
	m = decode_hex(odd_report, &diag, &r);
	assert_int_equal(r, 0);
	tag = llrp_find(llrp_root(m), LLRP_P_TAG_REPORT_DATA);
	assert_int_equal(llrp_get(llrp_find(tag, LLRP_P_ANTENNA_ID), "AntennaID"), 3);
	assert_int_equal(llrp_get_signed(llrp_find(tag, LLRP_P_PEAK_RSSI), "PeakRSSI"), -60);
	epc = llrp_get_bytes(llrp_find(tag, LLRP_P_EPC_96), "EPC", &len);
	assert_int_equal(len, 12);
	assert_int_equal(epc[11], 0x3f);
	assert_null(llrp_find_custom(tag, LLRP_VENDOR_IMPINJ, 9));
	assert_non_null(llrp_find_custom(tag, 0x1234, 9));
	assert_non_null(llrp_find(llrp_root(m), 258));
	encode_is(m, odd_report_in_order);
	assert_int_equal(llrp_msg_validate(m, &diag), -ERR_BADMSG);
	assert_int_equal(diag.status, LLRP_P_STATUS_PARAMETER_ERROR + 7);
	assert_int_equal(diag.parameter, 0x3e6);
}

static void known_custom_is_fields_and_a_strange_one_of_that_number_bytes(void **state)
{
	static const char hex[] =
		"043d0000002b0000000500f000218d" EPC_HEX "03ff00100000651a00000039e890ffee";
	static const char good[] =
		"043d000000290000000500f0001f8d" EPC_HEX "03ff000e0000651a00000039e890";
	_cleanup_(llrp_msg_freep) struct llrp_msg *m = NULL, *odd = NULL;
	struct llrp_elem *tag, *c;
	struct llrp_diag diag;
	int r;

	(void) state;
	m = decode_hex(good, &diag, &r);
	assert_int_equal(r, 0);
	tag = llrp_find(llrp_root(m), LLRP_P_TAG_REPORT_DATA);
	c = llrp_find_custom(tag, LLRP_VENDOR_IMPINJ, LLRP_IMPINJ_PEAK_RSSI);
	assert_int_equal(llrp_get_signed(c, "RSSI"), -6000);
	encode_is(m, good);

	odd = decode_hex(hex, &diag, &r);
	assert_int_equal(r, 0);
	tag = llrp_find(llrp_root(odd), LLRP_P_TAG_REPORT_DATA);
	c = llrp_find_custom(tag, LLRP_VENDOR_IMPINJ, LLRP_IMPINJ_PEAK_RSSI);
	assert_non_null(c);
	assert_int_equal(c->type->vendor, 0);
	encode_is(odd, hex);
}

static void lists_and_texts_of_customs_are_fields(void **state)
{
	static const char frame[] = "04030000004e00000006"
				    "00"
				    "03ff00180000651a0000001a"
				    "00010000000300010005000a"
				    "03ff00120000651a0000001c"
				    "000101f400c8"
				    "03ff00190000651a0000001d"
				    "00015200000000000000000000";
	_cleanup_(llrp_msg_freep) struct llrp_msg *m = NULL;
	const struct llrp_elem *root, *e;
	int r;

	(void) state;
	m = decode_hex(frame, NULL, &r);
	assert_int_equal(r, 0);
	root = llrp_root(m);
	e = llrp_find_custom(root, LLRP_VENDOR_IMPINJ, LLRP_IMPINJ_FIXED_FREQUENCY_LIST);
	assert_int_equal(llrp_get(e, "FixedFrequencyMode"), 1);
	assert_int_equal(llrp_get_at(e, "ChannelList", 2), 10);
	e = llrp_find_custom(root, LLRP_VENDOR_IMPINJ, LLRP_IMPINJ_LOW_DUTY_CYCLE);
	assert_int_equal(llrp_get(e, "EmptyFieldTimeout"), 500);
	e = llrp_find_custom(root, LLRP_VENDOR_IMPINJ, LLRP_IMPINJ_DETAILED_VERSION);
	assert_memory_equal(llrp_get_bytes(e, "ModelName", &(size_t){0}), "R", 1);
	encode_is(m, frame);
}

static void reserved_bits_are_ignored(void **state)
{
	_cleanup_(llrp_msg_freep) struct llrp_msg *m = NULL;
	struct llrp_diag diag;
	int r;

	(void) state;
	m = decode_hex("c4030000001000000001ff7ce200057f", &diag, &r);
	assert_int_equal(r, 0);
	assert_int_equal(llrp_get(llrp_root(m), "ResetToFactoryDefault"), 1);
	assert_int_equal(llrp_get(llrp_find(llrp_root(m), LLRP_P_EVENTS_AND_REPORTS),
				  "HoldEventsAndReportsUponReconnect"),
			 0);
	encode_is(m, "040300000010000000018000e2000500");
}

/* --- bad input -------------------------------------------------------------------------------- */

static void impossible_lengths_are_refused(void **state)
{
	static const struct {
		const char *hex;
		int err;
		uint16_t status;
	} bad[] = {
		{"043e00000009", -ERR_BADMSG, 0},
		{"043e0000000900000000", -ERR_BADMSG, 0},
		{"043e0000000b00000000", -ERR_BADMSG, 0},
		{"043effffffff00000000", -ERR_TOO_LARGE, 0},
		{"003e0000000a00000000", -ERR_BADMSG, 0},
		{"04010000000a00000000", -ERR_BADMSG, LLRP_P_STATUS_FIELD_ERROR},
		{"04300000000a00000000", -ERR_VERSION, LLRP_M_UNSUPPORTED_MESSAGE},
		{"043d0000000e0000000000f00003", -ERR_BADMSG, LLRP_M_PARAMETER_ERROR},
		{"043d0000000e0000000000f00005", -ERR_BADMSG, LLRP_M_PARAMETER_ERROR},
		{"043d000000140000000000f0000a000100060003", -ERR_BADMSG,
		 LLRP_M_UNKNOWN_PARAMETER}, /* a TV number as TLV */
		{"043d0000000d0000000000f000", -ERR_BADMSG, LLRP_M_PARAMETER_ERROR},
		{"043d000000100000000000f00006ff00", -ERR_BADMSG, LLRP_M_UNKNOWN_PARAMETER},
		{"043d000000100000000000f000068100", -ERR_BADMSG, LLRP_P_STATUS_FIELD_ERROR},
		{"043d000000150000000000f0000b00f10007ffff00", -ERR_BADMSG,
		 LLRP_P_STATUS_FIELD_ERROR},
		{"0414000000140000000000b7000affff00000000", -ERR_BADMSG,
		 LLRP_P_STATUS_FIELD_ERROR},
		{"043d000000120000000003ff00080000651a", -ERR_BADMSG, LLRP_P_STATUS_FIELD_ERROR},
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct llrp_diag diag;
		int r;

		assert_null(decode_hex(bad[i].hex, &diag, &r));
		assert_int_equal(r, bad[i].err);
		assert_int_equal(diag.status, bad[i].status);
	}
}

static void nesting_without_end_is_refused(void **state)
{
	/* ParameterError 289 may hold itself. */
	uint8_t frame[10 + 8 * 40] = {0x04, 100};
	struct llrp_msg *m = NULL;
	struct llrp_diag diag;
	int r;

	(void) state;
	for (size_t deep = 2; deep <= 40; deep++) {
		size_t len = 10 + 8 * deep;

		frame[4] = (uint8_t) (len >> 8);
		frame[5] = (uint8_t) len;
		for (size_t i = 0; i < deep; i++) {
			uint8_t *p = frame + 10 + 8 * i;
			size_t n = 8 * (deep - i);

			p[0] = 1;
			p[1] = i == 0 ? 0x1f : 0x21;
			p[2] = (uint8_t) (n >> 8);
			p[3] = (uint8_t) n;
		}
		r = llrp_msg_decode(frame, len, &m, &diag);
		if (r == 0) {
			assert_true(deep <= LLRP_MAX_DEPTH);
			llrp_msg_free(m);
			m = NULL;
		} else {
			assert_int_equal(r, -ERR_TOO_LARGE);
			assert_true(deep > 7);
		}
	}
}

static void every_cut_of_a_frame_is_refused(void **state)
{
	uint8_t frame[sizeof(odd_report) / 2];
	size_t n = sizeof(frame);

	(void) state;
	assert_int_equal(hex_decode(odd_report, frame, n), 0);
	for (size_t cut = 10; cut < n; cut++) {
		struct llrp_msg *m = NULL;
		struct llrp_tag tag;
		struct llrp_report it;

		assert_int_equal(llrp_msg_decode(frame, cut, &m, NULL), -ERR_BADMSG);
		assert_int_equal(llrp_report_begin(&it, frame, cut), -ERR_BADMSG);
		assert_int_equal(llrp_report_next(&it, &tag), 0);
	}
}

static void validator_names_what_is_missing_or_twice(void **state)
{
	_cleanup_(llrp_msg_freep) struct llrp_msg *m = NULL;
	struct llrp_elem *rospec;
	struct llrp_diag diag;

	(void) state;
	assert_int_equal(llrp_msg_new(LLRP_ADD_ROSPEC, 1, &m), 0);
	assert_int_equal(llrp_msg_validate(m, &diag), -ERR_BADMSG);
	assert_int_equal(diag.status, LLRP_M_MISSING_PARAMETER);
	assert_int_equal(diag.parameter, LLRP_P_ROSPEC);
	rospec = llrp_add(llrp_root(m), LLRP_P_ROSPEC);
	assert_int_equal(llrp_msg_validate(m, &diag), -ERR_BADMSG);
	assert_int_equal(diag.status, LLRP_P_STATUS_MISSING_PARAMETER);
	assert_int_equal(diag.parameter, LLRP_P_RO_BOUNDARY_SPEC);
	assert_int_equal(diag.in, LLRP_P_ROSPEC);
	assert_non_null(rospec);
	llrp_add(llrp_root(m), LLRP_P_ROSPEC);
	assert_int_equal(llrp_msg_validate(m, &diag), -ERR_BADMSG);
	assert_int_equal(diag.status, LLRP_M_DUPLICATE_PARAMETER);
}

/* --- the fast path ---------------------------------------------------------------------------- */

static void fast_path_reads_what_the_table_reads(void **state)
{
	uint8_t frame[sizeof(odd_report) / 2];
	struct llrp_report it;
	struct llrp_tag tag;

	(void) state;
	assert_int_equal(hex_decode(odd_report, frame, sizeof(frame)), 0);
	assert_int_equal(llrp_report_check(frame, sizeof(frame)), 1);
	assert_int_equal(llrp_report_begin(&it, frame, sizeof(frame)), 0);
	assert_int_equal(llrp_report_next(&it, &tag), 1);
	assert_int_equal(tag.has, LLRP_TAG_EPC | LLRP_TAG_ANTENNA | LLRP_TAG_PEAK_RSSI);
	assert_int_equal(tag.epc_bits, 96);
	assert_int_equal(tag.epc[0], 0x30);
	assert_int_equal(tag.antenna, 3);
	assert_int_equal(tag.peak_rssi, -60);
	assert_int_equal(llrp_report_next(&it, &tag), 0);
}

static void report_without_an_epc_is_refused(void **state)
{
	static const uint8_t frame[] = {4, 61, 0, 0, 0, 17, 0, 0, 0, 1, 0, 240, 0, 7, 0x81, 0, 1};

	(void) state;
	assert_int_equal(llrp_report_check(frame, sizeof(frame)), -ERR_BADMSG);
}

/* --- version 1.1 ------------------------------------------------------------------------------ */

static void version_of_the_header_is_kept(void **state)
{
	_cleanup_(llrp_msg_freep) struct llrp_msg *m = NULL;
	int r;

	(void) state;
	m = decode_hex("082e0000000a00000001", NULL, &r); /* GET_SUPPORTED_VERSION */
	assert_int_equal(r, 0);
	assert_int_equal(llrp_msg_version(m), LLRP_VERSION_1_1);
	assert_int_equal(llrp_msg_type(m), LLRP_GET_SUPPORTED_VERSION);
	encode_is(m, "082e0000000a00000001");
}

static void answer_to_the_version_question_is_read(void **state)
{
	_cleanup_(llrp_msg_freep) struct llrp_msg *m = NULL;
	struct llrp_diag diag;
	int r;

	(void) state;
	m = decode_hex("08380000001400000001"
		       "0102"
		       "011f000800000000",
		       NULL, &r);
	assert_int_equal(r, 0);
	assert_int_equal(llrp_get(llrp_root(m), "CurrentVersion"), 1);
	assert_int_equal(llrp_get(llrp_root(m), "SupportedVersion"), 2);
	assert_int_equal(llrp_msg_status(m, NULL, 0), LLRP_M_SUCCESS);
	assert_int_equal(llrp_msg_validate(m, &diag), 0);
}

static void loops_and_reports_by_time_are_written(void **state)
{
	_cleanup_(llrp_msg_freep) struct llrp_msg *m = NULL;
	struct llrp_elem *spec, *e;

	(void) state;
	assert_int_equal(llrp_msg_new(LLRP_ADD_ROSPEC, 7, &m), 0);
	llrp_msg_set_version(m, LLRP_VERSION_1_1);
	spec = llrp_add(llrp_root(m), LLRP_P_ROSPEC);
	llrp_set(spec, "ROSpecID", 1);
	e = llrp_add(spec, LLRP_P_RO_REPORT_SPEC);
	llrp_set(e, "ROReportTrigger", LLRP_REPORT_N_MILLISECONDS_OR_END_OF_ROSPEC);
	llrp_set(e, "N", 500);
	e = llrp_add(e, LLRP_P_TAG_REPORT_CONTENT_SELECTOR);
	e = llrp_add(e, LLRP_P_C1G2_EPC_MEMORY_SELECTOR);
	llrp_set(e, "EnableXPCBits", 1);
	e = llrp_add(spec, LLRP_P_LOOP_SPEC); /* before the report specification on the wire */
	llrp_set(e, "LoopCount", 3);
	encode_is(m, "08140000002e00000007"
		     "00b10024"
		     "000000010000"
		     "0163000800000003"
		     "00ed00120601f4"
		     "00ee000b0000"
		     "015c000520");
}

static void block_permalock_and_its_result_are_read(void **state)
{
	_cleanup_(llrp_msg_freep) struct llrp_msg *m = NULL;
	const struct llrp_elem *e;
	struct llrp_diag diag;
	const char *hex = "083d0000002a00000007"
			  "00f00020"
			  "8d300000000000000000000001"
			  "0169000700"
			  "0005"
			  "016a0008"
			  "03000600";
	int r;

	(void) state;
	m = decode_hex(hex, &diag, &r);
	assert_int_equal(r, -ERR_BADMSG); /* the status list is cut short: two octets of a count */
	hex = "083d0000002d00000007"
	      "00f00023"
	      "8d300000000000000000000001"
	      "0169000700"
	      "0005"
	      "016a000b"
	      "000006"
	      "00018000";
	m = decode_hex(hex, &diag, &r);
	assert_int_equal(r, 0);
	assert_int_equal(llrp_msg_validate(m, &diag), 0);
	e = llrp_find(llrp_root(m), LLRP_P_TAG_REPORT_DATA);
	assert_int_equal(llrp_get(llrp_find(e, LLRP_P_C1G2_BLOCK_PERMALOCK_RESULT), "OpSpecID"), 5);
	e = llrp_find(e, LLRP_P_C1G2_GET_BLOCK_PERMALOCK_STATUS_RESULT);
	assert_int_equal(llrp_get_at(e, "PermalockStatus", 0), 0x8000);
	encode_is(m, hex);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_sorted_and_fields_fill_octets),
		cmocka_unit_test(fast_path_knows_the_length_of_every_tv),
		cmocka_unit_test(built_message_has_the_bytes_of_the_standard),
		cmocka_unit_test(value_that_does_not_fit_fails_the_encoding),
		cmocka_unit_test(parameter_past_64k_fails_the_encoding),
		cmocka_unit_test(any_order_is_read_and_the_normative_one_written),
		cmocka_unit_test(known_custom_is_fields_and_a_strange_one_of_that_number_bytes),
		cmocka_unit_test(lists_and_texts_of_customs_are_fields),
		cmocka_unit_test(reserved_bits_are_ignored),
		cmocka_unit_test(impossible_lengths_are_refused),
		cmocka_unit_test(nesting_without_end_is_refused),
		cmocka_unit_test(every_cut_of_a_frame_is_refused),
		cmocka_unit_test(validator_names_what_is_missing_or_twice),
		cmocka_unit_test(fast_path_reads_what_the_table_reads),
		cmocka_unit_test(report_without_an_epc_is_refused),
		cmocka_unit_test(version_of_the_header_is_kept),
		cmocka_unit_test(answer_to_the_version_question_is_read),
		cmocka_unit_test(loops_and_reports_by_time_are_written),
		cmocka_unit_test(block_permalock_and_its_result_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
