/* SPDX-License-Identifier: Apache-2.0 */
/* The link's standing requests in virtual time: asked, answered wrongly, refused for good, told. */
#include "tests/unit/agent_link_rig.h"

#include <errno.h>
#include <string.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_first_poll_asks_from_what_is_applied_and_does_not_wait),
		T(garbage_replies_are_failures_with_a_back_off),
		T(a_controller_that_was_away_for_minutes_is_asked_rarely_and_caught_up_with),
		T(server_errors_do_not_end_the_link),
		T(a_revoked_certificate_ends_the_link_and_the_journal_goes_on),
		T(another_refusal_is_not_taken_for_revocation),
		T(changes_of_another_database_are_not_mixed_in_but_all_is_asked_for),
		T(polls_that_come_back_at_once_do_not_spin),
		T(a_full_answer_that_says_nothing_new_does_not_spin_either),
		T(health_is_told_every_15_seconds_and_soon_after_a_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
