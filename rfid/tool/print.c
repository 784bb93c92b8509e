/* SPDX-License-Identifier: Apache-2.0 */
/** @file Messages in words: names from the table, units and meanings from the tables here. */
#include "rfid/tool/tool.h"

#include "common/clock.h"
#include "common/epc_scheme.h"
#include "common/err.h"
#include "common/hex.h"
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#define ANYWHERE       0
#define MAX_LIST       64 /* elements of a list printed; the rest is counted */
#define MAX_HEX_OCTETS 256

/** How a number is to be read. */
enum unit {
	UNIT_NONE,
	UNIT_FLAG, /* yes, no */
	UNIT_DBM,
	UNIT_CENTI_DBM,
	UNIT_DB,
	UNIT_CENTI_DBI,
	UNIT_KHZ,
	UNIT_MS,
	UNIT_NS,
	UNIT_BPS,
	UNIT_PERMILLE,
	UNIT_PERCENT,
	UNIT_UTC_US,
	UNIT_UPTIME_US,
	UNIT_PHASE,   /* 4096 steps a turn */
	UNIT_DOPPLER, /* 1/16 Hz */
	UNIT_STATUS,
};

static const struct {
	uint16_t parameter;
	const char *field;
	enum unit unit;
} units[] = {
	{LLRP_P_FIRST_SEEN_UTC, "Microseconds", UNIT_UTC_US},
	{LLRP_P_LAST_SEEN_UTC, "Microseconds", UNIT_UTC_US},
	{LLRP_P_UTC_TIMESTAMP, "Microseconds", UNIT_UTC_US},
	{LLRP_P_FIRST_SEEN_UPTIME, "Microseconds", UNIT_UPTIME_US},
	{LLRP_P_LAST_SEEN_UPTIME, "Microseconds", UNIT_UPTIME_US},
	{LLRP_P_UPTIME, "Microseconds", UNIT_UPTIME_US},
	{LLRP_P_PEAK_RSSI, "PeakRSSI", UNIT_DBM},
	{LLRP_P_FREQUENCY_RSSI_LEVEL_ENTRY, "PeakRSSI", UNIT_DBM},
	{LLRP_P_FREQUENCY_RSSI_LEVEL_ENTRY, "AverageRSSI", UNIT_DBM},
	{LLRP_P_MAXIMUM_RECEIVE_SENSITIVITY, "MaximumSensitivityValue", UNIT_DBM},
	{LLRP_P_RECEIVE_SENSITIVITY_TABLE_ENTRY, "ReceiveSensitivityValue", UNIT_DB},
	{LLRP_P_TRANSMIT_POWER_LEVEL_TABLE_ENTRY, "TransmitPowerValue", UNIT_CENTI_DBM},
	{LLRP_P_ANTENNA_PROPERTIES, "AntennaGain", UNIT_CENTI_DBI},
	{ANYWHERE, "Frequency", UNIT_KHZ},
	{ANYWHERE, "Bandwidth", UNIT_KHZ},
	{ANYWHERE, "StartFrequency", UNIT_KHZ},
	{ANYWHERE, "EndFrequency", UNIT_KHZ},
	{ANYWHERE, "MinimumFrequency", UNIT_KHZ},
	{ANYWHERE, "MaximumFrequency", UNIT_KHZ},
	{ANYWHERE, "DurationTriggerValue", UNIT_MS},
	{ANYWHERE, "DurationTrigger", UNIT_MS},
	{ANYWHERE, "DurationPeriod", UNIT_MS},
	{ANYWHERE, "PeriodicTriggerValue", UNIT_MS},
	{ANYWHERE, "Timeout", UNIT_MS},
	{ANYWHERE, "ClientRequestOpSpecTimeout", UNIT_MS},
	{ANYWHERE, "Offset", UNIT_MS},
	{ANYWHERE, "Period", UNIT_MS},
	{LLRP_P_TAG_OBSERVATION_TRIGGER, "T", UNIT_MS},
	{ANYWHERE, "TagTransitTime", UNIT_MS},
	{ANYWHERE, "BDRValue", UNIT_BPS},
	{ANYWHERE, "PIEValue", UNIT_PERMILLE},
	{ANYWHERE, "MinTariValue", UNIT_NS},
	{ANYWHERE, "MaxTariValue", UNIT_NS},
	{ANYWHERE, "StepTariValue", UNIT_NS},
	{ANYWHERE, "Tari", UNIT_NS},
	{ANYWHERE, "ReportBufferPercentageFull", UNIT_PERCENT},
	{ANYWHERE, "StatusCode", UNIT_STATUS},
	{ANYWHERE, "ErrorCode", UNIT_STATUS},
	{LLRP_P_CUSTOM, "RSSI", UNIT_CENTI_DBM},
	{LLRP_P_CUSTOM, "FrequencyList", UNIT_KHZ},
	{LLRP_P_CUSTOM, "EmptyFieldTimeout", UNIT_MS},
	{LLRP_P_CUSTOM, "FieldPingInterval", UNIT_MS},
	{LLRP_P_CUSTOM, "GPIDebounceTimerMSec", UNIT_MS},
	{LLRP_P_CUSTOM, "PhaseAngle", UNIT_PHASE},
	{LLRP_P_CUSTOM, "DopplerFrequency", UNIT_DOPPLER},
};

/** What small numbers mean; words[i] is the meaning of i. */
static const struct {
	uint16_t parameter;
	const char *field;
	const char *words[12];
} meanings[] = {
	{LLRP_P_CONNECTION_ATTEMPT_EVENT,
	 "Status",
	 {"success", "failed: the reader has begun a connection",
	  "failed: a client has a connection", "failed", "another connection was attempted"}},
	{LLRP_P_ROSPEC, "CurrentState", {"disabled", "inactive", "active"}},
	{LLRP_P_ROSPEC_START_TRIGGER,
	 "ROSpecStartTriggerType",
	 {"none", "immediate", "periodic", "general purpose input"}},
	{LLRP_P_ROSPEC_STOP_TRIGGER,
	 "ROSpecStopTriggerType",
	 {"none", "duration", "general purpose input"}},
	{LLRP_P_AISPEC_STOP_TRIGGER,
	 "AISpecStopTriggerType",
	 {"none", "duration", "general purpose input", "tags observed"}},
	{LLRP_P_RO_REPORT_SPEC,
	 "ROReportTrigger",
	 {"none", "N tags or end of AISpec", "N tags or end of ROSpec",
	  "N seconds or end of AISpec", "N seconds or end of ROSpec",
	  "N milliseconds or end of AISpec", "N milliseconds or end of ROSpec"}},
	{LLRP_P_KEEPALIVE_SPEC, "KeepaliveTriggerType", {"none", "periodic"}},
	{LLRP_P_ROSPEC_EVENT, "EventType", {"started", "ended", "preempted"}},
	{LLRP_P_AISPEC_EVENT, "EventType", {"ended"}},
	{LLRP_P_RF_SURVEY_EVENT, "EventType", {"started", "ended"}},
	{LLRP_P_ANTENNA_EVENT, "EventType", {"disconnected", "connected"}},
	{LLRP_P_IDENTIFICATION, "IDType", {"MAC address", "EPC"}},
	{ANYWHERE, "ProtocolID", {NULL, "EPC Class 1 Gen 2"}},
	{ANYWHERE, "MB", {"reserved", "EPC", "TID", "user"}},
	{LLRP_P_EVENT_NOTIFICATION_STATE,
	 "EventType",
	 {"hopping", "general purpose input", "ROSpec", "report buffer filling", "reader exception",
	  "RF survey", "AISpec", "AISpec with details", "antenna", "SpecLoop"}},
	{LLRP_P_C1G2_READ_RESULT,
	 "Result",
	 {"success", "tag error", "no response", "reader error", "memory overrun", "memory locked",
	  "wrong password"}},
	{LLRP_P_C1G2_WRITE_RESULT,
	 "Result",
	 {"success", "memory overrun", "memory locked", "insufficient power", "tag error",
	  "no response", "reader error", "wrong password"}},
};

static enum unit unit_of(const struct llrp_elem *e, const struct llrp_field *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if ((units[i].parameter == ANYWHERE || units[i].parameter == e->num) &&
		    strcmp(units[i].field, f->name) == 0)
			return units[i].unit;
	return f->kind == LLRP_BITS && f->bits == 1 ? UNIT_FLAG : UNIT_NONE;
}

static const char *meaning_of(const struct llrp_elem *e, const char *field, uint64_t v)
{
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++)
		if ((meanings[i].parameter == ANYWHERE || meanings[i].parameter == e->num) &&
		    strcmp(meanings[i].field, field) == 0)
			return v < ARRAY_SIZE(meanings[i].words) ? meanings[i].words[v] : NULL;
	return NULL;
}

static void put_number(FILE *out, uint64_t num, bool is_signed, enum unit unit)
{
	int64_t v = (int64_t) num;
	char when[CLOCK_RFC3339_MAX];

	switch (unit) {
	case UNIT_FLAG:
		fputs(num ? "yes" : "no", out);
		return;
	case UNIT_CENTI_DBM:
	case UNIT_CENTI_DBI:
		fprintf(out, "%.2f %s", (double) v / 100, unit == UNIT_CENTI_DBM ? "dBm" : "dBi");
		return;
	case UNIT_UTC_US:
		/* Beyond the year 9999 it is no time of day. */
		if (num < UINT64_C(253402300800000000))
			fprintf(out, "%s (%" PRIu64 " us)", clock_rfc3339(v, when), num);
		else
			fprintf(out, "%" PRIu64 " us", num);
		return;
	case UNIT_UPTIME_US:
		fprintf(out, "%" PRIu64 ".%06" PRIu64 " s after start", num / 1000000,
			num % 1000000);
		return;
	case UNIT_PHASE:
		fprintf(out, "%" PRIu64 " (%.1f degrees)", num, (double) num * 360 / 4096);
		return;
	case UNIT_DOPPLER:
		fprintf(out, "%.4f Hz", (double) v / 16);
		return;
	case UNIT_PERMILLE:
		fprintf(out, "%" PRIu64 ".%03" PRIu64, num / 1000, num % 1000);
		return;
	case UNIT_STATUS:
		fprintf(out, "%" PRIu64 " (%s)", num, llrp_status_str((uint16_t) num));
		return;
	default:
		break;
	}
	static const char *const names[] = {
		[UNIT_DBM] = " dBm", [UNIT_DB] = " dB",   [UNIT_KHZ] = " kHz",   [UNIT_MS] = " ms",
		[UNIT_NS] = " ns",   [UNIT_BPS] = " bps", [UNIT_PERCENT] = " %",
	};

	if (is_signed)
		fprintf(out, "%" PRId64, v);
	else
		fprintf(out, "%" PRIu64, num);
	if (unit < ARRAY_SIZE(names) && names[unit])
		fputs(names[unit], out);
}

static void put_hex(FILE *out, const uint8_t *data, size_t n)
{
	for (size_t i = 0; i < MIN(n, MAX_HEX_OCTETS); i++)
		fprintf(out, "%02x", data[i]);
	if (n > MAX_HEX_OCTETS)
		fprintf(out, "... (%zu octets)", n);
}

/** Text from outside, so that it cannot move the cursor of a terminal. */
static void put_text(FILE *out, const uint8_t *data, size_t n)
{
	fputc('"', out);
	for (size_t i = 0; i < n; i++) {
		if (data[i] < 0x20 || data[i] == 0x7f || data[i] == '"' || data[i] == '\\' ||
		    (data[i] >= 0x80 && data[i] < 0xa0 && (i == 0 || data[i - 1] == 0xc2)))
			fprintf(out, "\\x%02x", data[i]);
		else
			fputc(data[i], out);
	}
	fputc('"', out);
}

/** What the EPC names; of a foreign one, what is known about it. */
static void put_epc_name(FILE *out, const uint8_t *data, size_t bits)
{
	struct epc epc;
	struct epc_id id;
	char uri[EPC_URI_SIZE];

	if (epc_set(&epc, data, bits) < 0)
		return;
	if (epc_decode(&epc, &id) > 0 && (epc_id_uri(&id, uri, sizeof(uri)) == 0 ||
					  epc_digital_link(&id, uri, sizeof(uri)) == 0))
		fprintf(out, " (%s %s)", epc_scheme_name(id.scheme), uri);
	else
		fprintf(out, " (%s)", epc_class_str(epc_classify(&epc, NULL)));
}

static void put_list(FILE *out, const struct llrp_elem *e, const struct llrp_field *f, size_t n,
		     enum unit unit)
{
	for (size_t i = 0; i < MIN(n, MAX_LIST); i++) {
		fputs(i ? ", " : "", out);
		put_number(out, llrp_get_at(e, f->name, i), false, unit);
	}
	if (n > MAX_LIST)
		fprintf(out, ", ... (%zu in all)", n);
	else if (n == 0)
		fputs("none", out);
}

static void put_value(FILE *out, const struct llrp_elem *e, const struct llrp_field *f,
		      const struct llrp_value *v)
{
	enum unit unit = unit_of(e, f);
	const char *words;

	switch ((enum llrp_field_kind) f->kind) {
	case LLRP_U96:
		put_hex(out, v->data, 12);
		put_epc_name(out, v->data, 96);
		return;
	case LLRP_BITARRAY:
		put_hex(out, v->data, ((size_t) v->len + 7) / 8);
		fprintf(out, " (%u bits)", v->len);
		if (e->num == LLRP_P_EPC_DATA && v->len)
			put_epc_name(out, v->data, v->len);
		return;
	case LLRP_U8V:
	case LLRP_REST:
		put_hex(out, v->data, v->len);
		return;
	case LLRP_UTF8:
		put_text(out, v->data, v->len);
		return;
	case LLRP_U16V:
	case LLRP_U32V:
		put_list(out, e, f, v->len, unit);
		return;
	default:
		break;
	}
	put_number(out, v->num, f->kind == LLRP_S8 || f->kind == LLRP_S16, unit);
	words = meaning_of(e, f->name, v->num);
	if (words)
		fprintf(out, " (%s)", words);
}

static void put_element(FILE *out, const struct llrp_elem *e, int depth)
{
	if (depth > 0 && !e->type) {
		fprintf(out, "%*sparameter %u: ", 2 * depth, "", e->num);
		put_hex(out, e->raw, e->raw_len);
		fputc('\n', out);
		return;
	}
	if (depth > 0 && e->type->n_fields == 1 && !e->first && e->type->fields[0].name) {
		/* Most parameters of a report hold one value: one line will do. */
		fprintf(out, "%*s%s: ", 2 * depth, "", e->type->name);
		put_value(out, e, &e->type->fields[0], &e->values[0]);
		fputc('\n', out);
		return;
	}
	if (depth > 0)
		fprintf(out, "%*s%s\n", 2 * depth, "", e->type->name);
	for (size_t i = 0; i < e->type->n_fields; i++) {
		const struct llrp_field *f = &e->type->fields[i];

		if (!f->name)
			continue;
		fprintf(out, "%*s%s: ", 2 * depth + 2, "", f->name);
		put_value(out, e, f, &e->values[i]);
		fputc('\n', out);
	}
	for (const struct llrp_elem *c = e->first; c; c = c->next)
		put_element(out, c, depth + 1);
}

void tool_print_frame(FILE *out, const struct tool_frame *f, const struct llrp_msg *m)
{
	struct llrp_elem *root = llrp_root((struct llrp_msg *) m);
	uint8_t version = llrp_msg_version(m);
	char when[CLOCK_RFC3339_MAX];

	fprintf(out, "frame %zu", f->number);
	if (f->time_us != INT64_MIN)
		fprintf(out, " %s", clock_rfc3339(f->time_us, when));
	if (f->flow)
		fprintf(out, " %s", f->flow);
	fprintf(out, " at %zu: %s, id %u, ", f->at, root->type->name, llrp_msg_id(m));
	if (version == LLRP_VERSION_1 || version == LLRP_VERSION_1_1)
		fprintf(out, "LLRP %s, ", version == LLRP_VERSION_1 ? "1.0.1" : "1.1");
	else
		fprintf(out, "version %u, ", version);
	fprintf(out, "%zu octets\n", f->len);
	put_element(out, root, 0);
}

static const char *parameter_name(uint16_t num)
{
	const struct llrp_type *t = llrp_parameter_type(num);

	return t ? t->name : "unknown";
}

void tool_print_fault(const char *name, const struct tool_frame *f, int err,
		      const struct llrp_diag *diag)
{
	struct llrp_header h;
	char what[96] = "";

	if (llrp_header_decode(f->data, f->len, &h) < 0)
		h.type = 0;
	if (diag->parameter)
		snprintf(what, sizeof(what), ", parameter %u (%s)", diag->parameter,
			 parameter_name(diag->parameter));
	tool_error("%s%s%s: frame %zu (message type %u) at offset %zu: %s%s at offset %zu", name,
		   f->flow ? " " : "", f->flow ? f->flow : "", f->number, h.type, f->at,
		   diag->status ? llrp_status_str(diag->status) : err_str(err), what,
		   f->at + diag->at);
}
