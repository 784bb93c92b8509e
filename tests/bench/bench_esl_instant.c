/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 5,000 labels on one access point flip at one instant: how far from it each begins to redraw. All
 * join over the air, hold picture 2 beside the shown one since the day before, and have had their
 * clocks written on these visits, with what a connection event and a lost packet delay them by;
 * their own clocks run up to 50 ppm fast or slow. Once with labels that correct their clocks by the
 * train, once with labels that do not. Then all go back by one more flip, which uploads nothing.
 */
#include "tests/bench/esl_shop.h"

#include <stdio.h>

#define LABELS  5000
#define HOUR_US (INT64_C(3600) * US_PER_SEC)
#define LOSS    0.02

static double errors_ms[LABELS], ages_s[LABELS];

/** Flips all from one picture to another `ahead_us` from now, and prints how exactly. */
static void flip(struct shop *s, const char *name, uint32_t from, uint32_t to, int64_t ahead_us)
{
	int64_t at_utc_us = shop_utc(s) + ahead_us, at_us = shop_now(s) + ahead_us;
	unsigned int acknowledged;

	for (unsigned int i = 0; i < LABELS; i++)
		shop_want(s, i, from, to, at_utc_us);
	shop_run(s, ahead_us - 2 * US_PER_SEC);
	acknowledged = shop_acknowledged(s);
	for (unsigned int i = 0; i < LABELS; i++) {
		uint8_t addr[ESL_ADDR_BYTES];

		shop_addr(s, i, addr);
		ages_s[i] = (double) (at_us - esl_label_find(s->engine, addr)->time_set_us) / 1e6;
	}
	shop_run(s, 62 * US_PER_SEC);
	shop_must(shop_showing(s, to) == LABELS, "flip of them all");
	for (unsigned int i = 0; i < LABELS; i++) {
		struct sim_label_view v;

		sim_label_get(sim_radio_label(s->radio, i), &v);
		errors_ms[i] = (double) (v.redraw_started_us - at_us) / 1e3;
		errors_ms[i] = errors_ms[i] < 0 ? -errors_ms[i] : errors_ms[i];
	}
	printf("# %u of %d acknowledged two seconds before\n", acknowledged, LABELS);
	shop_print_spread(name, errors_ms, LABELS, "ms");
}

static void measure(const char *name, bool corrects)
{
	struct shop_config cfg = {.train = shop_train_sl,
				  .labels = LABELS,
				  .max_links = 8,
				  .loss = LOSS,
				  .spread_ppm = 50,
				  .corrects_clock = corrects,
				  .seed = 12};
	char line[64];
	struct shop s;
	uint64_t uploads;
	double joined_s, cpu_s = shop_cpu_s();

	shop_open(&s, &cfg);
	joined_s = (double) shop_join(&s) / 1e6;
	printf("# %s: %d labels, sl train, loss %.0f %% each way, clocks +-50 ppm, 8 links, seed "
	       "%d; "
	       "joined in %.0f s of virtual time\n",
	       name, LABELS, LOSS * 100, 12, joined_s);
	snprintf(line, sizeof(line), "flip_instant_%s", name);
	flip(&s, line, 1, 2, 6 * HOUR_US);
	shop_print_spread("flip_instant_age_of_base", ages_s, LABELS, "s");
	uploads = s.engine->stats.uploads;
	snprintf(line, sizeof(line), "flip_back_%s", name);
	flip(&s, line, 2, 1, HOUR_US / 2);
	printf("bench flip_back_%s_uploads %llu pictures\n", name,
	       (unsigned long long) (s.engine->stats.uploads - uploads));
	printf("# %.0f s of processor time\n", shop_cpu_s() - cpu_s);
	shop_close(&s);
}

int main(void)
{
	measure("corrected", true);
	measure("uncorrected", false);
	return 0;
}
