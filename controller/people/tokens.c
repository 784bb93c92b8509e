/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/people/tokens.h"
#include "common/clock.h"
#include "common/err.h"
#include "controller/db/db.h"
#include "controller/http/list.h"
#include "controller/people/auth_internal.h"
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define TOKEN_NAME_MAX 48
#define TOKEN_TEXT_MAX 64
#define TOKEN_MAX_S    (INT64_C(366) * 24 * 3600)
#define TOKEN_TOUCH_US (60 * US_PER_SEC)
#define PERMS_TEXT_MAX 128

/* --- permissions as text ------------------------------------------------------------------- */

static unsigned int bit_of(const char *name, size_t len)
{
	const char *have;
	unsigned int bit;

	for (unsigned int i = 0; (have = perm_name(i, &bit)); i++)
		if (strlen(have) == len && !strncmp(have, name, len))
			return bit;
	return 0;
}

/* Names of an older version that mean nothing any more give nothing. */
static unsigned int perms_of_text(const char *text)
{
	unsigned int perms = 0;

	while (*text) {
		size_t len = strcspn(text, ",");

		perms |= bit_of(text, len);
		text += len + (text[len] == ',');
	}
	return perms;
}

static json_t *perms_json(unsigned int perms)
{
	json_t *list = json_array();
	const char *name;
	unsigned int bit;

	for (unsigned int i = 0; (name = perm_name(i, &bit)); i++)
		if (perms & bit)
			json_array_append_new(list, json_string(name));
	return list;
}

/* --- who asks ------------------------------------------------------------------------------ */

struct touch {
	uint8_t hash[32];
	int64_t now_us;
};

static int write_touch(struct sql *s, void *arg)
{
	const struct touch *t = arg;
	struct sql_stmt *q = sql_prepare(s, "UPDATE tokens SET last_used = ? WHERE token_hash = ?");

	sql_bind_i64(q, 1, t->now_us);
	sql_bind_blob(q, 2, t->hash, sizeof(t->hash));
	return sql_run(q);
}

static void touched(void *arg, int err _unused_)
{
	free(arg);
}

static void touch(struct app *app, const uint8_t hash[32], int64_t now_us)
{
	struct touch *t = calloc(1, sizeof(*t));

	if (!t)
		return;
	memcpy(t->hash, hash, sizeof(t->hash));
	t->now_us = now_us;
	if (db_write(app->db, write_touch, touched, t) < 0)
		free(t);
}

static int load(struct app *app, const uint8_t hash[32], char *name, size_t name_len,
		struct http_who *ret)
{
	struct sql_stmt *q = sql_prepare(
		db_reader(app->db), "SELECT t.expires, t.last_used, t.user_id, t.name, t.perms,"
				    " u.role FROM tokens t JOIN users u ON u.id = t.user_id"
				    " WHERE t.token_hash = ?");
	int64_t now = clock_real_us(app->clock), expires, used;
	int r;

	sql_bind_blob(q, 1, hash, 32);
	r = sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ERR_AUTH;
	expires = sql_col_i64(q, 0);
	used = sql_col_i64(q, 1);
	ret->user_id = sql_col_i64(q, 2);
	snprintf(name, name_len, "token:%s", sql_col_text(q, 3));
	ret->user = name;
	ret->perms = perms_of_text(sql_col_text(q, 4)) & perm_of_role(sql_col_text(q, 5));
	sql_reset(q);
	if (now >= expires)
		return -ERR_EXPIRED;
	if (now - used >= TOKEN_TOUCH_US)
		touch(app, hash, now);
	return 0;
}

static bool parse_bearer(const char *authorization, uint8_t ret_hash[32])
{
	static const char scheme[] = "Bearer ";
	uint8_t token[SESSION_BYTES];
	size_t len = 0;
	bool good;

	if (strncasecmp(authorization, scheme, sizeof(scheme) - 1) != 0)
		return false;
	authorization += sizeof(scheme) - 1;
	if (strncmp(authorization, TOKEN_PREFIX, strlen(TOKEN_PREFIX)) != 0)
		return false;
	authorization += strlen(TOKEN_PREFIX);
	good = sodium_base642bin(token, sizeof(token), authorization, strlen(authorization), NULL,
				 &len, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
	       len == sizeof(token);
	if (good)
		auth_token_hash(token, ret_hash);
	sodium_memzero(token, sizeof(token));
	return good;
}

int token_identify(struct app *app, const char *authorization, char *name, size_t name_len,
		   uint8_t hash[32], struct http_who *ret)
{
	int r;

	if (!parse_bearer(authorization, hash))
		return -ERR_AUTH;
	r = load(app, hash, name, name_len, ret);
	if (r == 0)
		ret->session = hash; /* so that a stream ends with its token */
	return r;
}

bool token_alive(struct app *app, const uint8_t hash[32])
{
	char name[USER_NAME_MAX + 1];
	struct http_who who = {0};

	return load(app, hash, name, sizeof(name), &who) == 0;
}

/* --- list ---------------------------------------------------------------------------------- */

static json_t *time_json(struct sql_stmt *q, int column)
{
	char when[CLOCK_RFC3339_MAX];

	return sql_col_is_null(q, column)
		       ? json_null()
		       : json_string(clock_rfc3339(sql_col_i64(q, column), when));
}

static json_t *token_json(struct sql_stmt *q)
{
	return json_pack("{s:I,s:s,s:s,s:o,s:o,s:o,s:o}", "id", (json_int_t) sql_col_i64(q, 0),
			 "name", sql_col_text(q, 1), "user", sql_col_text(q, 2), "permissions",
			 perms_json(perms_of_text(sql_col_text(q, 3))), "created", time_json(q, 4),
			 "expires", time_json(q, 5), "last_used", time_json(q, 6));
}

static void get_tokens(struct http_request *rq, struct app *app)
{
	const struct http_who *who = http_who(rq);
	struct list_page page;
	struct sql_stmt *q;
	json_t *items;
	int64_t next = 0, n = 0;
	int r;

	if (!list_page_read(rq, &page))
		return;
	items = json_array();
	q = sql_prepare(db_reader(app->db),
			"SELECT t.id, t.name, u.name, t.perms, t.created, t.expires, t.last_used"
			" FROM tokens t JOIN users u ON u.id = t.user_id"
			" WHERE t.id > ?1 AND (?3 OR t.user_id = ?4) ORDER BY t.id LIMIT ?2");
	sql_bind_i64(q, 1, page.after);
	sql_bind_i64(q, 2, page.limit + 1);
	sql_bind_i64(q, 3, (who->perms & PERM_USERS) != 0);
	sql_bind_i64(q, 4, who->user_id);
	while ((r = sql_step(q)) > 0 && n < page.limit) {
		next = sql_col_i64(q, 0);
		json_array_append_new(items, token_json(q));
		n++;
	}
	if (r < 0) {
		json_decref(items);
		http_reply_err(rq, r, "Tokens");
		return;
	}
	sql_reset(q);
	list_reply(rq, items, r > 0 ? next : 0);
}

/* --- make and revoke ----------------------------------------------------------------------- */

struct token_op {
	struct http_request *rq;
	struct app *app;
	int64_t id, user_id;
	bool all; /* may revoke others' */
	char by[AUTH_WHO_MAX];
	char name[TOKEN_NAME_MAX + 1];
	char perms[PERMS_TEXT_MAX];
	unsigned int bits;
	int64_t now_us, expires_us;
	uint8_t hash[32];
	char text[TOKEN_TEXT_MAX];
};

static void op_free(struct token_op *op)
{
	if (op)
		sodium_memzero(op, sizeof(*op));
	free(op);
}
DEFINE_CLEANUP(struct token_op *, op_free)

static struct token_op *op_new(struct http_request *rq, struct app *app)
{
	struct token_op *op = calloc(1, sizeof(*op));

	if (!op) {
		http_reply_err(rq, -ENOMEM, "Token");
		return NULL;
	}
	op->rq = rq;
	op->app = app;
	op->user_id = http_who(rq)->user_id;
	op->all = (http_who(rq)->perms & PERM_USERS) != 0;
	op->now_us = clock_real_us(app->clock);
	auth_who_text(http_who(rq), op->by);
	return op;
}

static int write_token(struct sql *s, void *arg)
{
	struct token_op *op = arg;
	struct sql_stmt *q = sql_prepare(
		s, "INSERT INTO tokens(user_id, name, token_hash, perms, created, expires)"
		   " VALUES(?, ?, ?, ?, ?, ?)");
	int r;

	sql_bind_i64(q, 1, op->user_id);
	sql_bind_text(q, 2, op->name);
	sql_bind_blob(q, 3, op->hash, sizeof(op->hash));
	sql_bind_text(q, 4, op->perms);
	sql_bind_i64(q, 5, op->now_us);
	sql_bind_i64(q, 6, op->expires_us);
	r = sql_run(q);
	if (r < 0)
		return r;
	op->id = sql_last_rowid(s);
	return db_audit(s, op->by, "token.create", op->name, op->perms);
}

static void token_written(void *arg, int err)
{
	_cleanup_(op_freep) struct token_op *op = arg;
	char created[CLOCK_RFC3339_MAX], expires[CLOCK_RFC3339_MAX];

	if (err == -ERR_CONFLICT) {
		http_problem(op->rq, 409, "name-taken", "There is a token of this name.");
		return;
	}
	if (err < 0) {
		http_reply_err(op->rq, err, "Token");
		return;
	}
	http_reply_json(
		op->rq, 201,
		json_pack("{s:I,s:s,s:s,s:o,s:s,s:s,s:n,s:s}", "id", (json_int_t) op->id, "name",
			  op->name, "user", op->by, "permissions", perms_json(op->bits), "created",
			  clock_rfc3339(op->now_us, created), "expires",
			  clock_rfc3339(op->expires_us, expires), "last_used", "token", op->text));
}

static bool name_is_good(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > TOKEN_NAME_MAX)
		return false;
	for (const char *c = name; *c; c++)
		if ((unsigned char) *c <= 0x20 || *c == 0x7f || *c == ':')
			return false;
	return true;
}

/* Why they will not do, or NULL. */
static const char *take_perms(struct token_op *op, const json_t *list, unsigned int have)
{
	const json_t *item;
	size_t i, at = 0;
	const char *name;
	unsigned int bit;

	if (!json_is_array(list) || json_array_size(list) == 0)
		return "permissions is a list of at least one.";
	json_array_foreach(list, i, item)
	{
		name = json_string_value(item);
		bit = name ? bit_of(name, strlen(name)) : 0;
		if (!bit)
			return "There is no such permission.";
		if (!(have & bit))
			return "A token cannot have a permission that its maker has not.";
		op->bits |= bit;
	}
	for (unsigned int n = 0; (name = perm_name(n, &bit)); n++)
		if (op->bits & bit)
			at += (size_t) snprintf(op->perms + at, sizeof(op->perms) - at, "%s%s",
						at ? "," : "", name);
	return at < sizeof(op->perms) ? NULL : "Too many permissions.";
}

static const char *take_body(struct token_op *op, json_t *body, unsigned int have)
{
	const char *name = NULL;
	json_int_t ttl_s = 0;

	if (json_unpack(body, "{s:s,s:I}", "name", &name, "ttl_s", &ttl_s) < 0)
		return "name, permissions and ttl_s are needed.";
	if (!name_is_good(name))
		return "A name has 1 to 48 bytes, no blanks and no colon.";
	if (ttl_s < 60 || ttl_s > TOKEN_MAX_S)
		return "ttl_s is from 60 seconds to 366 days.";
	snprintf(op->name, sizeof(op->name), "%s", name);
	op->expires_us = op->now_us + ttl_s * US_PER_SEC;
	return take_perms(op, json_object_get(body, "permissions"), have);
}

static void make_secret(struct token_op *op)
{
	uint8_t token[SESSION_BYTES];
	size_t at = strlen(TOKEN_PREFIX);

	randombytes_buf(token, sizeof(token));
	auth_token_hash(token, op->hash);
	memcpy(op->text, TOKEN_PREFIX, at);
	sodium_bin2base64(op->text + at, sizeof(op->text) - at, token, sizeof(token),
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(token, sizeof(token));
}

static void post_token(struct http_request *rq, struct app *app)
{
	json_t *body = http_json(rq);
	_cleanup_(op_freep) struct token_op *op = NULL;
	const char *fault;
	int r;

	if (!body)
		return;
	op = op_new(rq, app);
	fault = op ? take_body(op, body, http_who(rq)->perms) : NULL;
	json_decref(body);
	if (!op)
		return;
	if (fault) {
		http_problem(rq, 422, "bad-token", "%s", fault);
		return;
	}
	make_secret(op);
	r = db_write(app->db, write_token, token_written, op);
	if (r < 0)
		http_reply_err(rq, r, "Token");
	else
		op = NULL;
}

static int write_revoke(struct sql *s, void *arg)
{
	struct token_op *op = arg;
	struct sql_stmt *q = sql_prepare(
		s, "DELETE FROM tokens WHERE id = ? AND (? OR user_id = ?) RETURNING name");
	int r;

	sql_bind_i64(q, 1, op->id);
	sql_bind_i64(q, 2, op->all);
	sql_bind_i64(q, 3, op->user_id);
	r = sql_step(q);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	snprintf(op->name, sizeof(op->name), "%s", sql_col_text(q, 0));
	r = sql_step(q);
	return r < 0 ? r : db_audit(s, op->by, "token.revoke", op->name, NULL);
}

static void revoked(void *arg, int err)
{
	_cleanup_(op_freep) struct token_op *op = arg;

	if (err < 0)
		http_reply_err(op->rq, err, "Token");
	else
		http_reply_empty(op->rq, 204);
}

static void delete_token(struct http_request *rq, struct app *app)
{
	_cleanup_(op_freep) struct token_op *op = NULL;
	const char *text = http_arg(rq, 0);
	size_t digits = strspn(text, "0123456789");
	int r;

	if (digits == 0 || digits > 18 || text[digits]) {
		http_problem(rq, 404, "not-found", "There is no such token.");
		return;
	}
	op = op_new(rq, app);
	if (!op)
		return;
	op->id = strtoll(text, NULL, 10);
	r = db_write(app->db, write_revoke, revoked, op);
	if (r < 0)
		http_reply_err(rq, r, "Token");
	else
		op = NULL;
}

/* Signed in: a token that leaked cannot make another that outlives it. */
const struct http_route token_routes[] = {
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/tokens", PERM_SIGNED_IN, 0, get_tokens},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/tokens", PERM_SIGNED_IN, 4096, post_token},
	{HTTP_PUBLIC, HTTP_DELETE, "/api/v1/tokens/{}", PERM_SIGNED_IN, 0, delete_token},
	{.path = NULL},
};
