/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test_controller.h"

#include "common/err.h"
#include "controller/people/auth.h"
#include "controller/people/auth_password.h"
#include "controller/people/auth_throttle.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- the brake ----------------------------------------------------------------------------- */

static const struct throttle_rule rule = {
	.free_failures = 3,
	.base_us = US_PER_SEC,
	.max_us = 60 * US_PER_SEC,
	.forget_us = 600 * US_PER_SEC,
	.max_entries = 4,
};

static void waits_double_up_to_the_cap(void **state)
{
	struct throttle *t = NULL;
	int64_t now = 1000 * US_PER_SEC, want = US_PER_SEC;

	(void) state;
	assert_int_equal(throttle_new(&rule, &t), 0);
	for (int i = 0; i < 3; i++) {
		throttle_charge(t, "stock", now);
		assert_int_equal(throttle_wait_us(t, "stock", now), 0);
	}
	for (int i = 0; i < 10; i++) {
		throttle_charge(t, "stock", now);
		assert_int_equal(throttle_wait_us(t, "stock", now), want);
		assert_int_equal(throttle_wait_us(t, "stock", now + want - 1), 1);
		assert_int_equal(throttle_wait_us(t, "stock", now + want), 0);
		now += want;
		want = MIN(2 * want, rule.max_us);
	}
	assert_int_equal(throttle_wait_us(t, "berta", now), 0);
	throttle_free(t);
}

static void rest_success_and_refund_make_clean(void **state)
{
	struct throttle *t = NULL;
	int64_t now = 0;

	(void) state;
	assert_int_equal(throttle_new(&rule, &t), 0);
	for (int i = 0; i < 5; i++)
		throttle_charge(t, "stock", now);
	assert_true(throttle_wait_us(t, "stock", now) > 0);
	throttle_forgive(t, "stock");
	assert_int_equal(throttle_wait_us(t, "stock", now), 0);
	for (int i = 0; i < 5; i++)
		throttle_charge(t, "stock", now);
	now += rule.forget_us + 1;
	throttle_charge(t, "stock", now);
	assert_int_equal(throttle_wait_us(t, "stock", now), 0);
	for (int i = 0; i < 50; i++) { /* each attempt charged and refunded: as a shop's day goes */
		throttle_charge(t, "127.0.0.1", now);
		assert_int_equal(throttle_wait_us(t, "127.0.0.1", now), 0);
		throttle_refund(t, "127.0.0.1");
	}
	throttle_free(t);
}

static void the_table_forgets_its_oldest_when_full(void **state)
{
	struct throttle *t = NULL;
	char key[16];

	(void) state;
	assert_int_equal(throttle_new(&rule, &t), 0);
	for (int i = 0; i < 100; i++) {
		snprintf(key, sizeof(key), "user%d", i);
		throttle_charge(t, key, i);
	}
	assert_int_equal(throttle_size(t), rule.max_entries);
	throttle_free(t);
}

/* --- people -------------------------------------------------------------------------------- */

struct fixture {
	struct test_controller t;
	char password[64];
};

static void read_first_password(struct fixture *f)
{
	FILE *out = tmpfile();
	char line[128] = "";

	assert_non_null(out);
	assert_int_equal(auth_first_admin(&f->t.app, out), 0);
	rewind(out);
	assert_non_null(fgets(line, sizeof(line), out));
	assert_int_equal(sscanf(line, "first password for admin: %63s", f->password), 1);
	rewind(out);
	fclose(out);
}

static int setup(void **state)
{
	static struct fixture f;

	test_controller_init(&f.t);
	test_controller_start_db(&f.t);
	test_controller_start_http(&f.t);
	test_controller_start_auth(&f.t);
	read_first_password(&f);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	test_controller_done(&f->t);
	return 0;
}

static struct test_reply sign_in(struct fixture *f, const char *user, const char *password)
{
	char body[256];

	snprintf(body, sizeof(body), "{\"user\":\"%s\",\"password\":\"%s\"}", user, password);
	return test_json(&f->t, "POST", "/api/v1/session", body, NULL);
}

static struct test_reply with_cookie(struct fixture *f, const char *method, const char *uri,
				     const char *cookie)
{
	char pair[160];
	const char *const headers[] = {"Cookie", pair, NULL};
	const struct http_injection in = {
		.listener = HTTP_PUBLIC, .method = method, .uri = uri, .headers = headers};

	snprintf(pair, sizeof(pair), "other=1; %s", cookie);
	return test_request(&f->t, &in);
}

static unsigned int status_with_cookie(struct fixture *f, const char *cookie)
{
	struct test_reply r = with_cookie(f, "GET", "/api/v1/session", cookie);
	unsigned int status = r.status;

	test_reply_done(&r);
	return status;
}

static void the_first_password_is_printed_once(void **state)
{
	struct fixture *f = *state;
	FILE *out = tmpfile();

	assert_int_equal(auth_first_admin(&f->t.app, out), 0);
	assert_int_equal(ftell(out), 0);
	fclose(out);
}

static void signing_in_opens_a_session_and_signing_out_ends_it(void **state)
{
	struct fixture *f = *state;
	struct test_reply r = sign_in(f, "Admin", f->password), r2;
	json_t *body = json_loads(r.body, 0, NULL);

	assert_int_equal(r.status, 200);
	assert_string_equal(json_string_value(json_object_get(body, "user")), "admin");
	assert_int_equal(json_array_size(json_object_get(body, "permissions")), 13);
	assert_int_equal(strncmp(r.cookie, "__Host-gondola=", 15), 0);
	assert_int_equal(strlen(r.cookie), 15 + 43);
	assert_int_equal(status_with_cookie(f, r.cookie), 200);
	r2 = with_cookie(f, "DELETE", "/api/v1/session", r.cookie);
	assert_int_equal(r2.status, 204);
	assert_int_equal(status_with_cookie(f, r.cookie), 401);
	json_decref(body);
	test_reply_done(&r);
	test_reply_done(&r2);
}

static void a_forged_cookie_is_nobody(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(status_with_cookie(f, "__Host-gondola="), 401);
	assert_int_equal(status_with_cookie(f, "__Host-gondola=AAAA"), 401);
	assert_int_equal(
		status_with_cookie(f, "__Host-gondola=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
		401);
	assert_int_equal(status_with_cookie(f, "x__Host-gondola=1; a=b"), 401);
}

static void wrong_password_and_unknown_user_answer_alike(void **state)
{
	struct fixture *f = *state;
	struct test_reply a = sign_in(f, "admin", "not the password"),
			  b = sign_in(f, "nobody", "not the password");

	assert_int_equal(a.status, 401);
	assert_int_equal(b.status, 401);
	assert_string_equal(a.body, b.body);
	test_reply_done(&a);
	test_reply_done(&b);
}

static void guessing_is_throttled_even_with_the_right_password(void **state)
{
	struct fixture *f = *state;
	struct test_reply r;

	for (int i = 0; i < 6; i++) {
		r = sign_in(f, "admin", "wrong wrong wrong");
		assert_int_equal(r.status, 401);
		test_reply_done(&r);
	}
	r = sign_in(f, "ADMIN", f->password);
	assert_int_equal(r.status, 429);
	assert_true(r.retry_after);
	test_reply_done(&r);
}

static int age_sessions(struct sql *s, void *arg)
{
	struct sql_stmt *q = sql_prepare(s, "UPDATE sessions SET seen = seen - ?");

	sql_bind_i64(q, 1, *(int64_t *) arg);
	return sql_run(q);
}

static void a_session_ends_after_twelve_idle_hours(void **state)
{
	struct fixture *f = *state;
	struct test_reply r = sign_in(f, "admin", f->password);
	int64_t eleven = 11 * 3600 * US_PER_SEC, thirteen = 13 * 3600 * US_PER_SEC;

	assert_int_equal(test_write(&f->t, age_sessions, &eleven), 0);
	assert_int_equal(status_with_cookie(f, r.cookie), 200);
	db_drain(f->t.app.db); /* its use was noted: the idle time starts anew */
	assert_int_equal(test_write(&f->t, age_sessions, &eleven), 0);
	assert_int_equal(status_with_cookie(f, r.cookie), 200);
	db_drain(f->t.app.db);
	assert_int_equal(test_write(&f->t, age_sessions, &thirteen), 0);
	assert_int_equal(status_with_cookie(f, r.cookie), 401);
	test_reply_done(&r);
}

static void a_session_from_the_future_has_ended(void **state)
{
	struct fixture *f = *state;
	struct test_reply r = sign_in(f, "admin", f->password);
	int64_t later = -800 * 86400 * US_PER_SEC;

	assert_int_equal(test_write(&f->t, age_sessions, &later), 0);
	assert_int_equal(status_with_cookie(f, r.cookie), 401);
	test_reply_done(&r);
}

static void a_local_reset_replaces_password_and_sessions(void **state)
{
	struct fixture *f = *state;
	struct test_reply r = sign_in(f, "admin", f->password), r2, r3;
	FILE *out = tmpfile();
	char line[128] = "", fresh[64] = "";

	assert_int_equal(auth_reset_password(f->t.dir, "nobody", 1, out), -ENOENT);
	assert_int_equal(auth_reset_password("/nonexistent", "admin", 1, out), -ENOENT);
	assert_int_equal(auth_reset_password(f->t.dir, "admin", 1, out), 0);
	rewind(out);
	assert_non_null(fgets(line, sizeof(line), out));
	fclose(out);
	assert_int_equal(sscanf(line, "new password for admin: %63s", fresh), 1);
	assert_int_equal(status_with_cookie(f, r.cookie), 401);
	r2 = sign_in(f, "admin", f->password);
	assert_int_equal(r2.status, 401);
	r3 = sign_in(f, "admin", fresh);
	assert_int_equal(r3.status, 200);
	test_reply_done(&r);
	test_reply_done(&r2);
	test_reply_done(&r3);
}

static void take_status(void *user, unsigned int status, const char *body, size_t len)
{
	(void) body;
	(void) len;
	*(unsigned int *) user = status;
}

/* The reset commits while the old password is being checked. */
static void a_sign_in_that_a_reset_overtook_opens_no_session(void **state)
{
	struct fixture *f = *state;
	const char *const headers[] = {"Content-Type", "application/json", NULL};
	char body[128];
	unsigned int status = 0;
	FILE *out = tmpfile();

	snprintf(body, sizeof(body), "{\"user\":\"admin\",\"password\":\"%s\"}", f->password);
	const struct http_injection in = {.listener = HTTP_PUBLIC,
					  .method = "POST",
					  .uri = "/api/v1/session",
					  .headers = headers,
					  .body = body,
					  .body_len = strlen(body),
					  .done = take_status,
					  .user = &status};

	assert_int_equal(http_inject(f->t.app.http, &in), 0);
	assert_int_equal(status, 0);
	assert_int_equal(auth_reset_password(f->t.dir, "admin", 1, out), 0);
	fclose(out);
	for (int i = 0; i < 1000 && !status; i++)
		loop_run_once(f->t.app.loop, 100);
	assert_int_equal(status, 401);
}

static void changing_my_password_ends_my_other_sessions(void **state)
{
	struct fixture *f = *state;
	struct test_reply here = sign_in(f, "admin", f->password);
	struct test_reply there = sign_in(f, "admin", f->password), r;
	char body[256], length[24];
	const char *const headers[] = {
		"Cookie", here.cookie, "Content-Type", "application/json", "Content-Length",
		length,   NULL};
	struct http_injection in = {.listener = HTTP_PUBLIC,
				    .method = "PUT",
				    .uri = "/api/v1/session/password",
				    .headers = headers,
				    .body = body};

	in.body_len = (size_t) snprintf(body, sizeof(body), "{\"old\":\"%s\",\"new\":\"short\"}",
					f->password);
	snprintf(length, sizeof(length), "%zu", in.body_len);
	r = test_request(&f->t, &in);
	assert_int_equal(r.status, 422);
	test_reply_done(&r);
	in.body_len = (size_t) snprintf(
		body, sizeof(body), "{\"old\":\"%s\",\"new\":\"a longer password\"}", f->password);
	snprintf(length, sizeof(length), "%zu", in.body_len);
	r = test_request(&f->t, &in);
	assert_int_equal(r.status, 204);
	test_reply_done(&r);
	assert_int_equal(status_with_cookie(f, here.cookie), 200);
	assert_int_equal(status_with_cookie(f, there.cookie), 401);
	r = sign_in(f, "admin", "a longer password");
	assert_int_equal(r.status, 200);
	test_reply_done(&r);
	test_reply_done(&here);
	test_reply_done(&there);
}

static void expect(struct test_reply r, unsigned int status, const char *code)
{
	assert_int_equal(r.status, status);
	if (code)
		assert_non_null(strstr(r.body, code));
	test_reply_done(&r);
}

static void users_are_made_changed_and_deleted_but_never_the_last_admin(void **state)
{
	struct fixture *f = *state;
	struct test_controller *t = &f->t;

	expect(test_json(t, "POST", "/api/v1/users",
			 "{\"name\":\"Eva\",\"role\":\"stock\",\"password\":\"ten letters\"}",
			 &test_admin),
	       201, "\"role\":\"stock\"");
	expect(test_json(t, "POST", "/api/v1/users",
			 "{\"name\":\"eva\",\"role\":\"stock\",\"password\":\"ten letters\"}",
			 &test_admin),
	       409, "name-taken");
	expect(test_json(t, "POST", "/api/v1/users",
			 "{\"name\":\"Uwe\",\"role\":\"king\",\"password\":\"ten letters\"}",
			 &test_admin),
	       422, "bad-user");
	expect(test_json(t, "PATCH", "/api/v1/users/1", "{\"role\":\"viewer\"}", &test_admin), 409,
	       "last-admin");
	expect(test_json(t, "DELETE", "/api/v1/users/1", NULL, &test_admin), 409, "last-admin");
	expect(test_json(t, "PATCH", "/api/v1/users/2", "{\"role\":\"admin\"}", &test_admin), 200,
	       "\"role\":\"admin\"");
	expect(test_json(t, "DELETE", "/api/v1/users/1", NULL, &test_admin), 204, NULL);
	expect(test_json(t, "DELETE", "/api/v1/users/9", NULL, &test_admin), 404, "not-found");
	expect(test_json(t, "GET", "/api/v1/users?limit=1", NULL, &test_admin), 200,
	       "\"name\":\"Eva\"");
}

static void a_role_change_counts_at_once(void **state)
{
	struct fixture *f = *state;
	struct test_reply r;
	char cookie[128];

	expect(test_json(&f->t, "POST", "/api/v1/users",
			 "{\"name\":\"Eva\",\"role\":\"admin\",\"password\":\"ten letters\"}",
			 &test_admin),
	       201, NULL);
	r = sign_in(f, "eva", "ten letters");
	memcpy(cookie, r.cookie, sizeof(cookie));
	test_reply_done(&r);
	expect(with_cookie(f, "GET", "/api/v1/users", cookie), 200, NULL);
	expect(test_json(&f->t, "PATCH", "/api/v1/users/2", "{\"role\":\"viewer\"}", &test_admin),
	       200, NULL);
	expect(with_cookie(f, "GET", "/api/v1/users", cookie), 403, "forbidden");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_double_up_to_the_cap),
		cmocka_unit_test(rest_success_and_refund_make_clean),
		cmocka_unit_test(the_table_forgets_its_oldest_when_full),
		cmocka_unit_test_setup_teardown(the_first_password_is_printed_once, setup,
						teardown),
		cmocka_unit_test_setup_teardown(signing_in_opens_a_session_and_signing_out_ends_it,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_forged_cookie_is_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_password_and_unknown_user_answer_alike, setup,
						teardown),
		cmocka_unit_test_setup_teardown(guessing_is_throttled_even_with_the_right_password,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_session_ends_after_twelve_idle_hours, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_session_from_the_future_has_ended, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_local_reset_replaces_password_and_sessions, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_sign_in_that_a_reset_overtook_opens_no_session,
						setup, teardown),
		cmocka_unit_test_setup_teardown(changing_my_password_ends_my_other_sessions, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			users_are_made_changed_and_deleted_but_never_the_last_admin, setup,
			teardown),
		cmocka_unit_test_setup_teardown(a_role_change_counts_at_once, setup, teardown),
	};

	return cmocka_run_group_tests_name("auth", tests, NULL, NULL);
}
