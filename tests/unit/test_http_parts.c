/* SPDX-License-Identifier: Apache-2.0 */
/* What every part leans on: repeated requests, a full disk as people meet it, the audit trail. */
#include "tests/unit/test_controller.h"

#include "common/err.h"
#include "controller/http/events.h"
#include "controller/http/idempotency.h"
#include "controller/http/metrics.h"
#include "controller/people/audit.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- a handler that counts ---------------------------------------------------------------------
 */

struct count {
	struct http_request *rq;
	struct idempotency key;
	char answer[32];
};

static int counted; /* how often the write was done */

static int write_count(struct sql *s, void *arg)
{
	struct count *c = arg;
	int r = db_audit(s, "test", "count", "x", NULL);

	snprintf(c->answer, sizeof(c->answer), "{\"n\":%d}", counted + 1);
	return r < 0 ? r : idempotency_store(s, &c->key, 201, c->answer);
}

static void count_written(void *arg, int err)
{
	struct count *c = arg;
	struct buf b = BUF_INIT;

	if (err < 0) {
		http_reply_err(c->rq, err, "Count");
	} else {
		counted++;
		buf_put_str(&b, c->answer);
		http_reply_buf(c->rq, 201, "application/json", &b);
	}
	free(c);
}

static void post_count(struct http_request *rq, struct app *app)
{
	struct count *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	c->rq = rq;
	if (!idempotency_begin(rq, app, &c->key)) {
		free(c);
		return;
	}
	assert_int_equal(db_write(app->db, write_count, count_written, c), 0);
}

static const struct http_route routes[] = {
	{HTTP_PUBLIC, HTTP_POST, "/count", PERM_SIGNED_IN, 0, post_count},
	{.path = NULL},
};

static int setup(void **state)
{
	static struct test_controller t;

	counted = 0;
	test_controller_init(&t);
	test_controller_start_db(&t);
	test_controller_start_http(&t);
	test_controller_start_auth(&t);
	assert_int_equal(events_new(&t.app, &t.app.events), 0);
	http_add_routes(t.app.http, routes);
	http_add_routes(t.app.http, audit_routes);
	http_add_routes(t.app.http, metrics_routes);
	http_add_routes(t.app.http, events_routes);
	*state = &t;
	return 0;
}

static int teardown(void **state)
{
	test_controller_done(*state);
	return 0;
}

static struct test_reply count_with(void *state, const char *key, const char *body,
				    const struct http_who *who)
{
	const char *const headers[] = {"Content-Type", "application/json", "Idempotency-Key", key,
				       NULL};
	const struct http_injection in = {.listener = HTTP_PUBLIC,
					  .method = "POST",
					  .uri = "/count",
					  .headers = headers,
					  .body = body,
					  .body_len = strlen(body),
					  .who = who};

	return test_request(state, &in);
}

static void expect(struct test_reply r, unsigned int status, const char *text)
{
	if (r.status != status)
		fail_msg("status %u: %s", r.status, r.body ? r.body : "");
	if (text)
		assert_non_null(strstr(r.body, text));
	test_reply_done(&r);
}

/* --- repeated requests -------------------------------------------------------------------------
 */

static void a_repeated_key_repeats_the_answer_and_not_the_deed(void **state)
{
	expect(count_with(*state, "k1", "{}", &test_admin), 201, "{\"n\":1}");
	expect(count_with(*state, "k1", "{}", &test_admin), 201, "{\"n\":1}");
	assert_int_equal(counted, 1);
	expect(count_with(*state, "k2", "{}", &test_admin), 201, "{\"n\":2}");
}

static void a_key_belongs_to_one_request_of_one_person(void **state)
{
	const struct http_who other = {.user_id = 2, .user = "eva", .perms = PERM_SIGNED_IN};

	expect(count_with(*state, "k1", "{}", &test_admin), 201, NULL);
	expect(count_with(*state, "k1", "{\"a\":1}", &test_admin), 422, "idempotency-key-reused");
	expect(count_with(*state, "k1", "{}", &other), 201, "{\"n\":2}");
}

static void odd_keys_are_refused(void **state)
{
	char longest[IDEMPOTENCY_KEY_MAX + 2];

	memset(longest, 'k', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	expect(count_with(*state, longest, "{}", &test_admin), 400, "bad-idempotency-key");
	expect(count_with(*state, longest + 1, "{}", &test_admin), 201, NULL);
	expect(count_with(*state, "", "{}", &test_admin), 400, "bad-idempotency-key");
	expect(count_with(*state, "a b", "{}", &test_admin), 400, "bad-idempotency-key");
}

/* --- a full disk -------------------------------------------------------------------------------
 */

static int limit_pages(struct sql *s, void *arg)
{
	char text[64];

	snprintf(text, sizeof(text), "PRAGMA max_page_count = %d", *(int *) arg);
	return sql_exec(s, text);
}

/* A row smaller than any that a request writes: when it has no room, nothing has. */
static int fill_up(struct sql *s, void *arg)
{
	(void) arg;
	return db_audit(s, "", "f", "", NULL);
}

static void a_full_disk_is_a_507_and_not_ready_until_space_returns(void **state)
{
	struct test_controller *t = *state;
	int small = 1, large = 1000000, r = 0;

	expect(test_json(t, "GET", "/readyz", NULL, NULL), 200, "ready");
	assert_int_equal(test_write(t, limit_pages, &small), 0);
	for (int i = 0; i < 1000 && r == 0; i++)
		r = test_write(t, fill_up, NULL);
	assert_int_equal(r, -ENOSPC);
	expect(count_with(t, "full", "{}", &test_admin), 507, "disk-full");
	expect(test_json(t, "GET", "/healthz", NULL, NULL), 200, "ok");
	assert_int_equal(test_write(t, limit_pages, &large), 0);
	expect(test_json(t, "GET", "/readyz", NULL, NULL), 200, "ready");
	expect(count_with(t, "full", "{}", &test_admin), 201, NULL);
}

/* --- the trail and the figures ------------------------------------------------------------------
 */

static void the_audit_trail_is_newest_first_and_paged(void **state)
{
	json_t *page, *items;
	struct test_reply r;
	char uri[64];

	for (int i = 0; i < 3; i++) {
		char key[24];

		snprintf(key, sizeof(key), "k%d", i);
		expect(count_with(*state, key, "{}", &test_admin), 201, NULL);
	}
	r = test_json(*state, "GET", "/api/v1/audit?limit=2", NULL, &test_admin);
	page = json_loads(r.body, 0, NULL);
	items = json_object_get(page, "items");
	assert_int_equal(json_array_size(items), 2);
	assert_true(json_integer_value(json_object_get(json_array_get(items, 0), "id")) >
		    json_integer_value(json_object_get(json_array_get(items, 1), "id")));
	snprintf(uri, sizeof(uri), "/api/v1/audit?limit=2&after=%s",
		 json_string_value(json_object_get(page, "next")));
	json_decref(page);
	test_reply_done(&r);
	r = test_json(*state, "GET", uri, NULL, &test_admin);
	page = json_loads(r.body, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(page, "items")), 1);
	assert_true(json_is_null(json_object_get(page, "next")));
	json_decref(page);
	test_reply_done(&r);
	expect(test_json(*state, "GET", "/api/v1/audit", NULL, NULL), 401, NULL);
}

static size_t audit_count(struct test_controller *t, const char *uri)
{
	struct test_reply r = test_json(t, "GET", uri, NULL, &test_admin);
	json_t *page = json_loads(r.body, 0, NULL);
	size_t n = json_array_size(json_object_get(page, "items"));

	assert_int_equal(r.status, 200);
	json_decref(page);
	test_reply_done(&r);
	return n;
}

static void the_audit_trail_is_narrowed_by_who_what_and_object(void **state)
{
	expect(count_with(*state, "one", "{}", &test_admin), 201, NULL);
	assert_int_equal(audit_count(*state, "/api/v1/audit?who=test"), 1);
	assert_int_equal(audit_count(*state, "/api/v1/audit?who=tes"), 0);
	assert_int_equal(audit_count(*state, "/api/v1/audit?object=x"), 1);
	assert_int_equal(audit_count(*state, "/api/v1/audit?object=y"), 0);
	assert_int_equal(audit_count(*state, "/api/v1/audit?action=count"), 1);
	/* Only a point at the end means all that begin so. */
	assert_int_equal(audit_count(*state, "/api/v1/audit?action=coun"), 0);
	assert_int_equal(audit_count(*state, "/api/v1/audit?action=count."), 0);
	assert_int_equal(audit_count(*state, "/api/v1/audit?who=test&object=x&action=count"), 1);
	assert_int_equal(audit_count(*state, "/api/v1/audit?who=&object=&action="), 1);
}

static void metrics_count_writes(void **state)
{
	expect(count_with(*state, "k", "{}", &test_admin), 201, NULL);
	expect(test_json(*state, "GET", "/metrics", NULL, NULL), 200, "gondola_db_writable 1\n");
}

static void an_event_stream_needs_a_viewer_and_ends_with_its_client(void **state)
{
	struct test_controller *t = *state;
	struct events_stats st;
	struct test_reply r;

	expect(test_json(t, "GET", "/api/v1/events", NULL, NULL), 401, NULL);
	r = test_json(t, "GET", "/api/v1/events", NULL, &test_admin);
	assert_int_equal(r.status, 200);
	test_reply_done(&r);
	events_stats(t->app.events, &st);
	assert_int_equal(st.subscribers, 0);
	events_publish(t->app.events, "stock", json_object());
	events_stats(t->app.events, &st);
	assert_int_equal(st.published, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_repeated_key_repeats_the_answer_and_not_the_deed,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_key_belongs_to_one_request_of_one_person, setup,
						teardown),
		cmocka_unit_test_setup_teardown(odd_keys_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_full_disk_is_a_507_and_not_ready_until_space_returns, setup, teardown),
		cmocka_unit_test_setup_teardown(the_audit_trail_is_newest_first_and_paged, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_audit_trail_is_narrowed_by_who_what_and_object,
						setup, teardown),
		cmocka_unit_test_setup_teardown(metrics_count_writes, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_event_stream_needs_a_viewer_and_ends_with_its_client, setup, teardown),
	};

	return cmocka_run_group_tests_name("http_parts", tests, NULL, NULL);
}
