/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/fleet/fleet_internal.h"
#include <stdio.h>
#include <string.h>

#define DEAD_AFTER_US (INT64_C(3600) * US_PER_SEC)

static long long minutes(int64_t us)
{
	return (long long) (us / (60 * US_PER_SEC));
}

static bool advise_reach(const struct agent *a, int64_t now_us, char *buf, size_t cap)
{
	if (a->revoked_us)
		snprintf(buf, cap,
			 "Revoked. To use this access point again, erase the agent's "
			 "state and enrol it with a new join code.");
	else if (!a->last_seen_us)
		snprintf(buf, cap,
			 "Enrolled but never heard from. Check that gondola-agent runs "
			 "and reaches the controller's agents port.");
	else if (!a->online)
		snprintf(buf, cap,
			 "Not heard from for %lld min. Check power and network of the access "
			 "point, then that gondola-agent runs there.%s",
			 minutes(now_us - a->last_seen_us),
			 now_us - a->last_seen_us > DEAD_AFTER_US
				 ? " If it is dead, replace it: another machine takes its place "
				   "and keeps its labels."
				 : "");
	else
		return false;
	return true;
}

static bool advise_clock_and_cert(const struct agent *a, int64_t now_us, char *buf, size_t cap)
{
	const struct proto_health *h = a->health;

	if (a->cert_not_after_us && a->cert_not_after_us - now_us < FLEET_CERT_WARN_US)
		snprintf(buf, cap,
			 "The certificate expires in %lld days and was not renewed. Restart "
			 "gondola-agent and look at its log.",
			 (long long) ((a->cert_not_after_us - now_us) / (86400 * US_PER_SEC)));
	else if (h && h->clock_uncertainty_us >= 0 &&
		 (h->clock_offset_us > FLEET_CLOCK_OFF_US ||
		  h->clock_offset_us < -FLEET_CLOCK_OFF_US))
		snprintf(buf, cap,
			 "Its clock is %lld s off. It corrects for that, but set up NTP on the "
			 "access point.",
			 (long long) (h->clock_offset_us / US_PER_SEC));
	else
		return false;
	return true;
}

static bool is_troubled(const char *state)
{
	return *state && strcmp(state, "running") && strcmp(state, "connecting") &&
	       strcmp(state, "starting") && strcmp(state, "idle");
}

const char *fleet_trouble_step(const char *code)
{
	static const struct {
		const char *code, *step;
	} steps[] = {
		{"silent-antenna",
		 "Check the antenna's cable and connectors, and that nothing stands "
		 "in front of it; swap it with its neighbour to see what is broken."},
		{"antenna-off", "Plug the antenna in, or take its number off the reader's list."},
		{"failing-reader", "Check the reader's power supply and network cable; if they are "
				   "sound, restart it and update its firmware."},
		{"interference",
		 "Look for another reader or a strong transmitter nearby, switched on "
		 "since; set the profile dense-shelf, or lower the power of neighbours. Where "
		 "channels "
		 "are named, a transmitter on those frequencies is near."},
		{"drifted",
		 "It has been set right. If it comes again, another program uses this reader: find "
		 "and stop it, a reader serves one."},
		{"reader-buffer", "Look at the network between access point and reader, and "
				  "whether the access point "
				  "was down: what the reader could not hold is lost, and the "
				  "ledger shows since when. "
				  "Count again what moved meanwhile."},
	};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (!strcmp(steps[i].code, code))
			return steps[i].step;
	return "Look at the log of the agent.";
}

static bool advise_radio(const struct proto_health *h, char *buf, size_t cap)
{
	for (size_t i = 0; i < h->n_readers; i++) {
		const struct proto_health_reader *r = &h->readers[i];

		if (r->n_troubles == 0)
			continue;
		snprintf(buf, cap, "Reader %.63s: %.120s. %s", r->name, r->troubles[0].text,
			 fleet_trouble_step(r->troubles[0].code));
		return true;
	}
	return false;
}

static bool advise_devices(const struct proto_health *h, char *buf, size_t cap)
{
	for (size_t i = 0; i < h->n_readers; i++) {
		const struct proto_health_reader *r = &h->readers[i];

		if (!r->error[0] && !is_troubled(r->state))
			continue;
		if (!strcmp(r->state, "running"))
			continue;
		snprintf(
			buf, cap,
			"Reader %.63s: %.120s. Check its power, its network cable and its address.",
			r->name, r->error[0] ? r->error : r->state);
		return true;
	}
	if (!strcmp(h->radio_state, "down")) {
		snprintf(buf, cap,
			 "The label radio is down: %.160s. Check that the Bluetooth adapter is "
			 "plugged in and that nothing else uses it.",
			 h->radio_error[0] ? h->radio_error : "no reason given");
		return true;
	}
	return false;
}

void fleet_advise(const struct agent *a, int64_t now_us, char *buf, size_t cap)
{
	const struct proto_health *h = a->health;

	buf[0] = '\0';
	if (advise_reach(a, now_us, buf, cap) || advise_clock_and_cert(a, now_us, buf, cap) || !h ||
	    advise_devices(h, buf, cap) || advise_radio(h, buf, cap))
		return;
	if (h->journal_dropped > 0)
		snprintf(buf, cap,
			 "%llu reports were lost because its flash was full. Free space on the "
			 "access point.",
			 (unsigned long long) h->journal_dropped);
	else if (h->journal_depth > FLEET_JOURNAL_MANY)
		snprintf(buf, cap,
			 "%llu reports wait on the access point. Check the network to the "
			 "controller.",
			 (unsigned long long) h->journal_depth);
	else if (h->radio.driver[0])
		fleet_advise_radio(h, buf, cap);
}
