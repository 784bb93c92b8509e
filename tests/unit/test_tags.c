/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on tags in the controller: asked, told to the agent, ended once; serials given out
 * once; a password seen by nobody. */
#include "tests/unit/test_controller.h"

#include "common/err.h"
#include "controller/tags/tags.h"
#include <stdio.h>
#include <string.h>

#define READ "{\"agent_id\":1,\"reader\":\"dock\",\"kind\":\"read\""
#define WRITE                                                                                      \
	"{\"agent_id\":1,\"reader\":\"dock\",\"kind\":\"write-epc\",\"gtin\":\"4006381333931\""
#define URI    "/api/v1/tag-operations"
#define SECRET "deadbeef"

static const struct http_who agent_1 = {.agent_id = 1, .user = "", .perms = PERM_AGENT};
static const struct http_who agent_2 = {.agent_id = 2, .user = "", .perms = PERM_AGENT};

static int arrange(struct sql *s, void *arg)
{
	(void) arg;
	return sql_exec(
		s, "INSERT INTO agents(id, name, key_hash, created) VALUES(1, 'ap1', x'01', 1),"
		   " (2, 'ap2', x'02', 1);"
		   "INSERT INTO readers(agent_id, name, host, port, antennas, session,"
		   " power_cdbm) VALUES(1, 'dock', '10.0.0.1', 5084, '', 1, 0);");
}

static int setup(void **state)
{
	static struct test_controller t;

	test_controller_init(&t);
	test_controller_start_db(&t);
	test_controller_start_http(&t);
	assert_int_equal(test_write(&t, arrange, NULL), 0);
	assert_int_equal(tags_new(&t.app, &t.app.tags), 0);
	http_add_routes(t.app.http, tags_routes);
	*state = &t;
	return 0;
}

static int teardown(void **state)
{
	struct test_controller *t = *state;

	tags_free(t->app.tags);
	t->app.tags = NULL;
	test_controller_done(t);
	return 0;
}

static json_t *call(struct test_controller *t, const char *method, const char *uri,
		    const char *body, unsigned int status)
{
	struct test_reply r = test_json(t, method, uri, body, &test_admin);
	json_t *j;

	if (r.status != status)
		fail_msg("status %u: %s", r.status, r.body ? r.body : "");
	assert_null(strstr(r.body, SECRET));
	j = json_loads(r.body, 0, NULL);
	test_reply_done(&r);
	return j;
}

static uint64_t ask(struct test_controller *t, const char *body)
{
	json_t *j = call(t, "POST", URI, body, 202);
	uint64_t id = (uint64_t) json_integer_value(json_object_get(j, "id"));

	json_decref(j);
	return id;
}

static void refused(struct test_controller *t, const char *body, unsigned int status,
		    const char *code)
{
	json_t *j = call(t, "POST", URI, body, status);

	assert_string_equal(json_string_value(json_object_get(j, "code")), code);
	json_decref(j);
}

static void expect(struct test_controller *t, uint64_t id, const char *key, const char *value)
{
	char uri[64];
	json_t *j;

	snprintf(uri, sizeof(uri), URI "/%llu", (unsigned long long) id);
	j = call(t, "GET", uri, NULL, 200);
	assert_string_equal(json_string_value(json_object_get(j, key)), value);
	json_decref(j);
}

static void result(struct test_controller *t, const struct http_who *who, uint64_t id,
		   enum operation_state state, const char *text)
{
	static struct proto_operation_results m;
	_cleanup_buf_ struct buf body = BUF_INIT;
	struct http_injection in = {.listener = HTTP_AGENTS,
				    .method = "POST",
				    .uri = "/agent/v1/operations",
				    .who = who};
	struct test_reply r;

	m = (struct proto_operation_results){.n = 1,
					     .list = {{.id = id, .state = (uint8_t) state}}};
	snprintf(m.list[0].text, sizeof(m.list[0].text), "%s", text);
	assert_int_equal(proto_operation_results_encode(&m, &body), 0);
	in.body = body.data;
	in.body_len = body.len;
	r = test_request(t, &in);
	assert_int_equal(r.status, 200);
	test_reply_done(&r);
}

static void serials_are_given_out_once(void **state)
{
	struct test_controller *t = *state;

	expect(t, ask(t, WRITE "}"), "new_uri", "urn:epc:id:sgtin:4006381.033393.1");
	expect(t, ask(t, WRITE ",\"serial\":9,\"prefix_digits\":8}"), "new_uri",
	       "urn:epc:id:sgtin:40063813.03393.9");
	refused(t, WRITE ",\"serial\":9}", 409, "serial-used");
	result(t, &agent_1, 1, OPERATION_FAILED, "no");
	refused(t, WRITE ",\"serial\":1}", 409, "serial-used");
	expect(t, ask(t, WRITE "}"), "new_uri", "urn:epc:id:sgtin:40063813.03393.10");
	(void) ask(t, WRITE ",\"serial\":9,\"again\":true}");
}

static void what_is_wrong_with_a_question_is_said(void **state)
{
	struct test_controller *t = *state;

	refused(t, "{\"agent_id\":1,\"reader\":\"other\",\"kind\":\"read\"}", 404,
		"no-such-reader");
	refused(t, "{\"agent_id\":2,\"reader\":\"dock\",\"kind\":\"read\"}", 404, "no-such-reader");
	refused(t, READ ",\"bank\":\"moon\"}", 422, "bad-operation");
	refused(t, READ ",\"epc\":\"123\"}", 422, "bad-operation");
	refused(t, READ ",\"words\":33}", 422, "bad-operation");
	refused(t, READ ",\"password\":\"1234\"}", 422, "bad-operation");
	refused(t, WRITE ",\"new_epc\":\"3034257bf400b78000000001\"}", 422, "bad-operation");
	refused(t,
		"{\"agent_id\":1,\"reader\":\"dock\",\"kind\":\"lock\",\"field\":\"epc\","
		"\"how\":\"for-ever\"}",
		422, "bad-operation");
}

static void an_agent_gets_its_operations_with_their_passwords(void **state)
{
	struct test_controller *t = *state;
	struct proto_desired d = {0};
	uint64_t id = ask(t, READ ",\"password\":\"" SECRET "\"}");

	assert_int_equal(tags_desired(&t->app, 2, 0, &d), 0);
	assert_int_equal(tags_desired(&t->app, 1, 0, &d), 1);
	assert_int_equal(d.n_operations, 1);
	assert_int_equal(d.operations[0].password, 0xdeadbeef);
	proto_desired_done(&d);
	result(t, &agent_1, id, OPERATION_DONE, "read");
	assert_int_equal(tags_desired(&t->app, 1, 0, &d), 1);
	assert_int_equal(d.n_operations, 0);
	proto_desired_done(&d);
}

static void without_its_password_an_operation_is_not_told(void **state)
{
	struct test_controller *t = *state;
	struct proto_desired d = {0};

	(void) ask(t, READ ",\"password\":\"" SECRET "\"}");
	tags_free(t->app.tags); /* a restart */
	assert_int_equal(tags_new(&t->app, &t->app.tags), 0);
	assert_int_equal(tags_desired(&t->app, 1, 0, &d), 1);
	assert_int_equal(d.n_operations, 0);
	proto_desired_done(&d);
}

static void the_first_final_result_counts_and_only_from_its_agent(void **state)
{
	struct test_controller *t = *state;
	uint64_t id = ask(t, WRITE "}");

	result(t, &agent_2, id, OPERATION_DONE, "not mine");
	expect(t, id, "state", "pending");
	result(t, &agent_1, id, OPERATION_RUNNING, "at it");
	expect(t, id, "state", "running");
	result(t, &agent_1, id, OPERATION_UNKNOWN, "power");
	expect(t, id, "state", "unknown");
	result(t, &agent_1, id, OPERATION_RUNNING, "late");
	expect(t, id, "state", "unknown");
	result(t, &agent_1, id, OPERATION_DONE, "read back");
	result(t, &agent_1, id, OPERATION_FAILED, "again");
	expect(t, id, "state", "done");
	expect(t, id, "reason", "read back");
	result(t, &agent_1, 999, OPERATION_DONE, "never asked");
}

static int late(struct sql *s, void *arg)
{
	int64_t *n = arg, now_us;
	int r = db_now_us(s, &now_us);

	if (r == 0)
		*n = tag_rows_expire(s, now_us + 3600 * US_PER_SEC);
	return r;
}

static void nobody_waits_for_ever_and_the_truth_may_come_late(void **state)
{
	struct test_controller *t = *state;
	uint64_t a = ask(t, READ "}"), b = ask(t, READ "}");
	int64_t n = 0;

	result(t, &agent_1, b, OPERATION_RUNNING, "at it");
	assert_int_equal(test_write(t, late, &n), 0);
	assert_int_equal(n, 2);
	expect(t, a, "state", "failed");
	expect(t, b, "state", "unknown");
	result(t, &agent_1, a, OPERATION_DONE, "it was read");
	expect(t, a, "state", "done");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(serials_are_given_out_once),
		TEST(what_is_wrong_with_a_question_is_said),
		TEST(an_agent_gets_its_operations_with_their_passwords),
		TEST(without_its_password_an_operation_is_not_told),
		TEST(the_first_final_result_counts_and_only_from_its_agent),
		TEST(nobody_waits_for_ever_and_the_truth_may_come_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
