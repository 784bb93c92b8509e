/* SPDX-License-Identifier: Apache-2.0 */
/* Flags and rounds of the simulated air protocol. */
#include "tests/unit/test_common.h"

#include "common/clock.h"
#include "sim/gen2.h"
#include <string.h>

#define S (INT64_C(1) * US_PER_SEC)

static const double middling[3] = {0.5, 0.5, 0.5}; /* S1 for 2.75 s, S2 and S3 for 16.5 s */

static void session_0_is_forgotten_with_the_power(void **state)
{
	struct gen2_tag t;

	(void) state;
	gen2_tag_init(&t, middling);
	gen2_tag_power(&t, 10 * S, 11 * S);
	assert_false(gen2_tag_is_b(&t, 0, 10 * S));
	gen2_tag_toggle(&t, 0, 10 * S);
	assert_true(gen2_tag_is_b(&t, 0, 11 * S));
	gen2_tag_power(&t, 11 * S, 12 * S); /* no gap */
	assert_true(gen2_tag_is_b(&t, 0, 12 * S));
	gen2_tag_power(&t, 12 * S + 1000, 13 * S);
	assert_false(gen2_tag_is_b(&t, 0, 13 * S));
	gen2_tag_toggle(&t, 0, 13 * S);
	gen2_tag_blink(&t);
	assert_false(gen2_tag_is_b(&t, 0, 13 * S));
}

static void session_1_lasts_half_a_second_to_five_with_or_without_power(void **state)
{
	static const double extremes[2][3] = {{0, 0, 0}, {1, 1, 1}};
	struct gen2_tag t;

	(void) state;
	gen2_tag_init(&t, middling);
	gen2_tag_power(&t, 0, 100 * S);
	gen2_tag_toggle(&t, 1, S);
	assert_true(gen2_tag_is_b(&t, 1, S + 2700000));
	assert_false(gen2_tag_is_b(&t, 1, S + 2800000));
	assert_true(gen2_tag_falls_us(&t, 1, S) == S + 2750000);
	assert_true(gen2_tag_falls_us(&t, 1, 9 * S) == GEN2_FOREVER);
	gen2_tag_init(&t, extremes[0]);
	assert_true(t.s1_s >= 0.5F && t.s2_s >= 2.0F && t.s3_s >= 2.0F);
	gen2_tag_init(&t, extremes[1]);
	assert_true(t.s1_s <= 5.0F);
}

static void session_2_stays_while_there_is_power_and_some_time_beyond(void **state)
{
	struct gen2_tag t;

	(void) state;
	gen2_tag_init(&t, middling);
	gen2_tag_power(&t, 0, 1000 * S);
	gen2_tag_toggle(&t, 2, 0);
	assert_true(gen2_tag_is_b(&t, 2, 999 * S));
	gen2_tag_power(&t, 1010 * S, 1011 * S); /* ten seconds of dark */
	assert_true(gen2_tag_is_b(&t, 2, 1011 * S));
	gen2_tag_power(&t, 1031 * S, 1032 * S); /* twenty */
	assert_false(gen2_tag_is_b(&t, 2, 1032 * S));
	gen2_tag_toggle(&t, 3, 1032 * S);
	assert_false(gen2_tag_is_b(&t, 2, 1032 * S)); /* sessions do not meddle */
	assert_true(gen2_tag_is_b(&t, 3, 1032 * S));
	gen2_tag_toggle(&t, 3, 1032 * S); /* B to A */
	assert_false(gen2_tag_is_b(&t, 3, 1032 * S));
}

static void faster_modes_take_less_time_for_a_tag(void **state)
{
	static const uint32_t by_speed[] = {0, 1, 2, 3};
	double before = 0;

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(by_speed); i++) {
		struct gen2_times t = gen2_times(gen2_mode_find(by_speed[i]), 96);

		assert_true(t.single > before);
		assert_true(t.single > t.collision && t.collision > t.empty);
		before = t.single;
	}
	/* FM0 at 640 kHz reads about 1,800 tags a second at the very most, Miller 8 about 90. */
	assert_in_range(gen2_times(gen2_mode_find(0), 96).single, 450, 700);
	assert_in_range(gen2_times(gen2_mode_find(3), 96).single, 7500, 12000);
	assert_int_equal(gen2_mode_find(77)->id, 1000);
}

/** Microseconds of a round with so many tags; each must come exactly once. */
static double round_us(unsigned int n, unsigned int population, uint64_t seed)
{
	static bool seen[5000];
	struct gen2_times t = gen2_times(gen2_mode_find(2), 96);
	struct gen2_round r = {0};
	struct gen2_entry e;
	struct sim_rng rng;
	double us = t.query;
	unsigned int read = 0;

	memset(seen, 0, sizeof seen);
	sim_rng_init(&rng, seed, "round");
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(gen2_round_add(&r, &(struct gen2_entry){i, -50}), 0);
	gen2_round_begin(&r, population);
	while (r.running) {
		switch (gen2_round_step(&r, &rng, &e)) {
		case GEN2_EMPTY:
			us += t.empty;
			break;
		case GEN2_COLLISION:
			us += t.collision;
			break;
		case GEN2_FRAME:
			us += t.adjust;
			break;
		case GEN2_SINGLE:
			us += t.single;
			assert_false(seen[e.tag]);
			seen[e.tag] = true;
			read++;
			break;
		case GEN2_OVER:
			break;
		}
	}
	assert_int_equal(read, n);
	gen2_round_done(&r);
	return us;
}

static void a_round_reads_every_tag_once_and_grows_with_the_population(void **state)
{
	double few = 0, many = 0, crowd = 0;

	(void) state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		few += round_us(10, 32, seed);
		many += round_us(100, 32, seed);
		crowd += round_us(1000, 32, seed);
	}
	assert_true(many > 5 * few);
	assert_true(crowd > 8 * many && crowd < 14 * many);
	/* A crowd of 1,000 at Miller 4: some 200 a second. */
	assert_in_range(1000 * 20 / (crowd / 1e6), 120, 280);
}

static void a_fitting_population_saves_time(void **state)
{
	double fitting = 0, far_off = 0;

	(void) state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		fitting += round_us(4, 4, seed);
		far_off += round_us(4, 2000, seed);
	}
	assert_true(fitting < far_off);
}

static void a_tag_that_was_not_understood_comes_again(void **state)
{
	struct gen2_round r = {0};
	struct gen2_entry e;
	struct sim_rng rng;
	unsigned int singles = 0;

	(void) state;
	sim_rng_init(&rng, 4, "round");
	assert_int_equal(gen2_round_add(&r, &(struct gen2_entry){7, -80}), 0);
	gen2_round_begin(&r, 4);
	while (r.running) {
		if (gen2_round_step(&r, &rng, &e) == GEN2_SINGLE && ++singles < 3)
			gen2_round_keep(&r, &e);
	}
	assert_int_equal(singles, 3);
	gen2_round_done(&r);
}

static void the_much_stronger_of_two_gets_through_at_times(void **state)
{
	unsigned int captured = 0, equal = 0;

	(void) state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		for (int strong = 0; strong < 2; strong++) {
			struct gen2_round r = {0};
			struct gen2_entry e;
			struct sim_rng rng;

			sim_rng_init(&rng, seed, "capture");
			assert_int_equal(gen2_round_add(&r, &(struct gen2_entry){0, -70}), 0);
			assert_int_equal(
				gen2_round_add(&r, &(struct gen2_entry){1, strong ? -40 : -70}), 0);
			gen2_round_begin(&r, 1); /* one slot: they collide */
			if (gen2_round_step(&r, &rng, &e) == GEN2_SINGLE) {
				captured += strong == 1;
				equal += strong == 0;
				assert_int_equal(e.tag, 1);
			}
			gen2_round_done(&r);
		}
	}
	assert_in_range(captured, 60, 140);
	assert_int_equal(equal, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(session_0_is_forgotten_with_the_power),
		cmocka_unit_test(session_1_lasts_half_a_second_to_five_with_or_without_power),
		cmocka_unit_test(session_2_stays_while_there_is_power_and_some_time_beyond),
		cmocka_unit_test(faster_modes_take_less_time_for_a_tag),
		cmocka_unit_test(a_round_reads_every_tag_once_and_grows_with_the_population),
		cmocka_unit_test(a_fitting_population_saves_time),
		cmocka_unit_test(a_tag_that_was_not_understood_comes_again),
		cmocka_unit_test(the_much_stronger_of_two_gets_through_at_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
