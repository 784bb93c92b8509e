/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/bluez/raw_port.h"

#include "common/hci_raw.h"
#include "common/kernel_bt.h"
#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

struct raw_port {
	struct hci_port base;
	struct loop *loop;
	uint16_t adapter;
	int watch_fd; /**< hears of adapters that come and go */
	struct loop_io *watch;
};

static bool may_use_raw(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3] = {{0}};

	return syscall(SYS_capget, &head, caps) < 0 ||
	       (caps[CAP_TO_INDEX(CAP_NET_RAW)].effective & CAP_TO_MASK(CAP_NET_RAW));
}

/* --- the adapter comes and goes --------------------------------------------------------------- */

static void on_watch(void *user, unsigned int events)
{
	struct raw_port *p = user;
	uint16_t what = hci_raw_news(p->watch_fd, p->adapter);

	(void) events;
	if (!p->base.host)
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
	int r;

	if (p->watch)
		return 0;
	p->watch_fd = hci_raw_watch();
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
	int fd, e = may_use_raw() ? start_watch(p) : -EPERM;

	fd = e < 0 ? e : hci_raw_open(p->adapter, codes, sizeof(codes));
	e = fd < 0 ? fd : hci_raw_look(fd, p->adapter, NULL);
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
