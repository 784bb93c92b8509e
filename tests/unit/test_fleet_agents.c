/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of agents once they are in: readers, orders, health and advice. */
#include "tests/unit/fleet_rig.h"

/* --- readers ------------------------------------------------------------------------------- */

static int64_t told_agent;

static void note_change(void *user, int64_t agent_id)
{
	(void) user;
	told_agent = agent_id;
}

static void a_readers_change_raises_the_revision_and_tells_the_poll(void **state)
{
	struct test_controller *t = *state;
	struct proto_desired d = {.rev = 0};
	struct test_csr csr;
	char code[128], uri[80];
	int64_t id;
	uint64_t rev;

	test_csr_make(&csr, GNUTLS_PK_ECDSA, P256, "x");
	make_code(t, 1, 60, code);
	id = (int64_t) enroll(t, code, "dock", &csr).agent_id;
	told_agent = 0;
	app_on_desired_changed(&t->app, note_change, NULL);
	snprintf(uri, sizeof(uri), "/api/v1/agents/%d/readers/door", (int) id);
	expect(test_json(t, "PUT", uri, "{\"host\":\"10.0.0.5\",\"port\":5084,\"antennas\":[1,3]}",
			 &test_admin),
	       200, "\"antennas\":[1,3]");
	assert_int_equal(told_agent, id);
	assert_int_equal(fleet_desired_readers(&t->app, id, 0, &d), 1);
	assert_int_equal(d.n_readers, 1);
	assert_string_equal(d.readers[0].host, "10.0.0.5");
	assert_int_equal(d.readers[0].n_antennas, 2);
	assert_int_equal(d.readers[0].antennas[1], 3);
	assert_int_equal(d.readers[0].session, 1);
	rev = d.rev;
	assert_true(rev > 0);
	proto_desired_done(&d);
	memset(&d, 0, sizeof(d));
	assert_int_equal(fleet_desired_readers(&t->app, id, rev, &d), 0);
	assert_false(d.has_readers);
	expect(test_json(t, "DELETE", uri, NULL, &test_admin), 204, NULL);
	assert_int_equal(fleet_desired_readers(&t->app, id, rev, &d), 1);
	assert_true(d.has_readers);
	assert_int_equal(d.n_readers, 0);
	assert_true(d.rev > rev);
	proto_desired_done(&d);
	expect(test_json(t, "DELETE", uri, NULL, &test_admin), 404, "not-found");
	test_csr_done(&csr);
}

static void how_a_reader_is_talked_to_is_kept_and_stays_when_not_named(void **state)
{
	static const char full[] =
		"{\"host\":\"10.0.0.5\",\"profile\":\"door\",\"llrp\":\"1.1\","
		"\"reader_calls\":true,\"tls\":true,\"pin\":"
		"\"AA112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"}";
	struct test_controller *t = *state;
	struct proto_desired d = {.rev = 0};
	struct test_csr csr;
	char code[128], uri[80];
	int64_t id;

	test_csr_make(&csr, GNUTLS_PK_ECDSA, P256, "x");
	make_code(t, 1, 60, code);
	id = (int64_t) enroll(t, code, "dock", &csr).agent_id;
	snprintf(uri, sizeof(uri), "/api/v1/agents/%d/readers/door", (int) id);
	expect(test_json(t, "PUT", uri, "{\"host\":\"10.0.0.4\"}", &test_admin), 200,
	       "\"llrp\":\"1.0.1\"");
	expect(test_json(t, "PUT", uri, full, &test_admin), 200, "\"profile\":\"door\"");
	/* A client that knows of none of it changes none of it. */
	expect(test_json(t, "PUT", uri, "{\"host\":\"10.0.0.6\"}", &test_admin), 200,
	       "\"reader_calls\":true");
	assert_int_equal(fleet_desired_readers(&t->app, id, 0, &d), 1);
	assert_string_equal(d.readers[0].host, "10.0.0.6");
	assert_string_equal(d.readers[0].profile, "door");
	assert_int_equal(d.readers[0].llrp_version, 2);
	assert_true(d.readers[0].reader_calls && d.readers[0].tls);
	assert_memory_equal(d.readers[0].tls_pin, "aa1122", 6);
	proto_desired_done(&d);
	expect(test_json(t, "PUT", uri, "{\"host\":\"10.0.0.6\",\"pin\":\"\",\"profile\":\"\"}",
			 &test_admin),
	       200, "\"pin\":\"\"");
	test_csr_done(&csr);
}

static void an_order_for_new_keys_reaches_the_agent_once_and_after_a_start_over(void **state)
{
	struct test_controller *t = *state;
	struct proto_desired d = {0};
	struct test_csr csr;
	char code[128], uri[64];
	int64_t id;

	test_csr_make(&csr, GNUTLS_PK_ECDSA, P256, "x");
	make_code(t, 1, 60, code);
	id = (int64_t) enroll(t, code, "dock", &csr).agent_id;
	assert_int_equal(fleet_desired_keys(&t->app, id, 0, &d), 0);
	assert_int_equal(d.rotate_keys_us, 0);
	snprintf(uri, sizeof(uri), "/api/v1/agents/%d/rotate-keys", (int) id);
	expect(test_json(t, "POST", uri, NULL, &test_admin), 202, "\"before\":\"");
	assert_int_equal(fleet_desired_keys(&t->app, id, 0, &d), 0);
	assert_true(d.rotate_keys_us > 0);
	d.rotate_keys_us = 0;
	assert_int_equal(fleet_desired_keys(&t->app, id, INT64_MAX, &d), 0);
	assert_int_equal(d.rotate_keys_us, 0); /* it has heard of it */
	expect(test_json(t, "POST", "/api/v1/agents/99/rotate-keys", NULL, &test_admin), 404,
	       "not-found");
	test_csr_done(&csr);
}

static void odd_readers_are_refused(void **state)
{
	static const char *const bad[] = {
		"{}",
		"{\"host\":\"\"}",
		"{\"host\":\"a b\"}",
		"{\"host\":\"h\",\"port\":0}",
		"{\"host\":\"h\",\"port\":70000}",
		"{\"host\":\"h\",\"session\":4}",
		"{\"host\":\"h\",\"antennas\":[0]}",
		"{\"host\":\"h\",\"antennas\":\"1\"}",
		"{\"host\":\"h\",\"profile\":\"turbo\"}",
		"{\"host\":\"h\",\"llrp\":\"2.0\"}",
		"{\"host\":\"h\",\"pin\":\"abc\"}",
		"{\"host\":\"h\",\"tls\":\"yes\"}",
	};
	struct test_controller *t = *state;
	struct test_csr csr;
	char code[128];

	test_csr_make(&csr, GNUTLS_PK_ECDSA, P256, "x");
	make_code(t, 1, 60, code);
	(void) enroll(t, code, "dock", &csr);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect(test_json(t, "PUT", "/api/v1/agents/1/readers/door", bad[i], &test_admin),
		       422, "bad-reader");
	expect(test_json(t, "PUT", "/api/v1/agents/1/readers/a%2Fb", "{\"host\":\"h\"}",
			 &test_admin),
	       422, "bad-name");
	expect(test_json(t, "PUT", "/api/v1/agents/99/readers/door", "{\"host\":\"h\"}",
			 &test_admin),
	       404, "not-found");
	test_csr_done(&csr);
}

/* --- health and advice --------------------------------------------------------------------- */

static void a_health_report_shows_in_the_agents_object(void **state)
{
	struct test_controller *t = *state;
	static struct proto_health h;
	struct http_who who = {.user = "", .perms = PERM_AGENT};
	_cleanup_buf_ struct buf body = BUF_INIT;
	struct test_csr csr;
	char code[128];

	test_csr_make(&csr, GNUTLS_PK_ECDSA, P256, "x");
	make_code(t, 1, 60, code);
	who.agent_id = (int64_t) enroll(t, code, "dock", &csr).agent_id;
	h = (struct proto_health){.caps = PROTO_CAP_LABELS,
				  .version = "9.9",
				  .clock_offset_us = 7 * US_PER_SEC,
				  .clock_uncertainty_us = 1000,
				  .tags_in_view = 12,
				  .radio_state = "running"};
	assert_int_equal(proto_health_encode(&h, &body), 0);
	expect(post_cbor(t, "/agent/v1/health", &body, &who), 200, NULL);
	expect(test_json(t, "GET", "/api/v1/agents/1", NULL, &test_admin), 200,
	       "\"tags_in_view\":12");
	expect(test_json(t, "GET", "/api/v1/agents", NULL, &test_admin), 200,
	       "\"caps\":[\"labels\"]");
	body.data[0] ^= 0xff;
	expect(post_cbor(t, "/agent/v1/health", &body, &who), 400, "malformed");
	test_csr_done(&csr);
}

static void advice_names_the_first_thing_to_do(void **state)
{
	const int64_t now = INT64_C(1795000000) * US_PER_SEC, day = 86400 * US_PER_SEC;
	static struct proto_health h;
	struct agent a = {.last_seen_us = now,
			  .online = true,
			  .cert_not_after_us = now + 80 * day,
			  .health = &h};
	char text[512];

	(void) state;
	h = (struct proto_health){.clock_uncertainty_us = 1000, .radio_state = "running"};
	fleet_advise(&a, now, text, sizeof(text));
	assert_string_equal(text, "");
	h.journal_depth = 20000;
	fleet_advise(&a, now, text, sizeof(text));
	assert_non_null(strstr(text, "20000 reports wait"));
	h.n_readers = 1;
	h.readers[0] = (struct proto_health_reader){
		.name = "door",
		.state = "running",
		.n_troubles = 1,
		.troubles = {
			{.code = "silent-antenna", .antenna = 2, .text = "antenna 2 is mute"}}};
	fleet_advise(&a, now, text, sizeof(text));
	assert_non_null(strstr(text, "Reader door: antenna 2 is mute. Check the antenna's cable"));
	h.readers[0] = (struct proto_health_reader){
		.name = "door", .state = "failed", .error = "connection refused"};
	fleet_advise(&a, now, text, sizeof(text));
	assert_non_null(strstr(text, "Reader door: connection refused"));
	h.clock_offset_us = -365 * day;
	fleet_advise(&a, now, text, sizeof(text));
	assert_non_null(strstr(text, "set up NTP"));
	a.cert_not_after_us = now + 5 * day;
	fleet_advise(&a, now, text, sizeof(text));
	assert_non_null(strstr(text, "expires in 5 days"));
	a.online = false;
	a.last_seen_us = now - 600 * US_PER_SEC;
	fleet_advise(&a, now, text, sizeof(text));
	assert_non_null(strstr(text, "Not heard from for 10 min"));
	a.revoked_us = now;
	fleet_advise(&a, now, text, sizeof(text));
	assert_non_null(strstr(text, "Revoked."));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_readers_change_raises_the_revision_and_tells_the_poll, setup, teardown),
		cmocka_unit_test_setup_teardown(
			how_a_reader_is_talked_to_is_kept_and_stays_when_not_named, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			an_order_for_new_keys_reaches_the_agent_once_and_after_a_start_over, setup,
			teardown),
		cmocka_unit_test_setup_teardown(odd_readers_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_health_report_shows_in_the_agents_object, setup,
						teardown),
		cmocka_unit_test(advice_names_the_first_thing_to_do),
	};

	return cmocka_run_group_tests_name("fleet", tests, NULL, NULL);
}
