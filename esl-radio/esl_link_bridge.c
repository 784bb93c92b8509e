/* SPDX-License-Identifier: Apache-2.0 */
/* The connected driver for a bridge (bridge_wire.h): a UNIX SOCK_SEQPACKET socket, one CBOR message
 * a packet. Reopens with back-off; every request gets its one completion, come what may. */
#include "esl-radio/esl_link.h"

#include "common/err.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKOFF_FIRST_US   (US_PER_SEC / 2)
#define BACKOFF_LONGEST_US (INT64_C(30) * US_PER_SEC)
#define CONNECT_TIMEOUT_US (INT64_C(10) * US_PER_SEC)
#define SHORT_TIMEOUT_US   (INT64_C(5) * US_PER_SEC)
#define WRITE_TIMEOUT_US   (INT64_C(30) * US_PER_SEC)
#define TICK_US            (US_PER_SEC / 2)
#define SEND_BUFFER        (4 * BRIDGE_MESSAGE_MAX)
#define RX_MAX             4096 /* pictures only go out: replies and events are short */

struct request {
	TAILQ_ENTRY(request) link;
	uint32_t id;
	uint8_t op;
	uint8_t addr[BRIDGE_ADDR_BYTES];
	int64_t deadline_us;
	esl_link_done_fn done;
	void *user;
	struct buf packet; /**< still to be sent; empty afterwards */
};

TAILQ_HEAD(request_list, request);

struct link_bridge {
	struct esl_link base;
	struct loop *loop;
	struct esl_link_callbacks cb;
	void *user;
	int fd;
	struct loop_io *io;
	struct loop_timer *retry, *tick;
	struct request_list waiting; /**< oldest first; sent and unsent */
	struct loop_timer *deliver;
	uint32_t next_id;
	int64_t backoff_us;
	uint8_t *rx;
	char path[sizeof(((struct sockaddr_un *) 0)->sun_path)];
};

static void fault(struct link_bridge *b, int err, const char *text);

static int64_t now_us(const struct link_bridge *b)
{
	return clock_mono_us(loop_clock(b->loop));
}

static void free_request(struct request *q)
{
	buf_done(&q->packet);
	free(q);
}

/** Ends a request: takes it off its list first, since the completion may make a new one. */
static void complete(struct link_bridge *b, struct request *q, int err,
		     const struct esl_link_result *res)
{
	esl_link_done_fn done = q->done;
	void *user = q->user;

	TAILQ_REMOVE(&b->waiting, q, link);
	free_request(q);
	if (done)
		done(user, err, err < 0 ? NULL : res);
}

/* --- sending ---------------------------------------------------------------------------------- */

/** Sends what waits, oldest first. A request too long for one packet fails alone. */
static void flush_out(struct link_bridge *b)
{
	struct request *q = TAILQ_FIRST(&b->waiting);
	bool blocked = false;

	while (q && !blocked) {
		struct request *next = TAILQ_NEXT(q, link);
		ssize_t n = 0;

		if (q->packet.len)
			n = send(b->fd, q->packet.data, q->packet.len, MSG_NOSIGNAL);
		if (n >= 0) {
			buf_done(&q->packet);
		} else if (errno == EMSGSIZE) {
			complete(b, q, -EMSGSIZE, NULL);
			next = TAILQ_FIRST(&b->waiting); /* the list may have changed under us */
		} else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
			blocked = true;
		} else {
			fault(b, -errno, "The radio's bridge does not take requests.");
			return;
		}
		q = next;
	}
	if (b->io)
		loop_io_set(b->io, LOOP_READ | (blocked ? LOOP_WRITE : 0));
}

static int64_t time_limit_us(uint8_t op)
{
	switch (op) {
	case BRIDGE_CONNECT:
		return CONNECT_TIMEOUT_US;
	case BRIDGE_WRITE_IMAGE:
		return WRITE_TIMEOUT_US;
	default:
		return SHORT_TIMEOUT_US;
	}
}

static int submit(struct link_bridge *b, struct bridge_msg *m, const uint8_t *addr,
		  esl_link_done_fn done, void *user)
{
	struct request *q;
	int r;

	if (b->fd < 0)
		return -ERR_CLOSED;
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	m->id = ++b->next_id;
	if (addr) {
		memcpy(m->addr, addr, sizeof(m->addr));
		memcpy(q->addr, addr, sizeof(q->addr));
	}
	r = bridge_encode(m, &q->packet);
	if (r < 0) {
		free_request(q);
		return r;
	}
	q->id = m->id;
	q->op = m->op;
	q->done = done;
	q->user = user;
	q->deadline_us = now_us(b) + time_limit_us(m->op);
	TAILQ_INSERT_TAIL(&b->waiting, q, link);
	if (!loop_timer_active(b->tick))
		loop_timer_start(b->tick, TICK_US);
	/* Sent from the loop, so that a fault is never met inside the caller's own call. */
	loop_timer_start(b->deliver, 0);
	return 0;
}

static void on_deliver(void *user)
{
	struct link_bridge *b = user;

	if (b->fd >= 0)
		flush_out(b);
}

static void on_tick(void *user)
{
	struct link_bridge *b = user;
	struct request *q;

again:
	TAILQ_FOREACH(q, &b->waiting, link)
	{
		if (q->deadline_us > now_us(b))
			continue;
		complete(b, q, -ETIMEDOUT, NULL);
		goto again; /* the list may have changed under us */
	}
	if (!TAILQ_EMPTY(&b->waiting))
		loop_timer_start(b->tick, TICK_US);
}

/* --- receiving -------------------------------------------------------------------------------- */

static void on_reply(struct link_bridge *b, const struct bridge_msg *m)
{
	struct esl_link_result res = {
		.n_displays = m->n_displays,
		.max_image_index = m->max_image_index,
		.n_leds = m->n_leds,
		.battery_mv = m->battery_mv,
		.temperature_cc = m->temperature_cc,
		.tlv_len = m->tlv_len,
	};
	struct request *q;

	memcpy(res.displays, m->displays, sizeof(res.displays));
	memcpy(res.leds, m->leds, sizeof(res.leds));
	memcpy(res.tlv, m->tlv, sizeof(res.tlv));
	TAILQ_FOREACH(q, &b->waiting, link)
	if (q->id == m->id && q->op + BRIDGE_REPLY == m->op)
		break;
	if (q) /* otherwise it came after its time limit */
		complete(b, q, -m->status, &res);
}

/** A connection broke: its request fails, or the engine is told if there is none. */
static void on_lost(struct link_bridge *b, const struct bridge_msg *m)
{
	struct request *q;

	TAILQ_FOREACH(q, &b->waiting, link)
	if (q->op != BRIDGE_SCAN && memcmp(q->addr, m->addr, sizeof(q->addr)) == 0)
		break;
	if (q)
		complete(b, q, -ERR_CLOSED, NULL);
	else
		b->cb.lost(b->user, m->addr);
}

static void on_message(struct link_bridge *b, const uint8_t *data, size_t len)
{
	struct bridge_msg m;
	int r = bridge_decode(data, len, &m);

	if (r == -ERR_VERSION)
		return; /* a newer bridge's event */
	if (r < 0) {
		fault(b, r, "The radio's bridge sent something unintelligible.");
		return;
	}
	if (m.op == BRIDGE_EVT_ADVERT)
		b->cb.advert(b->user, m.addr, m.rssi_dbm, (m.flags & BRIDGE_ADVERT_BONDED) != 0,
			     m.battery_mv);
	else if (m.op == BRIDGE_EVT_LOST)
		on_lost(b, &m);
	else if (m.op > BRIDGE_REPLY)
		on_reply(b, &m);
}

static void on_io(void *user, unsigned int events)
{
	struct link_bridge *b = user;

	for (int i = 0; b->fd >= 0 && (events & LOOP_READ) && i < 64; i++) {
		ssize_t n = recv(b->fd, b->rx, RX_MAX, MSG_TRUNC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (n <= 0) {
			fault(b, n < 0 ? -errno : -ERR_CLOSED, "The radio's bridge went away.");
			return;
		}
		if (n > RX_MAX) {
			fault(b, -ERR_TOO_LARGE, "The radio's bridge sent too long a message.");
			return;
		}
		on_message(b, b->rx, (size_t) n);
	}
	if (b->fd >= 0 && (events & LOOP_WRITE))
		flush_out(b);
}

/* --- opening and closing ---------------------------------------------------------------------- */

static void close_socket(struct link_bridge *b)
{
	loop_io_free(b->io);
	b->io = NULL;
	if (b->fd >= 0)
		(void) close(b->fd);
	b->fd = -1;
	loop_timer_stop(b->tick);
	loop_timer_stop(b->deliver);
}

static void fault(struct link_bridge *b, int err, const char *text)
{
	struct request *q;

	close_socket(b);
	loop_timer_start(b->retry, b->backoff_us);
	b->backoff_us = MIN(b->backoff_us * 2, BACKOFF_LONGEST_US);
	b->cb.down(b->user, err, text);
	while ((q = TAILQ_FIRST(&b->waiting)))
		complete(b, q, -ERR_CLOSED, NULL); /* new ones are refused meanwhile */
}

static int open_socket(struct link_bridge *b)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int size = SEND_BUFFER;
	int e;

	if (fd < 0)
		return -errno;
	/* A picture must fit in one packet; if the system allows less, sending one says so. */
	(void) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	memcpy(sa.sun_path, b->path, sizeof(sa.sun_path));
	if (connect(fd, (const struct sockaddr *) &sa, sizeof(sa)) < 0) {
		e = -errno;
		(void) close(fd);
		return e;
	}
	e = loop_io_new(b->loop, fd, LOOP_READ, on_io, b, &b->io);
	if (e < 0) {
		(void) close(fd);
		return e;
	}
	b->fd = fd;
	return 0;
}

static void on_retry(void *user)
{
	struct link_bridge *b = user;
	int e = open_socket(b);

	if (e < 0) {
		fault(b, e, "The radio's bridge cannot be reached.");
		return;
	}
	b->backoff_us = BACKOFF_FIRST_US;
	b->cb.up(b->user);
}

/* --- the seam --------------------------------------------------------------------------------- */

static int bridge_start(struct esl_link *base, const struct esl_link_callbacks *cb, void *user)
{
	struct link_bridge *b = (struct link_bridge *) base;

	b->cb = *cb;
	b->user = user;
	loop_timer_start(b->retry, 0);
	return 0;
}

static int bridge_scan(struct esl_link *base, bool on)
{
	struct bridge_msg m = {.op = BRIDGE_SCAN, .on = on};

	return submit((struct link_bridge *) base, &m, NULL, NULL, NULL);
}

static int bridge_connect(struct esl_link *base, const uint8_t *addr, uint8_t subevent,
			  uint8_t esl_id, esl_link_done_fn done, void *user)
{
	struct bridge_msg m = {.op = BRIDGE_CONNECT, .subevent = subevent, .esl_id = esl_id};

	return submit((struct link_bridge *) base, &m, addr, done, user);
}

static int bridge_read_info(struct esl_link *base, const uint8_t *addr, esl_link_done_fn done,
			    void *user)
{
	struct bridge_msg m = {.op = BRIDGE_READ_INFO};

	return submit((struct link_bridge *) base, &m, addr, done, user);
}

static int bridge_configure(struct esl_link *base, const uint8_t *addr,
			    const struct esl_link_config *c, esl_link_done_fn done, void *user)
{
	struct bridge_msg m = {
		.op = BRIDGE_CONFIGURE, .esl_address = c->esl_address, .abs_ms = c->abs_ms};
	int r;

	memcpy(m.response_key, c->response_key, sizeof(m.response_key));
	memcpy(m.train_key, c->train_key, sizeof(m.train_key));
	r = submit((struct link_bridge *) base, &m, addr, done, user);
	explicit_bzero(&m, sizeof(m));
	return r;
}

static int bridge_write_image(struct esl_link *base, const uint8_t *addr, uint8_t index,
			      const void *data, size_t len, esl_link_done_fn done, void *user)
{
	struct bridge_msg m = {
		.op = BRIDGE_WRITE_IMAGE, .image_index = index, .data = data, .data_len = len};

	return submit((struct link_bridge *) base, &m, addr, done, user);
}

static int bridge_ecp(struct esl_link *base, const uint8_t *addr, const uint8_t *tlv, size_t len,
		      esl_link_done_fn done, void *user)
{
	struct bridge_msg m = {.op = BRIDGE_ECP, .tlv_len = (uint8_t) len};

	if (len == 0 || len > sizeof(m.tlv))
		return -ERR_RANGE;
	memcpy(m.tlv, tlv, len);
	return submit((struct link_bridge *) base, &m, addr, done, user);
}

static int bridge_set_time(struct esl_link *base, const uint8_t *addr, uint32_t abs_ms,
			   esl_link_done_fn done, void *user)
{
	struct bridge_msg m = {.op = BRIDGE_SET_TIME, .abs_ms = abs_ms};

	return submit((struct link_bridge *) base, &m, addr, done, user);
}

static int bridge_update_complete(struct esl_link *base, const uint8_t *addr, esl_link_done_fn done,
				  void *user)
{
	struct bridge_msg m = {.op = BRIDGE_UPDATE_COMPLETE};

	return submit((struct link_bridge *) base, &m, addr, done, user);
}

static int bridge_disconnect(struct esl_link *base, const uint8_t *addr, esl_link_done_fn done,
			     void *user)
{
	struct bridge_msg m = {.op = BRIDGE_DISCONNECT};

	return submit((struct link_bridge *) base, &m, addr, done, user);
}

static void bridge_free(struct esl_link *base)
{
	struct link_bridge *b = (struct link_bridge *) base;
	struct request *q;

	close_socket(b);
	while ((q = TAILQ_FIRST(&b->waiting))) {
		TAILQ_REMOVE(&b->waiting, q, link);
		free_request(q);
	}
	loop_timer_free(b->retry);
	loop_timer_free(b->tick);
	loop_timer_free(b->deliver);
	free(b->rx);
	free(b);
}

static const struct esl_link_ops bridge_ops = {
	.start = bridge_start,
	.scan = bridge_scan,
	.connect = bridge_connect,
	.read_info = bridge_read_info,
	.configure = bridge_configure,
	.write_image = bridge_write_image,
	.ecp = bridge_ecp,
	.set_time = bridge_set_time,
	.update_complete = bridge_update_complete,
	.disconnect = bridge_disconnect,
	.free = bridge_free,
};

int esl_link_bridge_new(struct loop *loop, const char *address, struct esl_link **ret)
{
	const char *path = strncmp(address, "bridge:", 7) == 0 ? address + 7 : "";
	struct link_bridge *b;
	int e = 0;

	if (!path[0] || strlen(path) >= sizeof(b->path))
		return -ERR_SYNTAX;
	b = calloc(1, sizeof(*b));
	if (!b)
		return -ENOMEM;
	b->base.ops = &bridge_ops;
	b->loop = loop;
	b->fd = -1;
	b->backoff_us = BACKOFF_FIRST_US;
	TAILQ_INIT(&b->waiting);
	memcpy(b->path, path, strlen(path) + 1);
	b->rx = malloc(RX_MAX);
	if (!b->rx)
		e = -ENOMEM;
	if (e == 0)
		e = loop_timer_new(loop, on_retry, b, &b->retry);
	if (e == 0)
		e = loop_timer_new(loop, on_tick, b, &b->tick);
	if (e == 0)
		e = loop_timer_new(loop, on_deliver, b, &b->deliver);
	if (e < 0) {
		bridge_free(&b->base);
		return e;
	}
	*ret = &b->base;
	return 0;
}
