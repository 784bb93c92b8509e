/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"
#include "common/log.h"
#include "controller/app_config.h"
#include "controller/db/db.h"
#include "controller/people/auth_internal.h"
#include "controller/people/tokens.h"
#include <arpa/inet.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TIDY_US          (3600 * US_PER_SEC)
#define IDEMPOTENCY_KEEP (48 * 3600 * US_PER_SEC)

static const struct throttle_rule user_rule = {
	.free_failures = 5,
	.base_us = US_PER_SEC,
	.max_us = 300 * US_PER_SEC,
	.forget_us = 3600 * US_PER_SEC,
	.max_entries = 8192,
};

/* A shop's browsers may share one address: it gets more patience than a name. */
static const struct throttle_rule address_rule = {
	.free_failures = 20,
	.base_us = US_PER_SEC,
	.max_us = 300 * US_PER_SEC,
	.forget_us = 3600 * US_PER_SEC,
	.max_entries = 8192,
};

void auth_token_hash(const uint8_t token[SESSION_BYTES], uint8_t ret_hash[32])
{
	crypto_hash_sha256(ret_hash, token, SESSION_BYTES);
}

void auth_address_key(const char *remote, char *buf, size_t cap)
{
	struct in6_addr v6;

	if (inet_pton(AF_INET6, remote, &v6) == 1 && !IN6_IS_ADDR_V4MAPPED(&v6)) {
		memset(v6.s6_addr + 8, 0, 8);
		if (inet_ntop(AF_INET6, &v6, buf, (socklen_t) cap))
			return;
	}
	snprintf(buf, cap, "%s", remote);
}

const char *auth_who_text(const struct http_who *who, char buf[AUTH_WHO_MAX])
{
	if (who->agent_id)
		snprintf(buf, AUTH_WHO_MAX, "agent:%lld", (long long) who->agent_id);
	else
		snprintf(buf, AUTH_WHO_MAX, "%s", who->user);
	return buf;
}

/* --- sessions ------------------------------------------------------------------------------ */

/* Finds one cookie in a Cookie header (RFC 6265: name=value pairs joined by "; "). */
static bool find_cookie(const char *header, const char *name, char *value, size_t cap)
{
	size_t name_len = strlen(name);

	while (header && *header) {
		size_t len;

		header += strspn(header, "; ");
		len = strcspn(header, ";");
		if (len > name_len && !strncmp(header, name, name_len) && header[name_len] == '=') {
			size_t n = len - name_len - 1;

			if (n >= cap)
				return false;
			memcpy(value, header + name_len + 1, n);
			value[n] = '\0';
			return true;
		}
		header += len;
	}
	return false;
}

static bool session_from_cookie(struct http_request *rq, uint8_t ret_hash[32])
{
	uint8_t token[SESSION_BYTES];
	char text[64];
	size_t len = 0;

	if (!find_cookie(http_header(rq, "Cookie"), SESSION_COOKIE, text, sizeof(text)) ||
	    sodium_base642bin(token, sizeof(token), text, strlen(text), NULL, &len, NULL,
			      sodium_base64_VARIANT_URLSAFE_NO_PADDING) < 0 ||
	    len != sizeof(token))
		return false;
	auth_token_hash(token, ret_hash);
	sodium_memzero(token, sizeof(token));
	return true;
}

struct touch {
	uint8_t session[32];
	int64_t now_us;
};

static int write_touch(struct sql *s, void *arg)
{
	const struct touch *t = arg;
	struct sql_stmt *q = sql_prepare(s, "UPDATE sessions SET seen = ? WHERE token_hash = ?");

	sql_bind_i64(q, 1, t->now_us);
	sql_bind_blob(q, 2, t->session, sizeof(t->session));
	return sql_run(q);
}

static void free_arg(void *arg, int err _unused_)
{
	free(arg);
}

static void touch_session(struct auth *a, const uint8_t session[32], int64_t now_us)
{
	struct touch *t = calloc(1, sizeof(*t));

	if (!t)
		return;
	memcpy(t->session, session, sizeof(t->session));
	t->now_us = now_us;
	if (db_write(a->app->db, write_touch, free_arg, t) < 0)
		free(t);
}

/* One look at the database per request: what a reset or a change of role did counts at once. */
static int load_session(struct auth *a, const uint8_t session[32], struct http_who *ret)
{
	struct sql_stmt *q = sql_prepare(db_reader(a->app->db),
					 "SELECT s.seen, s.expires, u.id, u.name, u.role"
					 " FROM sessions s JOIN users u ON u.id = s.user_id"
					 " WHERE s.token_hash = ?");
	int64_t now = clock_real_us(a->app->clock), seen, expires;
	int r;

	sql_bind_blob(q, 1, session, 32);
	r = sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ERR_AUTH;
	seen = sql_col_i64(q, 0);
	expires = sql_col_i64(q, 1);
	ret->user_id = sql_col_i64(q, 2);
	snprintf(a->who_name, sizeof(a->who_name), "%s", sql_col_text(q, 3));
	ret->user = a->who_name;
	ret->perms = perm_of_role(sql_col_text(q, 4)) | PERM_SIGNED_IN;
	sql_reset(q);
	/* One from the future was opened while our clock was wrong: it would live until then. */
	if (now >= expires || now - seen >= SESSION_IDLE_US || seen - now >= SESSION_IDLE_US)
		return -ERR_EXPIRED;
	if (now - seen >= SESSION_TOUCH_US)
		touch_session(a, session, now);
	return 0;
}

int auth_identify(void *user, struct http_request *rq, struct http_who *ret)
{
	const char *authorization = http_header(rq, "Authorization");
	struct auth *a = user;
	int r;

	if (authorization)
		return token_identify(a->app, authorization, a->who_name, sizeof(a->who_name),
				      a->who_session, ret);
	if (!session_from_cookie(rq, a->who_session))
		return -ERR_AUTH;
	r = load_session(a, a->who_session, ret);
	if (r == 0)
		ret->session = a->who_session;
	return r;
}

bool auth_session_alive(struct auth *a, const uint8_t session[32])
{
	struct http_who who;

	return load_session(a, session, &who) == 0 || token_alive(a->app, session);
}

/* --- first admin and local reset ----------------------------------------------------------- */

struct first_admin {
	char hash[PASSWORD_HASH_MAX];
	bool made;
	int err;
};

static int write_first_admin(struct sql *s, void *arg)
{
	struct first_admin *f = arg;
	struct sql_stmt *q =
		sql_prepare(s, "INSERT INTO users(name, role, password, created)"
			       " SELECT 'admin', 'admin', ?, (SELECT us FROM temp.clock)"
			       " WHERE NOT EXISTS(SELECT 1 FROM users)");
	int r;

	sql_bind_text(q, 1, f->hash);
	r = sql_run(q);
	if (r < 0)
		return r;
	f->made = sql_changes(s) > 0;
	return f->made ? db_audit(s, "gondolad", "user.create", "admin", "first start") : 0;
}

static void first_admin_done(void *arg, int err)
{
	struct first_admin *f = arg;

	f->err = err;
}

int auth_first_admin(struct app *app, FILE *out)
{
	struct first_admin f = {.made = false};
	char password[PASSWORD_RANDOM_LEN + 1];
	struct sql_stmt *q = sql_prepare(db_reader(app->db), "SELECT count(*) FROM users");
	int r = sql_step(q);

	if (r <= 0)
		return r < 0 ? r : -ERR_CORRUPT;
	int64_t users = sql_col_i64(q, 0);

	sql_reset(q);
	if (users > 0)
		return 0;
	password_random(password);
	r = password_hash_now(password, f.hash);
	if (r == 0)
		r = db_write(app->db, write_first_admin, first_admin_done, &f);
	if (r < 0)
		return r;
	db_drain(app->db);
	if (f.err == 0 && f.made) {
		fprintf(out, "first password for admin: %s\n", password);
		fflush(out);
	}
	sodium_memzero(password, sizeof(password));
	return f.err;
}

static int reset_in_database(struct sql *s, const char *user, const char *hash, int64_t now_us)
{
	struct sql_stmt *q = sql_prepare(s, "UPDATE users SET password = ? WHERE name = ?");
	int r;

	sql_bind_text(q, 1, hash);
	sql_bind_text(q, 2, user);
	r = sql_run(q);
	if (r < 0)
		return r;
	if (sql_changes(s) == 0)
		return -ENOENT;
	q = sql_prepare(s, "DELETE FROM sessions WHERE user_id ="
			   " (SELECT id FROM users WHERE name = ?)");
	sql_bind_text(q, 1, user);
	r = sql_run(q);
	if (r < 0)
		return r;
	q = sql_prepare(s, "INSERT INTO audit(at, who, action, object, detail)"
			   " VALUES(?, 'local', 'user.reset-password', ?, '')");
	sql_bind_i64(q, 1, now_us);
	sql_bind_text(q, 2, user);
	return sql_run(q);
}

int auth_reset_password(const char *state_dir, const char *user, int64_t now_us, FILE *out)
{
	_cleanup_(sql_closep) struct sql *s = NULL;
	_cleanup_free_ char *path = NULL;
	char password[PASSWORD_RANDOM_LEN + 1], hash[PASSWORD_HASH_MAX];
	int r;

	if (asprintf(&path, "%s/gondola.db", state_dir) < 0)
		return -ENOMEM;
	if (access(path, F_OK) < 0)
		return -errno;
	if (sodium_init() < 0)
		return -ERR_CRYPTO;
	password_random(password);
	r = password_hash_now(password, hash);
	if (r == 0)
		r = sql_open(path, 0, &s);
	if (r == 0)
		r = sql_exec(s, "PRAGMA busy_timeout = 10000");
	if (r == 0)
		r = sql_begin(s);
	if (r < 0)
		return r;
	r = reset_in_database(s, user, hash, now_us);
	if (r == 0)
		r = sql_commit(s);
	if (r < 0) {
		sql_rollback(s);
		return r;
	}
	fprintf(out, "new password for %s: %s\n", user, password);
	fflush(out);
	sodium_memzero(password, sizeof(password));
	return 0;
}

/* --- housekeeping -------------------------------------------------------------------------- */

static int write_tidy(struct sql *s, void *arg)
{
	const struct auth *a = arg;
	int64_t now = clock_real_us(a->app->clock);
	struct sql_stmt *q = sql_prepare(s, "DELETE FROM sessions WHERE expires <= ? OR seen <= ?");
	int r;

	sql_bind_i64(q, 1, now);
	sql_bind_i64(q, 2, now - SESSION_IDLE_US);
	r = sql_run(q);
	if (r < 0)
		return r;
	q = sql_prepare(s, "DELETE FROM idempotency WHERE at <= ?");
	sql_bind_i64(q, 1, now - IDEMPOTENCY_KEEP);
	r = sql_run(q);
	if (r < 0)
		return r;
	q = sql_prepare(s, "DELETE FROM tokens WHERE expires <= ?");
	sql_bind_i64(q, 1, now);
	return sql_run(q);
}

static void tidy(void *user)
{
	struct auth *a = user;

	(void) !db_write(a->app->db, write_tidy, NULL, a);
	loop_timer_start(a->tidy, TIDY_US);
}

int auth_new(struct app *app, struct auth **ret)
{
	struct auth *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return -ENOMEM;
	a->app = app;
	r = sodium_init() < 0 ? -ERR_CRYPTO : 0;
	if (r == 0)
		r = throttle_new(&user_rule, &a->by_user);
	if (r == 0)
		r = throttle_new(&address_rule, &a->by_address);
	if (r == 0)
		r = passwords_new(app->loop, &a->passwords);
	if (r == 0)
		r = loop_timer_new(app->loop, tidy, a, &a->tidy);
	if (r < 0) {
		auth_free(a);
		return r;
	}
	loop_timer_start(a->tidy, TIDY_US);
	*ret = a;
	return 0;
}

void auth_free(struct auth *a)
{
	if (!a)
		return;
	loop_timer_free(a->tidy);
	passwords_free(a->passwords);
	throttle_free(a->by_user);
	throttle_free(a->by_address);
	free(a);
}
