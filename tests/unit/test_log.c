/* SPDX-License-Identifier: Apache-2.0 */
/* The log: one record is one line, whatever came from outside. */
#include "tests/unit/test_common.h"

#include "common/err.h"
#include "common/log.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char written[4096];

/* Runs the call with standard error going into `written`. */
#define CAPTURE(call)                                                                              \
	do {                                                                                       \
		int fds_[2], old_ = dup(STDERR_FILENO);                                            \
		assert_int_equal(pipe(fds_), 0);                                                   \
		dup2(fds_[1], STDERR_FILENO);                                                      \
		call;                                                                              \
		dup2(old_, STDERR_FILENO);                                                         \
		close(old_);                                                                       \
		close(fds_[1]);                                                                    \
		ssize_t n_ = read(fds_[0], written, sizeof(written) - 1);                          \
		written[n_ > 0 ? n_ : 0] = 0;                                                      \
		close(fds_[0]);                                                                    \
	} while (0)

static void record_has_priority_component_and_body(void **state)
{
	(void) state;
	CAPTURE(log_info("ingest", "agent=%d msg=\"batch stored\"", 7));
	assert_string_equal(written, "<6>comp=ingest agent=7 msg=\"batch stored\"\n");
}

static void error_brings_its_text_and_yields_its_code(void **state)
{
	(void) state;
	int r = 0;

	CAPTURE(r = log_errno("db", -ERR_CORRUPT, "msg=\"cannot open\""));
	assert_int_equal(r, -ERR_CORRUPT);
	assert_non_null(strstr(written, "<3>comp=db err=-1016 why=\"stored data is damaged\""));
}

static void line_break_from_outside_cannot_forge_a_record(void **state)
{
	(void) state;
	CAPTURE(log_warn("http", "path=%s", "/x\n<0>comp=forged"));
	assert_string_equal(written, "<4>comp=http path=/x\\x0a<0>comp=forged\n");
}

static void quoted_value_cannot_end_its_field(void **state)
{
	(void) state;
	char buf[32];

	assert_string_equal(log_quote("a\"b\\c", buf, sizeof(buf)), "a\\\"b\\\\c");
	assert_true(strlen(log_quote("0123456789012345678901234567890123456789", buf,
				     sizeof(buf))) < sizeof(buf));
}

static void lower_priorities_are_left_out(void **state)
{
	(void) state;
	log_set_level(LOG_WARN);
	CAPTURE(log_info("x", "msg=unwanted"));
	assert_string_equal(written, "");
	log_set_level(LOG_INFO);
}

static void call_site_budget_counts_what_it_holds_back(void **state)
{
	(void) state;
	struct log_limit limit = {0};
	unsigned int held;

	assert_true(log_limit_pass(&limit, 1, 100, 1, &held));
	assert_false(log_limit_pass(&limit, 2, 100, 1, &held));
	assert_false(log_limit_pass(&limit, 3, 100, 1, &held));
	assert_true(log_limit_pass(&limit, 101, 100, 1, &held));
	assert_int_equal(held, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(record_has_priority_component_and_body),
		cmocka_unit_test(error_brings_its_text_and_yields_its_code),
		cmocka_unit_test(line_break_from_outside_cannot_forge_a_record),
		cmocka_unit_test(quoted_value_cannot_end_its_field),
		cmocka_unit_test(lower_priorities_are_left_out),
		cmocka_unit_test(call_site_budget_counts_what_it_holds_back),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
