/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/link_impl.h"

#include "common/err.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEFAULT_LINKS      4
#define CLIENT_QUEUE_MAX   (1u << 20)
#define ADVERT_INTERVAL_US US_PER_SEC
#define ADVERT_TICK_US     (50 * US_PER_MS)
#define CONNECT_TIMEOUT_US (10 * US_PER_SEC)
/** Connection events until a bonded label's link is encrypted (see link_job.c for the others). */
#define EVENTS_ENCRYPT     7
/** LE Secure Connections and service discovery, at first contact. */
#define EVENTS_PAIR        20

/* --- messages to the client ------------------------------------------------------------------- */

static void client_gone(struct sim_link *k);

void link_client_send(struct sim_link *k, const struct bridge_msg *m)
{
	_cleanup_buf_ struct buf out = BUF_INIT;

	if (!k->client || bridge_encode(m, &out) < 0)
		return;
	/* An advertisement more or less does not matter; anything else lost would. */
	if (net_conn_send(k->client, out.data, out.len) < 0 && m->op != BRIDGE_EVT_ADVERT)
		client_gone(k);
}

void link_reply(struct sim_link *k, const struct bridge_msg *request, int status)
{
	struct bridge_msg m = {
		.op = (uint8_t) (BRIDGE_REPLY + request->op), .id = request->id, .status = status};

	memcpy(m.addr, request->addr, sizeof m.addr);
	link_client_send(k, &m);
}

/* --- links ------------------------------------------------------------------------------------ */

static struct one_link *link_of(struct sim_link *k, size_t label)
{
	for (unsigned int i = 0; i < k->cfg.max_links; i++) {
		if (k->links[i].state != LINK_FREE && k->links[i].label == label)
			return &k->links[i];
	}
	return NULL;
}

void link_release(struct one_link *o, int status)
{
	struct sim_link *k = o->k;

	o->state = LINK_FREE;
	loop_timer_stop(o->timer);
	while (o->n_jobs > 0) {
		struct bridge_msg m = o->jobs[0].msg;

		link_job_pop(o);
		link_reply(k, &m, status);
	}
}

void link_close(struct one_link *o, int status, bool tell, uint8_t reason)
{
	struct sim_link *k = o->k;
	struct bridge_msg lost = {.op = BRIDGE_EVT_LOST, .reason = reason};
	struct sim_label_view v;
	size_t label = o->label;

	sim_label_get(sim_radio_label(k->radio, label), &v);
	memcpy(lost.addr, v.addr, sizeof lost.addr);
	link_release(o, status);
	sim_label_link_lost(sim_radio_label(k->radio, label), clock_mono_us(k->clock));
	sim_radio_touched(k->radio, label);
	if (tell)
		link_client_send(k, &lost);
}

/* --- getting connected ------------------------------------------------------------------------ */

static void search_end(struct one_link *o)
{
	struct sim_link *k = o->k;
	struct sim_label *l = sim_radio_label(k->radio, o->label);
	struct bridge_msg request = {.op = BRIDGE_CONNECT, .id = o->connect_id};
	struct sim_label_view v;

	sim_label_get(l, &v);
	memcpy(request.addr, v.addr, sizeof request.addr);
	if (!o->will_connect) {
		link_release(o, ENOTCONN);
		link_reply(k, &request, ETIMEDOUT);
		return;
	}
	o->state = LINK_ENCRYPTING;
	o->was_bonded = v.bonded;
	sim_label_connected(l, clock_mono_us(k->clock));
	sim_radio_touched(k->radio, o->label);
	loop_timer_start(o->timer, (o->was_bonded ? EVENTS_ENCRYPT : EVENTS_PAIR) * CONN_EVENT_US);
}

static void encrypt_end(struct one_link *o)
{
	struct sim_link *k = o->k;
	struct bridge_msg request = {.op = BRIDGE_CONNECT, .id = o->connect_id};
	struct sim_label_view v;

	sim_label_get(sim_radio_label(k->radio, o->label), &v);
	memcpy(request.addr, v.addr, sizeof request.addr);
	if (sim_rng_chance(&k->rng, k->cfg.drop)) {
		link_close(o, ENOTCONN, false, REASON_TIMEOUT);
		link_reply(k, &request, ETIMEDOUT);
		return;
	}
	o->state = LINK_UP;
	link_reply(k, &request, 0);
	link_job_begin(o);
}

static void link_due(void *user)
{
	struct one_link *o = user;

	if (o->state == LINK_SEARCHING)
		search_end(o);
	else if (o->state == LINK_ENCRYPTING)
		encrypt_end(o);
	else if (o->state == LINK_UP && o->n_jobs > 0)
		link_job_end(o);
}

/** How long the search takes, and whether it finds the label in the end. */
static int64_t search_plan(struct one_link *o, const struct bridge_msg *m)
{
	struct sim_link *k = o->k;
	int64_t now_us = clock_mono_us(k->clock), at_us;
	struct sim_label_view v;

	sim_label_get(sim_radio_label(k->radio, o->label), &v);
	if (m->subevent != BRIDGE_ADVERTISING) {
		at_us = sim_radio_next_occurrence_us(k->radio, m->subevent);
		if (at_us < 0)
			return 0;
		/* The request goes out once; it and the label's answer must both arrive. */
		o->will_connect = v.state == ESL_SYNCHRONIZED && v.group == m->subevent &&
				  v.id == m->esl_id && sim_radio_in_sync(k->radio, o->label) &&
				  !sim_radio_packet_lost(k->radio) &&
				  !sim_radio_packet_lost(k->radio);
		/* Failure shows after six connection intervals without a packet. */
		return at_us - now_us + (o->will_connect ? CONN_EVENT_US : 6 * CONN_EVENT_US);
	}
	at_us = (int64_t) (sim_rng_unit(&k->rng) * ADVERT_INTERVAL_US);
	while (at_us < CONNECT_TIMEOUT_US && sim_radio_packet_lost(k->radio))
		at_us += ADVERT_INTERVAL_US;
	o->will_connect = v.advertising && at_us < CONNECT_TIMEOUT_US;
	return o->will_connect ? at_us : CONNECT_TIMEOUT_US;
}

static void do_connect(struct sim_link *k, const struct bridge_msg *m)
{
	struct one_link *o = NULL;
	int label = sim_radio_find(k->radio, m->addr);

	if (label < 0) {
		link_reply(k, m, ENOENT);
		return;
	}
	if (link_of(k, (size_t) label)) {
		link_reply(k, m, EISCONN);
		return;
	}
	for (unsigned int i = 0; i < k->cfg.max_links && !o; i++) {
		if (k->links[i].state == LINK_FREE)
			o = &k->links[i];
	}
	if (!o) {
		link_reply(k, m, EBUSY);
		return;
	}
	o->label = (size_t) label;
	o->connect_id = m->id;
	o->will_connect = false;
	o->state = LINK_SEARCHING;
	loop_timer_start(o->timer, search_plan(o, m));
}

/* --- advertisements --------------------------------------------------------------------------- */

static void advert_send(struct sim_link *k, size_t i, const struct sim_label_view *v)
{
	struct bridge_msg m = {.op = BRIDGE_EVT_ADVERT,
			       .rssi_dbm = sim_radio_rssi(k->radio, i),
			       .flags = v->bonded ? BRIDGE_ADVERT_BONDED : 0,
			       .battery_mv = v->battery_mv};

	memcpy(m.addr, v->addr, sizeof m.addr);
	link_client_send(k, &m);
}

static void advert_tick(void *user)
{
	struct sim_link *k = user;
	int64_t now_us = clock_mono_us(k->clock);

	for (size_t i = 0; k->scanning && i < sim_radio_labels(k->radio); i++) {
		struct sim_label_view v;

		if (k->advert_due_us[i] > now_us)
			continue;
		k->advert_due_us[i] = now_us + ADVERT_INTERVAL_US - ADVERT_TICK_US +
				      sim_rng_below(&k->rng, 2 * ADVERT_TICK_US);
		sim_label_get(sim_radio_label(k->radio, i), &v);
		if (v.advertising && !sim_radio_packet_lost(k->radio))
			advert_send(k, i, &v);
	}
	if (k->scanning)
		loop_timer_start(k->advert_timer, ADVERT_TICK_US);
}

static void do_scan(struct sim_link *k, const struct bridge_msg *m)
{
	size_t n = sim_radio_labels(k->radio);

	if (m->on && !k->advert_due_us) {
		k->advert_due_us = calloc(MAX(n, (size_t) 1), sizeof *k->advert_due_us);
		if (!k->advert_due_us) {
			link_reply(k, m, ENOMEM);
			return;
		}
		for (size_t i = 0; i < n; i++)
			k->advert_due_us[i] = clock_mono_us(k->clock) +
					      sim_rng_below(&k->rng, ADVERT_INTERVAL_US);
	}
	k->scanning = m->on;
	if (m->on)
		loop_timer_start(k->advert_timer, ADVERT_TICK_US);
	else
		loop_timer_stop(k->advert_timer);
	link_reply(k, m, 0);
}

/* --- requests --------------------------------------------------------------------------------- */

static void do_job(struct sim_link *k, const struct bridge_msg *m)
{
	int label = sim_radio_find(k->radio, m->addr);
	struct one_link *o = label < 0 ? NULL : link_of(k, (size_t) label);

	if (o && o->state == LINK_UP)
		link_job_add(o, m);
	else
		link_reply(k, m, ENOTCONN);
}

static void do_disconnect(struct sim_link *k, const struct bridge_msg *m)
{
	int label = sim_radio_find(k->radio, m->addr);
	struct one_link *o = label < 0 ? NULL : link_of(k, (size_t) label);

	if (o && o->state == LINK_SEARCHING) {
		struct bridge_msg request = {.op = BRIDGE_CONNECT, .id = o->connect_id};

		memcpy(request.addr, m->addr, sizeof request.addr);
		link_release(o, ECANCELED);
		link_reply(k, &request, ECANCELED);
	} else if (o) {
		link_close(o, ECANCELED, false, 0);
	}
	link_reply(k, m, o ? 0 : ENOTCONN);
}

static void client_data(void *user, const uint8_t *data, size_t len)
{
	struct sim_link *k = user;
	struct bridge_msg m;

	if (bridge_decode(data, len, &m) < 0) {
		client_gone(k);
		return;
	}
	switch (m.op) {
	case BRIDGE_SCAN:
		do_scan(k, &m);
		break;
	case BRIDGE_CONNECT:
		do_connect(k, &m);
		break;
	case BRIDGE_DISCONNECT:
		do_disconnect(k, &m);
		break;
	case BRIDGE_READ_INFO:
	case BRIDGE_CONFIGURE:
	case BRIDGE_WRITE_IMAGE:
	case BRIDGE_ECP:
	case BRIDGE_SET_TIME:
	case BRIDGE_UPDATE_COMPLETE:
		do_job(k, &m);
		break;
	default: /* a reply or an event has no business in this direction */
		client_gone(k);
	}
}

static void client_closed(void *user, int err)
{
	(void) err;
	client_gone(user);
}

static void client_gone(struct sim_link *k)
{
	struct net_conn *client = k->client;

	/* From here on link_client_send() has nobody to talk to. */
	k->client = NULL;
	k->scanning = false;
	loop_timer_stop(k->advert_timer);
	for (unsigned int i = 0; i < k->cfg.max_links; i++) {
		if (k->links[i].state == LINK_SEARCHING)
			link_release(&k->links[i], ECANCELED);
		else if (k->links[i].state != LINK_FREE)
			link_close(&k->links[i], ECANCELED, false, 0);
	}
	net_conn_free(client);
}

/** A label that unassociates itself ends its link. */
static void label_event(void *user, size_t i, enum sim_label_event event)
{
	struct sim_link *k = user;
	struct one_link *o = link_of(k, i);

	if (event == SIM_LABEL_STATE_CHANGED && o && o->state == LINK_UP && o->n_jobs == 0 &&
	    sim_label_state(sim_radio_label(k->radio, i)) == ESL_UNASSOCIATED)
		link_close(o, ENOTCONN, true, REASON_REMOTE_ENDED);
}

/* --- life ------------------------------------------------------------------------------------- */

int sim_link_new(struct loop *loop, struct sim_radio *radio, const struct sim_link_config *cfg,
		 struct sim_link **ret)
{
	struct sim_link *k = calloc(1, sizeof *k);
	char stream[80];
	int r;

	if (!k)
		return -ENOMEM;
	k->loop = loop;
	k->clock = loop_clock(loop);
	k->radio = radio;
	k->cfg = *cfg;
	k->cfg.max_links = cfg->max_links ? MIN(cfg->max_links, MAX_LINKS) : DEFAULT_LINKS;
	(void) snprintf(stream, sizeof stream, "link-%s", sim_radio_name(radio));
	sim_rng_init(&k->rng, cfg->seed, stream);
	r = loop_timer_new(loop, advert_tick, k, &k->advert_timer);
	for (unsigned int i = 0; r == 0 && i < k->cfg.max_links; i++) {
		k->links[i].k = k;
		r = loop_timer_new(loop, link_due, &k->links[i], &k->links[i].timer);
	}
	if (r < 0) {
		sim_link_free(k);
		return r;
	}
	sim_radio_watch(radio, label_event, k);
	*ret = k;
	return 0;
}

void sim_link_free(struct sim_link *k)
{
	if (!k)
		return;
	sim_radio_watch(k->radio, NULL, NULL);
	net_listener_free(k->listener);
	if (k->client)
		client_gone(k);
	for (unsigned int i = 0; i < MAX_LINKS; i++) {
		if (k->links[i].timer)
			loop_timer_free(k->links[i].timer);
	}
	if (k->advert_timer)
		loop_timer_free(k->advert_timer);
	free(k->advert_due_us);
	free(k);
}

int sim_link_attach(struct sim_link *k, int fd)
{
	static const struct net_conn_callbacks cb = {.data = client_data, .closed = client_closed};
	int bytes = BRIDGE_MESSAGE_MAX * 2;

	if (k->client) {
		close(fd);
		return -EBUSY;
	}
	(void) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
	return net_conn_new(k->loop, fd, true, CLIENT_QUEUE_MAX, &cb, k, &k->client);
}

static void client_accept(void *user, int fd)
{
	(void) !sim_link_attach(user, fd);
}

int sim_link_listen(struct sim_link *k, const char *path)
{
	return net_listen_unix(k->loop, path, SOCK_SEQPACKET, client_accept, k, &k->listener);
}

unsigned int sim_link_count(const struct sim_link *k)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < k->cfg.max_links; i++)
		n += k->links[i].state != LINK_FREE;
	return n;
}
