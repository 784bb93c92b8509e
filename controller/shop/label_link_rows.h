/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A list of links, as a CSV file with the columns label and gtin, becomes checked rows, or a list
 * of what is wrong by line and column. Rows are compared with the database while they are read, so
 * that one answer names the unknown labels and products beside the misprints.
 */
#pragma once

#include "common/sql.h"
#include "controller/shop/csv_sheet.h"

#define LINK_ROWS_MAX 50000 /**< as many as a store may have labels */

struct link_row {
	uint64_t addr;
	int64_t product_id;
	int64_t from_product; /**< what the label belonged to when it was read; 0 = nothing */
};

struct link_rows {
	struct csv_sheet sheet;
	struct link_row *rows; /**< those that change something */
	size_t n, cap;
	size_t linked, relinked, unchanged;
};

/** `s` is a reader; a label of another product is an error unless `relink`. 0 when the file was
 * read to its end, with or without errors in it; negative when it or the database could not be. */
int link_rows_read(struct sql *s, const void *data, size_t len, bool relink,
		   struct link_rows *ret) _must_check_;
void link_rows_done(struct link_rows *l);
/** "C0FFEE000001", also as labels print it: "C0:FF:EE:00:00:01", "c0-ff-...". */
int link_label_parse(const char *text, size_t len, uint64_t *ret_addr) _must_check_;
