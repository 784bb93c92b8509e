/* SPDX-License-Identifier: Apache-2.0 */
/** @file Inside of the connected side, shared by link.c and link_job.c only. */
#pragma once

#include "esl-radio/bridge_wire.h"
#include "sim/link.h"
#include "sim/net.h"

#define MAX_LINKS           16
#define MAX_QUEUED          16 /**< procedures waiting on one link */
#define CONN_EVENT_US       (15 * US_PER_MS)
#define REASON_TIMEOUT      0x08 /**< HCI error codes of Vol 1 Part F */
#define REASON_REMOTE_ENDED 0x13

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

/* link.c */
void link_client_send(struct sim_link *k, const struct bridge_msg *m);
/** Answers a request with a status alone. */
void link_reply(struct sim_link *k, const struct bridge_msg *request, int status);
/** Frees the place and answers what still waited. */
void link_release(struct one_link *o, int status);
/** Ends a link that was up; `tell`: as an event, since the client did not ask for it. */
void link_close(struct one_link *o, int status, bool tell, uint8_t reason);

/* link_job.c */
/** Takes a request for a link that is up; it is carried out when those before it are. */
void link_job_add(struct one_link *o, const struct bridge_msg *m);
/** Starts the clock of the first job, if there is one. */
void link_job_begin(struct one_link *o);
/** The first job's time is over: carries it out. */
void link_job_end(struct one_link *o);
/** Drops the first job. */
void link_job_pop(struct one_link *o);
