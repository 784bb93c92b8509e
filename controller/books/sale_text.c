/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/books/sale_text.h"
#include "common/gtin.h"
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define POINTER_MAX 64

bool books_gtin_read(const json_t *v, const char *pointer, struct books_errors *errors,
		     uint64_t *ret)
{
	const char *text = json_string_value(v);

	if (text && gtin_parse(text, json_string_length(v), ret) == 0 && *ret)
		return true;
	books_wrong(errors, pointer, "bad-check-digit",
		    "gtin is a text of 8, 12, 13 or 14 digits, the last a check digit.");
	return false;
}

bool books_epc_read(const json_t *v, const char *pointer, struct books_errors *errors,
		    struct epc *ret)
{
	const char *text = json_string_value(v);

	if (text && epc_from_hex(text, ret) == 0 && ret->bits)
		return true;
	books_wrong(errors, pointer, "bad-epc", "epc is an even number of hex digits.");
	return false;
}

/* --- one line ----------------------------------------------------------------------------------
 */

static void read_what(const json_t *o, const char *pointer, struct sale_line *line,
		      struct books_errors *errors)
{
	const json_t *gtin = json_object_get(o, "gtin"), *epc = json_object_get(o, "epc");
	uint64_t named = 0;

	if (!gtin && !epc)
		books_wrong(errors, pointer, "missing-gtin", "A line names a gtin or an epc.");
	if (gtin && !books_gtin_read(gtin, pointer, errors, &line->gtin))
		return;
	if (!epc || !books_epc_read(epc, pointer, errors, &line->epc))
		return;
	named = books_gtin_of(&line->epc);
	if (line->gtin && named && line->gtin != named)
		books_wrong(errors, pointer, "gtin-mismatch",
			    "The EPC is of another GTIN than the line says.");
	if (named)
		line->gtin = named;
}

static void read_line(const json_t *o, const char *pointer, struct sale_line *line,
		      struct books_errors *errors)
{
	const json_t *quantity = json_object_get(o, "quantity");

	if (!json_is_object(o)) {
		books_wrong(errors, pointer, "bad-line", "A line is an object.");
		return;
	}
	read_what(o, pointer, line, errors);
	line->quantity = quantity ? json_integer_value(quantity) : 1;
	if ((quantity && !json_is_integer(quantity)) || line->quantity == 0 ||
	    line->quantity < -SALE_MAX_PIECES || line->quantity > SALE_MAX_PIECES)
		books_wrong(errors, pointer, "bad-quantity",
			    "quantity is a whole number of pieces; below 0 is a return.");
	else if (line->epc.bits && line->quantity != 1 && line->quantity != -1)
		books_wrong(errors, pointer, "bad-quantity",
			    "An EPC is one item: its quantity is 1, or -1 for a return.");
}

/* --- one sale ----------------------------------------------------------------------------------
 */

/* A number that the till counts with may come as a number. */
static bool read_name(const json_t *v, char ret[BOOKS_TEXT_MAX + 1])
{
	if (!json_is_integer(v))
		return books_text_read(v, ret);
	snprintf(ret, BOOKS_TEXT_MAX + 1, "%lld", (long long) json_integer_value(v));
	return true;
}

static void digest(struct sale *sale)
{
	crypto_generichash_state st;

	crypto_generichash_init(&st, NULL, 0, sizeof sale->digest);
	crypto_generichash_update(&st, (const uint8_t *) &sale->at_us, sizeof sale->at_us);
	for (size_t i = 0; i < sale->n_lines; i++) {
		const struct sale_line *l = &sale->lines[i];

		crypto_generichash_update(&st, (const uint8_t *) &l->gtin, sizeof l->gtin);
		crypto_generichash_update(&st, (const uint8_t *) &l->quantity, sizeof l->quantity);
		crypto_generichash_update(&st, (const uint8_t *) &l->epc.bits, sizeof l->epc.bits);
		crypto_generichash_update(&st, l->epc.data, epc_bytes(&l->epc));
	}
	crypto_generichash_final(&st, sale->digest, sizeof sale->digest);
}

static int read_lines(const json_t *lines, size_t i, struct sale *sale, struct books_errors *errors)
{
	char pointer[POINTER_MAX];
	size_t n = json_array_size(lines);

	snprintf(pointer, sizeof pointer, "/sales/%zu/lines", i);
	if (n == 0 || n > SALE_MAX_LINES) {
		books_wrong(errors, pointer, "bad-lines", "lines is a list of 1 to %d lines.",
			    SALE_MAX_LINES);
		return 0;
	}
	sale->lines = calloc(n, sizeof *sale->lines);
	if (!sale->lines)
		return -ENOMEM;
	sale->n_lines = n;
	for (size_t k = 0; k < n; k++) {
		snprintf(pointer, sizeof pointer, "/sales/%zu/lines/%zu", i, k);
		read_line(json_array_get(lines, k), pointer, &sale->lines[k], errors);
	}
	digest(sale);
	return 0;
}

static int read_sale(const json_t *o, size_t i, int64_t now_us, struct sale *sale,
		     struct books_errors *errors)
{
	const json_t *till = json_object_get(o, "till");
	char pointer[POINTER_MAX];

	snprintf(pointer, sizeof pointer, "/sales/%zu/id", i);
	if (!read_name(json_object_get(o, "id"), sale->number) || !sale->number[0])
		books_wrong(errors, pointer, "bad-id", "id is the till's number of the sale.");
	snprintf(pointer, sizeof pointer, "/sales/%zu/till", i);
	if (till && !json_is_null(till) && !read_name(till, sale->till))
		books_wrong(errors, pointer, "bad-till", "till is a text of up to %d bytes.",
			    BOOKS_TEXT_MAX);
	snprintf(pointer, sizeof pointer, "/sales/%zu/at", i);
	if (!books_time_read(json_object_get(o, "at"), &sale->at_us))
		books_wrong(errors, pointer, "bad-time", "at is an instant (RFC 3339).");
	else if (sale->at_us > now_us + BOOKS_AHEAD_US)
		books_wrong(errors, pointer, "in-the-future", "The till's clock is ahead.");
	return read_lines(json_object_get(o, "lines"), i, sale, errors);
}

int sales_read(const json_t *body, int64_t now_us, struct sale_batch *ret,
	       struct books_errors *errors)
{
	const json_t *list = json_object_get(body, "sales");
	size_t n = json_array_size(list);
	int r = 0;

	*ret = (struct sale_batch){.n = 0};
	if (n == 0 || n > SALES_MAX_A_CALL) {
		books_wrong(errors, "/sales", "bad-sales", "sales is a list of 1 to %d sales.",
			    SALES_MAX_A_CALL);
		return 0;
	}
	ret->v = calloc(n, sizeof *ret->v);
	if (!ret->v)
		return -ENOMEM;
	for (ret->n = 0; ret->n < n && r == 0; ret->n++)
		r = read_sale(json_array_get(list, ret->n), ret->n, now_us, &ret->v[ret->n],
			      errors);
	if (r < 0)
		sale_batch_done(ret);
	return r;
}

void sale_batch_done(struct sale_batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		free(b->v[i].lines);
	free(b->v);
	*b = (struct sale_batch){.n = 0};
}
