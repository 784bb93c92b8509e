/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /api/v1/labels/links/import: read on the pool, then all rows in one transaction, or none. A
 * label that somebody links between the reading and the write undoes it, and the file is read anew.
 */
#include "common/err.h"
#include "common/fault.h"
#include "controller/shop/csv_import.h"
#include "controller/shop/desired.h"
#include "controller/shop/label_link_rows.h"
#include "controller/shop/label_links.h"
#include "controller/shop/shop_internal.h"
#include "controller/shop/wanted.h"
#include <stdio.h>

struct import {
	struct csv_import csv;
	bool relink;
	struct link_rows rows;
};

static struct import *of(struct csv_import *im)
{
	return (struct import *) im;
}

static int read_links(struct csv_import *csv, struct sql *s, const void *body, size_t len)
{
	link_rows_done(&of(csv)->rows);
	return link_rows_read(s, body, len, of(csv)->relink, &of(csv)->rows);
}

static json_t *counts(const struct csv_import *csv)
{
	const struct link_rows *l = &((const struct import *) csv)->rows;

	return json_pack("{s:I,s:I,s:I,s:I}", "rows", (json_int_t) l->sheet.rows, "linked",
			 (json_int_t) l->linked, "relinked", (json_int_t) l->relinked, "unchanged",
			 (json_int_t) l->unchanged);
}

static int write_links(struct csv_import *csv, struct sql *s)
{
	const struct link_rows *l = &of(csv)->rows;
	struct label_link link = {.cause = "import", .who = csv->who, .in_batch = true};
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
	return db_audit(s, csv->who, "labels.link-import", "labels", detail);
}

static void tell(struct csv_import *csv)
{
	FAULT_POINT("ctl.links.after_import");
	/* each label is told of when its picture is made */
	wanted_kick(csv->app->shop->wanted);
	desired_wake_all(csv->app->shop->desired);
}

static void done(struct csv_import *csv)
{
	link_rows_done(&of(csv)->rows);
}

static const struct csv_import_kind links = {
	.what = "Import",
	.size = sizeof(struct import),
	.read = read_links,
	.write = write_links,
	.written = tell,
	.counts = counts,
	.done = done,
};

void label_api_links_import(struct http_request *rq, struct app *app)
{
	struct csv_import *csv;
	int64_t relink;

	if (!http_query_int(rq, "relink", 0, 0, 1, &relink))
		return;
	csv = csv_import_new(rq, app, &links, &app->shop->importing);
	if (!csv)
		return;
	csv->sheet = &of(csv)->rows.sheet;
	of(csv)->relink = relink;
	csv_import_start(csv);
}
