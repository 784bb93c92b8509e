/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A catalogue file becomes checked rows, or a list of what is wrong with it by line and column;
 * nothing here knows the database. The first record names the columns in any order: gtin and name,
 * and optionally price, currency, brand, category, content, unit. A column that is there sets its
 * value in every row, also to empty; an empty price cell leaves the price alone.
 */
#pragma once

#include "controller/shop/csv_sheet.h"
#include "controller/shop/price_text.h"
#include "controller/shop/unit_price.h"

#define IMPORT_MAX_ROWS 500000

enum import_column {
	COLUMN_GTIN,
	COLUMN_NAME,
	COLUMN_PRICE,
	COLUMN_CURRENCY,
	COLUMN_BRAND,
	COLUMN_CATEGORY,
	COLUMN_CONTENT,
	COLUMN_UNIT,
	IMPORT_COLUMN_COUNT
};

/** What a row will do, found out by import_plan.h. */
enum import_action {
	IMPORT_UNCHANGED,
	IMPORT_CREATE,
	IMPORT_UPDATE
};

struct import_row {
	uint64_t line;
	uint64_t gtin;
	const char *scanned; /**< texts live in the set */
	const char *name;
	const char *brand;
	const char *category;
	int64_t content_micro;
	enum content_unit unit;
	bool has_price;
	int64_t price_minor;
	/* the plan's */
	enum import_action action;
	bool sets_price;
	int64_t product_id;
	int64_t rev;
	const char *folded; /**< of a row that creates a product */
};

struct import_set {
	struct csv_sheet sheet;
	struct import_row *rows;
	size_t n, cap;
};

/** 0 when the file was read to its end, with or without errors in it; -ENOMEM. */
int import_parse(const void *data, size_t len, const struct currency *currency,
		 struct import_set *ret) _must_check_;
void import_set_done(struct import_set *set);
