/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/kernel_channel.h"

#include "common/kernel_bt.h"
#include "esl-radio/le/ots_wire.h"
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define UNIT_MAX 1494 /* longest unit taken, as one published label has it */

struct kernel_channel {
	struct loop *loop;
	struct kernel_channel_callbacks cb;
	void *user;
	int listener, fd; /**< fd: the channel; -1 = none is open */
	bool ended;       /**< the kernel has said so once; what came before may still be there */
	struct loop_io *listener_io, *io;
};

static void close_channel(struct kernel_channel *c)
{
	loop_io_free(c->io);
	c->io = NULL;
	if (c->fd >= 0)
		(void) close(c->fd);
	c->fd = -1;
}

static bool take_unit(struct kernel_channel *c)
{
	uint8_t data[UNIT_MAX];
	ssize_t n = c->fd >= 0 ? recv(c->fd, data, sizeof(data), MSG_DONTWAIT) : -1;

	if (c->fd < 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return false;
	if (n > 0) {
		c->cb.content(c->user, data, (size_t) n);
		return true;
	}
	if (!c->ended) { /* that it was closed is told before the last of what it brought */
		c->ended = true;
		return true;
	}
	close_channel(c);
	c->cb.closed(c->user);
	return false;
}

static void on_content(void *user, unsigned int events)
{
	(void) events;
	while (take_unit(user))
		;
}

static void take_channel(struct kernel_channel *c)
{
	int fd = accept4(c->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	while (take_unit(c)) /* the one before may be over */
		;
	if (c->fd >= 0 || loop_io_new(c->loop, fd, LOOP_READ, on_content, c, &c->io) < 0) {
		(void) close(fd);
		return;
	}
	c->fd = fd;
	c->ended = false;
	c->cb.opened(c->user);
}

static void on_listener(void *user, unsigned int events)
{
	(void) events;
	take_channel(user);
}

void kernel_channel_catch_up(struct kernel_channel *c)
{
	take_channel(c);
	while (take_unit(c))
		;
}

static int open_listener(const uint8_t addr[6])
{
	struct kbt_sockaddr_l2 here = {
		.family = KBT_AF, .psm = htole16(OTS_SPSM), .addr_type = KBT_ADDR_LE_PUBLIC};
	const struct kbt_security security = {.level = KBT_SECURITY_MEDIUM};
	const uint16_t unit = UNIT_MAX;
	int fd = socket(KBT_AF, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, KBT_PROTO_L2CAP), e;

	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < 6; i++)
		here.addr[i] = addr[5 - i];
	/* The kernel asks for credit-based mode by the size of units, and only after the address.
	 */
	if (bind(fd, (struct sockaddr *) &here, sizeof(here)) == 0 &&
	    setsockopt(fd, KBT_SOL_BLUETOOTH, KBT_SECURITY, &security, sizeof(security)) == 0 &&
	    setsockopt(fd, KBT_SOL_BLUETOOTH, KBT_RCVMTU, &unit, sizeof(unit)) == 0 &&
	    listen(fd, 1) == 0)
		return fd;
	e = -errno;
	(void) close(fd);
	return e;
}

int kernel_channel_new(struct loop *loop, const uint8_t addr[6],
		       const struct kernel_channel_callbacks *cb, void *user,
		       struct kernel_channel **ret)
{
	struct kernel_channel *c = calloc(1, sizeof(*c));
	int e;

	if (!c)
		return -ENOMEM;
	c->loop = loop;
	c->cb = *cb;
	c->user = user;
	c->fd = -1;
	c->listener = open_listener(addr);
	e = c->listener < 0 ? c->listener : 0;
	if (e == 0)
		e = loop_io_new(loop, c->listener, LOOP_READ, on_listener, c, &c->listener_io);
	if (e < 0) {
		kernel_channel_free(c);
		return e;
	}
	*ret = c;
	return 0;
}

void kernel_channel_free(struct kernel_channel *c)
{
	if (!c)
		return;
	close_channel(c);
	loop_io_free(c->listener_io);
	if (c->listener >= 0)
		(void) close(c->listener);
	free(c);
}
