/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/shop/import_rows.h"
#include "common/err.h"
#include "common/gtin.h"
#include "controller/shop/csv.h"
#include "controller/shop/product_text.h"
#include <errno.h>
#include <glib.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define BLOCK_BYTES 65536

struct import_block {
	struct import_block *next;
	size_t used, cap;
	char data[];
};

/* Everything that reading one file needs. */
struct reader {
	struct import_set *set;
	struct csv csv;
	const struct currency *currency;
	size_t columns;                    /* of the header */
	int field_of[IMPORT_COLUMN_COUNT]; /* -1 = not there */
	struct {
		uint64_t gtin, line;
	} * seen; /* open addressing; gtin 0 = free */
	size_t seen_mask, seen_n;
	bool oom;
};

char *import_alloc(struct import_set *set, size_t n)
{
	struct import_block *b = set->blocks;
	char *p;

	if (!b || b->cap - b->used < n) {
		size_t cap = MAX(n, (size_t) BLOCK_BYTES);

		b = malloc(sizeof *b + cap);
		if (!b)
			return NULL;
		*b = (struct import_block){.next = set->blocks, .cap = cap};
		set->blocks = b;
	}
	p = b->data + b->used;
	b->used += n;
	return p;
}

void import_set_done(struct import_set *set)
{
	while (set->blocks) {
		struct import_block *b = set->blocks;

		set->blocks = b->next;
		free(b);
	}
	free(set->rows);
	free(set->errors);
	*set = (struct import_set){.n = 0};
}

_printf_(5, 6) static void wrong(struct reader *r, uint64_t line, unsigned int column,
				 const char *code, const char *fmt, ...)
{
	struct import_set *set = r->set;
	struct import_error *e;
	va_list ap;

	set->error_count++;
	if (set->n_errors == IMPORT_MAX_ERRORS)
		return;
	if (!set->errors) {
		set->errors = calloc(IMPORT_MAX_ERRORS, sizeof *set->errors);
		if (!set->errors) {
			r->oom = true;
			return;
		}
	}
	e = &set->errors[set->n_errors++];
	*e = (struct import_error){.line = line, .column = column, .code = code};
	va_start(ap, fmt);
	vsnprintf(e->detail, sizeof e->detail, fmt, ap);
	va_end(ap);
}

static const char *keep(struct reader *r, const char *text, size_t len)
{
	char *p;

	if (len == 0)
		return "";
	p = import_alloc(r->set, len + 1);
	if (!p) {
		r->oom = true;
		return "";
	}
	memcpy(p, text, len);
	p[len] = 0;
	return p;
}

static struct csv_field trimmed(struct csv_field f)
{
	while (f.len && f.text[0] == ' ')
		f.text++, f.len--;
	while (f.len && f.text[f.len - 1] == ' ')
		f.len--;
	return f;
}

/* --- the header --------------------------------------------------------------------------------
 */

static const struct {
	const char *name;
	enum import_column column;
} names[] = {
	{"gtin", COLUMN_GTIN},         {"ean", COLUMN_GTIN},          {"barcode", COLUMN_GTIN},
	{"upc", COLUMN_GTIN},          {"name", COLUMN_NAME},         {"title", COLUMN_NAME},
	{"price", COLUMN_PRICE},       {"currency", COLUMN_CURRENCY}, {"brand", COLUMN_BRAND},
	{"category", COLUMN_CATEGORY}, {"content", COLUMN_CONTENT},   {"unit", COLUMN_UNIT},
};

static int column_named(struct csv_field f)
{
	f = trimmed(f);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i].name) == f.len &&
		    strncasecmp(names[i].name, f.text, f.len) == 0)
			return (int) names[i].column;
	return -1;
}

static void read_header(struct reader *r)
{
	const struct csv *c = &r->csv;

	r->columns = c->n;
	for (size_t i = 0; i < c->n; i++) {
		int column = column_named(c->fields[i]);
		unsigned int at = (unsigned int) i + 1;

		if (column < 0) {
			wrong(r, c->line, at, "unknown-column",
			      "This column has no meaning here; leave it out.");
		} else if (r->field_of[column] >= 0) {
			wrong(r, c->line, at, "duplicate-column", "Column %d has the same meaning.",
			      r->field_of[column] + 1);
		} else {
			r->field_of[column] = (int) i;
			r->set->has[column] = true;
		}
	}
	if (r->field_of[COLUMN_GTIN] < 0)
		wrong(r, c->line, 0, "missing-column", "There is no column named gtin.");
	if (r->field_of[COLUMN_NAME] < 0)
		wrong(r, c->line, 0, "missing-column", "There is no column named name.");
}

/* --- fields ------------------------------------------------------------------------------------
 */

static bool field(struct reader *r, enum import_column column, struct csv_field *ret,
		  unsigned int *ret_at)
{
	int i = r->field_of[column];

	if (i < 0)
		return false;
	*ret = r->csv.fields[i];
	*ret_at = (unsigned int) i + 1;
	if (g_utf8_validate_len(ret->text, ret->len, NULL))
		return true;
	wrong(r, r->csv.line, *ret_at, "bad-utf8", "This field is not UTF-8.");
	return false;
}

/* Where a GTIN was seen first; remembers it if it is new. */
static uint64_t seen_before(struct reader *r, uint64_t gtin, uint64_t line)
{
	size_t i;

	if (r->seen_n * 2 >= r->seen_mask) {
		size_t mask = r->seen_mask ? r->seen_mask * 2 + 1 : 4095;
		__typeof__(r->seen) bigger = calloc(mask + 1, sizeof *bigger);

		if (!bigger) {
			r->oom = true;
			return 0;
		}
		for (size_t k = 0; r->seen && k <= r->seen_mask; k++) {
			if (!r->seen[k].gtin)
				continue;
			i = (size_t) (r->seen[k].gtin * UINT64_C(0x9e3779b97f4a7c15) >> 20) & mask;
			while (bigger[i].gtin)
				i = (i + 1) & mask;
			bigger[i] = r->seen[k];
		}
		free(r->seen);
		r->seen = bigger;
		r->seen_mask = mask;
	}
	i = (size_t) (gtin * UINT64_C(0x9e3779b97f4a7c15) >> 20) & r->seen_mask;
	for (; r->seen[i].gtin; i = (i + 1) & r->seen_mask)
		if (r->seen[i].gtin == gtin)
			return r->seen[i].line;
	r->seen[i].gtin = gtin;
	r->seen[i].line = line;
	r->seen_n++;
	return 0;
}

static void read_gtin(struct reader *r, struct import_row *row)
{
	struct csv_field f;
	unsigned int at;
	uint64_t first;
	int e;

	if (!field(r, COLUMN_GTIN, &f, &at))
		return;
	f = trimmed(f);
	e = gtin_parse(f.text, f.len, &row->gtin);
	if (e == -ERR_CHECK_DIGIT) {
		wrong(r, row->line, at, "bad-check-digit", "The check digit of %.*s is wrong.",
		      (int) f.len, f.text);
		return;
	}
	if (e < 0 || row->gtin == 0) {
		wrong(r, row->line, at, "bad-gtin",
		      memchr(f.text, 'E', f.len) || memchr(f.text, 'e', f.len)
			      ? "A spreadsheet has turned this number into a rounded one."
			      : "A GTIN has 8, 12, 13 or 14 digits.");
		return;
	}
	first = seen_before(r, row->gtin, row->line);
	if (first)
		wrong(r, row->line, at, "duplicate-gtin", "Line %llu has the same GTIN.",
		      (unsigned long long) first);
	row->scanned = keep(r, f.text, f.len);
}

static const char *read_text(struct reader *r, enum import_column column, uint64_t line)
{
	char clean[PRODUCT_TEXT_MAX + 1];
	struct csv_field f;
	unsigned int at;
	size_t bad;
	int e;

	if (!field(r, column, &f, &at))
		return "";
	e = product_text_clean(f.text, f.len, clean, &bad);
	if (e == 0 && column == COLUMN_NAME && !clean[0])
		wrong(r, line, at, "missing-name", "A product has a name.");
	if (e == -ERR_TOO_LARGE)
		wrong(r, line, at, "too-long", "At most %d bytes fit.", PRODUCT_TEXT_MAX);
	else if (e < 0)
		wrong(r, line, at, e == -ERR_UTF8 ? "bad-utf8" : "bad-character",
		      "Byte %zu is not part of a text.", bad + 1);
	return e < 0 ? "" : keep(r, clean, strlen(clean));
}

/* Says what is wrong with a number. */
static void wrong_number(struct reader *r, unsigned int at, int e, bool price)
{
	uint64_t line = r->csv.line;

	if (e == -ERR_RANGE)
		wrong(r, line, at, price ? "negative-price" : "bad-number",
		      price ? "A price is not negative, nor that large."
			    : "A content is above 0 and not that large.");
	else if (e == -ERR_CONFLICT)
		wrong(r, line, at, "ambiguous-number",
		      "This may be read as a thousand or as a decimal: write it plainly.");
	else
		wrong(r, line, at, "bad-number",
		      price ? "This is not a price in %s." : "This is not a number.%.0s",
		      r->currency->code);
}

static void read_price(struct reader *r, struct import_row *row)
{
	struct csv_field f;
	unsigned int at;
	int e;

	if (field(r, COLUMN_CURRENCY, &f, &at)) {
		f = trimmed(f);
		if (f.len && (f.len != 3 || memcmp(f.text, r->currency->code, 3) != 0))
			wrong(r, row->line, at, "wrong-currency", "This store's currency is %s.",
			      r->currency->code);
	}
	if (!field(r, COLUMN_PRICE, &f, &at))
		return;
	f = trimmed(f);
	if (f.len == 0)
		return;
	e = price_parse(f.text, f.len, r->currency, &row->price_minor);
	row->has_price = e == 0;
	if (e < 0)
		wrong_number(r, at, e, true);
}

static void read_content(struct reader *r, struct import_row *row)
{
	struct csv_field c = {.len = 0}, u = {.len = 0};
	unsigned int at_c = 0, at_u = 0;
	int e;

	if (field(r, COLUMN_CONTENT, &c, &at_c))
		c = trimmed(c);
	if (field(r, COLUMN_UNIT, &u, &at_u))
		u = trimmed(u);
	if (c.len) {
		e = content_parse(c.text, c.len, &row->content_micro);
		if (e < 0)
			wrong_number(r, at_c, e, false);
	}
	if (u.len) {
		row->unit = content_unit_parse(u.text, u.len);
		if (row->unit == CONTENT_NONE)
			wrong(r, row->line, at_u, "bad-unit", "A unit is kg, g, l, ml, m or pc.");
	}
	if (!c.len != !u.len)
		wrong(r, row->line, c.len ? at_c : at_u, "bad-content",
		      "A content and its unit belong together.");
}

static struct import_row *add_row(struct reader *r)
{
	struct import_set *set = r->set;

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

static void read_row(struct reader *r)
{
	struct import_row *row;

	if (r->csv.n != r->columns) {
		wrong(r, r->csv.line, 0, "bad-column-count", "%zu fields, the header has %zu.",
		      r->csv.n, r->columns);
		return;
	}
	row = add_row(r);
	if (!row)
		return;
	read_gtin(r, row);
	row->name = read_text(r, COLUMN_NAME, row->line);
	row->brand = read_text(r, COLUMN_BRAND, row->line);
	row->category = read_text(r, COLUMN_CATEGORY, row->line);
	read_price(r, row);
	read_content(r, row);
}

static int read_all(struct reader *r)
{
	bool header = false;
	int e;

	while (!r->oom && (e = csv_next(&r->csv)) != 0) {
		if (e < 0)
			return e;
		if (r->csv.fault) {
			wrong(r, r->csv.fault_line, r->csv.fault_column,
			      csv_fault_code(r->csv.fault), "This line cannot be read.");
			if (!header)
				return 0;
		} else if (!header) {
			header = true;
			read_header(r);
			if (r->set->error_count)
				return 0;
		} else if (r->set->n == IMPORT_MAX_ROWS) {
			wrong(r, r->csv.line, 0, "too-many-rows", "At most %d rows at a time.",
			      IMPORT_MAX_ROWS);
			return 0;
		} else {
			read_row(r);
		}
	}
	if (!header)
		wrong(r, 1, 0, "missing-column", "The file is empty.");
	return r->oom ? -ENOMEM : 0;
}

int import_parse(const void *data, size_t len, const struct currency *currency,
		 struct import_set *ret)
{
	struct reader r = {.set = ret, .currency = currency};
	int e;

	*ret = (struct import_set){.n = 0};
	for (size_t i = 0; i < IMPORT_COLUMN_COUNT; i++)
		r.field_of[i] = -1;
	csv_init(&r.csv, data, len);
	e = read_all(&r);
	csv_done(&r.csv);
	free(r.seen);
	if (e < 0 || r.oom) {
		import_set_done(ret);
		return -ENOMEM;
	}
	return 0;
}
