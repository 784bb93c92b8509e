/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test_controller.h"

#include "common/err.h"
#include "controller/http/http_route.h"
#include "controller/http/http_uri.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- targets ------------------------------------------------------------------------------- */

static void an_encoded_slash_stays_in_its_segment(void **state)
{
	struct http_uri u;

	(void) state;
	assert_int_equal(http_uri_parse(&u, "/a/b%2Fc/d%20e?q=1%2b1+x&&flag&z="), 0);
	assert_int_equal(u.n_segments, 3);
	assert_string_equal(u.segments[0], "a");
	assert_string_equal(u.segments[1], "b/c");
	assert_string_equal(u.segments[2], "d e");
	assert_false(u.trailing_slash);
	assert_string_equal(http_uri_query(&u, "q"), "1+1 x");
	assert_string_equal(http_uri_query(&u, "flag"), "");
	assert_string_equal(http_uri_query(&u, "z"), "");
	assert_null(http_uri_query(&u, "none"));
}

static void the_root_has_no_segments(void **state)
{
	struct http_uri u;

	(void) state;
	assert_int_equal(http_uri_parse(&u, "/"), 0);
	assert_int_equal(u.n_segments, 0);
	assert_int_equal(http_uri_parse(&u, "/?a=b"), 0);
	assert_string_equal(http_uri_query(&u, "a"), "b");
}

static void odd_targets_are_syntax_errors(void **state)
{
	static const char *const odd[] = {
		"",
		"a",
		"*",
		"https://x/y",
		"//a",
		"/a//b",
		"/.",
		"/a/../b",
		"/%2e%2e/x",
		"/a/%2E",
		"/%",
		"/%4",
		"/%zz",
		"/a%00b",
		"/a%0ab",
		"/%ff",
		"/%c3",
		"/%c0%af",
		"/%ed%a0%80",
		"/a?x=%00",
		"/a?%zz",
		"/a\x01",
		"/%f8%88%80%80%80",
	};
	struct http_uri u;

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		if (http_uri_parse(&u, odd[i]) != -ERR_SYNTAX)
			fail_msg("accepted: %s", odd[i]);
	}
	assert_int_equal(http_uri_parse(&u, "/%c3%a9%e2%82%ac%f0%9f%8f%b7"), 0);
}

static void long_targets_are_too_large(void **state)
{
	char text[HTTP_URI_MAX + 10];
	struct http_uri u;

	(void) state;
	memset(text, 'a', sizeof(text));
	text[0] = '/';
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(http_uri_parse(&u, text), -ERR_TOO_LARGE);
	assert_int_equal(http_uri_parse(&u, "/1/2/3/4/5/6/7/8/9/10/11/12"), 0);
	assert_int_equal(http_uri_parse(&u, "/1/2/3/4/5/6/7/8/9/10/11/12/13"), -ERR_TOO_LARGE);
	strcpy(text, "/?");
	for (int i = 0; i < HTTP_QUERY_MAX + 1; i++)
		strcat(text, "a&");
	assert_int_equal(http_uri_parse(&u, text), -ERR_TOO_LARGE);
}

/* --- routes -------------------------------------------------------------------------------- */

static void reply_ok(struct http_request *rq, struct app *app)
{
	(void) app;
	http_reply_json(rq, 200, json_pack("{s:s}", "arg", http_arg(rq, 0) ? http_arg(rq, 0) : ""));
}

static void reply_json_back(struct http_request *rq, struct app *app)
{
	json_t *body = http_json(rq);

	(void) app;
	if (body)
		http_reply_json(rq, 200, body);
}

static void reply_number(struct http_request *rq, struct app *app)
{
	int64_t n;

	(void) app;
	if (http_query_int(rq, "n", 7, 1, 10, &n))
		http_reply_json(rq, 200, json_pack("{s:I}", "n", (json_int_t) n));
}

static const struct http_route routes[] = {
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/things/{}", PERM_NONE, 0, reply_ok},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/things/special", PERM_NONE, 0, reply_number},
	{HTTP_PUBLIC, HTTP_PUT, "/api/v1/things/{}", PERM_NONE, 0, reply_ok},
	{HTTP_PUBLIC, HTTP_DELETE, "/api/v1/things/{}", PERM_PRICES, 0, reply_ok},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/things", PERM_NONE, 100, reply_json_back},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/number", PERM_NONE, 0, reply_number},
	{HTTP_AGENTS, HTTP_GET, "/agent/v1/x", PERM_AGENT, 0, reply_ok},
	{.path = NULL},
};

static const struct http_route *find(enum http_listener l, enum http_method m, const char *target,
				     const char **args, unsigned int *allow)
{
	static struct http_uri u;
	const struct http_routes all = {.tables = {routes}, .n = 1};

	assert_int_equal(http_uri_parse(&u, target), 0);
	return http_route_find(&all, l, m, &u, args, allow);
}

static void a_literal_segment_wins_over_an_argument(void **state)
{
	const char *args[HTTP_ARGS_MAX];
	unsigned int allow;

	(void) state;
	assert_ptr_equal(find(HTTP_PUBLIC, HTTP_GET, "/api/v1/things/special", args, &allow),
			 &routes[1]);
	assert_ptr_equal(find(HTTP_PUBLIC, HTTP_GET, "/api/v1/things/a%2fb", args, &allow),
			 &routes[0]);
	assert_string_equal(args[0], "a/b");
	assert_ptr_equal(find(HTTP_PUBLIC, HTTP_PUT, "/api/v1/things/special", args, &allow),
			 &routes[2]);
}

static void an_unknown_path_allows_nothing_and_a_known_one_its_methods(void **state)
{
	const char *args[HTTP_ARGS_MAX];
	unsigned int allow;

	(void) state;
	assert_null(find(HTTP_PUBLIC, HTTP_GET, "/api/v1/nothing", args, &allow));
	assert_int_equal(allow, 0);
	assert_null(find(HTTP_PUBLIC, HTTP_POST, "/api/v1/things/5", args, &allow));
	assert_int_equal(allow, 1u << HTTP_GET | 1u << HTTP_PUT | 1u << HTTP_DELETE);
	assert_null(find(HTTP_PUBLIC, HTTP_GET, "/api/v1/things/5/more", args, &allow));
	assert_null(find(HTTP_PUBLIC, HTTP_GET, "/api/v1/things/5/", args, &allow));
	assert_null(find(HTTP_PUBLIC, HTTP_GET, "/agent/v1/x", args, &allow));
	assert_int_equal(allow, 0);
}

/* --- requests ------------------------------------------------------------------------------ */

static int setup(void **state)
{
	static struct test_controller t;

	test_controller_init(&t);
	test_controller_start_http(&t);
	http_add_routes(t.app.http, routes);
	*state = &t;
	return 0;
}

static int teardown(void **state)
{
	test_controller_done(*state);
	return 0;
}

static void expect_problem(struct test_reply r, unsigned int status, const char *code)
{
	json_t *body = json_loads(r.body, 0, NULL);

	assert_non_null(body);
	assert_int_equal(r.status, status);
	assert_string_equal(json_string_value(json_object_get(body, "code")), code);
	assert_int_equal(json_integer_value(json_object_get(body, "status")), status);
	assert_non_null(json_object_get(body, "title"));
	json_decref(body);
	test_reply_done(&r);
}

static void wrong_paths_and_methods_have_their_own_problems(void **state)
{
	expect_problem(test_json(*state, "GET", "/api/v1/nope", NULL, NULL), 404, "not-found");
	expect_problem(test_json(*state, "POST", "/api/v1/things/1", "{}", NULL), 405,
		       "method-not-allowed");
	expect_problem(test_json(*state, "BREW", "/api/v1/things/1", NULL, NULL), 405,
		       "method-not-allowed");
	expect_problem(test_json(*state, "GET", "/api/../x", NULL, NULL), 400, "bad-uri");
}

static void head_is_served_as_get(void **state)
{
	struct test_reply r = test_json(*state, "HEAD", "/api/v1/things/1", NULL, NULL);

	assert_int_equal(r.status, 200);
	test_reply_done(&r);
}

static void permissions_guard_a_route(void **state)
{
	const struct http_who viewer = {
		.user_id = 2, .user = "v", .perms = PERM_VIEW | PERM_SIGNED_IN};
	struct test_reply r;

	expect_problem(test_json(*state, "DELETE", "/api/v1/things/1", NULL, NULL), 401,
		       "sign-in-needed");
	expect_problem(test_json(*state, "DELETE", "/api/v1/things/1", NULL, &viewer), 403,
		       "forbidden");
	r = test_json(*state, "DELETE", "/api/v1/things/1", NULL, &test_admin);
	assert_int_equal(r.status, 200);
	test_reply_done(&r);
}

static void a_body_beyond_the_routes_cap_is_413(void **state)
{
	char body[256];
	const char *const chunked[] = {"Content-Type", "application/json", "Transfer-Encoding",
				       "chunked", NULL};
	struct http_injection in = {.listener = HTTP_PUBLIC,
				    .method = "POST",
				    .uri = "/api/v1/things",
				    .headers = chunked,
				    .body = body,
				    .body_len = 200};

	memset(body, ' ', sizeof(body));
	body[200] = '\0';
	expect_problem(test_json(*state, "POST", "/api/v1/things", body, NULL), 413, "too-large");
	expect_problem(test_request(*state, &in), 413, "too-large");
}

static void bad_json_names_the_place(void **state)
{
	struct test_reply r = test_json(*state, "POST", "/api/v1/things", "{\n\"a\": x}", NULL);
	json_t *body = json_loads(r.body, 0, NULL);
	const json_t *first = json_array_get(json_object_get(body, "errors"), 0);

	assert_int_equal(r.status, 400);
	assert_int_equal(json_integer_value(json_object_get(first, "line")), 2);
	json_decref(body);
	test_reply_done(&r);
	expect_problem(test_json(*state, "POST", "/api/v1/things", "{\"a\":1,\"a\":2}", NULL), 400,
		       "bad-json");
	expect_problem(test_json(*state, "POST", "/api/v1/things", "[1]", NULL), 400, "bad-json");
	expect_problem(test_json(*state, "POST", "/api/v1/things",
				 "{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]"
				 "]]]]]]]]}",
				 NULL),
		       400, "bad-json");
}

static void numbers_in_the_query_are_checked(void **state)
{
	static const char *const bad[] = {"0",  "11",   "x",  "",
					  "+3", "%203", "3x", "99999999999999999999"};
	struct test_reply r = test_json(*state, "GET", "/api/v1/number", NULL, NULL);
	char uri[80];

	assert_string_equal(r.body, "{\"n\":7}");
	test_reply_done(&r);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(uri, sizeof(uri), "/api/v1/number?n=%s", bad[i]);
		expect_problem(test_json(*state, "GET", uri, NULL, NULL), 400, "bad-number");
	}
}

static struct test_reply post_with(void *state, const char *const *headers)
{
	const struct http_injection in = {.listener = HTTP_PUBLIC,
					  .method = "POST",
					  .uri = "/api/v1/things",
					  .headers = headers,
					  .body = "{}",
					  .body_len = 2};

	return test_request(state, &in);
}

#define JSON_HEADERS "Content-Length", "2", "Content-Type", "application/json; charset=utf-8"

static void a_page_of_another_site_cannot_post(void **state)
{
	const char *const cross[] = {JSON_HEADERS, "Sec-Fetch-Site", "cross-site", NULL};
	const char *const same_site[] = {JSON_HEADERS, "Sec-Fetch-Site", "same-site", NULL};
	const char *const origin[] = {JSON_HEADERS,           "Host", "shop:8443", "Origin",
				      "https://evil.example", NULL};
	const char *const form[] = {"Content-Length", "2", "Content-Type",
				    "application/x-www-form-urlencoded", NULL};
	const char *const plain[] = {"Content-Length", "2", "Content-Type", "text/plain", NULL};
	const char *const none[] = {"Content-Length", "2", NULL};

	expect_problem(post_with(*state, cross), 403, "cross-site");
	expect_problem(post_with(*state, same_site), 403, "cross-site");
	expect_problem(post_with(*state, origin), 403, "cross-site");
	expect_problem(post_with(*state, form), 403, "content-type");
	expect_problem(post_with(*state, plain), 403, "content-type");
	expect_problem(post_with(*state, none), 403, "content-type");
}

static void our_own_page_and_a_machine_can_post(void **state)
{
	const char *const page[] = {JSON_HEADERS, "Sec-Fetch-Site",    "same-origin",
				    "Origin",     "https://shop:8443", NULL};
	const char *const typed[] = {JSON_HEADERS, "Sec-Fetch-Site", "none", NULL};
	const char *const old[] = {JSON_HEADERS, "Origin",    "https://shop:8443",
				   "Host",       "shop:8443", NULL};
	const char *const machine[] = {JSON_HEADERS, NULL};
	const char *const *const good[] = {page, typed, old, machine};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct test_reply r = post_with(*state, good[i]);

		assert_int_equal(r.status, 200);
		test_reply_done(&r);
	}
}

static int given_error;

static void reply_given_error(struct http_request *rq, struct app *app)
{
	(void) app;
	http_reply_err(rq, given_error, "Thing");
}

static void error_codes_become_problems(void **state)
{
	static const struct http_route table[] = {
		{HTTP_PUBLIC, HTTP_GET, "/err", PERM_NONE, 0, reply_given_error},
		{.path = NULL},
	};
	struct test_controller *t = *state;

	http_add_routes(t->app.http, table);
	given_error = -ENOSPC;
	expect_problem(test_json(t, "GET", "/err", NULL, NULL), 507, "disk-full");
	given_error = -ENOENT;
	expect_problem(test_json(t, "GET", "/err", NULL, NULL), 404, "not-found");
	given_error = -ERR_CHECK_DIGIT;
	expect_problem(test_json(t, "GET", "/err", NULL, NULL), 422, "bad-check-digit");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_encoded_slash_stays_in_its_segment),
		cmocka_unit_test(the_root_has_no_segments),
		cmocka_unit_test(odd_targets_are_syntax_errors),
		cmocka_unit_test(long_targets_are_too_large),
		cmocka_unit_test(a_literal_segment_wins_over_an_argument),
		cmocka_unit_test(an_unknown_path_allows_nothing_and_a_known_one_its_methods),
		cmocka_unit_test_setup_teardown(wrong_paths_and_methods_have_their_own_problems,
						setup, teardown),
		cmocka_unit_test_setup_teardown(head_is_served_as_get, setup, teardown),
		cmocka_unit_test_setup_teardown(permissions_guard_a_route, setup, teardown),
		cmocka_unit_test_setup_teardown(a_body_beyond_the_routes_cap_is_413, setup,
						teardown),
		cmocka_unit_test_setup_teardown(bad_json_names_the_place, setup, teardown),
		cmocka_unit_test_setup_teardown(numbers_in_the_query_are_checked, setup, teardown),
		cmocka_unit_test_setup_teardown(a_page_of_another_site_cannot_post, setup,
						teardown),
		cmocka_unit_test_setup_teardown(our_own_page_and_a_machine_can_post, setup,
						teardown),
		cmocka_unit_test_setup_teardown(error_codes_become_problems, setup, teardown),
	};

	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
