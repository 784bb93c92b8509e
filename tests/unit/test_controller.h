/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A controller without sockets for unit tests: a loop, a state directory of its own, the parts that
 * are asked for, and requests that are injected and waited for.
 */
#pragma once

#include "tests/unit/test_common.h"

#include "controller/app.h"
#include "controller/app_config.h"
#include "controller/db/db.h"
#include "controller/http/http.h"

struct test_controller {
	char dir[64];
	struct app app;
	struct app_config config;
};

/** Loop, configuration and an empty state directory. */
void test_controller_init(struct test_controller *t);
/** Stops what was started, in order, and removes the directory. */
void test_controller_done(struct test_controller *t);
void test_controller_start_db(struct test_controller *t);
void test_controller_start_http(struct test_controller *t);
void test_controller_start_auth(struct test_controller *t);
void test_controller_start_fleet(struct test_controller *t);

struct test_reply {
	bool done;
	unsigned int status;
	char *body; /* owned; NULL for a file or stream */
	size_t len;
	char cookie[128]; /* name=value of a Set-Cookie, to send back */
	bool retry_after;
};

/** Injects and runs the loop until the reply is there. Release with test_reply_done(). */
struct test_reply test_request(struct test_controller *t, const struct http_injection *in);
/** JSON body, as a person with these permissions; NULL who = through the identify function. */
struct test_reply test_json(struct test_controller *t, const char *method, const char *uri,
			    const char *body, const struct http_who *who);
void test_reply_done(struct test_reply *r);
/** Queues a write and waits for it; returns its result. */
int test_write(struct test_controller *t, db_write_fn fn, void *arg);

extern const struct http_who test_admin;
