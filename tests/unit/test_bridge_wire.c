/* SPDX-License-Identifier: Apache-2.0 */
#include "common/cbor.h"
#include "common/err.h"
#include "esl-radio/bridge_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct bridge_msg full_message(uint8_t op)
{
	static const uint8_t image[] = "picture";

	return (struct bridge_msg){
		.op = op,
		.id = 70000,
		.addr = {0xc0, 0xff, 0xee, 0, 0, 1},
		.on = true,
		.subevent = 25,
		.esl_id = 254,
		.rssi_dbm = -70,
		.flags = BRIDGE_ADVERT_BONDED,
		.reason = 8,
		.battery_mv = 2950,
		.temperature_cc = -512,
		.esl_address = 0x19fe,
		.response_key = {1, 2},
		.train_key = {3, 4},
		.abs_ms = 4000000000u,
		.max_image_index = 1,
		.image_index = 1,
		.n_displays = 1,
		.n_leds = 2,
		.displays = {{296, 128, 6}},
		.leds = {0x15, 0x40},
		.tlv = {0x00, 0x07},
		.tlv_len = 2,
		.data = image,
		.data_len = sizeof(image),
	};
}

static void every_message_survives_the_trip(void **state)
{
	static const uint8_t ops[] = {1,
				      2,
				      3,
				      4,
				      5,
				      6,
				      7,
				      8,
				      9,
				      101,
				      102,
				      103,
				      104,
				      105,
				      106,
				      107,
				      108,
				      109,
				      BRIDGE_EVT_ADVERT,
				      BRIDGE_EVT_LOST};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		struct bridge_msg m = full_message(ops[i]), back;
		_cleanup_buf_ struct buf a = BUF_INIT, b = BUF_INIT;

		assert_int_equal(bridge_encode(&m, &a), 0);
		assert_int_equal(bridge_decode(a.data, a.len, &back), 0);
		assert_int_equal(bridge_encode(&back, &b), 0);
		assert_int_equal(a.len, b.len);
		assert_memory_equal(a.data, b.data, a.len);
		for (size_t n = 0; n < a.len; n++)
			assert_true(bridge_decode(a.data, n, &back) < 0);
	}
}

static void label_information_is_read(void **state)
{
	struct bridge_msg m = full_message(BRIDGE_REPLY + BRIDGE_READ_INFO), back;
	_cleanup_buf_ struct buf b = BUF_INIT;

	(void) state;
	m.status = 0;
	assert_int_equal(bridge_encode(&m, &b), 0);
	assert_int_equal(bridge_decode(b.data, b.len, &back), 0);
	assert_int_equal(back.displays[0].width, 296);
	assert_int_equal(back.displays[0].type, 6);
	assert_int_equal(back.temperature_cc, -512);
	assert_int_equal(back.battery_mv, 2950);
}

static void failed_reply_ends_after_its_status(void **state)
{
	struct bridge_msg m = full_message(BRIDGE_REPLY + BRIDGE_READ_INFO), back;
	_cleanup_buf_ struct buf b = BUF_INIT;

	(void) state;
	m.status = 110;
	assert_int_equal(bridge_encode(&m, &b), 0);
	assert_int_equal(b.data[0], 0x83);
	assert_int_equal(bridge_decode(b.data, b.len, &back), 0);
	assert_int_equal(back.status, 110);
	assert_int_equal(back.n_displays, 0);
}

static void newer_elements_are_skipped(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct bridge_msg back;

	(void) state;
	cbor_put_array(&b, 5);
	cbor_put_uint(&b, BRIDGE_SCAN);
	cbor_put_uint(&b, 3);
	cbor_put_bool(&b, true);
	cbor_put_text(&b, "later");
	cbor_put_array(&b, 1);
	cbor_put_null(&b);
	assert_int_equal(bridge_decode(b.data, b.len, &back), 0);
	assert_true(back.on);
	buf_put_u8(&b, 0);
	assert_true(bridge_decode(b.data, b.len, &back) < 0);
}

static void values_beyond_their_cap_are_refused(void **state)
{
	static const uint8_t unknown[] = {0x82, 0x0d, 0x01};
	static const uint8_t id_too_big[] = {0x83, 0x01, 0x1b, 0, 0, 0, 1, 0, 0, 0, 0, 0xf5};
	struct bridge_msg m = full_message(BRIDGE_ECP), back;
	_cleanup_buf_ struct buf b = BUF_INIT;

	(void) state;
	assert_int_equal(bridge_decode(unknown, sizeof(unknown), &back), -ERR_VERSION);
	assert_true(bridge_decode(id_too_big, sizeof(id_too_big), &back) < 0);
	m.tlv_len = ESL_TLV_MAX + 1;
	assert_int_equal(bridge_encode(&m, &b), -ERR_RANGE);
	m = full_message(BRIDGE_WRITE_IMAGE);
	m.data_len = BRIDGE_IMAGE_MAX + 1;
	assert_int_equal(bridge_encode(&m, &b), -ERR_RANGE);
	m.op = 77;
	assert_int_equal(bridge_encode(&m, &b), -ERR_RANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_survives_the_trip),
		cmocka_unit_test(label_information_is_read),
		cmocka_unit_test(failed_reply_ends_after_its_status),
		cmocka_unit_test(newer_elements_are_skipped),
		cmocka_unit_test(values_beyond_their_cap_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
