/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/net.h"

#include "common/buf.h"
#include "common/err.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define READ_CHUNK       (192 * 1024) /**< holds the longest packet of any peer */
#define READS_PER_WAKEUP 4

struct net_listener {
	int fd;
	struct loop_io *io;
	net_accept_fn fn;
	void *user;
	bool tcp;
	char path[sizeof(((struct sockaddr_un *) 0)->sun_path)];
};

struct net_conn {
	int fd;
	struct loop_io *io;
	bool packets;
	bool closed;
	size_t max_queue;
	struct tls_stream *tls; /**< NULL = plain */
	struct buf out;         /**< packets: each with a 4-byte length before it */
	struct net_conn_callbacks cb;
	void *user;
	bool reading; /**< a callback of ours is running ... */
	bool freed;   /**< ... and released us: the storage goes when it returns */
};

static void listener_ready(void *user, unsigned int events)
{
	struct net_listener *l = user;
	int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void) events;
	if (fd < 0)
		return;
	if (l->tcp) {
		int one = 1;

		(void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	}
	l->fn(l->user, fd);
}

static int listener_finish(struct loop *loop, struct net_listener *l, struct net_listener **ret)
{
	int r = 0;

	if (listen(l->fd, 16) < 0)
		r = -errno;
	if (r == 0)
		r = loop_io_new(loop, l->fd, LOOP_READ, listener_ready, l, &l->io);
	if (r < 0) {
		net_listener_free(l);
		return r;
	}
	*ret = l;
	return 0;
}

static int listener_open(int domain, int type, net_accept_fn fn, void *user,
			 struct net_listener **ret)
{
	struct net_listener *l = calloc(1, sizeof *l);
	int r;

	if (!l)
		return -ENOMEM;
	l->fd = socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l->fd < 0) {
		r = -errno;
		free(l);
		return r;
	}
	l->fn = fn;
	l->user = user;
	l->tcp = domain == AF_INET;
	*ret = l;
	return 0;
}

int net_listen_tcp(struct loop *loop, uint16_t port, net_accept_fn fn, void *user,
		   struct net_listener **ret)
{
	struct sockaddr_in sin = {.sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct net_listener *l;
	int one = 1;
	int r = listener_open(AF_INET, SOCK_STREAM, fn, user, &l);

	if (r < 0)
		return r;
	(void) setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(l->fd, (const struct sockaddr *) &sin, sizeof sin) < 0) {
		r = -errno;
		net_listener_free(l);
		return r;
	}
	return listener_finish(loop, l, ret);
}

int net_listen_unix(struct loop *loop, const char *path, int type, net_accept_fn fn, void *user,
		    struct net_listener **ret)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct net_listener *l;
	int r;

	if (strlen(path) >= sizeof sun.sun_path)
		return -ENAMETOOLONG;
	r = listener_open(AF_UNIX, type, fn, user, &l);
	if (r < 0)
		return r;
	(void) snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path);
	(void) unlink(path);
	if (bind(l->fd, (const struct sockaddr *) &sun, sizeof sun) < 0) {
		r = -errno;
		net_listener_free(l);
		return r;
	}
	(void) snprintf(l->path, sizeof l->path, "%s", path);
	return listener_finish(loop, l, ret);
}

uint16_t net_listener_port(const struct net_listener *l)
{
	struct sockaddr_in sin = {0};
	socklen_t len = sizeof sin;

	if (getsockname(l->fd, (struct sockaddr *) &sin, &len) < 0)
		return 0;
	return ntohs(sin.sin_port);
}

void net_listener_free(struct net_listener *l)
{
	if (!l)
		return;
	loop_io_free(l->io);
	close(l->fd);
	if (l->path[0])
		(void) unlink(l->path);
	free(l);
}

/** Tells the owner once; whoever calls must not touch the connection afterwards. */
static void conn_fail(struct net_conn *c, int err)
{
	if (c->closed)
		return;
	c->closed = true;
	loop_io_set(c->io, 0);
	c->cb.closed(c->user, err);
}

/** Yields how many queued bytes the kernel took, or a negative code. */
static int conn_write_some(struct net_conn *c)
{
	const uint8_t *p = c->out.data;
	size_t n = c->out.len, head = 0;
	ssize_t w;

	if (c->tls) {
		long r = tls_stream_handshake(c->tls);

		if (r == 0)
			r = tls_stream_send(c->tls, p, n);
		if (r > 0)
			buf_consume(&c->out, (size_t) r);
		return r == -EAGAIN ? 0 : r < 0 ? (int) r : 1;
	}

	if (c->packets) {
		head = 4;
		n = (size_t) p[0] << 24 | (size_t) p[1] << 16 | (size_t) p[2] << 8 | p[3];
	}
	w = send(c->fd, p + head, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (w < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	buf_consume(&c->out, c->packets ? head + n : (size_t) w);
	return 1;
}

/** Before the handshake is done, what is queued waits for bytes from the peer. */
static bool wants_write(const struct net_conn *c)
{
	if (c->tls && tls_stream_handshake(c->tls) < 0)
		return tls_stream_wants_write(c->tls);
	return c->out.len > 0;
}

static int conn_flush(struct net_conn *c)
{
	int r = 1;

	while (c->out.len > 0 && r > 0)
		r = conn_write_some(c);
	if (r >= 0)
		loop_io_set(c->io, LOOP_READ | (wants_write(c) ? LOOP_WRITE : 0));
	return r < 0 ? r : 0;
}

static ssize_t conn_recv(struct net_conn *c, uint8_t *chunk, size_t size)
{
	ssize_t n;

	if (c->tls) {
		int r = tls_stream_handshake(c->tls);

		return r < 0 ? r : tls_stream_recv(c->tls, chunk, size);
	}
	n = recv(c->fd, chunk, size, MSG_DONTWAIT);
	return n < 0 ? -errno : n;
}

void net_conn_secure(struct net_conn *c, struct tls_stream *tls)
{
	c->tls = tls;
	(void) !tls_stream_handshake(tls); /* a client speaks first; failure shows when reading */
}

static void conn_read(struct net_conn *c)
{
	static _Thread_local uint8_t chunk[READ_CHUNK];

	c->reading = true;
	for (int i = 0; i < READS_PER_WAKEUP && !c->freed && !c->closed; i++) {
		ssize_t n = conn_recv(c, chunk, sizeof chunk);

		if (n > 0) {
			c->cb.data(c->user, chunk, (size_t) n);
		} else if (n == 0) {
			conn_fail(c, 0);
		} else if (n == -EAGAIN || n == -EINTR) {
			break;
		} else {
			conn_fail(c, (int) n);
		}
		/* What TLS has decrypted already wakes nobody. */
		if (!c->freed && c->tls && tls_stream_pending(c->tls))
			i--;
	}
	c->reading = false;
	if (c->freed)
		free(c);
}

/** What was queued before the handshake was done goes out after it. */
static void conn_ready_tls(struct net_conn *c)
{
	if (c->tls && tls_stream_handshake(c->tls) == 0 && c->out.len > 0)
		(void) conn_flush(c);
}

static void conn_ready(void *user, unsigned int events)
{
	struct net_conn *c = user;

	if (c->closed)
		return;
	if (c->tls)
		conn_ready_tls(c);
	if (events & LOOP_WRITE) {
		int r = conn_flush(c);

		if (r < 0) {
			conn_fail(c, r);
			return;
		}
	}
	if (events & LOOP_READ)
		conn_read(c);
}

int net_conn_new(struct loop *loop, int fd, bool packets, size_t max_queue,
		 const struct net_conn_callbacks *cb, void *user, struct net_conn **ret)
{
	struct net_conn *c = calloc(1, sizeof *c);
	int r;

	if (!c) {
		close(fd);
		return -ENOMEM;
	}
	c->fd = fd;
	c->packets = packets;
	c->max_queue = max_queue;
	c->cb = *cb;
	c->user = user;
	r = loop_io_new(loop, fd, LOOP_READ, conn_ready, c, &c->io);
	if (r < 0) {
		close(fd);
		free(c);
		return r;
	}
	*ret = c;
	return 0;
}

int net_conn_send(struct net_conn *c, const void *data, size_t len)
{
	if (c->closed)
		return -ERR_CLOSED;
	if (c->out.len + len > c->max_queue)
		return -ENOBUFS;
	if (c->packets)
		buf_put_u32be(&c->out, (uint32_t) len);
	buf_put(&c->out, data, len);
	if (!buf_ok(&c->out))
		return -ENOMEM;
	/* A failure shows again as a hang-up on the descriptor, where the owner expects it. */
	(void) conn_flush(c);
	return 0;
}

size_t net_conn_queued(const struct net_conn *c)
{
	return c->out.len;
}

void net_conn_free(struct net_conn *c)
{
	if (!c)
		return;
	if (!c->closed)
		(void) conn_flush(c);
	loop_io_free(c->io);
	tls_stream_free(c->tls);
	close(c->fd);
	buf_done(&c->out);
	c->freed = true;
	if (!c->reading)
		free(c);
}

/* --- connecting ------------------------------------------------------------------------------- */

struct net_dial {
	int fd;
	struct loop_io *io;
	net_accept_fn fn;
	void *user;
};

static void dial_ready(void *user, unsigned int events)
{
	struct net_dial *d = user;
	int fd = d->fd, err = 0, one = 1;
	socklen_t len = sizeof err;

	(void) events;
	loop_io_free(d->io);
	d->io = NULL;
	d->fd = -1;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0 || err) {
		close(fd);
		fd = -1;
	} else {
		(void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	}
	d->fn(d->user, fd);
}

int net_dial_tcp(struct loop *loop, uint16_t port, net_accept_fn fn, void *user,
		 struct net_dial **ret)
{
	struct sockaddr_in sin = {.sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct net_dial *d = calloc(1, sizeof *d);
	int r;

	if (!d)
		return -ENOMEM;
	d->fn = fn;
	d->user = user;
	d->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	r = d->fd < 0 ? -errno : 0;
	if (r == 0 && connect(d->fd, (const struct sockaddr *) &sin, sizeof sin) < 0 &&
	    errno != EINPROGRESS)
		r = -errno;
	if (r == 0)
		r = loop_io_new(loop, d->fd, LOOP_WRITE, dial_ready, d, &d->io);
	if (r < 0) {
		net_dial_free(d);
		return r;
	}
	*ret = d;
	return 0;
}

void net_dial_free(struct net_dial *d)
{
	if (!d)
		return;
	loop_io_free(d->io);
	if (d->fd >= 0)
		close(d->fd);
	free(d);
}
