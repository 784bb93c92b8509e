/* SPDX-License-Identifier: Apache-2.0 */
/* What goes into a packet, and in which order; sensors; what late answers and lost ones mean. */
#include "esl-radio/flash.h"
#include "esl-radio/packer.h"
#include "esl-radio/sensor.h"
#include "esl-radio/wake.h"
#include "tests/unit/esl_fake.h"

#include "common/err.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define OTHERS 12
#define LATER  (INT64_C(3600) * US_PER_SEC)

static struct fake f;
static int64_t until_us; /* of the last wish for sensors */

static void address(uint8_t i, uint8_t addr[ESL_ADDR_BYTES])
{
	const uint8_t a[ESL_ADDR_BYTES] = {0xc0, 0xff, 0xee, 0, 0, i};

	memcpy(addr, a, sizeof(a));
}

/** Another label of the first one's group, as if it had joined: picture 1 shown, picture 2 held. */
static struct esl_label *neighbour(uint8_t i)
{
	struct esl_label *l;
	uint8_t addr[ESL_ADDR_BYTES];

	address(i, addr);
	assert_int_equal(esl_label_add(f.engine, addr, &l), 0);
	assert_int_equal(esl_label_place(f.engine, l, f.group, i), 0);
	assert_int_equal(esl_label_set_slots(l, 2), 0);
	for (uint32_t n = 0; n < 2; n++) {
		fake_image(n + 1, l->slots[n].image);
		l->slots[n].held = true;
	}
	l->shown_slot = 0;
	l->grade = ESL_GRADE_CONFIRMED;
	l->configured = l->info_known = l->leds_known = l->queue_known = true;
	l->n_leds = 1;
	l->leds[0] = 0x3f;
	l->phase = ESL_PHASE_SYNCED;
	l->time_gen = f.engine->time.gen;
	l->time_set_us = l->heard_us = esl_now(f.engine);
	l->ping_at_us = ESL_NEVER;
	l->visit_after_us = ESL_NEVER; /* nobody visits it */
	esl_reconsider(f.engine, l);
	return l;
}

static void want(const struct esl_label *l, uint32_t now, uint32_t later)
{
	struct esl_want w = {.n = later ? 2 : 1};

	memcpy(w.addr, l->addr, sizeof(w.addr));
	fake_image(now, w.timeline[0].image);
	w.timeline[0].from_us = 1;
	if (later)
		fake_image(later, w.timeline[1].image);
	w.timeline[1].from_us = fake_utc(&f) + LATER;
	assert_int_equal(esl_engine_want(f.engine, &w), 0);
}

static void open_group(void)
{
	until_us = 0;
	fake_open(&f);
	fake_join(&f);
}

static const struct esl_report *last_value(void)
{
	for (size_t i = 0; i < MIN(f.n_reports, FAKE_REPORTS); i++) {
		const struct esl_report *r = &f.reports[(f.n_reports - 1 - i) % FAKE_REPORTS];

		if (r->has_sensor)
			return r;
	}
	return NULL;
}

static void answer_as(struct esl_label *l, uint8_t op, const struct esl_rsp *r)
{
	struct esl_cmd_brief cmd = {.op = op};

	esl_answer(f.engine, l, &cmd, r);
}

static void what_matters_more_goes_first(void **state)
{
	static const uint8_t order[] = {ESL_OP_DISPLAY_IMAGE, ESL_OP_DISPLAY_TIMED,
					ESL_OP_LED_CONTROL, ESL_OP_READ_SENSOR, ESL_OP_PING};
	struct esl_label *l[5];

	(void) state;
	open_group();
	for (uint8_t i = 0; i < 5; i++)
		l[i] = neighbour((uint8_t) (10 + i));
	l[0]->ping_at_us = esl_now(f.engine);
	esl_reconsider(f.engine, l[0]);
	esl_sensors_want(f.engine, l[1], 1, fake_utc(&f) + 60 * US_PER_SEC);
	esl_flash_want(f.engine, l[2], fake_utc(&f) + 30 * US_PER_SEC, LED_RED);
	want(l[3], 1, 2);
	want(l[4], 2, 0);
	assert_non_null(fake_request(&f));
	assert_int_equal(f.radio->sets[0].n, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(f.radio->sets[0].cmd[i].op, order[i]);
		assert_int_equal(f.radio->sets[0].cmd[i].esl_id, l[4 - i]->id);
	}
	fake_close(&f);
}

static void small_command_takes_the_room_that_large_ones_leave(void **state)
{
	(void) state;
	open_group();
	for (uint8_t i = 0; i < OTHERS; i++)
		want(neighbour((uint8_t) (10 + i)), 1, 2);
	for (uint8_t i = 0; i < 4; i++) {
		struct esl_label *l = neighbour((uint8_t) (40 + i));

		l->ping_at_us = esl_now(f.engine);
		esl_reconsider(f.engine, l);
	}
	assert_non_null(fake_request(&f));
	/* 5 x 8 + 3 x 2 = 46 of 47 bytes */
	assert_int_equal(f.radio->sets[0].n, 8);
	assert_int_equal(f.radio->sets[0].cmd[4].op, ESL_OP_DISPLAY_TIMED);
	assert_int_equal(f.radio->sets[0].cmd[5].op, ESL_OP_PING);
	fake_close(&f);
}

static void unanswered_timed_command_is_asked_after_before_it_is_repeated(void **state)
{
	struct esl_rsp holds = {.tag = ESL_RSP_BASIC_STATE,
				.basic = ESL_STATE_SYNCHRONIZED | ESL_STATE_PENDING_DISPLAY};
	struct esl_rsp empty = {.tag = ESL_RSP_BASIC_STATE, .basic = ESL_STATE_SYNCHRONIZED};
	struct esl_label *l[OTHERS];
	unsigned int pings = 0;

	(void) state;
	open_group();
	for (uint8_t i = 0; i < OTHERS; i++) {
		l[i] = neighbour((uint8_t) (10 + i));
		want(l[i], 1, 2);
	}
	assert_non_null(fake_request(&f));
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(f.radio->sets[0].cmd[i].esl_id, 10 + i);
	assert_non_null(fake_request(&f));
	for (size_t i = 0; i < f.radio->sets[0].n; i++) {
		const struct esl_cmd *c = &f.radio->sets[0].cmd[i];

		pings += c->op == ESL_OP_PING;
		/* those of the packet before, while the others are told for the first time */
		assert_true(c->op == ESL_OP_PING ? c->esl_id < 15 : c->esl_id >= 15);
	}
	assert_int_equal(pings, 3);
	answer_as(l[4], ESL_OP_PING, &holds);
	assert_int_equal(l[4]->pending.state, ESL_PENDING_ACKED);
	assert_int_equal(l[4]->ready, ESL_URGENCY_NONE);
	answer_as(l[3], ESL_OP_PING, &empty);
	assert_int_equal(l[3]->pending.state, ESL_PENDING_SENT);
	assert_int_equal(l[3]->ready, ESL_URGENCY_STAGE);
	fake_close(&f);
}

static void label_that_may_hold_a_foreign_command_is_not_taken_at_its_bit(void **state)
{
	struct esl_rsp holds = {.tag = ESL_RSP_BASIC_STATE,
				.basic = ESL_STATE_SYNCHRONIZED | ESL_STATE_PENDING_DISPLAY};
	struct esl_label *l;

	(void) state;
	open_group();
	l = neighbour(10);
	l->queue_known = false;
	want(l, 1, 2);
	assert_non_null(fake_request(&f));
	assert_int_equal(l->pending.state, ESL_PENDING_SENT);
	answer_as(l, ESL_OP_PING, &holds);
	assert_int_equal(l->pending.state, ESL_PENDING_SENT);
	fake_close(&f);
}

static void answer_counts_once_even_if_it_comes_late_or_twice(void **state)
{
	uint64_t acks;

	(void) state;
	open_group();
	f.engine->wakes[0]->ping_at_us = esl_now(f.engine);
	esl_reconsider(f.engine, f.engine->wakes[0]);
	assert_int_equal(fake_request(&f)->op, ESL_OP_PING);
	acks = f.engine->stats.acks;
	/* the next packet has been asked for meanwhile, with nothing in it for the label */
	assert_int_equal(fake_request(&f)->op, ESL_OP_PING);
	fake_basic_state(&f, ESL_STATE_SYNCHRONIZED);
	fake_basic_state(&f, ESL_STATE_SYNCHRONIZED);
	fake_basic_state(&f, ESL_STATE_SYNCHRONIZED);
	assert_in_range(f.engine->stats.acks - acks, 1, 2); /* one for each packet at most */
	assert_in_range(f.engine->stats.decrypt_failures, 1, 2);
	fake_close(&f);
}

static void want_sensors(uint8_t sensors, int64_t until)
{
	struct esl_want w = {.sensors = sensors, .sensors_until_us = until};

	memcpy(w.addr, fake_addr, sizeof(w.addr));
	until_us = until;
	assert_int_equal(esl_engine_want(f.engine, &w), 0);
	fake_run(&f, US_PER_MS);
}

static void read_sensors(uint8_t sensors, int64_t seconds)
{
	if (!until_us || until_us < fake_utc(&f))
		until_us = fake_utc(&f) + seconds * US_PER_SEC;
	want_sensors(sensors, until_us);
}

static size_t values(void)
{
	size_t n = 0;

	for (size_t i = 0; i < MIN(f.n_reports, FAKE_REPORTS); i++)
		n += f.reports[i].has_sensor;
	return n;
}

/* A label that has said that it measures temperature and battery. */
static void open_measuring(void)
{
	until_us = 0;
	fake_open(&f);
	f.info.n_sensors = 2;
	f.info.sensors[0].id.number = SENSOR_PROPERTY_TEMPERATURE;
	f.info.sensors[1].id.number = SENSOR_PROPERTY_VOLTAGE;
	fake_join(&f);
}

static void sensor_is_read_and_its_value_told(void **state)
{
	struct esl_rsp r = {
		.tag = ESL_RSP_SENSOR_VALUE, .index = 1, .raw = {0x12, 0x34}, .raw_len = 2};
	const struct esl_cmd *c;

	(void) state;
	open_group();
	read_sensors(1u << 1, 60);
	c = fake_request(&f);
	assert_non_null(c);
	assert_int_equal(c->op, ESL_OP_READ_SENSOR);
	assert_int_equal(c->index, 1);
	fake_answer(&f, &r);
	assert_non_null(last_value());
	assert_int_equal(last_value()->sensor, 1);
	assert_int_equal(last_value()->sensor_len, 2);
	assert_memory_equal(last_value()->sensor_data, r.raw, 2);
	assert_null(fake_request(&f));
	fake_close(&f);
}

static void value_of_another_sensor_is_not_believed(void **state)
{
	struct esl_rsp r = {.tag = ESL_RSP_SENSOR_VALUE, .index = 2, .raw_len = 1};

	(void) state;
	open_group();
	read_sensors(1u << 1, 60);
	assert_non_null(fake_request(&f));
	fake_answer(&f, &r);
	assert_null(last_value());
	assert_int_equal(fake_request(&f)->op, ESL_OP_READ_SENSOR);
	fake_close(&f);
}

static void sensor_that_is_not_there_is_told(void **state)
{
	(void) state;
	open_group();
	read_sensors(1u << 7, 60);
	assert_non_null(fake_request(&f));
	fake_error(&f, ESL_ERR_INVALID_PARAMETER);
	assert_non_null(last_value());
	assert_int_equal(last_value()->sensor_len, 0);
	assert_true(last_value()->text[0]);
	assert_null(fake_request(&f));
	fake_close(&f);
}

static void silent_sensor_is_given_up(void **state)
{
	unsigned int asked = 0;

	(void) state;
	open_group();
	read_sensors(1u << 0, 60);
	for (int i = 0; i < 30; i++) {
		const struct esl_cmd *c = fake_request(&f);

		asked += c && c->op == ESL_OP_READ_SENSOR;
	}
	assert_int_equal(asked, 10);
	assert_non_null(last_value());
	assert_true(last_value()->text[0]);
	fake_close(&f);
}

static void what_cannot_be_read_in_time_is_told_once(void **state)
{
	(void) state;
	open_group();
	read_sensors(3, 10);
	assert_int_equal(fake_request(&f)->op, ESL_OP_READ_SENSOR);
	read_sensors(3, 10); /* the same wish, told again with a picture's */
	fake_run(&f, 11 * US_PER_SEC);
	assert_int_equal(values(), 2);
	assert_string_equal(last_value()->text, "The label could not be reached in time.");
	assert_true(last_value()->sensor_until_us == until_us);
	assert_null(fake_request(&f));
	want_sensors(3, until_us); /* over: nothing is read any more */
	assert_null(fake_request(&f));
	fake_close(&f);
}

static void sensor_that_is_withdrawn_is_not_read(void **state)
{
	(void) state;
	open_group();
	read_sensors(1, 60);
	want_sensors(0, 0);
	assert_null(fake_request(&f));
	assert_int_equal(values(), 0);
	fake_close(&f);
}

/* Plays `periods` of them; yields how often each of two sensors was asked for. */
static void live(unsigned int periods, int64_t period_us, unsigned int asked[2])
{
	struct esl_rsp r = {.tag = ESL_RSP_SENSOR_VALUE, .raw = {0xc0, 0x00}, .raw_len = 2};

	asked[0] = asked[1] = 0;
	for (int64_t end = esl_now(f.engine) + periods * period_us; esl_now(f.engine) < end;) {
		const struct esl_cmd *c = fake_request(&f);

		fake_run(&f, 30 * US_PER_SEC);
		if (!c)
			continue;
		if (c->op != ESL_OP_READ_SENSOR) {
			fake_basic_state(&f, ESL_STATE_SYNCHRONIZED);
			continue;
		}
		r.index = c->index;
		asked[c->index]++;
		fake_answer(&f, &r);
	}
}

static void sensors_are_read_once_in_a_period_when_the_store_wants_it(void **state)
{
	const int64_t hour = 3600 * US_PER_SEC;
	unsigned int asked[2];

	(void) state;
	open_measuring();
	live(3, hour, asked);
	assert_int_equal(asked[0] + asked[1], 0);
	esl_engine_set_sensor_period(f.engine, 3600);
	live(5, hour, asked);
	assert_in_range(asked[0], 4, 6);
	assert_in_range(asked[1], 4, 6);
	assert_int_equal(last_value()->sensor_until_us, 0); /* nobody asked */
	esl_engine_set_sensor_period(f.engine, 0);
	live(3, hour, asked);
	assert_int_equal(asked[0] + asked[1], 0);
	fake_close(&f);
}

static void nobody_is_told_of_a_value_that_only_the_clock_missed(void **state)
{
	(void) state;
	open_measuring();
	esl_engine_set_sensor_period(f.engine, 60);
	for (int i = 0; i < 60; i++)
		if (fake_request(&f))
			fake_error(&f, ESL_ERR_INVALID_STATE);
	assert_int_equal(values(), 0);
	assert_null(fake_last(&f, ESL_ERROR));
	fake_close(&f);
}

static void battery_read_in_the_train_is_the_labels_battery(void **state)
{
	struct esl_rsp r = {.tag = ESL_RSP_SENSOR_VALUE, .raw_len = 2};

	(void) state;
	open_measuring();
	read_sensors(3, 60);
	assert_int_equal(fake_request(&f)->index, 0);
	r.raw[0] = 0x9c, r.raw[1] = 0xff;
	fake_answer(&f, &r);
	assert_int_equal(fake_request(&f)->index, 1);
	r.index = 1, r.raw[0] = 160, r.raw[1] = 0;
	fake_answer(&f, &r);
	assert_int_equal(last_value()->battery_mv, 2500);
	assert_int_equal(last_value()->temperature_cc, -100);
	fake_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_matters_more_goes_first),
		cmocka_unit_test(small_command_takes_the_room_that_large_ones_leave),
		cmocka_unit_test(unanswered_timed_command_is_asked_after_before_it_is_repeated),
		cmocka_unit_test(label_that_may_hold_a_foreign_command_is_not_taken_at_its_bit),
		cmocka_unit_test(answer_counts_once_even_if_it_comes_late_or_twice),
		cmocka_unit_test(sensor_is_read_and_its_value_told),
		cmocka_unit_test(value_of_another_sensor_is_not_believed),
		cmocka_unit_test(sensor_that_is_not_there_is_told),
		cmocka_unit_test(silent_sensor_is_given_up),
		cmocka_unit_test(what_cannot_be_read_in_time_is_told_once),
		cmocka_unit_test(sensor_that_is_withdrawn_is_not_read),
		cmocka_unit_test(sensors_are_read_once_in_a_period_when_the_store_wants_it),
		cmocka_unit_test(nobody_is_told_of_a_value_that_only_the_clock_missed),
		cmocka_unit_test(battery_read_in_the_train_is_the_labels_battery),
	};

	return cmocka_run_group_tests_name("esl_order", tests, NULL, NULL);
}
