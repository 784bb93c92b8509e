/* SPDX-License-Identifier: Apache-2.0 */
/** @file The presence filter, in virtual time and with seeded reads. */
#include "tests/unit/presence_rig.h"

/* --- tests ------------------------------------------------------------------------------------ */

static void first_read_is_told_at_once(void **state)
{
	struct seen seen;
	struct presence *p = filter(NULL, &seen);
	struct rfid_read r = read_of(7, START_US, -5500);

	(void) state;
	assert_int_equal(presence_read(p, 40, &r), 0);
	assert_int_equal(seen.appear, 1);
	assert_int_equal(seen.last.source, 40);
	assert_int_equal(seen.last.count, 1);
	assert_int_equal(seen.last.rssi_cdbm, -5500);
	assert_int_equal(seen.last.peak_cdbm, -5500);
	assert_true(seen.last.first_us == START_US && seen.last.last_us == START_US);
	assert_string_equal(seen.epc, "300000000000000000000007");
	assert_int_equal(presence_read(p, 40, &r), 0);
	assert_int_equal(seen.appear, 1);
	assert_int_equal(presence_pairs(p), 1);
	presence_free(p);
}

static void each_antenna_sees_for_itself_but_the_tag_counts_once(void **state)
{
	struct seen seen;
	struct presence *p = filter(NULL, &seen);
	struct rfid_read r = read_of(7, START_US, -5500);

	(void) state;
	assert_int_equal(presence_read(p, 1, &r), 0);
	assert_int_equal(presence_read(p, 2, &r), 0);
	r = read_of(8, START_US, -5500);
	assert_int_equal(presence_read(p, 2, &r), 0);
	assert_int_equal(seen.appear, 3);
	assert_int_equal(presence_pairs(p), 3);
	assert_int_equal(presence_tags(p), 2);
	tick_until(p, &seen, START_US, START_US + 31 * US_PER_SEC);
	assert_int_equal(seen.gone, 3);
	assert_int_equal(presence_tags(p), 0);
	presence_free(p);
}

/** Reads at random moments, `rate` a second; returns when the wanted time has passed. */
static int64_t read_poisson(struct presence *p, struct seen *seen, uint64_t *seed, double rate,
			    int64_t from_us, int64_t until_us)
{
	int64_t next_us = from_us, tick_us = from_us, last_us = from_us;

	while (next_us < until_us) {
		struct rfid_read r = read_of(1, next_us, -6000);

		for (; tick_us <= next_us; tick_us += TICK_US) {
			seen->now_us = tick_us;
			presence_tick(p, tick_us);
		}
		assert_int_equal(presence_read(p, 1, &r), 0);
		last_us = next_us;
		next_us += (int64_t) (-log(1 - uniform(seed)) / rate * 1e6) + 1;
	}
	return last_us;
}

static void moved_item_at_five_reads_a_second_is_gone_within_about_two(void **state)
{
	uint64_t seed = 5;
	double worst = 0, sum = 0;

	(void) state;
	for (int i = 0; i < 100; i++) {
		struct seen seen;
		struct presence *p = filter(NULL, &seen);
		int64_t last_us;
		double after;

		last_us = read_poisson(p, &seen, &seed, 5, START_US, START_US + 20 * US_PER_SEC);
		seen.gone = 0;
		tick_until(p, &seen, last_us + 1, last_us + 40 * US_PER_SEC);
		assert_int_equal(seen.gone, 1);
		after = (double) (seen.told_at_us - last_us) / 1e6;
		sum += after;
		worst = fmax(worst, after);
		presence_free(p);
	}
	print_message("# seed 5: gone after %.2f s on average, %.2f s at worst\n", sum / 100,
		      worst);
	assert_true(sum / 100 < 2.6);
	assert_true(worst < 4.5);
}

static void quiet_tag_that_answers_four_rounds_of_five_does_not_flap(void **state)
{
	struct seen seen;
	struct presence *p = filter(NULL, &seen);
	uint64_t seed = 6;
	int64_t gone_us, t = START_US;

	(void) state;
	/* Rounds of 160 ms for ten minutes: five reads a second. */
	for (int round = 0; round < 3750; round++, t += 160 * US_PER_MS) {
		struct rfid_read r = read_of(1, t, -6000);

		if (uniform(&seed) < 0.8)
			assert_int_equal(presence_read(p, 1, &r), 0);
		presence_tick(p, t);
	}
	assert_int_equal(seen.appear, 1);
	assert_int_equal(seen.gone, 0);
	/* ... and is gone fast all the same. */
	gone_us = t;
	tick_until(p, &seen, t, t + 5 * US_PER_SEC);
	assert_int_equal(seen.gone, 1);
	assert_true(seen.told_at_us - gone_us < 1750 * US_PER_MS);
	presence_free(p);
}

static void random_reads_flap_less_than_once_in_ten_minutes(void **state)
{
	static const double rates[] = {0.5, 1, 2, 5, 10};
	unsigned int flaps = 0;
	uint64_t seed = 7;

	(void) state;
	for (int i = 0; i < 50; i++) {
		struct seen seen;
		struct presence *p = filter(NULL, &seen);

		read_poisson(p, &seen, &seed, rates[i % 5], START_US, START_US + 600 * US_PER_SEC);
		flaps += seen.gone;
		presence_free(p);
	}
	print_message("# seed 7: %u flaps in 500 minutes of random reads\n", flaps);
	assert_true(flaps < 50);
}

static void antenna_that_takes_turns_does_not_empty_the_shelf(void **state)
{
	struct seen seen;
	struct presence *p = filter(NULL, &seen);
	uint64_t seed = 8;

	(void) state;
	/* Twenty reads in half a second, then two seconds of silence, for ten minutes. */
	for (int64_t t = START_US; t < START_US + 600 * US_PER_SEC; t += 25 * US_PER_MS) {
		struct rfid_read r = read_of(1, t, -6000);

		if ((t - START_US) % (2500 * US_PER_MS) < 500 * US_PER_MS && uniform(&seed) < 0.7)
			assert_int_equal(presence_read(p, 1, &r), 0);
		presence_tick(p, t);
	}
	print_message("# seed 8: appeared %u times\n", seen.appear);
	assert_int_equal(seen.appear, 1);
	presence_free(p);
}

/** A tag is read at every 200 ms with chance 0.6 for so long, then leaves; yields how long it was
 * missed. */
static int64_t pass_by(struct presence *p, struct seen *seen, uint64_t serial, int64_t *t,
		       uint64_t *seed, int64_t stay_us)
{
	int64_t last_us = *t;

	for (int64_t end_us = *t + stay_us; *t < end_us; *t += 200 * US_PER_MS) {
		struct rfid_read r = read_of(serial, *t, -6000);

		if (uniform(seed) < 0.6) {
			assert_int_equal(presence_read(p, 1, &r), 0);
			last_us = *t;
		}
		seen->now_us = *t;
		presence_tick(p, *t);
	}
	*t = tick_until(p, seen, *t, *t + 15 * US_PER_SEC);
	return seen->told_at_us - last_us;
}

static void where_tags_pass_they_are_given_up_sooner_than_where_they_stay(void **state)
{
	struct seen seen;
	struct presence *p = filter(NULL, &seen);
	int64_t t = START_US, first_us, later_us = 0;
	uint64_t seed = 11;

	(void) state;
	first_us = pass_by(p, &seen, 1, &t, &seed, 6 * US_PER_SEC);
	for (uint64_t i = 2; i < 40; i++) {
		int64_t us = pass_by(p, &seen, i, &t, &seed, 6 * US_PER_SEC);

		if (i >= 20)
			later_us += us / 20;
	}
	/* The prior knows of no door. */
	print_message("# given up after %.2f s at first, %.2f s later\n",
		      (double) first_us / US_PER_SEC, (double) later_us / US_PER_SEC);
	assert_true(later_us < 1800 * US_PER_MS);
	assert_true(first_us > later_us + 500 * US_PER_MS);
	assert_int_equal(presence_pairs(p), 0);
	presence_free(p);
}

static void a_tag_that_answers_again_soon_did_not_leave(void **state)
{
	struct seen seen;
	struct presence *p = filter(NULL, &seen);
	int64_t t = START_US;
	unsigned int before = 0;

	(void) state;
	/* Bursts of a second and pauses of six: what averages forget. */
	for (int round = 0; round < 200; round++) {
		if (round == 20)
			before = seen.gone;
		for (int i = 0; i < 10; i++, t += 100 * US_PER_MS) {
			struct rfid_read r = read_of(1, t, -6000);

			assert_int_equal(presence_read(p, 1, &r), 0);
		}
		t = tick_until(p, &seen, t, t + 6 * US_PER_SEC);
	}
	/* The first pauses teach; after them the tag stays, as if nobody had ever left. */
	assert_true(before >= 1 && before < 6);
	assert_int_equal(seen.gone, before);
	presence_free(p);
}

static void a_restored_tag_is_confirmed_in_silence_or_told_gone(void **state)
{
	struct seen seen;
	struct presence *p = filter(NULL, &seen);
	struct rfid_read r = read_of(1, START_US + 300 * US_PER_MS, -6000);
	struct rfid_read other = read_of(2, START_US, -6000);

	(void) state;
	assert_int_equal(presence_restore(p, 1, &r.epc, START_US), 0);
	assert_int_equal(presence_restore(p, 1, &other.epc, START_US), 0);
	assert_int_equal(presence_restore(p, 1, &other.epc, START_US), 0);
	assert_int_equal(presence_pairs(p), 2);
	for (int64_t t = START_US; t < START_US + 8 * US_PER_SEC; t += 200 * US_PER_MS) {
		r.first_us = r.last_us = t;
		assert_int_equal(presence_read(p, 1, &r), 0);
		presence_tick(p, t);
	}
	assert_int_equal(seen.appear, 0);
	assert_int_equal(seen.gone, 1);
	assert_string_equal(seen.epc, "300000000000000000000002");
	assert_int_equal(presence_pairs(p), 1);
	presence_free(p);
}

static void unknown_signal_is_never_averaged(void **state)
{
	struct seen seen;
	struct presence *p = filter(NULL, &seen);
	struct rfid_read r = read_of(1, START_US, INT16_MIN);

	(void) state;
	assert_int_equal(presence_read(p, 1, &r), 0);
	assert_int_equal(seen.last.rssi_cdbm, INT16_MIN);
	r = read_of(1, START_US + 1000, -5000);
	assert_int_equal(presence_read(p, 1, &r), 0);
	tick_until(p, &seen, START_US, START_US + 40 * US_PER_SEC);
	assert_int_equal(seen.gone, 1);
	assert_int_equal(seen.last.rssi_cdbm, -5000);
	presence_free(p);
}

static void lost_reader_is_not_an_emptied_shelf(void **state)
{
	struct seen seen;
	struct presence *p = filter(NULL, &seen);
	int64_t t;

	(void) state;
	for (t = START_US; t < START_US + 10 * US_PER_SEC; t += 200 * US_PER_MS) {
		struct rfid_read r = read_of(1, t, -6000), other = read_of(2, t, -6000);

		assert_int_equal(presence_read(p, 1, &r), 0);
		assert_int_equal(presence_read(p, 2, &other), 0);
	}
	presence_suspend(p, 1);
	t = tick_until(p, &seen, t, t + 600 * US_PER_SEC);
	assert_int_equal(seen.gone, 1); /* the tag of the other antenna */
	assert_int_equal(presence_pairs(p), 1);
	presence_resume(p, 1, t);
	t = tick_until(p, &seen, t, t + 500 * US_PER_MS);
	assert_int_equal(seen.gone, 1);
	tick_until(p, &seen, t, t + 4 * US_PER_SEC);
	assert_int_equal(seen.gone, 2);
	presence_free(p);
}

static void clock_set_back_or_ahead_loses_and_keeps_nothing(void **state)
{
	static const int64_t year_us = INT64_C(31536000) * US_PER_SEC;
	const int64_t jumps[] = {-year_us, year_us, -90 * US_PER_SEC};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(jumps); i++) {
		struct seen seen;
		struct presence *p = filter(NULL, &seen);
		int64_t t = START_US;

		for (int n = 0; n < 100; n++, t += 200 * US_PER_MS) {
			struct rfid_read r = read_of(1, t, -6000);

			if (n == 50)
				t += jumps[i];
			r.first_us = r.last_us = t;
			assert_int_equal(presence_read(p, 1, &r), 0);
			presence_tick(p, t);
		}
		assert_int_equal(seen.appear, 1);
		assert_int_equal(seen.gone, 0);
		tick_until(p, &seen, t, t + 4 * US_PER_SEC);
		assert_int_equal(seen.gone, 1);
		presence_free(p);
	}
}

static void full_filter_refuses_new_pairs_and_keeps_the_old(void **state)
{
	const struct presence_config cfg = {.max_pairs = 100};
	struct seen seen;
	struct presence *p = filter(&cfg, &seen);

	(void) state;
	for (uint64_t i = 0; i < 100; i++) {
		struct rfid_read r = read_of(i, START_US, -6000);

		assert_int_equal(presence_read(p, 1, &r), 0);
	}
	for (uint64_t i = 0; i < 200; i++) {
		struct rfid_read r = read_of(i, START_US + 1, -6000);

		assert_int_equal(presence_read(p, 1, &r), i < 100 ? 0 : -ENOSPC);
	}
	assert_int_equal(presence_pairs(p), 100);
	tick_until(p, &seen, START_US, START_US + 31 * US_PER_SEC);
	assert_int_equal(presence_pairs(p), 0);
	for (uint64_t i = 200; i < 300; i++) {
		struct rfid_read r = read_of(i, START_US + 32 * US_PER_SEC, -6000);

		assert_int_equal(presence_read(p, 1, &r), 0);
	}
	presence_free(p);
}

static void pair_costs_at_most_96_bytes(void **state)
{
	const struct presence_config cfg = {.max_pairs = 65536};
	struct seen seen;
	struct presence *p = filter(&cfg, &seen);
	struct mallinfo2 before = mallinfo2(), after;

	(void) state;
	for (uint64_t i = 0; i < 65536; i++) {
		struct rfid_read r = read_of(i, START_US, -6000);

		assert_int_equal(presence_read(p, 1, &r), 0);
	}
	after = mallinfo2();
	/* Under sanitizers the allocator counts nothing; then this says nothing. */
	print_message("# %.1f bytes a pair, each of its own tag\n",
		      (double) (after.uordblks + after.hblkhd - before.uordblks - before.hblkhd) /
			      65536);
	assert_true(after.uordblks + after.hblkhd - before.uordblks - before.hblkhd <= 65536 * 96);
	assert_int_equal(presence_tags(p), 65536);
	presence_free(p);
}

static void epcs_of_every_length_are_told_apart(void **state)
{
	struct seen seen;
	struct presence *p = filter(NULL, &seen);

	(void) state;
	for (int round = 0; round < 2; round++)
		for (uint16_t bits = 1; bits <= EPC_MAX_BITS; bits++) {
			struct rfid_read r = read_of(0, START_US, -6000);

			memset(&r.epc, 0, sizeof(r.epc));
			r.epc.bits = bits;
			assert_int_equal(presence_read(p, 1, &r), 0);
		}
	assert_int_equal(seen.appear, EPC_MAX_BITS);
	tick_until(p, &seen, START_US, START_US + 31 * US_PER_SEC);
	assert_int_equal(presence_tags(p), 0);
	presence_free(p);
}

static void random_life_agrees_with_a_plain_count(void **state)
{
	struct seen seen;
	struct presence *p = filter(NULL, &seen);
	uint64_t seed = 11;
	int64_t t = START_US;

	(void) state;
	for (int i = 0; i < 200000; i++) {
		struct rfid_read r = read_of((uint64_t) (uniform(&seed) * 3000), t, -6000);

		assert_int_equal(presence_read(p, (uint32_t) (uniform(&seed) * 4), &r), 0);
		t += (int64_t) (uniform(&seed) * 4000);
		if (i % 50 == 0)
			presence_tick(p, t);
		assert_int_equal(presence_pairs(p), seen.appear - seen.gone);
	}
	tick_until(p, &seen, t, t + 60 * US_PER_SEC);
	assert_int_equal(seen.appear, seen.gone);
	assert_int_equal(presence_pairs(p), 0);
	presence_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_read_is_told_at_once),
		cmocka_unit_test(each_antenna_sees_for_itself_but_the_tag_counts_once),
		cmocka_unit_test(moved_item_at_five_reads_a_second_is_gone_within_about_two),
		cmocka_unit_test(quiet_tag_that_answers_four_rounds_of_five_does_not_flap),
		cmocka_unit_test(random_reads_flap_less_than_once_in_ten_minutes),
		cmocka_unit_test(antenna_that_takes_turns_does_not_empty_the_shelf),
		cmocka_unit_test(where_tags_pass_they_are_given_up_sooner_than_where_they_stay),
		cmocka_unit_test(a_tag_that_answers_again_soon_did_not_leave),
		cmocka_unit_test(a_restored_tag_is_confirmed_in_silence_or_told_gone),
		cmocka_unit_test(unknown_signal_is_never_averaged),
		cmocka_unit_test(lost_reader_is_not_an_emptied_shelf),
		cmocka_unit_test(clock_set_back_or_ahead_loses_and_keeps_nothing),
		cmocka_unit_test(full_filter_refuses_new_pairs_and_keeps_the_old),
		cmocka_unit_test(pair_costs_at_most_96_bytes),
		cmocka_unit_test(epcs_of_every_length_are_told_apart),
		cmocka_unit_test(random_life_agrees_with_a_plain_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
