/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/bluez/hci_keep.h"

#include "common/err.h"
#include <errno.h>
#include <stdlib.h>

/* A kernel that pauses advertising resumes its own sets soon after; ours comes back with them. */
#define RESUME_US (US_PER_SEC / 2)
#define REST_US   (INT64_C(5) * US_PER_SEC)

struct hci_keep {
	struct hci_driver driver;
	struct hci_host *host;
	uint8_t adv_handle;
	bool resting; /**< the train was stopped for the kernel's sake */
	void (*cleared)(void *user);
	void *user;
	unsigned int repairs;
	struct loop_timer *resume;
};

static struct hci_keep *keep_of(struct hci_driver *d)
{
	return (struct hci_keep *) ((char *) d - offsetof(struct hci_keep, driver));
}

static void say(struct hci_keep *k, const struct buf *b)
{
	if (hci_host_command(k->host, b, NULL, NULL) == -ENOMEM)
		hci_host_fail_soon(k->host, -ENOMEM, "The access point is out of memory.");
}

/* What a process that was killed left behind would refuse the train's parameters. A controller that
 * knows no such set says so, which is as good. */
static void remove_set(struct hci_keep *k)
{
	const struct hci_adv_enable off = {.handle = k->adv_handle};
	_cleanup_buf_ struct buf adv = BUF_INIT, pa = BUF_INIT, set = BUF_INIT;

	hci_put_ext_adv_enable(&adv, &off);
	hci_put_pa_enable(&pa, &off);
	hci_put_command(&set, HCI_LE_REMOVE_ADV_SET, &k->adv_handle, 1);
	say(k, &adv);
	say(k, &pa);
	say(k, &set);
}

static void on_up(struct hci_driver *d)
{
	struct hci_keep *k = keep_of(d);

	k->resting = false;
	remove_set(k);
}

static void on_down(struct hci_driver *d, int err, const char *text)
{
	(void) err;
	(void) text;
	loop_timer_stop(keep_of(d)->resume);
}

static int on_event(struct hci_driver *d, uint8_t code, struct wire *w)
{
	(void) d;
	(void) code;
	(void) w;
	return 0;
}

static void on_resume(void *user)
{
	struct hci_keep *k = user;
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (k->resting) {
		hci_host_fault(k->host, -ERR_CLOSED,
			       "The system took the adapter for itself; the train starts anew.");
		return;
	}
	hci_put_ext_adv_enable(&b,
			       &(struct hci_adv_enable){.enable = true, .handle = k->adv_handle});
	k->repairs++;
	say(k, &b);
}

/** Does LE Set Extended Advertising Enable turn our set off? Without a list it turns off all. */
static bool turns_off(const struct hci_keep *k, struct wire *w)
{
	bool enable = wire_get_u8(w) != 0;
	unsigned int n = wire_get_u8(w);
	bool named = n == 0;

	while (n-- && wire_ok(w)) {
		named |= wire_get_u8(w) == k->adv_handle;
		wire_skip(w, 3);
	}
	return wire_ok(w) && !enable && named;
}

static void on_overheard(struct hci_driver *d, uint16_t opcode, struct wire *w)
{
	struct hci_keep *k = keep_of(d);

	switch (opcode) {
	case HCI_LE_SET_EXT_ADV_ENABLE:
		if (!k->resting && turns_off(k, w))
			loop_timer_start(k->resume, RESUME_US);
		break;
	case HCI_LE_CLEAR_ADV_SETS:
		k->resting = true;
		k->repairs++;
		remove_set(k);
		loop_timer_start(k->resume, REST_US);
		k->cleared(k->user);
		break;
	case HCI_RESET:
	case HCI_LE_SET_EVENT_MASK:
		/* The train is gone, or is not heard any more: all over again. */
		k->repairs++;
		hci_host_fail_soon(k->host, -ERR_CLOSED,
				   "The system's Bluetooth stack has set up the controller anew; "
				   "the label radio follows by itself.");
		break;
	default:
		break;
	}
}

int hci_keep_new(struct loop *loop, struct hci_host *host, uint8_t adv_handle,
		 void (*cleared)(void *user), void *user, struct hci_keep **ret)
{
	static const struct hci_driver_ops ops = {
		.up = on_up, .down = on_down, .event = on_event, .overheard = on_overheard};
	struct hci_keep *k = calloc(1, sizeof(*k));
	int e;

	if (!k)
		return -ENOMEM;
	k->adv_handle = adv_handle;
	k->cleared = cleared;
	k->user = user;
	k->driver.ops = &ops;
	e = loop_timer_new(loop, on_resume, k, &k->resume);
	if (e < 0) {
		free(k);
		return e;
	}
	k->host = hci_host_ref(host);
	hci_host_join(host, &k->driver);
	*ret = k;
	return 0;
}

void hci_keep_free(struct hci_keep *k)
{
	if (!k)
		return;
	hci_host_leave(k->host, &k->driver);
	hci_host_unref(k->host);
	loop_timer_free(k->resume);
	free(k);
}

unsigned int hci_keep_repairs(const struct hci_keep *k)
{
	return k->repairs;
}
