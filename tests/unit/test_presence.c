/* SPDX-License-Identifier: Apache-2.0 */
/** @file The presence filter, in virtual time and with seeded reads. */
#include "common/err.h"
#include "rfid/rfid.h"

#include <errno.h>
#include <malloc.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define START_US (INT64_C(1790000000) * US_PER_SEC)
#define TICK_US  (250 * US_PER_MS)

/* --- helpers ---------------------------------------------------------------------------------- */

struct seen {
	unsigned int appear, refresh, gone;
	struct presence_sighting last;
	char epc[EPC_HEX_MAX];
	int64_t now_us;     /**< the test's clock */
	int64_t told_at_us; /**< its time at the last sighting */
};

static void note(void *user, const struct presence_sighting *s)
{
	struct seen *seen = user;

	seen->appear += s->kind == PRESENCE_APPEAR;
	seen->refresh += s->kind == PRESENCE_REFRESH;
	seen->gone += s->kind == PRESENCE_GONE;
	seen->last = *s;
	seen->last.epc = NULL;
	epc_to_hex(s->epc, seen->epc);
	seen->told_at_us = seen->now_us;
}

static struct rfid_read read_of(uint64_t serial, int64_t at_us, int16_t cdbm)
{
	struct rfid_read r = {
		.antenna = 1,
		.count = 1,
		.rssi_cdbm = cdbm,
		.first_us = at_us,
		.last_us = at_us,
	};

	r.epc.bits = 96;
	r.epc.data[0] = 0x30;
	for (int i = 0; i < 8; i++)
		r.epc.data[4 + i] = (uint8_t) (serial >> (56 - 8 * i));
	return r;
}

static struct presence *filter(const struct presence_config *cfg, struct seen *seen)
{
	static const struct presence_config defaults;
	struct presence *p = NULL;

	memset(seen, 0, sizeof(*seen));
	assert_int_equal(presence_new(cfg ? cfg : &defaults, note, seen, &p), 0);
	return p;
}

static double uniform(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double) (*seed >> 11) / 9007199254740992.0;
}

/** Ticks from now to then, four times a second. */
static int64_t tick_until(struct presence *p, struct seen *seen, int64_t now_us, int64_t until_us)
{
	for (; now_us <= until_us; now_us += TICK_US) {
		seen->now_us = now_us;
		presence_tick(p, now_us);
	}
	return now_us;
}

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
		cmocka_unit_test(presence_is_repeated_every_refresh),
		cmocka_unit_test(step_in_signal_is_told_but_not_more_often_than_allowed),
		cmocka_unit_test(second_word_says_how_often_a_tag_is_read),
		cmocka_unit_test(source_that_overtakes_another_has_both_told_anew),
		cmocka_unit_test(weak_neighbour_is_not_told_of_again_and_again),
		cmocka_unit_test(antennas_that_take_turns_do_not_contest_a_tag),
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
