/* SPDX-License-Identifier: Apache-2.0 */
/* What OpenEPaperLink access points do to the engine that drives them: they restart, forget,
 * refuse, draw something else, babble, hear noise, count in eight bits, and are several. */
#include "common/err.h"
#include "esl-radio/esl_ops.h"
#include "esl-radio/oepl/oepl.h"
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

static void a_lost_database_costs_labels_one_redraw_at_most(void **state)
{
	(void) state;
	world_want_all(&w, 5, 30);
	world_run(&w, 900);
	assert_int_equal(world_showing(&w, 5, 30), 5);
	sim_oepl_forget(w.ap);
	sim_oepl_restart(w.ap, 5 * US_PER_SEC);
	world_run(&w, HOUR);
	assert_int_equal(world_showing(&w, 5, 30), 5);
	for (unsigned int i = 0; i < 5; i++)
		assert_true(uploads_of(i) <= 2);
}

static void one_that_panics_every_few_minutes_gets_there_all_the_same(void **state)
{
	struct sim_oepl_config cfg = five;

	(void) state;
	cfg.tags = 30;
	world_start(&w, &cfg);
	world_run(&w, 60);
	world_want_all(&w, 30, 500);
	for (unsigned int i = 0; i < 12; i++) {
		world_run(&w, 180);
		sim_oepl_restart(w.ap, 8 * US_PER_SEC);
	}
	world_run(&w, 1200);
	assert_int_equal(world_showing(&w, 30, 500), 30);
}

static void a_mode_that_reverts_after_an_upload_is_set_again(void **state)
{
	(void) state;
	world_run(&w, 60);
	sim_oepl_revert(w.ap, 2);
	world_want_all(&w, 5, 510);
	world_run(&w, 1200);
	assert_int_equal(world_showing(&w, 5, 510), 5);
}

static void nothing_is_sent_through_one_that_prints_the_time_on_it(void **state)
{
	struct sim_oepl_stats st;

	(void) state;
	sim_oepl_stamp(w.ap, true);
	world_run(&w, 60);
	world_want_all(&w, 5, 520);
	world_run(&w, 600);
	sim_oepl_get_stats(w.ap, &st);
	assert_int_equal(st.uploads, 0);
	assert_non_null(strstr(w.radio_text, "prints the time"));
	assert_non_null(strstr(w.told[0].error, "prints the time"));
	sim_oepl_stamp(w.ap, false);
	world_run(&w, 1800);
	assert_int_equal(world_showing(&w, 5, 520), 5);
}

static void a_stamp_that_came_on_in_between_is_noticed_in_the_picture(void **state)
{
	(void) state;
	world_run(&w, 60);
	sim_oepl_stamp(w.ap, true); /* its configuration is asked for every ten minutes */
	world_want(&w, 0, 530, 0);
	world_run(&w, 60);
	assert_false(world_told(&w, 0, 530));
	sim_oepl_stamp(w.ap, false);
	world_run(&w, 2 * HOUR);
	assert_true(world_told(&w, 0, 530) && world_shows(&w, 0, 530));
}

static void full_storage_is_told_and_waited_out(void **state)
{
	struct esl_radio_view v;

	(void) state;
	world_want_all(&w, 5, 10);
	sim_oepl_set_memory(w.ap, 120000, 20000);
	world_run(&w, 60);
	assert_non_null(strstr(w.radio_text, "storage is full"));
	esl_engine_get_view(w.engine, &v);
	assert_int_equal(v.stations[0].storage_bytes, 20000);
	sim_oepl_set_memory(w.ap, 120000, 4000000);
	world_want_all(&w, 5, 20);
	world_run(&w, 900);
	assert_null(strstr(w.radio_text, "storage is full"));
	assert_int_equal(world_showing(&w, 5, 20), 5);
}

static void one_short_of_memory_is_sent_nothing_until_it_has_some(void **state)
{
	struct sim_oepl_config cfg = five;
	struct sim_oepl_stats before, after;

	(void) state;
	cfg.stopsleep = false; /* so that its feed is always heard */
	world_start(&w, &cfg);
	world_run(&w, 60);
	sim_oepl_set_memory(w.ap, 9000, 4000000);
	world_run(&w, 10);
	sim_oepl_get_stats(w.ap, &before);
	world_want_all(&w, 5, 540);
	world_run(&w, 300);
	sim_oepl_get_stats(w.ap, &after);
	assert_int_equal(after.uploads, before.uploads);
	sim_oepl_set_memory(w.ap, 120000, 4000000);
	world_run(&w, 900);
	assert_int_equal(world_showing(&w, 5, 540), 5);
}

static void the_view_of_it_is_what_it_says_of_itself(void **state)
{
	struct esl_radio_view v;
	const struct esl_station *s = &v.stations[0];

	(void) state;
	sim_oepl_set_battery(w.ap, 1, 2300);
	sim_oepl_set_battery(w.ap, 2, 1337); /* has none */
	world_want_all(&w, 5, 10);
	world_run(&w, 600);
	sim_oepl_hide_tag(w.ap, 3, true);
	sim_oepl_sleep_tag(w.ap, 4);
	world_run(&w, HOUR);
	esl_engine_get_view(w.engine, &v);
	assert_int_equal(v.n_stations, 1);
	assert_true(s->up);
	assert_string_equal(s->address, "http://ap");
	assert_string_equal(s->name, "ap");
	assert_string_equal(s->state, "online");
	assert_string_equal(s->version, "2.80 simulated");
	assert_int_equal(s->channel, 11);
	assert_int_equal(s->tags, 5);
	assert_int_equal(s->serves, 5);
	assert_int_equal(s->queued, 0);
	assert_int_equal(s->heap_bytes, 120000);
	assert_int_equal(s->storage_bytes, 4000000);
	assert_int_equal(s->wifi_dbm, -50);
	assert_int_equal(s->low_batteries, 1);
	assert_int_equal(s->timeouts, 2);
	assert_true(s->uptime_s > 0);
	assert_int_equal(v.lost, 2);
	assert_int_equal(w.told[1].battery_mv, 2300);
	assert_int_equal(w.told[2].battery_mv, 0);
	assert_non_null(strstr(w.told[4].lost_text, "deep sleep"));
	assert_non_null(strstr(w.told[3].lost_text, "stopped calling"));
}

static void a_label_in_deep_sleep_is_found_when_it_wakes(void **state)
{
	(void) state;
	world_want_all(&w, 5, 10);
	world_run(&w, 600);
	sim_oepl_sleep_tag(w.ap, 0);
	world_run(&w, 300);
	assert_int_equal(w.told[0].lost, 1);
	world_want(&w, 0, 99, 0);
	world_run(&w, HOUR);
	assert_false(world_shows(&w, 0, 99));
	sim_oepl_hide_tag(w.ap, 0, false);
	world_run(&w, 900);
	assert_true(world_told(&w, 0, 99) && world_shows(&w, 0, 99));
}

/* --- several ---------------------------------------------------------------------------------- */

/** Three access points with four labels each: 0 to 3, 4 to 7, 8 to 11. */
static void start_three(bool friends)
{
	struct sim_oepl_config cfg = five;

	cfg.tags = 4;
	cfg.loss = 0;
	world_start_many(&w, &cfg, 3);
	if (!friends)
		return;
	sim_oepl_befriend(w.ap, w.others[0]);
	sim_oepl_befriend(w.ap, w.others[1]);
	sim_oepl_befriend(w.others[0], w.others[1]);
}

static uint64_t all_uploads(void)
{
	struct sim_oepl_stats one;
	uint64_t n;

	sim_oepl_get_stats(w.ap, &one);
	n = one.uploads;
	for (size_t i = 0; i < w.n_others; i++) {
		sim_oepl_get_stats(w.others[i], &one);
		n += one.uploads;
	}
	return n;
}

static void each_label_is_served_by_the_access_point_that_hears_it(void **state)
{
	(void) state;
	for (int friends = 0; friends < 2; friends++) {
		struct esl_radio_view v;
		struct esl_stats st;

		start_three(friends);
		world_run(&w, 120);
		world_want_all(&w, 12, 10);
		world_run(&w, 900);
		assert_int_equal(world_showing(&w, 12, 10), 12);
		assert_int_equal(all_uploads(), 12);
		esl_engine_get_stats(w.engine, &st);
		assert_int_equal(st.labels, 12);
		assert_int_equal(st.synced, 12);
		esl_engine_get_view(w.engine, &v);
		assert_int_equal(v.n_stations, 3);
		for (size_t i = 0; i < 3; i++) {
			assert_true(v.stations[i].up);
			assert_int_equal(v.stations[i].serves, 4);
			/* Friends show each other's. */
			assert_int_equal(v.stations[i].tags, friends ? 12 : 4);
		}
		world_stop(&w);
	}
}

static void a_label_that_is_carried_about_is_one_label(void **state)
{
	(void) state;
	for (int friends = 0; friends < 2; friends++) {
		struct esl_stats st;

		start_three(friends);
		world_run(&w, 120);
		world_want_all(&w, 12, 10);
		world_run(&w, 900);
		assert_true(sim_oepl_move_tag(w.ap, 0, w.others[0]) >= 0);
		assert_true(sim_oepl_move_tag(w.others[1], 3, w.ap) >= 0);
		world_run(&w, 900);
		/* It shows what it showed: there is nothing to send. */
		assert_int_equal(world_showing(&w, 12, 10), 12);
		assert_int_equal(all_uploads(), 12);
		assert_int_equal(w.told[0].errors + w.told[11].errors, 0);
		world_want_all(&w, 12, 40);
		world_run(&w, 900);
		assert_int_equal(world_showing(&w, 12, 40), 12);
		assert_int_equal(all_uploads(), 24);
		esl_engine_get_stats(w.engine, &st);
		assert_int_equal(st.labels, 12);
		world_stop(&w);
	}
}

static void what_waits_where_a_label_was_is_taken_back(void **state)
{
	for (int killed = 0; killed < 2; killed++) {
		struct sim_oepl_view v;
		struct sim_oepl_stats st;
		uint64_t redraws;
		int there;

		(void) state;
		start_three(false);
		world_run(&w, 120);
		world_want_all(&w, 12, 10);
		world_run(&w, 600);
		sim_oepl_hide_tag(w.ap, 0, true);
		world_want(&w, 0, 70, 0);
		world_run(&w, 30);
		sim_oepl_get_stats(w.ap, &st);
		assert_int_equal(st.pending, 1);
		sim_oepl_hide_tag(w.ap, 0, false);
		if (killed)
			world_kill(&w);
		there = sim_oepl_move_tag(w.ap, 0, w.others[0]);
		assert_true(there >= 0);
		if (killed)
			world_want_all(&w, 12, 10);
		world_want(&w, 0, 70, 0);
		world_run(&w, 900);
		assert_true(world_shows(&w, 0, 70) && world_told(&w, 0, 70));
		sim_oepl_get_stats(w.ap, &st);
		assert_int_equal(st.pending, 0);
		/* Back again: no old picture waits for it. */
		world_want(&w, 0, 71, 0);
		world_run(&w, 600);
		world_view(&w, 0, &v);
		redraws = v.redraws;
		assert_true(sim_oepl_move_tag(w.others[0], (unsigned int) there, w.ap) >= 0);
		world_run(&w, 900);
		assert_true(world_shows(&w, 0, 71));
		world_view(&w, 0, &v);
		assert_int_equal(v.redraws, redraws);
		world_stop(&w);
	}
}

static void what_was_taken_for_a_label_that_moved_is_remembered(void **state)
{
	uint8_t addr[ESL_ADDR_BYTES];
	struct oepl *o;

	(void) state;
	start_three(false);
	world_run(&w, 120);
	o = (struct oepl *) (void *) w.engine;
	world_addr(&w, 0, addr);
	world_want(&w, 0, 70, 0);
	for (int ms = 0; ms < 5000 && o->aps[0].job != OEPL_JOB_UPLOAD; ms++)
		loop_run_until(w.loop, oepl_now(o) + US_PER_MS);
	assert_int_equal(o->aps[0].job, OEPL_JOB_UPLOAD);
	oepl_find(o, addr)->ap = &o->aps[1]; /* it has called there meanwhile */
	loop_run_until(w.loop, oepl_now(o) + w.latency_us);
	world_kill(&w);
	o = (struct oepl *) (void *) w.engine;
	assert_int_equal(oepl_find(o, addr)->stale, 1); /* to be taken back from the first */
}

static void one_that_falls_silent_is_named_and_the_others_go_on(void **state)
{
	struct esl_radio_view v;

	(void) state;
	start_three(true);
	world_run(&w, 120);
	sim_oepl_restart(w.others[1], 2 * HOUR * US_PER_SEC);
	world_run(&w, 60);
	assert_non_null(strstr(w.radio_text, "http://ap3: The access point does not answer."));
	assert_int_equal(w.downs, 0); /* the radio as a whole works */
	world_want_all(&w, 12, 10);
	world_run(&w, 900);
	assert_int_equal(world_showing(&w, 8, 10), 8);
	esl_engine_get_view(w.engine, &v);
	assert_true(v.stations[0].up && v.stations[1].up && !v.stations[2].up);
	assert_string_equal(v.stations[2].state, "The access point does not answer.");
	world_run(&w, 2 * HOUR);
	assert_int_equal(world_showing(&w, 12, 10), 12);
}

static void a_label_of_a_neighbour_that_is_not_ours_is_not_driven(void **state)
{
	struct sim_oepl_config cfg = five;
	struct sim_oepl *stranger;
	struct sim_oepl_stats st;

	(void) state;
	cfg.loss = 0;
	world_start(&w, &cfg);
	cfg.name = "stranger";
	cfg.index = 7;
	assert_int_equal(sim_oepl_new(w.loop, &cfg, &stranger), 0);
	sim_oepl_befriend(w.ap, stranger);
	world_run(&w, 300);
	assert_int_equal(w.strangers, 0);
	world_want_all(&w, 5, 10);
	world_run(&w, 600);
	assert_true(sim_oepl_move_tag(w.ap, 0, stranger) >= 0);
	world_run(&w, 300);
	world_want(&w, 1, 60, 0);
	{
		struct esl_want want = {.n = 1};

		world_addr(&w, 0, want.addr);
		world_picture(&w, 60, want.timeline[0].image);
		assert_int_equal(esl_engine_want(w.engine, &want), 0);
	}
	world_run(&w, 900);
	assert_non_null(strstr(w.told[0].error, "does not drive"));
	sim_oepl_get_stats(stranger, &st);
	assert_int_equal(st.uploads, 0);
	sim_oepl_free(stranger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		own_world(three_hundred_labels_are_found_past_the_page_that_begins_anew),
		own_world(every_wish_is_sent_once_where_nothing_is_lost),
		five_labels(a_lost_database_costs_labels_one_redraw_at_most),
		own_world(one_that_panics_every_few_minutes_gets_there_all_the_same),
		five_labels(a_mode_that_reverts_after_an_upload_is_set_again),
		five_labels(nothing_is_sent_through_one_that_prints_the_time_on_it),
		five_labels(a_stamp_that_came_on_in_between_is_noticed_in_the_picture),
		five_labels(full_storage_is_told_and_waited_out),
		own_world(one_short_of_memory_is_sent_nothing_until_it_has_some),
		five_labels(the_view_of_it_is_what_it_says_of_itself),
		five_labels(a_label_in_deep_sleep_is_found_when_it_wakes),
		own_world(each_label_is_served_by_the_access_point_that_hears_it),
		own_world(a_label_that_is_carried_about_is_one_label),
		own_world(what_waits_where_a_label_was_is_taken_back),
		own_world(what_was_taken_for_a_label_that_moved_is_remembered),
		own_world(one_that_falls_silent_is_named_and_the_others_go_on),
		own_world(a_label_of_a_neighbour_that_is_not_ours_is_not_driven),
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
