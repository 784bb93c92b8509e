/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The initiating end of one LE credit-based channel (Core Specification 5.4, Vol 3 Part A 3.4, 4.22
 * to 4.24, 10.1): opens it, cuts service data units into frames as the peer gives credits, and
 * closes it. What the peer sends on it is put together and handed over. No I/O: frames and signals
 * go out through callbacks and come in through calls. Callbacks may call back in.
 */
#pragma once

#include "esl-radio/le/l2cap_wire.h"
#include <stdbool.h>

#define L2CAP_SDU_MAX     2048 /**< longest we take from the peer */
#define L2CAP_OWN_MPS     247  /**< a frame that fits one packet with data length extension */
#define L2CAP_OWN_CREDITS 8
#define L2CAP_FRAME_MAX   1024 /**< longest frame we send, whatever the peer takes */

enum l2cap_channel_state {
	L2CAP_CLOSED,
	L2CAP_OPENING,
	L2CAP_OPEN,
	L2CAP_CLOSING,
};

struct l2cap_channel_io {
	/** Sends the payload of one frame to a channel of the peer. */
	void (*frame)(void *user, uint16_t cid, const uint8_t *data, size_t len);
	/** `id` 0: the callee gives it the next one. */
	void (*signal)(void *user, const struct l2cap_signal *s);
	/** Answer to l2cap_channel_open(): 0; -ERR_PEER and the peer's result; -ERR_BADMSG. */
	void (*opened)(void *user, int err, uint16_t result);
	/** The whole service data unit is on its way; another may be sent. */
	void (*sent)(void *user);
	/** A service data unit of the peer's; borrowed. */
	void (*received)(void *user, const uint8_t *data, size_t len);
	/** err 0: closed as wished; -ERR_CLOSED: by the peer; -ERR_BADMSG: it broke a rule. */
	void (*closed)(void *user, int err);
};

/** Embedded by its owner; zeroed before the first use. */
struct l2cap_channel {
	const struct l2cap_channel_io *io;
	void *user;
	enum l2cap_channel_state state;
	uint8_t id; /**< of the signal that waits for its answer */
	uint16_t own_cid, peer_cid;
	uint16_t mtu, mps; /**< the peer's: longest unit, longest frame */
	uint32_t credits;  /**< frames we may send */
	struct buf out;    /**< unit being sent */
	size_t out_at;
	bool out_begun;
	struct buf in; /**< unit being received */
	size_t in_len; /**< its announced length */
	uint16_t in_credits;
};

/** Asks for the channel; `id` is a signal identifier not in use, not 0. */
void l2cap_channel_open(struct l2cap_channel *c, const struct l2cap_channel_io *io, void *user,
			uint16_t spsm, uint16_t own_cid, uint8_t id);
/** Sends one unit, copied. -ERR_STATE unless open, -EBUSY while another is under way,
 * -ERR_TOO_LARGE past the peer's MTU, -ENOMEM. */
int l2cap_channel_send(struct l2cap_channel *c, const void *data, size_t len) _must_check_;
/** The longest unit that fills its frames: one byte more would take a frame of its own. */
size_t l2cap_channel_unit(const struct l2cap_channel *c);
/** Asks for the end; closed() comes with the answer. */
void l2cap_channel_close(struct l2cap_channel *c, uint8_t id);
/** A signal of the peer's; false if it is not about this channel. */
bool l2cap_channel_signal(struct l2cap_channel *c, const struct l2cap_signal *s);
/** A frame for own_cid. */
void l2cap_channel_frame(struct l2cap_channel *c, const uint8_t *data, size_t len);
/** Forgets everything without a word: the link is gone. */
void l2cap_channel_drop(struct l2cap_channel *c);
