/* SPDX-License-Identifier: Apache-2.0 */
/** @file How long to wait after a failure: doubling up to a cap, with jitter, so that the access
 * points of a store do not come back all at once when their controller does. */
#pragma once

#include "common/util.h"
#include <stdint.h>

struct backoff {
	uint64_t rng; /**< never 0 */
	unsigned int failures;
};

#define BACKOFF_FIRST_US US_PER_SEC
#define BACKOFF_CAP_US   (30 * US_PER_SEC)

/** A number below `below`, for jitter only. */
static inline int64_t backoff_random(struct backoff *b, int64_t below)
{
	b->rng ^= b->rng << 13;
	b->rng ^= b->rng >> 7;
	b->rng ^= b->rng << 17;
	return (int64_t) (b->rng % (uint64_t) below);
}

/** Counts a failure and yields the delay: between half and all of the doubled one. */
static inline int64_t backoff_next(struct backoff *b, int64_t cap_us)
{
	unsigned int shift = MIN(b->failures, 16u);
	int64_t delay = MIN(BACKOFF_FIRST_US << shift, cap_us);

	b->failures++;
	return delay / 2 + backoff_random(b, delay / 2 + 1);
}
