/* SPDX-License-Identifier: Apache-2.0 */
/* The API of rollouts: what it refuses and says, preview, lists, permissions, repeated requests. */
#include "tests/unit/rollout_shop.h"

static struct shelf shelf;

static void open_shelf(void **state, size_t n)
{
	shelf_open(&shelf, *state, n);
}

static unsigned int post(const char *path, const char *body)
{
	char uri[80];

	snprintf(uri, sizeof uri, "/api/v1/rollouts%s", path);
	return env_call(shelf.e, "POST", uri, body);
}

/* Refused with this code at this place, and nothing was written. */
static void refused(const char *body, const char *pointer, const char *code)
{
	bool of_name = strcmp(pointer, "/name") == 0;

	assert_int_equal(post("", body), 422);
	assert_string_equal(env_text(shelf.e, "code"), "bad-rollout");
	assert_string_equal(env_text(shelf.e, "errors.0.pointer"), pointer);
	assert_string_equal(env_text(shelf.e, "errors.0.code"), code);
	if (!of_name) /* while it is typed, a preview has none */
		assert_int_equal(post("/preview", body), 422);
	assert_int_equal(env_number(shelf.e, "SELECT count(*) FROM rollouts"), 0);
}

#define CHANGE  "{\"gtin\":\"4006381000000\",\"price_minor\":150}"
#define CHANGES "\"changes\":[" CHANGE "]"

static void bad_requests_are_refused_with_the_place(void **state)
{
	open_shelf(state, 2);
	assert_string_equal(shelf.gtin[0], "4006381000000");
	refused("{" CHANGES "}", "/name", "too-long");
	refused("{\"name\":\"  \"," CHANGES "}", "/name", "missing-name");
	refused("{\"name\":7," CHANGES "}", "/name", "too-long");
	refused("{\"name\":\"x\"}", "/changes", "bad-changes");
	refused("{\"name\":\"x\",\"changes\":[]}", "/changes", "bad-changes");
	refused("{\"name\":\"x\",\"changes\":{}}", "/changes", "bad-changes");
	refused("{\"name\":\"x\",\"changes\":[7]}", "/changes/0", "no-such-product");
	refused("{\"name\":\"x\",\"changes\":[{\"gtin\":\"4006381000001\",\"price_minor\":1}]}",
		"/changes/0/gtin", "bad-check-digit");
	refused("{\"name\":\"x\",\"changes\":[{\"gtin\":\"4006381333931\",\"price_minor\":1}]}",
		"/changes/0", "no-such-product");
	refused("{\"name\":\"x\",\"changes\":[{\"product_id\":99,\"price_minor\":1}]}",
		"/changes/0", "no-such-product");
	refused("{\"name\":\"x\",\"changes\":[{\"product_id\":1,\"price_minor\":-1}]}",
		"/changes/0", "negative-price");
	refused("{\"name\":\"x\",\"changes\":[{\"product_id\":1,\"price\":\"cheap\"}]}",
		"/changes/0", "bad-number");
	refused("{\"name\":\"x\",\"changes\":[{\"product_id\":1,\"price\":\"1,234\"}]}",
		"/changes/0/price", "ambiguous-number");
	refused("{\"name\":\"x\",\"changes\":[" CHANGE "," CHANGE "]}", "/changes/1",
		"duplicate-product");
	refused("{\"name\":\"x\",\"changes\":[{\"product_id\":1,\"price_minor\":100}]}", "/changes",
		"nothing-to-do");
	refused("{\"name\":\"x\",\"waves\":[]," CHANGES "}", "/waves", "bad-waves");
	refused("{\"name\":\"x\",\"waves\":[{\"percent\":50},{\"percent\":50}]," CHANGES "}",
		"/waves/1/percent", "bad-waves");
	refused("{\"name\":\"x\",\"waves\":[{\"percent\":50}]," CHANGES "}", "/waves/0/percent",
		"bad-waves");
	refused("{\"name\":\"x\",\"waves\":[{\"percent\":\"all\"}]," CHANGES "}",
		"/waves/0/percent", "bad-waves");
	refused("{\"name\":\"x\",\"gate\":{\"staged_percent\":101}," CHANGES "}",
		"/gate/staged_percent", "bad-number");
	refused("{\"name\":\"x\",\"gate\":7," CHANGES "}", "/gate", "bad-value");
	refused("{\"name\":\"x\",\"gate\":{\"timeout_s\":0}," CHANGES "}", "/gate/timeout_s",
		"bad-number");
	refused("{\"name\":\"x\",\"halt\":{\"failed_percent\":-1}," CHANGES "}",
		"/halt/failed_percent", "bad-number");
	refused("{\"name\":\"x\",\"settle_s\":1e9," CHANGES "}", "/settle_s", "bad-number");
	refused("{\"name\":\"x\",\"start\":\"soon\"," CHANGES "}", "/start", "bad-time");
	refused("{\"name\":\"x\",\"start\":\"2999-01-01T00:00:00Z\"," CHANGES "}", "/start",
		"bad-time");
	refused("{\"name\":\"x\",\"currency\":\"USD\"," CHANGES "}", "/currency", "wrong-currency");
}

static void product_without_a_price_is_refused(void **state)
{
	open_shelf(state, 1);
	assert_int_equal(env_call(shelf.e, "POST", "/api/v1/products",
				  "{\"gtin\":\"4006381333931\",\"name\":\"New\"}"),
			 201);
	refused("{\"name\":\"x\",\"changes\":[{\"gtin\":\"4006381333931\",\"price_minor\":1}]}",
		"/changes/0", "no-price");
}

static void all_faults_are_listed_at_once(void **state)
{
	open_shelf(state, 2);
	assert_int_equal(post("", "{\"name\":\"x\",\"settle_s\":-1,\"changes\":[" CHANGE ",5,6]}"),
			 422);
	assert_string_equal(env_text(shelf.e, "errors.2.pointer"), "/changes/1");
}

static void preview_says_what_would_be_and_does_nothing(void **state)
{
	char body[2048];

	open_shelf(state, 8);
	assert_int_equal(env_call(shelf.e, "DELETE", "/api/v1/labels/C0FFEE000008/link", NULL),
			 204);
	shelf_body(&shelf, 8, "\"waves\":[{\"percent\":10},{\"percent\":100}],", body, sizeof body);
	assert_int_equal(post("/preview", body), 200);
	assert_int_equal(env_int(shelf.e, "products"), 8);
	assert_int_equal(env_int(shelf.e, "labels"), 7);
	assert_int_equal(env_int(shelf.e, "waves.0.products"), 1);
	assert_int_equal(env_int(shelf.e, "waves.1.labels"), 6);
	assert_string_equal(env_text(shelf.e, "warnings.0.code"), "no-labels");
	assert_non_null(strstr(env_text(shelf.e, "forecast.why"), "assumed"));
	assert_int_equal(env_number(shelf.e, "SELECT count(*) FROM rollouts"), 0);
}

static void prices_that_hold_already_are_left_out(void **state)
{
	char body[512];

	open_shelf(state, 3);
	snprintf(body, sizeof body,
		 "{\"name\":\"x\",\"changes\":[" CHANGE ",{\"gtin\":\"%s\",\"price\":\"1.00\"}]}",
		 shelf.gtin[1]);
	assert_int_equal(post("/preview", body), 200);
	assert_int_equal(env_int(shelf.e, "products"), 1);
	assert_string_equal(env_text(shelf.e, "warnings.0.code"), "unchanged");
	assert_int_equal(post("", body), 201);
	assert_int_equal(env_int(shelf.e, "products"), 1);
}

static void product_of_an_open_rollout_is_refused_with_its_name(void **state)
{
	char body[2048];
	int64_t id;

	open_shelf(state, 4);
	id = shelf_start(&shelf, 2, "");
	shelf_body(&shelf, 4, "", body, sizeof body);
	assert_int_equal(post("", body), 409);
	assert_string_equal(env_text(shelf.e, "code"), "rollout-conflict");
	assert_int_equal(env_int(shelf.e, "errors.0.rollout_id"), id);
	assert_non_null(strstr(env_text(shelf.e, "detail"), "Spring"));
	assert_int_equal(post("/preview", body), 200);
	assert_non_null(strstr(shelf.e->body, "rollout-conflict"));
	assert_int_equal(env_number(shelf.e, "SELECT count(*) FROM rollouts"), 1);
}

static void same_request_twice_makes_one_rollout(void **state)
{
	static const char *const headers[] = {"Content-Type", "application/json", "Idempotency-Key",
					      "spring-1", NULL};
	char body[2048];

	open_shelf(state, 2);
	shelf_body(&shelf, 2, "", body, sizeof body);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(env_call_as(shelf.e, PERM_ALL, "POST", "/api/v1/rollouts", headers,
					     body, strlen(body)),
				 201);
		assert_int_equal(env_int(shelf.e, "id"), 1);
	}
	assert_int_equal(env_number(shelf.e, "SELECT count(*) FROM rollouts"), 1);
}

static void who_may_look_may_not_start(void **state)
{
	char body[2048];

	open_shelf(state, 2);
	shelf_body(&shelf, 2, "", body, sizeof body);
	assert_int_equal(env_call_as(shelf.e, PERM_VIEW | PERM_LABELS, "POST", "/api/v1/rollouts",
				     NULL, body, strlen(body)),
			 403);
	assert_int_equal(env_call_as(shelf.e, PERM_VIEW, "GET", "/api/v1/rollouts", NULL, NULL, 0),
			 200);
}

static void every_word_is_in_the_audit(void **state)
{
	int64_t id;

	open_shelf(state, 2);
	id = shelf_start(&shelf, 2, "");
	assert_int_equal(shelf_say(&shelf, id, "pause", NULL), 200);
	assert_int_equal(shelf_say(&shelf, id, "resume", NULL), 200);
	assert_int_equal(shelf_say(&shelf, id, "cancel", "{\"reason\":\"enough\"}"), 200);
	assert_int_equal(env_number(shelf.e, "SELECT count(*) FROM audit WHERE who = 'manager'"
					     " AND object = 'rollout:1' AND action IN"
					     " ('rollout.create', 'rollout.pause',"
					     " 'rollout.resume', 'rollout.cancel')"),
			 4);
	assert_int_equal(env_number(shelf.e, "SELECT count(*) FROM audit WHERE detail = 'enough'"),
			 1);
}

static void lists_come_in_pages(void **state)
{
	int64_t id;

	open_shelf(state, 6);
	for (size_t i = 0; i < 3; i++) {
		id = shelf_start(&shelf, 1, "");
		assert_int_equal(shelf_say(&shelf, id, i < 2 ? "cancel" : "pause", NULL), 200);
	}
	assert_int_equal(env_call(shelf.e, "GET", "/api/v1/rollouts?limit=2", NULL), 200);
	assert_int_equal(env_int(shelf.e, "items.0.id"), 3);
	assert_string_equal(env_text(shelf.e, "next"), "2");
	assert_int_equal(env_call(shelf.e, "GET", "/api/v1/rollouts?limit=2&after=2", NULL), 200);
	assert_int_equal(env_int(shelf.e, "items.0.id"), 1);
	assert_string_equal(env_text(shelf.e, "next"), "");
	assert_int_equal(env_call(shelf.e, "GET", "/api/v1/rollouts?state=paused", NULL), 200);
	assert_int_equal(env_int(shelf.e, "items.0.id"), 3);
	assert_int_equal(env_int(shelf.e, "items.1.id"), -1);
	assert_int_equal(env_call(shelf.e, "GET", "/api/v1/rollouts?state=happy", NULL), 400);
}

static void labels_are_listed_by_wave_and_state(void **state)
{
	char uri[100];
	int64_t id;

	open_shelf(state, 6);
	id = shelf_start(&shelf, 6, "\"waves\":[{\"percent\":50},{\"percent\":100}],");
	shelf_stage(&shelf, 0);
	shelf_pass(&shelf, 3 * SECOND);
	snprintf(uri, sizeof uri, "/api/v1/rollouts/%d/labels?wave=1&limit=2", (int) id);
	assert_int_equal(env_call(shelf.e, "GET", uri, NULL), 200);
	assert_string_equal(env_text(shelf.e, "items.0.label"), "C0FFEE000001");
	assert_string_equal(env_text(shelf.e, "items.0.state"), "staged");
	assert_non_null(strstr(env_text(shelf.e, "items.0.product.gtin"), shelf.gtin[0]));
	assert_string_equal(env_text(shelf.e, "items.0.agent"), "ap-one");
	assert_true(strlen(env_text(shelf.e, "next")) > 0);
	snprintf(uri, sizeof uri, "/api/v1/rollouts/%d/labels?state=waiting", (int) id);
	assert_int_equal(env_call(shelf.e, "GET", uri, NULL), 200);
	assert_string_equal(env_text(shelf.e, "items.0.label"), "C0FFEE000004");
	assert_int_equal(env_int(shelf.e, "items.0.wave"), 2);
	assert_string_equal(env_text(shelf.e, "items.0.reason"), "Its wave has not begun.");
	snprintf(uri, sizeof uri, "/api/v1/rollouts/%d/labels?state=lost", (int) id);
	assert_int_equal(env_call(shelf.e, "GET", uri, NULL), 400);
	assert_int_equal(env_call(shelf.e, "GET", "/api/v1/rollouts/99/labels", NULL), 404);
}

static void unknown_rollouts_are_not_found(void **state)
{
	open_shelf(state, 1);
	assert_int_equal(env_call(shelf.e, "GET", "/api/v1/rollouts/7", NULL), 404);
	assert_int_equal(env_call(shelf.e, "GET", "/api/v1/rollouts/+7", NULL), 404);
	assert_int_equal(env_call(shelf.e, "GET", "/api/v1/rollouts/99999999999999999999", NULL),
			 404);
	assert_int_equal(post("/7/pause", NULL), 404);
	assert_int_equal(post("/x/cancel", NULL), 404);
	shelf_start(&shelf, 1, "");
	assert_int_equal(post("/1/pause", "[]"), 400);
	assert_int_equal(post("/1/pause", "{\"reason\":5}"), 422);
	assert_int_equal(post("/1/pause", "{}"), 200);
}

static void samples_are_kept_and_bounded(void **state)
{
	int64_t id, n;

	open_shelf(state, 2);
	id = shelf_start(&shelf, 2, "");
	shelf_pass(&shelf, 10 * MINUTE);
	shelf_get(&shelf, id);
	assert_true(strlen(env_text(shelf.e, "first_forecast.finish")) > 0);
	assert_true(strlen(env_text(shelf.e, "forecast.finish")) > 0);
	assert_true(env_int(shelf.e, "samples.5.forecast_staged") >= 0);
	n = env_number(shelf.e, "SELECT count(*) FROM rollout_samples");
	assert_in_range(n, 100, 241);
	assert_true(env_number(shelf.e, "SELECT sample_us FROM rollouts") > 2 * SECOND);
	/* what was hoped for stays beside what is hoped for now */
	assert_int_equal(env_number(shelf.e, "SELECT first_forecast <> forecast FROM rollouts"), 1);
}

static void large_rollout_is_taken_in_one_piece(void **state)
{
	struct env *e = *state;
	size_t cap = 3 << 20, at;
	char *body = malloc(cap);

	assert_non_null(body);
	assert_int_equal(
		env_sql(e, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE"
			   " i < 20001) INSERT INTO products(name, folded, created, changed)"
			   " SELECT 'P' || i, 'p', 0, 0 FROM n"),
		0);
	assert_int_equal(env_sql(e, "INSERT INTO prices(product_id, price_minor, currency, from_at,"
				    " at, who) SELECT id, 100, 'EUR', 0, 0, 'x' FROM products"),
			 0);
	for (int n = 20001; n >= 20000; n--) {
		at = (size_t) snprintf(body, cap, "{\"name\":\"All\",\"changes\":[");
		for (int i = 1; i <= n; i++)
			at += (size_t) snprintf(body + at, cap - at,
						"%s{\"product_id\":%d,\"price_minor\":150}",
						i > 1 ? "," : "", i);
		snprintf(body + at, cap - at, "]}");
		assert_int_equal(env_call(e, "POST", "/api/v1/rollouts", body),
				 n > 20000 ? 422 : 201);
	}
	free(body);
	assert_int_equal(env_number(e, "SELECT count(*) FROM rollout_products"), 20000);
	/* products without a label wait for nobody: all waves flip one after the other */
	shelf = (struct shelf){.e = e, .ap = {{.agent_id = 1}, {.agent_id = 2}}};
	shelf_pass(&shelf, 5 * SECOND);
	assert_string_equal(shelf_state(&shelf, 1), "flipping");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, env_setup, env_teardown)
		T(bad_requests_are_refused_with_the_place),
		T(product_without_a_price_is_refused),
		T(all_faults_are_listed_at_once),
		T(preview_says_what_would_be_and_does_nothing),
		T(prices_that_hold_already_are_left_out),
		T(product_of_an_open_rollout_is_refused_with_its_name),
		T(same_request_twice_makes_one_rollout),
		T(who_may_look_may_not_start),
		T(every_word_is_in_the_audit),
		T(lists_come_in_pages),
		T(labels_are_listed_by_wave_and_state),
		T(unknown_rollouts_are_not_found),
		T(samples_are_kept_and_bounded),
		T(large_rollout_is_taken_in_one_piece),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
