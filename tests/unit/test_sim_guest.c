/* SPDX-License-Identifier: Apache-2.0 */
/* A guest is connected to as the peripheral. */
#include "tests/unit/sim_guest_rig.h"

#include "sim/hci_port.h"
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

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

static void put_packets(struct buf *b, uint16_t handle, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		hci_put_acl(b, &(struct hci_acl){.handle = handle,
						 .data = (const uint8_t *) "data",
						 .len = 4});
}

static void host_that_sends_past_its_buffers_loses_that(void **state)
{
	struct end *const ends[] = {&f.ap, &f.label};
	struct buf b = BUF_INIT;
	uint16_t handle;

	(void) state;
	open_air();
	handle = connected();
	for (int i = 0; i < 2; i++) {
		put_packets(&b, handle, HCI_PORT_BUFFERS);
		say(ends[i], &b);
		pass(US_PER_SEC);
		assert_int_equal(ends[!i]->acls, HCI_PORT_BUFFERS);
		assert_null(heard(ends[i], 0x1a, NO_EVENT));
		put_packets(&b, handle, HCI_PORT_BUFFERS + 1);
		say(ends[i], &b);
		pass(US_PER_SEC);
		assert_int_equal(ends[!i]->acls, 2 * HCI_PORT_BUFFERS);
		assert_memory_equal(heard(ends[i], 0x1a, NO_EVENT)->data, "\x01", 1);
	}
	close_air();
}

static void events_that_are_masked_off_do_not_come(void **state)
{
	struct buf b = BUF_INIT;
	uint16_t handle;

	(void) state;
	open_air();
	handle = connected();
	hci_put_mask(&b, HCI_SET_EVENT_MASK, HCI_MASK_LE_META);
	assert_int_equal(command(&f.label, &b), HCI_OK);
	put_packets(&b, handle, 1);
	say(&f.label, &b);
	encrypt(handle, 0x77);
	assert_int_equal(reply(handle, 0x77), HCI_OK);
	pass(100 * US_PER_MS);
	hci_put_disconnect(&b, &(struct hci_disconnect){.handle = handle, .reason = 0x13});
	assert_int_equal(command(&f.ap, &b), HCI_OK);
	pass(100 * US_PER_MS);
	assert_non_null(heard(&f.ap, HCI_EVT_DISCONNECTION_COMPLETE, NO_EVENT));
	assert_null(heard(&f.label, HCI_EVT_ENCRYPTION_CHANGE, NO_EVENT));
	assert_null(heard(&f.label, HCI_EVT_DISCONNECTION_COMPLETE, NO_EVENT));
	/* Nobody can do without these. */
	assert_non_null(heard(&f.label, HCI_EVT_COMPLETED_PACKETS, NO_EVENT));
	close_air();
}

static void link_out_of_range_ends_after_its_timeout(void **state)
{
	struct end *const ends[] = {&f.ap, &f.label};
	struct buf b = BUF_INIT;

	(void) state;
	for (int with_data = 0; with_data < 2; with_data++) {
		open_air();
		put_packets(&b, connected(), 1);
		sim_guest_set_loss(f.guest, 1, with_data ? -1 : 1);
		if (with_data)
			say(&f.ap, &b);
		buf_done(&b);
		pass(2900 * US_PER_MS);
		assert_null(heard(&f.ap, HCI_EVT_DISCONNECTION_COMPLETE, NO_EVENT));
		pass(300 * US_PER_MS);
		for (int i = 0; i < 2; i++)
			assert_int_equal(
				heard(ends[i], HCI_EVT_DISCONNECTION_COMPLETE, NO_EVENT)->data[3],
				HCI_ERR_CONNECTION_TIMEOUT);
		close_air();
	}
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
	assert_int_equal(heard(&f.ap, HCI_EVT_ENCRYPTION_REFRESH, NO_EVENT)->data[0], HCI_OK);
	close_air();
}

static void encryption_that_cannot_be_renewed_ends_the_link(void **state)
{
	uint16_t handle;
	uint8_t params[2];

	(void) state;
	open_air();
	handle = connected();
	encrypt(handle, 0x77);
	assert_int_equal(reply(handle, 0x77), HCI_OK);
	pass(200 * US_PER_MS);
	forget(&f.ap);
	encrypt(handle, 0x78);
	params[0] = (uint8_t) handle;
	params[1] = (uint8_t) (handle >> 8);
	assert_int_equal(ask(&f.label, HCI_LE_LTK_NEGATIVE_REPLY, params, 2), HCI_OK);
	pass(200 * US_PER_MS);
	assert_null(heard(&f.ap, HCI_EVT_ENCRYPTION_CHANGE, NO_EVENT));
	assert_int_equal(heard(&f.ap, HCI_EVT_DISCONNECTION_COMPLETE, NO_EVENT)->data[3],
			 HCI_ERR_PIN_MISSING);
	assert_int_equal(heard(&f.label, HCI_EVT_DISCONNECTION_COMPLETE, NO_EVENT)->data[3],
			 HCI_ERR_PIN_MISSING);
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
	assert_int_equal(heard(&f.label, HCI_EVT_DISCONNECTION_COMPLETE, NO_EVENT)->data[3], 0x22);
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
	params[2] = 0x08; /* none that a host may give */
	assert_int_equal(ask(&f.label, HCI_DISCONNECT, params, 3), HCI_ERR_INVALID_PARAMETERS);
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
	/* And the timeout is another one: 2 s. */
	sim_guest_set_loss(f.guest, 1, 1);
	pass(1900 * US_PER_MS);
	assert_null(heard(&f.ap, HCI_EVT_DISCONNECTION_COMPLETE, NO_EVENT));
	sim_guest_set_loss(f.guest, 0, 0);
	pass(100 * US_PER_MS);
	params[2] = 50; /* more than the longest */
	assert_int_equal(ask(&f.label, HCI_LE_CONNECTION_UPDATE, params, sizeof(params)),
			 HCI_ERR_INVALID_PARAMETERS);
	sim_guest_set_loss(f.guest, 1, 1);
	pass(2100 * US_PER_MS);
	assert_int_equal(heard(&f.ap, HCI_EVT_DISCONNECTION_COMPLETE, NO_EVENT)->data[3],
			 HCI_ERR_CONNECTION_TIMEOUT);
	close_air();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connection_ends_the_set_and_tells_both),
		cmocka_unit_test(connection_is_told_in_the_form_the_mask_lets_through),
		cmocka_unit_test(data_goes_both_ways_and_is_counted),
		cmocka_unit_test(host_that_sends_past_its_buffers_loses_that),
		cmocka_unit_test(events_that_are_masked_off_do_not_come),
		cmocka_unit_test(link_out_of_range_ends_after_its_timeout),
		cmocka_unit_test(encryption_asks_the_host_for_its_key),
		cmocka_unit_test(encryption_that_cannot_be_renewed_ends_the_link),
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
