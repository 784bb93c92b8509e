/* SPDX-License-Identifier: Apache-2.0 */
/* The whole agent in virtual time: joining, restarting without a controller, being revoked, joining
 * another store, a damaged file, stopping. The controller is played by the test, the rooms below
 * are twins. */
#include "ap-agent/agent.h"
#include "common/err.h"
#include "common/hex.h"
#include "common/proto.h"
#include "tests/unit/test_agent_certs.h"
#include "tests/unit/test_agent_fake_http.h"
#include "tests/unit/test_agent_twins.h"
#include "tests/unit/test_common.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NOW 1800000000
#define DAY 86400

struct fixture {
	char dir[64];
	char code_file[96];
	struct loop *loop;
	int64_t now;
	struct test_ca ca;
	struct joincode code;
	struct settings settings;
	struct agent *agent;
};

/* The agent makes its own client; the twin of http_client.c hands it out here. */
static struct http_client *http;

static void make_code(const struct test_ca *ca, const char *secret, struct joincode *ret)
{
	uint8_t hash[32];

	image_hash(ca->der.data, ca->der.size, hash);
	memcpy(ret->fingerprint, hash, sizeof(ret->fingerprint));
	snprintf(ret->text, sizeof(ret->text), "GJ1-%s-", secret);
	hex_encode(hash, 16, ret->text + strlen(ret->text));
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	readers_made = readers_freed = 0;
	strcpy(f->dir, "/tmp/agent-life-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->code_file, sizeof(f->code_file), "%s/code", f->dir);
	f->now = 1000000;
	assert_int_equal(loop_new_virtual(f->now, NOW * US_PER_SEC, &f->loop), 0);
	test_ca_init(&f->ca, NOW - DAY, NOW + 1000 * DAY);
	make_code(&f->ca, "ABCDEFGHIJKLMNOP", &f->code);
	f->settings = (struct settings){.state_dir = f->dir,
					.controller = "https://127.0.0.1:8444",
					.name = "ap-1",
					.join_code_file = f->code_file,
					.state_mib = 64,
					.image_kib = 1024,
					.radio = true};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	static const char *const files[] = {
		"agent.db", "agent.db.key", "agent.db-wal", "agent.db.damaged",
		"key.pem",  "cert.pem",     "ca.pem",       "code",
	};
	struct fixture *f = *state;
	char path[128];

	agent_free(f->agent);
	loop_free(f->loop);
	test_ca_done(&f->ca);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, files[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

static void run(struct fixture *f, int64_t us)
{
	f->now += us;
	loop_run_until(f->loop, f->now);
}

static void start(struct fixture *f, const struct joincode *code)
{
	assert_int_equal(agent_new(f->loop, &f->settings, code, &f->agent), 0);
	http = fake_http_last();
	run(f, 10000);
}

static void stop(struct fixture *f)
{
	agent_free(f->agent);
	f->agent = NULL;
}

static int64_t server_now(const struct fixture *f)
{
	return clock_real_us(loop_clock(f->loop)) + 7 * US_PER_SEC;
}

static void answer_enroll(struct fixture *f, const struct test_ca *ca)
{
	_cleanup_free_ struct proto_enroll_request *q = calloc(1, sizeof(*q));
	_cleanup_free_ struct proto_enroll_response *m = calloc(1, sizeof(*m));
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct http_call *call = fake_http_find(http, "/agent/v1/enroll");

	assert_non_null(call);
	assert_int_equal(proto_enroll_request_decode(call->body.data, call->body.len, q, NULL), 0);
	assert_string_equal(q->name, "ap-1");

	gnutls_datum_t cert = test_ca_sign(ca, q->csr, q->csr_len, NOW - DAY, NOW + 90 * DAY);

	m->agent_id = 3;
	strcpy(m->name, "front");
	memcpy(m->cert, cert.data, cert.size);
	m->cert_len = cert.size;
	memcpy(m->ca, ca->der.data, ca->der.size);
	m->ca_len = ca->der.size;
	m->server_time_us = server_now(f);
	assert_int_equal(proto_enroll_response_encode(m, &b), 0);
	fake_http_reply(call, 200, b.data, b.len);
	gnutls_free(cert.data);
	run(f, 10000);
}

static void answer_desired(struct fixture *f, uint64_t epoch, uint64_t rev)
{
	struct proto_desired_label label = {.addr = {0, 0, 0, 0, 0, 9}, .rev = rev, .n = 0};
	struct proto_desired_reader reader = {.name = "dock", .host = "10.0.0.1", .port = 5084};
	struct proto_desired m = {.epoch = epoch,
				  .rev = rev,
				  .full = true,
				  .has_readers = true,
				  .n_readers = 1,
				  .readers = &reader,
				  .n_labels = 1,
				  .labels = &label,
				  .server_time_us = server_now(f)};
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct http_call *call = fake_http_find(http, "/agent/v1/desired");

	assert_non_null(call);
	assert_int_equal(proto_desired_encode(&m, &b), 0);
	fake_http_reply(call, 200, b.data, b.len);
	run(f, 10000);
}

static void join(struct fixture *f)
{
	start(f, &f->code);
	answer_enroll(f, &f->ca);
	answer_desired(f, 5, 6);
}

static void it_joins_links_and_applies_what_is_wanted(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ struct proto_health *h = calloc(1, sizeof(*h));

	start(f, &f->code);
	assert_false(http->identified);
	answer_enroll(f, &f->ca);
	assert_true(http->identified);

	struct http_call *call = fake_http_find(http, "/agent/v1/health");

	assert_int_equal(proto_health_decode(call->body.data, call->body.len, h, NULL), 0);
	assert_int_equal(h->caps, PROTO_CAP_LABELS | PROTO_CAP_RFID);
	assert_string_equal(h->version, PACKAGE_VERSION);
	assert_int_equal(h->cert_not_after_us, (NOW + 90 * DAY) * US_PER_SEC);
	assert_int_equal(h->clock_offset_us / US_PER_SEC, 7);
	assert_true(h->clock_uncertainty_us >= 0);
	assert_true(h->rss_kib > 100);
	answer_desired(f, 5, 6);
	assert_int_equal(readers_made, 1);
	assert_int_equal(engine_twin->wants, 1);
	assert_true(engine_twin->clocks > 0);
	assert_string_equal(fake_http_find(http, "/agent/v1/desired")->path,
			    "/agent/v1/desired?epoch=5&after=6&wait=50");
}

static void after_a_restart_it_goes_on_without_a_controller_and_without_the_code(void **state)
{
	struct fixture *f = *state;

	join(f);
	stop(f);
	start(f, &f->code); /* still in the unit file */
	assert_int_equal(readers_made, 2);
	assert_int_equal(engine_twin->wants, 1);
	assert_null(fake_http_find(http, "/agent/v1/enroll"));
	assert_string_equal(fake_http_find(http, "/agent/v1/desired")->path,
			    "/agent/v1/desired?epoch=5&after=6&wait=0");
	/* same boot: the clock is still known */
	assert_int_equal(engine_twin->offset_us / US_PER_SEC, 7);
}

static void another_database_of_the_controller_is_told_all_labels_once(void **state)
{
	struct fixture *f = *state;

	join(f);
	run(f, 5 * US_PER_SEC);
	answer_desired(f, 5, 7);
	assert_int_equal(engine_twin->told, 0); /* the same one: it knows */
	run(f, 5 * US_PER_SEC);
	answer_desired(f, 9, 3); /* back from a backup: revisions have gone back */
	assert_int_equal(engine_twin->told, 1);
	run(f, 5 * US_PER_SEC);
	answer_desired(f, 9, 4);
	assert_int_equal(engine_twin->told, 1);
}

static void without_a_code_it_runs_and_looks_for_one(void **state)
{
	struct fixture *f = *state;

	start(f, NULL);
	run(f, 30 * US_PER_SEC);
	assert_int_equal(http->started, 0);

	FILE *file = fopen(f->code_file, "w");

	fprintf(file, "%s\n", f->code.text);
	fclose(file);
	run(f, 11 * US_PER_SEC);
	unlink(f->code_file); /* it may vanish */
	answer_enroll(f, &f->ca);
	assert_non_null(fake_http_find(http, "/agent/v1/desired"));
}

static void a_revoked_agent_stays_away_until_it_gets_a_new_code(void **state)
{
	static const char body[] = "{\"code\":\"revoked\"}";
	struct fixture *f = *state;
	struct joincode fresh;
	unsigned int before;

	join(f);
	fake_http_reply(fake_http_find(http, "/agent/v1/desired"), 403, body, strlen(body));
	before = http->started;
	run(f, 300 * US_PER_SEC);
	assert_int_equal(http->started, before);
	stop(f);
	start(f, &f->code); /* the old code does not help */
	run(f, 60 * US_PER_SEC);
	assert_int_equal(http->started, 0);
	assert_int_equal(readers_made, 1); /* another may have its reader by now */
	stop(f);
	make_code(&f->ca, "QRSTUVWXYZ234567", &fresh);
	start(f, &fresh);
	assert_int_equal(readers_made, 1);
	answer_enroll(f, &f->ca);
	assert_int_equal(readers_made, 2);
	assert_non_null(fake_http_find(http, "/agent/v1/desired"));
}

static void joining_another_store_forgets_the_one_before(void **state)
{
	struct fixture *f = *state;
	struct test_ca other;
	struct joincode code;

	join(f);
	stop(f);
	test_ca_init(&other, NOW - DAY, NOW + 1000 * DAY);
	make_code(&other, "QRSTUVWXYZ234567", &code);
	start(f, &code);
	assert_int_equal(engine_twin->wants, 1);
	answer_enroll(f, &other);
	assert_int_equal(engine_twin->forgets, 1);
	assert_string_equal(fake_http_find(http, "/agent/v1/desired")->path,
			    "/agent/v1/desired?epoch=0&after=0&wait=0");
	test_ca_done(&other);
}

static void a_revoked_agent_that_joins_another_store_lets_its_labels_go(void **state)
{
	static const char body[] = "{\"code\":\"revoked\"}";
	struct fixture *f = *state;
	struct test_ca other;
	struct joincode code;

	join(f);
	fake_http_reply(fake_http_find(http, "/agent/v1/desired"), 403, body, strlen(body));
	run(f, US_PER_SEC);
	stop(f);
	test_ca_init(&other, NOW - DAY, NOW + 1000 * DAY);
	make_code(&other, "QRSTUVWXYZ234567", &code);
	start(f, &code);
	assert_int_equal(engine_twin->wants, 0); /* at rest */
	answer_enroll(f, &other);
	assert_int_equal(engine_twin->wants, 1);
	assert_int_equal(engine_twin->forgets, 1);
	test_ca_done(&other);
}

static void a_damaged_file_is_set_aside_and_the_agent_asks_for_all(void **state)
{
	struct fixture *f = *state;
	char path[128];
	int fd;

	join(f);
	stop(f);
	snprintf(path, sizeof(path), "%s/agent.db", f->dir);
	fd = open(path, O_WRONLY | O_TRUNC);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(write(fd, "garbage!", 8), 8);
	close(fd);
	start(f, NULL);
	assert_string_equal(fake_http_find(http, "/agent/v1/desired")->path,
			    "/agent/v1/desired?epoch=0&after=0&wait=0");
	strcat(path, ".damaged");
	assert_int_equal(access(path, F_OK), 0);
}

static void a_certificate_is_renewed_at_two_thirds_of_its_life(void **state)
{
	struct fixture *f = *state;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct proto_health_response m = {0};
	struct http_call *call;

	join(f);
	/* The certificate runs from a day ago to in 90 days. */
	m.server_time_us = (NOW + 50 * (int64_t) DAY) * US_PER_SEC;
	assert_int_equal(proto_health_response_encode(&m, &b), 0);
	fake_http_reply(fake_http_find(http, "/agent/v1/health"), 200, b.data, b.len);
	run(f, 20 * US_PER_SEC);
	assert_null(fake_http_find(http, "/agent/v1/renew"));
	buf_clear(&b);
	m.server_time_us = (NOW + 61 * (int64_t) DAY) * US_PER_SEC;
	assert_int_equal(proto_health_response_encode(&m, &b), 0);
	call = fake_http_find(http, "/agent/v1/health");
	call->sent_mono_us = f->now;
	fake_http_reply(call, 200, b.data, b.len);
	run(f, 10000);
	assert_non_null(fake_http_find(http, "/agent/v1/renew"));
}

static void stopping_lets_readers_end_politely(void **state)
{
	struct fixture *f = *state;

	join(f);
	agent_stop(f->agent);
	run(f, 10000);
	assert_non_null(reader_twins[0]->stopped);
	reader_twins[0]->stopped(reader_twins[0]->stopped_user);
	run(f, 10000);
	assert_int_equal(readers_freed, 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(it_joins_links_and_applies_what_is_wanted),
		T(after_a_restart_it_goes_on_without_a_controller_and_without_the_code),
		T(another_database_of_the_controller_is_told_all_labels_once),
		T(without_a_code_it_runs_and_looks_for_one),
		T(a_revoked_agent_stays_away_until_it_gets_a_new_code),
		T(joining_another_store_forgets_the_one_before),
		T(a_revoked_agent_that_joins_another_store_lets_its_labels_go),
		T(a_damaged_file_is_set_aside_and_the_agent_asks_for_all),
		T(a_certificate_is_renewed_at_two_thirds_of_its_life),
		T(stopping_lets_readers_end_politely),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
