/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/books/delivery.h"
#include "common/gtin.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define POINTER_MAX 64

/* --- the body ----------------------------------------------------------------------------------
 */

static int read_epcs(const json_t *list, size_t i, struct delivery_line *line, size_t *left,
		     struct books_errors *errors)
{
	char pointer[POINTER_MAX];
	size_t n = json_array_size(list);

	snprintf(pointer, sizeof pointer, "/lines/%zu/epcs", i);
	if (!list || json_is_null(list))
		return 0;
	if (!json_is_array(list) || n > *left || (int64_t) n > line->quantity) {
		books_wrong(errors, pointer, "bad-epcs",
			    "At most as many EPCs as pieces, and %d in all.", DELIVERY_MAX_EPCS);
		return 0;
	}
	line->epcs = calloc(n + 1, sizeof *line->epcs);
	if (!line->epcs)
		return -ENOMEM;
	*left -= n;
	for (size_t k = 0; k < n; k++) {
		struct epc *epc = &line->epcs[line->n_epcs];

		snprintf(pointer, sizeof pointer, "/lines/%zu/epcs/%zu", i, k);
		if (!books_epc_read(json_array_get(list, k), pointer, errors, epc))
			continue;
		line->n_epcs++;
		if (books_gtin_of(epc) && books_gtin_of(epc) != line->gtin)
			books_wrong(errors, pointer, "gtin-mismatch",
				    "The EPC is of another GTIN than the line says.");
	}
	return 0;
}

static int read_line(const json_t *o, size_t i, int64_t least, struct delivery_line *line,
		     size_t *left, struct books_errors *errors)
{
	const json_t *quantity = json_object_get(o, "quantity");
	char pointer[POINTER_MAX];

	snprintf(pointer, sizeof pointer, "/lines/%zu/gtin", i);
	if (!books_gtin_read(json_object_get(o, "gtin"), pointer, errors, &line->gtin))
		return 0;
	snprintf(pointer, sizeof pointer, "/lines/%zu/quantity", i);
	line->quantity = json_integer_value(quantity);
	if (!json_is_integer(quantity) || line->quantity < least ||
	    line->quantity > BOOKS_QUANTITY_MAX) {
		books_wrong(errors, pointer, "bad-quantity", "quantity is %lld to %d pieces.",
			    (long long) least, BOOKS_QUANTITY_MAX);
		return 0;
	}
	return read_epcs(json_object_get(o, "epcs"), i, line, left, errors);
}

int delivery_lines_read(const json_t *lines, int64_t least, struct delivery *ret,
			struct books_errors *errors)
{
	size_t n = json_array_size(lines), left = DELIVERY_MAX_EPCS;
	int r = 0;

	if (n == 0 || n > DELIVERY_MAX_LINES) {
		books_wrong(errors, "/lines", "bad-lines", "lines is a list of 1 to %d lines.",
			    DELIVERY_MAX_LINES);
		return 0;
	}
	ret->lines = calloc(n, sizeof *ret->lines);
	if (!ret->lines)
		return -ENOMEM;
	ret->n_lines = n;
	for (size_t i = 0; i < n && r == 0; i++)
		r = read_line(json_array_get(lines, i), i, least, &ret->lines[i], &left, errors);
	return r;
}

int delivery_read(const json_t *body, struct delivery *ret, struct books_errors *errors)
{
	const json_t *supplier = json_object_get(body, "supplier");
	const json_t *expected = json_object_get(body, "expected_at");
	int r;

	*ret = (struct delivery){.n_lines = 0};
	if (!books_text_read(json_object_get(body, "reference"), ret->reference) ||
	    !ret->reference[0])
		books_wrong(errors, "/reference", "bad-reference",
			    "reference is the supplier's number, up to %d bytes.", BOOKS_TEXT_MAX);
	if (supplier && !json_is_null(supplier) && !books_text_read(supplier, ret->supplier))
		books_wrong(errors, "/supplier", "bad-text", "supplier is a text.");
	if (expected && !json_is_null(expected) && !books_time_read(expected, &ret->expected_us))
		books_wrong(errors, "/expected_at", "bad-time",
			    "expected_at is an instant (RFC 3339).");
	r = delivery_lines_read(json_object_get(body, "lines"), 1, ret, errors);
	if (r < 0)
		delivery_done(ret);
	return r;
}

void delivery_done(struct delivery *d)
{
	for (size_t i = 0; i < d->n_lines; i++)
		free(d->lines[i].epcs);
	free(d->lines);
	*d = (struct delivery){.n_lines = 0};
}

/* --- the object --------------------------------------------------------------------------------
 */

/* How much of a line is in the store: its EPCs, or, without any, items of its GTIN that were heard
 * first after the announcement. */
struct seen {
	const struct books *b;
	uint32_t first_item;
	int64_t epcs, seen;
};

static void count_new(void *user, const struct inventory_item *item)
{
	struct seen *seen = user;

	seen->seen += item->present && item->number >= seen->first_item;
}

static void count_epcs(struct sql *s, int64_t line_id, struct seen *seen)
{
	struct sql_stmt *q =
		sql_prepare(s, "SELECT epc, epc_bits FROM delivery_epcs WHERE line_id = ?");

	sql_bind_i64(q, 1, line_id);
	while (sql_step(q) > 0) {
		struct inventory_item item;
		struct epc epc;
		size_t len;
		const void *bits = sql_col_blob(q, 0, &len);

		seen->epcs++;
		if (bits && len * 8 >= (size_t) sql_col_i64(q, 1) &&
		    epc_set(&epc, bits, (size_t) sql_col_i64(q, 1)) == 0 &&
		    inventory_find(seen->b->app->inventory, &epc, &item) == 0)
			seen->seen += item.present;
	}
}

static int64_t received_of(struct sql *s, int64_t id, int64_t gtin)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT sum(quantity) FROM delivery_receipts"
					    " WHERE delivery_id = ? AND gtin = ?");
	int64_t n = 0;

	sql_bind_i64(q, 1, id);
	sql_bind_i64(q, 2, gtin);
	if (sql_step(q) > 0)
		n = sql_col_i64(q, 0);
	sql_reset(q);
	return n;
}

struct sums {
	int64_t announced, seen, received;
};

static json_t *line_json(struct books *b, struct sql *s, struct sql_stmt *q, int64_t id,
			 uint32_t first_item, bool count, struct sums *sums)
{
	struct seen seen = {.b = b, .first_item = first_item};
	int64_t gtin = sql_col_i64(q, 1), quantity = sql_col_i64(q, 2);
	int64_t received = received_of(s, id, gtin);
	char text[GTIN_STR_MAX];
	json_t *o;

	if (count) {
		count_epcs(s, sql_col_i64(q, 0), &seen);
		if (!seen.epcs)
			/* The newest come first: somewhat more than were announced will do. */
			inventory_walk_gtin(b->app->inventory, (uint64_t) gtin,
					    (uint32_t) MIN(4 * quantity + 64, 10000), count_new,
					    &seen);
	}
	seen.seen = MIN(seen.seen, quantity);
	sums->announced += quantity;
	sums->seen += seen.seen;
	sums->received += received;
	o = json_pack("{s:s,s:I,s:I,s:o,s:I}", "gtin", gtin_format((uint64_t) gtin, text),
		      "quantity", (json_int_t) quantity, "epc_count", (json_int_t) seen.epcs,
		      "seen", count ? json_integer(seen.seen) : json_null(), "received",
		      (json_int_t) received);
	books_name_product(s, (uint64_t) gtin, o);
	return o;
}

static json_t *lines_json(struct books *b, struct sql *s, int64_t id, uint32_t first_item,
			  bool count, struct sums *sums)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT id, gtin, quantity FROM delivery_lines"
					    " WHERE delivery_id = ? ORDER BY id");
	json_t *lines = json_array();

	sql_bind_i64(q, 1, id);
	while (sql_step(q) > 0)
		json_array_append_new(lines, line_json(b, s, q, id, first_item, count, sums));
	return lines;
}

static json_t *head_json(const struct books *b, struct sql_stmt *q, int64_t id)
{
	const char *state = sql_col_text(q, 2);
	uint32_t place = (uint32_t) sql_col_i64(q, 4);

	return json_pack(
		"{s:I,s:s?,s:s?,s:s?,s:o,s:o,s:o,s:o,s:s?,s:o,s:s?,s:o}", "id", (json_int_t) id,
		"reference", sql_col_text(q, 0), "supplier", sql_col_text(q, 1), "state", state,
		"expected_at", books_time_json(sql_col_i64(q, 3)), "place_id",
		books_place_id_json(place), "place", books_place_name_json(b, place), "created",
		books_time_json(sql_col_i64(q, 5)), "by", sql_col_text(q, 6), "closed",
		books_time_json(sql_col_i64(q, 7)), "closed_by", sql_col_text(q, 8), "received_at",
		books_time_json(strcmp(state, "received") == 0 ? sql_col_i64(q, 7) : 0));
}

json_t *delivery_json(struct books *b, int64_t id, bool count_closed)
{
	struct sql *s = db_reader(b->app->db);
	struct sql_stmt *q = sql_prepare(s, "SELECT reference, supplier, state, expected_at,"
					    " place_id, created, created_by, closed, closed_by,"
					    " first_item FROM deliveries WHERE id = ?");
	struct sums sums = {0};
	json_t *o, *lines;
	bool open;

	sql_bind_i64(q, 1, id);
	if (sql_step(q) <= 0)
		return NULL;
	open = strcmp(sql_col_text(q, 2), "announced") == 0;
	o = head_json(b, q, id);
	lines = lines_json(b, s, id, (uint32_t) sql_col_i64(q, 9), open || count_closed, &sums);
	sql_reset(q);
	json_object_set_new(o, "announced", json_integer(sums.announced));
	json_object_set_new(o, "seen",
			    open || count_closed ? json_integer(sums.seen) : json_null());
	json_object_set_new(o, "received", json_integer(sums.received));
	json_object_set_new(o, "lines", lines);
	if (open && sums.seen > 0)
		json_object_set_new(o, "state", json_string("arriving"));
	return o;
}
