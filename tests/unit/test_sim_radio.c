/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual controller and its train in virtual time: what is asked for and when, packets to the
 * labels and answers from them, and a host that does things wrong.
 */
#include "tests/unit/sim_radio_rig.h"

#include <sys/socket.h>
#include <unistd.h>

static void every_subevent_is_asked_for_once_a_round_and_ahead_of_time(void **state)
{
	static struct fixture f;
	unsigned int before;
	int64_t at_us;

	(void) state;
	air_begin(&f, 1);
	pass(&f, INTERVAL_US);
	before = f.requested_subevents;
	pass(&f, 10 * INTERVAL_US);
	assert_in_range(f.requested_subevents - before, 10 * SUBEVENTS - 4, 10 * SUBEVENTS + 4);
	at_us = sim_radio_next_occurrence_us(f.radio, GROUP);
	pass(&f, at_us - f.now_us);
	assert_true(at_us - f.request_us[GROUP] >= 2 * SUB_US - US_PER_MS);
	assert_true(at_us - f.request_us[GROUP] <= 6 * SUB_US);
	assert_true(sim_radio_next_occurrence_us(f.radio, GROUP) == at_us + INTERVAL_US ||
		    sim_radio_next_occurrence_us(f.radio, GROUP) == at_us);
	air_end(&f);
}

static void data_is_sent_once_and_answered_in_its_slot_and_window(void **state)
{
	static struct fixture f;
	const uint8_t ids[] = {40, 1, 2};
	uint8_t plain[EAD_PLAIN_MAX];
	struct ead_key key;
	int64_t at_us;

	(void) state;
	air_begin(&f, 2);
	commission(&f, 1);
	ping(&f, ids, sizeof ids);
	while (f.reports == 0)
		pass(&f, US_PER_MS);
	f.data_len = 0;
	at_us = sim_radio_next_occurrence_us(f.radio, GROUP) - INTERVAL_US;
	/* Label 1 answers in slot 1; nobody is 40, and label 2 does not belong here yet. */
	assert_int_equal(f.heard, 1);
	assert_int_equal(f.unheard, 2);
	assert_int_equal(f.answer_slot, 1);
	/* The window closes 42.5 ms + 23 x 0.75 ms after the packet. */
	assert_in_range(f.report_us - at_us, 59 * US_PER_MS, 62 * US_PER_MS);
	ead_key_from_wire(f.response_key, &key);
	assert_int_equal(ead_open(&key, f.answer, f.answer_len, plain, sizeof plain), 5);
	assert_int_equal(plain[2], ESL_RSP_BASIC_STATE);
	assert_true(plain[3] & ESL_STATE_SYNCHRONIZED);
	pass(&f, 3 * INTERVAL_US);
	assert_int_equal(f.reports, 1);
	air_end(&f);
}

static void late_data_is_refused_and_not_sent(void **state)
{
	static struct fixture f;
	const uint8_t id = 1;
	struct sim_radio_stats st;

	(void) state;
	air_begin(&f, 1);
	commission(&f, 1);
	ping(&f, &id, 1);
	f.delay_us = 8 * SUB_US;
	f.status = HCI_OK;
	pass(&f, 2 * INTERVAL_US);
	assert_int_equal(f.status, HCI_ERR_TOO_LATE);
	assert_int_equal(f.reports, 0);
	sim_radio_get_stats(f.radio, &st);
	assert_true(st.late >= 1);
	f.delay_us = SUB_US;
	pass(&f, 2 * INTERVAL_US);
	assert_true(f.reports >= 1);
	air_end(&f);
}

static void unasked_data_is_too_early_and_a_wrong_subevent_invalid(void **state)
{
	static struct fixture f;
	struct hci_subevent_data d = {.subevent = 10, .slot_count = 1};
	struct buf b = BUF_INIT;

	(void) state;
	air_begin(&f, 1);
	pass(&f, sim_radio_next_occurrence_us(f.radio, 0) + 10 * US_PER_MS - f.now_us);
	assert_int_equal(hci_put_subevent_data(&b, 0, &d, 1), 0);
	assert_int_equal(command(&f, &b), HCI_ERR_TOO_EARLY);
	d.subevent = SUBEVENTS;
	assert_int_equal(hci_put_subevent_data(&b, 0, &d, 1), 0);
	assert_int_equal(command(&f, &b), HCI_ERR_INVALID_PARAMETERS);
	d.subevent = 2;
	d.slot_start = 20;
	d.slot_count = 4;
	assert_int_equal(hci_put_subevent_data(&b, 0, &d, 1), 0);
	assert_int_equal(command(&f, &b), HCI_ERR_INVALID_PARAMETERS);
	air_end(&f);
}

static void commands_out_of_order_get_their_status(void **state)
{
	static struct fixture f;
	struct hci_pa_params pa = {.interval_min = 1248,
				   .interval_max = 1248,
				   .subevents = 26,
				   .subevent_interval = 48,
				   .response_delay = 34,
				   .response_spacing = 7,
				   .response_slots = 23};
	struct hci_ext_adv_params adv = {.interval_min = 0xa0, .interval_max = 0xa0};
	struct hci_adv_enable on = {.enable = true};
	struct buf b = BUF_INIT;

	(void) state;
	air_begin_with(&f, 0, 1);
	hci_put_pa_params(&b, &pa);
	assert_int_equal(command(&f, &b), HCI_ERR_UNKNOWN_ADVERTISER);
	hci_put_ext_adv_params(&b, &adv);
	assert_int_equal(command(&f, &b), HCI_OK);
	hci_put_pa_enable(&b, &on);
	assert_int_equal(command(&f, &b), HCI_ERR_COMMAND_DISALLOWED);
	/* 23 slots of 0.875 ms do not fit behind a delay of 42.5 ms in 60 ms. */
	hci_put_pa_params(&b, &pa);
	assert_int_equal(command(&f, &b), HCI_ERR_INVALID_PARAMETERS);
	hci_put_command(&b, 0x20ff, NULL, 0);
	assert_int_equal(command(&f, &b), HCI_ERR_UNKNOWN_COMMAND);
	hci_put_command(&b, HCI_SET_EVENT_MASK, "abc", 3);
	assert_int_equal(command(&f, &b), HCI_ERR_INVALID_PARAMETERS);
	air_end(&f);
}

static void garbage_costs_the_host_its_connection_only(void **state)
{
	static struct fixture f;
	int fds[2];
	struct sim_radio_stats st;

	(void) state;
	air_begin(&f, 1);
	assert_int_equal(write(f.host, "\x77garbage", 8), 8);
	pass(&f, 5 * US_PER_MS);
	assert_int_equal(f.hardware_errors, 1);
	assert_true(f.host_closed);
	close(f.host);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	assert_int_equal(sim_radio_attach(f.radio, fds[0]), 0);
	f.host = fds[1];
	sim_radio_get_stats(f.radio, &st);
	assert_true(st.train_running);
	host_start_train(&f);
	pass(&f, INTERVAL_US);
	assert_true(f.requests > 0);
	air_end(&f);
}

static void a_power_cycle_cuts_the_host_off_and_stops_the_train(void **state)
{
	static struct fixture f;
	struct sim_radio_stats st;
	int fds[2];

	(void) state;
	air_begin(&f, 1);
	commission(&f, 1);
	sim_radio_power_cycle(f.radio);
	pass(&f, US_PER_MS);
	assert_true(f.host_closed);
	sim_radio_get_stats(f.radio, &st);
	assert_false(st.train_running);
	close(f.host);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	assert_int_equal(sim_radio_attach(f.radio, fds[0]), 0);
	f.host = fds[1];
	host_start_train(&f);
	/* A new train is not the one the label followed. */
	pass(&f, 7 * INTERVAL_US);
	assert_int_equal(sim_label_state(sim_radio_label(f.radio, 0)), ESL_UNSYNCHRONIZED);
	air_end(&f);
}

static void loss_is_drawn_each_way(void **state)
{
	static struct fixture f;
	const uint8_t id = 1;
	struct sim_radio_stats st;

	(void) state;
	air_begin_with(&f, 0, 1);
	host_start_train(&f);
	commission(&f, 1);
	sim_radio_set_loss(f.radio, 0.25);
	ping(&f, &id, 1);
	pass(&f, 400 * INTERVAL_US);
	sim_radio_get_stats(f.radio, &st);
	assert_in_range(st.packets, 395, 401);
	assert_in_range(st.packets_lost, 70, 130);
	assert_in_range(st.responses_lost, 45, 105);
	assert_int_equal(f.heard, st.packets - st.packets_lost - st.responses_lost);
	air_end(&f);
}

static void labels_lose_a_train_that_stops_and_are_unsynchronized(void **state)
{
	static struct fixture f;
	struct buf b = BUF_INIT;

	(void) state;
	air_begin(&f, 1);
	commission(&f, 1);
	hci_put_command(&b, HCI_RESET, NULL, 0);
	assert_int_equal(command(&f, &b), HCI_OK);
	pass(&f, 5 * INTERVAL_US);
	assert_int_equal(sim_label_state(sim_radio_label(f.radio, 0)), ESL_SYNCHRONIZED);
	pass(&f, 2 * INTERVAL_US);
	assert_int_equal(sim_label_state(sim_radio_label(f.radio, 0)), ESL_UNSYNCHRONIZED);
	air_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_subevent_is_asked_for_once_a_round_and_ahead_of_time),
		cmocka_unit_test(data_is_sent_once_and_answered_in_its_slot_and_window),
		cmocka_unit_test(late_data_is_refused_and_not_sent),
		cmocka_unit_test(unasked_data_is_too_early_and_a_wrong_subevent_invalid),
		cmocka_unit_test(commands_out_of_order_get_their_status),
		cmocka_unit_test(garbage_costs_the_host_its_connection_only),
		cmocka_unit_test(a_power_cycle_cuts_the_host_off_and_stops_the_train),
		cmocka_unit_test(loss_is_drawn_each_way),
		cmocka_unit_test(labels_lose_a_train_that_stops_and_are_unsynchronized),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
