/* SPDX-License-Identifier: Apache-2.0 */
/** @file The rows of wanted state; inside a write. */
#pragma once

#include "controller/shop/wanted_draw.h"

/** Replaces the timelines that differ, gives those labels a new revision, and clears the marks. */
int wanted_store_batch(struct sql *s, struct wanted_batch *b) _must_check_;

/** Time has gone from `from_us` (0 = nobody looked yet) to `to_us`: marks the labels of products
 * whose offer changed meanwhile or will within OFFER_AHEAD_US, and labels drawn by another version
 * of the template; all, if the clock was set back. Yields up to `max` products whose planned price
 * came into force. */
int wanted_store_turn(struct sql *s, int64_t from_us, int64_t to_us, int64_t *ret_products,
		      size_t max, size_t *ret_n) _must_check_;
