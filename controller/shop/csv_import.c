/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/shop/csv_import.h"
#include "common/err.h"
#include "controller/app.h"
#include "controller/db/db.h"
#include "controller/shop/shop.h"
#include <errno.h>

#define TRIES 5

static void import_free(struct csv_import *im)
{
	*im->under_way = false;
	im->kind->done(im);
	free(im);
}

static void import_read(struct shop_job *job, struct shop_slot *slot)
{
	struct csv_import *im = (struct csv_import *) job;
	size_t len;
	const uint8_t *body = http_body(im->rq, &len);

	im->err = im->kind->read(im, slot->sql, body, len);
}

static void reply_counts(struct csv_import *im)
{
	json_t *o = json_pack("{s:b,s:[]}", "dry_run", im->dry_run, "errors");

	json_object_update_missing_new(o, im->kind->counts(im));
	http_reply_json(im->rq, 200, o);
}

static int import_write(struct sql *s, void *arg)
{
	struct csv_import *im = arg;

	return im->kind->write(im, s);
}

static void import_written(void *arg, int err)
{
	struct csv_import *im = arg;

	if ((err == -ERR_CONFLICT || err == -ENOENT) && ++im->tries < TRIES) {
		shop_work_submit(shop_pool(im->app->shop), &im->job, false);
		return;
	}
	if (err < 0) {
		http_reply_err(im->rq, err, im->kind->what);
	} else {
		im->kind->written(im);
		reply_counts(im);
	}
	import_free(im);
}

static void import_planned(struct shop_job *job)
{
	struct csv_import *im = (struct csv_import *) job;
	const char *refusal = NULL;
	int r = im->err;

	if (r == 0 && im->sheet->error_count == 0 && im->kind->refusal)
		refusal = im->kind->refusal(im);
	if (r == 0 && im->sheet->error_count) {
		csv_sheet_reply_errors(im->rq, im->sheet, im->dry_run);
	} else if (refusal) {
		http_problem(im->rq, 403, "forbidden", "%s", refusal);
	} else if (r == 0 && im->dry_run) {
		reply_counts(im);
	} else {
		if (r == 0)
			r = db_write(im->app->db, import_write, import_written, im);
		if (r == 0)
			return;
		http_reply_err(im->rq, r, im->kind->what);
	}
	import_free(im);
}

struct csv_import *csv_import_new(struct http_request *rq, struct app *app,
				  const struct csv_import_kind *kind, bool *under_way)
{
	struct csv_import *im;
	bool dry_run;

	if (!csv_request_read(rq, &dry_run))
		return NULL;
	if (*under_way) {
		http_set_header(rq, "Retry-After", "2");
		http_problem(rq, 409, "import-running", "Another import is under way.");
		return NULL;
	}
	im = calloc(1, kind->size);
	if (!im) {
		http_reply_err(rq, -ENOMEM, kind->what);
		return NULL;
	}
	im->job = (struct shop_job){.work = import_read, .done = import_planned};
	im->kind = kind;
	im->rq = rq;
	im->app = app;
	im->under_way = under_way;
	im->dry_run = dry_run;
	auth_who_text(http_who(rq), im->who);
	return im;
}

void csv_import_start(struct csv_import *im)
{
	*im->under_way = true;
	shop_work_submit(shop_pool(im->app->shop), &im->job, false);
}
