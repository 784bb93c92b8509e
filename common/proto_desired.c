/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto_impl.h"
#include "common/proto_operations.h"
#include <errno.h>
#include <string.h>

enum {
	DESIRED_EPOCH = 2,
	DESIRED_REV,
	DESIRED_FULL,
	DESIRED_READERS, /* absent = unchanged */
	DESIRED_LABELS,
	DESIRED_TIME,
	DESIRED_FLASHES,    /* [index into the labels, until, colour]; absent = nobody blinks */
	DESIRED_WATCH,      /* absent = unchanged */
	DESIRED_OPERATIONS, /* absent = unchanged */
	DESIRED_ROTATE,     /* absent = unchanged */
	DESIRED_SENSORS,    /* [index into the labels, until, sensors]; absent = nobody asks */
	DESIRED_PERIOD,     /* absent = unchanged */
	DESIRED_KEYS
};

enum {
	READER_NAME,
	READER_HOST,
	READER_PORT,
	READER_ANTENNAS,
	READER_SESSION,
	READER_POWER,
	READER_PROFILE,
	READER_LLRP,
	READER_CALLS,
	READER_TLS,
	READER_PIN,
	READER_FIELDS
};

static void put_reader(struct buf *out, const struct proto_desired_reader *m)
{
	cbor_put_map(out, READER_FIELDS);
	pp_put_t(out, READER_NAME, m->name);
	pp_put_t(out, READER_HOST, m->host);
	pp_put_u(out, READER_PORT, m->port);
	pp_put_array(out, READER_ANTENNAS, m->n_antennas);
	for (size_t i = 0; i < m->n_antennas; i++)
		cbor_put_uint(out, m->antennas[i]);
	pp_put_u(out, READER_SESSION, m->session);
	pp_put_i(out, READER_POWER, m->power_cdbm);
	pp_put_t(out, READER_PROFILE, m->profile);
	pp_put_u(out, READER_LLRP, m->llrp_version);
	pp_put_flag(out, READER_CALLS, m->reader_calls);
	pp_put_flag(out, READER_TLS, m->tls);
	pp_put_t(out, READER_PIN, m->tls_pin);
}

static void get_reader(struct cbor_reader *r, struct proto_desired_reader *m)
{
	struct pp_pairs p = pp_open_pairs(r);
	unsigned int key;

	while (pp_next_pair(&p, &key, READER_FIELDS)) {
		switch (key) {
		case READER_NAME:
			cbor_get_text(r, m->name, sizeof(m->name));
			break;
		case READER_HOST:
			cbor_get_text(r, m->host, sizeof(m->host));
			break;
		case READER_PORT:
			m->port = (uint16_t) cbor_get_uint(r, UINT16_MAX);
			break;
		case READER_ANTENNAS:
			m->n_antennas = cbor_get_array(r, PROTO_MAX_ANTENNAS);
			for (size_t i = 0; i < m->n_antennas; i++)
				m->antennas[i] = (uint16_t) cbor_get_uint(r, UINT16_MAX);
			break;
		case READER_SESSION:
			m->session = (uint8_t) cbor_get_uint(r, 3);
			break;
		case READER_POWER:
			m->power_cdbm = pp_get_i16(r);
			break;
		case READER_PROFILE:
			cbor_get_text(r, m->profile, sizeof(m->profile));
			break;
		case READER_LLRP:
			m->llrp_version = (uint8_t) cbor_get_uint(r, UINT8_MAX);
			break;
		case READER_CALLS:
			m->reader_calls = cbor_get_boolean(r);
			break;
		case READER_TLS:
			m->tls = cbor_get_boolean(r);
			break;
		case READER_PIN:
			cbor_get_text(r, m->tls_pin, sizeof(m->tls_pin));
			break;
		}
	}
	pp_require(&p, KEY_BIT(READER_NAME) | KEY_BIT(READER_HOST));
}

/* A label is an array, since thousands of them come in one answer: [addr, rev, forget, timeline].
 */
static void put_label(struct buf *out, const struct proto_desired_label *m)
{
	cbor_put_array(out, 4);
	cbor_put_bytes(out, m->addr, sizeof(m->addr));
	cbor_put_uint(out, m->rev);
	cbor_put_bool(out, m->forget);
	cbor_put_array(out, m->n);
	for (size_t i = 0; i < m->n; i++) {
		cbor_put_array(out, 2);
		cbor_put_bytes(out, m->timeline[i].image, sizeof(m->timeline[i].image));
		cbor_put_int(out, m->timeline[i].from_us);
	}
}

static void get_label(struct cbor_reader *r, struct proto_desired_label *m)
{
	pp_expect_array(r, 4);
	cbor_get_bytes_exact(r, m->addr, sizeof(m->addr));
	m->rev = cbor_get_uint(r, INT64_MAX);
	m->forget = cbor_get_boolean(r);
	m->n = cbor_get_array(r, PROTO_MAX_TIMELINE);
	for (size_t i = 0; i < m->n && cbor_reader_ok(r); i++) {
		pp_expect_array(r, 2);
		cbor_get_bytes_exact(r, m->timeline[i].image, sizeof(m->timeline[i].image));
		m->timeline[i].from_us = cbor_get_i64(r);
		if (i && m->timeline[i].from_us < m->timeline[i - 1].from_us)
			cbor_reader_fail(r, -ERR_RANGE);
	}
}

/* A key of its own and not part of the label's array, so that older agents still read that. */
static void put_flashes(struct buf *out, const struct proto_desired *m, size_t n)
{
	pp_put_array(out, DESIRED_FLASHES, n);
	for (size_t i = 0; i < m->n_labels; i++) {
		if (!m->labels[i].flash_until_us)
			continue;
		cbor_put_array(out, 3);
		cbor_put_uint(out, i);
		cbor_put_int(out, m->labels[i].flash_until_us);
		cbor_put_uint(out, m->labels[i].flash_colour);
	}
}

/* The label that [index, ...] is about: they come after the labels. NULL when there is none. */
static struct proto_desired_label *get_aside(struct cbor_reader *r, struct proto_desired *m)
{
	uint64_t index;

	pp_expect_array(r, 3);
	index = cbor_get_uint(r, PROTO_MAX_LABELS);
	if (cbor_reader_ok(r) && index >= m->n_labels)
		cbor_reader_fail(r, -ERR_RANGE);
	return cbor_reader_ok(r) ? &m->labels[index] : NULL;
}

static void get_flashes(struct cbor_reader *r, struct proto_desired *m)
{
	size_t n = cbor_get_array(r, PROTO_MAX_LABELS);
	struct proto_desired_label *l;

	for (size_t i = 0; i < n && (l = get_aside(r, m)); i++) {
		l->flash_until_us = cbor_get_i64(r);
		l->flash_colour = (uint8_t) cbor_get_uint(r, LED_COLOUR_MAX);
	}
}

static void put_sensors(struct buf *out, const struct proto_desired *m, size_t n)
{
	pp_put_array(out, DESIRED_SENSORS, n);
	for (size_t i = 0; i < m->n_labels; i++) {
		if (!m->labels[i].sensors_until_us)
			continue;
		cbor_put_array(out, 3);
		cbor_put_uint(out, i);
		cbor_put_int(out, m->labels[i].sensors_until_us);
		cbor_put_uint(out, m->labels[i].sensors);
	}
}

static void get_sensors(struct cbor_reader *r, struct proto_desired *m)
{
	size_t n = cbor_get_array(r, PROTO_MAX_LABELS);
	struct proto_desired_label *l;

	for (size_t i = 0; i < n && (l = get_aside(r, m)); i++) {
		l->sensors_until_us = cbor_get_i64(r);
		l->sensors = (uint8_t) cbor_get_uint(r, UINT8_MAX);
	}
}

/* --- whose raw reads are asked for --------------------------------------------------------------
 */

enum {
	WATCH_FINE,
	WATCH_FOLLOW,
	WATCH_DOORS,
	WATCH_FIELDS
};

static void put_watch(struct buf *out, const struct proto_watch *w)
{
	cbor_put_uint(out, DESIRED_WATCH);
	cbor_put_map(out, WATCH_FIELDS);
	pp_put_flag(out, WATCH_FINE, w->fine);
	pp_put_array(out, WATCH_FOLLOW, w->n_follow);
	for (size_t i = 0; i < w->n_follow; i++) {
		cbor_put_array(out, 3);
		cbor_put_uint(out, w->follow[i].walk);
		pp_put_epc(out, &w->follow[i].epc);
		cbor_put_int(out, w->follow[i].until_us);
	}
	pp_put_array(out, WATCH_DOORS, w->n_doors);
	for (size_t i = 0; i < w->n_doors; i++) {
		const struct proto_door *d = &w->doors[i];

		cbor_put_array(out, 2);
		cbor_put_uint(out, d->door);
		cbor_put_array(out, d->n);
		for (size_t a = 0; a < d->n; a++) {
			cbor_put_array(out, 3);
			cbor_put_text(out, d->antennas[a].reader);
			cbor_put_uint(out, d->antennas[a].antenna);
			cbor_put_uint(out, d->antennas[a].side);
		}
	}
}

static void get_follow(struct cbor_reader *r, struct proto_watch *w)
{
	w->n_follow = cbor_get_array(r, PROTO_MAX_FOLLOW);
	for (size_t i = 0; i < w->n_follow && cbor_reader_ok(r); i++) {
		pp_expect_array(r, 3);
		w->follow[i].walk = (uint32_t) cbor_get_uint(r, UINT32_MAX);
		pp_get_epc(r, &w->follow[i].epc);
		w->follow[i].until_us = cbor_get_i64(r);
	}
}

static void get_door(struct cbor_reader *r, struct proto_door *d)
{
	pp_expect_array(r, 2);
	d->door = (uint32_t) cbor_get_uint(r, UINT32_MAX);
	d->n = cbor_get_array(r, PROTO_MAX_DOOR_ANTENNAS);
	for (size_t a = 0; a < d->n && cbor_reader_ok(r); a++) {
		pp_expect_array(r, 3);
		cbor_get_text(r, d->antennas[a].reader, sizeof(d->antennas[a].reader));
		d->antennas[a].antenna = (uint16_t) cbor_get_uint(r, UINT16_MAX);
		d->antennas[a].side = (uint8_t) cbor_get_uint(r, DOOR_SIDE_COUNT - 1);
		if (cbor_reader_ok(r) && d->antennas[a].side == 0)
			cbor_reader_fail(r, -ERR_RANGE);
	}
}

static void get_watch(struct cbor_reader *r, struct proto_desired *m)
{
	struct pp_pairs p = pp_open_pairs(r);
	struct proto_watch *w = pp_new_array(r, 1, sizeof(*w));
	unsigned int key;

	m->watch = w;
	while (w && pp_next_pair(&p, &key, WATCH_FIELDS)) {
		switch (key) {
		case WATCH_FINE:
			w->fine = cbor_get_boolean(r);
			break;
		case WATCH_FOLLOW:
			get_follow(r, w);
			break;
		case WATCH_DOORS:
			w->n_doors = cbor_get_array(r, PROTO_MAX_DOORS);
			for (size_t i = 0; i < w->n_doors && cbor_reader_ok(r); i++)
				get_door(r, &w->doors[i]);
			break;
		}
	}
}

int proto_desired_encode(const struct proto_desired *m, struct buf *out)
{
	size_t flashes = 0, sensors = 0;

	for (size_t i = 0; i < m->n_labels; i++) {
		flashes += m->labels[i].flash_until_us != 0;
		sensors += m->labels[i].sensors_until_us != 0;
	}
	pp_begin(out,
		 5 + (size_t) m->has_readers + (flashes > 0) + (m->watch != NULL) +
			 (size_t) m->has_operations + (m->rotate_keys_us != 0) + (sensors > 0) +
			 (m->sensor_period_s != 0),
		 m->caps);
	pp_put_u(out, DESIRED_EPOCH, m->epoch);
	pp_put_u(out, DESIRED_REV, m->rev);
	pp_put_flag(out, DESIRED_FULL, m->full);
	if (m->has_readers) {
		pp_put_array(out, DESIRED_READERS, m->n_readers);
		for (size_t i = 0; i < m->n_readers; i++)
			put_reader(out, &m->readers[i]);
	}
	pp_put_array(out, DESIRED_LABELS, m->n_labels);
	for (size_t i = 0; i < m->n_labels; i++)
		put_label(out, &m->labels[i]);
	pp_put_i(out, DESIRED_TIME, m->server_time_us);
	if (flashes)
		put_flashes(out, m, flashes);
	if (m->watch)
		put_watch(out, m->watch);
	if (m->has_operations) {
		pp_put_array(out, DESIRED_OPERATIONS, m->n_operations);
		for (size_t i = 0; i < m->n_operations; i++)
			pp_put_operation(out, &m->operations[i], true);
	}
	if (m->rotate_keys_us)
		pp_put_i(out, DESIRED_ROTATE, m->rotate_keys_us);
	if (sensors)
		put_sensors(out, m, sensors);
	if (m->sensor_period_s)
		pp_put_i(out, DESIRED_PERIOD, m->sensor_period_s);
	return out->err;
}

static void get_readers(struct cbor_reader *r, struct proto_desired *m)
{
	m->has_readers = true;
	m->n_readers = cbor_get_array(r, PROTO_MAX_READERS);
	m->readers = pp_new_array(r, m->n_readers, sizeof(*m->readers));
	for (size_t i = 0; i < m->n_readers && cbor_reader_ok(r); i++)
		get_reader(r, &m->readers[i]);
}

static void get_operations(struct cbor_reader *r, struct proto_desired *m)
{
	m->has_operations = true;
	m->n_operations = cbor_get_array(r, PROTO_MAX_OPERATIONS);
	m->operations = pp_new_array(r, m->n_operations, sizeof(*m->operations));
	for (size_t i = 0; i < m->n_operations && cbor_reader_ok(r); i++)
		pp_get_operation(r, &m->operations[i]);
}

static void get_labels(struct cbor_reader *r, struct proto_desired *m)
{
	m->n_labels = cbor_get_array(r, PROTO_MAX_LABELS);
	m->labels = pp_new_array(r, m->n_labels, sizeof(*m->labels));
	for (size_t i = 0; i < m->n_labels && cbor_reader_ok(r); i++)
		get_label(r, &m->labels[i]);
}

static void get_desired_field(struct cbor_reader *r, unsigned int key, struct proto_desired *m)
{
	switch (key) {
	case DESIRED_EPOCH:
		m->epoch = cbor_get_uint(r, UINT64_MAX);
		break;
	case DESIRED_REV:
		m->rev = cbor_get_uint(r, INT64_MAX);
		break;
	case DESIRED_FULL:
		m->full = cbor_get_boolean(r);
		break;
	case DESIRED_READERS:
		get_readers(r, m);
		break;
	case DESIRED_LABELS:
		get_labels(r, m);
		break;
	case DESIRED_TIME:
		m->server_time_us = cbor_get_i64(r);
		break;
	case DESIRED_FLASHES:
		get_flashes(r, m);
		break;
	case DESIRED_WATCH:
		get_watch(r, m);
		break;
	case DESIRED_OPERATIONS:
		get_operations(r, m);
		break;
	case DESIRED_ROTATE:
		m->rotate_keys_us = cbor_get_i64(r);
		break;
	case DESIRED_SENSORS:
		get_sensors(r, m);
		break;
	case DESIRED_PERIOD:
		m->sensor_period_s = cbor_get_i64(r);
		break;
	}
}

int proto_desired_decode(const void *data, size_t len, struct proto_desired *ret, size_t *ret_at)
{
	struct proto_desired m = {0};
	struct cbor_reader r;
	unsigned int key;

	struct pp_pairs p = pp_open_message(&r, data, len, &m.caps);

	while (pp_next_pair(&p, &key, DESIRED_KEYS))
		get_desired_field(&r, key, &m);
	pp_require(&p, KEY_BIT(DESIRED_EPOCH) | KEY_BIT(DESIRED_REV) | KEY_BIT(DESIRED_FULL) |
			       KEY_BIT(DESIRED_LABELS));
	int err = pp_finish(&r, ret_at);

	if (err < 0)
		proto_desired_done(&m);
	else
		*ret = m;
	return err;
}

void proto_desired_done(struct proto_desired *m)
{
	free(m->readers);
	free(m->labels);
	free(m->watch);
	free(m->operations);
	*m = (struct proto_desired){0};
}
