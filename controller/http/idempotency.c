/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/http/idempotency.h"
#include "common/err.h"
#include "controller/app.h"
#include "controller/db/db.h"
#include <sodium.h>
#include <string.h>

static void hash_request(struct http_request *rq, uint8_t ret[32])
{
	crypto_hash_sha256_state st;
	const char *const *segments;
	size_t n = http_path(rq, &segments), len;
	const uint8_t *body = http_body(rq, &len);
	uint8_t method = (uint8_t) http_method(rq);

	crypto_hash_sha256_init(&st);
	crypto_hash_sha256_update(&st, &method, 1);
	for (size_t i = 0; i < n; i++)
		crypto_hash_sha256_update(&st, (const unsigned char *) segments[i],
					  strlen(segments[i]) + 1);
	if (len > 0)
		crypto_hash_sha256_update(&st, body, len);
	crypto_hash_sha256_final(&st, ret);
}

static bool key_is_good(const char *key)
{
	size_t len = strlen(key);

	if (len == 0 || len > IDEMPOTENCY_KEY_MAX)
		return false;
	for (; *key; key++)
		if (*key < 0x21 || *key > 0x7e)
			return false;
	return true;
}

bool idempotency_begin(struct http_request *rq, struct app *app, struct idempotency *ret)
{
	const char *key = http_header(rq, "Idempotency-Key");
	struct buf body = BUF_INIT;
	struct sql_stmt *q;
	const void *hash;
	unsigned int status;
	size_t len;
	bool same;
	int r;

	memset(ret, 0, sizeof(*ret));
	if (!key)
		return true;
	if (!key_is_good(key)) {
		http_problem(rq, 400, "bad-idempotency-key",
			     "Idempotency-Key has 1 to %d visible ASCII characters.",
			     IDEMPOTENCY_KEY_MAX);
		return false;
	}
	memcpy(ret->key, key, strlen(key) + 1);
	ret->user_id = http_who(rq)->user_id;
	hash_request(rq, ret->request_hash);
	q = sql_prepare(db_reader(app->db), "SELECT request_hash, status, body FROM idempotency"
					    " WHERE user_id = ? AND key = ?");
	sql_bind_i64(q, 1, ret->user_id);
	sql_bind_text(q, 2, ret->key);
	r = sql_step(q);
	if (r == 0)
		return true;
	if (r < 0) {
		http_reply_err(rq, r, "Idempotency-Key");
		return false;
	}
	hash = sql_col_blob(q, 0, &len);
	same = hash && len == sizeof(ret->request_hash) && !memcmp(hash, ret->request_hash, len);
	status = (unsigned int) sql_col_i64(q, 1);
	buf_put_str(&body, sql_col_text(q, 2));
	sql_reset(q);
	if (same) {
		http_set_header(rq, "Idempotency-Replayed", "true");
		http_reply_buf(rq, status, "application/json", &body);
		return false;
	}
	buf_done(&body);
	http_problem(rq, 422, "idempotency-key-reused",
		     "This Idempotency-Key was used for another request.");
	return false;
}

int idempotency_store(struct sql *s, const struct idempotency *i, unsigned int status,
		      const char *body)
{
	struct sql_stmt *q;

	if (!i->key[0])
		return 0;
	q = sql_prepare(s, "INSERT INTO idempotency(user_id, key, request_hash, status, body, at)"
			   " VALUES(?, ?, ?, ?, ?, (SELECT us FROM temp.clock))");
	sql_bind_i64(q, 1, i->user_id);
	sql_bind_text(q, 2, i->key);
	sql_bind_blob(q, 3, i->request_hash, sizeof(i->request_hash));
	sql_bind_i64(q, 4, status);
	sql_bind_text(q, 5, body);
	return sql_run(q);
}
