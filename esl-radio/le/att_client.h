/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The client of the Attribute Protocol on one link: one request at a time, the others wait their
 * turn, each gets exactly one answer. No I/O: packets go out through a callback and come in through
 * att_client_receive(); the owner keeps the 30 seconds after which an unanswered request ends the
 * link (Core Specification 5.4, Vol 3 Part F 3.3.3).
 */
#pragma once

#include "esl-radio/le/att_wire.h"
#include <stdbool.h>

#define ATT_TIMEOUT_US (INT64_C(30) * US_PER_SEC)
#define ATT_QUEUE_MAX  32

/**
 * err 0: `answer` is the response, borrowed. -ERR_PEER: the peer answered with an error, which is
 * in answer->error. -ERR_BADMSG: its answer makes no sense. -ERR_CLOSED: the link ended.
 */
typedef void (*att_done_fn)(void *user, int err, const struct att_pdu *answer);

struct att_client_io {
	void (*send)(void *user, const uint8_t *packet, size_t len);
	/** A notification or an indication, which has been confirmed already. */
	void (*value)(void *user, uint16_t handle, const uint8_t *data, size_t len);
	/** A request went out, or the last one has its answer: keep the time. */
	void (*waiting)(void *user, bool on);
};

struct att_request;

/** Embedded by its owner. */
struct att_client {
	const struct att_client_io *io;
	void *user;
	uint16_t mtu;
	struct att_request *queue, **queue_end; /**< the first one is under way */
	size_t n;
};

void att_client_init(struct att_client *c, const struct att_client_io *io, void *user);
/** Ends all requests with -ERR_CLOSED. May be called again. */
void att_client_done(struct att_client *c);
/** Copies the request. -ENOBUFS past ATT_QUEUE_MAX, -ERR_TOO_LARGE past the MTU, -ENOMEM; `done` is
 * not called then. */
int att_client_request(struct att_client *c, const struct att_pdu *p, att_done_fn done,
		       void *user) _must_check_;
/** A command, which has no answer. */
int att_client_command(struct att_client *c, const struct att_pdu *p) _must_check_;
/** A packet of the attribute channel. -ERR_BADMSG: one that cannot come from a server. */
int att_client_receive(struct att_client *c, const uint8_t *data, size_t len) _must_check_;
/** Both ends can take packets of so many bytes from now on. */
void att_client_set_mtu(struct att_client *c, uint16_t mtu);
