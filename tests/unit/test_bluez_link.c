/* SPDX-License-Identifier: Apache-2.0 */
/* The connected driver beside a bluetoothd and a kernel that the test plays. */
#include "common/err.h"
#include "tests/unit/bluez_bench.h"
#include "tests/unit/bus_daemon.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t *const label = bluez_fake_label;

static void label_that_advertises_is_paired_read_and_configured(void **state)
{
	const struct esl_link_config config = {.esl_address = 0x0305, .abs_ms = 1000};

	(void) state;
	bench_open(&(struct bluez_bench){.ups = 0});
	sim_label_set_battery(bench.bluez.label, 3000);
	bench_until(&bench.ups, 1);
	assert_true(bench.bluez.agent_asked);
	assert_int_equal(bench.link->ops->scan(bench.link, true), 0);
	bench_until(&bench.bluez.discoveries, 1);
	bench_hear();
	assert_false(bench.bonded);
	bench_connect(ESL_ADVERTISING, label);
	bench_until(&bench.done, 1);
	assert_int_equal(bench.err, 0);
	assert_false(bench.res.rebonded);
	assert_int_equal(bench.reached, 1);
	assert_memory_equal(bench.kept, "\x80\x01\x00", 3);
	assert_int_equal(bench.link->ops->read_info(bench.link, label, bench_done, NULL), 0);
	bench_until(&bench.done, 2);
	assert_int_equal(bench.err, 0);
	assert_int_equal(bench.res.n_displays, 1);
	assert_int_equal(bench.res.displays[0].width, 296);
	assert_int_equal(bench.res.displays[0].height, 128);
	assert_int_equal(bench.res.max_image_index, 3);
	assert_true(bench.res.identity.has_type);
	assert_int_equal(bench.res.n_sensors, 2);
	assert_int_equal(bench.res.sensors[0].id.number, 0x0054);
	assert_int_equal(bench.res.sensors[0].len, 2);
	assert_int_equal(bench.res.temperature_cc,
			 bench.res.sensors[0].data[0] | bench.res.sensors[0].data[1] << 8);
	assert_int_equal(bench.res.sensors[1].id.number, 0x0059);
	assert_int_equal(bench.res.battery_mv, 3000);
	assert_int_equal(bench.link->ops->configure(bench.link, label, &config, bench_done, NULL),
			 0);
	bench_until(&bench.done, 3);
	assert_int_equal(bench.err, 0);
	assert_string_equal(
		bench.bluez.writes,
		"2ac6 2bfe 2bfe 2bf6 2bf8 2bf7 2bf9 "); /* address, its key, the train's, time */
	assert_int_equal(bench.bluez.transfers, 1);
}

static void label_nobody_has_heard_of_cannot_be_connected_to(void **state)
{
	(void) state;
	bench_open(&(struct bluez_bench){.ups = 0});
	bench_until(&bench.ups, 1);
	assert_int_equal(
		bench.link->ops->connect(bench.link, label, ESL_ADVERTISING, 5, bench_done, NULL),
		-ENOENT);
}

static void refused_pairing_agent_is_named(void **state)
{
	(void) state;
	bench_open(&(struct bluez_bench){.bluez.refuse_agent = true});
	bench_until(&bench.downs, 1);
	assert_non_null(strstr(bench.text, "takes no pairing agent from us"));
	assert_non_null(strstr(bench.text, "AccessDenied"));
	assert_int_equal(bench.ups, 0);
}

static void bluetoothd_that_goes_and_comes_back_is_followed(void **state)
{
	(void) state;
	bench_open(&(struct bluez_bench){.ups = 0});
	bench_hear();
	bench_connect(ESL_ADVERTISING, label);
	bench_until(&bench.done, 1);
	bluez_fake_own_name(&bench.bluez, false);
	bench_until(&bench.downs, 1);
	assert_non_null(strstr(bench.text, "bluetoothd is not running"));
	assert_int_equal(bench.lost, 1);
	assert_int_equal(bench.link->ops->read_info(bench.link, label, bench_done, NULL),
			 -ERR_STATE);
	bench.bluez.agent_asked = false;
	bluez_fake_own_name(&bench.bluez, true);
	bench_until(&bench.ups, 2);
	assert_true(bench.bluez.agent_asked); /* the new one knows nothing of the old one's */
}

static void scanning_for_somebody_else_is_not_for_us(void **state)
{
	(void) state;
	bench_open(&(struct bluez_bench){.ups = 0});
	bench_until(&bench.ups, 1);
	bluez_fake_discovers(&bench.bluez, true);
	bench_hear(); /* what the bus carried before that has come, too */
	assert_int_equal(bench.link->ops->scan(bench.link, true), 0);
	bench_until(&bench.bluez.discoveries, 1);
}

static void scanning_that_ends_while_it_is_wanted_is_asked_for_again(void **state)
{
	(void) state;
	bench_open(&(struct bluez_bench){.ups = 0});
	bench_until(&bench.ups, 1);
	assert_int_equal(bench.link->ops->scan(bench.link, true), 0);
	bench_until(&bench.bluez.discoveries, 1);
	bench_hear(); /* that it has begun has come before */
	bluez_fake_discovers(&bench.bluez, false);
	bench_until(&bench.bluez.discoveries, 2);
}

static void scanning_that_the_kernel_is_busy_with_is_asked_for_again(void **state)
{
	(void) state;
	bench_open(&(struct bluez_bench){.bluez.busy = 1});
	bench_until(&bench.ups, 1);
	assert_int_equal(bench.link->ops->scan(bench.link, true), 0);
	bench_until(&bench.bluez.discoveries, 1);
	assert_int_equal(bench.bluez.busy, 0);
}

static void label_without_object_transfer_takes_no_picture(void **state)
{
	(void) state;
	bench_open(&(struct bluez_bench){.bluez.no_transfer = true});
	bench_meet();
	assert_int_equal(
		bench.link->ops->write_image(bench.link, label, 0, "x", 1, bench_done, NULL),
		-ENOTSUP);
	assert_int_equal(bench.link->ops->read_info(bench.link, label, bench_done, NULL), 0);
	bench_until(&bench.done, 2);
	assert_int_equal(bench.err, 0);
	assert_false(bench.res.identity.has_type);
}

static void label_bonded_before_that_must_be_paired_anew_was_reset(void **state)
{
	const struct esl_link_config config = {.esl_address = 0x0305, .abs_ms = 1000};

	(void) state;
	bench_open(&(struct bluez_bench){.kept = {0x80, 1, 0}});
	bench_meet();
	assert_true(bench.res.rebonded);
	assert_memory_equal(bench.kept, "\x80\x01\x01", 3); /* and is, until it is configured */
	assert_int_equal(bench.link->ops->configure(bench.link, label, &config, bench_done, NULL),
			 0);
	bench_until(&bench.done, 2);
	assert_int_equal(bench.err, 0);
	assert_memory_equal(bench.kept, "\x80\x01\x00", 3);
}

static void label_that_was_reset_is_said_to_be_after_a_restart(void **state)
{
	(void) state;
	bench_open(&(struct bluez_bench){
		.kept = {0x80, 1, 1},
		.bluez = {.paired = true, .bond.has_key = true}}); /* in the life before */
	bench_hear();
	bench_connect(ESL_ADVERTISING, label);
	bench_until(&bench.done, 1);
	assert_true(bench.res.rebonded);
}

static void label_without_our_key_is_forgotten_by_bluetoothd(void **state)
{
	(void) state;
	bench_open(&(struct bluez_bench){.kept = {0x80, 1, 0},
					 .bluez = {.stalls = true, .paired = true}});
	bench_hear();
	bench_connect(ESL_ADVERTISING, label);
	bench_until(&bench.reached, 1);
	bluez_fake_key_missing(&bench.bluez);
	bench_until(&bench.done, 1);
	assert_int_equal(bench.err, -ERR_CRYPTO);
	bench_until(&bench.bluez.removed, 1);
}

static void bluetoothd_may_be_quicker_than_the_kernel(void **state)
{
	(void) state;
	bench_open(&(struct bluez_bench){.bluez.late = true});
	bench_meet();
	assert_int_equal(bench.reached, 1);
}

static void connection_left_over_from_an_earlier_life_is_ended(void **state)
{
	(void) state;
	bench_open(&(struct bluez_bench){.kept = {0x80, 1, 0}, .bluez.holds = true});
	bench_until(&bench.ups, 1);
	bench_until_true(&bench.bluez.hangs_up);
}

static void connection_on_its_way_is_called_off_at_the_end(void **state)
{
	(void) state;
	bench_open(&(struct bluez_bench){.bluez = {.silent = true, .stalls = true}});
	bench_hear();
	bench_connect(ESL_ADVERTISING, label);
	bench_until_true(&bench.bluez.linked);
	bench.link->ops->free(bench.link);
	bench.link = NULL;
	bench_until_true(&bench.bluez.hangs_up);
}

static void services_may_be_told_after_they_are_resolved(void **state)
{
	(void) state;
	bench_open(&(struct bluez_bench){.bluez = {.owes = true, .hasty = true}});
	bench_meet();
}

static void connection_that_the_kernel_forgot_is_ended_by_its_handle(void **state)
{
	(void) state;
	bench_open(&(struct bluez_bench){.bluez.forgets = true});
	bench_meet();
	assert_int_equal(bench.link->ops->disconnect(bench.link, label, bench_done, NULL), 0);
	bench_until(&bench.done, 2);
	assert_true(bench.bluez.linked); /* the label still is */
	bench_pass(10 * US_PER_SEC);
	assert_false(bench.bluez.linked);
}

static void pairing_whose_answer_never_comes_is_known_by_its_effect(void **state)
{
	(void) state;
	bench_open(&(struct bluez_bench){.ups = 0});
	bench.bluez.owes = true;
	bench_meet();
	assert_true(bench.bluez.paired);
}

static void connection_that_bluetoothd_forgets_to_tell_is_used(void **state)
{
	(void) state;
	bench_open(&(struct bluez_bench){.bluez.silent = true});
	bench_meet();
	assert_int_equal(bench.link->ops->read_info(bench.link, label, bench_done, NULL), 0);
	bench_until(&bench.done, 2);
	assert_int_equal(bench.err, 0);
}

int main(void)
{
#define BENCH(test) cmocka_unit_test_teardown(test, bench_close)
	const struct CMUnitTest tests[] = {
		BENCH(label_that_advertises_is_paired_read_and_configured),
		BENCH(label_nobody_has_heard_of_cannot_be_connected_to),
		BENCH(refused_pairing_agent_is_named),
		BENCH(bluetoothd_that_goes_and_comes_back_is_followed),
		BENCH(scanning_for_somebody_else_is_not_for_us),
		BENCH(scanning_that_ends_while_it_is_wanted_is_asked_for_again),
		BENCH(scanning_that_the_kernel_is_busy_with_is_asked_for_again),
		BENCH(label_without_object_transfer_takes_no_picture),
		BENCH(label_bonded_before_that_must_be_paired_anew_was_reset),
		BENCH(label_that_was_reset_is_said_to_be_after_a_restart),
		BENCH(label_without_our_key_is_forgotten_by_bluetoothd),
		BENCH(connection_on_its_way_is_called_off_at_the_end),
		BENCH(services_may_be_told_after_they_are_resolved),
		BENCH(connection_that_the_kernel_forgot_is_ended_by_its_handle),
		BENCH(pairing_whose_answer_never_comes_is_known_by_its_effect),
		BENCH(connection_that_bluetoothd_forgets_to_tell_is_used),
		BENCH(bluetoothd_may_be_quicker_than_the_kernel),
		BENCH(connection_left_over_from_an_earlier_life_is_ended),
	};

	return cmocka_run_group_tests(tests, bus_daemon_start, bus_daemon_stop);
}
