/* SPDX-License-Identifier: Apache-2.0 */
/* Labels of an OpenEPaperLink access point, hours of them in a moment: the product's engine against
 * a simulated access point with the weaknesses of a real one. */
#include "common/err.h"
#include "esl-radio/esl_ops.h"
#include "tests/sim/oepl_world.h"
#include "tests/unit/test_common.h"
#include <stdio.h>
#include <string.h>

#define HOUR 3600

static const struct sim_oepl_config five = {
	.name = "ap", .type = 0x01, .tags = 5, .seed = 7, .loss = 0.02};

static void want_all(struct oepl_world *w, unsigned int n, unsigned int first)
{
	for (unsigned int i = 0; i < n; i++)
		world_want(w, i, first + i, 0);
}

static unsigned int showing(struct oepl_world *w, unsigned int n, unsigned int first)
{
	unsigned int good = 0;

	for (unsigned int i = 0; i < n; i++)
		good += world_shows(w, i, first + i) && world_told(w, i, first + i);
	return good;
}

static void labels_that_call_are_told_of_and_joined_when_wanted(void **state)
{
	static struct oepl_world w;

	(void) state;
	world_start(&w, &five);
	world_run(&w, 180);
	for (unsigned int i = 0; i < 5; i++) {
		assert_true(w.told[i].seen > 0);
		assert_int_equal(w.told[i].associated, 0);
	}
	want_all(&w, 5, 10);
	world_run(&w, 10);
	for (unsigned int i = 0; i < 5; i++) {
		assert_int_equal(w.told[i].associated, 1);
		assert_int_equal(w.told[i].width, 296);
		assert_int_equal(w.told[i].height, 128);
		assert_int_equal(w.told[i].display_type, DISPLAY_RED_BLACK_WHITE);
	}
	assert_non_null(strstr(w.radio_text, "no encryption"));
	world_stop(&w);
}

static void a_picture_reaches_the_panel_bit_by_bit_on_every_kind_of_label(void **state)
{
	static const uint8_t types[] = {0x00, 0x01, 0x02, 0x33, 0x36, 0x60};
	static struct oepl_world w;

	(void) state;
	for (size_t k = 0; k < ARRAY_SIZE(types); k++) {
		struct sim_oepl_config cfg = five;

		cfg.type = types[k];
		world_start(&w, &cfg);
		want_all(&w, 5, 20);
		world_run(&w, 900);
		if (showing(&w, 5, 20) != 5)
			fail_msg("type %02x: %u of 5, error \"%s\"", types[k], showing(&w, 5, 20),
				 w.told[0].error);
		for (unsigned int i = 0; i < 5; i++)
			assert_int_equal(w.told[i].grade, ESL_GRADE_CONFIRMED);
		world_stop(&w);
	}
}

static void shown_is_never_said_before_it_is(void **state)
{
	static struct oepl_world w;

	(void) state;
	world_start(&w, &five);
	want_all(&w, 5, 20);
	for (unsigned int s = 0; s < 900; s++) {
		world_run(&w, 1);
		for (unsigned int i = 0; i < 5; i++) {
			struct sim_oepl_view v;

			if (!world_told(&w, i, 20 + i))
				continue;
			assert_true(world_shows(&w, i, 20 + i));
			sim_oepl_get(w.ap, i, &v);
			/* The instant told is one at which it was there, and not minutes later. */
			assert_true(w.told[i].shown_at_us >=
				    WORLD_UTC_US + v.shown_at_us - US_PER_SEC);
			assert_true(w.told[i].shown_at_us <=
				    WORLD_UTC_US + v.shown_at_us + 12 * US_PER_SEC);
		}
	}
	assert_int_equal(showing(&w, 5, 20), 5);
	world_stop(&w);
}

static void three_hundred_labels_are_found_past_the_page_that_begins_anew(void **state)
{
	static struct oepl_world w;
	struct sim_oepl_config cfg = five;
	struct sim_oepl_stats st;
	struct esl_stats engine;

	(void) state;
	cfg.tags = 300;
	world_start(&w, &cfg);
	world_run(&w, 120);
	want_all(&w, 300, 1000);
	world_run(&w, 2 * HOUR);
	assert_int_equal(showing(&w, 300, 1000), 300);
	sim_oepl_get_stats(w.ap, &st);
	esl_engine_get_stats(w.engine, &engine);
	assert_int_equal(engine.synced, 300);
	assert_int_equal(st.wraps, 0); /* it is never asked for what it cannot count */
	print_message("# 300 labels: %llu uploads, %llu transfers, %llu failed, %llu requests\n",
		      (unsigned long long) st.uploads, (unsigned long long) st.transfers,
		      (unsigned long long) st.failed, (unsigned long long) st.requests);
	world_stop(&w);
}

static void a_restart_in_the_middle_costs_time_and_nothing_else(void **state)
{
	static struct oepl_world w;
	struct sim_oepl_config cfg = five;

	(void) state;
	cfg.tags = 40;
	world_start(&w, &cfg);
	want_all(&w, 40, 100);
	world_run(&w, 60);
	sim_oepl_restart(w.ap, 20 * US_PER_SEC);
	world_run(&w, 60);
	assert_true(w.downs > 0);
	sim_oepl_restart(w.ap, 5 * US_PER_SEC);
	world_run(&w, HOUR);
	assert_int_equal(showing(&w, 40, 100), 40);
	assert_true(w.ups > 1);
	world_stop(&w);
}

static void a_lost_database_fills_again_and_nothing_is_believed_of_it(void **state)
{
	static struct oepl_world w;

	(void) state;
	world_start(&w, &five);
	want_all(&w, 5, 30);
	world_run(&w, 900);
	assert_int_equal(showing(&w, 5, 30), 5);
	sim_oepl_forget(w.ap);
	sim_oepl_restart(w.ap, 5 * US_PER_SEC);
	want_all(&w, 5, 40);
	world_run(&w, 1800);
	assert_int_equal(showing(&w, 5, 40), 5);
	world_stop(&w);
}

static void come_back_later_is_obeyed(void **state)
{
	static struct oepl_world w;
	struct sim_oepl_stats before, after;

	(void) state;
	world_start(&w, &five);
	world_run(&w, 60);
	sim_oepl_busy(w.ap, 300 * US_PER_SEC);
	sim_oepl_get_stats(w.ap, &before);
	want_all(&w, 5, 50);
	world_run(&w, 300);
	sim_oepl_get_stats(w.ap, &after);
	assert_true(after.refused > 0);
	assert_true(after.uploads - before.uploads < 12); /* it is not stormed */
	world_run(&w, 900);
	assert_int_equal(showing(&w, 5, 50), 5);
	world_stop(&w);
}

static void errors_of_the_server_are_waited_out(void **state)
{
	static struct oepl_world w;

	(void) state;
	world_start(&w, &five);
	world_run(&w, 60);
	sim_oepl_fail(w.ap, 120 * US_PER_SEC);
	want_all(&w, 5, 55);
	world_run(&w, 1200);
	assert_int_equal(showing(&w, 5, 55), 5);
	world_stop(&w);
}

static void noise_makes_no_labels(void **state)
{
	static struct oepl_world w;

	(void) state;
	world_start(&w, &five);
	world_run(&w, 60);
	sim_oepl_phantoms(w.ap, 200);
	world_run(&w, HOUR);
	assert_int_equal(w.strangers, 0);
	want_all(&w, 5, 60);
	world_run(&w, 900);
	assert_int_equal(showing(&w, 5, 60), 5);
	world_stop(&w);
}

static void a_picture_that_was_drawn_without_its_colour_is_taken_back(void **state)
{
	static struct oepl_world w;

	(void) state;
	world_start(&w, &five);
	world_run(&w, 60);
	sim_oepl_starve(w.ap, 1);
	world_want(&w, 0, 70, 0);
	world_run(&w, 1200);
	assert_true(world_shows(&w, 0, 70));
	assert_true(world_told(&w, 0, 70));
	world_stop(&w);
}

static void transfers_that_are_given_up_are_tried_again(void **state)
{
	static struct oepl_world w;

	(void) state;
	world_start(&w, &five);
	world_run(&w, 60);
	sim_oepl_break_transfers(w.ap, 3);
	want_all(&w, 5, 75);
	world_run(&w, 2 * HOUR);
	assert_int_equal(showing(&w, 5, 75), 5);
	world_stop(&w);
}

static void what_it_has_already_is_not_sent_again(void **state)
{
	static struct oepl_world w;
	struct sim_oepl_stats before, after;

	(void) state;
	world_start(&w, &five);
	want_all(&w, 5, 80);
	world_run(&w, 900);
	assert_int_equal(showing(&w, 5, 80), 5);
	sim_oepl_get_stats(w.ap, &before);
	/* Somebody who lost everything that he knew. */
	for (size_t i = 0; i < w.n_kept; i++)
		buf_clear(&w.kept[i].data);
	memset(w.told, 0, sizeof(w.told));
	world_kill(&w);
	want_all(&w, 5, 80);
	world_run(&w, 300);
	assert_int_equal(showing(&w, 5, 80), 5);
	sim_oepl_get_stats(w.ap, &after);
	assert_int_equal(after.uploads, before.uploads);
	world_stop(&w);
}

static void a_change_of_mind_replaces_what_waits(void **state)
{
	static struct oepl_world w;
	struct sim_oepl_view v;

	(void) state;
	world_start(&w, &five);
	world_want(&w, 0, 90, 0);
	world_run(&w, 600);
	assert_true(world_told(&w, 0, 90));
	sim_oepl_hide_tag(w.ap, 0, true);
	world_want(&w, 0, 91, 0);
	world_run(&w, 30);
	world_want(&w, 0, 92, 0);
	world_run(&w, 30);
	world_want(&w, 0, 93, 0);
	world_run(&w, 30);
	sim_oepl_hide_tag(w.ap, 0, false);
	sim_oepl_get(w.ap, 0, &v);

	uint64_t redraws = v.redraws;

	world_run(&w, 600);
	assert_true(world_shows(&w, 0, 93));
	assert_true(world_told(&w, 0, 93));
	sim_oepl_get(w.ap, 0, &v);
	assert_int_equal(v.redraws - redraws, 1); /* no old price on the way */
	world_stop(&w);
}

static void a_change_of_mind_back_to_what_is_shown_sends_nothing(void **state)
{
	static struct oepl_world w;
	struct sim_oepl_view v;

	(void) state;
	world_start(&w, &five);
	world_want(&w, 0, 94, 0);
	world_run(&w, 600);
	assert_true(world_told(&w, 0, 94));
	sim_oepl_get(w.ap, 0, &v);

	uint64_t redraws = v.redraws;

	sim_oepl_hide_tag(w.ap, 0, true);
	world_want(&w, 0, 95, 0);
	world_run(&w, 60);
	world_want(&w, 0, 94, 0);
	world_run(&w, 60);
	sim_oepl_hide_tag(w.ap, 0, false);
	world_run(&w, 900);
	assert_true(world_shows(&w, 0, 94));
	sim_oepl_get(w.ap, 0, &v);
	assert_int_equal(v.redraws, redraws);
	world_stop(&w);
}

static void the_next_price_comes_at_its_date_and_never_before(void **state)
{
	static struct oepl_world w;
	int64_t date_us;

	(void) state;
	world_start(&w, &five);
	world_run(&w, 120);
	date_us = world_utc(&w) + 1800 * US_PER_SEC;
	for (unsigned int i = 0; i < 5; i++)
		world_want_two(&w, i, 200 + i, 300 + i, date_us);
	while (world_utc(&w) < date_us) {
		world_run(&w, 1);
		for (unsigned int i = 0; i < 5; i++)
			assert_false(world_shows(&w, i, 300 + i));
	}
	assert_int_equal(showing(&w, 5, 200), 5);
	world_run(&w, 300);
	assert_int_equal(showing(&w, 5, 300), 5);
	world_stop(&w);
}

static void labels_that_sleep_long_are_handed_the_next_price_ahead(void **state)
{
	static struct oepl_world w;
	struct sim_oepl_config cfg = five;
	int64_t date_us;
	unsigned int ahead = 0;

	(void) state;
	cfg.sleep_s = 600;
	cfg.loss = 0;
	world_start(&w, &cfg);
	for (unsigned int i = 0; i < 5; i++)
		world_want(&w, i, 200 + i, 0);
	world_run(&w, HOUR);
	assert_int_equal(showing(&w, 5, 200), 5);
	date_us = world_utc(&w) + 2050 * US_PER_SEC;
	for (unsigned int i = 0; i < 5; i++)
		world_want_two(&w, i, 200 + i, 300 + i, date_us);
	while (world_utc(&w) < date_us) {
		world_run(&w, 1);
		for (unsigned int i = 0; i < 5; i++)
			assert_false(world_shows(&w, i, 300 + i));
	}
	for (unsigned int i = 0; i < 5; i++)
		ahead += w.told[i].sent_at_us > date_us - 900 * US_PER_SEC &&
			 w.told[i].sent_at_us < date_us;
	assert_true(ahead >= 3);
	world_run(&w, 1900);
	assert_int_equal(showing(&w, 5, 300), 5);
	world_stop(&w);
}

static void nothing_is_sent_long_before_its_date(void **state)
{
	static struct oepl_world w;
	struct esl_want want = {.n = 1};

	(void) state;
	world_start(&w, &five);
	world_addr(&w, 0, want.addr);
	world_picture(&w, 1, want.timeline[0].image);
	want.timeline[0].from_us = world_utc(&w) + 100000 * US_PER_SEC;
	assert_int_equal(esl_engine_want(w.engine, &want), 0);
	world_run(&w, HOUR);
	assert_int_equal(w.told[0].sent, 0);
	world_stop(&w);
}

static void a_kill_in_the_middle_loses_nothing(void **state)
{
	static struct oepl_world w;
	struct sim_oepl_config cfg = five;

	(void) state;
	cfg.tags = 30;
	world_start(&w, &cfg);
	for (unsigned int k = 0; k < 12; k++) {
		want_all(&w, 30, 400);
		world_run(&w, 17);
		world_kill(&w);
	}
	want_all(&w, 30, 400);
	world_run(&w, HOUR);
	assert_int_equal(showing(&w, 30, 400), 30);
	world_stop(&w);
}

static void a_label_that_restarted_gets_its_picture_again(void **state)
{
	static struct oepl_world w;

	(void) state;
	world_start(&w, &five);
	world_want(&w, 0, 96, 0);
	world_run(&w, 600);
	assert_true(world_told(&w, 0, 96));
	sim_oepl_restart_tag(w.ap, 0);
	assert_false(world_shows(&w, 0, 96));
	world_run(&w, 900);
	assert_true(world_shows(&w, 0, 96));
	assert_non_null(strstr(w.told[0].error, "restarted"));
	assert_true(w.told[0].shown >= 2);
	world_stop(&w);
}

static void a_silent_label_is_lost_and_found(void **state)
{
	static struct oepl_world w;

	(void) state;
	world_start(&w, &five);
	want_all(&w, 5, 97);
	world_run(&w, 600);
	sim_oepl_hide_tag(w.ap, 0, true);
	world_run(&w, HOUR);
	assert_int_equal(w.told[0].lost, 1);
	assert_int_equal(w.told[1].lost, 0);
	sim_oepl_hide_tag(w.ap, 0, false);
	world_want(&w, 0, 98, 0);
	world_run(&w, 600);
	assert_true(world_told(&w, 0, 98));
	world_stop(&w);
}

static void nonsense_in_the_feed_changes_nothing(void **state)
{
	static struct oepl_world w;

	(void) state;
	world_start(&w, &five);
	want_all(&w, 5, 110);
	for (unsigned int i = 0; i < 60; i++) {
		world_run(&w, 10);
		sim_oepl_babble(w.ap, 200000);
	}
	world_run(&w, 600);
	assert_int_equal(showing(&w, 5, 110), 5);
	world_stop(&w);
}

static void nobody_listens_all_the_time_where_that_keeps_labels_awake(void **state)
{
	static struct oepl_world w;
	struct sim_oepl_config cfg = five;
	struct sim_oepl_stats before, after;

	(void) state;
	cfg.stopsleep = true;
	world_start(&w, &cfg);
	want_all(&w, 5, 120);
	world_run(&w, 1200);
	assert_int_equal(showing(&w, 5, 120), 5);
	assert_true(w.listens > 0); /* while something was on its way */
	sim_oepl_get_stats(w.ap, &before);
	world_run(&w, HOUR);
	sim_oepl_get_stats(w.ap, &after);
	assert_int_equal(after.messages, before.messages);
	world_stop(&w);
}

static void labels_that_are_kept_awake_are_soon_confirmed(void **state)
{
	static struct oepl_world w;
	struct sim_oepl_config cfg = five;

	(void) state;
	cfg.stopsleep = true;
	cfg.type = 0x60;
	cfg.poll_s = 1;
	cfg.loss = 0;
	world_start(&w, &cfg);
	want_all(&w, 5, 160);
	world_run(&w, 60);
	assert_int_equal(showing(&w, 5, 160), 5);
	want_all(&w, 5, 170);
	world_run(&w, 45);
	assert_int_equal(showing(&w, 5, 170), 5);
	for (unsigned int i = 0; i < 5; i++)
		assert_int_equal(w.told[i].grade, ESL_GRADE_CONFIRMED);
	world_stop(&w);
}

static void flash(struct oepl_world *w, unsigned int i, unsigned int number, int64_t seconds)
{
	struct esl_want want = {.n = 1, .flash_colour = LED_GREEN};

	world_addr(w, i, want.addr);
	world_picture(w, number, want.timeline[0].image);
	want.flash_until_us = world_utc(w) + seconds * US_PER_SEC;
	assert_int_equal(esl_engine_want(w->engine, &want), 0);
}

static void a_label_with_a_light_blinks_when_it_calls(void **state)
{
	static struct oepl_world w;
	struct sim_oepl_config cfg = five;
	struct sim_oepl_view v;
	uint64_t shown;
	bool lit = false;

	(void) state;
	cfg.type = 0x33;
	cfg.loss = 0;
	world_start(&w, &cfg);
	want_all(&w, 5, 130);
	world_run(&w, 900);
	assert_int_equal(showing(&w, 5, 130), 5);
	shown = w.told[0].shown;
	flash(&w, 0, 130, 60);
	for (unsigned int s = 0; s < 60; s++) {
		world_run(&w, 1);
		sim_oepl_get(w.ap, 0, &v);
		lit |= v.led_colour == 0x1c;
	}
	assert_true(lit);
	assert_int_equal(w.told[0].led, ESL_LED_ON);
	/* Its record has the command where the picture was: that is no other picture. */
	world_run(&w, 900);
	assert_true(world_shows(&w, 0, 130));
	assert_int_equal(w.told[0].shown, shown);
	sim_oepl_get(w.ap, 0, &v);
	assert_int_equal(v.redraws, 1);
	world_stop(&w);
}

static void a_light_that_comes_too_late_is_said_to_have_failed(void **state)
{
	static struct oepl_world w;
	struct sim_oepl_config cfg = five;
	struct sim_oepl_view v;

	(void) state;
	cfg.type = 0x33;
	cfg.loss = 0;
	world_start(&w, &cfg);
	want_all(&w, 5, 130);
	world_run(&w, 900);
	sim_oepl_hide_tag(w.ap, 0, true);
	flash(&w, 0, 130, 30);
	world_run(&w, 120);
	assert_int_equal(w.told[0].led, ESL_LED_FAILED);
	assert_non_null(strstr(w.told[0].led_text, "did not call in time"));
	sim_oepl_hide_tag(w.ap, 0, false);
	for (unsigned int s = 0; s < 120; s++) {
		world_run(&w, 1);
		sim_oepl_get(w.ap, 0, &v);
		assert_int_equal(v.led_colour, 0);
	}
	world_stop(&w);
}

static void a_label_without_a_light_says_so(void **state)
{
	static struct oepl_world w;

	(void) state;
	world_start(&w, &five);
	want_all(&w, 5, 130);
	world_run(&w, 600);
	flash(&w, 0, 130, 60);
	world_run(&w, 10);
	assert_int_equal(w.told[0].led, ESL_LED_FAILED);
	world_stop(&w);
}

static void battery_temperature_and_signal_are_told(void **state)
{
	static struct oepl_world w;

	(void) state;
	world_start(&w, &five);
	want_all(&w, 5, 140);
	world_run(&w, 1200);
	assert_int_equal(w.told[2].battery_mv, 2950);
	assert_int_equal(w.told[2].temperature_cc, 2100);
	assert_int_equal(w.told[2].rssi_dbm, -62);
	world_stop(&w);
}

static void a_label_that_is_forgotten_has_nothing_queued(void **state)
{
	static struct oepl_world w;
	uint8_t addr[ESL_ADDR_BYTES];
	struct sim_oepl_stats st;

	(void) state;
	world_start(&w, &five);
	world_run(&w, 60);
	sim_oepl_hide_tag(w.ap, 0, true);
	world_want(&w, 0, 150, 0);
	world_run(&w, 30);
	sim_oepl_get_stats(w.ap, &st);
	assert_int_equal(st.pending, 1);
	world_addr(&w, 0, addr);
	esl_engine_forget(w.engine, addr);
	world_run(&w, 30);
	sim_oepl_get_stats(w.ap, &st);
	assert_int_equal(st.pending, 0);
	assert_int_equal(w.kept[0].data.len, 0);
	world_stop(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_that_call_are_told_of_and_joined_when_wanted),
		cmocka_unit_test(a_picture_reaches_the_panel_bit_by_bit_on_every_kind_of_label),
		cmocka_unit_test(shown_is_never_said_before_it_is),
		cmocka_unit_test(three_hundred_labels_are_found_past_the_page_that_begins_anew),
		cmocka_unit_test(a_restart_in_the_middle_costs_time_and_nothing_else),
		cmocka_unit_test(a_lost_database_fills_again_and_nothing_is_believed_of_it),
		cmocka_unit_test(come_back_later_is_obeyed),
		cmocka_unit_test(errors_of_the_server_are_waited_out),
		cmocka_unit_test(noise_makes_no_labels),
		cmocka_unit_test(a_picture_that_was_drawn_without_its_colour_is_taken_back),
		cmocka_unit_test(transfers_that_are_given_up_are_tried_again),
		cmocka_unit_test(what_it_has_already_is_not_sent_again),
		cmocka_unit_test(a_change_of_mind_replaces_what_waits),
		cmocka_unit_test(a_change_of_mind_back_to_what_is_shown_sends_nothing),
		cmocka_unit_test(the_next_price_comes_at_its_date_and_never_before),
		cmocka_unit_test(labels_that_sleep_long_are_handed_the_next_price_ahead),
		cmocka_unit_test(nothing_is_sent_long_before_its_date),
		cmocka_unit_test(a_kill_in_the_middle_loses_nothing),
		cmocka_unit_test(a_label_that_restarted_gets_its_picture_again),
		cmocka_unit_test(a_silent_label_is_lost_and_found),
		cmocka_unit_test(nonsense_in_the_feed_changes_nothing),
		cmocka_unit_test(nobody_listens_all_the_time_where_that_keeps_labels_awake),
		cmocka_unit_test(labels_that_are_kept_awake_are_soon_confirmed),
		cmocka_unit_test(a_label_with_a_light_blinks_when_it_calls),
		cmocka_unit_test(a_light_that_comes_too_late_is_said_to_have_failed),
		cmocka_unit_test(a_label_without_a_light_says_so),
		cmocka_unit_test(battery_temperature_and_signal_are_told),
		cmocka_unit_test(a_label_that_is_forgotten_has_nothing_queued),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
