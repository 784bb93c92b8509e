/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/reader_impl.h"

#include "config.h"
#include <stdio.h>
#include <string.h>

#define COUNTRY_US         840
#define STANDARD_FCC       1
#define FIRST_CHANNEL_KHZ  902750u
#define CHANNEL_STEP_KHZ   500u
#define LOWEST_POWER_CDBM  1000
#define SENSITIVITY_LEVELS 11
#define PROTOCOL_C1G2      1
#define HOP_TABLE_ID       1
#define MODEL_SIMULATED    0x474f4e44u /* "GOND" */
#define MODEL_IMPINJ       2001002u
#define VENDOR_NONE        0u

static const struct {
	uint32_t id, bdr, pie, tari;
	uint8_t m;
} modes[] = {
	{0, 640000, 1500, 6250, 0},     /* FM0, fastest */
	{1, 320000, 1500, 12500, 1},    /* Miller 2 */
	{2, 274000, 2000, 20000, 2},    /* Miller 4 */
	{3, 170600, 2000, 25000, 3},    /* Miller 8, dense reader */
	{1000, 274000, 2000, 20000, 2}, /* automatic */
};

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
		r->set.power[i] = READER_POWER_LEVELS;
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
	for (uint16_t i = 1; i <= SENSITIVITY_LEVELS; i++) {
		s = llrp_add(e, LLRP_P_RECEIVE_SENSITIVITY_TABLE_ENTRY);
		llrp_set(s, "Index", i);
		llrp_set_signed(s, "ReceiveSensitivityValue", i == 1 ? 0 : 8 + 2 * i);
	}
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
	llrp_set(e, "SupportsEventAndReportHolding", 1);
	llrp_set(e, "MaxNumPriorityLevelsSupported", 1);
	llrp_set(e, "MaxNumROSpecs", READER_MAX_ROSPECS);
	llrp_set(e, "MaxNumSpecsPerROSpec", 32);
	llrp_set(e, "MaxNumInventoryParameterSpecsPerAISpec", 1);
	llrp_set(e, "MaxNumAccessSpecs", READER_MAX_ACCESSSPECS);
	llrp_set(e, "MaxNumOpSpecsPerAccessSpec", 8);
}

static void put_regulatory(struct llrp_elem *root)
{
	struct llrp_elem *e = llrp_add(root, LLRP_P_REGULATORY_CAPABILITIES), *band, *s;
	uint32_t hops[READER_CHANNELS];

	llrp_set(e, "CountryCode", COUNTRY_US);
	llrp_set(e, "CommunicationsStandard", STANDARD_FCC);
	band = llrp_add(e, LLRP_P_UHF_BAND_CAPABILITIES);
	for (uint16_t i = 1; i <= READER_POWER_LEVELS; i++) {
		s = llrp_add(band, LLRP_P_TRANSMIT_POWER_LEVEL_TABLE_ENTRY);
		llrp_set(s, "Index", i);
		llrp_set_signed(s, "TransmitPowerValue",
				LOWEST_POWER_CDBM + (i - 1) * READER_POWER_STEP_CDBM);
	}
	s = llrp_add(band, LLRP_P_FREQUENCY_INFORMATION);
	llrp_set(s, "Hopping", 1);
	s = llrp_add(s, LLRP_P_FREQUENCY_HOP_TABLE);
	llrp_set(s, "HopTableID", HOP_TABLE_ID);
	for (uint32_t i = 0; i < READER_CHANNELS; i++)
		/* Steps of 17 visit all 50 channels before one comes again. */
		hops[i] = FIRST_CHANNEL_KHZ + CHANNEL_STEP_KHZ * (i * 17 % READER_CHANNELS);
	llrp_set_u32v(s, "Frequency", hops, READER_CHANNELS);
	s = llrp_add(band, LLRP_P_C1G2_UHF_RF_MODE_TABLE);
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		struct llrp_elem *m = llrp_add(s, LLRP_P_C1G2_UHF_RF_MODE_TABLE_ENTRY);

		llrp_set(m, "ModeIdentifier", modes[i].id);
		llrp_set(m, "DRValue", 1);
		llrp_set(m, "MValue", modes[i].m);
		llrp_set(m, "ForwardLinkModulation", 2);
		llrp_set(m, "SpectralMaskIndicator", 2);
		llrp_set(m, "BDRValue", modes[i].bdr);
		llrp_set(m, "PIEValue", modes[i].pie);
		llrp_set(m, "MinTariValue", modes[i].tari);
		llrp_set(m, "MaxTariValue", modes[i].tari);
	}
}

void reader_put_capabilities(const struct sim_reader *r, struct llrp_msg *m, uint8_t what)
{
	struct llrp_elem *root = llrp_root(m), *e;

	if (what == CAP_ALL || what == CAP_GENERAL)
		put_general(r, root);
	if (what == CAP_ALL || what == CAP_LLRP)
		put_llrp(root);
	if (what == CAP_ALL || what == CAP_REGULATORY)
		put_regulatory(root);
	if (what == CAP_ALL || what == CAP_AIR) {
		e = llrp_add(root, LLRP_P_C1G2_LLRP_CAPABILITIES);
		llrp_set(e, "MaxNumSelectFiltersPerQuery", 2);
	}
}

/* --- reading the configuration ---------------------------------------------------------------- */

static void put_antenna(const struct sim_reader *r, struct llrp_elem *root, uint16_t antenna)
{
	struct llrp_elem *e = llrp_add(root, LLRP_P_ANTENNA_CONFIGURATION), *s;

	llrp_set(e, "AntennaID", antenna);
	s = llrp_add(e, LLRP_P_RF_RECEIVER);
	llrp_set(s, "ReceiverSensitivity", 1);
	s = llrp_add(e, LLRP_P_RF_TRANSMITTER);
	llrp_set(s, "HopTableID", HOP_TABLE_ID);
	llrp_set(s, "ChannelIndex", 0);
	llrp_set(s, "TransmitPower", r->set.power[antenna - 1]);
	s = llrp_add(e, LLRP_P_C1G2_INVENTORY_COMMAND);
	e = llrp_add(s, LLRP_P_C1G2_RF_CONTROL);
	llrp_set(e, "ModeIndex", 1000);
	e = llrp_add(s, LLRP_P_C1G2_SINGULATION_CONTROL);
	llrp_set(e, "Session", 1);
	llrp_set(e, "TagPopulation", 32);
}

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
			put_antenna(r, root, i);
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

struct refusal antenna_config_check(const struct sim_reader *r, const struct llrp_elem *e)
{
	const struct llrp_elem *tx = llrp_find(e, LLRP_P_RF_TRANSMITTER);
	uint64_t power = llrp_get(tx, "TransmitPower");

	if (llrp_get(e, "AntennaID") > r->cfg.n_antennas)
		return refuse_field(LLRP_P_ANTENNA_CONFIGURATION, 0, LLRP_A_OUT_OF_RANGE,
				    "no such antenna");
	if (tx && (power < 1 || power > READER_POWER_LEVELS))
		return refuse_field(LLRP_P_RF_TRANSMITTER, 2, LLRP_A_OUT_OF_RANGE,
				    "no such index in the power table");
	if (tx && llrp_get(tx, "HopTableID") > HOP_TABLE_ID)
		return refuse_field(LLRP_P_RF_TRANSMITTER, 0, LLRP_A_OUT_OF_RANGE,
				    "no such hop table");
	return (struct refusal){0};
}

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

void antenna_config_power(const struct sim_reader *r, const struct llrp_elem *e,
			  uint16_t power[SIM_READER_MAX_ANTENNAS])
{
	const struct llrp_elem *tx = llrp_find(e, LLRP_P_RF_TRANSMITTER);
	uint16_t antenna = (uint16_t) llrp_get(e, "AntennaID");

	for (uint16_t i = 1; tx && i <= r->cfg.n_antennas; i++) {
		if (antenna == 0 || antenna == i)
			power[i - 1] = (uint16_t) llrp_get(tx, "TransmitPower");
	}
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
		antenna_config_power(r, e, r->set.power);
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
