/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Join codes: GJ1-SECRET-FINGERPRINT. The secret (80 random bits, base32) lets an agent in; the
 * first half of the CA certificate's SHA-256 lets the agent know that it talks to this store. The
 * database has the secret's hash only: the code is shown once.
 */
#include "common/err.h"
#include "common/hex.h"
#include "controller/db/db.h"
#include "controller/fleet/fleet_internal.h"
#include "controller/http/list.h"
#include <ctype.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define PREFIX            "GJ1-"
#define FINGERPRINT_CHARS 32
#define CODE_CHARS        (sizeof(PREFIX) - 1 + JOIN_SECRET_CHARS + 1 + FINGERPRINT_CHARS)
#define MAX_USES          1000
#define MAX_TTL_S         (30 * 86400)
#define NOTE_MAX          200

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

static void hash_secret(const char *secret, uint8_t ret[32])
{
	crypto_hash_sha256(ret, (const unsigned char *) secret, JOIN_SECRET_CHARS);
}

int fleet_code_parse(const char *text, const uint8_t ca_fingerprint[CA_FINGERPRINT_BYTES],
		     uint8_t ret_secret_hash[32])
{
	char secret[JOIN_SECRET_CHARS + 1] = "";
	uint8_t fingerprint[FINGERPRINT_CHARS / 2];
	const char *p = text;
	size_t len;

	while (*p == ' ' || *p == '\t')
		p++;
	len = strcspn(p, " \t\r\n");
	if (len != CODE_CHARS || strncasecmp(p, PREFIX, sizeof(PREFIX) - 1) ||
	    p[len + strspn(p + len, " \t\r\n")] != '\0')
		return -ERR_SYNTAX;
	p += sizeof(PREFIX) - 1;
	for (size_t i = 0; i < JOIN_SECRET_CHARS; i++) {
		secret[i] = (char) toupper((unsigned char) p[i]);
		if (!strchr(base32, secret[i]))
			return -ERR_SYNTAX;
	}
	p += JOIN_SECRET_CHARS;
	if (*p++ != '-')
		return -ERR_SYNTAX;
	char digits[FINGERPRINT_CHARS + 1];

	memcpy(digits, p, FINGERPRINT_CHARS);
	digits[FINGERPRINT_CHARS] = '\0';
	if (hex_decode(digits, fingerprint, sizeof(fingerprint)) < 0)
		return -ERR_SYNTAX;
	if (memcmp(fingerprint, ca_fingerprint, sizeof(fingerprint)))
		return -ERR_AUTH;
	hash_secret(secret, ret_secret_hash);
	return 0;
}

/* --- making one ---------------------------------------------------------------------------- */

struct code_op {
	struct http_request *rq;
	struct app *app;
	int64_t id, uses, created_us, expires_us;
	int64_t replaces; /* an agent whose place its user takes; 0 = a new one */
	char by[AUTH_WHO_MAX];
	char note[NOTE_MAX + 1];
	char code[CODE_CHARS + 1];
	uint8_t hash[32];
};

static void make_code(struct code_op *op)
{
	char secret[JOIN_SECRET_CHARS + 1], fingerprint[2 * CA_FINGERPRINT_BYTES + 1];

	for (size_t i = 0; i < JOIN_SECRET_CHARS; i++)
		secret[i] = base32[randombytes_uniform(32)];
	secret[JOIN_SECRET_CHARS] = '\0';
	hash_secret(secret, op->hash);
	hex_encode(ca_fingerprint(op->app->ca), CA_FINGERPRINT_BYTES, fingerprint);
	snprintf(op->code, sizeof(op->code), PREFIX "%s-%.*s", secret, FINGERPRINT_CHARS,
		 fingerprint);
	sodium_memzero(secret, sizeof(secret));
}

static int write_code(struct sql *s, void *arg)
{
	struct code_op *op = arg;
	struct sql_stmt *q = sql_prepare(s, "INSERT INTO join_codes(secret_hash, uses, created,"
					    " created_by, expires, note, replaces)"
					    " VALUES(?, ?, ?, ?, ?, ?, ?)");
	char object[24], detail[NOTE_MAX + 40];
	int r;

	sql_bind_blob(q, 1, op->hash, sizeof(op->hash));
	sql_bind_i64(q, 2, op->uses);
	sql_bind_i64(q, 3, op->created_us);
	sql_bind_text(q, 4, op->by);
	sql_bind_i64(q, 5, op->expires_us);
	sql_bind_text(q, 6, op->note);
	if (op->replaces)
		sql_bind_i64(q, 7, op->replaces);
	r = sql_run(q);
	if (r < 0)
		return r;
	op->id = sql_last_rowid(s);
	snprintf(object, sizeof(object), "%lld", (long long) op->id);
	if (op->replaces)
		snprintf(detail, sizeof(detail), "replaces agent %lld%s%s",
			 (long long) op->replaces, op->note[0] ? "; " : "", op->note);
	else
		snprintf(detail, sizeof(detail), "%s", op->note);
	return db_audit(s, op->by, "join-code.create", object, detail);
}

static json_t *id_or_null(int64_t id)
{
	return id ? json_integer(id) : json_null();
}

static void code_written(void *arg, int err)
{
	struct code_op *op = arg;
	char when[CLOCK_RFC3339_MAX];

	if (err < 0)
		http_reply_err(op->rq, err, "Join code");
	else
		http_reply_json(op->rq, 201,
				json_pack("{s:I,s:s,s:I,s:s,s:o}", "id", (json_int_t) op->id,
					  "code", op->code, "uses", (json_int_t) op->uses,
					  "expires", clock_rfc3339(op->expires_us, when),
					  "replaces", id_or_null(op->replaces)));
	sodium_memzero(op, sizeof(*op));
	free(op);
}

static bool read_replaces(json_t *body, json_int_t *ret)
{
	json_t *id = json_object_get(body, "replaces");

	if (!id || json_is_null(id))
		return true;
	*ret = json_integer_value(id);
	return json_is_integer(id) && *ret > 0;
}

/* Whose place the code gives away: an agent that is there, and one place for one machine. */
static bool check_replaces(struct http_request *rq, struct app *app, json_int_t id, json_int_t uses)
{
	const struct agent *a = fleet_find(app->fleet, id);

	if (!a)
		http_problem(rq, 422, "no-such-agent", "There is no such agent to replace.");
	else if (a->revoked_us)
		http_problem(rq, 409, "revoked",
			     "This agent was revoked and its labels were let go: there is no place "
			     "to take. Make a plain join code.");
	else if (uses != 1)
		http_problem(rq, 422, "bad-join-code",
			     "One machine takes the place of one: uses is 1.");
	else
		return true;
	return false;
}

static void post_code(struct http_request *rq, struct app *app)
{
	json_t *body = http_json(rq);
	json_int_t uses = 1, ttl_s = 3600, replaces = 0;
	const char *note = "";
	struct code_op *op;
	int r;

	if (!body)
		return;
	if (json_unpack(body, "{s?I,s?I,s?s}", "uses", &uses, "ttl_s", &ttl_s, "note", &note) < 0 ||
	    !read_replaces(body, &replaces) || uses < 1 || uses > MAX_USES || ttl_s < 1 ||
	    ttl_s > MAX_TTL_S || strlen(note) > NOTE_MAX) {
		json_decref(body);
		http_problem(rq, 422, "bad-join-code",
			     "uses is 1 to %d, ttl_s 1 to %d, note at most %d bytes, replaces an "
			     "agent's number.",
			     MAX_USES, MAX_TTL_S, NOTE_MAX);
		return;
	}
	if (replaces && !check_replaces(rq, app, replaces, uses)) {
		json_decref(body);
		return;
	}
	op = calloc(1, sizeof(*op));
	if (op) {
		op->rq = rq;
		op->app = app;
		op->uses = uses;
		op->replaces = replaces;
		op->created_us = clock_real_us(app->clock);
		op->expires_us = op->created_us + ttl_s * US_PER_SEC;
		snprintf(op->note, sizeof(op->note), "%s", note);
		auth_who_text(http_who(rq), op->by);
		make_code(op);
	}
	json_decref(body);
	r = op ? db_write(app->db, write_code, code_written, op) : -ENOMEM;
	if (r < 0) {
		free(op);
		http_reply_err(rq, r, "Join code");
	}
}

/* --- listing and taking back --------------------------------------------------------------- */

static void get_codes(struct http_request *rq, struct app *app)
{
	struct list_page page;
	struct sql_stmt *q;
	char when[CLOCK_RFC3339_MAX];
	int64_t last = 0, n = 0;
	json_t *items;
	int r;

	if (!list_page_read(rq, &page))
		return;
	items = json_array();
	q = sql_prepare(db_reader(app->db), "SELECT c.id, c.uses, c.used, c.expires,"
					    " c.created_by, c.note, c.replaces, a.name"
					    " FROM join_codes c LEFT JOIN agents a"
					    " ON a.id = c.replaces WHERE c.id > ?"
					    " ORDER BY c.id LIMIT ?");
	sql_bind_i64(q, 1, page.after);
	sql_bind_i64(q, 2, page.limit + 1);
	while ((r = sql_step(q)) > 0 && n < page.limit) {
		last = sql_col_i64(q, 0);
		json_array_append_new(
			items, json_pack("{s:I,s:I,s:I,s:s,s:s,s:s,s:o,s:s?}", "id",
					 (json_int_t) last, "uses", (json_int_t) sql_col_i64(q, 1),
					 "used", (json_int_t) sql_col_i64(q, 2), "expires",
					 clock_rfc3339(sql_col_i64(q, 3), when), "created_by",
					 sql_col_text(q, 4), "note", sql_col_text(q, 5), "replaces",
					 id_or_null(sql_col_i64(q, 6)), "replaces_agent",
					 sql_col_text(q, 7)));
		n++;
	}
	if (r < 0) {
		json_decref(items);
		http_reply_err(rq, r, "Join codes");
		return;
	}
	sql_reset(q);
	list_reply(rq, items, r > 0 ? last : 0);
}

static int write_delete(struct sql *s, void *arg)
{
	const struct code_op *op = arg;
	struct sql_stmt *q = sql_prepare(s, "DELETE FROM join_codes WHERE id = ?");
	char object[24];
	int r;

	sql_bind_i64(q, 1, op->id);
	r = sql_run(q);
	if (r < 0)
		return r;
	if (sql_changes(s) == 0)
		return -ENOENT;
	snprintf(object, sizeof(object), "%lld", (long long) op->id);
	return db_audit(s, op->by, "join-code.delete", object, NULL);
}

static void code_deleted(void *arg, int err)
{
	struct code_op *op = arg;

	if (err < 0)
		http_reply_err(op->rq, err, "Join code");
	else
		http_reply_empty(op->rq, 204);
	free(op);
}

static void delete_code(struct http_request *rq, struct app *app)
{
	const char *text = http_arg(rq, 0);
	struct code_op *op = calloc(1, sizeof(*op));
	char *end;
	int r = -ENOMEM;

	if (op) {
		op->rq = rq;
		op->app = app;
		op->id = strtoll(text, &end, 10);
		auth_who_text(http_who(rq), op->by);
		r = *end || !isdigit((unsigned char) text[0])
			    ? -ENOENT
			    : db_write(app->db, write_delete, code_deleted, op);
	}
	if (r < 0) {
		free(op);
		http_reply_err(rq, r, "Join code");
	}
}

const struct http_route fleet_code_routes[] = {
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/agents/join-codes", PERM_FLEET, 4096, post_code},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/agents/join-codes", PERM_FLEET, 0, get_codes},
	{HTTP_PUBLIC, HTTP_DELETE, "/api/v1/agents/join-codes/{}", PERM_FLEET, 0, delete_code},
	{.path = NULL},
};
