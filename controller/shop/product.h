/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Products in the database: loading, finding, storing, searching. A product has its own id; the
 * numbers that name it are rows of product_aliases. Functions take a connection and run on
 * whichever thread owns it; those that write are for the writer thread, inside a write.
 */
#pragma once

#include "common/sql.h"
#include "controller/promo/offer.h"
#include "controller/shop/price_text.h"
#include "controller/shop/product_text.h"
#include "controller/shop/unit_price.h"
#include <jansson.h>

#define SHOP_STORE_ID 1 /**< one store per daemon; rows carry it all the same */

struct product {
	int64_t id;
	uint64_t gtin; /**< 0 = none */
	char name[PRODUCT_TEXT_MAX + 1];
	char brand[PRODUCT_TEXT_MAX + 1];
	char category[PRODUCT_TEXT_MAX + 1];
	int64_t content_micro; /**< 0 = unknown */
	enum content_unit unit;
	int64_t rev;
	/* loaded beside it, not stored with it */
	bool has_price;
	int64_t price_minor;
	char currency[PRICE_CURRENCY_MAX];
	int64_t labels;
	struct offer_step offer; /**< see product_load_offer() */
};

/** With the price in force at `now_us`. -ENOENT. */
int product_load(struct sql *s, int64_t id, int64_t now_us, struct product *ret) _must_check_;
/** Also what a promotion makes of its price now; p->offer.promotion_id 0 = none does. */
int product_load_offer(struct sql *s, int64_t now_us, struct product *p) _must_check_;
/** -ENOENT. */
int product_find_gtin(struct sql *s, uint64_t gtin, int64_t *ret_id) _must_check_;
/** Inserts with its GTIN alias (`scanned` = as it came) and sets p->id; `folded` may have been made
 * before by product_folded(). -ERR_CONFLICT: GTIN taken. */
int product_insert(struct sql *s, struct product *p, const char *scanned, const char *folded,
		   int64_t now_us) _must_check_;
/** What search compares: name and brand, folded. Owned by the caller. */
char *product_folded(const char *name, const char *brand);
/** Stores changed texts and content where rev still is p->rev, which goes up; marks its labels to
 * be drawn anew. -ERR_CONFLICT if somebody else was first. */
int product_update(struct sql *s, struct product *p, int64_t now_us) _must_check_;

/** Marks the labels of a product to be drawn anew. */
int product_mark_labels(struct sql *s, int64_t product_id) _must_check_;

/** The API's object. `currency` is the store's, for products without a price. */
json_t *product_json(const struct product *p, const struct currency *currency);

/* --- search (product_search.c) ---------------------------------------------------------------- */

#define SEARCH_MAX_WORDS 8

struct product_query {
	size_t n;
	char *folded; /**< owned; the words, NUL after each */
	const char *words[SEARCH_MAX_WORDS];
	size_t lens[SEARCH_MAX_WORDS];
};

/** Splits a query into folded words; -ERR_UTF8, or -ERR_TOO_LARGE past the caps. */
int product_query_parse(const char *text, struct product_query *ret) _must_check_;
void product_query_done(struct product_query *q);
/** True if every word is part of the folded text or starts the GTIN in one of its printed lengths.
 */
bool product_query_match(const struct product_query *q, const char *folded, uint64_t gtin);
/**
 * Ids above `after` that match, in order, at most `limit`. Reads the table from there on: meant for
 * the pool. Returns the count.
 */
int product_search(struct sql *s, const struct product_query *q, int64_t after, size_t limit,
		   int64_t *ret_ids) _must_check_;
/** How many match in all. Reads the whole table unless the query is empty: meant for the pool. */
int product_count(struct sql *s, const struct product_query *q, int64_t *ret_n) _must_check_;
