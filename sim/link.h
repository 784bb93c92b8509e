/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The connected side of one access point: the bridge protocol (esl-radio/bridge_wire.h) on a UNIX
 * sequenced-packet socket, with the time a real connection takes. Connecting waits for the label's
 * next subevent (or its next advertisement), every GATT procedure costs connection events of 15 ms,
 * pictures travel at about 100 kB/s, links may break, and there are only so many at a time.
 *
 * One client at a time. A client that goes away takes its links with it.
 */
#pragma once

#include "sim/radio.h"

struct sim_link_config {
	unsigned int max_links; /**< 0 = 4 */
	double drop;            /**< chance that a link breaks during one procedure */
	uint64_t seed;
};

struct sim_link;

/** Borrows the radio, which must outlive the link. */
int sim_link_new(struct loop *loop, struct sim_radio *radio, const struct sim_link_config *cfg,
		 struct sim_link **ret) _must_check_;
void sim_link_free(struct sim_link *k);
/** Serves clients at a UNIX path. */
int sim_link_listen(struct sim_link *k, const char *path) _must_check_;
/** Serves the client at the other end of this descriptor (owned from now on). */
int sim_link_attach(struct sim_link *k, int fd) _must_check_;
/** Links up or coming up. */
unsigned int sim_link_count(const struct sim_link *k);
