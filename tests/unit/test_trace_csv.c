/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test_common.h"

#include "common/err.h"
#include "controller/inventory/trace_csv.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct trace trace;
static uint64_t bad_line;

static void note_bad(void *user, uint64_t line, const char *why)
{
	(void) user;
	assert_non_null(why);
	bad_line = line;
}

static int parse(const char *text)
{
	trace_done(&trace);
	bad_line = 0;
	return trace_parse(text, strlen(text), note_bad, NULL, &trace);
}

static void columns_are_found_by_name_in_any_order(void **state)
{
	(void) state;
	assert_int_equal(parse("epc,rssi,extra,Antenna,timestamp,phase_angle,channel_index,"
			       "doppler_frequency,reader\n"
			       "aa,-61.5,x,3,10.25,4095,7,-120,here\n"),
			 0);
	assert_int_equal(trace.n, 1);
	assert_int_equal(trace.reads[0].at_us, 10250000);
	assert_int_equal(trace.reads[0].antenna, 3);
	assert_true(trace.reads[0].rssi_dbm == -61.5f);
	assert_int_equal(trace.reads[0].phase, 4095);
	assert_int_equal(trace.reads[0].channel, 7);
	assert_true(trace.reads[0].doppler == -120.0f);
	assert_string_equal(trace.readers[trace.reads[0].reader], "here");
}

static void missing_columns_are_not_measured_values(void **state)
{
	(void) state;
	assert_int_equal(parse("timestamp\n5.5\n4.5\n"), 0);
	assert_int_equal(trace.n, 2);
	assert_int_equal(trace.reads[0].at_us, 4500000);
	assert_int_equal(trace.reads[0].antenna, 1);
	assert_true(trace.reads[0].rssi_dbm == TRACE_NO_RSSI);
	assert_true(trace.reads[0].doppler == TRACE_NO_DOPPLER);
	assert_int_equal(trace.reads[0].phase, -1);
	assert_int_equal(trace.reads[0].channel, -1);
}

static void rows_are_sorted_by_time_and_ties_keep_their_order(void **state)
{
	(void) state;
	assert_int_equal(parse("timestamp,antenna\n3.5,1\n1.5,2\n3.5,3\n2.5,4\n"), 0);
	assert_int_equal(trace.reads[0].antenna, 2);
	assert_int_equal(trace.reads[1].antenna, 4);
	assert_int_equal(trace.reads[2].antenna, 1);
	assert_int_equal(trace.reads[3].antenna, 3);
}

static void the_most_frequent_epc_is_the_tag(void **state)
{
	(void) state;
	assert_int_equal(parse("timestamp,epc,antenna\n1.5,b'30AB',1\n2.5,ffff,2\n3.5,30ab,3\n"),
			 0);
	assert_int_equal(trace.n, 2);
	assert_int_equal(trace.foreign, 1);
	assert_int_equal(trace.reads[1].antenna, 3);
}

static void whole_seconds_are_spread(void **state)
{
	(void) state;
	assert_int_equal(parse("timestamp\n7\n7\n7\n7\n8\n"), 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(trace.reads[i].at_us, 7000000 + (int64_t) i * 250000);
	assert_int_equal(trace.reads[4].at_us, 8000000);
}

static void some_whole_seconds_among_others_are_left_alone(void **state)
{
	(void) state;
	assert_int_equal(parse("timestamp\n7\n7\n7.5\n"), 0);
	assert_int_equal(trace.reads[1].at_us, 7000000);
}

static void a_bad_row_is_reported_by_its_line_and_left_out(void **state)
{
	static const char *const rows[] = {"x,1,-60",     "1,x,-60",     "1,1,strong", "nan,1,-60",
					   "1,70000,-60", "1e300,1,-60", ",1,-60",     "1,1,-60\""};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[128];

		snprintf(text, sizeof(text), "timestamp,antenna,rssi\n2.5,1,-50\n%s\n3.5,2,-50\n",
			 rows[i]);
		assert_int_equal(parse(text), 0);
		assert_int_equal(trace.n, 2);
		assert_int_equal(trace.bad, 1);
		assert_int_equal(bad_line, 3);
	}
}

static void nonsense_in_helpful_columns_does_not_spoil_the_row(void **state)
{
	(void) state;
	assert_int_equal(parse("timestamp,phase_angle,channel_index\n1.5,9999,x\n"), 0);
	assert_int_equal(trace.n, 1);
	assert_int_equal(trace.bad, 0);
	assert_int_equal(trace.reads[0].phase, -1);
	assert_int_equal(trace.reads[0].channel, -1);
}

static void a_file_without_header_or_reads_is_refused(void **state)
{
	(void) state;
	assert_int_equal(parse(""), -ERR_SYNTAX);
	assert_int_equal(parse("a,b\n1,2\n"), -ERR_SYNTAX);
	assert_int_equal(bad_line, 1);
	assert_int_equal(parse("timestamp,epc\n"), -ENODATA);
	assert_int_equal(trace_load("/nonexistent/walk.csv", NULL, NULL, &trace), -ENOENT);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_found_by_name_in_any_order),
		cmocka_unit_test(missing_columns_are_not_measured_values),
		cmocka_unit_test(rows_are_sorted_by_time_and_ties_keep_their_order),
		cmocka_unit_test(the_most_frequent_epc_is_the_tag),
		cmocka_unit_test(whole_seconds_are_spread),
		cmocka_unit_test(some_whole_seconds_among_others_are_left_alone),
		cmocka_unit_test(a_bad_row_is_reported_by_its_line_and_left_out),
		cmocka_unit_test(nonsense_in_helpful_columns_does_not_spoil_the_row),
		cmocka_unit_test(a_file_without_header_or_reads_is_refused),
	};
	int r = cmocka_run_group_tests_name("trace_csv", tests, NULL, NULL);

	trace_done(&trace);
	return r;
}
