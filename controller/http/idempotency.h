/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Idempotency-Key: a client that did not hear the answer may send its POST again and gets the
 * answer of the first time. The answer is stored in the same write as what it tells of, per user,
 * for two days.
 *
 * A handler calls idempotency_begin() first; if it goes on, its write calls idempotency_store()
 * with the answer, and its `done` replies. A write whose key another request used meanwhile fails
 * with -ERR_CONFLICT, undone as a whole.
 */
#pragma once

#include "common/sql.h"
#include "controller/http/http.h"

#define IDEMPOTENCY_KEY_MAX 128

struct idempotency {
	char key[IDEMPOTENCY_KEY_MAX + 1]; /**< "" = the client gave none */
	int64_t user_id;
	uint8_t request_hash[32]; /**< of method, path and body */
};

/** Reads the header. False when it has replied: with the stored answer, 400 for a bad key, or 422
 * for a key that was used for something else. */
bool idempotency_begin(struct http_request *rq, struct app *app, struct idempotency *ret);
/** Inside the write. Does nothing without a key. `body` is the answer's JSON text. */
int idempotency_store(struct sql *s, const struct idempotency *i, unsigned int status,
		      const char *body) _must_check_;
