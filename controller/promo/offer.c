/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/promo/offer.h"
#include "controller/shop/price.h"
#include <errno.h>
#include <string.h>

int offer_timeline(struct sql *s, int64_t product_id, int64_t now_us, size_t max,
		   struct offer_step *ret)
{
	_cleanup_free_ struct price_step *steps = calloc(max ? max : 1, sizeof *steps);
	int n;

	if (!steps)
		return -ENOMEM;
	n = price_timeline(s, product_id, now_us, max, steps);
	for (int i = 0; i < n; i++) {
		ret[i] = (struct offer_step){.from_us = steps[i].from_us,
					     .price_minor = steps[i].price_minor};
		memcpy(ret[i].currency, steps[i].currency, sizeof ret[i].currency);
	}
	return n;
}

int offer_next_change(struct sql *s, int64_t now_us, int64_t *ret_us)
{
	return price_next_change(s, now_us, ret_us);
}
