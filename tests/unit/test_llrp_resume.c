/* SPDX-License-Identifier: Apache-2.0 */
/** @file Versions agreed on, inventories found again, and the ledger of reports, in virtual time.
 */
#include "tests/unit/llrp_rig.h"

#include "rfid/llrp_ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* --- versions --------------------------------------------------------------------------------- */

static const struct rfid_reader_config wants_1_1 = {.version = LLRP_VERSION_1_1};

static int reply_versions(struct rig *rig, unsigned int current, unsigned int best)
{
	struct llrp_msg *m =
		rig_message(LLRP_GET_SUPPORTED_VERSION_RESPONSE, llrp_msg_id(rig->got));

	llrp_set(llrp_root(m), "CurrentVersion", current);
	llrp_set(llrp_root(m), "SupportedVersion", best);
	llrp_add_status(llrp_root(m), 0, NULL);
	return rig_feed_msg(rig, m);
}

static uint8_t spoken(struct rig *rig)
{
	struct rfid_reader_stats stats;

	llrp_session_get_stats(rig->session, &stats);
	return stats.version;
}

static void a_reader_of_1_1_is_taken_at_its_word(void **state)
{
	struct rig rig;

	(void) state;
	rig_init(&rig, &wants_1_1);
	rig.version = LLRP_VERSION_1_1;
	assert_int_equal(rig_connection_event(&rig, 0), 0);
	rig_expect(&rig, LLRP_GET_SUPPORTED_VERSION);
	assert_int_equal(reply_versions(&rig, 1, 2), 0);
	assert_int_equal(llrp_get(rig_expect(&rig, LLRP_SET_PROTOCOL_VERSION), "ProtocolVersion"),
			 LLRP_VERSION_1_1);
	assert_int_equal(rig_reply(&rig, LLRP_SET_PROTOCOL_VERSION_RESPONSE, 0, NULL), 0);
	rig_expect(&rig, LLRP_GET_READER_CAPABILITIES);
	assert_int_equal(spoken(&rig), LLRP_VERSION_1_1);
	assert_int_equal(rig_capabilities(&rig, 161), 0);
	rig_expect(&rig, LLRP_SET_READER_CONFIG);
	rig_done(&rig);
}

static void a_reader_already_on_1_1_is_not_told_twice(void **state)
{
	struct rig rig;

	(void) state;
	rig_init(&rig, &wants_1_1);
	rig.version = LLRP_VERSION_1_1;
	assert_int_equal(rig_connection_event(&rig, 0), 0);
	rig_expect(&rig, LLRP_GET_SUPPORTED_VERSION);
	assert_int_equal(reply_versions(&rig, 2, 3), 0);
	rig_expect(&rig, LLRP_GET_READER_CAPABILITIES);
	assert_int_equal(spoken(&rig), LLRP_VERSION_1_1);
	rig_done(&rig);
}

static void a_reader_that_knows_only_1_0_1_gets_that(void **state)
{
	(void) state;
	for (int how = 0; how < 3; how++) {
		struct rig rig;

		rig_init(&rig, &wants_1_1);
		rig.version = LLRP_VERSION_1_1;
		assert_int_equal(rig_connection_event(&rig, 0), 0);
		rig_expect(&rig, LLRP_GET_SUPPORTED_VERSION);
		if (how == 0) {
			assert_int_equal(rig_reply(&rig, LLRP_ERROR_MESSAGE,
						   LLRP_M_UNSUPPORTED_VERSION, NULL),
					 0);
		} else if (how == 1) {
			assert_int_equal(reply_versions(&rig, 1, 1), 0);
		} else {
			assert_int_equal(reply_versions(&rig, 1, 2), 0);
			rig_expect(&rig, LLRP_SET_PROTOCOL_VERSION);
			assert_int_equal(rig_reply(&rig, LLRP_SET_PROTOCOL_VERSION_RESPONSE,
						   LLRP_M_UNSUPPORTED_VERSION, "no"),
					 0);
		}
		rig.version = LLRP_VERSION_1;
		rig_bring_up_from_capabilities(&rig);
		assert_int_equal(spoken(&rig), LLRP_VERSION_1);
		rig_done(&rig);
	}
}

static void a_reader_that_hangs_up_on_the_question_is_not_asked_again(void **state)
{
	struct rig rig;

	(void) state;
	rig_init(&rig, &wants_1_1);
	rig.version = LLRP_VERSION_1_1;
	assert_int_equal(rig_connection_event(&rig, 0), 0);
	rig_expect(&rig, LLRP_GET_SUPPORTED_VERSION);
	llrp_session_connected(rig.session);
	rig.version = LLRP_VERSION_1;
	rig_bring_up(&rig);
	rig_done(&rig);
}

/* --- an inventory found again ----------------------------------------------------------------- */

/** The answer to GET_ROSPECS: one of that id in that state, and another one if asked for. */
static struct llrp_msg *rospecs(struct rig *rig, uint32_t id, unsigned int rospec_state,
				bool another)
{
	struct llrp_msg *m = rig_message(LLRP_GET_ROSPECS_RESPONSE, llrp_msg_id(rig->got));

	llrp_add_status(llrp_root(m), 0, NULL);
	for (int i = 0; i < 1 + another; i++) {
		struct llrp_elem *e = llrp_add(llrp_root(m), LLRP_P_ROSPEC), *b;

		llrp_set(e, "ROSpecID", id + (uint32_t) i);
		llrp_set(e, "CurrentState", rospec_state);
		b = llrp_add(e, LLRP_P_RO_BOUNDARY_SPEC);
		llrp_add(b, LLRP_P_ROSPEC_START_TRIGGER);
		llrp_add(b, LLRP_P_ROSPEC_STOP_TRIGGER);
	}
	return m;
}

/** Up to GET_ROSPECS, answered by one of that id in that state (and another one, if asked for). */
static void find_rospec(struct rig *rig, uint32_t id, unsigned int rospec_state, bool another)
{
	assert_int_equal(rig_connection_event(rig, 0), 0);
	rig_expect(rig, LLRP_GET_READER_CAPABILITIES);
	assert_int_equal(rig_capabilities(rig, 161), 0);
	rig_expect(rig, LLRP_SET_READER_CONFIG);
	assert_int_equal(rig_reply(rig, LLRP_SET_READER_CONFIG_RESPONSE, 0, NULL), 0);
	rig_expect(rig, LLRP_GET_ROSPECS);
	assert_int_equal(rig_feed_msg(rig, rospecs(rig, id, rospec_state, another)), 0);
	rig_expect(rig, LLRP_DELETE_ACCESSSPEC);
	assert_int_equal(rig_reply(rig, LLRP_DELETE_ACCESSSPEC_RESPONSE, 0, NULL), 0);
}

/** Lets an inventory run, then the connection end. */
static void run_and_lose(struct rig *rig)
{
	rig_init(rig, NULL);
	rig_bring_up(rig);
	clock_fake_advance(&rig->clock, 5 * US_PER_SEC);
	assert_int_equal(rig_feed_msg(rig, rig_message(LLRP_KEEPALIVE, 1)), 0);
	rig_expect(rig, LLRP_KEEPALIVE_ACK);
	clock_fake_advance(&rig->clock, 20 * US_PER_SEC);
	llrp_session_connected(rig->session);
}

static int report_read(struct rig *rig, int64_t first_us, int64_t last_us)
{
	struct llrp_msg *m = rig_message(LLRP_RO_ACCESS_REPORT, 0);
	struct llrp_elem *tag = rig_report_tag(m, 7);

	llrp_set(llrp_add(tag, LLRP_P_FIRST_SEEN_UTC), "Microseconds", (uint64_t) first_us);
	llrp_set(llrp_add(tag, LLRP_P_LAST_SEEN_UTC), "Microseconds", (uint64_t) last_us);
	llrp_set(llrp_add(tag, LLRP_P_TAG_SEEN_COUNT), "TagCount", 3);
	return rig_feed_msg(rig, m);
}

static struct rfid_ledger ledger(const struct rig *rig)
{
	struct rfid_reader_stats stats;

	llrp_session_get_stats(rig->session, &stats);
	return stats.ledger;
}

static void our_running_inventory_is_left_alone_and_its_reports_are_taken(void **state)
{
	struct rfid_ledger l;
	struct rig rig;

	(void) state;
	run_and_lose(&rig);
	find_rospec(&rig, rig.rospec, 2, false);
	rig_expect(&rig, LLRP_ENABLE_EVENTS_AND_REPORTS);
	assert_int_equal(rig.sent.len, 0);
	assert_int_equal(rig.state, RFID_READER_RUNNING);
	/* Of the 20 s of absence the reader held all but the first 300 ms. */
	assert_int_equal(report_read(&rig, NOW_US + 5300 * US_PER_MS, NOW_US + 9 * US_PER_SEC), 0);
	assert_int_equal(report_read(&rig, rig.clock.now_real_us, rig.clock.now_real_us), 0);
	assert_int_equal(rig.n_reads, 2);
	assert_int_equal(rig.reads[0].last_us, NOW_US + 9 * US_PER_SEC);
	l = ledger(&rig);
	assert_int_equal(l.resumed, 1);
	assert_int_equal(l.reports, 2);
	assert_int_equal(l.reads, 6);
	assert_int_equal(l.handed_on, 2);
	assert_int_equal(l.held, 1);
	assert_int_equal(l.gaps, 1);
	assert_int_equal(l.last_gap.cause, RFID_GAP_CONNECTION);
	assert_int_equal(l.last_gap.from_us, NOW_US + 5 * US_PER_SEC);
	assert_int_equal(l.gaps_us, 300 * US_PER_MS);
	rig_done(&rig);
}

static void an_inventory_not_ours_not_alone_or_not_running_is_replaced(void **state)
{
	static const struct {
		uint32_t id_off;
		unsigned int rospec_state;
		bool another;
	} cases[] = {{1, 2, false}, {0, 1, false}, {0, 0, false}, {0, 2, true}};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rig rig;

		run_and_lose(&rig);
		find_rospec(&rig, rig.rospec + cases[i].id_off, cases[i].rospec_state,
			    cases[i].another);
		rig_expect(&rig, LLRP_DELETE_ROSPEC);
		/* What comes now is of nobody we know. */
		assert_int_equal(report_read(&rig, NOW_US, NOW_US), 0);
		assert_int_equal(rig.n_reads, 0);
		assert_int_equal(ledger(&rig).unclaimed, 1);
		assert_int_equal(ledger(&rig).resumed, 0);
		rig_done(&rig);
	}
}

static void another_configuration_is_another_inventory(void **state)
{
	const struct rfid_reader_config other = {.session = 2};
	struct rig a, b;

	(void) state;
	rig_init(&a, NULL);
	rig_bring_up_to_add(&a);
	rig_init(&b, &other);
	rig_bring_up_to_add(&b);
	assert_int_not_equal(a.rospec, b.rospec);
	rig_done(&a);
	rig_done(&b);
}

static void without_held_reports_the_gap_is_the_whole_absence(void **state)
{
	struct rfid_ledger l;
	struct rig rig;

	(void) state;
	run_and_lose(&rig);
	rig_bring_up(&rig);
	l = ledger(&rig);
	assert_int_equal(l.gaps, 1);
	assert_int_equal(l.last_gap.from_us, NOW_US + 5 * US_PER_SEC);
	assert_int_equal(l.last_gap.to_us, NOW_US + 25 * US_PER_SEC);
	assert_int_equal(l.held, 0);
	rig_done(&rig);
}

static void a_resumed_reader_that_held_nothing_shows_the_whole_absence(void **state)
{
	struct rig rig;

	(void) state;
	run_and_lose(&rig);
	find_rospec(&rig, rig.rospec, 2, false);
	assert_int_equal(rig_feed_msg(&rig, rig_message(LLRP_KEEPALIVE, 1)), 0);
	assert_int_equal(ledger(&rig).gaps, 0);
	clock_fake_advance(&rig.clock, LLRP_LEDGER_HELD_US);
	assert_int_equal(rig_feed_msg(&rig, rig_message(LLRP_KEEPALIVE, 2)), 0);
	assert_int_equal(ledger(&rig).gaps_us, 20 * US_PER_SEC);
	rig_done(&rig);
}

static void an_earlier_life_of_the_program_counts(void **state)
{
	const struct rfid_reader_config cfg = {.heard_until_us = NOW_US - 60 * US_PER_SEC};
	struct rig rig;

	(void) state;
	rig_init(&rig, &cfg);
	rig_bring_up(&rig);
	assert_int_equal(ledger(&rig).gaps, 1);
	assert_int_equal(ledger(&rig).gaps_us, 60 * US_PER_SEC);
	assert_int_equal(ledger(&rig).heard_until_us, NOW_US);
	rig_done(&rig);
}

static void an_overflow_is_a_gap_since_the_newest_read(void **state)
{
	struct rfid_ledger l;
	struct llrp_msg *m;
	struct rig rig;

	(void) state;
	rig_init(&rig, NULL);
	rig_bring_up(&rig);
	assert_int_equal(ledger(&rig).gaps, 0);
	assert_int_equal(report_read(&rig, NOW_US, NOW_US), 0);
	clock_fake_advance(&rig.clock, 3 * US_PER_SEC);
	m = rig_message(LLRP_READER_EVENT_NOTIFICATION, 0);
	llrp_add(rig_event_data(m, rig.clock.now_real_us),
		 LLRP_P_REPORT_BUFFER_OVERFLOW_ERROR_EVENT);
	assert_int_equal(rig_feed_msg(&rig, m), 0);
	l = ledger(&rig);
	assert_int_equal(l.overflows, 1);
	assert_int_equal(l.last_gap.cause, RFID_GAP_OVERFLOW);
	assert_int_equal(l.gaps_us, 3 * US_PER_SEC);
	assert_non_null(strstr(rig.incidents, "overflowed"));
	rig_done(&rig);
}

static void leaving_closes_and_touches_nothing_else(void **state)
{
	struct rig rig;

	(void) state;
	rig_init(&rig, NULL);
	rig_bring_up(&rig);
	assert_int_equal(llrp_session_leave(rig.session), 0);
	rig_expect(&rig, LLRP_CLOSE_CONNECTION);
	assert_int_equal(rig_reply(&rig, LLRP_CLOSE_CONNECTION_RESPONSE, 0, NULL), -ERR_CLOSED);
	assert_int_equal(rig.state, RFID_READER_IDLE);
	rig_done(&rig);
}

static void stopping_a_resumed_inventory_stops_it(void **state)
{
	struct rig rig;

	(void) state;
	run_and_lose(&rig);
	find_rospec(&rig, rig.rospec, 2, false);
	rig_expect(&rig, LLRP_ENABLE_EVENTS_AND_REPORTS);
	assert_int_equal(llrp_session_stop(rig.session), 0);
	assert_int_equal(llrp_get(rig_expect(&rig, LLRP_STOP_ROSPEC), "ROSpecID"), rig.rospec);
	rig_done(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reader_of_1_1_is_taken_at_its_word),
		cmocka_unit_test(a_reader_already_on_1_1_is_not_told_twice),
		cmocka_unit_test(a_reader_that_knows_only_1_0_1_gets_that),
		cmocka_unit_test(a_reader_that_hangs_up_on_the_question_is_not_asked_again),
		cmocka_unit_test(our_running_inventory_is_left_alone_and_its_reports_are_taken),
		cmocka_unit_test(an_inventory_not_ours_not_alone_or_not_running_is_replaced),
		cmocka_unit_test(another_configuration_is_another_inventory),
		cmocka_unit_test(without_held_reports_the_gap_is_the_whole_absence),
		cmocka_unit_test(a_resumed_reader_that_held_nothing_shows_the_whole_absence),
		cmocka_unit_test(an_earlier_life_of_the_program_counts),
		cmocka_unit_test(an_overflow_is_a_gap_since_the_newest_read),
		cmocka_unit_test(leaving_closes_and_touches_nothing_else),
		cmocka_unit_test(stopping_a_resumed_inventory_stops_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
