/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/readers_impl.h"
#include <stdio.h>
#include <string.h>

static void ledger_health(const struct rfid_reader_stats *stats, struct proto_health_reader *row)
{
	const struct rfid_ledger *l = &stats->ledger;

	row->reads = stats->reads;
	row->llrp_version = stats->version;
	row->reports = l->reports;
	row->handed_on = l->handed_on;
	row->unclaimed = l->unclaimed;
	row->strange = l->strange;
	row->held = l->held;
	row->resumed = l->resumed;
	row->buffer_warnings = l->warnings;
	row->buffer_overflows = l->overflows;
	row->gaps = l->gaps;
	row->gaps_us = l->gaps_us;
	if (l->last_gap.cause != RFID_GAP_NONE)
		snprintf(row->gap_cause, sizeof(row->gap_cause), "%s",
			 rfid_gap_cause_str(l->last_gap.cause));
	snprintf(row->tls_peer, sizeof(row->tls_peer), "%s", stats->tls_peer);
	row->gap_from_us = l->last_gap.from_us;
	row->gap_to_us = l->last_gap.to_us;
	row->drifts = stats->drifts;
	row->mended = stats->mended;
}

static void radio_health(const struct entry *e, const struct rfid_reader_stats *stats,
			 struct proto_health_reader *row)
{
	const struct clock *c = e->owner->clock;
	int64_t skew = clock_real_us(c) - clock_mono_us(c);

	row->n_troubles = radio_watch_troubles(&e->watch, stats, clock_mono_us(c), row->troubles,
					       PROTO_MAX_TROUBLES);
	for (size_t i = 0; i < row->n_troubles; i++)
		if (row->troubles[i].since_us)
			row->troubles[i].since_us += skew;
	for (uint16_t a = 1; a <= RFID_MAX_ANTENNAS && row->n_antennas < PROTO_MAX_ANTENNAS; a++) {
		struct proto_health_antenna *row_a = &row->antennas[row->n_antennas];

		radio_watch_antenna(&e->watch, stats, a, row_a);
		if (!row_a->last_us && !row_a->off && !(e->watch.wanted >> (a - 1) & 1))
			continue;
		if (row_a->last_us)
			row_a->last_us += skew;
		row->n_antennas++;
	}
	for (uint16_t n = 1; n <= RFID_MAX_CHANNELS && row->n_channels < PROTO_MAX_CHANNELS; n++)
		row->n_channels += radio_watch_channel_health(&e->watch, stats, n, clock_mono_us(c),
							      &row->channels[row->n_channels]);
}

size_t readers_health(const struct readers *r, struct proto_health_reader *rows, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n && n < max; i++) {
		const struct entry *e = r->entries[i];
		struct proto_health_reader *row = &rows[n];
		struct rfid_reader_stats stats = {0};

		if (!e->wanted)
			continue;
		if (e->reader)
			rfid_reader_get_stats(e->reader, &stats);
		memset(row, 0, sizeof(*row));
		snprintf(row->name, sizeof(row->name), "%s", e->wish.name);
		snprintf(row->state, sizeof(row->state), "%s",
			 e->reader ? rfid_reader_state_str(e->state) : "failed");
		snprintf(row->model, sizeof(row->model), "%.63s", stats.model);
		snprintf(row->error, sizeof(row->error), "%s", e->error);
		row->reconnects = stats.reconnects;
		row->sightings = e->sightings;
		ledger_health(&stats, row);
		if (e->reader)
			radio_health(e, &stats, row);
		n++;
	}
	return n;
}
