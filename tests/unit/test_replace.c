/* SPDX-License-Identifier: Apache-2.0 */
/* A new machine takes a dead access point's place: the same agent with another key. */
#include "tests/unit/test_controller.h"
#include "tests/unit/test_csr.h"

#include "common/proto.h"
#include "controller/fleet/fleet.h"

#include <stdio.h>
#include <string.h>

#define CODES "/api/v1/agents/join-codes"
#define P256  GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1)

static struct test_controller t;
static struct test_csr dead, fresh, third;
static char plain[128], place[128];
static uint64_t agent_id;

static unsigned int call(const char *method, const char *uri, const char *body, char *code)
{
	struct test_reply r = test_json(&t, method, uri, body, &test_admin);
	json_t *o = r.body ? json_loads(r.body, 0, NULL) : NULL;
	unsigned int status = r.status;

	if (code)
		snprintf(code, 128, "%s", json_string_value(json_object_get(o, "code")));
	json_decref(o);
	test_reply_done(&r);
	return status;
}

/* Returns the status; on 200 *ret is what the machine was given. */
static unsigned int enroll(const char *code, const char *name, const struct test_csr *csr,
			   struct proto_enroll_response *ret)
{
	static struct proto_enroll_request m;
	_cleanup_buf_ struct buf body = BUF_INIT;
	struct http_injection in = {
		.listener = HTTP_AGENTS, .method = "POST", .uri = "/agent/v1/enroll"};
	struct test_reply r;
	unsigned int status;

	memset(&m, 0, sizeof(m));
	m.caps = PROTO_CAP_LABELS;
	snprintf(m.code, sizeof(m.code), "%s", code);
	snprintf(m.name, sizeof(m.name), "%s", name);
	snprintf(m.version, sizeof(m.version), "0.2.0");
	memcpy(m.csr, csr->der, csr->len);
	m.csr_len = csr->len;
	assert_int_equal(proto_enroll_request_encode(&m, &body), 0);
	in.body = body.data;
	in.body_len = body.len;
	r = test_request(&t, &in);
	status = r.status;
	if (status == 200)
		assert_int_equal(proto_enroll_response_decode(r.body, r.len, ret, NULL), 0);
	test_reply_done(&r);
	return status;
}

static int64_t number(const char *text)
{
	struct sql *s = db_reader(t.app.db);
	struct sql_stmt *q = sql_prepare(s, text);
	int64_t v;

	assert_int_equal(sql_step(q), 1);
	v = sql_col_i64(q, 0);
	sql_reset(q);
	return v;
}

/* One agent named dock, and a code that gives its place away. */
static int setup(void **state)
{
	static struct proto_enroll_response m;
	char body[64];

	(void) state;
	test_controller_init(&t);
	test_controller_start_db(&t);
	test_controller_start_http(&t);
	test_controller_start_fleet(&t);
	test_csr_make(&dead, GNUTLS_PK_ECDSA, P256, "x");
	test_csr_make(&fresh, GNUTLS_PK_ECDSA, P256, "y");
	test_csr_make(&third, GNUTLS_PK_ECDSA, P256, "z");
	assert_int_equal(call("POST", CODES, "{\"uses\":5}", plain), 201);
	assert_int_equal(enroll(plain, "dock", &dead, &m), 200);
	agent_id = m.agent_id;
	snprintf(body, sizeof(body), "{\"replaces\":%d}", (int) agent_id);
	assert_int_equal(call("POST", CODES, body, place), 201);
	return 0;
}

static int teardown(void **state)
{
	(void) state;
	test_csr_done(&dead);
	test_csr_done(&fresh);
	test_csr_done(&third);
	test_controller_done(&t);
	return 0;
}

static void the_new_machine_is_the_same_agent(void **state)
{
	static struct proto_enroll_response m, again;

	(void) state;
	assert_int_equal(enroll(place, "some-other-name", &fresh, &m), 200);
	assert_int_equal(m.agent_id, agent_id);
	assert_string_equal(m.name, "dock");
	assert_int_equal(number("SELECT count(*) FROM agents"), 1);
	assert_int_equal(number("SELECT count(*) FROM agent_certs WHERE revoked IS NOT NULL"), 1);
	assert_int_equal(number("SELECT count(*) FROM audit WHERE action = 'agent.replace'"), 1);
	/* the answer was lost: the same again */
	assert_int_equal(enroll(place, "some-other-name", &fresh, &again), 200);
	assert_int_equal(again.agent_id, agent_id);
	assert_memory_equal(again.cert, m.cert, m.cert_len);
	assert_int_equal(number("SELECT count(*) FROM agent_certs"), 2);
}

static void the_dead_machines_key_stays_out(void **state)
{
	static struct proto_enroll_response m;

	(void) state;
	assert_int_equal(enroll(place, "dock", &fresh, &m), 200);
	assert_int_equal(enroll(plain, "dock", &dead, &m), 403);
	assert_int_equal(enroll(place, "dock", &dead, &m), 403);
	assert_int_equal(number("SELECT count(*) FROM agents"), 1);
}

static void a_place_is_given_away_once(void **state)
{
	static struct proto_enroll_response m;

	(void) state;
	assert_int_equal(enroll(place, "dock", &fresh, &m), 200);
	assert_int_equal(enroll(place, "dock", &third, &m), 403);
	assert_int_equal(number("SELECT count(*) FROM agents"), 1);
}

static void another_agent_cannot_take_the_place(void **state)
{
	static struct proto_enroll_response m;

	(void) state;
	assert_int_equal(enroll(plain, "gate", &third, &m), 200);
	assert_int_equal(enroll(place, "gate", &third, &m), 409);
	assert_int_equal(number("SELECT count(*) FROM agent_certs WHERE revoked IS NOT NULL"), 0);
	/* and the code is as good as before */
	assert_int_equal(enroll(place, "dock", &fresh, &m), 200);
}

static void a_revoked_agents_place_is_gone(void **state)
{
	static struct proto_enroll_response m;
	char uri[64], body[64];

	(void) state;
	snprintf(uri, sizeof(uri), "/api/v1/agents/%d", (int) agent_id);
	assert_int_equal(call("DELETE", uri, NULL, NULL), 204);
	assert_int_equal(enroll(place, "dock", &fresh, &m), 403);
	assert_int_equal(number("SELECT count(*) FROM agents"), 1);
	snprintf(body, sizeof(body), "{\"replaces\":%d}", (int) agent_id);
	assert_int_equal(call("POST", CODES, body, NULL), 409);
}

static void bad_places_are_refused(void **state)
{
	char body[64];

	(void) state;
	assert_int_equal(call("POST", CODES, "{\"replaces\":99}", NULL), 422);
	assert_int_equal(call("POST", CODES, "{\"replaces\":-1}", NULL), 422);
	assert_int_equal(call("POST", CODES, "{\"replaces\":\"dock\"}", NULL), 422);
	snprintf(body, sizeof(body), "{\"replaces\":%d,\"uses\":2}", (int) agent_id);
	assert_int_equal(call("POST", CODES, body, NULL), 422);
	assert_int_equal(call("POST", CODES, "{\"replaces\":null}", NULL), 201);
	assert_int_equal(number("SELECT count(*) FROM join_codes WHERE replaces > 0"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_new_machine_is_the_same_agent, setup, teardown),
		cmocka_unit_test_setup_teardown(the_dead_machines_key_stays_out, setup, teardown),
		cmocka_unit_test_setup_teardown(a_place_is_given_away_once, setup, teardown),
		cmocka_unit_test_setup_teardown(another_agent_cannot_take_the_place, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_revoked_agents_place_is_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_places_are_refused, setup, teardown),
	};

	return cmocka_run_group_tests_name("replace", tests, NULL, NULL);
}
