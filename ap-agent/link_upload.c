/* SPDX-License-Identifier: Apache-2.0 */
/** @file The link's lanes of what waits in the journal: batches, what is acknowledged of them, and
 * the entry that the controller cannot take. */
#include "ap-agent/link_impl.h"
#include "ap-agent/upload.h"
#include "common/err.h"
#include "common/fault.h"
#include "common/log.h"
#include <string.h>

/* An entry that was refused alone so often, for its own sake, never gets in. */
#define REFUSALS_MAX 5

/* The uploads: which stream goes where. */
static const struct upload {
	enum lane_kind lane;
	enum journal_stream stream;
	const char *path;
} uploads[] = {
	{LANE_SIGHTINGS, JOURNAL_SIGHTINGS, "/agent/v1/sightings"},
	{LANE_LABELS, JOURNAL_LABELS, "/agent/v1/labels"},
	{LANE_READS, JOURNAL_READS, "/agent/v1/reads"},
};

static const struct upload *upload_of(enum lane_kind kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(uploads); i++)
		if (uploads[i].lane == kind)
			return &uploads[i];
	return NULL;
}

static enum journal_stream stream_of(const struct lane *lane)
{
	return upload_of(lane->kind)->stream;
}

static bool is_upload(const struct lane *lane)
{
	return upload_of(lane->kind) != NULL;
}

/* Is the refusal about what the body says? Not about who we are or how busy it is there; and not
 * about the protocol's version, which an upgrade cures. */
static bool is_about_content(unsigned int status, const char *code)
{
	return (status == 400 || status == 413 || status == 422) &&
	       strcmp(code, "protocol-version") != 0 && strcmp(code, "version") != 0;
}

/* One entry must not hold up all that follow: it is kept aside, and told in the log and in every
 * health report. */
static bool set_aside(struct lane *lane, const char *why)
{
	struct link *l = lane->link;
	char quoted[PROTO_TEXT_MAX];
	int r = journal_set_aside(l->cfg.journal, stream_of(lane), lane->first, why);

	log_write(r < 0 && lane->aside_failed ? LOG_DEBUG : LOG_ERR, "link", r,
		  "lane=%s seq=%llu aside=%llu msg=\"%s: %s\"", link_lane_name(lane),
		  (unsigned long long) lane->first,
		  (unsigned long long) journal_refused(l->cfg.journal),
		  r < 0 ? "an entry is refused for good and cannot be set aside"
			: "an entry is refused for good and set aside",
		  log_quote(why, quoted, sizeof(quoted)));
	lane->aside_failed = r < 0;
	lane->refusals = 0;
	return r == 0;
}

bool link_batch_refused(struct lane *lane, unsigned int status, const char *code, const char *why)
{
	if (status < 400 || status >= 500)
		return false;
	lane->batch = MAX(lane->batch / 2, (size_t) 1);
	if (!is_upload(lane) || lane->n != 1 || !is_about_content(status, code))
		return false;
	return ++lane->refusals >= REFUSALS_MAX && set_aside(lane, why);
}

static void on_ack(void *user, const struct http_reply *reply)
{
	struct lane *lane = user;
	struct link *l = lane->link;
	struct proto_ack ack;

	lane->call = NULL;
	FAULT_POINT("agent.send.after");
	if (lane->kind == LANE_READS)
		FAULT_POINT("agent.reads.after");
	if (!link_reply_good(lane, reply))
		return;

	int r = proto_ack_decode(reply->body, reply->len, &ack, NULL);

	if (r < 0) {
		link_lane_failed(lane, r, "the controller's answer does not parse");
		return;
	}
	/* It may have more than this batch, from a try whose answer was lost; but not what was
	 * never given a number, and an answer that acknowledges nothing is none. */
	if (ack.acked < lane->first ||
	    journal_ack(l->cfg.journal, stream_of(lane), ack.acked) < 0) {
		link_lane_failed(lane, -ERR_PEER, "the controller acknowledges what was not sent");
		return;
	}
	lane->batch = MIN(lane->batch * 2, (size_t) UPLOAD_MAX_SIGHTINGS);
	lane->refusals = 0;
	link_lane_worked(lane);
	link_take_time(lane, reply, ack.server_time_us);
	if (journal_depth(l->cfg.journal, stream_of(lane)))
		link_lane_again(lane, 0);
}

int link_start_upload(struct lane *lane)
{
	struct link *l = lane->link;
	_cleanup_buf_ struct buf body = BUF_INIT;

	if (!l->cfg.tb->known) /* link_take_time() comes back to it */
		return 0;

	int r = upload_build(l->cfg.journal, stream_of(lane), l->cfg.caps, lane->batch, &body,
			     &lane->first, &lane->n);

	if (r == -ERR_CORRUPT) {
		if (!set_aside(lane, "it does not decode"))
			return r;
		link_lane_again(lane, 0);
		return 0;
	}
	if (r < 0 || lane->n == 0)
		return r;

	struct http_request req = {.method = "POST",
				   .path = upload_of(lane->kind)->path,
				   .body = body.data,
				   .body_len = body.len,
				   .max_reply = LINK_SMALL_REPLY,
				   .timeout_us = LINK_TIMEOUT_US};

	FAULT_POINT("agent.send.before");
	if (lane->kind == LANE_READS)
		FAULT_POINT("agent.reads.before");
	return http_client_start(l->cfg.http, &req, on_ack, lane, &lane->call);
}

void link_kick(struct link *l, unsigned int streams)
{
	for (size_t i = 0; i < ARRAY_SIZE(uploads); i++) {
		struct lane *lane = &l->lane[uploads[i].lane];

		/* A lane that waits out a failure is left to it. */
		if ((streams & 1u << uploads[i].stream) && l->started && !lane->call &&
		    !loop_timer_active(lane->timer))
			link_lane_again(lane, 0);
	}
}
