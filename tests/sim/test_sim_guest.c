/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine with its drivers on the access point's controller, and labels whose hosts sit behind
 * controllers of their own: nothing but HCI packets on both sides. One label of the simulator
 * stands beside them.
 */
#include "tests/sim/esl_world.h"
#include "tests/sim/guest_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define GUESTS 2
#define MINUTE (60 * US_PER_SEC)

static struct world w;
static struct sim_guest *guests[GUESTS];
static struct guest_host *hosts[GUESTS];

static const struct sim_label_model model = {.width = 64,
					     .height = 32,
					     .type = DISPLAY_BLACK_WHITE,
					     .slots = 4,
					     .leds = 1,
					     .redraw_us = 800 * US_PER_MS,
					     .clock_ppm = 20};

static void open_shop(unsigned int n, double loss)
{
	world_open(&w, 1, &model, loss, 21);
	for (unsigned int i = 0; i < n; i++) {
		uint8_t addr[SIM_LABEL_ADDR_BYTES];

		world_addr(1 + i, addr);
		assert_int_equal(sim_guest_new(w.radio, &guests[i]), 0);
		guest_host_open(w.loop, guests[i], addr, &model, &hosts[i]);
	}
}

static void close_shop(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		sim_guest_free(guests[i]);
		guest_host_close(hosts[i]);
	}
	world_close(&w);
}

static struct sim_label_view view(unsigned int i)
{
	struct sim_label_view v;

	sim_label_get(guest_host_label(hosts[i]), &v);
	return v;
}

static bool shows(unsigned int i, uint32_t picture)
{
	struct sim_label_view v = view(i);
	uint8_t name[IMAGE_HASH_BYTES];

	world_image(&w, 0, picture, name);
	return v.frame && memcmp(v.frame_hash, name, sizeof(name)) == 0;
}

/** Wants a picture on the guest's label, and waits until it is confirmed there. */
static void show_at(unsigned int i, uint32_t picture, int64_t at_most_us)
{
	struct esl_want want = {.n = 1};
	size_t mark = world_mark(&w);

	world_addr(1 + i, want.addr);
	world_image(&w, 0, picture, want.timeline[0].image);
	want.timeline[0].from_us = world_utc(&w);
	assert_int_equal(esl_engine_want(w.engine, &want), 0);
	for (int64_t end_us = world_now(&w) + at_most_us;; world_run(&w, 50 * US_PER_MS)) {
		for (size_t k = mark; k < w.n_reports; k++) {
			const struct esl_report *r = &w.reports[k % WORLD_REPORTS];

			if (r->kind == ESL_SHOWN && r->grade >= ESL_GRADE_CONFIRMED &&
			    memcmp(r->addr, want.addr, sizeof(want.addr)) == 0 &&
			    memcmp(r->image, want.timeline[0].image, IMAGE_HASH_BYTES) == 0) {
				assert_true(shows(i, picture));
				return;
			}
		}
		if (world_now(&w) >= end_us)
			fail_msg("picture %u never came to guest %u (state %d)", picture, i,
				 view(i).state);
	}
}

static struct guest_host_counts counts(unsigned int i)
{
	struct guest_host_counts c;

	guest_host_get(hosts[i], &c);
	return c;
}

/* --- tests ------------------------------------------------------------------------------------ */

static void label_with_a_host_of_its_own_shows_its_price(void **state)
{
	struct guest_host_counts c;

	(void) state;
	open_shop(1, 0);
	show_at(0, 1, 2 * MINUTE);
	c = counts(0);
	assert_int_equal(view(0).state, ESL_SYNCHRONIZED);
	assert_true(c.connections >= 1 && c.encryptions >= 1 && c.key_requests >= 1);
	assert_int_equal(c.transfers, 1);
	assert_true(c.reports > 0 && c.responses > 0);
	assert_int_equal(c.lost, 0);
	assert_int_equal(c.refused, 0);
	close_shop(1);
}

static void its_next_picture_comes_by_a_call_through_the_train(void **state)
{
	struct guest_host_counts before, c;

	(void) state;
	open_shop(1, 0);
	show_at(0, 1, 2 * MINUTE);
	before = counts(0);
	show_at(0, 2, 2 * MINUTE);
	c = counts(0);
	assert_true(c.through_train > before.through_train);
	assert_int_equal(c.connections - c.through_train,
			 before.connections - before.through_train);
	/* It was in step all the time: its timing is not handed over again. */
	assert_int_equal(c.transfers, 1);
	assert_int_equal(c.sync_losses, 0);
	/* What its host sent has arrived, and the host was told so. */
	assert_int_equal(c.packets_sent, c.packets_done);
	close_shop(1);
}

static void two_guests_and_a_label_share_the_air(void **state)
{
	(void) state;
	open_shop(2, 0);
	world_want(&w, 0, 3);
	show_at(0, 1, 3 * MINUTE);
	show_at(1, 2, 3 * MINUTE);
	world_run(&w, MINUTE);
	assert_true(world_shows(&w, 0, 3));
	assert_true(shows(0, 1) && shows(1, 2));
	show_at(1, 4, 3 * MINUTE);
	assert_true(shows(0, 1));
	close_shop(2);
}

static void losses_are_reported_to_it_and_cost_time_only(void **state)
{
	struct guest_host_counts c;

	(void) state;
	open_shop(1, 0.1);
	for (uint32_t picture = 1; picture <= 5; picture++)
		show_at(0, picture, 10 * MINUTE);
	c = counts(0);
	assert_true(c.lost > 0 && c.lost < c.reports / 2);
	assert_int_equal(c.refused, 0);
	close_shop(1);
}

static void train_that_ends_is_lost_to_it_and_found_again(void **state)
{
	struct guest_host_counts c;

	(void) state;
	open_shop(1, 0);
	show_at(0, 1, 2 * MINUTE);
	sim_radio_power_cycle(w.radio);
	world_run(&w, 10 * US_PER_SEC);
	c = counts(0);
	assert_int_equal(c.sync_losses, 1);
	show_at(0, 2, 10 * MINUTE);
	assert_int_equal(counts(0).transfers, 2);
	assert_int_equal(counts(0).sync_losses, 1);
	close_shop(1);
}

static void label_that_lost_power_comes_back(void **state)
{
	(void) state;
	open_shop(1, 0);
	show_at(0, 1, 2 * MINUTE);
	guest_host_reboot(hosts[0]);
	world_run(&w, US_PER_SEC);
	assert_int_equal(view(0).state, ESL_UNSYNCHRONIZED);
	show_at(0, 2, 20 * MINUTE);
	assert_int_equal(view(0).state, ESL_SYNCHRONIZED);
	close_shop(1);
}

/** Out of range of the train, not of the links: as far as the train goes the label is gone. */
static void label_out_of_range_loses_its_step(void **state)
{
	(void) state;
	open_shop(1, 0);
	show_at(0, 1, 2 * MINUTE);
	sim_guest_set_loss(guests[0], 1, 1);
	world_run(&w, 6 * US_PER_SEC);
	assert_int_equal(counts(0).sync_losses, 1);
	assert_int_equal(view(0).state, ESL_UNSYNCHRONIZED);
	sim_guest_set_loss(guests[0], -1, -1);
	show_at(0, 2, 60 * MINUTE);
	close_shop(1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(label_with_a_host_of_its_own_shows_its_price),
		cmocka_unit_test(its_next_picture_comes_by_a_call_through_the_train),
		cmocka_unit_test(two_guests_and_a_label_share_the_air),
		cmocka_unit_test(losses_are_reported_to_it_and_cost_time_only),
		cmocka_unit_test(train_that_ends_is_lost_to_it_and_found_again),
		cmocka_unit_test(label_that_lost_power_comes_back),
		cmocka_unit_test(label_out_of_range_loses_its_step),
	};

	return cmocka_run_group_tests_name("sim_guest", tests, NULL, NULL);
}
