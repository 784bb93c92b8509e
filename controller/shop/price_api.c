/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/price-changes: adds to the price ledger, and shows it. */
#include "common/clock.h"
#include "common/err.h"
#include "common/gtin.h"
#include "controller/http/idempotency.h"
#include "controller/http/list.h"
#include "controller/shop/price.h"
#include "controller/shop/product.h"
#include "controller/shop/shop_internal.h"
#include "controller/shop/wanted.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FROM_MAX_AHEAD_US (INT64_C(3) * 366 * 86400 * US_PER_SEC)

struct price_op {
	struct shop_op op;
	struct idempotency again;
	char *answer; /* the reply's text, owned */
	struct price price;
	uint64_t gtin; /* asked by number; 0 = by id */
	bool has_from;
};

static void op_free(struct price_op *p)
{
	free(p->answer);
	free(p);
}

static int price_write(struct sql *s, void *arg)
{
	struct price_op *p = arg;
	struct product product;
	char object[40], detail[2 * PRICE_TEXT_MAX + 20], now[PRICE_TEXT_MAX], was[PRICE_TEXT_MAX];
	json_t *body;
	int r = db_now_us(s, &p->price.at_us);

	if (r == 0 && p->gtin)
		r = product_find_gtin(s, p->gtin, &p->price.product_id);
	if (r < 0)
		return r;
	r = product_load(s, p->price.product_id, p->price.at_us, &product);
	if (r < 0)
		return r;
	p->price.gtin = product.gtin;
	if (!p->has_from)
		p->price.from_us = p->price.at_us;
	r = price_append(s, &p->price);
	if (r == 0)
		r = product_mark_labels(s, p->price.product_id);
	if (r < 0)
		return r;
	snprintf(object, sizeof object, "product:%lld", (long long) p->price.product_id);
	price_with_code(p->price.price_minor, p->price.currency, now);
	if (product.has_price)
		snprintf(detail, sizeof detail, "%s, was %s", now,
			 price_with_code(product.price_minor, p->price.currency, was));
	else
		snprintf(detail, sizeof detail, "%s, the first price", now);
	r = db_audit(s, p->op.who, "price.change", object, detail);
	if (r < 0)
		return r;
	body = price_json(&p->price);
	p->answer = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	return p->answer ? idempotency_store(s, &p->again, 201, p->answer) : -ENOMEM;
}

static void price_failed(struct price_op *p, int err)
{
	struct app *app = p->op.shop->app;

	/* the same key came twice at once: the other one's answer is there by now */
	if (err == -ERR_CONFLICT && p->again.key[0] && !idempotency_begin(p->op.rq, app, &p->again))
		return;
	if (err == -ENOENT)
		http_problem(p->op.rq, 404, "no-such-product", "There is no such product.");
	else
		http_reply_err(p->op.rq, err, "Price change");
}

static void price_done(void *arg, int err)
{
	struct price_op *p = arg;
	struct shop *s = p->op.shop;
	struct buf body = BUF_INIT;
	char from[CLOCK_RFC3339_MAX];

	if (err < 0) {
		price_failed(p, err);
		op_free(p);
		return;
	}
	buf_put_str(&body, p->answer);
	http_reply_buf(p->op.rq, 201, "application/json", &body);
	s->stats.price_changes++;
	events_publish(s->app->events, "price",
		       json_pack("{s:I,s:I,s:s,s:s}", "product_id",
				 (json_int_t) p->price.product_id, "price_minor",
				 (json_int_t) p->price.price_minor, "currency", p->price.currency,
				 "from", clock_rfc3339(p->price.from_us, from)));
	wanted_kick(s->wanted);
	op_free(p);
}

/* price_minor, or price as decimal text. Replies and returns false if neither is right. */
static bool read_amount(struct http_request *rq, json_t *body, const struct currency *cur,
			int64_t *ret)
{
	json_t *minor = json_object_get(body, "price_minor"),
	       *text = json_object_get(body, "price");
	int r = -ERR_SYNTAX;

	if (!minor == !text) {
		http_problem(rq, 422, "bad-number",
			     "Give either price_minor (an integer) or price (decimal text).");
		return false;
	}
	if (minor && json_is_integer(minor)) {
		*ret = json_integer_value(minor);
		r = *ret < 0 || *ret > PRICE_MAX_MINOR ? -ERR_RANGE : 0;
	} else if (text && json_is_string(text)) {
		r = price_parse(json_string_value(text), json_string_length(text), cur, ret);
	}
	if (r == -ERR_RANGE)
		http_problem(rq, 422, "negative-price", "A price is not negative, nor beyond %lld.",
			     (long long) PRICE_MAX_MINOR);
	else if (r == -ERR_CONFLICT)
		http_problem(rq, 422, "ambiguous-number",
			     "\"%s\" may be read in two ways: write it with two decimals.",
			     json_string_value(text));
	else if (r < 0)
		http_problem(rq, 422, "bad-number", "That is not a price in %s.", cur->code);
	return r == 0;
}

static bool read_when(struct http_request *rq, json_t *body, int64_t now_us, struct price_op *p)
{
	json_t *from = json_object_get(body, "from"), *reason = json_object_get(body, "reason");
	char clean[PRODUCT_TEXT_MAX + 1];
	size_t at;

	if (from && !json_is_null(from)) {
		if (!json_is_string(from) ||
		    clock_parse_rfc3339(json_string_value(from), &p->price.from_us) < 0 ||
		    p->price.from_us > now_us + FROM_MAX_AHEAD_US) {
			http_problem(rq, 422, "bad-time",
				     "from is an RFC 3339 instant, at most three years ahead.");
			return false;
		}
		/* what was shown and charged until now cannot be changed afterwards */
		p->has_from = p->price.from_us > now_us;
	}
	if (reason && !json_is_null(reason)) {
		if (!json_is_string(reason) || json_string_length(reason) > PRICE_REASON_MAX ||
		    product_text_clean(json_string_value(reason), json_string_length(reason), clean,
				       &at) < 0) {
			http_problem(rq, 422, "too-long", "A reason has at most %d bytes of text.",
				     PRICE_REASON_MAX);
			return false;
		}
		snprintf(p->price.reason, sizeof p->price.reason, "%.*s", PRICE_REASON_MAX, clean);
	}
	return true;
}

static bool read_product(struct http_request *rq, json_t *body, struct price_op *p)
{
	json_t *id = json_object_get(body, "product_id"), *gtin = json_object_get(body, "gtin");

	if (id && json_is_integer(id) && !gtin) {
		p->price.product_id = json_integer_value(id);
		return true;
	}
	if (gtin && json_is_string(gtin) && !id) {
		if (gtin_parse(json_string_value(gtin), json_string_length(gtin), &p->gtin) == 0)
			return true;
		http_problem(rq, 422, "bad-check-digit", "That is not a GTIN.");
		return false;
	}
	http_problem(rq, 422, "no-such-product", "Give either product_id or gtin.");
	return false;
}

static bool read_currency(struct http_request *rq, json_t *body, const struct currency *cur)
{
	json_t *currency = json_object_get(body, "currency");

	if (!currency ||
	    (json_is_string(currency) && strcmp(json_string_value(currency), cur->code) == 0))
		return true;
	http_problem(rq, 422, "wrong-currency", "This store's currency is %s.", cur->code);
	return false;
}

void price_api_create(struct http_request *rq, struct app *app)
{
	struct shop *s = app->shop;
	struct price_op *p = calloc(1, sizeof *p);
	json_t *body = http_json(rq);
	int r;

	if (!p || !body) {
		if (body)
			http_reply_err(rq, -ENOMEM, "Price change");
		json_decref(body);
		free(p);
		return;
	}
	shop_op_init(&p->op, rq, app);
	snprintf(p->price.who, sizeof p->price.who, "%s", p->op.who);
	memcpy(p->price.currency, s->currency.code, sizeof p->price.currency);
	if (!read_product(rq, body, p) || !read_currency(rq, body, &s->currency) ||
	    !read_amount(rq, body, &s->currency, &p->price.price_minor) ||
	    !read_when(rq, body, clock_real_us(app->clock), p) ||
	    !idempotency_begin(rq, app, &p->again)) {
		json_decref(body);
		op_free(p);
		return;
	}
	json_decref(body);
	r = db_write(app->db, price_write, price_done, p);
	if (r < 0) {
		http_reply_err(rq, r, "Price change");
		op_free(p);
	}
}

static json_t *row_json(struct sql_stmt *q)
{
	struct price p = {.id = sql_col_i64(q, 0),
			  .product_id = sql_col_i64(q, 1),
			  .gtin = (uint64_t) sql_col_i64(q, 2),
			  .price_minor = sql_col_i64(q, 3),
			  .from_us = sql_col_i64(q, 5),
			  .at_us = sql_col_i64(q, 6),
			  .undo_of = sql_col_i64(q, 9)};

	snprintf(p.currency, sizeof p.currency, "%s", sql_col_text(q, 4));
	snprintf(p.who, sizeof p.who, "%s", sql_col_text(q, 7));
	snprintf(p.reason, sizeof p.reason, "%s", sql_col_text(q, 8));
	return price_json(&p);
}

#define PRICE_COLUMNS                                                                              \
	"SELECT c.id, c.product_id, p.gtin, c.price_minor, c.currency, c.from_at, c.at, c.who,"    \
	" c.reason, u.undo_of FROM prices c JOIN products p ON p.id = c.product_id"                \
	" LEFT JOIN price_undos u ON u.price_id = c.id "

void price_api_list(struct http_request *rq, struct app *app)
{
	struct list_page page;
	struct sql_stmt *q;
	json_t *items;
	int64_t product, next = 0, n = 0;
	int r;

	if (!list_page_read(rq, &page) ||
	    !http_query_int(rq, "product_id", 0, 1, INT64_MAX, &product))
		return;
	if (page.after == 0)
		page.after = INT64_MAX;
	q = sql_prepare(db_reader(app->db),
			product ? PRICE_COLUMNS "WHERE c.product_id = ?3 AND c.id < ?1"
						" ORDER BY c.id DESC LIMIT ?2"
				: PRICE_COLUMNS "WHERE c.id < ?1 ORDER BY c.id DESC LIMIT ?2");
	sql_bind_i64(q, 1, page.after);
	sql_bind_i64(q, 2, page.limit + 1);
	if (product)
		sql_bind_i64(q, 3, product);
	items = json_array();
	while ((r = sql_step(q)) > 0 && n < page.limit) {
		next = sql_col_i64(q, 0);
		json_array_append_new(items, row_json(q));
		n++;
	}
	sql_reset(q);
	if (r < 0) {
		json_decref(items);
		http_reply_err(rq, r, "Price changes");
		return;
	}
	list_reply(rq, items, r > 0 ? next : 0);
}
