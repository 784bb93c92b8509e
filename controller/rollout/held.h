/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What the labels of a product keep for a rollout, without showing it: the new price until it
 * flips, the price from before until the rollout is closed. The end of a label's timeline, dated
 * PROTO_HOLD_US. Any thread with a connection.
 */
#pragma once

#include "common/sql.h"
#include "controller/shop/price_text.h"

struct rollout_held {
	int64_t price_minor; /**< regular price */
	char currency[PRICE_CURRENCY_MAX];
};

/** 1 = the labels keep such a picture, 0 = none. */
int rollout_held(struct sql *s, int64_t product_id, int64_t now_us,
		 struct rollout_held *ret) _must_check_;

/** What the product would cost at `at_us` if ledger row `without` were not there. -ENOENT: nothing.
 */
int rollout_price_without(struct sql *s, int64_t product_id, int64_t without, int64_t at_us,
			  struct rollout_held *ret) _must_check_;
