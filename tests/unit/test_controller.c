/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test_controller.h"
#include "controller/db/db.h"
#include "controller/fleet/ca.h"
#include "controller/fleet/fleet.h"
#include "controller/http/events.h"
#include "controller/people/auth.h"
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const struct http_who test_admin = {
	.user_id = 1, .user = "admin", .perms = PERM_ALL | PERM_SIGNED_IN};

void test_controller_init(struct test_controller *t)
{
	memset(t, 0, sizeof(*t));
	snprintf(t->dir, sizeof(t->dir), "gondola-unit-XXXXXX");
	assert_non_null(mkdtemp(t->dir));
	t->config.state_dir = t->dir;
	t->config.store_name = "Test store";
	t->config.store_zone = "Europe/Berlin";
	t->config.currency = "EUR";
	t->config.web_root = "";
	t->config.log_level = "error";
	assert_int_equal(loop_new(&t->app.loop), 0);
	t->app.clock = loop_clock(t->app.loop);
	t->app.config = &t->config;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void) st;
	(void) type;
	(void) ftw;
	return remove(path);
}

void test_controller_done(struct test_controller *t)
{
	if (t->app.http)
		http_server_stop(t->app.http);
	auth_free(t->app.auth);
	db_close(t->app.db);
	fleet_free(t->app.fleet);
	events_free(t->app.events);
	http_server_free(t->app.http);
	ca_free(t->app.ca);
	loop_free(t->app.loop);
	(void) nftw(t->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

void test_controller_start_db(struct test_controller *t)
{
	assert_int_equal(db_open(t->app.loop, t->dir, &t->app.db), 0);
}

void test_controller_start_http(struct test_controller *t)
{
	assert_int_equal(http_server_new(&t->app, &t->app.http), 0);
}

void test_controller_start_auth(struct test_controller *t)
{
	assert_int_equal(auth_new(&t->app, &t->app.auth), 0);
	http_set_identify(t->app.http, HTTP_PUBLIC, auth_identify, t->app.auth);
	http_add_routes(t->app.http, auth_routes);
	http_add_routes(t->app.http, users_routes);
}

void test_controller_start_fleet(struct test_controller *t)
{
	char dir[96];

	snprintf(dir, sizeof(dir), "%s/ca", t->dir);
	assert_int_equal(
		ca_open(dir, t->config.store_name, clock_real_us(t->app.clock), &t->app.ca), 0);
	assert_int_equal(fleet_new(&t->app, &t->app.fleet), 0);
	http_set_identify(t->app.http, HTTP_AGENTS, fleet_identify, t->app.fleet);
	http_add_routes(t->app.http, fleet_routes);
	http_add_routes(t->app.http, fleet_code_routes);
	http_add_routes(t->app.http, fleet_enroll_routes);
}

static void take_reply(void *user, unsigned int status, const char *body, size_t len)
{
	struct test_reply *r = user;

	assert_false(r->done);
	r->done = true;
	r->status = status;
	r->len = len;
	if (!body)
		return;
	r->body = malloc(len + 1);
	assert_non_null(r->body);
	memcpy(r->body, body, len);
	r->body[len] = '\0';
}

static void take_header(void *user, const char *name, const char *value)
{
	struct test_reply *r = user;

	if (!strcmp(name, "Set-Cookie"))
		snprintf(r->cookie, sizeof(r->cookie), "%.*s", (int) strcspn(value, ";"), value);
	else if (!strcmp(name, "Retry-After"))
		r->retry_after = true;
}

struct test_reply test_request(struct test_controller *t, const struct http_injection *in)
{
	struct test_reply r = {.done = false};
	struct http_injection mine = *in;

	mine.done = take_reply;
	mine.header = take_header;
	mine.user = &r;
	assert_int_equal(http_inject(t->app.http, &mine), 0);
	for (int i = 0; i < 1000 && !r.done; i++)
		loop_run_once(t->app.loop, 100);
	assert_true(r.done);
	return r;
}

struct test_reply test_json(struct test_controller *t, const char *method, const char *uri,
			    const char *body, const struct http_who *who)
{
	static const char *const headers[] = {"Content-Type", "application/json", NULL};
	char length[24];
	const char *with_length[] = {"Content-Type", "application/json", "Content-Length", length,
				     NULL};
	struct http_injection in = {
		.listener = HTTP_PUBLIC,
		.method = method,
		.uri = uri,
		.headers = headers,
		.who = who,
	};

	if (body) {
		snprintf(length, sizeof(length), "%zu", strlen(body));
		in.headers = with_length;
		in.body = body;
		in.body_len = strlen(body);
	}
	return test_request(t, &in);
}

void test_reply_done(struct test_reply *r)
{
	free(r->body);
	memset(r, 0, sizeof(*r));
}

struct waited {
	bool done;
	int err;
};

struct wrapped {
	db_write_fn fn;
	void *arg;
	struct waited result;
};

static int run_wrapped(struct sql *s, void *arg)
{
	struct wrapped *w = arg;

	return w->fn(s, w->arg);
}

static void note_wrapped(void *arg, int err)
{
	struct wrapped *w = arg;

	w->result.done = true;
	w->result.err = err;
}

int test_write(struct test_controller *t, db_write_fn fn, void *arg)
{
	struct wrapped w = {.fn = fn, .arg = arg};

	assert_int_equal(db_write(t->app.db, run_wrapped, note_wrapped, &w), 0);
	db_drain(t->app.db);
	assert_true(w.result.done);
	return w.result.err;
}
