/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/test_controller.h"
#include "tests/unit/test_csr.h"

#include "common/err.h"
#include "controller/fleet/ca.h"
#include "controller/fleet/fleet_internal.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define P256 GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1)

static int setup(void **state)
{
	static struct test_controller t;

	test_controller_init(&t);
	test_controller_start_db(&t);
	test_controller_start_http(&t);
	test_controller_start_fleet(&t);
	*state = &t;
	return 0;
}

static int teardown(void **state)
{
	test_controller_done(*state);
	return 0;
}

static void expect(struct test_reply r, unsigned int status, const char *text)
{
	if (r.status != status)
		fail_msg("status %u: %s", r.status, r.body ? r.body : "");
	if (text)
		assert_non_null(strstr(r.body, text));
	test_reply_done(&r);
}

static void make_code(struct test_controller *t, int uses, int ttl_s, char code[128])
{
	struct test_reply r;
	json_t *body;
	char request[80];

	snprintf(request, sizeof(request), "{\"uses\":%d,\"ttl_s\":%d}", uses, ttl_s);
	r = test_json(t, "POST", "/api/v1/agents/join-codes", request, &test_admin);
	assert_int_equal(r.status, 201);
	body = json_loads(r.body, 0, NULL);
	snprintf(code, 128, "%s", json_string_value(json_object_get(body, "code")));
	json_decref(body);
	test_reply_done(&r);
}

static struct test_reply post_cbor(struct test_controller *t, const char *uri,
				   const struct buf *body, const struct http_who *who)
{
	const struct http_injection in = {.listener = HTTP_AGENTS,
					  .method = "POST",
					  .uri = uri,
					  .body = body->data,
					  .body_len = body->len,
					  .who = who};

	return test_request(t, &in);
}

static struct test_reply enroll_at(struct test_controller *t, const char *uri, const char *code,
				   const char *name, const struct test_csr *csr,
				   const struct http_who *who)
{
	static struct proto_enroll_request m;
	_cleanup_buf_ struct buf body = BUF_INIT;

	memset(&m, 0, sizeof(m));
	m.caps = PROTO_CAP_RFID;
	snprintf(m.code, sizeof(m.code), "%s", code);
	snprintf(m.name, sizeof(m.name), "%s", name);
	snprintf(m.version, sizeof(m.version), "0.1.0");
	memcpy(m.csr, csr->der, csr->len);
	m.csr_len = csr->len;
	assert_int_equal(proto_enroll_request_encode(&m, &body), 0);
	return post_cbor(t, uri, &body, who);
}

static struct proto_enroll_response enrolled(struct test_reply r)
{
	static struct proto_enroll_response m;

	if (r.status != 200)
		fail_msg("status %u: %s", r.status, r.body ? r.body : "");
	assert_int_equal(proto_enroll_response_decode(r.body, r.len, &m, NULL), 0);
	test_reply_done(&r);
	return m;
}

static struct proto_enroll_response enroll(struct test_controller *t, const char *code,
					   const char *name, const struct test_csr *csr)
{
	return enrolled(enroll_at(t, "/agent/v1/enroll", code, name, csr, NULL));
}

static int64_t code_uses(struct test_controller *t)
{
	struct test_reply r = test_json(t, "GET", "/api/v1/agents/join-codes", NULL, &test_admin);
	json_t *body = json_loads(r.body, 0, NULL);
	int64_t used = json_integer_value(
		json_object_get(json_array_get(json_object_get(body, "items"), 0), "used"));

	json_decref(body);
	test_reply_done(&r);
	return used;
}

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
