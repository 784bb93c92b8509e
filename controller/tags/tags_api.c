/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/tag-operations, and the part: passwords in memory, what runs out of time. */
#include "common/err.h"
#include "common/log.h"
#include "controller/db/db.h"
#include "controller/http/events.h"
#include "controller/http/idempotency.h"
#include "controller/http/list.h"
#include "controller/tags/tags.h"
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define LOOK_US      (5 * US_PER_SEC)
#define LIST_AT_ONCE 200

struct secret {
	int64_t token;
	uint32_t password;
	UT_hash_handle hh;
};

struct tags {
	struct app *app;
	struct secret *secrets;
	struct loop_timer *timer;
	bool looking;
	int ended;
};

/* --- passwords ---------------------------------------------------------------------------------
 */

int64_t tags_secret_keep(struct tags *t, uint32_t password)
{
	struct secret *x = calloc(1, sizeof(*x));

	if (!x)
		return -ENOMEM;
	do {
		randombytes_buf(&x->token, sizeof(x->token));
		x->token &= INT64_MAX;
	} while (x->token == 0);
	x->password = password;
	HASH_ADD(hh, t->secrets, token, sizeof(x->token), x);
	if (!x->hh.tbl) {
		free(x);
		return -ENOMEM;
	}
	return x->token;
}

uint32_t tags_secret(const struct tags *t, int64_t token, bool *ret_known)
{
	struct secret *x;

	HASH_FIND(hh, t->secrets, &token, sizeof(token), x);
	*ret_known = x != NULL;
	return x ? x->password : 0;
}

static void drop(struct tags *t, struct secret *x)
{
	HASH_DEL(t->secrets, x);
	sodium_memzero(x, sizeof(*x));
	free(x);
}

void tags_secret_drop(struct tags *t, int64_t token)
{
	struct secret *x;

	HASH_FIND(hh, t->secrets, &token, sizeof(token), x);
	if (x)
		drop(t, x);
}

/* --- what runs out of time ---------------------------------------------------------------------
 */

static int expire_write(struct sql *s, void *arg)
{
	struct tags *t = arg;
	int64_t now_us;
	int r = db_now_us(s, &now_us);

	if (r == 0)
		r = t->ended = tag_rows_expire(s, now_us);
	return MIN(r, 0);
}

static void forget_secrets(struct tags *t)
{
	struct secret *x, *next;

	HASH_ITER (hh, t->secrets, x, next) {
		struct sql_stmt *q = sql_prepare(db_reader(t->app->db),
						 "SELECT 1 FROM tag_operations WHERE token = ?"
						 " AND state IN ('pending', 'running')");
		bool needed;

		sql_bind_i64(q, 1, x->token);
		needed = sql_step(q) > 0;
		sql_reset(q);
		if (!needed)
			drop(t, x);
	}
}

static void expired(void *arg, int err)
{
	struct tags *t = arg;

	t->looking = false;
	if (err < 0 || t->ended <= 0)
		return;
	forget_secrets(t);
	if (t->app->events)
		events_publish(t->app->events, "tag-operation", json_object());
}

static bool any_late(struct tags *t)
{
	struct sql_stmt *q = sql_prepare(db_reader(t->app->db),
					 "SELECT 1 FROM tag_operations WHERE"
					 " state IN ('pending', 'running') AND until < ? LIMIT 1");
	bool late;

	sql_bind_i64(q, 1, clock_real_us(t->app->clock) - TAGS_LATE_US);
	late = sql_step(q) > 0;
	sql_reset(q);
	return late;
}

static void on_timer(void *user)
{
	struct tags *t = user;

	if (!t->looking && any_late(t))
		t->looking = db_write(t->app->db, expire_write, expired, t) == 0;
	loop_timer_start(t->timer, LOOK_US);
}

void tags_publish(struct app *app, int64_t id)
{
	struct sql_stmt *q;

	if (!app->events)
		return;
	q = sql_prepare(db_reader(app->db),
			"SELECT state, agent_id, reader FROM tag_operations WHERE id = ?");
	sql_bind_i64(q, 1, id);
	if (sql_step(q) > 0)
		events_publish(app->events, "tag-operation",
			       json_pack("{s:I,s:s,s:I,s:s}", "id", (json_int_t) id, "state",
					 sql_col_text(q, 0), "agent_id",
					 (json_int_t) sql_col_i64(q, 1), "reader",
					 sql_col_text(q, 2)));
	sql_reset(q);
}

int tags_new(struct app *app, struct tags **ret)
{
	struct tags *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	t->app = app;
	r = loop_timer_new(app->loop, on_timer, t, &t->timer);
	if (r < 0) {
		free(t);
		return r;
	}
	loop_timer_start(t->timer, LOOK_US);
	*ret = t;
	return 0;
}

void tags_free(struct tags *t)
{
	struct secret *x, *next;

	if (!t)
		return;
	db_drain(t->app->db);
	loop_timer_free(t->timer);
	HASH_ITER (hh, t->secrets, x, next)
		drop(t, x);
	free(t);
}

/* --- reading -----------------------------------------------------------------------------------
 */

void tags_api_get(struct http_request *rq, struct app *app)
{
	json_t *body;
	int64_t id;

	if (!http_arg_id(rq, 0, &id))
		return;
	body = tag_row_json(app, id);
	if (body)
		http_reply_json(rq, 200, body);
	else
		http_problem(rq, 404, "no-such-operation", "There is no such operation.");
}

void tags_api_list(struct http_request *rq, struct app *app)
{
	const char *reader = http_query(rq, "reader");
	int64_t ids[LIST_AT_ONCE + 1], agent_id, next = 0;
	struct list_page page;
	struct sql_stmt *q;
	json_t *items;
	size_t n = 0, limit;
	int r;

	if (!list_page_read(rq, &page) ||
	    !http_query_int(rq, "agent_id", 0, 0, INT64_MAX, &agent_id))
		return;
	limit = MIN((size_t) page.limit, (size_t) LIST_AT_ONCE);
	q = sql_prepare(db_reader(app->db),
			"SELECT id FROM tag_operations WHERE (?1 = 0 OR agent_id = ?1)"
			" AND (?2 = '' OR reader = ?2) AND (?3 = 0 OR id < ?3)"
			" ORDER BY id DESC LIMIT ?4");
	sql_bind_i64(q, 1, agent_id);
	sql_bind_text(q, 2, reader ? reader : "");
	sql_bind_i64(q, 3, page.after);
	sql_bind_i64(q, 4, (int64_t) limit + 1);
	while ((r = sql_step(q)) > 0 && n <= limit)
		ids[n++] = sql_col_i64(q, 0);
	sql_reset(q);
	if (r < 0) {
		http_reply_err(rq, r, "Operations");
		return;
	}
	items = json_array();
	for (size_t i = 0; i < n && i < limit; i++) {
		json_array_append_new(items, tag_row_json(app, ids[i]));
		next = ids[i];
	}
	list_reply(rq, items, n > limit ? next : 0);
}

/* --- asking ------------------------------------------------------------------------------------
 */

struct asking {
	struct http_request *rq;
	struct app *app;
	struct idempotency once;
	struct tag_ask ask;
	int64_t token;
	char who[AUTH_WHO_MAX];
};

static int ask_write(struct sql *s, void *arg)
{
	struct asking *a = arg;
	char answer[48];
	int64_t now_us;
	int r = db_now_us(s, &now_us);

	if (r == 0)
		r = tag_rows_insert(s, &a->ask, a->token, a->who, now_us);
	if (r < 0)
		return r;
	snprintf(answer, sizeof(answer), "{\"id\":%lld}", (long long) a->ask.op.id);
	return idempotency_store(s, &a->once, 202, answer);
}

static void free_asking(struct asking *a)
{
	sodium_memzero(a, sizeof(*a));
	free(a);
}

static void asked(void *arg, int err)
{
	struct asking *a = arg;

	if (err < 0 && a->token)
		tags_secret_drop(a->app->tags, a->token);
	if (err == -ENOENT) {
		http_problem(a->rq, 404, "no-such-reader", "There is no such reader.");
	} else if (err == -ERR_CONFLICT) {
		http_problem(a->rq, 409, "serial-used",
			     "This serial was given out before: leave it out, and the next one is "
			     "taken, or say `again`.");
	} else if (err == -EAGAIN) {
		http_problem(a->rq, 429, "too-many",
			     "Too many operations wait already: try again when they are done.");
	} else if (err == -ERR_RANGE || err == -ERR_CHECK_DIGIT) {
		http_problem(a->rq, 422, "bad-operation",
			     "No EPC can be made of this GTIN, serial and length of prefix.");
	} else if (err < 0) {
		http_reply_err(a->rq, err, "Operation");
	} else {
		http_reply_json(a->rq, 202, tag_row_json(a->app, (int64_t) a->ask.op.id));
		tags_publish(a->app, (int64_t) a->ask.op.id);
		app_desired_changed(a->app, a->ask.agent_id);
	}
	free_asking(a);
}

/* With a password the token comes first: the long poll may carry the row as soon as it is there. */
static bool keep_password(struct asking *a)
{
	if (!a->ask.op.password)
		return true;
	a->token = tags_secret_keep(a->app->tags, a->ask.op.password);
	a->ask.op.password = 0;
	if (a->token > 0)
		return true;
	a->token = 0;
	http_reply_err(a->rq, -ENOMEM, "Operation");
	return false;
}

void tags_api_post(struct http_request *rq, struct app *app)
{
	struct asking *a = calloc(1, sizeof(*a));
	json_t *body = NULL;
	bool ok;

	if (!a) {
		http_reply_err(rq, -ENOMEM, "Operation");
		return;
	}
	a->rq = rq;
	a->app = app;
	auth_who_text(http_who(rq), a->who);
	ok = idempotency_begin(rq, app, &a->once) && (body = http_json(rq)) &&
	     tag_ask_read(rq, app, body, &a->ask) && keep_password(a);
	json_decref(body);
	if (ok && db_write(app->db, ask_write, asked, a) == 0)
		return;
	if (ok) {
		if (a->token)
			tags_secret_drop(app->tags, a->token);
		http_reply_err(rq, -ENOMEM, "Operation");
	}
	free_asking(a);
}

const struct http_route tags_routes[] = {
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/tag-operations", PERM_TAGS, 0, tags_api_list},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/tag-operations", PERM_TAGS, 4096, tags_api_post},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/tag-operations/{}", PERM_TAGS, 0, tags_api_get},
	{HTTP_AGENTS, HTTP_POST, "/agent/v1/operations", PERM_AGENT, 64 * 1024, tags_agent_results},
	{.path = NULL},
};
