/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The bridge: the connected side of a label radio as messages on a UNIX SOCK_SEQPACKET socket, each
 * one CBOR array. Whoever owns the central role (a small program beside a kernel Bluetooth stack, a
 * vendor daemon, the simulator) listens; the agent's driver connects.
 *
 * Request `[op, id, ...]`; its one reply `[100 + op, id, status, ...]`, whose fields after the
 * status are there only when the status is 0; events `[200 + k, ...]` come unasked. Elements past
 * the known ones are skipped, so that either side may be newer. Addresses are most significant byte
 * first.
 */
#pragma once

#include "common/buf.h"
#include "common/util.h"
#include "esl-radio/ead.h"
#include "esl-radio/esl_wire.h"

#define BRIDGE_ADDR_BYTES   6
#define BRIDGE_MESSAGE_MAX  (160 * 1024)
#define BRIDGE_IMAGE_MAX    (BRIDGE_MESSAGE_MAX - 64)
#define BRIDGE_DISPLAYS_MAX 8
#define BRIDGE_LEDS_MAX     16
#define BRIDGE_REPLY        100
#define BRIDGE_ADVERTISING  0xff /**< CONNECT: it advertises, it is in no subevent */

enum bridge_op {
	BRIDGE_SCAN = 1,        /**< advertisements on or off */
	BRIDGE_CONNECT = 2,     /**< until the link is encrypted (and bonded) */
	BRIDGE_READ_INFO = 3,   /**< 2BFA-2BFD, battery, temperature */
	BRIDGE_CONFIGURE = 4,   /**< 2BF6-2BF9 and the transfer of the train's sync information */
	BRIDGE_WRITE_IMAGE = 5, /**< object transfer into one image slot */
	BRIDGE_ECP = 6,         /**< one control point TLV and its answer */
	BRIDGE_SET_TIME = 7,    /**< 2BF9 alone */
	BRIDGE_UPDATE_COMPLETE = 8, /**< the label goes back to its subevent, the link closes */
	BRIDGE_DISCONNECT = 9,
	BRIDGE_EVT_ADVERT = 201,
	BRIDGE_EVT_LOST = 209, /**< a link that was up broke */
};

#define BRIDGE_ADVERT_BONDED 1u /**< flags: lost its synchronization, but keeps our bond */

struct bridge_display {
	uint16_t width, height;
	uint8_t type;
};

/** Any message; which members mean something follows from `op` (see bridge_wire.c's table). */
struct bridge_msg {
	uint8_t op; /**< enum bridge_op, plus BRIDGE_REPLY for replies */
	uint32_t id;
	int status; /**< replies: 0, or a positive errno */
	uint8_t addr[BRIDGE_ADDR_BYTES];
	bool on;
	uint8_t subevent;
	uint8_t esl_id;
	int8_t rssi_dbm;
	uint8_t flags;
	uint8_t reason;
	uint16_t battery_mv;    /**< 0 = unknown */
	int16_t temperature_cc; /**< INT16_MIN = unknown */
	uint16_t esl_address;
	uint8_t response_key[EAD_WIRE_KEY_BYTES];
	uint8_t train_key[EAD_WIRE_KEY_BYTES];
	uint32_t abs_ms;
	uint8_t max_image_index;
	uint8_t image_index;
	uint8_t n_displays;
	uint8_t n_leds;
	struct bridge_display displays[BRIDGE_DISPLAYS_MAX];
	uint8_t leds[BRIDGE_LEDS_MAX];
	uint8_t tlv[ESL_TLV_MAX];
	uint8_t tlv_len;
	const uint8_t *data; /**< image; borrowed (decoded: from the message's bytes) */
	size_t data_len;
};

/** Appends one message. -ERR_RANGE for an unknown op or a value beyond its cap, -ENOMEM. */
int bridge_encode(const struct bridge_msg *m, struct buf *out) _must_check_;
/** Reads one message; checks every cap. Unknown ops are -ERR_VERSION. */
int bridge_decode(const void *data, size_t len, struct bridge_msg *ret) _must_check_;
const char *bridge_op_name(uint8_t op);
