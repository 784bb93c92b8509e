/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto_impl.h"
#include <string.h>

enum {
	READS_JOURNAL = 2,
	READS_FIRST,
	READS_ENTRIES,
	READS_KEYS
};

#define ENTRY_FIELDS 6
#define READ_FIELDS  7

/* --- one entry ---------------------------------------------------------------------------------
 */

int proto_reads_entry_encode(const struct proto_reads_entry *e, struct buf *out)
{
	int64_t before_us = 0;

	cbor_put_array(out, ENTRY_FIELDS);
	cbor_put_uint(out, e->kind);
	cbor_put_uint(out, e->subject);
	pp_put_epc(out, &e->epc);
	cbor_put_uint(out, e->dropped);
	cbor_put_array(out, e->n_sources);
	for (size_t i = 0; i < e->n_sources; i++) {
		cbor_put_array(out, 2);
		cbor_put_text(out, e->sources[i].reader);
		cbor_put_uint(out, e->sources[i].antenna);
	}
	cbor_put_array(out, e->n);
	for (size_t i = 0; i < e->n; i++) {
		const struct proto_read *r = &e->reads[i];

		cbor_put_array(out, READ_FIELDS);
		cbor_put_uint(out, r->source);
		cbor_put_int(out, r->at_us - before_us);
		cbor_put_int(out, r->rssi_cdbm);
		cbor_put_uint(out, r->channel);
		cbor_put_uint(out, r->phase);
		cbor_put_int(out, r->doppler);
		cbor_put_uint(out, r->count);
		before_us = r->at_us;
	}
	return out->err;
}

static void get_sources(struct cbor_reader *r, struct proto_reads_entry *e)
{
	e->n_sources = cbor_get_array(r, PROTO_MAX_ENTRY_SOURCES);
	e->sources = pp_new_array(r, e->n_sources, sizeof(*e->sources));
	for (size_t i = 0; i < e->n_sources && cbor_reader_ok(r); i++) {
		pp_expect_array(r, 2);
		cbor_get_text(r, e->sources[i].reader, sizeof(e->sources[i].reader));
		e->sources[i].antenna = (uint16_t) cbor_get_uint(r, UINT16_MAX);
	}
}

static void get_read(struct cbor_reader *r, const struct proto_reads_entry *e, bool first,
		     int64_t before_us, struct proto_read *ret)
{
	int64_t step;

	pp_expect_array(r, READ_FIELDS);
	ret->source = (uint8_t) cbor_get_uint(r, PROTO_MAX_ENTRY_SOURCES - 1);
	step = cbor_get_i64(r);
	ret->rssi_cdbm = pp_get_i16(r);
	ret->channel = (uint16_t) cbor_get_uint(r, UINT16_MAX);
	ret->phase = (uint16_t) cbor_get_uint(r, UINT16_MAX);
	ret->doppler = pp_get_i16(r);
	ret->count = (uint16_t) cbor_get_uint(r, UINT16_MAX);
	if (!cbor_reader_ok(r))
		return;
	if (ret->source >= e->n_sources || (!first && step < 0) ||
	    __builtin_add_overflow(before_us, step, &ret->at_us))
		cbor_reader_fail(r, -ERR_RANGE);
}

static void get_entry(struct cbor_reader *r, struct proto_reads_entry *e)
{
	pp_expect_array(r, ENTRY_FIELDS);
	e->kind = (uint8_t) cbor_get_uint(r, READS_KIND_COUNT - 1);
	e->subject = (uint32_t) cbor_get_uint(r, UINT32_MAX);
	pp_get_epc(r, &e->epc);
	e->dropped = cbor_get_uint(r, INT64_MAX);
	get_sources(r, e);
	e->n = cbor_get_array(r, PROTO_MAX_ENTRY_READS);
	e->reads = pp_new_array(r, e->n, sizeof(*e->reads));
	for (size_t i = 0; i < e->n && cbor_reader_ok(r); i++)
		get_read(r, e, i == 0, i ? e->reads[i - 1].at_us : 0, &e->reads[i]);
	if (cbor_reader_ok(r) && (e->kind == 0 || e->n == 0))
		cbor_reader_fail(r, -ERR_RANGE);
}

void proto_reads_entry_done(struct proto_reads_entry *e)
{
	free(e->sources);
	free(e->reads);
	*e = (struct proto_reads_entry){0};
}

int proto_reads_entry_decode(const void *data, size_t len, struct proto_reads_entry *ret)
{
	struct proto_reads_entry e = {0};
	struct cbor_reader r;
	int err;

	cbor_reader_init(&r, data, len);
	get_entry(&r, &e);
	err = cbor_reader_finish(&r);
	if (err < 0)
		proto_reads_entry_done(&e);
	else
		*ret = e;
	return err;
}

/* --- the message -------------------------------------------------------------------------------
 */

int proto_reads_encode(const struct proto_reads *m, struct buf *out)
{
	pp_begin(out, 3, m->caps);
	pp_put_b(out, READS_JOURNAL, m->journal_id, sizeof(m->journal_id));
	pp_put_u(out, READS_FIRST, m->first_seq);
	pp_put_array(out, READS_ENTRIES, m->n);
	for (size_t i = 0; i < m->n; i++) {
		int r = proto_reads_entry_encode(&m->entries[i], out);

		if (r < 0)
			return r;
	}
	return out->err;
}

static void get_entries(struct cbor_reader *r, struct proto_reads *m)
{
	size_t reads = 0;

	m->n = cbor_get_array(r, PROTO_MAX_READ_ENTRIES);
	m->entries = pp_new_array(r, m->n, sizeof(*m->entries));
	for (size_t i = 0; i < m->n && cbor_reader_ok(r); i++) {
		get_entry(r, &m->entries[i]);
		reads += m->entries[i].n;
		if (reads > PROTO_MAX_READS)
			cbor_reader_fail(r, -ERR_TOO_LARGE);
	}
}

int proto_reads_decode(const void *data, size_t len, struct proto_reads *ret, size_t *ret_at)
{
	struct proto_reads m = {0};
	struct cbor_reader r;
	unsigned int key;

	struct pp_pairs p = pp_open_message(&r, data, len, &m.caps);

	while (pp_next_pair(&p, &key, READS_KEYS)) {
		switch (key) {
		case READS_JOURNAL:
			cbor_get_bytes_exact(&r, m.journal_id, sizeof(m.journal_id));
			break;
		case READS_FIRST:
			m.first_seq = cbor_get_uint(&r, INT64_MAX);
			break;
		case READS_ENTRIES:
			get_entries(&r, &m);
			break;
		}
	}
	pp_require(&p, KEY_BIT(READS_KEYS) - 1 - KEY_BIT(KEY_CAPS));
	pp_check_batch(&r, m.first_seq, m.n);
	int err = pp_finish(&r, ret_at);

	if (err < 0)
		proto_reads_done(&m);
	else
		*ret = m;
	return err;
}

void proto_reads_done(struct proto_reads *m)
{
	for (size_t i = 0; i < m->n && m->entries; i++)
		proto_reads_entry_done(&m->entries[i]);
	free(m->entries);
	*m = (struct proto_reads){0};
}
