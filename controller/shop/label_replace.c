/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /api/v1/labels/{id}/replace: a broken label's product moves to another label in one write.
 * The broken one is unlinked and retired: its access point forgets it, and none takes it in again
 * until somebody links it.
 */
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

struct replace_op {
	struct shop_op op;
	struct idempotency again;
	struct shop_refusal why;
	uint64_t old, new;
	bool force;
	char *answer; /* owned */
};

static void replace_free(struct replace_op *p)
{
	free(p->answer);
	free(p);
}

static int check(struct replace_op *p, const struct label *old, const struct label *new)
{
	char id[LABEL_ID_MAX];

	label_id_format(p->new, id);
	if (!old->product_id)
		return shop_refuse(&p->why, 409, "not-linked",
				   "Label %s belongs to no product: there is nothing to move.",
				   label_id_format(p->old, id));
	if (new->product_id)
		return shop_refuse(&p->why, 409, "already-linked",
				   "Label %s belongs to a product already: %.100s.", id,
				   new->product);
	if (p->force)
		return 0;
	if (new->retired_us)
		return shop_refuse(&p->why, 409, "retired",
				   "Label %s was itself replaced; say force to use it again.", id);
	if (!old->width || !new->width)
		return 0; /* not taken in yet: its picture is drawn when it has said its size */
	if (old->width != new->width || old->height != new->height ||
	    old->display_type != new->display_type)
		return shop_refuse(&p->why, 409, "other-size",
				   "Label %s has %dx%d pixels, the old one %dx%d%s; say force to "
				   "use it all the same.",
				   id, new->width, new->height, old->width, old->height,
				   old->width == new->width && old->height == new->height
					   ? " and other colours"
					   : "");
	return 0;
}

static int load_pair(struct sql *s, struct replace_op *p, struct label *old, struct label *new)
{
	char id[LABEL_ID_MAX];
	int r = label_load(s, p->old, old);

	if (r == -ENOENT)
		return shop_refuse(&p->why, 404, "no-such-label", "No label has this id.");
	if (r == 0)
		r = label_load(s, p->new, new);
	if (r == -ENOENT)
		return shop_refuse(&p->why, 422, "no-such-label",
				   "No access point has heard label %s yet.",
				   label_id_format(p->new, id));
	return r;
}

static int retire(struct sql *s, const struct replace_op *p, const struct label *old,
		  int64_t now_us)
{
	struct sql_stmt *q =
		sql_prepare(s, "UPDATE labels SET retired_at = ?, replaced_by = ? WHERE addr = ?");
	int r;

	sql_bind_i64(q, 1, now_us);
	sql_bind_i64(q, 2, (int64_t) p->new);
	sql_bind_i64(q, 3, (int64_t) p->old);
	r = sql_run(q);
	return r < 0 || !old->agent_id ? r : label_assign(s, p->old, old->agent_id, 0);
}

/* Both rows; the product is off the old label and on the new one, or nothing has changed. */
static int move(struct sql *s, const struct replace_op *p, const struct label *old, int64_t now_us)
{
	char from[LABEL_ID_MAX], to[LABEL_ID_MAX], gone[64], came[PRODUCT_TEXT_MAX + 64];
	struct label_link link = {.addr = p->old,
				  .cause = "replace",
				  .who = p->op.who,
				  .in_batch = true,
				  .note = gone,
				  .now_us = now_us};
	int r;

	snprintf(gone, sizeof gone, "replaced by %s", label_id_format(p->new, to));
	snprintf(came, sizeof came, "%s, in place of %s", old->product,
		 label_id_format(p->old, from));
	r = label_link_set(s, &link);
	if (r < 0)
		return r;
	link.batch = link.id;
	link.addr = p->new;
	link.product_id = old->product_id;
	link.note = came;
	return label_link_set(s, &link);
}

static int replace_write(struct sql *s, void *arg)
{
	struct replace_op *p = arg;
	char from[LABEL_ID_MAX], to[LABEL_ID_MAX], object[32], detail[64];
	struct label old, new;
	json_t *body;
	int64_t now;
	int r = db_now_us(s, &now);

	if (r == 0)
		r = load_pair(s, p, &old, &new);
	if (r == 0)
		r = check(p, &old, &new);
	if (r == 0)
		r = move(s, p, &old, now);
	if (r == 0)
		r = retire(s, p, &old, now);
	if (r < 0)
		return r;
	FAULT_POINT("ctl.links.before_replace");
	snprintf(object, sizeof object, "label:%s", label_id_format(p->old, from));
	snprintf(detail, sizeof detail, "by %s", label_id_format(p->new, to));
	r = db_audit(s, p->op.who, "label.replace", object, detail);
	if (r == 0)
		r = label_load(s, p->new, &new);
	if (r < 0)
		return r;
	body = label_json(&new, (struct label_agent_view){.online = false}, now);
	p->answer = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	return p->answer ? idempotency_store(s, &p->again, 200, p->answer) : -ENOMEM;
}

static void replace_done(void *arg, int err)
{
	struct replace_op *p = arg;
	struct shop *s = p->op.shop;
	struct buf body = BUF_INIT;

	if (err < 0) {
		shop_reply_failed(&p->op, &p->why, &p->again, err, "Replacement");
		replace_free(p);
		return;
	}
	FAULT_POINT("ctl.links.after_replace");
	buf_put_str(&body, p->answer);
	http_reply_buf(p->op.rq, 200, "application/json", &body);
	label_notify(s, p->old);
	label_notify(s, p->new);
	wanted_kick(s->wanted);
	desired_wake_all(s->desired);
	replace_free(p);
}

static bool read_body(struct http_request *rq, struct replace_op *p)
{
	json_t *body = http_json(rq), *by, *force;
	bool ok = false;

	if (!body)
		return false;
	by = json_object_get(body, "by");
	force = json_object_get(body, "force");
	if (!json_is_string(by) || label_id_parse(json_string_value(by), &p->new) < 0)
		http_problem(rq, 422, "bad-label",
			     "by is the new label's id, 12 hexadecimal digits.");
	else if (force && !json_is_boolean(force))
		http_problem(rq, 422, "bad-force", "force is true or false.");
	else if (p->new == p->old)
		http_problem(rq, 422, "same-label", "A label cannot take its own place.");
	else
		ok = true;
	p->force = json_is_true(force);
	json_decref(body);
	return ok;
}

void label_api_replace(struct http_request *rq, struct app *app)
{
	struct replace_op *p = calloc(1, sizeof *p);
	int r;

	if (!p) {
		http_reply_err(rq, -ENOMEM, "Replacement");
		return;
	}
	if (label_id_parse(http_arg(rq, 0), &p->old) < 0) {
		http_problem(rq, 404, "no-such-label", "No label has this id.");
		replace_free(p);
		return;
	}
	if (!read_body(rq, p) || !idempotency_begin(rq, app, &p->again)) {
		replace_free(p);
		return;
	}
	shop_op_init(&p->op, rq, app);
	r = db_write(app->db, replace_write, replace_done, p);
	if (r < 0) {
		http_reply_err(rq, r, "Replacement");
		replace_free(p);
	}
}
