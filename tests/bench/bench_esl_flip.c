/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast an access point tells all its labels when to flip, and hears that each of them will: a
 * timed command to every label, acknowledged, beside the packing bound of the train (five commands
 * to a packet, one packet to a subevent and interval), with and without loss. The baseline sends
 * one command to a packet.
 */
#include "tests/bench/esl_shop.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define PER_PACKET (ESL_COMMANDS_MAX / 8) /* Display Timed Image is 8 bytes long */
#define HOUR_US    (INT64_C(3600) * US_PER_SEC)

struct outcome {
	double to_95_s, to_all_s; /**< time until so many were acknowledged */
	unsigned int named;       /**< reported lost or in trouble instead */
};

static double interval_s(const struct shop *s)
{
	return (double) s->engine->interval_us / 1e6;
}

static struct outcome tell_all(struct shop *s)
{
	unsigned int n = s->cfg.labels, acked = 0;
	int64_t start_us = shop_now(s), at_us = shop_utc(s) + 2 * HOUR_US;
	struct outcome o = {0};

	for (unsigned int i = 0; i < n; i++)
		shop_want(s, i, 1, 2, at_us);
	while (acked + s->lost < n && shop_now(s) - start_us < HOUR_US) {
		shop_run(s, s->engine->interval_us / 8);
		acked = shop_acknowledged(s);
		o.to_all_s = (double) (shop_now(s) - start_us) / 1e6;
		if (!(o.to_95_s > 0) && acked >= n * 0.95)
			o.to_95_s = o.to_all_s;
	}
	o.named = (unsigned int) s->lost;
	shop_must(acked + o.named >= n, "every label acknowledged or named");
	return o;
}

static void measure(const char *name, const struct esl_train *train, unsigned int labels,
		    double loss, double *baseline_s)
{
	struct shop_config cfg = {.train = *train, .labels = labels, .loss = loss, .seed = 5};
	unsigned int largest = (labels + train->subevents - 1) / train->subevents;
	double bound_s, rate, bound_rate;
	struct outcome o;
	struct shop s;

	shop_open(&s, &cfg);
	shop_seed(&s);
	o = tell_all(&s);
	bound_s = ceil((double) largest / PER_PACKET) * interval_s(&s);
	bound_rate = train->subevents * PER_PACKET / interval_s(&s);
	rate = labels * 0.95 / o.to_95_s;
	printf("# %s train: %u labels in %u subevents of %.2f ms, interval %.0f ms, loss %.0f %% "
	       "each way, seed %d\n",
	       name, labels, train->subevents, train->subevent_interval * 1.25,
	       interval_s(&s) * 1e3, loss * 100, 5);
	printf("bench flip_%s_loss%.0f_rate %.1f commands/s\n", name, loss * 100, rate);
	printf("bench flip_%s_loss%.0f_of_bound %.3f ratio\n", name, loss * 100, rate / bound_rate);
	printf("bench flip_%s_loss%.0f_all_of_bound %.3f ratio\n", name, loss * 100,
	       bound_s / o.to_all_s);
	printf("bench flip_%s_loss%.0f_all %.1f s\n", name, loss * 100, o.to_all_s);
	printf("# bound %.1f/s, all in %.1f s; %u named instead of acknowledged; %.2f sends to an "
	       "answer\n",
	       bound_rate, bound_s, o.named,
	       (double) s.engine->stats.commands / (double) s.engine->stats.acks);
	if (baseline_s)
		*baseline_s = o.to_all_s;
	shop_close(&s);
}

int main(void)
{
	struct esl_train one = shop_train_sl;
	double packed_s, single_s;

	one.response_slots = 1;
	measure("sl", &shop_train_sl, 6630, 0, &packed_s);
	measure("sl", &shop_train_sl, 6630, 0.05, NULL);
	measure("nrf", &shop_train_nrf, 32640, 0, NULL);
	measure("nrf", &shop_train_nrf, 32640, 0.05, NULL);
	printf("# baseline: the same labels and the sl train, one command to a packet\n");
	measure("single", &one, 6630, 0, &single_s);
	printf("bench flip_sl_packed_over_single %.2f ratio\n", single_s / packed_s);
	return 0;
}
