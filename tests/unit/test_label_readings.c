/* SPDX-License-Identifier: Apache-2.0 */
/* What labels measure: values as they come, those that are asked for, and their budget. */
#include "tests/unit/test_label_env.h"
#include <stdio.h>
#include <string.h>

#define ADDR     UINT64_C(0xC0FFEE000001)
#define LABEL    "/api/v1/labels/C0FFEE000001"
#define READINGS LABEL "/readings"
#define HOUR_US  (INT64_C(3600) * US_PER_SEC)
#define DAY_US   (24 * HOUR_US)

static struct env_reports ap;

/* A label that measures its temperature, its battery, and what only its maker knows. */
static void open_label(struct env *e)
{
	struct proto_label_report r = env_report(ADDR, LABEL_STATUS, ENV_START_US);

	ap = (struct env_reports){.agent_id = 1};
	env_new_label(e, &ap, ADDR);
	r.n_sensors = 3;
	r.sensors[0] = (struct sensor_reading){{false, 0x0054}, 2, {0xa9, 0x01}};
	r.sensors[1] = (struct sensor_reading){{false, 0x0059}, 2, {0xc0, 0x00}};
	r.sensors[2] = (struct sensor_reading){{true, 0x02ff0007}, 3, {1, 2, 3}};
	assert_int_equal(env_send(e, &ap, &r, 1), 200);
}

static int64_t now_us(const struct env *e)
{
	return clock_real_us(loop_clock(e->loop));
}

/* Its access point brings a value of sensor n, or (len 0) says why there is none. */
static void brings(struct env *e, uint8_t n, int64_t until_us, uint8_t len, uint16_t value)
{
	struct proto_label_report r = env_report(ADDR, LABEL_STATUS, now_us(e));

	r.has_reading = true;
	r.reading = n;
	r.reading_until_us = until_us;
	r.reading_len = len;
	r.reading_data[0] = (uint8_t) value;
	r.reading_data[1] = (uint8_t) (value >> 8);
	if (!len)
		strcpy(r.text, "The label did not answer.");
	assert_int_equal(env_send(e, &ap, &r, 1), 200);
}

static size_t items(struct env *e, const char *uri)
{
	json_t *body;
	size_t n;

	assert_int_equal(env_call(e, "GET", uri, NULL), 200);
	body = env_json(e);
	n = json_array_size(json_object_get(body, "items"));
	json_decref(body);
	return n;
}

static void a_reading_is_a_wish_with_an_end(void **state)
{
	struct env *e = *state;
	struct proto_desired d;

	open_label(e);
	assert_int_equal(env_call(e, "POST", READINGS, "{}"), 202);
	assert_int_equal(env_int(e, "sensors.2"), 2);
	env_desired(e, 1, 0, &d);
	assert_int_equal(d.labels[0].sensors, 7);
	assert_true(d.labels[0].sensors_until_us > now_us(e));
	assert_true(d.labels[0].flash_until_us == 0);
	proto_desired_done(&d);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "sensors.0.asked.state"), "asked");
	env_advance(e, 61 * US_PER_SEC);
	env_desired(e, 1, 0, &d);
	assert_true(d.labels[0].sensors_until_us == 0);
	proto_desired_done(&d);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "sensors.0.asked.state"), "failed");
	assert_string_equal(env_text(e, "sensors.0.asked.reason"), "No answer came.");
	assert_int_equal(env_number(e, "SELECT count(*) FROM audit WHERE action = 'label.read'"
				       " AND detail = 'sensors 0, 1, 2'"),
			 1);
}

static void what_was_asked_for_comes_back_with_its_instant(void **state)
{
	struct env *e = *state;
	char at[CLOCK_RFC3339_MAX];
	int64_t until;

	open_label(e);
	env_advance(e, HOUR_US);
	assert_int_equal(env_call(e, "POST", READINGS, "{\"sensors\":[1,0]}"), 202);
	until = env_number(e, "SELECT sensors_until FROM labels");
	env_advance(e, 2 * US_PER_SEC);
	brings(e, 1, until, 2, 160);
	clock_rfc3339(now_us(e), at);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "sensors.1.asked.state"), "read");
	assert_string_equal(env_text(e, "sensors.1.name"), "battery");
	assert_string_equal(env_text(e, "sensors.1.unit"), "V");
	assert_string_equal(env_text(e, "sensors.1.bytes"), "a000");
	assert_string_equal(env_text(e, "sensors.1.at"), at);
	assert_string_equal(env_text(e, "sensors.0.asked.state"), "asked");
	brings(e, 0, until, 0, 0);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "sensors.0.asked.state"), "failed");
	assert_string_equal(env_text(e, "sensors.0.asked.reason"), "The label did not answer.");
	assert_string_equal(env_text(e, "sensors.0.bytes"), "a901"); /* what it said before */
	assert_string_equal(env_text(e, "sensors.2.asked"), "");
	assert_string_equal(env_text(e, "sensors.2.name"), "");
	assert_string_equal(env_text(e, "sensors.2.bytes"), "010203");
	assert_int_equal(items(e, READINGS "?sensor=1"), 2);
	assert_string_equal(env_text(e, "items.0.at"), at);
	assert_int_equal(items(e, READINGS "?sensor=0"), 1);
}

static void a_value_nobody_asked_for_answers_nobody(void **state)
{
	struct env *e = *state;

	open_label(e);
	assert_int_equal(env_call(e, "POST", READINGS, "{\"sensors\":[0]}"), 202);
	brings(e, 0, 0, 2, 2000);  /* the clock's */
	brings(e, 0, 12345, 0, 0); /* of an older wish */
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "sensors.0.asked.state"), "asked");
	assert_string_equal(env_text(e, "sensors.0.bytes"), "d007");
	brings(e, 6, 0, 2, 1); /* it never told of such a one */
	assert_int_equal(items(e, READINGS "?sensor=6"), 0);
}

static void what_is_asked_for_twice_is_read_once(void **state)
{
	struct env *e = *state;
	struct proto_desired d;

	open_label(e);
	assert_int_equal(env_call(e, "POST", READINGS, "{\"sensors\":[0]}"), 202);
	env_advance(e, US_PER_SEC);
	assert_int_equal(env_call(e, "POST", READINGS, "{\"sensors\":[0,2]}"), 202);
	assert_int_equal(env_number(e, "SELECT count(*) FROM label_reads"), 2);
	assert_int_equal(env_call(e, "POST", READINGS, "{\"sensors\":[1]}"), 202);
	env_desired(e, 1, 0, &d);
	assert_int_equal(d.labels[0].sensors, 7);
	proto_desired_done(&d);
	/* and one answer is to all who asked */
	brings(e, 0, env_number(e, "SELECT sensors_until FROM labels"), 2, 1900);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "sensors.0.asked.state"), "read");
	assert_string_equal(env_text(e, "sensors.1.asked.state"), "asked");
}

static void bad_readings_are_refused(void **state)
{
	struct env *e = *state;

	open_label(e);
	env_new_label(e, &ap, ADDR + 1);
	assert_int_equal(env_call(e, "POST", READINGS, "{\"sensors\":[]}"), 422);
	assert_int_equal(env_call(e, "POST", READINGS, "{\"sensors\":[8]}"), 422);
	assert_int_equal(env_call(e, "POST", READINGS, "{\"sensors\":[-1]}"), 422);
	assert_int_equal(env_call(e, "POST", READINGS, "{\"sensors\":[\"0\"]}"), 422);
	assert_int_equal(env_call(e, "POST", READINGS, "{\"sensors\":0}"), 422);
	assert_int_equal(env_call(e, "POST", READINGS, "[]"), 400);
	assert_int_equal(env_call(e, "POST", READINGS, "{\"sensors\":[3]}"), 409);
	assert_string_equal(env_text(e, "code"), "no-sensor");
	assert_int_equal(env_call(e, "POST", "/api/v1/labels/C0FFEE000002/readings", "{}"), 409);
	assert_string_equal(env_text(e, "detail"), "This label has not told of a sensor.");
	assert_int_equal(env_call(e, "POST", "/api/v1/labels/x/readings", "{}"), 404);
	assert_int_equal(env_call(e, "GET", READINGS "?sensor=8", NULL), 400);
	assert_int_equal(env_sql(e, "UPDATE labels SET agent_id = NULL"), 0);
	assert_int_equal(env_call(e, "POST", READINGS, "{}"), 409);
	assert_string_equal(env_text(e, "code"), "no-access-point");
	assert_int_equal(env_number(e, "SELECT count(*) FROM label_reads"), 0);
	assert_int_equal(env_number(e, "SELECT count(*) FROM audit WHERE action = 'label.read'"),
			 0);
}

static void a_storm_of_readings_is_refused_also_after_a_restart(void **state)
{
	struct env *e = *state;

	open_label(e);
	for (int i = 0; i < SENSOR_READS_PER_HOUR / 2; i++) {
		assert_int_equal(env_call(e, "POST", READINGS, "{\"sensors\":[0,1]}"), 202);
		env_advance(e, 61 * US_PER_SEC);
	}
	assert_int_equal(env_call(e, "POST", READINGS, "{\"sensors\":[2]}"), 429);
	assert_string_equal(env_text(e, "code"), "battery-budget");
	env_restart(e);
	assert_int_equal(env_call(e, "POST", READINGS, "{\"sensors\":[2]}"), 429);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_int_equal(env_int(e, "budget.readings.hour"), SENSOR_READS_PER_HOUR);
	assert_string_not_equal(env_text(e, "budget.readings.free_at"), "");
	env_advance(e, HOUR_US - (10 * 61 - 1) * US_PER_SEC);
	/* room for the two of the first, not for three */
	assert_int_equal(env_call(e, "POST", READINGS, "{}"), 429);
	assert_int_equal(env_call(e, "POST", READINGS, "{\"sensors\":[0,1]}"), 202);
	assert_int_equal(env_call(e, "POST", READINGS, "{\"sensors\":[2]}"), 429);
}

static void a_day_has_a_budget_of_readings_of_its_own(void **state)
{
	struct env *e = *state;

	open_label(e);
	for (int i = 0; i < SENSOR_READS_PER_DAY / 2; i++) { /* never too many in an hour */
		assert_int_equal(env_call(e, "POST", READINGS, "{\"sensors\":[0,1]}"), 202);
		env_advance(e, HOUR_US / 8);
	}
	env_advance(e, HOUR_US);
	assert_int_equal(env_call(e, "POST", READINGS, "{\"sensors\":[2]}"), 429);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_int_equal(env_int(e, "budget.readings.hour"), 0);
	assert_int_equal(env_int(e, "budget.readings.day"), SENSOR_READS_PER_DAY);
	assert_string_not_equal(env_text(e, "budget.readings.free_at"), "");
	env_advance(e, 24 * HOUR_US);
	assert_int_equal(env_call(e, "POST", READINGS, "{}"), 202);
}

static void old_readings_thin_out_to_one_a_day(void **state)
{
	struct env *e = *state;

	open_label(e);
	for (int hour = 0; hour < 24 * 100; hour++) {
		env_advance(e, HOUR_US);
		brings(e, 0, 0, 2, (uint16_t) hour);
	}
	/* every hour of two days, the last of each of 88 days before */
	assert_in_range(items(e, READINGS "?limit=1000"), 48 + 87, 48 + 91);
	assert_int_equal(env_int(e, "items.0.sensor"), 0);
	assert_string_equal(env_text(e, "items.0.bytes"), "5f09");
	assert_int_equal(items(e, READINGS "?limit=5"), 5);
	assert_string_not_equal(env_text(e, "next"), "");
	assert_int_equal(env_number(e, "SELECT count(*) FROM label_readings WHERE n = 1"), 1);
}

static void a_visit_that_brings_no_value_leaves_the_last_one(void **state)
{
	struct env *e = *state;
	struct proto_label_report r;

	open_label(e);
	env_advance(e, HOUR_US);
	r = env_report(ADDR, LABEL_STATUS, now_us(e));
	r.n_sensors = 2;
	r.sensors[0].id.number = 0x0054;
	r.sensors[1].id.number = 0x0076; /* another sensor than before */
	assert_int_equal(env_send(e, &ap, &r, 1), 200);
	assert_int_equal(env_call(e, "GET", LABEL, NULL), 200);
	assert_string_equal(env_text(e, "sensors.0.bytes"), "a901");
	assert_string_equal(env_text(e, "sensors.1.bytes"), "");
	assert_string_equal(env_text(e, "sensors.1.name"), "relative humidity");
	/* what the older one measured stays what it was */
	assert_int_equal(items(e, READINGS "?sensor=1"), 1);
	assert_string_equal(env_text(e, "items.0.name"), "battery");
}

static void the_store_says_how_often_sensors_are_read(void **state)
{
	struct env *e = *state;
	struct proto_desired d;

	open_label(e);
	env_desired(e, 1, 0, &d);
	assert_true(d.sensor_period_s == -1);
	proto_desired_done(&d);
	e->config.labels_read_sensors_h = 24;
	env_desired(e, 1, 0, &d);
	assert_true(d.sensor_period_s == 86400);
	proto_desired_done(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_reading_is_a_wish_with_an_end, env_setup,
						env_teardown),
		cmocka_unit_test_setup_teardown(what_was_asked_for_comes_back_with_its_instant,
						env_setup, env_teardown),
		cmocka_unit_test_setup_teardown(a_value_nobody_asked_for_answers_nobody, env_setup,
						env_teardown),
		cmocka_unit_test_setup_teardown(what_is_asked_for_twice_is_read_once, env_setup,
						env_teardown),
		cmocka_unit_test_setup_teardown(bad_readings_are_refused, env_setup, env_teardown),
		cmocka_unit_test_setup_teardown(a_storm_of_readings_is_refused_also_after_a_restart,
						env_setup, env_teardown),
		cmocka_unit_test_setup_teardown(a_day_has_a_budget_of_readings_of_its_own,
						env_setup, env_teardown),
		cmocka_unit_test_setup_teardown(old_readings_thin_out_to_one_a_day, env_setup,
						env_teardown),
		cmocka_unit_test_setup_teardown(a_visit_that_brings_no_value_leaves_the_last_one,
						env_setup, env_teardown),
		cmocka_unit_test_setup_teardown(the_store_says_how_often_sensors_are_read,
						env_setup, env_teardown),
	};

	return cmocka_run_group_tests_name("label_readings", tests, NULL, NULL);
}
