/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A label's own Bluetooth host on one link: pairing as the peripheral (LE Secure Connections, Just
 * Works), a GATT server with the ESL and the object transfer service, and one credit-based channel
 * for pictures. It reads and writes real packets; what they mean for the label is sim/label.h's.
 *
 *     label_host.c   the link: frames in and out, signals, the channel
 *     label_pair.c   the security manager
 *     label_gatt.c   attributes; what is behind them is label_service.h's
 *
 * No I/O and no time of its own: packets go out through callbacks, instants come with the calls.
 */
#pragma once

#include "esl-radio/le/le_crypto.h"
#include "sim/label_service.h"

struct label_host_io {
	/** A frame to the access point. */
	void (*frame)(void *user, uint16_t cid, const uint8_t *data, size_t len);
	/** The label ends the link. */
	void (*end)(void *user);
	/** Has the train's timing been handed over, and does the train run? */
	bool (*in_range)(void *user);
};

struct label_host;

int label_host_new(struct sim_label *label, struct label_bond *bond, const uint8_t central[7],
		   uint64_t seed, const struct label_host_io *io, void *user,
		   struct label_host **ret) _must_check_;
/** NULL-safe. */
void label_host_free(struct label_host *h);
void label_host_frame(struct label_host *h, uint16_t cid, const uint8_t *data, size_t len,
		      int64_t now_us);
/** The link's encryption started (the key was right). */
void label_host_encrypted(struct label_host *h, int64_t now_us);
