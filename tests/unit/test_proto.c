/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent-controller protocol: what one side writes the other reads, and nothing else gets in.
 * Here its versions, desired state, operations and health; sightings and reads are in
 * test_proto_sightings.c, labels in test_proto_labels.c.
 */
#include "tests/unit/test_common.h"

#include "common/cbor.h"
#include "common/err.h"
#include "common/proto.h"
#include "common/proto_operations.h"
#include <string.h>

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
			  .keys_rotating = true,
			  .keys_old = 13,
			  .keys_since_us = 14,
			  .unescrowed = 15,
			  .unescrowed_bonds = 16,
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

static void an_agent_that_escrows_nothing_does_not_say_that_all_is_in_escrow(void **state)
{
	(void) state;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct proto_health back;

	cbor_put_map(&b, 2);
	cbor_put_uint(&b, 0);
	cbor_put_uint(&b, PROTO_VERSION);
	cbor_put_uint(&b, 17); /* the radio: its driver alone */
	cbor_put_map(&b, 1);
	cbor_put_uint(&b, 0);
	cbor_put_text(&b, "h4");
	assert_int_equal(proto_health_decode(b.data, b.len, &back, NULL), 0);
	assert_string_equal(back.radio.driver, "h4");
	assert_int_equal(back.radio.unescrowed_bonds, -1);
}

static void a_radio_of_impossible_channels_is_refused(void **state)
{
	(void) state;
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct proto_health m = {.radio = {.channels = PROTO_CHANNELS_ALL + 1}}, back;

	assert_int_equal(proto_health_encode(&m, &b), 0);
	assert_true(proto_health_decode(b.data, b.len, &back, NULL) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_agents_are_asked_to_watch_survives_the_link),
		cmocka_unit_test(another_version_is_refused_by_name),
		cmocka_unit_test(keys_of_a_newer_sender_are_passed_over),
		cmocka_unit_test(a_key_that_comes_twice_is_refused),
		cmocka_unit_test(desired_state_survives_the_link),
		cmocka_unit_test(an_operation_survives_the_link_and_its_password_is_not_kept),
		cmocka_unit_test(results_of_operations_survive_the_link),
		cmocka_unit_test(health_survives_the_link),
		cmocka_unit_test(an_agent_that_escrows_nothing_does_not_say_that_all_is_in_escrow),
		cmocka_unit_test(a_radio_of_impossible_channels_is_refused),
	};

	return cmocka_run_group_tests_name("proto", tests, NULL, NULL);
}
