/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A file of book stock becomes checked figures: gtin, quantity and optionally place (by name) and
 * as_of (RFC 3339). First what the file itself can tell (book_rows_parse()), then, with a database
 * reader, which product and place a row means and what it would change (book_rows_plan()). Both add
 * to the same list of errors.
 */
#pragma once

#include "common/sql.h"
#include "controller/shop/csv_sheet.h"

#define BOOK_MAX_ROWS 500000

struct book_row {
	uint64_t line;
	unsigned int gtin_at, place_at; /**< field numbers, for errors */
	uint64_t gtin;
	const char *place_name; /**< lives in the sheet; "" = the whole store */
	int64_t quantity;
	int64_t as_of_us; /**< 0 = now */
	/* the plan's */
	int64_t product_id;
	uint32_t place;
};

struct book_rows {
	struct csv_sheet sheet;
	struct book_row *v;
	size_t n, cap;
	int64_t now_us;
	/* the plan's: what the present figures would become */
	uint64_t changed, unchanged, older;
};

/** 0 when the file was read to its end, with or without errors; -ENOMEM. */
int book_rows_parse(const void *data, size_t len, int64_t now_us,
		    struct book_rows *ret) _must_check_;
/** For the pool. */
int book_rows_plan(struct sql *s, struct book_rows *rows) _must_check_;
void book_rows_done(struct book_rows *rows);
