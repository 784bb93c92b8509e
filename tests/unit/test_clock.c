/* SPDX-License-Identifier: Apache-2.0 */
/* Time told by a conductor: the file, the rate, and a loop whose timers follow it. */
#include "tests/unit/test_common.h"

#include "common/clock_conducted.h"
#include "common/err.h"
#include "common/loop.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HOUR_US    (3600 * US_PER_SEC)
#define START_REAL INT64_C(1806108600000000) /* 2027-03-27 00:50 */
#define FOREVER    INT64_C(100000000000000)

struct file {
	char magic[8];
	uint64_t count;
	int64_t record[2][4];
};

static char path[64];

static void write_file(const void *data, size_t len)
{
	FILE *f = fopen(path, "r+");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static struct file conductor(int64_t host_us, int64_t rate_milli)
{
	struct file f = {.magic = {'G', 'O', 'N', 'D', 'C', 'L', 'K', '1'},
			 .record = {{host_us, 7 * US_PER_SEC, START_REAL, rate_milli}}};

	return f;
}

static int make_file(void **state)
{
	(void) state;
	(void) snprintf(path, sizeof path, "/tmp/gondola-clock-XXXXXX");
	int fd = mkstemp(path);

	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void) state;
	return unlink(path);
}

static void time_runs_at_the_conductors_rate(void **state)
{
	(void) state;
	struct file f = conductor(1000, 60000);
	struct conducted_time t;
	struct conducted *c;

	write_file(&f, sizeof f);
	assert_int_equal(conducted_open(path, &c), 0);
	conducted_read(c, 1000, &t);
	assert_true(t.mono_us == 7 * US_PER_SEC && t.real_us == START_REAL);
	conducted_read(c, 1000 + 90 * US_PER_SEC, &t);
	assert_true(t.mono_us == 7 * US_PER_SEC + 90 * 60 * US_PER_SEC);
	assert_true(t.real_us == START_REAL + 90 * 60 * US_PER_SEC);
	assert_true(t.rate_milli == 60000);
	conducted_free(c);
}

static void change_of_rate_is_read_from_the_other_record(void **state)
{
	(void) state;
	struct file f = conductor(0, 1000);
	struct conducted_time t;
	struct conducted *c;

	write_file(&f, sizeof f);
	assert_int_equal(conducted_open(path, &c), 0);
	memcpy(f.record[1], (int64_t[]){10 * US_PER_SEC, 17 * US_PER_SEC, START_REAL, 500},
	       sizeof f.record[1]);
	write_file(&f, sizeof f);
	conducted_read(c, 12 * US_PER_SEC, &t);
	assert_true(t.mono_us == 19 * US_PER_SEC); /* the count has not said so yet */
	f.count = 1;
	write_file(&f, sizeof f);
	conducted_read(c, 12 * US_PER_SEC, &t);
	assert_true(t.mono_us == 18 * US_PER_SEC && t.rate_milli == 500);
	conducted_free(c);
}

static void time_never_runs_back_before_the_record(void **state)
{
	(void) state;
	struct file f = conductor(5 * US_PER_SEC, 60000);
	struct conducted_time t;
	struct conducted *c;

	write_file(&f, sizeof f);
	assert_int_equal(conducted_open(path, &c), 0);
	conducted_read(c, 4 * US_PER_SEC, &t);
	assert_true(t.mono_us == 7 * US_PER_SEC);
	conducted_free(c);
}

static void file_that_is_no_conductors_is_badmsg(void **state)
{
	(void) state;
	struct file f = conductor(0, 1000);
	struct conducted *c;

	write_file(&f, sizeof f - 1);
	assert_int_equal(conducted_open(path, &c), -ERR_BADMSG);
	f.magic[7] = '2';
	write_file(&f, sizeof f);
	assert_int_equal(conducted_open(path, &c), -ERR_BADMSG);
	assert_int_equal(conducted_open("/nonexistent/clock", &c), -ENOENT);
}

static void sleep_is_as_short_as_the_rate_asks(void **state)
{
	(void) state;
	assert_true(conducted_wait_us(1000, 20000) == 20000);
	assert_true(conducted_wait_us(60000, 600000) == 10000);
	assert_true(conducted_wait_us(60000, 1) == 1);
	assert_true(conducted_wait_us(1000, HOUR_US) == CONDUCTED_LOOK_US);
	assert_true(conducted_wait_us(0, 1) == CONDUCTED_LOOK_US);
	assert_true(conducted_wait_us(1, FOREVER) == CONDUCTED_LOOK_US);
	assert_true(conducted_wait_us(60000, FOREVER) == CONDUCTED_LOOK_US);
	assert_true(conducted_wait_us(1000, -5) == 0);
}

/* --- the loop --------------------------------------------------------------------------------- */

struct rung {
	struct loop *loop;
	struct file file;
	int64_t at_us;
};

static void ring(void *user)
{
	struct rung *r = user;

	r->at_us = clock_mono_us(loop_clock(r->loop));
	loop_stop(r->loop);
}

static int64_t host_now(void)
{
	struct timespec ts;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &ts), 0);
	return (int64_t) ts.tv_sec * US_PER_SEC + ts.tv_nsec / 1000;
}

/* Time stood until here: from now on a day passes in a blink. */
static void hurry(void *user)
{
	struct rung *r = user;

	memcpy(r->file.record[1],
	       (int64_t[]){host_now(), 7 * US_PER_SEC, START_REAL, INT64_C(8640000000)},
	       sizeof r->file.record[1]);
	r->file.count = 1;
	write_file(&r->file, sizeof r->file);
}

/* The clock of the process is sought once, so one test has all of it. */
static void timers_of_the_loop_follow_the_conductor(void **state)
{
	(void) state;
	struct rung r = {.file = conductor(host_now(), 0)};
	struct loop_timer *day, *now;

	write_file(&r.file, sizeof r.file);
	assert_int_equal(setenv("GONDOLA_CLOCK", path, 1), 0);
	if (!clock_is_conducted())
		skip();
	assert_int_equal(loop_new(&r.loop), 0);
	assert_true(clock_mono_us(loop_clock(r.loop)) == 7 * US_PER_SEC);
	assert_true(clock_real_us(clock_system()) == START_REAL);
	assert_int_equal(loop_timer_new(r.loop, ring, &r, &day), 0);
	assert_int_equal(loop_timer_new(r.loop, hurry, &r, &now), 0);
	loop_timer_start(day, 24 * HOUR_US);
	loop_timer_start(now, 0);
	loop_run(r.loop);
	assert_true(r.at_us >= 7 * US_PER_SEC + 24 * HOUR_US);
	assert_false(loop_timer_active(day));
	loop_timer_free(day);
	loop_timer_free(now);
	loop_free(r.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(time_runs_at_the_conductors_rate, make_file,
						remove_file),
		cmocka_unit_test_setup_teardown(change_of_rate_is_read_from_the_other_record,
						make_file, remove_file),
		cmocka_unit_test_setup_teardown(time_never_runs_back_before_the_record, make_file,
						remove_file),
		cmocka_unit_test_setup_teardown(file_that_is_no_conductors_is_badmsg, make_file,
						remove_file),
		cmocka_unit_test(sleep_is_as_short_as_the_rate_asks),
		cmocka_unit_test_setup_teardown(timers_of_the_loop_follow_the_conductor, make_file,
						remove_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
