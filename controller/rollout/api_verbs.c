/* SPDX-License-Identifier: Apache-2.0 */
/* POST /api/v1/rollouts/{id}/pause, resume, cancel and rollback {reason?}. */
#include "common/err.h"
#include "common/fault.h"
#include "controller/db/db.h"
#include "controller/people/auth.h"
#include "controller/rollout/change.h"
#include "controller/rollout/rollout_internal.h"
#include "controller/shop/product_text.h"
#include "controller/shop/shop.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SAID_MAX 200

struct verb_op {
	struct http_request *rq;
	struct app *app;
	char who[AUTH_WHO_MAX];
	enum rollout_verb verb;
	int64_t id;
	char said[SAID_MAX + 1];
	struct scan_online online;
	enum rollout_state was; /* out: refused in this state */
};

static const char *const verb_names[] = {"pause", "resume", "cancel", "rollback"};
static const char *const verb_said[] = {"Paused by ", "", "Cancelled by ", "Rolled back by "};

static void make_reason(const struct verb_op *op, char reason[ROLLOUT_REASON_MAX])
{
	snprintf(reason, ROLLOUT_REASON_MAX, "%s%s%s%s", verb_said[op->verb], op->who,
		 op->said[0] ? ": " : ".", op->said);
}

/* What is wrong now is accepted; the clock of the gate starts anew. */
static int resume(struct sql *s, const struct verb_op *op, struct rollout_row *row, int64_t now_us)
{
	bool halted = row->state == ROLLOUT_HALTED;
	struct scan scan;
	int r = rollout_scan(s, row, &op->online, now_us, &scan);

	if (r < 0)
		return r;
	if (halted)
		row->forgiven = rollout_forgive(&scan.present);
	rollout_scan_done(&scan);
	rollout_row_enter(row, row->resume_state, now_us, NULL);
	return 0;
}

static int apply(struct sql *s, const struct verb_op *op, struct rollout_row *row, int64_t now_us)
{
	char reason[ROLLOUT_REASON_MAX];

	make_reason(op, reason);
	switch (op->verb) {
	case ROLLOUT_PAUSE:
		row->resume_state = row->state;
		rollout_row_enter(row, ROLLOUT_PAUSED, now_us, reason);
		return 0;
	case ROLLOUT_RESUME:
		return resume(s, op, row, now_us);
	case ROLLOUT_CANCEL:
		return rollout_close(s, row, ROLLOUT_CANCELLED, now_us, reason);
	default:
		return rollout_go_back(s, row, now_us, reason);
	}
}

static int verb_write(struct sql *s, void *arg)
{
	struct verb_op *op = arg;
	char object[40], action[40];
	struct rollout_row row;
	size_t overtaken;
	int64_t now_us;
	int r = db_now_us(s, &now_us);

	if (r == 0)
		r = rollout_row_load(s, op->id, &row);
	if (r < 0)
		return r;
	op->was = row.state;
	if (!rollout_allows(row.state, op->verb))
		return -ERR_STATE;
	r = rollout_overtake(s, &row, now_us, &overtaken);
	if (r == 0)
		r = apply(s, op, &row, now_us);
	FAULT_POINT("ctl.rollout.verb");
	if (r == 0)
		r = rollout_row_store(s, &row);
	if (r < 0)
		return r;
	snprintf(object, sizeof object, "rollout:%lld", (long long) op->id);
	snprintf(action, sizeof action, "rollout.%s", verb_names[op->verb]);
	return db_audit(s, op->who, action, object, op->said);
}

static void verb_done(void *arg, int err)
{
	struct verb_op *op = arg;
	struct rollout_row row;
	struct sql *s = db_reader(op->app->db);

	FAULT_POINT("ctl.rollout.verb_done");
	if (err == 0)
		err = rollout_row_load(s, op->id, &row);
	if (err == -ENOENT) {
		http_problem(op->rq, 404, "no-such-rollout", "There is no such rollout.");
	} else if (err == -ERR_STATE) {
		http_problem(op->rq, 409, "wrong-state",
			     "The rollout is %s: %s is not possible now.",
			     rollout_state_text(op->was), verb_names[op->verb]);
	} else if (err < 0) {
		http_reply_err(op->rq, err, "Rollout");
	} else {
		http_reply_json(op->rq, 200, rollout_json(s, &row, true));
		rollouts_publish(op->app, op->id);
		shop_look_for_marks(op->app->shop);
		rollouts_step_now(op->app->rollouts);
	}
	free(op);
}

/* The body may be left out altogether. */
static bool read_reason(struct http_request *rq, struct verb_op *op)
{
	char clean[PRODUCT_TEXT_MAX + 1];
	const json_t *reason;
	bool good = true;
	json_t *body;
	size_t len, at;

	(void) http_body(rq, &len);
	if (len == 0)
		return true;
	body = http_json(rq);
	if (!body)
		return false;
	reason = json_object_get(body, "reason");
	if (reason && !json_is_null(reason)) {
		good = json_is_string(reason) && json_string_length(reason) <= SAID_MAX &&
		       product_text_clean(json_string_value(reason), json_string_length(reason),
					  clean, &at) == 0;
		if (good)
			snprintf(op->said, sizeof op->said, "%.*s", SAID_MAX, clean);
		else
			http_problem(rq, 422, "too-long", "A reason has at most %d bytes of text.",
				     SAID_MAX);
	}
	json_decref(body);
	return good;
}

static void begin(struct http_request *rq, struct app *app, enum rollout_verb verb)
{
	struct verb_op *op = calloc(1, sizeof *op);
	int r;

	if (!op) {
		http_reply_err(rq, -ENOMEM, "Rollout");
		return;
	}
	op->rq = rq;
	op->app = app;
	op->verb = verb;
	auth_who_text(http_who(rq), op->who);
	if (!rollout_api_id(rq, &op->id) || !read_reason(rq, op)) {
		free(op);
		return;
	}
	rollouts_online(app, &op->online);
	r = db_write(app->db, verb_write, verb_done, op);
	if (r < 0) {
		http_reply_err(rq, r, "Rollout");
		free(op);
	}
}

void rollout_api_pause(struct http_request *rq, struct app *app)
{
	begin(rq, app, ROLLOUT_PAUSE);
}

void rollout_api_resume(struct http_request *rq, struct app *app)
{
	begin(rq, app, ROLLOUT_RESUME);
}

void rollout_api_cancel(struct http_request *rq, struct app *app)
{
	begin(rq, app, ROLLOUT_CANCEL);
}

void rollout_api_rollback(struct http_request *rq, struct app *app)
{
	begin(rq, app, ROLLOUT_ROLLBACK);
}
