/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/doors: two groups of antennas of one agent, inner and outer, at a place. */
#include "common/err.h"
#include "controller/db/db.h"
#include "controller/http/idempotency.h"
#include "controller/http/list.h"
#include "controller/inventory/exit.h"
#include "controller/inventory/plan.h"
#include "controller/inventory/walk.h"
#include "controller/inventory/watch.h"
#include "controller/people/auth.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum door_act {
	DOOR_CREATE,
	DOOR_CHANGE,
	DOOR_DELETE
};

struct door_op {
	struct http_request *rq;
	struct app *app;
	enum door_act act;
	char by[AUTH_WHO_MAX];
	struct idempotency once;
	int64_t id, place, agent, grace_s;
	char name[PLACE_NAME_MAX + 1];
	bool has_antennas;
	struct proto_door door;
	const char *refused;
};

/* --- lists -------------------------------------------------------------------------------------
 */

static json_t *side_json(struct sql *s, int64_t door, const char *side)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT reader, antenna FROM door_antennas"
					    " WHERE door_id = ? AND side = ? ORDER BY 1, 2");
	json_t *list = json_array();

	sql_bind_i64(q, 1, door);
	sql_bind_text(q, 2, side);
	while (sql_step(q) > 0)
		json_array_append_new(list, json_pack("{s:s,s:I}", "reader", sql_col_text(q, 0),
						      "antenna", (json_int_t) sql_col_i64(q, 1)));
	return list;
}

static json_t *door_json(struct inventory *inv, struct sql_stmt *q)
{
	int64_t id = sql_col_i64(q, 0);
	uint64_t agent = (uint64_t) sql_col_i64(q, 3);
	struct sql *s = db_reader(inv->app->db);

	return json_pack("{s:I,s:s,s:o,s:I,s:o,s:I,s:o,s:o}", "id", (json_int_t) id, "name",
			 sql_col_text(q, 1), "place",
			 inventory_place_json(inv, (uint32_t) sql_col_i64(q, 2)), "agent_id",
			 (json_int_t) agent, "agent", inventory_agent_json(inv, agent), "grace_s",
			 (json_int_t) sql_col_i64(q, 4), "inner", side_json(s, id, "inner"),
			 "outer", side_json(s, id, "outer"));
}

#define SELECT_DOOR "SELECT id, name, place_id, agent_id, grace_s FROM doors"

void doors_list(struct http_request *rq, struct app *app)
{
	struct sql_stmt *q = sql_prepare(db_reader(app->db), SELECT_DOOR " ORDER BY id");
	json_t *items = json_array();

	while (sql_step(q) > 0)
		json_array_append_new(items, door_json(app->inventory, q));
	list_reply(rq, items, 0);
}

static void reply_door(struct door_op *op)
{
	struct sql_stmt *q = sql_prepare(db_reader(op->app->db), SELECT_DOOR " WHERE id = ?");
	json_t *body;

	sql_bind_i64(q, 1, op->id);
	if (sql_step(q) <= 0) {
		http_reply_err(op->rq, -ENOENT, "Door");
		return;
	}
	body = door_json(op->app->inventory, q);
	sql_reset(q);
	http_reply_json(op->rq, op->act == DOOR_CREATE ? 201 : 200, body);
}

/* --- writing -----------------------------------------------------------------------------------
 */

static int write_antennas(struct sql *s, const struct door_op *op)
{
	struct sql_stmt *q = sql_prepare(s, "DELETE FROM door_antennas WHERE door_id = ?");
	int r;

	sql_bind_i64(q, 1, op->id);
	r = sql_run(q);
	for (size_t i = 0; i < op->door.n && !r; i++) {
		const struct proto_door_antenna *a = &op->door.antennas[i];

		q = sql_prepare(s, "INSERT INTO door_antennas VALUES(?, ?, ?, ?)");
		sql_bind_i64(q, 1, op->id);
		sql_bind_text(q, 2, a->reader);
		sql_bind_i64(q, 3, a->antenna);
		sql_bind_text(q, 4, a->side == DOOR_INNER ? "inner" : "outer");
		r = sql_run(q);
	}
	return r;
}

static int create(struct sql *s, struct door_op *op)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT count(*), sum(agent_id = ?) FROM doors");
	char answer[64];
	int r;

	sql_bind_i64(q, 1, op->agent);
	r = sql_step(q);
	if (r > 0 && (sql_col_i64(q, 0) >= DOORS_MAX || sql_col_i64(q, 1) >= PROTO_MAX_DOORS))
		op->refused = "An access point has at most 16 doors, a store 64.";
	sql_reset(q);
	if (r < 0 || op->refused)
		return r < 0 ? r : -ERR_STATE;
	q = sql_prepare(s, "INSERT INTO doors(name, place_id, agent_id, grace_s)"
			   " VALUES(?, ?, ?, ?)");
	sql_bind_text(q, 1, op->name);
	sql_bind_i64(q, 2, op->place);
	sql_bind_i64(q, 3, op->agent);
	sql_bind_i64(q, 4, op->grace_s);
	r = sql_run(q);
	op->id = sql_last_rowid(s);
	if (!r)
		r = write_antennas(s, op);
	snprintf(answer, sizeof(answer), "{\"id\":%lld}", (long long) op->id);
	return r ? r : idempotency_store(s, &op->once, 201, answer);
}

static int change(struct sql *s, struct door_op *op)
{
	struct sql_stmt *q = sql_prepare(
		s, "UPDATE doors SET name = iif(?1 = '', name, ?1),"
		   " place_id = iif(?2 = 0, place_id, ?2), agent_id = iif(?3 = 0, agent_id, ?3),"
		   " grace_s = iif(?4 < 0, grace_s, ?4) WHERE id = ?5");
	int r;

	sql_bind_text(q, 1, op->name);
	sql_bind_i64(q, 2, op->place);
	sql_bind_i64(q, 3, op->has_antennas ? op->agent : 0);
	sql_bind_i64(q, 4, op->grace_s);
	sql_bind_i64(q, 5, op->id);
	r = sql_run(q);
	if (!r && !sql_changes(s))
		r = -ENOENT;
	return r || !op->has_antennas ? r : write_antennas(s, op);
}

static int delete_door(struct sql *s, const struct door_op *op)
{
	struct sql_stmt *q = sql_prepare(s, "DELETE FROM doors WHERE id = ?");
	int r;

	sql_bind_i64(q, 1, op->id);
	r = sql_run(q);
	return r ? r : sql_changes(s) ? 0 : -ENOENT;
}

static int write_door(struct sql *s, void *arg)
{
	static const char *const actions[] = {"door.create", "door.change", "door.delete"};
	struct door_op *op = arg;
	char object[32];
	int r = op->act == DOOR_CREATE   ? create(s, op)
		: op->act == DOOR_CHANGE ? change(s, op)
					 : delete_door(s, op);

	if (!r)
		r = watch_changed(s);
	if (r)
		return r;
	snprintf(object, sizeof(object), "door:%lld", (long long) op->id);
	return db_audit(s, op->by, actions[op->act], object, op->name[0] ? op->name : NULL);
}

static void door_written(void *arg, int err)
{
	struct door_op *op = arg;

	if (!err) {
		exits_reload(op->app->inventory);
		watch_wake(op->app);
	}
	if (op->refused)
		http_problem(op->rq, 409, "wrong-state", "%s", op->refused);
	else if (err == -ERR_CONFLICT)
		http_problem(op->rq, 409, "name-taken",
			     "There is a door of this name, or the place was deleted.");
	else if (err)
		http_reply_err(op->rq, err, "Door");
	else if (op->act == DOOR_DELETE)
		http_reply_empty(op->rq, 204);
	else
		reply_door(op);
	free(op);
}

static void queue(struct door_op *op)
{
	int r = db_write(op->app->db, write_door, door_written, op);

	if (!r)
		return;
	http_reply_err(op->rq, r, "Door");
	free(op);
}

/* --- what is asked -----------------------------------------------------------------------------
 */

static bool refuse(struct door_op *op, const char *code, const char *why)
{
	http_problem(op->rq, 422, code, "%s", why);
	return false;
}

static bool read_side(struct door_op *op, json_t *list, uint8_t side)
{
	struct inventory *inv = op->app->inventory;
	json_t *v;
	size_t i;

	if (!json_array_size(list))
		return refuse(op, "bad-door", "Each side of a door needs an antenna or more.");
	json_array_foreach(list, i, v)
	{
		struct proto_door_antenna *a = &op->door.antennas[op->door.n];
		const char *reader = json_string_value(json_object_get(v, "reader"));
		json_int_t n = json_integer_value(json_object_get(v, "antenna"));

		if (op->door.n == PROTO_MAX_DOOR_ANTENNAS)
			return refuse(op, "bad-door", "A door has at most 16 antennas.");
		if (!reader || !*reader || strlen(reader) >= sizeof(a->reader) || n < 1 ||
		    n > UINT16_MAX)
			return refuse(op, "bad-door", "An antenna of a door is {reader, antenna}.");
		if (inv_state_find_antenna(inv->state, (uint64_t) op->agent, reader,
					   (uint16_t) n) == INV_NONE &&
		    (n > PROTO_MAX_ANTENNAS ||
		     inventory_reader_has(inv, op->agent, reader, n) == 0))
			return refuse(op, "no-such-antenna",
				      "The access point has no such antenna.");
		for (size_t k = 0; k < op->door.n; k++)
			if (op->door.antennas[k].antenna == n &&
			    strcmp(op->door.antennas[k].reader, reader) == 0)
				return refuse(op, "bad-door",
					      "An antenna is on one side of a door, once.");
		*a = (struct proto_door_antenna){.antenna = (uint16_t) n, .side = side};
		memcpy(a->reader, reader, strlen(reader) + 1);
		op->door.n++;
	}
	return true;
}

static bool read_body(struct door_op *op, json_t *body)
{
	const char *name = NULL;
	json_int_t place = 0, agent = 0, grace = -1;
	json_t *inner = NULL, *outer = NULL;
	bool fresh = op->act == DOOR_CREATE;
	json_error_t e;

	if (json_unpack_ex(body, &e, JSON_STRICT, "{s?s,s?I,s?I,s?I,s?o,s?o}", "name", &name,
			   "place_id", &place, "agent_id", &agent, "grace_s", &grace, "inner",
			   &inner, "outer", &outer) < 0)
		return refuse(op, "bad-door",
			      "A door has name, place_id, agent_id, inner, outer and grace_s.");
	if ((fresh && !name) ||
	    (name && (!*name || strlen(name) > PLACE_NAME_MAX || strpbrk(name, "\r\n\t"))))
		return refuse(op, "bad-name", "A door's name has 1 to 64 bytes.");
	if ((fresh || place) && (place < 1 || place > UINT32_MAX ||
				 !inventory_place(op->app->inventory, (uint32_t) place)))
		return refuse(op, "no-such-place", "There is no such place.");
	if (grace < -1 || grace > EXIT_GRACE_MAX_S)
		return refuse(op, "bad-grace", "The grace is 0 to 86400 seconds.");
	op->has_antennas = inner || outer;
	if ((fresh || op->has_antennas) && (agent < 1 || !inner || !outer))
		return refuse(op, "bad-door",
			      "The antennas of a door are those of one agent: agent_id, inner and "
			      "outer.");
	snprintf(op->name, sizeof(op->name), "%s", name ? name : "");
	op->place = place;
	op->agent = agent;
	op->grace_s = fresh && grace < 0 ? EXIT_GRACE_S : grace;
	return !op->has_antennas ||
	       (read_side(op, inner, DOOR_INNER) && read_side(op, outer, DOOR_OUTER));
}

static struct door_op *new_op(struct http_request *rq, struct app *app, enum door_act act)
{
	struct door_op *op = calloc(1, sizeof(*op));

	if (!op) {
		http_reply_err(rq, -ENOMEM, "Door");
		return NULL;
	}
	op->rq = rq;
	op->app = app;
	op->act = act;
	(void) auth_who_text(http_who(rq), op->by);
	return op;
}

static void read_and_queue(struct door_op *op)
{
	json_t *body = http_json(op->rq);
	bool ok = body && read_body(op, body);

	json_decref(body);
	if (ok)
		queue(op);
	else
		free(op);
}

void doors_create(struct http_request *rq, struct app *app)
{
	struct door_op *op = new_op(rq, app, DOOR_CREATE);

	if (op && idempotency_begin(rq, app, &op->once))
		read_and_queue(op);
	else
		free(op);
}

void doors_change(struct http_request *rq, struct app *app)
{
	struct door_op *op = new_op(rq, app, DOOR_CHANGE);

	if (op && http_arg_id(rq, 0, &op->id))
		read_and_queue(op);
	else
		free(op);
}

void doors_delete(struct http_request *rq, struct app *app)
{
	struct door_op *op = new_op(rq, app, DOOR_DELETE);

	if (op && http_arg_id(rq, 0, &op->id))
		queue(op);
	else
		free(op);
}
