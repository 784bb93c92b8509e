/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What this access point keeps of its labels is kept by the controller as well, so that another
 * machine can look after them when this one is dead; and what another machine kept of labels that
 * are ours now comes from there.
 *
 * A label that the engine does not know is held back until the controller has been asked whether
 * another machine has told anything of it: with that one's bond it lets us in at once, without it
 * would have to forget its access point first.
 */
#pragma once

#include "ap-agent/http_client.h"
#include "ap-agent/store.h"

struct escrow;

struct escrow_callbacks {
	/** What another machine kept of a label; the bond comes before the label. */
	int (*take)(void *user, const char *key, const void *data, size_t len);
	/** The label need not wait any longer. */
	void (*let_go)(void *user, const struct proto_desired_label *wish);
};

struct escrow_config {
	struct http_client *http;
	struct store *store;
	uint64_t caps;
	uint64_t seed; /**< jitter; 0 = 1 */
};

int escrow_new(struct loop *loop, const struct escrow_config *cfg,
	       const struct escrow_callbacks *cb, void *user, struct escrow **ret) _must_check_;
/** NULL-safe. */
void escrow_free(struct escrow *x);
/** The controller can be asked; or not for now. */
void escrow_online(struct escrow *x, bool online);
/** Something may have changed: called about every second. */
void escrow_tick(struct escrow *x);
/** A wish came for a label that is not known: true = it is held back, and let_go() will come with
 * it. False from within let_go(). */
bool escrow_hold(struct escrow *x, const uint8_t addr[LABEL_ADDR_BYTES]);
/** The controller has another database. */
void escrow_again(struct escrow *x);
