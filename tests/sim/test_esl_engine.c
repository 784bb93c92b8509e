/* SPDX-License-Identifier: Apache-2.0 */
/* The label engine in a simulated shop, in virtual time: each test is a thing that happens to
 * shops. */
#include "common/err.h"
#include "tests/sim/esl_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MINUTE (INT64_C(60) * US_PER_SEC)

static struct world w;

static struct sim_label_model small_label(enum sim_personality p)
{
	return (struct sim_label_model){
		.width = 64,
		.height = 32,
		.type = DISPLAY_BLACK_WHITE,
		.slots = 2,
		.personality = p,
		.redraw_us = 800 * US_PER_MS,
	};
}

static void open_shop(unsigned int labels, enum sim_personality p, double loss)
{
	struct sim_label_model m = small_label(p);

	world_open(&w, labels, &m, loss, 11);
	world_adopt_all(&w);
}

static void show(unsigned int i, uint32_t picture)
{
	world_show(&w, i, picture);
}

static void reports_come_in_order(void **state)
{
	size_t mark;
	const struct esl_report *staged, *sent, *shown;

	(void) state;
	open_shop(3, SIM_PERSONALITY_SL, 0);
	mark = world_mark(&w);
	show(1, 5);
	staged = world_find(&w, mark, 1, ESL_STAGED, 5);
	sent = world_find(&w, mark, 1, ESL_SENT, 5);
	shown = world_find(&w, mark, 1, ESL_SHOWN, 5);
	assert_non_null(staged);
	assert_non_null(sent);
	assert_non_null(shown);
	assert_true(staged < sent && sent < shown);
	assert_int_equal(shown->grade, ESL_GRADE_ACKNOWLEDGED);
	assert_int_equal(shown[1].grade, ESL_GRADE_CONFIRMED);
	assert_int_equal(shown[1].at_us, shown->at_us);
	world_close(&w);
}

static void association_carries_display_and_keys(void **state)
{
	const struct esl_report *r;

	(void) state;
	open_shop(2, SIM_PERSONALITY_SL, 0);
	r = world_find(&w, 0, 1, ESL_ASSOCIATED, 0);
	assert_non_null(r);
	assert_int_equal(r->width, 64);
	assert_int_equal(r->slots, 2);
	assert_true(r->has_keys);
	assert_true(r->battery_mv > 0);
	/* Labels are spread over the subevents. */
	assert_true(world_find(&w, 0, 0, ESL_ASSOCIATED, 0)->group != r->group);
	world_close(&w);
}

static void every_label_is_reached_under_heavy_loss(void **state)
{
	(void) state;
	open_shop(30, SIM_PERSONALITY_NRF, 0.25);
	for (unsigned int i = 0; i < 30; i++)
		world_want(&w, i, i + 1);
	world_run(&w, 5 * MINUTE);
	for (unsigned int i = 0; i < 30; i++) {
		assert_true(world_shows(&w, i, i + 1));
		assert_non_null(world_find(&w, 0, i, ESL_SHOWN, i + 1));
	}
	world_close(&w);
}

static void check_timed_flip(enum sim_personality p)
{
	int64_t at_utc;
	struct sim_label_view v;
	const struct esl_report *r;
	unsigned int redraws;
	size_t mark;

	open_shop(4, p, 0.05);
	show(2, 1);
	at_utc = world_utc(&w) + 10 * MINUTE;
	mark = world_mark(&w);
	world_want_two(&w, 2, 1, 2, at_utc);
	world_run(&w, MINUTE);
	assert_non_null(world_find(&w, mark, 2, ESL_STAGED, 2));
	assert_non_null(world_find(&w, mark, 2, ESL_SENT, 2));
	v = world_view(&w, 2);
	assert_true(v.pending_display);
	redraws = v.redraws; /* one for every time it was told, should an answer be lost */
	world_run(&w, at_utc - world_utc(&w) - US_PER_SEC);
	assert_true(world_shows(&w, 2, 1));
	assert_null(world_find(&w, mark, 2, ESL_SHOWN, 2));
	world_run(&w, 20 * US_PER_SEC);
	assert_true(world_shows(&w, 2, 2));
	v = world_view(&w, 2);
	/* What the writing of its clock took is known, but for one connection event. */
	assert_in_range(v.redraw_started_us - WORLD_START + WORLD_UTC, at_utc - 30 * US_PER_MS,
			at_utc + 30 * US_PER_MS);
	r = world_find(&w, mark, 2, ESL_SHOWN, 2);
	assert_non_null(r);
	assert_in_range(r->at_us, at_utc + ESL_REDRAW_BW_US - US_PER_MS,
			at_utc + ESL_REDRAW_BW_US + US_PER_MS);
	assert_true(world_await(&w, mark, 2, ESL_SHOWN, ESL_GRADE_CONFIRMED, 2, MINUTE) >= 0);
	assert_int_equal(world_view(&w, 2).redraws, redraws + 1);
	world_close(&w);
}

static void timed_flip_happens_at_its_instant(void **state)
{
	(void) state;
	check_timed_flip(SIM_PERSONALITY_SL);
	check_timed_flip(SIM_PERSONALITY_NRF);
}

static void check_moved_promotion(enum sim_personality p)
{
	int64_t first, second;

	open_shop(2, p, 0.02);
	show(0, 1);
	first = world_utc(&w) + 5 * MINUTE;
	second = first + 5 * MINUTE;
	world_want_two(&w, 0, 1, 2, first);
	world_run(&w, MINUTE);
	assert_true(world_view(&w, 0).pending_display);
	world_want_two(&w, 0, 1, 2, second); /* a different instant while one is pending */
	world_run(&w, first + MINUTE - world_utc(&w));
	assert_true(world_shows(&w, 0, 1));
	world_run(&w, second + 10 * US_PER_SEC - world_utc(&w));
	assert_true(world_shows(&w, 0, 2));
	/* And one that is called off altogether. */
	world_want_two(&w, 0, 2, 3, world_utc(&w) + 2 * MINUTE);
	world_run(&w, MINUTE);
	assert_true(world_view(&w, 0).pending_display);
	world_want(&w, 0, 2);
	world_run(&w, 3 * MINUTE);
	assert_true(world_shows(&w, 0, 2));
	assert_false(world_view(&w, 0).pending_display);
	world_close(&w);
}

static void promotion_can_be_moved_and_called_off(void **state)
{
	(void) state;
	check_moved_promotion(SIM_PERSONALITY_SL);
	check_moved_promotion(SIM_PERSONALITY_NRF);
}

static void newer_wish_drops_the_stale_one(void **state)
{
	size_t mark;

	(void) state;
	open_shop(2, SIM_PERSONALITY_SL, 0.02);
	show(0, 1);
	mark = world_mark(&w);
	for (uint32_t n = 2; n < 40; n++) {
		world_want(&w, 0, n);
		world_run(&w, 310 * US_PER_MS);
	}
	world_run(&w, 30 * US_PER_SEC);
	assert_true(world_shows(&w, 0, 39));
	/* Once the newest was acknowledged, nothing older was shown. */
	for (const struct esl_report *r = world_find(&w, mark, 0, ESL_SHOWN, 39);
	     r && r < w.reports + w.n_reports; r++) {
		uint8_t name[IMAGE_HASH_BYTES];

		world_image(&w, 0, 39, name);
		if (r->kind == ESL_SHOWN)
			assert_memory_equal(r->image, name, sizeof(name));
	}
	world_close(&w);
}

static void emergency_price_overtakes_a_promotion(void **state)
{
	int64_t at_utc;
	size_t mark;

	(void) state;
	open_shop(2, SIM_PERSONALITY_SL, 0.02);
	show(0, 1);
	at_utc = world_utc(&w) + 20 * MINUTE;
	world_want_two(&w, 0, 1, 2, at_utc);
	world_run(&w, MINUTE);
	assert_true(world_view(&w, 0).pending_display);
	/* Both slots are taken: one is shown, the other waits for its instant. */
	mark = world_mark(&w);
	world_want_two(&w, 0, 3, 2, at_utc);
	assert_in_range(world_await(&w, mark, 0, ESL_SHOWN, ESL_GRADE_ACKNOWLEDGED, 3, MINUTE), 0,
			10 * US_PER_SEC);
	world_run(&w, MINUTE);
	assert_true(world_shows(&w, 0, 3));
	world_run(&w, at_utc + 10 * US_PER_SEC - world_utc(&w));
	assert_true(world_shows(&w, 0, 2));
	world_close(&w);
}

static void going_back_needs_no_upload(void **state)
{
	struct esl_stats before, after;

	(void) state;
	open_shop(2, SIM_PERSONALITY_SL, 0);
	show(0, 1);
	show(0, 2);
	esl_engine_get_stats(w.engine, &before);
	show(0, 1);
	esl_engine_get_stats(w.engine, &after);
	assert_int_equal(after.uploads, before.uploads);
	world_close(&w);
}

static void restart_uploads_nothing_again(void **state)
{
	struct esl_stats stats;
	int64_t at_utc;

	(void) state;
	open_shop(6, SIM_PERSONALITY_SL, 0);
	for (unsigned int i = 0; i < 6; i++)
		show(i, i + 1);
	at_utc = world_utc(&w) + 10 * MINUTE;
	world_want_two(&w, 3, 4, 50, at_utc);
	world_run(&w, MINUTE);
	assert_true(world_view(&w, 3).pending_display);
	world_restart(&w);
	for (unsigned int i = 0; i < 6; i++) {
		if (i == 3)
			world_want_two(&w, 3, 4, 50, at_utc);
		else
			world_want(&w, i, i + 1);
	}
	world_run(&w, 3 * MINUTE);
	esl_engine_get_stats(w.engine, &stats);
	assert_int_equal(stats.synced, 6);
	assert_int_equal(stats.uploads, 0);
	for (unsigned int i = 0; i < 6; i++)
		assert_int_equal(world_view(&w, i).redraws, 1);
	world_run(&w, at_utc + 10 * US_PER_SEC - world_utc(&w));
	assert_true(world_shows(&w, 3, 50));
	world_close(&w);
}

/**
 * Labels lose the old train's beat only a while after the new one began: until then they are called
 * in vain, and how long that was tried must not matter once they advertise.
 */
static void price_after_a_restart_waits_for_no_failed_call(void **state)
{
	int64_t lost_us = 0, start_us;

	(void) state;
	for (unsigned int k = 0; k < 8; k++) {
		open_shop(1, SIM_PERSONALITY_SL, 0);
		show(0, 1);
		world_restart(&w);
		world_run(&w, k * 300 * US_PER_MS);
		start_us = world_now(&w);
		world_want(&w, 0, 2);
		while (!world_view(&w, 0).advertising && world_now(&w) - start_us < MINUTE)
			world_run(&w, 10 * US_PER_MS);
		lost_us = world_now(&w);
		while (world_view(&w, 0).redraws < 2 && world_now(&w) - start_us < MINUTE)
			world_run(&w, 10 * US_PER_MS);
		printf("# it advertises %.1f s after the wish, and shows it %.1f s later\n",
		       (double) (lost_us - start_us) / 1e6,
		       (double) (world_now(&w) - lost_us) / 1e6);
		assert_true(world_now(&w) - lost_us < 7 * US_PER_SEC);
		world_close(&w);
	}
}

static void reboot_of_a_label_keeps_its_promotion(void **state)
{
	int64_t at_utc;

	(void) state;
	open_shop(2, SIM_PERSONALITY_SL, 0.02);
	show(0, 1);
	at_utc = world_utc(&w) + 20 * MINUTE;
	world_want_two(&w, 0, 1, 2, at_utc);
	world_run(&w, MINUTE);
	assert_true(world_view(&w, 0).pending_display);
	sim_label_reboot(sim_radio_label(w.radio, 0), world_now(&w));
	sim_radio_touched(w.radio, 0);
	world_run(&w, US_PER_SEC);
	assert_false(world_view(&w, 0).pending_display);
	world_run(&w, 2 * MINUTE);
	assert_true(world_view(&w, 0).pending_display);
	world_run(&w, at_utc + 10 * US_PER_SEC - world_utc(&w));
	assert_true(world_shows(&w, 0, 2));
	world_close(&w);
}

static void silent_label_is_lost_and_comes_back(void **state)
{
	size_t mark;

	(void) state;
	open_shop(2, SIM_PERSONALITY_SL, 0);
	show(0, 1);
	mark = world_mark(&w);
	sim_radio_set_loss(w.radio, 1.0);
	world_want(&w, 0, 2);
	world_run(&w, 10 * MINUTE);
	assert_non_null(world_find(&w, mark, 0, ESL_LOST, 0));
	sim_radio_set_loss(w.radio, 0);
	world_run(&w, 10 * MINUTE);
	assert_true(world_shows(&w, 0, 2));
	world_close(&w);
}

static void clock_that_steps_moves_the_flip(void **state)
{
	int64_t at_utc;

	(void) state;
	open_shop(2, SIM_PERSONALITY_SL, 0.02);
	show(0, 1);
	at_utc = world_utc(&w) + 10 * MINUTE;
	world_want_two(&w, 0, 1, 2, at_utc);
	world_run(&w, MINUTE);
	/* It turns out that our clock is two minutes ahead. */
	esl_engine_set_utc(w.engine, -2 * MINUTE, 1000);
	world_run(&w, at_utc + MINUTE - world_utc(&w));
	assert_true(world_shows(&w, 0, 1));
	world_run(&w, 90 * US_PER_SEC);
	assert_true(world_shows(&w, 0, 2));
	assert_in_range(world_view(&w, 0).redraw_started_us - WORLD_START + WORLD_UTC,
			at_utc + 2 * MINUTE - 500 * US_PER_MS, at_utc + 2 * MINUTE + US_PER_SEC);
	world_close(&w);
}

static void forgotten_label_leaves_the_train(void **state)
{
	uint8_t addr[ESL_ADDR_BYTES];
	struct esl_stats stats;

	(void) state;
	open_shop(2, SIM_PERSONALITY_SL, 0.02);
	show(0, 1);
	world_addr(0, addr);
	esl_engine_forget(w.engine, addr);
	world_run(&w, MINUTE);
	esl_engine_get_stats(w.engine, &stats);
	assert_int_equal(stats.labels, 1);
	assert_false(world_view(&w, 0).bonded);
	for (size_t i = 0; i < w.n_blobs; i++)
		if (strcmp(w.blobs[i].key, "C0FFEE010001") == 0)
			assert_int_equal(w.blobs[i].len, 0);
	/* And can be had again. */
	show(0, 7);
	world_close(&w);
}

static void keys_that_cannot_be_kept_are_not_used(void **state)
{
	struct sim_label_model m = small_label(SIM_PERSONALITY_SL);

	(void) state;
	world_open(&w, 1, &m, 0, 3);
	w.save_fails = true;
	world_want(&w, 0, 1);
	world_run(&w, MINUTE);
	assert_int_not_equal(world_view(&w, 0).state, ESL_SYNCHRONIZED);
	assert_null(world_find(&w, 0, 0, ESL_ASSOCIATED, 0));
	assert_non_null(world_find(&w, 0, 0, ESL_ERROR, 0));
	w.save_fails = false;
	world_run(&w, 2 * MINUTE);
	assert_true(world_shows(&w, 0, 1));
	world_close(&w);
}

static void quiet_shop_is_kept_alive_for_hours(void **state)
{
	struct esl_stats stats;

	(void) state;
	open_shop(5, SIM_PERSONALITY_SL, 0);
	for (unsigned int i = 0; i < 5; i++)
		show(i, i + 1);
	sim_radio_set_loss(w.radio, 0.02);
	world_run(&w, 6 * 60 * MINUTE);
	esl_engine_get_stats(w.engine, &stats);
	assert_int_equal(stats.synced, 5);
	for (unsigned int i = 0; i < 5; i++) {
		assert_int_equal(world_view(&w, i).state, ESL_SYNCHRONIZED);
		assert_int_equal(world_view(&w, i).redraws, 1);
	}
	world_close(&w);
}

static void late_picture_is_shown_when_it_comes(void **state)
{
	(void) state;
	open_shop(2, SIM_PERSONALITY_SL, 0);
	w.no_images = true;
	world_want(&w, 0, 1);
	world_run(&w, MINUTE);
	assert_non_null(world_find(&w, 0, 0, ESL_ERROR, 1));
	assert_in_range(w.asked, 2, 3); /* every 30 s */
	w.no_images = false;
	world_run(&w, MINUTE);
	assert_true(world_shows(&w, 0, 1));
	world_close(&w);
}

static void breaking_links_cost_time_but_no_price(void **state)
{
	(void) state;
	open_shop(20, SIM_PERSONALITY_NRF, 0.05);
	sim_radio_set_drop(w.radio,
			   0.01); /* one link in three breaks before it has done its work */
	for (unsigned int i = 0; i < 20; i++)
		world_want(&w, i, i + 1);
	world_run(&w, 5 * US_PER_SEC);
	sim_radio_power_cycle(w.radio); /* in the middle of it */
	world_run(&w, 8 * MINUTE);
	for (unsigned int i = 0; i < 20; i++)
		assert_true(world_shows(&w, i, i + 1));
	world_close(&w);
}

static void many_restarts_lose_no_price(void **state)
{
	uint32_t wished[8] = {0};
	uint64_t dice = 42;

	(void) state;
	open_shop(8, SIM_PERSONALITY_SL, 0.02);
	for (uint32_t n = 1; n <= 60; n++) {
		unsigned int i;

		dice = dice * 6364136223846793005u + 1442695040888963407u;
		i = (unsigned int) (dice >> 33) % 8;
		wished[i] = n;
		world_want(&w, i, n);
		world_run(&w, (int64_t) (dice >> 40) % 6000 * US_PER_MS);
		world_restart(&w); /* at any instant of its way */
		for (i = 0; i < 8; i++)
			world_want(&w, i, wished[i]);
	}
	world_run(&w, 2 * MINUTE);
	for (unsigned int i = 0; i < 8; i++) {
		assert_true(world_shows(&w, i, wished[i]));
		assert_non_null(world_find(&w, 0, i, ESL_SHOWN, wished[i]));
	}
	world_close(&w);
}

static void hundred_labels_flip_at_one_instant(void **state)
{
	int64_t at_utc, earliest = INT64_MAX, latest = INT64_MIN;

	(void) state;
	open_shop(100, SIM_PERSONALITY_NRF, 0.05);
	at_utc = world_utc(&w) + 15 * MINUTE;
	for (unsigned int i = 0; i < 100; i++)
		world_want_two(&w, i, 1, i + 2, at_utc);
	world_run(&w, at_utc - world_utc(&w) - US_PER_SEC);
	for (unsigned int i = 0; i < 100; i++)
		assert_true(world_shows(&w, i, 1));
	world_run(&w, 5 * US_PER_SEC);
	for (unsigned int i = 0; i < 100; i++) {
		struct sim_label_view v = world_view(&w, i);

		assert_true(world_shows(&w, i, i + 2));
		earliest = MIN(earliest, v.redraw_started_us);
		latest = MAX(latest, v.redraw_started_us);
	}
	assert_in_range(latest - earliest, 0, 30 * US_PER_MS);
	world_close(&w);
}

static void colour_label_is_confirmed_after_its_redraw(void **state)
{
	struct sim_label_model m = small_label(SIM_PERSONALITY_NRF);

	(void) state;
	m.type = DISPLAY_RED_BLACK_WHITE;
	m.redraw_us = 14 * US_PER_SEC;
	world_open(&w, 1, &m, 0, 3);
	world_adopt_all(&w);
	show(0, 9);
	world_close(&w);
}

static void a_timing_that_is_refused_four_times_is_handed_over_the_fifth(void **state)
{
	struct sim_label_model m = small_label(SIM_PERSONALITY_SL);

	(void) state;
	world_open(&w, 1, &m, 0, 78);
	sim_radio_refuse_sync(w.radio, 4);
	world_adopt_all(&w);
	assert_int_equal(w.engine->stats.upload_failures, 0);
	world_close(&w);
	/* Once more is a failed visit, and the next one makes it good. */
	world_open(&w, 1, &m, 0, 79);
	sim_radio_refuse_sync(w.radio, 5);
	world_adopt_all(&w);
	assert_int_equal(w.engine->failures[ESL_STEP_CONFIGURE], 1);
	world_close(&w);
}

static void a_label_says_what_it_measures_when_it_joins(void **state)
{
	const struct esl_report *r;
	struct sensor_value v;
	struct sim_label_model m = small_label(SIM_PERSONALITY_SL);

	(void) state;
	world_open(&w, 1, &m, 0, 77);
	world_adopt_all(&w);
	r = world_find(&w, 0, 0, ESL_STATUS, 0);
	assert_non_null(r);
	assert_int_equal(r->n_sensors, 2);
	assert_true(sensor_decode(&r->sensors[0], &v));
	assert_string_equal(v.unit, "°C");
	assert_true(v.number > 10 && v.number < 40);
	assert_true(sensor_decode(&r->sensors[1], &v));
	assert_true(v.number > 2 && v.number < 4);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_label_says_what_it_measures_when_it_joins),
		cmocka_unit_test(a_timing_that_is_refused_four_times_is_handed_over_the_fifth),
		cmocka_unit_test(reports_come_in_order),
		cmocka_unit_test(association_carries_display_and_keys),
		cmocka_unit_test(every_label_is_reached_under_heavy_loss),
		cmocka_unit_test(timed_flip_happens_at_its_instant),
		cmocka_unit_test(promotion_can_be_moved_and_called_off),
		cmocka_unit_test(newer_wish_drops_the_stale_one),
		cmocka_unit_test(emergency_price_overtakes_a_promotion),
		cmocka_unit_test(going_back_needs_no_upload),
		cmocka_unit_test(restart_uploads_nothing_again),
		cmocka_unit_test(price_after_a_restart_waits_for_no_failed_call),
		cmocka_unit_test(reboot_of_a_label_keeps_its_promotion),
		cmocka_unit_test(silent_label_is_lost_and_comes_back),
		cmocka_unit_test(clock_that_steps_moves_the_flip),
		cmocka_unit_test(forgotten_label_leaves_the_train),
		cmocka_unit_test(keys_that_cannot_be_kept_are_not_used),
		cmocka_unit_test(quiet_shop_is_kept_alive_for_hours),
		cmocka_unit_test(late_picture_is_shown_when_it_comes),
		cmocka_unit_test(breaking_links_cost_time_but_no_price),
		cmocka_unit_test(many_restarts_lose_no_price),
		cmocka_unit_test(hundred_labels_flip_at_one_instant),
		cmocka_unit_test(colour_label_is_confirmed_after_its_redraw),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
