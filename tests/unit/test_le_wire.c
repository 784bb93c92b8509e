/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes are written out by hand from the packets' definitions in the Core Specification and the
 * Object Transfer Service; what both directions share is thus checked against a third. */
#include "common/err.h"
#include "common/hex.h"
#include "esl-radio/le/att_wire.h"
#include "esl-radio/le/l2cap_wire.h"
#include "esl-radio/le/ots_wire.h"
#include "esl-radio/le/smp_wire.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static size_t unhex(const char *hex, uint8_t *to)
{
	size_t n = strlen(hex) / 2;

	assert_int_equal(hex_decode(hex, to, n), 0);
	return n;
}

static int att_from(const char *hex, struct att_pdu *p, uint8_t *store)
{
	return att_decode(store, unhex(hex, store), p);
}

/* Decodes and encodes again. */
static void assert_att_same(const char *hex)
{
	uint8_t in[64], out[64];
	struct att_pdu p;
	char text[130];

	assert_int_equal(att_from(hex, &p, in), 0);
	assert_int_equal(att_encode(&p, 64, out, sizeof(out)), strlen(hex) / 2);
	assert_string_equal(hex_encode(out, strlen(hex) / 2, text), hex);
}

static void every_attribute_packet_comes_back_as_it_was(void **state)
{
	static const char *const all[] = {
		"010a03000a",
		"021700",
		"03f701",
		"040100ffff",
		"05010100002802000328",
		"060100ffff00285718",
		"0701000900",
		"080100ffff0328",
		"09070200020300f62b",
		"0a0300",
		"0b0102",
		"0c03001600",
		"0d03",
		"100100ffff0028",
		"1106010009005718",
		"120300aabb",
		"13",
		"1603000000aa",
		"1703000000aa",
		"1801",
		"19",
		"1b0300aa",
		"1d0300aa",
		"1e",
		"520300aa",
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		assert_att_same(all[i]);
}

static void members_of_attribute_packets_are_where_they_belong(void **state)
{
	uint8_t store[64];
	struct att_pdu p;

	(void) state;
	assert_int_equal(att_from("010a03000f", &p, store), 0);
	assert_int_equal(p.request, ATT_READ_REQ);
	assert_int_equal(p.handle, 3);
	assert_int_equal(p.error, ATT_ERR_ENCRYPTION);
	assert_int_equal(att_from("1601020400aabb", &p, store), 0);
	assert_int_equal(p.handle, 0x0201);
	assert_int_equal(p.offset, 4);
	assert_int_equal(p.len, 2);
	assert_int_equal(att_answer_of(ATT_INDICATE), ATT_CONFIRM);
	assert_int_equal(att_answer_of(ATT_NOTIFY), 0);
}

static void broken_attribute_packets_are_refused(void **state)
{
	static const char *const bad[] = {
		"01",       "02",       "0217", "05030100",         "0501010000",
		"07010009", "09010101", "0900", "0907020002030000", "0801000100",
		"1301",     "1e00",     "18",
	};
	uint8_t store[64] = {0};
	struct att_pdu p;

	(void) state;
	assert_int_equal(att_decode(store, 0, &p), -ERR_BADMSG);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		size_t n = strlen(bad[i]) / 2;

		unhex(bad[i], store);
		assert_int_equal(att_decode(store, n, &p), -ERR_BADMSG);
	}
	assert_int_equal(att_from("ff", &p, store), -ENOTSUP);
	assert_int_equal(p.op, 0xff);
}

static void packet_past_the_mtu_is_not_made(void **state)
{
	uint8_t value[30] = {0}, out[64];
	struct att_pdu p = {.op = ATT_WRITE_REQ, .handle = 1, .value = value, .len = 20};

	(void) state;
	assert_int_equal(att_encode(&p, 23, out, sizeof(out)), 23);
	p.len = 21;
	assert_int_equal(att_encode(&p, 23, out, sizeof(out)), -ERR_TOO_LARGE);
	assert_int_equal(att_encode(&p, 64, out, 10), -ENOBUFS);
	p.op = 0x77;
	assert_int_equal(att_encode(&p, 64, out, sizeof(out)), -ERR_RANGE);
}

static void short_uuid_is_found_in_both_forms(void **state)
{
	uint8_t data[16];

	(void) state;
	unhex("5718", data);
	assert_int_equal(att_get_uuid(data, 2), 0x1857);
	unhex("fb349b5f80000080001000005718"
	      "0000",
	      data);
	assert_int_equal(att_get_uuid(data, 16), 0x1857);
	data[15] = 1;
	assert_int_equal(att_get_uuid(data, 16), 0);
	assert_int_equal(att_get_uuid(data, 4), 0);
}

static void security_packets_have_one_length_each(void **state)
{
	uint8_t in[80], out[SMP_MAX];
	struct smp_pdu p;

	(void) state;
	unhex("0103000910"
	      "0303",
	      in);
	assert_int_equal(smp_decode(in, 7, &p), 0);
	assert_int_equal(p.io, SMP_IO_NONE);
	assert_int_equal(p.auth, SMP_AUTH_BOND | SMP_AUTH_SECURE);
	assert_int_equal(p.key_size, SMP_KEY_SIZE);
	assert_int_equal(smp_encode(&p, out), 7);
	assert_memory_equal(out, in, 7);
	assert_int_equal(smp_decode(in, 6, &p), -ERR_BADMSG);
	assert_int_equal(smp_decode(in, 8, &p), -ERR_BADMSG);
	assert_int_equal(smp_decode(in, 0, &p), -ERR_BADMSG);
	memset(in, 7, sizeof(in));
	in[0] = SMP_PUBLIC_KEY;
	assert_int_equal(smp_decode(in, 65, &p), 0);
	assert_int_equal(smp_encode(&p, out), 65);
	assert_memory_equal(out, in, 65);
	assert_int_equal(smp_decode(in, 64, &p), -ERR_BADMSG);
	in[0] = 0x0f;
	assert_int_equal(smp_decode(in, 10, &p), -ENOTSUP);
}

static void reversal_turns_the_order_of_bytes_round(void **state)
{
	const uint8_t in[3] = {1, 2, 3};
	uint8_t out[3];

	(void) state;
	smp_reverse(out, in, 3);
	assert_int_equal(out[0], 3);
	assert_int_equal(out[2], 1);
}

static void channel_is_asked_for_as_the_specification_says(void **state)
{
	struct l2cap_signal s = {.code = L2CAP_CREDIT_CONNECT_REQ,
				 .id = 1,
				 .spsm = 0x25,
				 .scid = 0x40,
				 .mtu = 1494,
				 .mps = 247,
				 .credits = 10},
			    t;
	_cleanup_buf_ struct buf b = BUF_INIT;
	char text[64];

	(void) state;
	assert_int_equal(l2cap_put_signal(&b, &s), 0);
	assert_string_equal(hex_encode(b.data, b.len, text), "0e0005001401"
							     "0a00"
							     "2500"
							     "4000"
							     "d605"
							     "f700"
							     "0a00");
	assert_int_equal(l2cap_get_signal(b.data + L2CAP_HEADER, b.len - L2CAP_HEADER, &t), 0);
	assert_memory_equal(&s, &t, sizeof(s));
}

static void broken_signals_are_refused_with_their_number(void **state)
{
	uint8_t data[32];
	struct l2cap_signal s;

	(void) state;
	assert_int_equal(l2cap_get_signal(data, unhex("1601040040000100", data), &s), 0);
	assert_int_equal(s.credits, 1);
	assert_int_equal(l2cap_get_signal(data, unhex("16070400400001", data), &s), -ERR_BADMSG);
	assert_int_equal(l2cap_get_signal(data, unhex("160702004000", data), &s), -ERR_BADMSG);
	assert_int_equal(l2cap_get_signal(data, unhex("990300", data), &s), -ERR_BADMSG);
	assert_int_equal(l2cap_get_signal(data, unhex("99030000", data), &s), -ENOTSUP);
	assert_int_equal(s.id, 3);
	assert_int_equal(l2cap_get_signal(data, unhex("010306000200aabbccdd", data), &s), 0);
	assert_int_equal(s.reason, 2);
}

static void transfer_procedures_come_back_as_they_were(void **state)
{
	static const char *const all[] = {
		"05030100000000",     "06000000005025000002", "600601", "700508", "01", "04", "07",
		"030000000010000000", "60030178563412"};
	uint8_t in[32], out[OTS_CONTROL_MAX];
	struct ots_control c;

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		size_t n = unhex(all[i], in);

		assert_int_equal(ots_decode(in, n, &c), 0);
		assert_int_equal(ots_encode(&c, out), n);
		assert_memory_equal(in, out, n);
	}
	assert_int_equal(ots_decode(in, unhex("0503010000", in), &c), -ERR_BADMSG);
	assert_int_equal(ots_decode(in, unhex("42", in), &c), -ENOTSUP);
	assert_int_equal(ots_decode(in, 0, &c), -ERR_BADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_attribute_packet_comes_back_as_it_was),
		cmocka_unit_test(members_of_attribute_packets_are_where_they_belong),
		cmocka_unit_test(broken_attribute_packets_are_refused),
		cmocka_unit_test(packet_past_the_mtu_is_not_made),
		cmocka_unit_test(short_uuid_is_found_in_both_forms),
		cmocka_unit_test(security_packets_have_one_length_each),
		cmocka_unit_test(reversal_turns_the_order_of_bytes_round),
		cmocka_unit_test(channel_is_asked_for_as_the_specification_says),
		cmocka_unit_test(broken_signals_are_refused_with_their_number),
		cmocka_unit_test(transfer_procedures_come_back_as_they_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
