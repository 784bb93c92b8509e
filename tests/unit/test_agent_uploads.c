/* SPDX-License-Identifier: Apache-2.0 */
/* The link's uploads in virtual time: in the controller's time, again after a loss, in smaller
 * batches after a refusal, and without the entry that it cannot take. */
#include "tests/unit/agent_link_rig.h"

#include "common/err.h"
#include <string.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(sightings_wait_for_the_clock_and_are_sent_in_controller_time),
		T(an_unacknowledged_batch_is_sent_again_with_the_same_numbers),
		T(acks_that_cannot_be_true_delete_nothing),
		T(an_ack_may_cover_more_than_the_batch_that_brought_it),
		T(a_refused_batch_is_tried_in_smaller_ones),
		T(an_entry_that_is_refused_alone_again_and_again_is_set_aside),
		T(refusals_that_are_not_the_entrys_fault_set_nothing_aside),
		T(a_controller_that_refuses_everything_does_not_empty_the_journal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
