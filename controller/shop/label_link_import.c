/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /api/v1/labels/links/import: read on the pool, then all rows in one transaction, or none. A
 * label that somebody links between the reading and the write undoes it, and the file is read anew.
 */
#include "common/err.h"
#include "common/fault.h"
#include "controller/shop/desired.h"
#include "controller/shop/label_link_rows.h"
#include "controller/shop/label_links.h"
#include "controller/shop/shop_internal.h"
#include "controller/shop/wanted.h"
#include <errno.h>
#include <stdio.h>

#define READ_TRIES 5

struct import {
	struct shop_job job;
	struct shop_op op;
	bool dry_run, relink;
	struct link_rows rows;
	int err, tries;
};

static void import_free(struct import *im)
{
	im->op.shop->importing = false;
	link_rows_done(&im->rows);
	free(im);
}

static void import_work(struct shop_job *job, struct shop_slot *slot)
{
	struct import *im = (struct import *) job;
	size_t len;
	const uint8_t *body = http_body(im->op.rq, &len);

	link_rows_done(&im->rows);
	im->err = link_rows_read(slot->sql, body, len, im->relink, &im->rows);
}

static void reply_counts(struct import *im)
{
	const struct link_rows *l = &im->rows;

	http_reply_json(im->op.rq, 200,
			json_pack("{s:b,s:I,s:I,s:I,s:I,s:[]}", "dry_run", im->dry_run, "rows",
				  (json_int_t) l->sheet.rows, "linked", (json_int_t) l->linked,
				  "relinked", (json_int_t) l->relinked, "unchanged",
				  (json_int_t) l->unchanged, "errors"));
}

static int import_write(struct sql *s, void *arg)
{
	struct import *im = arg;
	const struct link_rows *l = &im->rows;
	struct label_link link = {.cause = "import", .who = im->op.who, .in_batch = true};
	char detail[120];
	int r = db_now_us(s, &link.now_us);

	for (size_t i = 0; i < l->n && r == 0; i++) {
		link.addr = l->rows[i].addr;
		link.product_id = l->rows[i].product_id;
		r = label_link_set(s, &link);
		if (r == 0 && link.from_product != l->rows[i].from_product)
			r = -ERR_CONFLICT; /* not what was read */
		if (r == 0 && !link.batch)
			link.batch = link.id;
	}
	if (r < 0)
		return r;
	FAULT_POINT("ctl.links.before_import");
	snprintf(detail, sizeof detail, "rows=%zu linked=%zu relinked=%zu unchanged=%zu",
		 l->sheet.rows, l->linked, l->relinked, l->unchanged);
	return db_audit(s, im->op.who, "labels.link-import", "labels", detail);
}

static void import_written(void *arg, int err)
{
	struct import *im = arg;
	struct shop *s = im->op.shop;

	if ((err == -ERR_CONFLICT || err == -ENOENT) && ++im->tries < READ_TRIES) {
		shop_work_submit(s->work, &im->job, false);
		return;
	}
	if (err < 0) {
		http_reply_err(im->op.rq, err, "Import");
	} else {
		FAULT_POINT("ctl.links.after_import");
		reply_counts(im);
		/* each label is told of when its picture is made */
		wanted_kick(s->wanted);
		desired_wake_all(s->desired);
	}
	import_free(im);
}

static void import_read(struct shop_job *job)
{
	struct import *im = (struct import *) job;
	int r = im->err;

	if (r == 0 && im->rows.sheet.error_count) {
		csv_sheet_reply_errors(im->op.rq, &im->rows.sheet, im->dry_run);
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

void label_api_links_import(struct http_request *rq, struct app *app)
{
	struct import *im;
	int64_t relink;
	bool dry;

	if (!csv_request_read(rq, &dry) || !http_query_int(rq, "relink", 0, 0, 1, &relink))
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
	im->relink = relink;
	im->job = (struct shop_job){.work = import_work, .done = import_read};
	app->shop->importing = true;
	shop_work_submit(app->shop->work, &im->job, false);
}
