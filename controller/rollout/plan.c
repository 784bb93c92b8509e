/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rollout/plan.h"

void rollout_plan_default(struct rollout_plan *p)
{
	*p = (struct rollout_plan){.percents = {2, 25, 100}, .n_waves = 3};
}

/* Weight of a product: its labels, or 1 where no product has any. */
static int64_t weight(const struct rollout_plan_product *p, int64_t all_labels)
{
	return all_labels ? p->labels : 1;
}

static void drop_empty(struct rollout_plan *p, struct rollout_plan_product *products, size_t n)
{
	int64_t to[ROLLOUT_WAVES_MAX + 1] = {0}, kept = 0;

	for (int64_t w = 0; w < p->n_waves; w++) {
		if (p->products[w] == 0)
			continue;
		p->percents[kept] = p->percents[w];
		p->products[kept] = p->products[w];
		p->labels[kept] = p->labels[w];
		to[w + 1] = ++kept;
	}
	p->n_waves = kept;
	if (kept > 0)
		p->percents[kept - 1] = 100;
	for (size_t i = 0; i < n; i++)
		products[i].wave = to[products[i].wave];
}

void rollout_plan_waves(struct rollout_plan *p, struct rollout_plan_product *products, size_t n)
{
	int64_t total = 0, labels = 0, done = 0, wave = 1, in_wave = 0;

	for (size_t i = 0; i < n; i++)
		labels += products[i].labels;
	total = labels ? labels : (int64_t) n;
	for (int64_t w = 0; w < ROLLOUT_WAVES_MAX; w++)
		p->products[w] = p->labels[w] = 0;
	for (size_t i = 0; i < n; i++) {
		bool last = labels && !products[i].labels;

		/* a wave is over when its share is reached */
		while (!last && wave < p->n_waves && in_wave > 0 &&
		       (double) done * 100 >= p->percents[wave - 1] * (double) total) {
			wave++;
			in_wave = 0;
		}
		products[i].wave = last ? p->n_waves : wave;
		in_wave += !last;
		done += weight(&products[i], labels);
		p->products[products[i].wave - 1]++;
		p->labels[products[i].wave - 1] += products[i].labels;
	}
	drop_empty(p, products, n);
}
