/* SPDX-License-Identifier: Apache-2.0 */
/* How agents come in: join codes, enrolment, renewal, and who stays out. */
#include "tests/unit/fleet_rig.h"

/* --- join codes ---------------------------------------------------------------------------- */

static void a_code_is_parsed_strictly(void **state)
{
	struct test_controller *t = *state;
	const uint8_t *fingerprint = ca_fingerprint(t->app.ca);
	uint8_t a[32], b[32];
	char code[128], text[160];

	make_code(t, 1, 60, code);
	assert_int_equal(strlen(code), 4 + 16 + 1 + 32);
	assert_int_equal(fleet_code_parse(code, fingerprint, a), 0);
	snprintf(text, sizeof(text), "  %s\r\n", code);
	assert_int_equal(fleet_code_parse(text, fingerprint, b), 0);
	assert_memory_equal(a, b, sizeof(a));
	snprintf(text, sizeof(text), "%sx", code);
	assert_int_equal(fleet_code_parse(text, fingerprint, b), -ERR_SYNTAX);
	snprintf(text, sizeof(text), "%s more", code);
	assert_int_equal(fleet_code_parse(text, fingerprint, b), -ERR_SYNTAX);
	assert_int_equal(fleet_code_parse("", fingerprint, b), -ERR_SYNTAX);
	code[strlen(code) - 1] = code[strlen(code) - 1] == '0' ? '1' : '0';
	assert_int_equal(fleet_code_parse(code, fingerprint, b), -ERR_AUTH);
}

/* --- enrolment ----------------------------------------------------------------------------- */

static void repeating_an_enrolment_gives_the_same_agent_and_burns_no_use(void **state)
{
	struct test_controller *t = *state;
	struct proto_enroll_response a, b;
	struct test_csr csr;
	char code[128];

	make_code(t, 1, 60, code);
	test_csr_make(&csr, GNUTLS_PK_ECDSA, P256, "x");
	a = enroll(t, code, "dock", &csr);
	b = enroll(t, code, "dock", &csr);
	assert_int_equal(a.agent_id, b.agent_id);
	assert_string_equal(b.name, "dock");
	assert_int_equal(a.cert_len, b.cert_len);
	assert_memory_equal(a.cert, b.cert, a.cert_len);
	assert_int_equal(code_uses(t), 1);
	test_csr_done(&csr);
}

static void an_enrolment_is_known_after_a_restart(void **state)
{
	struct test_controller *t = *state;
	struct proto_enroll_response a, b;
	struct test_csr csr;
	char code[128];

	make_code(t, 1, 60, code);
	test_csr_make(&csr, GNUTLS_PK_ECDSA, P256, "x");
	a = enroll(t, code, "dock", &csr);
	fleet_free(t->app.fleet);
	assert_int_equal(fleet_new(&t->app, &t->app.fleet), 0);
	assert_string_equal(fleet_agent_name(t->app.fleet, (int64_t) a.agent_id), "dock");
	b = enroll(t, code, "dock", &csr);
	assert_int_equal(a.agent_id, b.agent_id);
	test_csr_done(&csr);
}

static void a_used_up_expired_or_invented_code_lets_nobody_in(void **state)
{
	struct test_controller *t = *state;
	struct test_csr first, second;
	char code[128], other[128];

	test_csr_make(&first, GNUTLS_PK_ECDSA, P256, "x");
	test_csr_make(&second, GNUTLS_PK_ECDSA, P256, "y");
	make_code(t, 1, 60, code);
	(void) enroll(t, code, "dock", &first);
	expect(enroll_at(t, "/agent/v1/enroll", code, "dock", &second, NULL), 403,
	       "join-code-expired");
	memcpy(other, code, sizeof(other));
	memcpy(other + 4, "AAAAAAAAAAAAAAAA", 16);
	expect(enroll_at(t, "/agent/v1/enroll", other, "dock", &second, NULL), 403,
	       "bad-join-code");
	expect(enroll_at(t, "/agent/v1/enroll", "hello", "dock", &second, NULL), 422,
	       "bad-join-code");
	test_csr_done(&first);
	test_csr_done(&second);
}

static int age_codes(struct sql *s, void *arg)
{
	(void) arg;
	return sql_exec(s, "UPDATE join_codes SET expires = expires - 61000000");
}

static void an_expired_code_is_refused(void **state)
{
	struct test_controller *t = *state;
	struct test_csr csr;
	char code[128];

	test_csr_make(&csr, GNUTLS_PK_ECDSA, P256, "x");
	make_code(t, 5, 60, code);
	assert_int_equal(test_write(t, age_codes, NULL), 0);
	expect(enroll_at(t, "/agent/v1/enroll", code, "dock", &csr, NULL), 403,
	       "join-code-expired");
	test_csr_done(&csr);
}

static int make_codes_of_the_future(struct sql *s, void *arg)
{
	(void) arg;
	return sql_exec(s, "UPDATE join_codes SET created = created + 69120000000000,"
			   " expires = expires + 69120000000000");
}

static void a_code_from_the_future_is_refused(void **state)
{
	struct test_controller *t = *state;
	struct test_csr csr;
	char code[128];

	test_csr_make(&csr, GNUTLS_PK_ECDSA, P256, "x");
	make_code(t, 1, 60, code);
	assert_int_equal(test_write(t, make_codes_of_the_future, NULL), 0);
	expect(enroll_at(t, "/agent/v1/enroll", code, "dock", &csr, NULL), 403,
	       "join-code-expired");
	test_csr_done(&csr);
}

static void guessing_codes_is_throttled(void **state)
{
	struct test_controller *t = *state;
	struct test_reply r;
	struct test_csr csr;
	char code[128];

	test_csr_make(&csr, GNUTLS_PK_ECDSA, P256, "x");
	make_code(t, 1, 60, code);
	memcpy(code + 4, "AAAAAAAAAAAAAAAA", 16);
	for (int i = 0; i < 11; i++)
		expect(enroll_at(t, "/agent/v1/enroll", code, "dock", &csr, NULL), 403, NULL);
	r = enroll_at(t, "/agent/v1/enroll", code, "dock", &csr, NULL);
	assert_true(r.retry_after);
	expect(r, 429, "throttled");
	test_csr_done(&csr);
}

static void two_agents_of_one_name_get_two_names(void **state)
{
	struct test_controller *t = *state;
	struct test_csr first, second;
	char code[128];

	test_csr_make(&first, GNUTLS_PK_ECDSA, P256, "x");
	test_csr_make(&second, GNUTLS_PK_ECDSA, P256, "y");
	make_code(t, 2, 60, code);
	assert_string_equal(enroll(t, code, "dock", &first).name, "dock");
	assert_string_equal(enroll(t, code, "dock", &second).name, "dock-2");
	test_csr_done(&first);
	test_csr_done(&second);
}

/* 63 bytes; each cut at an even one would split a character. */
static void long_names_are_not_cut_inside_a_character(void **state)
{
	static const char name[] = "xüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü";
	struct test_controller *t = *state;
	struct test_csr csr[2];
	char code[128], uri[64];
	uint64_t id[2];

	make_code(t, 2, 60, code);
	for (size_t i = 0; i < ARRAY_SIZE(csr); i++) {
		test_csr_make(&csr[i], GNUTLS_PK_ECDSA, P256, "x");
		id[i] = enroll(t, code, name, &csr[i]).agent_id;
		test_csr_done(&csr[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(id); i++) {
		snprintf(uri, sizeof(uri), "/api/v1/agents/%d", (int) id[i]);
		expect(test_json(t, "GET", uri, NULL, &test_admin), 200, "xüü");
		expect(test_json(t, "DELETE", uri, NULL, &test_admin), 204, NULL);
		expect(test_json(t, "GET", uri, NULL, &test_admin), 200, " (revoked ");
	}
}

static int make_clock_wrong_for_a_moment(struct sql *s, void *arg)
{
	(void) arg;
	return sql_exec(s, "UPDATE agent_certs SET not_after = 1");
}

static int count_certs(struct sql *s, void *arg)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT count(*) FROM agent_certs");
	int r = sql_step(q);

	*(int64_t *) arg = r > 0 ? sql_col_i64(q, 0) : -1;
	sql_reset(q);
	return r < 0 ? r : 0;
}

/* To a clock that is years ahead all certificates are too old: it must not throw them away. */
static void an_enrolment_leaves_the_certificates_of_others_alone(void **state)
{
	struct test_controller *t = *state;
	struct test_csr csr[2];
	char code[128];
	int64_t n = 0;

	make_code(t, 2, 60, code);
	for (size_t i = 0; i < ARRAY_SIZE(csr); i++) {
		test_csr_make(&csr[i], GNUTLS_PK_ECDSA, P256, "x");
		(void) enroll(t, code, "dock", &csr[i]);
		test_csr_done(&csr[i]);
		if (i == 0)
			assert_int_equal(test_write(t, make_clock_wrong_for_a_moment, NULL), 0);
	}
	assert_int_equal(test_write(t, count_certs, &n), 0);
	assert_int_equal(n, 2);
}

static void a_revoked_key_stays_out_and_its_name_is_free(void **state)
{
	struct test_controller *t = *state;
	struct test_csr first, second;
	char code[128], uri[64];
	uint64_t id;

	test_csr_make(&first, GNUTLS_PK_ECDSA, P256, "x");
	test_csr_make(&second, GNUTLS_PK_ECDSA, P256, "y");
	make_code(t, 3, 60, code);
	id = enroll(t, code, "dock", &first).agent_id;
	snprintf(uri, sizeof(uri), "/api/v1/agents/%d", (int) id);
	expect(test_json(t, "DELETE", uri, NULL, &test_admin), 204, NULL);
	expect(test_json(t, "DELETE", uri, NULL, &test_admin), 204, NULL);
	expect(enroll_at(t, "/agent/v1/enroll", code, "dock", &first, NULL), 403, "revoked");
	assert_string_equal(enroll(t, code, "dock", &second).name, "dock");
	expect(test_json(t, "GET", uri, NULL, &test_admin), 200, "\"state\":\"revoked\"");
	test_csr_done(&first);
	test_csr_done(&second);
}

static void a_renewal_with_a_new_key_keeps_the_agent(void **state)
{
	struct test_controller *t = *state;
	struct proto_enroll_response a, b, c;
	struct test_csr old, fresh;
	struct http_who who = {.user = "", .perms = PERM_AGENT};
	char code[128];

	test_csr_make(&old, GNUTLS_PK_ECDSA, P256, "x");
	test_csr_make(&fresh, GNUTLS_PK_ECDSA, P256, "x");
	make_code(t, 1, 60, code);
	a = enroll(t, code, "dock", &old);
	who.agent_id = (int64_t) a.agent_id;
	b = enrolled(enroll_at(t, "/agent/v1/renew", "", "dock", &fresh, &who));
	assert_int_equal(a.agent_id, b.agent_id);
	assert_string_equal(b.name, "dock");
	c = enrolled(enroll_at(t, "/agent/v1/renew", "", "dock", &fresh, &who));
	assert_memory_equal(b.cert, c.cert, b.cert_len);
	expect(enroll_at(t, "/agent/v1/renew", "", "dock", &fresh, NULL), 401,
	       "no-agent-certificate");
	test_csr_done(&old);
	test_csr_done(&fresh);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_code_is_parsed_strictly, setup, teardown),
		cmocka_unit_test_setup_teardown(
			repeating_an_enrolment_gives_the_same_agent_and_burns_no_use, setup,
			teardown),
		cmocka_unit_test_setup_teardown(an_enrolment_is_known_after_a_restart, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_used_up_expired_or_invented_code_lets_nobody_in,
						setup, teardown),
		cmocka_unit_test_setup_teardown(an_expired_code_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_code_from_the_future_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(guessing_codes_is_throttled, setup, teardown),
		cmocka_unit_test_setup_teardown(two_agents_of_one_name_get_two_names, setup,
						teardown),
		cmocka_unit_test_setup_teardown(long_names_are_not_cut_inside_a_character, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			an_enrolment_leaves_the_certificates_of_others_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(a_revoked_key_stays_out_and_its_name_is_free, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_renewal_with_a_new_key_keeps_the_agent, setup,
						teardown),
	};

	return cmocka_run_group_tests_name("fleet", tests, NULL, NULL);
}
