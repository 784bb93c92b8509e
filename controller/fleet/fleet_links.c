/* SPDX-License-Identifier: Apache-2.0 */
/* The access point's links and its label radio: for the API, and what is wrong with them. */
#include "common/err.h"
#include "controller/fleet/fleet_internal.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SETTLE_US       (30 * US_PER_SEC)
#define FLAPS           6  /* changes within ten minutes: three times gone */
#define FULL_PERCENT    95 /* of a train's addresses */
#define WEAK_STEPS      3  /* of signal: below -85 dBm */
#define FEW_LABELS      10 /* make no share */
#define MANY_RETRIES    4  /* one command in so many is a repetition */
#define ENOUGH_COMMANDS 200

static json_t *known(uint64_t v)
{
	return v ? json_integer((json_int_t) v) : json_null();
}

static json_t *dbm(int8_t v)
{
	return v ? json_integer(v) : json_null();
}

static json_t *time_of(int64_t us)
{
	char text[CLOCK_RFC3339_MAX];

	return us ? json_string(clock_rfc3339(us, text)) : json_null();
}

/* --- links --------------------------------------------------------------------------------- */

static const char *role_name(uint8_t role)
{
	static const char *const names[] = {[PROTO_WIFI_STATION] = "station",
					    [PROTO_WIFI_AP] = "access-point",
					    [PROTO_WIFI_MESH] = "mesh",
					    [PROTO_WIFI_MONITOR] = "monitor",
					    [PROTO_WIFI_OTHER] = "other"};

	return role < ARRAY_SIZE(names) ? names[role] : NULL;
}

static json_t *interface_json(const struct proto_health_interface *n)
{
	const char *role = n->wireless ? role_name(n->role) : NULL;
	json_t *o = json_pack(
		"{s:o,s:b,s:b,s:o,s:i,s:i,s:b,s:o,s:o,s:s?,s:o}", "name", fleet_json_text(n->name),
		"up", n->up, "wireless", n->wireless, "address", fleet_json_text(n->address),
		"frequency_mhz", (int) n->frequency_mhz, "signal_dbm", (int) n->signal_dbm,
		"carrier", n->carrier, "speed_mbps", known(n->speed_mbps), "duplex",
		n->duplex == PROTO_DUPLEX_FULL   ? json_string("full")
		: n->duplex == PROTO_DUPLEX_HALF ? json_string("half")
						 : json_null(),
		"role", role, "ssid", n->ssid[0] ? fleet_json_text(n->ssid) : json_null());

	if (!o)
		return json_null();
	json_object_set_new(o, "centre_mhz", known(n->centre_mhz));
	json_object_set_new(o, "width_mhz", known(n->width_mhz));
	json_object_set_new(o, "noise_dbm", dbm(n->noise_dbm));
	json_object_set_new(o, "busy_percent",
			    n->busy_percent <= 100 ? json_integer(n->busy_percent) : json_null());
	json_object_set_new(o, "changes", json_integer(n->changes));
	json_object_set_new(o, "changed", time_of(n->changed_us));
	return o;
}

json_t *fleet_interfaces_json(const struct proto_health *h)
{
	json_t *list = json_array();

	for (size_t i = 0; i < h->n_interfaces; i++)
		json_array_append_new(list, interface_json(&h->interfaces[i]));
	return list;
}

/* --- the label radio ----------------------------------------------------------------------- */

static json_t *channels_json(uint64_t map)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < PROTO_CHANNELS; i++)
		if (map & UINT64_C(1) << i)
			json_array_append_new(list, json_integer(i));
	return list;
}

static json_t *train_json(const struct proto_health_radio *r)
{
	if (r->interval == 0)
		return json_null();
	return json_pack("{s:f,s:i,s:f,s:f,s:f,s:i,s:I}", "interval_ms", r->interval * 1.25,
			 "subevents", r->subevents, "subevent_ms", r->subevent_interval * 1.25,
			 "response_delay_ms", r->response_delay * 1.25, "response_spacing_ms",
			 r->response_spacing * 0.125, "response_slots", r->response_slots,
			 "capacity", (json_int_t) r->capacity);
}

static json_t *signal_json(const struct proto_health_radio *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->n_signal; i++)
		json_array_append_new(
			list,
			json_pack("{s:o,s:o,s:I}", "from_dbm",
				  i ? json_integer(-100 + 5 * (json_int_t) i) : json_null(),
				  "to_dbm",
				  i + 1 < PROTO_MAX_SIGNAL ? json_integer(-95 + 5 * (json_int_t) i)
							   : json_null(),
				  "labels", (json_int_t) r->signal[i]));
	return list;
}

static json_t *groups_json(const struct proto_health_radio *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->n_groups; i++)
		json_array_append_new(list, json_integer(r->groups[i]));
	return list;
}

static json_t *told(int64_t n)
{
	return n < 0 ? json_null() : json_integer(n);
}

static json_t *text_or_null(const char *text)
{
	return text[0] ? fleet_json_text(text) : json_null();
}

static json_t *station_json(const struct proto_station *s)
{
	return json_pack("{s:o,s:o,s:b,s:o,s:o,s:o,s:o,s:I,s:I,s:o,s:o,s:o,s:I,s:I,s:o}", "address",
			 fleet_json_text(s->address), "name", text_or_null(s->name), "up", s->up,
			 "state", fleet_json_text(s->state), "version", text_or_null(s->version),
			 "channel", told(s->channel), "tags", told(s->tags), "labels",
			 (json_int_t) s->serves, "queued", (json_int_t) s->queued, "heap_bytes",
			 told(s->heap_bytes), "storage_bytes", told(s->storage_bytes), "wifi_dbm",
			 known(s->wifi_dbm), "low_batteries", (json_int_t) s->low_batteries,
			 "timeouts", (json_int_t) s->timeouts, "uptime_s", told(s->uptime_s));
}

static json_t *stations_json(const struct proto_health_radio *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->n_stations; i++)
		json_array_append_new(list, station_json(&r->stations[i]));
	return list;
}

json_t *fleet_label_radio_json(const struct proto_health *h)
{
	const struct proto_health_radio *r = &h->radio;
	json_t *o = json_pack("{s:o,s:o}", "state", fleet_json_text(h->radio_state), "error",
			      fleet_json_text(h->radio_error));
	char step[FLEET_STEP_MAX];

	if (!o || r->driver[0] == '\0')
		return o;
	fleet_advise_radio(h, step, sizeof(step));
	json_object_set_new(o, "next_step", fleet_json_text(step));
	json_object_set_new(o, "driver", fleet_json_text(r->driver));
	json_object_set_new(o, "controller",
			    r->controller[0] ? fleet_json_text(r->controller) : json_null());
	json_object_set_new(o, "train", train_json(r));
	json_object_set_new(o, "armed", json_integer(r->armed));
	json_object_set_new(o, "armed_at", time_of(r->armed_us));
	json_object_set_new(o, "channels",
			    json_pack("{s:b,s:o,s:o,s:o}", "known", r->channels_known, "used",
				      channels_json(r->channels), "wanted",
				      channels_json(r->wanted), "refused", known(r->refused)));
	json_object_update_new(
		o, json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "labels",
			     (json_int_t) r->labels, "synced", (json_int_t) r->synced, "waiting",
			     (json_int_t) r->waiting, "lost", (json_int_t) r->lost, "packets",
			     (json_int_t) r->packets, "commands", (json_int_t) r->commands, "acks",
			     (json_int_t) r->acks, "retries", (json_int_t) r->retries, "uploads",
			     (json_int_t) r->uploads, "upload_failures",
			     (json_int_t) r->upload_failures, "decrypt_failures",
			     (json_int_t) r->decrypt_failures));
	json_object_set_new(o, "keys",
			    json_pack("{s:b,s:I,s:o,s:o,s:o}", "rotating", r->keys_rotating, "old",
				      (json_int_t) r->keys_old, "since", time_of(r->keys_since_us),
				      "unescrowed",
				      told(r->unescrowed_bonds < 0 ? -1 : (int64_t) r->unescrowed),
				      "unescrowed_bonds", told(r->unescrowed_bonds)));
	json_object_set_new(o, "outlook",
			    json_pack("{s:o,s:o}", "picture_ms", known(r->picture_ms), "flip_s",
				      known(r->flip_s)));
	json_object_set_new(o, "groups", groups_json(r));
	json_object_set_new(o, "signal", signal_json(r));
	json_object_set_new(o, "stations", stations_json(r));
	return o;
}

/* --- what is wrong ------------------------------------------------------------------------- */

static bool is_full(const struct proto_health_radio *r)
{
	return r->capacity > 0 &&
	       (uint64_t) r->labels * 100 >= (uint64_t) r->capacity * FULL_PERCENT;
}

/* There is Wi-Fi to keep off, and the controller does not take the map. */
static bool refuses_channels(const struct proto_health_radio *r)
{
	return r->refused && r->wanted && r->wanted != PROTO_CHANNELS_ALL;
}

static uint64_t weak_labels(const struct proto_health_radio *r)
{
	uint64_t n = 0;

	for (size_t i = 0; i < MIN(r->n_signal, (size_t) WEAK_STEPS); i++)
		n += r->signal[i];
	return n;
}

#define LITTLE_HEAP    25000 /* bytes: below this such an access point loses colours */
#define LITTLE_STORAGE 60000

/** The radio is other people's access points: which of them needs a hand. */
static void advise_stations(const struct proto_health_radio *r, char *buf, size_t cap)
{
	for (size_t i = 0; i < r->n_stations; i++) {
		const struct proto_station *s = &r->stations[i];

		if (!s->up)
			snprintf(buf, cap, "Check power and network of the access point at %s.",
				 s->address);
		else if (s->storage_bytes >= 0 && s->storage_bytes < LITTLE_STORAGE)
			snprintf(buf, cap,
				 "The storage of %s is nearly full: delete files on its own page.",
				 s->address);
		else if (s->heap_bytes >= 0 && s->heap_bytes < LITTLE_HEAP)
			snprintf(buf, cap,
				 "%s is short of memory: give some of its labels to another one.",
				 s->address);
		else if (s->low_batteries > 0)
			snprintf(buf, cap, "%lld %s at %s a new battery.",
				 (long long) s->low_batteries,
				 s->low_batteries == 1 ? "label needs" : "labels need", s->address);
		else
			continue;
		return;
	}
}

void fleet_advise_radio(const struct proto_health *h, char *buf, size_t cap)
{
	const struct proto_health_radio *r = &h->radio;
	uint64_t weak = weak_labels(r);

	buf[0] = '\0';
	if (r->n_stations)
		advise_stations(r, buf, cap);
	if (buf[0])
		return;
	if (!strcmp(h->radio_state, "down"))
		snprintf(buf, cap,
			 "The radio is down. Check that the Bluetooth adapter is plugged in and "
			 "that "
			 "nothing else uses it.");
	else if (is_full(r))
		snprintf(buf, cap,
			 "%u of %u places for labels are taken. Bring the next ones in through "
			 "another access point, or give this one a train with more subevents.",
			 r->labels, r->capacity);
	else if (refuses_channels(r))
		snprintf(buf, cap,
			 "This Bluetooth controller does not take a channel map (status 0x%02x). "
			 "Update its firmware, or move the Wi-Fi of this access point to 5 GHz.",
			 r->refused);
	else if (r->labels >= FEW_LABELS && (uint64_t) r->lost * 10 > r->labels)
		snprintf(buf, cap,
			 "%u of %u labels are silent. See on the labels page where they hang: when "
			 "they are near each other, something stands between.",
			 r->lost, r->labels);
	else if (r->labels >= FEW_LABELS && weak * 3 > r->synced)
		snprintf(buf, cap,
			 "%llu labels are heard with less than -85 dBm. Put the access point "
			 "nearer to "
			 "them or higher, or add another.",
			 (unsigned long long) weak);
	else if (r->commands >= ENOUGH_COMMANDS && r->retries * MANY_RETRIES > r->commands)
		snprintf(buf, cap,
			 "%llu of %llu commands were repetitions. Look for another transmitter on "
			 "2.4 "
			 "GHz near by, and move Wi-Fi to 5 GHz where you can.",
			 (unsigned long long) r->retries, (unsigned long long) r->commands);
}

static void _printf_(2, 3) title(struct fleet_finding *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f->title, sizeof(f->title), fmt, ap);
	va_end(ap);
}

typedef bool (*link_test)(const struct proto_health_interface *n);

static bool is_down(const struct proto_health_interface *n)
{
	return n->was_up && !n->up && n->changes < FLAPS;
}

static bool is_flapping(const struct proto_health_interface *n)
{
	return n->changes >= FLAPS;
}

static bool is_half(const struct proto_health_interface *n)
{
	return n->up && !n->wireless && n->duplex == PROTO_DUPLEX_HALF;
}

/* An agent names its interfaces as it likes: they stand in the evidence, never in a subject. */
static const struct {
	const char *kind, *words, *wired, *wireless;
	link_test test;
	enum incident_severity severity;
} link_kinds[] = {
	{"link-down", "is down",
	 "Check the cable at both ends, and the port of the switch it goes to.",
	 "Check that the Wi-Fi it uses is on, in reach, and that its password is still right.",
	 is_down, INCIDENT_WARNING},
	{"link-flapping", "comes and goes",
	 "Replace the cable, then try another port of the switch.",
	 "Look at its signal: move the access point or the Wi-Fi it uses.", is_flapping,
	 INCIDENT_WARNING},
	{"link-half-duplex", "runs in half duplex",
	 "Set the port of the switch to negotiate speed and duplex; both sides must.", "", is_half,
	 INCIDENT_NOTICE},
};

static size_t find_link(const struct agent *a, size_t kind, struct fleet_finding *f)
{
	json_t *list = json_array();
	const struct proto_health_interface *first = NULL;

	for (size_t i = 0; i < a->health->n_interfaces; i++) {
		const struct proto_health_interface *n = &a->health->interfaces[i];

		if (!link_kinds[kind].test(n))
			continue;
		first = first ? first : n;
		json_array_append_new(list,
				      json_pack("{s:o,s:i,s:o}", "interface",
						fleet_json_text(n->name), "changes",
						(int) n->changes, "since", time_of(n->changed_us)));
	}
	if (!first) {
		json_decref(list);
		return 0;
	}
	*f = (struct fleet_finding){.kind = link_kinds[kind].kind,
				    .severity = link_kinds[kind].severity,
				    .settle_us = SETTLE_US,
				    .step = first->wireless ? link_kinds[kind].wireless
							    : link_kinds[kind].wired,
				    .detail = json_pack("{s:o}", "links", list)};
	title(f, "Network link %.20s of %s %s.", first->name, a->name, link_kinds[kind].words);
	return 1;
}

size_t fleet_find_troubles(const struct agent *a, struct fleet_finding list[FLEET_FINDINGS_MAX])
{
	const struct proto_health_radio *r = &a->health->radio;
	size_t n = 0;

	_Static_assert(ARRAY_SIZE(link_kinds) + 2 <= FLEET_FINDINGS_MAX, "no room");
	for (size_t i = 0; i < ARRAY_SIZE(link_kinds); i++)
		n += find_link(a, i, &list[n]);
	if (is_full(r)) {
		list[n] = (struct fleet_finding){
			.kind = "radio-full",
			.severity = INCIDENT_WARNING,
			.step = "Bring the next labels in through another access point, or give "
				"this one "
				"a train with more subevents.",
			.detail = json_pack("{s:I,s:I}", "labels", (json_int_t) r->labels,
					    "capacity", (json_int_t) r->capacity)};
		title(&list[n++], "The label radio of %s has hardly any place left for labels.",
		      a->name);
	}
	if (refuses_channels(r)) {
		list[n] =
			(struct fleet_finding){.kind = "radio-channels",
					       .severity = INCIDENT_NOTICE,
					       .settle_us = SETTLE_US,
					       .step = "Update the firmware of its Bluetooth "
						       "controller, or move the Wi-Fi of "
						       "this access point to 5 GHz.",
					       .detail = json_pack("{s:o,s:i}", "controller",
								   fleet_json_text(r->controller),
								   "hci_status", (int) r->refused)};
		title(&list[n++], "The label radio of %s cannot keep off the Wi-Fi there.",
		      a->name);
	}
	return n;
}
