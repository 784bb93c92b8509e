/* SPDX-License-Identifier: Apache-2.0 */
/** @file What the presence filter tells of tags that stay: refreshes, steps of the signal,
 * contests. */
#include "tests/unit/presence_rig.h"

static void presence_is_repeated_every_refresh(void **state)
{
	const struct presence_config cfg = {.refresh_us = 10 * US_PER_SEC};
	struct seen seen;
	struct presence *p = filter(&cfg, &seen);

	(void) state;
	for (int64_t t = START_US; t < START_US + 61 * US_PER_SEC; t += 200 * US_PER_MS) {
		struct rfid_read r = read_of(1, t, -6000);

		assert_int_equal(presence_read(p, 1, &r), 0);
		presence_tick(p, t);
	}
	/* ... and once when it was confirmed. */
	assert_in_range(seen.refresh, 6, 7);
	assert_in_range(seen.last.count, 45, 55);
	assert_in_range(seen.last.rate_mhz, 4800, 5200);
	assert_true(seen.last.last_us - seen.last.first_us > 9 * US_PER_SEC);
	assert_true(seen.last.last_us - seen.last.first_us < 11 * US_PER_SEC);
	presence_free(p);
}

static void step_in_signal_is_told_but_not_more_often_than_allowed(void **state)
{
	struct seen seen;
	struct presence *p = filter(NULL, &seen);
	int64_t t = START_US;

	(void) state;
	for (int i = 0; i < 50; i++, t += 100 * US_PER_MS) {
		struct rfid_read r = read_of(1, t, -6000);

		assert_int_equal(presence_read(p, 1, &r), 0);
	}
	/* That it was confirmed. */
	assert_int_equal(seen.refresh, 1);
	for (int i = 0; i < 20; i++, t += 100 * US_PER_MS) {
		struct rfid_read r = read_of(1, t, -4800);

		assert_int_equal(presence_read(p, 1, &r), 0);
		/* The level now, and not the mean since the last word. */
		if (seen.refresh > 1)
			assert_true(seen.last.rssi_cdbm > -5500);
	}
	assert_in_range(seen.refresh, 2, 3);
	assert_int_equal(seen.last.peak_cdbm, -4800);
	presence_free(p);
}

static void second_word_says_how_often_a_tag_is_read(void **state)
{
	struct seen seen;
	struct presence *p = filter(NULL, &seen);

	(void) state;
	for (int i = 0; i < 4; i++) {
		struct rfid_read r = read_of(1, START_US + i * 200 * US_PER_MS, -6000);

		assert_int_equal(seen.refresh, 0);
		assert_int_equal(presence_read(p, 1, &r), 0);
	}
	assert_int_equal(seen.refresh, 1);
	assert_in_range(seen.last.rate_mhz, 1500, 6000);
	presence_free(p);
}

/** Half a minute at one source, with another as weak neighbour of it; returns when it ends. */
static int64_t settle(struct presence *p, struct seen *seen)
{
	int64_t t = START_US;

	for (int i = 0; i < 150; i++, t += 200 * US_PER_MS) {
		struct rfid_read near = read_of(1, t, -5000), far = read_of(1, t, -6800);

		assert_int_equal(presence_read(p, 1, &near), 0);
		if (i % 4 == 0)
			assert_int_equal(presence_read(p, 2, &far), 0);
		presence_tick(p, t);
	}
	memset(seen, 0, sizeof(*seen));
	return t;
}

static void source_that_overtakes_another_has_both_told_anew(void **state)
{
	struct seen seen;
	struct presence *p = filter(NULL, &seen);
	int64_t t = settle(p, &seen), start_us = t;

	(void) state;
	/* It changes over to the other, and is still read weakly where it was. */
	for (int i = 0; !seen.refresh && i < 50; i++, t += 200 * US_PER_MS) {
		struct rfid_read near = read_of(1, t, -5000), far = read_of(1, t, -6800);

		if (i % 4 == 0)
			assert_int_equal(presence_read(p, 1, &far), 0);
		assert_int_equal(presence_read(p, 2, &near), 0);
	}
	assert_true(t - start_us < 2 * US_PER_SEC);
	assert_in_range(seen.refresh, 1, 2);
	assert_int_equal(seen.gone, 0);
	assert_int_equal(presence_pairs(p), 2);
	presence_free(p);
}

static void weak_neighbour_is_not_told_of_again_and_again(void **state)
{
	struct seen seen;
	struct presence *p = filter(NULL, &seen);
	int64_t t = settle(p, &seen);

	(void) state;
	for (int i = 0; i < 600; i++, t += 200 * US_PER_MS) {
		struct rfid_read near = read_of(1, t, -5000), far = read_of(1, t, -6800);

		assert_int_equal(presence_read(p, 1, &near), 0);
		if (i % 4 == 0)
			assert_int_equal(presence_read(p, 2, &far), 0);
		presence_tick(p, t);
	}
	/* Two minutes: each source says twice that it is still there. */
	assert_in_range(seen.refresh, 2, 5);
	assert_int_equal(seen.gone, 0);
	presence_free(p);
}

static void antennas_that_take_turns_do_not_contest_a_tag(void **state)
{
	struct seen seen;
	struct presence *p = filter(NULL, &seen);
	uint64_t seed = 9;

	(void) state;
	/* Each reads for half a second in two and a half, for ten minutes. */
	for (int64_t t = 0; t < 600 * US_PER_SEC; t += 25 * US_PER_MS) {
		int64_t phase_us = t % (2500 * US_PER_MS);
		struct rfid_read r = read_of(1, START_US + t, -6000);

		if (phase_us < US_PER_SEC && uniform(&seed) < 0.7)
			assert_int_equal(presence_read(p, phase_us < US_PER_SEC / 2 ? 1 : 2, &r),
					 0);
		presence_tick(p, START_US + t);
	}
	print_message("# seed 9: %u refreshes in ten minutes\n", seen.refresh);
	assert_int_equal(seen.gone, 0);
	assert_true(seen.refresh < 60);
	presence_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(presence_is_repeated_every_refresh),
		cmocka_unit_test(step_in_signal_is_told_but_not_more_often_than_allowed),
		cmocka_unit_test(second_word_says_how_often_a_tag_is_read),
		cmocka_unit_test(source_that_overtakes_another_has_both_told_anew),
		cmocka_unit_test(weak_neighbour_is_not_told_of_again_and_again),
		cmocka_unit_test(antennas_that_take_turns_do_not_contest_a_tag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
