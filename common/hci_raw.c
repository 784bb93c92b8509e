/* SPDX-License-Identifier: Apache-2.0 */
#include "common/hci_raw.h"

#include "common/err.h"
#include "common/kernel_bt.h"
#include "common/wire.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ADAPTER_MAX 999u
#define NEWS_MAX    64

int hci_raw_adapter(const char *name)
{
	char *end;
	unsigned long n;

	if (strncmp(name, "hci", 3) != 0 || name[3] < '0' || name[3] > '9')
		return -ERR_SYNTAX;
	n = strtoul(name + 3, &end, 10);
	return *end || n > ADAPTER_MAX ? -ERR_SYNTAX : (int) n;
}

static void pass_event(struct kbt_hci_filter *f, unsigned int code)
{
	code &= 63; /* as the kernel counts them */
	f->events[code / 32] |= UINT32_C(1) << code % 32;
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

int hci_raw_open(uint16_t adapter, const uint8_t *events, size_t n)
{
	struct kbt_hci_filter filter = {.types = 1u << KBT_PACKET_EVENT | 1u << KBT_PACKET_COMMAND};

	for (size_t i = 0; i < n; i++)
		pass_event(&filter, events[i]);
	return open_socket(adapter, &filter);
}

int hci_raw_look(int fd, uint16_t adapter, uint8_t ret_addr[6])
{
	struct kbt_hci_dev_info info = {.dev = adapter};

	if (ioctl(fd, KBT_HCI_GET_DEV, &info) < 0)
		return -errno;
	if (!(info.flags & KBT_HCI_DEV_UP))
		return -ENETDOWN;
	for (size_t i = 0; ret_addr && i < sizeof(info.addr); i++)
		ret_addr[i] = info.addr[sizeof(info.addr) - 1 - i];
	return 0;
}

int hci_raw_watch(void)
{
	struct kbt_hci_filter filter = {.types = 1u << KBT_PACKET_EVENT};

	pass_event(&filter, KBT_EVT_STACK);
	return open_socket(KBT_HCI_DEV_NONE, &filter);
}

uint16_t hci_raw_news(int fd, uint16_t adapter)
{
	uint8_t b[NEWS_MAX];
	ssize_t n = read(fd, b, sizeof(b));
	struct wire w;
	uint16_t what;

	wire_init(&w, b, n > 0 ? (size_t) n : 0);
	if (wire_get_u8(&w) != KBT_PACKET_EVENT || wire_get_u8(&w) != KBT_EVT_STACK)
		return 0;
	wire_skip(&w, 1);
	if (wire_get_u16le(&w) != KBT_STACK_DEVICE)
		return 0;
	what = wire_get_u16le(&w);
	return wire_get_u16le(&w) == adapter && wire_ok(&w) ? what : 0;
}
