/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/sighting.h"
#include "common/cbor.h"
#include "common/err.h"
#include <string.h>

#define FORM_VERSION 1
#define FORM_FIELDS  12

int sighting_encode(const struct sighting_row *row, struct buf *out)
{
	const struct proto_sighting *s = &row->s;

	cbor_put_array(out, FORM_FIELDS);
	cbor_put_uint(out, FORM_VERSION);
	cbor_put_text(out, row->reader);
	cbor_put_uint(out, row->antenna);
	cbor_put_uint(out, s->kind);
	cbor_put_uint(out, s->epc.bits);
	cbor_put_bytes(out, s->epc.data, epc_bytes(&s->epc));
	cbor_put_int(out, s->first_us);
	cbor_put_int(out, s->last_us);
	cbor_put_uint(out, s->count);
	cbor_put_int(out, s->rssi_cdbm);
	cbor_put_int(out, s->peak_cdbm);
	cbor_put_uint(out, s->rate_mhz);
	return out->err;
}

static int16_t get_i16(struct cbor_reader *r)
{
	int64_t v = cbor_get_i64(r);

	if (v < INT16_MIN || v > INT16_MAX) {
		cbor_reader_fail(r, -ERR_RANGE);
		return 0;
	}
	return (int16_t) v;
}

int sighting_decode(const void *data, size_t len, struct sighting_row *ret)
{
	struct sighting_row row = {0};
	struct cbor_reader r;

	cbor_reader_init(&r, data, len);
	if (cbor_get_array(&r, FORM_FIELDS) != FORM_FIELDS)
		cbor_reader_fail(&r, -ERR_BADMSG);
	if (cbor_get_uint(&r, UINT8_MAX) != FORM_VERSION)
		cbor_reader_fail(&r, -ERR_VERSION);
	cbor_get_text(&r, row.reader, sizeof(row.reader));
	row.antenna = (uint16_t) cbor_get_uint(&r, UINT16_MAX);
	row.s.kind = (uint8_t) cbor_get_uint(&r, SIGHTING_KIND_COUNT - 1);

	size_t bits = cbor_get_uint(&r, EPC_MAX_BITS);
	size_t bytes = 0;
	const uint8_t *epc = cbor_get_bytes(&r, EPC_MAX_BYTES, &bytes);

	if (cbor_reader_ok(&r) &&
	    (bytes != (bits + 7) / 8 || row.s.kind == 0 || epc_set(&row.s.epc, epc, bits) < 0))
		cbor_reader_fail(&r, -ERR_BADMSG);
	row.s.first_us = cbor_get_i64(&r);
	row.s.last_us = cbor_get_i64(&r);
	row.s.count = (uint32_t) cbor_get_uint(&r, UINT32_MAX);
	row.s.rssi_cdbm = get_i16(&r);
	row.s.peak_cdbm = get_i16(&r);
	row.s.rate_mhz = (uint16_t) cbor_get_uint(&r, UINT16_MAX);

	int err = cbor_reader_finish(&r);

	if (err < 0)
		return err;
	*ret = row;
	return 0;
}
