/* SPDX-License-Identifier: Apache-2.0 */
/* Links from the virtual controller to labels in virtual time: called, answered, given up, reset.
 */
#include "tests/unit/sim_radio_rig.h"

#include "esl-radio/le/att_wire.h"
#include "sim/radio_impl.h"

static void connecting_waits_for_the_subevent_and_makes_the_label_deaf(void **state)
{
	static struct fixture f;
	const uint8_t id = 1;
	struct buf b = BUF_INIT;
	int64_t at_us;

	(void) state;
	air_begin(&f, 1);
	commission(&f, 1);
	at_us = sim_radio_next_occurrence_us(f.radio, GROUP);
	assert_int_equal(connect_to(&f, 1, GROUP), HCI_OK);
	pass(&f, 2 * INTERVAL_US);
	assert_int_equal(f.connections, 1);
	assert_in_range(f.connected_us - at_us, 15 * US_PER_MS, 20 * US_PER_MS);
	ping(&f, &id, 1);
	pass(&f, 2 * INTERVAL_US);
	assert_int_equal(f.heard, 0);
	assert_true(f.unheard > 0);
	hci_put_disconnect(&b, &(struct hci_disconnect){.handle = f.handle, .reason = 0x13});
	assert_int_equal(command(&f, &b), HCI_OK);
	pass(&f, 2 * INTERVAL_US);
	assert_int_equal(f.disconnections, 1);
	assert_int_equal(f.reason, HCI_ERR_LOCAL_ENDED);
	assert_true(f.heard > 0);
	air_end(&f);
}

static void a_call_into_the_wrong_subevent_is_not_answered(void **state)
{
	static struct fixture f;

	(void) state;
	air_begin(&f, 1);
	commission(&f, 1);
	assert_int_equal(connect_to(&f, 1, GROUP + 1), HCI_OK);
	assert_int_equal(connect_to(&f, 1, GROUP), HCI_ERR_COMMAND_DISALLOWED);
	pass(&f, 2 * INTERVAL_US);
	assert_int_equal(f.connections, 0);
	assert_int_equal(f.failures, 1);
	air_end(&f);
}

static void a_label_that_is_not_there_is_called_until_the_host_gives_up(void **state)
{
	static struct fixture f;
	struct buf b = BUF_INIT;

	(void) state;
	air_begin(&f, 1);
	assert_int_equal(connect_to(&f, 77, 0xff), HCI_OK);
	pass(&f, 30 * US_PER_SEC);
	assert_int_equal(f.connections + f.failures, 0);
	hci_put_command(&b, HCI_LE_CREATE_CONNECTION_CANCEL, NULL, 0);
	assert_int_equal(command(&f, &b), HCI_OK);
	pass(&f, 10 * US_PER_MS);
	assert_int_equal(f.failures, 1);
	assert_int_equal(f.failure, HCI_ERR_UNKNOWN_CONNECTION);
	hci_put_command(&b, HCI_LE_CREATE_CONNECTION_CANCEL, NULL, 0);
	assert_int_equal(command(&f, &b), HCI_ERR_COMMAND_DISALLOWED);
	air_end(&f);
}

static uint8_t accept_label(struct fixture *f, bool add, uint8_t number)
{
	struct hci_accept who = {.peer_type = 1, .peer = {number, 0, 0, 0xee, 0xff, 0xc0}};
	struct buf b = BUF_INIT;

	hci_put_accept(&b, add, &who);
	return command(f, &b);
}

static uint8_t connect_to_whoever(struct fixture *f, uint8_t subevent)
{
	struct hci_create_connection c = {.listed = true,
					  .adv_handle = subevent == 0xff ? 0xff : 0,
					  .subevent = subevent,
					  .scan_interval = 160,
					  .scan_window = 80,
					  .interval_min = 12,
					  .interval_max = 12,
					  .timeout = 200};
	struct buf b = BUF_INIT;

	hci_put_create_connection(&b, &c);
	return command(f, &b);
}

static uint8_t plain(struct fixture *f, uint16_t opcode)
{
	struct buf b = BUF_INIT;

	hci_put_command(&b, opcode, NULL, 0);
	return command(f, &b);
}

static void whoever_of_the_accept_list_advertises_is_connected(void **state)
{
	static struct fixture f;

	(void) state;
	air_begin(&f, 4);
	assert_int_equal(accept_label(&f, true, 2), HCI_OK);
	assert_int_equal(accept_label(&f, true, 3), HCI_OK);
	assert_int_equal(accept_label(&f, true, 3), HCI_OK); /* is on it already */
	for (unsigned int i = 1; i <= 2; i++) {
		assert_int_equal(connect_to_whoever(&f, 0xff), HCI_OK);
		pass(&f, 20 * US_PER_SEC);
		assert_int_equal(f.connections, i);
		assert_in_range(f.peer[0], 2, 3);
		assert_int_equal(accept_label(&f, false, f.peer[0]), HCI_OK);
	}
	assert_int_equal(connect_to_whoever(&f, 0xff), HCI_OK); /* its list is empty */
	pass(&f, 20 * US_PER_SEC);
	assert_int_equal(f.connections, 2);
	assert_int_equal(f.failures, 0);
	air_end(&f);
}

static void the_accept_list_cannot_be_changed_while_it_is_used(void **state)
{
	static struct fixture f;

	(void) state;
	air_begin(&f, 1);
	assert_int_equal(accept_label(&f, true, 77), HCI_OK);
	assert_int_equal(connect_to_whoever(&f, GROUP), HCI_ERR_INVALID_PARAMETERS);
	assert_int_equal(connect_to_whoever(&f, 0xff), HCI_OK);
	assert_int_equal(accept_label(&f, true, 1), HCI_ERR_COMMAND_DISALLOWED);
	assert_int_equal(accept_label(&f, false, 77), HCI_ERR_COMMAND_DISALLOWED);
	assert_int_equal(plain(&f, HCI_LE_CLEAR_ACCEPT_LIST), HCI_ERR_COMMAND_DISALLOWED);
	pass(&f, 5 * US_PER_SEC);
	assert_int_equal(f.connections + f.failures, 0); /* label 1 is not on it */
	assert_int_equal(plain(&f, HCI_LE_CREATE_CONNECTION_CANCEL), HCI_OK);
	pass(&f, 10 * US_PER_MS);
	assert_int_equal(f.failures, 1);
	assert_int_equal(f.failure, HCI_ERR_UNKNOWN_CONNECTION);
	assert_int_equal(accept_label(&f, true, 1), HCI_OK);
	assert_int_equal(connect_to_whoever(&f, 0xff), HCI_OK);
	pass(&f, 20 * US_PER_SEC);
	assert_int_equal(f.connections, 1);
	air_end(&f);
}

static void the_accept_list_ends_somewhere_and_with_a_reset(void **state)
{
	static struct fixture f;
	uint8_t n = 0;

	(void) state;
	air_begin(&f, 1);
	while (n < 200 && accept_label(&f, true, n + 1) == HCI_OK)
		n++;
	assert_int_equal(f.status, HCI_ERR_MEMORY);
	assert_in_range(n, 8, 32);
	assert_int_equal(plain(&f, HCI_LE_CLEAR_ACCEPT_LIST), HCI_OK);
	assert_int_equal(accept_label(&f, true, 1), HCI_OK);
	assert_int_equal(plain(&f, HCI_RESET), HCI_OK);
	for (uint8_t i = 0; i < n; i++)
		assert_int_equal(accept_label(&f, true, i + 100), HCI_OK);
	assert_int_equal(accept_label(&f, true, 1), HCI_ERR_MEMORY);
	air_end(&f);
}

static void there_are_eight_links_and_no_more(void **state)
{
	static struct fixture f;

	(void) state;
	air_begin(&f, 10);
	for (uint8_t i = 1; i <= 8; i++) {
		assert_int_equal(connect_to(&f, i, 0xff), HCI_OK);
		pass(&f, 3 * US_PER_SEC);
		assert_int_equal(f.connections, i);
	}
	assert_int_equal(connect_to(&f, 9, 0xff), HCI_ERR_CONNECTION_LIMIT);
	air_end(&f);
}

static void only_labels_without_a_train_advertise_about_once_a_second(void **state)
{
	static struct fixture f;
	struct buf b = BUF_INIT;

	(void) state;
	air_begin(&f, 3);
	commission(&f, 1);
	hci_put_ext_scan_enable(&b, &(struct hci_scan_enable){.enable = true});
	assert_int_equal(command(&f, &b), HCI_OK);
	f.adverts = 0;
	pass(&f, 20 * US_PER_SEC);
	assert_in_range(f.adverts, 34, 44);
	hci_put_ext_scan_enable(&b, &(struct hci_scan_enable){.enable = false});
	assert_int_equal(command(&f, &b), HCI_OK);
	f.adverts = 0;
	pass(&f, 5 * US_PER_SEC);
	assert_int_equal(f.adverts, 0);
	air_end(&f);
}

static void the_label_answers_data_and_buffers_come_back(void **state)
{
	static struct fixture f;
	struct buf b = BUF_INIT;
	struct att_pdu p;

	(void) state;
	air_begin(&f, 1);
	assert_int_equal(connect_to(&f, 1, 0xff), HCI_OK);
	pass(&f, 3 * US_PER_SEC);
	say(&f, ATT_CID, "\x02\xf7\x00", 3);
	pass(&f, 50 * US_PER_MS);
	assert_int_equal(f.credits, 1);
	assert_int_equal(att_decode(f.frame + 4, f.frame_len - 4, &p), 0);
	assert_int_equal(p.op, ATT_MTU_RSP);
	assert_int_equal(p.mtu, 247);
	/* A key it was never given is not its key, and without one its service stays shut. */
	hci_put_enable_encryption(&b, &(struct hci_enable_encryption){.handle = f.handle});
	assert_int_equal(command(&f, &b), HCI_OK);
	pass(&f, 200 * US_PER_MS);
	assert_int_equal(f.refused, 1);
	say(&f, ATT_CID, "\x0a\x19\x00", 3);
	pass(&f, 50 * US_PER_MS);
	assert_int_equal(att_decode(f.frame + 4, f.frame_len - 4, &p), 0);
	assert_int_equal(p.op, ATT_ERROR_RSP);
	assert_int_equal(p.error, ATT_ERR_ENCRYPTION);
	assert_int_equal(f.encrypted, 0);
	air_end(&f);
}

static void what_no_link_can_be_is_refused(void **state)
{
	static const struct hci_create_connection odd[] = {
		{.interval_min = 12, .interval_max = 12, .timeout = 9},
		{.interval_min = 12, .interval_max = 12, .timeout = 3201},
		{.interval_min = 12, .interval_max = 12, .timeout = 300, .latency = 500},
		{.interval_min = 12,
		 .interval_max = 12,
		 .timeout = 30,
		 .latency = 9}, /* one event */
		{.interval_min = 13, .interval_max = 12, .timeout = 300},
		{.interval_min = 5, .interval_max = 12, .timeout = 300},
	};
	static struct fixture f;
	struct hci_create_connection c;
	struct buf b = BUF_INIT;

	(void) state;
	air_begin(&f, 1);
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		c = odd[i];
		c.adv_handle = c.subevent = 0xff;
		hci_put_create_connection(&b, &c);
		assert_int_equal(command(&f, &b), HCI_ERR_INVALID_PARAMETERS);
	}
	assert_int_equal(connect_to(&f, 1, 0xff), HCI_OK);
	pass(&f, 3 * US_PER_SEC);
	assert_int_equal(f.connections, 1);
	hci_put_disconnect(&b, &(struct hci_disconnect){.handle = f.handle, .reason = 0x08});
	assert_int_equal(command(&f, &b), HCI_ERR_INVALID_PARAMETERS);
	air_end(&f);
}

static void nobody_is_called_through_a_train_or_told_of_one_that_does_not_run(void **state)
{
	static struct fixture f;
	struct buf b = BUF_INIT;

	(void) state;
	air_begin(&f, 2);
	assert_int_equal(connect_to(&f, 1, 0xff), HCI_OK);
	pass(&f, 3 * US_PER_SEC);
	hci_put_set_info_transfer(&b, &(struct hci_set_info_transfer){.handle = f.handle});
	assert_int_equal(command(&f, &b), HCI_OK);
	hci_put_pa_enable(&b, &(struct hci_adv_enable){.enable = false});
	assert_int_equal(command(&f, &b), HCI_OK);
	hci_put_set_info_transfer(&b, &(struct hci_set_info_transfer){.handle = f.handle});
	assert_int_equal(command(&f, &b), HCI_ERR_COMMAND_DISALLOWED);
	assert_int_equal(connect_to(&f, 2, GROUP), HCI_ERR_COMMAND_DISALLOWED);
	air_end(&f);
}

static void both_pass(struct fixture *a, struct fixture *b, int64_t us)
{
	for (; us > 0; us -= US_PER_MS) {
		pass(a, US_PER_MS);
		pass(b, US_PER_MS);
	}
}

/** On these two channels, which no train and no link can avoid. */
static void hop_over_two(struct fixture *f)
{
	struct buf b = BUF_INIT;

	hci_put_channel_map(&b, 3);
	assert_int_equal(command(f, &b), HCI_OK);
}

static void what_links_carry_is_drowned_by_a_train_within_earshot(void **state)
{
	static struct fixture f, loud;
	uint8_t ids[23];
	struct sim_radio_stats st;
	unsigned int said = 1000;

	(void) state;
	for (uint8_t i = 0; i < sizeof(ids); i++)
		ids[i] = i;
	air_begin(&f, 1);
	air_begin_beside(&loud, &f, 0);
	assert_int_equal(sim_radio_hear(f.radio, loud.radio), 0);
	hop_over_two(&f);
	hop_over_two(&loud);
	ping(&loud, ids, sizeof(ids)); /* and it listens for answers in as many slots */
	assert_int_equal(connect_to(&f, 1, 0xff), HCI_OK);
	both_pass(&f, &loud, 3 * US_PER_SEC);
	assert_int_equal(f.connections, 1);
	for (unsigned int i = 0; i < said; i++) {
		say(&f, ATT_CID, "\x02\xf7\x00", 3);
		both_pass(&f, &loud, 15 * US_PER_MS);
	}
	both_pass(&f, &loud, US_PER_SEC);
	/* Its own train has nothing to say that could be. */
	sim_radio_get_stats(f.radio, &st);
	assert_int_equal(st.packets, 0);
	assert_true(st.drowned > 0);
	assert_int_equal(f.credits, said); /* they came all the same, some later */
	air_end_beside(&loud);
	air_end(&f);
}

/** When a label that is told of the train now hears it on a channel where no Wi-Fi is. */
static int64_t heard_in_the_clear_us(const struct fixture *f, int wifi_mhz)
{
	const struct sim_radio *r = f->radio;
	uint64_t first = (r->train.next + SUBEVENTS - 1) / SUBEVENTS * SUBEVENTS;
	int64_t at_us = sim_radio_next_occurrence_us(r, 0);

	for (unsigned int n = 0; n < SYNC_EVENTS; n++) {
		int off = radio_channel_mhz(radio_channels_select(
				  &r->channels, (uint16_t) (first + n * SUBEVENTS))) -
			  wifi_mhz;

		if (abs(off) >= 12)
			return at_us + n * INTERVAL_US;
	}
	return INT64_MAX;
}

static void label_that_is_told_of_the_train_listens_on_its_channels(void **state)
{
	static struct fixture f;
	const struct radio_wifi wifi = {.mhz = 2437, .width_mhz = 20, .loss = 1};
	unsigned int later = 0;

	(void) state;
	air_begin(&f, 1);
	assert_int_equal(sim_radio_set_wifi(f.radio, &wifi, 1), 0);
	for (int i = 0; i < 12; i++) {
		struct radio_label *rl = f.radio->labels[0];
		struct radio_station *s = &rl->station;
		int64_t at_us;

		pass(&f, INTERVAL_US);
		at_us = heard_in_the_clear_us(&f, wifi.mhz);
		later += at_us > sim_radio_next_occurrence_us(f.radio, 0);
		assert_int_equal(s->ops->link_begin(s, &(struct station_link){0}), 0);
		rl->hear_us = INT64_MAX;
		s->ops->link_transfer(s, 0);
		assert_true(rl->hear_us == at_us);
		s->ops->link_end(s, HCI_ERR_REMOTE_ENDED);
	}
	assert_in_range(later, 1, 11); /* in the Wi-Fi's channels first, or not */
	air_end(&f);
}

static void a_reset_ends_links_without_a_word(void **state)
{
	static struct fixture f;
	struct buf b = BUF_INIT;

	(void) state;
	air_begin(&f, 1);
	assert_int_equal(connect_to(&f, 1, 0xff), HCI_OK);
	pass(&f, 3 * US_PER_SEC);
	hci_put_command(&b, HCI_RESET, NULL, 0);
	assert_int_equal(command(&f, &b), HCI_OK);
	pass(&f, 3 * US_PER_SEC);
	assert_int_equal(f.disconnections, 0);
	hci_put_disconnect(&b, &(struct hci_disconnect){.handle = f.handle, .reason = 0x13});
	assert_int_equal(command(&f, &b), HCI_ERR_UNKNOWN_CONNECTION);
	air_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connecting_waits_for_the_subevent_and_makes_the_label_deaf),
		cmocka_unit_test(a_call_into_the_wrong_subevent_is_not_answered),
		cmocka_unit_test(a_label_that_is_not_there_is_called_until_the_host_gives_up),
		cmocka_unit_test(whoever_of_the_accept_list_advertises_is_connected),
		cmocka_unit_test(the_accept_list_cannot_be_changed_while_it_is_used),
		cmocka_unit_test(the_accept_list_ends_somewhere_and_with_a_reset),
		cmocka_unit_test(there_are_eight_links_and_no_more),
		cmocka_unit_test(only_labels_without_a_train_advertise_about_once_a_second),
		cmocka_unit_test(the_label_answers_data_and_buffers_come_back),
		cmocka_unit_test(what_no_link_can_be_is_refused),
		cmocka_unit_test(nobody_is_called_through_a_train_or_told_of_one_that_does_not_run),
		cmocka_unit_test(what_links_carry_is_drowned_by_a_train_within_earshot),
		cmocka_unit_test(label_that_is_told_of_the_train_listens_on_its_channels),
		cmocka_unit_test(a_reset_ends_links_without_a_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
