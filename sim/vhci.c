/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/vhci.h"

#include "common/err.h"
#include "esl-radio/hci_wire.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEVICE        "/dev/vhci"
#define VENDOR_PACKET 0xff /* with the kernel itself: makes an adapter, and names it */
#define PRIMARY       0x00
#define PACKET_MAX    2048
#define QUEUE_MAX     (1u << 20)

struct sim_vhci {
	struct loop *loop;
	net_accept_fn fn;
	void *user;
	int device;
	struct loop_io *io;
	struct net_conn *stream; /**< to the simulated controller */
	struct buf in;           /**< of that stream */
};

static void gone(struct sim_vhci *v)
{
	loop_io_free(v->io);
	v->io = NULL;
	if (v->device >= 0)
		(void) close(v->device);
	v->device = -1;
	net_conn_free(v->stream);
	v->stream = NULL;
}

/** An adapter that is switched off hears nothing; it is there all the same. */
static bool to_kernel(struct sim_vhci *v, const uint8_t *packet, size_t len)
{
	return write(v->device, packet, len) == (ssize_t) len || errno == ENXIO;
}

/** The device takes one packet at a time. */
static void stream_data(void *user, const uint8_t *data, size_t len)
{
	struct sim_vhci *v = user;

	buf_put(&v->in, data, len);
	while (v->stream && v->in.len > 0) {
		struct h4_packet p;
		int n = buf_ok(&v->in) ? h4_next(v->in.data, v->in.len, &p) : v->in.err;

		if (n == 0)
			return;
		if (n < 0 || !to_kernel(v, v->in.data, (size_t) n)) {
			gone(v);
			return;
		}
		buf_consume(&v->in, (size_t) n);
	}
}

static void stream_closed(void *user, int err)
{
	(void) err;
	gone(user);
}

static void device_ready(void *user, unsigned int events)
{
	struct sim_vhci *v = user;
	uint8_t packet[PACKET_MAX];
	ssize_t n = read(v->device, packet, sizeof(packet));

	(void) events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		gone(v);
	else if (packet[0] != VENDOR_PACKET && net_conn_send(v->stream, packet, (size_t) n) < 0)
		gone(v);
}

static int open_device(void)
{
	static const uint8_t make[] = {VENDOR_PACKET, PRIMARY};
	int fd = open(DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC), e;

	if (fd < 0)
		return -errno;
	if (write(fd, make, sizeof(make)) == (ssize_t) sizeof(make))
		return fd;
	e = -errno;
	(void) close(fd);
	return e;
}

/** Makes an adapter, and gives the controller its end of a new byte stream. */
static int plug_in(struct sim_vhci *v)
{
	static const struct net_conn_callbacks cb = {stream_data, stream_closed};
	int ends[2], e;

	buf_clear(&v->in);
	v->device = open_device();
	if (v->device < 0)
		return v->device;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	v->fn(v->user, ends[1]);
	e = net_conn_new(v->loop, ends[0], false, QUEUE_MAX, &cb, v, &v->stream);
	return e < 0 ? e : loop_io_new(v->loop, v->device, LOOP_READ, device_ready, v, &v->io);
}

int sim_vhci_plug(struct sim_vhci *v, bool in)
{
	int e;

	if (in == (v->device >= 0))
		return 0;
	if (!in) {
		gone(v);
		return 0;
	}
	e = plug_in(v);
	if (e < 0)
		gone(v);
	return e;
}

int sim_vhci_new(struct loop *loop, net_accept_fn fn, void *user, struct sim_vhci **ret)
{
	struct sim_vhci *v = calloc(1, sizeof(*v));
	int e;

	if (!v)
		return -ENOMEM;
	v->loop = loop;
	v->fn = fn;
	v->user = user;
	v->device = -1;
	buf_init(&v->in, QUEUE_MAX);
	e = plug_in(v);
	if (e < 0) {
		sim_vhci_free(v);
		return e;
	}
	*ret = v;
	return 0;
}

void sim_vhci_free(struct sim_vhci *v)
{
	if (!v)
		return;
	gone(v);
	buf_done(&v->in);
	free(v);
}
