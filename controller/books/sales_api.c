/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /api/v1/sales: what the tills feed. A sale is counted once, ever: it is known by its till and the
 * till's number for it, so that a till which did not hear the answer sends it again. The same
 * number with other lines is not a repetition but a mistake, and is refused.
 */
#include "common/err.h"
#include "common/fault.h"
#include "common/gtin.h"
#include "controller/books/sale_text.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct sales_op {
	struct books_op op;
	struct sale_batch batch;
	uint64_t accepted, duplicates;
	size_t *reused; /* sales whose number stands for another one; owned */
	size_t n_reused;
};

static void op_free(struct sales_op *o)
{
	sale_batch_done(&o->batch);
	free(o->reused);
	free(o);
}

/* 1 = it is there already, 0 = it is new, -ERR_CONFLICT: another sale has its number. */
static int known(struct sql *s, const struct sale *sale)
{
	struct sql_stmt *q = sql_prepare(
		s, "SELECT digest FROM sales WHERE store_id = 1 AND till = ? AND number = ?");
	const void *digest;
	size_t len;
	int r;

	sql_bind_text(q, 1, sale->till);
	sql_bind_text(q, 2, sale->number);
	r = sql_step(q);
	if (r <= 0)
		return r;
	digest = sql_col_blob(q, 0, &len);
	if (!digest || len != sizeof sale->digest || memcmp(digest, sale->digest, len) != 0)
		r = -ERR_CONFLICT;
	sql_reset(q);
	return r;
}

static int insert_line(struct sql *s, int64_t sale_id, int64_t at_us, const struct sale_line *l)
{
	struct sql_stmt *q =
		sql_prepare(s, "INSERT INTO sale_lines(sale_id, gtin, epc, epc_bits, quantity, at)"
			       " VALUES(?, ?, ?, ?, ?, ?)");

	sql_bind_i64(q, 1, sale_id);
	sql_bind_i64(q, 2, (int64_t) l->gtin);
	if (l->epc.bits)
		sql_bind_blob(q, 3, l->epc.data, epc_bytes(&l->epc));
	else
		sql_bind_null(q, 3);
	sql_bind_i64(q, 4, l->epc.bits);
	sql_bind_i64(q, 5, l->quantity);
	sql_bind_i64(q, 6, at_us);
	return sql_run(q);
}

static int insert_sale(struct sql *s, const struct sale *sale, const char *who, int64_t now_us)
{
	struct sql_stmt *q = sql_prepare(s, "INSERT INTO sales(till, number, at, received, who,"
					    " digest) VALUES(?, ?, ?, ?, ?, ?)");
	int64_t id;
	int r;

	sql_bind_text(q, 1, sale->till);
	sql_bind_text(q, 2, sale->number);
	sql_bind_i64(q, 3, sale->at_us);
	sql_bind_i64(q, 4, now_us);
	sql_bind_text(q, 5, who);
	sql_bind_blob(q, 6, sale->digest, sizeof sale->digest);
	r = sql_run(q);
	id = sql_last_rowid(s);
	for (size_t i = 0; i < sale->n_lines && r == 0; i++)
		r = insert_line(s, id, sale->at_us, &sale->lines[i]);
	return r;
}

static int sales_write(struct sql *s, void *arg)
{
	struct sales_op *o = arg;
	char detail[80];
	int64_t now_us;
	int r = db_now_us(s, &now_us);

	for (size_t i = 0; i < o->batch.n && r >= 0; i++) {
		r = known(s, &o->batch.v[i]);
		if (r == -ERR_CONFLICT) {
			o->reused[o->n_reused++] = i;
			r = 0;
		} else if (r > 0) {
			o->duplicates++;
		} else if (r == 0) {
			o->accepted++;
			r = insert_sale(s, &o->batch.v[i], o->op.who, now_us);
		}
	}
	if (r < 0 || o->n_reused)
		return r < 0 ? r : -ERR_CONFLICT;
	FAULT_POINT("ctl.books.sales_written");
	if (o->accepted == 0)
		return 0;
	snprintf(detail, sizeof detail, "accepted=%llu duplicates=%llu",
		 (unsigned long long) o->accepted, (unsigned long long) o->duplicates);
	return db_audit(s, o->op.who, "sales.add", "sales", detail);
}

static void reply_reused(struct sales_op *o)
{
	struct books_errors errors = {0};
	char pointer[40];

	for (size_t i = 0; i < o->n_reused; i++) {
		snprintf(pointer, sizeof pointer, "/sales/%zu/id", o->reused[i]);
		books_wrong(&errors, pointer, "id-reused",
			    "Another sale of this till has this number.");
	}
	books_errors_reply(o->op.rq, &errors, "Sales");
}

static void sales_written(void *arg, int err)
{
	struct sales_op *o = arg;

	FAULT_POINT("ctl.books.sales_unanswered");
	if (err == -ERR_CONFLICT && o->n_reused)
		reply_reused(o);
	else if (books_op_done(&o->op, err, "Sales")) {
		inventory_sold(o->op.books->app->inventory);
		http_reply_json(o->op.rq, 200,
				json_pack("{s:I,s:I}", "accepted", (json_int_t) o->accepted,
					  "duplicates", (json_int_t) o->duplicates));
	}
	op_free(o);
}

void sales_post(struct http_request *rq, struct app *app)
{
	json_t *body = http_json(rq);
	struct sales_op *o = body ? calloc(1, sizeof *o) : NULL;
	struct books_errors errors = {0};
	int r = o ? 0 : -ENOMEM;

	if (!body)
		return;
	if (r == 0)
		r = sales_read(body, clock_real_us(app->clock), &o->batch, &errors);
	json_decref(body);
	if (r == 0 && books_errors_reply(rq, &errors, "Sales")) {
		op_free(o);
		return;
	}
	if (r == 0) {
		books_op_init(&o->op, rq, app);
		o->reused = calloc(o->batch.n, sizeof *o->reused);
		r = o->reused ? db_write(app->db, sales_write, sales_written, o) : -ENOMEM;
	}
	if (r < 0) {
		if (o)
			op_free(o);
		http_reply_err(rq, r, "Sales");
	}
}

/* --- the list ----------------------------------------------------------------------------------
 */

#define LINES_AT_ONCE 5000 /* that a page holds; further sales are on the next one */

static json_t *lines_json(struct sql *s, int64_t sale_id)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT gtin, epc, epc_bits, quantity FROM sale_lines"
					    " WHERE sale_id = ? ORDER BY id");
	json_t *lines = json_array(), *o;

	sql_bind_i64(q, 1, sale_id);
	while (sql_step(q) > 0) {
		uint64_t gtin = (uint64_t) sql_col_i64(q, 0);
		char text[GTIN_STR_MAX], hex[EPC_HEX_MAX];
		struct epc epc = {.bits = 0};
		const void *bits;
		size_t len;

		bits = sql_col_blob(q, 1, &len);
		if (bits && len * 8 >= (size_t) sql_col_i64(q, 2))
			ignore_result(epc_set(&epc, bits, (size_t) sql_col_i64(q, 2)));
		o = json_pack("{s:o,s:s?,s:I}", "gtin",
			      gtin ? json_string(gtin_format(gtin, text)) : json_null(), "epc",
			      epc.bits ? epc_to_hex(&epc, hex) : NULL, "quantity",
			      (json_int_t) sql_col_i64(q, 3));
		books_name_product(s, gtin, o);
		json_array_append_new(lines, o);
	}
	return lines;
}

static json_t *sale_json(struct sql *s, struct sql_stmt *q)
{
	return json_pack("{s:s?,s:s?,s:o,s:o,s:s?,s:o}", "id", sql_col_text(q, 1), "till",
			 sql_col_text(q, 2), "at", books_time_json(sql_col_i64(q, 3)), "received",
			 books_time_json(sql_col_i64(q, 4)), "by", sql_col_text(q, 5), "lines",
			 lines_json(s, sql_col_i64(q, 0)));
}

static struct sql_stmt *newest_first(struct sql *s, int64_t product_id, int64_t before)
{
	struct sql_stmt *q;

	if (!product_id) {
		q = sql_prepare(s, "SELECT id, number, till, at, received, who FROM sales"
				   " WHERE id < ? ORDER BY id DESC LIMIT ?");
		sql_bind_i64(q, 1, before);
		return q;
	}
	q = sql_prepare(s, "SELECT id, number, till, at, received, who FROM sales WHERE id IN"
			   " (SELECT sale_id FROM sale_lines WHERE gtin IN (SELECT CAST(value AS"
			   " INTEGER) FROM product_aliases WHERE product_id = ?3 AND kind = 'gtin')"
			   " AND sale_id < ?1 ORDER BY sale_id DESC LIMIT 4000)"
			   " ORDER BY id DESC LIMIT ?2");
	sql_bind_i64(q, 1, before);
	sql_bind_i64(q, 3, product_id);
	return q;
}

void sales_get(struct http_request *rq, struct app *app)
{
	struct sql *s = db_reader(app->db);
	struct list_page page;
	int64_t product_id, last = 0, next = 0;
	size_t lines = 0;
	json_t *items, *sale;
	struct sql_stmt *q;
	int r;

	if (!list_page_read(rq, &page) ||
	    !http_query_int(rq, "product_id", 0, 0, INT64_MAX, &product_id))
		return;
	q = newest_first(s, product_id, page.after ? page.after : INT64_MAX);
	sql_bind_i64(q, 2, page.limit + 1);
	items = json_array();
	while ((r = sql_step(q)) > 0) {
		if ((int64_t) json_array_size(items) == page.limit || lines >= LINES_AT_ONCE) {
			next = last;
			sql_reset(q);
			r = 0;
			break;
		}
		last = sql_col_i64(q, 0);
		sale = sale_json(s, q);
		lines += json_array_size(json_object_get(sale, "lines"));
		json_array_append_new(items, sale);
	}
	if (r < 0) {
		json_decref(items);
		http_reply_err(rq, r, "Sales");
		return;
	}
	list_reply(rq, items, next);
}
