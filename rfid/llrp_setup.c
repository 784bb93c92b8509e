/* SPDX-License-Identifier: Apache-2.0 */
#include "rfid/llrp_setup.h"

#include "common/err.h"
#include "common/gen2_profile.h"
#include <stdio.h>

#define REQUEST_ALL          0 /* of GET_READER_CAPABILITIES */
#define KEEPALIVE_PERIOD     1
#define START_IMMEDIATE      1
#define REPORT_EACH_N        1 /* N tags, or the end of the AISpec */
#define PROTOCOL_C1G2        1
#define SEARCH_SINGLE_TARGET 1
#define SEARCH_DUAL_TARGET   2

/* Events of LLRP 1.0.1, 13.2.1 */
enum event_type {
	EVENT_HOPPING = 0,
	EVENT_GPI = 1,
	EVENT_ROSPEC = 2,
	EVENT_BUFFER_WARNING = 3,
	EVENT_EXCEPTION = 4,
	EVENT_RF_SURVEY = 5,
	EVENT_AISPEC = 6,
	EVENT_AISPEC_SINGULATION = 7,
	EVENT_ANTENNA = 8,
};

/* --- capabilities ----------------------------------------------------------------------------- */

/** The entries say by how many decibels they are less sensitive than the best. */
static void parse_sensitivity(const struct llrp_elem *general, struct llrp_caps *caps)
{
	const struct llrp_elem *e = llrp_find(general, LLRP_P_RECEIVE_SENSITIVITY_TABLE_ENTRY);
	int64_t best = INT64_MAX;

	for (; e; e = llrp_find_next(e)) {
		int64_t less = llrp_get_signed(e, "ReceiveSensitivityValue");

		if (less >= best)
			continue;
		best = less;
		caps->sensitivity = (uint16_t) llrp_get(e, "Index");
	}
}

static void parse_general(const struct llrp_elem *e, struct llrp_caps *caps)
{
	const uint8_t *text;
	size_t len, n = 0;

	caps->antennas = (uint16_t) llrp_get(e, "MaxNumberOfAntennaSupported");
	caps->utc = llrp_get(e, "HasUTCClockCapability") != 0;
	caps->vendor = (uint32_t) llrp_get(e, "DeviceManufacturerName");
	caps->model = (uint32_t) llrp_get(e, "ModelName");
	text = llrp_get_bytes(e, "ReaderFirmwareVersion", &len);
	for (size_t i = 0; i < len && n + 1 < sizeof(caps->firmware); i++)
		caps->firmware[n++] = text[i] >= 0x20 && text[i] < 0x7f ? (char) text[i] : '?';
	caps->firmware[n] = '\0';
	parse_sensitivity(e, caps);
}

static void parse_modes(const struct llrp_elem *table, struct llrp_caps *caps)
{
	const struct llrp_elem *e = llrp_find(table, LLRP_P_C1G2_UHF_RF_MODE_TABLE_ENTRY);

	for (; e && caps->n_modes < LLRP_SETUP_MAX_MODES; e = llrp_find_next(e)) {
		uint64_t mode = llrp_get(e, "ModeIdentifier");

		if (mode > UINT16_MAX) /* C1G2RFControl could not name it */
			continue;
		caps->modes[caps->n_modes].id = (uint16_t) mode;
		caps->modes[caps->n_modes++].m = (uint8_t) llrp_get(e, "MValue");
	}
}

/** The earlier in the profile's order, the higher. Impinj's automatic modes adapt to the noise of
 * the place. */
static int rank_mode(const struct llrp_caps *caps, size_t i, const struct gen2_profile *profile)
{
	uint16_t id = caps->modes[i].id;

	if (caps->vendor == LLRP_VENDOR_IMPINJ && id >= 1000)
		return !profile->adaptive ? 0 : id == 1002 ? 12 : id == 1000 ? 11 : 10;
	for (int k = 0; k < GEN2_LINK_MODES; k++)
		if (profile->link_order[k] == caps->modes[i].m)
			return GEN2_LINK_MODES - k;
	return 0;
}

bool llrp_caps_mode(const struct llrp_caps *caps, const struct gen2_profile *profile,
		    uint16_t *ret_mode)
{
	int best = -1;

	for (size_t i = 0; i < caps->n_modes; i++) {
		int rank = rank_mode(caps, i, profile);

		if (rank <= best)
			continue;
		best = rank;
		*ret_mode = caps->modes[i].id;
	}
	return best >= 0;
}

static void parse_channels(const struct llrp_elem *info, struct llrp_caps *caps)
{
	const struct llrp_elem *e = caps->hopping ? llrp_find(info, LLRP_P_FREQUENCY_HOP_TABLE)
						  : llrp_find(info, LLRP_P_FIXED_FREQUENCY_TABLE);
	size_t n = 0;

	(void) llrp_get_bytes(e, "Frequency", &n);
	caps->n_channels = MIN(n, (size_t) RFID_MAX_CHANNELS);
	for (size_t i = 0; i < caps->n_channels; i++)
		caps->khz[i] = llrp_get_at(e, "Frequency", i);
}

static void parse_regulatory(const struct llrp_elem *band, struct llrp_caps *caps)
{
	const struct llrp_elem *info = llrp_find(band, LLRP_P_FREQUENCY_INFORMATION);
	const struct llrp_elem *e;

	e = llrp_find(band, LLRP_P_TRANSMIT_POWER_LEVEL_TABLE_ENTRY);
	for (; e && caps->n_powers < LLRP_SETUP_MAX_POWERS; e = llrp_find_next(e)) {
		caps->powers[caps->n_powers].index = (uint16_t) llrp_get(e, "Index");
		caps->powers[caps->n_powers].cdbm =
			(int16_t) llrp_get_signed(e, "TransmitPowerValue");
		caps->n_powers++;
	}
	caps->hopping = llrp_get(info, "Hopping") != 0;
	caps->hop_table =
		(uint16_t) llrp_get(llrp_find(info, LLRP_P_FREQUENCY_HOP_TABLE), "HopTableID");
	parse_channels(info, caps);
	parse_modes(llrp_find(band, LLRP_P_C1G2_UHF_RF_MODE_TABLE), caps);
}

int llrp_caps_parse(struct llrp_msg *m, struct llrp_caps *ret)
{
	const struct llrp_elem *root = llrp_root(m);
	const struct llrp_elem *general = llrp_find(root, LLRP_P_GENERAL_DEVICE_CAPABILITIES);
	const struct llrp_elem *llrp = llrp_find(root, LLRP_P_LLRP_CAPABILITIES);
	const struct llrp_elem *reg = llrp_find(root, LLRP_P_REGULATORY_CAPABILITIES);
	struct llrp_caps caps = {0};

	if (!general)
		return -ERR_BADMSG;
	parse_general(general, &caps);
	caps.holding = llrp_get(llrp, "SupportsEventAndReportHolding") != 0;
	caps.buffer_warning = llrp_get(llrp, "CanReportBufferFillWarning") != 0;
	parse_regulatory(llrp_find(reg, LLRP_P_UHF_BAND_CAPABILITIES), &caps);
	*ret = caps;
	return 0;
}

uint16_t llrp_caps_power_index(const struct llrp_caps *caps, int16_t wanted_cdbm)
{
	int best = INT32_MAX;
	uint16_t index = 0;

	for (size_t i = 0; i < caps->n_powers; i++) {
		int off = wanted_cdbm ? abs(caps->powers[i].cdbm - wanted_cdbm)
				      : INT16_MAX - caps->powers[i].cdbm;

		if (off < best) {
			best = off;
			index = caps->powers[i].index;
		}
	}
	return index;
}

const char *llrp_caps_describe(const struct llrp_caps *caps, char *buf, size_t size)
{
	static const struct {
		uint32_t vendor;
		const char *name;
	} makers[] = {{LLRP_VENDOR_IMPINJ, "Impinj"}, {161, "Zebra"}, {17996, "Alien"}};
	const char *name = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(makers); i++)
		if (makers[i].vendor == caps->vendor)
			name = makers[i].name;
	if (name)
		snprintf(buf, size, "%s, model %u, firmware %s", name, caps->model, caps->firmware);
	else
		snprintf(buf, size, "vendor %u, model %u, firmware %s", caps->vendor, caps->model,
			 caps->firmware);
	return buf;
}

/* --- messages --------------------------------------------------------------------------------- */

int llrp_setup_plain(struct buf *out, uint16_t type, uint32_t id, uint32_t spec)
{
	_cleanup_(llrp_msg_freep) struct llrp_msg *m = NULL;
	struct llrp_elem *root;
	int r;

	r = llrp_msg_new(type, id, &m);
	if (r < 0)
		return r;
	root = llrp_root(m);
	if (root->type->n_fields > 0)
		llrp_set(root, root->type->fields[0].name, spec);
	return llrp_msg_encode(m, out);
}

int llrp_setup_get_capabilities(struct buf *out, uint32_t id)
{
	return llrp_setup_plain(out, LLRP_GET_READER_CAPABILITIES, id, REQUEST_ALL);
}

int llrp_setup_enable_extensions(struct buf *out, uint32_t id)
{
	static const uint8_t reserved[4];
	_cleanup_(llrp_msg_freep) struct llrp_msg *m = NULL;
	int r;

	r = llrp_msg_new(LLRP_CUSTOM_MESSAGE, id, &m);
	if (r < 0)
		return r;
	llrp_set(llrp_root(m), "VendorIdentifier", LLRP_VENDOR_IMPINJ);
	llrp_set(llrp_root(m), "MessageSubtype", LLRP_IMPINJ_MSG_ENABLE_EXTENSIONS);
	llrp_set_bytes(llrp_root(m), "Data", reserved, sizeof(reserved));
	return llrp_msg_encode(m, out);
}

static void add_event_states(struct llrp_elem *root, const struct llrp_caps *caps)
{
	const struct {
		enum event_type type;
		bool on;
	} events[] = {
		{EVENT_HOPPING, false},  {EVENT_GPI, false},
		{EVENT_ROSPEC, true},    {EVENT_BUFFER_WARNING, caps->buffer_warning},
		{EVENT_EXCEPTION, true}, {EVENT_RF_SURVEY, false},
		{EVENT_AISPEC, false},   {EVENT_AISPEC_SINGULATION, false},
		{EVENT_ANTENNA, true},
	};
	struct llrp_elem *spec = llrp_add(root, LLRP_P_READER_EVENT_NOTIFICATION_SPEC);

	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		struct llrp_elem *e = llrp_add(spec, LLRP_P_EVENT_NOTIFICATION_STATE);

		llrp_set(e, "EventType", events[i].type);
		llrp_set(e, "NotificationState", events[i].on);
	}
}

int llrp_setup_config(struct buf *out, uint32_t id, const struct llrp_caps *caps,
		      uint32_t keepalive_ms, bool reduced)
{
	_cleanup_(llrp_msg_freep) struct llrp_msg *m = NULL;
	struct llrp_elem *e;
	int r;

	/* ResetToFactoryDefault stays off: cable losses and the like may have been set on site. */
	r = llrp_msg_new(LLRP_SET_READER_CONFIG, id, &m);
	if (r < 0)
		return r;
	e = llrp_add(llrp_root(m), LLRP_P_KEEPALIVE_SPEC);
	llrp_set(e, "KeepaliveTriggerType", KEEPALIVE_PERIOD);
	llrp_set(e, "PeriodicTriggerValue", keepalive_ms);
	if (!reduced)
		add_event_states(llrp_root(m), caps);
	if (!reduced && caps->holding) {
		e = llrp_add(llrp_root(m), LLRP_P_EVENTS_AND_REPORTS);
		llrp_set(e, "HoldEventsAndReportsUponReconnect", 1);
	}
	return llrp_msg_encode(m, out);
}

static void add_antenna_configuration(struct llrp_elem *inventory, const struct llrp_caps *caps,
				      const struct rfid_reader_config *cfg, bool extended)
{
	const struct gen2_profile *profile = gen2_profile_find(cfg->profile);
	uint16_t mode;
	struct llrp_elem *conf = llrp_add(inventory, LLRP_P_ANTENNA_CONFIGURATION);
	struct llrp_elem *e, *command;

	llrp_set(conf, "AntennaID", 0); /* all of them */
	if (caps->sensitivity)
		llrp_set(llrp_add(conf, LLRP_P_RF_RECEIVER), "ReceiverSensitivity",
			 caps->sensitivity);
	if (caps->n_powers) {
		e = llrp_add(conf, LLRP_P_RF_TRANSMITTER);
		llrp_set(e, "HopTableID", caps->hopping ? caps->hop_table : 0);
		/* With fixed frequencies, an index into their table; counted from 1. */
		llrp_set(e, "ChannelIndex", caps->hopping ? 0 : 1);
		llrp_set(e, "TransmitPower", llrp_caps_power_index(caps, cfg->power_cdbm));
	}
	command = llrp_add(conf, LLRP_P_C1G2_INVENTORY_COMMAND);
	if (llrp_caps_mode(caps, profile, &mode)) {
		e = llrp_add(command, LLRP_P_C1G2_RF_CONTROL);
		llrp_set(e, "ModeIndex", mode);
		llrp_set(e, "Tari", 0); /* the reader picks one from the mode's range */
	}
	e = llrp_add(command, LLRP_P_C1G2_SINGULATION_CONTROL);
	llrp_set(e, "Session", profile->name[0] ? profile->session : cfg->session & 3);
	llrp_set(e, "TagPopulation", profile->population);
	if (extended && profile->name[0]) /* the standard leaves this as it is in the reader */
		llrp_set(llrp_add_custom(command, LLRP_VENDOR_IMPINJ,
					 LLRP_IMPINJ_INVENTORY_SEARCH_MODE),
			 "InventorySearchMode",
			 profile->single_target ? SEARCH_SINGLE_TARGET : SEARCH_DUAL_TARGET);
}

static void add_report_spec(struct llrp_elem *rospec, bool extended)
{
	static const char *const wanted[] = {
		"EnableAntennaID",          "EnableChannelIndex",      "EnablePeakRSSI",
		"EnableFirstSeenTimestamp", "EnableLastSeenTimestamp", "EnableTagSeenCount",
	};
	struct llrp_elem *report = llrp_add(rospec, LLRP_P_RO_REPORT_SPEC);
	struct llrp_elem *e = llrp_add(report, LLRP_P_TAG_REPORT_CONTENT_SELECTOR);

	/* Each read at once: presence lives on timing, and the filter behind us is cheap. */
	llrp_set(report, "ROReportTrigger", REPORT_EACH_N);
	llrp_set(report, "N", 1);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		llrp_set(e, wanted[i], 1);
	if (!extended)
		return;
	report = llrp_add_custom(report, LLRP_VENDOR_IMPINJ,
				 LLRP_IMPINJ_TAG_REPORT_CONTENT_SELECTOR);
	e = llrp_add_custom(report, LLRP_VENDOR_IMPINJ, LLRP_IMPINJ_ENABLE_RF_PHASE_ANGLE);
	llrp_set(e, "RFPhaseAngleMode", 1);
	e = llrp_add_custom(report, LLRP_VENDOR_IMPINJ, LLRP_IMPINJ_ENABLE_PEAK_RSSI);
	llrp_set(e, "PeakRSSIMode", 1);
	e = llrp_add_custom(report, LLRP_VENDOR_IMPINJ, LLRP_IMPINJ_ENABLE_RF_DOPPLER);
	llrp_set(e, "RFDopplerFrequencyMode", 1);
}

/** A ROSpecID that says what the ROSpec does: FNV-1a over its bytes, kept away from the small
 * numbers that people and tools choose. */
static int fingerprint(const struct llrp_msg *m, uint32_t *ret)
{
	_cleanup_buf_ struct buf body = BUF_INIT;
	uint32_t h = 2166136261u;
	int r = llrp_msg_encode(m, &body);

	if (r < 0)
		return r;
	for (size_t i = LLRP_HEADER_BYTES; i < body.len; i++)
		h = (h ^ body.data[i]) * 16777619u;
	*ret = h | LLRP_SETUP_OURS;
	return 0;
}

int llrp_setup_add_rospec(struct buf *out, uint32_t id, const struct llrp_caps *caps,
			  const struct rfid_reader_config *cfg, bool extended, bool reduced,
			  uint32_t *ret_rospec)
{
	static const uint16_t all[] = {0};
	_cleanup_(llrp_msg_freep) struct llrp_msg *m = NULL;
	struct llrp_elem *rospec, *bound, *ai, *e;
	uint32_t rospec_id;
	int r;

	r = llrp_msg_new(LLRP_ADD_ROSPEC, id, &m);
	if (r < 0)
		return r;
	rospec = llrp_add(llrp_root(m), LLRP_P_ROSPEC);
	bound = llrp_add(rospec, LLRP_P_RO_BOUNDARY_SPEC);
	e = llrp_add(bound, LLRP_P_ROSPEC_START_TRIGGER);
	llrp_set(e, "ROSpecStartTriggerType", START_IMMEDIATE);
	llrp_add(bound, LLRP_P_ROSPEC_STOP_TRIGGER); /* null: runs until stopped */
	ai = llrp_add(rospec, LLRP_P_AISPEC);
	if (cfg->n_antennas)
		llrp_set_u16v(ai, "AntennaIDs", cfg->antennas, cfg->n_antennas);
	else
		llrp_set_u16v(ai, "AntennaIDs", all, 1);
	llrp_add(ai, LLRP_P_AISPEC_STOP_TRIGGER);
	e = llrp_add(ai, LLRP_P_INVENTORY_PARAMETER_SPEC);
	llrp_set(e, "InventoryParameterSpecID", 1);
	llrp_set(e, "ProtocolID", PROTOCOL_C1G2);
	if (!reduced)
		add_antenna_configuration(e, caps, cfg, extended);
	add_report_spec(rospec, extended && !reduced);
	r = fingerprint(m, &rospec_id);
	if (r < 0)
		return r;
	llrp_set(rospec, "ROSpecID", rospec_id);
	*ret_rospec = rospec_id;
	return llrp_msg_encode(m, out);
}
