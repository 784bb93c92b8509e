/* SPDX-License-Identifier: Apache-2.0 */
/* Whose turn it is to be connected, against a controller that the test plays (le_rig.h says what
 * the letters mean). */
#include "tests/unit/le_rig.h"

#include "common/err.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static void on_connected(void *user, int err)
{
	struct caller *c = user;

	c->answers++;
	c->err = err;
}

static void on_encrypted(void *user, int err)
{
	(void) user;
	(void) err;
}

static void on_frame(void *user, uint16_t cid, const uint8_t *data, size_t len)
{
	(void) user;
	(void) cid;
	(void) data;
	(void) len;
}

static void on_closed(void *user, uint8_t reason)
{
	(void) reason;
	((struct caller *) user)->ends++;
}

static const struct le_link_callbacks link_cb = {on_connected, on_encrypted, on_frame, on_closed};

/** Calls a label through that subevent, or LE_NO_SUBEVENT, under a name of ours that ends in `own`.
 */
static void call_as(struct rig *r, unsigned int label, uint8_t subevent, uint8_t own)
{
	struct le_connect how = {.peer_type = 1,
				 .own_type = own ? 1 : 0,
				 .own = {0xc1, 0, 0, 0, 0, own},
				 .adv_handle = 0xe0,
				 .subevent = subevent,
				 .timeout_us = PATIENCE_US};

	memcpy(how.peer, label_addr, sizeof(how.peer));
	how.peer[5] = (uint8_t) label;
	assert_int_equal(le_central_connect(r->central, &how, &link_cb, &r->callers[label],
					    &r->callers[label].link),
			 0);
}

static void listen_for(struct rig *r, unsigned int label)
{
	call_as(r, label, LE_NO_SUBEVENT, 0);
}

static void assert_answer(const struct rig *r, unsigned int label, int err)
{
	assert_int_equal(r->callers[label].answers, 1);
	assert_int_equal(r->callers[label].err, err);
}

static void assert_waits(const struct rig *r, unsigned int label)
{
	assert_int_equal(r->callers[label].answers, 0);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void whoever_advertises_first_is_connected(void **state)
{
	struct rig r;

	(void) state;
	rig_open(&r, 16);
	for (unsigned int i = 1; i <= 3; i++)
		listen_for(&r, i);
	serve(&r);
	assert_asked(&r, "+1 L X +2 +3 L");
	reach(&r, 2);
	assert_answer(&r, 2, 0);
	assert_asked(&r, "-2 L");
	reach(&r, 3);
	assert_answer(&r, 3, 0);
	assert_asked(&r, "-3 L");
	assert_waits(&r, 1);
	rig_close(&r);
}

static void who_is_called_through_the_train_goes_first(void **state)
{
	struct rig r;

	(void) state;
	rig_open(&r, 16);
	listen_for(&r, 1);
	listen_for(&r, 2);
	serve(&r);
	assert_asked(&r, "+1 L X +2 L");
	call_as(&r, 3, 5, 0);
	serve(&r);
	assert_asked(&r, "X T5");
	reach(&r, 3);
	assert_answer(&r, 3, 0);
	assert_asked(&r, "L");
	rig_close(&r);
}

static void a_label_connected_while_it_is_cancelled_is_kept(void **state)
{
	struct rig r;

	(void) state;
	rig_open(&r, 16);
	listen_for(&r, 1);
	serve(&r);
	attempt_ends(&r, 1, HCI_OK); /* on its way while we make up our mind */
	call_as(&r, 3, 5, 0);
	serve(&r);
	assert_answer(&r, 1, 0);
	assert_asked(&r, "+1 L X T5");
	assert_waits(&r, 3);
	rig_close(&r);
}

static void the_list_is_as_long_as_the_controller_says(void **state)
{
	struct rig r;

	(void) state;
	rig_open(&r, 2);
	assert_int_equal(le_central_calls(r.central, 4, 0), 2);
	for (unsigned int i = 1; i <= 4; i++)
		listen_for(&r, i);
	serve(&r);
	assert_asked(&r, "+1 L X +2 L");
	reach(&r, 1);
	assert_asked(&r, "-1 +3 L");
	rig_close(&r);
}

static void a_list_shorter_than_it_says_is_found_out(void **state)
{
	struct rig r;

	(void) state;
	rig_open(&r, 8);
	r.places = 2;
	for (unsigned int i = 1; i <= 3; i++)
		listen_for(&r, i);
	serve(&r);
	assert_asked(&r, "+1 L X +2 +3 L X 0 +1 +2 +3 L X 0 +1 +2 L");
	for (unsigned int i = 1; i <= 3; i++)
		assert_waits(&r, i);
	assert_int_equal(le_central_calls(r.central, 4, 0), 2);
	rig_close(&r);
}

static void without_a_list_one_is_called_after_the_other(void **state)
{
	static const uint16_t what[] = {HCI_LE_READ_ACCEPT_LIST_SIZE, HCI_LE_ADD_TO_ACCEPT_LIST};
	static const char *const asked[] = {"C1", "+1 L X C1"};
	struct rig r;

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(what); i++) {
		rig_open(&r, 16);
		r.refused_opcode = what[i];
		r.refused_status = HCI_ERR_UNKNOWN_COMMAND;
		r.trying = false;
		assert_int_equal(shutdown(r.fd, SHUT_RDWR), 0);
		take_host(&r);
		listen_for(&r, 1);
		serve(&r);
		assert_asked(&r, asked[i]);
		assert_int_equal(le_central_calls(r.central, 4, 0), 1);
		listen_for(&r, 2);
		run(&r, PATIENCE_US);
		serve(&r);
		assert_answer(&r, 1, -ETIMEDOUT);
		assert_waits(&r, 2);
		assert_asked(&r, "X C2");
		rig_close(&r);
	}
}

static void a_controller_that_will_not_use_its_list_does_without(void **state)
{
	struct rig r;

	(void) state;
	rig_open(&r, 16);
	r.refused_opcode = HCI_LE_EXT_CREATE_CONNECTION_V2;
	r.refused_status = HCI_ERR_INVALID_PARAMETERS;
	listen_for(&r, 1);
	while (!strstr(r.log, "L"))
		assert_true(serve_one(&r));
	r.refused_opcode = 0;
	serve(&r);
	assert_asked(&r, "+1 L C1");
	assert_waits(&r, 1);
	rig_close(&r);
}

static void patience_is_used_up_by_listening_alone(void **state)
{
	struct rig r;

	(void) state;
	rig_open(&r, 16);
	le_central_calls(r.central, 1, 0);
	listen_for(&r, 9);
	serve(&r);
	reach(&r, 9);
	assert_asked(&r, "+9 L");
	listen_for(&r, 1);
	run(&r, 6 * PATIENCE_US);
	serve(&r);
	assert_waits(&r, 1); /* nobody has listened: there is a link already */
	assert_asked(&r, "");
	leave(&r, 9);
	assert_asked(&r, "-9 +1 L");
	run(&r, PATIENCE_US - 20 * US_PER_MS);
	call_as(&r, 3, 5, 0); /* a moment for another */
	serve(&r);
	assert_asked(&r, "X T5");
	run(&r, PATIENCE_US / 2);
	attempt_ends(&r, -1, HCI_ERR_ESTABLISH);
	serve(&r);
	assert_asked(&r, "L");
	assert_waits(&r, 1);
	run(&r, 200 * US_PER_MS);
	serve(&r);
	assert_answer(&r, 1, -ETIMEDOUT);
	assert_asked(&r, "X");
	rig_close(&r);
}

static void there_are_no_more_links_than_allowed(void **state)
{
	struct rig r;

	(void) state;
	rig_open(&r, 16);
	le_central_calls(r.central, 3, 1);
	for (unsigned int i = 1; i <= 3; i++)
		listen_for(&r, i);
	serve(&r);
	reach(&r, 1);
	r.log[0] = '\0';
	reach(&r, 2); /* the last one is for who is called through the train */
	assert_asked(&r, "");
	call_as(&r, 4, 5, 0);
	serve(&r);
	assert_asked(&r, "T5");
	reach(&r, 4);
	call_as(&r, 5, 6, 0);
	le_central_calls(r.central, 3, 0);
	serve(&r);
	assert_asked(&r, "");
	leave(&r, 1);
	assert_asked(&r, "T6");
	attempt_ends(&r, -1, HCI_ERR_ESTABLISH);
	serve(&r);
	assert_answer(&r, 5, -ETIMEDOUT);
	assert_asked(&r, "-2 L");
	rig_close(&r);
}

static void what_a_controller_cannot_hold_waits_for_a_link_to_end(void **state)
{
	struct rig r;

	(void) state;
	rig_open(&r, 16);
	listen_for(&r, 1);
	serve(&r);
	reach(&r, 1);
	assert_asked(&r, "+1 L");
	r.refused_opcode = HCI_LE_EXT_CREATE_CONNECTION_V2;
	r.refused_status = HCI_ERR_CONNECTION_LIMIT;
	call_as(&r, 2, 5, 0);
	listen_for(&r, 3);
	serve(&r);
	assert_asked(&r, "T5"); /* and no other is tried */
	assert_waits(&r, 2);
	r.refused_opcode = 0;
	leave(&r, 1);
	assert_asked(&r, "T5");
	reach(&r, 2);
	assert_answer(&r, 2, 0);
	assert_asked(&r, "");
	leave(&r, 2);
	assert_asked(&r, "-1 +3 L");
	rig_close(&r);
}

static void a_stranger_is_sent_away(void **state)
{
	struct rig r;

	(void) state;
	rig_open(&r, 16);
	listen_for(&r, 1);
	serve(&r);
	reach(&r, STRANGER);
	assert_asked(&r, "+1 L D99 L");
	assert_waits(&r, 1);
	rig_close(&r);
}

static void only_those_who_know_us_by_one_name_are_on_the_list_together(void **state)
{
	struct rig r;

	(void) state;
	rig_open(&r, 16);
	call_as(&r, 1, LE_NO_SUBEVENT, 7);
	call_as(&r, 2, LE_NO_SUBEVENT, 8);
	call_as(&r, 3, LE_NO_SUBEVENT, 7);
	serve(&r);
	assert_asked(&r, "N7 +1 +3 L");
	reach(&r, 1); /* the second has waited longer than the third */
	assert_asked(&r, "N8 -1 -3 +2 L");
	reach(&r, 2);
	assert_asked(&r, "N7 -2 +3 L");
	rig_close(&r);
}

static void who_is_given_up_leaves_the_list(void **state)
{
	struct rig r;

	(void) state;
	rig_open(&r, 16);
	listen_for(&r, 1);
	listen_for(&r, 2);
	serve(&r);
	assert_asked(&r, "+1 L X +2 L");
	le_link_close(r.callers[1].link);
	assert_waits(&r, 1); /* told by the loop */
	serve(&r);
	assert_answer(&r, 1, -ETIMEDOUT);
	assert_asked(&r, "X -1 L");
	le_central_calls(r.central, 1, 0);
	reach(&r, 2);
	listen_for(&r, 3);
	le_link_close(r.callers[3].link); /* while nobody is called */
	serve(&r);
	assert_answer(&r, 3, -ETIMEDOUT);
	assert_asked(&r, "");
	rig_close(&r);
}

static void a_controller_that_went_away_has_an_empty_list(void **state)
{
	struct rig r;

	(void) state;
	rig_open(&r, 16);
	listen_for(&r, 1);
	serve(&r);
	assert_asked(&r, "+1 L");
	r.deaf = true;
	call_as(&r, 2, 5, 0);
	serve(&r);
	assert_asked(&r, "X");
	run(&r, 3 * US_PER_SEC); /* the end of the attempt is not told */
	assert_int_equal(r.downs, 1);
	assert_answer(&r, 1, -ERR_CLOSED);
	assert_answer(&r, 2, -ERR_CLOSED);
	r.deaf = false;
	take_host(&r);
	listen_for(&r, 3);
	serve(&r);
	assert_asked(&r, "+3 L");
	rig_close(&r);
}

static void one_label_does_not_keep_all_of_the_controllers_buffers(void **state)
{
	static const uint8_t frame[100];
	struct rig r;

	(void) state;
	rig_open(&r, 16);
	for (unsigned int i = 1; i <= 2; i++) {
		call_as(&r, i, 5, 0);
		serve(&r);
		reach(&r, (int) i);
	}
	assert_asked(&r, "T5 T5");
	for (unsigned int i = 0; i < 2 * BUFFERS; i++)
		assert_int_equal(le_link_send(r.callers[1].link, 4, frame, sizeof(frame)), 0);
	serve(&r);
	assert_asked(&r, "A1 A1 A1 A1 A1 A1 A1");
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(le_link_send(r.callers[2].link, 4, frame, sizeof(frame)), 0);
	serve(&r);
	assert_asked(&r, "A2");
	leave(&r, 1); /* and its buffers are free */
	assert_int_equal(r.callers[1].ends, 1);
	assert_asked(&r, "A2");
	rig_close(&r);
}

static void on_done(void *user, int err, const struct esl_link_result *res)
{
	struct caller *c = user;

	(void) res;
	c->answers++;
	c->err = err;
}

static void a_new_label_is_called_by_the_type_of_address_that_it_advertises(void **state)
{
	static const uint8_t type[] = {0, 1, 0, 1};
	struct rig r;

	(void) state;
	rig_open_seam(&r, 16);
	assert_int_equal(r.link->ops->scan(r.link, true), 0);
	serve(&r);
	for (uint8_t i = 0; i < ARRAY_SIZE(type); i++) {
		uint8_t addr[HCI_ADDR_BYTES];

		advertise(&r, 9 - i, type[i]);
		advertise(&r, 9 - i, type[i]);
		assert_int_equal(r.adverts, 2 * i + 2);
		memcpy(addr, label_addr, sizeof(addr));
		addr[5] = 9 - i;
		assert_int_equal(r.link->ops->connect(r.link, addr, ESL_ADVERTISING, 0, on_done,
						      &r.callers[i]),
				 0);
		serve(&r);
		assert_int_equal(r.peer_type, type[i]);
	}
	assert_asked(&r, "N7 +9 L X +8 L X +7 L X +6 L");
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whoever_advertises_first_is_connected),
		cmocka_unit_test(who_is_called_through_the_train_goes_first),
		cmocka_unit_test(a_label_connected_while_it_is_cancelled_is_kept),
		cmocka_unit_test(the_list_is_as_long_as_the_controller_says),
		cmocka_unit_test(a_list_shorter_than_it_says_is_found_out),
		cmocka_unit_test(without_a_list_one_is_called_after_the_other),
		cmocka_unit_test(a_controller_that_will_not_use_its_list_does_without),
		cmocka_unit_test(patience_is_used_up_by_listening_alone),
		cmocka_unit_test(there_are_no_more_links_than_allowed),
		cmocka_unit_test(what_a_controller_cannot_hold_waits_for_a_link_to_end),
		cmocka_unit_test(a_stranger_is_sent_away),
		cmocka_unit_test(only_those_who_know_us_by_one_name_are_on_the_list_together),
		cmocka_unit_test(who_is_given_up_leaves_the_list),
		cmocka_unit_test(a_controller_that_went_away_has_an_empty_list),
		cmocka_unit_test(one_label_does_not_keep_all_of_the_controllers_buffers),
		cmocka_unit_test(a_new_label_is_called_by_the_type_of_address_that_it_advertises),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
