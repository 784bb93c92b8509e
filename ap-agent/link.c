/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/enroll.h"
#include "ap-agent/link_impl.h"
#include "ap-agent/problem.h"
#include "ap-agent/upload.h"
#include "common/err.h"
#include "common/log.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define POLL_WAIT_S   50
#define RENEW_REPLY   (32 * 1024)
/* A poll that comes back at once with nothing new must not become a busy loop. */
#define POLL_PAUSE_US US_PER_SEC

static const char *const lane_name[LANE_COUNT] = {"desired", "sightings", "labels",
						  "reads",   "health",    "renew"};

void link_lane_again(struct lane *lane, int64_t delay_us)
{
	if (!lane->link->revoked)
		loop_timer_start(lane->timer, delay_us);
}

const char *link_lane_name(const struct lane *lane)
{
	return lane_name[lane->kind];
}

/* --- what came of a request ------------------------------------------------------------------- */

void link_lane_failed(struct lane *lane, int err, const char *why)
{
	struct link *l = lane->link;
	int64_t delay = backoff_next(&lane->backoff, BACKOFF_CAP_US);
	/* One line for an absence that all lanes feel; one for each lane that is answered but not
	 * served; none for the tries in between. */
	char quoted[PROTO_TEXT_MAX];
	bool *told = lane->answered ? &lane->told : &l->told_away;

	snprintf(l->last_error, sizeof(l->last_error), "%s: %s", link_lane_name(lane), why);
	l->error_lane = lane->kind;
	log_write(*told ? LOG_DEBUG : LOG_WARN, "link", err, "lane=%s retry_ms=%lld msg=\"%s\"",
		  link_lane_name(lane), (long long) (delay / US_PER_MS),
		  log_quote(why, quoted, sizeof(quoted)));
	*told = true;
	if (!lane->answered)
		l->online = false;
	link_lane_again(lane, delay);
}

/* Nobody else needs to sit out a back-off; but not all at the same instant. */
static void wake_others(struct lane *lane)
{
	struct link *l = lane->link;

	for (size_t i = 0; i < LANE_COUNT; i++) {
		struct lane *other = &l->lane[i];

		if (other != lane && other->backoff.failures && !other->call) {
			other->backoff.failures = 0;
			link_lane_again(other, backoff_random(&other->backoff, US_PER_SEC / 2));
		}
	}
}

void link_lane_worked(struct lane *lane)
{
	struct link *l = lane->link;

	if (lane->told || l->told_away)
		log_notice("link", "lane=%s msg=\"the controller answers again\"",
			   link_lane_name(lane));
	lane->backoff.failures = 0;
	lane->told = false;
	l->told_away = false;
	if (l->error_lane == lane->kind || !l->online)
		l->last_error[0] = '\0';
	if (!l->online) {
		l->online = true;
		wake_others(lane);
	}
}

static void end_for_good(struct link *l)
{
	for (size_t i = 0; i < LANE_COUNT; i++) {
		http_call_cancel(l->lane[i].call);
		l->lane[i].call = NULL;
		loop_timer_stop(l->lane[i].timer);
	}
	l->revoked = true;
	l->online = false;
	snprintf(l->last_error, sizeof(l->last_error), "the certificate was taken back");
	log_error("link", "msg=\"the controller has taken back this agent's certificate; going on"
			  " with the journal only. A new join code brings it back.\"");
	l->cb.revoked(l->user);
}

/* True when the reply is worth decoding. */
bool link_reply_good(struct lane *lane, const struct http_reply *reply)
{
	char code[PROBLEM_CODE_MAX];
	char why[128];

	lane->answered = reply->err == 0;
	if (reply->err < 0) {
		link_lane_failed(lane, reply->err, reply->why);
		return false;
	}
	if (reply->status == 200)
		return true;
	problem_code(reply->body, reply->len, code);
	if (reply->status == 403 && strcmp(code, "revoked") == 0) {
		end_for_good(lane->link);
		return false;
	}
	snprintf(why, sizeof(why), "the controller answers %u %s", reply->status, code);
	if (link_batch_refused(lane, reply->status, code, why)) {
		lane->backoff.failures = 0;
		link_lane_again(lane, 0);
	} else {
		link_lane_failed(lane, -ERR_PEER, why);
	}
	return false;
}

void link_take_time(struct lane *lane, const struct http_reply *reply, int64_t server_time_us)
{
	struct link *l = lane->link;
	bool first = !l->cfg.tb->known;

	if (!timebase_sample(l->cfg.tb, reply->sent_mono_us, reply->recv_mono_us, server_time_us))
		return;
	l->cb.clock(l->user);
	if (first)
		link_kick(l, LINK_ALL_STREAMS);
}

/* --- desired ---------------------------------------------------------------------------------- */

static void take_desired(struct lane *lane, const struct proto_desired *d)
{
	struct link *l = lane->link;
	bool advanced = d->rev != l->rev || d->epoch != l->epoch;
	bool news = advanced || d->n_labels || d->has_readers || d->watch || d->rotate_keys_us ||
		    (d->sensor_period_s && d->sensor_period_s != l->sensor_period_s) ||
		    (d->full && !l->synced);
	int64_t took = clock_mono_us(l->clock) - lane->started_us;

	if (d->epoch != l->epoch && !d->full) {
		/* Another database and only its changes: what we hold says nothing about it. */
		log_notice("link", "msg=\"the controller has another database; asking for all\"");
		l->epoch = 0;
		l->rev = 0;
		link_lane_again(lane, POLL_PAUSE_US);
		return;
	}
	l->epoch = d->epoch;
	l->rev = d->rev;
	if (d->sensor_period_s)
		l->sensor_period_s = d->sensor_period_s;
	if (news)
		l->cb.desired(l->user, d);
	link_lane_again(lane, advanced || took >= POLL_PAUSE_US ? 0 : POLL_PAUSE_US);
	if (!l->synced) {
		l->synced = true;
		l->cb.linked(l->user);
	}
}

static void on_desired(void *user, const struct http_reply *reply)
{
	struct lane *lane = user;
	struct proto_desired d;

	lane->call = NULL;
	if (!link_reply_good(lane, reply))
		return;

	int r = proto_desired_decode(reply->body, reply->len, &d, NULL);

	if (r < 0) {
		link_lane_failed(lane, r, "the controller's answer does not parse");
		return;
	}
	link_lane_worked(lane);
	link_take_time(lane, reply, d.server_time_us);
	take_desired(lane, &d);
	proto_desired_done(&d);
}

static int start_desired(struct lane *lane)
{
	struct link *l = lane->link;
	unsigned int wait_s = l->synced ? POLL_WAIT_S : 0;
	char path[128];

	snprintf(path, sizeof(path), "/agent/v1/desired?epoch=%llu&after=%llu&wait=%u",
		 (unsigned long long) l->epoch, (unsigned long long) l->rev, wait_s);

	struct http_request req = {.method = "GET",
				   .path = path,
				   .max_reply = PROTO_MAX_BODY,
				   .timeout_us = wait_s * US_PER_SEC + LINK_TIMEOUT_US};

	return http_client_start(l->cfg.http, &req, on_desired, lane, &lane->call);
}

/* --- health and renewal ----------------------------------------------------------------------- */

static bool renewal_due(const struct link *l)
{
	int64_t from, to;

	identity_times(l->cfg.identity, &from, &to);
	return l->cfg.tb->known && to > from &&
	       timebase_now(l->cfg.tb) > from + (to - from) / 3 * 2;
}

static void on_health(void *user, const struct http_reply *reply)
{
	struct lane *lane = user;
	struct link *l = lane->link;
	struct lane *renew = &l->lane[LANE_RENEW];
	struct proto_health_response m;

	lane->call = NULL;
	if (!link_reply_good(lane, reply))
		return;

	int r = proto_health_response_decode(reply->body, reply->len, &m, NULL);

	if (r < 0) {
		link_lane_failed(lane, r, "the controller's answer does not parse");
		return;
	}
	link_lane_worked(lane);
	link_take_time(lane, reply, m.server_time_us);
	link_lane_again(lane, LINK_HEALTH_US - US_PER_SEC +
				      backoff_random(&lane->backoff, 2 * US_PER_SEC));
	if (renewal_due(l) && !renew->call && !loop_timer_active(renew->timer))
		link_lane_again(renew, 0);
}

static int start_health(struct lane *lane)
{
	struct link *l = lane->link;
	_cleanup_free_ struct proto_health *h = calloc(1, sizeof(*h));
	_cleanup_buf_ struct buf body = BUF_INIT;

	if (!h)
		return -ENOMEM;
	l->cb.health(l->user, h);

	int r = proto_health_encode(h, &body);

	if (r < 0)
		return r;

	struct http_request req = {.method = "POST",
				   .path = "/agent/v1/health",
				   .body = body.data,
				   .body_len = body.len,
				   .max_reply = LINK_SMALL_REPLY,
				   .timeout_us = LINK_TIMEOUT_US};

	return http_client_start(l->cfg.http, &req, on_health, lane, &lane->call);
}

static void on_renew(void *user, const struct http_reply *reply)
{
	struct lane *lane = user;
	struct link *l = lane->link;
	struct proto_enroll_response *m = NULL;

	lane->call = NULL;
	if (!link_reply_good(lane, reply))
		return;

	int r = enroll_accept(l->cfg.identity, l->cfg.trust, reply->body, reply->len, &m);

	if (r < 0) {
		link_lane_failed(lane, r, "the new certificate cannot be used");
		return;
	}
	free(m);
	link_lane_worked(lane);
	http_client_identify(l->cfg.http, true);
	log_notice("link", "msg=\"certificate renewed\"");
	l->cb.renewed(l->user);
}

static int start_renew(struct lane *lane)
{
	struct link *l = lane->link;
	_cleanup_buf_ struct buf body = BUF_INIT;
	int r = enroll_request(l->cfg.identity, "", l->cfg.name, l->cfg.version, l->cfg.caps,
			       &body);

	if (r < 0)
		return r;

	struct http_request req = {.method = "POST",
				   .path = "/agent/v1/renew",
				   .body = body.data,
				   .body_len = body.len,
				   .max_reply = RENEW_REPLY,
				   .timeout_us = LINK_TIMEOUT_US};

	return http_client_start(l->cfg.http, &req, on_renew, lane, &lane->call);
}

/* --- the link --------------------------------------------------------------------------------- */

static void lane_run(void *user)
{
	static int (*const start[LANE_COUNT])(struct lane *) = {
		[LANE_DESIRED] = start_desired,    [LANE_SIGHTINGS] = link_start_upload,
		[LANE_LABELS] = link_start_upload, [LANE_READS] = link_start_upload,
		[LANE_HEALTH] = start_health,      [LANE_RENEW] = start_renew,
	};
	struct lane *lane = user;

	if (lane->call || lane->link->revoked)
		return;
	lane->started_us = clock_mono_us(lane->link->clock);

	int r = start[lane->kind](lane);

	if (r < 0)
		link_lane_failed(lane, r, "the request could not be made");
}

int link_new(struct loop *loop, const struct link_config *cfg, const struct link_callbacks *cb,
	     void *user, struct link **ret)
{
	_cleanup_(link_freep) struct link *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->cfg = *cfg;
	l->cb = *cb;
	l->user = user;
	l->clock = loop_clock(loop);
	l->epoch = cfg->epoch;
	l->rev = cfg->rev;
	for (size_t i = 0; i < LANE_COUNT; i++) {
		struct lane *lane = &l->lane[i];

		lane->link = l;
		lane->kind = (enum lane_kind) i;
		lane->batch = UPLOAD_MAX_SIGHTINGS;
		lane->backoff.rng = (cfg->seed ? cfg->seed : 1) * (2 * i + 1);

		int r = loop_timer_new(loop, lane_run, lane, &lane->timer);

		if (r < 0)
			return r;
	}
	*ret = TAKE_PTR(l);
	return 0;
}

void link_free(struct link *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < LANE_COUNT; i++) {
		http_call_cancel(l->lane[i].call);
		loop_timer_free(l->lane[i].timer);
	}
	free(l);
}

void link_start(struct link *l)
{
	l->started = true;
	link_lane_again(&l->lane[LANE_HEALTH], 0);
	link_lane_again(&l->lane[LANE_DESIRED], 0);
	link_kick(l, LINK_ALL_STREAMS);
}

void link_health_soon(struct link *l)
{
	struct lane *lane = &l->lane[LANE_HEALTH];

	if (l->started && !lane->call && lane->backoff.failures == 0)
		link_lane_again(lane, US_PER_SEC / 2);
}

bool link_online(const struct link *l)
{
	return l->online;
}

bool link_revoked(const struct link *l)
{
	return l->revoked;
}

const char *link_last_error(const struct link *l)
{
	return l->last_error;
}
