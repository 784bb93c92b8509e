/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a wish to the moment at which its picture is on the panel and known to be: prices that
 * change now, on labels that hold the picture already (one command), and on labels that need it
 * sent first (a connection and an upload). Virtual time, real HCI packets.
 */
#include "tests/bench/esl_shop.h"

#include <stdio.h>

#define LABELS  200
#define CHANGES 600

static double held_s[CHANGES], sent_s[CHANGES];

/** Seconds until the label's panel shows that picture. */
static double until_shown(struct shop *s, unsigned int i, uint32_t picture)
{
	int64_t start_us = shop_now(s);

	while (!shop_shows(s, i, picture)) {
		shop_run(s, 10 * US_PER_MS);
		shop_must(shop_now(s) - start_us < 120 * US_PER_SEC, "change");
	}
	return (double) (shop_now(s) - start_us) / 1e6;
}

static void measure(double loss)
{
	struct shop_config cfg = {
		.train = shop_train_sl, .labels = LABELS, .loss = loss, .seed = 14};
	uint64_t dice = UINT64_C(88172645463325252);
	char name[64];
	struct shop s;

	shop_open(&s, &cfg);
	(void) shop_join(&s);
	for (unsigned int k = 0; k < CHANGES; k++) {
		unsigned int i = k % LABELS;
		uint32_t picture = 2 + k / LABELS;

		dice ^= dice << 13;
		dice ^= dice >> 7;
		dice ^= dice << 17;
		shop_run(&s, (int64_t) (dice % 3000) * US_PER_MS + 2 * US_PER_SEC);
		shop_want(&s, i, picture, 0, 0);
		sent_s[k] = until_shown(&s, i, picture);
		shop_run(&s, (int64_t) (dice % 2500) * US_PER_MS + 5 * US_PER_SEC);
		shop_want(&s, i, picture - 1, 0, 0); /* still in its other slot */
		held_s[k] = until_shown(&s, i, picture - 1);
		shop_run(&s, 3 * US_PER_SEC);
		shop_want(&s, i, picture, 0, 0);
		(void) until_shown(&s, i, picture);
	}
	printf("# %d changes one by one on %d labels, sl train (1560 ms), redraw 0.8 s in it, loss "
	       "%.0f %% each way, seed 14\n",
	       CHANGES, LABELS, loss * 100);
	snprintf(name, sizeof(name), "wish_to_shown_held_loss%.0f", loss * 100);
	shop_print_spread(name, held_s, CHANGES, "s");
	snprintf(name, sizeof(name), "wish_to_shown_sent_loss%.0f", loss * 100);
	shop_print_spread(name, sent_s, CHANGES, "s");
	shop_close(&s);
}

int main(void)
{
	measure(0);
	measure(0.05);
	return 0;
}
