/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes are written out by hand from Vol 4 Part E 7.7 and 7.8. */
#include "common/err.h"
#include "esl-radio/le/hci_conn_wire.h"
#include "tests/unit/hci_bytes.h"

#include <string.h>

static void label_is_called_through_its_subevent(void **state)
{
	struct hci_create_connection c = {.adv_handle = 0xe0,
					  .subevent = 3,
					  .peer_type = 1,
					  .peer = {1, 2, 3, 4, 5, 0xc6},
					  .scan_interval = 0x60,
					  .scan_window = 0x30,
					  .interval_min = 12,
					  .interval_max = 12,
					  .timeout = 200},
				     d;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct wire w;

	(void) state;
	hci_put_create_connection(&b, &c);
	assert_bytes(&b, "0185201ce00300000101020304"
			 "05c60160003000"
			 "0c000c000000c80000000000");
	w = params_of(&b);
	memset(&d, 0, sizeof(d));
	hci_get_create_connection(&w, &d);
	assert_int_equal(wire_finish(&w), 0);
	assert_memory_equal(&c, &d, sizeof(c));
}

static void whoever_is_on_the_list_may_be_connected(void **state)
{
	struct hci_accept a = {.peer_type = 1, .peer = {1, 2, 3, 4, 5, 0xc6}}, got;
	struct hci_create_connection c = {.listed = true, .adv_handle = 0xff, .subevent = 0xff}, d;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct wire w;

	(void) state;
	hci_put_accept(&b, true, &a);
	assert_bytes(&b, "011120070101020304"
			 "05c6");
	w = params_of(&b);
	hci_get_accept(&w, &got);
	assert_int_equal(wire_finish(&w), 0);
	assert_int_equal(got.peer_type, a.peer_type);
	assert_memory_equal(got.peer, a.peer, sizeof(a.peer));
	buf_clear(&b);
	hci_put_accept(&b, false, &a);
	assert_bytes(&b, "011220070101020304"
			 "05c6");
	buf_clear(&b);
	hci_put_create_connection(&b, &c);
	assert_int_equal(b.data[6], 1); /* initiator filter policy */
	w = params_of(&b);
	hci_get_create_connection(&w, &d);
	assert_int_equal(wire_finish(&w), 0);
	assert_true(d.listed);
}

static void we_may_call_by_another_name_than_the_controllers(void **state)
{
	static const uint8_t name[HCI_ADDR_BYTES] = {1, 2, 3, 4, 5, 0xe6};
	struct hci_create_connection c = {.adv_handle = 0xff, .subevent = 0xff, .own_type = 1}, d;
	_cleanup_buf_ struct buf b = BUF_INIT;
	uint8_t got[HCI_ADDR_BYTES];
	struct wire w;

	(void) state;
	hci_put_set_random_address(&b, name);
	assert_bytes(&b, "010520060102030405e6");
	w = params_of(&b);
	hci_get_set_random_address(&w, got);
	assert_int_equal(wire_finish(&w), 0);
	assert_memory_equal(got, name, sizeof(name));
	buf_clear(&b);
	hci_put_create_connection(&b, &c);
	w = params_of(&b);
	hci_get_create_connection(&w, &d);
	assert_int_equal(wire_finish(&w), 0);
	assert_int_equal(d.own_type, 1);
}

static void scanning_and_ending_are_as_specified(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	(void) state;
	hci_put_ext_scan_params(
		&b, &(struct hci_ext_scan){.interval = 96, .window = 48, .active = false});
	hci_put_ext_scan_enable(&b, &(struct hci_scan_enable){.enable = true, .filter = 1});
	hci_put_disconnect(&b, &(struct hci_disconnect){.handle = 0x40, .reason = 0x13});
	assert_bytes(&b, "01412008000001006000"
			 "3000"
			 "01422006010100000000"
			 "01060403400013");
}

static void keys_and_transfers_come_back_as_they_were(void **state)
{
	struct hci_enable_encryption e = {.handle = 0x40, .ltk = {1, 2, 3}}, f;
	struct hci_set_info_transfer t = {.handle = 0x40, .service_data = 7, .adv_handle = 0xe0}, u;
	struct hci_data_length l = {.handle = 0x40, .octets = 251, .time_us = 2120}, m;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct wire w;

	(void) state;
	memset(&f, 0, sizeof(f));
	hci_put_enable_encryption(&b, &e);
	w = params_of(&b);
	hci_get_enable_encryption(&w, &f);
	assert_int_equal(wire_finish(&w), 0);
	assert_memory_equal(&e, &f, sizeof(e));
	buf_clear(&b);
	hci_put_set_info_transfer(&b, &t);
	assert_bytes(&b, "015b200540000700e0");
	w = params_of(&b);
	hci_get_set_info_transfer(&w, &u);
	assert_int_equal(u.handle, t.handle);
	assert_int_equal(u.adv_handle, t.adv_handle);
	buf_clear(&b);
	hci_put_data_length(&b, &l);
	w = params_of(&b);
	hci_get_data_length(&w, &m);
	assert_int_equal(m.octets, 251);
}

static void connection_events_come_back_as_they_were(void **state)
{
	struct hci_connection_complete c = {.handle = 0x41,
					    .peer_type = 1,
					    .peer = {9, 8, 7, 6, 5, 4},
					    .interval = 12,
					    .timeout = 200},
				       d;
	struct hci_disconnection x = {.handle = 0x41, .reason = 8}, y;
	struct hci_encryption_change e = {.handle = 0x41, .enabled = true}, f;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct wire w;

	(void) state;
	memset(&d, 0, sizeof(d));
	hci_put_connection_complete(&b, &c);
	assert_bytes(&b, "043e1f0a0041000001090807060504000000000000000000000000"
			 "0c000000c80000");
	w = params_of(&b);
	hci_get_connection_complete(&w, false, &d);
	assert_int_equal(wire_finish(&w), 0);
	assert_memory_equal(&c, &d, sizeof(c));
	buf_clear(&b);
	hci_put_disconnection(&b, &x);
	assert_bytes(&b, "040504004100"
			 "08");
	w = params_of(&b);
	hci_get_disconnection(&w, &y);
	assert_int_equal(y.reason, 8);
	buf_clear(&b);
	hci_put_encryption_change(&b, &e);
	assert_bytes(&b, "04080400410001");
	w = params_of(&b);
	hci_get_encryption_change(&w, &f);
	assert_true(f.enabled);
}

static void advertisement_is_reported_with_its_data(void **state)
{
	static const uint8_t data[] = {2, 1, 6, 3, 3, 0x57, 0x18};
	struct hci_adv_report r = {.type = HCI_ADV_CONNECTABLE | HCI_ADV_LEGACY,
				   .addr_type = 1,
				   .addr = {1, 0, 0, 0xee, 0xff, 0xc0},
				   .rssi = -60,
				   .len = sizeof(data),
				   .data = data},
			      s;
	_cleanup_buf_ struct buf b = BUF_INIT;
	uint8_t long_data[255] = {0};
	struct wire w;

	(void) state;
	assert_int_equal(hci_put_adv_report(&b, &r), 0);
	w = params_of(&b);
	assert_int_equal(hci_get_adv_reports(&w), 1);
	hci_get_adv_report(&w, &s);
	assert_int_equal(wire_finish(&w), 0);
	assert_int_equal(s.rssi, -60);
	assert_int_equal(s.len, sizeof(data));
	assert_memory_equal(s.data, data, sizeof(data));
	assert_memory_equal(s.addr, r.addr, sizeof(r.addr));
	r.data = long_data;
	r.len = 255;
	assert_int_equal(hci_put_adv_report(&b, &r), -ERR_TOO_LARGE);
}

static void report_that_lies_about_its_length_is_noticed(void **state)
{
	uint8_t bytes[26] = {0x01};
	struct hci_adv_report s;
	struct wire w;

	(void) state;
	bytes[24] = 9; /* data said to be there, one byte is */
	wire_init(&w, bytes, sizeof(bytes));
	assert_int_equal(hci_get_adv_reports(&w), 1);
	hci_get_adv_report(&w, &s);
	assert_false(wire_ok(&w));
	assert_int_equal(s.len, 0);
}

static void data_carries_its_handle_and_boundary(void **state)
{
	static const uint8_t data[3] = {1, 2, 3};
	struct hci_acl a = {.handle = 0x123,
			    .boundary = HCI_PB_FIRST_CONTROLLER,
			    .data = data,
			    .len = 3},
		       c;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct hci_completed_packets p = {.handle = 0x123, .count = 2}, q;
	struct wire w;

	(void) state;
	hci_put_acl(&b, &a);
	assert_bytes(&b, "0223210300010203");
	hci_get_acl(b.data, &c);
	assert_int_equal(c.handle, a.handle);
	assert_int_equal(c.boundary, a.boundary);
	assert_int_equal(c.len, 3);
	buf_clear(&b);
	hci_put_completed_packets(&b, &p);
	assert_bytes(&b, "0413050123010200");
	w = params_of(&b);
	assert_int_equal(hci_get_completed_packets(&w), 1);
	hci_get_completed(&w, &q);
	assert_int_equal(q.count, 2);
	assert_int_equal(hci_read_buffer_size((const uint8_t *) "\xfb\x00\x08", 3,
					      &(struct hci_buffer_size){0}),
			 0);
	assert_int_equal(
		hci_read_buffer_size((const uint8_t *) "\xfb", 1, &(struct hci_buffer_size){0}),
		-ERR_BADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(label_is_called_through_its_subevent),
		cmocka_unit_test(whoever_is_on_the_list_may_be_connected),
		cmocka_unit_test(we_may_call_by_another_name_than_the_controllers),
		cmocka_unit_test(scanning_and_ending_are_as_specified),
		cmocka_unit_test(keys_and_transfers_come_back_as_they_were),
		cmocka_unit_test(connection_events_come_back_as_they_were),
		cmocka_unit_test(advertisement_is_reported_with_its_data),
		cmocka_unit_test(report_that_lies_about_its_length_is_noticed),
		cmocka_unit_test(data_carries_its_handle_and_boundary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
