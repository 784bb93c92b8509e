/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"
#include "common/hex.h"
#include "esl-radio/esl_wire.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void check_command(const struct esl_cmd *c, const char *hex)
{
	uint8_t out[ESL_TLV_MAX], want[ESL_TLV_MAX];
	struct esl_cmd back;
	struct wire w;
	int n = esl_cmd_encode(c, out, sizeof(out));

	assert_int_equal(n, strlen(hex) / 2);
	assert_int_equal(hex_decode(hex, want, (size_t) n), 0);
	assert_memory_equal(out, want, (size_t) n);
	assert_int_equal(esl_tlv_len(out[0]), n);
	wire_init(&w, out, (size_t) n);
	memset(&back, 0xa5, sizeof(back));
	esl_cmd_decode(&w, &back);
	assert_int_equal(wire_finish(&w), 0);
	assert_int_equal(esl_cmd_encode(&back, out, sizeof(out)), n);
	assert_memory_equal(out, want, (size_t) n);
}

static void every_command_has_its_bytes(void **state)
{
	struct esl_led_pattern led = {0xc1, {1, 2, 3, 4, 5}, 50, 60, 0x0102};

	(void) state;
	for (uint8_t op = ESL_OP_PING; op <= ESL_OP_UPDATE_COMPLETE; op++) {
		char hex[5] = {'0', (char) ('0' + op), '0', '7', 0};

		check_command(&(struct esl_cmd){.op = op, .esl_id = 7}, hex);
	}
	check_command(&(struct esl_cmd){.op = 0x10, .esl_id = 1, .index = 2}, "100102");
	check_command(&(struct esl_cmd){.op = 0x11, .esl_id = 1, .index = 2}, "110102");
	check_command(&(struct esl_cmd){.op = 0x20, .esl_id = 1, .index = 2, .image = 3},
		      "20010203");
	check_command(&(struct esl_cmd){.op = 0x60, .esl_id = 1, .image = 3, .abs_ms = 100000},
		      "60010003a0860100");
	check_command(&(struct esl_cmd){.op = 0xb0, .esl_id = 1, .index = 2, .led = led},
		      "b00102c10102030405323c0201");
	check_command(&(struct esl_cmd){.op = 0xf0, .esl_id = 1, .led = led, .abs_ms = 1},
		      "f00100c10102030405323c020101000000");
	check_command(&(struct esl_cmd){.op = 0x2f, .esl_id = 9, .raw = {0xaa, 0xbb}, .raw_len = 2},
		      "2f09aabb");
}

static void unknown_command_keeps_its_parameters(void **state)
{
	static const uint8_t in[] = {0x25, 3, 0xde, 0xad, 0x00, 4};
	uint8_t out[ESL_TLV_MAX];
	struct esl_cmd c;
	struct wire w;

	(void) state;
	wire_init(&w, in, sizeof(in));
	esl_cmd_decode(&w, &c);
	assert_false(esl_op_known(c.op));
	assert_int_equal(c.esl_id, 3);
	assert_int_equal(c.raw_len, 2);
	assert_int_equal(c.raw[1], 0xad);
	assert_int_equal(esl_cmd_encode(&c, out, sizeof(out)), -ERR_RANGE);
	esl_cmd_decode(&w, &c);
	assert_int_equal(c.op, ESL_OP_PING);
	assert_int_equal(wire_finish(&w), 0);
}

static void cut_command_is_truncated(void **state)
{
	static const uint8_t in[] = {0x60, 5, 0, 3, 0xa0, 0x86, 0x01, 0x00};
	struct esl_cmd c;
	struct wire w;

	(void) state;
	for (size_t n = 0; n < sizeof(in); n++) {
		wire_init(&w, in, n);
		esl_cmd_decode(&w, &c);
		assert_false(wire_ok(&w));
	}
}

static void check_response(const struct esl_rsp *r, const char *hex)
{
	uint8_t out[ESL_TLV_MAX], want[ESL_TLV_MAX];
	struct esl_rsp back;
	struct wire w;
	int n = esl_rsp_encode(r, out, sizeof(out));

	assert_int_equal(n, strlen(hex) / 2);
	assert_int_equal(hex_decode(hex, want, (size_t) n), 0);
	assert_memory_equal(out, want, (size_t) n);
	wire_init(&w, out, (size_t) n);
	esl_rsp_decode(&w, &back);
	assert_int_equal(wire_finish(&w), 0);
	assert_int_equal(back.tag, r->tag);
	assert_int_equal(esl_rsp_encode(&back, out, sizeof(out)), n);
	assert_memory_equal(out, want, (size_t) n);
}

static void every_response_has_its_bytes(void **state)
{
	(void) state;
	check_response(&(struct esl_rsp){.tag = ESL_RSP_ERROR, .error = 0x0b}, "000b");
	check_response(&(struct esl_rsp){.tag = ESL_RSP_LED_STATE, .index = 4}, "0104");
	check_response(
		&(struct esl_rsp){.tag = ESL_RSP_BASIC_STATE,
				  .basic = ESL_STATE_SYNCHRONIZED | ESL_STATE_PENDING_DISPLAY},
		"101200");
	check_response(&(struct esl_rsp){.tag = ESL_RSP_DISPLAY_STATE, .index = 1, .image = 2},
		       "110102");
	check_response(
		&(struct esl_rsp){
			.tag = ESL_RSP_SENSOR_VALUE, .index = 1, .raw = {0x10, 0x27}, .raw_len = 2},
		"2e011027");
	check_response(&(struct esl_rsp){.tag = ESL_RSP_VENDOR, .raw = {0x10, 0x27}, .raw_len = 2},
		       "1f1027");
}

static void forty_seven_bytes_of_commands_fit(void **state)
{
	struct esl_cmd timed = {.op = ESL_OP_DISPLAY_TIMED, .esl_id = 1};
	struct esl_cmd ping = {.op = ESL_OP_PING, .esl_id = 1};
	struct esl_packet p;

	(void) state;
	esl_packet_init(&p, 3);
	for (int i = 0; i < 5; i++)
		assert_int_equal(esl_packet_add(&p, &timed), i);
	assert_int_equal(esl_packet_add(&p, &timed), -ENOBUFS);
	for (int i = 0; i < 3; i++)
		assert_int_equal(esl_packet_add(&p, &ping), 5 + i);
	assert_int_equal(esl_packet_add(&p, &ping), -ENOBUFS);
	assert_int_equal(p.len, ESL_PACKET_MAX - 1);
	assert_int_equal(p.n, 8);
	assert_int_equal(p.data[0], 3);
}

static void address_ignores_the_reserved_bit(void **state)
{
	(void) state;
	assert_int_equal(esl_address(25, 254), 0x19fe);
	assert_int_equal(esl_address_group(0x99fe), 25);
	assert_int_equal(esl_address_id(0x99fe), 254);
}

static void structure_is_found_among_others(void **state)
{
	static const uint8_t in[] = {2, 0x01, 6, 4, 0x34, 9, 0, 1, 0, 0};
	static const uint8_t cut[] = {9, 0x34, 1};
	const uint8_t *payload;
	size_t len;

	(void) state;
	assert_int_equal(esl_ad_find(in, sizeof(in), &payload, &len), 0);
	assert_int_equal(len, 3);
	assert_int_equal(payload[0], 9);
	assert_int_equal(esl_ad_find(in, 3, &payload, &len), -ENOENT);
	assert_int_equal(esl_ad_find(cut, sizeof(cut), &payload, &len), -ERR_BADMSG);
}

static void every_error_has_a_sentence(void **state)
{
	(void) state;
	for (uint8_t e = ESL_ERR_UNSPECIFIED; e <= ESL_ERR_IMPLAUSIBLE_TIME; e++) {
		assert_string_not_equal(esl_error_name(e), "unknown error");
		assert_non_null(strchr(esl_error_sentence(e), '.'));
	}
	assert_string_equal(esl_error_name(0xf3), "vendor error");
	assert_string_equal(esl_error_name(0x30), "unknown error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_command_has_its_bytes),
		cmocka_unit_test(unknown_command_keeps_its_parameters),
		cmocka_unit_test(cut_command_is_truncated),
		cmocka_unit_test(every_response_has_its_bytes),
		cmocka_unit_test(forty_seven_bytes_of_commands_fit),
		cmocka_unit_test(address_ignores_the_reserved_bit),
		cmocka_unit_test(structure_is_found_among_others),
		cmocka_unit_test(every_error_has_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
