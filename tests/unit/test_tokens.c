/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test_controller.h"

#include "controller/people/auth.h"
#include "controller/people/tokens.h"
#include <stdio.h>
#include <string.h>

struct fixture {
	struct test_controller t;
	char admin[160]; /* cookies */
	char manager[160];
};

static unsigned int ask(struct fixture *f, const char *method, const char *uri, const char *name,
			const char *value, const char *body, json_t **ret)
{
	char length[24];
	const char *headers[] = {
		name, value, "Content-Type", "application/json", "Content-Length", length, NULL};
	const struct http_injection in = {.listener = HTTP_PUBLIC,
					  .method = method,
					  .uri = uri,
					  .headers = headers,
					  .body = body,
					  .body_len = body ? strlen(body) : 0};
	struct test_reply r;
	unsigned int status;

	snprintf(length, sizeof(length), "%zu", in.body_len);
	if (!body)
		headers[2] = NULL;
	r = test_request(&f->t, &in);
	status = r.status;
	if (ret)
		*ret = r.body ? json_loads(r.body, 0, NULL) : NULL;
	test_reply_done(&r);
	return status;
}

static void sign_in(struct fixture *f, const char *user, const char *password, char cookie[160])
{
	char body[256];
	struct test_reply r;

	snprintf(body, sizeof(body), "{\"user\":\"%s\",\"password\":\"%s\"}", user, password);
	r = test_json(&f->t, "POST", "/api/v1/session", body, NULL);
	assert_int_equal(r.status, 200);
	snprintf(cookie, 160, "%s", r.cookie);
	test_reply_done(&r);
}

static int setup(void **state)
{
	static struct fixture f;
	FILE *out = tmpfile();
	char password[64];

	test_controller_init(&f.t);
	test_controller_start_db(&f.t);
	test_controller_start_http(&f.t);
	test_controller_start_auth(&f.t);
	http_add_routes(f.t.app.http, token_routes);
	http_add_routes(f.t.app.http, session_routes);
	assert_int_equal(auth_first_admin(&f.t.app, out), 0);
	rewind(out);
	assert_int_equal(fscanf(out, "first password for admin: %63s", password), 1);
	fclose(out);
	sign_in(&f, "admin", password, f.admin);
	assert_int_equal(
		ask(&f, "POST", "/api/v1/users", "Cookie", f.admin,
		    "{\"name\":\"anna\",\"role\":\"manager\",\"password\":\"long enough\"}", NULL),
		201);
	sign_in(&f, "anna", "long enough", f.manager);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	test_controller_done(&f->t);
	return 0;
}

/* Makes a token and yields its id; `bearer` is the header's value. */
static json_int_t make(struct fixture *f, const char *cookie, const char *name, const char *perms,
		       char bearer[96])
{
	char body[200];
	json_t *r;
	json_int_t id;

	snprintf(body, sizeof(body), "{\"name\":\"%s\",\"permissions\":[%s],\"ttl_s\":3600}", name,
		 perms);
	assert_int_equal(ask(f, "POST", "/api/v1/tokens", "Cookie", cookie, body, &r), 201);
	snprintf(bearer, 96, "Bearer %s", json_string_value(json_object_get(r, "token")));
	assert_int_equal(strlen(bearer), 7 + 3 + 43);
	id = json_integer_value(json_object_get(r, "id"));
	json_decref(r);
	return id;
}

static unsigned int users_by(struct fixture *f, const char *bearer)
{
	return ask(f, "GET", "/api/v1/users", "Authorization", bearer, NULL, NULL);
}

static int64_t count(struct fixture *f, const char *text)
{
	struct sql_stmt *q = sql_prepare(db_reader(f->t.app.db), text);
	int64_t n;

	assert_int_equal(sql_step(q), 1);
	n = sql_col_i64(q, 0);
	sql_reset(q);
	return n;
}

static int run_sql(struct sql *s, void *arg)
{
	return sql_exec(s, arg);
}

static void a_token_may_what_it_was_given_and_no_more(void **state)
{
	struct fixture *f = *state;
	char full[96], small[96];

	make(f, f->admin, "till", "\"users\",\"view\"", full);
	make(f, f->admin, "screen", "\"view\"", small);
	assert_int_equal(users_by(f, full), 200);
	assert_int_equal(users_by(f, small), 403);
	assert_int_equal(ask(f, "POST", "/api/v1/users", "Authorization", full,
			     "{\"name\":\"b\",\"role\":\"viewer\",\"password\":\"long enough\"}",
			     NULL),
			 201);
	assert_int_equal(count(f, "SELECT count(*) FROM audit WHERE who = 'token:till'"
				  " AND action = 'user.create'"),
			 1);
	/* It is nobody's session, and makes no others of its kind. */
	assert_int_equal(ask(f, "GET", "/api/v1/session", "Authorization", full, NULL, NULL), 403);
	assert_int_equal(ask(f, "POST", "/api/v1/tokens", "Authorization", full,
			     "{\"name\":\"x\",\"permissions\":[\"view\"],\"ttl_s\":3600}", NULL),
			 403);
}

static void nothing_but_a_good_token_opens(void **state)
{
	static const char *const bad[] = {"Bearer ",
					  "Bearer gt_",
					  "Bearer gt_short",
					  "Bearer gt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
					  "Basic YWRtaW46YWRtaW4=",
					  ""};
	struct fixture *f = *state;
	char bearer[96];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(users_by(f, bad[i]), 401);
	make(f, f->admin, "till", "\"users\"", bearer);
	bearer[20] ^= 1;
	assert_int_equal(users_by(f, bearer), 401);
}

static void only_its_hash_is_stored_and_lists_do_not_show_it(void **state)
{
	struct fixture *f = *state;
	char bearer[96], *text;
	json_t *r;

	make(f, f->admin, "till", "\"view\"", bearer);
	assert_int_equal(ask(f, "GET", "/api/v1/tokens", "Cookie", f->admin, NULL, &r), 200);
	text = json_dumps(r, 0);
	assert_non_null(strstr(text, "\"till\""));
	assert_null(strstr(text, bearer + 10));
	free(text);
	json_decref(r);
	assert_int_equal(count(f, "SELECT length(token_hash) FROM tokens"), 32);
	assert_int_equal(count(f, "SELECT count(*) FROM tokens WHERE token_hash LIKE '%gt_%'"), 0);
}

static void a_maker_gives_only_what_he_has_and_loses_it_for_his_tokens(void **state)
{
	struct fixture *f = *state;
	char bearer[96], demote[] = "UPDATE users SET role = 'viewer' WHERE name = 'anna'";
	char promote[] = "UPDATE users SET role = 'admin' WHERE name = 'anna'";
	char gone[] = "DELETE FROM users WHERE name = 'anna'";
	json_t *r;

	assert_int_equal(ask(f, "POST", "/api/v1/tokens", "Cookie", f->manager,
			     "{\"name\":\"x\",\"permissions\":[\"users\"],\"ttl_s\":3600}", &r),
			 422);
	assert_string_equal(json_string_value(json_object_get(r, "code")), "bad-token");
	json_decref(r);
	assert_int_equal(test_write(&f->t, run_sql, promote), 0);
	make(f, f->manager, "till", "\"users\",\"view\"", bearer);
	assert_int_equal(users_by(f, bearer), 200);
	assert_int_equal(test_write(&f->t, run_sql, demote), 0);
	assert_int_equal(users_by(f, bearer), 403);
	assert_int_equal(test_write(&f->t, run_sql, gone), 0);
	assert_int_equal(users_by(f, bearer), 401);
}

static void an_expired_or_revoked_token_is_refused_at_once(void **state)
{
	struct fixture *f = *state;
	char a[96], b[96], uri[64], late[] = "UPDATE tokens SET expires = 1 WHERE name = 'a'";
	json_int_t id;

	make(f, f->admin, "a", "\"users\"", a);
	id = make(f, f->admin, "b", "\"users\"", b);
	assert_int_equal(test_write(&f->t, run_sql, late), 0);
	assert_int_equal(users_by(f, a), 401);
	assert_int_equal(users_by(f, b), 200);
	snprintf(uri, sizeof(uri), "/api/v1/tokens/%lld", (long long) id);
	/* Somebody else's does not exist for who may not manage users. */
	assert_int_equal(ask(f, "DELETE", uri, "Cookie", f->manager, NULL, NULL), 404);
	assert_int_equal(users_by(f, b), 200);
	assert_int_equal(ask(f, "DELETE", uri, "Cookie", f->admin, NULL, NULL), 204);
	assert_int_equal(users_by(f, b), 401);
	assert_int_equal(count(f, "SELECT count(*) FROM audit WHERE action = 'token.revoke'"
				  " AND object = 'b' AND who = 'admin'"),
			 1);
}

static void bad_wishes_are_refused(void **state)
{
	static const char *const bad[] = {
		"{\"name\":\"x\",\"permissions\":[],\"ttl_s\":3600}",
		"{\"name\":\"x\",\"permissions\":[\"nothing\"],\"ttl_s\":3600}",
		"{\"name\":\"x\",\"permissions\":[7],\"ttl_s\":3600}",
		"{\"name\":\"x y\",\"permissions\":[\"view\"],\"ttl_s\":3600}",
		"{\"name\":\"\",\"permissions\":[\"view\"],\"ttl_s\":3600}",
		"{\"name\":\"x\",\"permissions\":[\"view\"],\"ttl_s\":1}",
		"{\"name\":\"x\",\"permissions\":[\"view\"],\"ttl_s\":99999999999}",
		"{\"name\":\"x\",\"permissions\":[\"view\"]}",
	};
	struct fixture *f = *state;
	char bearer[96];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(ask(f, "POST", "/api/v1/tokens", "Cookie", f->admin, bad[i], NULL),
				 422);
	make(f, f->admin, "till", "\"view\"", bearer);
	assert_int_equal(ask(f, "POST", "/api/v1/tokens", "Cookie", f->admin,
			     "{\"name\":\"Till\",\"permissions\":[\"view\"],\"ttl_s\":3600}", NULL),
			 409);
}

/* --- sessions ------------------------------------------------------------------------------ */

/* The id of the first session of `user` in the list that this cookie sees; empty if none. */
static size_t list(struct fixture *f, const char *cookie, const char *user, char id[40])
{
	json_t *r, *items, *item;
	size_t i, n;

	assert_int_equal(ask(f, "GET", "/api/v1/sessions", "Cookie", cookie, NULL, &r), 200);
	items = json_object_get(r, "items");
	n = json_array_size(items);
	id[0] = '\0';
	json_array_foreach(items, i, item)
	{
		if (!strcmp(json_string_value(json_object_get(item, "user")), user))
			snprintf(id, 40, "%s", json_string_value(json_object_get(item, "id")));
	}
	json_decref(r);
	return n;
}

static void sessions_are_seen_and_ended_by_their_own_or_who_manages_users(void **state)
{
	struct fixture *f = *state;
	char id[40], uri[80];

	assert_int_equal(list(f, f->manager, "admin", id), 1); /* only her own */
	assert_string_equal(id, "");
	assert_int_equal(list(f, f->admin, "admin", id), 2);
	snprintf(uri, sizeof(uri), "/api/v1/sessions/%s", id);
	assert_int_equal(ask(f, "DELETE", uri, "Cookie", f->manager, NULL, NULL), 404);
	list(f, f->admin, "anna", id);
	snprintf(uri, sizeof(uri), "/api/v1/sessions/%s", id);
	assert_int_equal(ask(f, "GET", "/api/v1/session", "Cookie", f->manager, NULL, NULL), 200);
	assert_int_equal(ask(f, "DELETE", uri, "Cookie", f->admin, NULL, NULL), 204);
	assert_int_equal(ask(f, "GET", "/api/v1/session", "Cookie", f->manager, NULL, NULL), 401);
	assert_int_equal(ask(f, "DELETE", uri, "Cookie", f->admin, NULL, NULL), 404);
	assert_int_equal(ask(f, "DELETE", "/api/v1/sessions/xyz", "Cookie", f->admin, NULL, NULL),
			 404);
	assert_int_equal(count(f, "SELECT count(*) FROM audit WHERE action = 'session.end'"
				  " AND object = 'anna' AND who = 'admin'"),
			 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_token_may_what_it_was_given_and_no_more),
		T(nothing_but_a_good_token_opens),
		T(only_its_hash_is_stored_and_lists_do_not_show_it),
		T(a_maker_gives_only_what_he_has_and_loses_it_for_his_tokens),
		T(an_expired_or_revoked_token_is_refused_at_once),
		T(bad_wishes_are_refused),
		T(sessions_are_seen_and_ended_by_their_own_or_who_manages_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
