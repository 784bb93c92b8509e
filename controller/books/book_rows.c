/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/books/book_rows.h"
#include "common/clock.h"
#include "common/err.h"
#include "controller/books/books_internal.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	COLUMN_GTIN,
	COLUMN_QUANTITY,
	COLUMN_PLACE,
	COLUMN_AS_OF
};

static const struct csv_name names[] = {
	{"gtin", COLUMN_GTIN, true},         {"ean", COLUMN_GTIN, false},
	{"quantity", COLUMN_QUANTITY, true}, {"stock", COLUMN_QUANTITY, false},
	{"place", COLUMN_PLACE, false},      {"as_of", COLUMN_AS_OF, false},
};

static const struct csv_layout layout = {
	.names = names, .n_names = ARRAY_SIZE(names), .max_rows = BOOK_MAX_ROWS};

static struct book_row *add_row(struct csv_reader *r, struct book_rows *rows)
{
	if (rows->n == rows->cap) {
		size_t cap = rows->cap ? rows->cap * 2 : 1024;
		struct book_row *v = reallocarray(rows->v, cap, sizeof *v);

		if (!v) {
			r->oom = true;
			return NULL;
		}
		rows->v = v;
		rows->cap = cap;
	}
	rows->v[rows->n] = (struct book_row){.line = r->csv.line, .place_name = ""};
	return &rows->v[rows->n++];
}

static void read_quantity(struct csv_reader *r, struct book_row *row)
{
	struct csv_field f;
	unsigned int at;
	size_t i;

	if (!csv_take(r, COLUMN_QUANTITY, &f, &at))
		return;
	i = f.len && (f.text[0] == '-' || f.text[0] == '+');
	if (i == f.len || f.len - i > 9) {
		csv_wrong(r, at, "bad-quantity", "A quantity is a whole number.");
		return;
	}
	for (size_t k = i; k < f.len; k++) {
		if (f.text[k] < '0' || f.text[k] > '9') {
			csv_wrong(r, at, "bad-quantity", "A quantity is a whole number.");
			return;
		}
		row->quantity = row->quantity * 10 + (f.text[k] - '0');
	}
	if (row->quantity > BOOKS_QUANTITY_MAX)
		csv_wrong(r, at, "bad-quantity", "At most %d pieces, or as many owed.",
			  BOOKS_QUANTITY_MAX);
	if (f.text[0] == '-')
		row->quantity = -row->quantity;
}

static void read_as_of(struct csv_reader *r, struct book_row *row, int64_t now_us)
{
	struct csv_field f;
	unsigned int at;

	if (!csv_take(r, COLUMN_AS_OF, &f, &at) || f.len == 0)
		return;
	if (f.len >= CLOCK_RFC3339_MAX + 8 ||
	    clock_parse_rfc3339(csv_keep(r, f.text, f.len), &row->as_of_us) < 0 ||
	    row->as_of_us <= 0)
		csv_wrong(r, at, "bad-time", "Write it like 2027-03-01T06:00:00Z.");
	else if (row->as_of_us > now_us + BOOKS_AHEAD_US)
		csv_wrong(r, at, "in-the-future", "A figure holds for an instant that was.");
}

/* FNV-1a over the place's name in small letters, so that it differs from the whole store's key. */
static uint64_t key_of(uint64_t gtin, struct csv_field place)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ gtin;

	h *= UINT64_C(0x100000001b3);
	for (size_t i = 0; i < place.len; i++) {
		unsigned char c = (unsigned char) place.text[i];

		h = (h ^ (c >= 'A' && c <= 'Z' ? c + 32u : c)) * UINT64_C(0x100000001b3);
	}
	return h ? h : 1;
}

static void read_row(struct csv_reader *r, void *user)
{
	struct book_rows *rows = user;
	struct book_row *row = add_row(r, rows);
	struct csv_field f, place = {.len = 0};
	uint64_t first;

	if (!row)
		return;
	row->gtin = csv_take_gtin(r, COLUMN_GTIN, &f, &row->gtin_at);
	if (!csv_take(r, COLUMN_PLACE, &place, &row->place_at))
		place = (struct csv_field){.len = 0};
	row->place_name = csv_keep(r, place.text, place.len);
	read_quantity(r, row);
	read_as_of(r, row, rows->now_us);
	first = row->gtin ? csv_seen_before(r, key_of(row->gtin, place)) : 0;
	if (first)
		csv_wrong(r, row->gtin_at, "duplicate-gtin", "Line %llu has it already%s.",
			  (unsigned long long) first, place.len ? ", at the same place" : "");
}

int book_rows_parse(const void *data, size_t len, int64_t now_us, struct book_rows *ret)
{
	int e;

	*ret = (struct book_rows){.now_us = now_us};
	e = csv_sheet_read(data, len, &layout, read_row, ret, &ret->sheet);
	if (e < 0)
		book_rows_done(ret);
	return e;
}

void book_rows_done(struct book_rows *rows)
{
	csv_sheet_done(&rows->sheet);
	free(rows->v);
	*rows = (struct book_rows){.n = 0};
}

/* --- the plan ----------------------------------------------------------------------------------
 */

static int find_place(struct sql *s, const char *name, uint32_t *ret)
{
	struct sql_stmt *q =
		sql_prepare(s, "SELECT id FROM places WHERE store_id = 1 AND name = ?");
	int r;

	sql_bind_text(q, 1, name);
	r = sql_step(q);
	if (r > 0)
		*ret = (uint32_t) sql_col_i64(q, 0);
	sql_reset(q);
	return r < 0 ? r : r > 0 ? 0 : -ENOENT;
}

static int compare(struct sql *s, struct book_rows *rows, const struct book_row *row)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT quantity, as_of FROM book_now"
					    " WHERE product_id = ? AND place_id = ?");
	int64_t as_of_us = row->as_of_us ? row->as_of_us : rows->now_us;
	int r;

	sql_bind_i64(q, 1, row->product_id);
	sql_bind_i64(q, 2, row->place);
	r = sql_step(q);
	if (r < 0)
		return r;
	if (r > 0 && sql_col_i64(q, 1) > as_of_us)
		rows->older++;
	else if (r > 0 && sql_col_i64(q, 0) == row->quantity)
		rows->unchanged++;
	else
		rows->changed++;
	sql_reset(q);
	return 0;
}

static int plan_row(struct sql *s, struct book_rows *rows, struct book_row *row)
{
	int e;

	row->product_id = books_product_of(s, row->gtin);
	if (row->product_id < 0)
		return (int) row->product_id;
	if (!row->product_id)
		csv_sheet_wrong(&rows->sheet, row->line, row->gtin_at, "unknown-gtin",
				"No product has this number; import the products first.");
	if (row->place_name[0]) {
		e = find_place(s, row->place_name, &row->place);
		if (e == -ENOENT)
			csv_sheet_wrong(&rows->sheet, row->line, row->place_at, "unknown-place",
					"There is no place of this name.");
		else if (e < 0)
			return e;
	}
	return row->product_id ? compare(s, rows, row) : 0;
}

int book_rows_plan(struct sql *s, struct book_rows *rows)
{
	for (size_t i = 0; i < rows->n; i++) {
		int e = plan_row(s, rows, &rows->v[i]);

		if (e < 0)
			return e;
	}
	return 0;
}
