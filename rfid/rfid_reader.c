/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A reader on the loop: the IO around llrp_session. One socket, one timer, and the patience to try
 * again. Names are resolved on the work pool; a job that outlives its reader is told so.
 */
#include "rfid/rfid.h"

#include "common/buf.h"
#include "common/err.h"
#include "common/log.h"
#include "rfid/llrp_session.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define COMP               "reader"
#define BACKOFF_MIN_US     (500 * US_PER_MS)
#define BACKOFF_MAX_US     (30 * US_PER_SEC)
#define CONNECT_TIMEOUT_US (10 * US_PER_SEC)
#define STOP_TIMEOUT_US    (2 * US_PER_SEC)
#define STABLE_US          (5 * US_PER_SEC) /* an inventory this long resets the back-off */
#define RECV_BYTES         16384
#define RECV_ROUNDS        8 /* then the loop's other watchers get their turn */
#define MAX_UNSENT         (1u << 20)
#define MAX_ADDRESSES      8

struct address {
	struct sockaddr_storage storage;
	socklen_t len;
};

/** A name being resolved on the pool. */
struct lookup {
	struct rfid_reader *reader; /**< NULL when the reader is gone */
	char *host;
	char port[8];
	struct address addresses[MAX_ADDRESSES];
	size_t n;
	int err; /**< of getaddrinfo() */
};

struct rfid_reader {
	struct loop *loop;
	const struct clock *clock;
	struct rfid_reader_config cfg;
	char *name, *host;
	struct rfid_reader_callbacks cb;
	void *user;
	enum rfid_reader_state state;
	struct llrp_session *session;
	struct lookup *lookup;
	int fd;
	struct loop_io *io;
	struct loop_timer *timer;
	struct buf tx;
	int tx_err;
	unsigned int attempts;
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

static void hang_up(struct rfid_reader *r)
{
	loop_io_free(r->io);
	r->io = NULL;
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
	buf_clear(&r->tx);
	r->tx_err = 0;
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

	hang_up(r);
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
	hang_up(r);
	if (r->running_since_us && clock_mono_us(r->clock) - r->running_since_us >= STABLE_US)
		r->backoff_us = 0;
	r->backoff_us = r->backoff_us ? MIN(2 * r->backoff_us, BACKOFF_MAX_US) : BACKOFF_MIN_US;
	/* Between three quarters and all of it, so that readers do not come back in step. */
	delay_us = r->backoff_us - (int64_t) (next_random(r) % 256) * (r->backoff_us / 1024);
	loop_timer_start(r->timer, delay_us);
	set_state(r, RFID_READER_WAITING, err, copy);
}

/* --- the session's callbacks ------------------------------------------------------------------ */

static void flush(struct rfid_reader *r)
{
	while (r->tx.len && !r->tx_err) {
		ssize_t n = send(r->fd, r->tx.data, r->tx.len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n >= 0)
			buf_consume(&r->tx, (size_t) n);
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			break;
		else if (errno != EINTR)
			r->tx_err = -errno;
	}
	if (r->io)
		loop_io_set(r->io, r->tx.len ? LOOP_READ | LOOP_WRITE : LOOP_READ);
}

static void on_send(void *user, const uint8_t *data, size_t len)
{
	struct rfid_reader *r = user;

	if (r->fd < 0)
		return;
	buf_put(&r->tx, data, len);
	if (!buf_ok(&r->tx) || r->tx.len > MAX_UNSENT)
		r->tx_err = r->tx_err ? r->tx_err : -ENOBUFS;
	flush(r);
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

	if (r->freed || r->fd < 0)
		return;
	if (err < 0) {
		lost(r, err, llrp_session_text(r->session));
		return;
	}
	if (r->tx_err) {
		lost(r, r->tx_err, "the connection broke while sending");
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

/* --- the socket ------------------------------------------------------------------------------- */

static void lost_connect(struct rfid_reader *r, int err)
{
	char text[160];

	snprintf(text, sizeof(text), "could not connect to %.64s port %u: %s", r->host, r->cfg.port,
		 strerror(err));
	lost(r, -err, text);
}

static void on_connected(struct rfid_reader *r)
{
	int err = 0;
	socklen_t len = sizeof(err);

	if (getsockopt(r->fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
		err = errno;
	if (err) {
		lost_connect(r, err);
		return;
	}
	r->connections++;
	loop_io_set(r->io, LOOP_READ);
	llrp_session_connected(r->session);
	set_state(r, RFID_READER_NEGOTIATING, 0, NULL);
	settle(r, 0);
}

static void on_readable(struct rfid_reader *r)
{
	uint8_t data[RECV_BYTES];
	int err = 0;

	for (int i = 0; i < RECV_ROUNDS && err == 0 && !r->freed && r->fd >= 0; i++) {
		ssize_t n = recv(r->fd, data, sizeof(data), MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (n <= 0) {
			lost(r, n < 0 ? -errno : -ERR_CLOSED,
			     n < 0 ? "the connection broke" : "the reader ended the connection");
			return;
		}
		err = llrp_session_feed(r->session, data, (size_t) n);
	}
	settle(r, err);
}

static void on_io(void *user, unsigned int events)
{
	struct rfid_reader *r = user;

	enter(r);
	if (r->state == RFID_READER_CONNECTING) {
		on_connected(r);
	} else {
		if (events & LOOP_WRITE)
			flush(r);
		if (events & LOOP_READ)
			on_readable(r);
		else
			settle(r, 0);
	}
	leave(r);
}

static void try_address(struct rfid_reader *r, const struct address *a)
{
	int on = 1, err;

	r->fd = socket(a->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (r->fd < 0) {
		lost(r, -errno, "could not make a socket");
		return;
	}
	/* Keepalive acknowledgements are tiny and must not wait for company. */
	(void) setsockopt(r->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(r->fd, (const struct sockaddr *) &a->storage, a->len) < 0 &&
	    errno != EINPROGRESS) {
		lost_connect(r, errno);
		return;
	}
	err = loop_io_new(r->loop, r->fd, LOOP_WRITE, on_io, r, &r->io);
	if (err < 0) {
		lost(r, err, "could not watch the socket");
		return;
	}
	loop_timer_start(r->timer, CONNECT_TIMEOUT_US);
}

/* --- names ------------------------------------------------------------------------------------ */

static bool numeric_address(const char *host, uint16_t port, struct address *ret)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *) &ret->storage;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *) &ret->storage;

	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		ret->len = sizeof(*v4);
		return true;
	}
	if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		ret->len = sizeof(*v6);
		return true;
	}
	return false;
}

static void lookup_free(struct lookup *l)
{
	free(l->host);
	free(l);
}

static void lookup_work(void *user)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
	struct lookup *l = user;

	l->err = getaddrinfo(l->host, l->port, &hints, &list);
	for (const struct addrinfo *a = list; !l->err && a && l->n < MAX_ADDRESSES;
	     a = a->ai_next) {
		if (a->ai_addrlen > sizeof(l->addresses[0].storage))
			continue;
		memcpy(&l->addresses[l->n].storage, a->ai_addr, a->ai_addrlen);
		l->addresses[l->n++].len = a->ai_addrlen;
	}
	if (list)
		freeaddrinfo(list);
}

static void lookup_done(void *user)
{
	struct lookup *l = user;
	struct rfid_reader *r = l->reader;
	char text[160];

	if (r) {
		enter(r);
		r->lookup = NULL;
		if (r->stopping || r->state != RFID_READER_CONNECTING) {
			; /* nobody is waiting for it any more */
		} else if (l->n > 0) {
			/* Another address each time, should the first be dead. */
			try_address(r, &l->addresses[r->attempts % l->n]);
		} else {
			snprintf(text, sizeof(text), "cannot resolve \"%.80s\": %s", l->host,
				 l->err ? gai_strerror(l->err) : "no address");
			lost(r, -EHOSTUNREACH, text);
		}
		leave(r);
	}
	lookup_free(l);
}

static void begin_lookup(struct rfid_reader *r)
{
	struct lookup *l = calloc(1, sizeof(*l));
	int err = -ENOMEM;

	if (l) {
		l->reader = r;
		l->host = strdup(r->host);
		snprintf(l->port, sizeof(l->port), "%u", r->cfg.port);
		r->lookup = l;
		if (l->host)
			err = loop_work(r->loop, lookup_work, lookup_done, l);
	}
	if (err < 0) {
		r->lookup = NULL;
		if (l)
			lookup_free(l);
		lost(r, err, "could not start to resolve the reader's name");
	}
}

static void begin_connect(struct rfid_reader *r)
{
	struct address a;

	set_state(r, RFID_READER_CONNECTING, 0, NULL);
	if (r->freed)
		return;
	r->attempts++;
	if (numeric_address(r->host, r->cfg.port, &a))
		try_address(r, &a);
	else
		begin_lookup(r);
}

static void on_timer(void *user)
{
	struct rfid_reader *r = user;

	enter(r);
	if (r->stopping && (r->fd < 0 || clock_mono_us(r->clock) >= r->stop_by_us))
		finish_stop(r);
	else if (r->state == RFID_READER_IDLE || r->state == RFID_READER_WAITING)
		begin_connect(r);
	else if (r->state == RFID_READER_CONNECTING && r->fd >= 0)
		lost(r, -ETIMEDOUT, "no answer to the connection request");
	else if (r->fd >= 0)
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
	int err;

	if (!r->name || !r->host)
		return -ENOMEM;
	err = llrp_session_new(&r->cfg, r->clock, &cb, r, &r->session);
	if (err < 0)
		return err;
	return loop_timer_new(r->loop, on_timer, r, &r->timer);
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
	r->cfg = *cfg;
	r->name = strdup(cfg->name ? cfg->name : cfg->host);
	r->host = strdup(cfg->host);
	r->cfg.name = r->name;
	r->cfg.host = r->host;
	if (r->cfg.port == 0)
		r->cfg.port = RFID_DEFAULT_PORT;
	r->cb = *cb;
	r->user = user;
	r->fd = -1;
	buf_init(&r->tx, 0);
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
	if (r->fd >= 0 && r->state >= RFID_READER_NEGOTIATING && r->state <= RFID_READER_RUNNING &&
	    session_end(r->session) == 0) {
		settle(r, 0);
	} else if (r->state != RFID_READER_STOPPING) {
		/* Nothing to say goodbye to; done comes from the loop all the same. */
		hang_up(r);
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

static void destroy(struct rfid_reader *r)
{
	if (r->lookup)
		r->lookup->reader = NULL;
	hang_up(r);
	loop_timer_free(r->timer);
	llrp_session_free(r->session);
	buf_done(&r->tx);
	free(r->name);
	free(r->host);
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

void rfid_reader_get_stats(const struct rfid_reader *r, struct rfid_reader_stats *ret)
{
	llrp_session_get_stats(r->session, ret);
	ret->reconnects = r->connections ? r->connections - 1 : 0;
}
