/* SPDX-License-Identifier: Apache-2.0 */
/** @file The LLRP session as scripts of messages, in virtual time. */
#include "common/err.h"
#include "rfid/llrp_codec.h"
#include "rfid/llrp_normal.h"
#include "rfid/llrp_session.h"
#include "rfid/llrp_setup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOW_US (INT64_C(1790000000) * US_PER_SEC)

/* --- the rig: a session, its clock, and what came out of it ------------------------------------
 */

struct rig {
	struct clock_fake clock;
	struct llrp_session *session;
	struct buf sent;
	struct llrp_msg *got; /**< last message taken from `sent` */
	enum rfid_reader_state state;
	struct rfid_read reads[256];
	size_t n_reads;
	char incidents[1024];
	bool chunked; /**< feed a byte at a time */
	enum {
		KEEP,
		FREE_ON_STATE,
		FREE_ON_READS,
		FREE_ON_INCIDENT,
		FREE_ON_SEND
	} mischief;
};

static void drop(struct rig *rig)
{
	llrp_session_free(rig->session);
	rig->session = NULL;
}

static void on_send(void *user, const uint8_t *data, size_t len)
{
	struct rig *rig = user;

	buf_put(&rig->sent, data, len);
	if (rig->mischief == FREE_ON_SEND)
		drop(rig);
}

static void on_state(void *user, enum rfid_reader_state state)
{
	struct rig *rig = user;

	rig->state = state;
	if (rig->mischief == FREE_ON_STATE && state == RFID_READER_RUNNING)
		drop(rig);
}

static void on_reads(void *user, const struct rfid_read *reads, size_t n)
{
	struct rig *rig = user;

	for (size_t i = 0; i < n && rig->n_reads < ARRAY_SIZE(rig->reads); i++)
		rig->reads[rig->n_reads++] = reads[i];
	if (rig->mischief == FREE_ON_READS)
		drop(rig);
}

static void on_incident(void *user, const char *text)
{
	struct rig *rig = user;
	size_t n = strlen(rig->incidents);

	snprintf(rig->incidents + n, sizeof(rig->incidents) - n, "%s\n", text);
	if (rig->mischief == FREE_ON_INCIDENT)
		drop(rig);
}

static void rig_init(struct rig *rig, const struct rfid_reader_config *cfg)
{
	static const struct rfid_reader_config plain;
	const struct llrp_session_callbacks cb = {on_send, on_state, on_reads, on_incident};

	memset(rig, 0, sizeof(*rig));
	clock_fake_init(&rig->clock, 1000, NOW_US);
	assert_int_equal(
		llrp_session_new(cfg ? cfg : &plain, &rig->clock.clock, &cb, rig, &rig->session),
		0);
	llrp_session_connected(rig->session);
}

static void rig_done(struct rig *rig)
{
	llrp_session_free(rig->session);
	llrp_msg_free(rig->got);
	buf_done(&rig->sent);
}

/** The session must have sent this next; keeps it in rig->got. */
static struct llrp_elem *expect(struct rig *rig, uint16_t type)
{
	struct llrp_header h;
	struct llrp_diag diag;

	assert_int_equal(llrp_header_decode(rig->sent.data, rig->sent.len, &h), 0);
	llrp_msg_free(rig->got);
	rig->got = NULL;
	assert_int_equal(llrp_msg_decode(rig->sent.data, h.length, &rig->got, &diag), 0);
	assert_int_equal(h.type, type);
	assert_int_equal(h.version, 1);
	assert_int_equal(llrp_msg_validate(rig->got, &diag), 0);
	buf_consume(&rig->sent, h.length);
	return llrp_root(rig->got);
}

static int feed_msg(struct rig *rig, struct llrp_msg *m)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	int r = 0;

	assert_int_equal(llrp_msg_encode(m, &out), 0);
	llrp_msg_free(m);
	if (!rig->chunked)
		return llrp_session_feed(rig->session, out.data, out.len);
	for (size_t i = 0; i < out.len && r == 0; i++)
		r = llrp_session_feed(rig->session, out.data + i, 1);
	return r;
}

static struct llrp_msg *message(uint16_t type, uint32_t id)
{
	struct llrp_msg *m = NULL;

	assert_int_equal(llrp_msg_new(type, id, &m), 0);
	return m;
}

/** The response to what was expected last. */
static int reply(struct rig *rig, uint16_t type, uint16_t status, const char *text)
{
	struct llrp_msg *m = message(type, llrp_msg_id(rig->got));

	llrp_add_status(llrp_root(m), status, text);
	return feed_msg(rig, m);
}

static struct llrp_elem *event_data(struct llrp_msg *m, int64_t utc_us)
{
	struct llrp_elem *data = llrp_add(llrp_root(m), LLRP_P_READER_EVENT_NOTIFICATION_DATA);

	llrp_set(llrp_add(data, LLRP_P_UTC_TIMESTAMP), "Microseconds", (uint64_t) utc_us);
	return data;
}

static int connection_event(struct rig *rig, uint16_t status)
{
	struct llrp_msg *m = message(LLRP_READER_EVENT_NOTIFICATION, 0);
	struct llrp_elem *data = event_data(m, rig->clock.now_real_us);

	llrp_set(llrp_add(data, LLRP_P_CONNECTION_ATTEMPT_EVENT), "Status", status);
	return feed_msg(rig, m);
}

/** Capabilities of a reader with powers 10.00, 20.00 and 30.00 dBm at indices 5, 7 and 9. */
static int capabilities(struct rig *rig, uint32_t vendor)
{
	struct llrp_msg *m = message(LLRP_GET_READER_CAPABILITIES_RESPONSE, llrp_msg_id(rig->got));
	struct llrp_elem *root = llrp_root(m), *e, *band, *c;

	llrp_add_status(root, 0, NULL);
	e = llrp_add(root, LLRP_P_GENERAL_DEVICE_CAPABILITIES);
	llrp_set(e, "MaxNumberOfAntennaSupported", 4);
	llrp_set(e, "HasUTCClockCapability", 1);
	llrp_set(e, "DeviceManufacturerName", vendor);
	llrp_set(e, "ModelName", 2001002);
	llrp_set_text(e, "ReaderFirmwareVersion", "5.14");
	e = llrp_add(root, LLRP_P_LLRP_CAPABILITIES);
	llrp_set(e, "SupportsEventAndReportHolding", 1);
	e = llrp_add(root, LLRP_P_REGULATORY_CAPABILITIES);
	band = llrp_add(e, LLRP_P_UHF_BAND_CAPABILITIES);
	for (unsigned int i = 1; i <= 3; i++) {
		c = llrp_add(band, LLRP_P_TRANSMIT_POWER_LEVEL_TABLE_ENTRY);
		llrp_set(c, "Index", 3 + 2 * i);
		llrp_set_signed(c, "TransmitPowerValue", 1000 * (int) i);
	}
	e = llrp_add(band, LLRP_P_FREQUENCY_INFORMATION);
	llrp_set(e, "Hopping", 1);
	llrp_set(llrp_add(e, LLRP_P_FREQUENCY_HOP_TABLE), "HopTableID", 3);
	e = llrp_add(band, LLRP_P_C1G2_UHF_RF_MODE_TABLE);
	for (unsigned int i = 0; i < 3; i++) {
		c = llrp_add(e, LLRP_P_C1G2_UHF_RF_MODE_TABLE_ENTRY);
		llrp_set(c, "ModeIdentifier", i == 2 ? 1002 : 10 + i);
		llrp_set(c, "MValue", i == 1 ? 2 : 0);
	}
	return feed_msg(rig, m);
}

/** From the connection event to RUNNING, with a reader that grants everything. */
static void bring_up(struct rig *rig)
{
	assert_int_equal(connection_event(rig, 0), 0);
	expect(rig, LLRP_GET_READER_CAPABILITIES);
	assert_int_equal(capabilities(rig, 161), 0);
	expect(rig, LLRP_SET_READER_CONFIG);
	assert_int_equal(reply(rig, LLRP_SET_READER_CONFIG_RESPONSE, 0, NULL), 0);
	expect(rig, LLRP_DELETE_ACCESSSPEC);
	assert_int_equal(reply(rig, LLRP_DELETE_ACCESSSPEC_RESPONSE, 0, NULL), 0);
	expect(rig, LLRP_DELETE_ROSPEC);
	assert_int_equal(reply(rig, LLRP_DELETE_ROSPEC_RESPONSE, 0, NULL), 0);
	expect(rig, LLRP_ADD_ROSPEC);
	assert_int_equal(reply(rig, LLRP_ADD_ROSPEC_RESPONSE, 0, NULL), 0);
	expect(rig, LLRP_ENABLE_ROSPEC);
	assert_int_equal(reply(rig, LLRP_ENABLE_ROSPEC_RESPONSE, 0, NULL), 0);
	expect(rig, LLRP_START_ROSPEC);
	assert_int_equal(reply(rig, LLRP_START_ROSPEC_RESPONSE, 0, NULL), 0);
	expect(rig, LLRP_ENABLE_EVENTS_AND_REPORTS);
	assert_int_equal(rig->state, RFID_READER_RUNNING);
	assert_int_equal(rig->sent.len, 0);
}

/** Up to the point where the ROSpec is to be added. */
static void bring_up_to_add(struct rig *rig)
{
	assert_int_equal(connection_event(rig, 0), 0);
	expect(rig, LLRP_GET_READER_CAPABILITIES);
	assert_int_equal(capabilities(rig, 161), 0);
	expect(rig, LLRP_SET_READER_CONFIG);
	assert_int_equal(reply(rig, LLRP_SET_READER_CONFIG_RESPONSE, 0, NULL), 0);
	expect(rig, LLRP_DELETE_ACCESSSPEC);
	assert_int_equal(reply(rig, LLRP_DELETE_ACCESSSPEC_RESPONSE, 109, "no access"), 0);
	expect(rig, LLRP_DELETE_ROSPEC);
	assert_int_equal(reply(rig, LLRP_DELETE_ROSPEC_RESPONSE, 300, "none there"), 0);
	expect(rig, LLRP_ADD_ROSPEC);
}

static struct llrp_elem *report_tag(struct llrp_msg *m, uint8_t last_octet)
{
	const uint8_t epc[12] = {0x30, [11] = last_octet};
	struct llrp_elem *tag = llrp_add(llrp_root(m), LLRP_P_TAG_REPORT_DATA);

	llrp_set_bytes(llrp_add(tag, LLRP_P_EPC_96), "EPC", epc, 12);
	return tag;
}

static int rospec_event(struct rig *rig, unsigned int type)
{
	struct llrp_msg *m = message(LLRP_READER_EVENT_NOTIFICATION, 0);
	struct llrp_elem *e = llrp_add(event_data(m, NOW_US), LLRP_P_ROSPEC_EVENT);

	llrp_set(e, "EventType", type);
	llrp_set(e, "ROSpecID", LLRP_SETUP_ROSPEC);
	return feed_msg(rig, m);
}

/* --- connecting ------------------------------------------------------------------------------- */

static void nothing_is_sent_before_the_connection_event(void **state)
{
	struct rig rig;

	(void) state;
	rig_init(&rig, NULL);
	assert_int_equal(feed_msg(&rig, message(LLRP_KEEPALIVE, 9)), 0);
	assert_int_equal(rospec_event(&rig, 0), 0);
	assert_int_equal(rig.sent.len, 0);
	assert_int_equal(connection_event(&rig, 0), 0);
	expect(&rig, LLRP_GET_READER_CAPABILITIES);
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
		assert_int_equal(connection_event(&rig, cases[i].status), cases[i].err);
		assert_non_null(strstr(llrp_session_text(rig.session), cases[i].word));
		assert_int_equal(rig.sent.len, 0);
		assert_int_equal(feed_msg(&rig, message(LLRP_KEEPALIVE, 1)), -ERR_STATE);
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
	assert_int_equal(connection_event(&rig, 0), 0);
	expect(&rig, LLRP_GET_READER_CAPABILITIES);
	clock_fake_advance(&rig.clock, LLRP_RESPONSE_TIMEOUT_US - 1);
	/* Signs of life are no answer. */
	assert_int_equal(feed_msg(&rig, message(LLRP_KEEPALIVE, 9)), 0);
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
	bring_up_to_add(&rig);
	m = message(LLRP_ADD_ROSPEC_RESPONSE, llrp_msg_id(rig.got) + 1);
	llrp_add_status(llrp_root(m), 0, NULL);
	assert_int_equal(feed_msg(&rig, m), 0);
	assert_int_equal(reply(&rig, LLRP_ENABLE_ROSPEC_RESPONSE, 0, NULL), 0);
	assert_int_equal(rig.sent.len, 0);
	assert_int_equal(reply(&rig, LLRP_ADD_ROSPEC_RESPONSE, 0, NULL), 0);
	expect(&rig, LLRP_ENABLE_ROSPEC);
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
	assert_int_equal(connection_event(&rig, 0), 0);
	expect(&rig, LLRP_GET_READER_CAPABILITIES);
	assert_int_equal(capabilities(&rig, 161), 0);
	root = expect(&rig, LLRP_SET_READER_CONFIG);
	assert_int_equal(rig.state, RFID_READER_CONFIGURING);
	assert_int_equal(llrp_get(root, "ResetToFactoryDefault"), 0);
	e = llrp_find(root, LLRP_P_KEEPALIVE_SPEC);
	assert_int_equal(llrp_get(e, "KeepaliveTriggerType"), 1);
	assert_int_equal(llrp_get(e, "PeriodicTriggerValue"), 2500);
	e = llrp_find(root, LLRP_P_EVENTS_AND_REPORTS);
	assert_non_null(e);
	assert_int_equal(llrp_get(e, "HoldEventsAndReportsUponReconnect"), 0);
	assert_int_equal(reply(&rig, LLRP_SET_READER_CONFIG_RESPONSE, 0, NULL), 0);
	root = expect(&rig, LLRP_DELETE_ACCESSSPEC);
	assert_int_equal(llrp_get(root, "AccessSpecID"), 0);
	assert_int_equal(reply(&rig, LLRP_DELETE_ACCESSSPEC_RESPONSE, 0, NULL), 0);
	root = expect(&rig, LLRP_DELETE_ROSPEC);
	assert_int_equal(llrp_get(root, "ROSpecID"), 0);
	assert_int_equal(reply(&rig, LLRP_DELETE_ROSPEC_RESPONSE, 0, NULL), 0);

	root = expect(&rig, LLRP_ADD_ROSPEC);
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
	bring_up_to_add(&rig);
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

	assert_int_equal(connection_event(rig, 0), 0);
	expect(rig, LLRP_GET_READER_CAPABILITIES);
	assert_int_equal(capabilities(rig, LLRP_VENDOR_IMPINJ), 0);
	expect(rig, LLRP_CUSTOM_MESSAGE);
	assert_int_equal(llrp_get(llrp_root(rig->got), "MessageSubtype"), 21);
	m = message(LLRP_CUSTOM_MESSAGE, llrp_msg_id(rig->got));
	llrp_set(llrp_root(m), "VendorIdentifier", LLRP_VENDOR_IMPINJ);
	llrp_set(llrp_root(m), "MessageSubtype", 22);
	llrp_set_bytes(llrp_root(m), "Data", status, sizeof(status));
	assert_int_equal(feed_msg(rig, m), 0);
	expect(rig, LLRP_SET_READER_CONFIG);
	assert_int_equal(reply(rig, LLRP_SET_READER_CONFIG_RESPONSE, 0, NULL), 0);
	expect(rig, LLRP_DELETE_ACCESSSPEC);
	assert_int_equal(reply(rig, LLRP_DELETE_ACCESSSPEC_RESPONSE, 0, NULL), 0);
	expect(rig, LLRP_DELETE_ROSPEC);
	assert_int_equal(reply(rig, LLRP_DELETE_ROSPEC_RESPONSE, 0, NULL), 0);
	expect(rig, LLRP_ADD_ROSPEC);
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
	assert_int_equal(connection_event(&rig, 0), 0);
	expect(&rig, LLRP_GET_READER_CAPABILITIES);
	assert_int_equal(capabilities(&rig, 161), 0);
	expect(&rig, LLRP_SET_READER_CONFIG);
	assert_int_equal(reply(&rig, LLRP_SET_READER_CONFIG_RESPONSE, 100, "no events"), 0);
	assert_non_null(strstr(rig.incidents, "no events"));
	root = expect(&rig, LLRP_SET_READER_CONFIG);
	assert_null(llrp_find(root, LLRP_P_READER_EVENT_NOTIFICATION_SPEC));
	assert_int_equal(reply(&rig, LLRP_SET_READER_CONFIG_RESPONSE, 0, NULL), 0);
	expect(&rig, LLRP_DELETE_ACCESSSPEC);
	/* An ERROR_MESSAGE stands for the response. */
	assert_int_equal(reply(&rig, LLRP_ERROR_MESSAGE, 109, NULL), 0);
	expect(&rig, LLRP_DELETE_ROSPEC);
	assert_int_equal(reply(&rig, LLRP_DELETE_ROSPEC_RESPONSE, 0, NULL), 0);
	e = llrp_find(expect(&rig, LLRP_ADD_ROSPEC), LLRP_P_ROSPEC);
	e = llrp_find(llrp_find(e, LLRP_P_AISPEC), LLRP_P_INVENTORY_PARAMETER_SPEC);
	assert_non_null(llrp_find(e, LLRP_P_ANTENNA_CONFIGURATION));
	assert_int_equal(reply(&rig, LLRP_ADD_ROSPEC_RESPONSE, 100, "bad mode"), 0);
	e = llrp_find(expect(&rig, LLRP_ADD_ROSPEC), LLRP_P_ROSPEC);
	e = llrp_find(llrp_find(e, LLRP_P_AISPEC), LLRP_P_INVENTORY_PARAMETER_SPEC);
	assert_null(llrp_find(e, LLRP_P_ANTENNA_CONFIGURATION));
	assert_int_equal(reply(&rig, LLRP_ADD_ROSPEC_RESPONSE, 401, "antenna\nfault"), -ERR_PEER);
	assert_non_null(strstr(llrp_session_text(rig.session), "antenna?fault"));
	rig_done(&rig);
}

static void start_refused_by_an_active_reader_is_running(void **state)
{
	(void) state;
	for (int by_report = 0; by_report < 2; by_report++) {
		struct rig rig;

		rig_init(&rig, NULL);
		bring_up_to_add(&rig);
		assert_int_equal(reply(&rig, LLRP_ADD_ROSPEC_RESPONSE, 0, NULL), 0);
		expect(&rig, LLRP_ENABLE_ROSPEC);
		assert_int_equal(reply(&rig, LLRP_ENABLE_ROSPEC_RESPONSE, 0, NULL), 0);
		expect(&rig, LLRP_START_ROSPEC);
		assert_int_equal(reply(&rig, LLRP_START_ROSPEC_RESPONSE, 100, "active"), 0);
		assert_int_equal(rig.state, RFID_READER_CONFIGURING);
		if (by_report) {
			struct llrp_msg *m = message(LLRP_RO_ACCESS_REPORT, 0);

			report_tag(m, 1);
			assert_int_equal(feed_msg(&rig, m), 0);
			assert_int_equal(rig.n_reads, 1);
		} else {
			assert_int_equal(rospec_event(&rig, 0), 0);
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
	bring_up_to_add(&rig);
	assert_int_equal(reply(&rig, LLRP_ADD_ROSPEC_RESPONSE, 0, NULL), 0);
	expect(&rig, LLRP_ENABLE_ROSPEC);
	assert_int_equal(reply(&rig, LLRP_ENABLE_ROSPEC_RESPONSE, 0, NULL), 0);
	expect(&rig, LLRP_START_ROSPEC);
	assert_int_equal(reply(&rig, LLRP_START_ROSPEC_RESPONSE, 100, "locked"), 0);
	clock_fake_advance(&rig.clock, LLRP_START_GRACE_US - 1);
	assert_int_equal(feed_msg(&rig, message(LLRP_KEEPALIVE, 1)), 0);
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
	bring_up_to_add(&rig);
	assert_int_equal(reply(&rig, LLRP_ADD_ROSPEC_RESPONSE, 0, NULL), 0);
	expect(&rig, LLRP_ENABLE_ROSPEC);
	assert_int_equal(rospec_event(&rig, 0), 0);
	assert_int_equal(reply(&rig, LLRP_ENABLE_ROSPEC_RESPONSE, 0, NULL), 0);
	expect(&rig, LLRP_START_ROSPEC);
	assert_int_equal(reply(&rig, LLRP_START_ROSPEC_RESPONSE, 100, "active"), 0);
	assert_int_equal(rig.state, RFID_READER_RUNNING);
	rig_done(&rig);
}

/* --- running ---------------------------------------------------------------------------------- */

static void keepalives_are_acknowledged_and_three_missed_are_the_end(void **state)
{
	const struct rfid_reader_config cfg = {.keepalive_ms = 1000};
	struct rig rig;

	(void) state;
	rig_init(&rig, &cfg);
	bring_up(&rig);
	for (uint32_t id = 100; id < 110; id++) {
		clock_fake_advance(&rig.clock, 2900 * US_PER_MS);
		assert_int_equal(llrp_session_tick(rig.session), 0);
		assert_int_equal(feed_msg(&rig, message(LLRP_KEEPALIVE, id)), 0);
		expect(&rig, LLRP_KEEPALIVE_ACK);
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
	bring_up(&rig);
	m = message(LLRP_RO_ACCESS_REPORT, 0);
	tag = report_tag(m, 1);
	llrp_set(llrp_add(tag, LLRP_P_ANTENNA_ID), "AntennaID", 3);
	llrp_set_signed(llrp_add(tag, LLRP_P_PEAK_RSSI), "PeakRSSI", -60);
	llrp_set(llrp_add(tag, LLRP_P_CHANNEL_INDEX), "ChannelIndex", 12);
	llrp_set(llrp_add(tag, LLRP_P_TAG_SEEN_COUNT), "TagCount", 4);
	llrp_set(llrp_add(tag, LLRP_P_FIRST_SEEN_UTC), "Microseconds", NOW_US - 3000);
	llrp_set(llrp_add(tag, LLRP_P_LAST_SEEN_UTC), "Microseconds", NOW_US - 1000);
	tag = report_tag(m, 2);
	assert_int_equal(feed_msg(&rig, m), 0);
	m = message(LLRP_RO_ACCESS_REPORT, 0);
	tag = report_tag(m, 3);
	llrp_set(llrp_add(tag, LLRP_P_ANTENNA_ID), "AntennaID", 1);
	assert_int_equal(feed_msg(&rig, m), 0);

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
	bring_up(&rig);
	m = message(LLRP_RO_ACCESS_REPORT, 0);
	llrp_set(llrp_add(report_tag(m, 1), LLRP_P_ANTENNA_ID), "AntennaID", 3);
	assert_int_equal(feed_msg(&rig, m), 0);
	llrp_session_connected(rig.session);
	bring_up(&rig);
	m = message(LLRP_RO_ACCESS_REPORT, 0);
	report_tag(m, 1);
	assert_int_equal(feed_msg(&rig, m), 0);
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
	bring_up(&rig);
	m = message(LLRP_RO_ACCESS_REPORT, 0);
	tag = report_tag(m, 1);
	llrp_set_signed(llrp_add(tag, LLRP_P_PEAK_RSSI), "PeakRSSI", -60);
	llrp_set(llrp_add_custom(tag, LLRP_VENDOR_IMPINJ, LLRP_IMPINJ_RF_PHASE_ANGLE), "PhaseAngle",
		 2048);
	llrp_set_signed(llrp_add_custom(tag, LLRP_VENDOR_IMPINJ, LLRP_IMPINJ_PEAK_RSSI), "RSSI",
			-6050);
	llrp_set_signed(llrp_add_custom(tag, LLRP_VENDOR_IMPINJ, LLRP_IMPINJ_RF_DOPPLER),
			"DopplerFrequency", -78);
	report_tag(m, 2);
	assert_int_equal(feed_msg(&rig, m), 0);
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
		bring_up(&rig);
		clock_fake_advance(&rig.clock, 60 * US_PER_SEC);
		for (int n = 0; n < 40; n++) {
			struct llrp_msg *m = message(LLRP_RO_ACCESS_REPORT, 0);
			uint64_t t = (uint64_t) (rig.clock.now_real_us + off_us[i]);
			struct llrp_elem *tag = report_tag(m, 1);
			const struct rfid_read *r = &rig.reads[rig.n_reads];

			llrp_set(llrp_add(tag, LLRP_P_FIRST_SEEN_UTC), "Microseconds", t - 5000);
			llrp_set(llrp_add(tag, LLRP_P_LAST_SEEN_UTC), "Microseconds", t - 2000);
			assert_int_equal(feed_msg(&rig, m), 0);
			assert_true(r->rebased);
			assert_true(r->last_us <= rig.clock.now_real_us);
			assert_true(r->last_us >= rig.clock.now_real_us - 5000);
			assert_true(r->last_us - r->first_us == 3000);
			clock_fake_advance(&rig.clock, US_PER_SEC);
		}
		rig_done(&rig);
	}
}

static void uptime_is_put_on_our_clock(void **state)
{
	struct rig rig;

	(void) state;
	rig_init(&rig, NULL);
	bring_up(&rig);
	for (int n = 0; n < 3; n++) {
		struct llrp_msg *m = message(LLRP_RO_ACCESS_REPORT, 0);
		struct llrp_elem *tag = report_tag(m, 1);

		llrp_set(llrp_add(tag, LLRP_P_LAST_SEEN_UPTIME), "Microseconds",
			 (uint64_t) (5000000 + 400000 * n - (n == 1 ? 100000 : 0)));
		assert_int_equal(feed_msg(&rig, m), 0);
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
	bring_up(&rig);
	m = message(LLRP_RO_ACCESS_REPORT, 0);
	tag = report_tag(m, 1);
	llrp_set(llrp_add(tag, LLRP_P_FIRST_SEEN_UTC), "Microseconds", 0);
	llrp_set(llrp_add(tag, LLRP_P_LAST_SEEN_UTC), "Microseconds", UINT64_MAX);
	assert_int_equal(feed_msg(&rig, m), 0);
	assert_true(rig.reads[0].first_us == NOW_US && rig.reads[0].last_us == NOW_US);
	rig_done(&rig);
}

static void events_become_incidents(void **state)
{
	struct llrp_msg *m = message(LLRP_READER_EVENT_NOTIFICATION, 0);
	struct llrp_elem *data = event_data(m, NOW_US), *e;
	struct rig rig;

	(void) state;
	rig_init(&rig, NULL);
	bring_up(&rig);
	llrp_set(llrp_add(data, LLRP_P_REPORT_BUFFER_LEVEL_WARNING_EVENT),
		 "ReportBufferPercentageFull", 80);
	llrp_add(data, LLRP_P_REPORT_BUFFER_OVERFLOW_ERROR_EVENT);
	llrp_set_text(llrp_add(data, LLRP_P_READER_EXCEPTION_EVENT), "Message",
		      "too hot\n<script>");
	e = llrp_add(data, LLRP_P_ANTENNA_EVENT);
	llrp_set(e, "AntennaID", 2);
	llrp_set(llrp_add(data, LLRP_P_CONNECTION_ATTEMPT_EVENT), "Status", 4);
	assert_int_equal(feed_msg(&rig, m), 0);
	assert_non_null(strstr(rig.incidents, "80 % full"));
	assert_non_null(strstr(rig.incidents, "overflowed"));
	assert_non_null(strstr(rig.incidents, "too hot?<script>"));
	assert_non_null(strstr(rig.incidents, "antenna 2 was disconnected"));
	assert_non_null(strstr(rig.incidents, "another client"));
	assert_int_equal(rig.state, RFID_READER_RUNNING);
	rig_done(&rig);
}

static void error_message_is_never_answered(void **state)
{
	struct rig rig;

	(void) state;
	rig_init(&rig, NULL);
	bring_up(&rig);
	assert_int_equal(reply(&rig, LLRP_ERROR_MESSAGE, 109, "what?"), 0);
	assert_int_equal(rig.sent.len, 0);
	assert_non_null(strstr(rig.incidents, "what?"));
	rig_done(&rig);
}

static void reader_that_closes_is_believed(void **state)
{
	struct llrp_msg *m = message(LLRP_READER_EVENT_NOTIFICATION, 0);
	struct rig rig;

	(void) state;
	rig_init(&rig, NULL);
	bring_up(&rig);
	llrp_add(event_data(m, NOW_US), LLRP_P_CONNECTION_CLOSE_EVENT);
	assert_int_equal(feed_msg(&rig, m), -ERR_CLOSED);
	rig_done(&rig);
}

static void message_of_a_later_version_is_passed_over(void **state)
{
	static const uint8_t frame[] = {0x08, 0x38, 0, 0, 0, 12, 0, 0, 0, 1, 0xab, 0xcd};
	struct rig rig;

	(void) state;
	rig_init(&rig, NULL);
	bring_up(&rig);
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
	bring_up(&rig);
	m = message(LLRP_RO_ACCESS_REPORT, 0);
	for (uint8_t i = 0; i < 200; i++)
		report_tag(m, i);
	assert_int_equal(feed_msg(&rig, m), 0);
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
		bring_up(&rig);
		assert_true(llrp_session_feed(rig.session, lies[i], sizeof(lies[i])) < 0);
		assert_int_equal(rig.n_reads, 0);
		llrp_session_get_stats(rig.session, &stats);
		assert_int_equal(stats.bad_frames, 1);
		assert_int_equal(llrp_session_feed(rig.session, lies[i], 1), -ERR_STATE);
		/* ... but only this one. */
		llrp_session_connected(rig.session);
		bring_up(&rig);
		rig_done(&rig);
	}
}

static void report_with_a_fault_at_its_end_is_discarded_whole(void **state)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	struct llrp_msg *m = message(LLRP_RO_ACCESS_REPORT, 0);
	struct rig rig;

	(void) state;
	rig_init(&rig, NULL);
	bring_up(&rig);
	for (uint8_t i = 0; i < 100; i++)
		report_tag(m, i);
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
	struct llrp_msg *m = message(LLRP_RO_ACCESS_REPORT, 0);
	struct llrp_elem *tag;
	struct rig rig;

	(void) state;
	rig_init(&rig, NULL);
	bring_up(&rig);
	for (size_t n = 0; n <= 560; n += 80) {
		tag = llrp_add(llrp_root(m), LLRP_P_TAG_REPORT_DATA);
		llrp_set_bytes(llrp_add(tag, LLRP_P_EPC_DATA), "EPC", bits, n);
	}
	assert_int_equal(feed_msg(&rig, m), 0);
	assert_int_equal(rig.n_reads, 6); /* 80 to 480 bits */
	assert_non_null(strstr(rig.incidents, "2 tag reports"));
	rig_done(&rig);
}

/* --- stopping --------------------------------------------------------------------------------- */

static void stop_is_clean(void **state)
{
	struct rig rig;

	(void) state;
	rig_init(&rig, NULL);
	bring_up(&rig);
	assert_int_equal(llrp_session_stop(rig.session), 0);
	assert_int_equal(rig.state, RFID_READER_STOPPING);
	expect(&rig, LLRP_STOP_ROSPEC);
	assert_int_equal(reply(&rig, LLRP_STOP_ROSPEC_RESPONSE, 0, NULL), 0);
	assert_int_equal(llrp_get(expect(&rig, LLRP_DELETE_ROSPEC), "ROSpecID"), LLRP_SETUP_ROSPEC);
	assert_int_equal(reply(&rig, LLRP_DELETE_ROSPEC_RESPONSE, 300, "gone"), 0);
	expect(&rig, LLRP_CLOSE_CONNECTION);
	assert_int_equal(reply(&rig, LLRP_CLOSE_CONNECTION_RESPONSE, 0, NULL), -ERR_CLOSED);
	assert_int_equal(rig.state, RFID_READER_IDLE);
	rig_done(&rig);
}

static void stop_does_not_wait_for_a_dead_reader(void **state)
{
	struct rig rig;
	int r = 0;

	(void) state;
	rig_init(&rig, NULL);
	bring_up(&rig);
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
	bring_up(&rig);
	rig.mischief = FREE_ON_READS;
	m = message(LLRP_RO_ACCESS_REPORT, 0);
	for (uint8_t i = 0; i < 200; i++)
		report_tag(m, i);
	assert_int_equal(feed_msg(&rig, m), -ERR_CLOSED);
	assert_int_equal(rig.n_reads, 64);
	rig_done(&rig);

	rig_init(&rig, NULL);
	bring_up(&rig);
	rig.mischief = FREE_ON_INCIDENT;
	assert_int_equal(reply(&rig, LLRP_ERROR_MESSAGE, 109, "what?"), -ERR_CLOSED);
	rig_done(&rig);

	rig_init(&rig, NULL);
	bring_up(&rig);
	rig.mischief = FREE_ON_SEND;
	assert_int_equal(llrp_session_stop(rig.session), -ERR_CLOSED);
	rig_done(&rig);

	rig_init(&rig, NULL);
	rig.mischief = FREE_ON_SEND;
	assert_int_equal(connection_event(&rig, 0), -ERR_CLOSED);
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
		cmocka_unit_test(refused_extensions_are_done_without),
		cmocka_unit_test(refused_settings_are_tried_again_with_less),
		cmocka_unit_test(start_refused_by_an_active_reader_is_running),
		cmocka_unit_test(start_refused_without_a_sign_of_inventory_fails),
		cmocka_unit_test(event_before_the_refusal_of_start_counts),
		cmocka_unit_test(keepalives_are_acknowledged_and_three_missed_are_the_end),
		cmocka_unit_test(enabled_fields_left_out_are_carried_forward),
		cmocka_unit_test(nothing_is_carried_over_a_reconnect),
		cmocka_unit_test(vendor_fields_are_those_of_this_very_read),
		cmocka_unit_test(far_off_clock_is_rebased_and_flagged),
		cmocka_unit_test(uptime_is_put_on_our_clock),
		cmocka_unit_test(absurd_times_become_those_of_arrival),
		cmocka_unit_test(events_become_incidents),
		cmocka_unit_test(error_message_is_never_answered),
		cmocka_unit_test(reader_that_closes_is_believed),
		cmocka_unit_test(message_of_a_later_version_is_passed_over),
		cmocka_unit_test(byte_by_byte_is_the_same),
		cmocka_unit_test(lie_about_a_length_costs_the_connection),
		cmocka_unit_test(report_with_a_fault_at_its_end_is_discarded_whole),
		cmocka_unit_test(overlong_or_empty_epc_is_told_and_passed_over),
		cmocka_unit_test(stop_is_clean),
		cmocka_unit_test(stop_does_not_wait_for_a_dead_reader),
		cmocka_unit_test(stop_before_the_connection_event_has_nothing_to_say),
		cmocka_unit_test(callbacks_may_free_the_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
