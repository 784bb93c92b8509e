/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes are written out by hand from Vol 4 Part E 7.7.65 and 7.8. */
#include "common/err.h"
#include "esl-radio/le/hci_sync_wire.h"
#include "tests/unit/hci_bytes.h"

#include <string.h>

static void a_host_says_what_it_does_with_a_train_handed_over(void **state)
{
	struct hci_past_params c = {.handle = 0x42,
				    .mode = HCI_PAST_REPORTS,
				    .skip = 1,
				    .timeout = 0x0400,
				    .cte_type = 0},
			       d;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct wire w;

	(void) state;
	hci_put_past_params(&b, &c);
	assert_bytes(&b, "015c200842000201000004"
			 "00");
	w = params_of(&b);
	hci_get_past_params(&w, &d);
	assert_int_equal(wire_finish(&w), 0);
	assert_int_equal(d.handle, 0x42);
	assert_int_equal(d.mode, HCI_PAST_REPORTS);
	assert_int_equal(d.skip, 1);
	assert_int_equal(d.timeout, 0x0400);
	buf_clear(&b);
	hci_put_default_past_params(&b, &c);
	hci_put_terminate_sync(&b, 0x0123);
	assert_bytes(&b, "015d2006020100000400"
			 "014620022301");
}

static void a_label_listens_in_its_subevent(void **state)
{
	struct hci_sync_subevent c = {.sync = 3, .properties = 0x40, .n = 2, .subevents = {5, 127}},
				 d;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct wire w;

	(void) state;
	hci_put_sync_subevent(&b, &c);
	assert_bytes(&b, "0184200703004000"
			 "02057f");
	w = params_of(&b);
	memset(&d, 0, sizeof(d));
	hci_get_sync_subevent(&w, &d);
	assert_int_equal(wire_finish(&w), 0);
	assert_int_equal(d.sync, 3);
	assert_int_equal(d.properties, 0x40);
	assert_int_equal(d.n, 2);
	assert_memory_equal(c.subevents, d.subevents, 2);
}

static void no_subevent_and_one_that_cannot_be_are_refused(void **state)
{
	static const uint8_t none[] = {3, 0, 0, 0, 0}, beyond[] = {3, 0, 0, 0, 1, 128},
			     short_list[] = {3, 0, 0, 0, 2, 1};
	struct hci_sync_subevent d;
	struct wire w;

	(void) state;
	wire_init(&w, none, sizeof(none));
	hci_get_sync_subevent(&w, &d);
	assert_int_equal(wire_finish(&w), -ERR_RANGE);
	wire_init(&w, beyond, sizeof(beyond));
	hci_get_sync_subevent(&w, &d);
	assert_int_equal(wire_finish(&w), -ERR_RANGE);
	wire_init(&w, short_list, sizeof(short_list));
	hci_get_sync_subevent(&w, &d);
	assert_true(wire_finish(&w) < 0);
}

static void an_answer_names_the_event_it_answers(void **state)
{
	static const uint8_t data[] = {0xaa, 0xbb};
	struct hci_response_data c = {.sync = 3,
				      .event = 0x1234,
				      .request_subevent = 5,
				      .subevent = 5,
				      .slot = 7,
				      .len = sizeof(data),
				      .data = data},
				 d;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct wire w;

	(void) state;
	assert_int_equal(hci_put_response_data(&b, &c), 0);
	assert_bytes(&b, "0183200a03003412"
			 "050507"
			 "02aabb");
	w = params_of(&b);
	hci_get_response_data(&w, &d);
	assert_int_equal(wire_finish(&w), 0);
	assert_int_equal(d.event, c.event);
	assert_int_equal(d.slot, c.slot);
	assert_memory_equal(d.data, data, sizeof(data));
	c.len = HCI_RESPONSE_MAX + 1;
	assert_int_equal(hci_put_response_data(&b, &c), -ERR_TOO_LARGE);
}

static void a_train_handed_over_comes_with_its_timing(void **state)
{
	struct hci_sync e = {.connection = 0x40,
			     .service_data = 7,
			     .sync = 2,
			     .sid = 1,
			     .addr_type = 0,
			     .addr = {1, 2, 3, 4, 5, 6},
			     .phy = 1,
			     .interval = 1248,
			     .accuracy = 1,
			     .subevents = 26,
			     .subevent_interval = 48,
			     .response_delay = 34,
			     .response_spacing = 6},
			d;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct wire w;

	(void) state;
	hci_put_past_received(&b, &e);
	assert_bytes(&b, "043e1826004000070002000100010203040506"
			 "01e004011a302206");
	w = params_of(&b);
	memset(&d, 0xff, sizeof(d));
	hci_get_past_received(&w, &d);
	assert_int_equal(wire_finish(&w), 0);
	assert_int_equal(d.connection, 0x40);
	assert_int_equal(d.interval, 1248);
	assert_int_equal(d.response_spacing, 6);
	buf_clear(&b);
	hci_put_sync_established(&b, &e);
	hci_put_sync_lost(&b, 2);
	assert_bytes(&b, "043e14240002000100010203040506"
			 "01e004011a302206"
			 "043e03100200");
}

static void a_report_comes_back_as_it_was_told(void **state)
{
	static const uint8_t data[HCI_PARAMS_MAX] = {9};
	struct hci_pa_report e = {.sync = 2,
				  .tx_power = 127,
				  .rssi = -50,
				  .cte_type = 0xff,
				  .event = 0x0102,
				  .subevent = 5,
				  .len = 1,
				  .data = data},
			     d;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct wire w;

	(void) state;
	assert_int_equal(hci_put_pa_report(&b, &e), 0);
	assert_bytes(&b, "043e0c250200"
			 "7fceff0201050001"
			 "09");
	w = params_of(&b);
	hci_get_pa_report(&w, &d);
	assert_int_equal(wire_finish(&w), 0);
	assert_int_equal(d.rssi, -50);
	assert_int_equal(d.event, 0x0102);
	assert_int_equal(d.len, 1);
	e.len = HCI_PARAMS_MAX - 11;
	buf_clear(&b);
	assert_int_equal(hci_put_pa_report(&b, &e), 0);
	assert_int_equal(b.len, HCI_EVENT_MAX);
	e.len++;
	assert_int_equal(hci_put_pa_report(&b, &e), -ERR_TOO_LARGE);
}

static void cut_events_are_noticed(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct hci_sync d;
	struct hci_pa_report r;
	struct wire w, cut;

	(void) state;
	hci_put_past_received(&b, &(struct hci_sync){.sync = 1});
	w = params_of(&b);
	wire_init(&cut, w.base, w.len - 1);
	wire_skip(&cut, 1);
	hci_get_past_received(&cut, &d);
	assert_true(wire_finish(&cut) < 0);
	buf_clear(&b);
	assert_int_equal(
		hci_put_pa_report(
			&b, &(struct hci_pa_report){.len = 2, .data = (const uint8_t *) "xx"}),
		0);
	w = params_of(&b);
	wire_init(&cut, w.base, w.len - 1);
	wire_skip(&cut, 1);
	hci_get_pa_report(&cut, &r);
	assert_true(wire_finish(&cut) < 0);
	assert_int_equal(r.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_says_what_it_does_with_a_train_handed_over),
		cmocka_unit_test(a_label_listens_in_its_subevent),
		cmocka_unit_test(no_subevent_and_one_that_cannot_be_are_refused),
		cmocka_unit_test(an_answer_names_the_event_it_answers),
		cmocka_unit_test(a_train_handed_over_comes_with_its_timing),
		cmocka_unit_test(a_report_comes_back_as_it_was_told),
		cmocka_unit_test(cut_events_are_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
