/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/place-models: fitting, choosing, deleting. */
#include "controller/inventory/model.h"
#include "common/err.h"
#include "common/fault.h"
#include "common/log.h"
#include "controller/db/db.h"
#include "controller/http/events.h"
#include "controller/http/idempotency.h"
#include "controller/http/list.h"
#include "controller/inventory/watch.h"
#include "controller/people/auth.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the one in use ----------------------------------------------------------------------------
 */

static struct place_live *load_active(struct models *m)
{
	struct sql_stmt *q = sql_prepare(db_reader(m->inv->app->db),
					 "SELECT m.id, m.made, m.body FROM place_model_now n"
					 " JOIN place_models m ON m.id = n.model_id");
	struct place_live *live = NULL;
	int r = sql_step(q);

	m->id = m->made_us = 0;
	if (r > 0) {
		size_t len;
		const void *body = sql_col_blob(q, 2, &len);

		m->id = sql_col_i64(q, 0);
		m->made_us = sql_col_i64(q, 1);
		r = place_live_read(body, len, &live);
		if (r < 0)
			log_write(LOG_ERR, "places", r,
				  "model=%lld msg=\"the fitted model cannot be read: items are "
				  "placed without it\"",
				  (long long) m->id);
	}
	sql_reset(q);
	return live;
}

void models_reload(struct models *m)
{
	struct place_live *old = m->active, *live = load_active(m);
	bool lacks[PLACE_LIVE_MAX_PLACES] = {false};

	for (unsigned int p = 0; live && p < live->n_places; p++)
		lacks[p] = !inventory_place(m->inv, live->places[p]);
	m->active = live;
	inv_state_set_model(m->inv->state, live, lacks);
	place_live_free(old);
}

json_t *models_judge_json(const struct inventory *inv, uint32_t item)
{
	char day[CLOCK_RFC3339_MAX], words[64];

	if (!inv->models || !inv_item_by_model(inv->state, item))
		return json_pack("{s:s,s:o,s:s}", "by", "rules", "model_id", json_null(), "words",
				 "general rules of strength and time");
	clock_rfc3339(inv->models->made_us, day);
	snprintf(words, sizeof(words), "fitted model of %.10s", day);
	return json_pack("{s:s,s:I,s:s}", "by", "model", "model_id", (json_int_t) inv->models->id,
			 "words", words);
}

int models_new(struct inventory *inv, struct models **ret)
{
	struct models *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->inv = inv;
	*ret = m;
	models_reload(m);
	return 0;
}

void models_free(struct models *m)
{
	if (!m)
		return;
	while (m->fitting) /* what is under way still tells its asker */
		loop_run_once(m->inv->app->loop, 10);
	inv_state_set_model(m->inv->state, NULL, NULL);
	place_live_free(m->active);
	free(m);
}

/* --- lists -------------------------------------------------------------------------------------
 */

#define SELECT_MODEL "SELECT id, made, who, outlook FROM place_models"

/* What has changed since a model was fitted, in words. */
static json_t *stale_json(struct inventory *inv, const json_t *outlook)
{
	json_t *list = json_array();
	size_t i;
	json_t *v;

	json_array_foreach(json_object_get(outlook, "places"), i, v)
	{
		json_int_t id = json_integer_value(json_object_get(v, "place_id"));

		if (!inventory_place(inv, (uint32_t) id))
			json_array_append_new(list, json_string("A place it knows was deleted."));
	}
	for (i = 0; i < inv->n_places; i++) {
		size_t k;
		bool walked = false;

		json_array_foreach(json_object_get(outlook, "places"), k, v) walked =
			walked || (uint32_t) json_integer_value(json_object_get(v, "place_id")) ==
					  inv->places[i].id;
		if (!walked)
			json_array_append_new(
				list, json_sprintf("%s was not walked: there the general rules "
						   "decide.",
						   inv->places[i].name));
	}
	return list;
}

static json_t *row_json(struct inventory *inv, struct sql_stmt *q)
{
	const char *text = sql_col_text(q, 3);
	json_t *outlook = text ? json_loads(text, 0, NULL) : NULL;
	json_int_t id = (json_int_t) sql_col_i64(q, 0);
	json_t *stale, *v;
	size_t i;

	if (!outlook)
		outlook = json_object();
	json_array_foreach(json_object_get(outlook, "places"), i, v)
	{
		uint32_t place = (uint32_t) json_integer_value(json_object_get(v, "place_id"));
		json_t *taken = json_object_get(v, "taken_for");

		json_object_set_new(v, "place", inventory_place_json(inv, place));
		if (json_is_object(taken))
			json_object_set_new(
				taken, "place",
				inventory_place_json(inv,
						     (uint32_t) json_integer_value(
							     json_object_get(taken, "place_id"))));
	}
	stale = stale_json(inv, outlook);
	return json_pack("{s:I,s:o,s:s,s:b,s:o,s:o}", "id", id, "made",
			 inventory_time_json(sql_col_i64(q, 1)), "by", sql_col_text(q, 2), "active",
			 inv->models->active && inv->models->id == id, "notes", stale, "outlook",
			 outlook);
}

void models_list(struct http_request *rq, struct app *app)
{
	struct list_page page;
	json_t *items;
	struct sql_stmt *q;
	int64_t last = 0, n = 0;

	if (!list_page_read(rq, &page))
		return;
	items = json_array();
	q = sql_prepare(db_reader(app->db),
			SELECT_MODEL " WHERE ?1 = 0 OR id < ?1 ORDER BY id DESC LIMIT ?2");
	sql_bind_i64(q, 1, page.after);
	sql_bind_i64(q, 2, page.limit);
	while (sql_step(q) > 0) {
		last = sql_col_i64(q, 0);
		n++;
		json_array_append_new(items, row_json(app->inventory, q));
	}
	list_reply(rq, items, n == page.limit ? last : 0);
}

static void reply_model(struct http_request *rq, struct app *app, unsigned int status, int64_t id)
{
	struct sql_stmt *q = sql_prepare(db_reader(app->db), SELECT_MODEL " WHERE id = ?");
	json_t *body;

	sql_bind_i64(q, 1, id);
	if (sql_step(q) <= 0) {
		http_problem(rq, 404, "no-such-model", "There is no such model.");
		return;
	}
	body = row_json(app->inventory, q);
	sql_reset(q);
	http_reply_json(rq, status, body);
}

void models_show(struct http_request *rq, struct app *app)
{
	int64_t id;

	if (http_arg_id(rq, 0, &id))
		reply_model(rq, app, 200, id);
}

/* --- choosing and deleting ---------------------------------------------------------------------
 */

enum model_act {
	MODEL_KEEP,
	MODEL_USE,
	MODEL_DELETE
};

struct model_op {
	struct http_request *rq;
	struct app *app;
	enum model_act act;
	char by[AUTH_WHO_MAX];
	struct idempotency once;
	int64_t id; /* 0 = use none */
	/* a fit */
	struct model_walks walks;
	struct sql *reader;
	struct buf body;
	char *outlook;
	int err;
	const char *why;
};

static void op_free(struct model_op *op)
{
	model_walks_done(&op->walks);
	sql_close(op->reader);
	buf_done(&op->body);
	free(op->outlook);
	free(op);
}

static int keep(struct sql *s, struct model_op *op, int64_t now_us)
{
	struct sql_stmt *q = sql_prepare(
		s, "INSERT INTO place_models(made, who, body, outlook) VALUES(?, ?, ?, ?)");
	char answer[64];
	int r;

	sql_bind_i64(q, 1, now_us);
	sql_bind_text(q, 2, op->by);
	sql_bind_blob(q, 3, op->body.data, op->body.len);
	sql_bind_text(q, 4, op->outlook);
	r = sql_run(q);
	op->id = sql_last_rowid(s);
	/* The oldest goes; the one in use stays. */
	q = sql_prepare(s, "DELETE FROM place_models WHERE id <= ? AND id NOT IN"
			   " (SELECT model_id FROM place_model_now WHERE model_id IS NOT NULL)");
	sql_bind_i64(q, 1, op->id - MODELS_KEPT);
	if (!r)
		r = sql_run(q);
	else
		sql_reset(q);
	snprintf(answer, sizeof(answer), "{\"id\":%lld}", (long long) op->id);
	return r ? r : idempotency_store(s, &op->once, 201, answer);
}

static int use(struct sql *s, const struct model_op *op, int64_t now_us)
{
	struct sql_stmt *q = sql_prepare(
		s, "INSERT INTO place_model_now VALUES(1, ?1, ?2, ?3) ON CONFLICT DO UPDATE"
		   " SET model_id = ?1, since = ?2, who = ?3");
	int r;

	if (op->id)
		sql_bind_i64(q, 1, op->id);
	sql_bind_i64(q, 2, now_us);
	sql_bind_text(q, 3, op->by);
	r = sql_run(q);
	return r ? r : watch_changed(s);
}

static int delete_model(struct sql *s, const struct model_op *op)
{
	struct sql_stmt *q = sql_prepare(s, "DELETE FROM place_models WHERE id = ?");
	int r;

	sql_bind_i64(q, 1, op->id);
	r = sql_run(q);
	return r ? r : sql_changes(s) ? 0 : -ENOENT;
}

static int write_model(struct sql *s, void *arg)
{
	static const char *const actions[] = {"place-model.fit", "place-model.use",
					      "place-model.delete"};
	struct model_op *op = arg;
	char object[40];
	int64_t now_us;
	int r = db_now_us(s, &now_us);

	if (!r)
		r = op->act == MODEL_KEEP  ? keep(s, op, now_us)
		    : op->act == MODEL_USE ? use(s, op, now_us)
					   : delete_model(s, op);
	if (r)
		return r;
	FAULT_POINT("ctl.model.before_commit");
	if (op->id)
		snprintf(object, sizeof(object), "model:%lld", (long long) op->id);
	else
		snprintf(object, sizeof(object), "none");
	return db_audit(s, op->by, actions[op->act], object, NULL);
}

static void model_written(void *arg, int err)
{
	struct model_op *op = arg;
	struct app *app = op->app;

	if (!err && op->act == MODEL_USE) {
		models_reload(app->inventory->models);
		watch_wake(app);
	}
	if (!err)
		events_publish(app->events, "walk", json_object());
	if (op->act == MODEL_KEEP)
		app->inventory->models->fitting--;
	if (err == -ERR_CONFLICT && op->act == MODEL_DELETE)
		http_problem(op->rq, 409, "in-use", "Items are placed by this model now.");
	else if (err == -ERR_CONFLICT)
		http_problem(op->rq, 404, "no-such-model", "There is no such model.");
	else if (err)
		http_reply_err(op->rq, err, "Model");
	else if (op->act == MODEL_DELETE)
		http_reply_empty(op->rq, 204);
	else if (op->id)
		reply_model(op->rq, app, op->act == MODEL_KEEP ? 201 : 200, op->id);
	else
		http_reply_json(op->rq, 200, json_pack("{s:n}", "id"));
	op_free(op);
}

static struct model_op *new_op(struct http_request *rq, struct app *app, enum model_act act)
{
	struct model_op *op = calloc(1, sizeof(*op));

	if (!op) {
		http_reply_err(rq, -ENOMEM, "Model");
		return NULL;
	}
	op->rq = rq;
	op->app = app;
	op->act = act;
	(void) auth_who_text(http_who(rq), op->by);
	return op;
}

static void queue(struct model_op *op)
{
	int r = db_write(op->app->db, write_model, model_written, op);

	if (!r)
		return;
	if (op->act == MODEL_KEEP)
		op->app->inventory->models->fitting--;
	http_reply_err(op->rq, r, "Model");
	op_free(op);
}

/* PUT /place-models/active {model_id: N | null} */
void models_use(struct http_request *rq, struct app *app)
{
	struct model_op *op = new_op(rq, app, MODEL_USE);
	json_t *body = op ? http_json(rq) : NULL, *id = json_object_get(body, "model_id");
	bool ok = body && (json_is_null(id) || json_integer_value(id) > 0);

	if (ok)
		op->id = json_integer_value(id);
	else if (body)
		http_problem(rq, 422, "bad-model", "model_id is a model's number, or null.");
	json_decref(body);
	if (ok)
		queue(op);
	else if (op)
		op_free(op);
}

void models_delete(struct http_request *rq, struct app *app)
{
	struct model_op *op = new_op(rq, app, MODEL_DELETE);

	if (op && http_arg_id(rq, 0, &op->id))
		queue(op);
	else if (op)
		op_free(op);
}

/* --- fitting -----------------------------------------------------------------------------------
 */

static void fit_work(void *arg)
{
	struct model_op *op = arg;
	_cleanup_free_ struct place_live_score *score = calloc(1, sizeof(*score));
	_cleanup_(place_live_freep) struct place_live *m = NULL;
	struct model_walks *w = &op->walks;
	json_t *outlook;

	op->err = score ? model_walks_load(op->reader, w) : -ENOMEM;
	if (w->too_many)
		op->why = "the walks met more than 32 antennas";
	if (!op->err)
		op->err = place_live_fit(w->antennas, w->n_antennas, w->walks, w->n, &m, score,
					 &op->why);
	if (!op->err)
		op->err = place_live_write(m, &op->body);
	if (op->err)
		return;
	outlook = model_outlook(m, score, w);
	op->outlook = outlook ? json_dumps(outlook, JSON_COMPACT) : NULL;
	json_decref(outlook);
	if (!op->outlook)
		op->err = -ENOMEM;
}

static void fit_done(void *arg)
{
	struct model_op *op = arg;

	if (!op->err) {
		queue(op);
		return;
	}
	op->app->inventory->models->fitting--;
	if (op->err == -ENOENT)
		http_problem(op->rq, 422, "no-such-walk",
			     "A walk of the list is not there, or has not ended.");
	else if (op->why)
		http_problem(op->rq, 422, "not-enough", "This cannot be learnt from: %s.", op->why);
	else
		http_reply_err(op->rq, op->err, "Model");
	op_free(op);
}

static bool read_fit(struct model_op *op)
{
	json_t *body = http_json(op->rq), *walks = NULL, *v;
	struct model_walks *w = &op->walks;
	json_error_t e;
	bool ok;
	size_t i;

	if (!body)
		return false;
	ok = json_unpack_ex(body, &e, JSON_STRICT, "{s?o}", "walks", &walks) == 0 &&
	     (!walks || json_is_array(walks)) && json_array_size(walks) <= MODEL_WALKS_MAX;
	json_array_foreach(walks, i, v)
	{
		if (!ok)
			break;
		ok = json_integer_value(v) > 0;
		w->wanted[w->n_wanted++] = json_integer_value(v);
	}
	json_decref(body);
	if (!ok)
		http_problem(op->rq, 422, "bad-walks", "walks is a list of walks' numbers.");
	return ok;
}

void models_fit(struct http_request *rq, struct app *app)
{
	struct models *m = app->inventory->models;
	struct model_op *op = new_op(rq, app, MODEL_KEEP);
	int r;

	if (!op)
		return;
	if (!idempotency_begin(rq, app, &op->once) || !read_fit(op)) {
		op_free(op);
		return;
	}
	if (m->fitting) {
		http_problem(rq, 409, "wrong-state", "A model is being fitted: wait for it.");
		op_free(op);
		return;
	}
	r = db_open_reader(app->db, &op->reader);
	if (!r)
		r = loop_work(app->loop, fit_work, fit_done, op);
	if (r) {
		http_reply_err(rq, r, "Model");
		op_free(op);
		return;
	}
	m->fitting++;
}
