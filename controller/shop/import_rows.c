/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/shop/import_rows.h"
#include "common/err.h"
#include "controller/shop/product_text.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Everything that reading one file needs besides the sheet. */
struct reading {
	struct import_set *set;
	const struct currency *currency;
};

static const struct csv_name names[] = {
	{"gtin", COLUMN_GTIN, true},        {"ean", COLUMN_GTIN, false},
	{"barcode", COLUMN_GTIN, false},    {"upc", COLUMN_GTIN, false},
	{"name", COLUMN_NAME, true},        {"title", COLUMN_NAME, false},
	{"price", COLUMN_PRICE, false},     {"currency", COLUMN_CURRENCY, false},
	{"brand", COLUMN_BRAND, false},     {"category", COLUMN_CATEGORY, false},
	{"content", COLUMN_CONTENT, false}, {"unit", COLUMN_UNIT, false},
};

static const struct csv_layout layout = {
	.names = names, .n_names = ARRAY_SIZE(names), .max_rows = IMPORT_MAX_ROWS};

static void read_gtin(struct csv_reader *r, struct import_row *row)
{
	struct csv_field f;
	unsigned int at;
	uint64_t first;

	row->gtin = csv_take_gtin(r, COLUMN_GTIN, &f, &at);
	if (!row->gtin)
		return;
	first = csv_seen_before(r, row->gtin);
	if (first)
		csv_wrong(r, at, "duplicate-gtin", "Line %llu has the same GTIN.",
			  (unsigned long long) first);
	row->scanned = csv_keep(r, f.text, f.len);
}

static const char *read_text(struct csv_reader *r, enum import_column column)
{
	char clean[PRODUCT_TEXT_MAX + 1];
	struct csv_field f;
	unsigned int at;
	size_t bad;
	int e;

	if (!csv_take(r, column, &f, &at))
		return "";
	e = product_text_clean(f.text, f.len, clean, &bad);
	if (e == 0 && column == COLUMN_NAME && !clean[0])
		csv_wrong(r, at, "missing-name", "A product has a name.");
	if (e == -ERR_TOO_LARGE)
		csv_wrong(r, at, "too-long", "At most %d bytes fit.", PRODUCT_TEXT_MAX);
	else if (e < 0)
		csv_wrong(r, at, e == -ERR_UTF8 ? "bad-utf8" : "bad-character",
			  "Byte %zu is not part of a text.", bad + 1);
	return e < 0 ? "" : csv_keep(r, clean, strlen(clean));
}

/* Says what is wrong with a price in that currency, or, without one, with a content. */
static void wrong_number(struct csv_reader *r, unsigned int at, int e, const char *currency)
{
	if (e == -ERR_RANGE)
		csv_wrong(r, at, currency ? "negative-price" : "bad-number",
			  currency ? "A price is not negative, nor that large."
				   : "A content is above 0 and not that large.");
	else if (e == -ERR_CONFLICT)
		csv_wrong(r, at, "ambiguous-number",
			  "This may be read as a thousand or as a decimal: write it plainly.");
	else if (currency)
		csv_wrong(r, at, "bad-number", "This is not a price in %s.", currency);
	else
		csv_wrong(r, at, "bad-number", "This is not a number.");
}

static void read_price(struct csv_reader *r, const struct currency *currency,
		       struct import_row *row)
{
	struct csv_field f;
	unsigned int at;
	int e;

	if (csv_take(r, COLUMN_CURRENCY, &f, &at)) {
		if (f.len && (f.len != 3 || memcmp(f.text, currency->code, 3) != 0))
			csv_wrong(r, at, "wrong-currency", "This store's currency is %s.",
				  currency->code);
	}
	if (!csv_take(r, COLUMN_PRICE, &f, &at))
		return;
	if (f.len == 0)
		return;
	e = price_parse(f.text, f.len, currency, &row->price_minor);
	row->has_price = e == 0;
	if (e < 0)
		wrong_number(r, at, e, currency->code);
}

static void read_content(struct csv_reader *r, struct import_row *row)
{
	struct csv_field c = {.len = 0}, u = {.len = 0};
	unsigned int at_c = 0, at_u = 0;
	int e;

	if (!csv_take(r, COLUMN_CONTENT, &c, &at_c))
		c = (struct csv_field){.len = 0};
	if (!csv_take(r, COLUMN_UNIT, &u, &at_u))
		u = (struct csv_field){.len = 0};
	if (c.len) {
		e = content_parse(c.text, c.len, &row->content_micro);
		if (e < 0)
			wrong_number(r, at_c, e, NULL);
	}
	if (u.len) {
		row->unit = content_unit_parse(u.text, u.len);
		if (row->unit == CONTENT_NONE)
			csv_wrong(r, at_u, "bad-unit", "A unit is kg, g, l, ml, m or pc.");
	}
	if (!c.len != !u.len)
		csv_wrong(r, c.len ? at_c : at_u, "bad-content",
			  "A content and its unit belong together.");
}

static struct import_row *add_row(struct csv_reader *r, struct import_set *set)
{
	if (set->n == set->cap) {
		size_t cap = set->cap ? set->cap * 2 : 1024;
		struct import_row *rows = reallocarray(set->rows, cap, sizeof *rows);

		if (!rows) {
			r->oom = true;
			return NULL;
		}
		set->rows = rows;
		set->cap = cap;
	}
	set->rows[set->n] = (struct import_row){.line = r->csv.line};
	return &set->rows[set->n++];
}

static void read_row(struct csv_reader *r, void *user)
{
	struct reading *reading = user;
	struct import_row *row = add_row(r, reading->set);

	if (!row)
		return;
	read_gtin(r, row);
	row->name = read_text(r, COLUMN_NAME);
	row->brand = read_text(r, COLUMN_BRAND);
	row->category = read_text(r, COLUMN_CATEGORY);
	read_price(r, reading->currency, row);
	read_content(r, row);
}

int import_parse(const void *data, size_t len, const struct currency *currency,
		 struct import_set *ret)
{
	struct reading reading = {.set = ret, .currency = currency};
	int e;

	*ret = (struct import_set){.n = 0};
	e = csv_sheet_read(data, len, &layout, read_row, &reading, &ret->sheet);
	if (e < 0)
		import_set_done(ret);
	return e;
}

void import_set_done(struct import_set *set)
{
	csv_sheet_done(&set->sheet);
	free(set->rows);
	*set = (struct import_set){.n = 0};
}
