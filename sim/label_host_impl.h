/* SPDX-License-Identifier: Apache-2.0 */
/** @file Inside of a label's host, shared by label_host.c, label_pair.c, label_gatt.c.
 */
#pragma once

#include "common/buf.h"
#include "esl-radio/le/att_wire.h"
#include "esl-radio/le/l2cap_wire.h"
#include "esl-radio/le/ots_wire.h"
#include "esl-radio/le/smp_wire.h"
#include "sim/label_host.h"

#define HOST_MTU        247
#define HOST_QUEUE_MAX  512 /**< bytes of prepared writes */
#define CHANNEL_CID     0x50
#define CHANNEL_MTU     1494 /**< as one published label has it; the other takes 250 */
#define CHANNEL_MPS     247
#define CHANNEL_CREDITS 6

struct host_pair {
	bool running, verified;
	uint8_t step;
	uint8_t secret[LE_COORD_BYTES], dhkey[LE_COORD_BYTES];
	struct le_public_key own_key, peer_key;
	uint8_t own_nonce[LE_KEY_BYTES], peer_nonce[LE_KEY_BYTES];
	uint8_t mac_key[LE_KEY_BYTES], ltk[LE_KEY_BYTES];
	uint8_t peer_io_cap[3];
};

struct host_channel {
	bool open;
	uint16_t peer_cid;
	bool begun; /**< a unit, of which `unit_len` bytes come */
	struct buf unit;
	size_t unit_len;
	unsigned int credits; /**< the peer has left */
};

struct label_host {
	struct label_service service;
	const struct label_host_io *io;
	void *user;
	struct sim_rng rng;
	uint8_t own[LE_ADDR_BYTES], central[LE_ADDR_BYTES];
	bool encrypted, ended;
	uint16_t mtu;
	uint8_t signal_id;
	struct host_pair pair;
	struct host_channel channel;
	/* prepared writes, one value at a time */
	uint16_t queue_handle;
	struct buf queue;
};

/* label_host.c */
void host_send(struct label_host *h, uint16_t cid, const uint8_t *data, size_t len);
void host_signal(struct label_host *h, const struct l2cap_signal *s);
/** label_pair.c */
void host_pair_packet(struct label_host *h, const uint8_t *data, size_t len);
/** label_gatt.c */
void host_att_packet(struct label_host *h, const uint8_t *data, size_t len);
/** A new bond: nothing is switched on, and the attributes are known as they are. */
void host_bonded(struct label_host *h);
/** What an access point knows of the attributes may hold no more: it is told. */
void host_tell_changed(struct label_host *h);
/** Tells the access point a value by itself, if it has switched that on. */
void host_tell(struct label_host *h, enum label_value value, const uint8_t *data, size_t len);
