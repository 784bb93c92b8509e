/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever JSON is asked for as a rollout is read within bounds, and cut into waves that hold every
 * product once. */
#include "controller/rollout/draft.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Waves come in order, none is empty, and together they have everything. */
static void check_waves(struct draft *d, uint8_t dice)
{
	int64_t products = 0, labels = 0, all = 0;

	for (size_t i = 0; i < d->n; i++) {
		d->products[i].labels = (int64_t) ((i * 7 + dice) % 5);
		all += d->products[i].labels;
	}
	rollout_plan_waves(&d->plan, d->products, d->n);
	for (int64_t w = 0; w < d->plan.n_waves; w++) {
		if (d->plan.products[w] < 1)
			abort();
		products += d->plan.products[w];
		labels += d->plan.labels[w];
	}
	if (products != (int64_t) d->n || labels != all)
		abort();
	for (size_t i = 0; i < d->n; i++)
		if (d->products[i].wave < 1 || d->products[i].wave > d->plan.n_waves)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	json_t *body = json_loadb((const char *) data, len, JSON_REJECT_DUPLICATES, NULL);
	struct currency cur;
	struct draft d;

	if (!body || !currency_find("EUR", &cur)) {
		json_decref(body);
		return 0;
	}
	draft_init(&d);
	if (draft_parse(&d, body, &cur, INT64_C(1795000000000000), (data[0] & 1) == 0) == 0 &&
	    d.error_count == 0) {
		if (d.n == 0 || d.n > ROLLOUT_CHANGES_MAX || d.plan.n_waves < 1)
			abort();
		check_waves(&d, data[len / 2]);
	} else if (json_array_size(d.errors) == 0) {
		abort(); /* refused without a word */
	}
	draft_done(&d);
	json_decref(body);
	return 0;
}
