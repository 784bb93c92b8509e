/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rollout/rollout.h"
#include "common/err.h"
#include "common/fault.h"
#include "common/log.h"
#include "controller/db/db.h"
#include "controller/http/events.h"
#include "controller/rollout/rollout_internal.h"
#include "controller/shop/shop.h"
#include <errno.h>
#include <string.h>

#define PACE_US     US_PER_SEC       /* steps are not closer than this */
#define PACE_COST   20               /* nor take more than a twentieth of the time */
#define ACTIVE_US   (2 * US_PER_SEC) /* an access point that went away reports nothing */
#define IDLE_US     (15 * US_PER_SEC)
#define RETRY_US    (2 * US_PER_SEC)
#define LOOK_MAX_US (INT64_C(60) * US_PER_SEC) /* the clock may be set meanwhile */
#define BODY_MAX    (8u << 20)

struct rollouts {
	struct app *app;
	struct loop_timer *timer;
	bool running, again, stopped, open;
	int64_t began_us, cost_us; /* of the latest step, monotonic */
	struct rollout_step step;
};

const struct http_route rollout_routes[] = {
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/rollouts", PERM_VIEW, 0, rollout_api_list},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/rollouts", PERM_PRICES, BODY_MAX, rollout_api_create},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/rollouts/preview", PERM_PRICES, BODY_MAX,
	 rollout_api_preview},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/rollouts/{}", PERM_VIEW, 0, rollout_api_get},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/rollouts/{}/labels", PERM_VIEW, 0, rollout_api_labels},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/rollouts/{}/pause", PERM_PRICES, 0, rollout_api_pause},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/rollouts/{}/resume", PERM_PRICES, 0, rollout_api_resume},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/rollouts/{}/cancel", PERM_PRICES, 0, rollout_api_cancel},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/rollouts/{}/rollback", PERM_PRICES, 0,
	 rollout_api_rollback},
	{.path = NULL},
};

void rollouts_online(struct app *app, struct scan_online *ret)
{
	ret->n = shop_agents_online(app->shop, ret->ids, SCAN_AGENTS_MAX);
}

void rollouts_publish(struct app *app, int64_t id)
{
	struct rollout_row row;
	struct rollout_wave t;

	if (!app->events || rollout_row_load(db_reader(app->db), id, &row) < 0)
		return;
	t = rollout_row_totals(&row);
	events_publish(app->events, "rollout",
		       json_pack("{s:I,s:s,s:o,s:I,s:I,s:I,s:I,s:I}", "id", (json_int_t) id,
				 "state", rollout_state_text(row.state), "reason",
				 row.reason[0] ? json_string(row.reason) : json_null(), "total",
				 (json_int_t) t.labels, "staged", (json_int_t) t.staged, "flipped",
				 (json_int_t) t.flipped, "shown", (json_int_t) t.shown, "failed",
				 (json_int_t) t.failed));
}

/* --- steps -------------------------------------------------------------------------------------
 */

static int64_t mono_us(const struct rollouts *r)
{
	return clock_mono_us(r->app->clock);
}

static int64_t pace_us(const struct rollouts *r)
{
	return MAX(PACE_US, PACE_COST * r->cost_us);
}

/* When something is next due by the clock alone. */
static int64_t delay_us(const struct rollouts *r)
{
	const struct rollout_step *st = &r->step;
	int64_t most = st->active ? ACTIVE_US : IDLE_US;
	int64_t now = clock_real_us(r->app->clock);

	if (r->again)
		most = pace_us(r);
	if (st->look_us != INT64_MAX)
		most = MIN(most, MAX(MIN(st->look_us - now, LOOK_MAX_US), US_PER_MS));
	return MAX(most, r->began_us + US_PER_MS - mono_us(r));
}

static int step_write(struct sql *s, void *arg)
{
	struct rollouts *r = arg;

	return rollout_step_all(s, &r->step);
}

static void step_done(void *arg, int err)
{
	struct rollouts *r = arg;
	const struct rollout_step *st = &r->step;

	FAULT_POINT("ctl.rollout.after_step");
	r->running = false;
	r->cost_us = mono_us(r) - r->began_us;
	if (err < 0) {
		log_write(LOG_ERR, "rollout", err, "msg=\"step failed, will be tried again\"");
		r->open = true;
		if (!r->stopped)
			loop_timer_start(r->timer, RETRY_US);
		return;
	}
	r->open = st->open;
	if (r->stopped)
		return;
	for (size_t i = 0; i < st->n_changed; i++)
		rollouts_publish(r->app, st->changed[i]);
	if (st->marked)
		shop_look_for_marks(r->app->shop);
	if (r->open || r->again)
		loop_timer_start(r->timer, delay_us(r));
}

static void begin_step(struct rollouts *r)
{
	loop_timer_stop(r->timer);
	if (r->running || r->stopped) {
		r->again = true;
		return;
	}
	r->again = false;
	r->running = true;
	r->began_us = mono_us(r);
	r->step.n_changed = 0;
	r->step.marked = r->step.open = r->step.active = false;
	r->step.look_us = INT64_MAX;
	rollouts_online(r->app, &r->step.online);
	if (db_write(r->app->db, step_write, step_done, r) < 0)
		step_done(r, -ENOMEM);
}

static void on_timer(void *user)
{
	begin_step(user);
}

void rollouts_step_now(struct rollouts *r)
{
	if (r)
		begin_step(r);
}

/* Labels said something: look at it, but not at every word. */
static void on_labels_reported(void *user)
{
	struct rollouts *r = user;
	int64_t wait = r->began_us + pace_us(r) - mono_us(r);

	if (!r->open || r->stopped)
		return;
	if (r->running) {
		r->again = true;
	} else if (!r->again) {
		r->again = true;
		loop_timer_start(r->timer, MAX(wait, US_PER_MS));
	}
}

int rollouts_new(struct app *app, struct rollouts **ret)
{
	struct rollouts *r = calloc(1, sizeof *r);
	int e;

	if (!r)
		return -ENOMEM;
	r->app = app;
	e = loop_timer_new(app->loop, on_timer, r, &r->timer);
	if (e < 0) {
		free(r);
		return e;
	}
	app_on_labels_reported(app, on_labels_reported, r);
	*ret = r;
	begin_step(r); /* goes on from wherever the database stands */
	return 0;
}

void rollouts_free(struct rollouts *r)
{
	if (!r)
		return;
	r->stopped = true;
	app_on_labels_reported(r->app, NULL, NULL);
	db_drain(r->app->db);
	loop_timer_free(r->timer);
	free(r);
}
