/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of a reader's radio, and when: hours of a shop in a loop. */
#include "tests/unit/test_common.h"

#include "ap-agent/radio_watch.h"
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
