/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/incidents/incidents.h"
#include "common/err.h"
#include "common/log.h"
#include "controller/db/db.h"
#include "controller/http/events.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LOOK_US      (3 * US_PER_SEC)
#define LOOK_AT_ONCE 200
#define PRUNE_US     (INT64_C(3600) * US_PER_SEC)
#define PRUNE_MAX    200u

struct incidents {
	struct app *app;
	struct loop_timer *timer;
	int64_t told_rev; /* browsers know of everything up to here */
	int64_t pruned_us;
	bool pruning;
};

const char *incident_severity_name(int64_t severity)
{
	switch (severity) {
	case INCIDENT_NOTICE:
		return "notice";
	case INCIDENT_GRAVE:
		return "grave";
	default:
		return "warning";
	}
}

/* --- opening and closing -----------------------------------------------------------------------
 */

int incident_trail(struct sql *s, int64_t id, int64_t now_us, const char *what, const char *who,
		   const char *text)
{
	struct sql_stmt *q = sql_prepare(
		s, "INSERT INTO incident_changes(incident_id, at, what, who, text)"
		   " SELECT ?1, ?2, ?3, ?4, ?5 WHERE ?4 <> '' OR"
		   " (SELECT count(*) FROM incident_changes WHERE incident_id = ?1) < ?6");

	sql_bind_i64(q, 1, id);
	sql_bind_i64(q, 2, now_us);
	sql_bind_text(q, 3, what);
	sql_bind_text(q, 4, who);
	sql_bind_text(q, 5, text);
	sql_bind_i64(q, 6, INCIDENT_TRAIL_MAX);
	return sql_run(q);
}

static bool is_name(const char *text, size_t max)
{
	return text && *text && strnlen(text, max + 1) <= max;
}

/** Copies at most `cap` - 1 bytes without splitting a character. */
static const char *cut(const char *text, char *buf, size_t cap)
{
	size_t len = text ? strnlen(text, cap) : 0;

	if (len == cap)
		for (len--; len > 0 && ((unsigned char) text[len] & 0xc0) == 0x80;)
			len--;
	if (len)
		memcpy(buf, text, len);
	buf[len] = '\0';
	return buf;
}

struct open_row {
	int64_t id, severity;
	bool was_closed;
};

/* The one that is open, or the latest that ended a short while ago. */
static int find(struct sql *s, const struct incident_new *n, int64_t now_us, struct open_row *ret)
{
	struct sql_stmt *q =
		sql_prepare(s, "SELECT id, severity, closed IS NOT NULL FROM incidents"
			       " WHERE kind = ? AND subject = ? AND (closed IS NULL OR closed > ?)"
			       " ORDER BY closed IS NULL DESC, closed DESC LIMIT 1");
	int r;

	sql_bind_text(q, 1, n->kind);
	sql_bind_text(q, 2, n->subject);
	sql_bind_i64(q, 3, now_us - INCIDENT_SAME_US);
	r = sql_step(q);
	if (r <= 0)
		return r;
	ret->id = sql_col_i64(q, 0);
	ret->severity = sql_col_i64(q, 1);
	ret->was_closed = sql_col_i64(q, 2) != 0;
	sql_reset(q);
	return 1;
}

static void bind_words(struct sql_stmt *q, int at, const struct incident_new *n)
{
	char title[INCIDENT_TITLE_MAX + 1], step[INCIDENT_STEP_MAX + 1];
	const char *detail = n->detail;

	if (!detail || strnlen(detail, INCIDENT_DETAIL_MAX + 1) > INCIDENT_DETAIL_MAX)
		detail = "{}";
	sql_bind_i64(q, at, n->severity);
	sql_bind_text(q, at + 1, cut(n->title, title, sizeof(title)));
	sql_bind_text(q, at + 2, cut(n->next_step, step, sizeof(step)));
	sql_bind_text(q, at + 3, detail);
}

static int renew(struct sql *s, const struct incident_new *n, const struct open_row *row,
		 int64_t now_us, uint64_t rev)
{
	struct sql_stmt *q = sql_prepare(
		s, "UPDATE incidents SET times = times + (closed IS NOT NULL), closed = NULL,"
		   " why_closed = '', updated = ?1, rev = ?2, severity = ?4, title = ?5,"
		   " next_step = ?6, detail = iif(json_valid(?7), ?7, '{}') WHERE id = ?3");
	int r;

	sql_bind_i64(q, 1, now_us);
	sql_bind_i64(q, 2, (int64_t) rev);
	sql_bind_i64(q, 3, row->id);
	bind_words(q, 4, n);
	r = sql_run(q);
	if (r == 0 && row->was_closed)
		return incident_trail(s, row->id, now_us, "reopened", "", n->title);
	if (r == 0 && row->severity != (int64_t) n->severity)
		return incident_trail(s, row->id, now_us, "severity", "",
				      incident_severity_name(n->severity));
	return r;
}

static int insert(struct sql *s, const struct incident_new *n, int64_t now_us, uint64_t rev)
{
	struct sql_stmt *q = sql_prepare(
		s, "INSERT INTO incidents(kind, subject, agent_id, opened, updated, rev, severity,"
		   " title, next_step, detail)"
		   " VALUES(?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7, ?8, iif(json_valid(?9), ?9, '{}'))");

	sql_bind_text(q, 1, n->kind);
	sql_bind_text(q, 2, n->subject);
	sql_bind_i64(q, 3, n->agent_id);
	sql_bind_i64(q, 4, now_us);
	sql_bind_i64(q, 5, (int64_t) rev);
	bind_words(q, 6, n);
	return sql_run(q);
}

int incident_open(struct sql *s, const struct incident_new *n, int64_t now_us, int64_t *ret_id)
{
	struct open_row row;
	uint64_t rev;
	int r;

	if (!is_name(n->kind, INCIDENT_KIND_MAX) || !is_name(n->subject, INCIDENT_SUBJECT_MAX))
		return -EINVAL;
	r = db_next_rev(s, &rev);
	if (r < 0)
		return r;
	r = find(s, n, now_us, &row);
	if (r < 0)
		return r;
	if (r > 0) {
		r = renew(s, n, &row, now_us, rev);
		if (r < 0)
			return r;
		*ret_id = row.id;
		return row.was_closed;
	}
	r = insert(s, n, now_us, rev);
	if (r < 0)
		return r;
	row.id = sql_last_rowid(s);
	r = incident_trail(s, row.id, now_us, "opened", "", n->title);
	if (r < 0)
		return r;
	*ret_id = row.id;
	return 1;
}

int incident_close(struct sql *s, const char *kind, const char *subject, int64_t now_us,
		   const char *why)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT id FROM incidents WHERE kind = ?"
					    " AND subject = ? AND closed IS NULL");
	char text[INCIDENT_TITLE_MAX + 1];
	uint64_t rev;
	int64_t id;
	int r;

	sql_bind_text(q, 1, kind);
	sql_bind_text(q, 2, subject);
	r = sql_step(q);
	if (r <= 0)
		return r;
	id = sql_col_i64(q, 0);
	sql_reset(q);
	r = db_next_rev(s, &rev);
	if (r < 0)
		return r;
	(void) cut(why, text, sizeof(text));
	q = sql_prepare(s, "UPDATE incidents SET closed = ?1, updated = ?1, why_closed = ?2,"
			   " rev = ?3 WHERE id = ?4");
	sql_bind_i64(q, 1, now_us);
	sql_bind_text(q, 2, text);
	sql_bind_i64(q, 3, (int64_t) rev);
	sql_bind_i64(q, 4, id);
	r = sql_run(q);
	if (r == 0)
		r = incident_trail(s, id, now_us, "closed", "", text);
	return r < 0 ? r : 1;
}

/* --- retention ---------------------------------------------------------------------------------
 */

static int drop(struct sql *s, int64_t id)
{
	struct sql_stmt *q = sql_prepare(s, "DELETE FROM incidents WHERE id = ?");
	int r;

	sql_bind_i64(q, 1, id);
	r = sql_run(q);
	if (r < 0)
		return r;
	q = sql_prepare(s, "DELETE FROM incident_changes WHERE incident_id = ?");
	sql_bind_i64(q, 1, id);
	return sql_run(q);
}

int incidents_prune(struct sql *s, int64_t now_us, size_t max)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT id FROM incidents WHERE closed < ?"
					    " ORDER BY closed LIMIT ?");
	int64_t ids[PRUNE_MAX];
	size_t n = 0;
	int r;

	sql_bind_i64(q, 1, now_us - INCIDENT_KEEP_US);
	sql_bind_i64(q, 2, (int64_t) MIN(max, (size_t) PRUNE_MAX));
	while ((r = sql_step(q)) > 0 && n < PRUNE_MAX)
		ids[n++] = sql_col_i64(q, 0);
	sql_reset(q);
	for (size_t i = 0; i < n && r >= 0; i++)
		r = drop(s, ids[i]);
	return r < 0 ? r : (int) n;
}

static int prune_write(struct sql *s, void *arg _unused_)
{
	int64_t now_us;
	int r = db_now_us(s, &now_us);

	if (r == 0)
		r = incidents_prune(s, now_us, PRUNE_MAX);
	return MIN(r, 0);
}

static void prune_done(void *arg, int err _unused_)
{
	struct incidents *i = arg;

	i->pruning = false;
}

/* --- telling -----------------------------------------------------------------------------------
 */

int64_t incidents_open_count(struct app *app)
{
	struct sql_stmt *q = sql_prepare(db_reader(app->db),
					 "SELECT count(*) FROM incidents WHERE closed IS NULL");
	int64_t n = 0;

	if (sql_step(q) > 0)
		n = sql_col_i64(q, 0);
	sql_reset(q);
	return n;
}

static json_t *text_json(const char *text)
{
	json_t *j = json_string(text ? text : "");

	return j ? j : json_string("");
}

void incidents_look(struct incidents *i)
{
	struct sql_stmt *q;
	int64_t open;

	if (!i)
		return;
	open = incidents_open_count(i->app);
	q = sql_prepare(db_reader(i->app->db),
			"SELECT rev, id, kind, subject, closed IS NULL, severity, title, agent_id"
			" FROM incidents WHERE rev > ? ORDER BY rev LIMIT ?");
	sql_bind_i64(q, 1, i->told_rev);
	sql_bind_i64(q, 2, LOOK_AT_ONCE);
	while (sql_step(q) > 0) {
		i->told_rev = sql_col_i64(q, 0);
		if (!i->app->events)
			continue;
		events_publish(i->app->events, "incident",
			       json_pack("{s:I,s:o,s:o,s:s,s:s,s:o,s:I,s:I}", "id",
					 (json_int_t) sql_col_i64(q, 1), "kind",
					 text_json(sql_col_text(q, 2)), "subject",
					 text_json(sql_col_text(q, 3)), "state",
					 sql_col_i64(q, 4) ? "open" : "closed", "severity",
					 incident_severity_name(sql_col_i64(q, 5)), "title",
					 text_json(sql_col_text(q, 6)), "agent_id",
					 (json_int_t) sql_col_i64(q, 7), "open",
					 (json_int_t) open));
	}
	sql_reset(q);
}

static void on_timer(void *user)
{
	struct incidents *i = user;
	int64_t now = clock_mono_us(i->app->clock);

	incidents_look(i);
	if (!i->pruning && now - i->pruned_us >= PRUNE_US) {
		i->pruned_us = now;
		i->pruning = db_write(i->app->db, prune_write, prune_done, i) == 0;
	}
	loop_timer_start(i->timer, LOOK_US);
}

int incidents_new(struct app *app, struct incidents **ret)
{
	struct incidents *i = calloc(1, sizeof(*i));
	struct sql_stmt *q;
	int r;

	if (!i)
		return -ENOMEM;
	i->app = app;
	r = loop_timer_new(app->loop, on_timer, i, &i->timer);
	if (r < 0) {
		free(i);
		return r;
	}
	q = sql_prepare(db_reader(app->db), "SELECT coalesce(max(rev), 0) FROM incidents");
	if (sql_step(q) > 0)
		i->told_rev = sql_col_i64(q, 0);
	sql_reset(q);
	i->pruned_us = clock_mono_us(app->clock) - PRUNE_US;
	loop_timer_start(i->timer, LOOK_US);
	*ret = i;
	return 0;
}

void incidents_free(struct incidents *i)
{
	if (!i)
		return;
	db_drain(i->app->db);
	loop_timer_free(i->timer);
	free(i);
}
