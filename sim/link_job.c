/* SPDX-License-Identifier: Apache-2.0 */
/* What is done on a link that is up, and how long it takes. */
#include "sim/link_impl.h"

#include "common/err.h"
#include <errno.h>
#include <string.h>

#define UPLOAD_US_PER_BYTE 10 /**< 100 kB/s */
#define LED_SRGB           0x3f

/*
 * Connection events per procedure. A visit that uploads a picture to a bonded label (connect,
 * write, control point, set time, complete) comes to 25, about 375 ms.
 */
enum {
	EVENTS_READ_INFO = 10,
	EVENTS_CONFIGURE = 12, /**< four writes, two of them long, and the sync transfer */
	EVENTS_WRITE_IMAGE = 10,
	EVENTS_ECP = 3,
	EVENTS_SET_TIME = 2,
	EVENTS_UPDATE_COMPLETE = 3,
};

void link_job_pop(struct one_link *o)
{
	free(o->jobs[0].data);
	o->n_jobs--;
	memmove(o->jobs, o->jobs + 1, o->n_jobs * sizeof o->jobs[0]);
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

void link_job_begin(struct one_link *o)
{
	if (o->n_jobs > 0)
		loop_timer_start(o->timer, job_duration_us(&o->jobs[0].msg));
}

void link_job_add(struct one_link *o, const struct bridge_msg *m)
{
	struct job *job;

	if (o->n_jobs == MAX_QUEUED) {
		link_reply(o->k, m, ENOBUFS);
		return;
	}
	job = &o->jobs[o->n_jobs];
	*job = (struct job){.msg = *m};
	if (m->data_len > 0) {
		job->data = malloc(m->data_len);
		if (!job->data) {
			link_reply(o->k, m, ENOMEM);
			return;
		}
		memcpy(job->data, m->data, m->data_len);
		job->msg.data = job->data;
	}
	if (o->n_jobs++ == 0)
		link_job_begin(o);
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
	link_client_send(o->k, &answer);
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
	link_reply(k, m, status_of(r));
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
		link_reply(k, m, EBADMSG);
		return;
	}
	memcpy(answer.addr, m->addr, sizeof answer.addr);
	memcpy(answer.tlv, rsp, (size_t) n);
	answer.tlv_len = (uint8_t) n;
	link_client_send(k, &answer);
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
		link_reply(k, m,
			   status_of(sim_label_configure(l, m->esl_address, m->response_key,
							 m->train_key, m->abs_ms, now_us)));
		break;
	case BRIDGE_WRITE_IMAGE:
		link_reply(k, m,
			   status_of(sim_label_write_image(l, m->image_index, m->data, m->data_len,
							   now_us)));
		break;
	case BRIDGE_SET_TIME:
		sim_label_set_time(l, m->abs_ms, now_us);
		link_reply(k, m, 0);
		break;
	case BRIDGE_UPDATE_COMPLETE:
		do_update_complete(o, m);
		break;
	default:
		do_ecp(o, m);
		break;
	}
}

void link_job_end(struct one_link *o)
{
	struct sim_link *k = o->k;
	struct job job = o->jobs[0];
	size_t label = o->label;

	if (sim_rng_chance(&k->rng, k->cfg.drop)) {
		link_close(o, ENOTCONN, true, REASON_TIMEOUT);
		return;
	}
	o->jobs[0].data = NULL;
	link_job_pop(o);
	job_execute(o, &job.msg);
	free(job.data);
	sim_radio_touched(k->radio, label);
	if (o->state != LINK_UP || o->label != label)
		return;
	/* A factory reset or an end of the bond takes the link down from the label's side. */
	if (sim_label_state(sim_radio_label(k->radio, label)) == ESL_UNASSOCIATED)
		link_close(o, ENOTCONN, true, REASON_REMOTE_ENDED);
	else
		link_job_begin(o);
}
