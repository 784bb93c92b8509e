/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/plan: the floor plan as it is drawn, and the stock on it. */
#include "controller/inventory/plan.h"
#include "common/err.h"
#include "common/fault.h"
#include "controller/db/db.h"
#include "controller/people/auth.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ALIASES_AT_ONCE 64

/* --- reading -----------------------------------------------------------------------------------
 */

static json_t *places_json(struct inventory *inv)
{
	struct sql_stmt *q = sql_prepare(db_reader(inv->app->db),
					 "SELECT p.id, p.name, p.kind, n.x, n.y, n.w, n.h"
					 " FROM plan_places n JOIN places p ON p.id = n.place_id"
					 " ORDER BY p.id");
	json_t *list = json_array();

	while (sql_step(q) > 0)
		json_array_append_new(list,
				      json_pack("{s:I,s:s,s:s,s:f,s:f,s:f,s:f}", "place_id",
						(json_int_t) sql_col_i64(q, 0), "place",
						sql_col_text(q, 1), "kind", sql_col_text(q, 2), "x",
						sql_col_f64(q, 3), "y", sql_col_f64(q, 4), "w",
						sql_col_f64(q, 5), "h", sql_col_f64(q, 6)));
	return list;
}

static json_t *antennas_json(struct inventory *inv)
{
	struct sql_stmt *q =
		sql_prepare(db_reader(inv->app->db),
			    "SELECT n.agent_id, n.reader, n.antenna, n.x, n.y, a.place_id"
			    " FROM plan_antennas n LEFT JOIN antennas a ON a.agent_id = n.agent_id"
			    " AND a.reader = n.reader AND a.antenna = n.antenna"
			    " ORDER BY n.agent_id, n.reader, n.antenna");
	json_t *list = json_array();

	while (sql_step(q) > 0)
		json_array_append_new(
			list,
			json_pack("{s:I,s:o,s:s,s:I,s:f,s:f,s:o}", "agent_id",
				  (json_int_t) sql_col_i64(q, 0), "agent",
				  inventory_agent_json(inv, (uint64_t) sql_col_i64(q, 0)), "reader",
				  sql_col_text(q, 1), "antenna", (json_int_t) sql_col_i64(q, 2),
				  "x", sql_col_f64(q, 3), "y", sql_col_f64(q, 4), "place_id",
				  sql_col_is_null(q, 5) ? json_null()
							: json_integer(sql_col_i64(q, 5))));
	return list;
}

static void reply_plan(struct http_request *rq, struct inventory *inv)
{
	struct sql_stmt *q =
		sql_prepare(db_reader(inv->app->db), "SELECT width_m, height_m, rev FROM plan");
	char etag[24], quoted[32];
	double width, height;
	int r = sql_step(q);

	if (r <= 0) {
		http_reply_err(rq, r < 0 ? r : -ERR_CORRUPT, "Plan");
		return;
	}
	width = sql_col_f64(q, 0);
	height = sql_col_f64(q, 1);
	snprintf(etag, sizeof(etag), "%lld", (long long) sql_col_i64(q, 2));
	sql_reset(q);
	snprintf(quoted, sizeof(quoted), "\"%s\"", etag);
	http_set_header(rq, "ETag", quoted);
	http_reply_json(rq, 200,
			json_pack("{s:f,s:f,s:s,s:o,s:o}", "width_m", width, "height_m", height,
				  "etag", etag, "places", places_json(inv), "antennas",
				  antennas_json(inv)));
}

void plan_get(struct http_request *rq, struct app *app)
{
	reply_plan(rq, app->inventory);
}

/* --- writing -----------------------------------------------------------------------------------
 */

struct plan_op {
	struct http_request *rq;
	struct app *app;
	char by[AUTH_WHO_MAX];
	bool any; /* whatever is there is replaced */
	bool changed_meanwhile;
	struct plan plan; /* its rev is the one that is replaced */
};

static void op_free(struct plan_op *op)
{
	plan_done(&op->plan);
	free(op);
}

/* -ERR_STATE: it is not the plan that was edited. */
static int next_revision(struct sql *s, struct plan_op *op)
{
	struct sql_stmt *q =
		sql_prepare(s, "UPDATE plan SET width_m = ?, height_m = ?, rev = rev + 1"
			       " WHERE ? OR rev = ?");
	int r;

	sql_bind_f64(q, 1, op->plan.width_m);
	sql_bind_f64(q, 2, op->plan.height_m);
	sql_bind_i64(q, 3, op->any);
	sql_bind_i64(q, 4, op->plan.rev);
	r = sql_run(q);
	if (r < 0 || sql_changes(s) > 0)
		return r;
	op->changed_meanwhile = true;
	return -ERR_STATE;
}

static int write_place(struct sql *s, const struct plan_place *p)
{
	struct sql_stmt *q = sql_prepare(s, "INSERT INTO plan_places(place_id, x, y, w, h)"
					    " VALUES(?, ?, ?, ?, ?)");

	sql_bind_i64(q, 1, p->place_id);
	sql_bind_f64(q, 2, p->x);
	sql_bind_f64(q, 3, p->y);
	sql_bind_f64(q, 4, p->w);
	sql_bind_f64(q, 5, p->h);
	return sql_run(q);
}

static int write_antenna(struct sql *s, const struct plan_antenna *a)
{
	struct sql_stmt *q = sql_prepare(s, "INSERT INTO plan_antennas(agent_id, reader, antenna,"
					    " x, y) VALUES(?, ?, ?, ?, ?)");

	sql_bind_i64(q, 1, a->agent_id);
	sql_bind_text(q, 2, a->reader);
	sql_bind_i64(q, 3, a->number);
	sql_bind_f64(q, 4, a->x);
	sql_bind_f64(q, 5, a->y);
	return sql_run(q);
}

static int write_plan(struct sql *s, void *arg)
{
	struct plan_op *op = arg;
	const struct plan *p = &op->plan;
	char detail[80];
	int r = next_revision(s, op);

	if (r == 0)
		r = sql_run(sql_prepare(s, "DELETE FROM plan_places"));
	if (r == 0)
		r = sql_run(sql_prepare(s, "DELETE FROM plan_antennas"));
	for (size_t i = 0; i < p->n_places && r == 0; i++)
		r = write_place(s, &p->places[i]);
	for (size_t i = 0; i < p->n_antennas && r == 0; i++)
		r = write_antenna(s, &p->antennas[i]);
	if (r < 0)
		return r;
	FAULT_POINT("ctl.plan.before_commit");
	snprintf(detail, sizeof(detail), "%g x %g m, places=%zu antennas=%zu", p->width_m,
		 p->height_m, p->n_places, p->n_antennas);
	return db_audit(s, op->by, "plan.set", "plan", detail);
}

static void plan_written(void *arg, int err)
{
	struct plan_op *op = arg;

	if (err == 0)
		FAULT_POINT("ctl.plan.after_commit");
	if (err == 0)
		reply_plan(op->rq, op->app->inventory);
	else if (op->changed_meanwhile)
		http_problem(op->rq, 412, "changed-meanwhile",
			     "Somebody else has changed the plan. Load it again.");
	else if (err == -ERR_CONFLICT)
		http_problem(op->rq, 409, "no-such-place",
			     "A place of the plan was removed meanwhile. Load it again.");
	else
		http_reply_err(op->rq, err, "Plan");
	op_free(op);
}

/* The plan is replaced as a whole, so whoever does it says which one. */
static bool read_if_match(struct plan_op *op)
{
	const char *tag = http_header(op->rq, "If-Match");
	char *end;

	if (!tag) {
		http_problem(op->rq, 428, "precondition-required",
			     "Say in If-Match which plan this replaces: its etag, or * for any.");
		return false;
	}
	op->any = strcmp(tag, "*") == 0;
	tag += *tag == '"';
	op->plan.rev = strtoll(tag, &end, 10);
	if (end == tag || (*end && strcmp(end, "\"") != 0))
		op->plan.rev = -1; /* a tag that we never gave matches nothing */
	return true;
}

static bool read_plan(struct plan_op *op)
{
	json_t *body = http_json(op->rq), *errors;
	int64_t rev = op->plan.rev;
	bool ok;

	if (!body)
		return false;
	ok = plan_parse(op->app->inventory, body, &op->plan, &errors);
	op->plan.rev = rev;
	json_decref(body);
	if (ok)
		return true;
	if (errors)
		http_problem_errors(op->rq, 422, "bad-plan", errors,
				    "The plan has errors; nothing was changed.");
	else
		http_reply_err(op->rq, -ENOMEM, "Plan");
	return false;
}

void plan_put(struct http_request *rq, struct app *app)
{
	struct plan_op *op = calloc(1, sizeof(*op));
	int r;

	if (!op) {
		http_reply_err(rq, -ENOMEM, "Plan");
		return;
	}
	op->rq = rq;
	op->app = app;
	(void) auth_who_text(http_who(rq), op->by);
	if (!read_if_match(op) || !read_plan(op)) {
		op_free(op);
		return;
	}
	r = db_write(app->db, write_plan, plan_written, op);
	if (r < 0) {
		http_reply_err(rq, r, "Plan");
		op_free(op);
	}
}

/* --- stock on it -------------------------------------------------------------------------------
 */

struct tally {
	int64_t items, products;
};

/* One for each place, and the last for what is in stock and nowhere. */
static void count_cell(const struct inventory *inv, const struct inv_cell *c, struct tally *t)
{
	size_t i = 0;

	if (!c->count)
		return;
	while (i < inv->n_places && inv->places[i].id != c->place)
		i++;
	t[i].items += c->count;
	t[i].products++;
}

static void count_product(struct inventory *inv, int64_t product_id, struct tally *t)
{
	uint32_t products[ALIASES_AT_ONCE];
	const struct inv_state *st = inv->state;
	int n = inventory_products_of(inv, product_id, products, ALIASES_AT_ONCE);

	for (int i = 0; i < n; i++)
		for (uint32_t at = st->products.v[products[i]].first_cell; at != INV_NONE;
		     at = st->cells.v[at].next)
			count_cell(inv, &st->cells.v[at], t);
	for (size_t i = 0; i <= inv->n_places; i++)
		t[i].products = t[i].items > 0;
}

void plan_stock(struct http_request *rq, struct app *app)
{
	struct inventory *inv = app->inventory;
	struct tally *t = calloc(inv->n_places + 1, sizeof(*t));
	int64_t product_id;
	json_t *list;

	if (!t) {
		http_reply_err(rq, -ENOMEM, "Stock");
		return;
	}
	if (!http_query_int(rq, "product_id", 0, 0, INT64_MAX, &product_id)) {
		free(t);
		return;
	}
	if (product_id)
		count_product(inv, product_id, t);
	else
		for (uint32_t i = 0; i < inv->state->cells.n; i++)
			count_cell(inv, &inv->state->cells.v[i], t);
	list = json_array();
	for (size_t i = 0; i <= inv->n_places; i++) {
		if (i == inv->n_places && !t[i].items)
			continue;
		json_array_append_new(
			list,
			json_pack("{s:o,s:I,s:I}", "place_id",
				  i < inv->n_places ? json_integer(inv->places[i].id) : json_null(),
				  "items", (json_int_t) t[i].items, "products",
				  (json_int_t) t[i].products));
	}
	free(t);
	http_reply_json(rq, 200, json_pack("{s:o}", "places", list));
}
