/* SPDX-License-Identifier: Apache-2.0 */
/* The agents' long poll. */
#include "tests/unit/test_label_env.h"
#include <stdio.h>
#include <string.h>

#define ADDR UINT64_C(0xC0FFEE000001)

static void poll_with(struct env *e, uint64_t epoch, uint64_t after, int wait)
{
	char uri[120];

	snprintf(uri, sizeof uri, "/agent/v1/desired?epoch=%llu&after=%llu&wait=%d",
		 (unsigned long long) epoch, (unsigned long long) after, wait);
	env_agent(e, 1, "GET", uri, NULL, 0);
}

static void decode(struct env *e, struct proto_desired *d)
{
	assert_true(e->answered);
	assert_int_equal(e->status, 200);
	assert_int_equal(proto_desired_decode(e->body, e->len, d, NULL), 0);
}

static uint64_t present_rev(struct env *e)
{
	struct proto_desired d;
	uint64_t rev;

	env_desired(e, 1, 0, &d);
	rev = d.rev;
	proto_desired_done(&d);
	return rev;
}

static void another_epoch_or_a_future_revision_starts_over(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	struct proto_desired d;
	uint64_t rev;

	env_new_label(e, &ap, ADDR);
	rev = present_rev(e);
	poll_with(e, db_epoch(e->app.db) + 1, rev, 30);
	decode(e, &d);
	assert_true(d.full);
	assert_int_equal(d.epoch, db_epoch(e->app.db));
	assert_int_equal(d.n_labels, 1);
	proto_desired_done(&d);
	poll_with(e, db_epoch(e->app.db), rev + 1000, 30);
	decode(e, &d);
	assert_true(d.full);
	assert_int_equal(d.rev, rev);
	proto_desired_done(&d);
}

static void poll_without_news_ends_in_time_and_says_so(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	struct proto_desired d;
	uint64_t rev;

	env_new_label(e, &ap, ADDR);
	rev = present_rev(e);
	poll_with(e, db_epoch(e->app.db), rev, 20);
	assert_false(e->answered);
	env_advance(e, 19 * US_PER_SEC);
	assert_false(e->answered);
	env_advance(e, 2 * US_PER_SEC);
	decode(e, &d);
	assert_false(d.full);
	assert_int_equal(d.n_labels, 0);
	assert_int_equal(d.rev, rev);
	proto_desired_done(&d);
}

static void wake_of_another_agent_does_not_end_the_poll(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	uint64_t rev;

	env_new_label(e, &ap, ADDR);
	rev = present_rev(e);
	poll_with(e, db_epoch(e->app.db), rev, 20);
	app_desired_changed(&e->app, 2);
	env_settle(e);
	assert_false(e->answered);
	app_desired_changed(&e->app, 1); /* nothing is new for it */
	env_settle(e);
	assert_false(e->answered);
}

static void wake_of_all_brings_each_its_own_news(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	struct proto_desired d;

	env_new_label(e, &ap, ADDR);
	poll_with(e, db_epoch(e->app.db), present_rev(e), 20);
	assert_int_equal(env_sql(e, "UPDATE meta SET value = value + 1 WHERE key = 'rev'"), 0);
	assert_int_equal(env_sql(e, "UPDATE labels SET wanted_rev ="
				    " (SELECT value FROM meta WHERE key = 'rev')"),
			 0);
	assert_false(e->answered);
	app_desired_changed(&e->app, 0); /* whoever waits */
	env_settle(e);
	decode(e, &d);
	assert_int_equal(d.n_labels, 1);
	proto_desired_done(&d);
}

static void stop_ends_a_waiting_poll(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};

	env_new_label(e, &ap, ADDR);
	poll_with(e, db_epoch(e->app.db), present_rev(e), 20);
	assert_false(e->answered);
	env_restart(e); /* the request is let go: the sanitizers would tell */
	assert_int_equal(env_call(e, "GET", "/api/v1/labels/C0FFEE000001", NULL), 200);
}

static void bad_questions_are_refused(void **state)
{
	struct env *e = *state;

	env_agent(e, 1, "GET", "/agent/v1/desired?epoch=x", NULL, 0);
	assert_int_equal(e->status, 400);
	env_agent(e, 1, "GET", "/agent/v1/desired?wait=61", NULL, 0);
	assert_int_equal(e->status, 400);
	env_agent(e, 1, "GET", "/agent/v1/desired?after=-1", NULL, 0);
	assert_int_equal(e->status, 400);
}

static void many_labels_come_oldest_change_first(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	struct proto_desired d;

	for (uint64_t i = 0; i < 130; i++) /* more than two batches of drawing */
		env_new_label(e, &ap, ADDR + 130 - i);
	env_settle(e);
	env_desired(e, 1, 0, &d);
	assert_int_equal(d.n_labels, 130);
	for (size_t i = 0; i < d.n_labels; i++) {
		assert_int_equal(d.labels[i].n, 1);
		assert_true(i == 0 || d.labels[i].rev > d.labels[i - 1].rev);
	}
	assert_true(d.rev >= d.labels[129].rev);
	proto_desired_done(&d);
}

static void poll_of_a_database_without_wishes_waits_for_the_first(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	struct proto_desired d;

	poll_with(e, 0, 0, 30); /* it knows nothing yet, so this answer is all there is */
	decode(e, &d);
	assert_true(d.full);
	assert_int_equal(d.rev, 0);
	proto_desired_done(&d);
	poll_with(e, db_epoch(e->app.db), 0, 30);
	assert_false(e->answered);
	env_advance(e, 29 * US_PER_SEC);
	assert_false(e->answered);
	env_advance(e, 2 * US_PER_SEC);
	decode(e, &d);
	assert_false(d.full);
	proto_desired_done(&d);
	poll_with(e, db_epoch(e->app.db), 0, 30);
	assert_false(e->answered);
	env_new_label(e, &ap, ADDR); /* takes the answer's place, and the poll's */
	env_desired(e, 1, 0, &d);
	assert_true(d.rev > 0);
	assert_int_equal(d.n_labels, 1);
	proto_desired_done(&d);
}

static void a_waiting_poll_of_a_revoked_agent_is_refused_at_once(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};

	env_new_label(e, &ap, ADDR);
	poll_with(e, db_epoch(e->app.db), present_rev(e), 50);
	shop_agent_shut_out(e->app.shop, 2);
	assert_false(e->answered);
	shop_agent_shut_out(e->app.shop, 1);
	env_settle(e);
	assert_true(e->answered);
	assert_int_equal(e->status, 403);
	assert_string_equal(env_text(e, "code"), "revoked");
}

static void reports_that_a_revocation_overtook_are_refused(void **state)
{
	struct env *e = *state;
	struct env_reports ap = {.agent_id = 1};
	struct proto_label_report seen = env_report(ADDR, LABEL_SEEN, ENV_START_US);

	env_new_label(e, &ap, ADDR);
	assert_int_equal(env_sql(e, "UPDATE agents SET revoked = 1 WHERE id = 1"), 0);
	assert_int_equal(env_sql(e, "UPDATE labels SET agent_id = NULL"), 0);
	assert_int_equal(env_send(e, &ap, &seen, 1), 403);
	assert_int_equal(env_number(e, "SELECT count(*) FROM labels WHERE agent_id IS NOT NULL"),
			 0);
}

#define t(f) cmocka_unit_test_setup_teardown(f, env_setup, env_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		t(another_epoch_or_a_future_revision_starts_over),
		t(poll_without_news_ends_in_time_and_says_so),
		t(wake_of_another_agent_does_not_end_the_poll),
		t(wake_of_all_brings_each_its_own_news),
		t(stop_ends_a_waiting_poll),
		t(bad_questions_are_refused),
		t(many_labels_come_oldest_change_first),
		t(poll_of_a_database_without_wishes_waits_for_the_first),
		t(a_waiting_poll_of_a_revoked_agent_is_refused_at_once),
		t(reports_that_a_revocation_overtook_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
