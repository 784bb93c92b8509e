/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/rollout/scan.h"
#include "common/proto.h"
#include "controller/rollout/label_step.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RATE_LEAST 5 /* pictures that make a measurement */

/* A label's row that is to be written: not while the rows are being read. */
struct change {
	int64_t addr, product_id, wave, agent_id;
	struct rollout_label_row row;
};

struct work {
	struct sql *s;
	struct rollout_row *row;
	const struct scan_online *online;
	int64_t now_us;
	struct scan *scan;
	struct change *changes;
	size_t n, cap;
};

/* --- reading one label -------------------------------------------------------------------------
 */

enum column {
	C_ADDR,
	C_PRODUCT,
	C_WAVE,
	C_STATE,
	C_FLIP,
	C_AGENT,
	C_AGENT_NAME,
	C_LOST,
	C_LOST_TEXT,
	C_ERROR,
	C_ERROR_AT,
	C_ERROR_TEXT,
	C_SLOTS,
	C_DRAWN,
	C_SHOWN,
	C_SHOWN_SINCE,
	C_GRADE,
	C_WISH,
	C_HELD,
	C_HELD_STAGED,
	C_PICTURES,
	C_R_STATE,
	C_R_REASON,
	C_R_STAGED,
	C_R_FLIPPED,
	C_R_SHOWN,
	C_R_GRADE,
	C_R_AGENT,
};

static struct sql_stmt *begin_read(struct work *w)
{
	struct sql_stmt *q = sql_prepare(
		w->s,
		"SELECT l.addr, p.product_id, p.wave, p.state, p.flip_at, l.agent_id,"
		" coalesce(a.name, ''), l.lost_at, l.lost_text, l.error, l.error_at, l.error_text,"
		" l.slots, l.stale = l.done, l.shown_image, l.shown_since, l.shown_grade,"
		" (SELECT w.image FROM wanted w WHERE w.addr = l.addr AND w.from_at <= ?2"
		"  ORDER BY w.from_at DESC LIMIT 1), h.image, h.staged_at,"
		" (SELECT count(DISTINCT w.image) FROM wanted w WHERE w.addr = l.addr),"
		" r.state, r.reason, r.staged_at, r.flipped_at, r.shown_at, r.grade, r.agent_id"
		" FROM rollout_products p JOIN labels l ON l.product_id = p.product_id"
		" LEFT JOIN agents a ON a.id = l.agent_id"
		" LEFT JOIN wanted h ON h.addr = l.addr AND h.from_at = ?3"
		" LEFT JOIN rollout_labels r ON r.rollout_id = p.rollout_id AND r.addr = l.addr"
		" WHERE p.rollout_id = ?1 AND p.state NOT IN ('waiting', 'overtaken')");

	sql_bind_i64(q, 1, w->row->id);
	sql_bind_i64(q, 2, w->now_us);
	sql_bind_i64(q, 3, PROTO_HOLD_US);
	return q;
}

static bool same_image(struct sql_stmt *q, int a, int b)
{
	size_t n_a, n_b;
	const void *x = sql_col_blob(q, a, &n_a), *y = sql_col_blob(q, b, &n_b);

	return x && y && n_a == n_b && memcmp(x, y, n_a) == 0;
}

static const char *text_of(struct sql_stmt *q, int i)
{
	const char *text = sql_col_text(q, i);

	return text ? text : "";
}

static int by_id(const void *a, const void *b)
{
	int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;

	return x < y ? -1 : x > y;
}

static bool is_online(const struct scan_online *o, int64_t agent)
{
	return agent && bsearch(&agent, o->ids, o->n, sizeof o->ids[0], by_id);
}

/* Texts are borrowed from the statement. */
static void read_facts(const struct work *w, struct sql_stmt *q, struct rollout_label_facts *f)
{
	const struct rollout_row *row = w->row;
	int64_t agent = sql_col_i64(q, C_AGENT);
	bool shown = sql_col_i64(q, C_GRADE) > EVIDENCE_NONE;

	*f = (struct rollout_label_facts){
		.now_us = w->now_us,
		.began_us = rollout_row_began_us(row),
		.flip_us = sql_col_i64(q, C_FLIP),
		.settle_us = row->rules.settle_us,
		.product = rollout_product_parse(text_of(q, C_STATE)),
		.adopted = agent != 0,
		.online = is_online(w->online, agent),
		.agent = text_of(q, C_AGENT_NAME),
		.lost_us = sql_col_i64(q, C_LOST),
		.lost_text = text_of(q, C_LOST_TEXT),
		.error = (int) sql_col_i64(q, C_ERROR),
		.error_us = sql_col_i64(q, C_ERROR_AT),
		.error_text = text_of(q, C_ERROR_TEXT),
		.slots = sql_col_i64(q, C_SLOTS),
		.pictures = sql_col_i64(q, C_PICTURES),
		.drawn = sql_col_i64(q, C_DRAWN) != 0,
		.has_wish = !sql_col_is_null(q, C_WISH),
		.has_held = !sql_col_is_null(q, C_HELD),
		.held_staged_us = sql_col_i64(q, C_HELD_STAGED),
		.shows_held = shown && same_image(q, C_SHOWN, C_HELD),
		.shows_wish = shown && same_image(q, C_SHOWN, C_WISH),
		.shown_since_us = sql_col_i64(q, C_SHOWN_SINCE),
		.grade = (int) sql_col_i64(q, C_GRADE),
		.before = {.state = sql_col_is_null(q, C_R_STATE)
					    ? ROLLOUT_LABEL_STATE_COUNT
					    : rollout_label_parse(text_of(q, C_R_STATE)),
			   .staged_us = sql_col_i64(q, C_R_STAGED),
			   .flipped_us = sql_col_i64(q, C_R_FLIPPED),
			   .shown_us = sql_col_i64(q, C_R_SHOWN),
			   .grade = (int) sql_col_i64(q, C_R_GRADE)},
	};
	if (f->product == ROLLOUT_PRODUCT_BACK && f->flip_us)
		f->back_us = row->back_us;
	snprintf(f->before.reason, sizeof f->before.reason, "%s", text_of(q, C_R_REASON));
}

/* --- counting ----------------------------------------------------------------------------------
 */

static struct scan_agent *agent_of(struct scan *scan, int64_t id, const char *name)
{
	struct scan_agent *more;

	for (size_t i = 0; i < scan->n_agents; i++)
		if (scan->agents[i].id == id)
			return &scan->agents[i];
	more = reallocarray(scan->agents, scan->n_agents + 1, sizeof *more);
	if (!more)
		return NULL;
	scan->agents = more;
	more += scan->n_agents++;
	*more = (struct scan_agent){.id = id};
	snprintf(more->name, sizeof more->name, "%s", name);
	return more;
}

static void count_wave(struct rollout_wave *w, const struct rollout_label_verdict *v)
{
	w->labels++;
	w->staged += v->row.staged_us > 0;
	w->flipped += v->row.flipped_us > 0;
	w->shown += v->row.shown_us > 0;
	w->failed += v->row.state == ROLLOUT_LABEL_FAILED;
	w->back += v->row.state == ROLLOUT_LABEL_BACK;
}

static void count_present(struct rollout_counts *c, const struct rollout_label_facts *f,
			  const struct rollout_label_verdict *v)
{
	c->labels++;
	c->lost_before += v->lost_before;
	c->reachable += v->reachable;
	c->stageable += v->stageable;
	c->stageable_staged += v->stageable && v->staged;
	c->undrawn += v->reachable && !f->drawn;
	c->staged += v->row.staged_us > 0;
	c->flipped += v->row.flipped_us > 0;
	c->shown += v->row.shown_us > 0;
	c->failed += v->row.state == ROLLOUT_LABEL_FAILED;
	c->back += v->row.state == ROLLOUT_LABEL_BACK;
	c->to_go_back += f->back_us > 0;
}

static int count_agent(struct work *w, const struct rollout_label_facts *f, int64_t agent,
		       const struct rollout_label_verdict *v)
{
	struct scan_agent *a;

	if (!v->stageable)
		return 0;
	a = agent_of(w->scan, agent, f->agent);
	if (!a)
		return -ENOMEM;
	a->labels++;
	a->left += !v->staged;
	if (v->staged && v->row.staged_us >= w->row->since_us) {
		a->came++;
		a->latest_us = MAX(a->latest_us, v->row.staged_us);
	}
	return 0;
}

/* --- writing -----------------------------------------------------------------------------------
 */

static bool is_same(const struct rollout_label_row *a, const struct rollout_label_row *b)
{
	return a->state == b->state && a->staged_us == b->staged_us &&
	       a->flipped_us == b->flipped_us && a->shown_us == b->shown_us &&
	       a->grade == b->grade && strcmp(a->reason, b->reason) == 0;
}

static int keep_change(struct work *w, struct sql_stmt *q, const struct rollout_label_row *row)
{
	if (w->n == w->cap) {
		size_t cap = w->cap ? w->cap * 2 : 64;
		struct change *more = reallocarray(w->changes, cap, sizeof *more);

		if (!more)
			return -ENOMEM;
		w->changes = more;
		w->cap = cap;
	}
	w->changes[w->n++] = (struct change){.addr = sql_col_i64(q, C_ADDR),
					     .product_id = sql_col_i64(q, C_PRODUCT),
					     .wave = sql_col_i64(q, C_WAVE),
					     .agent_id = sql_col_i64(q, C_AGENT),
					     .row = *row};
	return 0;
}

static int write_change(struct sql *s, int64_t rollout, const struct change *c)
{
	struct sql_stmt *q = sql_prepare(
		s,
		"INSERT INTO rollout_labels(rollout_id, addr, product_id, wave, agent_id, state,"
		" reason, staged_at, flipped_at, shown_at, grade)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
		" ON CONFLICT DO UPDATE SET product_id = ?3, wave = ?4, agent_id = ?5, state = ?6,"
		" reason = ?7, staged_at = ?8, flipped_at = ?9, shown_at = ?10, grade = ?11");

	sql_bind_i64(q, 1, rollout);
	sql_bind_i64(q, 2, c->addr);
	sql_bind_i64(q, 3, c->product_id);
	sql_bind_i64(q, 4, c->wave);
	if (c->agent_id)
		sql_bind_i64(q, 5, c->agent_id);
	sql_bind_text(q, 6, rollout_label_text(c->row.state));
	sql_bind_text(q, 7, c->row.reason);
	if (c->row.staged_us)
		sql_bind_i64(q, 8, c->row.staged_us);
	if (c->row.flipped_us)
		sql_bind_i64(q, 9, c->row.flipped_us);
	if (c->row.shown_us)
		sql_bind_i64(q, 10, c->row.shown_us);
	sql_bind_i64(q, 11, c->row.grade);
	return sql_run(q);
}

/* A label that was unlinked, or linked to something else, has left. */
static int drop_gone(struct work *w)
{
	struct sql_stmt *q = sql_prepare(
		w->s, "DELETE FROM rollout_labels WHERE rollout_id = ? AND NOT EXISTS (SELECT 1"
		      " FROM labels l WHERE l.addr = rollout_labels.addr"
		      " AND l.product_id = rollout_labels.product_id)");

	sql_bind_i64(q, 1, w->row->id);
	return sql_run(q);
}

/* --- all of them -------------------------------------------------------------------------------
 */

static int judge_one(struct work *w, struct sql_stmt *q)
{
	struct rollout_label_verdict v;
	struct rollout_label_facts f;
	int64_t wave = sql_col_i64(q, C_WAVE), agent = sql_col_i64(q, C_AGENT);
	bool back = w->row->state == ROLLOUT_ROLLING_BACK;
	int r = 0;

	if (wave < 1 || wave > w->row->n_waves)
		return 0;
	read_facts(w, q, &f);
	rollout_label_judge(&f, &v);
	count_wave(&w->row->waves[wave - 1], &v);
	if (wave == w->row->wave || back)
		count_present(&w->scan->present, &f, &v);
	if (wave == w->row->wave && !back)
		r = count_agent(w, &f, agent, &v);
	if (r == 0 && (!is_same(&v.row, &f.before) || agent != sql_col_i64(q, C_R_AGENT)))
		r = keep_change(w, q, &v.row);
	return r;
}

/* Labels of waves to come are counted, not looked at. */
static int count_waiting(struct work *w)
{
	struct sql_stmt *q = sql_prepare(
		w->s, "SELECT r.wave, count(*) FROM rollout_labels r JOIN rollout_products p"
		      " ON p.rollout_id = r.rollout_id AND p.product_id = r.product_id"
		      " WHERE r.rollout_id = ? AND p.state = 'waiting' GROUP BY r.wave");
	int r;

	sql_bind_i64(q, 1, w->row->id);
	while ((r = sql_step(q)) > 0) {
		int64_t wave = sql_col_i64(q, 0);

		if (wave >= 1 && wave <= w->row->n_waves)
			w->row->waves[wave - 1].labels += sql_col_i64(q, 1);
	}
	return r;
}

static int count_products(struct work *w)
{
	struct sql_stmt *q = sql_prepare(w->s, "SELECT wave, count(*) FROM rollout_products WHERE"
					       " rollout_id = ? AND state <> 'overtaken'"
					       " GROUP BY wave");
	int r;

	sql_bind_i64(q, 1, w->row->id);
	while ((r = sql_step(q)) > 0) {
		int64_t wave = sql_col_i64(q, 0);

		if (wave >= 1 && wave <= w->row->n_waves)
			w->row->waves[wave - 1].products = sql_col_i64(q, 1);
	}
	return r;
}

static void clear_counts(struct rollout_row *row)
{
	for (int64_t i = 0; i < row->n_waves; i++) {
		struct rollout_wave *w = &row->waves[i];

		w->products = w->labels = w->staged = w->flipped = w->shown = w->failed = 0;
		w->back = 0;
	}
}

int rollout_scan(struct sql *s, struct rollout_row *row, const struct scan_online *online,
		 int64_t now_us, struct scan *ret)
{
	struct work w = {.s = s, .row = row, .online = online, .now_us = now_us, .scan = ret};
	struct sql_stmt *q;
	int r = drop_gone(&w);

	*ret = (struct scan){.changed = 0};
	if (r < 0)
		return r;
	clear_counts(row);
	q = begin_read(&w);
	while ((r = sql_step(q)) > 0) {
		r = judge_one(&w, q);
		if (r < 0)
			break;
	}
	sql_reset(q);
	for (size_t i = 0; i < w.n && r == 0; i++)
		r = write_change(s, row->id, &w.changes[i]);
	ret->changed = w.n;
	free(w.changes);
	if (r == 0)
		r = count_waiting(&w);
	if (r == 0)
		r = count_products(&w);
	if (r < 0)
		rollout_scan_done(ret);
	return r;
}

void rollout_scan_done(struct scan *scan)
{
	free(scan->agents);
	scan->agents = NULL;
	scan->n_agents = 0;
}

const struct scan_agent *rollout_scan_slowest(const struct scan *scan)
{
	const struct scan_agent *slowest = NULL;

	for (size_t i = 0; i < scan->n_agents; i++)
		if (scan->agents[i].left > (slowest ? slowest->left : 0))
			slowest = &scan->agents[i];
	return slowest;
}

double rollout_scan_rate(const struct scan *scan, int64_t since_us)
{
	const struct scan_agent *busiest = NULL;

	for (size_t i = 0; i < scan->n_agents; i++)
		if (!busiest || scan->agents[i].labels > busiest->labels)
			busiest = &scan->agents[i];
	if (!busiest || busiest->came < RATE_LEAST || busiest->latest_us <= since_us)
		return 0;
	return (double) busiest->came * US_PER_SEC / (double) (busiest->latest_us - since_us);
}
