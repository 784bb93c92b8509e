/* SPDX-License-Identifier: Apache-2.0 */
/* What OpenEPaperLink access points do to the engine that drives them: they restart, forget,
 * refuse, draw something else, babble, hear noise, count in eight bits, and are several. */
#include "common/err.h"
#include "esl-radio/esl_ops.h"
#include "tests/sim/oepl_fixture.h"
#include <stdio.h>
#include <string.h>

static uint64_t uploads_of(unsigned int i)
{
	struct sim_oepl_view v;

	sim_oepl_get(w.ap, i, &v);
	return v.uploads;
}

static void three_hundred_labels_are_found_past_the_page_that_begins_anew(void **state)
{
	struct sim_oepl_config cfg = five;
	struct sim_oepl_stats st;
	struct esl_stats engine;

	(void) state;
	cfg.tags = 300;
	world_start(&w, &cfg);
	world_run(&w, 120);
	world_want_all(&w, 300, 1000);
	world_run(&w, 2 * HOUR);
	assert_int_equal(world_showing(&w, 300, 1000), 300);
	/* Most of them wait for half an hour until its radio has time for them: that is no fault.
	 */
	for (unsigned int i = 0; i < 300; i++)
		assert_int_equal(uploads_of(i), 1);
	sim_oepl_get_stats(w.ap, &st);
	esl_engine_get_stats(w.engine, &engine);
	assert_int_equal(engine.synced, 300);
	assert_int_equal(st.wraps, 0); /* it is never asked for what it cannot count */
	print_message("# 300 labels: %llu uploads, %llu transfers, %llu failed, %llu requests\n",
		      (unsigned long long) st.uploads, (unsigned long long) st.transfers,
		      (unsigned long long) st.failed, (unsigned long long) st.requests);
}

static void every_wish_is_sent_once_where_nothing_is_lost(void **state)
{
	struct sim_oepl_config cfg = five;

	(void) state;
	cfg.tags = 40;
	cfg.loss = 0;
	cfg.stopsleep = true;
	world_start(&w, &cfg);
	for (unsigned int wish = 1; wish <= 4; wish++) {
		world_want_all(&w, 40, 100 * wish);
		world_run(&w, 1200);
		assert_int_equal(world_showing(&w, 40, 100 * wish), 40);
		for (unsigned int i = 0; i < 40; i++)
			assert_int_equal(uploads_of(i), wish);
	}
}

static void a_restart_in_the_middle_costs_time_and_nothing_else(void **state)
{
	struct sim_oepl_config cfg = five;

	(void) state;
	cfg.tags = 40;
	world_start(&w, &cfg);
	world_want_all(&w, 40, 100);
	world_run(&w, 60);
	sim_oepl_restart(w.ap, 20 * US_PER_SEC);
	world_run(&w, 60);
	assert_true(w.downs > 0);
	sim_oepl_restart(w.ap, 5 * US_PER_SEC);
	world_run(&w, HOUR);
	assert_int_equal(world_showing(&w, 40, 100), 40);
	assert_true(w.ups > 1);
}

static void a_lost_database_fills_again_and_nothing_is_believed_of_it(void **state)
{
	(void) state;
	world_want_all(&w, 5, 30);
	world_run(&w, 900);
	assert_int_equal(world_showing(&w, 5, 30), 5);
	sim_oepl_forget(w.ap);
	sim_oepl_restart(w.ap, 5 * US_PER_SEC);
	world_want_all(&w, 5, 40);
	world_run(&w, 1800);
	assert_int_equal(world_showing(&w, 5, 40), 5);
}

static void come_back_later_is_obeyed(void **state)
{
	struct sim_oepl_stats before, after;

	(void) state;
	world_run(&w, 60);
	sim_oepl_busy(w.ap, 300 * US_PER_SEC);
	sim_oepl_get_stats(w.ap, &before);
	world_want_all(&w, 5, 50);
	world_run(&w, 300);
	sim_oepl_get_stats(w.ap, &after);
	assert_true(after.refused > 0);
	assert_true(after.uploads - before.uploads < 12); /* it is not stormed */
	world_run(&w, 900);
	assert_int_equal(world_showing(&w, 5, 50), 5);
}

static void errors_of_the_server_are_waited_out(void **state)
{
	(void) state;
	world_run(&w, 60);
	sim_oepl_fail(w.ap, 120 * US_PER_SEC);
	world_want_all(&w, 5, 55);
	world_run(&w, 1200);
	assert_int_equal(world_showing(&w, 5, 55), 5);
}

static void noise_makes_no_labels(void **state)
{
	(void) state;
	world_run(&w, 60);
	sim_oepl_phantoms(w.ap, 200);
	world_run(&w, HOUR);
	assert_int_equal(w.strangers, 0);
	world_want_all(&w, 5, 60);
	world_run(&w, 900);
	assert_int_equal(world_showing(&w, 5, 60), 5);
}

static void a_picture_that_was_drawn_without_its_colour_is_taken_back(void **state)
{
	(void) state;
	world_run(&w, 60);
	sim_oepl_starve(w.ap, 1);
	world_want(&w, 0, 70, 0);
	world_run(&w, 1200);
	assert_true(world_shows(&w, 0, 70));
	assert_true(world_told(&w, 0, 70));
}

static void transfers_that_are_given_up_are_tried_again(void **state)
{
	(void) state;
	world_run(&w, 60);
	sim_oepl_break_transfers(w.ap, 3);
	world_want_all(&w, 5, 75);
	world_run(&w, 2 * HOUR);
	assert_int_equal(world_showing(&w, 5, 75), 5);
}

static void nonsense_in_the_feed_changes_nothing(void **state)
{
	(void) state;
	world_want_all(&w, 5, 110);
	for (unsigned int i = 0; i < 60; i++) {
		world_run(&w, 10);
		sim_oepl_babble(w.ap, 200000);
	}
	world_run(&w, 600);
	assert_int_equal(world_showing(&w, 5, 110), 5);
}

static void nobody_listens_all_the_time_where_that_keeps_labels_awake(void **state)
{
	struct sim_oepl_config cfg = five;
	struct sim_oepl_stats before, after;

	(void) state;
	cfg.stopsleep = true;
	world_start(&w, &cfg);
	world_want_all(&w, 5, 120);
	world_run(&w, 1200);
	assert_int_equal(world_showing(&w, 5, 120), 5);
	assert_true(w.listens > 0); /* while something was on its way */
	sim_oepl_get_stats(w.ap, &before);
	world_run(&w, HOUR);
	sim_oepl_get_stats(w.ap, &after);
	assert_int_equal(after.messages, before.messages);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		own_world(three_hundred_labels_are_found_past_the_page_that_begins_anew),
		own_world(every_wish_is_sent_once_where_nothing_is_lost),
		own_world(a_restart_in_the_middle_costs_time_and_nothing_else),
		five_labels(a_lost_database_fills_again_and_nothing_is_believed_of_it),
		five_labels(come_back_later_is_obeyed),
		five_labels(errors_of_the_server_are_waited_out),
		five_labels(noise_makes_no_labels),
		five_labels(a_picture_that_was_drawn_without_its_colour_is_taken_back),
		five_labels(transfers_that_are_given_up_are_tried_again),
		five_labels(nonsense_in_the_feed_changes_nothing),
		own_world(nobody_listens_all_the_time_where_that_keeps_labels_awake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
