/* SPDX-License-Identifier: Apache-2.0 */
/** @file All that made one product's offers over a span of time, read at once: see offer.h. */
#pragma once

#include "controller/promo/offer.h"
#include "controller/shop/price.h"

#define OFFER_PRIOR_US (INT64_C(30) * 86400 * US_PER_SEC) /* Directive 98/6/EC, Art. 6a */

/** An occurrence of a promotion, as far as the product belonged to it. */
struct offer_span {
	int64_t promotion_id;
	int64_t start_us, end_us; /**< half-open */
	int64_t until_us;         /**< end of the occurrence as announced */
	int64_t percent_milli;    /**< 0 = a fixed price */
	int64_t price_minor;
	char currency[PRICE_CURRENCY_MAX];
};

struct offer_book {
	struct price_step *regular; /**< oldest first */
	size_t n_regular;
	struct offer_span *spans;
	size_t n_spans;
	int64_t *edges; /**< every instant at which something may change, in order */
	size_t n_edges;
};

/** What holds at `from_us` and what follows before `to_us`, and so far back that the prior price of
 * every promotion among it can be said. */
int offer_book_load(struct sql *s, int64_t product_id, int64_t from_us, int64_t to_us,
		    struct offer_book *ret) _must_check_;
void offer_book_done(struct offer_book *b);
/** The regular price at an instant; NULL = none. */
const struct price_step *offer_book_regular(const struct offer_book *b, int64_t at_us);
/** The offer at an instant, `from_us` being that instant. False: there is none. */
bool offer_book_at(const struct offer_book *b, int64_t at_us, struct offer_step *ret);
/** The same without its prior price, which takes longer to find. */
bool offer_book_shows(const struct offer_book *b, int64_t at_us, struct offer_step *ret);
/** What the offer would be with another regular price. */
void offer_book_if(const struct offer_book *b, int64_t at_us, const struct price_step *regular,
		   struct offer_step *ret);
/** The lowest offer in [from_us, to_us); false if there was none. */
bool offer_book_lowest(const struct offer_book *b, int64_t from_us, int64_t to_us,
		       int64_t *ret_minor);
/** What a promotion makes of a regular price, rounded half up. */
int64_t offer_promo_price(const struct offer_span *span, int64_t regular_minor);
