/* SPDX-License-Identifier: Apache-2.0 */
/* Incidents: opened once, closed with a reason, counted when they come back, kept as evidence. */
#include "tests/unit/test_controller.h"

#include "common/err.h"
#include "controller/incidents/incidents.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define T0 INT64_C(1800000000000000)

struct call {
	struct incident_new n;
	const char *why; /* close instead */
	int64_t at_us, id;
	int result;
};

static int setup(void **state)
{
	static struct test_controller t;

	test_controller_init(&t);
	test_controller_start_db(&t);
	test_controller_start_http(&t);
	assert_int_equal(incidents_new(&t.app, &t.app.incidents), 0);
	http_add_routes(t.app.http, incident_routes);
	*state = &t;
	return 0;
}

static int teardown(void **state)
{
	struct test_controller *t = *state;

	incidents_free(t->app.incidents);
	t->app.incidents = NULL;
	test_controller_done(t);
	return 0;
}

static int write_call(struct sql *s, void *arg)
{
	struct call *c = arg;

	c->result = c->why ? incident_close(s, c->n.kind, c->n.subject, c->at_us, c->why)
			   : incident_open(s, &c->n, c->at_us, &c->id);
	return MIN(c->result, 0);
}

static int open_it(struct test_controller *t, const char *kind, const char *subject,
		   enum incident_severity severity, int64_t at_us, int64_t *ret_id)
{
	struct call c = {.n = {.kind = kind,
			       .subject = subject,
			       .severity = severity,
			       .title = "Antenna 2 reads nothing.",
			       .next_step = "Check its cable.",
			       .detail = "{\"usual_rate\":4.5}"},
			 .at_us = at_us};
	int r = test_write(t, write_call, &c);

	if (ret_id)
		*ret_id = c.id;
	return r < 0 ? r : c.result;
}

static int close_it(struct test_controller *t, const char *kind, const char *subject, int64_t at_us)
{
	struct call c = {
		.n = {.kind = kind, .subject = subject}, .why = "It reads again.", .at_us = at_us};
	int r = test_write(t, write_call, &c);

	return r < 0 ? r : c.result;
}

static json_t *get(struct test_controller *t, const char *uri)
{
	struct test_reply r = test_json(t, "GET", uri, NULL, &test_admin);
	json_t *j;

	assert_int_equal(r.status, 200);
	j = json_loads(r.body, 0, NULL);
	assert_non_null(j);
	test_reply_done(&r);
	return j;
}

static json_t *one(struct test_controller *t, int64_t id)
{
	char uri[64];

	snprintf(uri, sizeof(uri), "/api/v1/incidents/%lld", (long long) id);
	return get(t, uri);
}

static const char *text(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s ? s : "";
}

static void opening_twice_is_one_incident(void **state)
{
	struct test_controller *t = *state;
	int64_t a, b;
	json_t *j;

	assert_int_equal(open_it(t, "silent-antenna", "agent:1/a", INCIDENT_WARNING, T0, &a), 1);
	assert_int_equal(open_it(t, "silent-antenna", "agent:1/a", INCIDENT_GRAVE, T0 + 5, &b), 0);
	assert_int_equal(a, b);
	assert_int_equal(open_it(t, "silent-antenna", "agent:1/b", INCIDENT_NOTICE, T0, &b), 1);
	assert_int_not_equal(a, b);
	assert_int_equal(incidents_open_count(&t->app), 2);
	j = one(t, a);
	assert_string_equal(text(j, "severity"), "grave");
	assert_string_equal(text(j, "state"), "open");
	assert_string_equal(text(j, "next_step"), "Check its cable.");
	assert_true(json_real_value(json_object_get(json_object_get(j, "detail"), "usual_rate")) >
		    4);
	assert_int_equal(json_array_size(json_object_get(j, "changes")), 2); /* and graver */
	json_decref(j);
}

static void closing_says_why_and_only_once(void **state)
{
	struct test_controller *t = *state;
	int64_t id;
	json_t *j;

	assert_int_equal(open_it(t, "drifted", "agent:1/a", INCIDENT_WARNING, T0, &id), 1);
	assert_int_equal(close_it(t, "drifted", "agent:1/other", T0 + 1), 0);
	assert_int_equal(close_it(t, "drifted", "agent:1/a", T0 + 1), 1);
	assert_int_equal(close_it(t, "drifted", "agent:1/a", T0 + 2), 0);
	j = one(t, id);
	assert_string_equal(text(j, "state"), "closed");
	assert_string_equal(text(j, "why_closed"), "It reads again.");
	json_decref(j);
	assert_int_equal(incidents_open_count(&t->app), 0);
}

static void one_that_flaps_is_counted_and_one_that_comes_later_is_new(void **state)
{
	struct test_controller *t = *state;
	int64_t id, again, at = T0;
	json_t *j;

	assert_int_equal(open_it(t, "antenna-off", "a", INCIDENT_WARNING, at, &id), 1);
	for (int i = 0; i < 300; i++) {
		at += US_PER_SEC;
		assert_int_equal(close_it(t, "antenna-off", "a", at), 1);
		at += INCIDENT_SAME_US - 1;
		assert_int_equal(open_it(t, "antenna-off", "a", INCIDENT_WARNING, at, &again), 1);
		assert_int_equal(again, id);
	}
	j = one(t, id);
	assert_int_equal(json_integer_value(json_object_get(j, "times")), 301);
	assert_int_equal(json_array_size(json_object_get(j, "changes")), INCIDENT_TRAIL_MAX);
	json_decref(j);
	assert_int_equal(close_it(t, "antenna-off", "a", at + 1), 1);
	assert_int_equal(
		open_it(t, "antenna-off", "a", INCIDENT_WARNING, at + 2 + INCIDENT_SAME_US, &again),
		1);
	assert_int_not_equal(again, id);
}

static void open_ones_come_the_gravest_first_and_in_pages(void **state)
{
	struct test_controller *t = *state;
	static const enum incident_severity how[] = {INCIDENT_NOTICE, INCIDENT_GRAVE,
						     INCIDENT_WARNING, INCIDENT_GRAVE};
	char subject[16], uri[96], order[64] = "", next[32] = "";
	int pages = 0;

	for (size_t i = 0; i < 4; i++) {
		snprintf(subject, sizeof(subject), "s%zu", i);
		assert_int_equal(open_it(t, "k", subject, how[i], T0 + (int64_t) i, NULL), 1);
	}
	do {
		snprintf(uri, sizeof(uri), "/api/v1/incidents?state=open&limit=1%s%s",
			 *next ? "&after=" : "", next);
		json_t *j = get(t, uri);
		const json_t *items = json_object_get(j, "items");

		assert_int_equal(json_integer_value(json_object_get(j, "total")), 4);
		for (size_t i = 0; i < json_array_size(items); i++)
			strncat(order, text(json_array_get(items, i), "subject"), 4);
		snprintf(next, sizeof(next), "%s", text(j, "next"));
		json_decref(j);
		pages++;
	} while (*next && pages < 10);
	assert_string_equal(order, "s3s1s2s0");
}

static void somebody_says_that_it_is_looked_at(void **state)
{
	struct test_controller *t = *state;
	const struct http_who viewer = {
		.user_id = 2, .user = "v", .perms = PERM_VIEW | PERM_SIGNED_IN};
	struct test_reply r;
	char uri[64];
	int64_t id;
	json_t *j;

	assert_int_equal(open_it(t, "interference", "a", INCIDENT_WARNING, T0, &id), 1);
	snprintf(uri, sizeof(uri), "/api/v1/incidents/%lld/acknowledge", (long long) id);
	r = test_json(t, "POST", uri, "{\"note\":\"on my way\"}", &viewer);
	assert_int_equal(r.status, 403);
	test_reply_done(&r);
	r = test_json(t, "POST", uri, "{\"note\":\"on my way\"}", &test_admin);
	assert_int_equal(r.status, 200);
	j = json_loads(r.body, 0, NULL);
	assert_string_equal(text(json_object_get(j, "acknowledged"), "note"), "on my way");
	assert_string_equal(text(json_object_get(j, "acknowledged"), "by"), "admin");
	assert_string_equal(text(j, "state"), "open");
	json_decref(j);
	test_reply_done(&r);
	r = test_json(t, "POST", "/api/v1/incidents/999/acknowledge", "{}", &test_admin);
	assert_int_equal(r.status, 404);
	test_reply_done(&r);
	r = test_json(t, "POST", uri, "{\"note\":7}", &test_admin);
	assert_int_equal(r.status, 422);
	test_reply_done(&r);
}

static void words_from_outside_are_cut_and_broken_evidence_left_out(void **state)
{
	struct test_controller *t = *state;
	char title[1000], subject[400];
	struct call c = {.n = {.kind = "k",
			       .subject = "a",
			       .severity = INCIDENT_NOTICE,
			       .title = title,
			       .detail = "{\"no\": json"},
			 .at_us = T0};
	json_t *j;

	memset(title, 'x', sizeof(title) - 1);
	title[sizeof(title) - 1] = '\0';
	memcpy(title + INCIDENT_TITLE_MAX - 1, "\xc3\xa4", 2); /* must not be halved */
	assert_int_equal(test_write(t, write_call, &c), 0);
	j = one(t, c.id);
	assert_int_equal(strlen(text(j, "title")), INCIDENT_TITLE_MAX - 1);
	assert_int_equal(json_object_size(json_object_get(j, "detail")), 0);
	json_decref(j);
	memset(subject, 's', sizeof(subject) - 1);
	subject[sizeof(subject) - 1] = '\0';
	assert_int_equal(open_it(t, "k", subject, INCIDENT_NOTICE, T0, NULL), -EINVAL);
	assert_int_equal(open_it(t, "", "a", INCIDENT_NOTICE, T0, NULL), -EINVAL);
}

static int prune(struct sql *s, void *arg)
{
	int *n = arg;

	*n = incidents_prune(s, T0 + INCIDENT_KEEP_US + 10, 100);
	return MIN(*n, 0);
}

static int meddle(struct sql *s, void *arg)
{
	return sql_exec(s, arg);
}

static void a_trail_stays_as_it_was_and_goes_with_its_incident(void **state)
{
	struct test_controller *t = *state;
	int n = -1;

	assert_int_equal(open_it(t, "k", "old", INCIDENT_NOTICE, T0, NULL), 1);
	assert_int_equal(close_it(t, "k", "old", T0 + 9), 1);
	assert_int_equal(open_it(t, "k", "young", INCIDENT_NOTICE, T0, NULL), 1);
	assert_int_equal(close_it(t, "k", "young", T0 + 20), 1);
	assert_int_equal(open_it(t, "k", "open", INCIDENT_NOTICE, T0, NULL), 1);
	assert_true(test_write(t, meddle, "UPDATE incident_changes SET text = 'x'") < 0);
	assert_true(test_write(t, meddle, "DELETE FROM incident_changes") < 0);
	assert_true(test_write(t, meddle, "DELETE FROM incidents WHERE closed IS NULL") < 0);
	assert_int_equal(test_write(t, prune, &n), 0);
	assert_int_equal(n, 1);
	json_t *j = get(t, "/api/v1/incidents");

	assert_int_equal(json_array_size(json_object_get(j, "items")), 2);
	json_decref(j);
	j = get(t, "/api/v1/incidents?state=closed&kind=k");
	assert_int_equal(json_array_size(json_object_get(j, "items")), 1);
	json_decref(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(opening_twice_is_one_incident, setup, teardown),
		cmocka_unit_test_setup_teardown(closing_says_why_and_only_once, setup, teardown),
		cmocka_unit_test_setup_teardown(
			one_that_flaps_is_counted_and_one_that_comes_later_is_new, setup, teardown),
		cmocka_unit_test_setup_teardown(open_ones_come_the_gravest_first_and_in_pages,
						setup, teardown),
		cmocka_unit_test_setup_teardown(somebody_says_that_it_is_looked_at, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			words_from_outside_are_cut_and_broken_evidence_left_out, setup, teardown),
		cmocka_unit_test_setup_teardown(a_trail_stays_as_it_was_and_goes_with_its_incident,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
