/* SPDX-License-Identifier: Apache-2.0 */
/* What antennas and channels of a reader read, now and usually: for the page about that reader. */
#include "controller/fleet/fleet_internal.h"
#include <string.h>

static json_t *antennas_json(const struct proto_health_reader *h)
{
	json_t *list = json_array();
	char when[CLOCK_RFC3339_MAX];

	for (size_t i = 0; i < h->n_antennas; i++) {
		const struct proto_health_antenna *a = &h->antennas[i];

		json_array_append_new(
			list, json_pack("{s:i,s:f,s:f,s:o,s:b}", "antenna", (int) a->antenna,
					"usual_reads_per_s", a->usual_mhz / 1000.0, "reads_per_s",
					a->now_mhz / 1000.0, "last_read",
					a->last_us ? json_string(clock_rfc3339(a->last_us, when))
						   : json_null(),
					"off", a->off));
	}
	return list;
}

static json_t *dbm(int16_t cdbm)
{
	return cdbm ? json_real(cdbm / 100.0) : json_null();
}

static json_t *channels_json(const struct proto_health_reader *h)
{
	json_t *list = json_array();

	for (size_t i = 0; i < h->n_channels; i++) {
		const struct proto_health_channel *c = &h->channels[i];

		json_array_append_new(
			list,
			json_pack("{s:i,s:o,s:f,s:f,s:o,s:o,s:b}", "channel", (int) c->channel,
				  "mhz", c->khz ? json_real(c->khz / 1000.0) : json_null(),
				  "usual_percent", c->usual_ppm / 1e4, "percent", c->now_ppm / 1e4,
				  "usual_rssi_dbm", dbm(c->usual_cdbm), "rssi_dbm",
				  dbm(c->now_cdbm), "failing", c->failing));
	}
	return list;
}

void fleet_add_radio_json(const struct agent *a, json_t *body)
{
	const json_t *readers = json_object_get(body, "readers");
	json_t *r;
	size_t i;

	json_array_foreach(readers, i, r)
	{
		const char *name = json_string_value(json_object_get(r, "name"));

		for (size_t k = 0; a->health && name && k < a->health->n_readers; k++) {
			const struct proto_health_reader *h = &a->health->readers[k];

			if (!strcmp(h->name, name))
				json_object_set_new(r, "radio",
						    json_pack("{s:o,s:o,s:I,s:I}", "antennas",
							      antennas_json(h), "channels",
							      channels_json(h), "drifts",
							      (json_int_t) h->drifts, "mended",
							      (json_int_t) h->mended));
		}
	}
}
