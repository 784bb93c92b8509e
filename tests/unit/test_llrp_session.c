/* SPDX-License-Identifier: Apache-2.0 */
/** @file The LLRP session as scripts of messages, in virtual time: from connecting to stopping. */
#include "tests/unit/llrp_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* --- connecting ------------------------------------------------------------------------------- */

static void nothing_is_sent_before_the_connection_event(void **state)
{
	struct rig rig;

	(void) state;
	rig_init(&rig, NULL);
	assert_int_equal(rig_feed_msg(&rig, rig_message(LLRP_KEEPALIVE, 9)), 0);
	assert_int_equal(rig_rospec_event(&rig, 0), 0);
	assert_int_equal(rig.sent.len, 0);
	assert_int_equal(rig_connection_event(&rig, 0), 0);
	rig_expect(&rig, LLRP_GET_READER_CAPABILITIES);
	assert_int_equal(rig.state, RFID_READER_NEGOTIATING);
	rig_done(&rig);
}

static void refused_connection_says_why(void **state)
{
	static const struct {
		uint16_t status;
		int err;
		const char *word;
	} cases[] = {
		{1, -EBUSY, "exists"},   {2, -EBUSY, "another client"}, {3, -ERR_PEER, "refused"},
		{4, -ERR_PEER, "tried"}, {77, -ERR_PEER, "unlisted"},
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rig rig;

		rig_init(&rig, NULL);
		assert_int_equal(rig_connection_event(&rig, cases[i].status), cases[i].err);
		assert_non_null(strstr(llrp_session_text(rig.session), cases[i].word));
		assert_int_equal(rig.sent.len, 0);
		assert_int_equal(rig_feed_msg(&rig, rig_message(LLRP_KEEPALIVE, 1)), -ERR_STATE);
		rig_done(&rig);
	}
}

static void reader_that_says_nothing_is_given_up(void **state)
{
	struct rig rig;

	(void) state;
	rig_init(&rig, NULL);
	assert_int_equal(llrp_session_tick(rig.session), 0);
	clock_fake_advance(&rig.clock, LLRP_RESPONSE_TIMEOUT_US);
	assert_true(llrp_session_deadline(rig.session) <= rig.clock.now_mono_us);
	assert_int_equal(llrp_session_tick(rig.session), -ETIMEDOUT);
	assert_non_null(strstr(llrp_session_text(rig.session), "connection event"));
	rig_done(&rig);
}

static void request_without_response_is_given_up(void **state)
{
	struct rig rig;

	(void) state;
	rig_init(&rig, NULL);
	assert_int_equal(rig_connection_event(&rig, 0), 0);
	rig_expect(&rig, LLRP_GET_READER_CAPABILITIES);
	clock_fake_advance(&rig.clock, LLRP_RESPONSE_TIMEOUT_US - 1);
	/* Signs of life are no answer. */
	assert_int_equal(rig_feed_msg(&rig, rig_message(LLRP_KEEPALIVE, 9)), 0);
	assert_int_equal(llrp_session_tick(rig.session), 0);
	clock_fake_advance(&rig.clock, 1);
	assert_int_equal(llrp_session_tick(rig.session), -ETIMEDOUT);
	rig_done(&rig);
}

static void response_of_another_id_or_type_is_ignored(void **state)
{
	struct llrp_msg *m;
	struct rig rig;

	(void) state;
	rig_init(&rig, NULL);
	rig_bring_up_to_add(&rig);
	m = rig_message(LLRP_ADD_ROSPEC_RESPONSE, llrp_msg_id(rig.got) + 1);
	llrp_add_status(llrp_root(m), 0, NULL);
	assert_int_equal(rig_feed_msg(&rig, m), 0);
	assert_int_equal(rig_reply(&rig, LLRP_ENABLE_ROSPEC_RESPONSE, 0, NULL), 0);
	assert_int_equal(rig.sent.len, 0);
	assert_int_equal(rig_reply(&rig, LLRP_ADD_ROSPEC_RESPONSE, 0, NULL), 0);
	rig_expect(&rig, LLRP_ENABLE_ROSPEC);
	rig_done(&rig);
}

/* --- configuration ---------------------------------------------------------------------------- */

static void inventory_is_derived_from_the_capabilities(void **state)
{
	const struct rfid_reader_config cfg = {
		.n_antennas = 2,
		.antennas = {2, 4},
		.session = 2,
		.power_cdbm = 2300,
		.keepalive_ms = 2500,
	};
	struct rfid_reader_stats stats;
	struct llrp_elem *root, *spec, *ai, *e, *conf;
	struct rig rig;

	(void) state;
	rig_init(&rig, &cfg);
	assert_int_equal(rig_connection_event(&rig, 0), 0);
	rig_expect(&rig, LLRP_GET_READER_CAPABILITIES);
	assert_int_equal(rig_capabilities(&rig, 161), 0);
	root = rig_expect(&rig, LLRP_SET_READER_CONFIG);
	assert_int_equal(rig.state, RFID_READER_CONFIGURING);
	assert_int_equal(llrp_get(root, "ResetToFactoryDefault"), 0);
	e = llrp_find(root, LLRP_P_KEEPALIVE_SPEC);
	assert_int_equal(llrp_get(e, "KeepaliveTriggerType"), 1);
	assert_int_equal(llrp_get(e, "PeriodicTriggerValue"), 2500);
	e = llrp_find(root, LLRP_P_EVENTS_AND_REPORTS);
	assert_non_null(e);
	assert_int_equal(llrp_get(e, "HoldEventsAndReportsUponReconnect"), 1);
	assert_int_equal(rig_reply(&rig, LLRP_SET_READER_CONFIG_RESPONSE, 0, NULL), 0);
	rig_expect(&rig, LLRP_GET_ROSPECS);
	assert_int_equal(rig_reply(&rig, LLRP_GET_ROSPECS_RESPONSE, 0, NULL), 0);
	root = rig_expect(&rig, LLRP_DELETE_ACCESSSPEC);
	assert_int_equal(llrp_get(root, "AccessSpecID"), 0);
	assert_int_equal(rig_reply(&rig, LLRP_DELETE_ACCESSSPEC_RESPONSE, 0, NULL), 0);
	root = rig_expect(&rig, LLRP_DELETE_ROSPEC);
	assert_int_equal(llrp_get(root, "ROSpecID"), 0);
	assert_int_equal(rig_reply(&rig, LLRP_DELETE_ROSPEC_RESPONSE, 0, NULL), 0);

	root = rig_expect(&rig, LLRP_ADD_ROSPEC);
	spec = llrp_find(root, LLRP_P_ROSPEC);
	ai = llrp_find(spec, LLRP_P_AISPEC);
	assert_int_equal(llrp_get_at(ai, "AntennaIDs", 0), 2);
	assert_int_equal(llrp_get_at(ai, "AntennaIDs", 1), 4);
	conf = llrp_find(llrp_find(ai, LLRP_P_INVENTORY_PARAMETER_SPEC),
			 LLRP_P_ANTENNA_CONFIGURATION);
	e = llrp_find(conf, LLRP_P_RF_TRANSMITTER);
	assert_int_equal(llrp_get(e, "TransmitPower"), 7); /* 20.00 dBm is nearest to 23.00 */
	assert_int_equal(llrp_get(e, "HopTableID"), 3);
	conf = llrp_find(conf, LLRP_P_C1G2_INVENTORY_COMMAND);
	assert_int_equal(llrp_get(llrp_find(conf, LLRP_P_C1G2_RF_CONTROL), "ModeIndex"), 11);
	assert_int_equal(llrp_get(llrp_find(conf, LLRP_P_C1G2_SINGULATION_CONTROL), "Session"), 2);
	e = llrp_find(spec, LLRP_P_RO_REPORT_SPEC);
	assert_int_equal(llrp_get(e, "ROReportTrigger"), 1);
	assert_int_equal(llrp_get(e, "N"), 1);
	assert_null(llrp_find(e, LLRP_P_CUSTOM));
	e = llrp_find(e, LLRP_P_TAG_REPORT_CONTENT_SELECTOR);
	assert_int_equal(llrp_get(e, "EnableAntennaID"), 1);
	assert_int_equal(llrp_get(e, "EnableROSpecID"), 0);
	llrp_session_get_stats(rig.session, &stats);
	assert_int_equal(stats.antennas, 4);
	assert_string_equal(stats.model, "Zebra, model 2001002, firmware 5.14");
	rig_done(&rig);
}

static void no_wish_for_power_means_the_highest(void **state)
{
	struct llrp_elem *e;
	struct rig rig;

	(void) state;
	rig_init(&rig, NULL);
	rig_bring_up_to_add(&rig);
	e = llrp_find(llrp_find(llrp_root(rig.got), LLRP_P_ROSPEC), LLRP_P_AISPEC);
	assert_int_equal(llrp_get_at(e, "AntennaIDs", 0), 0);
	e = llrp_find(llrp_find(e, LLRP_P_INVENTORY_PARAMETER_SPEC), LLRP_P_ANTENNA_CONFIGURATION);
	assert_int_equal(llrp_get(llrp_find(e, LLRP_P_RF_TRANSMITTER), "TransmitPower"), 9);
	rig_done(&rig);
}

/** Impinj up to the ROSpec; `grant` is what the reader answers to the extensions. */
static struct llrp_elem *impinj_report_spec(struct rig *rig, uint16_t grant)
{
	const uint8_t status[] = {0x01, 0x1f, 0, 8, (uint8_t) (grant >> 8), (uint8_t) grant, 0, 0};
	struct llrp_msg *m;

	assert_int_equal(rig_connection_event(rig, 0), 0);
	rig_expect(rig, LLRP_GET_READER_CAPABILITIES);
	assert_int_equal(rig_capabilities(rig, LLRP_VENDOR_IMPINJ), 0);
	rig_expect(rig, LLRP_CUSTOM_MESSAGE);
	assert_int_equal(llrp_get(llrp_root(rig->got), "MessageSubtype"), 21);
	m = rig_message(LLRP_CUSTOM_MESSAGE, llrp_msg_id(rig->got));
	llrp_set(llrp_root(m), "VendorIdentifier", LLRP_VENDOR_IMPINJ);
	llrp_set(llrp_root(m), "MessageSubtype", 22);
	llrp_set_bytes(llrp_root(m), "Data", status, sizeof(status));
	assert_int_equal(rig_feed_msg(rig, m), 0);
	rig_expect(rig, LLRP_SET_READER_CONFIG);
	assert_int_equal(rig_reply(rig, LLRP_SET_READER_CONFIG_RESPONSE, 0, NULL), 0);
	rig_expect(rig, LLRP_GET_ROSPECS);
	assert_int_equal(rig_reply(rig, LLRP_GET_ROSPECS_RESPONSE, 0, NULL), 0);
	rig_expect(rig, LLRP_DELETE_ACCESSSPEC);
	assert_int_equal(rig_reply(rig, LLRP_DELETE_ACCESSSPEC_RESPONSE, 0, NULL), 0);
	rig_expect(rig, LLRP_DELETE_ROSPEC);
	assert_int_equal(rig_reply(rig, LLRP_DELETE_ROSPEC_RESPONSE, 0, NULL), 0);
	rig_expect(rig, LLRP_ADD_ROSPEC);
	return llrp_find(llrp_find(llrp_root(rig->got), LLRP_P_ROSPEC), LLRP_P_RO_REPORT_SPEC);
}

static void impinj_is_asked_for_phase_and_doppler(void **state)
{
	struct llrp_elem *e;
	struct rig rig;

	(void) state;
	rig_init(&rig, NULL);
	e = impinj_report_spec(&rig, 0);
	e = llrp_find_custom(e, LLRP_VENDOR_IMPINJ, LLRP_IMPINJ_TAG_REPORT_CONTENT_SELECTOR);
	assert_non_null(e);
	assert_int_equal(
		llrp_get(llrp_find_custom(e, LLRP_VENDOR_IMPINJ, LLRP_IMPINJ_ENABLE_RF_PHASE_ANGLE),
			 "RFPhaseAngleMode"),
		1);
	rig_done(&rig);
}

/** The inventory command of the ROSpec in rig->got. */
static struct llrp_elem *inventory_command(struct rig *rig)
{
	struct llrp_elem *e = llrp_find(llrp_root(rig->got), LLRP_P_ROSPEC);

	e = llrp_find(llrp_find(e, LLRP_P_AISPEC), LLRP_P_INVENTORY_PARAMETER_SPEC);
	e = llrp_find(llrp_find(e, LLRP_P_ANTENNA_CONFIGURATION), LLRP_P_C1G2_INVENTORY_COMMAND);
	assert_non_null(e);
	return e;
}

static void a_profile_in_plain_words_sets_the_air_protocol(void **state)
{
	/* The rig's reader has FM0 in its modes 10 and 1002, Miller 4 in 11. */
	static const struct {
		const char *profile;
		unsigned int session, population, mode;
	} cases[] = {
		{NULL, 3, 32, 11},
		{"fast-moving", 0, 8, 10},
		{"dense-shelf", 2, 256, 11},
		{"door", 0, 16, 11},
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rfid_reader_config cfg = {.session = 3, .profile = cases[i].profile};
		struct llrp_elem *e, *command;
		struct rig rig;

		rig_init(&rig, &cfg);
		rig_bring_up_to_add(&rig);
		command = inventory_command(&rig);
		e = llrp_find(command, LLRP_P_C1G2_SINGULATION_CONTROL);
		assert_int_equal(llrp_get(e, "Session"), cases[i].session);
		assert_int_equal(llrp_get(e, "TagPopulation"), cases[i].population);
		e = llrp_find(command, LLRP_P_C1G2_RF_CONTROL);
		assert_int_equal(llrp_get(e, "ModeIndex"), cases[i].mode);
		assert_null(llrp_find(command, LLRP_P_CUSTOM));
		rig_done(&rig);
	}
}

static void an_unknown_profile_is_refused(void **state)
{
	const struct rfid_reader_config cfg = {.profile = "turbo"};
	const struct llrp_session_callbacks none = {0};
	struct llrp_session *s;
	struct clock_fake clock;

	(void) state;
	clock_fake_init(&clock, 1, NOW_US);
	assert_int_equal(llrp_session_new(&cfg, &clock.clock, &none, NULL, &s), -ERR_CONFIG);
}

static void impinj_gets_the_target_and_a_mode_of_its_own(void **state)
{
	static const struct {
		const char *profile;
		unsigned int mode, search;
	} cases[] = {{"", 1002, 0}, {"dense-shelf", 1002, 2}, {"door", 11, 2}};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rfid_reader_config cfg = {.profile = cases[i].profile};
		struct llrp_elem *command;
		struct rig rig;

		rig_init(&rig, &cfg);
		(void) impinj_report_spec(&rig, 0);
		command = inventory_command(&rig);
		assert_int_equal(llrp_get(llrp_find(command, LLRP_P_C1G2_RF_CONTROL), "ModeIndex"),
				 cases[i].mode);
		assert_int_equal(llrp_get(llrp_find_custom(command, LLRP_VENDOR_IMPINJ,
							   LLRP_IMPINJ_INVENTORY_SEARCH_MODE),
					  "InventorySearchMode"),
				 cases[i].search);
		rig_done(&rig);
	}
}

static void refused_extensions_are_done_without(void **state)
{
	struct rig rig;

	(void) state;
	rig_init(&rig, NULL);
	assert_null(llrp_find(impinj_report_spec(&rig, 109), LLRP_P_CUSTOM));
	rig_done(&rig);
}

static void refused_settings_are_tried_again_with_less(void **state)
{
	struct llrp_elem *root, *e;
	struct rig rig;

	(void) state;
	rig_init(&rig, NULL);
	assert_int_equal(rig_connection_event(&rig, 0), 0);
	rig_expect(&rig, LLRP_GET_READER_CAPABILITIES);
	assert_int_equal(rig_capabilities(&rig, 161), 0);
	rig_expect(&rig, LLRP_SET_READER_CONFIG);
	assert_int_equal(rig_reply(&rig, LLRP_SET_READER_CONFIG_RESPONSE, 100, "no events"), 0);
	assert_non_null(strstr(rig.incidents, "no events"));
	root = rig_expect(&rig, LLRP_SET_READER_CONFIG);
	assert_null(llrp_find(root, LLRP_P_READER_EVENT_NOTIFICATION_SPEC));
	assert_int_equal(rig_reply(&rig, LLRP_SET_READER_CONFIG_RESPONSE, 0, NULL), 0);
	rig_expect(&rig, LLRP_GET_ROSPECS);
	assert_int_equal(rig_reply(&rig, LLRP_GET_ROSPECS_RESPONSE, 0, NULL), 0);
	rig_expect(&rig, LLRP_DELETE_ACCESSSPEC);
	/* An ERROR_MESSAGE stands for the response. */
	assert_int_equal(rig_reply(&rig, LLRP_ERROR_MESSAGE, 109, NULL), 0);
	rig_expect(&rig, LLRP_DELETE_ROSPEC);
	assert_int_equal(rig_reply(&rig, LLRP_DELETE_ROSPEC_RESPONSE, 0, NULL), 0);
	e = llrp_find(rig_expect(&rig, LLRP_ADD_ROSPEC), LLRP_P_ROSPEC);
	e = llrp_find(llrp_find(e, LLRP_P_AISPEC), LLRP_P_INVENTORY_PARAMETER_SPEC);
	assert_non_null(llrp_find(e, LLRP_P_ANTENNA_CONFIGURATION));
	assert_int_equal(rig_reply(&rig, LLRP_ADD_ROSPEC_RESPONSE, 100, "bad mode"), 0);
	e = llrp_find(rig_expect(&rig, LLRP_ADD_ROSPEC), LLRP_P_ROSPEC);
	e = llrp_find(llrp_find(e, LLRP_P_AISPEC), LLRP_P_INVENTORY_PARAMETER_SPEC);
	assert_null(llrp_find(e, LLRP_P_ANTENNA_CONFIGURATION));
	assert_int_equal(rig_reply(&rig, LLRP_ADD_ROSPEC_RESPONSE, 401, "antenna\nfault"),
			 -ERR_PEER);
	assert_non_null(strstr(llrp_session_text(rig.session), "antenna?fault"));
	rig_done(&rig);
}

static void start_refused_by_an_active_reader_is_running(void **state)
{
	(void) state;
	for (int by_report = 0; by_report < 2; by_report++) {
		struct rig rig;

		rig_init(&rig, NULL);
		rig_bring_up_to_add(&rig);
		assert_int_equal(rig_reply(&rig, LLRP_ADD_ROSPEC_RESPONSE, 0, NULL), 0);
		rig_expect(&rig, LLRP_ENABLE_ROSPEC);
		assert_int_equal(rig_reply(&rig, LLRP_ENABLE_ROSPEC_RESPONSE, 0, NULL), 0);
		rig_expect(&rig, LLRP_START_ROSPEC);
		assert_int_equal(rig_reply(&rig, LLRP_START_ROSPEC_RESPONSE, 100, "active"), 0);
		assert_int_equal(rig.state, RFID_READER_CONFIGURING);
		if (by_report) {
			struct llrp_msg *m = rig_message(LLRP_RO_ACCESS_REPORT, 0);

			rig_report_tag(m, 1);
			assert_int_equal(rig_feed_msg(&rig, m), 0);
			assert_int_equal(rig.n_reads, 1);
		} else {
			assert_int_equal(rig_rospec_event(&rig, 0), 0);
		}
		assert_int_equal(rig.state, RFID_READER_RUNNING);
		rig_done(&rig);
	}
}

static void start_refused_without_a_sign_of_inventory_fails(void **state)
{
	struct rig rig;

	(void) state;
	rig_init(&rig, NULL);
	rig_bring_up_to_add(&rig);
	assert_int_equal(rig_reply(&rig, LLRP_ADD_ROSPEC_RESPONSE, 0, NULL), 0);
	rig_expect(&rig, LLRP_ENABLE_ROSPEC);
	assert_int_equal(rig_reply(&rig, LLRP_ENABLE_ROSPEC_RESPONSE, 0, NULL), 0);
	rig_expect(&rig, LLRP_START_ROSPEC);
	assert_int_equal(rig_reply(&rig, LLRP_START_ROSPEC_RESPONSE, 100, "locked"), 0);
	clock_fake_advance(&rig.clock, LLRP_START_GRACE_US - 1);
	assert_int_equal(rig_feed_msg(&rig, rig_message(LLRP_KEEPALIVE, 1)), 0);
	assert_int_equal(llrp_session_tick(rig.session), 0);
	clock_fake_advance(&rig.clock, 1);
	assert_int_equal(llrp_session_tick(rig.session), -ERR_PEER);
	assert_non_null(strstr(llrp_session_text(rig.session), "locked"));
	rig_done(&rig);
}

static void event_before_the_refusal_of_start_counts(void **state)
{
	struct rig rig;

	(void) state;
	rig_init(&rig, NULL);
	rig_bring_up_to_add(&rig);
	assert_int_equal(rig_reply(&rig, LLRP_ADD_ROSPEC_RESPONSE, 0, NULL), 0);
	rig_expect(&rig, LLRP_ENABLE_ROSPEC);
	assert_int_equal(rig_rospec_event(&rig, 0), 0);
	assert_int_equal(rig_reply(&rig, LLRP_ENABLE_ROSPEC_RESPONSE, 0, NULL), 0);
	rig_expect(&rig, LLRP_START_ROSPEC);
	assert_int_equal(rig_reply(&rig, LLRP_START_ROSPEC_RESPONSE, 100, "active"), 0);
	assert_int_equal(rig.state, RFID_READER_RUNNING);
	rig_done(&rig);
}

/* --- stopping --------------------------------------------------------------------------------- */

static void stop_is_clean(void **state)
{
	struct rig rig;

	(void) state;
	rig_init(&rig, NULL);
	rig_bring_up(&rig);
	assert_int_equal(llrp_session_stop(rig.session), 0);
	assert_int_equal(rig.state, RFID_READER_STOPPING);
	rig_expect(&rig, LLRP_STOP_ROSPEC);
	assert_int_equal(rig_reply(&rig, LLRP_STOP_ROSPEC_RESPONSE, 0, NULL), 0);
	assert_int_equal(llrp_get(rig_expect(&rig, LLRP_DELETE_ROSPEC), "ROSpecID"), rig.rospec);
	assert_int_equal(rig_reply(&rig, LLRP_DELETE_ROSPEC_RESPONSE, 300, "gone"), 0);
	rig_expect(&rig, LLRP_CLOSE_CONNECTION);
	assert_int_equal(rig_reply(&rig, LLRP_CLOSE_CONNECTION_RESPONSE, 0, NULL), -ERR_CLOSED);
	assert_int_equal(rig.state, RFID_READER_IDLE);
	rig_done(&rig);
}

static void stop_does_not_wait_for_a_dead_reader(void **state)
{
	struct rig rig;
	int r = 0;

	(void) state;
	rig_init(&rig, NULL);
	rig_bring_up(&rig);
	assert_int_equal(llrp_session_stop(rig.session), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(r, 0);
		clock_fake_advance(&rig.clock, LLRP_STOP_TIMEOUT_US);
		r = llrp_session_tick(rig.session);
	}
	assert_int_equal(r, -ERR_CLOSED);
	assert_int_equal(rig.state, RFID_READER_IDLE);
	rig_done(&rig);
}

static void stop_before_the_connection_event_has_nothing_to_say(void **state)
{
	struct rig rig;

	(void) state;
	rig_init(&rig, NULL);
	assert_int_equal(llrp_session_stop(rig.session), -ERR_STATE);
	rig_done(&rig);
}

static void callbacks_may_free_the_session(void **state)
{
	struct rig rig;
	struct llrp_msg *m;

	(void) state;
	rig_init(&rig, NULL);
	rig_bring_up(&rig);
	rig.mischief = FREE_ON_READS;
	m = rig_message(LLRP_RO_ACCESS_REPORT, 0);
	for (uint8_t i = 0; i < 200; i++)
		rig_report_tag(m, i);
	assert_int_equal(rig_feed_msg(&rig, m), -ERR_CLOSED);
	assert_int_equal(rig.n_reads, 64);
	rig_done(&rig);

	rig_init(&rig, NULL);
	rig_bring_up(&rig);
	rig.mischief = FREE_ON_INCIDENT;
	assert_int_equal(rig_reply(&rig, LLRP_ERROR_MESSAGE, 109, "what?"), -ERR_CLOSED);
	rig_done(&rig);

	rig_init(&rig, NULL);
	rig_bring_up(&rig);
	rig.mischief = FREE_ON_SEND;
	assert_int_equal(llrp_session_stop(rig.session), -ERR_CLOSED);
	rig_done(&rig);

	rig_init(&rig, NULL);
	rig.mischief = FREE_ON_SEND;
	assert_int_equal(rig_connection_event(&rig, 0), -ERR_CLOSED);
	rig_done(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_sent_before_the_connection_event),
		cmocka_unit_test(refused_connection_says_why),
		cmocka_unit_test(reader_that_says_nothing_is_given_up),
		cmocka_unit_test(request_without_response_is_given_up),
		cmocka_unit_test(response_of_another_id_or_type_is_ignored),
		cmocka_unit_test(inventory_is_derived_from_the_capabilities),
		cmocka_unit_test(no_wish_for_power_means_the_highest),
		cmocka_unit_test(impinj_is_asked_for_phase_and_doppler),
		cmocka_unit_test(a_profile_in_plain_words_sets_the_air_protocol),
		cmocka_unit_test(an_unknown_profile_is_refused),
		cmocka_unit_test(impinj_gets_the_target_and_a_mode_of_its_own),
		cmocka_unit_test(refused_extensions_are_done_without),
		cmocka_unit_test(refused_settings_are_tried_again_with_less),
		cmocka_unit_test(start_refused_by_an_active_reader_is_running),
		cmocka_unit_test(start_refused_without_a_sign_of_inventory_fails),
		cmocka_unit_test(event_before_the_refusal_of_start_counts),
		cmocka_unit_test(stop_is_clean),
		cmocka_unit_test(stop_does_not_wait_for_a_dead_reader),
		cmocka_unit_test(stop_before_the_connection_event_has_nothing_to_say),
		cmocka_unit_test(callbacks_may_free_the_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
