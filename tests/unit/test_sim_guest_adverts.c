/* SPDX-License-Identifier: Apache-2.0 */
/* A guest's controller says what it is, and advertises. */
#include "tests/unit/sim_guest_rig.h"

static void fresh_controller_says_what_it_is(void **state)
{
	uint8_t addr[6];
	const struct event *v;

	(void) state;
	open_air();
	sim_guest_address(f.guest, addr);
	assert_int_equal(ask(&f.label, HCI_READ_BD_ADDR, NULL, 0), HCI_OK);
	v = heard(&f.label, HCI_EVT_COMMAND_COMPLETE, NO_EVENT);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(v->data[4 + i], addr[5 - i]);
	assert_int_equal(ask(&f.label, HCI_LE_READ_LOCAL_FEATURES, NULL, 0), HCI_OK);
	v = heard(&f.label, HCI_EVT_COMMAND_COMPLETE, NO_EVENT);
	assert_true(v->data[4 + 44 / 8] & 1 << 44 % 8);  /* scanner of PAwR */
	assert_false(v->data[4 + 43 / 8] & 1 << 43 % 8); /* no advertiser of it */
	assert_int_equal(ASK(&f.label, 0x2086, 0), HCI_ERR_UNKNOWN_COMMAND);
	close_air();
}

static void advertising_is_heard_as_what_it_is(void **state)
{
	struct hci_adv_report r;
	const struct event *v;
	struct wire w;

	(void) state;
	open_air();
	advertise(&f.label);
	assert_int_equal(ASK(&f.label, SET_SCAN_RESPONSE, 1, 3, 1, 2, 0x0a, 0), HCI_OK);
	scan(true);
	pass(US_PER_SEC);
	v = heard_le(&f.ap, HCI_LE_EXT_ADV_REPORT);
	assert_non_null(v);
	wire_init(&w, v->data + 1, v->len - 1u);
	assert_int_equal(hci_get_adv_reports(&w), 1);
	hci_get_adv_report(&w, &r);
	assert_int_equal(wire_finish(&w), 0);
	assert_int_equal(r.type, 0x1b); /* the answer to an active scanner, legacy */
	assert_int_equal(r.addr_type, 0);
	assert_int_equal(r.len, 2);
	v = &f.ap.events[f.ap.n - 2];
	assert_int_equal(v->data[2], 0x13);
	assert_memory_equal(v->data + v->len - 4, "\x03\x03\x57\x18", 4);
	close_air();
}

static void long_advertising_comes_in_parts(void **state)
{
	uint8_t text[251];
	size_t first;

	(void) state;
	open_air();
	memset(text, 0x5a, sizeof(text));
	set_up(&f.label, 1, 0x01);
	assert_int_equal(put_data(&f.label, 1, text, sizeof(text)), HCI_OK);
	assert_int_equal(ASK(&f.label, HCI_LE_SET_EXT_ADV_ENABLE, 1, 1, 1, 0, 0, 0), HCI_OK);
	forget(&f.ap);
	scan(false);
	pass(300 * US_PER_MS);
	for (first = 0; f.ap.events[first].le != HCI_LE_EXT_ADV_REPORT; first++)
		assert_true(first < f.ap.n);
	assert_int_equal(f.ap.events[first].data[2], 0x21); /* connectable, more to come */
	assert_int_equal(f.ap.events[first + 1].data[2], 0x01);
	assert_int_equal(f.ap.events[first].data[25] + f.ap.events[first + 1].data[25], 251);
	assert_int_equal(f.ap.events[first].data[13], 5); /* its set's number */
	/* The older form has no room for so much. */
	set_up(&f.label, 2, 0x13);
	assert_int_equal(put_data(&f.label, 2, text, 32), HCI_ERR_INVALID_PARAMETERS);
	close_air();
}

static void older_commands_advertise_too_but_not_beside_the_others(void **state)
{
	static const uint8_t data[32] = {4, 3, 0x03, 0x57, 0x18};

	(void) state;
	open_air();
	assert_int_equal(
		ASK(&f.label, SET_ADV_PARAMS, 160, 0, 160, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0),
		HCI_OK);
	assert_int_equal(ask(&f.label, SET_ADV_DATA, data, sizeof(data)), HCI_OK);
	assert_int_equal(ASK(&f.label, SET_ADV_ENABLE, 1), HCI_OK);
	assert_int_equal(ASK(&f.label, HCI_LE_SET_EXT_ADV_ENABLE, 0, 0),
			 HCI_ERR_COMMAND_DISALLOWED);
	scan(false);
	pass(300 * US_PER_MS);
	assert_non_null(heard_le(&f.ap, HCI_LE_EXT_ADV_REPORT));
	connect_to(f.guest, 0xff);
	assert_non_null(heard_le(&f.label, HCI_LE_ENHANCED_CONNECTION_COMPLETE_V2));
	assert_null(heard_le(&f.label, SET_ENDED));
	close_air();
}

static void one_older_command_is_enough_to_shut_the_others_out(void **state)
{
	(void) state;
	open_air();
	assert_int_equal(ASK(&f.label, SET_ADV_ENABLE, 0), HCI_OK);
	assert_int_equal(ASK(&f.label, HCI_LE_SET_EXT_ADV_ENABLE, 0, 0),
			 HCI_ERR_COMMAND_DISALLOWED);
	/* Until a reset. */
	assert_int_equal(ask(&f.label, HCI_RESET, NULL, 0), HCI_OK);
	assert_int_equal(ASK(&f.label, HCI_LE_SET_EXT_ADV_ENABLE, 0, 0), HCI_OK);
	/* An interval longer than theirs can be. */
	assert_int_equal(
		ASK(&f.label, SET_ADV_PARAMS, 0, 1, 1, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0),
		HCI_ERR_INVALID_PARAMETERS);
	close_air();
}

static void set_has_a_random_address_of_its_own_or_none(void **state)
{
	static const uint8_t random[7] = {1, 0x21, 0x22, 0x23, 0x24, 0x25, 0xe6};
	struct hci_adv_report r;
	const struct event *v;
	struct wire w;

	(void) state;
	open_air();
	/* That of the controller is for the older commands. */
	assert_int_equal(ask(&f.label, HCI_LE_SET_RANDOM_ADDRESS, random + 1, 6), HCI_OK);
	assert_int_equal(ASK(&f.label, HCI_LE_SET_EXT_ADV_PARAMS, 1, 0x13, 0, 160, 0, 0, 160, 0, 0,
			     7, 1, 0, 0, 0, 0, 0, 0, 0, 0, 127, 1, 0, 1, 0, 0),
			 HCI_OK);
	assert_int_equal(ASK(&f.label, HCI_LE_SET_EXT_ADV_ENABLE, 1, 1, 1, 0, 0, 0),
			 HCI_ERR_INVALID_PARAMETERS);
	assert_int_equal(ask(&f.label, HCI_LE_SET_ADV_RANDOM_ADDRESS, random, 7), HCI_OK);
	assert_int_equal(ASK(&f.label, HCI_LE_SET_EXT_ADV_ENABLE, 1, 1, 1, 0, 0, 0), HCI_OK);
	scan(false);
	pass(300 * US_PER_MS);
	v = heard_le(&f.ap, HCI_LE_EXT_ADV_REPORT);
	assert_non_null(v);
	wire_init(&w, v->data + 1, v->len - 1u);
	assert_int_equal(hci_get_adv_reports(&w), 1);
	hci_get_adv_report(&w, &r);
	assert_int_equal(r.addr_type, 1);
	assert_memory_equal(r.addr, random + 1, 6);
	close_air();
}

static void set_that_advertises_takes_whole_texts_only(void **state)
{
	static const uint8_t text[130];
	uint8_t piece[4 + 130] = {1, 1, 1, 130};

	(void) state;
	open_air();
	set_up(&f.label, 1, 0x01);
	assert_int_equal(ask(&f.label, HCI_LE_SET_EXT_ADV_DATA, piece, sizeof(piece)), HCI_OK);
	piece[1] = 2; /* the last piece: no room for it */
	assert_int_equal(ask(&f.label, HCI_LE_SET_EXT_ADV_DATA, piece, sizeof(piece)),
			 HCI_ERR_MEMORY);
	assert_int_equal(ASK(&f.label, HCI_LE_SET_EXT_ADV_DATA, 1, 4, 1, 0),
			 HCI_ERR_INVALID_PARAMETERS); /* unchanged, but it does not advertise */
	assert_int_equal(ASK(&f.label, HCI_LE_SET_EXT_ADV_ENABLE, 1, 1, 1, 0, 0, 0), HCI_OK);
	assert_int_equal(ASK(&f.label, HCI_LE_SET_EXT_ADV_DATA, 1, 4, 1, 0), HCI_OK);
	piece[1] = 1;
	assert_int_equal(ask(&f.label, HCI_LE_SET_EXT_ADV_DATA, piece, sizeof(piece)),
			 HCI_ERR_COMMAND_DISALLOWED);
	assert_int_equal(put_data(&f.label, 1, text, sizeof(text)), HCI_OK);
	close_air();
}

static void packets_of_no_known_kind_are_refused(void **state)
{
	/* newer: connectable and scannable, in haste; older: neither of the five */
	static const uint8_t kinds[] = {0x03, 0x0c, 0x11, 0x17};

	(void) state;
	open_air();
	for (size_t i = 0; i < sizeof(kinds); i++)
		assert_int_equal(ASK(&f.label, HCI_LE_SET_EXT_ADV_PARAMS, 1, kinds[i], 0, 160, 0, 0,
				     160, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 127, 1, 0, 1, 0, 0),
				 HCI_ERR_INVALID_PARAMETERS);
	close_air();
}

static void set_enabled_for_a_time_ends_with_an_event(void **state)
{
	(void) state;
	open_air();
	set_up(&f.label, 1, 0x13);
	assert_int_equal(ASK(&f.label, HCI_LE_SET_EXT_ADV_ENABLE, 1, 1, 1, 50, 0, 0), HCI_OK);
	pass(400 * US_PER_MS);
	assert_null(heard_le(&f.label, SET_ENDED));
	pass(200 * US_PER_MS);
	assert_memory_equal(heard_le(&f.label, SET_ENDED)->data, "\x12\x3c\x01", 3);
	scan(false);
	pass(US_PER_SEC);
	assert_null(heard_le(&f.ap, HCI_LE_EXT_ADV_REPORT));
	close_air();
}

static void nonsense_about_sets_is_refused(void **state)
{
	(void) state;
	open_air();
	assert_int_equal(ASK(&f.label, HCI_LE_SET_EXT_ADV_ENABLE, 1, 1, 1, 0, 0, 0),
			 HCI_ERR_UNKNOWN_ADVERTISER);
	assert_int_equal(ASK(&f.label, HCI_LE_SET_EXT_ADV_ENABLE, 1, 0),
			 HCI_ERR_INVALID_PARAMETERS);
	assert_int_equal(ASK(&f.label, HCI_LE_SET_EXT_ADV_ENABLE, 1, 200, 1, 0, 0, 0),
			 HCI_ERR_INVALID_PARAMETERS);
	assert_int_equal(ASK(&f.label, HCI_LE_SET_EXT_ADV_ENABLE, 1, 2, 1, 0, 0, 0),
			 HCI_ERR_UNKNOWN_ADVERTISER);
	advertise(&f.label);
	assert_int_equal(ASK(&f.label, HCI_LE_REMOVE_ADV_SET, 1), HCI_ERR_COMMAND_DISALLOWED);
	assert_int_equal(ask(&f.label, HCI_LE_CLEAR_ADV_SETS, NULL, 0), HCI_ERR_COMMAND_DISALLOWED);
	for (uint8_t handle = 2; handle <= 4; handle++)
		set_up(&f.label, handle, 0x13);
	assert_int_equal(ASK(&f.label, HCI_LE_SET_EXT_ADV_PARAMS, 9, 0x13, 0, 160, 0, 0, 160, 0, 0,
			     7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 127, 1, 0, 1, 0, 0),
			 HCI_ERR_MEMORY);
	assert_int_equal(ASK(&f.label, HCI_LE_SET_EXT_ADV_DATA, 2, 9, 1, 1, 0xff),
			 HCI_ERR_INVALID_PARAMETERS);
	close_air();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fresh_controller_says_what_it_is),
		cmocka_unit_test(advertising_is_heard_as_what_it_is),
		cmocka_unit_test(long_advertising_comes_in_parts),
		cmocka_unit_test(older_commands_advertise_too_but_not_beside_the_others),
		cmocka_unit_test(one_older_command_is_enough_to_shut_the_others_out),
		cmocka_unit_test(set_has_a_random_address_of_its_own_or_none),
		cmocka_unit_test(set_that_advertises_takes_whole_texts_only),
		cmocka_unit_test(packets_of_no_known_kind_are_refused),
		cmocka_unit_test(set_enabled_for_a_time_ends_with_an_event),
		cmocka_unit_test(nonsense_about_sets_is_refused),
	};

	return cmocka_run_group_tests_name("sim_guest_adverts", tests, NULL, NULL);
}
