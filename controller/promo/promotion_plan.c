/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"
#include "controller/app.h"
#include "controller/db/db.h"
#include "controller/http/events.h"
#include "controller/promo/promotion.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Recurring promotions are written this far ahead, and at least this many. */
#define HORIZON_US (INT64_C(60) * 86400 * US_PER_SEC)
#define AT_LEAST   2
#define AT_ONCE    400 /* rows in one go: a clock that jumped years may ask for thousands */

struct promotion_plan {
	const struct promotion *p;
	struct walltime_rule *rule; /* NULL = once */
	int64_t length_s;           /* on the wall */
	bool over;
};

int promotion_plan_new(const struct promotion *p, struct promotion_plan **ret)
{
	_cleanup_(promotion_plan_freep) struct promotion_plan *plan = calloc(1, sizeof *plan);
	int r = 0;

	if (!plan)
		return -ENOMEM;
	plan->p = p;
	plan->length_s = walltime_to_count(&p->end) - walltime_to_count(&p->start);
	if (p->recurrence[0])
		r = walltime_rule_new(p->recurrence, strlen(p->recurrence), p->zone, &p->start,
				      &plan->rule);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(plan);
	return 0;
}

void promotion_plan_free(struct promotion_plan *plan)
{
	if (!plan)
		return;
	walltime_rule_free(plan->rule);
	free(plan);
}

static bool next_start(struct promotion_plan *plan, struct walltime *ret)
{
	if (plan->over)
		return false;
	if (plan->rule)
		return walltime_rule_next(plan->rule, ret);
	plan->over = true;
	*ret = plan->p->start;
	return true;
}

static int resolve(const char *zone, int64_t length_s, struct occurrence *o)
{
	int r;

	walltime_from_count(walltime_to_count(&o->start) + length_s, &o->end);
	r = walltime_resolve(&o->start, zone, WALLTIME_START, &o->start_us, NULL);
	return r < 0 ? r : walltime_resolve(&o->end, zone, WALLTIME_END, &o->end_us, NULL);
}

bool promotion_plan_next(struct promotion_plan *plan, struct occurrence *ret)
{
	struct occurrence o;

	while (next_start(plan, &o.start)) {
		if (resolve(plan->p->zone, plan->length_s, &o) < 0)
			return false; /* its end is beyond what the zone's file knows */
		if (o.end_us <= o.start_us)
			continue;
		*ret = o;
		return true;
	}
	return false;
}

int promotion_upcoming(const struct promotion *p, int64_t now_us, size_t max,
		       struct occurrence *ret)
{
	_cleanup_(promotion_plan_freep) struct promotion_plan *plan = NULL;
	size_t n = 0;
	int r = promotion_plan_new(p, &plan);

	if (r < 0)
		return r;
	while (n < max && promotion_plan_next(plan, &ret[n]))
		n += ret[n].end_us > now_us;
	return (int) n;
}

/* --- rows -------------------------------------------------------------------------------------
 */

/* Never from before now: what was shown until now cannot become another price afterwards. */
static int insert(struct sql *s, const struct promotion *p, const struct occurrence *o,
		  int64_t now_us)
{
	struct sql_stmt *q = sql_prepare(
		s, "INSERT INTO promotion_occurrences(promotion_id, start_wall, end_wall, zone,"
		   " start_at, end_at, percent_milli, price_minor, currency)"
		   " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)");
	char start[WALLTIME_TEXT_MAX], end[WALLTIME_TEXT_MAX];

	sql_bind_i64(q, 1, p->id);
	sql_bind_text(q, 2, walltime_format(&o->start, start));
	sql_bind_text(q, 3, walltime_format(&o->end, end));
	sql_bind_text(q, 4, p->zone);
	sql_bind_i64(q, 5, MAX(o->start_us, now_us));
	sql_bind_i64(q, 6, o->end_us);
	if (p->percent_milli)
		sql_bind_i64(q, 7, p->percent_milli);
	else
		sql_bind_i64(q, 8, p->price_minor);
	sql_bind_text(q, 9, p->currency);
	return sql_run(q);
}

static int set_complete(struct sql *s, int64_t id, bool complete)
{
	struct sql_stmt *q = sql_prepare(s, "UPDATE promotions SET complete = ? WHERE id = ?");

	sql_bind_i64(q, 1, complete);
	sql_bind_i64(q, 2, id);
	return sql_run(q);
}

/* Is something written for that time? Then it has begun, or is this one. */
static int is_taken(struct sql *s, int64_t id, const struct occurrence *o)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT 1 FROM promotion_occurrences WHERE"
					    " promotion_id = ? AND end_at > ? AND start_at < ?");
	int r;

	sql_bind_i64(q, 1, id);
	sql_bind_i64(q, 2, o->start_us);
	sql_bind_i64(q, 3, o->end_us);
	r = sql_step(q);
	sql_reset(q);
	return r;
}

/* Writes those that are not there yet, up to the horizon. */
static int extend(struct sql *s, const struct promotion *p, int64_t now_us)
{
	_cleanup_(promotion_plan_freep) struct promotion_plan *plan = NULL;
	int64_t ahead = 0, written = 0;
	struct occurrence o;
	int r = promotion_plan_new(p, &plan);

	while (r >= 0) {
		if (!promotion_plan_next(plan, &o))
			return set_complete(s, p->id, true);
		if (o.end_us <= now_us)
			continue;
		if ((o.start_us > now_us + HORIZON_US && ahead >= AT_LEAST) || written == AT_ONCE)
			return 0;
		ahead += o.start_us > now_us;
		r = is_taken(s, p->id, &o);
		if (r != 0)
			continue;
		r = insert(s, p, &o, now_us);
		written++;
	}
	return r;
}

int promotion_write_plan(struct sql *s, const struct promotion *p, int64_t now_us)
{
	struct sql_stmt *q = sql_prepare(s, "DELETE FROM promotion_occurrences"
					    " WHERE promotion_id = ? AND start_at > ?");
	int r;

	sql_bind_i64(q, 1, p->id);
	sql_bind_i64(q, 2, now_us);
	r = sql_run(q);
	if (r == 0)
		r = set_complete(s, p->id, false);
	return r < 0 ? r : extend(s, p, now_us);
}

int promotion_cut_plan(struct sql *s, int64_t id, int64_t now_us)
{
	struct sql_stmt *q = sql_prepare(s, "DELETE FROM promotion_occurrences"
					    " WHERE promotion_id = ? AND start_at >= ?");
	int r;

	sql_bind_i64(q, 1, id);
	sql_bind_i64(q, 2, now_us);
	r = sql_run(q);
	if (r < 0)
		return r;
	q = sql_prepare(s, "UPDATE promotion_occurrences SET end_at = ?2"
			   " WHERE promotion_id = ?1 AND end_at > ?2");
	sql_bind_i64(q, 1, id);
	sql_bind_i64(q, 2, now_us);
	return sql_run(q);
}

int promotion_move_end(struct sql *s, const struct promotion *p, int64_t now_us)
{
	int64_t length = walltime_to_count(&p->end) - walltime_to_count(&p->start), row;
	struct sql_stmt *q =
		sql_prepare(s, "SELECT id, start_wall FROM promotion_occurrences"
			       " WHERE promotion_id = ? AND start_at <= ? AND end_at > ?");
	struct occurrence o;
	char end[WALLTIME_TEXT_MAX];
	const char *start;
	int r;

	sql_bind_i64(q, 1, p->id);
	sql_bind_i64(q, 2, now_us);
	sql_bind_i64(q, 3, now_us);
	r = sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ERR_STATE;
	row = sql_col_i64(q, 0);
	start = sql_col_text(q, 1);
	r = start ? walltime_parse(start, strlen(start), &o.start) : -ERR_CORRUPT;
	sql_reset(q);
	if (r == 0)
		r = resolve(p->zone, length, &o);
	if (r == 0 && o.end_us <= now_us)
		r = -ERR_RANGE;
	if (r < 0)
		return r;
	q = sql_prepare(s, "UPDATE promotion_occurrences SET end_at = ?, end_wall = ?"
			   " WHERE id = ?");
	sql_bind_i64(q, 1, o.end_us);
	sql_bind_text(q, 2, walltime_format(&o.end, end));
	sql_bind_i64(q, 3, row);
	return sql_run(q);
}

/* --- as time goes on --------------------------------------------------------------------------
 */

static int next_row(struct sql_stmt *q, int64_t *id)
{
	int r;

	sql_bind_i64(q, 1, *id);
	r = sql_step(q);
	if (r > 0)
		*id = sql_col_i64(q, 0);
	sql_reset(q);
	return r;
}

static int extend_all(struct sql *s, int64_t now_us)
{
	int64_t id = 0;
	int r;

	while ((r = next_row(sql_prepare(s, "SELECT id FROM promotions WHERE id > ? AND"
					    " state = 'scheduled' AND complete = 0"
					    " ORDER BY id LIMIT 1"),
			     &id)) > 0) {
		_cleanup_(promotion_done) struct promotion p = {.id = 0};

		r = promotion_load(s, id, &p);
		if (r == 0)
			r = extend(s, &p, now_us);
		if (r < 0)
			return r;
	}
	return r;
}

static int resolve_row(struct sql *s, int64_t row, int64_t now_us)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT start_wall, end_wall, zone, start_at, end_at"
					    " FROM promotion_occurrences WHERE id = ?");
	char zone[PROMOTION_ZONE_MAX];
	struct occurrence o, was;
	int r;

	sql_bind_i64(q, 1, row);
	r = sql_step(q);
	if (r <= 0)
		return r;
	snprintf(zone, sizeof zone, "%s", sql_col_text(q, 2));
	was = (struct occurrence){.start_us = sql_col_i64(q, 3), .end_us = sql_col_i64(q, 4)};
	o = was;
	r = walltime_parse(sql_col_text(q, 0), strlen(sql_col_text(q, 0)), &o.start);
	if (r == 0)
		r = walltime_parse(sql_col_text(q, 1), strlen(sql_col_text(q, 1)), &o.end);
	sql_reset(q);
	if (r < 0 ||
	    resolve(zone, walltime_to_count(&o.end) - walltime_to_count(&o.start), &o) < 0 ||
	    o.start_us <= now_us || o.end_us <= o.start_us ||
	    (o.start_us == was.start_us && o.end_us == was.end_us))
		return 0;
	q = sql_prepare(s, "UPDATE promotion_occurrences SET start_at = ?, end_at = ?"
			   " WHERE id = ?");
	sql_bind_i64(q, 1, o.start_us);
	sql_bind_i64(q, 2, o.end_us);
	sql_bind_i64(q, 3, row);
	return sql_run(q);
}

static int resolve_all(struct sql *s, int64_t now_us)
{
	int64_t row = 0;
	int r;

	for (;;) {
		struct sql_stmt *q = sql_prepare(
			s, "SELECT id FROM promotion_occurrences WHERE start_at > ?2 AND id > ?1"
			   " ORDER BY id LIMIT 1");

		sql_bind_i64(q, 2, now_us);
		r = next_row(q, &row);
		if (r > 0)
			r = resolve_row(s, row, now_us);
		else
			return r;
		if (r < 0)
			return r;
	}
}

/* Our sight of time has jumped: what was left out as past may lie ahead again. */
static int look_again(struct sql *s)
{
	return sql_run(
		sql_prepare(s, "UPDATE promotions SET complete = 0 WHERE state = 'scheduled'"));
}

int promotion_turn(struct sql *s, int64_t from_us, int64_t to_us)
{
	int r = 0;

	if (from_us == 0 || to_us < from_us) {
		r = look_again(s);
		if (r == 0)
			r = resolve_all(s, to_us);
	}
	return r < 0 ? r : extend_all(s, to_us);
}

void promotion_publish(struct app *app, int64_t id)
{
	_cleanup_(promotion_done) struct promotion p = {.id = 0};
	enum promotion_state state;

	if (promotion_load(db_reader(app->db), id, &p) < 0 ||
	    promotion_state_at(db_reader(app->db), &p, clock_real_us(app->clock), &state) < 0)
		return;
	events_publish(app->events, "promotion",
		       json_pack("{s:I,s:s}", "id", (json_int_t) id, "state",
				 promotion_state_text(state)));
}

void promotion_publish_edges(struct app *app, int64_t from_us, int64_t to_us)
{
	struct sql_stmt *q = sql_prepare(
		db_reader(app->db),
		"SELECT DISTINCT promotion_id FROM promotion_occurrences WHERE (start_at > ?1 AND"
		" start_at <= ?2) OR (end_at > ?1 AND end_at <= ?2) LIMIT 64");
	int64_t ids[64];
	size_t n = 0;

	sql_bind_i64(q, 1, from_us);
	sql_bind_i64(q, 2, to_us);
	while (n < ARRAY_SIZE(ids) && sql_step(q) > 0)
		ids[n++] = sql_col_i64(q, 0);
	sql_reset(q);
	for (size_t i = 0; i < n; i++)
		promotion_publish(app, ids[i]);
}
