/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/hci_channels.h"

#include "common/err.h"
#include <errno.h>

/* A little more than the second that must lie between two commands: clocks differ. */
#define APART_US (US_PER_SEC + 50 * US_PER_MS)

struct hci_channels {
	struct hci_driver driver;
	struct hci_host *host;
	struct loop *loop;
	struct loop_timer *timer; /**< the next command may go */
	uint64_t wanted;
	uint64_t sending; /**< in a command under way; 0 = none is */
	bool ever_sent;
	int64_t sent_us;
	struct hci_channels_state state;
};

static struct hci_channels *channels_of(struct hci_driver *d)
{
	return (struct hci_channels *) ((char *) d - offsetof(struct hci_channels, driver));
}

static void pursue(struct hci_channels *c);

static void on_done(void *user, uint8_t status, const uint8_t *more, size_t len)
{
	struct hci_channels *c = user;

	(void) more;
	(void) len;
	c->state.refused = status;
	if (status == HCI_OK) {
		c->state.known = true;
		c->state.map = c->sending;
	}
	c->sending = 0;
	pursue(c);
}

/** Worth a command: the controller uses another map, as far as we know, and would take ours. */
static bool is_due(const struct hci_channels *c)
{
	const struct hci_channels_state *s = &c->state;

	if (!hci_host_is_up(c->host) || c->sending)
		return false;
	if (s->refused && s->refused != HCI_ERR_COMMAND_DISALLOWED)
		return false;
	return !s->known || s->map != c->wanted || s->refused;
}

static void pursue(struct hci_channels *c)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	int64_t now_us = clock_mono_us(loop_clock(c->loop));
	int64_t wait_us = c->ever_sent ? c->sent_us + APART_US - now_us : 0;

	if (!is_due(c))
		return;
	if (wait_us > 0) {
		loop_timer_start(c->timer, wait_us);
		return;
	}
	hci_put_channel_map(&b, c->wanted);
	if (hci_host_command(c->host, &b, on_done, c) < 0)
		return; /* away; or out of memory, which the next change may find mended */
	c->sending = c->wanted;
	c->ever_sent = true;
	c->sent_us = now_us;
}

static void on_timer(void *user)
{
	pursue(user);
}

static void host_up(struct hci_driver *d)
{
	struct hci_channels *c = channels_of(d);

	c->state = (struct hci_channels_state){0};
	c->sending = 0;
	pursue(c);
}

static void host_down(struct hci_driver *d, int err, const char *text)
{
	struct hci_channels *c = channels_of(d);

	(void) err;
	(void) text;
	c->state = (struct hci_channels_state){0};
	c->sending = 0;
	loop_timer_stop(c->timer);
}

static int on_event(struct hci_driver *d, uint8_t code, struct wire *w)
{
	(void) d;
	(void) code;
	(void) w;
	return 0;
}

static const struct hci_driver_ops driver_ops = {
	.up = host_up,
	.down = host_down,
	.event = on_event,
};

int hci_channels_new(struct loop *loop, struct hci_host *host, struct hci_channels **ret)
{
	struct hci_channels *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->loop = loop;
	c->wanted = HCI_DATA_CHANNELS_ALL;
	c->driver.ops = &driver_ops;
	r = loop_timer_new(loop, on_timer, c, &c->timer);
	if (r < 0) {
		free(c);
		return r;
	}
	c->host = hci_host_ref(host);
	hci_host_join(host, &c->driver);
	*ret = c;
	return 0;
}

void hci_channels_free(struct hci_channels *c)
{
	if (!c)
		return;
	hci_host_leave(c->host, &c->driver);
	hci_host_unref(c->host);
	loop_timer_free(c->timer);
	free(c);
}

void hci_channels_set(struct hci_channels *c, uint64_t map)
{
	map &= HCI_DATA_CHANNELS_ALL;
	if (__builtin_popcountll(map) < HCI_CHANNELS_LEAST)
		return;
	c->wanted = map;
	pursue(c);
}

void hci_channels_get(const struct hci_channels *c, struct hci_channels_state *ret)
{
	*ret = c->state;
}
