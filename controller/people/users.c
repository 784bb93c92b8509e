/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/users: who may sign in, and as what. There is always an admin left. */
#include "common/clock.h"
#include "common/err.h"
#include "controller/db/db.h"
#include "controller/http/list.h"
#include "controller/people/auth_internal.h"
#include <ctype.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum user_action {
	USER_CREATE,
	USER_CHANGE,
	USER_DELETE
};

struct user_op {
	struct http_request *rq;
	struct app *app;
	enum user_action action;
	int64_t id;
	char by[AUTH_WHO_MAX];
	bool has_name, has_role, has_password;
	char name[USER_NAME_MAX + 1];
	char role[16];
	char hash[PASSWORD_HASH_MAX];
	bool last_admin;
};

static json_t *user_json(struct sql_stmt *q)
{
	char created[CLOCK_RFC3339_MAX], login[CLOCK_RFC3339_MAX];

	return json_pack("{s:I,s:s,s:s,s:s,s:o}", "id", (json_int_t) sql_col_i64(q, 0), "name",
			 sql_col_text(q, 1), "role", sql_col_text(q, 2), "created",
			 clock_rfc3339(sql_col_i64(q, 3), created), "last_login",
			 sql_col_is_null(q, 4)
				 ? json_null()
				 : json_string(clock_rfc3339(sql_col_i64(q, 4), login)));
}

static void get_users(struct http_request *rq, struct app *app)
{
	struct list_page page;
	struct sql_stmt *q;
	json_t *items;
	int64_t next = 0, n = 0;
	int r;

	if (!list_page_read(rq, &page))
		return;
	items = json_array();
	q = sql_prepare(db_reader(app->db), "SELECT id, name, role, created, last_login FROM users"
					    " WHERE id > ? ORDER BY id LIMIT ?");
	sql_bind_i64(q, 1, page.after);
	sql_bind_i64(q, 2, page.limit + 1);
	while ((r = sql_step(q)) > 0 && n < page.limit) {
		next = sql_col_i64(q, 0);
		json_array_append_new(items, user_json(q));
		n++;
	}
	if (r < 0) {
		json_decref(items);
		http_reply_err(rq, r, "Users");
		return;
	}
	sql_reset(q);
	list_reply(rq, items, r > 0 ? next : 0);
}

/* --- writing ------------------------------------------------------------------------------- */

static int insert_user(struct sql *s, struct user_op *op)
{
	struct sql_stmt *q = sql_prepare(s, "INSERT INTO users(name, role, password, created)"
					    " VALUES(?, ?, ?, (SELECT us FROM temp.clock))");
	int r;

	sql_bind_text(q, 1, op->name);
	sql_bind_text(q, 2, op->role);
	sql_bind_text(q, 3, op->hash);
	r = sql_run(q);
	if (r < 0)
		return r;
	op->id = sql_last_rowid(s);
	return db_audit(s, op->by, "user.create", op->name, op->role);
}

static int end_sessions(struct sql *s, int64_t id)
{
	struct sql_stmt *q = sql_prepare(s, "DELETE FROM sessions WHERE user_id = ?");

	sql_bind_i64(q, 1, id);
	return sql_run(q);
}

static int update_user(struct sql *s, struct user_op *op)
{
	struct sql_stmt *q = sql_prepare(
		s, "UPDATE users SET name = coalesce(?, name), role = coalesce(?, role),"
		   " password = coalesce(?, password) WHERE id = ? RETURNING name, role");
	char detail[64];
	int r;

	if (op->has_name)
		sql_bind_text(q, 1, op->name);
	if (op->has_role)
		sql_bind_text(q, 2, op->role);
	if (op->has_password)
		sql_bind_text(q, 3, op->hash);
	sql_bind_i64(q, 4, op->id);
	r = sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	snprintf(op->name, sizeof(op->name), "%s", sql_col_text(q, 0));
	snprintf(op->role, sizeof(op->role), "%s", sql_col_text(q, 1));
	sql_reset(q);
	if (op->has_password) {
		r = end_sessions(s, op->id);
		if (r < 0)
			return r;
	}
	snprintf(detail, sizeof(detail), "%s%s", op->role,
		 op->has_password ? ", new password" : "");
	return db_audit(s, op->by, "user.change", op->name, detail);
}

static int delete_user(struct sql *s, struct user_op *op)
{
	struct sql_stmt *q = sql_prepare(s, "DELETE FROM users WHERE id = ? RETURNING name");
	int r;

	sql_bind_i64(q, 1, op->id);
	r = sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	snprintf(op->name, sizeof(op->name), "%s", sql_col_text(q, 0));
	sql_reset(q);
	return db_audit(s, op->by, "user.delete", op->name, NULL);
}

static int keep_an_admin(struct sql *s, struct user_op *op)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT 1 FROM users WHERE role = 'admin' LIMIT 1");
	int r = sql_step(q);

	if (r < 0)
		return r;
	sql_reset(q);
	op->last_admin = r == 0;
	return r == 0 ? -ERR_STATE : 0;
}

static int write_user(struct sql *s, void *arg)
{
	struct user_op *op = arg;
	int r = -EINVAL;

	switch (op->action) {
	case USER_CREATE:
		r = insert_user(s, op);
		break;
	case USER_CHANGE:
		r = update_user(s, op);
		break;
	case USER_DELETE:
		r = delete_user(s, op);
		break;
	}
	return r < 0 ? r : keep_an_admin(s, op);
}

static void reply_user(struct user_op *op)
{
	struct sql_stmt *q = sql_prepare(db_reader(op->app->db),
					 "SELECT id, name, role, created, last_login FROM users"
					 " WHERE id = ?");
	json_t *body;
	int r;

	sql_bind_i64(q, 1, op->id);
	r = sql_step(q);
	if (r <= 0) {
		http_reply_err(op->rq, r < 0 ? r : -ENOENT, "User");
		return;
	}
	body = user_json(q);
	sql_reset(q);
	http_reply_json(op->rq, op->action == USER_CREATE ? 201 : 200, body);
}

static void user_written(void *arg, int err)
{
	struct user_op *op = arg;

	if (err == -ERR_STATE && op->last_admin)
		http_problem(op->rq, 409, "last-admin", "There must be an admin left.");
	else if (err == -ERR_CONFLICT)
		http_problem(op->rq, 409, "name-taken", "There is a user of this name.");
	else if (err < 0)
		http_reply_err(op->rq, err, "User");
	else if (op->action == USER_DELETE)
		http_reply_empty(op->rq, 204);
	else
		reply_user(op);
	free(op);
}

static void queue_write(struct user_op *op)
{
	int r = db_write(op->app->db, write_user, user_written, op);

	if (r < 0) {
		http_reply_err(op->rq, r, "User");
		free(op);
	}
}

static void password_hashed(void *user, int err, const char *hash)
{
	struct user_op *op = user;

	if (err < 0) {
		http_reply_err(op->rq, err, "User");
		free(op);
		return;
	}
	snprintf(op->hash, sizeof(op->hash), "%s", hash);
	queue_write(op);
}

/* --- requests ------------------------------------------------------------------------------ */

static struct user_op *op_new(struct http_request *rq, struct app *app, enum user_action action)
{
	struct user_op *op = calloc(1, sizeof(*op));

	if (!op) {
		http_reply_err(rq, -ENOMEM, "User");
		return NULL;
	}
	op->rq = rq;
	op->app = app;
	op->action = action;
	auth_who_text(http_who(rq), op->by);
	return op;
}

static bool read_id(struct http_request *rq, int64_t *ret)
{
	const char *text = http_arg(rq, 0);
	char *end;

	errno = 0;
	*ret = strtoll(text, &end, 10);
	if (errno || *end || !isdigit((unsigned char) text[0])) {
		http_problem(rq, 404, "not-found", "There is no such user.");
		return false;
	}
	return true;
}

static bool name_is_good(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > USER_NAME_MAX || name[0] == ' ' || name[len - 1] == ' ')
		return false;
	for (const char *c = name; *c; c++)
		if ((unsigned char) *c < 0x20 || *c == 0x7f || *c == ':')
			return false;
	return true;
}

/* Why the fields will not do, or NULL. Copies them otherwise. */
static const char *take_fields(struct user_op *op, const char *name, const char *role,
			       const char *password)
{
	if (op->action == USER_CREATE && (!name || !role || !password))
		return "name, role and password are needed.";
	if (name && !name_is_good(name))
		return "A name has 1 to 64 bytes, no colon and no control characters.";
	if (role && !perm_of_role(role))
		return "role is admin, manager, stock, it or viewer.";
	if (password && (strlen(password) < PASSWORD_MIN || strlen(password) > PASSWORD_MAX))
		return "A password has 10 to 256 bytes.";
	op->has_name = name != NULL;
	op->has_role = role != NULL;
	op->has_password = password != NULL;
	snprintf(op->name, sizeof(op->name), "%s", name ? name : "");
	snprintf(op->role, sizeof(op->role), "%s", role ? role : "");
	return NULL;
}

static void change_user(struct user_op *op)
{
	struct http_request *rq = op->rq;
	json_t *body = http_json(rq);
	const char *name = NULL, *role = NULL, *password = NULL, *fault;
	int r;

	if (!body) {
		free(op);
		return;
	}
	if (json_unpack(body, "{s?s,s?s,s?s}", "name", &name, "role", &role, "password",
			&password) < 0)
		fault = "name, role and password are strings.";
	else
		fault = take_fields(op, name, role, password);
	if (fault) {
		http_problem(rq, 422, "bad-user", "%s", fault);
		free(op);
	} else if (op->has_password) {
		r = passwords_hash(op->app->auth->passwords, password, password_hashed, op);
		if (r < 0) {
			http_reply_err(rq, r, "User");
			free(op);
		}
	} else {
		queue_write(op);
	}
	json_decref(body);
}

static void post_user(struct http_request *rq, struct app *app)
{
	struct user_op *op = op_new(rq, app, USER_CREATE);

	if (op)
		change_user(op);
}

static void patch_user(struct http_request *rq, struct app *app)
{
	struct user_op *op;
	int64_t id;

	if (!read_id(rq, &id))
		return;
	op = op_new(rq, app, USER_CHANGE);
	if (!op)
		return;
	op->id = id;
	change_user(op);
}

static void remove_user(struct http_request *rq, struct app *app)
{
	struct user_op *op;
	int64_t id;

	if (!read_id(rq, &id))
		return;
	op = op_new(rq, app, USER_DELETE);
	if (!op)
		return;
	op->id = id;
	queue_write(op);
}

const struct http_route users_routes[] = {
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/users", PERM_USERS, 0, get_users},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/users", PERM_USERS, 4096, post_user},
	{HTTP_PUBLIC, HTTP_PATCH, "/api/v1/users/{}", PERM_USERS, 4096, patch_user},
	{HTTP_PUBLIC, HTTP_DELETE, "/api/v1/users/{}", PERM_USERS, 0, remove_user},
	{.path = NULL},
};
