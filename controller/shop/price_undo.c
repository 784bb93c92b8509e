/* SPDX-License-Identifier: Apache-2.0 */
/* POST /api/v1/price-changes/{id}/undo: a new row of the ledger that restores what held before. */
#include "common/clock.h"
#include "common/err.h"
#include "common/fault.h"
#include "controller/http/idempotency.h"
#include "controller/shop/price.h"
#include "controller/shop/product.h"
#include "controller/shop/shop_internal.h"
#include "controller/shop/wanted.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct undo_op {
	struct shop_op op;
	struct idempotency again;
	int64_t id;
	struct price price; /* the new row */
	char *answer;       /* owned */
};

static void op_free(struct undo_op *o)
{
	free(o->answer);
	free(o);
}

/* The row to be taken back, as the new one's product and time. -ERR_STATE: a newer one exists. */
static int find_row(struct sql *s, struct undo_op *o)
{
	struct sql_stmt *q = sql_prepare(
		s, "SELECT c.product_id, p.gtin, c.from_at, (SELECT max(id) FROM prices n"
		   " WHERE n.product_id = c.product_id) FROM prices c"
		   " JOIN products p ON p.id = c.product_id WHERE c.id = ?");
	bool newest;
	int r;

	sql_bind_i64(q, 1, o->id);
	r = sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	o->price.product_id = sql_col_i64(q, 0);
	o->price.gtin = (uint64_t) sql_col_i64(q, 1);
	o->price.from_us = sql_col_i64(q, 2);
	newest = sql_col_i64(q, 3) == o->id;
	sql_reset(q);
	return newest ? 0 : -ERR_STATE;
}

/* What held before it. -ERR_RANGE: nothing did. */
static int find_before(struct sql *s, struct undo_op *o)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT price_minor, currency FROM prices"
					    " WHERE product_id = ?1 AND id <> ?3 AND from_at <= ?2"
					    " ORDER BY from_at DESC, id DESC LIMIT 1");
	int r;

	sql_bind_i64(q, 1, o->price.product_id);
	sql_bind_i64(q, 2, o->price.from_us);
	sql_bind_i64(q, 3, o->id);
	r = sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ERR_RANGE;
	o->price.price_minor = sql_col_i64(q, 0);
	snprintf(o->price.currency, sizeof o->price.currency, "%s", sql_col_text(q, 1));
	sql_reset(q);
	return 0;
}

static int undo_write(struct sql *s, void *arg)
{
	struct undo_op *o = arg;
	char object[40], detail[PRICE_TEXT_MAX + 50], price[PRICE_TEXT_MAX];
	json_t *body;
	int r = db_now_us(s, &o->price.at_us);

	if (r == 0)
		r = find_row(s, o);
	if (r == 0)
		r = find_before(s, o);
	if (r < 0)
		return r;
	/* a planned one is undone where it is planned, one in force from now on */
	o->price.from_us = MAX(o->price.from_us, o->price.at_us);
	o->price.undo_of = o->id;
	r = price_append(s, &o->price);
	if (r == 0)
		r = product_mark_labels(s, o->price.product_id);
	if (r < 0)
		return r;
	snprintf(object, sizeof object, "product:%lld", (long long) o->price.product_id);
	snprintf(detail, sizeof detail, "%s again, change %lld undone",
		 price_with_code(o->price.price_minor, o->price.currency, price),
		 (long long) o->id);
	r = db_audit(s, o->op.who, "price.undo", object, detail);
	if (r < 0)
		return r;
	body = price_json(&o->price);
	o->answer = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	FAULT_POINT("ctl.price_undo.before_commit");
	return o->answer ? idempotency_store(s, &o->again, 201, o->answer) : -ENOMEM;
}

static void undo_failed(struct undo_op *o, int err)
{
	struct http_request *rq = o->op.rq;

	/* the same key came twice at once: the other one's answer is there by now */
	if (err == -ERR_CONFLICT && o->again.key[0] &&
	    !idempotency_begin(rq, o->op.shop->app, &o->again))
		return;
	if (err == -ENOENT)
		http_problem(rq, 404, "no-such-price-change", "There is no such price change.");
	else if (err == -ERR_STATE)
		http_problem(rq, 409, "superseded",
			     "A newer price change of this product exists; undo that one.");
	else if (err == -ERR_RANGE)
		http_problem(rq, 409, "nothing-before",
			     "It is the product's first price: there is nothing to go back to.");
	else
		http_reply_err(rq, err, "Price change");
}

static void undo_done(void *arg, int err)
{
	struct undo_op *o = arg;
	struct shop *s = o->op.shop;
	struct buf body = BUF_INIT;
	char from[CLOCK_RFC3339_MAX];

	if (err < 0) {
		undo_failed(o, err);
		op_free(o);
		return;
	}
	FAULT_POINT("ctl.price_undo.after_commit");
	buf_put_str(&body, o->answer);
	http_reply_buf(o->op.rq, 201, "application/json", &body);
	s->stats.price_changes++;
	events_publish(s->app->events, "price",
		       json_pack("{s:I,s:I,s:s,s:s}", "product_id",
				 (json_int_t) o->price.product_id, "price_minor",
				 (json_int_t) o->price.price_minor, "currency", o->price.currency,
				 "from", clock_rfc3339(o->price.from_us, from)));
	wanted_kick(s->wanted);
	op_free(o);
}

/* The body may give a reason, or be left out. */
static bool read_reason(struct http_request *rq, struct undo_op *o)
{
	char clean[PRODUCT_TEXT_MAX + 1];
	json_t *body, *v;
	size_t len, at;
	bool ok = true;

	http_body(rq, &len);
	if (len == 0)
		return true;
	body = http_json(rq);
	if (!body)
		return false;
	v = json_object_get(body, "reason");
	if (v && !json_is_null(v)) {
		ok = json_is_string(v) && json_string_length(v) <= PRICE_REASON_MAX &&
		     product_text_clean(json_string_value(v), json_string_length(v), clean, &at) ==
			     0;
		if (ok)
			snprintf(o->price.reason, sizeof o->price.reason, "%.*s", PRICE_REASON_MAX,
				 clean);
		else
			http_problem(rq, 422, "too-long", "A reason has at most %d bytes of text.",
				     PRICE_REASON_MAX);
	}
	json_decref(body);
	return ok;
}

void price_api_undo(struct http_request *rq, struct app *app)
{
	struct undo_op *o = calloc(1, sizeof *o);
	int r;

	if (!o) {
		http_reply_err(rq, -ENOMEM, "Price change");
		return;
	}
	if (!shop_arg_id(rq, 0, &o->id) || !read_reason(rq, o) ||
	    !idempotency_begin(rq, app, &o->again)) {
		op_free(o);
		return;
	}
	shop_op_init(&o->op, rq, app);
	snprintf(o->price.who, sizeof o->price.who, "%s", o->op.who);
	r = db_write(app->db, undo_write, undo_done, o);
	if (r < 0) {
		http_reply_err(rq, r, "Price change");
		op_free(o);
	}
}
