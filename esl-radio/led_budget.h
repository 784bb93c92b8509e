/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What a label's light has cost of late: the battery pays for so many flashes an hour and a day,
 * whoever asks and whichever radio the label is on (common/led.h). Counted in UTC, so that a
 * restart gives none back. Pure.
 */
#pragma once

#include "common/buf.h"
#include "common/led.h"
#include "common/wire.h"

/** When the last ones began. */
struct led_budget {
	uint8_t n; /**< so many of at_s are there, the oldest first */
	uint32_t at_s[LED_FLASHES_PER_DAY];
};

/** Is there none left? */
bool led_budget_spent(const struct led_budget *b, int64_t utc_us);
/** One begins. */
void led_budget_pay(struct led_budget *b, int64_t utc_us);
/** Writes those of the last day for the next life; `b` may be NULL, `utc_us` is 0 while nobody
 * knows the time. */
void led_budget_put(const struct led_budget *b, int64_t utc_us, struct buf *out);
/** Reads them; fails the cursor where it is no budget. */
void led_budget_get(struct led_budget *b, struct wire *w);
