/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the channel map is worth: a busy Wi-Fi near by in the simulated air, the engine once with
 * all channels and once with the map that the agent makes of that Wi-Fi, in virtual time. Told are
 * the share of packets lost, and how many commands were needed for one that was acknowledged. Same
 * seed, same labels, same work.
 */
#include "ap-agent/channels.h"
#include "tests/sim/esl_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define LABELS    400u
#define LOSS      0.01
#define WIFI_LOSS 0.6
#define SEED      20261u
#define ROUNDS    8

struct outcome {
	double lost;     /**< percent of packets and answers */
	double commands; /**< for each that was acknowledged */
};

static struct outcome run(uint32_t mhz, uint32_t width, bool mapped)
{
	static const struct sim_label_model model = {.width = 296,
						     .height = 128,
						     .type = DISPLAY_BLACK_WHITE,
						     .slots = 4,
						     .leds = 1,
						     .personality = SIM_PERSONALITY_SL,
						     .redraw_us = US_PER_SEC};
	static struct world w;
	struct channels_wifi seen = {mhz, width, CHANNELS_BUSY_UNKNOWN};
	struct radio_wifi wifi = {(uint16_t) mhz, (uint16_t) width, WIFI_LOSS};
	struct sim_radio_stats a, b;
	struct esl_stats before, after;

	world_open(&w, LABELS, &model, LOSS, SEED);
	world_adopt_all(&w);
	if (mapped)
		esl_engine_set_channels(w.engine, channels_plan(&seen, 1));
	for (unsigned int round = 1; round <= 2; round++) { /* two pictures on each label */
		for (unsigned int i = 0; i < LABELS; i++)
			world_want(&w, i, round);
		world_run(&w, 900 * US_PER_SEC);
	}
	ignore_result(sim_radio_set_wifi(w.radio, &wifi, mhz != 0));
	sim_radio_get_stats(w.radio, &a);
	esl_engine_get_stats(w.engine, &before);
	for (unsigned int round = 0; round < ROUNDS; round++) { /* flipped to and fro */
		for (unsigned int i = 0; i < LABELS; i++)
			world_want(&w, i, 1 + round % 2);
		world_run(&w, 120 * US_PER_SEC);
	}
	sim_radio_get_stats(w.radio, &b);
	esl_engine_get_stats(w.engine, &after);
	world_close(&w);
	return (struct outcome){
		100.0 *
			(double) (b.packets_lost + b.responses_lost - a.packets_lost -
				  a.responses_lost) /
			(double) (b.packets + b.responses - a.packets - a.responses),
		(double) (after.commands - before.commands) / (double) (after.acks - before.acks)};
}

static void compare(const char *name, uint32_t mhz, uint32_t width)
{
	struct outcome all = run(mhz, width, false), mapped = run(mhz, width, true);

	printf("bench esl_channels_%s_all %.1f %% lost\n", name, all.lost);
	printf("bench esl_channels_%s_map %.1f %% lost\n", name, mapped.lost);
	printf("bench esl_channels_%s_all_commands %.3f per acknowledgement\n", name, all.commands);
	printf("bench esl_channels_%s_map_commands %.3f per acknowledgement\n", name,
	       mapped.commands);
}

int main(void)
{
	printf("# %u labels flipped %d times, %.0f %% of packets lost anyway, %.0f %% of those on "
	       "Wi-Fi's channels; default train, seed %u\n",
	       LABELS, ROUNDS, LOSS * 100, WIFI_LOSS * 100, SEED);
	compare("none", 0, 20);
	compare("20mhz", 2437, 20);
	compare("40mhz", 2422, 40);
	return 0;
}
