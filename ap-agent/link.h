/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The standing link to the controller. Six lanes, each with one request at a time and a back-off
 * of its own, so that a refused batch of sightings does not keep a price from its label:
 *
 *     desired    long poll for what is wanted
 *     sightings  what the journal owes, oldest first
 *     labels     likewise, label reports
 *     reads      likewise, raw reads of the tags that are followed (follow.h)
 *     health     every 15 s
 *     renew      a new certificate, at two thirds of the old one's life
 *
 * Uploads wait for the first measurement of the clock (timebase.h). When one lane hears the
 * controller again after an absence, the others try again at once. A certificate that was taken
 * back ends the link for good; the journal goes on without it.
 */
#pragma once

#include "ap-agent/http_client.h"
#include "ap-agent/identity.h"
#include "ap-agent/journal.h"

struct link;

#define LINK_HEALTH_US (15 * US_PER_SEC)

struct link_config {
	struct http_client *http;
	struct journal *journal;
	struct timebase *tb;
	struct identity *identity;
	struct trust *trust;
	const char *name; /**< as the controller calls us; borrowed */
	const char *version;
	uint64_t caps;
	uint64_t epoch, rev; /**< of the desired state that is applied already */
	uint64_t seed;       /**< jitter; 0 = 1 */
};

struct link_callbacks {
	/** Changed (or, if full, complete) desired state. */
	void (*desired)(void *user, const struct proto_desired *d);
	/** The clock was measured anew. */
	void (*clock)(void *user);
	/** Fill in a report; it is zeroed. */
	void (*health)(void *user, struct proto_health *h);
	/** The desired state was brought up to date for the first time. */
	void (*linked)(void *user);
	/** The certificate is no longer good; the link has stopped. */
	void (*revoked)(void *user);
	/** There is a new certificate on disk. */
	void (*renewed)(void *user);
};

int link_new(struct loop *loop, const struct link_config *cfg, const struct link_callbacks *cb,
	     void *user, struct link **ret) _must_check_;
void link_free(struct link *l);
DEFINE_CLEANUP(struct link *, link_free)
void link_start(struct link *l);
/** The journal has something new in these streams (bit 1 << stream). */
void link_kick(struct link *l, unsigned int streams);
/** Something worth telling changed: report health now rather than in its turn. */
void link_health_soon(struct link *l);

bool link_online(const struct link *l);
bool link_revoked(const struct link *l);
/** A sentence about the last failure; empty while all is well. */
const char *link_last_error(const struct link *l);
