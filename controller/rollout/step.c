/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rollout/step.h"
#include "common/err.h"
#include "common/fault.h"
#include "controller/db/db.h"
#include "controller/rollout/change.h"
#include "controller/rollout/forecast.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS_MAX  4   /* decisions in a row: a wave without labels waits for nobody */
#define SAMPLES_MAX 240 /* then every second one goes, and they come half as often */

/* --- forecast and samples ----------------------------------------------------------------------
 */

/* Labels of the waves to come at their busiest access point. */
static int waiting_waves(struct sql *s, const struct rollout_row *row, struct forecast_facts *f)
{
	struct sql_stmt *q = sql_prepare(
		s, "SELECT r.wave, count(*) FROM rollout_labels r JOIN labels l ON l.addr = r.addr"
		   " WHERE r.rollout_id = ? AND r.wave > ? GROUP BY r.wave, l.agent_id");
	int r;

	sql_bind_i64(q, 1, row->id);
	sql_bind_i64(q, 2, row->wave);
	while ((r = sql_step(q)) > 0) {
		int64_t wave = sql_col_i64(q, 0);

		if (wave >= 1 && wave <= row->n_waves)
			f->waves[wave - 1].to_stage =
				MAX(f->waves[wave - 1].to_stage, sql_col_i64(q, 1));
	}
	return r;
}

static int store_forecast(struct sql *s, int64_t id, const struct forecast *f, bool first)
{
	struct sql_stmt *q =
		first ? sql_prepare(s, "UPDATE rollouts SET forecast = ?2, first_forecast = ?2"
				       " WHERE id = ?1")
		      : sql_prepare(s, "UPDATE rollouts SET forecast = ?2 WHERE id = ?1");
	_cleanup_free_ char *text = forecast_pack(f);

	if (!text)
		return -ENOMEM;
	sql_bind_i64(q, 1, id);
	sql_bind_text(q, 2, text);
	return sql_run(q);
}

double rollout_rate_before(struct sql *s, int64_t id)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT rate FROM rollouts WHERE rate > 0 AND id < ?"
					    " ORDER BY id DESC LIMIT 1");
	double rate = 0;

	sql_bind_i64(q, 1, id);
	if (sql_step(q) > 0)
		rate = sql_col_f64(q, 0);
	sql_reset(q);
	return rate;
}

int rollout_step_forecast(struct sql *s, const struct rollout_row *row, const struct scan *scan,
			  int64_t now_us, bool first)
{
	const struct scan_agent *slowest = scan ? rollout_scan_slowest(scan) : NULL;
	struct forecast_facts f = {.now_us = now_us,
				   .start_us = row->start_us,
				   .state = row->state,
				   .wave = row->wave,
				   .n_waves = row->n_waves,
				   .rules = row->rules,
				   .rate = row->rate,
				   .rate_before = rollout_rate_before(s, row->id)};
	struct forecast forecast;
	int r = waiting_waves(s, row, &f);

	if (r < 0)
		return r;
	for (int64_t w = 0; w < row->n_waves; w++) {
		f.waves[w].labels = row->waves[w].labels;
		f.waves[w].staged = row->waves[w].staged;
	}
	if (row->wave) {
		f.flip_us = row->waves[row->wave - 1].flip_us;
		f.waves[row->wave - 1].to_stage = slowest ? slowest->left : 0;
	}
	forecast_make(&f, &forecast);
	return store_forecast(s, row->id, &forecast, first);
}

static int latest_sample(struct sql *s, int64_t id, int64_t *ret_us, int64_t *ret_n)
{
	struct sql_stmt *q = sql_prepare(
		s, "SELECT max(at), count(*) FROM rollout_samples WHERE rollout_id = ?");
	int r;

	sql_bind_i64(q, 1, id);
	r = sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ERR_DB;
	*ret_us = sql_col_i64(q, 0);
	*ret_n = sql_col_i64(q, 1);
	sql_reset(q);
	return 0;
}

static int thin_samples(struct sql *s, struct rollout_row *row)
{
	struct sql_stmt *q = sql_prepare(
		s, "DELETE FROM rollout_samples WHERE rollout_id = ?1 AND at IN (SELECT at FROM"
		   " (SELECT at, row_number() OVER (ORDER BY at) AS n FROM rollout_samples"
		   " WHERE rollout_id = ?1) WHERE n % 2 = 0)");

	sql_bind_i64(q, 1, row->id);
	row->sample_us *= 2;
	return sql_run(q);
}

static int64_t expected_by_now(struct sql *s, int64_t id, int64_t now_us)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT first_forecast FROM rollouts WHERE id = ?");
	struct forecast f;
	int64_t n = 0;

	sql_bind_i64(q, 1, id);
	if (sql_step(q) > 0 && forecast_unpack(sql_col_text(q, 0), &f))
		n = forecast_staged(&f, now_us);
	sql_reset(q);
	return n;
}

static int add_sample(struct sql *s, const struct rollout_row *row, int64_t now_us)
{
	struct rollout_wave t = rollout_row_totals(row);
	int64_t expected = expected_by_now(s, row->id, now_us);
	struct sql_stmt *q =
		sql_prepare(s, "INSERT INTO rollout_samples(rollout_id, at, staged, flipped, shown,"
			       " failed, forecast_staged) VALUES(?, ?, ?, ?, ?, ?, ?)"
			       " ON CONFLICT DO NOTHING");

	sql_bind_i64(q, 1, row->id);
	sql_bind_i64(q, 2, now_us);
	sql_bind_i64(q, 3, t.staged);
	sql_bind_i64(q, 4, t.flipped);
	sql_bind_i64(q, 5, t.shown);
	sql_bind_i64(q, 6, t.failed);
	sql_bind_i64(q, 7, expected);
	return sql_run(q);
}

/* What a page draws: not more often than it can be seen, and whenever the state changes. */
static int keep_record(struct sql *s, struct rollout_row *row, const struct scan *scan,
		       int64_t now_us, bool turned)
{
	int64_t latest, n;
	int r = latest_sample(s, row->id, &latest, &n);

	if (r < 0 || (!turned && now_us < latest + row->sample_us))
		return r;
	r = add_sample(s, row, now_us);
	if (r == 0 && n + 1 > SAMPLES_MAX)
		r = thin_samples(s, row);
	if (r == 0 && row->state <= ROLLOUT_SETTLING)
		r = rollout_step_forecast(s, row, scan, now_us, false);
	return r;
}

/* --- one step ----------------------------------------------------------------------------------
 */

static void gather(const struct rollout_row *row, const struct scan *scan, int64_t now_us,
		   struct rollout_facts *f)
{
	const struct scan_agent *slowest = rollout_scan_slowest(scan);

	*f = (struct rollout_facts){.now_us = now_us,
				    .state = row->state,
				    .start_us = row->start_us,
				    .since_us = row->since_us,
				    .flip_us = row->wave ? row->waves[row->wave - 1].flip_us : 0,
				    .back_us = row->back_us,
				    .wave = row->wave,
				    .n_waves = row->n_waves,
				    .forgiven = row->forgiven,
				    .rules = row->rules,
				    .counts = scan->present,
				    .slowest = slowest ? slowest->name : NULL};
}

static int halt(struct sql *s, struct rollout_row *row, const struct rollout_decision *d,
		int64_t now_us)
{
	char object[40];

	row->resume_state = row->state;
	rollout_row_enter(row, ROLLOUT_HALTED, now_us, d->reason);
	snprintf(object, sizeof object, "rollout:%lld", (long long) row->id);
	return db_audit(s, "rollout", "rollout.halt", object, d->reason);
}

static int carry_out(struct sql *s, struct rollout_row *row, const struct rollout_decision *d,
		     int64_t now_us, struct rollout_step *st)
{
	char reason[ROLLOUT_REASON_MAX];

	switch (d->action) {
	case ROLLOUT_BEGIN_WAVE:
		st->marked = true;
		return rollout_begin_wave(s, row, d->wave, now_us);
	case ROLLOUT_FLIP:
		st->marked = true;
		return rollout_flip(s, row, d->at_us, now_us);
	case ROLLOUT_SETTLE:
		rollout_row_enter(row, ROLLOUT_SETTLING, now_us, NULL);
		return 0;
	case ROLLOUT_HALT:
		return halt(s, row, d, now_us);
	case ROLLOUT_FINISH:
		st->marked = true;
		return rollout_close(s, row, ROLLOUT_DONE, now_us, NULL);
	case ROLLOUT_CLOSE_BACK:
		st->marked = true;
		snprintf(reason, sizeof reason, "%s", row->reason);
		return rollout_close(s, row, ROLLOUT_ROLLED_BACK, now_us, reason);
	default:
		return 0;
	}
}

static bool same_counts(const struct rollout_row *a, const struct rollout_row *b)
{
	return memcmp(a->waves, b->waves, sizeof a->waves) == 0;
}

static int store(struct sql *s, const struct rollout_row *row)
{
	int r = rollout_row_store(s, row);

	for (int64_t n = 1; n <= row->n_waves && r == 0; n++)
		r = rollout_wave_store(s, row, n);
	return r;
}

static void note_changed(struct rollout_step *st, int64_t id)
{
	if (st->n_changed < STEP_CHANGED_MAX)
		st->changed[st->n_changed++] = id;
}

/* Looks and decides until there is nothing to do at this instant. */
static int work_through(struct sql *s, struct rollout_row *row, int64_t now_us,
			struct rollout_step *st, struct scan *scan)
{
	struct rollout_decision d;
	struct rollout_facts f;
	int r = 0;

	for (int i = 0; i < ROUNDS_MAX; i++) {
		double rate;

		rollout_scan_done(scan);
		r = rollout_scan(s, row, &st->online, now_us, scan);
		if (r < 0)
			return r;
		rate = row->state == ROLLOUT_STAGING ? rollout_scan_rate(scan, row->since_us) : 0;
		if (rate > 0)
			row->rate = rate;
		gather(row, scan, now_us, &f);
		rollout_decide(&f, &d);
		if (d.action == ROLLOUT_WAIT)
			break;
		r = carry_out(s, row, &d, now_us, st);
		if (r < 0)
			return r;
	}
	st->look_us = MIN(st->look_us, d.action == ROLLOUT_WAIT ? d.look_us : now_us);
	return 0;
}

int rollout_step_one(struct sql *s, int64_t id, int64_t now_us, struct rollout_step *st)
{
	struct rollout_row row, before;
	struct scan scan = {.n_agents = 0};
	size_t overtaken;
	bool turned;
	int r = rollout_row_load(s, id, &row);

	if (r < 0 || rollout_is_closed(row.state))
		return r;
	before = row;
	r = rollout_overtake(s, &row, now_us, &overtaken);
	if (r < 0)
		return r;
	st->marked = st->marked || overtaken > 0;
	r = work_through(s, &row, now_us, st, &scan);
	turned = row.state != before.state || row.wave != before.wave;
	if (r == 0)
		r = keep_record(s, &row, &scan, now_us, turned);
	if (r == 0 && memcmp(&row, &before, sizeof row) != 0)
		r = store(s, &row);
	if (r == 0 && (turned || scan.changed || !same_counts(&row, &before)))
		note_changed(st, id);
	if (!rollout_is_closed(row.state)) {
		st->open = true;
		st->active =
			st->active || (row.state != ROLLOUT_PAUSED && row.state != ROLLOUT_HALTED &&
				       row.state != ROLLOUT_SCHEDULED);
	}
	rollout_scan_done(&scan);
	return r;
}

int rollout_step_all(struct sql *s, struct rollout_step *st)
{
	struct sql_stmt *q =
		sql_prepare(s, "SELECT id FROM rollouts WHERE finished IS NULL ORDER BY id");
	int64_t ids[STEP_CHANGED_MAX], now_us;
	size_t n = 0;
	int r = db_now_us(s, &now_us);

	if (r < 0)
		return r;
	while (n < STEP_CHANGED_MAX && (r = sql_step(q)) > 0)
		ids[n++] = sql_col_i64(q, 0);
	sql_reset(q);
	if (n == STEP_CHANGED_MAX)
		r = 0;
	st->look_us = INT64_MAX;
	for (size_t i = 0; i < n && r == 0; i++) {
		r = rollout_step_one(s, ids[i], now_us, st);
		FAULT_POINT("ctl.rollout.step");
	}
	return r;
}
