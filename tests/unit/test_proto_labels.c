/* SPDX-License-Identifier: Apache-2.0 */
/* The agent-controller protocol: what labels are to do, and what is told of them. */
#include "tests/unit/test_common.h"

#include "common/proto.h"
#include <string.h>

static void label_reports_survive_the_link(void **state)
{
	(void) state;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct proto_label_report rep[2] = {
		{.addr = {0xc0, 1, 2, 3, 4, 5},
		 .kind = LABEL_ASSOCIATED,
		 .at_us = 12,
		 .width = 296,
		 .height = 128,
		 .display_type = DISPLAY_BLACK_WHITE,
		 .slots = 4,
		 .esl_group = 7,
		 .esl_id = 9,
		 .has_keys = true,
		 .response_key = {1},
		 .train_key = {2},
		 .temperature_cc = -250,
		 .battery_mv = 2987,
		 .rssi_dbm = -60},
		{.addr = {0xc0, 1, 2, 3, 4, 6},
		 .kind = LABEL_ERROR,
		 .at_us = 13,
		 .error = 42,
		 .text = "label has no such image",
		 .temperature_cc = INT16_MIN},
	};
	struct proto_label_reports m = {.journal_id = {9}, .first_seq = 3, .n = 2, .reports = rep};
	struct proto_label_reports back;

	assert_int_equal(proto_label_reports_encode(&m, &b), 0);
	assert_int_equal(proto_label_reports_decode(b.data, b.len, &back, NULL), 0);
	assert_int_equal(back.n, 2);
	for (int i = 0; i < 2; i++)
		assert_memory_equal(&back.reports[i], &rep[i], sizeof(rep[i]));
	proto_label_reports_done(&back);
}

static void what_a_label_measures_survives_the_link(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct proto_label_report m = {.kind = LABEL_STATUS,
				       .at_us = 1,
				       .temperature_cc = INT16_MIN,
				       .n_sensors = 3,
				       .sensors = {{{false, 0x0054}, 2, {0x9c, 0xff}},
						   {{false, 0x0076}, 2, {0x88, 0x13}},
						   {{true, 0x02ff0007}, 3, {1, 2, 3}}}};
	struct proto_label_report back;
	struct sensor_value v;

	(void) state;
	assert_int_equal(proto_label_report_encode(&m, &b), 0);
	assert_int_equal(proto_label_report_decode(b.data, b.len, &back), 0);
	assert_int_equal(back.n_sensors, 3);
	assert_true(sensor_decode(&back.sensors[0], &v));
	assert_true(v.number > -1.0001 && v.number < -0.9999);
	assert_string_equal(v.unit, "°C");
	assert_true(sensor_decode(&back.sensors[1], &v));
	assert_string_equal(v.name, "relative humidity");
	assert_true(v.number > 49.999 && v.number < 50.001);
	back.sensors[2] = (struct sensor_reading){{false, 0x0077}, 2, {0x20, 0x03}};
	assert_true(sensor_decode(&back.sensors[2], &v) && v.number > 799 && v.number < 801);
	back.sensors[2] = (struct sensor_reading){{false, 0x005b}, 1, {0xf6}};
	assert_true(sensor_decode(&back.sensors[2], &v) && v.number > -5.1 && v.number < -4.9);
	assert_int_equal(sensor_millivolts(192), 3000);
	assert_int_equal(sensor_millivolts(0xffff), 0);
	assert_int_equal(sensor_millivolts(0xfffe), UINT16_MAX);
	back.sensors[2] = m.sensors[2];
	/* A maker's own are bytes, and so are values that say "not known" or have another length.
	 */
	assert_false(sensor_decode(&back.sensors[2], &v));
	assert_int_equal(back.sensors[2].len, 3);
	back.sensors[1] = (struct sensor_reading){{false, 0x0076}, 2, {0xff, 0xff}};
	assert_false(sensor_decode(&back.sensors[1], &v));
	back.sensors[1].len = 1;
	assert_false(sensor_decode(&back.sensors[1], &v));
}

static void a_flash_survives_the_link_and_takes_nothing_from_older_agents(void **state)
{
	(void) state;
	_cleanup_buf_ struct buf b = BUF_INIT, without = BUF_INIT;
	struct proto_desired_label labels[2] = {
		{.addr = {1}, .rev = 5},
		{.addr = {2}, .rev = 6, .flash_until_us = 1234567, .flash_colour = LED_WHITE}};
	struct proto_desired m = {.epoch = 1, .rev = 8, .n_labels = 2, .labels = labels}, back;

	assert_int_equal(proto_desired_encode(&m, &b), 0);
	assert_int_equal(proto_desired_decode(b.data, b.len, &back, NULL), 0);
	assert_true(back.labels[0].flash_until_us == 0);
	assert_true(back.labels[1].flash_until_us == 1234567);
	assert_int_equal(back.labels[1].flash_colour, LED_WHITE);
	proto_desired_done(&back);
	/* what is before the new key is, but for the number of pairs, what it was before */
	labels[1].flash_until_us = 0;
	assert_int_equal(proto_desired_encode(&m, &without), 0);
	assert_true(b.len > without.len);
	assert_memory_equal(b.data + 1, without.data + 1, without.len - 1);
	/* key, one flash, of three parts, the first of them the label's index: one too far */
	assert_int_equal(b.data[without.len + 3], 1);
	b.data[without.len + 3] = 2;
	assert_true(proto_desired_decode(b.data, b.len, &back, NULL) < 0);
}

static void a_wish_for_sensors_takes_nothing_from_older_agents(void **state)
{
	(void) state;
	_cleanup_buf_ struct buf b = BUF_INIT, without = BUF_INIT;
	struct proto_desired_label labels[2] = {
		{.addr = {1}, .rev = 5},
		{.addr = {2}, .rev = 6, .sensors_until_us = 1234567, .sensors = 0x81}};
	struct proto_desired m = {
		.epoch = 1, .rev = 8, .n_labels = 2, .labels = labels, .sensor_period_s = -1};
	struct proto_desired back;

	assert_int_equal(proto_desired_encode(&m, &b), 0);
	assert_int_equal(proto_desired_decode(b.data, b.len, &back, NULL), 0);
	assert_true(back.labels[0].sensors_until_us == 0 && back.labels[0].sensors == 0);
	assert_true(back.labels[1].sensors_until_us == 1234567);
	assert_int_equal(back.labels[1].sensors, 0x81);
	assert_true(back.sensor_period_s == -1);
	proto_desired_done(&back);
	/* what is before the new keys is, but for the number of pairs, what it was before */
	labels[1].sensors_until_us = 0;
	m.sensor_period_s = 0;
	assert_int_equal(proto_desired_encode(&m, &without), 0);
	assert_memory_equal(b.data + 1, without.data + 1, without.len - 1);
	assert_int_equal(b.data[without.len + 3], 1); /* the label's index */
	b.data[without.len + 3] = 2;
	assert_true(proto_desired_decode(b.data, b.len, &back, NULL) < 0);
}

static void a_reading_and_a_dark_light_survive_the_link(void **state)
{
	(void) state;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct proto_label_report m = {.addr = {1},
				       .kind = LABEL_STATUS,
				       .at_us = 5,
				       .temperature_cc = INT16_MIN,
				       .led_off_us = 77,
				       .has_reading = true,
				       .reading = 7,
				       .reading_until_us = 99,
				       .reading_len = 16,
				       .reading_data = {1, 2, [15] = 3}};
	struct proto_label_report back;

	assert_int_equal(proto_label_report_encode(&m, &b), 0);
	assert_int_equal(proto_label_report_decode(b.data, b.len, &back), 0);
	assert_memory_equal(&back, &m, sizeof m);
	buf_clear(&b);
	m.reading_len = 0; /* it gave none */
	memset(m.reading_data, 0, sizeof m.reading_data);
	assert_int_equal(proto_label_report_encode(&m, &b), 0);
	assert_int_equal(proto_label_report_decode(b.data, b.len, &back), 0);
	assert_true(back.has_reading && back.reading_len == 0);
	buf_clear(&b);
	m.reading = SENSORS_MAX;
	assert_int_equal(proto_label_report_encode(&m, &b), 0);
	assert_true(proto_label_report_decode(b.data, b.len, &back) < 0);
}

static void a_label_tells_of_its_light(void **state)
{
	(void) state;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct proto_label_report m = {.addr = {1},
				       .kind = LABEL_STATUS,
				       .at_us = 5,
				       .temperature_cc = INT16_MIN,
				       .has_leds = true,
				       .n_leds = 2,
				       .leds = {0x3f, 0x43},
				       .led = LED_REPORT_FAILED,
				       .led_colour = LED_BLUE,
				       .led_until_us = 99,
				       .text = "no"};
	struct proto_label_report back;

	assert_int_equal(proto_label_report_encode(&m, &b), 0);
	assert_int_equal(proto_label_report_decode(b.data, b.len, &back), 0);
	assert_memory_equal(&back, &m, sizeof m);
	buf_clear(&b);
	m.n_leds = 0; /* it has none, and says so */
	memset(m.leds, 0, sizeof m.leds);
	assert_int_equal(proto_label_report_encode(&m, &b), 0);
	assert_int_equal(proto_label_report_decode(b.data, b.len, &back), 0);
	assert_true(back.has_leds && back.n_leds == 0);
}

static void an_led_shows_the_colours_it_has(void **state)
{
	(void) state;
	assert_true(led_shows(0x3f, LED_WHITE) && led_shows(0x3f, LED_RED));
	assert_true(led_shows(0x43, LED_RED));
	assert_false(led_shows(0x43, LED_WHITE));
	assert_true(led_shows(0x7f, LED_WHITE));
	assert_false(led_shows(0x7f, LED_GREEN));
	assert_false(led_shows(0x3f, LED_NONE));
	assert_false(led_shows(0xbf, LED_RED));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(label_reports_survive_the_link),
		cmocka_unit_test(what_a_label_measures_survives_the_link),
		cmocka_unit_test(a_flash_survives_the_link_and_takes_nothing_from_older_agents),
		cmocka_unit_test(a_wish_for_sensors_takes_nothing_from_older_agents),
		cmocka_unit_test(a_reading_and_a_dark_light_survive_the_link),
		cmocka_unit_test(a_label_tells_of_its_light),
		cmocka_unit_test(an_led_shows_the_colours_it_has),
	};

	return cmocka_run_group_tests_name("proto_labels", tests, NULL, NULL);
}
