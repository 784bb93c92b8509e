/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/bluez/raw_port.h"

#include "common/err.h"
#include "common/kernel_bt.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EVENT_BYTES 64

struct raw_port {
	struct hci_port base;
	struct loop *loop;
	uint16_t adapter;
	int watch_fd; /**< hears of adapters that come and go */
	struct loop_io *watch;
};

int raw_port_adapter(const char *name)
{
	char *end;
	unsigned long n;

	if (strncmp(name, "hci", 3) != 0 || name[3] < '0' || name[3] > '9')
		return -ERR_SYNTAX;
	n = strtoul(name + 3, &end, 10);
	return *end || n > 999 ? -ERR_SYNTAX : (int) n;
}

/* --- sockets ---------------------------------------------------------------------------------- */

static bool may_use_raw(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3] = {{0}};

	return syscall(SYS_capget, &head, caps) < 0 ||
	       (caps[CAP_TO_INDEX(CAP_NET_RAW)].effective & CAP_TO_MASK(CAP_NET_RAW));
}

static int open_socket(uint16_t adapter, const struct kbt_hci_filter *filter)
{
	struct kbt_sockaddr_hci sa = {
		.family = KBT_AF, .dev = adapter, .channel = KBT_HCI_CHANNEL_RAW};
	int fd = socket(KBT_AF, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, KBT_PROTO_HCI), e;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, KBT_SOL_HCI, KBT_HCI_FILTER, filter, sizeof(*filter)) == 0 &&
	    bind(fd, (struct sockaddr *) &sa, sizeof(sa)) == 0)
		return fd;
	e = -errno;
	(void) close(fd);
	return e;
}

static void pass_event(struct kbt_hci_filter *f, unsigned int code)
{
	code &= 63;
	f->events[code / 32] |= UINT32_C(1) << code % 32;
}

/* --- the adapter comes and goes --------------------------------------------------------------- */

static void on_watch(void *user, unsigned int events)
{
	struct raw_port *p = user;
	uint8_t b[EVENT_BYTES];
	ssize_t n = read(p->watch_fd, b, sizeof(b));
	struct wire w;
	uint16_t what;

	(void) events;
	wire_init(&w, b, n > 0 ? (size_t) n : 0);
	if (wire_get_u8(&w) != H4_EVENT || wire_get_u8(&w) != KBT_EVT_STACK)
		return;
	wire_skip(&w, 1);
	if (wire_get_u16le(&w) != KBT_STACK_DEVICE)
		return;
	what = wire_get_u16le(&w);
	if (wire_get_u16le(&w) != p->adapter || !wire_ok(&w) || !p->base.host)
		return;
	if (what == KBT_STACK_UP)
		hci_host_hurry(p->base.host);
	else if (what == KBT_STACK_DOWN && hci_host_is_open(p->base.host))
		hci_host_fault(p->base.host, -ENETDOWN,
			       "The Bluetooth adapter was switched off or pulled out; the label "
			       "radio waits for it ('bluetoothctl power on').");
}

static int start_watch(struct raw_port *p)
{
	struct kbt_hci_filter filter = {.types = 1u << H4_EVENT};
	int r;

	if (p->watch)
		return 0;
	pass_event(&filter, KBT_EVT_STACK);
	p->watch_fd = open_socket(KBT_HCI_DEV_NONE, &filter);
	if (p->watch_fd < 0)
		return p->watch_fd;
	r = loop_io_new(p->loop, p->watch_fd, LOOP_READ, on_watch, p, &p->watch);
	if (r < 0) {
		(void) close(p->watch_fd);
		p->watch_fd = -1;
	}
	return r;
}

/* --- the port --------------------------------------------------------------------------------- */

static int check_adapter(uint16_t adapter, int fd)
{
	struct kbt_hci_dev_info info = {.dev = adapter};

	if (ioctl(fd, KBT_HCI_GET_DEV, &info) < 0)
		return -errno;
	return info.flags & KBT_HCI_DEV_UP ? 0 : -ENETDOWN;
}

static const char *advice(int e)
{
	switch (e) {
	case -EAFNOSUPPORT:
		return "This system's kernel has no Bluetooth; load its module 'bluetooth'.";
	case -ENODEV:
		return "There is no such Bluetooth adapter; 'bluetoothctl list' and the key "
		       "'adapter' of agent.conf must agree.";
	case -ENETDOWN:
		return "The Bluetooth adapter is off; 'bluetoothctl power on' switches it on.";
	case -EPERM:
	case -EACCES:
		return "The agent may not use raw Bluetooth sockets; give its service the "
		       "capability CAP_NET_RAW.";
	default:
		return "The Bluetooth adapter cannot be opened.";
	}
}

static int raw_open(struct hci_port *base, const char **ret_text)
{
	static const uint8_t codes[] = {0x05, 0x08, 0x0e, 0x0f, 0x10, 0x30, 0x3e};
	struct raw_port *p = (struct raw_port *) base;
	struct kbt_hci_filter filter = {.types = 1u << H4_EVENT | 1u << H4_COMMAND};
	int fd, e = may_use_raw() ? start_watch(p) : -EPERM;

	for (size_t i = 0; i < sizeof(codes); i++)
		pass_event(&filter, codes[i]);
	fd = e < 0 ? e : open_socket(p->adapter, &filter);
	e = fd < 0 ? fd : check_adapter(p->adapter, fd);
	if (e < 0) {
		if (fd >= 0)
			(void) close(fd);
		*ret_text = advice(e);
		return e;
	}
	return fd;
}

static void raw_free(struct hci_port *base)
{
	struct raw_port *p = (struct raw_port *) base;

	loop_io_free(p->watch);
	if (p->watch_fd >= 0)
		(void) close(p->watch_fd);
	free(p);
}

int raw_port_new(struct loop *loop, uint16_t adapter, struct hci_port **ret)
{
	static const struct hci_port_ops ops = {.open = raw_open, .free = raw_free};
	struct raw_port *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->base.ops = &ops;
	p->loop = loop;
	p->adapter = adapter;
	p->watch_fd = -1;
	*ret = &p->base;
	return 0;
}
