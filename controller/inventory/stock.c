/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/v1/stock: how many of each product are where. */
#include "common/gtin.h"
#include "controller/http/list.h"
#include "controller/inventory/inventory_internal.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LOOK_AT_ONCE    20000 /* products a request looks at; the rest is on the next page */
#define ALIASES_AT_ONCE 64

struct query {
	struct inventory *inv;
	int64_t place;     /* 0 = anywhere */
	const char *words; /* every word in the name, or a GTIN's beginning; NULL = all */
};

static bool contains_word(const char *name, const char *word, size_t n)
{
	for (; *name; name++) {
		if (strncasecmp(name, word, n) == 0)
			return true;
	}
	return false;
}

static bool matches(const struct query *q, uint32_t product)
{
	const struct inv_name *name = inventory_name(q->inv, product);
	const char *title = name->name ? name->name : "foreign tags";
	char gtin[GTIN_STR_MAX];
	const char *digits = gtin_format(q->inv->state->products.v[product].gtin, gtin);

	if (!q->words)
		return true;
	while (*digits == '0')
		digits++;
	for (const char *w = q->words + strspn(q->words, " "); *w;) {
		size_t n = strcspn(w, " ");

		if (!contains_word(title, w, n) && strncmp(gtin, w, n) != 0 &&
		    strncmp(digits, w, n) != 0)
			return false;
		w += n;
		w += strspn(w, " ");
	}
	return true;
}

/* One row, or NULL if nothing of it is in stock where the question points. */
static json_t *row(const struct query *q, uint32_t product)
{
	const struct inv_state *st = q->inv->state;
	const struct inv_product *p = &st->products.v[product];
	const struct inv_name *name = inventory_name(q->inv, product);
	json_t *places = json_array();
	int64_t total = 0;

	for (uint32_t at = p->first_cell; at != INV_NONE; at = st->cells.v[at].next) {
		const struct inv_cell *c = &st->cells.v[at];
		const struct inv_place *place = inventory_place(q->inv, c->place);

		if (!c->count || (q->place && c->place != q->place))
			continue;
		total += c->count;
		json_array_append_new(places, json_pack("{s:o,s:s?,s:I}", "place_id",
							inventory_place_id_json(c->place), "place",
							place ? place->name : NULL, "count",
							(json_int_t) c->count));
	}
	if (!total) {
		json_decref(places);
		return NULL;
	}
	return json_pack("{s:o,s:o,s:s?,s:I,s:I,s:o}", "product_id",
			 inventory_product_id_json(name), "gtin", inventory_gtin_json(p->gtin),
			 "name", p->gtin ? name->name : "foreign tags", "total", (json_int_t) total,
			 "not_seen", (json_int_t) (p->items - p->present), "places", places);
}

static json_t *summary(struct inventory *inv)
{
	const struct inv_state *st = inv->state;
	json_int_t unknown = 0, foreign = 0;

	for (uint32_t i = 0; i < st->products.n && i < LOOK_AT_ONCE; i++) {
		if (!st->products.v[i].present)
			continue;
		if (!st->products.v[i].gtin)
			foreign = st->products.v[i].present;
		else if (!inventory_name(inv, i)->product_id)
			unknown++;
	}
	return json_pack("{s:I,s:I,s:I,s:I,s:I}", "items", (json_int_t) st->present,
			 "unknown_products", unknown, "unplaced", (json_int_t) st->unplaced,
			 "foreign_tags", foreign, "refused", (json_int_t) st->refused);
}

static void reply(struct http_request *rq, struct query *q, json_t *items, uint32_t next)
{
	char cursor[16];

	snprintf(cursor, sizeof(cursor), "%u", next);
	http_reply_json(rq, 200,
			json_pack("{s:o,s:s?,s:o}", "items", items, "next", next ? cursor : NULL,
				  "summary", summary(q->inv)));
}

/* The rows of one shop product: one for each GTIN it has tags of. */
static void reply_product(struct http_request *rq, struct query *q, int64_t product_id)
{
	uint32_t products[ALIASES_AT_ONCE];
	int n = inventory_products_of(q->inv, product_id, products, ALIASES_AT_ONCE);
	json_t *items = json_array();

	for (int i = 0; i < n; i++) {
		json_t *r = row(q, products[i]);

		if (r)
			json_array_append_new(items, r);
	}
	reply(rq, q, items, 0);
}

void stock_list(struct http_request *rq, struct app *app)
{
	struct query q = {.inv = app->inventory, .words = http_query(rq, "q")};
	const struct inv_state *st = q.inv->state;
	struct list_page page;
	int64_t product_id;
	json_t *items;
	uint32_t at, seen = 0;

	if (!list_page_read(rq, &page) ||
	    !http_query_int(rq, "place_id", 0, 0, UINT32_MAX, &q.place) ||
	    !http_query_int(rq, "product_id", 0, 0, INT64_MAX, &product_id))
		return;
	if (product_id) {
		reply_product(rq, &q, product_id);
		return;
	}
	items = json_array();
	/* The cursor is one past the last product looked at. */
	for (at = (uint32_t) MIN(page.after, (int64_t) st->products.n);
	     at < st->products.n && seen < LOOK_AT_ONCE; at++, seen++) {
		json_t *r = st->products.v[at].present && matches(&q, at) ? row(&q, at) : NULL;

		if (!r)
			continue;
		json_array_append_new(items, r);
		if ((int64_t) json_array_size(items) >= page.limit) {
			at++;
			break;
		}
	}
	reply(rq, &q, items, at < st->products.n ? at : 0);
}
