/* SPDX-License-Identifier: Apache-2.0 */
/* The link's five lanes in virtual time, against a controller played by the test. */
#include "ap-agent/link.h"
#include "ap-agent/sighting.h"
#include "common/err.h"
#include "tests/unit/test_agent_fake_http.h"
#include "tests/unit/test_common.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SERVER_AHEAD INT64_C(31536000000000) /* a year */
#define START_REAL   INT64_C(1700000000000000)

struct fixture {
	char dir[64];
	struct loop *loop;
	struct timebase tb;
	struct store *store;
	struct journal *journal;
	struct identity *identity;
	struct trust *trust;
	struct http_client *http;
	struct link *link;
	int64_t now;
	unsigned int desired, clocks, linked, revoked, healths;
	uint64_t last_rev;
};

static void cb_desired(void *user, const struct proto_desired *d)
{
	struct fixture *f = user;

	f->desired++;
	f->last_rev = d->rev;
}

static void cb_clock(void *user)
{
	((struct fixture *) user)->clocks++;
}

static void cb_health(void *user, struct proto_health *h)
{
	((struct fixture *) user)->healths++;
	snprintf(h->version, sizeof(h->version), "1");
}

static void cb_linked(void *user)
{
	((struct fixture *) user)->linked++;
}

static void cb_revoked(void *user)
{
	((struct fixture *) user)->revoked++;
}

static void cb_none(void *user)
{
	(void) user;
}

static void kick(void *user, unsigned int streams)
{
	struct fixture *f = user;

	if (f->link)
		link_kick(f->link, streams);
}

static int setup(void **state)
{
	static const struct link_callbacks cb = {.desired = cb_desired,
						 .clock = cb_clock,
						 .health = cb_health,
						 .linked = cb_linked,
						 .revoked = cb_revoked,
						 .renewed = cb_none};
	static const struct store_config store_cfg;
	struct fixture *f = calloc(1, sizeof(*f));
	char path[96];

	strcpy(f->dir, "/tmp/agent-link-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(path, sizeof(path), "%s/agent.db", f->dir);
	f->now = 1000000;
	assert_int_equal(loop_new_virtual(f->now, START_REAL, &f->loop), 0);
	timebase_init(&f->tb, loop_clock(f->loop), 5);
	assert_int_equal(store_open(path, &store_cfg, &f->store), 0);
	assert_int_equal(journal_new(f->loop, f->store, &f->tb, kick, f, &f->journal), 0);
	assert_int_equal(identity_open(f->dir, &f->identity), 0);
	assert_int_equal(trust_new(&f->tb, &f->trust), 0);
	assert_int_equal(http_client_new(f->loop, NULL, &f->http), 0);

	const struct link_config cfg = {.http = f->http,
					.journal = f->journal,
					.tb = &f->tb,
					.identity = f->identity,
					.trust = f->trust,
					.name = "ap-1",
					.version = "1",
					.caps = 3,
					.epoch = 7,
					.rev = 10,
					.seed = 42};

	assert_int_equal(link_new(f->loop, &cfg, &cb, f, &f->link), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	static const char *const files[] = {"agent.db", "agent.db-wal", "key.pem"};
	struct fixture *f = *state;
	char path[128];

	link_free(f->link);
	f->link = NULL;
	journal_free(f->journal);
	http_client_free(f->http);
	trust_free(f->trust);
	identity_free(f->identity);
	store_close(f->store);
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

static int64_t server_now(const struct fixture *f)
{
	return clock_real_us(loop_clock(f->loop)) + SERVER_AHEAD;
}

static void answer_health(struct fixture *f)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct proto_health_response m = {.server_time_us = server_now(f)};
	struct http_call *call = fake_http_find(f->http, "/agent/v1/health");

	assert_non_null(call);
	assert_int_equal(proto_health_response_encode(&m, &b), 0);
	fake_http_reply(call, 200, b.data, b.len);
}

static void answer_desired(struct fixture *f, uint64_t epoch, uint64_t rev, bool full)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct proto_desired m = {
		.epoch = epoch, .rev = rev, .full = full, .server_time_us = server_now(f)};
	struct http_call *call = fake_http_find(f->http, "/agent/v1/desired");

	assert_non_null(call);
	assert_int_equal(proto_desired_encode(&m, &b), 0);
	fake_http_reply(call, 200, b.data, b.len);
}

static void answer_ack(struct fixture *f, const char *path, uint64_t acked)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct proto_ack m = {.acked = acked, .server_time_us = server_now(f)};
	struct http_call *call = fake_http_find(f->http, path);

	assert_non_null(call);
	assert_int_equal(proto_ack_encode(&m, &b), 0);
	fake_http_reply(call, 200, b.data, b.len);
}

static void add_sighting(struct fixture *f)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct sighting_row row = {.reader = "dock", .antenna = 1, .s = {.kind = 1}};
	int64_t mono = clock_mono_us(loop_clock(f->loop));

	row.s.first_us = row.s.last_us = mono;
	assert_int_equal(epc_from_hex("3034257bf7194e4000001a85", &row.s.epc), 0);
	assert_int_equal(sighting_encode(&row, &b), 0);
	assert_int_equal(journal_add(f->journal, JOURNAL_SIGHTINGS, false, b.data, b.len), 0);
}

/* Linked, clock measured, both standing requests answered once. */
static void bring_up(struct fixture *f)
{
	link_start(f->link);
	run(f, 1000);
	answer_health(f);
	answer_desired(f, 7, 10, false);
	run(f, 2000000);
	assert_true(link_online(f->link));
	assert_int_equal(f->linked, 1);
}

static void the_first_poll_asks_from_what_is_applied_and_does_not_wait(void **state)
{
	struct fixture *f = *state;

	link_start(f->link);
	run(f, 1000);
	assert_string_equal(fake_http_find(f->http, "/agent/v1/desired")->path,
			    "/agent/v1/desired?epoch=7&after=10&wait=0");
	answer_desired(f, 7, 11, false);
	run(f, 10000);
	assert_string_equal(fake_http_find(f->http, "/agent/v1/desired")->path,
			    "/agent/v1/desired?epoch=7&after=11&wait=50");
	assert_int_equal(f->desired, 1);
	assert_int_equal(f->last_rev, 11);
	assert_int_equal(f->linked, 1);
}

static void sightings_wait_for_the_clock_and_are_sent_in_controller_time(void **state)
{
	struct fixture *f = *state;
	struct proto_sightings m;
	int64_t seen_at = server_now(f);

	link_start(f->link);
	add_sighting(f);
	run(f, 500000);
	assert_null(fake_http_find(f->http, "/agent/v1/sightings"));
	answer_health(f);
	run(f, 1000);

	struct http_call *call = fake_http_find(f->http, "/agent/v1/sightings");

	assert_non_null(call);
	assert_int_equal(proto_sightings_decode(call->body.data, call->body.len, &m, NULL), 0);
	assert_int_equal(m.n, 1);
	/* the request took half a second, so that half of it is unknown */
	assert_true(m.sightings[0].first_us - seen_at <= 250001 &&
		    seen_at - m.sightings[0].first_us <= 250001);
	proto_sightings_done(&m);
	answer_ack(f, "/agent/v1/sightings", 1);
	assert_int_equal(journal_depth(f->journal, JOURNAL_SIGHTINGS), 0);
}

static void an_unacknowledged_batch_is_sent_again_with_the_same_numbers(void **state)
{
	struct fixture *f = *state;
	struct proto_sightings m;

	bring_up(f);
	add_sighting(f);
	add_sighting(f);
	run(f, 300000);
	fake_http_fail(fake_http_find(f->http, "/agent/v1/sightings"), -ERR_CLOSED);
	add_sighting(f);
	run(f, 3000000);

	struct http_call *call = fake_http_find(f->http, "/agent/v1/sightings");

	assert_int_equal(proto_sightings_decode(call->body.data, call->body.len, &m, NULL), 0);
	assert_int_equal(m.first_seq, 1);
	assert_int_equal(m.n, 3);
	proto_sightings_done(&m);
	answer_ack(f, "/agent/v1/sightings", 2);
	run(f, 1000);
	call = fake_http_find(f->http, "/agent/v1/sightings");
	assert_int_equal(proto_sightings_decode(call->body.data, call->body.len, &m, NULL), 0);
	assert_int_equal(m.first_seq, 3);
	proto_sightings_done(&m);
}

static void acks_that_cannot_be_true_delete_nothing(void **state)
{
	struct fixture *f = *state;

	bring_up(f);
	add_sighting(f);
	run(f, 300000);
	answer_ack(f, "/agent/v1/sightings", 2); /* never sent */
	assert_int_equal(journal_depth(f->journal, JOURNAL_SIGHTINGS), 1);
	run(f, 3000000);
	answer_ack(f, "/agent/v1/sightings", 0); /* says nothing */
	assert_int_equal(journal_depth(f->journal, JOURNAL_SIGHTINGS), 1);
	run(f, 5000000);
	answer_ack(f, "/agent/v1/sightings", 1);
	assert_int_equal(journal_depth(f->journal, JOURNAL_SIGHTINGS), 0);
}

/* The first try reached the controller, its answer was lost; the second is a smaller batch. */
static void an_ack_may_cover_more_than_the_batch_that_brought_it(void **state)
{
	struct fixture *f = *state;

	bring_up(f);
	for (int i = 0; i < 400; i++)
		add_sighting(f);
	run(f, 300000);
	fake_http_reply(fake_http_find(f->http, "/agent/v1/sightings"), 429, NULL, 0);
	run(f, 3000000);
	answer_ack(f, "/agent/v1/sightings", 400);
	assert_int_equal(journal_depth(f->journal, JOURNAL_SIGHTINGS), 0);
}

static void garbage_replies_are_failures_with_a_back_off(void **state)
{
	struct fixture *f = *state;
	uint8_t junk[300];

	bring_up(f);
	for (size_t i = 0; i < sizeof(junk); i++)
		junk[i] = (uint8_t) (i * 7 + 3);
	add_sighting(f);
	run(f, 300000);
	fake_http_reply(fake_http_find(f->http, "/agent/v1/sightings"), 200, junk, sizeof(junk));
	fake_http_reply(fake_http_find(f->http, "/agent/v1/desired"), 200, junk, sizeof(junk));
	assert_int_equal(journal_depth(f->journal, JOURNAL_SIGHTINGS), 1);
	assert_string_not_equal(link_last_error(f->link), "");
	run(f, 100000);
	assert_null(fake_http_find(f->http, "/agent/v1/sightings"));
	assert_null(fake_http_find(f->http, "/agent/v1/desired"));
	run(f, 1000000);
	assert_non_null(fake_http_find(f->http, "/agent/v1/sightings"));
	assert_non_null(fake_http_find(f->http, "/agent/v1/desired"));
}

/* Fails every request for ten minutes, then answers one: everybody comes back at once. */
static void a_controller_that_was_away_for_minutes_is_asked_rarely_and_caught_up_with(void **state)
{
	struct fixture *f = *state;
	unsigned int before;

	bring_up(f);
	before = f->http->started;
	for (int i = 0; i < 6000; i++) {
		if (i % 100 == 0)
			add_sighting(f);
		run(f, 100000);
		for (size_t k = 0; k < FAKE_HTTP_MAX; k++)
			if (f->http->open[k])
				fake_http_fail(f->http->open[k], -ECONNREFUSED);
	}
	assert_false(link_online(f->link));
	/* three lanes, each once in 15 to 30 s when it has backed off */
	assert_in_range(f->http->started - before, 40, 180);
	assert_int_equal(journal_depth(f->journal, JOURNAL_SIGHTINGS), 60);
	while (!fake_http_find(f->http, "/agent/v1/desired"))
		run(f, 100000);
	answer_desired(f, 7, 12, false);
	assert_true(link_online(f->link));
	run(f, 600000);
	answer_ack(f, "/agent/v1/sightings", 60);
	assert_int_equal(journal_depth(f->journal, JOURNAL_SIGHTINGS), 0);
}

static void server_errors_do_not_end_the_link(void **state)
{
	struct fixture *f = *state;

	bring_up(f);
	fake_http_reply(fake_http_find(f->http, "/agent/v1/desired"), 503, "x", 1);
	run(f, 2000000);
	answer_desired(f, 7, 11, false);
	assert_int_equal(f->last_rev, 11);
	assert_int_equal(f->revoked, 0);
}

static void a_refused_batch_is_tried_in_smaller_ones(void **state)
{
	struct fixture *f = *state;
	struct proto_sightings m;

	bring_up(f);
	for (int i = 0; i < 600; i++)
		add_sighting(f);
	run(f, 300000);
	fake_http_reply(fake_http_find(f->http, "/agent/v1/sightings"), 413, NULL, 0);
	run(f, 3000000);

	struct http_call *call = fake_http_find(f->http, "/agent/v1/sightings");

	assert_int_equal(proto_sightings_decode(call->body.data, call->body.len, &m, NULL), 0);
	assert_int_equal(m.n, 256);
	proto_sightings_done(&m);
}

/* Refuses what is on its way until nothing is, or `tries` refusals are through. */
static unsigned int refuse_uploads(struct fixture *f, unsigned int status, const char *body,
				   unsigned int tries)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < 40 * tries && n < tries; i++) {
		struct http_call *call = fake_http_find(f->http, "/agent/v1/sightings");

		if (call) {
			fake_http_reply(call, status, body, strlen(body));
			n++;
		}
		run(f, 1000000);
	}
	return n;
}

/* A controller that cannot take entry 2. */
static void an_entry_that_is_refused_alone_again_and_again_is_set_aside(void **state)
{
	static const char body[] = "{\"code\":\"bad-message\"}";
	struct fixture *f = *state;
	unsigned int alone = 0;

	bring_up(f);
	for (int i = 0; i < 3; i++)
		add_sighting(f);
	run(f, 300000);
	for (int i = 0; i < 600 && journal_depth(f->journal, JOURNAL_SIGHTINGS) != 0; i++) {
		struct http_call *call;
		struct proto_sightings m;

		run(f, 1000000);
		call = fake_http_find(f->http, "/agent/v1/sightings");
		if (!call)
			continue;
		assert_int_equal(proto_sightings_decode(call->body.data, call->body.len, &m, NULL),
				 0);
		if (m.first_seq <= 2 && m.first_seq + m.n > 2) {
			alone += m.n == 1;
			fake_http_reply(call, 400, body, strlen(body));
		} else {
			answer_ack(f, "/agent/v1/sightings", m.first_seq + m.n - 1);
		}
		proto_sightings_done(&m);
	}
	assert_int_equal(journal_depth(f->journal, JOURNAL_SIGHTINGS), 0);
	assert_int_equal(journal_refused(f->journal), 1);
	assert_int_equal(alone, 5);
	/* and it is on flash */
	assert_int_equal(journal_reload(f->journal), 0);
	assert_int_equal(journal_refused(f->journal), 1);
	assert_int_equal(journal_depth(f->journal, JOURNAL_SIGHTINGS), 0);
}

static void refusals_that_are_not_the_entrys_fault_set_nothing_aside(void **state)
{
	struct fixture *f = *state;

	bring_up(f);
	add_sighting(f);
	run(f, 300000);
	refuse_uploads(f, 400, "{\"code\":\"protocol-version\"}", 12);
	refuse_uploads(f, 401, "{\"code\":\"no-agent-certificate\"}", 12);
	refuse_uploads(f, 429, "{\"code\":\"throttled\"}", 12);
	refuse_uploads(f, 507, "{\"code\":\"disk-full\"}", 12);
	assert_int_equal(journal_refused(f->journal), 0);
	assert_int_equal(journal_depth(f->journal, JOURNAL_SIGHTINGS), 1);
}

static void a_controller_that_refuses_everything_does_not_empty_the_journal(void **state)
{
	static const char body[] = "{\"code\":\"bad-message\"}";
	struct fixture *f = *state;

	bring_up(f);
	for (int i = 0; i < JOURNAL_MAX_REFUSED + 20; i++)
		add_sighting(f);
	run(f, 300000);
	refuse_uploads(f, 422, body, 6 * (JOURNAL_MAX_REFUSED + 20));
	assert_int_equal(journal_refused(f->journal), JOURNAL_MAX_REFUSED);
	assert_int_equal(journal_depth(f->journal, JOURNAL_SIGHTINGS), 20);
	assert_string_not_equal(link_last_error(f->link), "");
}

static void a_revoked_certificate_ends_the_link_and_the_journal_goes_on(void **state)
{
	static const char body[] = "{\"type\":\"urn:gondola:problem:revoked\",\"status\":403,"
				   "\"code\": \"revoked\"}";
	struct fixture *f = *state;

	bring_up(f);
	fake_http_reply(fake_http_find(f->http, "/agent/v1/desired"), 403, body, strlen(body));
	assert_int_equal(f->revoked, 1);
	assert_true(link_revoked(f->link));

	unsigned int before = f->http->started;

	add_sighting(f);
	run(f, 600000000);
	assert_int_equal(f->http->started, before);
	assert_int_equal(journal_depth(f->journal, JOURNAL_SIGHTINGS), 1);
}

static void another_refusal_is_not_taken_for_revocation(void **state)
{
	static const char body[] = "{\"code\":\"forbidden\",\"detail\":\"not \\\"revoked\\\"\"}";
	struct fixture *f = *state;

	bring_up(f);
	fake_http_reply(fake_http_find(f->http, "/agent/v1/desired"), 403, body, strlen(body));
	assert_int_equal(f->revoked, 0);
	run(f, 2000000);
	assert_non_null(fake_http_find(f->http, "/agent/v1/desired"));
}

static void changes_of_another_database_are_not_mixed_in_but_all_is_asked_for(void **state)
{
	struct fixture *f = *state;
	unsigned int before;

	bring_up(f);
	before = f->desired;
	answer_desired(f, 8, 3, false);
	assert_int_equal(f->desired, before);
	run(f, 2000000);
	assert_string_equal(fake_http_find(f->http, "/agent/v1/desired")->path,
			    "/agent/v1/desired?epoch=0&after=0&wait=50");
	answer_desired(f, 8, 3, true);
	assert_int_equal(f->desired, before + 1);
	run(f, 1000);
	assert_string_equal(fake_http_find(f->http, "/agent/v1/desired")->path,
			    "/agent/v1/desired?epoch=8&after=3&wait=50");
}

static void polls_that_come_back_at_once_do_not_spin(void **state)
{
	struct fixture *f = *state;
	unsigned int before;

	bring_up(f);
	before = f->http->started;
	for (int i = 0; i < 100; i++) {
		if (fake_http_find(f->http, "/agent/v1/desired"))
			answer_desired(f, 7, 10, false);
		run(f, 100000);
	}
	assert_in_range(f->http->started - before, 5, 12);
}

static void a_full_answer_that_says_nothing_new_does_not_spin_either(void **state)
{
	struct fixture *f = *state;
	unsigned int started, desired;

	bring_up(f);
	started = f->http->started;
	desired = f->desired;
	for (int i = 0; i < 100; i++) {
		if (fake_http_find(f->http, "/agent/v1/desired"))
			answer_desired(f, 7, 10, true);
		run(f, 100000);
	}
	assert_in_range(f->http->started - started, 5, 12);
	assert_int_equal(f->desired, desired);
}

static void health_is_told_every_15_seconds_and_soon_after_a_change(void **state)
{
	struct fixture *f = *state;
	unsigned int before;

	bring_up(f);
	before = f->healths;
	for (int i = 0; i < 600; i++) {
		run(f, 100000);
		if (fake_http_find(f->http, "/agent/v1/health"))
			answer_health(f);
	}
	assert_in_range(f->healths - before, 3, 5);
	before = f->healths;
	link_health_soon(f->link);
	run(f, 600000);
	assert_int_equal(f->healths, before + 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_first_poll_asks_from_what_is_applied_and_does_not_wait),
		T(sightings_wait_for_the_clock_and_are_sent_in_controller_time),
		T(an_unacknowledged_batch_is_sent_again_with_the_same_numbers),
		T(acks_that_cannot_be_true_delete_nothing),
		T(an_ack_may_cover_more_than_the_batch_that_brought_it),
		T(garbage_replies_are_failures_with_a_back_off),
		T(a_controller_that_was_away_for_minutes_is_asked_rarely_and_caught_up_with),
		T(server_errors_do_not_end_the_link),
		T(a_refused_batch_is_tried_in_smaller_ones),
		T(an_entry_that_is_refused_alone_again_and_again_is_set_aside),
		T(refusals_that_are_not_the_entrys_fault_set_nothing_aside),
		T(a_controller_that_refuses_everything_does_not_empty_the_journal),
		T(a_revoked_certificate_ends_the_link_and_the_journal_goes_on),
		T(another_refusal_is_not_taken_for_revocation),
		T(changes_of_another_database_are_not_mixed_in_but_all_is_asked_for),
		T(polls_that_come_back_at_once_do_not_spin),
		T(a_full_answer_that_says_nothing_new_does_not_spin_either),
		T(health_is_told_every_15_seconds_and_soon_after_a_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
