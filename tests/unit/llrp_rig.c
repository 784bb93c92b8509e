/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/llrp_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

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

void rig_init(struct rig *rig, const struct rfid_reader_config *cfg)
{
	static const struct rfid_reader_config plain;
	const struct llrp_session_callbacks cb = {on_send, on_state, on_reads, on_incident};

	memset(rig, 0, sizeof(*rig));
	rig->version = LLRP_VERSION_1;
	clock_fake_init(&rig->clock, 1000, NOW_US);
	assert_int_equal(
		llrp_session_new(cfg ? cfg : &plain, &rig->clock.clock, &cb, rig, &rig->session),
		0);
	llrp_session_connected(rig->session);
}

void rig_done(struct rig *rig)
{
	llrp_session_free(rig->session);
	llrp_msg_free(rig->got);
	buf_done(&rig->sent);
}

struct llrp_elem *rig_expect(struct rig *rig, uint16_t type)
{
	struct llrp_header h;
	struct llrp_diag diag;

	assert_int_equal(llrp_header_decode(rig->sent.data, rig->sent.len, &h), 0);
	llrp_msg_free(rig->got);
	rig->got = NULL;
	assert_int_equal(llrp_msg_decode(rig->sent.data, h.length, &rig->got, &diag), 0);
	assert_int_equal(h.type, type);
	assert_int_equal(h.version, rig->version);
	assert_int_equal(llrp_msg_validate(rig->got, &diag), 0);
	buf_consume(&rig->sent, h.length);
	if (type == LLRP_ADD_ROSPEC)
		rig->rospec = (uint32_t) llrp_get(llrp_find(llrp_root(rig->got), LLRP_P_ROSPEC),
						  "ROSpecID");
	return llrp_root(rig->got);
}

int rig_feed_msg(struct rig *rig, struct llrp_msg *m)
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

struct llrp_msg *rig_message(uint16_t type, uint32_t id)
{
	struct llrp_msg *m = NULL;

	assert_int_equal(llrp_msg_new(type, id, &m), 0);
	return m;
}

int rig_reply(struct rig *rig, uint16_t type, uint16_t status, const char *text)
{
	struct llrp_msg *m = rig_message(type, llrp_msg_id(rig->got));

	llrp_add_status(llrp_root(m), status, text);
	return rig_feed_msg(rig, m);
}

struct llrp_elem *rig_event_data(struct llrp_msg *m, int64_t utc_us)
{
	struct llrp_elem *data = llrp_add(llrp_root(m), LLRP_P_READER_EVENT_NOTIFICATION_DATA);

	llrp_set(llrp_add(data, LLRP_P_UTC_TIMESTAMP), "Microseconds", (uint64_t) utc_us);
	return data;
}

int rig_connection_event(struct rig *rig, uint16_t status)
{
	struct llrp_msg *m = rig_message(LLRP_READER_EVENT_NOTIFICATION, 0);
	struct llrp_elem *data = rig_event_data(m, rig->clock.now_real_us);

	llrp_set(llrp_add(data, LLRP_P_CONNECTION_ATTEMPT_EVENT), "Status", status);
	return rig_feed_msg(rig, m);
}

int rig_capabilities(struct rig *rig, uint32_t vendor)
{
	struct llrp_msg *m =
		rig_message(LLRP_GET_READER_CAPABILITIES_RESPONSE, llrp_msg_id(rig->got));
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
	return rig_feed_msg(rig, m);
}

void rig_bring_up(struct rig *rig)
{
	assert_int_equal(rig_connection_event(rig, 0), 0);
	rig_bring_up_from_capabilities(rig);
}

void rig_bring_up_from_capabilities(struct rig *rig)
{
	rig_expect(rig, LLRP_GET_READER_CAPABILITIES);
	assert_int_equal(rig_capabilities(rig, 161), 0);
	rig_expect(rig, LLRP_SET_READER_CONFIG);
	assert_int_equal(rig_reply(rig, LLRP_SET_READER_CONFIG_RESPONSE, 0, NULL), 0);
	rig_expect(rig, LLRP_GET_ROSPECS);
	assert_int_equal(rig_reply(rig, LLRP_GET_ROSPECS_RESPONSE, 0, NULL), 0);
	rig_expect(rig, LLRP_DELETE_ACCESSSPEC);
	assert_int_equal(rig_reply(rig, LLRP_DELETE_ACCESSSPEC_RESPONSE, 0, NULL), 0);
	rig_expect(rig, LLRP_DELETE_ROSPEC);
	assert_int_equal(rig_reply(rig, LLRP_DELETE_ROSPEC_RESPONSE, 0, NULL), 0);
	rig_expect(rig, LLRP_ADD_ROSPEC);
	assert_int_equal(rig_reply(rig, LLRP_ADD_ROSPEC_RESPONSE, 0, NULL), 0);
	rig_expect(rig, LLRP_ENABLE_ROSPEC);
	assert_int_equal(rig_reply(rig, LLRP_ENABLE_ROSPEC_RESPONSE, 0, NULL), 0);
	rig_expect(rig, LLRP_START_ROSPEC);
	assert_int_equal(rig_reply(rig, LLRP_START_ROSPEC_RESPONSE, 0, NULL), 0);
	rig_expect(rig, LLRP_ENABLE_EVENTS_AND_REPORTS);
	assert_int_equal(rig->state, RFID_READER_RUNNING);
	assert_int_equal(rig->sent.len, 0);
}

void rig_bring_up_to_add(struct rig *rig)
{
	assert_int_equal(rig_connection_event(rig, 0), 0);
	rig_expect(rig, LLRP_GET_READER_CAPABILITIES);
	assert_int_equal(rig_capabilities(rig, 161), 0);
	rig_expect(rig, LLRP_SET_READER_CONFIG);
	assert_int_equal(rig_reply(rig, LLRP_SET_READER_CONFIG_RESPONSE, 0, NULL), 0);
	rig_expect(rig, LLRP_GET_ROSPECS);
	assert_int_equal(rig_reply(rig, LLRP_GET_ROSPECS_RESPONSE, 109, "no list"), 0);
	rig_expect(rig, LLRP_DELETE_ACCESSSPEC);
	assert_int_equal(rig_reply(rig, LLRP_DELETE_ACCESSSPEC_RESPONSE, 109, "no access"), 0);
	rig_expect(rig, LLRP_DELETE_ROSPEC);
	assert_int_equal(rig_reply(rig, LLRP_DELETE_ROSPEC_RESPONSE, 300, "none there"), 0);
	rig_expect(rig, LLRP_ADD_ROSPEC);
}

struct llrp_elem *rig_report_tag(struct llrp_msg *m, uint8_t last_octet)
{
	const uint8_t epc[12] = {0x30, [11] = last_octet};
	struct llrp_elem *tag = llrp_add(llrp_root(m), LLRP_P_TAG_REPORT_DATA);

	llrp_set_bytes(llrp_add(tag, LLRP_P_EPC_96), "EPC", epc, 12);
	return tag;
}

int rig_rospec_event(struct rig *rig, unsigned int type)
{
	struct llrp_msg *m = rig_message(LLRP_READER_EVENT_NOTIFICATION, 0);
	struct llrp_elem *e = llrp_add(rig_event_data(m, NOW_US), LLRP_P_ROSPEC_EVENT);

	llrp_set(e, "EventType", type);
	llrp_set(e, "ROSpecID", rig->rospec);
	return rig_feed_msg(rig, m);
}
