/* SPDX-License-Identifier: Apache-2.0 */
/* POST /api/v1/products/import: products and their prices from a file. */
#include "controller/shop/csv_import.h"
#include "controller/shop/import_plan.h"
#include "controller/shop/shop_internal.h"
#include "controller/shop/wanted.h"
#include <stdio.h>

struct import {
	struct csv_import csv;
	bool may_price;
	bool parsed;
	int64_t now_us;
	struct import_set set;
	struct import_counts counts;
};

static struct import *of(struct csv_import *im)
{
	return (struct import *) im;
}

static int read_products(struct csv_import *csv, struct sql *s, const void *body, size_t len)
{
	struct import *im = of(csv);
	const struct currency *currency = &csv->app->shop->currency;
	int r = 0;

	if (!im->parsed) {
		r = import_parse(body, len, currency, &im->set);
		im->parsed = r == 0;
	}
	if (r == 0 && im->set.sheet.error_count == 0)
		r = import_plan(s, &im->set, currency, im->now_us, &im->counts);
	return r;
}

static const char *refusal(const struct csv_import *csv)
{
	const struct import *im = (const struct import *) csv;

	return im->counts.prices_changed && !im->may_price
		       ? "This file changes prices, which you may not."
		       : NULL;
}

static json_t *counts(const struct csv_import *csv)
{
	const struct import_counts *c = &((const struct import *) csv)->counts;

	return json_pack("{s:I,s:I,s:I,s:I,s:I}", "rows", (json_int_t) c->rows, "created",
			 (json_int_t) c->created, "updated", (json_int_t) c->updated, "unchanged",
			 (json_int_t) c->unchanged, "prices_changed",
			 (json_int_t) c->prices_changed);
}

static int write_products(struct csv_import *csv, struct sql *s)
{
	struct import *im = of(csv);
	const struct import_counts *c = &im->counts;
	char detail[160];
	int64_t now;
	int r = db_now_us(s, &now);

	if (r == 0)
		r = import_apply(s, &im->set, &csv->app->shop->currency, csv->who, now);
	if (r < 0)
		return r;
	snprintf(detail, sizeof detail,
		 "rows=%llu created=%llu updated=%llu unchanged=%llu prices_changed=%llu",
		 (unsigned long long) c->rows, (unsigned long long) c->created,
		 (unsigned long long) c->updated, (unsigned long long) c->unchanged,
		 (unsigned long long) c->prices_changed);
	return db_audit(s, csv->who, "products.import", "products", detail);
}

static void tell(struct csv_import *csv)
{
	events_publish(csv->app->events, "product", json_object());
	wanted_kick(csv->app->shop->wanted);
}

static void done(struct csv_import *csv)
{
	import_set_done(&of(csv)->set);
}

static const struct csv_import_kind products = {
	.what = "Import",
	.size = sizeof(struct import),
	.read = read_products,
	.refusal = refusal,
	.write = write_products,
	.written = tell,
	.counts = counts,
	.done = done,
};

void product_api_import(struct http_request *rq, struct app *app)
{
	struct csv_import *csv = csv_import_new(rq, app, &products, &app->shop->importing);

	if (!csv)
		return;
	csv->sheet = &of(csv)->set.sheet;
	of(csv)->may_price = http_who(rq)->perms & PERM_PRICES;
	of(csv)->now_us = clock_real_us(app->clock);
	csv_import_start(csv);
}
