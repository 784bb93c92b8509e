/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/walks: starting, ending, deleting, listing. */
#include "controller/inventory/walk.h"
#include "common/err.h"
#include "common/fault.h"
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

enum walk_act {
	WALK_START,
	WALK_STOP,
	WALK_DELETE
};

struct walk_op {
	struct http_request *rq;
	struct app *app;
	enum walk_act act;
	char by[AUTH_WHO_MAX];
	struct idempotency once;
	int64_t id, place, until_s;
	struct epc epc;
	/* what the antennas said of the tag before it was carried anywhere */
	size_t n_before;
	struct {
		struct inv_antenna antenna;
		struct inv_evidence told;
	} before[INV_MAX_EVIDENCE];
	const char *refused; /* why not, for a 409 */
};

/* --- writing -----------------------------------------------------------------------------------
 */

static int one_number(struct sql *s, const char *text, const struct walk_op *op, int64_t *ret)
{
	struct sql_stmt *q = sql_prepare(s, text);
	int r;

	if (op) {
		sql_bind_blob(q, 1, op->epc.data, epc_bytes(&op->epc));
		sql_bind_i64(q, 2, op->epc.bits);
	}
	r = sql_step(q);
	*ret = r > 0 ? sql_col_i64(q, 0) : 0;
	sql_reset(q);
	return r < 0 ? r : 0;
}

static int check_start(struct sql *s, struct walk_op *op)
{
	int64_t open = 0, same = 0, all = 0;
	int r = one_number(s, "SELECT count(*) FROM walks WHERE ended IS NULL", NULL, &open);

	if (!r)
		r = one_number(s, "SELECT count(*) FROM walks", NULL, &all);
	if (!r)
		r = one_number(s,
			       "SELECT count(*) FROM walks WHERE epc = ? AND epc_bits = ?"
			       " AND ended IS NULL",
			       op, &same);
	if (r)
		return r;
	if (same)
		op->refused = "This tag is being carried already: end that walk first.";
	else if (open >= PROTO_MAX_FOLLOW)
		op->refused = "Sixteen walks are going on: end one first.";
	else if (all >= WALK_KEPT)
		op->refused = "There are 256 walks: delete old ones first.";
	return op->refused ? -ERR_STATE : 0;
}

static int keep_before(struct sql *s, const struct walk_op *op, int64_t now_us)
{
	int r = 0;

	for (size_t i = 0; i < op->n_before && !r; i++) {
		const struct inv_antenna *a = &op->before[i].antenna;
		const struct inv_evidence *e = &op->before[i].told;
		struct sql_stmt *q = sql_prepare(
			s, "INSERT INTO walk_told(walk_id, at, agent_id, reader, antenna, present,"
			   " rssi_cdbm, rate_mhz, key) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)");
		char key[32];

		snprintf(key, sizeof(key), "before:%zu", i);
		sql_bind_i64(q, 1, op->id);
		sql_bind_i64(q, 2, now_us);
		sql_bind_i64(q, 3, (int64_t) a->agent);
		sql_bind_text(q, 4, a->reader);
		sql_bind_i64(q, 5, a->number);
		sql_bind_i64(q, 6, e->present);
		sql_bind_i64(q, 7, e->rssi_cdbm);
		sql_bind_i64(q, 8, e->rate_mhz);
		sql_bind_text(q, 9, key);
		r = sql_run(q);
	}
	return r;
}

static int start(struct sql *s, struct walk_op *op, int64_t now_us)
{
	char answer[64];
	struct sql_stmt *q;
	int r = check_start(s, op);

	if (r)
		return r;
	q = sql_prepare(s, "INSERT INTO walks(place_id, epc, epc_bits, started, until, who)"
			   " VALUES(?, ?, ?, ?, ?, ?)");
	sql_bind_i64(q, 1, op->place);
	sql_bind_blob(q, 2, op->epc.data, epc_bytes(&op->epc));
	sql_bind_i64(q, 3, op->epc.bits);
	sql_bind_i64(q, 4, now_us);
	sql_bind_i64(q, 5, now_us + op->until_s * US_PER_SEC);
	sql_bind_text(q, 6, op->by);
	r = sql_run(q);
	op->id = sql_last_rowid(s);
	if (!r)
		r = keep_before(s, op, now_us);
	snprintf(answer, sizeof(answer), "{\"id\":%lld}", (long long) op->id);
	return r ? r : idempotency_store(s, &op->once, 201, answer);
}

static int stop(struct sql *s, const struct walk_op *op, int64_t now_us)
{
	struct sql_stmt *q =
		sql_prepare(s, "UPDATE walks SET ended = coalesce(ended, min(until, ?))"
			       " WHERE id = ?");
	int r;

	sql_bind_i64(q, 1, now_us);
	sql_bind_i64(q, 2, op->id);
	r = sql_run(q);
	return r ? r : sql_changes(s) ? 0 : -ENOENT;
}

static int delete_walk(struct sql *s, const struct walk_op *op)
{
	struct sql_stmt *q = sql_prepare(s, "DELETE FROM walks WHERE id = ?");
	int r;

	sql_bind_i64(q, 1, op->id);
	r = sql_run(q);
	return r ? r : sql_changes(s) ? 0 : -ENOENT;
}

static int write_walk(struct sql *s, void *arg)
{
	static const char *const actions[] = {"walk.start", "walk.stop", "walk.delete"};
	struct walk_op *op = arg;
	char object[32], hex[EPC_HEX_MAX];
	int64_t now_us;
	int r = db_now_us(s, &now_us);

	if (!r)
		r = op->act == WALK_START  ? start(s, op, now_us)
		    : op->act == WALK_STOP ? stop(s, op, now_us)
					   : delete_walk(s, op);
	if (!r)
		r = watch_changed(s);
	if (r)
		return r;
	FAULT_POINT("ctl.walk.before_commit");
	snprintf(object, sizeof(object), "walk:%lld", (long long) op->id);
	return db_audit(s, op->by, actions[op->act], object,
			op->act == WALK_START ? epc_to_hex(&op->epc, hex) : NULL);
}

static void walk_written(void *arg, int err)
{
	struct walk_op *op = arg;
	struct inventory *inv = op->app->inventory;

	if (!err) {
		walks_reload(inv->walks);
		watch_wake(op->app);
		events_publish(op->app->events, "walk", json_object());
	}
	if (op->refused)
		http_problem(op->rq, 409, "wrong-state", "%s", op->refused);
	else if (err == -ERR_CONFLICT)
		http_problem(op->rq, 409, "no-such-place", "There is no such place any more.");
	else if (err)
		http_reply_err(op->rq, err, "Walk");
	else if (op->act == WALK_DELETE)
		http_reply_empty(op->rq, 204);
	else
		http_reply_json(op->rq, op->act == WALK_START ? 201 : 200,
				walk_json(inv, op->id, true));
	free(op);
}

static struct walk_op *new_op(struct http_request *rq, struct app *app, enum walk_act act)
{
	struct walk_op *op = calloc(1, sizeof(*op));

	if (!op) {
		http_reply_err(rq, -ENOMEM, "Walk");
		return NULL;
	}
	op->rq = rq;
	op->app = app;
	op->act = act;
	(void) auth_who_text(http_who(rq), op->by);
	return op;
}

static void queue(struct walk_op *op)
{
	int r = db_write(op->app->db, write_walk, walk_written, op);

	if (!r)
		return;
	http_reply_err(op->rq, r, "Walk");
	free(op);
}

/* --- what is asked -----------------------------------------------------------------------------
 */

static void remember_before(struct walk_op *op)
{
	const struct inv_state *st = op->app->inventory->state;
	struct belief_evidence ev[INV_MAX_EVIDENCE];
	uint32_t ids[INV_MAX_EVIDENCE], item = inv_state_find(st, &op->epc);

	if (item == INV_NONE)
		return;
	op->n_before = inv_item_evidence(st, item, ev, ids);
	for (size_t i = 0; i < op->n_before; i++) {
		op->before[i].told = st->evidence.v[ids[i]];
		op->before[i].antenna = st->antennas.v[op->before[i].told.antenna];
	}
}

static bool read_start(struct walk_op *op)
{
	json_t *body = http_json(op->rq);
	const char *epc = NULL;
	json_int_t place = 0, seconds = WALK_USUAL_S;
	json_error_t e;
	bool ok = false;

	if (!body)
		return false;
	if (json_unpack_ex(body, &e, JSON_STRICT, "{s:I,s:s,s?I}", "place_id", &place, "epc", &epc,
			   "seconds", &seconds) < 0)
		http_problem(op->rq, 422, "bad-walk",
			     "A walk has a place_id, an epc and perhaps seconds: %s.", e.text);
	else if (epc_from_hex(epc, &op->epc) < 0)
		http_problem(op->rq, 422, "bad-epc", "An EPC is an even number of hex digits.");
	else if (place < 1 || place > UINT32_MAX ||
		 !inventory_place(op->app->inventory, (uint32_t) place))
		http_problem(op->rq, 422, "no-such-place", "There is no such place.");
	else if (seconds < 10 || seconds > WALK_LONGEST_S)
		http_problem(op->rq, 422, "bad-time", "A walk takes 10 to %d seconds.",
			     WALK_LONGEST_S);
	else
		ok = true;
	op->place = place;
	op->until_s = seconds;
	json_decref(body);
	return ok;
}

void walks_start(struct http_request *rq, struct app *app)
{
	struct walk_op *op = new_op(rq, app, WALK_START);

	if (!op)
		return;
	if (!idempotency_begin(rq, app, &op->once) || !read_start(op)) {
		free(op);
		return;
	}
	remember_before(op);
	queue(op);
}

void walks_stop(struct http_request *rq, struct app *app)
{
	struct walk_op *op = new_op(rq, app, WALK_STOP);

	if (op && http_arg_id(rq, 0, &op->id))
		queue(op);
	else
		free(op);
}

void walks_delete(struct http_request *rq, struct app *app)
{
	struct walk_op *op = new_op(rq, app, WALK_DELETE);

	if (op && http_arg_id(rq, 0, &op->id))
		queue(op);
	else
		free(op);
}

/* --- lists -------------------------------------------------------------------------------------
 */

void walks_list(struct http_request *rq, struct app *app)
{
	struct list_page page;
	json_t *items;
	int64_t ids[LIST_MAX];
	size_t n = 0;
	struct sql_stmt *q;

	if (!list_page_read(rq, &page))
		return;
	q = sql_prepare(db_reader(app->db), "SELECT id FROM walks WHERE ?1 = 0 OR id < ?1"
					    " ORDER BY id DESC LIMIT ?2");
	sql_bind_i64(q, 1, page.after);
	sql_bind_i64(q, 2, page.limit);
	while (n < LIST_MAX && sql_step(q) > 0)
		ids[n++] = sql_col_i64(q, 0);
	sql_reset(q);
	items = json_array();
	for (size_t i = 0; i < n; i++) {
		json_t *walk = walk_json(app->inventory, ids[i], false);

		if (walk)
			json_array_append_new(items, walk);
	}
	list_reply(rq, items, (int64_t) n == page.limit ? ids[n - 1] : 0);
}

void walks_show(struct http_request *rq, struct app *app)
{
	int64_t id;
	json_t *walk;

	if (!http_arg_id(rq, 0, &id))
		return;
	walk = walk_json(app->inventory, id, true);
	if (walk)
		http_reply_json(rq, 200, walk);
	else
		http_problem(rq, 404, "no-such-walk", "There is no such walk.");
}
