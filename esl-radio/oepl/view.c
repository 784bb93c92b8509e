/* SPDX-License-Identifier: Apache-2.0 */
/* The radio as a person looks at it: its labels, and each access point as it tells of itself. */
#include "esl-radio/oepl/oepl.h"

#include <stdio.h>
#include <string.h>

#define LOW_BATTERY_MV 2400

/** See ESL_SIGNAL_STEPS. */
static unsigned int signal_step(int dbm)
{
	int step = dbm < -95 ? 0 : (dbm + 95) / 5 + 1;

	return (unsigned int) MIN(step, ESL_SIGNAL_STEPS - 1);
}

static void count_wanted(const struct oepl *o, const struct oepl_label *l,
			 struct esl_radio_view *ret)
{
	const struct oepl_wish *w = oepl_target(o, l);

	ret->lost += l->lost_told;
	ret->waiting +=
		w && !(l->shown.known && memcmp(l->shown.image, w->image, IMAGE_HASH_BYTES) == 0);
	if (l->rec.rssi_dbm)
		ret->signal[signal_step(l->rec.rssi_dbm)]++;
}

/** Every label of its database, also those that are not ours. */
static void count_at(const struct oepl *o, const struct oepl_label *l, struct esl_station *s)
{
	if (!l->rec.rssi_dbm)
		return; /* never heard: noise */
	s->serves += l->wanted;
	s->queued += l->wanted && l->rec.pending;
	s->low_batteries += l->rec.battery_mv && l->rec.battery_mv < LOW_BATTERY_MV;
	s->timeouts += oepl_is_lost(o, l);
}

static void view_station(const struct oepl_ap *ap, struct esl_station *s)
{
	char text[ESL_TEXT_MAX];
	const char *wrong = oepl_ap_trouble(ap, text);

	*s = (struct esl_station){.up = ap->up &&
					(ap->apstate < 0 || ap->apstate == OEPL_AP_ONLINE),
				  .channel = ap->config.channel,
				  .tags = ap->syncs ? (int32_t) ap->n_known : -1,
				  .heap_bytes = ap->said.heap,
				  .storage_bytes = ap->said.storage_free,
				  .wifi_dbm = ap->said.wifi_dbm,
				  .uptime_s = ap->said.uptime_s};
	(void) snprintf(s->address, sizeof(s->address), "%.*s", (int) sizeof(s->address) - 1,
			ap->url);
	(void) snprintf(s->name, sizeof(s->name), "%.*s", (int) sizeof(s->name) - 1,
			ap->config.alias);
	(void) snprintf(s->version, sizeof(s->version), "%.*s", (int) sizeof(s->version) - 1,
			ap->version);
	(void) snprintf(s->state, sizeof(s->state), "%.*s", (int) sizeof(s->state) - 1,
			wrong                        ? wrong
			: ap->up && ap->apstate >= 0 ? oepl_apstate_text(ap->apstate)
			: ap->up                     ? "it answers"
						     : "not asked yet");
}

void oepl_get_view(const struct esl_engine *e, struct esl_radio_view *ret)
{
	const struct oepl *o = (const struct oepl *) (const void *) e;

	*ret = (struct esl_radio_view){.driver = "oepl",
				       .capacity = (uint32_t) (OEPL_TAGS_MAX * o->n_aps),
				       .n_stations = o->n_aps};
	(void) snprintf(ret->controller, sizeof(ret->controller), "%s",
			o->n_aps > 1 ? "OpenEPaperLink access points"
				     : "OpenEPaperLink access point");
	for (size_t i = 0; i < o->n_aps; i++)
		view_station(&o->aps[i], &ret->stations[i]);
	for (const struct oepl_label *l = o->labels; l; l = l->hh.next) {
		if (l->wanted)
			count_wanted(o, l, ret);
		if (l->ap)
			count_at(o, l, &ret->stations[l->ap->number]);
	}
}
