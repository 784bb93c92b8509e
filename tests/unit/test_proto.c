/* SPDX-License-Identifier: Apache-2.0 */
/* The agent-controller protocol: what one side writes the other reads, and nothing else gets in. */
#include "tests/unit/test_common.h"

#include "common/cbor.h"
#include "common/err.h"
#include "common/proto.h"
#include "common/proto_operations.h"
#include <string.h>

static void sightings_survive_the_link(void **state)
{
	(void) state;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct proto_source src[] = {{"dock", 1}, {"dock", 2}};
	struct proto_sighting s[2] = {
		{.kind = SIGHTING_APPEAR,
		 .source = 0,
		 .first_us = 5,
		 .last_us = 9,
		 .count = 3,
		 .rssi_cdbm = -5512,
		 .peak_cdbm = -5000,
		 .rate_mhz = 5000},
		{.kind = SIGHTING_GONE, .source = 1, .first_us = -4, .last_us = -1, .count = 0},
	};
	struct proto_sightings m = {.caps = PROTO_CAP_RFID,
				    .journal_id = {1, 2, 3},
				    .first_seq = 77,
				    .n_sources = 2,
				    .sources = src,
				    .n = 2,
				    .sightings = s};
	struct proto_sightings back;

	assert_int_equal(epc_from_hex("303435fc8803d056d15b963f", &s[0].epc), 0);
	assert_int_equal(epc_set(&s[1].epc, (const uint8_t *) "\xab\xc0", 12), 0);
	assert_int_equal(proto_sightings_encode(&m, &b), 0);
	assert_int_equal(proto_sightings_decode(b.data, b.len, &back, NULL), 0);
	assert_int_equal(back.first_seq, 77);
	assert_int_equal(back.n, 2);
	assert_memory_equal(back.journal_id, m.journal_id, sizeof(m.journal_id));
	assert_true(epc_equal(&back.sightings[0].epc, &s[0].epc));
	assert_int_equal(back.sightings[1].epc.bits, 12);
	assert_int_equal(back.sightings[0].rssi_cdbm, -5512);
	assert_true(back.sightings[1].first_us == -4 && back.sightings[1].last_us == -1);
	assert_string_equal(back.sources[1].reader, "dock");
	proto_sightings_done(&back);
}

static void sighting_of_an_unnamed_antenna_is_refused(void **state)
{
	(void) state;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct proto_sighting s = {.kind = SIGHTING_APPEAR, .source = 1};
	struct proto_source src = {"dock", 1};
	struct proto_sightings m = {
		.first_seq = 1, .n_sources = 1, .sources = &src, .n = 1, .sightings = &s};
	struct proto_sightings back;

	assert_int_equal(proto_sightings_encode(&m, &b), 0);
	assert_int_equal(proto_sightings_decode(b.data, b.len, &back, NULL), -ERR_RANGE);
}

static struct proto_reads_entry some_reads(struct proto_source *src, struct proto_read *reads)
{
	struct proto_reads_entry e = {.kind = READS_PASSAGE,
				      .subject = 4,
				      .dropped = 11,
				      .n_sources = 2,
				      .sources = src,
				      .n = 3,
				      .reads = reads};

	src[0] = (struct proto_source){"gate", 1};
	src[1] = (struct proto_source){"gate", 2};
	for (int i = 0; i < 3; i++)
		reads[i] = (struct proto_read){.source = (uint8_t) (i % 2),
					       .at_us = 1700000000000000 + i * 40000,
					       .rssi_cdbm = (int16_t) (i ? -5000 - i : INT16_MIN),
					       .channel = 3,
					       .phase = (uint16_t) (i ? 4095 : UINT16_MAX),
					       .doppler = -900,
					       .count = 2};
	assert_int_equal(epc_from_hex("303435fc8803d056d15b963f", &e.epc), 0);
	return e;
}

static void raw_reads_survive_the_link(void **state)
{
	(void) state;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct proto_source src[2];
	struct proto_read reads[3];
	struct proto_reads_entry e = some_reads(src, reads);
	struct proto_reads m = {.journal_id = {9}, .first_seq = 3, .n = 1, .entries = &e}, back;

	assert_int_equal(proto_reads_encode(&m, &b), 0);
	assert_int_equal(proto_reads_decode(b.data, b.len, &back, NULL), 0);
	assert_int_equal(back.first_seq, 3);
	assert_int_equal(back.entries[0].dropped, 11);
	assert_int_equal(back.entries[0].n, 3);
	assert_true(epc_equal(&back.entries[0].epc, &e.epc));
	for (int i = 0; i < 3; i++) {
		const struct proto_read *r = &back.entries[0].reads[i];

		assert_true(r->at_us == reads[i].at_us);
		assert_int_equal(r->source, reads[i].source);
		assert_int_equal(r->rssi_cdbm, reads[i].rssi_cdbm);
		assert_int_equal(r->phase, reads[i].phase);
		assert_int_equal(r->doppler, -900);
		assert_int_equal(r->count, 2);
	}
	assert_string_equal(back.entries[0].sources[1].reader, "gate");
	for (size_t n = 0; n < b.len; n++) {
		struct proto_reads cut;

		assert_true(proto_reads_decode(b.data, n, &cut, NULL) < 0);
	}
	proto_reads_done(&back);
}

static void raw_reads_out_of_order_or_of_no_antenna_are_refused(void **state)
{
	(void) state;
	struct proto_source src[2];
	struct proto_read reads[3];
	struct proto_reads_entry e = some_reads(src, reads), back;
	_cleanup_buf_ struct buf late = BUF_INIT, nowhere = BUF_INIT, none = BUF_INIT;

	reads[2].at_us = reads[0].at_us;
	assert_int_equal(proto_reads_entry_encode(&e, &late), 0);
	assert_int_equal(proto_reads_entry_decode(late.data, late.len, &back), -ERR_RANGE);
	reads[2].at_us = reads[1].at_us;
	reads[2].source = 2;
	assert_int_equal(proto_reads_entry_encode(&e, &nowhere), 0);
	assert_int_equal(proto_reads_entry_decode(nowhere.data, nowhere.len, &back), -ERR_RANGE);
	e.n = 0;
	assert_int_equal(proto_reads_entry_encode(&e, &none), 0);
	assert_int_equal(proto_reads_entry_decode(none.data, none.len, &back), -ERR_RANGE);
}

static void message_of_too_many_reads_is_refused(void **state)
{
	(void) state;
	_cleanup_buf_ struct buf b = BUF_INIT;
	static struct proto_read reads[PROTO_MAX_ENTRY_READS];
	static struct proto_reads_entry entries[11];
	struct proto_source src[2];
	struct proto_reads m = {.first_seq = 1, .n = 11, .entries = entries}, back;

	for (size_t i = 0; i < 11; i++) {
		entries[i] = some_reads(src, reads);
		entries[i].n = PROTO_MAX_ENTRY_READS;
	}
	for (size_t i = 3; i < PROTO_MAX_ENTRY_READS; i++)
		reads[i].at_us = reads[2].at_us;
	assert_int_equal(proto_reads_encode(&m, &b), 0);
	assert_int_equal(proto_reads_decode(b.data, b.len, &back, NULL), -ERR_TOO_LARGE);
	m.n = 10;
	buf_clear(&b);
	assert_int_equal(proto_reads_encode(&m, &b), 0);
	assert_int_equal(proto_reads_decode(b.data, b.len, &back, NULL), 0);
	proto_reads_done(&back);
}

static void what_agents_are_asked_to_watch_survives_the_link(void **state)
{
	(void) state;
	_cleanup_buf_ struct buf b = BUF_INIT, without = BUF_INIT;
	struct proto_watch w = {.fine = true, .n_follow = 1, .n_doors = 1};
	struct proto_desired m = {.epoch = 1, .rev = 2, .watch = &w}, back;

	w.follow[0] = (struct proto_follow){.walk = 8, .until_us = 99};
	assert_int_equal(epc_from_hex("303435fc8803d056d15b963f", &w.follow[0].epc), 0);
	w.doors[0] = (struct proto_door){.door = 3, .n = 1, .antennas = {{"gate", 2, DOOR_OUTER}}};
	assert_int_equal(proto_desired_encode(&m, &b), 0);
	assert_int_equal(proto_desired_decode(b.data, b.len, &back, NULL), 0);
	assert_true(back.watch->fine);
	assert_int_equal(back.watch->follow[0].walk, 8);
	assert_true(epc_equal(&back.watch->follow[0].epc, &w.follow[0].epc));
	assert_int_equal(back.watch->doors[0].antennas[0].side, DOOR_OUTER);
	assert_string_equal(back.watch->doors[0].antennas[0].reader, "gate");
	proto_desired_done(&back);
	m.watch = NULL;
	assert_int_equal(proto_desired_encode(&m, &without), 0);
	assert_int_equal(proto_desired_decode(without.data, without.len, &back, NULL), 0);
	assert_null(back.watch); /* unchanged: not the same as nothing */
	proto_desired_done(&back);
	w.doors[0].antennas[0].side = 0;
	m.watch = &w;
	buf_clear(&b);
	assert_int_equal(proto_desired_encode(&m, &b), 0);
	assert_int_equal(proto_desired_decode(b.data, b.len, &back, NULL), -ERR_RANGE);
}

static void another_version_is_refused_by_name(void **state)
{
	(void) state;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct proto_ack back;
	size_t at;

	cbor_put_map(&b, 2);
	cbor_put_uint(&b, 0);
	cbor_put_uint(&b, PROTO_VERSION + 1);
	cbor_put_uint(&b, 2);
	cbor_put_uint(&b, 5);
	assert_int_equal(proto_ack_decode(b.data, b.len, &back, &at), -ERR_VERSION);
}

static void keys_of_a_newer_sender_are_passed_over(void **state)
{
	(void) state;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct proto_ack back;

	cbor_put_map(&b, 3);
	cbor_put_uint(&b, 0);
	cbor_put_uint(&b, PROTO_VERSION);
	cbor_put_uint(&b, 2);
	cbor_put_uint(&b, 5);
	cbor_put_uint(&b, 4711);
	cbor_put_array(&b, 2);
	cbor_put_text(&b, "new");
	cbor_put_null(&b);
	assert_int_equal(proto_ack_decode(b.data, b.len, &back, NULL), 0);
	assert_int_equal(back.acked, 5);
}

static void a_key_that_comes_twice_is_refused(void **state)
{
	(void) state;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct proto_ack back;

	cbor_put_map(&b, 3);
	cbor_put_uint(&b, 0);
	cbor_put_uint(&b, PROTO_VERSION);
	for (int i = 0; i < 2; i++) {
		cbor_put_uint(&b, 2);
		cbor_put_uint(&b, 5);
	}
	assert_int_equal(proto_ack_decode(b.data, b.len, &back, NULL), -ERR_BADMSG);
}

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

static void desired_state_survives_the_link(void **state)
{
	(void) state;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct proto_desired_reader reader = {.name = "dock",
					      .host = "127.0.0.1",
					      .port = 5084,
					      .n_antennas = 2,
					      .antennas = {1, 4},
					      .session = 1,
					      .power_cdbm = 2700,
					      .profile = "door",
					      .llrp_version = 2,
					      .reader_calls = true,
					      .tls = true,
					      .tls_pin = "ab"};
	struct proto_desired_label label = {
		.addr = {1}, .rev = 5, .n = 2, .timeline = {{{1}, 10}, {{2}, 20}}};
	struct proto_desired m = {.epoch = UINT64_MAX,
				  .rotate_keys_us = 1790000000000001,
				  .rev = 8,
				  .full = true,
				  .has_readers = true,
				  .n_readers = 1,
				  .readers = &reader,
				  .n_labels = 1,
				  .labels = &label,
				  .server_time_us = 99};
	struct proto_desired back;

	assert_int_equal(proto_desired_encode(&m, &b), 0);
	assert_int_equal(proto_desired_decode(b.data, b.len, &back, NULL), 0);
	assert_true(back.epoch == UINT64_MAX && back.full && back.has_readers);
	assert_memory_equal(back.readers, &reader, sizeof(reader));
	assert_int_equal(back.labels[0].n, 2);
	assert_true(back.labels[0].timeline[1].from_us == 20);
	assert_true(back.rotate_keys_us == 1790000000000001);
	proto_desired_done(&back);
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

static void an_operation_survives_the_link_and_its_password_is_not_kept(void **state)
{
	(void) state;
	_cleanup_buf_ struct buf b = BUF_INIT, kept = BUF_INIT;
	struct proto_operation op = {.id = 7,
				     .kind = OPERATION_WRITE_EPC,
				     .reader = "dock",
				     .antenna = 3,
				     .tag = {.bits = 96, .data = {0x30, 1}},
				     .epc = {.bits = 128, .data = {0x31, [15] = 2}},
				     .n_words = 6,
				     .password = 0xdeadbeef,
				     .until_us = 99},
			       back;
	struct proto_desired d = {.has_operations = true, .n_operations = 1, .operations = &op},
			     got;

	assert_int_equal(proto_desired_encode(&d, &b), 0);
	assert_int_equal(proto_desired_decode(b.data, b.len, &got, NULL), 0);
	assert_true(got.has_operations && got.n_operations == 1);
	assert_memory_equal(&got.operations[0], &op, sizeof(op));
	proto_desired_done(&got);
	assert_int_equal(proto_operation_encode(&op, &kept), 0);
	assert_null(memmem(kept.data, kept.len, "\xde\xad\xbe\xef", 4));
	assert_int_equal(proto_operation_decode(kept.data, kept.len, &back), 0);
	op.password = 0;
	assert_memory_equal(&back, &op, sizeof(op));
}

static void results_of_operations_survive_the_link(void **state)
{
	(void) state;
	_cleanup_buf_ struct buf b = BUF_INIT;
	static struct proto_operation_results m, back;

	m = (struct proto_operation_results){.n = 2,
					     .list = {{.id = 1,
						       .state = OPERATION_DONE,
						       .at_us = 5,
						       .tag = {.bits = 96, .data = {0x30}},
						       .antenna = 2,
						       .n_words = 2,
						       .words = {0x3000, 0xffff},
						       .text = "read"},
						      {.id = 2, .state = OPERATION_UNKNOWN}}};
	assert_int_equal(proto_operation_results_encode(&m, &b), 0);
	assert_int_equal(proto_operation_results_decode(b.data, b.len, &back, NULL), 0);
	assert_memory_equal(&back, &m, sizeof(m));
	for (size_t n = 0; n < b.len; n++)
		assert_true(proto_operation_results_decode(b.data, n, &back, NULL) < 0);
}

static void health_survives_the_link(void **state)
{
	(void) state;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct proto_health m = {
		.version = "0.1.0",
		.clock_offset_us = -31536000000000,
		.clock_uncertainty_us = 900,
		.n_readers = 1,
		.n_interfaces = 1,
		.readers = {{.name = "dock",
			     .state = "running",
			     .reads = 5,
			     .reports = 6,
			     .held = 7,
			     .gaps_us = 8,
			     .gap_cause = "overflow",
			     .gap_from_us = -9,
			     .gap_to_us = 10,
			     .tls_peer = "cd",
			     .n_troubles = 2,
			     .troubles = {{"drifted", 0, -5, "why"}, {"antenna-off", 3, 7, ""}},
			     .drifts = 3,
			     .mended = 2,
			     .n_antennas = 1,
			     .antennas = {{4, 5000, 10, -6, true}},
			     .n_channels = 2,
			     .channels = {{1, 902750, 20000, 7, -5500, -6500, true},
					  {.channel = 2}}}},
		.interfaces = {{.name = "wlan0",
				.up = true,
				.signal_dbm = -40,
				.carrier = true,
				.was_up = true,
				.speed_mbps = 1000,
				.duplex = PROTO_DUPLEX_FULL,
				.role = PROTO_WIFI_AP,
				.ssid = "Shop",
				.centre_mhz = 2422,
				.width_mhz = 40,
				.noise_dbm = -92,
				.busy_percent = 31,
				.changes = 2,
				.changed_us = -11}},
		.radio = {.driver = "h4",
			  .controller = "maker",
			  .interval = 1248,
			  .subevents = 26,
			  .subevent_interval = 48,
			  .response_delay = 34,
			  .response_spacing = 6,
			  .response_slots = 23,
			  .capacity = 6630,
			  .labels = 9,
			  .synced = 8,
			  .waiting = 1,
			  .lost = 2,
			  .armed = 3,
			  .armed_us = 12,
			  .channels_known = true,
			  .picture_ms = 181,
			  .flip_s = 61,
			  .channels = PROTO_CHANNELS_ALL - 1,
			  .wanted = PROTO_CHANNELS_ALL,
			  .refused = 12,
			  .packets = 1,
			  .commands = 2,
			  .acks = 3,
			  .retries = 4,
			  .uploads = 5,
			  .upload_failures = 6,
			  .decrypt_failures = 7,
			  .n_groups = 3,
			  .groups = {1, 255, 0},
			  .n_signal = PROTO_MAX_SIGNAL,
			  .signal = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
			  .n_stations = 2,
			  .stations = {
				  {"http://192.0.2.7", "door", "online", "2.80 yellow", true, 11,
				   40, 30, 2, 120000, 4000000, -50, 1, 2, 86400},
				  {.address = "http://192.0.2.8", .channel = -1, .tags = -1}}}};
	struct proto_health back;

	assert_int_equal(proto_health_encode(&m, &b), 0);
	assert_int_equal(proto_health_decode(b.data, b.len, &back, NULL), 0);
	assert_memory_equal(&back, &m, sizeof(m));
}

static void a_radio_of_impossible_channels_is_refused(void **state)
{
	(void) state;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct proto_health m = {.radio = {.channels = PROTO_CHANNELS_ALL + 1}}, back;

	assert_int_equal(proto_health_encode(&m, &b), 0);
	assert_true(proto_health_decode(b.data, b.len, &back, NULL) < 0);
}

static void every_truncation_is_refused_and_leaks_nothing(void **state)
{
	(void) state;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct proto_source src = {"dock", 1};
	struct proto_sighting s = {.kind = SIGHTING_APPEAR};
	struct proto_sightings m = {
		.first_seq = 1, .n_sources = 1, .sources = &src, .n = 1, .sightings = &s};
	struct proto_sightings back;

	assert_int_equal(proto_sightings_encode(&m, &b), 0);
	for (size_t n = 0; n < b.len; n++)
		assert_true(proto_sightings_decode(b.data, n, &back, NULL) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sightings_survive_the_link),
		cmocka_unit_test(sighting_of_an_unnamed_antenna_is_refused),
		cmocka_unit_test(raw_reads_survive_the_link),
		cmocka_unit_test(raw_reads_out_of_order_or_of_no_antenna_are_refused),
		cmocka_unit_test(message_of_too_many_reads_is_refused),
		cmocka_unit_test(what_agents_are_asked_to_watch_survives_the_link),
		cmocka_unit_test(another_version_is_refused_by_name),
		cmocka_unit_test(keys_of_a_newer_sender_are_passed_over),
		cmocka_unit_test(a_key_that_comes_twice_is_refused),
		cmocka_unit_test(label_reports_survive_the_link),
		cmocka_unit_test(desired_state_survives_the_link),
		cmocka_unit_test(what_a_label_measures_survives_the_link),
		cmocka_unit_test(a_flash_survives_the_link_and_takes_nothing_from_older_agents),
		cmocka_unit_test(a_wish_for_sensors_takes_nothing_from_older_agents),
		cmocka_unit_test(a_reading_and_a_dark_light_survive_the_link),
		cmocka_unit_test(a_label_tells_of_its_light),
		cmocka_unit_test(an_led_shows_the_colours_it_has),
		cmocka_unit_test(an_operation_survives_the_link_and_its_password_is_not_kept),
		cmocka_unit_test(results_of_operations_survive_the_link),
		cmocka_unit_test(health_survives_the_link),
		cmocka_unit_test(a_radio_of_impossible_channels_is_refused),
		cmocka_unit_test(every_truncation_is_refused_and_leaks_nothing),
	};

	return cmocka_run_group_tests_name("proto", tests, NULL, NULL);
}
