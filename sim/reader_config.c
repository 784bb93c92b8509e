/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/reader_impl.h"

#include "config.h"
#include <stdio.h>
#include <string.h>

#define PROTOCOL_C1G2   1
#define MODEL_SIMULATED 0x474f4e44u /* "GOND" */
#define MODEL_IMPINJ    2001002u
#define VENDOR_NONE     0u

enum capability {
	CAP_ALL,
	CAP_GENERAL,
	CAP_LLRP,
	CAP_REGULATORY,
	CAP_AIR,
	CAP_COUNT
};
enum config_part {
	PART_ALL,
	PART_IDENTIFICATION,
	PART_ANTENNA_PROPERTIES,
	PART_ANTENNA_CONFIGURATION,
	PART_RO_REPORT,
	PART_EVENTS,
	PART_ACCESS_REPORT,
	PART_STATE,
	PART_KEEPALIVE,
	PART_GPI,
	PART_GPO,
	PART_HOLD,
	PART_COUNT
};

void reader_settings_default(struct sim_reader *r)
{
	r->set = (struct reader_settings){
		.report = {.trigger = 2, .n = 0, .fields = 0x3ff & ~(uint32_t) FIELD_ACCESSSPEC_ID},
		.access_report_trigger = 0,
	};
	for (unsigned int i = 0; i < SIM_READER_MAX_ANTENNAS; i++)
		r->set.antennas[i] = antenna_settings_default();
}

/* --- capabilities ----------------------------------------------------------------------------- */

static void put_general(const struct sim_reader *r, struct llrp_elem *root)
{
	struct llrp_elem *e = llrp_add(root, LLRP_P_GENERAL_DEVICE_CAPABILITIES), *s;
	static const uint8_t protocols[] = {PROTOCOL_C1G2};

	llrp_set(e, "MaxNumberOfAntennaSupported", r->cfg.n_antennas);
	llrp_set(e, "CanSetAntennaProperties", 0);
	llrp_set(e, "HasUTCClockCapability", 1);
	llrp_set(e, "DeviceManufacturerName", r->cfg.impinj ? LLRP_VENDOR_IMPINJ : VENDOR_NONE);
	llrp_set(e, "ModelName", r->cfg.impinj ? MODEL_IMPINJ : MODEL_SIMULATED);
	llrp_set_text(e, "ReaderFirmwareVersion", "gondola-sim " PACKAGE_VERSION);
	reader_put_sensitivities(e);
	s = llrp_add(e, LLRP_P_GPIO_CAPABILITIES);
	llrp_set(s, "NumGPIs", 0);
	llrp_set(s, "NumGPOs", 0);
	for (uint16_t i = 1; i <= r->cfg.n_antennas; i++) {
		s = llrp_add(e, LLRP_P_PER_ANTENNA_AIR_PROTOCOL);
		llrp_set(s, "AntennaID", i);
		llrp_set_bytes(s, "ProtocolID", protocols, sizeof protocols);
	}
}

static void put_llrp(struct llrp_elem *root)
{
	struct llrp_elem *e = llrp_add(root, LLRP_P_LLRP_CAPABILITIES);

	llrp_set(e, "CanReportBufferFillWarning", 1);
	llrp_set(e, "CanDoTagInventoryStateAwareSingulation", 1);
	llrp_set(e, "SupportsEventAndReportHolding", 1);
	llrp_set(e, "MaxNumPriorityLevelsSupported", 1);
	llrp_set(e, "MaxNumROSpecs", READER_MAX_ROSPECS);
	llrp_set(e, "MaxNumSpecsPerROSpec", 32);
	llrp_set(e, "MaxNumInventoryParameterSpecsPerAISpec", 1);
	llrp_set(e, "MaxNumAccessSpecs", READER_MAX_ACCESSSPECS);
	llrp_set(e, "MaxNumOpSpecsPerAccessSpec", 8);
}

void reader_put_capabilities(const struct sim_reader *r, struct llrp_msg *m, uint8_t what)
{
	struct llrp_elem *root = llrp_root(m), *e;

	if (what == CAP_ALL || what == CAP_GENERAL)
		put_general(r, root);
	if (what == CAP_ALL || what == CAP_LLRP)
		put_llrp(root);
	if (what == CAP_ALL || what == CAP_REGULATORY)
		reader_put_regulatory(r, root);
	if (what == CAP_ALL || what == CAP_AIR) {
		e = llrp_add(root, LLRP_P_C1G2_LLRP_CAPABILITIES);
		llrp_set(e, "MaxNumSelectFiltersPerQuery", 2);
	}
}

/* --- reading the configuration ---------------------------------------------------------------- */

static void put_report_spec(const struct report_spec *spec, struct llrp_elem *root)
{
	static const char *const names[] = {
		"EnableROSpecID",
		"EnableSpecIndex",
		"EnableInventoryParameterSpecID",
		"EnableAntennaID",
		"EnableChannelIndex",
		"EnablePeakRSSI",
		"EnableFirstSeenTimestamp",
		"EnableLastSeenTimestamp",
		"EnableTagSeenCount",
		"EnableAccessSpecID",
	};
	struct llrp_elem *e = llrp_add(root, LLRP_P_RO_REPORT_SPEC), *s;

	llrp_set(e, "ROReportTrigger", spec->trigger);
	llrp_set(e, "N", spec->n);
	s = llrp_add(e, LLRP_P_TAG_REPORT_CONTENT_SELECTOR);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		llrp_set(s, names[i], spec->fields >> i & 1);
	if (spec->fields & (FIELD_CRC | FIELD_PC)) {
		s = llrp_add(s, LLRP_P_C1G2_EPC_MEMORY_SELECTOR);
		llrp_set(s, "EnableCRC", !!(spec->fields & FIELD_CRC));
		llrp_set(s, "EnablePCBits", !!(spec->fields & FIELD_PC));
	}
}

static void put_events(const struct sim_reader *r, struct llrp_elem *root)
{
	struct llrp_elem *e = llrp_add(root, LLRP_P_READER_EVENT_NOTIFICATION_SPEC), *s;

	for (uint16_t i = 0; i < READER_EVENT_TYPES; i++) {
		s = llrp_add(e, LLRP_P_EVENT_NOTIFICATION_STATE);
		llrp_set(s, "EventType", i);
		llrp_set(s, "NotificationState", r->set.notify[i]);
	}
}

static void put_small_parts(const struct sim_reader *r, struct llrp_elem *root, uint8_t what)
{
	struct llrp_elem *e;

	if (what == PART_ALL || what == PART_ACCESS_REPORT) {
		e = llrp_add(root, LLRP_P_ACCESS_REPORT_SPEC);
		llrp_set(e, "AccessReportTrigger", r->set.access_report_trigger);
	}
	if (what == PART_ALL || what == PART_STATE) {
		e = llrp_add(root, LLRP_P_LLRP_CONFIGURATION_STATE_VALUE);
		llrp_set(e, "LLRPConfigurationStateValue", r->set.state_value);
	}
	if (what == PART_ALL || what == PART_KEEPALIVE) {
		e = llrp_add(root, LLRP_P_KEEPALIVE_SPEC);
		llrp_set(e, "KeepaliveTriggerType", r->set.keepalive_ms > 0);
		llrp_set(e, "PeriodicTriggerValue", r->set.keepalive_ms);
	}
	if (what == PART_ALL || what == PART_HOLD) {
		e = llrp_add(root, LLRP_P_EVENTS_AND_REPORTS);
		llrp_set(e, "HoldEventsAndReportsUponReconnect", r->set.hold_on_reconnect);
	}
}

void reader_put_config(const struct sim_reader *r, struct llrp_msg *m, uint8_t what,
		       uint16_t antenna)
{
	static const uint8_t id[8] = {0x02, 0x60, 0x0d, 0x0f, 0xfe, 0x51, 0x00, 0x01};
	struct llrp_elem *root = llrp_root(m), *e;

	if (what == PART_ALL || what == PART_IDENTIFICATION) {
		e = llrp_add(root, LLRP_P_IDENTIFICATION);
		llrp_set(e, "IDType", 0);
		llrp_set_bytes(e, "ReaderID", id, sizeof id);
	}
	for (uint16_t i = 1; i <= r->cfg.n_antennas; i++) {
		if (antenna != 0 && antenna != i)
			continue;
		if (what == PART_ALL || what == PART_ANTENNA_PROPERTIES) {
			e = llrp_add(root, LLRP_P_ANTENNA_PROPERTIES);
			llrp_set(e, "AntennaConnected", !(r->cables_off >> (i - 1) & 1));
			llrp_set(e, "AntennaID", i);
			llrp_set_signed(e, "AntennaGain", 600);
		}
		if (what == PART_ALL || what == PART_ANTENNA_CONFIGURATION)
			reader_put_antenna(r, root, i);
	}
	if (what == PART_ALL || what == PART_EVENTS)
		put_events(r, root);
	if (what == PART_ALL || what == PART_RO_REPORT)
		put_report_spec(&r->set.report, root);
	put_small_parts(r, root, what);
}

/* --- report specs ----------------------------------------------------------------------------- */

void report_spec_read(const struct llrp_elem *e, bool extensions, struct report_spec *ret)
{
	const struct llrp_elem *s = llrp_find(e, LLRP_P_TAG_REPORT_CONTENT_SELECTOR), *x;
	static const char *const names[] = {
		"EnableROSpecID",
		"EnableSpecIndex",
		"EnableInventoryParameterSpecID",
		"EnableAntennaID",
		"EnableChannelIndex",
		"EnablePeakRSSI",
		"EnableFirstSeenTimestamp",
		"EnableLastSeenTimestamp",
		"EnableTagSeenCount",
		"EnableAccessSpecID",
	};
	struct report_spec spec = {.trigger = (uint8_t) llrp_get(e, "ROReportTrigger"),
				   .n = (uint16_t) llrp_get(e, "N")};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		spec.fields |= (uint32_t) llrp_get(s, names[i]) << i;
	x = llrp_find(s, LLRP_P_C1G2_EPC_MEMORY_SELECTOR);
	if (x && llrp_get(x, "EnableCRC"))
		spec.fields |= FIELD_CRC;
	if (x && llrp_get(x, "EnablePCBits"))
		spec.fields |= FIELD_PC;
	x = llrp_find_custom(e, LLRP_VENDOR_IMPINJ, LLRP_IMPINJ_TAG_REPORT_CONTENT_SELECTOR);
	if (x && extensions) {
		const struct llrp_elem *f;

		f = llrp_find_custom(x, LLRP_VENDOR_IMPINJ, LLRP_IMPINJ_ENABLE_RF_PHASE_ANGLE);
		if (f && llrp_get(f, "RFPhaseAngleMode"))
			spec.fields |= FIELD_IMPINJ_PHASE;
		f = llrp_find_custom(x, LLRP_VENDOR_IMPINJ, LLRP_IMPINJ_ENABLE_PEAK_RSSI);
		if (f && llrp_get(f, "PeakRSSIMode"))
			spec.fields |= FIELD_IMPINJ_RSSI;
		f = llrp_find_custom(x, LLRP_VENDOR_IMPINJ, LLRP_IMPINJ_ENABLE_RF_DOPPLER);
		if (f && llrp_get(f, "RFDopplerFrequencyMode"))
			spec.fields |= FIELD_IMPINJ_DOPPLER;
	}
	*ret = spec;
}

struct refusal report_spec_check(const struct llrp_elem *e)
{
	if (e && llrp_get(e, "ROReportTrigger") > 2)
		return refuse_field(LLRP_P_RO_REPORT_SPEC, 0, LLRP_A_INVALID,
				    "unknown report trigger");
	return (struct refusal){0};
}

/* --- writing the configuration ---------------------------------------------------------------- */

struct refusal reader_check_config(const struct sim_reader *r, struct llrp_elem *root)
{
	struct refusal no = report_spec_check(llrp_find(root, LLRP_P_RO_REPORT_SPEC));
	const struct llrp_elem *e = llrp_find(root, LLRP_P_KEEPALIVE_SPEC);

	if (!no.code && e && llrp_get(e, "KeepaliveTriggerType") > 1)
		no = refuse_field(LLRP_P_KEEPALIVE_SPEC, 0, LLRP_A_INVALID,
				  "unknown keepalive trigger");
	e = llrp_find(root, LLRP_P_ANTENNA_CONFIGURATION);
	for (; !no.code && e; e = llrp_find_next(e))
		no = antenna_config_check(r, e);
	return no;
}

void reader_take_config(struct sim_reader *r, struct llrp_elem *root)
{
	const struct llrp_elem *e = llrp_find(root, LLRP_P_READER_EVENT_NOTIFICATION_SPEC);

	for (e = llrp_find(e, LLRP_P_EVENT_NOTIFICATION_STATE); e; e = llrp_find_next(e)) {
		uint64_t type = llrp_get(e, "EventType");

		if (type < READER_EVENT_TYPES)
			r->set.notify[type] = llrp_get(e, "NotificationState");
	}
	for (e = llrp_find(root, LLRP_P_ANTENNA_CONFIGURATION); e; e = llrp_find_next(e))
		antenna_config_take(r, e, r->set.antennas);
	e = llrp_find(root, LLRP_P_RO_REPORT_SPEC);
	if (e)
		report_spec_read(e, r->extensions, &r->set.report);
	e = llrp_find(root, LLRP_P_ACCESS_REPORT_SPEC);
	if (e)
		r->set.access_report_trigger = (uint8_t) llrp_get(e, "AccessReportTrigger");
	e = llrp_find(root, LLRP_P_KEEPALIVE_SPEC);
	if (e)
		r->set.keepalive_ms = llrp_get(e, "KeepaliveTriggerType")
					      ? (uint32_t) llrp_get(e, "PeriodicTriggerValue")
					      : 0;
	e = llrp_find(root, LLRP_P_EVENTS_AND_REPORTS);
	if (e)
		r->set.hold_on_reconnect = llrp_get(e, "HoldEventsAndReportsUponReconnect");
	r->set.state_value++;
	r->keepalives_missed = 0;
	reader_keepalive_arm(r);
}
