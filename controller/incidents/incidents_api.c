/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/incidents: the list, one with its trail, and a person's word that it is looked at. */
#include "common/clock.h"
#include "common/err.h"
#include "common/fault.h"
#include "controller/db/db.h"
#include "controller/fleet/fleet.h"
#include "controller/http/list.h"
#include "controller/incidents/incidents.h"
#include "controller/people/auth.h"
#include "controller/shop/product_text.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS                                                                                    \
	"id, kind, subject, agent_id, severity, opened, updated, closed, times, title, detail,"    \
	" next_step, why_closed, acknowledged, acknowledged_by, note"
/* Open ones are told the gravest first; the cursor is this number of the last one. */
#define RANK     "((severity << 48) | id)"
#define NOTE_MAX PRODUCT_TEXT_MAX

static json_t *text_json(const char *text)
{
	json_t *j = json_string(text ? text : "");

	return j ? j : json_string("");
}

static json_t *text_or_null(const char *text)
{
	return text && *text ? text_json(text) : json_null();
}

static json_t *time_json(struct sql_stmt *q, int column)
{
	char when[CLOCK_RFC3339_MAX];

	return sql_col_is_null(q, column)
		       ? json_null()
		       : json_string(clock_rfc3339(sql_col_i64(q, column), when));
}

static json_t *evidence_json(const char *text)
{
	json_t *j = text ? json_loads(text, 0, NULL) : NULL;

	if (json_is_object(j))
		return j;
	json_decref(j);
	return json_object();
}

static json_t *acknowledged_json(struct sql_stmt *q)
{
	if (sql_col_is_null(q, 13))
		return json_null();
	return json_pack("{s:o,s:o,s:o}", "at", time_json(q, 13), "by",
			 text_json(sql_col_text(q, 14)), "note", text_or_null(sql_col_text(q, 15)));
}

static json_t *incident_json(struct app *app, struct sql_stmt *q)
{
	int64_t agent_id = sql_col_i64(q, 3);
	bool open = sql_col_is_null(q, 7);

	return json_pack("{s:I,s:o,s:o,s:o,s:o,s:s,s:s,s:o,s:o,s:o,s:I,s:o,s:o,s:o,s:o,s:o}", "id",
			 (json_int_t) sql_col_i64(q, 0), "kind", text_json(sql_col_text(q, 1)),
			 "subject", text_json(sql_col_text(q, 2)), "agent_id",
			 agent_id ? json_integer(agent_id) : json_null(), "agent",
			 agent_id ? text_or_null(fleet_agent_name(app->fleet, agent_id))
				  : json_null(),
			 "state", open ? "open" : "closed", "severity",
			 incident_severity_name(sql_col_i64(q, 4)), "opened", time_json(q, 5),
			 "updated", time_json(q, 6), "closed", time_json(q, 7), "times",
			 (json_int_t) sql_col_i64(q, 8), "title", text_json(sql_col_text(q, 9)),
			 "detail", evidence_json(sql_col_text(q, 10)), "next_step",
			 text_or_null(sql_col_text(q, 11)), "why_closed",
			 text_or_null(sql_col_text(q, 12)), "acknowledged", acknowledged_json(q));
}

/* --- the list ----------------------------------------------------------------------------------
 */

struct wanted {
	struct list_page page;
	const char *kind;
	int64_t agent_id;
	bool open, closed;
};

static bool read_wanted(struct http_request *rq, struct wanted *ret)
{
	const char *state = http_query(rq, "state");
	const char *kind = http_query(rq, "kind");

	*ret = (struct wanted){.kind = kind ? kind : ""};
	if (!list_page_read(rq, &ret->page) ||
	    !http_query_int(rq, "agent_id", 0, 0, INT64_MAX, &ret->agent_id))
		return false;
	ret->open = state && !strcmp(state, "open");
	ret->closed = state && !strcmp(state, "closed");
	if ((state && *state && !ret->open && !ret->closed) ||
	    strlen(ret->kind) > INCIDENT_KIND_MAX) {
		http_problem(rq, 400, "bad-parameter", "state is open or closed; kind a word.");
		return false;
	}
	return true;
}

static int64_t count_open(struct sql *s, const struct wanted *w)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT count(*) FROM incidents WHERE closed IS NULL"
					    " AND (?1 = '' OR kind = ?1)"
					    " AND (?2 = 0 OR agent_id = ?2)");
	int64_t n = -1;

	sql_bind_text(q, 1, w->kind);
	sql_bind_i64(q, 2, w->agent_id);
	if (sql_step(q) > 0)
		n = sql_col_i64(q, 0);
	sql_reset(q);
	return n;
}

/* The gravest open ones first; among all or the closed ones, the newest. */
static void list_incidents(struct http_request *rq, struct app *app)
{
	struct sql *s = db_reader(app->db);
	struct wanted w;
	struct sql_stmt *q;
	int64_t next = 0, n = 0;
	json_t *items;
	int r;

	if (!read_wanted(rq, &w))
		return;
	q = w.open ? sql_prepare(s, "SELECT " COLUMNS ", " RANK " FROM incidents"
				    " WHERE closed IS NULL AND (?1 = '' OR kind = ?1)"
				    " AND (?2 = 0 OR agent_id = ?2) AND (?3 = 0 OR " RANK " < ?3)"
				    " ORDER BY " RANK " DESC LIMIT ?4")
		   : sql_prepare(s, "SELECT " COLUMNS ", id FROM incidents"
				    " WHERE (?1 = '' OR kind = ?1) AND (?2 = 0 OR agent_id = ?2)"
				    " AND (?3 = 0 OR id < ?3) AND (?5 = 0 OR closed IS NOT NULL)"
				    " ORDER BY id DESC LIMIT ?4");
	sql_bind_text(q, 1, w.kind);
	sql_bind_i64(q, 2, w.agent_id);
	sql_bind_i64(q, 3, w.page.after);
	sql_bind_i64(q, 4, w.page.limit + 1);
	if (!w.open)
		sql_bind_i64(q, 5, w.closed);
	items = json_array();
	while ((r = sql_step(q)) > 0 && n < w.page.limit) {
		next = sql_col_i64(q, 16);
		json_array_append_new(items, incident_json(app, q));
		n++;
	}
	if (r < 0) {
		json_decref(items);
		http_reply_err(rq, r, "Incidents");
		return;
	}
	sql_reset(q);
	list_reply_total(rq, items, r > 0 ? next : 0, w.open ? count_open(s, &w) : -1);
}

/* --- one ---------------------------------------------------------------------------------------
 */

static json_t *trail_json(struct sql *s, int64_t id)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT at, what, who, text FROM incident_changes"
					    " WHERE incident_id = ? ORDER BY id DESC LIMIT 500");
	json_t *list = json_array();

	sql_bind_i64(q, 1, id);
	while (sql_step(q) > 0)
		json_array_append_new(list, json_pack("{s:o,s:o,s:o,s:o}", "at", time_json(q, 0),
						      "what", text_json(sql_col_text(q, 1)), "by",
						      text_or_null(sql_col_text(q, 2)), "text",
						      text_or_null(sql_col_text(q, 3))));
	return list;
}

/* NULL if there is none. */
static json_t *load(struct app *app, int64_t id)
{
	struct sql *s = db_reader(app->db);
	struct sql_stmt *q = sql_prepare(s, "SELECT " COLUMNS " FROM incidents WHERE id = ?");
	json_t *body = NULL;

	sql_bind_i64(q, 1, id);
	if (sql_step(q) > 0)
		body = incident_json(app, q);
	sql_reset(q);
	if (body)
		json_object_set_new(body, "changes", trail_json(s, id));
	return body;
}

static void reply_one(struct http_request *rq, struct app *app, int64_t id)
{
	json_t *body = load(app, id);

	if (body)
		http_reply_json(rq, 200, body);
	else
		http_problem(rq, 404, "no-such-incident", "There is no such incident.");
}

static void get_incident(struct http_request *rq, struct app *app)
{
	int64_t id;

	if (http_arg_id(rq, 0, &id))
		reply_one(rq, app, id);
}

/* --- acknowledging -----------------------------------------------------------------------------
 */

struct ack {
	struct http_request *rq;
	struct app *app;
	int64_t id;
	char who[AUTH_WHO_MAX];
	char note[NOTE_MAX + 1];
};

static int ack_write(struct sql *s, void *arg)
{
	const struct ack *a = arg;
	struct sql_stmt *q;
	char object[40];
	int64_t now_us;
	uint64_t rev;
	int r = db_now_us(s, &now_us);

	if (r == 0)
		r = db_next_rev(s, &rev);
	if (r < 0)
		return r;
	q = sql_prepare(s, "UPDATE incidents SET acknowledged = ?1, acknowledged_by = ?2,"
			   " note = ?3, rev = ?4 WHERE id = ?5");
	sql_bind_i64(q, 1, now_us);
	sql_bind_text(q, 2, a->who);
	sql_bind_text(q, 3, a->note);
	sql_bind_i64(q, 4, (int64_t) rev);
	sql_bind_i64(q, 5, a->id);
	r = sql_run(q);
	if (r == 0 && sql_changes(s) == 0)
		return -ENOENT;
	if (r == 0)
		r = incident_trail(s, a->id, now_us, "acknowledged", a->who, a->note);
	FAULT_POINT("ctl.incidents.acknowledge");
	if (r < 0)
		return r;
	snprintf(object, sizeof(object), "incident:%lld", (long long) a->id);
	return db_audit(s, a->who, "incident.acknowledge", object, a->note);
}

static void ack_done(void *arg, int err)
{
	struct ack *a = arg;

	if (err == -ENOENT) {
		http_problem(a->rq, 404, "no-such-incident", "There is no such incident.");
	} else if (err < 0) {
		http_reply_err(a->rq, err, "Incident");
	} else {
		reply_one(a->rq, a->app, a->id);
		incidents_look(a->app->incidents);
	}
	free(a);
}

/* The body may be left out altogether. */
static bool read_note(struct http_request *rq, char ret[NOTE_MAX + 1])
{
	char clean[PRODUCT_TEXT_MAX + 1];
	const json_t *note;
	bool good = true;
	json_t *body;
	size_t len, at;

	(void) http_body(rq, &len);
	if (len == 0)
		return true;
	body = http_json(rq);
	if (!body)
		return false;
	note = json_object_get(body, "note");
	if (note && !json_is_null(note)) {
		good = json_is_string(note) && json_string_length(note) <= NOTE_MAX &&
		       product_text_clean(json_string_value(note), json_string_length(note), clean,
					  &at) == 0;
		if (good)
			snprintf(ret, NOTE_MAX + 1, "%.*s", NOTE_MAX, clean);
		else
			http_problem(rq, 422, "too-long", "A note has at most %d bytes of text.",
				     NOTE_MAX);
	}
	json_decref(body);
	return good;
}

static void acknowledge(struct http_request *rq, struct app *app)
{
	struct ack *a = calloc(1, sizeof(*a));
	int r;

	if (!a) {
		http_reply_err(rq, -ENOMEM, "Incident");
		return;
	}
	a->rq = rq;
	a->app = app;
	auth_who_text(http_who(rq), a->who);
	if (!http_arg_id(rq, 0, &a->id) || !read_note(rq, a->note)) {
		free(a);
		return;
	}
	r = db_write(app->db, ack_write, ack_done, a);
	if (r < 0) {
		http_reply_err(rq, r, "Incident");
		free(a);
	}
}

const struct http_route incident_routes[] = {
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/incidents", PERM_VIEW, 0, list_incidents},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/incidents/{}", PERM_VIEW, 0, get_incident},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/incidents/{}/acknowledge", PERM_INCIDENTS, 4096,
	 acknowledge},
	{.path = NULL},
};
