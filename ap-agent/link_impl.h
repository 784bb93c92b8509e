/* SPDX-License-Identifier: Apache-2.0 */
/** @file The lanes of the link, shared by link.c (what came of a request, desired state, health,
 * renewal) and link_upload.c (what waits in the journal). */
#pragma once

#include "ap-agent/backoff.h"
#include "ap-agent/link.h"

#define LINK_TIMEOUT_US  (30 * US_PER_SEC)
#define LINK_SMALL_REPLY 4096

enum lane_kind {
	LANE_DESIRED,
	LANE_SIGHTINGS,
	LANE_LABELS,
	LANE_READS,
	LANE_HEALTH,
	LANE_RENEW,
	LANE_COUNT
};

struct lane {
	struct link *link;
	enum lane_kind kind;
	struct http_call *call;
	struct loop_timer *timer;
	struct backoff backoff;
	int64_t started_us;
	uint64_t first; /**< uploads: number of the first entry under way, and how many */
	size_t n;
	size_t batch; /**< uploads: entries to try at once; shrinks when a batch is refused */
	unsigned int refusals; /**< uploads: how often `first` was refused alone */
	bool aside_failed;     /**< the log knows that no more can be set aside */
	bool answered;         /**< there was an answer to the last request, good or bad */
	bool told;             /**< the log knows that this lane is not served */
};

struct link {
	struct link_config cfg;
	struct link_callbacks cb;
	void *user;
	const struct clock *clock;
	struct lane lane[LANE_COUNT];
	bool started;
	int64_t sensor_period_s; /**< as last told */
	bool synced;             /**< desired state was fetched once */
	bool online;
	bool told_away;            /**< the log knows that the controller is away */
	enum lane_kind error_lane; /**< whose failure last_error is */
	bool revoked;
	uint64_t epoch, rev;
	char last_error[PROTO_TEXT_MAX];
};

/** Runs the lane again after so long, unless the link has ended for good. */
void link_lane_again(struct lane *lane, int64_t delay_us);
/** The request came to nothing: told, and tried again after a while. */
void link_lane_failed(struct lane *lane, int err, const char *why);
/** The controller served it. */
void link_lane_worked(struct lane *lane);
/** True when the reply is worth decoding; what else it is has been dealt with. */
bool link_reply_good(struct lane *lane, const struct http_reply *reply);
/** What the controller's clock says. */
void link_take_time(struct lane *lane, const struct http_reply *reply, int64_t server_time_us);
/** Of the lane, for the log and for a person. */
const char *link_lane_name(const struct lane *lane);

/* --- link_upload.c ---------------------------------------------------------------------------- */

/** Every stream of the journal, a bit each. */
#define LINK_ALL_STREAMS (1u << JOURNAL_SIGHTINGS | 1u << JOURNAL_LABELS | 1u << JOURNAL_READS)

int link_start_upload(struct lane *lane);
/** A batch that is refused may hold one entry that the controller cannot take: try less, down to
 * that entry. True when it is out of the way. */
bool link_batch_refused(struct lane *lane, unsigned int status, const char *code, const char *why);
