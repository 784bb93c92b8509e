/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections as the controller counts them. Linux 6.1 may forget one that bluetoothd wants ended
 * and never tell the controller: the label stays connected to nobody, does not advertise and hears
 * no train. What belongs to no visit for a while is therefore ended by its handle.
 */
#include "esl-radio/bluez/link_impl.h"

#include "esl-radio/le/hci_conn_wire.h"
#include <string.h>

#define LOOK_US     (INT64_C(3) * US_PER_SEC) /* bluetoothd ends one after two seconds */
#define REASON_USER 0x13                      /* remote user terminated connection */

void bluez_handle_made(struct bluez_link *k, uint16_t handle, const uint8_t *addr)
{
	struct bluez_handle *free_one = NULL;

	for (size_t i = 0; i < BLUEZ_HANDLES_MAX; i++) {
		struct bluez_handle *h = &k->handles[i];

		if (h->used && h->handle == handle)
			h->used = false;
		if (!h->used && !free_one)
			free_one = h;
	}
	if (!free_one)
		return;
	*free_one = (struct bluez_handle){.used = true, .handle = handle};
	memcpy(free_one->addr, addr, ESL_ADDR_BYTES);
	if (!loop_timer_active(k->look))
		loop_timer_start(k->look, LOOK_US);
}

void bluez_handle_gone(struct bluez_link *k, uint16_t handle)
{
	for (size_t i = 0; i < BLUEZ_HANDLES_MAX; i++)
		if (k->handles[i].used && k->handles[i].handle == handle)
			k->handles[i].used = false;
}

void bluez_handles_clear(struct bluez_link *k)
{
	memset(k->handles, 0, sizeof(k->handles));
	loop_timer_stop(k->look);
}

static void hang_up(struct bluez_link *k, uint16_t handle)
{
	const struct hci_disconnect c = {.handle = handle, .reason = REASON_USER};
	_cleanup_buf_ struct buf b = BUF_INIT;

	hci_put_disconnect(&b, &c);
	ignore_result(hci_host_command(k->host, &b, NULL, NULL)); /* the next look tries again */
}

void bluez_handles_look(void *user)
{
	struct bluez_link *k = user;
	bool any = false;

	for (size_t i = 0; i < BLUEZ_HANDLES_MAX; i++) {
		struct bluez_handle *h = &k->handles[i];
		const struct visit *v = h->used ? bluez_visit_find(k, h->addr) : NULL;

		any |= h->used;
		if (v && v->handle == h->handle)
			h->alone = false;
		else if (h->used && h->alone)
			hang_up(k, h->handle);
		else
			h->alone = h->used;
	}
	if (any)
		loop_timer_start(k->look, LOOK_US);
}
