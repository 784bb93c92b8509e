/* SPDX-License-Identifier: Apache-2.0 */
/** @file Deliveries: the body that announces one, and the object that shows one. */
#pragma once

#include "controller/books/sale_text.h"

#define DELIVERY_MAX_LINES 2000
#define DELIVERY_MAX_EPCS  20000 /**< of all lines together */

struct delivery_line {
	uint64_t gtin;
	int64_t quantity;
	struct epc *epcs; /**< owned */
	size_t n_epcs;
};

struct delivery {
	char reference[BOOKS_TEXT_MAX + 1];
	char supplier[BOOKS_TEXT_MAX + 1];
	int64_t expected_us; /**< 0 = not said */
	uint32_t place;      /**< 0 = not said */
	struct delivery_line *lines;
	size_t n_lines;
};

/** Reads {reference, expected_at?, supplier?, lines}; the place is the caller's. -ENOMEM, or 0
 * with what is wrong in `errors`. */
int delivery_read(const json_t *body, struct delivery *ret,
		  struct books_errors *errors) _must_check_;
/** Reads the list alone: what came, by GTIN, 0 allowed. */
int delivery_lines_read(const json_t *lines, int64_t least, struct delivery *ret,
			struct books_errors *errors) _must_check_;
void delivery_done(struct delivery *d);

/** The API's object; NULL if there is none or it cannot be read. How much of it is seen is counted
 * for an open one always, for a closed one on demand. Loop thread. */
json_t *delivery_json(struct books *b, int64_t id, bool count_closed);
