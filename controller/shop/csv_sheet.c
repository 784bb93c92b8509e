/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/shop/csv_sheet.h"
#include "common/err.h"
#include "common/gtin.h"
#include <errno.h>
#include <glib.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define BLOCK_BYTES 65536

struct csv_block {
	struct csv_block *next;
	size_t used, cap;
	char data[];
};

char *csv_sheet_alloc(struct csv_sheet *s, size_t n)
{
	struct csv_block *b = s->blocks;
	char *p;

	if (!b || b->cap - b->used < n) {
		size_t cap = MAX(n, (size_t) BLOCK_BYTES);

		b = malloc(sizeof *b + cap);
		if (!b)
			return NULL;
		*b = (struct csv_block){.next = s->blocks, .cap = cap};
		s->blocks = b;
	}
	p = b->data + b->used;
	b->used += n;
	return p;
}

void csv_sheet_done(struct csv_sheet *s)
{
	while (s->blocks) {
		struct csv_block *b = s->blocks;

		s->blocks = b->next;
		free(b);
	}
	free(s->errors);
	*s = (struct csv_sheet){.rows = 0};
}

_printf_(5, 0) static void note(struct csv_sheet *s, uint64_t line, unsigned int column,
				const char *code, const char *fmt, va_list ap)
{
	struct csv_error *e;

	s->error_count++;
	if (!s->errors)
		s->errors = calloc(CSV_SHEET_MAX_ERRORS, sizeof *s->errors);
	if (!s->errors || s->n_errors == CSV_SHEET_MAX_ERRORS)
		return;
	e = &s->errors[s->n_errors++];
	*e = (struct csv_error){.line = line, .column = column, .code = code};
	vsnprintf(e->detail, sizeof e->detail, fmt, ap);
}

void csv_sheet_wrong(struct csv_sheet *s, uint64_t line, unsigned int column, const char *code,
		     const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note(s, line, column, code, fmt, ap);
	va_end(ap);
}

void csv_wrong(struct csv_reader *r, unsigned int column, const char *code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note(r->sheet, r->csv.line, column, code, fmt, ap);
	va_end(ap);
}

const char *csv_keep(struct csv_reader *r, const char *text, size_t len)
{
	char *p;

	if (len == 0)
		return "";
	p = csv_sheet_alloc(r->sheet, len + 1);
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

static int column_named(const struct csv_layout *l, struct csv_field f)
{
	f = trimmed(f);
	for (size_t i = 0; i < l->n_names; i++)
		if (strlen(l->names[i].name) == f.len &&
		    strncasecmp(l->names[i].name, f.text, f.len) == 0)
			return (int) l->names[i].column;
	return -1;
}

static void read_header(struct csv_reader *r)
{
	const struct csv *c = &r->csv;

	r->width = c->n;
	for (size_t i = 0; i < c->n; i++) {
		int column = column_named(r->layout, c->fields[i]);
		unsigned int at = (unsigned int) i + 1;

		if (column < 0) {
			csv_wrong(r, at, "unknown-column",
				  "This column has no meaning here; leave it out.");
		} else if (r->field_of[column] >= 0) {
			csv_wrong(r, at, "duplicate-column", "Column %d has the same meaning.",
				  r->field_of[column] + 1);
		} else {
			r->field_of[column] = (int) i;
			r->sheet->has[column] = true;
		}
	}
	for (size_t i = 0; i < r->layout->n_names; i++) {
		const struct csv_name *n = &r->layout->names[i];

		if (n->needed && r->field_of[n->column] < 0)
			csv_wrong(r, 0, "missing-column", "There is no column named %s.", n->name);
	}
}

/* --- fields ------------------------------------------------------------------------------------
 */

bool csv_take(struct csv_reader *r, unsigned int column, struct csv_field *ret,
	      unsigned int *ret_at)
{
	int i = r->field_of[column];

	if (i < 0)
		return false;
	*ret = trimmed(r->csv.fields[i]);
	*ret_at = (unsigned int) i + 1;
	if (g_utf8_validate_len(ret->text, ret->len, NULL))
		return true;
	csv_wrong(r, *ret_at, "bad-utf8", "This field is not UTF-8.");
	return false;
}

static size_t slot_of(uint64_t key, size_t mask)
{
	return (size_t) (key * UINT64_C(0x9e3779b97f4a7c15) >> 20) & mask;
}

static bool seen_grow(struct csv_reader *r)
{
	size_t mask = r->seen_mask ? r->seen_mask * 2 + 1 : 4095;
	__typeof__(r->seen) bigger = calloc(mask + 1, sizeof *bigger);

	if (!bigger) {
		r->oom = true;
		return false;
	}
	for (size_t k = 0; r->seen && k <= r->seen_mask; k++) {
		size_t i = slot_of(r->seen[k].key, mask);

		if (!r->seen[k].key)
			continue;
		while (bigger[i].key)
			i = (i + 1) & mask;
		bigger[i] = r->seen[k];
	}
	free(r->seen);
	r->seen = bigger;
	r->seen_mask = mask;
	return true;
}

uint64_t csv_seen_before(struct csv_reader *r, uint64_t key)
{
	size_t i;

	if (r->seen_n * 2 >= r->seen_mask && !seen_grow(r))
		return 0;
	i = slot_of(key, r->seen_mask);
	for (; r->seen[i].key; i = (i + 1) & r->seen_mask)
		if (r->seen[i].key == key)
			return r->seen[i].line;
	r->seen[i].key = key;
	r->seen[i].line = r->csv.line;
	r->seen_n++;
	return 0;
}

uint64_t csv_take_gtin(struct csv_reader *r, unsigned int column, struct csv_field *ret,
		       unsigned int *ret_at)
{
	uint64_t gtin = 0;
	int e;

	if (!csv_take(r, column, ret, ret_at))
		return 0;
	e = gtin_parse(ret->text, ret->len, &gtin);
	if (e == -ERR_CHECK_DIGIT) {
		csv_wrong(r, *ret_at, "bad-check-digit", "The check digit of %.*s is wrong.",
			  (int) ret->len, ret->text);
		return 0;
	}
	if (e < 0 || gtin == 0) {
		csv_wrong(r, *ret_at, "bad-gtin",
			  memchr(ret->text, 'E', ret->len) || memchr(ret->text, 'e', ret->len)
				  ? "A spreadsheet has turned this number into a rounded one."
				  : "A GTIN has 8, 12, 13 or 14 digits.");
		return 0;
	}
	return gtin;
}

/* --- the whole ---------------------------------------------------------------------------------
 */

static int read_all(struct csv_reader *r, void (*row)(struct csv_reader *r, void *user), void *user)
{
	bool header = false;
	int e;

	while (!r->oom && (e = csv_next(&r->csv)) != 0) {
		if (e < 0)
			return e;
		if (r->csv.fault) {
			csv_sheet_wrong(r->sheet, r->csv.fault_line, r->csv.fault_column,
					csv_fault_code(r->csv.fault), "This line cannot be read.");
			if (!header)
				return 0;
		} else if (!header) {
			header = true;
			read_header(r);
			if (r->sheet->error_count)
				return 0;
		} else if (r->sheet->rows == r->layout->max_rows) {
			csv_wrong(r, 0, "too-many-rows", "At most %zu rows at a time.",
				  r->layout->max_rows);
			return 0;
		} else if (r->csv.n != r->width) {
			csv_wrong(r, 0, "bad-column-count", "%zu fields, the header has %zu.",
				  r->csv.n, r->width);
		} else {
			r->sheet->rows++;
			row(r, user);
		}
	}
	if (!header)
		csv_sheet_wrong(r->sheet, 1, 0, "missing-column", "The file is empty.");
	return 0;
}

int csv_sheet_read(const void *data, size_t len, const struct csv_layout *layout,
		   void (*row)(struct csv_reader *r, void *user), void *user, struct csv_sheet *ret)
{
	struct csv_reader r = {.sheet = ret, .layout = layout};
	int e;

	*ret = (struct csv_sheet){.rows = 0};
	for (size_t i = 0; i < CSV_SHEET_COLUMNS; i++)
		r.field_of[i] = -1;
	csv_init(&r.csv, data, len);
	e = read_all(&r, row, user);
	csv_done(&r.csv);
	free(r.seen);
	if (e < 0 || r.oom) {
		csv_sheet_done(ret);
		return -ENOMEM;
	}
	return 0;
}
