/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rollout/row.h"
#include "common/clock.h"
#include "common/err.h"
#include "controller/rollout/forecast.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ROLLOUT_COLUMNS                                                                            \
	"SELECT id, name, state, resume_state, reason, why, created, who, start_at, finished,"     \
	" n_waves, wave, since, back_at, staged_percent, timeout_us, failed_percent, settle_us,"   \
	" lead_us, forgiven, rate, prices_seen, sample_us FROM rollouts WHERE id = ?"

static void copy_text(struct sql_stmt *q, int i, char *to, size_t cap)
{
	const char *text = sql_col_text(q, i);

	snprintf(to, cap, "%s", text ? text : "");
}

static void read_state(struct sql_stmt *q, int i, enum rollout_state *ret)
{
	const char *text = sql_col_text(q, i);

	if (!text || rollout_state_parse(text, ret) < 0)
		*ret = ROLLOUT_STAGING;
}

static void read_row(struct sql_stmt *q, struct rollout_row *r)
{
	*r = (struct rollout_row){.id = sql_col_i64(q, 0),
				  .created_us = sql_col_i64(q, 6),
				  .start_us = sql_col_i64(q, 8),
				  .finished_us = sql_col_i64(q, 9),
				  .n_waves = MIN(sql_col_i64(q, 10), ROLLOUT_WAVES_MAX),
				  .wave = sql_col_i64(q, 11),
				  .since_us = sql_col_i64(q, 12),
				  .back_us = sql_col_i64(q, 13),
				  .rules = {.staged_percent = sql_col_f64(q, 14),
					    .timeout_us = sql_col_i64(q, 15),
					    .failed_percent = sql_col_f64(q, 16),
					    .settle_us = sql_col_i64(q, 17),
					    .lead_us = sql_col_i64(q, 18)},
				  .forgiven = sql_col_i64(q, 19),
				  .rate = sql_col_f64(q, 20),
				  .prices_seen = sql_col_i64(q, 21),
				  .sample_us = sql_col_i64(q, 22)};
	copy_text(q, 1, r->name, sizeof r->name);
	read_state(q, 2, &r->state);
	read_state(q, 3, &r->resume_state);
	copy_text(q, 4, r->reason, sizeof r->reason);
	copy_text(q, 5, r->why, sizeof r->why);
	copy_text(q, 7, r->who, sizeof r->who);
}

static int load_waves(struct sql *s, struct rollout_row *r)
{
	struct sql_stmt *q = sql_prepare(
		s, "SELECT n, percent, state, flip_at, products, labels, staged, flipped, shown,"
		   " failed, back FROM rollout_waves WHERE rollout_id = ? ORDER BY n");
	int n;

	sql_bind_i64(q, 1, r->id);
	while ((n = sql_step(q)) > 0) {
		int64_t i = sql_col_i64(q, 0) - 1;
		struct rollout_wave *w;

		if (i < 0 || i >= ROLLOUT_WAVES_MAX)
			continue;
		w = &r->waves[i];
		*w = (struct rollout_wave){.percent = sql_col_f64(q, 1),
					   .flip_us = sql_col_i64(q, 3),
					   .products = sql_col_i64(q, 4),
					   .labels = sql_col_i64(q, 5),
					   .staged = sql_col_i64(q, 6),
					   .flipped = sql_col_i64(q, 7),
					   .shown = sql_col_i64(q, 8),
					   .failed = sql_col_i64(q, 9),
					   .back = sql_col_i64(q, 10)};
		copy_text(q, 2, w->state, sizeof w->state);
	}
	return n;
}

int rollout_row_load(struct sql *s, int64_t id, struct rollout_row *ret)
{
	struct sql_stmt *q = sql_prepare(s, ROLLOUT_COLUMNS);
	int r;

	sql_bind_i64(q, 1, id);
	r = sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	read_row(q, ret);
	sql_reset(q);
	return load_waves(s, ret);
}

static void bind_or_null(struct sql_stmt *q, int i, int64_t v)
{
	if (v)
		sql_bind_i64(q, i, v);
}

int rollout_row_store(struct sql *s, const struct rollout_row *r)
{
	struct sql_stmt *q = sql_prepare(
		s, "UPDATE rollouts SET state = ?2, resume_state = ?3, reason = ?4, wave = ?5,"
		   " since = ?6, back_at = ?7, forgiven = ?8, rate = ?9, prices_seen = ?10,"
		   " sample_us = ?11, finished = ?12 WHERE id = ?1");

	sql_bind_i64(q, 1, r->id);
	sql_bind_text(q, 2, rollout_state_text(r->state));
	sql_bind_text(q, 3, rollout_state_text(r->resume_state));
	sql_bind_text(q, 4, r->reason);
	sql_bind_i64(q, 5, r->wave);
	sql_bind_i64(q, 6, r->since_us);
	bind_or_null(q, 7, r->back_us);
	sql_bind_i64(q, 8, r->forgiven);
	sql_bind_f64(q, 9, r->rate);
	sql_bind_i64(q, 10, r->prices_seen);
	sql_bind_i64(q, 11, r->sample_us);
	bind_or_null(q, 12, r->finished_us);
	return sql_run(q);
}

int rollout_wave_store(struct sql *s, const struct rollout_row *r, int64_t n)
{
	const struct rollout_wave *w = &r->waves[n - 1];
	struct sql_stmt *q = sql_prepare(
		s,
		"INSERT INTO rollout_waves(rollout_id, n, percent, state, flip_at, products,"
		" labels, staged, flipped, shown, failed, back)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
		" ON CONFLICT DO UPDATE SET state = ?4, flip_at = ?5, products = ?6, labels = ?7,"
		" staged = ?8, flipped = ?9, shown = ?10, failed = ?11, back = ?12");

	sql_bind_i64(q, 1, r->id);
	sql_bind_i64(q, 2, n);
	sql_bind_f64(q, 3, w->percent);
	sql_bind_text(q, 4, w->state);
	bind_or_null(q, 5, w->flip_us);
	sql_bind_i64(q, 6, w->products);
	sql_bind_i64(q, 7, w->labels);
	sql_bind_i64(q, 8, w->staged);
	sql_bind_i64(q, 9, w->flipped);
	sql_bind_i64(q, 10, w->shown);
	sql_bind_i64(q, 11, w->failed);
	sql_bind_i64(q, 12, w->back);
	return sql_run(q);
}

void rollout_row_enter(struct rollout_row *r, enum rollout_state state, int64_t now_us,
		       const char *reason)
{
	r->state = state;
	r->since_us = now_us;
	snprintf(r->reason, sizeof r->reason, "%s", reason ? reason : "");
	if (rollout_is_closed(state))
		r->finished_us = now_us;
}

struct rollout_wave rollout_row_totals(const struct rollout_row *r)
{
	struct rollout_wave t = {.percent = 100};

	for (int64_t i = 0; i < r->n_waves; i++) {
		const struct rollout_wave *w = &r->waves[i];

		t.products += w->products;
		t.labels += w->labels;
		t.staged += w->staged;
		t.flipped += w->flipped;
		t.shown += w->shown;
		t.failed += w->failed;
		t.back += w->back;
	}
	return t;
}

int64_t rollout_row_began_us(const struct rollout_row *r)
{
	return MAX(r->created_us, r->start_us);
}

/* --- the API's object --------------------------------------------------------------------------
 */

static json_t *time_json(int64_t us)
{
	char text[CLOCK_RFC3339_MAX];

	return us ? json_string(clock_rfc3339(us, text)) : json_null();
}

static json_t *text_json(const char *text)
{
	return text[0] ? json_string(text) : json_null();
}

static json_t *waves_json(const struct rollout_row *r)
{
	json_t *a = json_array();

	for (int64_t i = 0; i < r->n_waves; i++) {
		const struct rollout_wave *w = &r->waves[i];

		json_array_append_new(
			a, json_pack("{s:I,s:f,s:I,s:I,s:s,s:I,s:I,s:I,s:I,s:I,s:o}", "n",
				     (json_int_t) i + 1, "percent", w->percent, "products",
				     (json_int_t) w->products, "labels", (json_int_t) w->labels,
				     "state", w->state, "staged", (json_int_t) w->staged, "flipped",
				     (json_int_t) w->flipped, "shown", (json_int_t) w->shown,
				     "failed", (json_int_t) w->failed, "rolled_back",
				     (json_int_t) w->back, "flip_at", time_json(w->flip_us)));
	}
	return a;
}

static json_t *samples_json(struct sql *s, int64_t id)
{
	struct sql_stmt *q =
		sql_prepare(s, "SELECT at, staged, flipped, shown, failed, forecast_staged"
			       " FROM rollout_samples WHERE rollout_id = ? ORDER BY at");
	json_t *a = json_array();

	sql_bind_i64(q, 1, id);
	while (sql_step(q) > 0)
		json_array_append_new(a,
				      json_pack("{s:o,s:I,s:I,s:I,s:I,s:I}", "at",
						time_json(sql_col_i64(q, 0)), "staged",
						(json_int_t) sql_col_i64(q, 1), "flipped",
						(json_int_t) sql_col_i64(q, 2), "shown",
						(json_int_t) sql_col_i64(q, 3), "failed",
						(json_int_t) sql_col_i64(q, 4), "forecast_staged",
						(json_int_t) sql_col_i64(q, 5)));
	return a;
}

static void set_forecasts(struct sql *s, const struct rollout_row *r, json_t *o)
{
	struct sql_stmt *q =
		sql_prepare(s, "SELECT forecast, first_forecast FROM rollouts WHERE id = ?");
	static const char *const names[2] = {"forecast", "first_forecast"};
	struct forecast f;

	sql_bind_i64(q, 1, r->id);
	if (sql_step(q) <= 0)
		return;
	for (int i = 0; i < 2; i++) {
		bool there = forecast_unpack(sql_col_text(q, i), &f);

		/* one that stands still has no end in sight */
		there = there && (i == 1 || r->state <= ROLLOUT_SETTLING);
		json_object_set_new(o, names[i], there ? forecast_json(&f) : json_null());
	}
	sql_reset(q);
}

json_t *rollout_json(struct sql *s, const struct rollout_row *r, bool whole)
{
	struct rollout_wave t = rollout_row_totals(r);
	json_t *o = json_pack(
		"{s:I,s:s,s:s,s:o,s:o,s:o,s:s,s:o,s:o,s:o,s:{s:f,s:I},s:{s:f},s:I,s:o}", "id",
		(json_int_t) r->id, "name", r->name, "state", rollout_state_text(r->state),
		"reason", text_json(r->reason), "why", text_json(r->why), "created",
		time_json(r->created_us), "by", r->who, "start", time_json(r->start_us), "finished",
		time_json(r->finished_us), "waves", waves_json(r), "gate", "staged_percent",
		r->rules.staged_percent, "timeout_s",
		(json_int_t) (r->rules.timeout_us / US_PER_SEC), "halt", "failed_percent",
		r->rules.failed_percent, "settle_s", (json_int_t) (r->rules.settle_us / US_PER_SEC),
		"lead_s",
		r->rules.lead_us ? json_integer(r->rules.lead_us / US_PER_SEC) : json_null());

	json_object_set_new(o, "wave", r->wave ? json_integer(r->wave) : json_null());
	json_object_set_new(o, "products", json_integer(t.products));
	json_object_set_new(o, "total", json_integer(t.labels));
	json_object_set_new(o, "staged", json_integer(t.staged));
	json_object_set_new(o, "flipped", json_integer(t.flipped));
	json_object_set_new(o, "shown", json_integer(t.shown));
	json_object_set_new(o, "failed", json_integer(t.failed));
	json_object_set_new(o, "rolled_back", json_integer(t.back));
	set_forecasts(s, r, o);
	if (whole)
		json_object_set_new(o, "samples", samples_json(s, r->id));
	return o;
}
