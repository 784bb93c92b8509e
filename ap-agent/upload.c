/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/upload.h"
#include "ap-agent/sighting.h"
#include "common/err.h"
#include <errno.h>
#include <string.h>

#define MAX_SOURCES 64

struct batch {
	size_t cap;
	size_t n;
	uint64_t first;
	uint64_t bad; /**< number of an entry that does not decode, or 0 */
	struct proto_sighting *sightings;
	struct proto_label_report *reports;
	struct proto_reads_entry *entries;
	size_t n_reads; /**< of the entries */
	size_t n_sources;
	struct proto_source sources[MAX_SOURCES];
};

static int source_index(struct batch *b, const struct sighting_row *row)
{
	for (size_t i = 0; i < b->n_sources; i++)
		if (b->sources[i].antenna == row->antenna &&
		    strcmp(b->sources[i].reader, row->reader) == 0)
			return (int) i;
	if (b->n_sources == MAX_SOURCES)
		return -ENOSPC;

	struct proto_source *s = &b->sources[b->n_sources];

	memcpy(s->reader, row->reader, sizeof(s->reader));
	s->antenna = row->antenna;
	return (int) b->n_sources++;
}

static bool take_sighting(void *user, uint64_t seq, int64_t delta_us, const void *body, size_t len)
{
	struct batch *b = user;
	struct sighting_row row;

	if (b->n == b->cap)
		return false;
	if (sighting_decode(body, len, &row) < 0) {
		b->bad = seq;
		return false;
	}

	int source = source_index(b, &row);

	if (source < 0) /* a batch of its own for the rest */
		return false;
	if (b->n == 0)
		b->first = seq;

	struct proto_sighting *s = &b->sightings[b->n++];

	*s = row.s;
	s->source = (uint16_t) source;
	s->first_us += delta_us;
	s->last_us += delta_us;
	return true;
}

static bool take_report(void *user, uint64_t seq, int64_t delta_us, const void *body, size_t len)
{
	struct batch *b = user;

	if (b->n == b->cap)
		return false;

	struct proto_label_report *r = &b->reports[b->n];

	if (proto_label_report_decode(body, len, r) < 0) {
		b->bad = seq;
		return false;
	}
	if (b->n == 0)
		b->first = seq;
	r->at_us += delta_us;
	b->n++;
	return true;
}

static bool take_reads(void *user, uint64_t seq, int64_t delta_us, const void *body, size_t len)
{
	struct batch *b = user;
	struct proto_reads_entry e;

	if (b->n == b->cap)
		return false;
	if (proto_reads_entry_decode(body, len, &e) < 0) {
		b->bad = seq;
		return false;
	}
	if (b->n_reads + e.n > PROTO_MAX_READS) {
		proto_reads_entry_done(&e);
		return false;
	}
	if (b->n == 0)
		b->first = seq;
	for (size_t i = 0; i < e.n; i++)
		e.reads[i].at_us += delta_us;
	b->n_reads += e.n;
	b->entries[b->n++] = e;
	return true;
}

static int encode_reads(struct journal *j, uint64_t caps, struct batch *b, struct buf *out)
{
	struct proto_reads m = {
		.caps = caps, .first_seq = b->first, .n = b->n, .entries = b->entries};

	memcpy(m.journal_id, journal_id(j), sizeof(m.journal_id));
	return proto_reads_encode(&m, out);
}

static int encode(struct journal *j, enum journal_stream stream, uint64_t caps, struct batch *b,
		  struct buf *out)
{
	if (stream == JOURNAL_READS)
		return encode_reads(j, caps, b, out);
	if (stream == JOURNAL_SIGHTINGS) {
		struct proto_sightings m = {.caps = caps,
					    .first_seq = b->first,
					    .n_sources = b->n_sources,
					    .sources = b->sources,
					    .n = b->n,
					    .sightings = b->sightings};

		memcpy(m.journal_id, journal_id(j), sizeof(m.journal_id));
		return proto_sightings_encode(&m, out);
	}

	struct proto_label_reports m = {
		.caps = caps, .first_seq = b->first, .n = b->n, .reports = b->reports};

	memcpy(m.journal_id, journal_id(j), sizeof(m.journal_id));
	return proto_label_reports_encode(&m, out);
}

/* What a stream's entries are, how large as structs, and how many one body takes at most. */
static const struct {
	journal_row_fn take;
	size_t size, bound;
} kinds[JOURNAL_STREAM_COUNT] = {
	[JOURNAL_SIGHTINGS] = {take_sighting, sizeof(struct proto_sighting), UPLOAD_MAX_SIGHTINGS},
	[JOURNAL_LABELS] = {take_report, sizeof(struct proto_label_report), UPLOAD_MAX_REPORTS},
	[JOURNAL_READS] = {take_reads, sizeof(struct proto_reads_entry), UPLOAD_MAX_READS},
};

static int build(struct journal *j, enum journal_stream stream, uint64_t caps, struct batch *b,
		 struct buf *out, uint64_t *ret_first, size_t *ret_n)
{
	int r = journal_read(j, stream, b->cap, kinds[stream].take, b);

	if (r < 0)
		return r;
	if (b->n == 0 && b->bad) {
		*ret_first = b->bad;
		return -ERR_CORRUPT;
	}
	if (b->n == 0)
		return 0;
	r = encode(j, stream, caps, b, out);
	if (r < 0)
		return r;
	*ret_first = b->first;
	*ret_n = b->n;
	return 0;
}

int upload_build(struct journal *j, enum journal_stream stream, uint64_t caps, size_t max,
		 struct buf *out, uint64_t *ret_first, size_t *ret_n)
{
	uint64_t depth = journal_depth(j, stream);
	_cleanup_free_ struct batch *b = calloc(1, sizeof(*b));
	_cleanup_free_ void *rows = NULL;
	int r;

	max = MIN(MIN(max, kinds[stream].bound), (size_t) MIN(depth, (uint64_t) SIZE_MAX));
	*ret_n = 0;
	if (max == 0)
		return 0;
	rows = calloc(max, kinds[stream].size);
	if (!b || !rows)
		return -ENOMEM;
	b->cap = max;
	b->sightings = stream == JOURNAL_SIGHTINGS ? rows : NULL;
	b->reports = stream == JOURNAL_LABELS ? rows : NULL;
	b->entries = stream == JOURNAL_READS ? rows : NULL;
	r = build(j, stream, caps, b, out, ret_first, ret_n);
	for (size_t i = 0; b->entries && i < b->n; i++)
		proto_reads_entry_done(&b->entries[i]);
	return r;
}
