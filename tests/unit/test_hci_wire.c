/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"
#include "common/hex.h"
#include "esl-radio/hci_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/** Compares all that was put with hex, splits it as one packet and sets w on its parameters. */
static struct h4_packet open_packet(const struct buf *b, const char *hex, struct wire *w)
{
	struct h4_packet p = {0};
	uint8_t want[HCI_COMMAND_MAX];

	assert_true(buf_ok(b));
	if (hex) {
		assert_int_equal(b->len, strlen(hex) / 2);
		assert_int_equal(hex_decode(hex, want, b->len), 0);
		assert_memory_equal(b->data, want, b->len);
	}
	for (size_t n = 0; n < b->len; n++)
		assert_int_equal(h4_next(b->data, n, &p), 0);
	assert_int_equal(h4_next(b->data, b->len, &p), b->len);
	wire_init(w, p.params, p.len);
	return p;
}

static void train_parameters_survive_the_trip(void **state)
{
	struct hci_pa_params p = {0xe0, 1248, 1248, 0, 26, 48, 34, 6, 23}, back;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct wire w;

	(void) state;
	hci_put_pa_params(&b, &p);
	assert_int_equal(open_packet(&b, "0186200ce0e004e00400001a30220617", &w).opcode,
			 HCI_LE_SET_PA_PARAMS_V2);
	hci_get_pa_params(&w, &back);
	assert_int_equal(wire_finish(&w), 0);
	assert_int_equal(back.interval_max, 1248);
	assert_int_equal(back.subevents, 26);
	assert_int_equal(back.subevent_interval, 48);
	assert_int_equal(back.response_delay, 34);
	assert_int_equal(back.response_spacing, 6);
	assert_int_equal(back.response_slots, 23);
}

static void advertising_set_survives_the_trip(void **state)
{
	struct hci_ext_adv_params p = {0xe0, 0, 0xa0, 0x0140, 7, 0, 127, 1, 2, 5}, back;
	struct hci_adv_data d = {.handle = 0xe0, .operation = 3, .len = 3, .data = {2, 1, 6}}, data;
	struct hci_random_address a = {0xe0, {1, 2, 3, 4, 5, 0xc6}}, address;
	struct hci_adv_enable e = {true, 0xe0}, enable;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct wire w;

	(void) state;
	hci_put_ext_adv_params(&b, &p);
	open_packet(&b, "01362019e00000a00000400100070000000000000000007f0100020500", &w);
	hci_get_ext_adv_params(&w, &back);
	assert_int_equal(wire_finish(&w), 0);
	assert_int_equal(back.interval_max, 0x140);
	assert_int_equal(back.tx_power, 127);
	assert_int_equal(back.secondary_phy, 2);
	assert_int_equal(back.sid, 5);

	buf_clear(&b);
	hci_put_ext_adv_data(&b, &d);
	open_packet(&b, "01372007e0030103020106", &w);
	hci_get_ext_adv_data(&w, &data);
	assert_int_equal(wire_finish(&w), 0);
	assert_int_equal(data.len, 3);
	assert_memory_equal(data.data, d.data, 3);

	buf_clear(&b);
	hci_put_ext_adv_enable(&b, &e);
	open_packet(&b, "013920060101e0000000", &w);
	hci_get_ext_adv_enable(&w, &enable);
	assert_int_equal(wire_finish(&w), 0);
	assert_true(enable.enable);
	assert_int_equal(enable.handle, 0xe0);

	buf_clear(&b);
	hci_put_pa_enable(&b, &e);
	open_packet(&b, "0140200201e0", &w);
	hci_get_pa_enable(&w, &enable);
	assert_int_equal(wire_finish(&w), 0);

	buf_clear(&b);
	hci_put_adv_random_address(&b, &a);
	open_packet(&b, "01352007e00102030405c6", &w);
	hci_get_adv_random_address(&w, &address);
	assert_int_equal(wire_finish(&w), 0);
	assert_memory_equal(address.addr, a.addr, 6);
}

static void subevent_data_stops_at_255_bytes(void **state)
{
	uint8_t data[250] = {0x5a};
	struct hci_subevent_data sets[16];
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct wire w;
	uint8_t handle;

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		sets[i] = (struct hci_subevent_data){(uint8_t) i, 0, 23, 12, data};
	assert_int_equal(hci_put_subevent_data(&b, 0xe0, sets, 16), -ERR_TOO_LARGE);
	assert_int_equal(hci_put_subevent_data(&b, 0xe0, sets, 15), 0);
	open_packet(&b, NULL, &w);
	assert_int_equal(hci_get_subevent_data(&w, &handle), 15);
	assert_int_equal(handle, 0xe0);
	for (size_t i = 0; i < 15; i++) {
		hci_get_subevent_set(&w, &sets[0]);
		assert_int_equal(sets[0].subevent, i);
		assert_int_equal(sets[0].slot_count, 23);
		assert_int_equal(sets[0].len, 12);
		assert_int_equal(sets[0].data[0], 0x5a);
	}
	assert_int_equal(wire_finish(&w), 0);
	sets[1].len = 250;
	assert_int_equal(hci_put_subevent_data(&b, 0xe0, sets + 1, 1), -ERR_TOO_LARGE);
	sets[1].len = HCI_SUBEVENT_DATA_MAX;
	assert_int_equal(hci_put_subevent_data(&b, 0xe0, sets + 1, 1), 0);
}

static void more_than_fifteen_sets_are_refused(void **state)
{
	static const uint8_t in[] = {0xe0, 16};
	struct wire w;
	uint8_t handle;

	(void) state;
	wire_init(&w, in, sizeof(in));
	assert_int_equal(hci_get_subevent_data(&w, &handle), 0);
	assert_false(wire_ok(&w));
}

static void command_events_survive_the_trip(void **state)
{
	static const uint8_t features[8] = {0, 0x30, 0, 0, 0, 0x18, 0, 0};
	struct hci_command_complete c = {1, HCI_LE_READ_LOCAL_FEATURES, 0, features, 8}, complete;
	struct hci_command_status s = {HCI_ERR_UNKNOWN_COMMAND, 1, 0x2082}, status;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct wire w;

	(void) state;
	hci_put_command_complete(&b, &c);
	assert_int_equal(open_packet(&b, "040e0c010320000030000000180000", &w).event,
			 HCI_EVT_COMMAND_COMPLETE);
	hci_get_command_complete(&w, &complete);
	assert_int_equal(wire_finish(&w), 0);
	assert_int_equal(complete.opcode, HCI_LE_READ_LOCAL_FEATURES);
	assert_int_equal(complete.more_len, 8);
	assert_memory_equal(complete.more, features, 8);

	buf_clear(&b);
	hci_put_command_status(&b, &s);
	open_packet(&b, "040f0401018220", &w);
	hci_get_command_status(&w, &status);
	assert_int_equal(wire_finish(&w), 0);
	assert_int_equal(status.status, HCI_ERR_UNKNOWN_COMMAND);
	assert_string_equal(hci_status_name(status.status), "Unknown HCI Command");
}

static void response_report_survives_the_trip(void **state)
{
	static const uint8_t answer[3] = {1, 2, 3};
	struct hci_response r[2] = {{127, -61, 0xff, 4, HCI_RESPONSE_COMPLETE, 3, answer},
				    {127, 127, 0xff, 5, HCI_RESPONSE_FAILED, 0, NULL}};
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct hci_response_report report;
	struct hci_response back;
	struct wire w;

	(void) state;
	assert_int_equal(hci_put_response_report(&b, 0xe0, 9, 0, r, 2), 0);
	open_packet(&b, "043e1428e00900027fc3ff0400030102037f7fff05ff00", &w);
	assert_int_equal(hci_get_le_event(&w), HCI_LE_PA_RESPONSE_REPORT);
	hci_get_response_report(&w, &report);
	assert_int_equal(report.subevent, 9);
	assert_int_equal(report.n, 2);
	hci_get_response(&w, &back);
	assert_int_equal(back.rssi, -61);
	assert_memory_equal(back.data, answer, 3);
	hci_get_response(&w, &back);
	assert_int_equal(back.status, HCI_RESPONSE_FAILED);
	assert_int_equal(wire_finish(&w), 0);
}

static void data_request_checks_its_range(void **state)
{
	struct hci_data_request d = {0xe0, 25, 3}, back;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct wire w;

	(void) state;
	hci_put_data_request(&b, &d);
	open_packet(&b, "043e0427e01903", &w);
	assert_int_equal(hci_get_le_event(&w), HCI_LE_PA_SUBEVENT_DATA_REQUEST);
	hci_get_data_request(&w, &back);
	assert_int_equal(wire_finish(&w), 0);
	assert_int_equal(back.start, 25);
	wire_init(&w, "\xe0\x80\x01", 3);
	hci_get_data_request(&w, &back);
	assert_false(wire_ok(&w));
}

static void garbage_ends_the_stream(void **state)
{
	struct h4_packet p;

	(void) state;
	assert_int_equal(h4_next((const uint8_t *) "\x00zzz", 4, &p), -ERR_BADMSG);
	assert_int_equal(h4_next((const uint8_t *) "GET / HTTP", 10, &p), -ERR_BADMSG);
	assert_int_equal(h4_next((const uint8_t *) "\x02\x00\x00\xff\xff", 5, &p), -ERR_TOO_LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(train_parameters_survive_the_trip),
		cmocka_unit_test(advertising_set_survives_the_trip),
		cmocka_unit_test(subevent_data_stops_at_255_bytes),
		cmocka_unit_test(more_than_fifteen_sets_are_refused),
		cmocka_unit_test(command_events_survive_the_trip),
		cmocka_unit_test(response_report_survives_the_trip),
		cmocka_unit_test(data_request_checks_its_range),
		cmocka_unit_test(garbage_ends_the_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
