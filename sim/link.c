/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/link.h"

#include "common/err.h"
#include "esl-radio/bridge_wire.h"
#include "sim/net.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEFAULT_LINKS       4
#define MAX_LINKS           16
#define MAX_QUEUED          16 /**< procedures waiting on one link */
#define CLIENT_QUEUE_MAX    (1u << 20)
#define CONN_EVENT_US       (15 * US_PER_MS)
#define UPLOAD_US_PER_BYTE  10 /**< 100 kB/s */
#define ADVERT_INTERVAL_US  US_PER_SEC
#define ADVERT_TICK_US      (50 * US_PER_MS)
#define CONNECT_TIMEOUT_US  (10 * US_PER_SEC)
#define LED_SRGB            0x3f
#define REASON_TIMEOUT      0x08 /**< HCI error codes of Vol 1 Part F */
#define REASON_REMOTE_ENDED 0x13

/*
 * Connection events per procedure. A visit that uploads a picture to a bonded label (connect,
 * write, control point, set time, complete) comes to 25, about 375 ms.
 */
enum {
	EVENTS_ENCRYPT = 7,
	EVENTS_PAIR = 20, /**< LE Secure Connections and service discovery, first contact */
	EVENTS_READ_INFO = 10,
	EVENTS_CONFIGURE = 12, /**< four writes, two of them long, and the sync transfer */
	EVENTS_WRITE_IMAGE = 10,
	EVENTS_ECP = 3,
	EVENTS_SET_TIME = 2,
	EVENTS_UPDATE_COMPLETE = 3,
};

/** A request that waits for its turn, with a copy of its picture. */
struct job {
	struct bridge_msg msg;
	uint8_t *data;
};

enum link_state {
	LINK_FREE,
	LINK_SEARCHING,
	LINK_ENCRYPTING,
	LINK_UP
};

struct one_link {
	struct sim_link *k;
	enum link_state state;
	size_t label;
	bool will_connect; /**< what the search will find */
	bool was_bonded;
	uint32_t connect_id;
	struct loop_timer *timer;    /**< end of the search, the encryption or the first job */
	struct job jobs[MAX_QUEUED]; /**< the first one is in progress */
	unsigned int n_jobs;
};

struct sim_link {
	struct loop *loop;
	const struct clock *clock;
	struct sim_radio *radio;
	struct sim_link_config cfg;
	struct sim_rng rng;
	struct net_listener *listener;
	struct net_conn *client;
	bool scanning;
	struct loop_timer *advert_timer;
	int64_t *advert_due_us; /**< per label */
	struct one_link links[MAX_LINKS];
};

/* --- messages to the client ------------------------------------------------------------------- */

static void client_gone(struct sim_link *k);

static void client_send(struct sim_link *k, const struct bridge_msg *m)
{
	_cleanup_buf_ struct buf out = BUF_INIT;

	if (!k->client || bridge_encode(m, &out) < 0)
		return;
	/* An advertisement more or less does not matter; anything else lost would. */
	if (net_conn_send(k->client, out.data, out.len) < 0 && m->op != BRIDGE_EVT_ADVERT)
		client_gone(k);
}

static void reply(struct sim_link *k, const struct bridge_msg *request, int status)
{
	struct bridge_msg m = {
		.op = (uint8_t) (BRIDGE_REPLY + request->op), .id = request->id, .status = status};

	memcpy(m.addr, request->addr, sizeof m.addr);
	client_send(k, &m);
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

static void job_pop(struct one_link *o)
{
	free(o->jobs[0].data);
	o->n_jobs--;
	memmove(o->jobs, o->jobs + 1, o->n_jobs * sizeof o->jobs[0]);
}

/** Frees the place and answers what still waited. */
static void link_release(struct one_link *o, int status)
{
	struct sim_link *k = o->k;

	o->state = LINK_FREE;
	loop_timer_stop(o->timer);
	while (o->n_jobs > 0) {
		struct bridge_msg m = o->jobs[0].msg;

		job_pop(o);
		reply(k, &m, status);
	}
}

/** Ends a link that was up; `tell`: as an event, since the client did not ask for it. */
static void link_close(struct one_link *o, int status, bool tell, uint8_t reason)
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
		client_send(k, &lost);
}

static int status_of(int err)
{
	switch (err) {
	case 0:
		return 0;
	case -ERR_STATE:
		return EPROTO;
	case -ERR_RANGE:
		return ERANGE;
	case -ERR_BADMSG:
		return EBADMSG;
	default:
		return EIO;
	}
}

static int64_t job_duration_us(const struct bridge_msg *m)
{
	switch (m->op) {
	case BRIDGE_READ_INFO:
		return EVENTS_READ_INFO * CONN_EVENT_US;
	case BRIDGE_CONFIGURE:
		return EVENTS_CONFIGURE * CONN_EVENT_US;
	case BRIDGE_WRITE_IMAGE:
		return EVENTS_WRITE_IMAGE * CONN_EVENT_US +
		       (int64_t) m->data_len * UPLOAD_US_PER_BYTE;
	case BRIDGE_SET_TIME:
		return EVENTS_SET_TIME * CONN_EVENT_US;
	case BRIDGE_UPDATE_COMPLETE:
		return EVENTS_UPDATE_COMPLETE * CONN_EVENT_US;
	default:
		return EVENTS_ECP * CONN_EVENT_US;
	}
}

static void job_begin(struct one_link *o)
{
	if (o->n_jobs > 0)
		loop_timer_start(o->timer, job_duration_us(&o->jobs[0].msg));
}

/* --- procedures on a link that is up ---------------------------------------------------------- */

static void do_read_info(struct one_link *o, const struct bridge_msg *m)
{
	struct sim_label_view v;
	struct bridge_msg answer = {.op = BRIDGE_REPLY + BRIDGE_READ_INFO, .id = m->id};

	sim_label_get(sim_radio_label(o->k->radio, o->label), &v);
	memcpy(answer.addr, m->addr, sizeof answer.addr);
	answer.n_displays = 1;
	answer.displays[0] = (struct bridge_display){v.model.width, v.model.height, v.model.type};
	answer.max_image_index = (uint8_t) (v.model.slots - 1);
	answer.n_leds = v.model.leds;
	memset(answer.leds, LED_SRGB, v.model.leds);
	answer.battery_mv = v.battery_mv;
	answer.temperature_cc = v.temperature_cc;
	client_send(o->k, &answer);
}

static void do_update_complete(struct one_link *o, const struct bridge_msg *m)
{
	struct sim_link *k = o->k;
	int r = sim_radio_sync_label(k->radio, o->label);

	r = sim_label_update_complete(sim_radio_label(k->radio, o->label), r == 0,
				      clock_mono_us(k->clock));
	sim_radio_touched(k->radio, o->label);
	if (r == 0)
		link_release(o, ECANCELED);
	reply(k, m, status_of(r));
}

static void do_ecp(struct one_link *o, const struct bridge_msg *m)
{
	struct sim_link *k = o->k;
	struct bridge_msg answer = {.op = BRIDGE_REPLY + BRIDGE_ECP, .id = m->id};
	uint8_t rsp[ESL_PACKET_MAX];
	int n;

	if (m->tlv_len > 0 && m->tlv[0] == ESL_OP_UPDATE_COMPLETE) {
		do_update_complete(o, m);
		return;
	}
	n = sim_label_control_point(sim_radio_label(k->radio, o->label), m->tlv, m->tlv_len, rsp,
				    clock_mono_us(k->clock));
	if (n < 0 || n > (int) sizeof answer.tlv) {
		reply(k, m, EBADMSG);
		return;
	}
	memcpy(answer.addr, m->addr, sizeof answer.addr);
	memcpy(answer.tlv, rsp, (size_t) n);
	answer.tlv_len = (uint8_t) n;
	client_send(k, &answer);
}

static void job_execute(struct one_link *o, const struct bridge_msg *m)
{
	struct sim_link *k = o->k;
	struct sim_label *l = sim_radio_label(k->radio, o->label);
	int64_t now_us = clock_mono_us(k->clock);

	switch (m->op) {
	case BRIDGE_READ_INFO:
		do_read_info(o, m);
		break;
	case BRIDGE_CONFIGURE:
		reply(k, m,
		      status_of(sim_label_configure(l, m->esl_address, m->response_key,
						    m->train_key, m->abs_ms, now_us)));
		break;
	case BRIDGE_WRITE_IMAGE:
		reply(k, m,
		      status_of(sim_label_write_image(l, m->image_index, m->data, m->data_len,
						      now_us)));
		break;
	case BRIDGE_SET_TIME:
		sim_label_set_time(l, m->abs_ms, now_us);
		reply(k, m, 0);
		break;
	case BRIDGE_UPDATE_COMPLETE:
		do_update_complete(o, m);
		break;
	default:
		do_ecp(o, m);
		break;
	}
}

static void job_end(struct one_link *o)
{
	struct sim_link *k = o->k;
	struct job job = o->jobs[0];
	size_t label = o->label;

	if (sim_rng_chance(&k->rng, k->cfg.drop)) {
		link_close(o, ENOTCONN, true, REASON_TIMEOUT);
		return;
	}
	o->jobs[0].data = NULL;
	job_pop(o);
	job_execute(o, &job.msg);
	free(job.data);
	sim_radio_touched(k->radio, label);
	if (o->state != LINK_UP || o->label != label)
		return;
	/* A factory reset or an end of the bond takes the link down from the label's side. */
	if (sim_label_state(sim_radio_label(k->radio, label)) == ESL_UNASSOCIATED)
		link_close(o, ENOTCONN, true, REASON_REMOTE_ENDED);
	else
		job_begin(o);
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
		reply(k, &request, ETIMEDOUT);
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
		reply(k, &request, ETIMEDOUT);
		return;
	}
	o->state = LINK_UP;
	reply(k, &request, 0);
	job_begin(o);
}

static void link_due(void *user)
{
	struct one_link *o = user;

	if (o->state == LINK_SEARCHING)
		search_end(o);
	else if (o->state == LINK_ENCRYPTING)
		encrypt_end(o);
	else if (o->state == LINK_UP && o->n_jobs > 0)
		job_end(o);
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
		reply(k, m, ENOENT);
		return;
	}
	if (link_of(k, (size_t) label)) {
		reply(k, m, EISCONN);
		return;
	}
	for (unsigned int i = 0; i < k->cfg.max_links && !o; i++) {
		if (k->links[i].state == LINK_FREE)
			o = &k->links[i];
	}
	if (!o) {
		reply(k, m, EBUSY);
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
	client_send(k, &m);
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
			reply(k, m, ENOMEM);
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
	reply(k, m, 0);
}

/* --- requests --------------------------------------------------------------------------------- */

static void do_job(struct sim_link *k, const struct bridge_msg *m)
{
	int label = sim_radio_find(k->radio, m->addr);
	struct one_link *o = label < 0 ? NULL : link_of(k, (size_t) label);
	struct job *job;

	if (!o || o->state != LINK_UP) {
		reply(k, m, ENOTCONN);
		return;
	}
	if (o->n_jobs == MAX_QUEUED) {
		reply(k, m, ENOBUFS);
		return;
	}
	job = &o->jobs[o->n_jobs];
	*job = (struct job){.msg = *m};
	if (m->data_len > 0) {
		job->data = malloc(m->data_len);
		if (!job->data) {
			reply(k, m, ENOMEM);
			return;
		}
		memcpy(job->data, m->data, m->data_len);
		job->msg.data = job->data;
	}
	if (o->n_jobs++ == 0)
		job_begin(o);
}

static void do_disconnect(struct sim_link *k, const struct bridge_msg *m)
{
	int label = sim_radio_find(k->radio, m->addr);
	struct one_link *o = label < 0 ? NULL : link_of(k, (size_t) label);

	if (o && o->state == LINK_SEARCHING) {
		struct bridge_msg request = {.op = BRIDGE_CONNECT, .id = o->connect_id};

		memcpy(request.addr, m->addr, sizeof request.addr);
		link_release(o, ECANCELED);
		reply(k, &request, ECANCELED);
	} else if (o) {
		link_close(o, ECANCELED, false, 0);
	}
	reply(k, m, o ? 0 : ENOTCONN);
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

	/* From here on client_send() has nobody to talk to. */
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
