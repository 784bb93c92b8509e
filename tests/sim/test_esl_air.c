/* SPDX-License-Identifier: Apache-2.0 */
/* What the air and the labels' clocks do to a shop, in virtual time. */
#include "esl-radio/wake.h"
#include "tests/sim/esl_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MINUTE (INT64_C(60) * US_PER_SEC)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

static struct world w;

static struct sim_label_model panel(enum sim_personality p)
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

static void show_all(uint32_t picture)
{
	world_show_all(&w, picture, 600 * US_PER_SEC);
	world_run(&w, 10 * US_PER_SEC);
	assert_int_equal(world_showing(&w, picture), w.n_labels);
}

/** How far from the ordered instant the label began to redraw. */
static int64_t flip_error_us(unsigned int i, int64_t at_utc_us)
{
	return world_view(&w, i).redraw_started_us + (world_utc(&w) - world_now(&w)) - at_utc_us;
}

static void losses_are_drawn_per_label_and_direction(void **state)
{
	struct sim_label_model m = panel(SIM_PERSONALITY_SL);
	struct sim_radio_stats before, after;
	size_t mark;

	(void) state;
	world_open(&w, 3, &m, 0, 3);
	world_adopt_all(&w);
	show_all(1);
	/* The first label hears everything and is never heard, the second hears one in ten. */
	sim_radio_set_label_loss(w.radio, 0, 0, 1);
	sim_radio_set_label_loss(w.radio, 1, 0.9, 0);
	sim_radio_get_stats(w.radio, &before);
	mark = world_mark(&w);
	for (unsigned int i = 0; i < 3; i++)
		esl_label_find(w.engine, world_view(&w, i).addr)->ping_at_us = world_now(&w);
	esl_reconsider_all(w.engine);
	world_run(&w, 5 * MINUTE);
	sim_radio_get_stats(w.radio, &after);
	assert_true(after.responses_lost - before.responses_lost >= 20);
	assert_true(after.packets_lost > before.packets_lost);
	assert_non_null(world_find(&w, mark, 0, ESL_LOST, 0));
	assert_null(world_find(&w, mark, 2, ESL_LOST, 0));
	/* It is there again, and found to be. */
	sim_radio_set_label_loss(w.radio, 0, -1, -1);
	sim_radio_set_label_loss(w.radio, 1, -1, -1);
	world_run(&w, 3 * MINUTE);
	for (unsigned int i = 0; i < 3; i++)
		world_want(&w, i, 2);
	world_run(&w, 2 * MINUTE);
	for (unsigned int i = 0; i < 3; i++)
		assert_true(world_shows(&w, i, 2));
	world_close(&w);
}

static void label_out_of_range_falls_out_of_step_and_comes_back_to_the_newest_price(void **state)
{
	struct sim_label_model m = panel(SIM_PERSONALITY_NRF);

	(void) state;
	world_open(&w, 2, &m, 0, 5);
	world_adopt_all(&w);
	show_all(1);
	sim_radio_set_label_loss(w.radio, 0, 1, 1);
	world_run(&w, 5 * US_PER_SEC);
	assert_int_equal(world_view(&w, 0).state, ESL_SYNCHRONIZED);
	world_run(&w, 10 * US_PER_SEC);
	assert_int_equal(world_view(&w, 0).state, ESL_UNSYNCHRONIZED);
	assert_int_equal(world_view(&w, 1).state, ESL_SYNCHRONIZED);
	world_want(&w, 0, 2);
	world_want(&w, 0, 3);
	world_run(&w, 10 * MINUTE);
	assert_true(world_shows(&w, 0, 1)); /* nothing can reach it */
	sim_radio_set_label_loss(w.radio, 0, -1, -1);
	world_run(&w, 3 * MINUTE);
	assert_int_equal(world_view(&w, 0).state, ESL_SYNCHRONIZED);
	assert_true(world_shows(&w, 0, 3));
	world_close(&w);
}

static void answers_of_two_labels_in_one_slot_collide(void **state)
{
	struct sim_label_model m = panel(SIM_PERSONALITY_SL);
	struct sim_radio_stats before, after;
	const struct esl_label *l;
	struct sim_label *twin;

	(void) state;
	world_open(&w, 2, &m, 0, 6);
	world_adopt_all(&w);
	/* The second label takes the address of the first: both answer to it. */
	l = esl_label_find(w.engine, world_view(&w, 0).addr);
	twin = sim_radio_label(w.radio, 1);
	sim_label_sync_lost(twin, world_now(&w));
	sim_label_connected(twin, world_now(&w));
	assert_int_equal(sim_label_configure(twin, esl_address(l->group, l->id), l->response_key,
					     w.engine->train_key_wire, 1, world_now(&w)),
			 0);
	assert_int_equal(sim_label_update_complete(twin, true, world_now(&w)), 0);
	sim_radio_get_stats(w.radio, &before);
	world_want(&w, 0, 4);
	world_run(&w, 20 * US_PER_SEC);
	sim_radio_get_stats(w.radio, &after);
	assert_true(after.collisions > before.collisions);
	world_close(&w);
}

/** The mistake of a flip `wait_us` after the label's clock was written. */
static int64_t drift(double ppm, bool corrects, int64_t wait_us)
{
	struct sim_label_model m = panel(SIM_PERSONALITY_SL);
	int64_t at_us, error_us;

	m.clock_ppm = ppm;
	m.corrects_clock = corrects;
	world_open(&w, 1, &m, 0, 8);
	world_adopt_all(&w);
	show_all(1);
	at_us = world_utc(&w) + wait_us;
	world_want_two(&w, 0, 1, 2, at_us);
	world_run(&w, wait_us + 5 * US_PER_SEC);
	assert_true(world_shows(&w, 0, 2));
	error_us = flip_error_us(0, at_us);
	world_close(&w);
	return error_us;
}

static void clock_runs_away_unless_the_label_corrects_it(void **state)
{
	int64_t fast_us = drift(50, false, HOUR), slow_us = drift(-50, false, HOUR);
	int64_t corrected_us = drift(50, true, HOUR);

	(void) state;
	printf("# a flip an hour after the clock was written: 50 ppm fast %.1f ms, slow %.1f ms, "
	       "corrected %.1f ms\n",
	       (double) fast_us / 1e3, (double) slow_us / 1e3, (double) corrected_us / 1e3);
	assert_in_range(-fast_us, 150 * US_PER_MS, 200 * US_PER_MS); /* 180 ms early, +-20 */
	assert_in_range(slow_us, 160 * US_PER_MS, 210 * US_PER_MS);
	assert_true(corrected_us < 20 * US_PER_MS && corrected_us > -20 * US_PER_MS);
}

static void uncorrected_clock_is_written_again_before_it_has_run_far_away(void **state)
{
	int64_t error_us = drift(50, false, 3 * DAY);

	(void) state;
	/* Three days are 13 s. The policy of timebase.c leaves what four hours are, 720 ms, and
	 * what writing the clock twice may cost. */
	printf("# a flip ordered three days ahead, 50 ppm: %.0f ms\n", (double) error_us / 1e3);
	assert_in_range(-error_us, 0, 780 * US_PER_MS);
}

static void clocks_are_drawn_label_by_label(void **state)
{
	struct sim_label_model m = panel(SIM_PERSONALITY_SL);
	double first = 0, spread = 0;

	(void) state;
	m.clock_spread_ppm = 50;
	world_open(&w, 20, &m, 0, 9);
	for (unsigned int i = 0; i < 20; i++) {
		double ppm = world_view(&w, i).model.clock_ppm;

		assert_true(ppm >= -50 && ppm <= 50);
		if (i == 0)
			first = ppm;
		spread = MAX(spread, ppm > first ? ppm - first : first - ppm);
	}
	assert_true(spread > 20);
	world_close(&w);
}

/* A train that says little, so that two months of virtual time pass in seconds. */
static const struct esl_train slow_train = {48000, 2, 48, 34, 6, 23};

static void flips_stay_exact_over_the_wrap_of_the_labels_clocks(void **state)
{
	struct sim_label_model m = panel(SIM_PERSONALITY_SL);
	int64_t worst_us = 0;
	uint32_t shown = 1;

	(void) state;
	world_open_train(&w, 4, &m, 0.02, 10, &slow_train);
	for (unsigned int i = 0; i < w.n_labels; i++)
		world_want(&w, i, shown);
	world_run(&w, 2 * HOUR);
	for (unsigned int i = 0; i < w.n_labels; i++)
		assert_true(world_shows(&w, i, shown));
	/* A 32-bit count of milliseconds wraps after 49.7 days. Every flip is ordered six days
	 * ahead, acknowledged and pending when bases change under it. */
	for (int k = 0; k < 10; k++, shown++) {
		int64_t at_us = world_utc(&w) + 6 * DAY;

		for (unsigned int i = 0; i < w.n_labels; i++)
			world_want_two(&w, i, shown, shown + 1, at_us);
		world_run(&w, 6 * DAY - MINUTE);
		for (unsigned int i = 0; i < w.n_labels; i++)
			assert_true(world_shows(&w, i, shown));
		world_run(&w, 2 * MINUTE);
		for (unsigned int i = 0; i < w.n_labels; i++) {
			int64_t error_us = flip_error_us(i, at_us);

			assert_true(world_shows(&w, i, shown + 1));
			worst_us = MAX(worst_us, error_us < 0 ? -error_us : error_us);
		}
		world_run(&w, HOUR - MINUTE);
	}
	printf("# sixty days, ten flips ordered six days ahead, 2 %% loss: at most %.1f ms off\n",
	       (double) worst_us / 1e3);
	assert_true(worst_us < 60 * US_PER_MS);
	assert_true(w.engine->time.gen >= 2);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(losses_are_drawn_per_label_and_direction),
		cmocka_unit_test(
			label_out_of_range_falls_out_of_step_and_comes_back_to_the_newest_price),
		cmocka_unit_test(answers_of_two_labels_in_one_slot_collide),
		cmocka_unit_test(clock_runs_away_unless_the_label_corrects_it),
		cmocka_unit_test(uncorrected_clock_is_written_again_before_it_has_run_far_away),
		cmocka_unit_test(clocks_are_drawn_label_by_label),
		cmocka_unit_test(flips_stay_exact_over_the_wrap_of_the_labels_clocks),
	};

	return cmocka_run_group_tests_name("esl_air", tests, NULL, NULL);
}
