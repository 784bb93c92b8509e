/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/kernel_hci.h"

#include "common/err.h"
#include "common/hci_raw.h"
#include "common/kernel_bt.h"
#include "common/log.h"
#include "esl-radio/hci_wire.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PACKET_MAX 300
#define RETRY_US   US_PER_SEC

struct kernel_hci {
	struct loop *loop;
	uint16_t adapter;
	struct kernel_hci_callbacks cb;
	void *user;
	int fd;       /**< of the adapter, on or off; -1 = it is not there */
	int watch_fd; /**< hears of adapters that come, go, and are switched */
	struct loop_io *io, *watch;
	struct loop_timer *retry;
	bool up, mask_known;
	uint64_t mask; /**< the kernel's */
};

/* --- the adapter's state ---------------------------------------------------------------------- */

static void set_down(struct kernel_hci *h)
{
	if (!h->up)
		return;
	h->up = h->mask_known = false;
	h->cb.down(h->user);
}

static void close_adapter(struct kernel_hci *h)
{
	loop_io_free(h->io);
	h->io = NULL;
	if (h->fd >= 0)
		(void) close(h->fd);
	h->fd = -1;
	set_down(h);
}

/** Is it on by now? */
static void look(struct kernel_hci *h)
{
	uint8_t addr[6];

	if (h->up || h->fd < 0 || hci_raw_look(h->fd, h->adapter, addr) < 0)
		return;
	h->up = true;
	h->cb.up(h->user, addr);
}

/* --- packets ---------------------------------------------------------------------------------- */

static void on_command(struct kernel_hci *h, const struct h4_packet *p)
{
	struct wire w;

	if (p->opcode != HCI_LE_SET_EVENT_MASK || p->len != 8)
		return;
	wire_init(&w, p->params, p->len);
	h->mask = wire_get_u64le(&w);
	h->mask_known = true;
}

/** What the controller refuses is worth a line: nobody waits for these answers. */
static void tell_refusal(const struct h4_packet *p)
{
	struct hci_command_complete c;
	struct wire w;

	wire_init(&w, p->params, p->len);
	hci_get_command_complete(&w, &c);
	if (wire_ok(&w) && c.status != HCI_OK && c.opcode >> 10 == 8)
		log_info("label", "opcode=0x%04x status=0x%02x msg=\"the controller refuses\"",
			 c.opcode, c.status);
}

static bool take_packet(struct kernel_hci *h)
{
	uint8_t data[PACKET_MAX];
	struct h4_packet p;
	struct wire w;
	ssize_t n = h->fd >= 0 ? read(h->fd, data, sizeof(data)) : -1;

	if (h->fd < 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return false;
	if (n <= 0) {
		close_adapter(h);
		loop_timer_start(h->retry, RETRY_US);
		return false;
	}
	if (h4_next(data, (size_t) n, &p) != n)
		return true;
	if (p.type == H4_COMMAND) {
		on_command(h, &p);
	} else if (p.type == H4_EVENT) {
		if (p.event == HCI_EVT_COMMAND_COMPLETE)
			tell_refusal(&p);
		wire_init(&w, p.params, p.len);
		h->cb.event(h->user, p.event, &w);
	}
	return true;
}

void kernel_hci_catch_up(struct kernel_hci *h)
{
	while (take_packet(h))
		;
}

static void on_io(void *user, unsigned int events)
{
	(void) events;
	kernel_hci_catch_up(user);
}

/* --- sockets ---------------------------------------------------------------------------------- */

static void open_adapter(void *user)
{
	static const uint8_t codes[] = {0x05, 0x08, 0x0e, 0x0f, 0x30, 0x3e};
	struct kernel_hci *h = user;

	if (h->fd >= 0)
		return;
	h->fd = hci_raw_open(h->adapter, codes, sizeof(codes));
	if (h->fd < 0) {
		loop_timer_start(h->retry, RETRY_US);
		return;
	}
	if (loop_io_new(h->loop, h->fd, LOOP_READ, on_io, h, &h->io) < 0) {
		close_adapter(h);
		loop_timer_start(h->retry, RETRY_US);
		return;
	}
	look(h);
}

static void on_watch(void *user, unsigned int events)
{
	struct kernel_hci *h = user;
	uint16_t what = hci_raw_news(h->watch_fd, h->adapter);

	(void) events;
	if (!what)
		return;
	kernel_hci_catch_up(h);
	if (what == KBT_STACK_DOWN)
		set_down(h);
	else if (what == KBT_STACK_REMOVED)
		close_adapter(h);
	else
		open_adapter(h);
	look(h);
}

/* --- life ------------------------------------------------------------------------------------- */

int kernel_hci_new(struct loop *loop, uint16_t adapter, const struct kernel_hci_callbacks *cb,
		   void *user, struct kernel_hci **ret)
{
	struct kernel_hci *h = calloc(1, sizeof(*h));
	int e;

	if (!h)
		return -ENOMEM;
	h->loop = loop;
	h->adapter = adapter;
	h->cb = *cb;
	h->user = user;
	h->fd = -1;
	h->watch_fd = hci_raw_watch();
	e = h->watch_fd < 0 ? h->watch_fd : 0;
	if (e == 0)
		e = loop_io_new(loop, h->watch_fd, LOOP_READ, on_watch, h, &h->watch);
	if (e == 0)
		e = loop_timer_new(loop, open_adapter, h, &h->retry);
	if (e < 0) {
		kernel_hci_free(h);
		return e;
	}
	loop_timer_start(h->retry, 0);
	*ret = h;
	return 0;
}

void kernel_hci_free(struct kernel_hci *h)
{
	if (!h)
		return;
	loop_io_free(h->io);
	loop_io_free(h->watch);
	loop_timer_free(h->retry);
	if (h->fd >= 0)
		(void) close(h->fd);
	if (h->watch_fd >= 0)
		(void) close(h->watch_fd);
	free(h);
}

bool kernel_hci_is_up(const struct kernel_hci *h)
{
	return h->up;
}

bool kernel_hci_mask_known(const struct kernel_hci *h)
{
	return h->mask_known;
}

int kernel_hci_hear(struct kernel_hci *h, uint64_t le_mask)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (!h->mask_known)
		return -ERR_STATE;
	/* A connection complete of version 2 is one that no kernel understands. */
	hci_put_mask(&b, HCI_LE_SET_EVENT_MASK,
		     (h->mask | le_mask) & ~HCI_LE_MASK(HCI_LE_ENHANCED_CONNECTION_COMPLETE_V2));
	return kernel_hci_send(h, &b);
}

int kernel_hci_send(struct kernel_hci *h, const struct buf *packet)
{
	if (!buf_ok(packet))
		return packet->err;
	if (h->fd < 0 || !h->up)
		return -ERR_STATE;
	return write(h->fd, packet->data, packet->len) < 0 ? -errno : 0;
}
