/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/inventory/ingest_decode.h"
#include "common/proto_impl.h"
#include <endian.h>
#include <errno.h>
#include <string.h>

/* The same keys as in common/proto_sightings.c; the differential test holds them together. */
enum {
	BATCH_JOURNAL = 2,
	BATCH_FIRST,
	BATCH_SOURCES,
	BATCH_ENTRIES,
	BATCH_KEYS
};

#define SIGHTING_FIELDS 9

enum major {
	MAJOR_UINT = 0,
	MAJOR_NEGINT = 1,
	MAJOR_BYTES = 2,
	MAJOR_ARRAY = 4
};

/* More bytes than any entry takes: its head, nine fields and the pair of an odd EPC, each with an
 * argument of eight bytes, and the EPC. One that begins this far from the end is read without
 * asking for the end at every byte. */
#define ENTRY_BYTES_MAX (9 * (1 + SIGHTING_FIELDS + 2) + EPC_MAX_BYTES)

/* A cursor that never fails half-way: `ok` is asked once an entry. Where it is `roomy` no entry can
 * reach the end; the compiler makes a version of everything for either case. */
struct fast {
	const uint8_t *p;
	const uint8_t *end;
	bool ok;
	bool roomy;
};

static __always_inline uint64_t argument_long(struct fast *f, unsigned int info)
{
	size_t n = (size_t) 1 << (info & 3);
	uint64_t v;
	uint32_t half;
	uint16_t quarter;
	const uint8_t *p = f->p;

	if (info > 27 || (!f->roomy && (size_t) (f->end - p) < n)) {
		f->ok = false;
		return 0;
	}
	f->p += n;
	switch (info) {
	case 24:
		return *p;
	case 25:
		memcpy(&quarter, p, sizeof(quarter));
		return be16toh(quarter);
	case 26:
		memcpy(&half, p, sizeof(half));
		return be32toh(half);
	default:
		memcpy(&v, p, sizeof(v));
		return be64toh(v);
	}
}

/* The argument of the next item, and its major type. */
static __always_inline uint64_t item(struct fast *f, unsigned int *ret_major)
{
	unsigned int info;

	if (!f->roomy && f->p >= f->end) {
		f->ok = false;
		*ret_major = 7;
		return 0;
	}
	*ret_major = *f->p >> 5;
	info = *f->p++ & 31;
	return info < 24 ? info : argument_long(f, info);
}

static __always_inline uint64_t get_uint(struct fast *f, unsigned int want, uint64_t max)
{
	unsigned int major;
	uint64_t v = item(f, &major);

	if (major != want || v > max)
		f->ok = false;
	return v;
}

static __always_inline int64_t get_int(struct fast *f)
{
	unsigned int major;
	uint64_t v = item(f, &major);

	if (major > MAJOR_NEGINT || v > INT64_MAX)
		f->ok = false;
	return major == MAJOR_UINT ? (int64_t) v : -1 - (int64_t) v;
}

static __always_inline int16_t get_i16(struct fast *f)
{
	int64_t v = get_int(f);

	if (v < INT16_MIN || v > INT16_MAX)
		f->ok = false;
	return (int16_t) v;
}

static __always_inline const uint8_t *get_bytes(struct fast *f, size_t *ret_n)
{
	size_t n = (size_t) get_uint(f, MAJOR_BYTES, EPC_MAX_BYTES);
	const uint8_t *p = f->p;

	if (!f->ok || (!f->roomy && (size_t) (f->end - f->p) < n)) {
		f->ok = false;
		*ret_n = 0;
		return p;
	}
	f->p += n;
	*ret_n = n;
	return p;
}

/* An EPC of any length in bits; its last byte may need cleaning, so it is copied. */
static void get_odd_epc(struct fast *f, struct ingest_decoder *d, struct inv_sighting *s)
{
	uint8_t *to = d->odd + d->n_odd;
	struct epc epc;
	size_t n;

	if (get_uint(f, MAJOR_ARRAY, 2) != 2)
		f->ok = false;
	s->bits = (uint16_t) get_uint(f, MAJOR_UINT, EPC_MAX_BITS);
	const uint8_t *p = get_bytes(f, &n);

	if (!f->ok || (size_t) (s->bits + 7) / 8 != n || epc_set(&epc, p, s->bits) < 0 ||
	    d->n_odd + n > d->cap_odd) {
		f->ok = false;
		return;
	}
	memcpy(to, epc.data, n);
	d->n_odd += n;
	s->epc = to;
}

static __always_inline void get_fields(struct fast *f, struct ingest_decoder *d,
				       struct inv_sighting *s)
{
	int64_t age;
	size_t n;

	if (get_uint(f, MAJOR_ARRAY, SIGHTING_FIELDS) != SIGHTING_FIELDS)
		f->ok = false;
	s->kind = (uint8_t) get_uint(f, MAJOR_UINT, SIGHTING_KIND_COUNT - 1);
	if ((f->roomy || f->p < f->end) && *f->p >> 5 == MAJOR_ARRAY) {
		get_odd_epc(f, d, s);
	} else {
		s->epc = get_bytes(f, &n);
		s->bits = (uint16_t) (n * 8);
	}
	s->source = (uint16_t) get_uint(f, MAJOR_UINT, PROTO_MAX_SOURCES - 1);
	s->last_us = get_int(f);
	age = get_int(f);
	if (!s->kind || age < 0 || __builtin_sub_overflow(s->last_us, age, &s->first_us))
		f->ok = false;
	s->count = (uint32_t) get_uint(f, MAJOR_UINT, UINT32_MAX);
	s->rssi_cdbm = get_i16(f);
	s->peak_cdbm = get_i16(f);
	s->rate_mhz = (uint16_t) get_uint(f, MAJOR_UINT, UINT16_MAX);
}

static void get_entry(struct fast *f, struct ingest_decoder *d, struct inv_sighting *s)
{
	/* A constant in either copy, so that the questions after the end vanish from the first. */
	f->roomy = f->end - f->p >= ENTRY_BYTES_MAX;
	if (__builtin_expect(f->roomy, 1)) {
		struct fast g = {.p = f->p, .end = f->end, .ok = true, .roomy = true};

		get_fields(&g, d, s);
		f->p = g.p;
		f->ok = g.ok;
	} else {
		get_fields(f, d, s);
	}
}

static bool reserve(void **v, size_t *cap, size_t n, size_t size)
{
	void *grown;

	if (n <= *cap)
		return true;
	grown = realloc(*v, n * size);
	if (!grown)
		return false;
	*v = grown;
	*cap = n;
	return true;
}

/* EPCs that are not whole bytes are rare: room for them is made at most once a batch, for all that
 * the rest of the body can hold. */
static bool reserve_odd(struct ingest_decoder *d, size_t body)
{
	return reserve((void **) &d->odd, &d->cap_odd, body, 1);
}

static void get_entries(struct cbor_reader *r, struct ingest_decoder *d, struct inv_batch *b)
{
	size_t n = cbor_get_array(r, PROTO_MAX_SIGHTINGS);
	struct fast f = {.p = r->data + r->pos, .end = r->data + r->len, .ok = true};

	if (!cbor_reader_ok(r))
		return;
	d->n_odd = 0;
	if (!reserve((void **) &d->sightings, &d->cap_sightings, n, sizeof(*d->sightings)) ||
	    !reserve_odd(d, r->len - r->pos)) {
		cbor_reader_fail(r, -ENOMEM);
		return;
	}
	for (size_t i = 0; i < n && f.ok; i++)
		get_entry(&f, d, &d->sightings[i]);
	if (!f.ok)
		cbor_reader_fail(r, -ERR_BADMSG);
	r->pos = (size_t) (f.p - r->data);
	b->sightings = d->sightings;
	b->n = n;
}

static void get_sources(struct cbor_reader *r, struct ingest_decoder *d, struct inv_batch *b)
{
	size_t n = cbor_get_array(r, PROTO_MAX_SOURCES);

	if (!reserve((void **) &d->sources, &d->cap_sources, n, sizeof(*d->sources))) {
		cbor_reader_fail(r, -ENOMEM);
		return;
	}
	for (size_t i = 0; i < n && cbor_reader_ok(r); i++) {
		pp_expect_array(r, 2);
		cbor_get_text(r, d->sources[i].reader, sizeof(d->sources[i].reader));
		d->sources[i].antenna = (uint16_t) cbor_get_uint(r, UINT16_MAX);
	}
	b->sources = d->sources;
	b->n_sources = n;
}

/* The slow decoder knows what to say about a body that is wrong. */
static int explain(const void *data, size_t len, size_t *ret_at)
{
	struct proto_sightings m;
	int r = proto_sightings_decode(data, len, &m, ret_at);

	if (r < 0)
		return r;
	proto_sightings_done(&m);
	return -ERR_BADMSG;
}

static void get_pair(struct cbor_reader *r, unsigned int key, struct ingest_decoder *d,
		     struct inv_batch *b)
{
	switch (key) {
	case BATCH_JOURNAL:
		cbor_get_bytes_exact(r, b->journal_id, sizeof(b->journal_id));
		break;
	case BATCH_FIRST:
		b->first_seq = cbor_get_uint(r, INT64_MAX);
		break;
	case BATCH_SOURCES:
		get_sources(r, d, b);
		break;
	case BATCH_ENTRIES:
		get_entries(r, d, b);
		break;
	}
}

int ingest_decode(struct ingest_decoder *d, const void *data, size_t len, struct inv_batch *ret,
		  size_t *ret_at)
{
	struct inv_batch b = {0};
	struct cbor_reader r;
	unsigned int key;
	uint16_t top = 0;
	uint64_t caps;
	struct pp_pairs pairs = pp_open_message(&r, data, len, &caps);

	while (pp_next_pair(&pairs, &key, BATCH_KEYS))
		get_pair(&r, key, d, &b);
	pp_require(&pairs, KEY_BIT(BATCH_KEYS) - 1 - KEY_BIT(KEY_CAPS));
	pp_check_batch(&r, b.first_seq, b.n);
	for (size_t i = 0; i < b.n; i++)
		top = MAX(top, b.sightings[i].source);
	if (b.n && top >= b.n_sources && cbor_reader_ok(&r))
		cbor_reader_fail(&r, -ERR_RANGE);
	if (pp_finish(&r, NULL) == -ENOMEM)
		return -ENOMEM;
	if (!cbor_reader_ok(&r))
		return explain(data, len, ret_at);
	*ret = b;
	if (ret_at)
		*ret_at = 0;
	return 0;
}

void ingest_decoder_done(struct ingest_decoder *d)
{
	free(d->sources);
	free(d->sightings);
	free(d->odd);
	*d = (struct ingest_decoder){0};
}
