/* SPDX-License-Identifier: Apache-2.0 */
/* Joining the store: the code, whom to believe, the key and certificate on disk, the exchange. */
#include "ap-agent/enroll.h"
#include "ap-agent/problem.h"
#include "common/err.h"
#include "common/hex.h"
#include "tests/unit/test_agent_certs.h"
#include "tests/unit/test_agent_fake_http.h"
#include "tests/unit/test_common.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW  1800000000
#define DAY  86400
#define YEAR (365 * DAY)

struct fixture {
	char dir[64];
	struct loop *loop;
	struct timebase tb;
	struct test_ca ca;
	struct trust *trust;
	struct identity *identity;
	struct http_client *http;
	struct joincode code;
	struct enroll *enroll;
	int64_t now;
	uint64_t enrolled_id;
	char enrolled_name[PROTO_NAME_MAX];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	uint8_t hash[32];

	strcpy(f->dir, "/tmp/agent-join-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->now = 1000000;
	assert_int_equal(loop_new_virtual(f->now, NOW * US_PER_SEC, &f->loop), 0);
	timebase_init(&f->tb, loop_clock(f->loop), 1);
	test_ca_init(&f->ca, NOW - DAY, NOW + 10 * (time_t) YEAR);
	assert_int_equal(trust_new(&f->tb, &f->trust), 0);
	assert_int_equal(identity_open(f->dir, &f->identity), 0);
	assert_int_equal(http_client_new(f->loop, NULL, &f->http), 0);
	image_hash(f->ca.der.data, f->ca.der.size, hash);
	memcpy(f->code.fingerprint, hash, sizeof(f->code.fingerprint));
	strcpy(f->code.text, "GJ1-ABCDEFGHIJKLMNOP-");
	hex_encode(hash, 16, f->code.text + strlen(f->code.text));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	static const char *const files[] = {"key.pem", "cert.pem", "ca.pem"};
	struct fixture *f = *state;
	char path[128];

	enroll_free(f->enroll);
	http_client_free(f->http);
	identity_free(f->identity);
	trust_free(f->trust);
	test_ca_done(&f->ca);
	loop_free(f->loop);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, files[i]);
		unlink(path);
	}
	rmdir(f->dir);
	free(f);
	return 0;
}

static void run(struct fixture *f, int64_t us)
{
	f->now += us;
	loop_run_until(f->loop, f->now);
}

/* --- the code --------------------------------------------------------------------------------- */

static void a_code_is_trimmed_and_brought_to_one_case(void **state)
{
	struct joincode jc;

	(void) state;
	assert_int_equal(
		joincode_parse("  gj1-abcdefghijkl2345-00112233445566778899AABBCCDDEEFF\n", &jc),
		0);
	assert_string_equal(jc.text, "GJ1-ABCDEFGHIJKL2345-00112233445566778899aabbccddeeff");
	assert_int_equal(jc.fingerprint[15], 0xff);
}

static void bad_codes_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"GJ1-",
		"GJ2-ABCDEFGHIJKLMNOP-00112233445566778899aabbccddeeff",
		"GJ1-ABCDEFGHIJKLMNO-00112233445566778899aabbccddeeff",
		"GJ1-ABCDEFGHIJKLMNOP-00112233445566778899aabbccddeef",
		"GJ1-ABCDEFGHIJKLMNOP-00112233445566778899aabbccddeeff0",
		"GJ1-ABCDEFGHIJKLMNOP-00112233445566778899aabbccddeefg",
		"GJ1-ABCDEFGHIJKLMNOP_00112233445566778899aabbccddeeff",
		"GJ1-ABCDEFG IJKLMNOP-00112233445566778899aabbccddeeff",
		"GJ1-ABCDEFG\xc3\xa9JKLMNOP-00112233445566778899aabbccddeeff",
	};
	struct joincode jc = {.text = "untouched"};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(joincode_parse(bad[i], &jc), -ERR_SYNTAX);
	assert_string_equal(jc.text, "untouched");
}

static void a_code_file_may_be_missing_or_end_in_a_newline(void **state)
{
	struct fixture *f = *state;
	struct joincode jc;
	char path[128];

	snprintf(path, sizeof(path), "%s/code", f->dir);
	assert_int_equal(joincode_read_file(path, &jc), -ENOENT);

	FILE *file = fopen(path, "w");

	fprintf(file, "%s\nsecond line\n", f->code.text);
	fclose(file);
	assert_int_equal(joincode_read_file(path, &jc), 0);
	assert_string_equal(jc.text, f->code.text);
	unlink(path);
}

static void the_problem_code_is_found_only_where_it_is_one(void **state)
{
	static const char good[] = "{\"status\":403, \"code\" : \"revoked\"}";
	static const char open_end[] = "{\"code\":\"revo";
	static const char other[] = "{\"detail\":\"code revoked\"}";
	char code[PROBLEM_CODE_MAX];

	(void) state;
	assert_string_equal(problem_code(good, strlen(good), code), "revoked");
	assert_string_equal(problem_code(open_end, strlen(open_end), code), "");
	assert_string_equal(problem_code(other, strlen(other), code), "");
	assert_string_equal(problem_code(NULL, 0, code), "");
}

/* --- whom to believe -------------------------------------------------------------------------- */

/* Checks the chain [server certificate, CA] for host against f->trust. */
static int check_times(struct fixture *f, const struct test_ca *ca, const char *cert_host,
		       const char *host, time_t from, time_t to)
{
	gnutls_datum_t chain[2] = {test_ca_server(ca, cert_host, from, to, NULL), ca->der};
	char why[128] = "";
	int r = trust_check(f->trust, chain, 2, host, why, sizeof(why));

	assert_int_equal(r < 0, why[0] != '\0');
	gnutls_free(chain[0].data);
	return r;
}

static int check(struct fixture *f, const struct test_ca *ca, const char *cert_host,
		 const char *host)
{
	return check_times(f, ca, cert_host, host, NOW - DAY, NOW + YEAR);
}

static void first_contact_believes_only_the_ca_that_the_code_names(void **state)
{
	struct fixture *f = *state;
	struct test_ca other;

	assert_int_equal(check(f, &f->ca, "localhost", "localhost"), -ERR_TLS); /* nobody yet */
	trust_expect(f->trust, f->code.fingerprint);
	assert_int_equal(check(f, &f->ca, "localhost", "localhost"), 0);
	test_ca_init(&other, NOW - DAY, NOW + YEAR);
	assert_int_equal(check(f, &other, "localhost", "localhost"), -ERR_TLS);

	/* The right CA merely shown beside a certificate that another one signed. */
	gnutls_datum_t chain[2] = {test_ca_server(&other, "localhost", NOW - DAY, NOW + YEAR, NULL),
				   f->ca.der};
	char why[128];

	assert_int_equal(trust_check(f->trust, chain, 2, "localhost", why, sizeof(why)), -ERR_TLS);
	gnutls_free(chain[0].data);
	test_ca_done(&other);
}

static void a_pinned_ca_need_not_be_shown_and_names_and_addresses_count(void **state)
{
	struct fixture *f = *state;
	gnutls_datum_t leaf = test_ca_server(&f->ca, "127.0.0.1", NOW - DAY, NOW + YEAR, NULL);
	char why[128];

	assert_int_equal(trust_pin_ca(f->trust, f->ca.der.data, f->ca.der.size), 0);
	assert_int_equal(trust_check(f->trust, &leaf, 1, "127.0.0.1", why, sizeof(why)), 0);
	assert_int_equal(trust_check(f->trust, &leaf, 1, "127.0.0.2", why, sizeof(why)), -ERR_TLS);
	assert_int_equal(check(f, &f->ca, "store.example", "store.example"), 0);
	assert_int_equal(check(f, &f->ca, "store.example", "evil.example"), -ERR_TLS);
	gnutls_free(leaf.data);
}

static void the_own_clock_alone_never_locks_the_agent_out(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(trust_pin_ca(f->trust, f->ca.der.data, f->ca.der.size), 0);
	/* our clock is a year slow or fast of these: unvouched, so they pass */
	assert_int_equal(check_times(f, &f->ca, "h", "h", NOW + YEAR, NOW + 2 * YEAR), 0);
	assert_int_equal(check_times(f, &f->ca, "h", "h", NOW - 2 * YEAR, NOW - YEAR), 0);
}

static void once_the_time_is_known_it_counts(void **state)
{
	struct fixture *f = *state;
	int64_t server = (NOW + YEAR + DAY) * US_PER_SEC;

	assert_int_equal(trust_pin_ca(f->trust, f->ca.der.data, f->ca.der.size), 0);
	assert_true(timebase_sample(&f->tb, f->now, f->now, server));
	assert_int_equal(check_times(f, &f->ca, "h", "h", NOW - 2 * YEAR, NOW - DAY), -ERR_EXPIRED);
	assert_int_equal(check_times(f, &f->ca, "h", "h", NOW + YEAR, NOW + 2 * YEAR), 0);
}

/* The controller said a year too much, was set right, and shows a certificate of today: refusing it
 * would mean never to hear the right time. */
static void a_controller_that_was_years_off_for_a_moment_is_heard_again(void **state)
{
	struct fixture *f = *state;
	int64_t server = (NOW + 2 * YEAR) * US_PER_SEC;

	assert_int_equal(trust_pin_ca(f->trust, f->ca.der.data, f->ca.der.size), 0);
	assert_true(timebase_sample(&f->tb, f->now, f->now, server));
	assert_int_equal(check_times(f, &f->ca, "h", "h", NOW - DAY, NOW + YEAR), 0);
}

static void rubbish_for_a_chain_is_refused(void **state)
{
	struct fixture *f = *state;
	gnutls_datum_t junk = {(unsigned char *) "rubbish", 7};
	char why[128];

	trust_expect(f->trust, f->code.fingerprint);
	assert_int_equal(trust_check(f->trust, &junk, 1, "h", why, sizeof(why)), -ERR_TLS);
	assert_int_equal(trust_check(f->trust, NULL, 0, "h", why, sizeof(why)), -ERR_TLS);
}

/* --- key and certificate ---------------------------------------------------------------------- */

static void the_key_is_made_once_private_and_survives(void **state)
{
	struct fixture *f = *state;
	_cleanup_buf_ struct buf a = BUF_INIT;
	struct identity *again;
	struct stat st;

	assert_int_equal(stat(identity_key_path(f->identity), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_false(identity_enrolled(f->identity));
	assert_int_equal(identity_csr(f->identity, "ap-1", &a), 0);

	gnutls_datum_t cert = test_ca_sign(&f->ca, a.data, a.len, NOW - DAY, NOW + DAY);

	/* A certificate for the first opening's key fits the second opening's: same key. */
	assert_int_equal(identity_open(f->dir, &again), 0);
	assert_int_equal(
		identity_accept(again, cert.data, cert.size, f->ca.der.data, f->ca.der.size), 0);
	assert_true(identity_enrolled(again));
	identity_free(again);
	assert_int_equal(identity_open(f->dir, &again), 0);
	assert_true(identity_enrolled(again));

	int64_t from, to;

	identity_times(again, &from, &to);
	assert_int_equal(to, (NOW + DAY) * US_PER_SEC);
	identity_free(again);
	gnutls_free(cert.data);
}

static void a_certificate_for_another_key_or_of_another_ca_is_refused(void **state)
{
	struct fixture *f = *state;
	_cleanup_buf_ struct buf csr = BUF_INIT;
	gnutls_datum_t foreign = test_ca_server(&f->ca, "h", NOW - DAY, NOW + DAY, NULL);
	struct test_ca other;

	assert_int_equal(identity_accept(f->identity, foreign.data, foreign.size, f->ca.der.data,
					 f->ca.der.size),
			 -ERR_CRYPTO);
	test_ca_init(&other, NOW - DAY, NOW + DAY);
	assert_int_equal(identity_csr(f->identity, "x", &csr), 0);

	gnutls_datum_t cert = test_ca_sign(&other, csr.data, csr.len, NOW - DAY, NOW + DAY);

	assert_int_equal(
		identity_accept(f->identity, cert.data, cert.size, f->ca.der.data, f->ca.der.size),
		-ERR_CRYPTO);
	assert_false(identity_enrolled(f->identity));
	assert_int_equal(access(identity_cert_path(f->identity), F_OK), -1);
	gnutls_free(cert.data);
	gnutls_free(foreign.data);
	test_ca_done(&other);
}

/* --- the exchange ----------------------------------------------------------------------------- */

static void on_enrolled(void *user, uint64_t agent_id, const char *name)
{
	struct fixture *f = user;

	f->enrolled_id = agent_id;
	snprintf(f->enrolled_name, sizeof(f->enrolled_name), "%s", name);
	enroll_free(f->enroll);
	f->enroll = NULL;
}

static void start(struct fixture *f)
{
	const struct enroll_config cfg = {.http = f->http,
					  .identity = f->identity,
					  .trust = f->trust,
					  .tb = &f->tb,
					  .code = f->code,
					  .name = "ap-1",
					  .version = "1",
					  .caps = 3,
					  .seed = 9};

	assert_int_equal(enroll_new(f->loop, &cfg, on_enrolled, f, &f->enroll), 0);
	run(f, 1000);
}

static void answer(struct fixture *f, const struct test_ca *ca)
{
	_cleanup_free_ struct proto_enroll_request *q = calloc(1, sizeof(*q));
	_cleanup_free_ struct proto_enroll_response *m = calloc(1, sizeof(*m));
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct http_call *call = fake_http_find(f->http, "/agent/v1/enroll");

	assert_non_null(call);
	assert_int_equal(proto_enroll_request_decode(call->body.data, call->body.len, q, NULL), 0);
	assert_string_equal(q->code, f->code.text);

	gnutls_datum_t cert = test_ca_sign(ca, q->csr, q->csr_len, NOW - DAY, NOW + YEAR);

	m->agent_id = 12;
	strcpy(m->name, "ap-1-2");
	memcpy(m->cert, cert.data, cert.size);
	m->cert_len = cert.size;
	memcpy(m->ca, ca->der.data, ca->der.size);
	m->ca_len = ca->der.size;
	m->server_time_us = (NOW + YEAR) * US_PER_SEC;
	assert_int_equal(proto_enroll_response_encode(m, &b), 0);
	fake_http_reply(call, 200, b.data, b.len);
	gnutls_free(cert.data);
}

static void enrolment_goes_on_until_it_works_and_brings_the_clock(void **state)
{
	struct fixture *f = *state;

	start(f);
	fake_http_fail(fake_http_find(f->http, "/agent/v1/enroll"), -ECONNREFUSED);
	run(f, 1100000);
	fake_http_reply(fake_http_find(f->http, "/agent/v1/enroll"), 500, NULL, 0);
	run(f, 2100000);
	fake_http_reply(fake_http_find(f->http, "/agent/v1/enroll"), 200, "junk", 4);
	run(f, 4100000);
	assert_false(identity_enrolled(f->identity));
	answer(f, &f->ca);
	assert_true(identity_enrolled(f->identity));
	assert_int_equal(f->enrolled_id, 12);
	assert_string_equal(f->enrolled_name, "ap-1-2");
	assert_true(f->tb.known);
	assert_true(timebase_offset(&f->tb) > 300 * DAY * US_PER_SEC);
}

static void a_refused_code_is_not_tried_again_at_once(void **state)
{
	static const char body[] = "{\"code\":\"bad-join-code\"}";
	struct fixture *f = *state;

	start(f);
	fake_http_reply(fake_http_find(f->http, "/agent/v1/enroll"), 403, body, strlen(body));
	assert_non_null(strstr(enroll_last_error(f->enroll), "bad-join-code"));
	run(f, 100 * US_PER_SEC);
	assert_null(fake_http_find(f->http, "/agent/v1/enroll"));
	run(f, 200 * US_PER_SEC);
	assert_non_null(fake_http_find(f->http, "/agent/v1/enroll"));
}

static void an_answer_with_another_ca_is_not_believed(void **state)
{
	struct fixture *f = *state;
	struct test_ca other;

	test_ca_init(&other, NOW - DAY, NOW + YEAR);
	start(f);
	answer(f, &other);
	assert_false(identity_enrolled(f->identity));
	test_ca_done(&other);
}

/* The first life dies after the request went out; the second asks with the same key. */
static void after_a_crash_the_same_key_asks_again(void **state)
{
	struct fixture *f = *state;
	_cleanup_buf_ struct buf before = BUF_INIT;

	start(f);
	enroll_free(f->enroll);
	f->enroll = NULL;
	assert_int_equal(identity_csr(f->identity, "ap-1", &before), 0);
	identity_free(f->identity);
	assert_int_equal(identity_open(f->dir, &f->identity), 0);

	gnutls_datum_t cert = test_ca_sign(&f->ca, before.data, before.len, NOW - DAY, NOW + DAY);

	/* what the controller made for the lost request is still good */
	assert_int_equal(
		identity_accept(f->identity, cert.data, cert.size, f->ca.der.data, f->ca.der.size),
		0);
	gnutls_free(cert.data);
}

/* --- the clock -------------------------------------------------------------------------------- */

static void the_tightest_round_trip_wins_and_ages(void **state)
{
	struct fixture *f = *state;
	int64_t utc = NOW * US_PER_SEC;

	assert_int_equal(timebase_uncertainty(&f->tb), -1);
	assert_int_equal(timebase_now(&f->tb), clock_real_us(loop_clock(f->loop)));
	assert_true(timebase_sample(&f->tb, 0, 100000, utc));
	assert_true(timebase_sample(&f->tb, 100000, 110000, utc + 105000 - 50000));
	assert_int_equal(f->tb.unc_us, 5001);
	assert_false(timebase_sample(&f->tb, 200000, 260000, utc + 180000));
	/* after an hour the old one is worth less than a fresh 60 ms one */
	run(f, 3600 * US_PER_SEC);
	assert_true(timebase_uncertainty(&f->tb) > 300000);
	assert_true(timebase_sample(&f->tb, f->now - 60000, f->now, f->tb.base_us + f->now));
}

static void a_stepped_controller_clock_is_believed_and_nonsense_is_not(void **state)
{
	struct fixture *f = *state;
	int64_t utc = NOW * US_PER_SEC;

	assert_true(timebase_sample(&f->tb, 0, 1000, utc));
	assert_true(timebase_sample(&f->tb, 2000, 9000, utc + 5 * US_PER_SEC));
	assert_false(timebase_sample(&f->tb, 10000, 11000, 12345));
	assert_false(timebase_sample(&f->tb, 10000, 11000, INT64_MAX));
	assert_false(timebase_sample(&f->tb, 11000, 10000, utc));
}

static void a_measurement_is_kept_for_this_boot_only(void **state)
{
	struct fixture *f = *state;
	uint8_t blob[TIMEBASE_BLOB_BYTES];
	struct timebase other;

	assert_true(timebase_sample(&f->tb, 0, 1000, NOW * US_PER_SEC));
	timebase_save(&f->tb, blob);
	timebase_init(&other, loop_clock(f->loop), f->tb.boot);
	assert_true(timebase_restore(&other, blob));
	assert_int_equal(other.base_us, f->tb.base_us);
	timebase_init(&other, loop_clock(f->loop), f->tb.boot + 1);
	assert_false(timebase_restore(&other, blob));
	assert_false(other.known);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_code_is_trimmed_and_brought_to_one_case),
		cmocka_unit_test(bad_codes_are_refused),
		T(a_code_file_may_be_missing_or_end_in_a_newline),
		cmocka_unit_test(the_problem_code_is_found_only_where_it_is_one),
		T(first_contact_believes_only_the_ca_that_the_code_names),
		T(a_pinned_ca_need_not_be_shown_and_names_and_addresses_count),
		T(the_own_clock_alone_never_locks_the_agent_out),
		T(once_the_time_is_known_it_counts),
		T(a_controller_that_was_years_off_for_a_moment_is_heard_again),
		T(rubbish_for_a_chain_is_refused),
		T(the_key_is_made_once_private_and_survives),
		T(a_certificate_for_another_key_or_of_another_ca_is_refused),
		T(enrolment_goes_on_until_it_works_and_brings_the_clock),
		T(a_refused_code_is_not_tried_again_at_once),
		T(an_answer_with_another_ca_is_not_believed),
		T(after_a_crash_the_same_key_asks_again),
		T(the_tightest_round_trip_wins_and_ages),
		T(a_stepped_controller_clock_is_believed_and_nonsense_is_not),
		T(a_measurement_is_kept_for_this_boot_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
