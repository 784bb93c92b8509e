/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/bluez/ots_socket.h"

#include "common/err.h"
#include "common/kernel_bt.h"
#include "esl-radio/le/ots_wire.h"
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DRAIN_US (5 * US_PER_MS) /* between two looks whether the controller has everything */
#define SDU_MIN  23              /* Vol 3 Part A 4.22 */

struct ots_socket {
	struct ots_socket_callbacks cb;
	void *user;
	int fd;
	struct loop_io *io;
	struct loop_timer *drain;
	bool open;
	uint16_t mtu;   /**< of the label: longest SDU */
	int room_empty; /**< of the socket's buffer, with nothing in it */
	const uint8_t *data;
	size_t len, at;
};

static int room(const struct ots_socket *s)
{
	int n = 0;

	return ioctl(s->fd, TIOCOUTQ, &n) < 0 ? -1 : n;
}

static void finish(struct ots_socket *s, int err)
{
	loop_io_set(s->io, 0);
	loop_timer_stop(s->drain);
	s->data = NULL;
	s->cb.sent(s->user, err);
}

/* What is in the socket's buffer is lost when it is closed. */
static void on_drain(void *user)
{
	struct ots_socket *s = user;

	if (room(s) >= s->room_empty)
		finish(s, 0);
	else
		loop_timer_start(s->drain, DRAIN_US);
}

static void send_more(struct ots_socket *s)
{
	while (s->at < s->len) {
		size_t n = MIN(s->len - s->at, (size_t) s->mtu);
		ssize_t sent = send(s->fd, s->data + s->at, n, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (sent < 0) {
			finish(s, errno == ENOTCONN || errno == EPIPE || errno == ECONNRESET
					  ? -ERR_CLOSED
					  : -errno);
			return;
		}
		s->at += (size_t) sent;
	}
	loop_io_set(s->io, LOOP_READ);
	loop_timer_start(s->drain, 0);
}

static void on_open(struct ots_socket *s)
{
	int e = 0;
	socklen_t n = sizeof(e);

	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &e, &n) < 0)
		e = errno;
	n = sizeof(s->mtu);
	if (e == 0 && getsockopt(s->fd, KBT_SOL_BLUETOOTH, KBT_SNDMTU, &s->mtu, &n) < 0)
		e = errno;
	loop_io_set(s->io, LOOP_READ);
	s->open = e == 0 && s->mtu >= SDU_MIN;
	s->room_empty = room(s);
	s->cb.opened(s->user, s->open                                  ? 0
			      : e == ECONNREFUSED || e == EACCES || !e ? -ERR_PEER
								       : -ERR_CLOSED);
}

/* Nothing is asked of the label on this channel: what it sends is dropped. */
static void on_read(struct ots_socket *s)
{
	uint8_t waste[512];
	ssize_t n = recv(s->fd, waste, sizeof(waste), MSG_DONTWAIT);

	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	loop_io_set(s->io, 0);
	if (s->data)
		finish(s, -ERR_CLOSED);
}

static void on_io(void *user, unsigned int events)
{
	struct ots_socket *s = user;

	if (!s->open) {
		on_open(s);
		return;
	}
	if (s->data && (events & LOOP_WRITE))
		send_more(s);
	else if (events & LOOP_READ)
		on_read(s);
}

void ots_socket_send(struct ots_socket *s, const uint8_t *data, size_t len)
{
	s->data = data;
	s->len = len;
	s->at = 0;
	loop_io_set(s->io, LOOP_READ | LOOP_WRITE);
}

size_t ots_socket_sent(const struct ots_socket *s)
{
	return s->at;
}

uint16_t ots_socket_unit(const struct ots_socket *s)
{
	return s->open ? s->mtu : 0;
}

static struct kbt_sockaddr_l2 address_of(const struct ots_end *e, uint16_t psm)
{
	struct kbt_sockaddr_l2 sa = {.family = KBT_AF,
				     .psm = htole16(psm),
				     .addr_type =
					     e->random ? KBT_ADDR_LE_RANDOM : KBT_ADDR_LE_PUBLIC};

	for (size_t i = 0; i < sizeof(sa.addr); i++)
		sa.addr[i] = e->addr[sizeof(sa.addr) - 1 - i];
	return sa;
}

static int open_channel(const struct ots_end *own, const struct ots_end *peer)
{
	struct kbt_sockaddr_l2 here = address_of(own, 0), there = address_of(peer, OTS_SPSM);
	const struct kbt_security security = {.level = KBT_SECURITY_MEDIUM};
	int fd = socket(KBT_AF, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, KBT_PROTO_L2CAP), e;

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *) &here, sizeof(here)) == 0 &&
	    setsockopt(fd, KBT_SOL_BLUETOOTH, KBT_SECURITY, &security, sizeof(security)) == 0 &&
	    (connect(fd, (struct sockaddr *) &there, sizeof(there)) == 0 || errno == EINPROGRESS))
		return fd;
	e = -errno;
	(void) close(fd);
	return e;
}

int ots_socket_new(struct loop *loop, const struct ots_end *own, const struct ots_end *peer,
		   const struct ots_socket_callbacks *cb, void *user, struct ots_socket **ret)
{
	struct ots_socket *s = calloc(1, sizeof(*s));
	int e;

	if (!s)
		return -ENOMEM;
	s->cb = *cb;
	s->user = user;
	s->fd = open_channel(own, peer);
	e = s->fd < 0 ? s->fd : 0;
	if (e == 0)
		e = loop_timer_new(loop, on_drain, s, &s->drain);
	if (e == 0)
		e = loop_io_new(loop, s->fd, LOOP_WRITE, on_io, s, &s->io);
	if (e < 0) {
		ots_socket_free(s);
		return e;
	}
	*ret = s;
	return 0;
}

void ots_socket_free(struct ots_socket *s)
{
	if (!s)
		return;
	loop_io_free(s->io);
	loop_timer_free(s->drain);
	if (s->fd >= 0)
		(void) close(s->fd);
	free(s);
}
