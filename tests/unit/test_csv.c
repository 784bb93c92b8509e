/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test_common.h"

#include "controller/shop/csv.h"
#include <string.h>

static struct csv csv;

static int open_next(const char *text, size_t len)
{
	csv_done(&csv);
	csv_init(&csv, text, len);
	return csv_next(&csv);
}

static void is(size_t i, const char *text)
{
	assert_true(i < csv.n);
	assert_int_equal(csv.fields[i].len, strlen(text));
	assert_memory_equal(csv.fields[i].text, text, csv.fields[i].len);
}

static void delimiter_and_byte_order_mark_are_found(void **state)
{
	(void) state;
	assert_int_equal(open_next("\xef\xbb\xbfname;\"a,b\";c\r\n", 16), 1);
	assert_int_equal(csv.n, 3);
	is(0, "name");
	is(1, "a,b");
	assert_int_equal(open_next("a\tb\n", 4), 1);
	assert_int_equal(csv.n, 2);
	assert_int_equal(open_next("single", 6), 1);
	assert_int_equal(csv.n, 1);
}

static void quotes_keep_delimiters_breaks_and_quotes(void **state)
{
	static const char text[] = "\"x, \"\"y\"\"\",\"two\nlines\",\"\"\nnext,1,\"\"\"\"\n";

	(void) state;
	assert_int_equal(open_next(text, sizeof text - 1), 1);
	assert_int_equal(csv.n, 3);
	is(0, "x, \"y\"");
	is(1, "two\nlines");
	is(2, "");
	assert_int_equal(csv_next(&csv), 1);
	assert_int_equal(csv.line, 3);
	is(0, "next");
	is(2, "\"");
	assert_int_equal(csv_next(&csv), 0);
}

static void empty_lines_are_passed_over_but_counted(void **state)
{
	(void) state;
	assert_int_equal(open_next("\n\r\na,b\n\nc,d", 11), 1);
	assert_int_equal(csv.line, 3);
	assert_int_equal(csv_next(&csv), 1);
	assert_int_equal(csv.line, 5);
	is(1, "d");
	assert_int_equal(csv_next(&csv), 0);
	assert_int_equal(csv_next(&csv), 0);
}

static void fault_at(const char *text, size_t len, enum csv_fault fault, uint64_t line,
		     unsigned int column)
{
	int r = open_next(text, len);

	while (r == 1 && !csv.fault)
		r = csv_next(&csv);
	assert_int_equal(r, 1);
	assert_int_equal(csv.fault, fault);
	assert_int_equal(csv.fault_line, line);
	assert_int_equal(csv.fault_column, column);
}

static void faults_name_line_and_column(void **state)
{
	static char huge[CSV_MAX_FIELD + 20];

	(void) state;
	fault_at("a,b\n1,x\"y\n", 10, CSV_BAD_QUOTE, 2, 2);
	fault_at("a,b\n\"x\"y,1\n", 11, CSV_BAD_QUOTE, 2, 1);
	fault_at("a,b\n1,\"never\nends", 17, CSV_BAD_QUOTE, 2, 2);
	fault_at("a,b\n1,x\0y\n", 10, CSV_BAD_CHARACTER, 2, 2);
	fault_at("a,b\nx\ry,1\n", 10, CSV_BAD_LINE_END, 2, 1);
	memset(huge, 'x', sizeof huge);
	memcpy(huge, "a\n", 2);
	fault_at(huge, sizeof huge, CSV_TOO_LONG, 2, 1);
	memset(huge, ',', 100);
	fault_at(huge, 100, CSV_TOO_MANY_COLUMNS, 1, CSV_MAX_COLUMNS + 1);
}

static void reading_goes_on_after_a_bad_line(void **state)
{
	(void) state;
	assert_int_equal(open_next("a,b\n1\"2,3\n4,5\n", 14), 1);
	assert_int_equal(csv_next(&csv), 1);
	assert_int_equal(csv.fault, CSV_BAD_QUOTE);
	assert_int_equal(csv_next(&csv), 1);
	assert_int_equal(csv.fault, CSV_OK);
	assert_int_equal(csv.line, 3);
	is(0, "4");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(delimiter_and_byte_order_mark_are_found),
		cmocka_unit_test(quotes_keep_delimiters_breaks_and_quotes),
		cmocka_unit_test(empty_lines_are_passed_over_but_counted),
		cmocka_unit_test(faults_name_line_and_column),
		cmocka_unit_test(reading_goes_on_after_a_bad_line),
	};
	int r = cmocka_run_group_tests(tests, NULL, NULL);

	csv_done(&csv);
	return r;
}
