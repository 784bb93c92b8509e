/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto_impl.h"
#include <string.h>

enum {
	HEALTH_VERSION = 2,
	HEALTH_UPTIME,
	HEALTH_OFFSET,
	HEALTH_UNCERTAINTY,
	HEALTH_DEPTH,
	HEALTH_DROPPED,
	HEALTH_RSS,
	HEALTH_TAGS,
	HEALTH_LABELS,
	HEALTH_RADIO_STATE,
	HEALTH_RADIO_ERROR,
	HEALTH_LAST_ERROR,
	HEALTH_CERT,
	HEALTH_READERS,
	HEALTH_INTERFACES,
	HEALTH_RADIO,
	HEALTH_KEYS
};

enum {
	HR_NAME,
	HR_STATE,
	HR_MODEL,
	HR_ERROR,
	HR_READS,
	HR_RECONNECTS,
	HR_LLRP_VERSION,
	HR_REPORTS,
	HR_HANDED_ON,
	HR_UNCLAIMED,
	HR_STRANGE,
	HR_HELD,
	HR_RESUMED,
	HR_SIGHTINGS,
	HR_WARNINGS,
	HR_OVERFLOWS,
	HR_GAPS,
	HR_GAPS_US,
	HR_GAP_CAUSE,
	HR_GAP_FROM,
	HR_GAP_TO,
	HR_TLS_PEER,
	HR_TROUBLES,
	HR_DRIFTS,
	HR_MENDED,
	HR_ANTENNAS,
	HR_CHANNELS,
	HR_FIELDS
};
enum {
	HI_NAME,
	HI_UP,
	HI_WIRELESS,
	HI_ADDRESS,
	HI_FREQUENCY,
	HI_SIGNAL,
	HI_CARRIER,
	HI_WAS_UP,
	HI_SPEED,
	HI_DUPLEX,
	HI_ROLE,
	HI_SSID,
	HI_CENTRE,
	HI_WIDTH,
	HI_NOISE,
	HI_BUSY,
	HI_CHANGES,
	HI_CHANGED,
	HI_FIELDS
};

/** The counters of a reader, by key. */
static uint64_t *reader_counter(struct proto_health_reader *m, unsigned int key)
{
	switch (key) {
	case HR_READS:
		return &m->reads;
	case HR_RECONNECTS:
		return &m->reconnects;
	case HR_REPORTS:
		return &m->reports;
	case HR_HANDED_ON:
		return &m->handed_on;
	case HR_UNCLAIMED:
		return &m->unclaimed;
	case HR_STRANGE:
		return &m->strange;
	case HR_HELD:
		return &m->held;
	case HR_RESUMED:
		return &m->resumed;
	case HR_SIGHTINGS:
		return &m->sightings;
	case HR_WARNINGS:
		return &m->buffer_warnings;
	case HR_OVERFLOWS:
		return &m->buffer_overflows;
	case HR_GAPS:
		return &m->gaps;
	case HR_GAPS_US:
		return &m->gaps_us;
	case HR_DRIFTS:
		return &m->drifts;
	case HR_MENDED:
		return &m->mended;
	default:
		return NULL;
	}
}

/* [code, antenna, since, text] */
static void put_trouble(struct buf *out, const struct proto_trouble *t)
{
	cbor_put_array(out, 4);
	cbor_put_text(out, t->code);
	cbor_put_uint(out, t->antenna);
	cbor_put_int(out, t->since_us);
	cbor_put_text(out, t->text);
}

static void get_trouble(struct cbor_reader *r, struct proto_trouble *t)
{
	pp_expect_array(r, 4);
	cbor_get_text(r, t->code, sizeof(t->code));
	t->antenna = (uint16_t) cbor_get_uint(r, UINT16_MAX);
	t->since_us = cbor_get_i64(r);
	cbor_get_text(r, t->text, sizeof(t->text));
}

/* [antenna, usual, now, last, off] */
static void put_antenna(struct buf *out, const struct proto_health_antenna *a)
{
	cbor_put_array(out, 5);
	cbor_put_uint(out, a->antenna);
	cbor_put_uint(out, a->usual_mhz);
	cbor_put_uint(out, a->now_mhz);
	cbor_put_int(out, a->last_us);
	cbor_put_bool(out, a->off);
}

static void get_antenna(struct cbor_reader *r, struct proto_health_antenna *a)
{
	pp_expect_array(r, 5);
	a->antenna = (uint16_t) cbor_get_uint(r, UINT16_MAX);
	a->usual_mhz = (uint32_t) cbor_get_uint(r, UINT32_MAX);
	a->now_mhz = (uint32_t) cbor_get_uint(r, UINT32_MAX);
	a->last_us = cbor_get_i64(r);
	a->off = cbor_get_boolean(r);
}

/* [channel, kHz, usual, now, usual signal, signal now, failing] */
static void put_channel(struct buf *out, const struct proto_health_channel *c)
{
	cbor_put_array(out, 7);
	cbor_put_uint(out, c->channel);
	cbor_put_uint(out, c->khz);
	cbor_put_uint(out, c->usual_ppm);
	cbor_put_uint(out, c->now_ppm);
	cbor_put_int(out, c->usual_cdbm);
	cbor_put_int(out, c->now_cdbm);
	cbor_put_bool(out, c->failing);
}

static void get_channel(struct cbor_reader *r, struct proto_health_channel *c)
{
	pp_expect_array(r, 7);
	c->channel = (uint16_t) cbor_get_uint(r, UINT16_MAX);
	c->khz = (uint32_t) cbor_get_uint(r, UINT32_MAX);
	c->usual_ppm = (uint32_t) cbor_get_uint(r, UINT32_MAX);
	c->now_ppm = (uint32_t) cbor_get_uint(r, UINT32_MAX);
	c->usual_cdbm = pp_get_i16(r);
	c->now_cdbm = pp_get_i16(r);
	c->failing = cbor_get_boolean(r);
}

static void put_radio(struct buf *out, const struct proto_health_reader *m)
{
	pp_put_array(out, HR_TROUBLES, m->n_troubles);
	for (size_t i = 0; i < m->n_troubles; i++)
		put_trouble(out, &m->troubles[i]);
	pp_put_array(out, HR_ANTENNAS, m->n_antennas);
	for (size_t i = 0; i < m->n_antennas; i++)
		put_antenna(out, &m->antennas[i]);
	pp_put_array(out, HR_CHANNELS, m->n_channels);
	for (size_t i = 0; i < m->n_channels; i++)
		put_channel(out, &m->channels[i]);
}

static void get_radio(struct cbor_reader *r, unsigned int key, struct proto_health_reader *m)
{
	switch (key) {
	case HR_TROUBLES:
		m->n_troubles = cbor_get_array(r, PROTO_MAX_TROUBLES);
		for (size_t i = 0; i < m->n_troubles && cbor_reader_ok(r); i++)
			get_trouble(r, &m->troubles[i]);
		break;
	case HR_ANTENNAS:
		m->n_antennas = cbor_get_array(r, PROTO_MAX_ANTENNAS);
		for (size_t i = 0; i < m->n_antennas && cbor_reader_ok(r); i++)
			get_antenna(r, &m->antennas[i]);
		break;
	default:
		m->n_channels = cbor_get_array(r, PROTO_MAX_CHANNELS);
		for (size_t i = 0; i < m->n_channels && cbor_reader_ok(r); i++)
			get_channel(r, &m->channels[i]);
		break;
	}
}

static void put_reader(struct buf *out, const struct proto_health_reader *reader)
{
	struct proto_health_reader copy = *reader, *m = &copy;

	cbor_put_map(out, HR_FIELDS);
	pp_put_t(out, HR_NAME, m->name);
	pp_put_t(out, HR_STATE, m->state);
	pp_put_t(out, HR_MODEL, m->model);
	pp_put_t(out, HR_ERROR, m->error);
	for (unsigned int key = HR_READS; key < HR_FIELDS; key++)
		if (reader_counter(m, key))
			pp_put_u(out, key, *reader_counter(m, key));
	pp_put_u(out, HR_LLRP_VERSION, m->llrp_version);
	pp_put_t(out, HR_GAP_CAUSE, m->gap_cause);
	pp_put_i(out, HR_GAP_FROM, m->gap_from_us);
	pp_put_i(out, HR_GAP_TO, m->gap_to_us);
	pp_put_t(out, HR_TLS_PEER, m->tls_peer);
	put_radio(out, m);
}

static void get_reader(struct cbor_reader *r, struct proto_health_reader *m)
{
	struct pp_pairs p = pp_open_pairs(r);
	unsigned int key;

	while (pp_next_pair(&p, &key, HR_FIELDS)) {
		switch (key) {
		case HR_NAME:
			cbor_get_text(r, m->name, sizeof(m->name));
			break;
		case HR_STATE:
			cbor_get_text(r, m->state, sizeof(m->state));
			break;
		case HR_MODEL:
			cbor_get_text(r, m->model, sizeof(m->model));
			break;
		case HR_ERROR:
			cbor_get_text(r, m->error, sizeof(m->error));
			break;
		case HR_LLRP_VERSION:
			m->llrp_version = (uint8_t) cbor_get_uint(r, UINT8_MAX);
			break;
		case HR_GAP_CAUSE:
			cbor_get_text(r, m->gap_cause, sizeof(m->gap_cause));
			break;
		case HR_TROUBLES:
		case HR_ANTENNAS:
		case HR_CHANNELS:
			get_radio(r, key, m);
			break;
		case HR_TLS_PEER:
			cbor_get_text(r, m->tls_peer, sizeof(m->tls_peer));
			break;
		case HR_GAP_FROM:
			m->gap_from_us = cbor_get_i64(r);
			break;
		case HR_GAP_TO:
			m->gap_to_us = cbor_get_i64(r);
			break;
		default:
			*reader_counter(m, key) = cbor_get_uint(r, INT64_MAX);
			break;
		}
	}
}

static void put_interface(struct buf *out, const struct proto_health_interface *m)
{
	cbor_put_map(out, HI_FIELDS);
	pp_put_t(out, HI_NAME, m->name);
	pp_put_flag(out, HI_UP, m->up);
	pp_put_flag(out, HI_WIRELESS, m->wireless);
	pp_put_t(out, HI_ADDRESS, m->address);
	pp_put_u(out, HI_FREQUENCY, m->frequency_mhz);
	pp_put_i(out, HI_SIGNAL, m->signal_dbm);
	pp_put_flag(out, HI_CARRIER, m->carrier);
	pp_put_flag(out, HI_WAS_UP, m->was_up);
	pp_put_u(out, HI_SPEED, m->speed_mbps);
	pp_put_u(out, HI_DUPLEX, m->duplex);
	pp_put_u(out, HI_ROLE, m->role);
	pp_put_t(out, HI_SSID, m->ssid);
	pp_put_u(out, HI_CENTRE, m->centre_mhz);
	pp_put_u(out, HI_WIDTH, m->width_mhz);
	pp_put_i(out, HI_NOISE, m->noise_dbm);
	pp_put_u(out, HI_BUSY, m->busy_percent);
	pp_put_u(out, HI_CHANGES, m->changes);
	pp_put_i(out, HI_CHANGED, m->changed_us);
}

/** What a link is like: speed, Wi-Fi, how steady it is. */
static void get_link_field(struct cbor_reader *r, unsigned int key,
			   struct proto_health_interface *m)
{
	switch (key) {
	case HI_CARRIER:
		m->carrier = cbor_get_boolean(r);
		break;
	case HI_WAS_UP:
		m->was_up = cbor_get_boolean(r);
		break;
	case HI_SPEED:
		m->speed_mbps = (uint32_t) cbor_get_uint(r, UINT32_MAX);
		break;
	case HI_DUPLEX:
		m->duplex = (uint8_t) cbor_get_uint(r, UINT8_MAX);
		break;
	case HI_ROLE:
		m->role = (uint8_t) cbor_get_uint(r, UINT8_MAX);
		break;
	case HI_SSID:
		cbor_get_text(r, m->ssid, sizeof(m->ssid));
		break;
	case HI_CENTRE:
		m->centre_mhz = (uint32_t) cbor_get_uint(r, UINT32_MAX);
		break;
	case HI_WIDTH:
		m->width_mhz = (uint32_t) cbor_get_uint(r, UINT32_MAX);
		break;
	case HI_NOISE:
		m->noise_dbm = pp_get_i8(r);
		break;
	case HI_BUSY:
		m->busy_percent = (uint8_t) cbor_get_uint(r, UINT8_MAX);
		break;
	case HI_CHANGES:
		m->changes = (uint16_t) cbor_get_uint(r, UINT16_MAX);
		break;
	case HI_CHANGED:
		m->changed_us = cbor_get_i64(r);
		break;
	}
}

static void get_interface(struct cbor_reader *r, struct proto_health_interface *m)
{
	struct pp_pairs p = pp_open_pairs(r);
	unsigned int key;

	m->busy_percent = PROTO_BUSY_UNKNOWN;
	while (pp_next_pair(&p, &key, HI_FIELDS)) {
		switch (key) {
		case HI_NAME:
			cbor_get_text(r, m->name, sizeof(m->name));
			break;
		case HI_UP:
			m->up = cbor_get_boolean(r);
			break;
		case HI_WIRELESS:
			m->wireless = cbor_get_boolean(r);
			break;
		case HI_ADDRESS:
			cbor_get_text(r, m->address, sizeof(m->address));
			break;
		case HI_FREQUENCY:
			m->frequency_mhz = (uint32_t) cbor_get_uint(r, UINT32_MAX);
			break;
		case HI_SIGNAL:
			m->signal_dbm = pp_get_i8(r);
			break;
		default:
			get_link_field(r, key, m);
			break;
		}
	}
}

int proto_health_encode(const struct proto_health *m, struct buf *out)
{
	pp_begin(out, HEALTH_KEYS - 2, m->caps);
	pp_put_t(out, HEALTH_VERSION, m->version);
	pp_put_i(out, HEALTH_UPTIME, m->uptime_us);
	pp_put_i(out, HEALTH_OFFSET, m->clock_offset_us);
	pp_put_i(out, HEALTH_UNCERTAINTY, m->clock_uncertainty_us);
	pp_put_u(out, HEALTH_DEPTH, m->journal_depth);
	pp_put_u(out, HEALTH_DROPPED, m->journal_dropped);
	pp_put_u(out, HEALTH_RSS, m->rss_kib);
	pp_put_u(out, HEALTH_TAGS, m->tags_in_view);
	pp_put_u(out, HEALTH_LABELS, m->labels_synced);
	pp_put_t(out, HEALTH_RADIO_STATE, m->radio_state);
	pp_put_t(out, HEALTH_RADIO_ERROR, m->radio_error);
	pp_put_t(out, HEALTH_LAST_ERROR, m->last_error);
	pp_put_i(out, HEALTH_CERT, m->cert_not_after_us);
	pp_put_array(out, HEALTH_READERS, m->n_readers);
	for (size_t i = 0; i < m->n_readers; i++)
		put_reader(out, &m->readers[i]);
	pp_put_array(out, HEALTH_INTERFACES, m->n_interfaces);
	for (size_t i = 0; i < m->n_interfaces; i++)
		put_interface(out, &m->interfaces[i]);
	cbor_put_uint(out, HEALTH_RADIO);
	pp_put_radio(out, &m->radio);
	return out->err;
}

static void get_numbers(struct cbor_reader *r, unsigned int key, struct proto_health *m)
{
	switch (key) {
	case HEALTH_UPTIME:
		m->uptime_us = cbor_get_i64(r);
		break;
	case HEALTH_OFFSET:
		m->clock_offset_us = cbor_get_i64(r);
		break;
	case HEALTH_UNCERTAINTY:
		m->clock_uncertainty_us = cbor_get_i64(r);
		break;
	case HEALTH_DEPTH:
		m->journal_depth = cbor_get_uint(r, INT64_MAX);
		break;
	case HEALTH_DROPPED:
		m->journal_dropped = cbor_get_uint(r, INT64_MAX);
		break;
	case HEALTH_RSS:
		m->rss_kib = cbor_get_uint(r, INT64_MAX);
		break;
	case HEALTH_TAGS:
		m->tags_in_view = cbor_get_uint(r, INT64_MAX);
		break;
	case HEALTH_LABELS:
		m->labels_synced = (uint32_t) cbor_get_uint(r, UINT32_MAX);
		break;
	case HEALTH_CERT:
		m->cert_not_after_us = cbor_get_i64(r);
		break;
	}
}

static void get_health_field(struct cbor_reader *r, unsigned int key, struct proto_health *m)
{
	switch (key) {
	case HEALTH_VERSION:
		cbor_get_text(r, m->version, sizeof(m->version));
		break;
	case HEALTH_RADIO_STATE:
		cbor_get_text(r, m->radio_state, sizeof(m->radio_state));
		break;
	case HEALTH_RADIO_ERROR:
		cbor_get_text(r, m->radio_error, sizeof(m->radio_error));
		break;
	case HEALTH_LAST_ERROR:
		cbor_get_text(r, m->last_error, sizeof(m->last_error));
		break;
	case HEALTH_READERS:
		m->n_readers = cbor_get_array(r, PROTO_MAX_READERS);
		for (size_t i = 0; i < m->n_readers && cbor_reader_ok(r); i++)
			get_reader(r, &m->readers[i]);
		break;
	case HEALTH_INTERFACES:
		m->n_interfaces = cbor_get_array(r, PROTO_MAX_INTERFACES);
		for (size_t i = 0; i < m->n_interfaces && cbor_reader_ok(r); i++)
			get_interface(r, &m->interfaces[i]);
		break;
	case HEALTH_RADIO:
		pp_get_radio(r, &m->radio);
		break;
	default:
		get_numbers(r, key, m);
		break;
	}
}

int proto_health_decode(const void *data, size_t len, struct proto_health *ret, size_t *ret_at)
{
	struct cbor_reader r;
	unsigned int key;

	memset(ret, 0, sizeof(*ret));

	struct pp_pairs p = pp_open_message(&r, data, len, &ret->caps);

	while (pp_next_pair(&p, &key, HEALTH_KEYS))
		get_health_field(&r, key, ret);
	pp_require(&p, 0);
	return pp_finish(&r, ret_at);
}

enum {
	HEALTH_RESPONSE_TIME = 2,
	HEALTH_RESPONSE_KEYS
};

int proto_health_response_encode(const struct proto_health_response *m, struct buf *out)
{
	pp_begin(out, 1, m->caps);
	pp_put_i(out, HEALTH_RESPONSE_TIME, m->server_time_us);
	return out->err;
}

int proto_health_response_decode(const void *data, size_t len, struct proto_health_response *ret,
				 size_t *ret_at)
{
	struct cbor_reader r;
	unsigned int key;

	*ret = (struct proto_health_response){0};

	struct pp_pairs p = pp_open_message(&r, data, len, &ret->caps);

	while (pp_next_pair(&p, &key, HEALTH_RESPONSE_KEYS)) {
		switch (key) {
		case HEALTH_RESPONSE_TIME:
			ret->server_time_us = cbor_get_i64(&r);
			break;
		}
	}
	pp_require(&p, 0);
	return pp_finish(&r, ret_at);
}
