/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A reader on the loop: a session (llrp_session) on a connection (reader_link), a timer, and the
 * patience to try again.
 */
#include "rfid/rfid.h"

#include "common/err.h"
#include "common/log.h"
#include "rfid/llrp_session.h"
#include "rfid/reader_link.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define COMP            "reader"
#define BACKOFF_MIN_US  (500 * US_PER_MS)
#define BACKOFF_MAX_US  (30 * US_PER_SEC)
#define STOP_TIMEOUT_US (2 * US_PER_SEC)
#define STABLE_US       (5 * US_PER_SEC) /* an inventory this long resets the back-off */

struct rfid_reader {
	struct loop *loop;
	const struct clock *clock;
	struct rfid_reader_config cfg;
	char *name, *host, *pin, *cert, *key;
	struct rfid_reader_callbacks cb;
	void *user;
	enum rfid_reader_state state;
	struct llrp_session *session;
	struct reader_link *link;
	struct loop_timer *timer;
	uint64_t connections;
	int64_t backoff_us;
	int64_t running_since_us; /**< 0 = not */
	uint32_t random;
	bool stopping;
	loop_fn stopped;
	void *stopped_user;
	int64_t stop_by_us;
	unsigned int busy; /**< callbacks may free us */
	bool freed;
};

const char *rfid_reader_state_str(enum rfid_reader_state s)
{
	static const char *const names[RFID_READER_STATE_COUNT] = {
		"idle",    "connecting", "negotiating", "configuring",
		"running", "stopping",   "waiting",
	};

	return (unsigned int) s < RFID_READER_STATE_COUNT ? names[s] : "unknown";
}

static void destroy(struct rfid_reader *r);

static void enter(struct rfid_reader *r)
{
	r->busy++;
}

static void leave(struct rfid_reader *r)
{
	if (--r->busy == 0 && r->freed)
		destroy(r);
}

static void set_state(struct rfid_reader *r, enum rfid_reader_state state, int err,
		      const char *text)
{
	if (r->freed || (r->state == state && err == 0))
		return;
	r->state = state;
	r->running_since_us = state == RFID_READER_RUNNING ? clock_mono_us(r->clock) : 0;
	log_debug(COMP, "reader=%s state=%s", r->name, rfid_reader_state_str(state));
	if (r->cb.state)
		r->cb.state(r->user, state, err, text);
}

/** xorshift: spreads the retries of many readers, nothing more. */
static uint32_t next_random(struct rfid_reader *r)
{
	r->random ^= r->random << 13;
	r->random ^= r->random >> 17;
	r->random ^= r->random << 5;
	return r->random;
}

static void finish_stop(struct rfid_reader *r)
{
	loop_fn done = r->stopped;

	reader_link_close(r->link);
	loop_timer_stop(r->timer);
	r->stopping = false;
	set_state(r, RFID_READER_IDLE, 0, NULL);
	if (done && !r->freed)
		done(r->stopped_user);
}

/** The connection, or the try for one, is over. */
static void lost(struct rfid_reader *r, int err, const char *text)
{
	char copy[224];
	int64_t delay_us;

	if (r->freed)
		return;
	if (r->stopping) {
		finish_stop(r);
		return;
	}
	snprintf(copy, sizeof(copy), "%s", text);
	llrp_session_access_end(r->session, -ERR_CLOSED, "the connection to the reader ended");
	if (r->freed)
		return;
	reader_link_close(r->link);
	if (r->running_since_us && clock_mono_us(r->clock) - r->running_since_us >= STABLE_US)
		r->backoff_us = 0;
	r->backoff_us = r->backoff_us ? MIN(2 * r->backoff_us, BACKOFF_MAX_US) : BACKOFF_MIN_US;
	/* Between three quarters and all of it, so that readers do not come back in step. */
	delay_us = r->backoff_us - (int64_t) (next_random(r) % 256) * (r->backoff_us / 1024);
	loop_timer_start(r->timer, delay_us);
	set_state(r, RFID_READER_WAITING, err, copy);
}

/* --- the session's callbacks ------------------------------------------------------------------ */

static void on_send(void *user, const uint8_t *data, size_t len)
{
	struct rfid_reader *r = user;

	reader_link_send(r->link, data, len);
}

static void on_state(void *user, enum rfid_reader_state state)
{
	if (state != RFID_READER_IDLE) /* that one comes with the end of the connection */
		set_state(user, state, 0, NULL);
}

static void on_reads(void *user, const struct rfid_read *reads, size_t n)
{
	struct rfid_reader *r = user;

	if (!r->freed && r->cb.reads)
		r->cb.reads(r->user, reads, n);
}

static void on_incident(void *user, const char *text)
{
	struct rfid_reader *r = user;

	if (!r->freed && r->cb.incident)
		r->cb.incident(r->user, text);
}

/** After each dealing with the session: is the connection still good, and when is the next tick? */
static void settle(struct rfid_reader *r, int err)
{
	int64_t at_us;

	if (r->freed || !reader_link_is_up(r->link))
		return;
	if (err < 0) {
		lost(r, err, llrp_session_text(r->session));
		return;
	}
	at_us = llrp_session_deadline(r->session);
	if (r->stopping)
		at_us = MIN(at_us, r->stop_by_us);
	if (at_us != INT64_MAX)
		loop_timer_start(r->timer, MAX(at_us - clock_mono_us(r->clock), 0));
	else
		loop_timer_stop(r->timer);
}

/* --- the connection's callbacks --------------------------------------------------------------- */

static void on_up(void *user)
{
	struct rfid_reader *r = user;

	enter(r);
	r->connections++;
	llrp_session_connected(r->session);
	set_state(r, RFID_READER_NEGOTIATING, 0, NULL);
	settle(r, 0);
	leave(r);
}

static int on_data(void *user, const uint8_t *data, size_t len)
{
	struct rfid_reader *r = user;
	int err;

	enter(r);
	err = llrp_session_feed(r->session, data, len);
	settle(r, err);
	leave(r);
	return err;
}

static void on_down(void *user, int err, const char *text)
{
	struct rfid_reader *r = user;

	enter(r);
	lost(r, err, text);
	leave(r);
}

static void begin_connect(struct rfid_reader *r)
{
	set_state(r, RFID_READER_CONNECTING, 0, NULL);
	if (!r->freed)
		reader_link_open(r->link);
}

static void on_timer(void *user)
{
	struct rfid_reader *r = user;

	enter(r);
	if (r->stopping &&
	    (!reader_link_is_up(r->link) || clock_mono_us(r->clock) >= r->stop_by_us))
		finish_stop(r);
	else if (r->state == RFID_READER_IDLE || r->state == RFID_READER_WAITING)
		begin_connect(r);
	else if (reader_link_is_up(r->link))
		settle(r, llrp_session_tick(r->session));
	leave(r);
}

/* --- the front door --------------------------------------------------------------------------- */

static int init(struct rfid_reader *r)
{
	const struct llrp_session_callbacks cb = {
		.send = on_send,
		.state = on_state,
		.reads = on_reads,
		.incident = on_incident,
	};
	const struct reader_link_callbacks link = {
		.up = on_up, .data = on_data, .down = on_down, .refused = on_incident};
	int err;

	if (!r->name || !r->host || !r->pin || !r->cert || !r->key)
		return -ENOMEM;
	err = llrp_session_new(&r->cfg, r->clock, &cb, r, &r->session);
	if (err == 0)
		err = reader_link_new(r->loop, &r->cfg, &link, r, &r->link);
	return err < 0 ? err : loop_timer_new(r->loop, on_timer, r, &r->timer);
}

/** The configuration, with strings of our own. */
static void copy_config(struct rfid_reader *r, const struct rfid_reader_config *cfg)
{
	r->cfg = *cfg;
	r->cfg.name = r->name = strdup(cfg->name ? cfg->name : cfg->host);
	r->cfg.host = r->host = strdup(cfg->host);
	r->cfg.tls_pin = r->pin = strdup(cfg->tls_pin ? cfg->tls_pin : "");
	r->cert = strdup(cfg->tls_cert ? cfg->tls_cert : "");
	r->key = strdup(cfg->tls_key ? cfg->tls_key : "");
	r->cfg.tls_cert = cfg->tls_cert ? r->cert : NULL;
	r->cfg.tls_key = cfg->tls_key ? r->key : NULL;
	if (r->cfg.port == 0 && !cfg->reader_calls)
		r->cfg.port = cfg->tls ? RFID_DEFAULT_TLS_PORT : RFID_DEFAULT_PORT;
}

int rfid_reader_new(struct loop *loop, const struct rfid_reader_config *cfg,
		    const struct rfid_reader_callbacks *cb, void *user, struct rfid_reader **ret)
{
	struct rfid_reader *r;
	int err;

	if (!cfg->host || !cfg->host[0])
		return -ERR_CONFIG;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->loop = loop;
	r->clock = loop_clock(loop);
	copy_config(r, cfg);
	r->cb = *cb;
	r->user = user;
	if (getrandom(&r->random, sizeof(r->random), GRND_NONBLOCK) != sizeof(r->random))
		r->random = (uint32_t) clock_mono_us(r->clock);
	r->random |= 1;
	err = init(r);
	if (err < 0) {
		destroy(r);
		return err;
	}
	/* From the loop, so that the first callback does not come before the caller has its
	 * pointer. */
	loop_timer_start(r->timer, 0);
	*ret = r;
	return 0;
}

static void stop(struct rfid_reader *r, int (*session_end)(struct llrp_session *s), loop_fn done,
		 void *user)
{
	enter(r);
	r->stopping = true;
	r->stopped = done;
	r->stopped_user = user;
	r->stop_by_us = clock_mono_us(r->clock) + STOP_TIMEOUT_US;
	if (reader_link_is_up(r->link) && r->state >= RFID_READER_NEGOTIATING &&
	    r->state <= RFID_READER_RUNNING && session_end(r->session) == 0) {
		settle(r, 0);
	} else if (r->state != RFID_READER_STOPPING) {
		/* Nothing to say goodbye to; done comes from the loop all the same. */
		reader_link_close(r->link);
		loop_timer_start(r->timer, 0);
	}
	leave(r);
}

void rfid_reader_stop(struct rfid_reader *r, loop_fn done, void *user)
{
	stop(r, llrp_session_stop, done, user);
}

void rfid_reader_leave(struct rfid_reader *r, loop_fn done, void *user)
{
	stop(r, llrp_session_leave, done, user);
}

int rfid_reader_access(struct rfid_reader *r, const struct rfid_access *access, rfid_access_fn fn,
		       void *user)
{
	int err;

	enter(r);
	err = reader_link_is_up(r->link) ? llrp_session_access(r->session, access, fn, user)
					 : -ERR_STATE;
	settle(r, 0); /* there is a deadline more */
	leave(r);
	return err;
}

static void destroy(struct rfid_reader *r)
{
	reader_link_free(r->link);
	loop_timer_free(r->timer);
	llrp_session_free(r->session);
	free(r->name);
	free(r->host);
	free(r->pin);
	free(r->cert);
	free(r->key);
	free(r);
}

void rfid_reader_free(struct rfid_reader *r)
{
	if (!r)
		return;
	r->freed = true;
	if (r->busy == 0)
		destroy(r);
}

enum rfid_reader_state rfid_reader_state(const struct rfid_reader *r)
{
	return r->state;
}

uint16_t rfid_reader_port(const struct rfid_reader *r)
{
	return reader_link_port(r->link);
}

void rfid_reader_get_stats(const struct rfid_reader *r, struct rfid_reader_stats *ret)
{
	llrp_session_get_stats(r->session, ret);
	ret->reconnects = r->connections ? r->connections - 1 : 0;
	snprintf(ret->tls_peer, sizeof(ret->tls_peer), "%s", reader_link_peer(r->link));
}
