/* SPDX-License-Identifier: Apache-2.0 */
/* A guest in step with a train: sync transfer, reports, answers, calls. */
#include "tests/unit/sim_guest_rig.h"

static void timing_handed_over_is_told_when_the_train_was_heard(void **state)
{
	const struct event *v;

	(void) state;
	open_air();
	(void) in_step();
	v = heard_le(&f.label, PAST_V2);
	assert_int_equal(v->len, 24);
	assert_int_equal(v->data[1], HCI_OK);
	assert_memory_equal(v->data + 4, "\x34\x12\x01\x00\x05\x00",
			    6); /* data, handle, set, type */
	assert_int_equal(v->data[17] | v->data[18] << 8, 640);
	assert_memory_equal(v->data + 20, ((uint8_t[]){SUBEVENTS, 48, 16, 16}), 4);
	assert_int_equal(heard_times(&f.label, PAST_V2), 1);
	close_air();
}

static void timing_is_passed_over_unless_wanted(void **state)
{
	uint16_t handle;
	uint8_t params[8] = {0, 0, 1, 0, 0, 200, 0, 0};

	(void) state;
	open_air();
	start_train();
	handle = connected();
	transfer(handle);
	assert_null(heard_le(&f.label, PAST_V2));
	/* For this link, and without reports until they are asked for. */
	params[0] = (uint8_t) handle;
	params[1] = (uint8_t) (handle >> 8);
	assert_int_equal(ask(&f.label, SET_PAST, params, sizeof(params)), HCI_OK);
	transfer(handle);
	assert_non_null(heard_le(&f.label, PAST_V2));
	assert_int_equal(ASK(&f.label, SET_SUBEVENTS, 1, 0, 0, 0, 1, 2), HCI_OK);
	f.has_data = true;
	pass(3 * TRAIN_US);
	assert_int_equal(heard_times(&f.label, REPORT_V2), 0);
	assert_int_equal(ASK(&f.label, SET_RECEIVE_ENABLE, 1, 0, 1), HCI_OK);
	(void) next_report();
	/* It is in step: another transfer is passed over. */
	transfer(handle);
	assert_int_equal(heard_times(&f.label, PAST_V2), 1);
	assert_int_equal(ASK(&f.label, TERMINATE_SYNC, 1, 0), HCI_OK);
	assert_int_equal(ASK(&f.label, TERMINATE_SYNC, 1, 0), HCI_ERR_UNKNOWN_ADVERTISER);
	transfer(handle);
	assert_int_equal(heard_times(&f.label, PAST_V2), 2);
	params[2] = 4;
	assert_int_equal(ask(&f.label, SET_PAST, params, sizeof(params)),
			 HCI_ERR_INVALID_PARAMETERS);
	close_air();
}

/** A train runs, the label wants its timing and is connected, but hears nothing. */
static uint16_t deaf_when_told(void)
{
	uint16_t handle;

	start_train();
	assert_int_equal(ASK(&f.label, SET_DEFAULT_PAST, 2, 0, 0, 200, 0, 0), HCI_OK);
	handle = connected();
	sim_guest_set_loss(f.guest, 1, 0);
	transfer(handle);
	return handle;
}

static void train_whose_first_packets_are_lost_is_found_with_a_later_one(void **state)
{
	(void) state;
	open_air();
	(void) deaf_when_told();
	assert_null(heard_le(&f.label, PAST_V2));
	sim_guest_set_loss(f.guest, 0, 0);
	pass(TRAIN_US);
	assert_int_equal(heard_times(&f.label, PAST_V2), 1);
	assert_int_equal(heard_le(&f.label, PAST_V2)->data[1], HCI_OK);
	assert_int_equal(ASK(&f.label, SET_SUBEVENTS, 1, 0, 0, 0, 1, 2), HCI_OK);
	f.has_data = true;
	(void) next_report();
	/* What it was waited for before is over. */
	pass(6 * TRAIN_US);
	assert_int_equal(heard_times(&f.label, PAST_V2), 1);
	assert_int_equal(heard_times(&f.label, SYNC_LOST), 0);
	close_air();
}

static void train_that_is_not_heard_six_times_is_given_up(void **state)
{
	(void) state;
	open_air();
	(void) deaf_when_told();
	pass(3 * TRAIN_US -
	     100 * US_PER_MS); /* five intervals, nearly, with those of the transfer */
	assert_null(heard_le(&f.label, PAST_V2));
	pass(2 * TRAIN_US);
	assert_int_equal(heard_times(&f.label, PAST_V2), 1);
	assert_int_equal(heard_le(&f.label, PAST_V2)->data[1], HCI_ERR_ESTABLISH);
	assert_int_equal(ASK(&f.label, SET_SUBEVENTS, 1, 0, 0, 0, 1, 2),
			 HCI_ERR_UNKNOWN_ADVERTISER);
	/* The next one it is told of it may hear. */
	sim_guest_set_loss(f.guest, 0, 0);
	forget(&f.ap);
	forget(&f.label);
	transfer(connected());
	assert_int_equal(heard_le(&f.label, PAST_V2)->data[1], HCI_OK);
	close_air();
}

static void train_begun_anew_is_not_the_one_that_was_handed_over(void **state)
{
	struct hci_adv_enable off = {.enable = false}, on = {.enable = true};
	struct buf b = BUF_INIT;

	(void) state;
	open_air();
	(void) deaf_when_told();
	hci_put_pa_enable(&b, &off);
	assert_int_equal(command(&f.ap, &b), HCI_OK);
	hci_put_pa_enable(&b, &on);
	assert_int_equal(command(&f.ap, &b), HCI_OK);
	sim_guest_set_loss(f.guest, 0, 0);
	pass(6 * TRAIN_US);
	assert_int_equal(heard_times(&f.label, PAST_V2), 1);
	assert_int_equal(heard_le(&f.label, PAST_V2)->data[1], HCI_ERR_ESTABLISH);
	close_air();
}

static void older_masks_get_the_older_events(void **state)
{
	(void) state;
	open_air();
	set_masks(&f.label, UINT64_C(0x80ffff));
	start_train();
	assert_int_equal(ASK(&f.label, SET_DEFAULT_PAST, 2, 0, 0, 200, 0, 0), HCI_OK);
	transfer(connected());
	assert_non_null(heard_le(&f.label, PAST_V1));
	assert_int_equal(heard_le(&f.label, PAST_V1)->len, 20);
	assert_int_equal(ASK(&f.label, SET_SUBEVENTS, 1, 0, 0, 0, 1, 2), HCI_OK);
	f.has_data = true;
	memcpy(f.data, "\x02\x34\x00", 3);
	f.data_len = 3;
	pass(3 * TRAIN_US);
	assert_non_null(heard_le(&f.label, REPORT_V1));
	assert_int_equal(heard_le(&f.label, REPORT_V1)->len, 1 + 7 + 3);
	close_air();
}

static void reports_carry_the_bytes_of_the_chosen_subevents(void **state)
{
	const struct event *v;
	uint16_t first;

	(void) state;
	open_air();
	(void) in_step();
	for (size_t i = 0; i < sizeof(f.data); i++)
		f.data[i] = (uint8_t) i;
	f.data_len = 100;
	f.has_data = true;
	v = next_report();
	assert_int_equal(v->data[1], 1);
	first = (uint16_t) (v->data[6] | v->data[7] << 8);
	assert_int_equal(v->data[8], 2);
	assert_int_equal(v->data[9], 0); /* complete */
	assert_int_equal(v->data[10], 100);
	assert_memory_equal(v->data + 11, f.data, 100);
	v = next_report();
	assert_int_equal((uint16_t) (v->data[6] | v->data[7] << 8), (uint16_t) (first + 1));
	/* Another subevent, and nothing comes any more. */
	assert_int_equal(ASK(&f.label, SET_SUBEVENTS, 1, 0, 0, 0, 2, 3, 4), HCI_OK);
	forget(&f.label);
	pass(3 * TRAIN_US);
	assert_int_equal(heard_times(&f.label, REPORT_V2), 0);
	assert_int_equal(ASK(&f.label, SET_SUBEVENTS, 1, 0, 0, 0, 1, SUBEVENTS),
			 HCI_ERR_INVALID_PARAMETERS);
	assert_int_equal(ASK(&f.label, SET_SUBEVENTS, 1, 0, 0, 0, 0), HCI_ERR_INVALID_PARAMETERS);
	assert_int_equal(ASK(&f.label, SET_SUBEVENTS, 2, 0, 0, 0, 1, 2),
			 HCI_ERR_UNKNOWN_ADVERTISER);
	close_air();
}

/** Both reports of the longest packet, in the form that this mask lets through; the first holds so
 * many bytes of it, and `head` come before them. */
static void assert_in_two_parts(uint64_t mask, uint8_t form, size_t head, uint8_t first)
{
	const uint8_t rest = (uint8_t) (sizeof(f.data) - first);
	const struct event *v;

	open_air();
	(void) in_step();
	set_masks(&f.label, mask);
	for (size_t i = 0; i < sizeof(f.data); i++)
		f.data[i] = (uint8_t) i;
	f.data_len = sizeof(f.data);
	f.has_data = true;
	forget(&f.label);
	for (int i = 0; i < 2000 && heard_times(&f.label, form) < 2; i++)
		pass(US_PER_MS);
	assert_int_equal(f.label.n, 2);
	v = &f.label.events[0];
	assert_memory_equal(v->data + head - 2, ((uint8_t[]){1, first}), 2); /* more to come */
	assert_memory_equal(v->data + head, f.data, first);
	v = &f.label.events[1];
	assert_memory_equal(v->data + head - 2, ((uint8_t[]){0, rest}), 2);
	assert_memory_equal(v->data + head, f.data + first, rest);
	close_air();
}

static void packet_that_no_event_holds_comes_in_two_reports(void **state)
{
	(void) state;
	assert_in_two_parts(UINT64_C(0x1ffffffffff), REPORT_V2, 11, 244);
	assert_in_two_parts(UINT64_C(0x80ffff), REPORT_V1, 8, 247);
}

/** Answers in `slot` to the report; yields the status. */
static uint8_t respond(struct end *e, const struct event *report, uint8_t slot, uint8_t mark)
{
	return ASK(e, SET_RESPONSE, 1, 0, report->data[6], report->data[7], 2, 2, slot, 3, 2, 0x34,
		   mark);
}

static const struct event *ap_report(void)
{
	pass(SUB_US);
	return heard_le(&f.ap, HCI_LE_PA_RESPONSE_REPORT);
}

static void answer_comes_in_its_slot(void **state)
{
	const struct event *v;

	(void) state;
	open_air();
	(void) in_step();
	f.has_data = true;
	f.data_len = 3;
	forget(&f.ap);
	assert_int_equal(respond(&f.label, next_report(), 1, 0x99), HCI_OK);
	v = ap_report();
	assert_non_null(v);
	assert_int_equal(v->data[2], 2);
	assert_int_equal(v->data[4], 4);         /* slots 0 to 3, */
	assert_int_equal(v->data[5 + 4], 0xff);  /* of which 0 was empty, */
	assert_int_equal(v->data[5 + 6 + 3], 1); /* and 1 held */
	assert_int_equal(v->data[5 + 6 + 4], 0x00);
	assert_memory_equal(v->data + 5 + 6 + 5, "\x03\x02\x34\x99", 4);
	close_air();
}

static void answer_to_what_is_over_is_too_late(void **state)
{
	const struct event *report;
	struct event old;

	(void) state;
	open_air();
	(void) in_step();
	f.has_data = true;
	report = next_report();
	old = *report;
	/* Slot 0 begins 20 ms after the packet, slot 3 6 ms later. */
	pass(23 * US_PER_MS);
	assert_int_equal(respond(&f.label, &old, 0, 1), HCI_ERR_TOO_LATE);
	assert_int_equal(respond(&f.label, &old, 4, 1), HCI_ERR_INVALID_PARAMETERS);
	(void) next_report();
	assert_int_equal(respond(&f.label, &old, 3, 1), HCI_ERR_TOO_LATE);
	assert_int_equal(ASK(&f.label, SET_RESPONSE, 1, 0, old.data[6], old.data[7], 2, 3, 0, 0),
			 HCI_ERR_UNSUPPORTED);
	assert_int_equal(ASK(&f.label, SET_RESPONSE, 9, 0, 0, 0, 2, 2, 0, 0),
			 HCI_ERR_UNKNOWN_ADVERTISER);
	assert_int_equal(ASK(&f.label, SET_RESPONSE, 1, 0, 0, 0, 2, 2, 0, 200, 1),
			 HCI_ERR_INVALID_PARAMETERS);
	close_air();
}

static void two_answers_in_one_slot_destroy_each_other(void **state)
{
	struct sim_radio_stats stats;
	const struct event *v;
	struct event report;

	(void) state;
	open_air();
	(void) in_step();
	assert_int_equal(sim_guest_new(f.radio, &f.second), 0);
	attach(&f.other, f.second);
	set_masks(&f.other, UINT64_C(0x1ffffffffff));
	assert_int_equal(ASK(&f.other, SET_DEFAULT_PAST, 2, 0, 0, 200, 0, 0), HCI_OK);
	advertise(&f.other);
	connect_to(f.second, 0xff);
	v = heard_le(&f.ap, HCI_LE_ENHANCED_CONNECTION_COMPLETE);
	transfer((uint16_t) (v->data[2] | v->data[3] << 8));
	assert_int_equal(ASK(&f.other, SET_SUBEVENTS, 1, 0, 0, 0, 1, 2), HCI_OK);
	f.has_data = true;
	forget(&f.ap);
	forget(&f.label);
	report = *next_report();
	assert_int_equal(respond(&f.label, &report, 2, 1), HCI_OK);
	assert_int_equal(respond(&f.other, &report, 2, 2), HCI_OK);
	v = ap_report();
	assert_int_equal(v->data[5 + 2 * 6 + 4], 0xff);
	sim_radio_get_stats(f.radio, &stats);
	assert_int_equal(stats.collisions, 1);
	close_air();
}

static void lost_packet_is_reported_as_lost(void **state)
{
	(void) state;
	open_air();
	(void) in_step();
	f.has_data = true;
	f.data_len = 20;
	sim_guest_set_loss(f.guest, 1, 0);
	assert_memory_equal(next_report()->data + 8, "\x02\xff\x00", 3);
	/* And the train is lost with time: two seconds were agreed. */
	pass(3 * US_PER_SEC);
	assert_int_equal(heard_times(&f.label, SYNC_LOST), 1);
	forget(&f.label);
	sim_guest_set_loss(f.guest, -1, -1);
	pass(3 * TRAIN_US);
	assert_int_equal(heard_times(&f.label, REPORT_V2), 0);
	close_air();
}

static void train_that_stops_is_lost(void **state)
{
	struct event report;
	struct buf b = BUF_INIT;

	(void) state;
	open_air();
	(void) in_step();
	/* A train without a word of the host still keeps the beat. */
	pass(10 * US_PER_SEC);
	assert_int_equal(heard_times(&f.label, SYNC_LOST), 0);
	f.has_data = true;
	report = *next_report();
	hci_put_pa_enable(&b, &(struct hci_adv_enable){.enable = false});
	assert_int_equal(command(&f.ap, &b), HCI_OK);
	/* Its slot would still be to come. */
	assert_int_equal(respond(&f.label, &report, 3, 1), HCI_ERR_TOO_LATE);
	pass(1100 * US_PER_MS);
	assert_int_equal(heard_times(&f.label, SYNC_LOST), 0);
	pass(US_PER_SEC);
	assert_int_equal(heard_times(&f.label, SYNC_LOST), 1);
	close_air();
}

static void call_through_its_subevent_connects_it(void **state)
{
	const struct event *v;
	struct buf b = BUF_INIT;
	uint16_t handle;

	(void) state;
	open_air();
	handle = in_step();
	hci_put_disconnect(&b, &(struct hci_disconnect){.handle = handle, .reason = 0x13});
	assert_int_equal(command(&f.ap, &b), HCI_OK);
	pass(200 * US_PER_MS);
	forget(&f.ap);
	forget(&f.label);
	connect_to(f.guest, 3); /* where it does not listen */
	assert_int_equal(heard_le(&f.ap, HCI_LE_ENHANCED_CONNECTION_COMPLETE)->data[1],
			 HCI_ERR_ESTABLISH);
	connect_to(f.guest, 2);
	assert_int_equal(heard_le(&f.ap, HCI_LE_ENHANCED_CONNECTION_COMPLETE)->data[1], HCI_OK);
	v = heard_le(&f.label, HCI_LE_ENHANCED_CONNECTION_COMPLETE_V2);
	assert_non_null(v);
	assert_int_equal(v->data[4], 1);
	assert_int_equal(v->data[31], 0xff);
	assert_int_equal(v->data[32] | v->data[33] << 8, 1); /* the train's sync */
	assert_null(heard_le(&f.label, SET_ENDED));
	/* Its link does not keep it from hearing the train. */
	f.has_data = true;
	(void) next_report();
	close_air();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timing_handed_over_is_told_when_the_train_was_heard),
		cmocka_unit_test(timing_is_passed_over_unless_wanted),
		cmocka_unit_test(train_whose_first_packets_are_lost_is_found_with_a_later_one),
		cmocka_unit_test(train_that_is_not_heard_six_times_is_given_up),
		cmocka_unit_test(train_begun_anew_is_not_the_one_that_was_handed_over),
		cmocka_unit_test(older_masks_get_the_older_events),
		cmocka_unit_test(packet_that_no_event_holds_comes_in_two_reports),
		cmocka_unit_test(reports_carry_the_bytes_of_the_chosen_subevents),
		cmocka_unit_test(answer_comes_in_its_slot),
		cmocka_unit_test(answer_to_what_is_over_is_too_late),
		cmocka_unit_test(two_answers_in_one_slot_destroy_each_other),
		cmocka_unit_test(lost_packet_is_reported_as_lost),
		cmocka_unit_test(train_that_stops_is_lost),
		cmocka_unit_test(call_through_its_subevent_connects_it),
	};

	return cmocka_run_group_tests_name("sim_guest_train", tests, NULL, NULL);
}
