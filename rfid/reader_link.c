/* SPDX-License-Identifier: Apache-2.0 */
#include "rfid/reader_link.h"

#include "common/buf.h"
#include "common/err.h"
#include "rfid/reader_address.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECV_BYTES  16384
#define RECV_ROUNDS 8 /* then the loop's other watchers get their turn */
#define MAX_UNSENT  (1u << 20)

enum phase {
	PHASE_CLOSED,
	PHASE_RESOLVING,
	PHASE_CONNECTING,
	PHASE_LISTENING,
	PHASE_HANDSHAKE, /**< of TLS */
	PHASE_UP
};

struct reader_link {
	struct loop *loop;
	const struct rfid_reader_config *cfg;
	struct reader_link_callbacks cb;
	void *user;
	enum phase phase;
	struct reader_lookup *lookup;
	int fd;
	struct loop_io *io;
	int listener;
	struct loop_io *listener_io;
	uint16_t port; /**< bound, kept over reader_link_close() */
	struct loop_timer *timer;
	struct tls_identity *identity; /**< shown to readers that call */
	struct tls_stream *tls;
	char peer[TLS_PIN_MAX];
	struct buf tx;
	int tx_err;
	unsigned int attempts;
	unsigned int busy; /**< callbacks may free us */
	bool freed;
};

static void destroy(struct reader_link *l);

static void enter(struct reader_link *l)
{
	l->busy++;
}

static void leave(struct reader_link *l)
{
	if (--l->busy == 0 && l->freed)
		destroy(l);
}

/* --- ending ----------------------------------------------------------------------------------- */

static void hang_up(struct reader_link *l)
{
	loop_io_free(l->io);
	l->io = NULL;
	if (l->tls && l->phase == PHASE_UP && !l->tx_err)
		tls_stream_bye(l->tls);
	tls_stream_free(l->tls);
	l->tls = NULL;
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	buf_clear(&l->tx);
	l->tx_err = 0;
}

static void stop_listening(struct reader_link *l)
{
	loop_io_free(l->listener_io);
	l->listener_io = NULL;
	if (l->listener >= 0)
		close(l->listener);
	l->listener = -1;
}

void reader_link_close(struct reader_link *l)
{
	hang_up(l);
	stop_listening(l);
	reader_lookup_cancel(l->lookup);
	l->lookup = NULL;
	loop_timer_stop(l->timer);
	l->phase = PHASE_CLOSED;
}

static void down(struct reader_link *l, int err, const char *text)
{
	char copy[224];

	if (l->freed || l->phase == PHASE_CLOSED)
		return;
	snprintf(copy, sizeof(copy), "%s", text);
	reader_link_close(l);
	l->cb.down(l->user, err, copy);
}

/* --- sending and receiving -------------------------------------------------------------------- */

static void watch(struct reader_link *l)
{
	bool write = l->tx.len > 0 || l->phase == PHASE_CONNECTING ||
		     (l->phase == PHASE_HANDSHAKE && tls_stream_wants_write(l->tls));

	if (l->io)
		loop_io_set(l->io, write ? LOOP_READ | LOOP_WRITE : LOOP_READ);
}

static long send_some(struct reader_link *l)
{
	ssize_t n;

	if (l->tls)
		return tls_stream_send(l->tls, l->tx.data, l->tx.len);
	n = send(l->fd, l->tx.data, l->tx.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	return n >= 0 ? n : -errno;
}

static void flush(struct reader_link *l)
{
	while (l->phase == PHASE_UP && l->tx.len && !l->tx_err) {
		long n = send_some(l);

		if (n >= 0)
			buf_consume(&l->tx, (size_t) n);
		else if (n == -EAGAIN || n == -EWOULDBLOCK)
			break;
		else if (n != -EINTR)
			l->tx_err = (int) n;
	}
	watch(l);
}

void reader_link_send(struct reader_link *l, const uint8_t *data, size_t len)
{
	if (l->phase != PHASE_UP)
		return;
	buf_put(&l->tx, data, len);
	if (!buf_ok(&l->tx) || l->tx.len > MAX_UNSENT)
		l->tx_err = l->tx_err ? l->tx_err : -ENOBUFS;
	flush(l);
	if (l->tx_err) /* told from the loop, since the owner is in the middle of something */
		loop_timer_start(l->timer, 0);
}

static long recv_some(struct reader_link *l, uint8_t *data, size_t size)
{
	ssize_t n;

	if (l->tls)
		return tls_stream_recv(l->tls, data, size);
	n = recv(l->fd, data, size, MSG_DONTWAIT);
	return n >= 0 ? n : -errno;
}

static void on_readable(struct reader_link *l)
{
	uint8_t data[RECV_BYTES];

	for (int i = 0; l->phase == PHASE_UP && !l->freed; i++) {
		long n;
		int r;

		/* What TLS has decrypted already wakes nobody: it is read to the end. */
		if (i >= RECV_ROUNDS && !(l->tls && tls_stream_pending(l->tls)))
			return;
		n = recv_some(l, data, sizeof(data));
		if (n == -EINTR)
			continue;
		if (n == -EAGAIN || n == -EWOULDBLOCK)
			return;
		if (n <= 0) {
			down(l, n < 0 ? (int) n : -ERR_CLOSED,
			     n == 0   ? "the reader ended the connection"
			     : l->tls ? tls_stream_text(l->tls)
				      : "the connection broke");
			return;
		}
		r = l->cb.data(l->user, data, (size_t) n);
		if (r < 0 && !l->freed && l->phase == PHASE_UP)
			down(l, r, "");
		if (r < 0)
			return;
	}
}

/* --- coming up -------------------------------------------------------------------------------- */

static void up(struct reader_link *l)
{
	l->phase = PHASE_UP;
	loop_timer_stop(l->timer);
	if (l->tls)
		snprintf(l->peer, sizeof(l->peer), "%s", tls_stream_peer(l->tls));
	watch(l);
	l->cb.up(l->user);
	/* The handshake may have read ahead. */
	if (!l->freed && l->phase == PHASE_UP && l->tls)
		on_readable(l);
}

static void handshake(struct reader_link *l)
{
	char text[224];
	int r = tls_stream_handshake(l->tls);

	if (r == 0) {
		up(l);
	} else if (r == -EAGAIN) {
		watch(l);
	} else {
		snprintf(text, sizeof(text), "no TLS with the reader: %s", tls_stream_text(l->tls));
		down(l, r, text);
	}
}

/** The TCP connection stands. */
static void begin_talk(struct reader_link *l, enum tls_role role)
{
	int r;

	if (!l->cfg->tls) {
		up(l);
		return;
	}
	r = tls_stream_new(l->fd, role, l->identity, l->cfg->tls_pin, &l->tls);
	if (r < 0) {
		down(l, r, "TLS could not be set up");
		return;
	}
	l->phase = PHASE_HANDSHAKE;
	loop_timer_start(l->timer, READER_LINK_TIMEOUT_US);
	handshake(l);
}

static void lost_connect(struct reader_link *l, int err)
{
	char text[160];

	snprintf(text, sizeof(text), "could not connect to %.64s port %u: %s", l->cfg->host,
		 l->cfg->port, strerror(err));
	down(l, -err, text);
}

static void on_connected(struct reader_link *l)
{
	int err = 0;
	socklen_t len = sizeof(err);

	if (getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
		err = errno;
	if (err)
		lost_connect(l, err);
	else
		begin_talk(l, TLS_CLIENT);
}

static void on_io(void *user, unsigned int events)
{
	struct reader_link *l = user;

	enter(l);
	if (l->phase == PHASE_CONNECTING) {
		on_connected(l);
	} else if (l->phase == PHASE_HANDSHAKE) {
		handshake(l);
	} else if (l->phase == PHASE_UP) {
		if (events & LOOP_WRITE)
			flush(l);
		if (l->tx_err)
			down(l, l->tx_err, "the connection broke while sending");
		else if (events & LOOP_READ)
			on_readable(l);
	}
	leave(l);
}

/** Keepalive acknowledgements are tiny and must not wait for company. */
static void no_delay(int fd)
{
	int on = 1;

	(void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void try_address(struct reader_link *l, const struct reader_address *a)
{
	int err;

	l->phase = PHASE_CONNECTING;
	l->fd = socket(a->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l->fd < 0) {
		down(l, -errno, "could not make a socket");
		return;
	}
	no_delay(l->fd);
	if (connect(l->fd, (const struct sockaddr *) &a->storage, a->len) < 0 &&
	    errno != EINPROGRESS) {
		lost_connect(l, errno);
		return;
	}
	err = loop_io_new(l->loop, l->fd, LOOP_WRITE, on_io, l, &l->io);
	if (err < 0) {
		down(l, err, "could not watch the socket");
		return;
	}
	loop_timer_start(l->timer, READER_LINK_TIMEOUT_US);
}

static void on_resolved(void *user, const struct reader_address *list, size_t n, const char *why)
{
	struct reader_link *l = user;
	char text[160];

	enter(l);
	l->lookup = NULL;
	if (n > 0) {
		/* Another address each time, should the first be dead. */
		try_address(l, &list[l->attempts % n]);
	} else {
		snprintf(text, sizeof(text), "cannot resolve \"%.80s\": %s", l->cfg->host, why);
		down(l, -EHOSTUNREACH, text);
	}
	leave(l);
}

/* --- readers that call ------------------------------------------------------------------------ */

static void refuse(struct reader_link *l, int fd, const struct reader_address *from,
		   const char *why)
{
	char address[64], text[160];

	close(fd);
	if (!l->cb.refused)
		return;
	snprintf(text, sizeof(text), "a caller from %s was refused: %s",
		 reader_address_text(from, address, sizeof(address)), why);
	l->cb.refused(l->user, text);
}

static void take_call(struct reader_link *l, int fd)
{
	int err;

	l->fd = fd;
	no_delay(fd);
	err = loop_io_new(l->loop, fd, LOOP_READ, on_io, l, &l->io);
	if (err < 0)
		down(l, err, "could not watch the socket");
	else
		begin_talk(l, TLS_SERVER);
}

static void on_call(void *user, unsigned int events)
{
	struct reader_link *l = user;
	struct reader_address from = {.len = sizeof(from.storage)};
	int fd = accept4(l->listener, (struct sockaddr *) &from.storage, &from.len,
			 SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void) events;
	if (fd < 0)
		return;
	enter(l);
	if (!reader_address_is(&from, l->cfg->host))
		refuse(l, fd, &from, "it is not the reader's address");
	else if (l->phase != PHASE_LISTENING)
		refuse(l, fd, &from, "the reader is connected already");
	else
		take_call(l, fd);
	leave(l);
}

static void begin_listen(struct reader_link *l)
{
	char text[160];
	int err = 0;

	l->phase = PHASE_LISTENING;
	if (l->cfg->tls && !l->identity)
		err = l->cfg->tls_cert && l->cfg->tls_key
			      ? tls_identity_load(l->cfg->tls_cert, l->cfg->tls_key, &l->identity)
			      : tls_identity_make("gondola-agent", &l->identity);
	if (err < 0) {
		down(l, err, "cannot make a certificate for readers that call");
		return;
	}
	l->listener =
		reader_address_listen(l->cfg->host, l->port ? l->port : l->cfg->port, &l->port);
	err = l->listener < 0
		      ? l->listener
		      : loop_io_new(l->loop, l->listener, LOOP_READ, on_call, l, &l->listener_io);
	if (err < 0) {
		snprintf(text, sizeof(text), "cannot listen on port %u for the reader's call: %s",
			 l->cfg->port, strerror(-err));
		down(l, err, text);
	}
}

void reader_link_open(struct reader_link *l)
{
	struct reader_address a;
	int r;

	enter(l);
	l->attempts++;
	l->peer[0] = '\0';
	l->phase = PHASE_RESOLVING;
	if (l->cfg->reader_calls) {
		begin_listen(l);
	} else if (reader_address_parse(l->cfg->host, l->cfg->port, &a)) {
		try_address(l, &a);
	} else {
		r = reader_lookup_start(l->loop, l->cfg->host, l->cfg->port, on_resolved, l,
					&l->lookup);
		if (r < 0)
			down(l, r, "could not start to resolve the reader's name");
	}
	leave(l);
}

static void on_timer(void *user)
{
	struct reader_link *l = user;

	enter(l);
	if (l->tx_err)
		down(l, l->tx_err, "the connection broke while sending");
	else if (l->phase == PHASE_CONNECTING)
		down(l, -ETIMEDOUT, "no answer to the connection request");
	else if (l->phase == PHASE_HANDSHAKE)
		down(l, -ETIMEDOUT, "the reader does not finish the TLS handshake");
	leave(l);
}

/* --- the front door --------------------------------------------------------------------------- */

int reader_link_new(struct loop *loop, const struct rfid_reader_config *cfg,
		    const struct reader_link_callbacks *cb, void *user, struct reader_link **ret)
{
	struct reader_link *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return -ENOMEM;
	l->loop = loop;
	l->cfg = cfg;
	l->cb = *cb;
	l->user = user;
	l->fd = l->listener = -1;
	buf_init(&l->tx, 0);
	r = loop_timer_new(loop, on_timer, l, &l->timer);
	if (r < 0) {
		free(l);
		return r;
	}
	*ret = l;
	return 0;
}

static void destroy(struct reader_link *l)
{
	reader_link_close(l);
	loop_timer_free(l->timer);
	tls_identity_free(l->identity);
	buf_done(&l->tx);
	free(l);
}

void reader_link_free(struct reader_link *l)
{
	if (!l)
		return;
	l->freed = true;
	if (l->busy == 0)
		destroy(l);
}

bool reader_link_is_up(const struct reader_link *l)
{
	return l->phase == PHASE_UP;
}

bool reader_link_is_open(const struct reader_link *l)
{
	return l->phase != PHASE_CLOSED;
}

uint16_t reader_link_port(const struct reader_link *l)
{
	return l->listener >= 0 ? l->port : 0;
}

const char *reader_link_peer(const struct reader_link *l)
{
	return l->peer;
}
