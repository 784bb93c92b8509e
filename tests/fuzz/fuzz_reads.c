/* SPDX-License-Identifier: Apache-2.0 */
/* The first byte picks: a message of raw reads, one entry of it, or a stored place model. What
 * decodes encodes and decodes to the same again. */
#include "common/proto.h"
#include "controller/inventory/place_live.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
	if (!ok)
		abort();
}

static void same_entry(const struct proto_reads_entry *a, const struct proto_reads_entry *b)
{
	must(a->n == b->n && a->kind == b->kind && a->subject == b->subject);
	for (size_t i = 0; i < a->n; i++) {
		must(a->reads[i].at_us == b->reads[i].at_us);
		must(a->reads[i].source < a->n_sources);
		must(i == 0 || a->reads[i].at_us >= a->reads[i - 1].at_us);
	}
}

static void try_message(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf again = BUF_INIT;
	struct proto_reads m, back;

	if (proto_reads_decode(data, size, &m, NULL) < 0)
		return;
	must(proto_reads_encode(&m, &again) == 0);
	must(proto_reads_decode(again.data, again.len, &back, NULL) == 0);
	must(back.n == m.n && back.first_seq == m.first_seq);
	for (size_t i = 0; i < m.n; i++)
		same_entry(&m.entries[i], &back.entries[i]);
	proto_reads_done(&back);
	proto_reads_done(&m);
}

static void try_entry(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf again = BUF_INIT;
	struct proto_reads_entry e, back;

	if (proto_reads_entry_decode(data, size, &e) < 0)
		return;
	must(proto_reads_entry_encode(&e, &again) == 0);
	must(again.len <= PROTO_MAX_READ_ENTRY);
	must(proto_reads_entry_decode(again.data, again.len, &back) == 0);
	same_entry(&e, &back);
	proto_reads_entry_done(&back);
	proto_reads_entry_done(&e);
}

static void try_model(const uint8_t *data, size_t size)
{
	struct place_live_evidence ev[PLACE_LIVE_MAX_ANTENNAS] = {{.present = true}};
	float odds[PLACE_LIVE_MAX_PLACES], opinion[PLACE_LIVE_MAX_PLACES];
	struct place_live *m;
	int named;

	if (place_live_read(data, size, &m) < 0)
		return;
	for (unsigned int p = 0; p < m->n_places; p++)
		odds[p] = 1.0f / (float) m->n_places;
	place_live_opinion(m, ev, opinion);
	place_live_pass(m, odds, opinion, US_PER_SEC);
	named = place_live_name(m, odds, PLACE_LIVE_NONE);
	must(named >= 0 && (unsigned int) named < m->n_places);
	(void) place_live_confidence(m, odds, named);
	place_live_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	switch (data[0] % 3) {
	case 0:
		try_message(data + 1, size - 1);
		break;
	case 1:
		try_entry(data + 1, size - 1);
		break;
	default:
		try_model(data + 1, size - 1);
		break;
	}
	return 0;
}
