/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fast decoder of sightings against the plain one: what one accepts the other accepts, with the
 * same values; what one refuses the other refuses. The same bytes also go to the journal's replay.
 */
#include "common/err.h"
#include "controller/inventory/ingest_decode.h"
#include "controller/inventory/inv_image.h"
#include "controller/inventory/inv_state.h"
#include <errno.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void compare(const struct inv_batch *b, const struct proto_sightings *m)
{
	require(b->first_seq == m->first_seq && b->n == m->n && b->n_sources == m->n_sources);
	require(memcmp(b->journal_id, m->journal_id, sizeof(m->journal_id)) == 0);
	for (size_t i = 0; i < m->n_sources; i++) {
		require(strcmp(b->sources[i].reader, m->sources[i].reader) == 0);
		require(b->sources[i].antenna == m->sources[i].antenna);
	}
	for (size_t i = 0; i < m->n; i++) {
		const struct inv_sighting *f = &b->sightings[i];
		const struct proto_sighting *s = &m->sightings[i];

		require(f->bits == s->epc.bits &&
			memcmp(f->epc, s->epc.data, epc_bytes(&s->epc)) == 0);
		require(f->kind == s->kind && f->source == s->source && f->count == s->count);
		require(f->first_us == s->first_us && f->last_us == s->last_us);
		require(f->rssi_cdbm == s->rssi_cdbm && f->peak_cdbm == s->peak_cdbm);
		require(f->rate_mhz == s->rate_mhz);
	}
}

static void try_replay(const uint8_t *data, size_t size)
{
	struct inv_state *st;
	struct inv_image_loader l = {0};

	if (inv_state_new(belief_defaults(), 0, &st) < 0)
		return;
	if (inv_state_replay(st, data, size) == 0)
		inv_state_restored(st);
	l.st = st;
	if (inv_image_load(&l, data, size) == 0)
		require(l.section == 1);
	inv_state_free(st);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ingest_decoder d;
	struct proto_sightings m;
	struct inv_batch b;
	size_t at_plain = 0, at_fast = 0;
	int plain = proto_sightings_decode(data, size, &m, &at_plain);
	int fast = ingest_decode(&d, data, size, &b, &at_fast);

	require(plain == fast && at_plain == at_fast);
	if (!plain) {
		compare(&b, &m);
		proto_sightings_done(&m);
	}
	try_replay(data, size);
	return 0;
}
