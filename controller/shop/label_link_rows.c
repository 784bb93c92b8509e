/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/shop/label_link_rows.h"
#include "common/err.h"
#include "controller/shop/label.h"
#include "controller/shop/product.h"
#include <errno.h>
#include <string.h>

enum link_column {
	COLUMN_LABEL,
	COLUMN_GTIN
};

static const struct csv_name names[] = {
	{"label", COLUMN_LABEL, true},   {"esl", COLUMN_LABEL, false},
	{"id", COLUMN_LABEL, false},     {"address", COLUMN_LABEL, false},
	{"mac", COLUMN_LABEL, false},    {"gtin", COLUMN_GTIN, true},
	{"ean", COLUMN_GTIN, false},     {"upc", COLUMN_GTIN, false},
	{"barcode", COLUMN_GTIN, false},
};

static const struct csv_layout layout = {
	.names = names, .n_names = ARRAY_SIZE(names), .max_rows = LINK_ROWS_MAX};

struct reading {
	struct sql *sql;
	struct link_rows *out;
	bool relink;
	int err; /* of the database */
};

int link_label_parse(const char *text, size_t len, uint64_t *ret_addr)
{
	char plain[LABEL_ID_MAX];
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if ((text[i] == ':' || text[i] == '-') && len == 17 && i % 3 == 2)
			continue;
		if (n == sizeof plain - 1)
			return -ERR_SYNTAX;
		plain[n++] = text[i];
	}
	plain[n] = 0;
	return label_id_parse(plain, ret_addr);
}

/* 1 = there is such a label, and *ret_product is what it belongs to. */
static int find_label(struct sql *s, uint64_t addr, int64_t *ret_product)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT product_id FROM labels WHERE addr = ?");
	int r;

	sql_bind_i64(q, 1, (int64_t) addr);
	r = sql_step(q);
	if (r > 0)
		*ret_product = sql_col_i64(q, 0);
	sql_reset(q);
	return r;
}

static bool read_label(struct csv_reader *r, struct reading *rd, struct link_row *row)
{
	struct csv_field f;
	uint64_t first;
	unsigned int at;
	int e;

	if (!csv_take(r, COLUMN_LABEL, &f, &at))
		return false;
	if (link_label_parse(f.text, f.len, &row->addr) < 0 || row->addr == 0) {
		csv_wrong(r, at, "bad-label", "A label's id has 12 hexadecimal digits.");
		return false;
	}
	first = csv_seen_before(r, row->addr);
	if (first) {
		csv_wrong(r, at, "duplicate-label", "Line %llu has the same label.",
			  (unsigned long long) first);
		return false;
	}
	e = find_label(rd->sql, row->addr, &row->from_product);
	if (e == 0)
		csv_wrong(r, at, "no-such-label", "No access point has heard this label.");
	else if (e < 0)
		rd->err = e;
	return e > 0;
}

static bool read_product(struct csv_reader *r, struct reading *rd, struct link_row *row)
{
	struct csv_field f;
	unsigned int at;
	uint64_t gtin = csv_take_gtin(r, COLUMN_GTIN, &f, &at);
	int e;

	if (!gtin)
		return false;
	e = product_find_gtin(rd->sql, gtin, &row->product_id);
	if (e == -ENOENT)
		csv_wrong(r, at, "no-such-product", "No product has this GTIN.");
	else if (e < 0)
		rd->err = e;
	return e == 0;
}

static void add_row(struct csv_reader *r, struct link_rows *out, const struct link_row *row)
{
	if (out->n == out->cap) {
		size_t cap = out->cap ? out->cap * 2 : 1024;
		struct link_row *rows = reallocarray(out->rows, cap, sizeof *rows);

		if (!rows) {
			r->oom = true;
			return;
		}
		out->rows = rows;
		out->cap = cap;
	}
	out->rows[out->n++] = *row;
}

static void read_row(struct csv_reader *r, void *user)
{
	struct reading *rd = user;
	struct link_row row = {.addr = 0};
	bool label, product;

	if (rd->err)
		return;
	label = read_label(r, rd, &row); /* both, so that a bad line is told whole */
	product = read_product(r, rd, &row);
	if (!label || !product)
		return;
	if (row.from_product == row.product_id) {
		rd->out->unchanged++;
		return;
	}
	if (row.from_product && !rd->relink) {
		csv_wrong(r, (unsigned int) r->field_of[COLUMN_LABEL] + 1, "already-linked",
			  "This label belongs to another product; say relink to move it.");
		return;
	}
	rd->out->linked += row.from_product == 0;
	rd->out->relinked += row.from_product != 0;
	add_row(r, rd->out, &row);
}

int link_rows_read(struct sql *s, const void *data, size_t len, bool relink, struct link_rows *ret)
{
	struct reading rd = {.sql = s, .out = ret, .relink = relink};
	int r;

	*ret = (struct link_rows){.n = 0};
	r = csv_sheet_read(data, len, &layout, read_row, &rd, &ret->sheet);
	if (r == 0)
		r = rd.err;
	if (r < 0)
		link_rows_done(ret);
	return r;
}

void link_rows_done(struct link_rows *l)
{
	csv_sheet_done(&l->sheet);
	free(l->rows);
	*l = (struct link_rows){.n = 0};
}
