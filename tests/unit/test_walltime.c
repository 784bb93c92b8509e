/* SPDX-License-Identifier: Apache-2.0 */
/* Wall times against the C library's own reading of the zone files, an oracle that is not ours. */
#include "tests/unit/test_common.h"

#include "common/err.h"
#include "controller/promo/walltime.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const zones[] = {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
				    "Asia/Kolkata"};

static void use_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

/* What the C library's clock shows, as a count without zone. */
static int64_t clock_shows(int64_t utc_s)
{
	time_t t = (time_t) utc_s;
	struct tm tm;

	localtime_r(&t, &tm);
	tm.tm_isdst = 0;
	return (int64_t) timegm(&tm);
}

/* The rule of the house, by trying every minute around. */
static int64_t by_trial(int64_t count, enum walltime_edge edge, enum walltime_kind *ret_kind)
{
	int64_t found[4], n = 0, jump = 0, was = clock_shows(count - 16 * 3600);

	for (int64_t t = count - 16 * 3600; t <= count + 16 * 3600; t += 60) {
		int64_t shows = clock_shows(t);

		if (shows == count && n < 4)
			found[n++] = t;
		if (was < count && shows > count && !jump)
			jump = t;
		was = shows;
	}
	*ret_kind = n == 0 ? WALLTIME_SKIPPED : n == 1 ? WALLTIME_PLAIN : WALLTIME_REPEATED;
	return n == 0 ? jump : edge == WALLTIME_START ? found[0] : found[n - 1];
}

static void assert_resolves(const char *zone, int64_t count)
{
	for (int edge = 0; edge < 2; edge++) {
		enum walltime_kind kind, expected_kind;
		struct walltime w;
		int64_t at, expected = by_trial(count, (enum walltime_edge) edge, &expected_kind);
		char text[WALLTIME_TEXT_MAX];

		walltime_from_count(count, &w);
		assert_int_equal(walltime_resolve(&w, zone, (enum walltime_edge) edge, &at, &kind),
				 0);
		if (at != expected * US_PER_SEC || kind != expected_kind)
			fail_msg("%s %s edge %d: %lld, the C library says %lld", zone,
				 walltime_format(&w, text), edge, (long long) (at / US_PER_SEC),
				 (long long) expected);
	}
}

/* Every instant at which the zone's offset changes in these years, found by the C library. */
static void nights_resolve_as_the_c_library_says(void **state)
{
	int nights = 0;

	(void) state;
	for (size_t z = 0; z < ARRAY_SIZE(zones); z++) {
		use_zone(zones[z]);
		for (int64_t t = 1767225600; t < 1925000000; t += 86400) { /* 2026 to 2030 */
			int64_t offset = clock_shows(t) - t;

			if (clock_shows(t + 86400) - t - 86400 == offset)
				continue;
			nights++;
			for (int64_t m = -6 * 3600; m < 30 * 3600; m += 900)
				assert_resolves(zones[z], t + offset + m);
		}
	}
	assert_int_equal(nights, 10 + 10 + 10 + 0); /* Kolkata has none */
}

static void random_wall_times_resolve_as_the_c_library_says(void **state)
{
	static const char *const more[] = {"Europe/Berlin",     "America/New_York",
					   "Europe/Dublin",     "Africa/Casablanca",
					   "America/St_Johns",  "Australia/Lord_Howe",
					   "Asia/Kolkata",      "Pacific/Chatham",
					   "America/Sao_Paulo", "UTC"};
	unsigned long long seed = 20261122;

	(void) state;
	print_message("seed %llu\n", seed);
	for (size_t z = 0; z < ARRAY_SIZE(more); z++) {
		use_zone(more[z]);
		for (int i = 0; i < 60; i++) {
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			/* 2024 to 2037, whole minutes */
			assert_resolves(more[z],
					1704067200 + (int64_t) (seed >> 33) % 7300000 * 60);
		}
	}
}

static void instants_show_as_the_c_library_says(void **state)
{
	unsigned long long seed = 7;

	(void) state;
	for (size_t z = 0; z < ARRAY_SIZE(zones); z++) {
		use_zone(zones[z]);
		for (int i = 0; i < 4000; i++) {
			struct walltime w;
			int64_t t;

			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			t = 1577836800 + (int64_t) (seed >> 32) % 568000000; /* 2020 to 2037 */
			assert_int_equal(walltime_at(t * US_PER_SEC + 999999, zones[z], &w), 0);
			assert_int_equal(walltime_to_count(&w), clock_shows(t));
		}
	}
}

static void calendar_counts_as_the_c_library_does(void **state)
{
	(void) state;
	for (int64_t s = 946684800; s < 2145916800; s += 86400 * 11 + 3661) {
		struct walltime w;
		time_t t = (time_t) s;
		struct tm tm;

		gmtime_r(&t, &tm);
		walltime_from_count(s, &w);
		assert_int_equal(w.year, tm.tm_year + 1900);
		assert_int_equal(w.month, tm.tm_mon + 1);
		assert_int_equal(w.day, tm.tm_mday);
		assert_int_equal(w.hour, tm.tm_hour);
		assert_int_equal(w.second, tm.tm_sec);
		assert_int_equal(walltime_to_count(&w), s);
	}
}

static struct walltime wall(const char *text)
{
	struct walltime w = {0};

	assert_int_equal(walltime_parse(text, strlen(text), &w), 0);
	return w;
}

static void notes_say_what_happens_to_the_hour(void **state)
{
	static const struct {
		const char *text, *zone;
		enum walltime_edge edge;
		const char *note;
	} cases[] = {
		{"2027-03-28T02:30", "Europe/Berlin", WALLTIME_START,
		 "02:30 does not exist on 2027-03-28; it starts at 03:00"},
		{"2027-03-28T02:30", "Europe/Berlin", WALLTIME_END,
		 "02:30 does not exist on 2027-03-28; it ends at 03:00"},
		{"2027-10-31T02:30", "Europe/Berlin", WALLTIME_START,
		 "02:30 comes twice on 2027-10-31; it starts at the first one"},
		{"2027-10-31T02:30", "Europe/Berlin", WALLTIME_END,
		 "02:30 comes twice on 2027-10-31; it ends at the second one"},
		{"2027-10-03T02:15", "Australia/Lord_Howe", WALLTIME_START,
		 "02:15 does not exist on 2027-10-03; it starts at 02:30"},
		{"2027-10-31T03:00", "Europe/Berlin", WALLTIME_START, ""},
		{"2027-03-28T02:30", "Asia/Kolkata", WALLTIME_START, ""},
	};
	char note[WALLTIME_NOTE_MAX];

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct walltime w = wall(cases[i].text);

		assert_string_equal(walltime_note(&w, cases[i].zone, cases[i].edge, note),
				    cases[i].note);
	}
}

static void bad_wall_times_are_refused(void **state)
{
	static const struct {
		const char *text;
		int err;
	} cases[] = {
		{"", -ERR_SYNTAX},
		{"2026-11-27", -ERR_SYNTAX},
		{"2026-11-27 08:00", -ERR_SYNTAX},
		{"2026-11-27T08:00Z", -ERR_SYNTAX},
		{"2026-11-27T08:00+01:00", -ERR_SYNTAX},
		{"2026-11-27T8:00", -ERR_SYNTAX},
		{"2026-11-27T08:00:00.5", -ERR_SYNTAX},
		{"2026-02-29T08:00", -ERR_RANGE},
		{"2026-13-01T08:00", -ERR_RANGE},
		{"2026-11-00T08:00", -ERR_RANGE},
		{"2026-11-27T24:00", -ERR_RANGE},
		{"2026-11-27T08:60", -ERR_RANGE},
		{"2038-01-01T00:00", -ERR_RANGE},
		{"1999-12-31T23:59", -ERR_RANGE},
	};
	struct walltime w = {.year = 1};
	int64_t at = 5;

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(walltime_parse(cases[i].text, strlen(cases[i].text), &w),
				 cases[i].err);
	assert_int_equal(w.year, 1);
	w = wall("2026-11-27T08:00");
	assert_int_equal(walltime_resolve(&w, "Europe/Nowhere", WALLTIME_START, &at, NULL),
			 -ENOENT);
	assert_int_equal(walltime_resolve(&w, "../../etc/passwd", WALLTIME_START, &at, NULL),
			 -ENOENT);
	assert_int_equal(walltime_resolve(&w, "", WALLTIME_START, &at, NULL), -ENOENT);
	assert_int_equal(at, 5);
	assert_int_equal(walltime_at(INT64_C(2524608000) * US_PER_SEC, "UTC", &w), -ERR_RANGE);
}

/* The occurrences of a rule, as one text. */
static const char *occurrences(const char *rule, const char *start, int max)
{
	static char all[512];
	struct walltime w = wall(start);
	struct walltime_rule *r = NULL;
	size_t n = 0;
	int err = walltime_rule_new(rule, strlen(rule), "Europe/Berlin", &w, &r);

	all[0] = 0;
	if (err < 0) {
		snprintf(all, sizeof all, "%s", err_str(err));
		return all;
	}
	while (max-- > 0 && walltime_rule_next(r, &w)) {
		char text[WALLTIME_TEXT_MAX];

		n += (size_t) snprintf(all + n, sizeof all - n, "%s%s", n ? " " : "",
				       walltime_format(&w, text));
	}
	walltime_rule_free(r);
	return all;
}

static void rules_bring_wall_times_again(void **state)
{
	(void) state;
	assert_string_equal(occurrences("FREQ=WEEKLY;BYDAY=FR;COUNT=3", "2026-11-27T08:00", 9),
			    "2026-11-27T08:00 2026-12-04T08:00 2026-12-11T08:00");
	assert_string_equal(occurrences("FREQ=WEEKLY;BYDAY=TU,FR", "2026-11-27T08:00", 3),
			    "2026-11-27T08:00 2026-12-01T08:00 2026-12-04T08:00");
	assert_string_equal(
		occurrences("FREQ=DAILY;INTERVAL=2;UNTIL=20261201", "2026-11-27T22:00", 9),
		"2026-11-27T22:00 2026-11-29T22:00 2026-12-01T22:00");
	/* 21:00 UTC is 22:00 in Berlin: the last one just counts */
	assert_string_equal(occurrences("FREQ=DAILY;UNTIL=20261128T210000Z", "2026-11-27T22:00", 9),
			    "2026-11-27T22:00 2026-11-28T22:00");
	assert_string_equal(occurrences("FREQ=DAILY;UNTIL=20261128T205959Z", "2026-11-27T22:00", 9),
			    "2026-11-27T22:00");
	assert_string_equal(occurrences("FREQ=MONTHLY;BYDAY=-1FR", "2026-11-27T08:00", 3),
			    "2026-11-27T08:00 2026-12-25T08:00 2027-01-29T08:00");
	assert_string_equal(occurrences("FREQ=YEARLY", "2024-02-29T08:00", 9),
			    "2024-02-29T08:00 2028-02-29T08:00 2032-02-29T08:00 2036-02-29T08:00");
	/* the wall time stays, whatever happens to the clocks */
	assert_string_equal(occurrences("FREQ=DAILY", "2027-03-27T02:30", 3),
			    "2027-03-27T02:30 2027-03-28T02:30 2027-03-29T02:30");
}

static void rules_end_where_zones_do(void **state)
{
	static const char rule[] = "FREQ=DAILY";
	struct walltime w = wall("2026-11-22T08:00");
	struct walltime_rule *r = NULL;
	int n = 0;

	(void) state;
	assert_int_equal(walltime_rule_new(rule, strlen(rule), "Europe/Berlin", &w, &r), 0);
	while (n < 10000 && walltime_rule_next(r, &w))
		n++;
	walltime_rule_free(r);
	assert_int_equal(w.year, WALLTIME_MAX_YEAR);
	assert_int_equal(n, 4058); /* 39 days of 2026, eleven years, three of them leap */
}

static void bad_rules_are_refused(void **state)
{
	static const struct {
		const char *rule;
		int err;
	} cases[] = {
		{"", -ERR_SYNTAX},
		{"FREQ", -ERR_SYNTAX},
		{"FREQ=", -ERR_SYNTAX},
		{"COUNT=3", -ERR_SYNTAX},
		{"FREQ=SECONDLY", -ERR_TOO_LARGE},
		{"FREQ=MINUTELY", -ERR_TOO_LARGE},
		{"FREQ=HOURLY", -ERR_TOO_LARGE},
		{"FREQ=FORTNIGHTLY", -ERR_SYNTAX},
		{"FREQ=DAILY;FREQ=DAILY", -ERR_SYNTAX},
		{"FREQ=DAILY;", -ERR_SYNTAX},
		{"FREQ=DAILY;;COUNT=2", -ERR_SYNTAX},
		{"FREQ=DAILY;BYHOUR=1,2,3", -ERR_SYNTAX},
		{"FREQ=DAILY;BYMINUTE=1", -ERR_SYNTAX},
		{"FREQ=DAILY;COUNT=0", -ERR_RANGE},
		{"FREQ=DAILY;COUNT=-1", -ERR_SYNTAX},
		{"FREQ=DAILY;COUNT=99999", -ERR_RANGE},
		{"FREQ=DAILY;COUNT=2;UNTIL=20270101", -ERR_SYNTAX},
		{"FREQ=DAILY;UNTIL=20270230", -ERR_RANGE},
		{"FREQ=DAILY;UNTIL=tomorrow", -ERR_SYNTAX},
		{"FREQ=DAILY;UNTIL=20270101T000000X", -ERR_SYNTAX},
		{"FREQ=WEEKLY;BYDAY=XX", -ERR_SYNTAX},
		{"FREQ=WEEKLY;BYDAY=MO", -ERR_CONFLICT}, /* it starts on a Friday */
		{"FREQ=MONTHLY;BYMONTHDAY=30;BYMONTH=2", -ERR_CONFLICT},
	};
	struct walltime start = wall("2026-11-27T08:00");
	char longest[WALLTIME_RULE_MAX + 20];

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct walltime_rule *r = NULL;
		int err = walltime_rule_new(cases[i].rule, strlen(cases[i].rule), "Europe/Berlin",
					    &start, &r);

		if (err != cases[i].err)
			fail_msg("%s: %s", cases[i].rule, err_str(err));
		assert_null(r);
	}
	memset(longest, '1', sizeof longest);
	memcpy(longest, "FREQ=DAILY;BYMONTHDAY=", 22);
	{
		struct walltime_rule *r = NULL;

		assert_true(walltime_rule_new(longest, sizeof longest, "UTC", &start, &r) < 0);
		assert_int_equal(walltime_rule_new("FREQ=DAILY", 10, "No/Where", &start, &r),
				 -ENOENT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nights_resolve_as_the_c_library_says),
		cmocka_unit_test(random_wall_times_resolve_as_the_c_library_says),
		cmocka_unit_test(instants_show_as_the_c_library_says),
		cmocka_unit_test(calendar_counts_as_the_c_library_does),
		cmocka_unit_test(notes_say_what_happens_to_the_hour),
		cmocka_unit_test(bad_wall_times_are_refused),
		cmocka_unit_test(rules_bring_wall_times_again),
		cmocka_unit_test(rules_end_where_zones_do),
		cmocka_unit_test(bad_rules_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
