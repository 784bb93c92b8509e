/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/v1/labels/links, and POST /api/v1/labels/links/{id}/undo. Taking back is one more
 * change: nothing that was written is rewritten. */
#include "common/err.h"
#include "common/fault.h"
#include "controller/shop/desired.h"
#include "controller/shop/label_api.h"
#include "controller/shop/label_links.h"
#include "controller/shop/label_notify.h"
#include "controller/shop/wanted.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NOTIFY_MAX 256

void label_api_links(struct http_request *rq, struct app *app)
{
	const char *label = http_query(rq, "label");
	struct list_page page;
	int64_t product_id, next = 0;
	uint64_t addr = 0;
	json_t *items;
	int r;

	if (!list_page_read(rq, &page) ||
	    !http_query_int(rq, "product_id", 0, 0, INT64_MAX, &product_id))
		return;
	if (label && *label && label_id_parse(label, &addr) < 0) {
		http_problem(rq, 400, "bad-query", "A label's id has 12 hexadecimal digits.");
		return;
	}
	items = json_array();
	r = label_link_list(db_reader(app->db), &page, addr, product_id, items, &next);
	if (r < 0) {
		json_decref(items);
		http_reply_err(rq, r, "Links");
		return;
	}
	list_reply(rq, items, next);
}

/* --- undo --------------------------------------------------------------------------------------
 */

struct undo_op {
	struct shop_op op;
	struct idempotency again;
	struct shop_refusal why;
	int64_t id;
	bool whole_batch;
	char *answer;  /* owned */
	int64_t first; /* row written, and how many */
	size_t n;
	size_t n_addrs;
	uint64_t addrs[NOTIFY_MAX];
};

static void undo_free(struct undo_op *u)
{
	free(u->answer);
	free(u);
}

/* The newest row below `before` that was written together with others; 0 = there is none. */
static int64_t next_of_batch(struct sql *s, int64_t batch, int64_t before)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT max(id) FROM label_links"
					    " WHERE batch = ? AND id < ?");
	int64_t id = 0;

	sql_bind_i64(q, 1, batch);
	sql_bind_i64(q, 2, before);
	if (sql_step(q) > 0)
		id = sql_col_i64(q, 0);
	sql_reset(q);
	return id;
}

static int undo_row(struct sql *s, struct undo_op *u, const struct label_link_row *row,
		    int64_t now_us)
{
	struct label_link back = {.addr = row->addr,
				  .product_id = row->from_product,
				  .cause = "undo",
				  .who = u->op.who,
				  .in_batch = row->batch != 0,
				  .batch = u->first,
				  .undo_of = row->id,
				  .now_us = now_us};
	char id[LABEL_ID_MAX];
	int r;

	if (row->superseded)
		return shop_refuse(&u->why, 409, "superseded",
				   "Label %s has been linked anew since.",
				   label_id_format(row->addr, id));
	r = label_link_set(s, &back);
	if (r < 0)
		return r;
	if (!back.id)
		return -ERR_CORRUPT; /* rows and label disagree: nothing is taken back on a guess */
	if (!u->first)
		u->first = back.id;
	u->n++;
	if (u->n_addrs < NOTIFY_MAX)
		u->addrs[u->n_addrs++] = row->addr;
	return 0;
}

static int undo_rows(struct sql *s, struct undo_op *u, int64_t now_us)
{
	struct label_link_row row;
	int r = label_link_load(s, u->id, &row);
	int64_t id;

	if (r < 0)
		return r == -ENOENT ? shop_refuse(&u->why, 404, "no-such-link",
						  "There is no such change of a link.")
				    : r;
	/* What was replaced comes back as a whole, or two labels would claim to be the one. */
	if (!row.batch || (!u->whole_batch && strcmp(row.cause, "replace") != 0))
		return undo_row(s, u, &row, now_us);
	for (id = next_of_batch(s, row.batch, INT64_MAX); id > 0 && r == 0;
	     id = next_of_batch(s, row.batch, id)) {
		r = label_link_load(s, id, &row);
		if (r == 0)
			r = undo_row(s, u, &row, now_us);
	}
	return r;
}

static int undo_write(struct sql *s, void *arg)
{
	struct undo_op *u = arg;
	char object[40], detail[64];
	json_t *body;
	int64_t now;
	int r = db_now_us(s, &now);

	if (r == 0)
		r = undo_rows(s, u, now);
	if (r < 0)
		return r;
	FAULT_POINT("ctl.links.before_undo");
	snprintf(object, sizeof object, "link:%lld", (long long) u->id);
	snprintf(detail, sizeof detail, "labels=%zu", u->n);
	r = db_audit(s, u->op.who, "label.link-undo", object, detail);
	if (r < 0)
		return r;
	body = label_link_json(s, u->first);
	if (body)
		json_object_set_new(body, "labels", json_integer((json_int_t) u->n));
	u->answer = body ? json_dumps(body, JSON_COMPACT) : NULL;
	json_decref(body);
	return u->answer ? idempotency_store(s, &u->again, 201, u->answer) : -ENOMEM;
}

static void undo_done(void *arg, int err)
{
	struct undo_op *u = arg;
	struct shop *s = u->op.shop;
	struct buf body = BUF_INIT;

	if (err < 0) {
		shop_reply_failed(&u->op, &u->why, &u->again, err, "Undo");
		undo_free(u);
		return;
	}
	FAULT_POINT("ctl.links.after_undo");
	buf_put_str(&body, u->answer);
	http_reply_buf(u->op.rq, 201, "application/json", &body);
	for (size_t i = 0; i < u->n_addrs; i++)
		label_notify(s, u->addrs[i]);
	wanted_kick(s->wanted);
	desired_wake_all(s->desired);
	undo_free(u);
}

/* An optional object: {"batch":true} takes back all that was written together with it. */
static bool read_batch(struct http_request *rq, bool *ret)
{
	json_t *body, *batch;
	size_t len;
	bool ok;

	(void) http_body(rq, &len);
	*ret = false;
	if (len == 0)
		return true;
	body = http_json(rq);
	if (!body)
		return false;
	batch = json_object_get(body, "batch");
	ok = !batch || json_is_boolean(batch);
	*ret = json_is_true(batch);
	json_decref(body);
	if (!ok)
		http_problem(rq, 422, "bad-undo", "batch is true or false.");
	return ok;
}

void label_api_links_undo(struct http_request *rq, struct app *app)
{
	struct undo_op *u = calloc(1, sizeof *u);
	int r;

	if (!u) {
		http_reply_err(rq, -ENOMEM, "Undo");
		return;
	}
	if (!shop_arg_id(rq, 0, &u->id) || !read_batch(rq, &u->whole_batch) ||
	    !idempotency_begin(rq, app, &u->again)) {
		undo_free(u);
		return;
	}
	shop_op_init(&u->op, rq, app);
	r = db_write(app->db, undo_write, undo_done, u);
	if (r < 0) {
		http_reply_err(rq, r, "Undo");
		undo_free(u);
	}
}
