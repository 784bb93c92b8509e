/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places and the antennas that hear them: /api/v1/places and /api/v1/antennas. SQLite has them;
 * after each commit they are read again as a whole (a store has dozens) and the engine is told.
 */
#include "common/err.h"
#include "controller/db/db.h"
#include "controller/http/list.h"
#include "controller/inventory/exit.h"
#include "controller/inventory/model.h"
#include "controller/inventory/plan.h"
#include "controller/people/auth.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const kinds[] = {"sales-floor", "back-room", "fitting-room",
				    "receiving",   "exit",      "other"};

/* --- what is loaded ----------------------------------------------------------------------------
 */

const struct inv_place *inventory_place(const struct inventory *inv, uint32_t id)
{
	for (size_t i = 0; i < inv->n_places; i++) {
		if (inv->places[i].id == id)
			return &inv->places[i];
	}
	return NULL;
}

static const struct inv_assignment *assignment(const struct inventory *inv, uint64_t agent,
					       const char *reader, uint16_t number)
{
	for (size_t i = 0; i < inv->n_assignments; i++) {
		const struct inv_assignment *a = &inv->assignments[i];

		if (a->agent == agent && a->number == number && strcmp(a->reader, reader) == 0)
			return a;
	}
	return NULL;
}

uint32_t inventory_place_of(void *user, const struct inv_antenna *a)
{
	const struct inv_assignment *known = assignment(user, a->agent, a->reader, a->number);

	return known ? known->place : BELIEF_NO_PLACE;
}

static int load_places(struct inventory *inv)
{
	struct sql_stmt *q = sql_prepare(db_reader(inv->app->db),
					 "SELECT id, name, kind FROM places ORDER BY id");
	int r;

	inv->n_places = 0;
	while ((r = sql_step(q)) > 0) {
		struct inv_place *grown =
			realloc(inv->places, (inv->n_places + 1) * sizeof(*grown));

		if (!grown) {
			sql_reset(q);
			return -ENOMEM;
		}
		inv->places = grown;
		grown += inv->n_places++;
		grown->id = (uint32_t) sql_col_i64(q, 0);
		snprintf(grown->name, sizeof(grown->name), "%s", sql_col_text(q, 1));
		snprintf(grown->kind, sizeof(grown->kind), "%s", sql_col_text(q, 2));
	}
	return r;
}

static int load_assignments(struct inventory *inv)
{
	struct sql_stmt *q =
		sql_prepare(db_reader(inv->app->db),
			    "SELECT agent_id, reader, antenna, place_id FROM antennas");
	int r;

	inv->n_assignments = 0;
	while ((r = sql_step(q)) > 0) {
		struct inv_assignment *grown =
			realloc(inv->assignments, (inv->n_assignments + 1) * sizeof(*grown));

		if (!grown) {
			sql_reset(q);
			return -ENOMEM;
		}
		inv->assignments = grown;
		grown += inv->n_assignments++;
		grown->agent = (uint64_t) sql_col_i64(q, 0);
		snprintf(grown->reader, sizeof(grown->reader), "%s", sql_col_text(q, 1));
		grown->number = (uint16_t) sql_col_i64(q, 2);
		grown->place =
			sql_col_is_null(q, 3) ? BELIEF_NO_PLACE : (uint32_t) sql_col_i64(q, 3);
	}
	return r;
}

int inventory_load_places(struct inventory *inv)
{
	int r = load_places(inv);

	if (!r)
		r = load_assignments(inv);
	if (!r && inv->state)
		inv_state_remap(inv->state);
	return r;
}

/* --- writing -----------------------------------------------------------------------------------
 */

enum place_action {
	PLACE_CREATE,
	PLACE_CHANGE,
	PLACE_DELETE,
	ANTENNA_PUT
};

struct place_op {
	struct http_request *rq;
	struct app *app;
	enum place_action action;
	char by[AUTH_WHO_MAX];
	int64_t id; /* of the place; 0 = none (antennas) */
	int64_t created_us;
	bool has_name, has_kind;
	char name[PLACE_NAME_MAX + 1];
	char kind[PLACE_KIND_MAX + 1];
	int64_t agent;
	char reader[PROTO_NAME_MAX];
	int64_t number;
};

static int create(struct sql *s, struct place_op *op)
{
	struct sql_stmt *q =
		sql_prepare(s, "INSERT INTO places(name, kind, created) VALUES(?, ?, ?)");
	int r;

	sql_bind_text(q, 1, op->name);
	sql_bind_text(q, 2, op->kind);
	sql_bind_i64(q, 3, op->created_us);
	r = sql_run(q);
	op->id = sql_last_rowid(s);
	return r ? r : db_audit(s, op->by, "place.create", op->name, op->kind);
}

static int change(struct sql *s, struct place_op *op)
{
	struct sql_stmt *q =
		sql_prepare(s, "UPDATE places SET name = coalesce(?, name),"
			       " kind = coalesce(?, kind) WHERE id = ? RETURNING name, kind");
	int r;

	if (op->has_name)
		sql_bind_text(q, 1, op->name);
	if (op->has_kind)
		sql_bind_text(q, 2, op->kind);
	sql_bind_i64(q, 3, op->id);
	r = sql_step(q);
	if (r <= 0)
		return r ? r : -ENOENT;
	snprintf(op->name, sizeof(op->name), "%s", sql_col_text(q, 0));
	snprintf(op->kind, sizeof(op->kind), "%s", sql_col_text(q, 1));
	sql_reset(q);
	return db_audit(s, op->by, "place.change", op->name, op->kind);
}

static int delete_place(struct sql *s, struct place_op *op)
{
	struct sql_stmt *q = sql_prepare(s, "DELETE FROM places WHERE id = ? RETURNING name");
	int r;

	sql_bind_i64(q, 1, op->id);
	r = sql_step(q);
	if (r <= 0)
		return r ? r : -ENOENT;
	snprintf(op->name, sizeof(op->name), "%s", sql_col_text(q, 0));
	sql_reset(q);
	return db_audit(s, op->by, "place.delete", op->name, NULL);
}

static int put_antenna(struct sql *s, struct place_op *op)
{
	struct sql_stmt *q = sql_prepare(
		s, "INSERT INTO antennas(agent_id, reader, antenna, place_id) VALUES(?, ?, ?, ?)"
		   " ON CONFLICT DO UPDATE SET place_id = excluded.place_id");
	char object[PROTO_NAME_MAX + 48], detail[32];
	int r;

	sql_bind_i64(q, 1, op->agent);
	sql_bind_text(q, 2, op->reader);
	sql_bind_i64(q, 3, op->number);
	if (op->id)
		sql_bind_i64(q, 4, op->id);
	r = sql_run(q);
	if (r)
		return r;
	snprintf(object, sizeof(object), "%lld/%s/%lld", (long long) op->agent, op->reader,
		 (long long) op->number);
	snprintf(detail, sizeof(detail), "place %lld", (long long) op->id);
	return db_audit(s, op->by, "antenna.place", object, detail);
}

static int write_op(struct sql *s, void *arg)
{
	struct place_op *op = arg;

	switch (op->action) {
	case PLACE_CREATE:
		return create(s, op);
	case PLACE_CHANGE:
		return change(s, op);
	case PLACE_DELETE:
		return delete_place(s, op);
	case ANTENNA_PUT:
		return put_antenna(s, op);
	}
	return -EINVAL;
}

static json_t *place_json(int64_t id, const char *name, const char *kind)
{
	return json_pack("{s:I,s:s,s:s}", "id", (json_int_t) id, "name", name, "kind", kind);
}

static json_t *antenna_json(struct inventory *inv, uint64_t agent, const char *reader,
			    uint16_t number)
{
	const struct inv_assignment *a = assignment(inv, agent, reader, number);
	const struct inv_place *p = a ? inventory_place(inv, a->place) : NULL;
	uint32_t id = inv_state_find_antenna(inv->state, agent, reader, number);
	int64_t heard_us = id == INV_NONE ? 0 : inv->state->antennas.v[id].last_heard_us;

	return json_pack("{s:I,s:o,s:s,s:i,s:o,s:s?,s:o,s:I}", "agent_id", (json_int_t) agent,
			 "agent", inventory_agent_json(inv, agent), "reader", reader, "antenna",
			 (int) number, "place_id", p ? inventory_place_id_json(p->id) : json_null(),
			 "place", p ? p->name : NULL, "last_heard", inventory_time_json(heard_us),
			 "sightings",
			 (json_int_t) (id == INV_NONE ? 0 : inv->state->antennas.v[id].sightings));
}

static void written(void *arg, int err)
{
	struct place_op *op = arg;
	struct inventory *inv = op->app->inventory;

	if (!err)
		err = inventory_load_places(inv);
	if (!err && op->action != ANTENNA_PUT) {
		models_reload(inv->models);
		walks_reload(inv->walks);
		exits_reload(inv);
	}
	if (err == -ERR_CONFLICT)
		http_problem(op->rq, 409,
			     op->action == ANTENNA_PUT ? "no-such-place" : "name-taken",
			     op->action == ANTENNA_PUT ? "There is no such place."
						       : "There is a place of this name.");
	else if (err)
		http_reply_err(op->rq, err, op->action == ANTENNA_PUT ? "Antenna" : "Place");
	else if (op->action == PLACE_DELETE)
		http_reply_empty(op->rq, 204);
	else if (op->action == ANTENNA_PUT)
		http_reply_json(
			op->rq, 200,
			antenna_json(inv, (uint64_t) op->agent, op->reader, (uint16_t) op->number));
	else
		http_reply_json(op->rq, op->action == PLACE_CREATE ? 201 : 200,
				place_json(op->id, op->name, op->kind));
	free(op);
}

static struct place_op *new_op(struct http_request *rq, struct app *app, enum place_action action)
{
	struct place_op *op = calloc(1, sizeof(*op));

	if (!op) {
		http_reply_err(rq, -ENOMEM, "Place");
		return NULL;
	}
	op->rq = rq;
	op->app = app;
	op->action = action;
	op->created_us = clock_real_us(app->clock);
	(void) auth_who_text(http_who(rq), op->by);
	return op;
}

static void queue(struct place_op *op)
{
	int r = db_write(op->app->db, write_op, written, op);

	if (!r)
		return;
	http_reply_err(op->rq, r, "Place");
	free(op);
}

/* --- reading what is asked ---------------------------------------------------------------------
 */

static bool known_kind(const char *kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(kinds[i], kind) == 0)
			return true;
	}
	return false;
}

/* Takes name and kind from the body; replies and returns false if they will not do. */
static bool read_place(struct place_op *op, bool need_name)
{
	const char *name = NULL, *kind = NULL;
	json_t *body = http_json(op->rq);
	json_error_t e;
	bool ok = false;

	if (!body)
		return false;
	if (json_unpack_ex(body, &e, JSON_STRICT, "{s?s,s?s}", "name", &name, "kind", &kind) < 0)
		http_problem(op->rq, 422, "bad-place", "A place has a name and a kind: %s.",
			     e.text);
	else if ((need_name && !name) ||
		 (name && (!*name || strlen(name) > PLACE_NAME_MAX || strpbrk(name, "\r\n\t"))))
		http_problem(op->rq, 422, "bad-name", "A place's name has 1 to %d bytes.",
			     PLACE_NAME_MAX);
	else if (kind && !known_kind(kind))
		http_problem(op->rq, 422, "bad-kind",
			     "The kind is sales-floor, back-room, fitting-room, receiving, exit or "
			     "other.");
	else
		ok = true;
	if (ok) {
		op->has_name = name != NULL;
		op->has_kind = kind != NULL;
		snprintf(op->name, sizeof(op->name), "%s", name ? name : "");
		snprintf(op->kind, sizeof(op->kind), "%s", kind ? kind : "other");
	}
	json_decref(body);
	return ok;
}

/* A number within [min, max] that is all of the argument; replies 404 if it is not. */
static bool arg_number(struct http_request *rq, size_t i, int64_t max, int64_t *ret)
{
	const char *text = http_arg(rq, i);
	char *end;
	long long v;

	errno = 0;
	v = strtoll(text, &end, 10);
	if (*end || end == text || errno || v < 1 || v > max) {
		http_problem(rq, 404, "not-found", "There is nothing at this address.");
		return false;
	}
	*ret = v;
	return true;
}

void places_create(struct http_request *rq, struct app *app)
{
	struct place_op *op = new_op(rq, app, PLACE_CREATE);

	if (op && read_place(op, true))
		queue(op);
	else
		free(op);
}

void places_change(struct http_request *rq, struct app *app)
{
	struct place_op *op = new_op(rq, app, PLACE_CHANGE);

	if (op && arg_number(rq, 0, UINT32_MAX, &op->id) && read_place(op, false))
		queue(op);
	else
		free(op);
}

void places_delete(struct http_request *rq, struct app *app)
{
	struct place_op *op = new_op(rq, app, PLACE_DELETE);

	if (op && arg_number(rq, 0, UINT32_MAX, &op->id))
		queue(op);
	else
		free(op);
}

static bool read_antenna(struct place_op *op)
{
	json_t *body = http_json(op->rq), *place;
	bool ok = false;

	if (!body)
		return false;
	place = json_object_get(body, "place_id");
	if (json_is_null(place) || (json_is_integer(place) && json_integer_value(place) > 0)) {
		op->id = json_is_null(place) ? 0 : json_integer_value(place);
		ok = true;
	} else {
		http_problem(op->rq, 422, "bad-place", "place_id is a place's number, or null.");
	}
	json_decref(body);
	if (ok && op->id && !inventory_place(op->app->inventory, (uint32_t) op->id)) {
		http_problem(op->rq, 422, "no-such-place", "There is no such place.");
		ok = false;
	}
	return ok;
}

/* An antenna that its reader does not have hears nothing: a slip of the finger. Taking a place away
 * is always possible. */
static bool check_antenna(struct place_op *op, const char *reader)
{
	struct inventory *inv = op->app->inventory;

	if (!op->id || inv_state_find_antenna(inv->state, (uint64_t) op->agent, reader,
					      (uint16_t) op->number) != INV_NONE)
		return true;
	if (op->number <= PROTO_MAX_ANTENNAS &&
	    inventory_reader_has(inv, op->agent, reader, op->number) != 0)
		return true;
	http_problem(op->rq, 422, "no-such-antenna", "Reader %s has no antenna %lld.", reader,
		     (long long) op->number);
	return false;
}

void antennas_put(struct http_request *rq, struct app *app)
{
	struct place_op *op = new_op(rq, app, ANTENNA_PUT);
	const char *reader = http_arg(rq, 1);

	if (op && strlen(reader) < sizeof(op->reader) && arg_number(rq, 0, INT64_MAX, &op->agent) &&
	    arg_number(rq, 2, UINT16_MAX, &op->number) && read_antenna(op) &&
	    check_antenna(op, reader)) {
		memcpy(op->reader, reader, strlen(reader) + 1);
		queue(op);
		return;
	}
	if (op && strlen(reader) >= sizeof(op->reader))
		http_problem(rq, 404, "not-found", "No reader has so long a name.");
	free(op);
}

/* --- lists -------------------------------------------------------------------------------------
 */

void places_list(struct http_request *rq, struct app *app)
{
	struct inventory *inv = app->inventory;
	json_t *items = json_array();

	for (size_t i = 0; i < inv->n_places; i++) {
		const struct inv_place *p = &inv->places[i];

		json_array_append_new(items, place_json(p->id, p->name, p->kind));
	}
	list_reply(rq, items, 0);
}

/* Every antenna that was heard, and those that have been given a place before they were. */
void antennas_list(struct http_request *rq, struct app *app)
{
	struct inventory *inv = app->inventory;
	const struct inv_state *st = inv->state;
	json_t *items = json_array();

	for (uint32_t i = 0; i < st->antennas.n; i++) {
		const struct inv_antenna *a = &st->antennas.v[i];

		json_array_append_new(items, antenna_json(inv, a->agent, a->reader, a->number));
	}
	for (size_t i = 0; i < inv->n_assignments; i++) {
		const struct inv_assignment *a = &inv->assignments[i];

		if (inv_state_find_antenna(st, a->agent, a->reader, a->number) == INV_NONE)
			json_array_append_new(items,
					      antenna_json(inv, a->agent, a->reader, a->number));
	}
	list_reply(rq, items, 0);
}
