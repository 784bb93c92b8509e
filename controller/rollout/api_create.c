/* SPDX-License-Identifier: Apache-2.0 */
/* POST /api/v1/rollouts and /api/v1/rollouts/preview. */
#include "common/err.h"
#include "common/fault.h"
#include "controller/app_config.h"
#include "controller/db/db.h"
#include "controller/fleet/fleet.h"
#include "controller/http/idempotency.h"
#include "controller/people/auth.h"
#include "controller/rollout/draft.h"
#include "controller/rollout/forecast.h"
#include "controller/rollout/rollout_internal.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLE_US (2 * US_PER_SEC)

struct create_op {
	struct http_request *rq;
	struct app *app;
	struct idempotency again;
	char who[AUTH_WHO_MAX];
	struct draft draft;
	struct sql *reader; /* preview: a connection of its own */
	double rate_told;   /* what the access points say of themselves, asked on the loop */
	int64_t id;
	char *answer;
	json_t *preview;
	int err;
};

static void op_free(struct create_op *op)
{
	draft_done(&op->draft);
	sql_close(op->reader);
	json_decref(op->preview);
	free(op->answer);
	free(op);
}

/* --- what both have in common ------------------------------------------------------------------
 */

static void refuse_draft(struct create_op *op)
{
	http_problem_errors(op->rq, 422, "bad-rollout", json_incref(op->draft.errors),
			    "%lld things are wrong with this rollout; nothing was done.",
			    (long long) op->draft.error_count);
}

/* Reads the body; replies and yields NULL if there is something wrong with it. */
static struct create_op *begin(struct http_request *rq, struct app *app, bool preview)
{
	struct create_op *op = calloc(1, sizeof *op);
	json_t *body = op ? http_json(rq) : NULL;
	struct currency cur;
	int r;

	if (!op) {
		http_reply_err(rq, -ENOMEM, "Rollout");
		return NULL;
	}
	op->rq = rq;
	op->app = app;
	auth_who_text(http_who(rq), op->who);
	draft_init(&op->draft);
	if (!body) {
		op_free(op);
		return NULL;
	}
	r = currency_find(app->config->currency, &cur) ? 0 : -ERR_CONFIG;
	if (r == 0)
		r = draft_parse(&op->draft, body, &cur, clock_real_us(app->clock), !preview);
	json_decref(body);
	if (r == 0 && op->draft.error_count == 0)
		return op;
	if (r < 0)
		http_reply_err(rq, r, "Rollout");
	else
		refuse_draft(op);
	op_free(op);
	return NULL;
}

/* --- creating ----------------------------------------------------------------------------------
 */

static int insert_rollout(struct sql *s, struct create_op *op, int64_t now_us)
{
	const struct draft *d = &op->draft;
	struct sql_stmt *q = sql_prepare(
		s, "INSERT INTO rollouts(name, state, why, created, who, start_at, n_waves, since,"
		   " staged_percent, timeout_us, failed_percent, settle_us, lead_us, prices_seen,"
		   " sample_us) VALUES(?1, 'scheduled', ?2, ?3, ?4, ?5, ?6, ?3, ?7, ?8, ?9, ?10,"
		   " ?11, (SELECT coalesce(max(id), 0) FROM prices), ?12)");
	int r;

	sql_bind_text(q, 1, d->name);
	sql_bind_text(q, 2, d->why);
	sql_bind_i64(q, 3, now_us);
	sql_bind_text(q, 4, op->who);
	sql_bind_i64(q, 5, d->start_us ? d->start_us : now_us);
	sql_bind_i64(q, 6, d->plan.n_waves);
	sql_bind_f64(q, 7, d->rules.staged_percent);
	sql_bind_i64(q, 8, d->rules.timeout_us);
	sql_bind_f64(q, 9, d->rules.failed_percent);
	sql_bind_i64(q, 10, d->rules.settle_us);
	sql_bind_i64(q, 11, d->rules.lead_us);
	sql_bind_i64(q, 12, SAMPLE_US);
	r = sql_run(q);
	op->id = sql_last_rowid(s);
	return r;
}

static int insert_product(struct sql *s, const struct create_op *op, size_t i)
{
	const struct draft_change *c = &op->draft.changes[i];
	struct sql_stmt *q = sql_prepare(
		s, "INSERT INTO rollout_products(rollout_id, product_id, wave, price_minor,"
		   " currency, old_minor, seen_price) VALUES(?1, ?2, ?3, ?4, ?5, ?6,"
		   " (SELECT max(id) FROM prices WHERE product_id = ?2))");
	int64_t wave = op->draft.products[i].wave;
	int r;

	sql_bind_i64(q, 1, op->id);
	sql_bind_i64(q, 2, c->product_id);
	sql_bind_i64(q, 3, wave);
	sql_bind_i64(q, 4, c->price_minor);
	sql_bind_text(q, 5, op->draft.currency);
	sql_bind_i64(q, 6, c->old_minor);
	r = sql_run(q);
	if (r < 0)
		return r;
	q = sql_prepare(s,
			"INSERT INTO rollout_labels(rollout_id, addr, product_id, wave, agent_id,"
			" state, reason) SELECT ?1, addr, product_id, ?3, agent_id, 'waiting',"
			" 'Its wave has not begun.' FROM labels WHERE product_id = ?2");
	sql_bind_i64(q, 1, op->id);
	sql_bind_i64(q, 2, c->product_id);
	sql_bind_i64(q, 3, wave);
	return sql_run(q);
}

static int insert_all(struct sql *s, struct create_op *op, int64_t now_us)
{
	const struct draft *d = &op->draft;
	struct rollout_row row = {.id = 0};
	char object[40], detail[80];
	int r = insert_rollout(s, op, now_us);

	for (size_t i = 0; i < d->n && r == 0; i++)
		r = insert_product(s, op, i);
	row.id = op->id;
	for (int64_t n = 1; n <= d->plan.n_waves && r == 0; n++) {
		row.waves[n - 1] = (struct rollout_wave){.percent = d->plan.percents[n - 1],
							 .state = "waiting",
							 .products = d->plan.products[n - 1],
							 .labels = d->plan.labels[n - 1]};
		r = rollout_wave_store(s, &row, n);
	}
	if (r < 0)
		return r;
	snprintf(object, sizeof object, "rollout:%lld", (long long) op->id);
	snprintf(detail, sizeof detail, "%zu products in %lld waves", d->n,
		 (long long) d->plan.n_waves);
	return db_audit(s, op->who, "rollout.create", object, detail);
}

static int create_write(struct sql *s, void *arg)
{
	struct create_op *op = arg;
	struct rollout_row row;
	int64_t now_us;
	json_t *o;
	int r = db_now_us(s, &now_us);

	if (r == 0)
		r = draft_check(s, &op->draft, now_us);
	if (r == 0 && op->draft.error_count > 0)
		return -ERR_SYNTAX;
	if (r == 0 && op->draft.clash_id)
		return -ERR_CONFLICT;
	if (r == 0)
		r = insert_all(s, op, now_us);
	FAULT_POINT("ctl.rollout.create");
	if (r == 0)
		r = rollout_row_load(s, op->id, &row);
	if (r == 0)
		r = rollout_step_forecast(s, &row, NULL, now_us, true);
	if (r < 0)
		return r;
	o = rollout_json(s, &row, true);
	op->answer = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	return op->answer ? idempotency_store(s, &op->again, 201, op->answer) : -ENOMEM;
}

static void refuse_clash(struct create_op *op)
{
	const struct draft *d = &op->draft;
	json_t *errors =
		json_pack("[{s:s,s:I,s:s}]", "code", "rollout-conflict", "rollout_id",
			  (json_int_t) d->clash_id, "detail", "This rollout must be over first.");

	http_problem_errors(op->rq, 409, "rollout-conflict", errors,
			    "\"%s\" is in rollout %lld (%s), which is not over.", d->clash_product,
			    (long long) d->clash_id, d->clash_name);
}

static void create_failed(struct create_op *op, int err)
{
	if (op->draft.error_count > 0)
		refuse_draft(op);
	else if (op->draft.clash_id)
		refuse_clash(op);
	/* the same key came twice at once: the other one's answer is there by now */
	else if (err == -ERR_CONFLICT && op->again.key[0] &&
		 !idempotency_begin(op->rq, op->app, &op->again))
		return;
	else
		http_reply_err(op->rq, err, "Rollout");
}

static void create_done(void *arg, int err)
{
	struct create_op *op = arg;
	struct buf body = BUF_INIT;

	FAULT_POINT("ctl.rollout.created");
	if (err < 0) {
		create_failed(op, err);
	} else {
		buf_put_str(&body, op->answer);
		http_reply_buf(op->rq, 201, "application/json", &body);
		rollouts_publish(op->app, op->id);
		rollouts_step_now(op->app->rollouts);
	}
	op_free(op);
}

void rollout_api_create(struct http_request *rq, struct app *app)
{
	struct create_op *op = begin(rq, app, false);
	int r;

	if (!op)
		return;
	if (!idempotency_begin(rq, app, &op->again)) {
		op_free(op);
		return;
	}
	r = db_write(app->db, create_write, create_done, op);
	if (r < 0) {
		http_reply_err(rq, r, "Rollout");
		op_free(op);
	}
}

/* --- preview -----------------------------------------------------------------------------------
 */

/* Labels of one wave at one access point. */
struct share {
	int64_t agent_id, labels;
};

struct shares {
	struct share *list;
	size_t n;
};

static int add_share(struct shares *a, int64_t agent_id, int64_t labels)
{
	struct share *more;

	for (size_t i = 0; i < a->n; i++)
		if (a->list[i].agent_id == agent_id) {
			a->list[i].labels += labels;
			return 0;
		}
	more = reallocarray(a->list, a->n + 1, sizeof *more);
	if (!more)
		return -ENOMEM;
	a->list = more;
	a->list[a->n++] = (struct share){agent_id, labels};
	return 0;
}

static int add_product(struct sql *s, int64_t product_id, struct shares *a)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT coalesce(agent_id, 0), count(*) FROM labels"
					    " WHERE product_id = ? GROUP BY 1");
	int r;

	sql_bind_i64(q, 1, product_id);
	while ((r = sql_step(q)) > 0) {
		r = add_share(a, sql_col_i64(q, 0), sql_col_i64(q, 1));
		if (r < 0)
			break;
	}
	sql_reset(q);
	return r;
}

/* How much the busiest access point has to send in each wave. */
static int find_busiest(struct sql *s, const struct draft *d, struct forecast_facts *f)
{
	struct shares waves[ROLLOUT_WAVES_MAX] = {{0}};
	int r = 0;

	for (size_t i = 0; i < d->n && r == 0; i++)
		r = add_product(s, d->changes[i].product_id, &waves[d->products[i].wave - 1]);
	for (int64_t w = 0; w < ROLLOUT_WAVES_MAX; w++) {
		for (size_t i = 0; i < waves[w].n; i++)
			f->waves[w].to_stage = MAX(f->waves[w].to_stage, waves[w].list[i].labels);
		free(waves[w].list);
	}
	return r;
}

static int make_preview(struct create_op *op, int64_t now_us)
{
	const struct draft *d = &op->draft;
	struct forecast_facts f = {.now_us = now_us,
				   .start_us = d->start_us,
				   .n_waves = d->plan.n_waves,
				   .rules = d->rules,
				   .rate_before = rollout_rate_before(op->reader, INT64_MAX),
				   .rate_told = op->rate_told};
	json_t *waves = json_array();
	struct forecast forecast;
	int64_t labels = 0;
	int r = find_busiest(op->reader, d, &f);

	for (int64_t w = 0; w < d->plan.n_waves; w++) {
		f.waves[w].labels = d->plan.labels[w];
		labels += d->plan.labels[w];
		json_array_append_new(waves, json_pack("{s:I,s:f,s:I,s:I}", "n", (json_int_t) w + 1,
						       "percent", d->plan.percents[w], "products",
						       (json_int_t) d->plan.products[w], "labels",
						       (json_int_t) d->plan.labels[w]));
	}
	forecast_make(&f, &forecast);
	op->preview =
		json_pack("{s:I,s:I,s:o,s:o,s:o}", "products", (json_int_t) d->n, "labels",
			  (json_int_t) labels, "waves", waves, "forecast", forecast_json(&forecast),
			  "warnings", draft_warnings(op->reader, d, now_us));
	return r;
}

static void preview_work(void *user)
{
	struct create_op *op = user;
	int64_t now_us = clock_real_us(op->app->clock);

	op->err = draft_check(op->reader, &op->draft, now_us);
	if (op->err == 0 && op->draft.error_count == 0)
		op->err = make_preview(op, now_us);
}

static void preview_done(void *user)
{
	struct create_op *op = user;

	if (op->err < 0)
		http_reply_err(op->rq, op->err, "Preview");
	else if (op->draft.error_count > 0)
		refuse_draft(op);
	else
		http_reply_json(op->rq, 200, json_incref(op->preview));
	op_free(op);
}

void rollout_api_preview(struct http_request *rq, struct app *app)
{
	struct create_op *op = begin(rq, app, true);
	int r;

	if (!op)
		return;
	op->rate_told = app->fleet ? fleet_picture_rate(app->fleet) : 0;
	r = db_open_reader(app->db, &op->reader);
	if (r == 0)
		r = loop_work(app->loop, preview_work, preview_done, op);
	if (r < 0) {
		http_reply_err(rq, r, "Preview");
		op_free(op);
	}
}
