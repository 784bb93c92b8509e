/* SPDX-License-Identifier: Apache-2.0 */
/* How a live place model is kept: CBOR, its tables as little-endian floats. */
#include "common/cbor.h"
#include "common/err.h"
#include "controller/inventory/place_live.h"
#include "controller/inventory/place_live_internal.h"
#include <endian.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS  5
#define SCALARS 5

static void put_floats(struct buf *out, const float *v, size_t n)
{
	_cleanup_free_ uint32_t *wire = calloc(n, sizeof(*wire));

	if (!wire) {
		out->err = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		memcpy(&wire[i], &v[i], sizeof(wire[i]));
		wire[i] = htole32(wire[i]);
	}
	cbor_put_bytes(out, wire, n * sizeof(*wire));
}

int place_live_write(const struct place_live *m, struct buf *out)
{
	const float scalars[SCALARS] = {m->usual_rate, m->leave_per_s, m->trust_per_s, m->margin,
					m->temper};

	cbor_put_array(out, FIELDS);
	cbor_put_uint(out, PLACE_LIVE_VERSION);
	cbor_put_array(out, m->n_places);
	for (unsigned int p = 0; p < m->n_places; p++)
		cbor_put_uint(out, m->places[p]);
	cbor_put_array(out, m->n_antennas);
	for (unsigned int a = 0; a < m->n_antennas; a++) {
		cbor_put_array(out, 3);
		cbor_put_uint(out, m->antennas[a].agent);
		cbor_put_text(out, m->antennas[a].reader);
		cbor_put_uint(out, m->antennas[a].number);
	}
	put_floats(out, scalars, SCALARS);
	cbor_put_array(out, (size_t) 3 * PLACE_LIVE_EXPERTS);
	for (unsigned int e = 0; e < PLACE_LIVE_EXPERTS; e++) {
		const struct place_gauss *g = &m->experts[e];

		put_floats(out, g->mean, (size_t) m->n_places * g->dims);
		put_floats(out, g->whiten, (size_t) m->n_places * g->dims * g->dims);
		put_floats(out, g->log_det, m->n_places);
	}
	return out->err;
}

static void get_floats(struct cbor_reader *r, float *ret, size_t n, float bound)
{
	size_t len = 0;
	const uint8_t *wire = cbor_get_bytes(r, n * sizeof(uint32_t), &len);

	if (!cbor_reader_ok(r))
		return;
	if (len != n * sizeof(uint32_t)) {
		cbor_reader_fail(r, -ERR_BADMSG);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		uint32_t v;

		memcpy(&v, wire + i * sizeof(v), sizeof(v));
		v = le32toh(v);
		memcpy(&ret[i], &v, sizeof(v));
		if (!isfinite(ret[i]) || fabsf(ret[i]) > bound)
			cbor_reader_fail(r, -ERR_RANGE);
	}
}

static void get_names(struct cbor_reader *r, struct place_live *m)
{
	m->n_places = (unsigned int) cbor_get_array(r, PLACE_LIVE_MAX_PLACES);
	for (unsigned int p = 0; p < m->n_places; p++)
		m->places[p] = (uint32_t) cbor_get_uint(r, UINT32_MAX);
	m->n_antennas = (unsigned int) cbor_get_array(r, PLACE_LIVE_MAX_ANTENNAS);
	for (unsigned int a = 0; a < m->n_antennas && cbor_reader_ok(r); a++) {
		if (cbor_get_array(r, 3) != 3)
			cbor_reader_fail(r, -ERR_BADMSG);
		m->antennas[a].agent = cbor_get_uint(r, UINT64_MAX);
		cbor_get_text(r, m->antennas[a].reader, sizeof(m->antennas[a].reader));
		m->antennas[a].number = (uint16_t) cbor_get_uint(r, UINT16_MAX);
	}
	if (cbor_reader_ok(r) && (m->n_places < 2 || m->n_antennas < 1))
		cbor_reader_fail(r, -ERR_RANGE);
}

static void get_scalars(struct cbor_reader *r, struct place_live *m)
{
	float v[SCALARS] = {0};

	get_floats(r, v, SCALARS, 1000.0f);
	for (unsigned int i = 0; i < SCALARS; i++)
		if (v[i] < 0)
			cbor_reader_fail(r, -ERR_RANGE);
	m->usual_rate = v[0];
	m->leave_per_s = v[1];
	m->trust_per_s = v[2];
	m->margin = v[3];
	m->temper = v[4];
}

static void get_tables(struct cbor_reader *r, struct place_live *m)
{
	if (cbor_get_array(r, (size_t) 3 * PLACE_LIVE_EXPERTS) != (size_t) 3 * PLACE_LIVE_EXPERTS)
		cbor_reader_fail(r, -ERR_BADMSG);
	for (unsigned int e = 0; e < PLACE_LIVE_EXPERTS && cbor_reader_ok(r); e++) {
		struct place_gauss *g = &m->experts[e];

		if (place_gauss_alloc(g, m->n_places, place_live_dims(e, m->n_antennas)) < 0) {
			cbor_reader_fail(r, -ENOMEM);
			return;
		}
		get_floats(r, g->mean, (size_t) m->n_places * g->dims, 1e4f);
		get_floats(r, g->whiten, (size_t) m->n_places * g->dims * g->dims, 1e4f);
		get_floats(r, g->log_det, m->n_places, 1e5f);
	}
}

int place_live_read(const void *data, size_t len, struct place_live **ret)
{
	_cleanup_(place_live_freep) struct place_live *m = calloc(1, sizeof(*m));
	struct cbor_reader r;
	int err;

	if (!m)
		return -ENOMEM;
	cbor_reader_init(&r, data, len);
	if (cbor_get_array(&r, FIELDS) != FIELDS)
		cbor_reader_fail(&r, -ERR_BADMSG);
	if (cbor_get_uint(&r, UINT32_MAX) != PLACE_LIVE_VERSION)
		cbor_reader_fail(&r, -ERR_VERSION);
	if (cbor_reader_ok(&r))
		get_names(&r, m);
	if (cbor_reader_ok(&r))
		get_scalars(&r, m);
	if (cbor_reader_ok(&r))
		get_tables(&r, m);
	err = cbor_reader_finish(&r);
	if (err < 0)
		return err;
	*ret = TAKE_PTR(m);
	return 0;
}
