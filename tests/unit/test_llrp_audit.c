/* SPDX-License-Identifier: Apache-2.0 */
/* Is the reader still as it was set? Asked from time to time, told with what was found, mended. */
#include "tests/unit/llrp_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct shelf {
	struct rig rig;
	struct buf added; /**< the ADD_ROSPEC that the session sent */
};

/** What the reader says of its inventory and itself. */
struct telling {
	uint16_t power;   /**< index; 0 = as set */
	int session;      /**< -1 = as set */
	bool no_rssi;     /**< reports lack the signal strength */
	bool per_antenna; /**< one configuration for each of two antennas */
	uint32_t keepalive_ms;
	bool no_hold, no_events;
	unsigned int antenna_off;
};
#define AS_SET ((struct telling){.session = -1, .keepalive_ms = 600000})

static void granted(struct rig *rig, uint16_t request)
{
	rig_expect(rig, request);
	assert_int_equal(rig_reply(rig, (uint16_t) (request + 10), 0, NULL), 0);
}

static void take_added(struct shelf *s)
{
	buf_clear(&s->added);
	assert_int_equal(llrp_msg_encode(s->rig.got, &s->added), 0);
	assert_int_equal(rig_reply(&s->rig, LLRP_ADD_ROSPEC_RESPONSE, 0, NULL), 0);
	granted(&s->rig, LLRP_ENABLE_ROSPEC);
	granted(&s->rig, LLRP_START_ROSPEC);
	rig_expect(&s->rig, LLRP_ENABLE_EVENTS_AND_REPORTS);
	assert_int_equal(s->rig.sent.len, 0);
}

static void begin(struct shelf *s)
{
	buf_init(&s->added, 0);
	rig_init(&s->rig, &(struct rfid_reader_config){.keepalive_ms = 600000});
	rig_bring_up_to_add(&s->rig);
	take_added(s);
}

static void end(struct shelf *s)
{
	buf_done(&s->added);
	rig_done(&s->rig);
}

static void change(struct llrp_elem *antenna, const struct telling *t)
{
	if (t->power)
		llrp_set(llrp_find(antenna, LLRP_P_RF_TRANSMITTER), "TransmitPower", t->power);
	if (t->session >= 0)
		llrp_set(llrp_find(llrp_find(antenna, LLRP_P_C1G2_INVENTORY_COMMAND),
				   LLRP_P_C1G2_SINGULATION_CONTROL),
			 "Session", (uint64_t) t->session);
}

/** GET_ROSPECS is answered by what was added, running, with changes. */
static int tell_rospec(struct shelf *s, const struct telling *t)
{
	_cleanup_(llrp_msg_freep) struct llrp_msg *m = NULL;
	_cleanup_buf_ struct buf out = BUF_INIT, frame = BUF_INIT;
	struct llrp_msg *answer;
	struct llrp_elem *rospec, *antenna;

	rig_expect(&s->rig, LLRP_GET_ROSPECS);
	assert_int_equal(llrp_msg_decode(s->added.data, s->added.len, &m, NULL), 0);
	rospec = llrp_find(llrp_root(m), LLRP_P_ROSPEC);
	llrp_set(rospec, "CurrentState", 2);
	antenna = llrp_find(
		llrp_find(llrp_find(rospec, LLRP_P_AISPEC), LLRP_P_INVENTORY_PARAMETER_SPEC),
		LLRP_P_ANTENNA_CONFIGURATION);
	if (t->per_antenna)
		llrp_set(antenna, "AntennaID", 2);
	change(antenna, t);
	if (t->no_rssi)
		llrp_set(llrp_find(llrp_find(rospec, LLRP_P_RO_REPORT_SPEC),
				   LLRP_P_TAG_REPORT_CONTENT_SELECTOR),
			 "EnablePeakRSSI", 0);
	assert_int_equal(llrp_msg_encode(m, &out), 0);
	answer = rig_message(LLRP_GET_ROSPECS_RESPONSE, llrp_msg_id(s->rig.got));
	llrp_add_status(llrp_root(answer), 0, NULL);
	assert_int_equal(llrp_msg_encode(answer, &frame), 0);
	llrp_msg_free(answer);
	buf_put(&frame, out.data + 10, out.len - 10);
	buf_patch_u32be(&frame, 2, (uint32_t) frame.len);
	return llrp_session_feed(s->rig.session, frame.data, frame.len);
}

static int tell_config(struct shelf *s, const struct telling *t)
{
	struct llrp_elem *asked = rig_expect(&s->rig, LLRP_GET_READER_CONFIG), *e, *x;
	struct llrp_msg *m = rig_message(LLRP_GET_READER_CONFIG_RESPONSE, llrp_msg_id(s->rig.got));

	assert_int_equal(llrp_get(asked, "RequestedData"), 0);
	llrp_add_status(llrp_root(m), 0, NULL);
	for (unsigned int i = 1; i <= 2; i++) {
		e = llrp_add(llrp_root(m), LLRP_P_ANTENNA_PROPERTIES);
		llrp_set(e, "AntennaConnected", t->antenna_off != i);
		llrp_set(e, "AntennaID", i);
	}
	e = llrp_add(llrp_root(m), LLRP_P_READER_EVENT_NOTIFICATION_SPEC);
	for (unsigned int i = 0; i < 9; i++) {
		x = llrp_add(e, LLRP_P_EVENT_NOTIFICATION_STATE);
		llrp_set(x, "EventType", i);
		llrp_set(x, "NotificationState", !t->no_events);
	}
	e = llrp_add(llrp_root(m), LLRP_P_KEEPALIVE_SPEC);
	llrp_set(e, "KeepaliveTriggerType", t->keepalive_ms > 0);
	llrp_set(e, "PeriodicTriggerValue", t->keepalive_ms);
	e = llrp_add(llrp_root(m), LLRP_P_EVENTS_AND_REPORTS);
	llrp_set(e, "HoldEventsAndReportsUponReconnect", !t->no_hold);
	return rig_feed_msg(&s->rig, m);
}

static void look(struct shelf *s, int64_t after_us)
{
	clock_fake_advance(&s->rig.clock, after_us);
	assert_true(llrp_session_deadline(s->rig.session) <= s->rig.clock.now_mono_us);
	assert_int_equal(llrp_session_tick(s->rig.session), 0);
}

static struct rfid_reader_stats stats_of(struct shelf *s)
{
	struct rfid_reader_stats stats;

	llrp_session_get_stats(s->rig.session, &stats);
	return stats;
}

/** The inventory is set up from scratch, as it was. */
static void expect_anew(struct shelf *s)
{
	granted(&s->rig, LLRP_DELETE_ACCESSSPEC);
	granted(&s->rig, LLRP_DELETE_ROSPEC);
	rig_expect(&s->rig, LLRP_ADD_ROSPEC);
	take_added(s);
}

static void a_reader_that_is_as_it_was_set_is_left_alone(void **state)
{
	struct telling t = AS_SET;
	struct shelf s;

	(void) state;
	begin(&s);
	for (int i = 0; i < 5; i++) {
		t.per_antenna = i & 1; /* more words, the same meaning */
		look(&s, i ? LLRP_AUDIT_US : LLRP_AUDIT_FIRST_US);
		assert_int_equal(tell_rospec(&s, &t), 0);
		assert_int_equal(tell_config(&s, &t), 0);
		assert_int_equal(s.rig.sent.len, 0);
	}
	assert_int_equal(stats_of(&s).drifts, 0);
	assert_string_equal(s.rig.incidents, "");
	end(&s);
}

static void another_power_is_told_in_dbm_and_mended(void **state)
{
	struct telling t = AS_SET;
	struct rfid_reader_stats stats;
	struct shelf s;

	(void) state;
	begin(&s);
	look(&s, LLRP_AUDIT_FIRST_US);
	t.power = 5;
	assert_int_equal(tell_rospec(&s, &t), 0);
	stats = stats_of(&s);
	assert_int_equal(stats.drifts, 1);
	assert_false(stats.drift_mended);
	assert_string_equal(stats.drift, "transmit power 10.00 dBm instead of 30.00 dBm");
	expect_anew(&s);
	look(&s, LLRP_AUDIT_VERIFY_US);
	assert_int_equal(tell_rospec(&s, &AS_SET), 0);
	assert_int_equal(tell_config(&s, &AS_SET), 0);
	stats = stats_of(&s);
	assert_true(stats.drift_mended);
	assert_int_equal(stats.mended, 1);
	assert_int_equal(s.rig.sent.len, 0);
	end(&s);
}

static void what_is_wrong_is_named_with_what_was_wanted(void **state)
{
	static const struct {
		struct telling t;
		const char *words;
	} cases[] = {
		{{.session = 3, .keepalive_ms = 600000}, "session 3 instead of 0"},
		{{.session = -1, .no_rssi = true, .keepalive_ms = 600000},
		 "signal strength in reports 0 instead of 1"},
		{{.session = 2, .power = 7, .per_antenna = true, .keepalive_ms = 600000},
		 "transmit power 20.00 dBm instead of 30.00 dBm (antenna 2); session 2 instead of "
		 "0 (antenna 2)"},
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct shelf s;

		begin(&s);
		look(&s, LLRP_AUDIT_FIRST_US);
		assert_int_equal(tell_rospec(&s, &cases[i].t), 0);
		assert_string_equal(stats_of(&s).drift, cases[i].words);
		end(&s);
	}
}

static void a_changed_configuration_is_set_again_while_the_inventory_goes_on(void **state)
{
	struct telling t = AS_SET;
	struct shelf s;

	(void) state;
	begin(&s);
	look(&s, LLRP_AUDIT_FIRST_US);
	assert_int_equal(tell_rospec(&s, &t), 0);
	t.keepalive_ms = 60000;
	t.no_hold = t.no_events = true;
	assert_int_equal(tell_config(&s, &t), 0);
	assert_non_null(strstr(stats_of(&s).drift, "keepalive period in ms 60000 instead of "));
	assert_non_null(strstr(stats_of(&s).drift, "events of antennas 0 instead of 1"));
	rig_expect(&s.rig, LLRP_SET_READER_CONFIG);
	assert_int_equal(s.rig.sent.len, 0); /* and nothing else */
	assert_int_equal(s.rig.state, RFID_READER_RUNNING);
	look(&s, LLRP_AUDIT_VERIFY_US);
	assert_int_equal(tell_rospec(&s, &AS_SET), 0);
	assert_int_equal(tell_config(&s, &AS_SET), 0);
	assert_int_equal(stats_of(&s).mended, 1);
	end(&s);
}

static void a_reader_that_insists_is_told_once_and_left_so(void **state)
{
	struct telling t = AS_SET;
	struct shelf s;

	(void) state;
	begin(&s);
	t.power = 7;
	look(&s, LLRP_AUDIT_FIRST_US);
	assert_int_equal(tell_rospec(&s, &t), 0);
	expect_anew(&s);
	for (int i = 0; i < 4; i++) {
		look(&s, i ? LLRP_AUDIT_US : LLRP_AUDIT_VERIFY_US);
		assert_int_equal(tell_rospec(&s, &t), 0);
		assert_int_equal(tell_config(&s, &AS_SET), 0);
		assert_int_equal(s.rig.sent.len, 0);
	}
	assert_int_equal(stats_of(&s).drifts, 1);
	assert_int_equal(stats_of(&s).mended, 0);
	assert_non_null(strstr(s.rig.incidents, "goes on telling"));
	end(&s);
}

static void an_antenna_that_was_pulled_unnoticed_is_found_out(void **state)
{
	struct telling t = AS_SET;
	struct shelf s;

	(void) state;
	begin(&s);
	t.antenna_off = 2;
	look(&s, LLRP_AUDIT_FIRST_US);
	assert_int_equal(tell_rospec(&s, &t), 0);
	assert_int_equal(tell_config(&s, &t), 0);
	assert_int_equal(stats_of(&s).antennas_off, 2);
	look(&s, LLRP_AUDIT_US);
	assert_int_equal(tell_rospec(&s, &AS_SET), 0);
	assert_int_equal(tell_config(&s, &AS_SET), 0);
	assert_int_equal(stats_of(&s).antennas_off, 0);
	end(&s);
}

static void another_inventory_is_replaced(void **state)
{
	struct llrp_elem *e, *b;
	struct llrp_msg *m;
	struct shelf s;

	(void) state;
	begin(&s);
	look(&s, LLRP_AUDIT_FIRST_US);
	rig_expect(&s.rig, LLRP_GET_ROSPECS);
	m = rig_message(LLRP_GET_ROSPECS_RESPONSE, llrp_msg_id(s.rig.got));
	llrp_add_status(llrp_root(m), 0, NULL);
	e = llrp_add(llrp_root(m), LLRP_P_ROSPEC);
	llrp_set(e, "ROSpecID", 7);
	llrp_set(e, "CurrentState", 2);
	b = llrp_add(e, LLRP_P_RO_BOUNDARY_SPEC);
	llrp_add(b, LLRP_P_ROSPEC_START_TRIGGER);
	llrp_add(b, LLRP_P_ROSPEC_STOP_TRIGGER);
	assert_int_equal(rig_feed_msg(&s.rig, m), 0);
	assert_non_null(strstr(s.rig.incidents, "in place of ours"));
	expect_anew(&s);
	end(&s);
}

static void a_reader_that_cannot_say_is_believed(void **state)
{
	struct shelf s;

	(void) state;
	begin(&s);
	look(&s, LLRP_AUDIT_FIRST_US);
	rig_expect(&s.rig, LLRP_GET_ROSPECS);
	assert_int_equal(rig_reply(&s.rig, LLRP_GET_ROSPECS_RESPONSE, 109, "no"), 0);
	assert_int_equal(s.rig.sent.len, 0);
	look(&s, LLRP_AUDIT_US);
	assert_int_equal(tell_rospec(&s, &AS_SET), 0);
	rig_expect(&s.rig, LLRP_GET_READER_CONFIG);
	assert_int_equal(rig_reply(&s.rig, LLRP_GET_READER_CONFIG_RESPONSE, 109, "no"), 0);
	assert_int_equal(s.rig.sent.len, 0);
	assert_int_equal(stats_of(&s).drifts, 0);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reader_that_is_as_it_was_set_is_left_alone),
		cmocka_unit_test(another_power_is_told_in_dbm_and_mended),
		cmocka_unit_test(what_is_wrong_is_named_with_what_was_wanted),
		cmocka_unit_test(a_changed_configuration_is_set_again_while_the_inventory_goes_on),
		cmocka_unit_test(a_reader_that_insists_is_told_once_and_left_so),
		cmocka_unit_test(an_antenna_that_was_pulled_unnoticed_is_found_out),
		cmocka_unit_test(another_inventory_is_replaced),
		cmocka_unit_test(a_reader_that_cannot_say_is_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
