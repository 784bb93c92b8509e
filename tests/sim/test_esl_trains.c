/* SPDX-License-Identifier: Apache-2.0 */
/* Several access points within earshot of each other, in virtual time. */
#include "tests/bench/esl_shop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define APS    4
#define LABELS 400

static struct shop shops[APS];

/** All flip at one instant; yields packets that the other trains drowned, and all there were. */
static void flip(bool earshot, uint64_t *ret_drowned, uint64_t *ret_packets)
{
	struct shop_config cfg = {.train = shop_train_sl, .labels = LABELS, .seed = 21};
	struct sim_radio_stats stats;
	int64_t at_us;

	*ret_drowned = *ret_packets = 0;
	assert_int_equal(loop_new_virtual(SHOP_START, SHOP_UTC, &cfg.loop), 0);
	for (uint8_t a = 0; a < APS; a++) {
		cfg.index = a;
		shop_open(&shops[a], &cfg);
		/* Nobody starts his train in step with another's. */
		loop_run_until(cfg.loop, shop_now(&shops[a]) + 77 * US_PER_MS);
	}
	for (int a = 0; earshot && a < APS; a++)
		for (int b = 0; b < APS; b++)
			if (a != b)
				assert_int_equal(sim_radio_hear(shops[a].radio, shops[b].radio), 0);
	for (int a = 0; a < APS; a++)
		shop_seed(&shops[a]);
	at_us = shop_utc(&shops[0]) + 120 * US_PER_SEC;
	for (int a = 0; a < APS; a++)
		for (unsigned int i = 0; i < LABELS; i++)
			shop_want(&shops[a], i, 1, 2, at_us);
	loop_run_until(cfg.loop, shop_now(&shops[0]) + 130 * US_PER_SEC);
	for (int a = 0; a < APS; a++) {
		assert_int_equal(shop_showing(&shops[a], 2), LABELS);
		sim_radio_get_stats(shops[a].radio, &stats);
		*ret_drowned += stats.drowned;
		*ret_packets += shops[a].engine->stats.packets + stats.responses;
	}
	for (int a = 0; a < APS; a++)
		shop_close(&shops[a]);
	loop_free(cfg.loop);
}

static void trains_within_earshot_cost_packets_and_no_label(void **state)
{
	uint64_t drowned, packets, alone, rest;

	(void) state;
	flip(true, &drowned, &packets);
	flip(false, &alone, &rest);
	printf("# %d access points within earshot, %d labels each, a flip of them all: %llu of "
	       "%llu "
	       "packets and answers drowned\n",
	       APS, LABELS, (unsigned long long) drowned, (unsigned long long) packets);
	assert_int_equal(alone, 0);
	assert_true(drowned > 0);
	/* Each of three others is on the air less than half of the time, on one of 37 channels. */
	assert_true(drowned * 25 < packets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trains_within_earshot_cost_packets_and_no_label),
	};

	return cmocka_run_group_tests_name("esl_trains", tests, NULL, NULL);
}
