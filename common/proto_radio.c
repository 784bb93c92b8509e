/* SPDX-License-Identifier: Apache-2.0 */
/* The label radio in a health report. */
#include "common/proto_impl.h"
#include <string.h>

enum {
	RD_DRIVER,
	RD_CONTROLLER,
	RD_TRAIN,
	RD_CAPACITY,
	RD_LABELS,
	RD_SYNCED,
	RD_WAITING,
	RD_LOST,
	RD_ARMED,
	RD_ARMED_AT,
	RD_CHANNELS_KNOWN,
	RD_CHANNELS,
	RD_WANTED,
	RD_REFUSED,
	RD_PACKETS,
	RD_COMMANDS,
	RD_ACKS,
	RD_RETRIES,
	RD_UPLOADS,
	RD_UPLOAD_FAILURES,
	RD_DECRYPT_FAILURES,
	RD_GROUPS,
	RD_SIGNAL,
	RD_ROTATING,
	RD_KEYS_OLD,
	RD_KEYS_SINCE,
	RD_PICTURE_MS,
	RD_FLIP_S,
	RD_STATIONS,
	RD_UNESCROWED,
	RD_UNESCROWED_BONDS,
	RD_FIELDS
};

#define TRAIN_FIELDS 6

static uint64_t *counter(struct proto_health_radio *m, unsigned int key)
{
	switch (key) {
	case RD_PACKETS:
		return &m->packets;
	case RD_COMMANDS:
		return &m->commands;
	case RD_ACKS:
		return &m->acks;
	case RD_RETRIES:
		return &m->retries;
	case RD_UPLOADS:
		return &m->uploads;
	case RD_UPLOAD_FAILURES:
		return &m->upload_failures;
	case RD_DECRYPT_FAILURES:
		return &m->decrypt_failures;
	default:
		return NULL;
	}
}

static uint32_t *amount(struct proto_health_radio *m, unsigned int key)
{
	switch (key) {
	case RD_CAPACITY:
		return &m->capacity;
	case RD_LABELS:
		return &m->labels;
	case RD_SYNCED:
		return &m->synced;
	case RD_WAITING:
		return &m->waiting;
	case RD_LOST:
		return &m->lost;
	case RD_ARMED:
		return &m->armed;
	case RD_KEYS_OLD:
		return &m->keys_old;
	case RD_PICTURE_MS:
		return &m->picture_ms;
	case RD_FLIP_S:
		return &m->flip_s;
	case RD_UNESCROWED:
		return &m->unescrowed;
	default:
		return NULL;
	}
}

static void put_train(struct buf *out, const struct proto_health_radio *m)
{
	cbor_put_array(out, TRAIN_FIELDS);
	cbor_put_uint(out, m->interval);
	cbor_put_uint(out, m->subevents);
	cbor_put_uint(out, m->subevent_interval);
	cbor_put_uint(out, m->response_delay);
	cbor_put_uint(out, m->response_spacing);
	cbor_put_uint(out, m->response_slots);
}

static void get_train(struct cbor_reader *r, struct proto_health_radio *m)
{
	pp_expect_array(r, TRAIN_FIELDS);
	m->interval = (uint16_t) cbor_get_uint(r, UINT16_MAX);
	m->subevents = (uint8_t) cbor_get_uint(r, UINT8_MAX);
	m->subevent_interval = (uint8_t) cbor_get_uint(r, UINT8_MAX);
	m->response_delay = (uint8_t) cbor_get_uint(r, UINT8_MAX);
	m->response_spacing = (uint8_t) cbor_get_uint(r, UINT8_MAX);
	m->response_slots = (uint8_t) cbor_get_uint(r, UINT8_MAX);
}

/** The numbers of a station, in their order on the wire. */
static int64_t *station_number(struct proto_station *s, size_t i)
{
	int64_t *const all[] = {&s->channel,    &s->tags,          &s->serves,   &s->queued,
				&s->heap_bytes, &s->storage_bytes, &s->wifi_dbm, &s->low_batteries,
				&s->timeouts,   &s->uptime_s};

	return i < sizeof(all) / sizeof(all[0]) ? all[i] : NULL;
}

#define STATION_NUMBERS 10

/* [address, name, state, version, up, numbers...] */
static void put_station(struct buf *out, const struct proto_station *station)
{
	struct proto_station copy = *station;

	cbor_put_array(out, 5 + STATION_NUMBERS);
	cbor_put_text(out, copy.address);
	cbor_put_text(out, copy.name);
	cbor_put_text(out, copy.state);
	cbor_put_text(out, copy.version);
	cbor_put_bool(out, copy.up);
	for (size_t i = 0; i < STATION_NUMBERS; i++)
		cbor_put_int(out, *station_number(&copy, i));
}

static void get_station(struct cbor_reader *r, struct proto_station *s)
{
	pp_expect_array(r, 5 + STATION_NUMBERS);
	cbor_get_text(r, s->address, sizeof(s->address));
	cbor_get_text(r, s->name, sizeof(s->name));
	cbor_get_text(r, s->state, sizeof(s->state));
	cbor_get_text(r, s->version, sizeof(s->version));
	s->up = cbor_get_boolean(r);
	for (size_t i = 0; i < STATION_NUMBERS; i++)
		*station_number(s, i) = cbor_get_i64(r);
}

void pp_put_radio(struct buf *out, const struct proto_health_radio *radio)
{
	struct proto_health_radio copy = *radio, *m = &copy;

	cbor_put_map(out, RD_FIELDS);
	pp_put_t(out, RD_DRIVER, m->driver);
	pp_put_t(out, RD_CONTROLLER, m->controller);
	cbor_put_uint(out, RD_TRAIN);
	put_train(out, m);
	for (unsigned int key = RD_CAPACITY; key <= RD_ARMED; key++)
		pp_put_u(out, key, *amount(m, key));
	pp_put_i(out, RD_ARMED_AT, m->armed_us);
	pp_put_flag(out, RD_CHANNELS_KNOWN, m->channels_known);
	pp_put_u(out, RD_CHANNELS, m->channels);
	pp_put_u(out, RD_WANTED, m->wanted);
	pp_put_u(out, RD_REFUSED, m->refused);
	for (unsigned int key = RD_PACKETS; key <= RD_DECRYPT_FAILURES; key++)
		pp_put_u(out, key, *counter(m, key));
	pp_put_array(out, RD_GROUPS, m->n_groups);
	for (size_t i = 0; i < m->n_groups; i++)
		cbor_put_uint(out, m->groups[i]);
	pp_put_array(out, RD_SIGNAL, m->n_signal);
	for (size_t i = 0; i < m->n_signal; i++)
		cbor_put_uint(out, m->signal[i]);
	pp_put_flag(out, RD_ROTATING, m->keys_rotating);
	pp_put_u(out, RD_KEYS_OLD, m->keys_old);
	pp_put_i(out, RD_KEYS_SINCE, m->keys_since_us);
	pp_put_u(out, RD_PICTURE_MS, m->picture_ms);
	pp_put_u(out, RD_FLIP_S, m->flip_s);
	pp_put_array(out, RD_STATIONS, m->n_stations);
	for (size_t i = 0; i < m->n_stations; i++)
		put_station(out, &m->stations[i]);
	pp_put_u(out, RD_UNESCROWED, m->unescrowed);
	pp_put_i(out, RD_UNESCROWED_BONDS, m->unescrowed_bonds);
}

static void get_lists(struct cbor_reader *r, unsigned int key, struct proto_health_radio *m)
{
	if (key == RD_GROUPS) {
		m->n_groups = cbor_get_array(r, PROTO_MAX_GROUPS);
		for (size_t i = 0; i < m->n_groups && cbor_reader_ok(r); i++)
			m->groups[i] = (uint8_t) cbor_get_uint(r, UINT8_MAX);
	} else if (key == RD_STATIONS) {
		m->n_stations = cbor_get_array(r, PROTO_MAX_STATIONS);
		for (size_t i = 0; i < m->n_stations && cbor_reader_ok(r); i++)
			get_station(r, &m->stations[i]);
	} else {
		m->n_signal = cbor_get_array(r, PROTO_MAX_SIGNAL);
		for (size_t i = 0; i < m->n_signal && cbor_reader_ok(r); i++)
			m->signal[i] = (uint32_t) cbor_get_uint(r, UINT32_MAX);
	}
}

void pp_get_radio(struct cbor_reader *r, struct proto_health_radio *m)
{
	struct pp_pairs p = pp_open_pairs(r);
	unsigned int key;

	m->unescrowed_bonds = -1;
	while (pp_next_pair(&p, &key, RD_FIELDS)) {
		if (counter(m, key)) {
			*counter(m, key) = cbor_get_uint(r, INT64_MAX);
			continue;
		}
		if (amount(m, key)) {
			*amount(m, key) = (uint32_t) cbor_get_uint(r, UINT32_MAX);
			continue;
		}
		switch (key) {
		case RD_DRIVER:
			cbor_get_text(r, m->driver, sizeof(m->driver));
			break;
		case RD_CONTROLLER:
			cbor_get_text(r, m->controller, sizeof(m->controller));
			break;
		case RD_TRAIN:
			get_train(r, m);
			break;
		case RD_ARMED_AT:
			m->armed_us = cbor_get_i64(r);
			break;
		case RD_ROTATING:
			m->keys_rotating = cbor_get_boolean(r);
			break;
		case RD_KEYS_SINCE:
			m->keys_since_us = cbor_get_i64(r);
			break;
		case RD_CHANNELS_KNOWN:
			m->channels_known = cbor_get_boolean(r);
			break;
		case RD_CHANNELS:
			m->channels = cbor_get_uint(r, PROTO_CHANNELS_ALL);
			break;
		case RD_WANTED:
			m->wanted = cbor_get_uint(r, PROTO_CHANNELS_ALL);
			break;
		case RD_UNESCROWED_BONDS:
			m->unescrowed_bonds = cbor_get_i64(r);
			break;
		case RD_REFUSED:
			m->refused = (uint8_t) cbor_get_uint(r, UINT8_MAX);
			break;
		default:
			get_lists(r, key, m);
			break;
		}
	}
}
