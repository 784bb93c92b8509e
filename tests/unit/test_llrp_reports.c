/* SPDX-License-Identifier: Apache-2.0 */
/** @file What a running LLRP session makes of reports, events and nonsense, in virtual time. */
#include "tests/unit/llrp_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* --- running ---------------------------------------------------------------------------------- */

static void keepalives_are_acknowledged_and_three_missed_are_the_end(void **state)
{
	const struct rfid_reader_config cfg = {.keepalive_ms = 1000};
	struct rig rig;

	(void) state;
	rig_init(&rig, &cfg);
	rig_bring_up(&rig);
	for (uint32_t id = 100; id < 110; id++) {
		clock_fake_advance(&rig.clock, 2900 * US_PER_MS);
		assert_int_equal(llrp_session_tick(rig.session), 0);
		assert_int_equal(rig_feed_msg(&rig, rig_message(LLRP_KEEPALIVE, id)), 0);
		rig_expect(&rig, LLRP_KEEPALIVE_ACK);
		assert_int_equal(llrp_msg_id(rig.got), id);
	}
	clock_fake_advance(&rig.clock, 3000 * US_PER_MS);
	assert_int_equal(llrp_session_tick(rig.session), -ETIMEDOUT);
	rig_done(&rig);
}

static void enabled_fields_left_out_are_carried_forward(void **state)
{
	struct llrp_msg *m;
	struct llrp_elem *tag;
	struct rig rig;

	(void) state;
	rig_init(&rig, NULL);
	rig_bring_up(&rig);
	m = rig_message(LLRP_RO_ACCESS_REPORT, 0);
	tag = rig_report_tag(m, 1);
	llrp_set(llrp_add(tag, LLRP_P_ANTENNA_ID), "AntennaID", 3);
	llrp_set_signed(llrp_add(tag, LLRP_P_PEAK_RSSI), "PeakRSSI", -60);
	llrp_set(llrp_add(tag, LLRP_P_CHANNEL_INDEX), "ChannelIndex", 12);
	llrp_set(llrp_add(tag, LLRP_P_TAG_SEEN_COUNT), "TagCount", 4);
	llrp_set(llrp_add(tag, LLRP_P_FIRST_SEEN_UTC), "Microseconds", NOW_US - 3000);
	llrp_set(llrp_add(tag, LLRP_P_LAST_SEEN_UTC), "Microseconds", NOW_US - 1000);
	tag = rig_report_tag(m, 2);
	assert_int_equal(rig_feed_msg(&rig, m), 0);
	m = rig_message(LLRP_RO_ACCESS_REPORT, 0);
	tag = rig_report_tag(m, 3);
	llrp_set(llrp_add(tag, LLRP_P_ANTENNA_ID), "AntennaID", 1);
	assert_int_equal(rig_feed_msg(&rig, m), 0);

	assert_int_equal(rig.n_reads, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(rig.reads[i].epc.data[11], i + 1);
		assert_int_equal(rig.reads[i].antenna, i < 2 ? 3 : 1);
		assert_int_equal(rig.reads[i].rssi_cdbm, -6000);
		assert_int_equal(rig.reads[i].channel, 12);
		assert_int_equal(rig.reads[i].count, 4);
		assert_true(rig.reads[i].first_us == NOW_US - 3000);
		assert_true(rig.reads[i].last_us == NOW_US - 1000);
		assert_false(rig.reads[i].rebased);
		assert_int_equal(rig.reads[i].phase, UINT16_MAX);
	}
	rig_done(&rig);
}

static void nothing_is_carried_over_a_reconnect(void **state)
{
	const struct rfid_reader_config cfg = {.n_antennas = 1, .antennas = {2}};
	struct llrp_msg *m;
	struct rig rig;

	(void) state;
	rig_init(&rig, &cfg);
	rig_bring_up(&rig);
	m = rig_message(LLRP_RO_ACCESS_REPORT, 0);
	llrp_set(llrp_add(rig_report_tag(m, 1), LLRP_P_ANTENNA_ID), "AntennaID", 3);
	assert_int_equal(rig_feed_msg(&rig, m), 0);
	llrp_session_connected(rig.session);
	rig_bring_up(&rig);
	m = rig_message(LLRP_RO_ACCESS_REPORT, 0);
	rig_report_tag(m, 1);
	assert_int_equal(rig_feed_msg(&rig, m), 0);
	assert_int_equal(rig.reads[1].antenna, 2);
	assert_int_equal(rig.reads[1].count, 1);
	assert_int_equal(rig.reads[1].rssi_cdbm, INT16_MIN);
	assert_true(rig.reads[1].rebased);
	rig_done(&rig);
}

static void vendor_fields_are_those_of_this_very_read(void **state)
{
	struct llrp_msg *m;
	struct llrp_elem *tag;
	struct rig rig;

	(void) state;
	rig_init(&rig, NULL);
	rig_bring_up(&rig);
	m = rig_message(LLRP_RO_ACCESS_REPORT, 0);
	tag = rig_report_tag(m, 1);
	llrp_set_signed(llrp_add(tag, LLRP_P_PEAK_RSSI), "PeakRSSI", -60);
	llrp_set(llrp_add_custom(tag, LLRP_VENDOR_IMPINJ, LLRP_IMPINJ_RF_PHASE_ANGLE), "PhaseAngle",
		 2048);
	llrp_set_signed(llrp_add_custom(tag, LLRP_VENDOR_IMPINJ, LLRP_IMPINJ_PEAK_RSSI), "RSSI",
			-6050);
	llrp_set_signed(llrp_add_custom(tag, LLRP_VENDOR_IMPINJ, LLRP_IMPINJ_RF_DOPPLER),
			"DopplerFrequency", -78);
	rig_report_tag(m, 2);
	assert_int_equal(rig_feed_msg(&rig, m), 0);
	assert_int_equal(rig.reads[0].phase, 2048);
	assert_int_equal(rig.reads[0].rssi_cdbm, -6050);
	assert_int_equal(rig.reads[0].doppler, -78);
	assert_int_equal(rig.reads[1].phase, UINT16_MAX);
	assert_int_equal(rig.reads[1].rssi_cdbm, -6000);
	assert_int_equal(rig.reads[1].doppler, INT16_MIN);
	rig_done(&rig);
}

static void far_off_clock_is_rebased_and_flagged(void **state)
{
	static const int64_t off_us[] = {-INT64_C(31536000) * US_PER_SEC, 2 * US_PER_SEC,
					 INT64_C(4000000000) * US_PER_SEC};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(off_us); i++) {
		struct rig rig;

		rig_init(&rig, NULL);
		rig_bring_up(&rig);
		clock_fake_advance(&rig.clock, 60 * US_PER_SEC);
		for (int n = 0; n < 40; n++) {
			struct llrp_msg *m = rig_message(LLRP_RO_ACCESS_REPORT, 0);
			uint64_t t = (uint64_t) (rig.clock.now_real_us + off_us[i]);
			struct llrp_elem *tag = rig_report_tag(m, 1);
			const struct rfid_read *r = &rig.reads[rig.n_reads];

			llrp_set(llrp_add(tag, LLRP_P_FIRST_SEEN_UTC), "Microseconds", t - 5000);
			llrp_set(llrp_add(tag, LLRP_P_LAST_SEEN_UTC), "Microseconds", t - 2000);
			assert_int_equal(rig_feed_msg(&rig, m), 0);
			assert_true(r->rebased);
			assert_true(r->last_us <= rig.clock.now_real_us);
			assert_true(r->last_us >= rig.clock.now_real_us - 5000);
			assert_true(r->last_us - r->first_us == 3000);
			clock_fake_advance(&rig.clock, US_PER_SEC);
		}
		rig_done(&rig);
	}
}

static void our_own_clock_may_be_set_while_a_reader_runs(void **state)
{
	struct rig rig;

	(void) state;
	rig_init(&rig, NULL);
	rig_bring_up(&rig);
	for (int n = 0; n < 10; n++) {
		struct llrp_msg *m = rig_message(LLRP_RO_ACCESS_REPORT, 0);
		struct llrp_elem *tag = rig_report_tag(m, 1);
		const int64_t year_us = INT64_C(31536000) * US_PER_SEC;

		/* The reader had the right time all along; after five reads we have it too. */
		if (n == 5)
			rig.clock.now_real_us += year_us;
		llrp_set(llrp_add(tag, LLRP_P_LAST_SEEN_UTC), "Microseconds",
			 (uint64_t) (rig.clock.now_real_us + (n < 5 ? year_us : 0) - 2000));
		assert_int_equal(rig_feed_msg(&rig, m), 0);
		assert_int_equal(rig.reads[n].rebased, n < 5);
		assert_true(rig.reads[n].last_us <= rig.clock.now_real_us);
		assert_true(rig.reads[n].last_us >= rig.clock.now_real_us - 2000);
		clock_fake_advance(&rig.clock, 200 * US_PER_MS);
	}
	rig_done(&rig);
}

static void uptime_is_put_on_our_clock(void **state)
{
	struct rig rig;

	(void) state;
	rig_init(&rig, NULL);
	rig_bring_up(&rig);
	for (int n = 0; n < 3; n++) {
		struct llrp_msg *m = rig_message(LLRP_RO_ACCESS_REPORT, 0);
		struct llrp_elem *tag = rig_report_tag(m, 1);

		llrp_set(llrp_add(tag, LLRP_P_LAST_SEEN_UPTIME), "Microseconds",
			 (uint64_t) (5000000 + 400000 * n - (n == 1 ? 100000 : 0)));
		assert_int_equal(rig_feed_msg(&rig, m), 0);
		assert_true(rig.reads[n].rebased);
		clock_fake_advance(&rig.clock, 400000);
	}
	assert_true(rig.reads[0].last_us == NOW_US);
	assert_true(rig.reads[1].last_us == NOW_US + 300000);
	assert_true(rig.reads[2].last_us == NOW_US + 800000);
	rig_done(&rig);
}

static void absurd_times_become_those_of_arrival(void **state)
{
	struct llrp_msg *m;
	struct llrp_elem *tag;
	struct rig rig;

	(void) state;
	rig_init(&rig, NULL);
	rig_bring_up(&rig);
	m = rig_message(LLRP_RO_ACCESS_REPORT, 0);
	tag = rig_report_tag(m, 1);
	llrp_set(llrp_add(tag, LLRP_P_FIRST_SEEN_UTC), "Microseconds", 0);
	llrp_set(llrp_add(tag, LLRP_P_LAST_SEEN_UTC), "Microseconds", UINT64_MAX);
	assert_int_equal(rig_feed_msg(&rig, m), 0);
	assert_true(rig.reads[0].first_us == NOW_US && rig.reads[0].last_us == NOW_US);
	rig_done(&rig);
}

static void events_become_incidents(void **state)
{
	struct llrp_msg *m = rig_message(LLRP_READER_EVENT_NOTIFICATION, 0);
	struct llrp_elem *data = rig_event_data(m, NOW_US), *e;
	struct rig rig;

	(void) state;
	rig_init(&rig, NULL);
	rig_bring_up(&rig);
	llrp_set(llrp_add(data, LLRP_P_REPORT_BUFFER_LEVEL_WARNING_EVENT),
		 "ReportBufferPercentageFull", 80);
	llrp_add(data, LLRP_P_REPORT_BUFFER_OVERFLOW_ERROR_EVENT);
	llrp_set_text(llrp_add(data, LLRP_P_READER_EXCEPTION_EVENT), "Message",
		      "too hot\n<script>");
	e = llrp_add(data, LLRP_P_ANTENNA_EVENT);
	llrp_set(e, "AntennaID", 2);
	llrp_set(llrp_add(data, LLRP_P_CONNECTION_ATTEMPT_EVENT), "Status", 4);
	assert_int_equal(rig_feed_msg(&rig, m), 0);
	assert_non_null(strstr(rig.incidents, "80 % full"));
	assert_non_null(strstr(rig.incidents, "overflowed"));
	assert_non_null(strstr(rig.incidents, "too hot?<script>"));
	assert_non_null(strstr(rig.incidents, "antenna 2 was disconnected"));
	assert_non_null(strstr(rig.incidents, "another client"));
	assert_int_equal(rig.state, RFID_READER_RUNNING);
	rig_done(&rig);
}

static void flood_of_incidents_is_dammed_and_counted(void **state)
{
	struct rig rig;
	size_t lines = 0;

	(void) state;
	rig_init(&rig, NULL);
	rig_bring_up(&rig);
	for (int i = 0; i < 100; i++) {
		struct llrp_msg *m = rig_message(LLRP_READER_EVENT_NOTIFICATION, 0);

		llrp_add(rig_event_data(m, NOW_US), LLRP_P_REPORT_BUFFER_OVERFLOW_ERROR_EVENT);
		if (i == 99) {
			for (const char *p = rig.incidents; (p = strchr(p, '\n')); p++)
				lines++;
			assert_int_equal(lines, LLRP_MAX_INCIDENTS);
			rig.incidents[0] = '\0';
			clock_fake_advance(&rig.clock, 20 * US_PER_SEC);
			assert_int_equal(rig_feed_msg(&rig, rig_message(LLRP_KEEPALIVE, 1)), 0);
			clock_fake_advance(&rig.clock, 20 * US_PER_SEC);
			assert_int_equal(rig_feed_msg(&rig, rig_message(LLRP_KEEPALIVE, 2)), 0);
			clock_fake_advance(&rig.clock, 20 * US_PER_SEC);
		}
		assert_int_equal(rig_feed_msg(&rig, m), 0);
	}
	assert_non_null(strstr(rig.incidents, "79 more incidents were not told"));
	rig_done(&rig);
}

static void error_message_is_never_answered(void **state)
{
	struct rig rig;

	(void) state;
	rig_init(&rig, NULL);
	rig_bring_up(&rig);
	assert_int_equal(rig_reply(&rig, LLRP_ERROR_MESSAGE, 109, "what?"), 0);
	assert_int_equal(rig.sent.len, 0);
	assert_non_null(strstr(rig.incidents, "what?"));
	rig_done(&rig);
}

static void reader_that_closes_is_believed(void **state)
{
	struct llrp_msg *m = rig_message(LLRP_READER_EVENT_NOTIFICATION, 0);
	struct rig rig;

	(void) state;
	rig_init(&rig, NULL);
	rig_bring_up(&rig);
	llrp_add(rig_event_data(m, NOW_US), LLRP_P_CONNECTION_CLOSE_EVENT);
	assert_int_equal(rig_feed_msg(&rig, m), -ERR_CLOSED);
	rig_done(&rig);
}

static void message_of_a_later_version_is_passed_over(void **state)
{
	static const uint8_t frame[] = {0x08, 0x38, 0, 0, 0, 12, 0, 0, 0, 1, 0xab, 0xcd};
	struct rig rig;

	(void) state;
	rig_init(&rig, NULL);
	rig_bring_up(&rig);
	assert_int_equal(llrp_session_feed(rig.session, frame, sizeof(frame)), 0);
	rig_done(&rig);
}

/* --- bad input -------------------------------------------------------------------------------- */

static void byte_by_byte_is_the_same(void **state)
{
	struct llrp_msg *m;
	struct rig rig;

	(void) state;
	rig_init(&rig, NULL);
	rig.chunked = true;
	rig_bring_up(&rig);
	m = rig_message(LLRP_RO_ACCESS_REPORT, 0);
	for (uint8_t i = 0; i < 200; i++)
		rig_report_tag(m, i);
	assert_int_equal(rig_feed_msg(&rig, m), 0);
	assert_int_equal(rig.n_reads, 200);
	assert_int_equal(rig.reads[199].epc.data[11], 199);
	rig_done(&rig);
}

static void lie_about_a_length_costs_the_connection(void **state)
{
	static const uint8_t lies[][18] = {
		{0x04, 0x3d, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0},
		{0x04, 0x3d, 0, 0, 0, 9, 0, 0, 0, 0},
		{0x00, 0x3d, 0, 0, 0, 10, 0, 0, 0, 0},
		{0x04, 0x3d, 0, 0, 0, 18, 0, 0, 0, 0, 0, 240, 0, 200, 1, 2, 3, 4},
		{0x04, 0x3f, 0, 0, 0, 18, 0, 0, 0, 0, 0, 246, 0, 3, 1, 2, 3, 4},
		{'G', 'E', 'T', ' ', '/', ' ', 'H', 'T', 'T', 'P', '/', '1', '.', '1', '\r', '\n'},
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		struct rfid_reader_stats stats;
		struct rig rig;

		rig_init(&rig, NULL);
		rig_bring_up(&rig);
		assert_true(llrp_session_feed(rig.session, lies[i], sizeof(lies[i])) < 0);
		assert_int_equal(rig.n_reads, 0);
		llrp_session_get_stats(rig.session, &stats);
		assert_int_equal(stats.bad_frames, 1);
		assert_int_equal(llrp_session_feed(rig.session, lies[i], 1), -ERR_STATE);
		/* ... but only this one. */
		llrp_session_connected(rig.session);
		rig_bring_up(&rig);
		rig_done(&rig);
	}
}

static void report_with_a_fault_at_its_end_is_discarded_whole(void **state)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct llrp_msg *m = rig_message(LLRP_RO_ACCESS_REPORT, 0);
	struct rig rig;

	(void) state;
	rig_init(&rig, NULL);
	rig_bring_up(&rig);
	for (uint8_t i = 0; i < 100; i++)
		rig_report_tag(m, i);
	assert_int_equal(llrp_msg_encode(m, &out), 0);
	llrp_msg_free(m);
	out.data[out.len - 13] = 0xff; /* an unknown TV parameter instead of the last EPC */
	assert_int_equal(llrp_session_feed(rig.session, out.data, out.len), -ERR_BADMSG);
	assert_int_equal(rig.n_reads, 0);
	rig_done(&rig);
}

static void overlong_or_empty_epc_is_told_and_passed_over(void **state)
{
	static const uint8_t bits[70];
	struct llrp_msg *m = rig_message(LLRP_RO_ACCESS_REPORT, 0);
	struct llrp_elem *tag;
	struct rig rig;

	(void) state;
	rig_init(&rig, NULL);
	rig_bring_up(&rig);
	for (size_t n = 0; n <= 560; n += 80) {
		tag = llrp_add(llrp_root(m), LLRP_P_TAG_REPORT_DATA);
		llrp_set_bytes(llrp_add(tag, LLRP_P_EPC_DATA), "EPC", bits, n);
	}
	assert_int_equal(rig_feed_msg(&rig, m), 0);
	assert_int_equal(rig.n_reads, 6); /* 80 to 480 bits */
	assert_non_null(strstr(rig.incidents, "2 tag reports"));
	rig_done(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keepalives_are_acknowledged_and_three_missed_are_the_end),
		cmocka_unit_test(enabled_fields_left_out_are_carried_forward),
		cmocka_unit_test(nothing_is_carried_over_a_reconnect),
		cmocka_unit_test(vendor_fields_are_those_of_this_very_read),
		cmocka_unit_test(far_off_clock_is_rebased_and_flagged),
		cmocka_unit_test(our_own_clock_may_be_set_while_a_reader_runs),
		cmocka_unit_test(uptime_is_put_on_our_clock),
		cmocka_unit_test(absurd_times_become_those_of_arrival),
		cmocka_unit_test(events_become_incidents),
		cmocka_unit_test(flood_of_incidents_is_dammed_and_counted),
		cmocka_unit_test(error_message_is_never_answered),
		cmocka_unit_test(reader_that_closes_is_believed),
		cmocka_unit_test(message_of_a_later_version_is_passed_over),
		cmocka_unit_test(byte_by_byte_is_the_same),
		cmocka_unit_test(lie_about_a_length_costs_the_connection),
		cmocka_unit_test(report_with_a_fault_at_its_end_is_discarded_whole),
		cmocka_unit_test(overlong_or_empty_epc_is_told_and_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
