/* SPDX-License-Identifier: Apache-2.0 */
#include "rfid/llrp_audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void add(struct llrp_findings *f, struct llrp_finding found)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->list[i].what == found.what && f->list[i].found == found.found)
			return; /* the same of another antenna */
	if (f->n == LLRP_AUDIT_FINDINGS)
		f->more++;
	else
		f->list[f->n++] = found;
}

/** Compares one field of two elements, if both are there. */
static void compare(const struct llrp_elem *wanted, const struct llrp_elem *found,
		    const char *field, const char *what, uint16_t antenna, struct llrp_findings *f)
{
	if (wanted && found && llrp_get(wanted, field) != llrp_get(found, field))
		add(f, (struct llrp_finding){.what = what,
					     .found = llrp_get(found, field),
					     .wanted = llrp_get(wanted, field),
					     .antenna = antenna,
					     .is_power = !strcmp(field, "TransmitPower")});
}

/* --- the inventory -----------------------------------------------------------------------------
 */

static void audit_antenna(const struct llrp_elem *wanted, const struct llrp_elem *found,
			  struct llrp_findings *f)
{
	static const struct {
		uint16_t in, type; /* in: 0 = right below */
		const char *field, *what;
	} rows[] = {
		{0, LLRP_P_RF_TRANSMITTER, "TransmitPower", "transmit power"},
		{0, LLRP_P_RF_TRANSMITTER, "HopTableID", "hop table"},
		{0, LLRP_P_RF_RECEIVER, "ReceiverSensitivity", "receiver sensitivity"},
		{LLRP_P_C1G2_INVENTORY_COMMAND, LLRP_P_C1G2_RF_CONTROL, "ModeIndex", "RF mode"},
		{LLRP_P_C1G2_INVENTORY_COMMAND, LLRP_P_C1G2_SINGULATION_CONTROL, "Session",
		 "session"},
		{LLRP_P_C1G2_INVENTORY_COMMAND, LLRP_P_C1G2_SINGULATION_CONTROL, "TagPopulation",
		 "tag population"},
	};
	uint16_t antenna = (uint16_t) llrp_get(found, "AntennaID");

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct llrp_elem *w = wanted, *e = found;

		if (rows[i].in) {
			w = llrp_find(w, rows[i].in);
			e = llrp_find(e, rows[i].in);
		}
		compare(llrp_find(w, rows[i].type), llrp_find(e, rows[i].type), rows[i].field,
			rows[i].what, antenna, f);
	}
}

/** We set all antennas alike; a reader may tell them one by one. */
static void audit_antennas(const struct llrp_elem *wanted, const struct llrp_elem *found,
			   struct llrp_findings *f)
{
	const struct llrp_elem *e;

	wanted = llrp_find(llrp_find(wanted, LLRP_P_INVENTORY_PARAMETER_SPEC),
			   LLRP_P_ANTENNA_CONFIGURATION);
	e = llrp_find(llrp_find(found, LLRP_P_INVENTORY_PARAMETER_SPEC),
		      LLRP_P_ANTENNA_CONFIGURATION);
	for (; wanted && e; e = llrp_find_next(e))
		audit_antenna(wanted, e, f);
}

/** Which antennas are used; antenna 0 stands for all, and may be told as a list of them. */
static void audit_list(const struct llrp_elem *wanted, const struct llrp_elem *found,
		       struct llrp_findings *f)
{
	size_t n_wanted = 0, n_found = 0, same = 0;

	(void) llrp_get_bytes(wanted, "AntennaIDs", &n_wanted);
	(void) llrp_get_bytes(found, "AntennaIDs", &n_found);
	if (!found || n_found == 0 || n_wanted == 0 || llrp_get_at(wanted, "AntennaIDs", 0) == 0)
		return;
	for (size_t i = 0; i < n_wanted; i++)
		for (size_t k = 0; k < n_found; k++)
			if (llrp_get_at(wanted, "AntennaIDs", i) ==
			    llrp_get_at(found, "AntennaIDs", k)) {
				same++;
				break;
			}
	if (same != n_wanted || n_found != n_wanted)
		add(f, (struct llrp_finding){
			       .what = "antennas in use", .found = n_found, .wanted = n_wanted});
}

static void audit_report(const struct llrp_elem *wanted, const struct llrp_elem *found,
			 struct llrp_findings *f)
{
	static const char *const fields[] = {
		"EnableAntennaID",          "EnableChannelIndex",      "EnablePeakRSSI",
		"EnableFirstSeenTimestamp", "EnableLastSeenTimestamp", "EnableTagSeenCount",
	};
	static const char *const words[] = {
		"antenna in reports",    "channel in reports",   "signal strength in reports",
		"first read in reports", "last read in reports", "count in reports",
	};

	compare(wanted, found, "ROReportTrigger", "report trigger", 0, f);
	compare(wanted, found, "N", "tags to a report", 0, f);
	wanted = llrp_find(wanted, LLRP_P_TAG_REPORT_CONTENT_SELECTOR);
	found = llrp_find(found, LLRP_P_TAG_REPORT_CONTENT_SELECTOR);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		compare(wanted, found, fields[i], words[i], 0, f);
}

void llrp_audit_rospec(const struct llrp_elem *wanted, const struct llrp_elem *found,
		       struct llrp_findings *ret)
{
	*ret = (struct llrp_findings){0};
	audit_list(llrp_find(wanted, LLRP_P_AISPEC), llrp_find(found, LLRP_P_AISPEC), ret);
	audit_antennas(llrp_find(wanted, LLRP_P_AISPEC), llrp_find(found, LLRP_P_AISPEC), ret);
	audit_report(llrp_find(wanted, LLRP_P_RO_REPORT_SPEC),
		     llrp_find(found, LLRP_P_RO_REPORT_SPEC), ret);
}

/* --- the configuration -------------------------------------------------------------------------
 */

static const struct llrp_elem *event_state(const struct llrp_elem *root, uint64_t type)
{
	const struct llrp_elem *e = llrp_find(root, LLRP_P_READER_EVENT_NOTIFICATION_SPEC);

	for (e = llrp_find(e, LLRP_P_EVENT_NOTIFICATION_STATE); e; e = llrp_find_next(e))
		if (llrp_get(e, "EventType") == type)
			return e;
	return NULL;
}

static void audit_events(const struct llrp_elem *wanted, const struct llrp_elem *found,
			 struct llrp_findings *f)
{
	static const char *const names[] = {
		NULL,
		NULL,
		"events of the inventory",
		"warnings of a full buffer",
		"events of exceptions",
		NULL,
		NULL,
		NULL,
		"events of antennas",
	};

	for (size_t type = 0; type < ARRAY_SIZE(names); type++) {
		const struct llrp_elem *w = event_state(wanted, type);

		/* One too many costs nothing; one that is missing hides what we should know. */
		if (names[type] && w && llrp_get(w, "NotificationState"))
			compare(w, event_state(found, type), "NotificationState", names[type], 0,
				f);
	}
}

void llrp_audit_config(const struct llrp_elem *wanted, const struct llrp_elem *found,
		       struct llrp_findings *ret)
{
	const struct llrp_elem *w = llrp_find(wanted, LLRP_P_KEEPALIVE_SPEC);
	const struct llrp_elem *e = llrp_find(found, LLRP_P_KEEPALIVE_SPEC);

	*ret = (struct llrp_findings){0};
	compare(w, e, "KeepaliveTriggerType", "keepalives", 0, ret);
	if (ret->n == 0)
		compare(w, e, "PeriodicTriggerValue", "keepalive period in ms", 0, ret);
	compare(llrp_find(wanted, LLRP_P_EVENTS_AND_REPORTS),
		llrp_find(found, LLRP_P_EVENTS_AND_REPORTS), "HoldEventsAndReportsUponReconnect",
		"holding of reports", 0, ret);
	audit_events(wanted, found, ret);
}

/* --- words -------------------------------------------------------------------------------------
 */

static const char *value(const struct llrp_finding *f, uint64_t v, const struct llrp_caps *caps,
			 char buf[32])
{
	for (size_t i = 0; f->is_power && i < caps->n_powers; i++)
		if (caps->powers[i].index == v) {
			snprintf(buf, 32, "%.2f dBm", caps->powers[i].cdbm / 100.0);
			return buf;
		}
	snprintf(buf, 32, "%s%" PRIu64, f->is_power ? "index " : "", v);
	return buf;
}

const char *llrp_audit_words(const struct llrp_findings *f, const struct llrp_caps *caps,
			     char buf[LLRP_AUDIT_TEXT])
{
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < f->n && len < LLRP_AUDIT_TEXT; i++) {
		char found[32], wanted[32], where[24] = "";
		int n;

		if (f->list[i].antenna)
			snprintf(where, sizeof(where), " (antenna %u)", f->list[i].antenna);
		n = snprintf(buf + len, LLRP_AUDIT_TEXT - len, "%s%s %s instead of %s%s",
			     i ? "; " : "", f->list[i].what,
			     value(&f->list[i], f->list[i].found, caps, found),
			     value(&f->list[i], f->list[i].wanted, caps, wanted), where);
		len += n > 0 ? (size_t) n : 0;
	}
	if (f->more && len < LLRP_AUDIT_TEXT)
		snprintf(buf + len, LLRP_AUDIT_TEXT - len, "; %zu more", f->more);
	return buf;
}
