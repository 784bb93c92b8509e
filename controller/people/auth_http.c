/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/session: sign in, who am I, sign out, change my password. */
#include "common/clock.h"
#include "common/err.h"
#include "common/log.h"
#include "controller/app_config.h"
#include "controller/db/db.h"
#include "controller/people/auth_internal.h"
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* One sign-in or password change on its way through pool and writer. */
struct sign {
	struct http_request *rq;
	struct app *app;
	int64_t user_id;
	char user[USER_NAME_MAX + 1];
	char charged[USER_NAME_MAX + 1]; /* as the throttle knows the name */
	char address[64];
	char role[16];
	char new_password[PASSWORD_MAX + 1];
	char hash[PASSWORD_HASH_MAX];
	char new_hash[PASSWORD_HASH_MAX];
	uint8_t token[SESSION_BYTES];
	uint8_t session[32];
	int64_t now_us;
};

static void sign_free(struct sign *g)
{
	if (!g)
		return;
	sodium_memzero(g, sizeof(*g));
	free(g);
}
DEFINE_CLEANUP(struct sign *, sign_free)

static json_t *session_json(const struct app *app, const char *user, const char *role,
			    int64_t expires_us)
{
	char when[CLOCK_RFC3339_MAX];
	json_t *perms = json_array();
	unsigned int have = perm_of_role(role), bit;
	const char *name;

	for (unsigned int i = 0; (name = perm_name(i, &bit)); i++)
		if (have & bit)
			json_array_append_new(perms, json_string(name));
	return json_pack("{s:s,s:s,s:o,s:{s:s,s:s,s:s},s:s}", "user", user, "role", role,
			 "permissions", perms, "store", "name", app->config->store_name, "zone",
			 app->config->store_zone, "currency", app->config->currency, "expires",
			 clock_rfc3339(expires_us, when));
}

/* --- sign in ------------------------------------------------------------------------------- */

/* Only if the password that was checked is still the user's: a reset meanwhile ended his sessions,
 * and this would be one more. */
static int write_session(struct sql *s, void *arg)
{
	const struct sign *g = arg;
	struct sql_stmt *q = sql_prepare(
		s, "INSERT INTO sessions(token_hash, user_id, created, seen, expires)"
		   " SELECT ?1, id, ?3, ?4, ?5 FROM users WHERE id = ?2 AND password = ?6");
	int r;

	sql_bind_blob(q, 1, g->session, sizeof(g->session));
	sql_bind_i64(q, 2, g->user_id);
	sql_bind_i64(q, 3, g->now_us);
	sql_bind_i64(q, 4, g->now_us);
	sql_bind_i64(q, 5, g->now_us + SESSION_MAX_US);
	sql_bind_text(q, 6, g->hash);
	r = sql_run(q);
	if (r < 0)
		return r;
	if (sql_changes(s) == 0)
		return -ERR_AUTH;
	q = sql_prepare(s, "UPDATE users SET last_login = ? WHERE id = ?");
	sql_bind_i64(q, 1, g->now_us);
	sql_bind_i64(q, 2, g->user_id);
	return sql_run(q);
}

static void session_written(void *arg, int err)
{
	_cleanup_(sign_freep) struct sign *g = arg;
	char text[64], cookie[192];

	if (err == -ERR_AUTH) {
		http_problem(g->rq, 401, "bad-credentials", "User or password is wrong.");
		return;
	}
	if (err < 0) {
		http_reply_err(g->rq, err, "The session could not be stored");
		return;
	}
	sodium_bin2base64(text, sizeof(text), g->token, sizeof(g->token),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	snprintf(cookie, sizeof(cookie),
		 SESSION_COOKIE "=%s; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=%lld",
		 text, (long long) (SESSION_MAX_US / US_PER_SEC));
	http_set_header(g->rq, "Set-Cookie", cookie);
	sodium_memzero(cookie, sizeof(cookie));
	sodium_memzero(text, sizeof(text));
	http_reply_json(g->rq, 200,
			session_json(g->app, g->user, g->role, g->now_us + SESSION_MAX_US));
}

static void password_checked(void *user, int err, const char *hash _unused_)
{
	_cleanup_(sign_freep) struct sign *g = user;
	struct auth *a = g->app->auth;
	int r;

	if (err == -ERR_AUTH) {
		log_notice("auth", "address=%s msg=\"sign-in refused\"", g->address);
		http_problem(g->rq, 401, "bad-credentials", "User or password is wrong.");
		return;
	}
	if (err < 0) {
		http_reply_err(g->rq, err, "The password could not be checked");
		return;
	}
	throttle_forgive(a->by_user, g->charged);
	throttle_refund(a->by_address, g->address);
	randombytes_buf(g->token, sizeof(g->token));
	auth_token_hash(g->token, g->session);
	g->now_us = clock_real_us(g->app->clock);
	r = db_write(g->app->db, write_session, session_written, g);
	if (r < 0)
		http_reply_err(g->rq, r, "The session could not be stored");
	else
		g = NULL;
}

/* Answers 429 if this name or address has to wait. Else charges both. */
static bool pass_throttle(struct http_request *rq, struct auth *a, const struct sign *g)
{
	int64_t now = clock_mono_us(a->app->clock);
	int64_t wait = MAX(throttle_wait_us(a->by_user, g->charged, now),
			   throttle_wait_us(a->by_address, g->address, now));
	char seconds[24];

	if (wait > 0) {
		snprintf(seconds, sizeof(seconds), "%lld",
			 (long long) ((wait + US_PER_SEC - 1) / US_PER_SEC));
		http_set_header(rq, "Retry-After", seconds);
		http_problem(rq, 429, "throttled", "Too many attempts. Try again in %s seconds.",
			     seconds);
		return false;
	}
	throttle_charge(a->by_user, g->charged, now);
	throttle_charge(a->by_address, g->address, now);
	return true;
}

static struct sign *sign_new(struct http_request *rq, struct app *app, const char *user)
{
	struct sign *g = calloc(1, sizeof(*g));

	if (!g) {
		http_reply_err(rq, -ENOMEM, "Sign-in");
		return NULL;
	}
	g->rq = rq;
	g->app = app;
	snprintf(g->user, sizeof(g->user), "%s", user);
	/* Names are compared without case in the database: charge them the same way. */
	snprintf(g->charged, sizeof(g->charged), "%s", user);
	for (char *c = g->charged; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char) (*c - 'A' + 'a');
	auth_address_key(http_remote(rq), g->address, sizeof(g->address));
	return g;
}

/* Fills id, role and stored hash; leaves hash empty when there is no such user. */
static int load_user(struct sign *g)
{
	struct sql_stmt *q =
		sql_prepare(db_reader(g->app->db), "SELECT id, role, password, name FROM users"
						   " WHERE name = ?");
	int r;

	sql_bind_text(q, 1, g->user);
	r = sql_step(q);
	if (r <= 0)
		return r;
	g->user_id = sql_col_i64(q, 0);
	snprintf(g->role, sizeof(g->role), "%s", sql_col_text(q, 1));
	snprintf(g->hash, sizeof(g->hash), "%s", sql_col_text(q, 2));
	snprintf(g->user, sizeof(g->user), "%s", sql_col_text(q, 3));
	sql_reset(q);
	return 0;
}

static void sign_in(struct http_request *rq, struct app *app)
{
	json_t *body = http_json(rq);
	_cleanup_(sign_freep) struct sign *g = NULL;
	const char *user, *password;
	int r;

	if (!body)
		return;
	if (json_unpack(body, "{s:s,s:s}", "user", &user, "password", &password) < 0 ||
	    strlen(user) > USER_NAME_MAX || strlen(password) > PASSWORD_MAX) {
		json_decref(body);
		http_problem(rq, 400, "bad-request", "user and password are needed.");
		return;
	}
	g = sign_new(rq, app, user);
	if (!g || !pass_throttle(rq, app->auth, g)) {
		json_decref(body);
		return;
	}
	r = load_user(g);
	if (r == 0)
		r = passwords_verify(app->auth->passwords, *g->hash ? g->hash : NULL, password,
				     password_checked, g);
	json_decref(body);
	if (r < 0) {
		throttle_refund(app->auth->by_address, g->address);
		http_reply_err(rq, r, "Sign-in");
		return;
	}
	g = NULL;
}

/* --- who am I, sign out -------------------------------------------------------------------- */

static void get_session(struct http_request *rq, struct app *app)
{
	const struct http_who *who = http_who(rq);
	struct sql_stmt *q = sql_prepare(
		db_reader(app->db), "SELECT s.expires, u.role, u.name FROM sessions s"
				    " JOIN users u ON u.id = s.user_id WHERE s.token_hash = ?");
	json_t *body;
	int r;

	sql_bind_blob(q, 1, who->session, who->session ? 32 : 0);
	r = sql_step(q);
	if (r <= 0) {
		http_reply_err(rq, r < 0 ? r : -ERR_AUTH, "No session");
		return;
	}
	body = session_json(app, sql_col_text(q, 2), sql_col_text(q, 1), sql_col_i64(q, 0));
	sql_reset(q);
	http_reply_json(rq, 200, body);
}

static int write_sign_out(struct sql *s, void *arg)
{
	const struct sign *g = arg;
	struct sql_stmt *q = sql_prepare(s, "DELETE FROM sessions WHERE token_hash = ?");

	sql_bind_blob(q, 1, g->session, sizeof(g->session));
	return sql_run(q);
}

static void signed_out(void *arg, int err)
{
	_cleanup_(sign_freep) struct sign *g = arg;

	if (err < 0) {
		http_reply_err(g->rq, err, "The session could not be ended");
		return;
	}
	http_set_header(g->rq, "Set-Cookie",
			SESSION_COOKIE "=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
	http_reply_empty(g->rq, 204);
}

static void sign_out(struct http_request *rq, struct app *app)
{
	struct sign *g = sign_new(rq, app, http_who(rq)->user);
	int r;

	if (!g)
		return;
	if (http_who(rq)->session)
		memcpy(g->session, http_who(rq)->session, sizeof(g->session));
	r = db_write(app->db, write_sign_out, signed_out, g);
	if (r < 0) {
		sign_free(g);
		http_reply_err(rq, r, "The session could not be ended");
	}
}

/* --- change my password -------------------------------------------------------------------- */

/* The new hash, and the end of this user's other sessions. */
static int write_password(struct sql *s, void *arg)
{
	const struct sign *g = arg;
	struct sql_stmt *q =
		sql_prepare(s, "UPDATE users SET password = ? WHERE id = ? AND password = ?");
	int r;

	sql_bind_text(q, 1, g->new_hash);
	sql_bind_i64(q, 2, g->user_id);
	sql_bind_text(q, 3, g->hash);
	r = sql_run(q);
	if (r < 0)
		return r;
	if (sql_changes(s) == 0) /* it was changed or reset meanwhile */
		return -ERR_CONFLICT;
	q = sql_prepare(s, "DELETE FROM sessions WHERE user_id = ? AND token_hash != ?");
	sql_bind_i64(q, 1, g->user_id);
	sql_bind_blob(q, 2, g->session, sizeof(g->session));
	r = sql_run(q);
	return r < 0 ? r : db_audit(s, g->user, "user.password", g->user, NULL);
}

static void password_written(void *arg, int err)
{
	_cleanup_(sign_freep) struct sign *g = arg;

	if (err < 0)
		http_reply_err(g->rq, err, "The password could not be changed");
	else
		http_reply_empty(g->rq, 204);
}

static void new_password_hashed(void *user, int err, const char *hash)
{
	_cleanup_(sign_freep) struct sign *g = user;

	if (err == 0) {
		snprintf(g->new_hash, sizeof(g->new_hash), "%s", hash);
		err = db_write(g->app->db, write_password, password_written, g);
	}
	if (err < 0)
		http_reply_err(g->rq, err, "The password could not be changed");
	else
		g = NULL;
}

static void old_password_checked(void *user, int err, const char *hash _unused_)
{
	_cleanup_(sign_freep) struct sign *g = user;
	struct auth *a = g->app->auth;

	if (err == -ERR_AUTH) {
		http_problem(g->rq, 403, "bad-credentials", "The old password is wrong.");
		return;
	}
	if (err == 0) {
		throttle_forgive(a->by_user, g->charged);
		throttle_refund(a->by_address, g->address);
		err = passwords_hash(a->passwords, g->new_password, new_password_hashed, g);
	}
	if (err < 0)
		http_reply_err(g->rq, err, "The password could not be changed");
	else
		g = NULL;
}

static void put_password(struct http_request *rq, struct app *app)
{
	json_t *body = http_json(rq);
	_cleanup_(sign_freep) struct sign *g = NULL;
	const char *old, *new;
	int r;

	if (!body)
		return;
	if (json_unpack(body, "{s:s,s:s}", "old", &old, "new", &new) < 0 ||
	    strlen(old) > PASSWORD_MAX || strlen(new) > PASSWORD_MAX ||
	    strlen(new) < PASSWORD_MIN) {
		json_decref(body);
		http_problem(rq, 422, "bad-password",
			     "old and new are needed; a password has %d to %d characters.",
			     PASSWORD_MIN, PASSWORD_MAX);
		return;
	}
	g = sign_new(rq, app, http_who(rq)->user);
	if (g && pass_throttle(rq, app->auth, g)) {
		memcpy(g->new_password, new, strlen(new) + 1);
		if (http_who(rq)->session)
			memcpy(g->session, http_who(rq)->session, sizeof(g->session));
		r = load_user(g);
		if (r == 0)
			r = passwords_verify(app->auth->passwords, *g->hash ? g->hash : NULL, old,
					     old_password_checked, g);
		if (r < 0)
			http_reply_err(rq, r, "The password could not be changed");
		else
			g = NULL;
	}
	json_decref(body);
}

const struct http_route auth_routes[] = {
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/session", PERM_NONE, 4096, sign_in},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/session", PERM_SIGNED_IN, 0, get_session},
	{HTTP_PUBLIC, HTTP_DELETE, "/api/v1/session", PERM_SIGNED_IN, 0, sign_out},
	{HTTP_PUBLIC, HTTP_PUT, "/api/v1/session/password", PERM_SIGNED_IN, 4096, put_password},
	{.path = NULL},
};
