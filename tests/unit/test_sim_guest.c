/* SPDX-License-Identifier: Apache-2.0 */
/* A guest advertises, and is connected to as the peripheral. */
#include "tests/unit/sim_guest_rig.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- advertising ------------------------------------------------------------------------------ */

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

/* --- links ------------------------------------------------------------------------------------ */

static void connection_ends_the_set_and_tells_both(void **state)
{
	const struct event *v;
	uint16_t handle;

	(void) state;
	open_air();
	handle = connected();
	v = heard_le(&f.label, HCI_LE_ENHANCED_CONNECTION_COMPLETE_V2);
	assert_non_null(v);
	assert_int_equal(v->data[1], HCI_OK);
	assert_int_equal(v->data[2] | v->data[3] << 8, handle);
	assert_int_equal(v->data[4], 1); /* peripheral */
	assert_int_equal(v->data[24], 12);
	assert_int_equal(v->data[26], 2);
	assert_int_equal(v->data[28] | v->data[29] << 8, 300);
	assert_int_equal(v->data[31], 1);                         /* by this set */
	assert_int_equal(v->data[32] | v->data[33] << 8, 0xffff); /* by no train */
	assert_memory_equal(heard_le(&f.label, SET_ENDED)->data, "\x12\x00\x01", 3);
	/* Nobody hears it any more, and nobody else connects. */
	forget(&f.ap);
	scan(false);
	pass(US_PER_SEC);
	assert_null(heard_le(&f.ap, HCI_LE_EXT_ADV_REPORT));
	close_air();
}

static void connection_is_told_in_the_form_the_mask_lets_through(void **state)
{
	static const struct {
		uint64_t mask;
		uint8_t event, len;
	} forms[] = {
		{0x1, HCI_LE_CONNECTION_COMPLETE, 19},
		{0x201, HCI_LE_ENHANCED_CONNECTION_COMPLETE, 31},
		{UINT64_C(0x10000000201), HCI_LE_ENHANCED_CONNECTION_COMPLETE_V2, 34},
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		open_air();
		set_masks(&f.label, forms[i].mask);
		(void) connected();
		assert_non_null(heard_le(&f.label, forms[i].event));
		assert_int_equal(heard_le(&f.label, forms[i].event)->len, forms[i].len);
		assert_int_equal(
			heard_times(&f.label, HCI_LE_CONNECTION_COMPLETE) +
				heard_times(&f.label, HCI_LE_ENHANCED_CONNECTION_COMPLETE) +
				heard_times(&f.label, HCI_LE_ENHANCED_CONNECTION_COMPLETE_V2),
			1);
		close_air();
	}
}

static void data_goes_both_ways_and_is_counted(void **state)
{
	uint16_t handle;
	struct buf b = BUF_INIT;
	uint8_t data[252];

	(void) state;
	open_air();
	memset(data, 0x42, sizeof(data));
	handle = connected();
	hci_put_acl(&b, &(struct hci_acl){.handle = handle, .data = data, .len = 200});
	say(&f.ap, &b);
	pass(200 * US_PER_MS);
	assert_int_equal(f.label.acls, 1);
	assert_int_equal(f.label.acl.handle, handle);
	assert_int_equal(f.label.acl.boundary, HCI_PB_FIRST_CONTROLLER);
	assert_int_equal(f.label.acl.len, 200);
	hci_put_acl(&b, &(struct hci_acl){.handle = handle, .data = data, .len = 251});
	hci_put_acl(&b, &(struct hci_acl){.handle = handle,
					  .boundary = HCI_PB_CONTINUING,
					  .data = data,
					  .len = 9});
	say(&f.label, &b);
	pass(200 * US_PER_MS);
	assert_int_equal(f.ap.acls, 2);
	assert_int_equal(f.ap.acl.boundary, HCI_PB_CONTINUING);
	assert_int_equal(f.ap.acl.len, 9);
	assert_memory_equal(heard(&f.label, HCI_EVT_COMPLETED_PACKETS, NO_EVENT)->data,
			    ((uint8_t[]){1, (uint8_t) handle, (uint8_t) (handle >> 8), 2, 0}), 5);
	/* Longer than its buffers, or for another link: nowhere. */
	hci_put_acl(&b, &(struct hci_acl){.handle = handle, .data = data, .len = 252});
	hci_put_acl(&b, &(struct hci_acl){.handle = 7, .data = data, .len = 20});
	say(&f.label, &b);
	pass(200 * US_PER_MS);
	assert_int_equal(f.ap.acls, 2);
	close_air();
}

static void encryption_asks_the_host_for_its_key(void **state)
{
	const struct event *v;
	uint16_t handle;

	(void) state;
	open_air();
	handle = connected();
	assert_int_equal(reply(handle, 1), HCI_ERR_COMMAND_DISALLOWED);
	encrypt(handle, 0x77);
	v = heard_le(&f.label, HCI_LE_LTK_REQUEST);
	assert_non_null(v);
	assert_memory_equal(v->data + 1,
			    ((uint8_t[]){(uint8_t) handle, (uint8_t) (handle >> 8), 7, 0, 0, 0, 0,
					 0, 0, 0, 9, 0}),
			    12);
	assert_null(heard(&f.ap, HCI_EVT_ENCRYPTION_CHANGE, NO_EVENT));
	assert_int_equal(reply(handle, 0x77), HCI_OK);
	pass(200 * US_PER_MS);
	assert_int_equal(heard(&f.ap, HCI_EVT_ENCRYPTION_CHANGE, NO_EVENT)->data[3], 1);
	assert_int_equal(heard(&f.label, HCI_EVT_ENCRYPTION_CHANGE, NO_EVENT)->data[3], 1);
	/* With another key once more: the label hears that it was renewed. */
	encrypt(handle, 0x78);
	assert_int_equal(reply(handle, 0x78), HCI_OK);
	pass(200 * US_PER_MS);
	assert_non_null(heard(&f.label, HCI_EVT_ENCRYPTION_REFRESH, NO_EVENT));
	close_air();
}

static void label_without_a_key_says_so_and_the_link_stays(void **state)
{
	uint16_t handle;
	uint8_t params[2];

	(void) state;
	open_air();
	handle = connected();
	encrypt(handle, 0x77);
	params[0] = (uint8_t) handle;
	params[1] = (uint8_t) (handle >> 8);
	assert_int_equal(ask(&f.label, HCI_LE_LTK_NEGATIVE_REPLY, params, 2), HCI_OK);
	pass(200 * US_PER_MS);
	assert_int_equal(heard(&f.ap, HCI_EVT_ENCRYPTION_CHANGE, NO_EVENT)->data[0],
			 HCI_ERR_PIN_MISSING);
	assert_null(heard(&f.label, HCI_EVT_ENCRYPTION_CHANGE, NO_EVENT));
	assert_null(heard(&f.ap, HCI_EVT_DISCONNECTION_COMPLETE, NO_EVENT));
	close_air();
}

static void another_key_breaks_the_link(void **state)
{
	uint16_t handle;

	(void) state;
	open_air();
	handle = connected();
	encrypt(handle, 0x77);
	assert_int_equal(reply(handle, 0x76), HCI_OK);
	pass(200 * US_PER_MS);
	assert_int_equal(heard(&f.ap, HCI_EVT_DISCONNECTION_COMPLETE, NO_EVENT)->data[3],
			 HCI_ERR_MIC);
	assert_int_equal(heard(&f.label, HCI_EVT_DISCONNECTION_COMPLETE, NO_EVENT)->data[3],
			 HCI_ERR_MIC);
	assert_null(heard(&f.ap, HCI_EVT_ENCRYPTION_CHANGE, NO_EVENT));
	close_air();
}

static void host_that_owes_a_key_for_long_loses_the_link(void **state)
{
	uint16_t handle;

	(void) state;
	open_air();
	handle = connected();
	encrypt(handle, 0x77);
	pass(39 * US_PER_SEC);
	assert_null(heard(&f.ap, HCI_EVT_DISCONNECTION_COMPLETE, NO_EVENT));
	pass(2 * US_PER_SEC);
	assert_int_equal(heard(&f.ap, HCI_EVT_DISCONNECTION_COMPLETE, NO_EVENT)->data[3], 0x22);
	assert_non_null(heard(&f.label, HCI_EVT_DISCONNECTION_COMPLETE, NO_EVENT));
	close_air();
}

static void each_end_hears_why_the_other_ended_the_link(void **state)
{
	uint16_t handle;
	struct buf b = BUF_INIT;
	uint8_t params[3];

	(void) state;
	open_air();
	handle = connected();
	hci_put_disconnect(&b, &(struct hci_disconnect){.handle = handle, .reason = 0x15});
	assert_int_equal(command(&f.ap, &b), HCI_OK);
	pass(100 * US_PER_MS);
	assert_int_equal(heard(&f.ap, HCI_EVT_DISCONNECTION_COMPLETE, NO_EVENT)->data[3],
			 HCI_ERR_LOCAL_ENDED);
	assert_int_equal(heard(&f.label, HCI_EVT_DISCONNECTION_COMPLETE, NO_EVENT)->data[3], 0x15);
	forget(&f.ap);
	forget(&f.label);
	handle = connected();
	params[0] = (uint8_t) handle;
	params[1] = (uint8_t) (handle >> 8);
	params[2] = 0x14;
	assert_int_equal(ask(&f.label, HCI_DISCONNECT, params, 3), HCI_OK);
	pass(100 * US_PER_MS);
	assert_int_equal(heard(&f.ap, HCI_EVT_DISCONNECTION_COMPLETE, NO_EVENT)->data[3], 0x14);
	assert_int_equal(heard(&f.label, HCI_EVT_DISCONNECTION_COMPLETE, NO_EVENT)->data[3],
			 HCI_ERR_LOCAL_ENDED);
	assert_int_equal(ask(&f.label, HCI_DISCONNECT, params, 3), HCI_ERR_UNKNOWN_CONNECTION);
	close_air();
}

static void power_lost_at_one_end_is_a_broken_link_at_the_other(void **state)
{
	(void) state;
	open_air();
	(void) connected();
	assert_int_equal(ask(&f.label, HCI_RESET, NULL, 0), HCI_OK);
	pass(100 * US_PER_MS);
	assert_int_equal(heard(&f.ap, HCI_EVT_DISCONNECTION_COMPLETE, NO_EVENT)->data[3],
			 HCI_ERR_CONNECTION_TIMEOUT);
	assert_null(heard(&f.label, HCI_EVT_DISCONNECTION_COMPLETE, NO_EVENT));
	set_masks(&f.label, UINT64_C(0x1ffffffffff));
	(void) connected();
	sim_radio_power_cycle(f.radio);
	pass(100 * US_PER_MS);
	assert_int_equal(heard(&f.label, HCI_EVT_DISCONNECTION_COMPLETE, NO_EVENT)->data[3],
			 HCI_ERR_CONNECTION_TIMEOUT);
	assert_true(f.ap.closed);
	close_air();
}

static void controller_that_lost_power_takes_a_new_host(void **state)
{
	int ends[2];

	(void) state;
	open_air();
	(void) connected();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	assert_int_equal(sim_guest_attach(f.guest, ends[0]), -EBUSY);
	close(ends[1]);
	sim_guest_power_cycle(f.guest);
	pass(100 * US_PER_MS);
	assert_true(f.label.closed);
	assert_int_equal(heard(&f.ap, HCI_EVT_DISCONNECTION_COMPLETE, NO_EVENT)->data[3],
			 HCI_ERR_CONNECTION_TIMEOUT);
	close(f.label.fd);
	f.label.in_len = 0;
	attach(&f.label, f.guest);
	assert_int_equal(ASK(&f.label, HCI_LE_SET_EXT_ADV_ENABLE, 1, 1, 1, 0, 0, 0),
			 HCI_ERR_UNKNOWN_ADVERTISER);
	set_masks(&f.label, UINT64_C(0x1ffffffffff));
	(void) connected();
	close_air();
}

static void guest_that_leaves_takes_its_link_along(void **state)
{
	(void) state;
	open_air();
	(void) connected();
	sim_guest_free(f.guest);
	f.guest = NULL;
	pass(US_PER_SEC);
	assert_int_equal(heard(&f.ap, HCI_EVT_DISCONNECTION_COMPLETE, NO_EVENT)->data[3],
			 HCI_ERR_CONNECTION_TIMEOUT);
	scan(true);
	pass(US_PER_SEC);
	assert_null(heard_le(&f.ap, HCI_LE_EXT_ADV_REPORT));
	close_air();
}

static void label_may_ask_for_another_interval(void **state)
{
	uint16_t handle;
	uint8_t params[14] = {0, 0, 24, 0, 40, 0, 0, 0, 200, 0};

	(void) state;
	open_air();
	handle = connected();
	params[0] = (uint8_t) handle;
	params[1] = (uint8_t) (handle >> 8);
	assert_int_equal(ask(&f.label, HCI_LE_CONNECTION_UPDATE, params, sizeof(params)), HCI_OK);
	assert_int_equal(heard_le(&f.ap, HCI_LE_CONNECTION_UPDATED)->data[4], 40);
	assert_int_equal(heard_le(&f.label, HCI_LE_CONNECTION_UPDATED)->data[4], 40);
	params[2] = 50; /* more than the longest */
	assert_int_equal(ask(&f.label, HCI_LE_CONNECTION_UPDATE, params, sizeof(params)),
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
		cmocka_unit_test(set_enabled_for_a_time_ends_with_an_event),
		cmocka_unit_test(nonsense_about_sets_is_refused),
		cmocka_unit_test(connection_ends_the_set_and_tells_both),
		cmocka_unit_test(connection_is_told_in_the_form_the_mask_lets_through),
		cmocka_unit_test(data_goes_both_ways_and_is_counted),
		cmocka_unit_test(encryption_asks_the_host_for_its_key),
		cmocka_unit_test(label_without_a_key_says_so_and_the_link_stays),
		cmocka_unit_test(another_key_breaks_the_link),
		cmocka_unit_test(host_that_owes_a_key_for_long_loses_the_link),
		cmocka_unit_test(each_end_hears_why_the_other_ended_the_link),
		cmocka_unit_test(power_lost_at_one_end_is_a_broken_link_at_the_other),
		cmocka_unit_test(controller_that_lost_power_takes_a_new_host),
		cmocka_unit_test(guest_that_leaves_takes_its_link_along),
		cmocka_unit_test(label_may_ask_for_another_interval),
	};

	return cmocka_run_group_tests_name("sim_guest", tests, NULL, NULL);
}
