/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The price ledger: rows are only ever added, each with the instant from which it holds. In force
 * at T is the row with the latest `from` at or before T; of two with the same `from`, the newer
 * one.
 */
#pragma once

#include "common/sql.h"
#include "controller/shop/price_text.h"
#include <jansson.h>

#define PRICE_REASON_MAX 200

struct price {
	int64_t id;
	int64_t product_id;
	uint64_t gtin;
	int64_t price_minor;
	char currency[PRICE_CURRENCY_MAX];
	int64_t from_us;
	int64_t at_us;
	char who[72];
	char reason[PRICE_REASON_MAX + 1];
	int64_t undo_of; /**< the row that this one takes back; 0 = none */
};

/** Appends and sets p->id; inside a write. The caller marks the product's labels, if it may have
 * any: product_mark_labels(). */
int price_append(struct sql *s, struct price *p) _must_check_;
/** The object of the API. */
json_t *price_json(const struct price *p);

/** One step of the regular price; what the shelf shows is controller/promo/offer.h. */
struct price_step {
	int64_t from_us;
	int64_t price_minor;
	char currency[PRICE_CURRENCY_MAX];
};
