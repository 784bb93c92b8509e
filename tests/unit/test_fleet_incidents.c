/* SPDX-License-Identifier: Apache-2.0 */
/* From what agents say of themselves to incidents: opened with evidence, closed, never a flood. */
#include "tests/unit/test_controller.h"

#include "controller/fleet/fleet_incidents.h"
#include "controller/incidents/incidents.h"
#include <stdio.h>
#include <string.h>

struct shop {
	struct test_controller t;
	struct clock_fake clock;
	struct fleet_incidents *f;
	struct agent a;
	struct proto_health h;
};

static int arrange(struct sql *s, void *arg)
{
	(void) arg;
	return sql_exec(s, "INSERT INTO agents(id, name, key_hash, created, version, caps,"
			   " readers_rev) VALUES(1, 'ap1', x'01', 1, '', 0, 1);"
			   "INSERT INTO readers(agent_id, name, host, port, antennas, session,"
			   " power_cdbm) VALUES(1, 'dock', '10.0.0.1', 5084, '', 1, 0);");
}

static int setup(void **state)
{
	static struct shop s;

	memset(&s, 0, sizeof(s));
	test_controller_init(&s.t);
	test_controller_start_db(&s.t);
	test_controller_start_http(&s.t);
	clock_fake_init(&s.clock, 1000 * US_PER_SEC, INT64_C(1800000000) * US_PER_SEC);
	assert_int_equal(test_write(&s.t, arrange, NULL), 0);
	assert_int_equal(incidents_new(&s.t.app, &s.t.app.incidents), 0);
	http_add_routes(s.t.app.http, incident_routes);
	s.t.app.clock = &s.clock.clock;
	assert_int_equal(fleet_incidents_new(&s.t.app, &s.f), 0);
	s.a = (struct agent){
		.id = 1, .name = "ap1", .created_us = 1, .online = true, .health = &s.h};
	s.a.last_seen_us = clock_real_us(s.t.app.clock);
	s.h = (struct proto_health){.radio_state = "running",
				    .n_readers = 1,
				    .readers = {{.name = "dock", .state = "running"}}};
	*state = &s;
	return 0;
}

static int teardown(void **state)
{
	struct shop *s = *state;

	s->t.app.clock = loop_clock(s->t.app.loop);
	db_drain(s->t.app.db);
	fleet_incidents_free(s->f);
	incidents_free(s->t.app.incidents);
	s->t.app.incidents = NULL;
	test_controller_done(&s->t);
	return 0;
}

/** Reports every ten seconds for so long; what they led to is written. */
static void report(struct shop *s, int seconds)
{
	for (int i = 0; i <= seconds; i += 10) {
		fleet_incidents_health(s->f, &s->a);
		fleet_incidents_watch(s->f, &s->a);
		db_drain(s->t.app.db);
		clock_fake_advance(&s->clock, 10 * US_PER_SEC);
	}
}

static int64_t number(struct shop *s, const char *text)
{
	struct sql_stmt *q = sql_prepare(db_reader(s->t.app.db), text);
	int64_t n = -1;

	if (sql_step(q) > 0)
		n = sql_col_i64(q, 0);
	sql_reset(q);
	return n;
}

static json_t *newest(struct shop *s)
{
	struct test_reply r =
		test_json(&s->t, "GET", "/api/v1/incidents?limit=1", NULL, &test_admin);
	json_t *body = json_loads(r.body, 0, NULL);
	json_t *one = json_incref(json_array_get(json_object_get(body, "items"), 0));

	assert_non_null(one);
	json_decref(body);
	test_reply_done(&r);
	return one;
}

static const char *text(const json_t *j, const char *key)
{
	const char *t = json_string_value(json_object_get(j, key));

	return t ? t : "";
}

static void trouble(struct shop *s, const char *code, uint16_t antenna, const char *words)
{
	struct proto_health_reader *r = &s->h.readers[0];

	r->n_troubles = 1;
	r->troubles[0] = (struct proto_trouble){.antenna = antenna, .since_us = 5};
	snprintf(r->troubles[0].code, sizeof(r->troubles[0].code), "%s", code);
	snprintf(r->troubles[0].text, sizeof(r->troubles[0].text), "%s", words);
}

static void a_silent_antenna_opens_with_evidence_and_closes(void **state)
{
	struct shop *s = *state;
	const json_t *detail;
	json_t *j;

	report(s, 60);
	assert_int_equal(number(s, "SELECT count(*) FROM incidents"), 0);
	trouble(s, "silent-antenna", 2, "antenna 2 reads nothing, usually 4.5 reads a second");
	s->h.readers[0].n_antennas = 1;
	s->h.readers[0].antennas[0] =
		(struct proto_health_antenna){.antenna = 2, .usual_mhz = 4480};
	report(s, 0);
	j = newest(s);
	assert_string_equal(text(j, "kind"), "silent-antenna");
	assert_string_equal(text(j, "subject"), "agent:1/reader:dock/antenna:2");
	assert_string_equal(text(j, "title"), "Antenna 2 of reader dock of ap1 reads nothing.");
	assert_non_null(strstr(text(j, "next_step"), "cable"));
	detail = json_object_get(j, "detail");
	assert_non_null(strstr(text(detail, "evidence"), "usually 4.5"));
	assert_true(json_real_value(json_object_get(detail, "usual_reads_per_s")) > 4.4);
	json_decref(j);
	s->h.readers[0].n_troubles = 0;
	report(s, 40);
	j = newest(s);
	assert_string_equal(text(j, "state"), "closed");
	json_decref(j);
	assert_int_equal(number(s, "SELECT count(*) FROM incidents"), 1);
}

static void a_trouble_that_flaps_does_not_flood(void **state)
{
	struct shop *s = *state;

	for (int i = 0; i < 300; i++) {
		trouble(s, "antenna-off", 1, "nothing is connected");
		report(s, 0);
		s->h.readers[0].n_troubles = 0;
		report(s, 0); /* one report without it is no end */
	}
	assert_int_equal(number(s, "SELECT count(*) FROM incidents"), 1);
	assert_int_equal(number(s, "SELECT count(*) FROM incident_changes"), 1);
	assert_int_equal(number(s, "SELECT times FROM incidents"), 1);
}

static void evidence_that_changes_all_the_time_is_written_now_and_then(void **state)
{
	struct shop *s = *state;
	char words[40];
	int64_t before;

	trouble(s, "interference", 0, "x");
	report(s, 0);
	before = number(s, "SELECT rev FROM incidents");
	for (int i = 0; i < 60; i++) { /* ten minutes */
		snprintf(words, sizeof(words), "%d reads a second", i);
		trouble(s, "interference", 0, words);
		report(s, 0);
	}
	assert_in_range(number(s, "SELECT rev FROM incidents") - before, 8, 11);
}

static void a_reader_that_is_away_for_a_moment_is_no_incident(void **state)
{
	struct shop *s = *state;
	json_t *j;

	strcpy(s->h.readers[0].state, "waiting");
	report(s, 10);
	strcpy(s->h.readers[0].state, "running");
	report(s, 60);
	assert_int_equal(number(s, "SELECT count(*) FROM incidents"), 0);
	strcpy(s->h.readers[0].state, "waiting");
	strcpy(s->h.readers[0].error, "connection refused");
	report(s, 40);
	j = newest(s);
	assert_string_equal(text(j, "kind"), "reader-down");
	assert_string_equal(text(j, "severity"), "grave");
	json_decref(j);
}

static void a_reader_nobody_set_up_and_codes_nobody_knows_open_nothing(void **state)
{
	struct shop *s = *state;

	trouble(s, "silent-antenna", 1, "x");
	strcpy(s->h.readers[0].name, "made up");
	report(s, 60);
	strcpy(s->h.readers[0].name, "dock");
	trouble(s, "DROP TABLE", 1, "\xff\xfe");
	report(s, 60);
	assert_int_equal(number(s, "SELECT count(*) FROM incidents"), 0);
	trouble(s, "drifted", 0, "\xff\xfe not text");
	report(s, 0);
	assert_int_equal(number(s, "SELECT count(*) FROM incidents"), 1);
}

static void radio_and_clock_are_told_when_it_lasts(void **state)
{
	struct shop *s = *state;

	strcpy(s->h.radio_state, "down");
	s->h.clock_uncertainty_us = -1;
	report(s, 30);
	assert_int_equal(number(s, "SELECT count(*) FROM incidents WHERE kind = 'radio-down'"), 1);
	assert_int_equal(number(s, "SELECT count(*) FROM incidents WHERE kind = 'agent-clock'"), 0);
	report(s, 120);
	assert_int_equal(number(s, "SELECT count(*) FROM incidents WHERE kind = 'agent-clock'"), 1);
}

static void silence_is_told_and_over_when_it_is_heard_again(void **state)
{
	struct shop *s = *state;

	trouble(s, "silent-antenna", 1, "x");
	report(s, 100);
	s->a.online = false;
	for (int i = 0; i < 20; i++) {
		fleet_incidents_watch(s->f, &s->a);
		db_drain(s->t.app.db);
		clock_fake_advance(&s->clock, 5 * US_PER_SEC);
	}
	assert_int_equal(number(s, "SELECT count(*) FROM incidents WHERE kind = 'agent-silent'"
				   " AND closed IS NULL"),
			 1);
	/* What it said last is neither confirmed nor over. */
	assert_int_equal(number(s, "SELECT count(*) FROM incidents WHERE kind = 'silent-antenna'"
				   " AND closed IS NULL"),
			 1);
	s->a.online = true;
	report(s, 30);
	assert_int_equal(number(s, "SELECT count(*) FROM incidents WHERE closed IS NULL"), 1);
	s->a.revoked_us = 1;
	fleet_incidents_revoked(s->f, &s->a);
	db_drain(s->t.app.db);
	assert_int_equal(number(s, "SELECT count(*) FROM incidents WHERE closed IS NULL"), 0);
}

static void a_restart_of_the_controller_opens_nothing_twice(void **state)
{
	struct shop *s = *state;

	trouble(s, "silent-antenna", 1, "x");
	report(s, 10);
	fleet_incidents_free(s->f);
	assert_int_equal(fleet_incidents_new(&s->t.app, &s->f), 0);
	report(s, 10);
	assert_int_equal(number(s, "SELECT count(*) FROM incidents"), 1);
	assert_int_equal(number(s, "SELECT times FROM incidents"), 1);
	s->h.readers[0].n_troubles = 0;
	report(s, 40);
	assert_int_equal(number(s, "SELECT count(*) FROM incidents WHERE closed IS NULL"), 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

static void a_link_that_stays_down_is_an_incident_until_it_is_up(void **state)
{
	struct shop *s = *state;
	struct proto_health_interface *eth = &s->h.interfaces[0];
	json_t *one;

	s->h.clock_uncertainty_us = 1000;
	s->h.n_interfaces = 1;
	*eth = (struct proto_health_interface){.name = "eth1", .was_up = true};
	report(s, 10);
	assert_int_equal(number(s, "SELECT count(*) FROM incidents"), 0); /* for a moment */
	report(s, 40);
	one = newest(s);
	assert_string_equal(text(one, "kind"), "link-down");
	assert_string_equal(text(one, "title"), "Network link eth1 of ap1 is down.");
	json_decref(one);
	eth->up = true;
	report(s, 40);
	assert_int_equal(number(s, "SELECT count(*) FROM incidents WHERE closed IS NULL"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_link_that_stays_down_is_an_incident_until_it_is_up),
		TEST(a_silent_antenna_opens_with_evidence_and_closes),
		TEST(a_trouble_that_flaps_does_not_flood),
		TEST(evidence_that_changes_all_the_time_is_written_now_and_then),
		TEST(a_reader_that_is_away_for_a_moment_is_no_incident),
		TEST(a_reader_nobody_set_up_and_codes_nobody_knows_open_nothing),
		TEST(radio_and_clock_are_told_when_it_lasts),
		TEST(silence_is_told_and_over_when_it_is_heard_again),
		TEST(a_restart_of_the_controller_opens_nothing_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
