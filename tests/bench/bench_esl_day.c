/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The largest store one access point can have, for a day: 32,640 labels, one acknowledged flip of
 * them all, and 24 hours of keeping them alive, over real HCI packets in virtual time. What it
 * costs in processor time, and what the engine keeps for a label.
 */
#include "tests/bench/esl_shop.h"

#include <stdio.h>

#define LABELS  32640
#define HOUR_US (INT64_C(3600) * US_PER_SEC)
#define LOSS    0.02

int main(void)
{
	struct shop_config cfg = {
		.train = shop_train_nrf, .labels = LABELS, .loss = LOSS, .seed = 9};
	unsigned int flipped, alive = 0;
	double start_s, flip_s, all_s;
	struct sim_radio_stats air;
	int64_t at_us;
	struct shop s;

	shop_open(&s, &cfg);
	shop_seed(&s);
	printf("# %u labels on one access point, nrf train (1760 ms, 128 subevents), loss 2 %% "
	       "each "
	       "way, seed 9, 2 image slots and 2 wishes each\n",
	       LABELS);
	printf("bench esl_engine_label_bytes %.0f B\n", s.bytes_per_label);
	printf("bench esl_engine_label_and_bond_bytes %.0f B\n", s.bytes_per_label + s.bond_bytes);
	start_s = shop_cpu_s();
	at_us = shop_utc(&s) + 600 * US_PER_SEC;
	for (unsigned int i = 0; i < LABELS; i++)
		shop_want(&s, i, 1, 2, at_us);
	shop_run(&s, 599 * US_PER_SEC);
	printf("bench esl_day_acknowledged %u labels\n", shop_acknowledged(&s));
	shop_run(&s, 61 * US_PER_SEC);
	flipped = shop_showing(&s, 2);
	flip_s = shop_cpu_s() - start_s;
	for (int h = 0; h < 24; h++)
		shop_run(&s, HOUR_US);
	all_s = shop_cpu_s() - start_s;
	for (unsigned int i = 0; i < LABELS; i++)
		alive += sim_label_state(sim_radio_label(s.radio, i)) == ESL_SYNCHRONIZED;
	sim_radio_get_stats(s.radio, &air);
	printf("bench esl_day_flipped %u labels\n", flipped);
	printf("bench esl_day_synchronized_after %u labels\n", alive);
	printf("bench esl_day_flip_cpu %.1f s\n", flip_s);
	printf("bench esl_day_cpu %.1f s\n", all_s);
	printf("bench esl_day_faster_than_real %.0f ratio\n", (24 * 3600 + 660) / all_s);
	printf("# %llu packets heard or missed by labels, %llu answers, %llu commands, %llu "
	       "retries\n",
	       (unsigned long long) air.packets, (unsigned long long) air.responses,
	       (unsigned long long) s.engine->stats.commands,
	       (unsigned long long) s.engine->stats.retries);
	shop_must(flipped == LABELS && alive == LABELS && s.lost == 0, "every label");
	shop_close(&s);
	return 0;
}
