/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The figures that count, from the database, for all products or one: which products there are,
 * their present books, what the tills said of each item last, and per product the events since its
 * book. For the pool, with a reader of its own.
 */
#pragma once

#include "controller/books/scan.h"

struct load_product {
	int64_t id;
	uint64_t gtin;    /**< the first alias; 0 = none */
	const char *name; /**< texts live in the arena */
	const char *folded;
	struct rec_book *books;
	size_t n_books;
	struct scan_item *items; /**< a run of the scan, sorted by product */
	size_t n_items;
	uint64_t *gtins;
	size_t n_gtins;
	int64_t open; /**< announced and not received */
};

/** Finds items of the scan by their EPC's key: numbers from 1, 0 = free. */
struct load_index {
	const struct scan *scan;
	uint32_t *slots;
	size_t mask;
};

struct load {
	const struct books *books;
	struct sql *sql;
	bool reading; /**< in a transaction until load_done() */
	int64_t now_us;
	int64_t only; /**< one product's id; 0 = all */
	struct scan *scan;
	struct load_index index;
	struct load_product *products; /**< by id */
	size_t n_products, cap_products;
	struct {
		uint64_t gtin;
		uint32_t product;
	} * aliases; /**< by gtin */
	size_t n_aliases, cap_aliases;
	uint64_t *gtins;        /**< by product */
	struct rec_book *rows;  /**< by product */
	struct load_text *text; /**< the arena */
	/* strangers: what of the scan belongs to no product, at its end */
	struct scan_item *strangers;
	size_t n_strangers;
	/* of load_events(), used again for each product */
	struct rec_event *events;
	size_t n_events, cap_events;
	struct rec_item *items;
	size_t cap_items;
};

/** Loads all but events; sorts the scan by product. 0 or negative. */
int load_all(struct load *l) _must_check_;
/** Fills `ret` with what reconcile() needs of one product; valid until the next call. */
int load_input(struct load *l, const struct load_product *p, struct rec_input *ret) _must_check_;
void load_done(struct load *l);
/** Takes the arena over: names live until load_text_free(). */
struct load_text *load_take_text(struct load *l);
void load_text_free(struct load_text *t);
