/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers, wire cursors, hex, CBOR and the canonical image: everything that is bytes. */
#include "tests/unit/test_common.h"

#include "common/cbor.h"
#include "common/err.h"
#include "common/hex.h"
#include "common/image.h"
#include "common/wire.h"
#include <string.h>

static void buffer_past_its_limit_keeps_the_first_error(void **state)
{
	(void) state;
	_cleanup_buf_ struct buf b;

	buf_init(&b, 4);
	buf_put_u32be(&b, 0x01020304);
	assert_true(buf_ok(&b));
	buf_put_u8(&b, 5);
	assert_int_equal(b.err, -ERR_TOO_LARGE);
	assert_int_equal(b.len, 4);
}

static void buffer_writes_both_byte_orders_and_patches(void **state)
{
	(void) state;
	_cleanup_buf_ struct buf b = BUF_INIT;
	static const uint8_t want[] = {0xbe, 0xef, 1, 2, 3, 4, 4, 3, 2, 1};

	buf_put_u16be(&b, 0);
	buf_put_u32be(&b, 0x01020304);
	buf_put_u32le(&b, 0x01020304);
	buf_patch_u16be(&b, 0, 0xbeef);
	assert_int_equal(b.len, sizeof(want));
	assert_memory_equal(b.data, want, sizeof(want));
	buf_consume(&b, 2);
	assert_int_equal(b.data[0], 1);
}

static void short_input_fails_once_and_says_where(void **state)
{
	(void) state;
	struct wire w;

	wire_init(&w, "\x01\x02\x03", 3);
	assert_int_equal(wire_get_u16be(&w), 0x0102);
	assert_int_equal(wire_get_u32le(&w), 0);
	assert_int_equal(w.err, -ERR_TRUNCATED);
	assert_int_equal(w.at, 2);
	assert_int_equal(wire_get_u8(&w), 0);
	assert_int_equal(wire_left(&w), 0);
}

static void leftover_bytes_are_an_error(void **state)
{
	(void) state;
	struct wire w;

	wire_init(&w, "\x01\x02", 2);
	(void) wire_get_u8(&w);
	assert_int_equal(wire_finish(&w), -ERR_TRAILING);
}

static void sub_cursor_cannot_leave_its_part(void **state)
{
	(void) state;
	struct wire w, sub;

	wire_init(&w, "\x01\x02\x03", 3);
	sub = wire_sub(&w, 2);
	(void) wire_get_u16le(&sub);
	(void) wire_get_u8(&sub);
	assert_int_equal(sub.err, -ERR_TRUNCATED);
	assert_int_equal(wire_get_u8(&w), 3);
	assert_true(wire_ok(&w));
}

static void hex_refuses_odd_and_foreign_digits(void **state)
{
	(void) state;
	uint8_t two[2];
	char text[5];

	assert_int_equal(hex_decode("0aFf", two, 2), 0);
	assert_string_equal(hex_encode(two, 2, text), "0aff");
	assert_int_equal(hex_decode("0af", two, 2), -ERR_SYNTAX);
	assert_int_equal(hex_decode("0ag0", two, 2), -ERR_SYNTAX);
}

static void cbor_numbers_survive_at_their_edges(void **state)
{
	(void) state;
	static const int64_t edges[] = {0, 23, 24, 255, 65536, INT64_MAX, -1, -24, -25, INT64_MIN};

	for (size_t i = 0; i < ARRAY_SIZE(edges); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;
		struct cbor_reader r;

		cbor_put_int(&b, edges[i]);
		cbor_reader_init(&r, b.data, b.len);
		assert_true(cbor_get_i64(&r) == edges[i]);
		assert_int_equal(cbor_reader_finish(&r), 0);
	}
}

static void cbor_matches_the_rfc_examples(void **state)
{
	(void) state;
	/* RFC 8949 appendix A: 1000000, -100, h'01020304', "IETF". */
	static const uint8_t want[] = {0x1a, 0x00, 0x0f, 0x42, 0x40, 0x38, 0x63, 0x44, 0x01,
				       0x02, 0x03, 0x04, 0x64, 0x49, 0x45, 0x54, 0x46};
	_cleanup_buf_ struct buf b = BUF_INIT;

	cbor_put_uint(&b, 1000000);
	cbor_put_int(&b, -100);
	cbor_put_bytes(&b, "\1\2\3\4", 4);
	cbor_put_text(&b, "IETF");
	assert_int_equal(b.len, sizeof(want));
	assert_memory_equal(b.data, want, sizeof(want));
}

static void cbor_count_beyond_the_bytes_is_refused_before_any_allocation(void **state)
{
	(void) state;
	static const uint8_t huge[] = {0x9b, 0, 0, 0, 1, 0, 0, 0, 0};
	struct cbor_reader r;

	cbor_reader_init(&r, huge, sizeof(huge));
	assert_int_equal(cbor_get_array(&r, SIZE_MAX), 0);
	assert_int_equal(r.err, -ERR_TRUNCATED);
}

static void cbor_indefinite_lengths_are_refused(void **state)
{
	(void) state;
	struct cbor_reader r;

	cbor_reader_init(&r, "\x9f\x01\xff", 3);
	(void) cbor_get_array(&r, 10);
	assert_int_equal(r.err, -ERR_BADMSG);
}

static void cbor_skip_stops_at_its_depth(void **state)
{
	(void) state;
	uint8_t nested[64];
	struct cbor_reader r;

	memset(nested, 0x81, sizeof(nested));
	cbor_reader_init(&r, nested, sizeof(nested));
	cbor_skip(&r);
	assert_true(r.err == -ERR_TOO_LARGE || r.err == -ERR_TRUNCATED);
}

static void cbor_text_must_be_utf8(void **state)
{
	(void) state;
	static const struct {
		const char *bytes;
		size_t n;
		int err;
	} cases[] = {
		{"\x62\xc3\xa9", 3, 0},
		{"\x62\xc0\xaf", 3, -ERR_UTF8},
		{"\x63\xed\xa0\x80", 4, -ERR_UTF8},
		{"\x62"
		 "a\0",
		 3, -ERR_UTF8},
		{"\x61\xc3", 2, -ERR_UTF8},
		{"\x64\xf0\x9f\x98\x80", 5, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cbor_reader r;
		char text[16];

		cbor_reader_init(&r, cases[i].bytes, cases[i].n);
		cbor_get_text(&r, text, sizeof(text));
		assert_int_equal(r.err, cases[i].err);
	}
}

static void image_survives_its_serial_form(void **state)
{
	(void) state;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct image im, back;

	assert_int_equal(image_init(&im, 13, 5, DISPLAY_RED_BLACK_WHITE), 0);
	image_set(&im, 0, 12, 4, true);
	image_set(&im, 1, 0, 0, true);
	image_encode(&im, &b);
	assert_int_equal(b.len, IMAGE_HEADER_BYTES + 2 * 2 * 5);
	assert_int_equal(image_decode(b.data, b.len, &back), 0);
	assert_true(image_get(&back, 0, 12, 4));
	assert_true(image_get(&back, 1, 0, 0));
	assert_false(image_get(&back, 0, 0, 0));
	image_done(&back);
	image_done(&im);
}

static void image_with_stray_bits_or_wrong_length_is_refused(void **state)
{
	(void) state;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct image im, back;

	assert_int_equal(image_init(&im, 13, 1, DISPLAY_BLACK_WHITE), 0);
	image_encode(&im, &b);
	b.data[b.len - 1] = 1;
	assert_int_equal(image_decode(b.data, b.len, &back), -ERR_BADMSG);
	b.data[b.len - 1] = 0;
	assert_int_equal(image_decode(b.data, b.len - 1, &back), -ERR_TRUNCATED);
	buf_put_u8(&b, 0);
	assert_int_equal(image_decode(b.data, b.len, &back), -ERR_TRAILING);
	image_done(&im);
}

static void image_hash_is_sha256(void **state)
{
	(void) state;
	uint8_t hash[IMAGE_HASH_BYTES];
	char hex[IMAGE_HASH_HEX_MAX];

	/* FIPS 180-2 example: "abc". */
	image_hash("abc", 3, hash);
	assert_string_equal(hex_encode(hash, sizeof(hash), hex),
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buffer_past_its_limit_keeps_the_first_error),
		cmocka_unit_test(buffer_writes_both_byte_orders_and_patches),
		cmocka_unit_test(short_input_fails_once_and_says_where),
		cmocka_unit_test(leftover_bytes_are_an_error),
		cmocka_unit_test(sub_cursor_cannot_leave_its_part),
		cmocka_unit_test(hex_refuses_odd_and_foreign_digits),
		cmocka_unit_test(cbor_numbers_survive_at_their_edges),
		cmocka_unit_test(cbor_matches_the_rfc_examples),
		cmocka_unit_test(cbor_count_beyond_the_bytes_is_refused_before_any_allocation),
		cmocka_unit_test(cbor_indefinite_lengths_are_refused),
		cmocka_unit_test(cbor_skip_stops_at_its_depth),
		cmocka_unit_test(cbor_text_must_be_utf8),
		cmocka_unit_test(image_survives_its_serial_form),
		cmocka_unit_test(image_with_stray_bits_or_wrong_length_is_refused),
		cmocka_unit_test(image_hash_is_sha256),
	};

	return cmocka_run_group_tests_name("bytes", tests, NULL, NULL);
}
