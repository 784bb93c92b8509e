/* SPDX-License-Identifier: Apache-2.0 */
#include "ap-agent/escrow.h"
#include "ap-agent/backoff.h"
#include "common/err.h"
#include "common/fault.h"
#include "common/hex.h"
#include "common/log.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PATH        "/agent/v1/escrow"
#define TIMEOUT_US  (30 * US_PER_SEC)
#define SMALL_REPLY 4096
#define LARGE_REPLY (256 * 1024)
#define PATIENCE_US (60 * US_PER_SEC)  /* with a label that is held back */
#define TOO_OLD_US  (600 * US_PER_SEC) /* a controller that knows no escrow may be upgraded */
#define HELD_MAX    (PROTO_MAX_LABELS * LABEL_ADDR_BYTES)

struct escrow {
	struct loop *loop;
	struct escrow_config cfg;
	struct escrow_callbacks cb;
	void *user;
	bool online;
	/* telling */
	struct http_call *call;
	struct proto_escrow *sent;
	uint64_t revs[PROTO_MAX_ESCROW];
	struct backoff backoff;
	int64_t not_before_us;
	/* asking */
	struct http_call *question;
	struct loop_timer *ask;
	struct loop_timer *patience;
	struct backoff ask_backoff;
	bool wanted;    /**< somebody waits for an answer to a question that is not put yet */
	bool asking;    /**< it was put, and its last page has not come */
	bool releasing; /**< what is held back is being let go */
	uint8_t after[LABEL_ADDR_BYTES];
	size_t after_len;
	struct buf held; /**< addresses */
	unsigned int taken;
};

static int64_t now_us(const struct escrow *x)
{
	return clock_mono_us(loop_clock(x->loop));
}

/* --- telling ---------------------------------------------------------------------------------- */

static void forget_sent(struct escrow *x)
{
	proto_escrow_free(x->sent);
	x->sent = NULL;
}

static bool is_told(const struct escrow *x, const struct http_reply *reply)
{
	struct proto_ack ack;

	return reply->err == 0 && reply->status == 200 &&
	       proto_ack_decode(reply->body, reply->len, &ack, NULL) == 0 &&
	       ack.acked == x->sent->n;
}

static bool is_too_old(const struct http_reply *reply)
{
	return reply->err == 0 && (reply->status == 404 || reply->status == 405);
}

static void on_told(void *user, const struct http_reply *reply)
{
	struct escrow *x = user;
	int r = -ERR_PEER;

	x->call = NULL;
	if (is_told(x, reply))
		r = store_escrow_told(x->cfg.store, x->sent, x->revs);
	if (r == 0)
		x->backoff.failures = 0;
	else if (is_too_old(reply))
		x->not_before_us = now_us(x) + TOO_OLD_US;
	else
		x->not_before_us = now_us(x) + backoff_next(&x->backoff, BACKOFF_CAP_US);
	forget_sent(x);
	if (r == 0)
		escrow_tick(x); /* the next ones, at once */
}

static int tell(struct escrow *x)
{
	_cleanup_buf_ struct buf body = BUF_INIT;
	struct http_request rq = {
		.method = "POST", .path = PATH, .max_reply = SMALL_REPLY, .timeout_us = TIMEOUT_US};
	int r;

	x->sent = calloc(1, sizeof(*x->sent));
	if (!x->sent)
		return -ENOMEM;
	r = store_escrow_read(x->cfg.store, x->sent, x->revs);
	if (r < 0 || x->sent->n == 0)
		return r;
	x->sent->caps = x->cfg.caps;
	r = proto_escrow_encode(x->sent, &body);
	FAULT_POINT("agent.escrow.before_tell");
	rq.body = body.data;
	rq.body_len = body.len;
	if (r == 0)
		r = http_client_start(x->cfg.http, &rq, on_told, x, &x->call);
	if (body.data)
		explicit_bzero(body.data, body.len);
	return r;
}

void escrow_tick(struct escrow *x)
{
	int r;

	if (!x->online || x->call || store_escrow_owed(x->cfg.store) == 0 ||
	    now_us(x) < x->not_before_us)
		return;
	r = tell(x);
	if (x->call)
		return;
	forget_sent(x);
	if (r < 0) {
		x->not_before_us = now_us(x) + backoff_next(&x->backoff, BACKOFF_CAP_US);
		log_write(LOG_WARN, "escrow", r,
			  "msg=\"what is kept of labels cannot be told to the controller\"");
	}
}

void escrow_again(struct escrow *x)
{
	int r = store_escrow_again(x->cfg.store);

	if (r < 0)
		log_write(LOG_ERR, "escrow", r, "msg=\"cannot note that all is owed again\"");
}

/* --- asking ----------------------------------------------------------------------------------- */

static void let_one_go(void *user, const struct proto_desired_label *wish)
{
	struct escrow *x = user;

	x->cb.let_go(x->user, wish);
}

static void release(struct escrow *x)
{
	struct buf held = x->held;

	buf_init(&x->held, HELD_MAX);
	loop_timer_stop(x->patience);
	x->releasing = true;
	for (size_t i = 0; i + LABEL_ADDR_BYTES <= held.len; i += LABEL_ADDR_BYTES)
		if (store_desired_label(x->cfg.store, held.data + i, let_one_go, x) < 0)
			log_warn("escrow", "msg=\"a remembered wish cannot be read\"");
	x->releasing = false;
	buf_done(&held);
}

static void take(struct escrow *x, const struct proto_escrow *m)
{
	char key[STORE_NAME_MAX];

	for (size_t i = 0; i < m->n; i++) {
		const struct proto_escrow_entry *e = &m->list[i];
		int r;

		if (e->len == 0)
			continue;
		store_escrow_key(e->addr, e->kind, key);
		FAULT_POINT("agent.escrow.before_take");
		r = x->cb.take(x->user, key, e->data, e->len);
		FAULT_POINT("agent.escrow.after_take");
		if (r < 0 && r != -EEXIST && r != -ENOTSUP)
			log_write(LOG_WARN, "escrow", r,
				  "msg=\"what another machine kept of a label is of no use\"");
		x->taken += r == 0 && e->kind == ESCROW_BOND;
	}
}

/** Nothing more will come. */
static void answered(struct escrow *x)
{
	if (x->taken)
		log_notice("escrow", "labels=%u msg=\"took over labels of another machine\"",
			   x->taken);
	x->taken = 0;
	x->asking = false;
	x->ask_backoff.failures = 0;
	if (x->wanted) /* by labels that came since: all are let go together */
		loop_timer_start(x->ask, 0);
	else
		release(x);
}

static void on_answer(void *user, const struct http_reply *reply)
{
	_cleanup_(proto_escrow_freep) struct proto_escrow *m = calloc(1, sizeof(*m));
	struct escrow *x = user;

	x->question = NULL;
	if (is_too_old(reply)) {
		answered(x);
		return;
	}
	if (!m || reply->err < 0 || reply->status != 200 ||
	    proto_escrow_decode(reply->body, reply->len, m, NULL) < 0) {
		loop_timer_start(x->ask, backoff_next(&x->ask_backoff, BACKOFF_CAP_US));
		return;
	}
	take(x, m);
	if (m->more && m->n) {
		x->after_len = LABEL_ADDR_BYTES;
		memcpy(x->after, m->list[m->n - 1].addr, LABEL_ADDR_BYTES);
		loop_timer_start(x->ask, 0);
	} else {
		answered(x);
	}
}

static void on_ask(void *user)
{
	struct escrow *x = user;
	char path[128], hex[2 * PROTO_JOURNAL_ID_BYTES + 1];
	uint8_t machine[PROTO_JOURNAL_ID_BYTES];
	struct http_request rq = {
		.method = "GET", .path = path, .max_reply = LARGE_REPLY, .timeout_us = TIMEOUT_US};
	size_t len;
	int r;

	if (!x->online || x->question || !(x->asking || x->wanted))
		return;
	if (!x->asking) {
		x->asking = true;
		x->wanted = false;
		x->after_len = 0;
	}
	r = store_meta_get(x->cfg.store, "journal_id", machine, sizeof(machine), &len);
	if (r == 0) {
		snprintf(path, sizeof(path), PATH "?machine=%s",
			 hex_encode(machine, sizeof(machine), hex));
		if (x->after_len)
			snprintf(path + strlen(path), sizeof(path) - strlen(path), "&after=%s",
				 hex_encode(x->after, x->after_len, hex));
		r = http_client_start(x->cfg.http, &rq, on_answer, x, &x->question);
	}
	if (r < 0)
		loop_timer_start(x->ask, backoff_next(&x->ask_backoff, BACKOFF_CAP_US));
}

bool escrow_hold(struct escrow *x, const uint8_t addr[LABEL_ADDR_BYTES])
{
	if (x->releasing)
		return false;
	buf_put(&x->held, addr, LABEL_ADDR_BYTES);
	if (!buf_ok(&x->held)) { /* more than one message can bring */
		x->held.err = 0;
		return false;
	}
	x->wanted = true;
	if (!loop_timer_active(x->patience))
		loop_timer_start(x->patience, PATIENCE_US);
	if (!x->asking && !loop_timer_active(x->ask))
		loop_timer_start(x->ask, 0);
	return true;
}

/** The controller cannot be reached: what it has is taken when it answers, but who knows when. */
static void on_patience(void *user)
{
	release(user);
}

void escrow_online(struct escrow *x, bool online)
{
	x->online = online;
	if (!online)
		return;
	x->backoff.failures = x->ask_backoff.failures = 0;
	if (x->asking || x->wanted)
		loop_timer_start(x->ask, 0);
}

/* --- life ------------------------------------------------------------------------------------- */

int escrow_new(struct loop *loop, const struct escrow_config *cfg,
	       const struct escrow_callbacks *cb, void *user, struct escrow **ret)
{
	struct escrow *x = calloc(1, sizeof(*x));
	int r;

	if (!x)
		return -ENOMEM;
	x->loop = loop;
	x->cfg = *cfg;
	x->cb = *cb;
	x->user = user;
	x->backoff.rng = x->ask_backoff.rng = cfg->seed ? cfg->seed : 1;
	buf_init(&x->held, HELD_MAX);
	r = loop_timer_new(loop, on_ask, x, &x->ask);
	if (r == 0)
		r = loop_timer_new(loop, on_patience, x, &x->patience);
	if (r < 0) {
		escrow_free(x);
		return r;
	}
	*ret = x;
	return 0;
}

void escrow_free(struct escrow *x)
{
	if (!x)
		return;
	http_call_cancel(x->call);
	http_call_cancel(x->question);
	loop_timer_free(x->ask);
	loop_timer_free(x->patience);
	forget_sent(x);
	buf_done(&x->held);
	free(x);
}
