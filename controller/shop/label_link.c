/* SPDX-License-Identifier: Apache-2.0 */
/* PUT and DELETE /api/v1/labels/{id}/link. */
#include "common/err.h"
#include "common/fault.h"
#include "common/gtin.h"
#include "controller/shop/desired.h"
#include "controller/shop/label_api.h"
#include "controller/shop/label_links.h"
#include "controller/shop/label_notify.h"
#include "controller/shop/product.h"
#include "controller/shop/wanted.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct link_op {
	struct shop_op op;
	uint64_t addr;
	int64_t product_id; /* 0 and no gtin = unlink */
	uint64_t gtin;
	bool relink;
	bool unlink;
	int64_t agent_id; /* out: adopted by */
};

static int link_write(struct sql *s, void *arg)
{
	struct link_op *l = arg;
	struct label_link link = {.addr = l->addr, .cause = l->unlink ? "unlink" : "link"};
	char id[LABEL_ID_MAX], object[32];
	struct product p = {.name = ""};
	struct label label;
	int r = db_now_us(s, &link.now_us);

	if (r == 0)
		r = label_load(s, l->addr, &label);
	if (r == 0 && l->gtin)
		r = product_find_gtin(s, l->gtin, &l->product_id);
	if (r == 0 && l->product_id)
		r = product_load(s, l->product_id, link.now_us, &p);
	if (r < 0)
		return r;
	if (l->product_id && label.product_id && label.product_id != l->product_id && !l->relink)
		return -ERR_CONFLICT;
	link.product_id = l->product_id;
	link.who = l->op.who;
	r = label_link_set(s, &link);
	l->agent_id = link.adopted_by;
	if (r < 0 || !link.id)
		return r;
	FAULT_POINT("ctl.links.before_commit");
	snprintf(object, sizeof object, "label:%s", label_id_format(l->addr, id));
	return db_audit(s, l->op.who, l->product_id ? "label.link" : "label.unlink", object,
			l->product_id ? p.name : label.product);
}

static void reply_link(const struct link_op *l, const struct label *label)
{
	struct shop *s = l->op.shop;

	if (l->unlink)
		http_reply_empty(l->op.rq, 204);
	else
		http_reply_json(l->op.rq, 200,
				label_json(label, desired_agent(s->desired, label->agent_id),
					   clock_real_us(s->app->clock)));
}

static void link_done(void *arg, int err)
{
	struct link_op *l = arg;
	struct shop *s = l->op.shop;
	struct http_request *rq = l->op.rq;
	struct label label;

	if (err == 0) {
		FAULT_POINT("ctl.links.after_commit");
		err = label_load(db_reader(s->app->db), l->addr, &label);
	}
	if (err == -ENOENT) {
		http_problem(rq, 404, "not-found", "There is no such label or product.");
	} else if (err == -ERR_CONFLICT) {
		http_problem(rq, 409, "already-linked",
			     "This label belongs to another product; say relink to move it.");
	} else if (err < 0) {
		http_reply_err(rq, err, "Link");
	} else {
		reply_link(l, &label);
		label_notify(s, l->addr);
		wanted_kick(s->wanted);
		if (l->agent_id)
			desired_wake(s->desired, l->agent_id);
	}
	free(l);
}

static void begin(struct http_request *rq, struct app *app, struct link_op *l)
{
	int r = label_id_parse(http_arg(rq, 0), &l->addr);

	if (r < 0) {
		http_problem(rq, 404, "no-such-label", "No label has this id.");
		free(l);
		return;
	}
	shop_op_init(&l->op, rq, app);
	r = db_write(app->db, link_write, link_done, l);
	if (r < 0) {
		http_reply_err(rq, r, "Link");
		free(l);
	}
}

static bool read_target(struct http_request *rq, json_t *body, struct link_op *l)
{
	json_t *id = json_object_get(body, "product_id"), *gtin = json_object_get(body, "gtin");

	l->relink = json_is_true(json_object_get(body, "relink"));
	if (json_is_integer(id) && json_integer_value(id) > 0 && !gtin) {
		l->product_id = json_integer_value(id);
		return true;
	}
	if (json_is_string(gtin) && !id &&
	    gtin_parse(json_string_value(gtin), json_string_length(gtin), &l->gtin) == 0 && l->gtin)
		return true;
	http_problem(rq, 422, gtin ? "bad-check-digit" : "no-such-product",
		     "Give either product_id or a valid gtin.");
	return false;
}

void label_api_link(struct http_request *rq, struct app *app)
{
	struct link_op *l = calloc(1, sizeof *l);
	json_t *body = l ? http_json(rq) : NULL;

	if (!l) {
		http_reply_err(rq, -ENOMEM, "Link");
		return;
	}
	if (!body || !read_target(rq, body, l))
		free(l);
	else
		begin(rq, app, l);
	json_decref(body);
}

void label_api_unlink(struct http_request *rq, struct app *app)
{
	struct link_op *l = calloc(1, sizeof *l);

	if (!l) {
		http_reply_err(rq, -ENOMEM, "Link");
		return;
	}
	l->unlink = true;
	begin(rq, app, l);
}
