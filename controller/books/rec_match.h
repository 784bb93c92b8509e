/* SPDX-License-Identifier: Apache-2.0 */
/** @file Which of the gone items a sale by GTIN took: the rule of reconcile.h, nothing else. */
#pragma once

#include "controller/books/reconcile.h"

/** When an item was there for certain last: its last read, or its return at the till. */
static inline int64_t rec_item_last(const struct rec_item *it)
{
	return it->returned ? MAX(it->last_us, it->till_us) : it->last_us;
}

/**
 * Gives sales by GTIN dated after `since_us` an item each: its reason becomes REC_SOLD_LIKELY,
 * sale_ref and till_us those of the sale. `gone` are the candidates, by rec_item_last();
 * `as_of_us` has the book instant that counts for each. `taken` has room for a count of each event.
 * *ret_unmatched: units for which no item is gone. -ENOMEM.
 */
int rec_match(const struct rec_input *in, int64_t since_us, struct rec_item *const *gone,
	      const int64_t *as_of_us, size_t n, int64_t *taken,
	      int64_t *ret_unmatched) _must_check_;

/** A return by GTIN for which no sale by GTIN is open takes back the latest sale by EPC before it:
 * of an item that is heard, if there is one. To be called before the items are looked at. */
void rec_match_returns(const struct rec_input *in, int64_t since_us);
