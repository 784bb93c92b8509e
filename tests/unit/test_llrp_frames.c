/* SPDX-License-Identifier: Apache-2.0 */
/** @file The LLRP table against frames we did not write. */
#include "tests/unit/llrp_frames.h"

/* --- frames of others ------------------------------------------------------------------------- */

static size_t golden_file(const char *name)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t len, frames = 0;

	data = data_file(name, &len);
	for (size_t at = 0; at < len; frames++) {
		_cleanup_(llrp_msg_freep) struct llrp_msg *m = NULL;
		_cleanup_buf_ struct buf out = BUF_INIT;
		struct llrp_header h;
		struct llrp_diag diag;

		assert_int_equal(llrp_header_decode(data + at, len - at, &h), 0);
		assert_true(h.length <= len - at);
		if (llrp_msg_decode(data + at, h.length, &m, &diag) < 0)
			fail_msg("%s: frame %zu (type %u) at %zu: status %u parameter %u in %u",
				 name, frames, h.type, at + diag.at, diag.status, diag.parameter,
				 diag.in);
		assert_int_equal(llrp_msg_encode(m, &out), 0);
		if (out.len != h.length || memcmp(out.data, data + at, out.len) != 0)
			fail_msg("%s: frame %zu (type %u) at %zu differs", name, frames, h.type,
				 at);
		assert_int_equal(llrp_msg_validate(m, &diag), 0);
		if (h.type == LLRP_RO_ACCESS_REPORT)
			assert_int_equal(llrp_report_check(data + at, h.length),
					 (int) llrp_count(llrp_root(m), LLRP_P_TAG_REPORT_DATA));
		at += h.length;
	}
	return frames;
}

static void golden_frames_are_reencoded_byte_for_byte(void **state)
{
	(void) state;
	assert_int_equal(golden_file("llrp-golden/dx101_a.bin"), 934);
	assert_true(golden_file("llrp-golden/dx101_b.bin") > 0);
	assert_int_equal(golden_file("llrp-golden/dx301_a.bin"), 78);
}

/** A captured body with a header put in front. */
static struct llrp_msg *captured(const char *name, uint16_t type, json_t **ret_json)
{
	_cleanup_free_ uint8_t *body = NULL, *text = NULL, *frame = NULL;
	struct llrp_msg *m = NULL;
	char path[128];
	size_t n, text_len;

	snprintf(path, sizeof(path), "llrp-captured/%s.bytes", name);
	body = data_file(path, &n);
	snprintf(path, sizeof(path), "llrp-captured/%s.json", name);
	text = data_file(path, &text_len);
	*ret_json = json_loadb((const char *) text, text_len, 0, NULL);
	assert_non_null(*ret_json);
	frame = calloc(1, n + 10);
	assert_non_null(frame);
	frame[0] = (uint8_t) (4 | type >> 8);
	frame[1] = (uint8_t) type;
	frame[4] = (uint8_t) ((n + 10) >> 8);
	frame[5] = (uint8_t) (n + 10);
	memcpy(frame + 10, body, n);
	assert_int_equal(llrp_msg_decode(frame, n + 10, &m, NULL), 0);
	if (type == LLRP_RO_ACCESS_REPORT)
		assert_int_equal(llrp_report_check(frame, n + 10), 1);
	return m;
}

static json_int_t number(const json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);

	return json_is_boolean(v) ? json_is_true(v) : json_integer_value(v);
}

static void captured_capabilities_say_what_their_description_says(void **state)
{
	_cleanup_(llrp_msg_freep) struct llrp_msg *m = NULL;
	json_t *json, *general, *uhf, *list, *row;
	struct llrp_elem *e, *c;
	const uint8_t *text;
	size_t i, len;

	(void) state;
	m = captured("GetReaderCapabilitiesResponse-000", 11, &json);
	general = json_object_get(json, "GeneralDeviceCapabilities");
	e = llrp_find(llrp_root(m), LLRP_P_GENERAL_DEVICE_CAPABILITIES);
	assert_int_equal(llrp_get(e, "MaxNumberOfAntennaSupported"),
			 number(general, "MaxSupportedAntennas"));
	assert_int_equal(llrp_get(e, "CanSetAntennaProperties"),
			 number(general, "CanSetAntennaProperties"));
	assert_int_equal(llrp_get(e, "HasUTCClockCapability"), number(general, "HasUTCClock"));
	assert_int_equal(llrp_get(e, "DeviceManufacturerName"),
			 number(general, "DeviceManufacturer"));
	assert_int_equal(llrp_get(e, "ModelName"), number(general, "Model"));
	text = llrp_get_bytes(e, "ReaderFirmwareVersion", &len);
	assert_int_equal(len, json_string_length(json_object_get(general, "FirmwareVersion")));
	assert_memory_equal(text, json_string_value(json_object_get(general, "FirmwareVersion")),
			    len);
	list = json_object_get(general, "ReceiveSensitivities");
	assert_int_equal(llrp_count(e, LLRP_P_RECEIVE_SENSITIVITY_TABLE_ENTRY),
			 json_array_size(list));
	c = llrp_find(e, LLRP_P_RECEIVE_SENSITIVITY_TABLE_ENTRY);
	json_array_foreach(list, i, row)
	{
		assert_int_equal(llrp_get(c, "Index"), number(row, "Index"));
		assert_int_equal(llrp_get_signed(c, "ReceiveSensitivityValue"),
				 number(row, "ReceiveSensitivity"));
		c = llrp_find_next(c);
	}
	assert_null(c);
	uhf = json_object_get(json_object_get(json, "RegulatoryCapabilities"),
			      "UHFBandCapabilities");
	list = json_object_get(uhf, "TransmitPowerLevels");
	e = llrp_find(llrp_find(llrp_root(m), LLRP_P_REGULATORY_CAPABILITIES),
		      LLRP_P_UHF_BAND_CAPABILITIES);
	assert_non_null(e);
	assert_true(json_array_size(list) > 0);
	assert_int_equal(llrp_count(e, LLRP_P_TRANSMIT_POWER_LEVEL_TABLE_ENTRY),
			 json_array_size(list));
	c = llrp_find(e, LLRP_P_TRANSMIT_POWER_LEVEL_TABLE_ENTRY);
	json_array_foreach(list, i, row)
	{
		assert_int_equal(llrp_get(c, "Index"), number(row, "Index"));
		assert_int_equal(llrp_get_signed(c, "TransmitPowerValue"),
				 number(row, "TransmitPowerValue"));
		c = llrp_find_next(c);
	}
	json_decref(json);
}

static void captured_reports_say_what_their_description_says(void **state)
{
	(void) state;
	for (int n = 1; n <= 3; n++) {
		_cleanup_(llrp_msg_freep) struct llrp_msg *m = NULL;
		char name[32];
		struct llrp_elem *tag;
		json_t *json, *want;

		snprintf(name, sizeof(name), "ROAccessReport-00%d", n);
		m = captured(name, LLRP_RO_ACCESS_REPORT, &json);
		want = json_array_get(json_object_get(json, "TagReportData"), 0);
		tag = llrp_find(llrp_root(m), LLRP_P_TAG_REPORT_DATA);
		assert_int_equal(llrp_get(llrp_find(tag, LLRP_P_ANTENNA_ID), "AntennaID"),
				 number(want, "AntennaID"));
		assert_int_equal(llrp_get_signed(llrp_find(tag, LLRP_P_PEAK_RSSI), "PeakRSSI"),
				 number(want, "PeakRSSI"));
		assert_int_equal(llrp_get(llrp_find(tag, LLRP_P_FIRST_SEEN_UTC), "Microseconds"),
				 number(want, "FirstSeenUTC"));
		assert_null(llrp_find(tag, LLRP_P_LAST_SEEN_UTC));
		assert_null(llrp_find(tag, LLRP_P_TAG_SEEN_COUNT));
		json_decref(json);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_frames_are_reencoded_byte_for_byte),
		cmocka_unit_test(captured_capabilities_say_what_their_description_says),
		cmocka_unit_test(captured_reports_say_what_their_description_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
