/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Seen against expected, for one product. Pure: no clock, no database, the same facts in any order
 * of arrival give the same answer.
 *
 *     expected = newest book figure
 *              + deliveries received + returns - sales, each dated after that figure
 *     seen     = items of the product that readers hear now
 *     difference = seen - expected
 *
 * A book is kept for the whole store or by place; the newest row says which, and by place each
 * place has the newest figure of its own. What is dated at or before a figure is already in it: a
 * sale that a till tells late but that is dated before a count is not taken off twice.
 *
 * Which item is which. A sale by EPC names its item. A sale by GTIN alone takes one item that is
 * gone: the one last seen nearest to the sale, at most REC_BEFORE_US before it or REC_AFTER_US
 * after it, where of several sales and items the pair nearest to each other goes first; if there is
 * none and the sale is older than the grace, any item of the product that
 * went after the book figure and before the sale, the latest one. So an item last seen shortly
 * before a sale is the likeliest sold one, and a theft of the day before is not hidden by it. A
 * return by GTIN takes the last sale by GTIN before it back.
 *
 * An item that is gone and not sold is *missing* once its last read, or its return at the till, is
 * older than the grace; until then the sale may still be told. Went it before the book figure, it
 * counts as missing only as far as the book expects more than the rest explains, and only if it
 * went within the time for which the tills' words are known. An item that was sold and is still
 * heard is *sold-still-seen*. What the book expects and no item, heard or gone, accounts for was
 * never heard: it has no tag, or it is not there.
 *
 * By place, a sale counts where its item was seen last, if the book knows that product there. Sales
 * and returns whose place is not known are taken from the places that are short, deliveries given
 * to those that have more; the rest goes to the place with the largest book. So the places always
 * add up to the product.
 */
#pragma once

#include "common/util.h"
#include <stdbool.h>

#define REC_BEFORE_US (12 * 3600 * US_PER_SEC)
#define REC_AFTER_US  (120 * US_PER_SEC)

/** Why a row is as it is; the words of the API: rec_reason_str(). The first that fits. */
enum rec_reason {
	REC_NO_BOOK,         /**< heard or sold, and no book figure */
	REC_UNTAGGED,        /**< no tag of it was ever heard, or not of all */
	REC_LEFT_UNSOLD,     /**< last seen at an exit and not sold */
	REC_MISSING,         /**< gone and not sold, longer than the grace */
	REC_NOT_YET_FED,     /**< gone within the grace: the sale may still come */
	REC_SOLD_STILL_SEEN, /**< sold, and still heard */
	REC_DELIVERY_OPEN,   /**< more than expected, and a delivery not received yet explains it */
	REC_SURPLUS,         /**< more than expected */
	REC_MISPLACED,       /**< the sum is right, the places are not */
	REC_MATCHING,
	REC_UNKNOWN_PRODUCT, /**< tags of a GTIN that no product has */
	REC_FOREIGN,         /**< tags that name no GTIN */
	/* of items only */
	REC_PRESENT,
	REC_SOLD,        /**< by its EPC */
	REC_SOLD_LIKELY, /**< by GTIN, this item by the rule above */
	REC_GONE_BEFORE, /**< went before the book figure, which does not expect it */
	REC_REASON_COUNT
};
const char *rec_reason_str(enum rec_reason r);

struct rec_book {
	uint32_t place; /**< 0 = the whole store */
	int64_t quantity;
	int64_t as_of_us;
	int64_t id;
};

enum rec_kind {
	REC_SALE,
	REC_RETURN,
	REC_DELIVERY
};

struct rec_event {
	int64_t at_us;
	int64_t quantity; /**< above 0 */
	int64_t ref;      /**< line or receipt */
	uint64_t key;     /**< of the EPC; 0 = by GTIN */
	uint32_t place;   /**< of a delivery; 0 = not known */
	uint8_t kind;     /**< enum rec_kind */
	int64_t counted;  /**< reconcile()'s: units that no book figure had already */
};

/** An item and what the tills said of its EPC last. */
struct rec_item {
	uint64_t key;
	uint32_t id;
	uint32_t place; /**< where it is, or was seen last; 0 = no place */
	bool present;
	bool at_exit;     /**< that place is an exit */
	bool never_heard; /**< known from a received delivery alone; last_us = when received */
	bool sold;        /**< by the tills' last word */
	bool returned;    /**< likewise */
	bool ever_sold;   /**< by its EPC */
	int64_t last_us;
	int64_t till_us;  /**< of the last sale or return */
	int64_t sale_ref; /**< its line; after reconcile() also the line it was matched to */
	/* reconcile()'s */
	uint8_t reason;
	uint32_t event; /**< REC_SOLD_LIKELY: the sale it was matched to */
};

struct rec_input {
	int64_t now_us, grace_us;
	int64_t look_back_us; /**< how long before now the tills' words on EPCs are known */
	const struct rec_book *books;
	size_t n_books;
	struct rec_event *events; /**< by time; may hold more than the books need */
	size_t n_events;
	struct rec_item *items; /**< in any order; their last fields are filled in */
	size_t n_items;
	int64_t open; /**< announced and not received */
};

struct rec_figures {
	int64_t book, sold, returned, delivered, expected, seen, difference;
};

struct rec_place {
	uint32_t place;
	bool has_book;
	uint8_t reason;
	int64_t as_of_us;
	struct rec_figures f;
};

#define REC_MAX_PLACES 64 /**< of one product; items of further ones count in the sum alone */

struct rec_result {
	bool has_book, by_place;
	uint8_t reason;
	int64_t as_of_us;
	struct rec_figures f;
	int64_t missing, at_exit, pending, sold_seen, never_heard, unmatched, ever;
	int64_t missing_since_us; /**< of the longest missing item, 0 = none */
	int64_t missing_last_us;  /**< of the item that went last */
	size_t n_places;          /**< by place: booked ones first; else where it is seen */
	struct rec_place places[REC_MAX_PLACES];
};

/** -ENOMEM. */
int reconcile(const struct rec_input *in, struct rec_result *ret) _must_check_;

/** Is the book kept by place, and from when on does it speak for what has no place? */
bool rec_book_by_place(const struct rec_book *books, size_t n, int64_t *ret_as_of_us);
