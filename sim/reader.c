/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/reader_impl.h"

#include "common/err.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define KEEPALIVES_MISSED_MAX 5

enum attempt {
	ATTEMPT_OK = 0,
	ATTEMPT_READER_MADE_EXISTS = 1,
	ATTEMPT_CLIENT_MADE_EXISTS = 2,
	ATTEMPT_ANOTHER = 4
};

/* --- sending ---------------------------------------------------------------------------------- */

void reader_send_bytes(struct sim_reader *r, const void *data, size_t len)
{
	if (r->stats.frozen)
		return;
	if (r->client && r->corked)
		buf_put(&r->cork, data, len);
	else if (r->client && net_conn_send(r->client, data, len) < 0)
		reader_client_gone(r);
}

void reader_uncork(struct sim_reader *r)
{
	r->corked = false;
	if (r->cork.len > 0)
		reader_send_bytes(r, r->cork.data, r->cork.len);
	buf_clear(&r->cork);
}

void reader_send(struct sim_reader *r, struct llrp_msg *m)
{
	_cleanup_buf_ struct buf out = BUF_INIT;

	if (m && llrp_msg_version(m) == LLRP_VERSION_1)
		llrp_msg_set_version(m, r->version);
	if (m && llrp_msg_encode(m, &out) == 0 && buf_ok(&out))
		reader_send_bytes(r, out.data, out.len);
	llrp_msg_free(m);
}

struct llrp_elem *reader_event(struct sim_reader *r, struct llrp_msg **ret)
{
	struct llrp_elem *data, *at;

	if (llrp_msg_new(LLRP_READER_EVENT_NOTIFICATION, r->next_id++, ret) < 0) {
		*ret = NULL;
		return NULL;
	}
	data = llrp_add(llrp_root(*ret), LLRP_P_READER_EVENT_NOTIFICATION_DATA);
	at = llrp_add(data, LLRP_P_UTC_TIMESTAMP);
	llrp_set(at, "Microseconds", (uint64_t) clock_real_us(r->clock));
	return data;
}

void reader_event_send(struct sim_reader *r, struct llrp_msg *m)
{
	reader_send(r, m);
}

static void attempt_event(struct sim_reader *r, uint16_t status, struct buf *out)
{
	_cleanup_(llrp_msg_freep) struct llrp_msg *m = NULL;
	struct llrp_elem *e = reader_event(r, &m);

	if (!m)
		return;
	llrp_set(llrp_add(e, LLRP_P_CONNECTION_ATTEMPT_EVENT), "Status", status);
	(void) !llrp_msg_encode(m, out);
}

/* --- keepalives ------------------------------------------------------------------------------- */

static void keepalive_due(void *user)
{
	struct sim_reader *r = user;
	struct llrp_msg *m = NULL;

	if (!r->client || r->stats.frozen)
		return;
	if (r->keepalives_missed++ >= KEEPALIVES_MISSED_MAX) {
		reader_client_gone(r);
		return;
	}
	if (llrp_msg_new(LLRP_KEEPALIVE, r->next_id++, &m) == 0)
		reader_send(r, m);
	reader_keepalive_arm(r);
}

void reader_keepalive_arm(struct sim_reader *r)
{
	if (r->client && r->set.keepalive_ms > 0)
		loop_timer_start(r->keepalive_timer, r->set.keepalive_ms * US_PER_MS);
	else
		loop_timer_stop(r->keepalive_timer);
}

/* --- one client ------------------------------------------------------------------------------- */

void reader_client_gone(struct sim_reader *r)
{
	if (!r->client)
		return;
	net_conn_free(r->client);
	r->client = NULL;
	buf_clear(&r->in);
	r->extensions = false;
	r->version = LLRP_VERSION_1;
	r->version_set = false;
	report_forget(r);
	reader_keepalive_arm(r);
	if (r->source.client)
		r->source.client(r->source.user, false);
	reader_call_again(r);
}

/** Cuts the stream into messages. What cannot be cut costs the connection. */
static void client_data(void *user, const uint8_t *data, size_t len)
{
	struct sim_reader *r = user;

	if (r->stats.frozen)
		return;
	buf_put(&r->in, data, len);
	while (r->client && r->in.len > 0) {
		struct llrp_header h;
		int e = buf_ok(&r->in) ? llrp_header_decode(r->in.data, r->in.len, &h) : -ENOMEM;

		if (e == -EAGAIN || (e == 0 && r->in.len < h.length))
			return;
		if (e < 0) {
			reader_client_gone(r);
			return;
		}
		reader_request(r, r->in.data, h.length);
		if (r->client)
			buf_consume(&r->in, h.length);
	}
}

static void client_closed(void *user, int err)
{
	(void) err;
	reader_client_gone(user);
}

static const struct net_conn_callbacks client_callbacks = {.data = client_data,
							   .closed = client_closed};

static void refused_data(void *user, const uint8_t *data, size_t len)
{
	(void) user;
	(void) data;
	(void) len;
}

static void refused_closed(void *user, int err)
{
	(void) user;
	(void) err;
}

static int start_tls(struct sim_reader *r, struct net_conn *c, int fd, enum tls_role role)
{
	struct tls_stream *tls;
	int e = tls_stream_new(fd, role, r->identity, NULL, &tls);

	if (e == 0)
		net_conn_secure(c, tls);
	return e;
}

/** A second client learns that there is a first one, and the first learns of the second. */
static int client_refuse(struct sim_reader *r, int fd)
{
	static const struct net_conn_callbacks cb = {.data = refused_data,
						     .closed = refused_closed};
	_cleanup_buf_ struct buf second = BUF_INIT;
	_cleanup_buf_ struct buf first = BUF_INIT;
	struct net_conn *c;
	int e = net_conn_new(r->loop, fd, false, 4096, &cb, NULL, &c);

	if (e < 0)
		return e;
	if (r->identity && start_tls(r, c, fd, TLS_SERVER) < 0) {
		net_conn_free(c);
		return -EBUSY;
	}
	attempt_event(r, r->called ? ATTEMPT_READER_MADE_EXISTS : ATTEMPT_CLIENT_MADE_EXISTS,
		      &second);
	(void) !net_conn_send(c, second.data, second.len);
	net_conn_free(c);
	attempt_event(r, ATTEMPT_ANOTHER, &first);
	reader_send_bytes(r, first.data, first.len);
	return -EBUSY;
}

int reader_serve(struct sim_reader *r, int fd, bool called)
{
	_cleanup_buf_ struct buf hello = BUF_INIT;
	int e;

	if (r->client)
		return client_refuse(r, fd);
	e = net_conn_new(r->loop, fd, false, READER_QUEUE_MAX, &client_callbacks, r, &r->client);
	if (e == 0 && r->identity)
		e = start_tls(r, r->client, fd, called ? TLS_CLIENT : TLS_SERVER);
	if (e < 0) {
		net_conn_free(r->client);
		r->client = NULL;
		return e;
	}
	r->called = called;
	r->stats.connections++;
	r->keepalives_missed = 0;
	r->holding = r->set.hold_on_reconnect;
	attempt_event(r, ATTEMPT_OK, &hello);
	reader_send_bytes(r, hello.data, hello.len);
	if (!r->holding)
		report_release(r);
	reader_keepalive_arm(r);
	if (r->client && r->source.client)
		r->source.client(r->source.user, true);
	return 0;
}

int sim_reader_attach(struct sim_reader *r, int fd)
{
	return reader_serve(r, fd, false);
}

static void client_accept(void *user, int fd)
{
	(void) !sim_reader_attach(user, fd);
}

void sim_reader_hang_up(struct sim_reader *r)
{
	struct llrp_msg *m;
	struct llrp_elem *e;

	if (!r->client)
		return;
	e = reader_event(r, &m);
	if (m)
		(void) llrp_add(e, LLRP_P_CONNECTION_CLOSE_EVENT);
	reader_send(r, m);
	reader_client_gone(r);
}

/* --- life ------------------------------------------------------------------------------------- */

int sim_reader_new(struct loop *loop, const struct sim_reader_config *cfg, struct sim_reader **ret)
{
	struct sim_reader *r;
	int e;

	if (cfg->n_antennas < 1 || cfg->n_antennas > SIM_READER_MAX_ANTENNAS)
		return -ERR_RANGE;
	r = calloc(1, sizeof *r);
	if (!r)
		return -ENOMEM;
	r->loop = loop;
	r->clock = loop_clock(loop);
	r->cfg = *cfg;
	(void) snprintf(r->name, sizeof r->name, "%s", cfg->name);
	r->started_us = clock_mono_us(r->clock);
	buf_init(&r->in, LLRP_MAX_FRAME_BYTES * 2);
	r->version = LLRP_VERSION_1;
	buf_init(&r->held, report_room(r));
	reader_settings_default(r);
	e = loop_timer_new(loop, keepalive_due, r, &r->keepalive_timer);
	if (e == 0)
		e = rospec_timers_new(r);
	if (e == 0 && cfg->tls)
		e = tls_identity_make(cfg->name, &r->identity);
	if (e == 0 && cfg->tls)
		(void) tls_identity_pin(r->identity, r->pin);
	if (e < 0) {
		sim_reader_free(r);
		return e;
	}
	*ret = r;
	return 0;
}

void sim_reader_free(struct sim_reader *r)
{
	if (!r)
		return;
	r->source = (struct sim_reader_source){0};
	net_listener_free(r->listener);
	reader_call_done(r);
	reader_client_gone(r);
	tls_identity_free(r->identity);
	rospec_delete_all(r);
	accessspec_delete_all(r);
	if (r->keepalive_timer)
		loop_timer_free(r->keepalive_timer);
	if (r->spec_timer)
		loop_timer_free(r->spec_timer);
	if (r->rospec_timer)
		loop_timer_free(r->rospec_timer);
	buf_done(&r->in);
	buf_done(&r->held);
	buf_done(&r->cork);
	free(r->pending);
	free(r->pending_index);
	free(r);
}

void sim_reader_set_tags(struct sim_reader *r, struct sim_tags *tags)
{
	r->tags = tags;
}

void sim_reader_set_source(struct sim_reader *r, const struct sim_reader_source *source)
{
	r->source = *source;
}

int sim_reader_listen(struct sim_reader *r, uint16_t port)
{
	int e = net_listen_tcp(r->loop, port, client_accept, r, &r->listener);

	if (e == 0)
		r->port = net_listener_port(r->listener);
	return e;
}

const char *sim_reader_pin(const struct sim_reader *r)
{
	return r->pin;
}

uint16_t sim_reader_port(const struct sim_reader *r)
{
	return r->port;
}

const char *sim_reader_name(const struct sim_reader *r)
{
	return r->name;
}

size_t sim_reader_backlog(const struct sim_reader *r)
{
	return r->held.len + (r->client ? net_conn_queued(r->client) : 0);
}

int sim_reader_set_unplugged(struct sim_reader *r, bool unplugged)
{
	if (unplugged == r->stats.unplugged)
		return 0;
	r->stats.unplugged = unplugged;
	if (!unplugged) {
		reader_call_again(r);
		return r->port ? sim_reader_listen(r, r->port) : 0;
	}
	reader_call_stop(r);
	net_listener_free(r->listener);
	r->listener = NULL;
	if (r->client) {
		static const uint8_t half_a_report[12] = {0x04, LLRP_RO_ACCESS_REPORT, 0, 0, 0, 80};

		(void) !net_conn_send(r->client, half_a_report, sizeof half_a_report);
		net_conn_free(r->client);
		r->client = NULL;
		buf_clear(&r->in);
	}
	rospec_delete_all(r);
	accessspec_delete_all(r);
	reader_settings_default(r);
	report_reset(r);
	reader_keepalive_arm(r);
	return 0;
}

void sim_reader_set_frozen(struct sim_reader *r, bool frozen)
{
	r->stats.frozen = frozen;
	r->keepalives_missed = 0;
	if (!frozen) {
		/* What came meanwhile was lost in the middle of things: start over. */
		reader_client_gone(r);
	}
}

void sim_reader_get_stats(const struct sim_reader *r, struct sim_reader_stats *ret)
{
	*ret = r->stats;
	ret->connected = r->client != NULL;
	ret->inventory = r->active != 0;
}
