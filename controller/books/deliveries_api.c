/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/deliveries: announced, seen arriving, received, or cancelled. */
#include "common/err.h"
#include "common/fault.h"
#include "controller/books/delivery.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum delivery_act {
	ANNOUNCE,
	RECEIVE,
	CANCEL
};

struct delivery_op {
	struct books_op op;
	enum delivery_act act;
	int64_t id;
	uint32_t first_item;
	bool as_announced; /* received without a list of what came */
	struct delivery d;
};

static void op_free(struct delivery_op *o)
{
	delivery_done(&o->d);
	free(o);
}

/* --- announcing --------------------------------------------------------------------------------
 */

static int insert_line(struct sql *s, int64_t id, const struct delivery_line *l)
{
	struct sql_stmt *q = sql_prepare(
		s, "INSERT INTO delivery_lines(delivery_id, gtin, quantity) VALUES(?, ?, ?)");
	int64_t line_id;
	int r;

	sql_bind_i64(q, 1, id);
	sql_bind_i64(q, 2, (int64_t) l->gtin);
	sql_bind_i64(q, 3, l->quantity);
	r = sql_run(q);
	line_id = sql_last_rowid(s);
	for (size_t i = 0; i < l->n_epcs && r == 0; i++) {
		q = sql_prepare(s, "INSERT OR IGNORE INTO delivery_epcs(line_id, epc, epc_bits)"
				   " VALUES(?, ?, ?)");
		sql_bind_i64(q, 1, line_id);
		sql_bind_blob(q, 2, l->epcs[i].data, epc_bytes(&l->epcs[i]));
		sql_bind_i64(q, 3, l->epcs[i].bits);
		r = sql_run(q);
	}
	return r;
}

static int announce(struct sql *s, struct delivery_op *o, int64_t now_us)
{
	struct sql_stmt *q = sql_prepare(
		s, "INSERT INTO deliveries(reference, supplier, place_id, expected_at, first_item,"
		   " created, created_by) VALUES(?, ?, ?, ?, ?, ?, ?)");
	int r;

	sql_bind_text(q, 1, o->d.reference);
	sql_bind_text(q, 2, o->d.supplier);
	sql_bind_i64(q, 3, o->d.place);
	if (o->d.expected_us)
		sql_bind_i64(q, 4, o->d.expected_us);
	else
		sql_bind_null(q, 4);
	sql_bind_i64(q, 5, o->first_item);
	sql_bind_i64(q, 6, now_us);
	sql_bind_text(q, 7, o->op.who);
	r = sql_run(q);
	o->id = sql_last_rowid(s);
	for (size_t i = 0; i < o->d.n_lines && r == 0; i++)
		r = insert_line(s, o->id, &o->d.lines[i]);
	return r;
}

/* --- closing -----------------------------------------------------------------------------------
 */

static int close_it(struct sql *s, struct delivery_op *o, const char *state, int64_t now_us)
{
	struct sql_stmt *q;
	int r;

	q = sql_prepare(s, "SELECT state FROM deliveries WHERE id = ?");
	sql_bind_i64(q, 1, o->id);
	r = sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	r = strcmp(sql_col_text(q, 0), "announced") == 0 ? 0 : -ERR_STATE;
	sql_reset(q);
	if (r < 0)
		return r;
	q = sql_prepare(s, "UPDATE deliveries SET state = ?, closed = ?, closed_by = ?,"
			   " place_id = CASE WHEN ?4 > 0 THEN ?4 ELSE place_id END WHERE id = ?5");
	sql_bind_text(q, 1, state);
	sql_bind_i64(q, 2, now_us);
	sql_bind_text(q, 3, o->op.who);
	sql_bind_i64(q, 4, o->d.place);
	sql_bind_i64(q, 5, o->id);
	return sql_run(q);
}

static int receive_line(struct sql *s, const struct delivery_op *o, const struct delivery_line *l,
			int64_t now_us)
{
	struct sql_stmt *q = sql_prepare(
		s, "INSERT INTO delivery_receipts(delivery_id, gtin, quantity, place_id, at, who)"
		   " SELECT id, ?2, ?3, place_id, ?4, ?5 FROM deliveries WHERE id = ?1");

	sql_bind_i64(q, 1, o->id);
	sql_bind_i64(q, 2, (int64_t) l->gtin);
	sql_bind_i64(q, 3, l->quantity);
	sql_bind_i64(q, 4, now_us);
	sql_bind_text(q, 5, o->op.who);
	return sql_run(q);
}

static int receive(struct sql *s, struct delivery_op *o, int64_t now_us)
{
	struct sql_stmt *q;
	int r = close_it(s, o, "received", now_us);

	for (size_t i = 0; i < o->d.n_lines && r == 0; i++)
		r = receive_line(s, o, &o->d.lines[i], now_us);
	if (r < 0 || !o->as_announced)
		return r;
	q = sql_prepare(s, "INSERT INTO delivery_receipts(delivery_id, gtin, quantity, place_id,"
			   " at, who) SELECT d.id, l.gtin, l.quantity, d.place_id, ?2, ?3"
			   " FROM deliveries d JOIN delivery_lines l ON l.delivery_id = d.id"
			   " WHERE d.id = ?1");
	sql_bind_i64(q, 1, o->id);
	sql_bind_i64(q, 2, now_us);
	sql_bind_text(q, 3, o->op.who);
	return sql_run(q);
}

/* --- the write ---------------------------------------------------------------------------------
 */

static int delivery_write(struct sql *s, void *arg)
{
	static const char *const actions[] = {"deliveries.announce", "deliveries.receive",
					      "deliveries.cancel"};
	struct delivery_op *o = arg;
	char object[40], answer[64];
	int64_t now_us;
	int r = db_now_us(s, &now_us);

	if (r < 0)
		return r;
	r = o->act == ANNOUNCE  ? announce(s, o, now_us)
	    : o->act == RECEIVE ? receive(s, o, now_us)
				: close_it(s, o, "cancelled", now_us);
	/* A repetition is told the id; the rest is fetched as it is then. */
	snprintf(answer, sizeof answer, "{\"id\":%lld}", (long long) o->id);
	if (r == 0)
		r = idempotency_store(s, &o->op.once, o->act == ANNOUNCE ? 201 : 200, answer);
	if (r < 0)
		return r;
	FAULT_POINT("ctl.books.delivery_written");
	snprintf(object, sizeof object, "delivery:%lld", (long long) o->id);
	return db_audit(s, o->op.who, actions[o->act], object, o->d.reference);
}

static void delivery_written(void *arg, int err)
{
	struct delivery_op *o = arg;
	struct http_request *rq = o->op.rq;
	json_t *body;

	if (err == -ERR_CONFLICT && o->act == ANNOUNCE) {
		http_problem(rq, 409, "duplicate-reference",
			     "A delivery with this reference was announced before.");
	} else if (err == -ERR_STATE) {
		http_problem(rq, 409, "wrong-state", "This delivery is closed already.");
	} else if (err == -ENOENT) {
		http_problem(rq, 404, "no-such-delivery", "There is no such delivery.");
	} else if (books_op_done(&o->op, err, "Delivery")) {
		body = delivery_json(o->op.books, o->id, true);
		http_reply_json(rq, o->act == ANNOUNCE ? 201 : 200, body);
	}
	op_free(o);
}

static bool read_body(struct http_request *rq, struct delivery_op *o, const json_t *body)
{
	const json_t *lines = json_object_get(body, "lines");
	struct books_errors errors = {0};
	int r = 0;

	if (o->act == ANNOUNCE)
		r = delivery_read(body, &o->d, &errors);
	else if (lines && !json_is_null(lines))
		r = delivery_lines_read(lines, 0, &o->d, &errors);
	else
		o->as_announced = true;
	if (books_errors_reply(rq, &errors, "Delivery"))
		return false;
	if (r < 0) {
		http_reply_err(rq, r, "Delivery");
		return false;
	}
	return books_place_read(rq, o->op.books, json_object_get(body, "place_id"), &o->d.place);
}

static void begin(struct http_request *rq, struct app *app, enum delivery_act act)
{
	struct delivery_op *o = calloc(1, sizeof *o);
	struct inventory_stats st;
	json_t *body = NULL;
	bool ok;

	if (!o) {
		http_reply_err(rq, -ENOMEM, "Delivery");
		return;
	}
	o->act = act;
	books_op_init(&o->op, rq, app);
	inventory_stats(app->inventory, &st);
	o->first_item = (uint32_t) st.items;
	ok = (act == ANNOUNCE || http_arg_id(rq, 0, &o->id)) &&
	     idempotency_begin(rq, app, &o->op.once) && (body = http_json(rq)) &&
	     read_body(rq, o, body);
	json_decref(body);
	if (ok && db_write(app->db, delivery_write, delivery_written, o) == 0)
		return;
	if (ok)
		http_reply_err(rq, -ENOMEM, "Delivery");
	op_free(o);
}

void deliveries_post(struct http_request *rq, struct app *app)
{
	begin(rq, app, ANNOUNCE);
}

void deliveries_receive(struct http_request *rq, struct app *app)
{
	begin(rq, app, RECEIVE);
}

void deliveries_cancel(struct http_request *rq, struct app *app)
{
	begin(rq, app, CANCEL);
}

/* --- reading -----------------------------------------------------------------------------------
 */

void deliveries_get(struct http_request *rq, struct app *app)
{
	json_t *body;
	int64_t id;

	if (!http_arg_id(rq, 0, &id))
		return;
	body = delivery_json(app->books, id, true);
	if (body)
		http_reply_json(rq, 200, body);
	else
		http_problem(rq, 404, "no-such-delivery", "There is no such delivery.");
}

#define LIST_AT_ONCE 200

/* Newest first. "arriving" is what the readers say of an announced one, not a state of the table.
 */
void deliveries_list(struct http_request *rq, struct app *app)
{
	const char *state = http_query(rq, "state");
	struct list_page page;
	struct sql_stmt *q;
	int64_t last = 0, next = 0, limit, n = 0;
	json_t *items;
	int r;

	if (!list_page_read(rq, &page))
		return;
	limit = MIN(page.limit, LIST_AT_ONCE);
	q = sql_prepare(db_reader(app->db), "SELECT id FROM deliveries WHERE id < ?1 AND"
					    " (?2 IS NULL OR state = ?2) ORDER BY id DESC"
					    " LIMIT ?3");
	sql_bind_i64(q, 1, page.after ? page.after : INT64_MAX);
	if (state)
		sql_bind_text(q, 2, state);
	else
		sql_bind_null(q, 2);
	sql_bind_i64(q, 3, limit + 1);
	items = json_array();
	while ((r = sql_step(q)) > 0) {
		if (n++ == limit) {
			next = last;
			sql_reset(q);
			r = 0;
			break;
		}
		last = sql_col_i64(q, 0);
		json_array_append_new(items, delivery_json(app->books, last, false));
	}
	if (r < 0) {
		json_decref(items);
		http_reply_err(rq, r, "Deliveries");
		return;
	}
	list_reply(rq, items, next);
}
