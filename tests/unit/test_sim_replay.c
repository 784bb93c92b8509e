/* SPDX-License-Identifier: Apache-2.0 */
/* Recorded traces: what is read, what is left out and by which line it is reported. */
#include "tests/unit/test_common.h"

#include "common/err.h"
#include "sim/replay.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER "timestamp,reader,antenna,rssi,epc,phase_angle,channel_index,doppler_frequency\n"

struct bad {
	size_t n;
	size_t lines[16];
	char why[16][64];
};

static void note_bad(void *user, size_t line, const char *why)
{
	struct bad *b = user;

	assert_true(b->n < 16);
	b->lines[b->n] = line;
	(void) snprintf(b->why[b->n++], sizeof b->why[0], "%s", why);
}

static int parse(const char *text, struct bad *bad, struct replay *ret)
{
	*bad = (struct bad){0};
	return replay_parse(text, strlen(text), note_bad, bad, ret);
}

static void a_row_is_read_whole(void **state)
{
	struct replay r;
	struct bad bad;
	char hex[EPC_HEX_MAX];

	(void) state;
	assert_int_equal(parse(HEADER "1747162820.246058,192.168.0.219:5084,3,-68,"
				      "b'303435fc8803d056d15b963f',756,12,-158\n",
			       &bad, &r),
			 0);
	assert_int_equal(r.n, 1);
	assert_int_equal(bad.n, 0);
	assert_true(r.rows[0].at_us == INT64_C(1747162820246058));
	assert_int_equal(r.rows[0].antenna, 3);
	assert_int_equal(r.rows[0].rssi_dbm, -68);
	assert_int_equal(r.rows[0].phase, 756);
	assert_int_equal(r.rows[0].channel, 12);
	assert_int_equal(r.rows[0].doppler, -158);
	assert_string_equal(epc_to_hex(&r.rows[0].epc, hex), "303435fc8803d056d15b963f");
	assert_int_equal(r.max_antenna, 3);
	replay_done(&r);
}

static void rows_are_sorted_by_time_and_equal_times_keep_their_order(void **state)
{
	struct replay r;
	struct bad bad;

	(void) state;
	assert_int_equal(parse("timestamp,epc,antenna\n5,aa,1\n3.5,aa,2\n5,aa,3\n1,aa,4\n5.000,aa,"
			       "5\n",
			       &bad, &r),
			 0);
	assert_int_equal(r.n, 5);
	assert_int_equal(r.rows[0].antenna, 4);
	assert_int_equal(r.rows[1].antenna, 2);
	assert_int_equal(r.rows[2].antenna, 1);
	assert_int_equal(r.rows[3].antenna, 3);
	assert_int_equal(r.rows[4].antenna, 5);
	replay_done(&r);
}

static void bad_rows_are_reported_by_line_and_left_out(void **state)
{
	struct replay r;
	struct bad bad;

	(void) state;
	assert_int_equal(parse(HEADER "yesterday,r,1,-60,aa,0,1,0\n"
				      "1,r,1,-60,b'zz',0,1,0\n"
				      "\n"
				      "2,r,1,-60,aa,0,1,0\r\n"
				      "3,r,0,-60,aa,0,1,0\n"
				      "4,r,1,loud,aa,0,1,0\n"
				      "5,r,1,-60,aa,4096,1,0\n"
				      "6,r,1,-60,aa,0,1,99999\n"
				      "7,r\n",
			       &bad, &r),
			 0);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.bad, 7);
	assert_int_equal(bad.n, 7);
	assert_int_equal(bad.lines[0], 2);
	assert_string_equal(bad.why[0], "timestamp is not a number of seconds");
	assert_int_equal(bad.lines[1], 3);
	assert_int_equal(bad.lines[2], 6);
	assert_int_equal(bad.lines[6], 10);
	assert_string_equal(bad.why[6], "too few columns");
	replay_done(&r);
}

static void missing_columns_have_defaults(void **state)
{
	struct replay r;
	struct bad bad;

	(void) state;
	assert_int_equal(parse("epc,timestamp\n303435fc8803d056d15b963f,17\n", &bad, &r), 0);
	assert_int_equal(r.rows[0].antenna, 1);
	assert_int_equal(r.rows[0].channel, 1);
	assert_true(r.rows[0].at_us == 17 * US_PER_SEC);
	replay_done(&r);
}

static void a_file_without_time_or_epc_is_refused(void **state)
{
	struct replay r;
	struct bad bad;

	(void) state;
	assert_int_equal(parse("", &bad, &r), -ERR_SYNTAX);
	assert_int_equal(parse("a,b,c\n1,2,3\n", &bad, &r), -ERR_SYNTAX);
	assert_int_equal(parse("timestamp,antenna\n1,2\n", &bad, &r), -ERR_SYNTAX);
}

static void numbers_may_carry_a_fraction_of_zeros_but_nothing_else(void **state)
{
	struct replay r;
	struct bad bad;

	(void) state;
	assert_int_equal(parse("timestamp,epc,rssi\n1,aa,-60.0\n2,aa,-60.5\n3,aa,-\n4,aa,"
			       "99999999999999999999\n1e9,aa,1\n99999999999999,aa,1\n",
			       &bad, &r),
			 0);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.rows[0].rssi_dbm, -60);
	assert_int_equal(bad.n, 5);
	replay_done(&r);
}

static void recorded_traces_are_read_to_the_last_row(void **state)
{
	static const char *const files[] = {"quadrant/quad1_train.csv", "quadrant/quadz4_train.csv",
					    "lines/MoveTest1-7.csv"};
	const char *dir = getenv("GONDOLA_DATA"), *required = getenv("REQUIRE_DATA");

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct bad bad = {0};
		struct replay r;
		char path[4096];
		int e;

		(void) snprintf(path, sizeof path, "%s/rfid-traces/%s", dir ? dir : "", files[i]);
		e = replay_load(path, note_bad, &bad, &r);
		if (e == -2 && !(required && required[0] == '1'))
			skip();
		assert_int_equal(e, 0);
		assert_int_equal(bad.n, 0);
		assert_true(r.n > 50);
		for (size_t k = 1; k < r.n; k++)
			assert_true(r.rows[k - 1].at_us <= r.rows[k].at_us);
		replay_done(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_is_read_whole),
		cmocka_unit_test(rows_are_sorted_by_time_and_equal_times_keep_their_order),
		cmocka_unit_test(bad_rows_are_reported_by_line_and_left_out),
		cmocka_unit_test(missing_columns_have_defaults),
		cmocka_unit_test(a_file_without_time_or_epc_is_refused),
		cmocka_unit_test(numbers_may_carry_a_fraction_of_zeros_but_nothing_else),
		cmocka_unit_test(recorded_traces_are_read_to_the_last_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
