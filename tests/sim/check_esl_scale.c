/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hundred thousand labels in one store: four access points within earshot of each other, 25,000
 * labels each, in one virtual time over real HCI packets. All flip at one instant, go back by one
 * more flip without an upload, and are kept alive for two hours. Not part of `make check`.
 */
#include "tests/bench/esl_shop.h"

#include <stdio.h>

#define APS     4
#define LABELS  25000
#define HOUR_US (INT64_C(3600) * US_PER_SEC)

static struct shop shops[APS];
static double errors_ms[APS * LABELS];

static void flip(struct loop *loop, const char *name, uint32_t from, uint32_t to)
{
	int64_t ahead_us = 300 * US_PER_SEC, at_us = shop_now(&shops[0]) + ahead_us;
	int64_t at_utc_us = shop_utc(&shops[0]) + ahead_us;
	unsigned int acknowledged = 0, shown = 0;
	size_t n = 0;

	for (int a = 0; a < APS; a++)
		for (unsigned int i = 0; i < LABELS; i++)
			shop_want(&shops[a], i, from, to, at_utc_us);
	loop_run_until(loop, at_us - US_PER_SEC);
	for (int a = 0; a < APS; a++)
		acknowledged += shop_acknowledged(&shops[a]);
	loop_run_until(loop, at_us + 60 * US_PER_SEC);
	for (int a = 0; a < APS; a++) {
		shown += shop_showing(&shops[a], to);
		for (unsigned int i = 0; i < LABELS; i++) {
			struct sim_label_view v;

			sim_label_get(sim_radio_label(shops[a].radio, i), &v);
			errors_ms[n] = (double) (v.redraw_started_us - at_us) / 1e3;
			errors_ms[n] = errors_ms[n] < 0 ? -errors_ms[n] : errors_ms[n];
			n++;
		}
	}
	printf("scale %s: %u of %d acknowledged a second before, %u shown\n", name, acknowledged,
	       APS * LABELS, shown);
	shop_must(shown == APS * LABELS, "flip of a hundred thousand labels");
	shop_print_spread(name, errors_ms, n, "ms");
}

int main(void)
{
	struct shop_config cfg = {.train = shop_train_nrf,
				  .labels = LABELS,
				  .loss = 0.02,
				  .spread_ppm = 50,
				  .corrects_clock = true,
				  .seed = 41};
	unsigned int alive = 0;
	uint64_t drowned = 0, uploads = 0;
	double start_s = shop_cpu_s();

	shop_must(loop_new_virtual(SHOP_START, SHOP_UTC, &cfg.loop) == 0, "loop");
	for (uint8_t a = 0; a < APS; a++) {
		cfg.index = a;
		shop_open(&shops[a], &cfg);
		loop_run_until(cfg.loop, shop_now(&shops[a]) + 77 * US_PER_MS);
	}
	for (int a = 0; a < APS; a++)
		for (int b = 0; b < APS; b++)
			if (a != b)
				shop_must(sim_radio_hear(shops[a].radio, shops[b].radio) == 0,
					  "earshot");
	for (int a = 0; a < APS; a++)
		shop_seed(&shops[a]);
	printf("scale: %d access points within earshot, %d labels each, nrf train, loss 2 %% each "
	       "way, clocks +-50 ppm corrected, seed 41\n",
	       APS, LABELS);
	flip(cfg.loop, "scale_flip", 1, 2);
	flip(cfg.loop, "scale_flip_back", 2, 1);
	loop_run_until(cfg.loop, shop_now(&shops[0]) + 2 * HOUR_US);
	for (int a = 0; a < APS; a++) {
		struct sim_radio_stats air;

		sim_radio_get_stats(shops[a].radio, &air);
		drowned += air.drowned;
		uploads += shops[a].engine->stats.uploads;
		for (unsigned int i = 0; i < LABELS; i++)
			alive += sim_label_state(sim_radio_label(shops[a].radio, i)) ==
				 ESL_SYNCHRONIZED;
	}
	printf("scale: %u of %d synchronized after two more hours, %llu packets and answers "
	       "drowned by other trains, %llu pictures uploaded, %.0f s of processor time\n",
	       alive, APS * LABELS, (unsigned long long) drowned, (unsigned long long) uploads,
	       shop_cpu_s() - start_s);
	shop_must(alive == APS * LABELS && uploads == 0, "every label");
	for (int a = 0; a < APS; a++)
		shop_close(&shops[a]);
	loop_free(cfg.loop);
	return 0;
}
