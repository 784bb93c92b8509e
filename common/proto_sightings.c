/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto_impl.h"
#include <string.h>

enum {
	BATCH_JOURNAL = 2,
	BATCH_FIRST,
	BATCH_SOURCES,
	BATCH_ENTRIES,
	BATCH_KEYS
};

#define SIGHTING_FIELDS 9

void pp_put_epc(struct buf *out, const struct epc *e)
{
	/* The common case, whole bytes, is a byte string; other lengths carry their bit count. */
	if (e->bits % 8) {
		cbor_put_array(out, 2);
		cbor_put_uint(out, e->bits);
	}
	cbor_put_bytes(out, e->data, epc_bytes(e));
}

static void put_sighting(struct buf *out, const struct proto_sighting *s)
{
	cbor_put_array(out, SIGHTING_FIELDS);
	cbor_put_uint(out, s->kind);
	pp_put_epc(out, &s->epc);
	cbor_put_uint(out, s->source);
	cbor_put_int(out, s->last_us);
	cbor_put_int(out, s->last_us - s->first_us);
	cbor_put_uint(out, s->count);
	cbor_put_int(out, s->rssi_cdbm);
	cbor_put_int(out, s->peak_cdbm);
	cbor_put_uint(out, s->rate_mhz);
}

int proto_sightings_encode(const struct proto_sightings *m, struct buf *out)
{
	pp_begin(out, 4, m->caps);
	pp_put_b(out, BATCH_JOURNAL, m->journal_id, sizeof(m->journal_id));
	pp_put_u(out, BATCH_FIRST, m->first_seq);
	pp_put_array(out, BATCH_SOURCES, m->n_sources);
	for (size_t i = 0; i < m->n_sources; i++) {
		cbor_put_array(out, 2);
		cbor_put_text(out, m->sources[i].reader);
		cbor_put_uint(out, m->sources[i].antenna);
	}
	pp_put_array(out, BATCH_ENTRIES, m->n);
	for (size_t i = 0; i < m->n; i++)
		put_sighting(out, &m->sightings[i]);
	return out->err;
}

void pp_get_epc(struct cbor_reader *r, struct epc *e)
{
	size_t n, bits = 0;
	bool odd = r->pos < r->len && r->data[r->pos] >> 5 == 4;

	if (odd) {
		pp_expect_array(r, 2);
		bits = cbor_get_uint(r, EPC_MAX_BITS);
	}
	const uint8_t *p = cbor_get_bytes(r, EPC_MAX_BYTES, &n);

	if (!p)
		return;
	if (!odd)
		bits = n * 8;
	if ((bits + 7) / 8 != n || epc_set(e, p, bits) < 0)
		cbor_reader_fail(r, -ERR_BADMSG);
}

static void get_sighting(struct cbor_reader *r, struct proto_sighting *s)
{
	pp_expect_array(r, SIGHTING_FIELDS);
	s->kind = (uint8_t) cbor_get_uint(r, SIGHTING_KIND_COUNT - 1);
	pp_get_epc(r, &s->epc);
	s->source = (uint16_t) cbor_get_uint(r, PROTO_MAX_SOURCES - 1);
	s->last_us = cbor_get_i64(r);
	int64_t age = cbor_get_i64(r);

	if (s->kind == 0 || age < 0 || __builtin_sub_overflow(s->last_us, age, &s->first_us))
		cbor_reader_fail(r, -ERR_RANGE);
	s->count = (uint32_t) cbor_get_uint(r, UINT32_MAX);
	s->rssi_cdbm = pp_get_i16(r);
	s->peak_cdbm = pp_get_i16(r);
	s->rate_mhz = (uint16_t) cbor_get_uint(r, UINT16_MAX);
}

static void get_sources(struct cbor_reader *r, struct proto_sightings *m)
{
	m->n_sources = cbor_get_array(r, PROTO_MAX_SOURCES);
	m->sources = pp_new_array(r, m->n_sources, sizeof(*m->sources));
	for (size_t i = 0; i < m->n_sources && cbor_reader_ok(r); i++) {
		pp_expect_array(r, 2);
		cbor_get_text(r, m->sources[i].reader, sizeof(m->sources[i].reader));
		m->sources[i].antenna = (uint16_t) cbor_get_uint(r, UINT16_MAX);
	}
}

static void get_sightings(struct cbor_reader *r, struct proto_sightings *m)
{
	m->n = cbor_get_array(r, PROTO_MAX_SIGHTINGS);
	m->sightings = pp_new_array(r, m->n, sizeof(*m->sightings));
	for (size_t i = 0; i < m->n && cbor_reader_ok(r); i++)
		get_sighting(r, &m->sightings[i]);
}

int proto_sightings_decode(const void *data, size_t len, struct proto_sightings *ret,
			   size_t *ret_at)
{
	struct proto_sightings m = {0};
	struct cbor_reader r;
	unsigned int key;

	struct pp_pairs p = pp_open_message(&r, data, len, &m.caps);

	while (pp_next_pair(&p, &key, BATCH_KEYS)) {
		switch (key) {
		case BATCH_JOURNAL:
			cbor_get_bytes_exact(&r, m.journal_id, sizeof(m.journal_id));
			break;
		case BATCH_FIRST:
			m.first_seq = cbor_get_uint(&r, INT64_MAX);
			break;
		case BATCH_SOURCES:
			get_sources(&r, &m);
			break;
		case BATCH_ENTRIES:
			get_sightings(&r, &m);
			break;
		}
	}
	pp_require(&p, KEY_BIT(BATCH_KEYS) - 1 - KEY_BIT(KEY_CAPS));
	pp_check_batch(&r, m.first_seq, m.n);
	for (size_t i = 0; i < m.n && cbor_reader_ok(&r); i++)
		if (m.sightings[i].source >= m.n_sources)
			cbor_reader_fail(&r, -ERR_RANGE);
	int err = pp_finish(&r, ret_at);

	if (err < 0)
		proto_sightings_done(&m);
	else
		*ret = m;
	return err;
}

void proto_sightings_done(struct proto_sightings *m)
{
	free(m->sources);
	free(m->sightings);
	*m = (struct proto_sightings){0};
}
