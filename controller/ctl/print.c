/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/ctl/ctl.h"
#include "controller/shop/price_text.h"
#include <stdio.h>
#include <string.h>

#define CELL_MAX    160
#define COLUMNS_MAX 12

void ctl_print_json(const json_t *j)
{
	json_dumpf(j, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	putchar('\n');
}

static const char *string_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

void ctl_print_problem(const struct ctl_reply *r)
{
	const json_t *errors = json_object_get(r->body, "errors"), *e;
	const char *detail = string_of(r->body, "detail"), *title = string_of(r->body, "title");
	size_t i;

	fprintf(stderr, "gondolactl: refused (%ld%s%s): %s\n", r->status,
		string_of(r->body, "code")[0] ? " " : "", string_of(r->body, "code"),
		detail[0]  ? detail
		: title[0] ? title
			   : "the controller gave no reason");
	json_array_foreach(errors, i, e)
	{
		const json_t *line = json_object_get(e, "line");
		long long column = json_integer_value(json_object_get(e, "column"));

		if (line && column > 0)
			fprintf(stderr, "  line %lld, column %lld: %s\n",
				(long long) json_integer_value(line), column,
				string_of(e, "detail"));
		else if (line)
			fprintf(stderr, "  line %lld: %s\n", (long long) json_integer_value(line),
				string_of(e, "detail"));
		else
			fprintf(stderr, "  %s %s\n", string_of(e, "pointer"),
				string_of(e, "detail"));
	}
	json_int_t total = json_integer_value(json_object_get(r->body, "error_count"));

	if (total > (json_int_t) json_array_size(errors))
		fprintf(stderr, "  ... %lld errors in all\n", (long long) total);
}

static const json_t *at_path(const json_t *o, const char *path)
{
	char key[64];

	while (o && *path) {
		size_t n = strcspn(path, ".");

		snprintf(key, sizeof(key), "%.*s", (int) MIN(n, sizeof(key) - 1), path);
		o = json_object_get(o, key);
		path += n + (path[n] == '.');
	}
	return o;
}

const char *ctl_money(const json_t *minor, const json_t *currency, char *buf, size_t cap)
{
	if (!json_is_integer(minor)) {
		snprintf(buf, cap, "-");
		return buf;
	}
	const char *code = json_string_value(currency);
	struct currency cur = {.digits = 2}; /* as most have, where none is named */
	char text[PRICE_TEXT_MAX];

	(void) currency_find(code, &cur);
	snprintf(buf, cap, "%s%s%s", price_decimal(json_integer_value(minor), &cur, text),
		 code ? " " : "", code ? code : "");
	return buf;
}

const char *ctl_text_at(const json_t *object, const char *path, char *buf, size_t cap)
{
	const json_t *v = at_path(object, path);
	size_t n = strlen(path);

	/* A price is shown as money, with the currency that stands beside it. */
	if (n >= 11 && strcmp(path + n - 11, "price_minor") == 0) {
		char beside[64];

		snprintf(beside, sizeof(beside), "%.*scurrency", (int) (n - 11), path);
		return ctl_money(v, at_path(object, beside), buf, cap);
	}
	if (json_is_string(v))
		snprintf(buf, cap, "%s", json_string_value(v));
	else if (json_is_integer(v))
		snprintf(buf, cap, "%lld", (long long) json_integer_value(v));
	else if (json_is_real(v))
		snprintf(buf, cap, "%.2f", json_real_value(v));
	else if (json_is_boolean(v))
		snprintf(buf, cap, "%s", json_is_true(v) ? "yes" : "no");
	else
		snprintf(buf, cap, "-");
	/* A name from a file must not move the cursor of somebody's terminal. */
	for (char *p = buf; *p; p++)
		if ((unsigned char) *p < 0x20 || *p == 0x7f)
			*p = '?';
	return buf;
}

/* Columns a text takes: characters, not bytes. */
static int width_of(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += ((unsigned char) *text & 0xc0) != 0x80;
	return n;
}

static void print_cell(const char *text, int width, bool right, bool last)
{
	int pad = width - width_of(text);

	if (right)
		printf("%*s", MAX(pad, 0), "");
	fputs(text, stdout);
	if (!right && !last)
		printf("%*s", MAX(pad, 0), "");
	fputs(last ? "\n" : "  ", stdout);
}

void ctl_print_table(const json_t *items, const struct ctl_column *columns, size_t n)
{
	int width[COLUMNS_MAX];
	char cell[CELL_MAX];
	const json_t *item;
	size_t i;

	for (size_t k = 0; k < n; k++)
		width[k] = width_of(columns[k].heading);
	json_array_foreach(items, i, item)
	{
		for (size_t k = 0; k < n; k++)
			width[k] = MAX(width[k], width_of(ctl_text_at(item, columns[k].path, cell,
								      sizeof(cell))));
	}
	for (size_t k = 0; k < n; k++)
		print_cell(columns[k].heading, width[k], columns[k].right, k + 1 == n);
	json_array_foreach(items, i, item)
	{
		for (size_t k = 0; k < n; k++)
			print_cell(ctl_text_at(item, columns[k].path, cell, sizeof(cell)), width[k],
				   columns[k].right, k + 1 == n);
	}
}
