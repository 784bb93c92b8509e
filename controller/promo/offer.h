/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The offer: what the shelf shows, merged from the regular price (the ledger) and the promotions.
 *
 * At any instant the offer of a product is the lower of its regular price and the best promotion in
 * force; of two promotions the lower price wins, of equal ones the older promotion. A promotion in
 * percent is computed from the regular price in force at that instant. A promotion that would not
 * be lower is no offer: the regular price shows, without a "was". A product without a regular price
 * has no offer.
 *
 * Functions take a connection and run on whichever thread owns it. Nothing is remembered between
 * calls: the same rows and the same instant give the same answer, after a restart too.
 */
#pragma once

#include "common/sql.h"
#include "controller/shop/price_text.h"
#include <stdbool.h>

/** How far ahead of its edge a price enters the timelines of its labels, so that its picture is
 * on the label in time. */
#define OFFER_AHEAD_US (INT64_C(7) * 86400 * US_PER_SEC)

/** One step of what the shelf shows; 0 = none. */
struct offer_step {
	int64_t from_us;
	int64_t price_minor;
	char currency[PRICE_CURRENCY_MAX];
	int64_t was_minor;    /**< the regular price, while a promotion shows */
	int64_t prior_minor;  /**< lowest offer of the 30 days before that promotion's start */
	int64_t promotion_id; /**< 0 = the regular price shows */
	int64_t until_us;     /**< the end of that promotion's occurrence */
};

/**
 * The offer in force at `now_us`, if there is one, and those that follow within OFFER_AHEAD_US,
 * oldest first, at most `max`. Returns the count.
 */
int offer_timeline(struct sql *s, int64_t product_id, int64_t now_us, size_t max,
		   struct offer_step *ret) _must_check_;
/** The next instant after `now_us` at which some product's offer may change; INT64_MAX = none is
 * known. */
int offer_next_change(struct sql *s, int64_t now_us, int64_t *ret_us) _must_check_;
/** Marks the labels of all products whose offer may change in (after, to]; inside a write. */
int offer_mark_changes(struct sql *s, int64_t after_us, int64_t to_us) _must_check_;
/** 1 with the offer at an instant, 0 = the product has none. */
int offer_at(struct sql *s, int64_t product_id, int64_t at_us, struct offer_step *ret) _must_check_;
/** What the offer at an instant would be if the regular price were another one: the picture that a
 * change of prices has to stage while a promotion is running. */
int offer_if(struct sql *s, int64_t product_id, int64_t at_us, int64_t regular_minor,
	     const char *currency, struct offer_step *ret) _must_check_;
/** Do both show the same? */
bool offer_same(const struct offer_step *a, const struct offer_step *b);
