/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Frames of L2CAP on an LE link (Core Specification 5.4, Vol 3 Part A): the header of every frame
 * (3.1), the commands of the LE signalling channel (4), and the pieces of which a service data unit
 * on a credit-based channel consists (3.4). Pure functions over bytes.
 */
#pragma once

#include "common/buf.h"
#include "common/wire.h"

#define L2CAP_SIGNAL_CID  5
#define L2CAP_DYNAMIC_CID 0x40 /**< first of the channels given out, up to 0x7f on LE */
#define L2CAP_HEADER      4
#define L2CAP_SIGNAL_MTU  23
#define L2CAP_MPS_LEAST   23
#define L2CAP_CREDITS_MAX 65535

enum l2cap_code {
	L2CAP_REJECT = 0x01,
	L2CAP_DISCONNECT_REQ = 0x06,
	L2CAP_DISCONNECT_RSP = 0x07,
	L2CAP_PARAMS_REQ = 0x12,
	L2CAP_PARAMS_RSP = 0x13,
	L2CAP_CREDIT_CONNECT_REQ = 0x14,
	L2CAP_CREDIT_CONNECT_RSP = 0x15,
	L2CAP_CREDITS = 0x16,
};

enum l2cap_result {
	L2CAP_OK = 0,
	L2CAP_NO_SPSM = 2,
	L2CAP_NO_RESOURCES = 4,
	L2CAP_AUTHENTICATION = 5,
	L2CAP_ENCRYPTION = 8,
	L2CAP_BAD_CID = 9,
	L2CAP_CID_TAKEN = 10,
	L2CAP_BAD_PARAMETERS = 11,
};

/** A command of the signalling channel. Which members count depends on the code. */
struct l2cap_signal {
	uint8_t code, id;
	uint16_t reason;     /**< REJECT: 0 not understood, 1 too long, 2 no such channel */
	uint16_t scid, dcid; /**< channels of the two ends; CREDITS: scid is the sender's */
	uint16_t spsm;
	uint16_t mtu, mps, credits;
	uint16_t result; /**< CREDIT_CONNECT_RSP, PARAMS_RSP */
	uint16_t interval_min, interval_max, latency, timeout; /**< PARAMS_REQ */
};

/** The header of a basic frame in front of what the caller adds: `len` bytes for `cid`. */
void l2cap_put_header(struct buf *b, uint16_t cid, size_t len);
/** A whole frame with one command. -ERR_RANGE for an unknown code. */
int l2cap_put_signal(struct buf *b, const struct l2cap_signal *s) _must_check_;
/** Reads one command of a signalling frame's payload. -ERR_BADMSG for a wrong length, -ENOTSUP for
 * an unknown code; `id` is set where there was one, so that it can be refused. */
int l2cap_get_signal(const uint8_t *data, size_t len, struct l2cap_signal *ret) _must_check_;
/** For a person. Never NULL. */
const char *l2cap_result_name(uint16_t result);
