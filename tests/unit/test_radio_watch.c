/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of a reader's radio, and when: hours of a shop in a loop. */
#include "tests/unit/test_common.h"

#include "ap-agent/radio_watch.h"
#include <stdlib.h>
#include <string.h>

struct shop {
	struct radio_watch w;
	struct rfid_reader_stats stats;
	int64_t now_us;
	double rates[4]; /**< reads a second of antennas 1 to 4 */
	double due[4];
	struct proto_trouble list[PROTO_MAX_TROUBLES];
	size_t n;
};

static void begin(struct shop *s, size_t wanted)
{
	static const uint16_t all[] = {1, 2, 3, 4};

	memset(s, 0, sizeof(*s));
	s->now_us = US_PER_SEC;
	radio_watch_init(&s->w, all, wanted);
	radio_watch_running(&s->w, true, s->now_us);
}

static void pass(struct shop *s, int64_t seconds)
{
	for (int64_t i = 0; i < seconds; i++) {
		s->now_us += US_PER_SEC;
		for (uint16_t a = 0; a < 4; a++) {
			s->due[a] += s->rates[a];
			for (; s->due[a] >= 1; s->due[a]--)
				radio_watch_read(&s->w, (uint16_t) (a + 1), 1, s->now_us);
		}
		if (i % (RADIO_WATCH_TICK_US / US_PER_SEC) == 0)
			radio_watch_tick(&s->w, &s->stats, s->now_us);
	}
	s->n = radio_watch_troubles(&s->w, &s->stats, s->now_us, s->list, PROTO_MAX_TROUBLES);
}

static void set_rates(struct shop *s, double a, double b, double c, double d)
{
	s->rates[0] = a;
	s->rates[1] = b;
	s->rates[2] = c;
	s->rates[3] = d;
}

static void a_healthy_radio_is_not_talked_of(void **state)
{
	struct shop s;

	(void) state;
	begin(&s, 4);
	set_rates(&s, 5, 2, 0.3, 8);
	for (int minute = 0; minute < 240; minute++) {
		/* Customers come and go: half as much, twice as much. */
		double f = minute % 7 < 3 ? 0.6 : 1.5;

		set_rates(&s, 5 * f, 2 * f, 0.3, 8 / f);
		pass(&s, 60);
		assert_int_equal(s.n, 0);
	}
}

static void a_silent_antenna_is_named_with_what_it_used_to_read(void **state)
{
	struct shop s;
	int64_t silent_us;

	(void) state;
	begin(&s, 4);
	set_rates(&s, 5, 2, 4, 8);
	pass(&s, 1800);
	silent_us = s.now_us;
	set_rates(&s, 5, 0, 4, 8);
	pass(&s, 80);
	assert_int_equal(s.n, 0);
	pass(&s, 30);
	assert_int_equal(s.n, 1);
	assert_string_equal(s.list[0].code, "silent-antenna");
	assert_int_equal(s.list[0].antenna, 2);
	assert_true(llabs(s.list[0].since_us - silent_us) <= US_PER_SEC);
	assert_non_null(strstr(s.list[0].text, "usually"));
	/* For as long as it lasts, if that is days. */
	pass(&s, 8 * 3600);
	assert_int_equal(s.n, 1);
	set_rates(&s, 5, 2, 4, 8);
	pass(&s, 20);
	assert_int_equal(s.n, 0);
}

static void an_antenna_that_should_read_and_never_did_is_named_too(void **state)
{
	struct shop s;

	(void) state;
	begin(&s, 4);
	set_rates(&s, 5, 5, 5, 0);
	pass(&s, 590);
	assert_int_equal(s.n, 0);
	pass(&s, 20);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.list[0].antenna, 4);
	/* Nobody said that there is a fourth one. */
	begin(&s, 0);
	set_rates(&s, 5, 5, 5, 0);
	pass(&s, 3600);
	assert_int_equal(s.n, 0);
}

static void an_empty_shop_is_no_broken_antenna(void **state)
{
	struct shop s;

	(void) state;
	begin(&s, 4);
	set_rates(&s, 5, 2, 4, 8);
	pass(&s, 1800);
	set_rates(&s, 0, 0, 0, 0);
	pass(&s, 3600);
	assert_int_equal(s.n, 0);
}

static void few_reads_on_all_antennas_are_interference(void **state)
{
	struct shop s;

	(void) state;
	begin(&s, 4);
	set_rates(&s, 5, 5, 4, 8);
	pass(&s, 3600);
	set_rates(&s, 0.8, 0.7, 0.5, 1);
	pass(&s, 120);
	assert_int_equal(s.n, 0);
	pass(&s, 240);
	assert_int_equal(s.n, 1);
	assert_string_equal(s.list[0].code, "interference");
	assert_int_equal(s.list[0].antenna, 0);
	set_rates(&s, 5, 5, 4, 8);
	pass(&s, 300);
	assert_int_equal(s.n, 0);
}

static void a_reader_lost_again_and_again_is_failing(void **state)
{
	struct shop s;

	(void) state;
	begin(&s, 4);
	set_rates(&s, 5, 5, 5, 5);
	for (int i = 0; i < RADIO_WATCH_LOSSES; i++) {
		pass(&s, 60);
		assert_int_equal(s.n, 0);
		radio_watch_running(&s.w, false, s.now_us);
		radio_watch_running(&s.w, false, s.now_us); /* counts once */
		radio_watch_running(&s.w, true, s.now_us);
	}
	pass(&s, 10);
	assert_int_equal(s.n, 1);
	assert_string_equal(s.list[0].code, "failing-reader");
	pass(&s, 600);
	assert_int_equal(s.n, 0);
}

static void what_the_reader_itself_says_is_told(void **state)
{
	struct shop s;

	(void) state;
	begin(&s, 4);
	set_rates(&s, 5, 5, 5, 0);
	s.stats.antennas_off = 1u << 3;
	s.stats.drifts = 2;
	s.stats.exceptions = 1;
	pass(&s, 3000);
	assert_int_equal(s.n, 3);
	assert_string_equal(s.list[0].code, "failing-reader");
	assert_string_equal(s.list[1].code, "antenna-off");
	assert_int_equal(s.list[1].antenna, 4);
	assert_string_equal(s.list[2].code, "drifted");
	pass(&s, 1000); /* an hour later */
	assert_int_equal(s.n, 1);
}

/* --- channels ----------------------------------------------------------------------------------
 */

#define CHANNELS 50

/** A reader that hops over 50 channels, with chance in what each reads. */
static void pass_hopping(struct shop *s, int64_t seconds, double per_s, unsigned int *seed,
			 uint64_t jammed)
{
	s->stats.n_channels = CHANNELS;
	for (uint32_t i = 0; i < CHANNELS; i++)
		s->stats.khz[i] = 902750 + 500 * i;
	for (int64_t i = 0; i < seconds; i++) {
		s->now_us += US_PER_SEC;
		for (s->due[0] += per_s; s->due[0] >= 1; s->due[0]--) {
			unsigned int c = (unsigned int) (rand_r(seed) % CHANNELS);

			if (jammed >> c & 1)
				continue;
			radio_watch_read(&s->w, 1, 1, s->now_us);
			radio_watch_channel(&s->w, (uint16_t) (c + 1), 1,
					    (int16_t) (-5500 - 10 * (int) (rand_r(seed) % 50)));
		}
		if (i % (RADIO_WATCH_TICK_US / US_PER_SEC) == 0)
			radio_watch_tick(&s->w, &s->stats, s->now_us);
	}
	s->n = radio_watch_troubles(&s->w, &s->stats, s->now_us, s->list, PROTO_MAX_TROUBLES);
}

static void chance_and_customers_are_no_interference(void **state)
{
	unsigned int seed = 7;
	struct shop s;

	(void) state;
	begin(&s, 1);
	for (int i = 0; i < 400; i++) { /* some 7 hours */
		pass_hopping(&s, 60, i % 9 < 4 ? 18 : 40, &seed, 0);
		assert_int_equal(s.n, 0);
	}
}

static void jammed_channels_are_named_with_what_is_lost(void **state)
{
	struct proto_health_channel c;
	unsigned int seed = 11;
	struct shop s;

	(void) state;
	begin(&s, 1);
	pass_hopping(&s, 1800, 40, &seed, 0);
	assert_int_equal(s.n, 0);
	pass_hopping(&s, 60 + RADIO_WATCH_LOW_US / US_PER_SEC + 120, 40, &seed,
		     UINT64_C(1) << 4 | UINT64_C(1) << 30);
	assert_int_equal(s.n, 1);
	assert_string_equal(s.list[0].code, "interference");
	assert_non_null(strstr(s.list[0].text, "2 of 50 channels (904.75, 917.75 MHz)"));
	assert_non_null(strstr(s.list[0].text, "4 % of all reads are lost"));
	assert_true(radio_watch_channel_health(&s.w, &s.stats, 5, s.now_us, &c));
	assert_true(c.failing);
	assert_int_equal(c.khz, 904750);
	assert_in_range(c.usual_ppm, 12000, 28000);
	assert_true(radio_watch_channel_health(&s.w, &s.stats, 6, s.now_us, &c));
	assert_false(c.failing);
	assert_true(c.now_cdbm < -5000 && c.now_cdbm > -6500);
	assert_false(radio_watch_channel_health(&s.w, &s.stats, 60, s.now_us, &c));
	/* An hour later it is still no channel that is usually silent. */
	pass_hopping(&s, 3600, 40, &seed, UINT64_C(1) << 4 | UINT64_C(1) << 30);
	assert_int_equal(s.n, 1);
	pass_hopping(&s, 120, 40, &seed, 0);
	assert_int_equal(s.n, 0);
}

static void a_full_buffer_is_told_for_a_while(void **state)
{
	struct shop s;

	(void) state;
	begin(&s, 1);
	set_rates(&s, 5, 0, 0, 0);
	s.stats.ledger.warnings = 1;
	pass(&s, 20);
	assert_int_equal(s.n, 1);
	assert_string_equal(s.list[0].code, "reader-buffer");
	assert_non_null(strstr(s.list[0].text, "nearly full"));
	s.stats.ledger.overflows = 1;
	pass(&s, 20);
	assert_non_null(strstr(s.list[0].text, "reads were lost"));
	pass(&s, RADIO_WATCH_BUFFER_US / US_PER_SEC);
	assert_int_equal(s.n, 0);
}

static void a_drift_says_what_was_found(void **state)
{
	struct shop s;

	(void) state;
	begin(&s, 1);
	set_rates(&s, 5, 0, 0, 0);
	s.stats.drifts = 1;
	s.stats.drift_mended = true;
	strcpy(s.stats.drift, "session 0 instead of 1");
	pass(&s, 20);
	assert_int_equal(s.n, 1);
	assert_string_equal(s.list[0].text,
			    "found session 0 instead of 1; set right again (1 so far)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_healthy_radio_is_not_talked_of),
		cmocka_unit_test(a_silent_antenna_is_named_with_what_it_used_to_read),
		cmocka_unit_test(an_antenna_that_should_read_and_never_did_is_named_too),
		cmocka_unit_test(an_empty_shop_is_no_broken_antenna),
		cmocka_unit_test(few_reads_on_all_antennas_are_interference),
		cmocka_unit_test(a_reader_lost_again_and_again_is_failing),
		cmocka_unit_test(what_the_reader_itself_says_is_told),
		cmocka_unit_test(chance_and_customers_are_no_interference),
		cmocka_unit_test(jammed_channels_are_named_with_what_is_lost),
		cmocka_unit_test(a_full_buffer_is_told_for_a_while),
		cmocka_unit_test(a_drift_says_what_was_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
