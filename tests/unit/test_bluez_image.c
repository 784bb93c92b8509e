/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures beside bluetoothd, over a channel of the kernel that the test plays. */
#include "common/err.h"
#include "tests/unit/bluez_bench.h"
#include "tests/unit/bus_daemon.h"
#include "tests/unit/ots_socket_fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define UNIT 100
#define LEN  2350
#define CUT  1200

static const uint8_t *const label = bluez_fake_label;

/** Two pictures, which differ at their beginning. */
static const uint8_t *picture(uint8_t which)
{
	static uint8_t bytes[LEN];

	for (size_t i = 0; i < LEN; i++)
		bytes[i] = (uint8_t) (i * 7 + which);
	return bytes;
}

static void set_up(const struct bluez_bench *from, size_t cut_after)
{
	bench_open(from);
	ots_fake = (struct ots_socket_fake){
		.bluez = &bench.bluez, .unit = UNIT, .cut_after = cut_after};
	bench_meet();
}

static void write_picture(uint8_t which)
{
	unsigned int n = bench.done;

	assert_int_equal(bench.link->ops->write_image(bench.link, label, 2, picture(which), LEN,
						      bench_done, NULL),
			 0);
	bench_until(&bench.done, n + 1);
}

static void assert_stored(uint8_t which)
{
	const struct label_service *s = &bench.bluez.service;

	assert_true(s->stored);
	assert_int_equal(s->stored_object, 2);
	assert_int_equal(s->content.len, LEN);
	assert_memory_equal(s->content.data, picture(which), LEN);
}

/** The link has broken over a picture: the label is met again. */
static void meet_again(void)
{
	unsigned int n = bench.done;

	bluez_fake_show_label(&bench.bluez);
	bench_until(&bench.adverts, bench.adverts + 1);
	bench_connect(ESL_ADVERTISING, label);
	bench_until(&bench.done, n + 1);
	assert_int_equal(bench.err, 0);
	ots_fake.sent = 0;
}

static void picture_is_written_over_a_channel(void **state)
{
	(void) state;
	set_up(&(struct bluez_bench){.ups = 0}, 0);
	write_picture(0);
	assert_int_equal(bench.err, 0);
	assert_int_equal(bench.res.resumed_at, 0);
	assert_int_equal(ots_fake.sent, LEN);
	assert_false(ots_fake.own_random);
	assert_stored(0);
}

static void channel_begins_at_an_adapter_s_random_address(void **state)
{
	(void) state;
	set_up(&(struct bluez_bench){.bluez.random = true}, 0);
	write_picture(0);
	assert_int_equal(bench.err, 0);
	assert_true(ots_fake.own_random);
}

static void picture_that_broke_off_is_gone_on_with(void **state)
{
	(void) state;
	set_up(&(struct bluez_bench){.ups = 0}, CUT);
	write_picture(0);
	assert_int_equal(bench.err, -ERR_CLOSED);
	meet_again();
	write_picture(0);
	assert_int_equal(bench.err, 0);
	assert_int_equal(bench.res.resumed_at, CUT);
	assert_int_equal(ots_fake.sent, LEN - CUT);
	assert_stored(0);
}

static void another_picture_than_the_one_that_broke_off_is_written_whole(void **state)
{
	(void) state;
	set_up(&(struct bluez_bench){.ups = 0}, CUT);
	write_picture(0);
	assert_int_equal(bench.err, -ERR_CLOSED);
	meet_again();
	write_picture(1);
	assert_int_equal(bench.err, 0);
	assert_int_equal(bench.res.resumed_at, 0);
	assert_int_equal(ots_fake.sent, LEN);
	assert_stored(1);
}

static void label_that_kept_nothing_gets_the_picture_whole(void **state)
{
	(void) state;
	set_up(&(struct bluez_bench){.ups = 0}, CUT);
	write_picture(0);
	label_bond_drop_kept(&bench.bluez.bond);
	meet_again();
	write_picture(0);
	assert_int_equal(bench.err, 0);
	assert_int_equal(bench.res.resumed_at, 0);
	assert_int_equal(ots_fake.sent, LEN);
	assert_stored(0);
}

static void picture_whose_parts_do_not_fit_is_no_success(void **state)
{
	(void) state;
	set_up(&(struct bluez_bench){.ups = 0}, CUT);
	write_picture(0);
	meet_again();
	assert_int_equal(bench.link->ops->write_image(bench.link, label, 2, picture(0), LEN,
						      bench_done, NULL),
			 0);
	bench_until(&ots_fake.opened, 2);
	/* What it had proven goes bad before the rest has come. */
	bench_until_true(&bench.bluez.service.writing);
	bench.bluez.service.content.data[0] ^= 1;
	bench_until(&bench.done, 4);
	assert_int_equal(bench.err, -ERR_CORRUPT);
}

static void picture_that_breaks_off_twice_is_gone_on_with_twice(void **state)
{
	(void) state;
	set_up(&(struct bluez_bench){.ups = 0}, CUT);
	write_picture(0);
	meet_again();
	ots_fake.cut_after = 500;
	write_picture(0);
	assert_int_equal(bench.err, -ERR_CLOSED);
	meet_again();
	write_picture(0);
	assert_int_equal(bench.err, 0);
	assert_int_equal(bench.res.resumed_at, CUT + 500);
	assert_stored(0);
}

int main(void)
{
#define BENCH(test) cmocka_unit_test_teardown(test, bench_close)
	const struct CMUnitTest tests[] = {
		BENCH(picture_is_written_over_a_channel),
		BENCH(channel_begins_at_an_adapter_s_random_address),
		BENCH(picture_that_broke_off_is_gone_on_with),
		BENCH(another_picture_than_the_one_that_broke_off_is_written_whole),
		BENCH(label_that_kept_nothing_gets_the_picture_whole),
		BENCH(picture_whose_parts_do_not_fit_is_no_success),
		BENCH(picture_that_breaks_off_twice_is_gone_on_with_twice),
	};

	return cmocka_run_group_tests(tests, bus_daemon_start, bus_daemon_stop);
}
