/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * All products reconciled at once. Made on demand, in the pool, and kept: for a moment while goods
 * move, longer while nothing changes, so that turning pages costs nothing. Whoever asks while one
 * is being made waits for it. Rows are never changed once made.
 */
#pragma once

#include "controller/books/books_internal.h"

struct view_place {
	uint32_t place;
	uint32_t count; /**< items heard there */
	struct rec_place r;
};

/** A product, or (product_id 0) what belongs to none. */
struct view_row {
	int64_t cursor;
	int64_t product_id;
	uint64_t gtin;
	const char *name, *folded; /**< of a stranger: its class */
	uint8_t reason;
	bool has_book, by_place;
	int64_t as_of_us;
	struct rec_figures f;
	int64_t missing, pending, sold_seen, never_heard, unmatched, at_exit, open, ever;
	int64_t missing_since_us, missing_last_us;
	int64_t last_seen_us;
	uint32_t places, n_places; /**< index into the view's */
};

struct load_product;
/** Fills in all but places and cursor. */
void view_row_fill(struct view_row *row, const struct load_product *p, const struct rec_result *r);

struct books_view {
	unsigned int refs;
	uint64_t changes, transitions;
	int64_t made_us;       /**< the instant for which it holds */
	struct view_row *rows; /**< by cursor: the largest difference first, then strangers */
	size_t n_rows, cap_rows;
	struct view_place *places;
	size_t n_places, cap_places;
	int64_t reasons[REC_REASON_COUNT]; /**< rows of each */
	int64_t products, missing_items;
	struct load_text *text;
};

/** Calls `fn` once with a fresh view, or NULL and why not; at once or later, on the loop thread. */
typedef void (*books_view_fn)(void *user, const struct books_view *view, int err);
void books_view_get(struct books *b, books_view_fn fn, void *user);
void books_view_done(struct books *b);
