/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/enroll.h"
#include "ap-agent/backoff.h"
#include "ap-agent/problem.h"
#include "common/err.h"
#include "common/log.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TIMEOUT_US     (30 * US_PER_SEC)
#define REFUSED_CAP_US (300 * US_PER_SEC)
#define MAX_REPLY      (32 * 1024)

struct enroll {
	struct enroll_config cfg;
	struct loop_timer *timer;
	struct http_call *call;
	struct backoff backoff;
	enroll_fn fn;
	void *user;
	char last_error[PROTO_TEXT_MAX];
};

int enroll_request(const struct identity *id, const char *code, const char *name,
		   const char *version, uint64_t caps, struct buf *out)
{
	_cleanup_free_ struct proto_enroll_request *m = calloc(1, sizeof(*m));
	_cleanup_buf_ struct buf csr = BUF_INIT;

	if (!m)
		return -ENOMEM;

	int r = identity_csr(id, name, &csr);

	if (r < 0)
		return r;
	if (csr.len > sizeof(m->csr))
		return -ERR_TOO_LARGE;
	m->caps = caps;
	snprintf(m->code, sizeof(m->code), "%s", code);
	snprintf(m->name, sizeof(m->name), "%s", name);
	snprintf(m->version, sizeof(m->version), "%s", version);
	memcpy(m->csr, csr.data, csr.len);
	m->csr_len = csr.len;
	return proto_enroll_request_encode(m, out);
}

int enroll_accept(struct identity *id, struct trust *trust, const void *body, size_t len,
		  struct proto_enroll_response **ret)
{
	_cleanup_free_ struct proto_enroll_response *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;

	int r = proto_enroll_response_decode(body, len, m, NULL);

	if (r < 0)
		return r;
	if (!trust_is_ca(trust, m->ca, m->ca_len))
		return -ERR_TLS;
	r = identity_accept(id, m->cert, m->cert_len, m->ca, m->ca_len);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(m);
	return 0;
}

static void again(struct enroll *e, int err, bool refused, const char *why)
{
	char quoted[PROTO_TEXT_MAX];
	int64_t delay = backoff_next(&e->backoff, refused ? REFUSED_CAP_US : BACKOFF_CAP_US);

	if (refused) /* nobody mends a code in a second */
		delay = MAX(delay, REFUSED_CAP_US / 2);
	snprintf(e->last_error, sizeof(e->last_error), "enrolment: %s", why);
	log_write(LOG_WARN, "enroll", err, "retry_s=%lld msg=\"not enrolled: %s\"",
		  (long long) (delay / US_PER_SEC), log_quote(why, quoted, sizeof(quoted)));
	loop_timer_start(e->timer, delay);
}

static void on_reply(void *user, const struct http_reply *reply)
{
	struct enroll *e = user;
	struct proto_enroll_response *m = NULL;
	char code[PROBLEM_CODE_MAX];
	char why[128];

	e->call = NULL;
	if (reply->err < 0) {
		again(e, reply->err, false, reply->why);
		return;
	}
	if (reply->status != 200) {
		bool refused = reply->status >= 400 && reply->status < 500 && reply->status != 429;

		problem_code(reply->body, reply->len, code);
		snprintf(why, sizeof(why), "the controller answers %u %s%s", reply->status, code,
			 refused ? "; is the join code still good?" : "");
		again(e, 0, refused, why);
		return;
	}

	int r = enroll_accept(e->cfg.identity, e->cfg.trust, reply->body, reply->len, &m);

	if (r < 0) {
		again(e, r, false, "the controller's answer cannot be used");
		return;
	}
	timebase_sample(e->cfg.tb, reply->sent_mono_us, reply->recv_mono_us, m->server_time_us);
	e->fn(e->user, m->agent_id, m->name); /* may free e */
	free(m);
}

static void attempt(void *user)
{
	struct enroll *e = user;
	_cleanup_buf_ struct buf body = BUF_INIT;
	int r = enroll_request(e->cfg.identity, e->cfg.code.text, e->cfg.name, e->cfg.version,
			       e->cfg.caps, &body);

	if (r >= 0) {
		struct http_request req = {.method = "POST",
					   .path = "/agent/v1/enroll",
					   .body = body.data,
					   .body_len = body.len,
					   .max_reply = MAX_REPLY,
					   .timeout_us = TIMEOUT_US};

		r = http_client_start(e->cfg.http, &req, on_reply, e, &e->call);
	}
	if (r < 0)
		again(e, r, false, "the request could not be made");
}

int enroll_new(struct loop *loop, const struct enroll_config *cfg, enroll_fn fn, void *user,
	       struct enroll **ret)
{
	struct enroll *e = calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	e->cfg = *cfg;
	e->backoff.rng = cfg->seed ? cfg->seed : 1;
	e->fn = fn;
	e->user = user;

	int r = loop_timer_new(loop, attempt, e, &e->timer);

	if (r < 0) {
		free(e);
		return r;
	}
	trust_expect(cfg->trust, cfg->code.fingerprint);
	loop_timer_start(e->timer, 0);
	*ret = e;
	return 0;
}

void enroll_free(struct enroll *e)
{
	if (!e)
		return;
	http_call_cancel(e->call);
	loop_timer_free(e->timer);
	/* it carried the code */
	memset(&e->cfg.code, 0, sizeof(e->cfg.code));
	free(e);
}

const char *enroll_last_error(const struct enroll *e)
{
	return e->last_error;
}
