/* SPDX-License-Identifier: Apache-2.0 */
/* Labels of an OpenEPaperLink access point, hours of them in a moment: the product's engine against
 * a simulated access point with the weaknesses of a real one. What the access point itself may do:
 * test_oepl_ap.c. */
#include "common/err.h"
#include "esl-radio/esl_ops.h"
#include "tests/sim/oepl_fixture.h"
#include <stdio.h>
#include <string.h>

static void labels_that_call_are_told_of_and_joined_when_wanted(void **state)
{
	(void) state;
	world_run(&w, 180);
	for (unsigned int i = 0; i < 5; i++) {
		assert_true(w.told[i].seen > 0);
		assert_int_equal(w.told[i].associated, 0);
	}
	world_want_all(&w, 5, 10);
	world_run(&w, 10);
	for (unsigned int i = 0; i < 5; i++) {
		assert_int_equal(w.told[i].associated, 1);
		assert_int_equal(w.told[i].width, 296);
		assert_int_equal(w.told[i].height, 128);
		assert_int_equal(w.told[i].display_type, DISPLAY_RED_BLACK_WHITE);
	}
	assert_non_null(strstr(w.radio_text, "no encryption"));
}

static void a_picture_reaches_the_panel_bit_by_bit_on_every_kind_of_label(void **state)
{
	static const uint8_t types[] = {0x00, 0x01, 0x02, 0x11, 0x12, 0x33,
					0x36, 0x60, 0xbb, 0xc0, 0xc1, 0xc2};

	(void) state;
	for (size_t k = 0; k < ARRAY_SIZE(types); k++) {
		struct sim_oepl_config cfg = five;

		cfg.type = types[k];
		world_start(&w, &cfg);
		world_want_all(&w, 5, 20);
		world_run(&w, 900);
		if (world_showing(&w, 5, 20) != 5)
			fail_msg("type %02x: %u of 5, error \"%s\"", types[k],
				 world_showing(&w, 5, 20), w.told[0].error);
		for (unsigned int i = 0; i < 5; i++)
			assert_int_equal(w.told[i].grade, ESL_GRADE_CONFIRMED);
		world_stop(&w);
	}
}

static void shown_is_never_said_before_it_is(void **state)
{
	(void) state;
	world_want_all(&w, 5, 20);
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
	assert_int_equal(world_showing(&w, 5, 20), 5);
}

static void what_it_has_already_is_not_sent_again(void **state)
{
	struct sim_oepl_stats before, after;

	(void) state;
	world_want_all(&w, 5, 80);
	world_run(&w, 900);
	assert_int_equal(world_showing(&w, 5, 80), 5);
	sim_oepl_get_stats(w.ap, &before);
	/* Somebody who lost everything that he knew. */
	for (size_t i = 0; i < w.n_kept; i++)
		buf_clear(&w.kept[i].data);
	memset(w.told, 0, sizeof(w.told));
	world_kill(&w);
	world_want_all(&w, 5, 80);
	world_run(&w, 300);
	assert_int_equal(world_showing(&w, 5, 80), 5);
	sim_oepl_get_stats(w.ap, &after);
	assert_int_equal(after.uploads, before.uploads);
}

static void a_change_of_mind_replaces_what_waits(void **state)
{
	struct sim_oepl_view v;

	(void) state;
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
}

static void a_change_of_mind_back_to_what_is_shown_sends_nothing(void **state)
{
	struct sim_oepl_view v;

	(void) state;
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
}

static void the_next_price_comes_at_its_date_and_never_before(void **state)
{
	int64_t date_us;

	(void) state;
	world_run(&w, 120);
	date_us = world_utc(&w) + 1800 * US_PER_SEC;
	for (unsigned int i = 0; i < 5; i++)
		world_want_two(&w, i, 200 + i, 300 + i, date_us);
	while (world_utc(&w) < date_us) {
		world_run(&w, 1);
		for (unsigned int i = 0; i < 5; i++)
			assert_false(world_shows(&w, i, 300 + i));
	}
	assert_int_equal(world_showing(&w, 5, 200), 5);
	world_run(&w, 300);
	assert_int_equal(world_showing(&w, 5, 300), 5);
}

static void labels_that_sleep_long_are_handed_the_next_price_ahead(void **state)
{
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
	assert_int_equal(world_showing(&w, 5, 200), 5);
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
	assert_int_equal(world_showing(&w, 5, 300), 5);
}

static void nothing_is_sent_long_before_its_date(void **state)
{
	struct esl_want want = {.n = 1};

	(void) state;
	world_addr(&w, 0, want.addr);
	world_picture(&w, 1, want.timeline[0].image);
	want.timeline[0].from_us = world_utc(&w) + 100000 * US_PER_SEC;
	assert_int_equal(esl_engine_want(w.engine, &want), 0);
	world_run(&w, HOUR);
	assert_int_equal(w.told[0].sent, 0);
}

static void a_kill_in_the_middle_loses_nothing(void **state)
{
	struct sim_oepl_config cfg = five;

	(void) state;
	cfg.tags = 30;
	world_start(&w, &cfg);
	for (unsigned int k = 0; k < 12; k++) {
		world_want_all(&w, 30, 400);
		world_run(&w, 17);
		world_kill(&w);
	}
	world_want_all(&w, 30, 400);
	world_run(&w, HOUR);
	assert_int_equal(world_showing(&w, 30, 400), 30);
}

static void a_label_that_restarted_gets_its_picture_again(void **state)
{
	(void) state;
	world_want(&w, 0, 96, 0);
	world_run(&w, 600);
	assert_true(world_told(&w, 0, 96));
	sim_oepl_restart_tag(w.ap, 0);
	assert_false(world_shows(&w, 0, 96));
	world_run(&w, 900);
	assert_true(world_shows(&w, 0, 96));
	assert_non_null(strstr(w.told[0].error, "restarted"));
	assert_true(w.told[0].shown >= 2);
}

static void a_silent_label_is_lost_and_found(void **state)
{
	(void) state;
	world_want_all(&w, 5, 97);
	world_run(&w, 600);
	sim_oepl_hide_tag(w.ap, 0, true);
	world_run(&w, HOUR);
	assert_int_equal(w.told[0].lost, 1);
	assert_int_equal(w.told[1].lost, 0);
	sim_oepl_hide_tag(w.ap, 0, false);
	world_want(&w, 0, 98, 0);
	world_run(&w, 600);
	assert_true(world_told(&w, 0, 98));
}

static void labels_that_are_kept_awake_are_soon_confirmed(void **state)
{
	struct sim_oepl_config cfg = five;

	(void) state;
	cfg.stopsleep = true;
	cfg.type = 0x60;
	cfg.poll_s = 1;
	cfg.loss = 0;
	world_start(&w, &cfg);
	world_want_all(&w, 5, 160);
	world_run(&w, 60);
	assert_int_equal(world_showing(&w, 5, 160), 5);
	world_want_all(&w, 5, 170);
	world_run(&w, 45);
	assert_int_equal(world_showing(&w, 5, 170), 5);
	for (unsigned int i = 0; i < 5; i++)
		assert_int_equal(w.told[i].grade, ESL_GRADE_CONFIRMED);
}

static void battery_temperature_and_signal_are_told(void **state)
{
	(void) state;
	world_want_all(&w, 5, 140);
	world_run(&w, 1200);
	assert_int_equal(w.told[2].battery_mv, 2950);
	assert_int_equal(w.told[2].temperature_cc, 2100);
	assert_int_equal(w.told[2].rssi_dbm, -62);
}

static void a_label_that_is_forgotten_has_nothing_queued(void **state)
{
	uint8_t addr[ESL_ADDR_BYTES];
	struct sim_oepl_stats st;

	(void) state;
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
}

static void an_answer_that_got_lost_is_asked_for_again(void **state)
{
	struct sim_oepl_config cfg = five;

	(void) state;
	cfg.type = 0x33; /* it takes compressed ones: what comes of them is not known beforehand */
	cfg.loss = 0;
	world_start(&w, &cfg);
	world_run(&w, 60);
	w.astray.path = "/getdata";
	w.astray.lose = 1;
	world_want(&w, 0, 180, 0);
	world_run(&w, 600);
	assert_true(world_shows(&w, 0, 180));
	assert_true(world_told(&w, 0, 180));
	assert_int_equal(w.astray.asked, 2);
	assert_int_equal(w.told[0].errors, 0);
}

static void an_access_point_that_clears_nothing_is_not_asked_for_ever(void **state)
{
	(void) state;
	world_run(&w, 60);
	sim_oepl_hide_tag(w.ap, 0, true);
	world_want(&w, 0, 190, 0);
	world_run(&w, 60);
	w.astray.path = "/tag_cmd";
	w.astray.fail = true;
	world_want(&w, 0, 191, 0); /* the first one is to be taken back */
	world_run(&w, 120);
	assert_in_range(w.astray.asked, 2, 10);
	w.astray.fail = false;
	sim_oepl_hide_tag(w.ap, 0, false);
	world_run(&w, 900);
	assert_true(world_shows(&w, 0, 191));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		five_labels(labels_that_call_are_told_of_and_joined_when_wanted),
		own_world(a_picture_reaches_the_panel_bit_by_bit_on_every_kind_of_label),
		five_labels(shown_is_never_said_before_it_is),
		five_labels(what_it_has_already_is_not_sent_again),
		five_labels(a_change_of_mind_replaces_what_waits),
		five_labels(a_change_of_mind_back_to_what_is_shown_sends_nothing),
		five_labels(the_next_price_comes_at_its_date_and_never_before),
		own_world(labels_that_sleep_long_are_handed_the_next_price_ahead),
		five_labels(nothing_is_sent_long_before_its_date),
		own_world(a_kill_in_the_middle_loses_nothing),
		five_labels(a_label_that_restarted_gets_its_picture_again),
		five_labels(a_silent_label_is_lost_and_found),
		own_world(labels_that_are_kept_awake_are_soon_confirmed),
		five_labels(battery_temperature_and_signal_are_told),
		five_labels(a_label_that_is_forgotten_has_nothing_queued),
		own_world(an_answer_that_got_lost_is_asked_for_again),
		five_labels(an_access_point_that_clears_nothing_is_not_asked_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
