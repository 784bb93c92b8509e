/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/v1/products/{id}/history: what a product has cost and will, regular prices and
 * promotions, each with who set it. The two overlap; while a promotion shows, it is what the shelf
 * says. */
#include "common/clock.h"
#include "common/err.h"
#include "controller/http/list.h"
#include "controller/promo/offer_book.h"
#include "controller/promo/promo_internal.h"
#include "controller/shop/product.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FOR_EVER (INT64_MAX / 4)

struct entry {
	int64_t from_us, to_us; /* FOR_EVER = no end is known */
	int64_t price_minor;
	char currency[PRICE_CURRENCY_MAX];
	int64_t promotion_id; /* 0 = regular */
	int64_t change_id;    /* the ledger's row */
};

struct history {
	struct shop_job job;
	struct http_request *rq;
	struct shop *shop;
	int64_t product_id;
	struct list_page page;
	struct entry *entries;
	size_t n, cap;
	json_t *items;
	int64_t next;
	int err;
};

static int add(struct history *h, const struct entry *e)
{
	if (h->n == h->cap) {
		size_t cap = h->cap ? h->cap * 2 : 64;
		struct entry *more = reallocarray(h->entries, cap, sizeof *more);

		if (!more)
			return -ENOMEM;
		h->entries = more;
		h->cap = cap;
	}
	h->entries[h->n++] = *e;
	return 0;
}

/* Each row of the ledger holds until the next one begins. */
static int add_regular(struct history *h, struct sql *s)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT id, price_minor, currency, from_at FROM prices"
					    " WHERE product_id = ? ORDER BY from_at, id");
	int r;

	sql_bind_i64(q, 1, h->product_id);
	while ((r = sql_step(q)) > 0) {
		struct entry e = {.from_us = sql_col_i64(q, 3),
				  .to_us = FOR_EVER,
				  .price_minor = sql_col_i64(q, 1),
				  .change_id = sql_col_i64(q, 0)};

		snprintf(e.currency, sizeof e.currency, "%s", sql_col_text(q, 2));
		if (h->n > 0)
			h->entries[h->n - 1].to_us = e.from_us;
		r = add(h, &e);
		if (r < 0) {
			sql_reset(q);
			return r;
		}
	}
	return r;
}

static int add_promotions(struct history *h, struct sql *s)
{
	struct offer_book b;
	struct entry *last = NULL;
	int r = offer_book_load(s, h->product_id, 0, FOR_EVER, &b);

	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < b.n_edges; i++) {
		struct offer_step step;
		bool shows = offer_book_shows(&b, b.edges[i], &step) && step.promotion_id;

		if (last && shows && last->promotion_id == step.promotion_id &&
		    last->price_minor == step.price_minor)
			continue;
		if (last)
			last->to_us = b.edges[i];
		last = NULL;
		if (!shows)
			continue;
		struct entry e = {.from_us = b.edges[i],
				  .to_us = FOR_EVER,
				  .price_minor = step.price_minor,
				  .promotion_id = step.promotion_id};

		memcpy(e.currency, step.currency, sizeof e.currency);
		r = add(h, &e);
		last = r == 0 ? &h->entries[h->n - 1] : NULL;
	}
	offer_book_done(&b);
	return r;
}

/* Newest first; at one instant the promotion, which shows, before the regular price. */
static int newest_first(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->from_us != y->from_us)
		return x->from_us > y->from_us ? -1 : 1;
	if (x->promotion_id != y->promotion_id)
		return x->promotion_id > y->promotion_id ? -1 : 1;
	return x->change_id > y->change_id ? -1 : x->change_id < y->change_id;
}

static json_t *text_or_null(const char *text)
{
	return text && text[0] ? json_string(text) : json_null();
}

static json_t *item(struct sql *s, const struct entry *e)
{
	struct sql_stmt *q =
		e->promotion_id
			? sql_prepare(s, "SELECT name, who, '' FROM promotions WHERE id = ?")
			: sql_prepare(s, "SELECT '', who, reason FROM prices WHERE id = ?");
	char from[CLOCK_RFC3339_MAX], to[CLOCK_RFC3339_MAX];
	json_t *o;

	sql_bind_i64(q, 1, e->promotion_id ? e->promotion_id : e->change_id);
	if (sql_step(q) <= 0)
		return NULL;
	o = json_pack("{s:s,s:o,s:s,s:I,s:s,s:o,s:o,s:o,s:s,s:o}", "from",
		      clock_rfc3339(e->from_us, from), "to",
		      e->to_us == FOR_EVER ? json_null() : json_string(clock_rfc3339(e->to_us, to)),
		      "kind", e->promotion_id ? "promotion" : "regular", "price_minor",
		      (json_int_t) e->price_minor, "currency", e->currency, "promotion_id",
		      e->promotion_id ? json_integer(e->promotion_id) : json_null(), "promotion",
		      text_or_null(sql_col_text(q, 0)), "price_change_id",
		      e->change_id ? json_integer(e->change_id) : json_null(), "by",
		      sql_col_text(q, 1), "reason", text_or_null(sql_col_text(q, 2)));
	sql_reset(q);
	return o;
}

/* A page ends between two instants, so that the cursor can be one. */
static void make_page(struct history *h, struct sql *s)
{
	int64_t n = 0, last = 0;

	for (size_t i = 0; i < h->n; i++) {
		const struct entry *e = &h->entries[i];
		json_t *o;

		if (h->page.after && e->from_us >= h->page.after)
			continue;
		if (n >= h->page.limit && e->from_us != last) {
			h->next = last;
			return;
		}
		o = item(s, e);
		if (!o) {
			h->err = -ERR_DB;
			return;
		}
		json_array_append_new(h->items, o);
		last = e->from_us;
		n++;
	}
}

static void history_work(struct shop_job *job, struct shop_slot *slot)
{
	struct history *h = (struct history *) job;
	struct product p;

	h->items = json_array();
	h->err = product_load(slot->sql, h->product_id, 0, &p);
	if (h->err == 0)
		h->err = add_regular(h, slot->sql);
	if (h->err == 0)
		h->err = add_promotions(h, slot->sql);
	if (h->err < 0)
		return;
	if (h->n > 0)
		qsort(h->entries, h->n, sizeof *h->entries, newest_first);
	make_page(h, slot->sql);
}

static void history_done(struct shop_job *job)
{
	struct history *h = (struct history *) job;

	if (h->err < 0) {
		json_decref(h->items);
		if (h->err == -ENOENT)
			http_problem(h->rq, 404, "no-such-product", "There is no such product.");
		else
			http_reply_err(h->rq, h->err, "History");
	} else {
		list_reply(h->rq, h->items, h->next);
	}
	free(h->entries);
	free(h);
}

void price_history_get(struct http_request *rq, struct app *app)
{
	struct history *h = calloc(1, sizeof *h);

	if (!h) {
		http_reply_err(rq, -ENOMEM, "History");
		return;
	}
	if (!shop_arg_id(rq, 0, &h->product_id) || !list_page_read(rq, &h->page)) {
		free(h);
		return;
	}
	h->job = (struct shop_job){.work = history_work, .done = history_done};
	h->rq = rq;
	h->shop = app->shop;
	shop_work_submit(app->shop->work, &h->job, false);
}
