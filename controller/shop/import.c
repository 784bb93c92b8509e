/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /api/v1/products/import: parse and plan on the pool, then one audited transaction, or none.
 * The request is kept until then, so that its body need not be copied.
 */
#include "common/err.h"
#include "controller/shop/import_plan.h"
#include "controller/shop/shop_internal.h"
#include "controller/shop/wanted.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PLAN_TRIES 5

struct import {
	struct shop_job job;
	struct shop_op op;
	bool dry_run;
	bool may_price;
	bool parsed;
	int64_t now_us;
	struct import_set set;
	struct import_counts counts;
	int err;
	int tries;
};

static void import_free(struct import *im)
{
	im->op.shop->importing = false;
	import_set_done(&im->set);
	free(im);
}

static void import_work(struct shop_job *job, struct shop_slot *slot)
{
	struct import *im = (struct import *) job;
	size_t len;
	const uint8_t *body = http_body(im->op.rq, &len);

	if (!im->parsed) {
		im->err = import_parse(body, len, &im->op.shop->currency, &im->set);
		im->parsed = im->err == 0;
	}
	if (im->err == 0 && im->set.sheet.error_count == 0)
		im->err = import_plan(slot->sql, &im->set, &im->op.shop->currency, im->now_us,
				      &im->counts);
}

static void reply_counts(struct import *im)
{
	const struct import_counts *c = &im->counts;

	http_reply_json(im->op.rq, 200,
			json_pack("{s:b,s:I,s:I,s:I,s:I,s:I,s:[]}", "dry_run", im->dry_run, "rows",
				  (json_int_t) c->rows, "created", (json_int_t) c->created,
				  "updated", (json_int_t) c->updated, "unchanged",
				  (json_int_t) c->unchanged, "prices_changed",
				  (json_int_t) c->prices_changed, "errors"));
}

static int import_write(struct sql *s, void *arg)
{
	struct import *im = arg;
	const struct import_counts *c = &im->counts;
	char detail[160];
	int64_t now;
	int r = db_now_us(s, &now);

	if (r == 0)
		r = import_apply(s, &im->set, &im->op.shop->currency, im->op.who, now);
	if (r < 0)
		return r;
	snprintf(detail, sizeof detail,
		 "rows=%llu created=%llu updated=%llu unchanged=%llu prices_changed=%llu",
		 (unsigned long long) c->rows, (unsigned long long) c->created,
		 (unsigned long long) c->updated, (unsigned long long) c->unchanged,
		 (unsigned long long) c->prices_changed);
	return db_audit(s, im->op.who, "products.import", "products", detail);
}

static void import_written(void *arg, int err)
{
	struct import *im = arg;
	struct shop *s = im->op.shop;

	if (err == -ERR_CONFLICT &&
	    ++im->tries < PLAN_TRIES) { /* somebody was faster: look again */
		shop_work_submit(s->work, &im->job, false);
		return;
	}
	if (err < 0) {
		http_reply_err(im->op.rq, err, "Import");
	} else {
		reply_counts(im);
		events_publish(s->app->events, "product", json_object());
		wanted_kick(s->wanted);
	}
	import_free(im);
}

static void import_planned(struct shop_job *job)
{
	struct import *im = (struct import *) job;
	int r = im->err;

	if (r == 0 && im->set.sheet.error_count) {
		csv_sheet_reply_errors(im->op.rq, &im->set.sheet, im->dry_run);
	} else if (r == 0 && im->counts.prices_changed && !im->may_price) {
		http_problem(im->op.rq, 403, "forbidden",
			     "This file changes prices, which you may not.");
	} else if (r == 0 && im->dry_run) {
		reply_counts(im);
	} else {
		if (r == 0)
			r = db_write(im->op.shop->app->db, import_write, import_written, im);
		if (r == 0)
			return;
		http_reply_err(im->op.rq, r, "Import");
	}
	import_free(im);
}

void product_api_import(struct http_request *rq, struct app *app)
{
	struct import *im;
	bool dry;

	if (!csv_request_read(rq, &dry))
		return;
	if (app->shop->importing) {
		http_set_header(rq, "Retry-After", "2");
		http_problem(rq, 409, "import-running", "Another import is under way.");
		return;
	}
	im = calloc(1, sizeof *im);
	if (!im) {
		http_reply_err(rq, -ENOMEM, "Import");
		return;
	}
	shop_op_init(&im->op, rq, app);
	im->dry_run = dry;
	im->may_price = http_who(rq)->perms & PERM_PRICES;
	im->now_us = clock_real_us(app->clock);
	im->job = (struct shop_job){.work = import_work, .done = import_planned};
	app->shop->importing = true;
	shop_work_submit(app->shop->work, &im->job, false);
}
