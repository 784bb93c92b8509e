/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/books/stock: the book figures, from a file or one by one. */
#include "common/err.h"
#include "common/fault.h"
#include "common/gtin.h"
#include "controller/books/book_rows.h"
#include "controller/books/books_internal.h"
#include "controller/shop/csv_import.h"
#include "controller/shop/product.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

int book_append(struct sql *s, const struct book_figure *f, int64_t now_us, const char *who,
		const char *source, const char *reason)
{
	struct sql_stmt *q =
		sql_prepare(s, "INSERT INTO book_stock(product_id, place_id, quantity, as_of, at,"
			       " who, source, reason) VALUES(?, ?, ?, ?, ?, ?, ?, ?)");
	int r;

	sql_bind_i64(q, 1, f->product_id);
	sql_bind_i64(q, 2, f->place);
	sql_bind_i64(q, 3, f->quantity);
	sql_bind_i64(q, 4, f->as_of_us);
	sql_bind_i64(q, 5, now_us);
	sql_bind_text(q, 6, who);
	sql_bind_text(q, 7, source);
	sql_bind_text(q, 8, reason);
	r = sql_run(q);
	if (r < 0)
		return r;
	q = sql_prepare(s, "INSERT INTO book_now(product_id, place_id, book_id, quantity, as_of)"
			   " VALUES(?, ?, ?, ?, ?) ON CONFLICT(product_id, place_id) DO UPDATE SET"
			   " book_id = excluded.book_id, quantity = excluded.quantity,"
			   " as_of = excluded.as_of WHERE excluded.as_of >= book_now.as_of");
	sql_bind_i64(q, 1, f->product_id);
	sql_bind_i64(q, 2, f->place);
	sql_bind_i64(q, 3, sql_last_rowid(s));
	sql_bind_i64(q, 4, f->quantity);
	sql_bind_i64(q, 5, f->as_of_us);
	return sql_run(q);
}

/* --- from a file -------------------------------------------------------------------------------
 */

struct stock_import {
	struct csv_import csv;
	int64_t now_us;
	struct book_rows rows;
};

static struct stock_import *of(struct csv_import *im)
{
	return (struct stock_import *) im;
}

static int read_stock(struct csv_import *csv, struct sql *s, const void *body, size_t len)
{
	struct stock_import *im = of(csv);
	int r;

	book_rows_done(&im->rows);
	r = book_rows_parse(body, len, im->now_us, &im->rows);
	if (r == 0 && im->rows.sheet.error_count == 0)
		r = book_rows_plan(s, &im->rows);
	return r;
}

static int write_stock(struct csv_import *csv, struct sql *s)
{
	struct stock_import *im = of(csv);
	char detail[120];
	int64_t now_us;
	int r = db_now_us(s, &now_us);

	for (size_t i = 0; i < im->rows.n && r == 0; i++) {
		const struct book_row *row = &im->rows.v[i];
		struct book_figure f = {.product_id = row->product_id,
					.place = row->place,
					.quantity = row->quantity,
					.as_of_us = row->as_of_us ? row->as_of_us : im->now_us};

		r = book_append(s, &f, now_us, csv->who, "import", "");
	}
	if (r < 0)
		return r;
	FAULT_POINT("ctl.books.import_written");
	snprintf(detail, sizeof detail, "rows=%zu changed=%llu unchanged=%llu older=%llu",
		 im->rows.n, (unsigned long long) im->rows.changed,
		 (unsigned long long) im->rows.unchanged, (unsigned long long) im->rows.older);
	return db_audit(s, csv->who, "books.import", "books", detail);
}

static json_t *counts(const struct csv_import *csv)
{
	const struct book_rows *r = &((const struct stock_import *) csv)->rows;

	return json_pack("{s:I,s:I,s:I,s:I}", "rows", (json_int_t) r->n, "changed",
			 (json_int_t) r->changed, "unchanged", (json_int_t) r->unchanged, "older",
			 (json_int_t) r->older);
}

static void tell(struct csv_import *csv)
{
	FAULT_POINT("ctl.books.import_unanswered");
	books_changed(csv->app->books);
}

static void done(struct csv_import *csv)
{
	book_rows_done(&of(csv)->rows);
}

static const struct csv_import_kind book_stock = {
	.what = "Book stock",
	.size = sizeof(struct stock_import),
	.read = read_stock,
	.write = write_stock,
	.written = tell,
	.counts = counts,
	.done = done,
};

void stock_import(struct http_request *rq, struct app *app)
{
	struct csv_import *csv = csv_import_new(rq, app, &book_stock, &app->books->importing);

	if (!csv)
		return;
	csv->sheet = &of(csv)->rows.sheet;
	of(csv)->now_us = clock_real_us(app->clock);
	csv_import_start(csv);
}

/* --- one figure --------------------------------------------------------------------------------
 */

struct figure_op {
	struct books_op op;
	struct book_figure f;
	bool settle; /* as what a person found when looking into a difference */
	char reason[BOOKS_TEXT_MAX + 1];
	char *answer; /* JSON text; owned */
};

static int figure_answer(struct sql *s, struct figure_op *o)
{
	char gtin[GTIN_STR_MAX];
	struct sql_stmt *q = sql_prepare(s, "SELECT gtin, name FROM products WHERE id = ?");
	json_t *body;
	int r;

	sql_bind_i64(q, 1, o->f.product_id);
	r = sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	body = json_pack("{s:I,s:o,s:s?,s:o,s:I,s:o,s:s,s:s,s:s}", "product_id",
			 (json_int_t) o->f.product_id, "gtin",
			 sql_col_is_null(q, 0)
				 ? json_null()
				 : json_string(gtin_format((uint64_t) sql_col_i64(q, 0), gtin)),
			 "name", sql_col_text(q, 1), "place_id", books_place_id_json(o->f.place),
			 "quantity", (json_int_t) o->f.quantity, "as_of",
			 books_time_json(o->f.as_of_us), "by", o->op.who, "source",
			 o->settle ? "settle" : "set", "reason", o->reason);
	sql_reset(q);
	o->answer = body ? json_dumps(body, JSON_COMPACT) : NULL;
	json_decref(body);
	return o->answer ? 0 : -ENOMEM;
}

static int figure_write(struct sql *s, void *arg)
{
	struct figure_op *o = arg;
	char object[40], detail[200];
	int64_t now_us;
	int r = db_now_us(s, &now_us);

	if (r < 0)
		return r;
	if (!o->f.as_of_us)
		o->f.as_of_us = now_us;
	r = figure_answer(s, o);
	if (r == 0)
		r = book_append(s, &o->f, now_us, o->op.who, o->settle ? "settle" : "set",
				o->reason);
	if (r == 0)
		r = idempotency_store(s, &o->op.once, o->settle ? 201 : 200, o->answer);
	if (r < 0)
		return r;
	FAULT_POINT("ctl.books.figure_written");
	snprintf(object, sizeof object, "product:%lld", (long long) o->f.product_id);
	snprintf(detail, sizeof detail, "quantity=%lld place=%u %s", (long long) o->f.quantity,
		 o->f.place, o->reason);
	return db_audit(s, o->op.who, o->settle ? "books.settle" : "books.set", object, detail);
}

static void figure_written(void *arg, int err)
{
	struct figure_op *o = arg;
	struct buf text = BUF_INIT;

	if (err == -ENOENT) {
		http_problem(o->op.rq, 404, "no-such-product", "There is no such product.");
	} else if (books_op_done(&o->op, err, "Book figure")) {
		buf_put_str(&text, o->answer);
		http_reply_buf(o->op.rq, o->settle ? 201 : 200, "application/json", &text);
	}
	free(o->answer);
	free(o);
}

/* {quantity, place_id?, reason?, as_of?}; settling needs a reason and holds for now. */
static bool read_figure(struct http_request *rq, struct books *b, const json_t *body,
			struct figure_op *o)
{
	const json_t *quantity = json_object_get(body, "quantity");
	const json_t *reason = json_object_get(body, "reason");
	const json_t *as_of = json_object_get(body, "as_of");

	o->f.quantity = json_integer_value(quantity);
	if (!json_is_integer(quantity) || o->f.quantity < -BOOKS_QUANTITY_MAX ||
	    o->f.quantity > BOOKS_QUANTITY_MAX) {
		http_problem(rq, 422, "bad-quantity", "quantity is a whole number of pieces.");
		return false;
	}
	if ((reason && !json_is_null(reason) && !books_text_read(reason, o->reason)) ||
	    (o->settle && !o->reason[0])) {
		http_problem(rq, 422, "bad-reason", "reason is a text of up to %d bytes.",
			     BOOKS_TEXT_MAX);
		return false;
	}
	if (as_of && (o->settle || !books_time_read(as_of, &o->f.as_of_us) ||
		      o->f.as_of_us > clock_real_us(b->app->clock) + BOOKS_AHEAD_US)) {
		http_problem(rq, 422, "bad-time", "as_of is an instant that was.");
		return false;
	}
	return books_place_read(rq, b, json_object_get(body, "place_id"), &o->f.place);
}

static void figure_begin(struct http_request *rq, struct app *app, bool settle)
{
	struct figure_op *o = calloc(1, sizeof *o);
	json_t *body;
	bool ok;

	if (!o) {
		http_reply_err(rq, -ENOMEM, "Book figure");
		return;
	}
	o->settle = settle;
	books_op_init(&o->op, rq, app);
	ok = http_arg_id(rq, 0, &o->f.product_id) &&
	     (!settle || idempotency_begin(rq, app, &o->op.once));
	body = ok ? http_json(rq) : NULL;
	ok = body && read_figure(rq, app->books, body, o);
	json_decref(body);
	if (ok && db_write(app->db, figure_write, figure_written, o) == 0)
		return;
	if (ok)
		http_reply_err(rq, -ENOMEM, "Book figure");
	free(o);
}

void stock_put(struct http_request *rq, struct app *app)
{
	figure_begin(rq, app, false);
}

void differences_settle(struct http_request *rq, struct app *app)
{
	figure_begin(rq, app, true);
}

/* --- the list ----------------------------------------------------------------------------------
 */

static json_t *figure_json(const struct books *b, struct sql_stmt *q)
{
	uint32_t place = (uint32_t) sql_col_i64(q, 4);
	char gtin[GTIN_STR_MAX];

	return json_pack("{s:I,s:I,s:o,s:s?,s:o,s:o,s:I,s:o,s:o,s:s?,s:s?,s:s?}", "id",
			 (json_int_t) sql_col_i64(q, 0), "product_id",
			 (json_int_t) sql_col_i64(q, 1), "gtin",
			 sql_col_is_null(q, 2)
				 ? json_null()
				 : json_string(gtin_format((uint64_t) sql_col_i64(q, 2), gtin)),
			 "name", sql_col_text(q, 3), "place_id", books_place_id_json(place),
			 "place", books_place_name_json(b, place), "quantity",
			 (json_int_t) sql_col_i64(q, 5), "as_of",
			 books_time_json(sql_col_i64(q, 6)), "at",
			 books_time_json(sql_col_i64(q, 7)), "by", sql_col_text(q, 8), "source",
			 sql_col_text(q, 9), "reason", sql_col_text(q, 10));
}

#define LOOK_AT_ONCE 20000 /* figures a request looks at; the rest is on the next page */

#define FIGURE_COLUMNS                                                                             \
	"SELECT k.id, k.product_id, p.gtin, p.name, k.place_id, k.quantity, k.as_of, k.at, k.who," \
	" k.source, k.reason, p.folded FROM "

/* Present figures by product, of the whole store or by place, whichever was told last; those of one
 * product are not parted, so that its id is the cursor. */
static int list_present(struct books *b, int64_t product_id, const struct product_query *words,
			const struct list_page *page, json_t *items, int64_t *ret_next)
{
	struct sql_stmt *q = sql_prepare(db_reader(b->app->db), FIGURE_COLUMNS
					 "book_now n JOIN book_stock k ON k.id = n.book_id"
					 " JOIN products p ON p.id = n.product_id"
					 " WHERE n.product_id >= ? AND n.product_id <= ?"
					 " AND (n.place_id <> 0) = (SELECT m.place_id <> 0 FROM"
					 " book_now m WHERE m.product_id = n.product_id"
					 " ORDER BY m.as_of DESC, m.book_id DESC LIMIT 1)"
					 " ORDER BY n.product_id, n.place_id");
	int64_t last = 0, looked = 0;
	int r;

	sql_bind_i64(q, 1, product_id ? product_id : page->after + 1);
	sql_bind_i64(q, 2, product_id ? product_id : INT64_MAX);
	while ((r = sql_step(q)) > 0) {
		if (((int64_t) json_array_size(items) >= page->limit || looked >= LOOK_AT_ONCE) &&
		    sql_col_i64(q, 1) != last) {
			*ret_next = last;
			sql_reset(q);
			return 0;
		}
		last = sql_col_i64(q, 1);
		looked++;
		if (product_query_match(words, sql_col_text(q, 11), (uint64_t) sql_col_i64(q, 2)))
			json_array_append_new(items, figure_json(b, q));
	}
	return r;
}

/* All figures that one product ever had, newest first. */
static int list_history(struct books *b, int64_t product_id, const struct list_page *page,
			json_t *items, int64_t *ret_next)
{
	struct sql_stmt *q =
		sql_prepare(db_reader(b->app->db), FIGURE_COLUMNS
			    "book_stock k JOIN products p ON p.id = k.product_id"
			    " WHERE k.product_id = ? AND k.id < ? ORDER BY k.id DESC LIMIT ?");
	int64_t last = 0;
	int r;

	sql_bind_i64(q, 1, product_id);
	sql_bind_i64(q, 2, page->after ? page->after : INT64_MAX);
	sql_bind_i64(q, 3, page->limit + 1);
	while ((r = sql_step(q)) > 0) {
		if ((int64_t) json_array_size(items) == page->limit) {
			*ret_next = last;
			sql_reset(q);
			return 0;
		}
		last = sql_col_i64(q, 0);
		json_array_append_new(items, figure_json(b, q));
	}
	return r;
}

void stock_figures(struct http_request *rq, struct app *app)
{
	const char *text = http_query(rq, "q");
	struct product_query words;
	struct list_page page;
	int64_t product_id, history, next = 0;
	json_t *items;
	int r;

	if (!list_page_read(rq, &page) ||
	    !http_query_int(rq, "product_id", 0, 0, INT64_MAX, &product_id) ||
	    !http_query_int(rq, "history", 0, 0, 1, &history))
		return;
	if (product_query_parse(text ? text : "", &words) < 0) {
		http_problem(rq, 400, "bad-query", "Search for at most %d words of plain text.",
			     SEARCH_MAX_WORDS);
		return;
	}
	items = json_array();
	r = history && product_id
		    ? list_history(app->books, product_id, &page, items, &next)
		    : list_present(app->books, product_id, &words, &page, items, &next);
	product_query_done(&words);
	if (r < 0) {
		json_decref(items);
		http_reply_err(rq, r, "Book stock");
		return;
	}
	list_reply(rq, items, next);
}
