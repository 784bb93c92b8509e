/* SPDX-License-Identifier: Apache-2.0 */
/* How connections come about beside bluetoothd, and that none of them is left to itself. */
#include "common/err.h"
#include "tests/unit/bluez_bench.h"
#include "tests/unit/bus_daemon.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define CALL_US  (INT64_C(6) * US_PER_SEC)
#define REST_US  US_PER_SEC
#define SUBEVENT 1

static const uint8_t *const label = bluez_fake_label;
static const uint8_t other[ESL_ADDR_BYTES] = {0xc0, 0xff, 0xee, 0, 0, 2};

static void label_is_called_through_the_train(void **state)
{
	(void) state;
	bench_open(&(struct bluez_bench){.kept = {0x80, 1, 0}});
	bench_hear();
	bench_connect(SUBEVENT, label);
	bench_until(&bench.bluez.calls, 1);
	bluez_fake_link(&bench.bluez);
	bench_until(&bench.done, 1);
	assert_int_equal(bench.err, 0);
	assert_int_equal(bench.reached, 1);
	assert_int_equal(bench.bluez.cancels, 0);
}

static void controller_that_stays_busy_is_not_asked_for_ever(void **state)
{
	(void) state;
	bench_open(&(struct bluez_bench){.bluez.call_status = HCI_ERR_COMMAND_DISALLOWED});
	bench_until(&bench.ups, 1);
	bench_connect(SUBEVENT, label);
	bench_until(&bench.bluez.calls, 3);
	assert_int_equal(bench.done, 0);
	bench_pass(60 * US_PER_SEC);
	assert_int_equal(bench.done, 1);
	assert_int_equal(bench.err, -ETIMEDOUT);
	bench.bluez.calls = 0;
	bench_pass(10 * US_PER_SEC);
	assert_int_equal(bench.bluez.calls, 0);
}

static void end_of_a_call_is_not_taken_for_the_next_ones(void **state)
{
	(void) state;
	bench_open(&(struct bluez_bench){.ups = 0});
	bench_until(&bench.ups, 1);
	bench_connect(SUBEVENT, other);
	bench_connect(SUBEVENT, label);
	bench_until(&bench.bluez.calls, 1);
	bench_pass(CALL_US);
	bench_until(&bench.bluez.cancels, 1);
	assert_int_equal(bench.done, 1);
	assert_int_equal(bench.err, -ETIMEDOUT);
	bench_pass(2 * REST_US);
	assert_int_equal(bench.bluez.calls, 2);
	assert_int_equal(bench.done, 1);
	bluez_fake_link(&bench.bluez);
	bench_until(&bench.reached, 1);
}

static void connection_that_comes_when_nobody_waits_is_ended(void **state)
{
	(void) state;
	bench_open(&(struct bluez_bench){.kept = {0x80, 1, 0}});
	bench_until(&bench.ups, 1);
	bench_connect(SUBEVENT, label);
	bench_until(&bench.bluez.calls, 1);
	bench_pass(CALL_US);
	bench_until(&bench.done, 1);
	bluez_fake_link(&bench.bluez); /* it was quicker than the cancel */
	assert_true(bench.bluez.linked);
	bench_step();
	bench_pass(10 * US_PER_SEC);
	assert_false(bench.bluez.linked);
	assert_int_equal(bench.done, 1);
}

static void calls_end_with_bluetoothd(void **state)
{
	(void) state;
	bench_open(&(struct bluez_bench){.ups = 0});
	bench_until(&bench.ups, 1);
	bench_connect(SUBEVENT, other);
	bench_connect(SUBEVENT, label);
	bench_until(&bench.bluez.calls, 1);
	bluez_fake_own_name(&bench.bluez, false);
	bench_until(&bench.downs, 1);
	assert_int_equal(bench.done, 2);
	assert_int_equal(bench.err, -ERR_CLOSED);
	bench_until(&bench.bluez.cancels, 1);
	bench_pass(2 * REST_US);
	assert_int_equal(bench.bluez.calls, 1); /* nobody is there to bond with the other one */
}

static void call_is_cancelled_at_the_end(void **state)
{
	(void) state;
	bench_open(&(struct bluez_bench){.ups = 0});
	bench_until(&bench.ups, 1);
	bench_connect(SUBEVENT, label);
	bench_until(&bench.bluez.calls, 1);
	bench.link->ops->free(bench.link);
	bench.link = NULL;
	bench_until(&bench.bluez.cancels, 1);
}

static void connection_is_not_ended_while_it_is_worked_over(void **state)
{
	(void) state;
	bench_open(&(struct bluez_bench){.ups = 0});
	bench_meet();
	assert_int_equal(bench.link->ops->read_info(bench.link, label, bench_done, NULL), 0);
	assert_int_equal(bench.link->ops->disconnect(bench.link, label, bench_done, NULL), -EBUSY);
	bench_until(&bench.done, 2);
	assert_int_equal(bench.err, 0);
	assert_int_equal(bench.res.n_displays, 1);
	assert_int_equal(bench.link->ops->disconnect(bench.link, label, bench_done, NULL), 0);
	bench_until(&bench.done, 3);
	assert_int_equal(bench.err, 0);
}

static void reset_that_could_not_be_kept_is_kept_the_next_time(void **state)
{
	(void) state;
	bench_open(&(struct bluez_bench){.kept = {0x80, 1, 0}, .save_err = -ENOSPC});
	bench_hear();
	bench_connect(ESL_ADVERTISING, label);
	bench_until(&bench.done, 1);
	assert_int_equal(bench.err, -ENOSPC);
	assert_false(bench.bluez.paired);
	bench_until_true(&bench.bluez.hangs_up);
	bluez_fake_show_label(&bench.bluez);
	bench_until(&bench.adverts, 2);
	bench_connect(ESL_ADVERTISING, label);
	bench_until(&bench.done, 2);
	assert_int_equal(bench.err, 0);
	assert_true(bench.res.rebonded);
	assert_memory_equal(bench.kept, "\x80\x01\x01", 3);
}

static void bluetoothd_that_tells_nothing_of_labels_is_named(void **state)
{
	(void) state;
	bench_open(&(struct bluez_bench){.bluez.refuses = "GetManagedObjects"});
	bench_until(&bench.downs, 1);
	assert_non_null(strstr(bench.text, "does not tell us of its labels"));
	assert_non_null(strstr(bench.text, "AccessDenied"));
	bench.bluez.refuses = NULL;
	bench_pass(2 * US_PER_SEC);
	bench_until(&bench.ups, 1); /* and it is asked again */
}

static void scanning_that_ended_by_itself_begins_anew(void **state)
{
	(void) state;
	bench_open(&(struct bluez_bench){.bluez.refuses = "StopDiscovery"});
	bench_until(&bench.ups, 1);
	assert_int_equal(bench.link->ops->scan(bench.link, true), 0);
	bench_until(&bench.bluez.discoveries, 1);
	bench_hear();
	assert_int_equal(bench.link->ops->scan(bench.link, false), 0);
	bench_until(&bench.bluez.refused, 1); /* it knows of no scanning of ours */
	bluez_fake_show_label(&bench.bluez);
	bench_until(&bench.adverts, 2); /* its answer has come before this */
	assert_int_equal(bench.link->ops->scan(bench.link, true), 0);
	bench_until(&bench.bluez.discoveries, 2);
}

int main(void)
{
#define BENCH(test) cmocka_unit_test_teardown(test, bench_close)
	const struct CMUnitTest tests[] = {
		BENCH(label_is_called_through_the_train),
		BENCH(controller_that_stays_busy_is_not_asked_for_ever),
		BENCH(end_of_a_call_is_not_taken_for_the_next_ones),
		BENCH(connection_that_comes_when_nobody_waits_is_ended),
		BENCH(calls_end_with_bluetoothd),
		BENCH(call_is_cancelled_at_the_end),
		BENCH(connection_is_not_ended_while_it_is_worked_over),
		BENCH(reset_that_could_not_be_kept_is_kept_the_next_time),
		BENCH(bluetoothd_that_tells_nothing_of_labels_is_named),
		BENCH(scanning_that_ended_by_itself_begins_anew),
	};

	return cmocka_run_group_tests(tests, bus_daemon_start, bus_daemon_stop);
}
