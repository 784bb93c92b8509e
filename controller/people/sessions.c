/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/sessions: who is signed in, and ending that. One's own; with the permission `users`,
 * everybody's. A session is named by the first half of its hash, which opens nothing. */
#include "common/clock.h"
#include "common/err.h"
#include "controller/db/db.h"
#include "controller/people/auth_internal.h"
#include "controller/people/tokens.h"
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define ID_BYTES 16
#define ID_HEX   (2 * ID_BYTES + 1)

static json_t *session_json(struct sql_stmt *q, const uint8_t *own)
{
	char id[ID_HEX], created[CLOCK_RFC3339_MAX], seen[CLOCK_RFC3339_MAX];
	char expires[CLOCK_RFC3339_MAX];
	size_t len;
	const uint8_t *hash = sql_col_blob(q, 0, &len);

	if (!hash || len != 32)
		return NULL;
	sodium_bin2hex(id, sizeof(id), hash, ID_BYTES);
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:b}", "id", id, "user", sql_col_text(q, 1),
			 "created", clock_rfc3339(sql_col_i64(q, 2), created), "seen",
			 clock_rfc3339(sql_col_i64(q, 3), seen), "expires",
			 clock_rfc3339(sql_col_i64(q, 4), expires), "current",
			 own && memcmp(own, hash, 32) == 0);
}

/* All at once: a store has as many sessions as people and their devices, and dead ones go. */
static void get_sessions(struct http_request *rq, struct app *app)
{
	const struct http_who *who = http_who(rq);
	struct sql_stmt *q = sql_prepare(db_reader(app->db),
					 "SELECT s.token_hash, u.name, s.created, s.seen, s.expires"
					 " FROM sessions s JOIN users u ON u.id = s.user_id"
					 " WHERE (?1 OR s.user_id = ?2) AND s.expires > ?3"
					 " AND s.seen > ?4 ORDER BY s.seen DESC LIMIT 1000");
	int64_t now = clock_real_us(app->clock);
	json_t *items = json_array();
	int r;

	sql_bind_i64(q, 1, (who->perms & PERM_USERS) != 0);
	sql_bind_i64(q, 2, who->user_id);
	sql_bind_i64(q, 3, now);
	sql_bind_i64(q, 4, now - SESSION_IDLE_US);
	while ((r = sql_step(q)) > 0)
		json_array_append_new(items, session_json(q, who->session));
	if (r < 0) {
		json_decref(items);
		http_reply_err(rq, r, "Sessions");
		return;
	}
	http_reply_json(rq, 200, json_pack("{s:o,s:n}", "items", items, "next"));
}

struct end_op {
	struct http_request *rq;
	int64_t user_id;
	bool all;
	char by[AUTH_WHO_MAX];
	uint8_t id[ID_BYTES];
};

static int write_end(struct sql *s, void *arg)
{
	const struct end_op *op = arg;
	char user[USER_NAME_MAX + 1];
	struct sql_stmt *q =
		sql_prepare(s, "DELETE FROM sessions WHERE substr(token_hash, 1, 16) = ?1"
			       " AND (?2 OR user_id = ?3)"
			       " RETURNING (SELECT name FROM users WHERE id = user_id)");
	int r;

	sql_bind_blob(q, 1, op->id, sizeof(op->id));
	sql_bind_i64(q, 2, op->all);
	sql_bind_i64(q, 3, op->user_id);
	r = sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	snprintf(user, sizeof(user), "%s", sql_col_text(q, 0));
	r = sql_step(q);
	return r < 0 ? r : db_audit(s, op->by, "session.end", user, NULL);
}

static void ended(void *arg, int err)
{
	struct end_op *op = arg;

	if (err < 0)
		http_reply_err(op->rq, err, "Session");
	else
		http_reply_empty(op->rq, 204);
	free(op);
}

static void delete_session(struct http_request *rq, struct app *app)
{
	const char *text = http_arg(rq, 0);
	struct end_op *op = calloc(1, sizeof(*op));
	size_t len = 0;
	int r;

	if (!op) {
		http_reply_err(rq, -ENOMEM, "Session");
		return;
	}
	if (sodium_hex2bin(op->id, sizeof(op->id), text, strlen(text), NULL, &len, NULL) < 0 ||
	    len != sizeof(op->id)) {
		http_problem(rq, 404, "not-found", "There is no such session.");
		free(op);
		return;
	}
	op->rq = rq;
	op->user_id = http_who(rq)->user_id;
	op->all = (http_who(rq)->perms & PERM_USERS) != 0;
	auth_who_text(http_who(rq), op->by);
	r = db_write(app->db, write_end, ended, op);
	if (r < 0) {
		http_reply_err(rq, r, "Session");
		free(op);
	}
}

const struct http_route session_routes[] = {
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/sessions", PERM_SIGNED_IN, 0, get_sessions},
	{HTTP_PUBLIC, HTTP_DELETE, "/api/v1/sessions/{}", PERM_SIGNED_IN, 0, delete_session},
	{.path = NULL},
};
