/* SPDX-License-Identifier: Apache-2.0 */
/* From a controller that may be in any state to one that drivers can use. */
#include "esl-radio/hci_host_impl.h"

#include "common/err.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 160

static uint64_t all_events(const struct hci_host *h)
{
	uint64_t mask = HCI_MASK_LE_META | HCI_MASK_HARDWARE_ERROR;

	for (const struct hci_driver *d = h->drivers; d; d = d->next)
		mask |= d->event_mask;
	return mask;
}

static uint64_t all_le_events(const struct hci_host *h)
{
	uint64_t mask = 0;

	for (const struct hci_driver *d = h->drivers; d; d = d->next)
		mask |= d->le_event_mask;
	return h->shared ? hci_shared_mask(&h->kernel, h->features, mask) : mask;
}

/** From reset to a controller that drivers can use, one command after the other's success. */
static const struct script_row {
	uint16_t opcode;
	uint64_t (*mask)(const struct hci_host *h); /**< NULL: no parameters */
	bool optional;                              /**< a refusal does not matter */
	bool own, shared;                           /**< on which ports it is said */
} script[] = {
	{HCI_RESET, NULL, false, true, false},
	{HCI_READ_LOCAL_VERSION, NULL, true, true, true},
	{HCI_READ_LOCAL_COMMANDS, NULL, true, false, true},
	{HCI_LE_READ_LOCAL_FEATURES, NULL, false, true, true},
	{HCI_SET_EVENT_MASK, all_events, false, true, false},
	{HCI_LE_SET_EVENT_MASK, all_le_events, false, true, true},
};

static void step_done(void *user, uint8_t status, const uint8_t *more, size_t len);

void hci_script_step(struct hci_host *h)
{
	const struct script_row *row = &script[h->step];
	_cleanup_buf_ struct buf b = BUF_INIT;

	while (h->shared ? !row->shared : !row->own) /* the last row is said everywhere */
		row = &script[++h->step];

	if (row->mask)
		hci_put_mask(&b, row->opcode, row->mask(h));
	else
		hci_put_command(&b, row->opcode, NULL, 0);
	if (hci_host_queue(h, &b, step_done, h) < 0)
		hci_host_fail_soon(h, -ENOMEM, "The access point is out of memory.");
}

static void all_up(struct hci_host *h)
{
	h->up = true;
	h->up_since_us = clock_mono_us(loop_clock(h->loop));
	for (struct hci_driver *d = h->drivers; d && h->up; d = d->next)
		d->ops->up(d);
}

static void take_version(struct hci_host *h, const uint8_t *more, size_t len)
{
	struct hci_version v;
	struct wire w;

	wire_init(&w, more, len);
	hci_get_version(&w, &v);
	h->version_known = wire_ok(&w);
	if (h->version_known)
		h->version = v;
}

static void step_done(void *user, uint8_t status, const uint8_t *more, size_t len)
{
	struct hci_host *h = user;
	const struct script_row *row = &script[h->step];
	char text[TEXT_MAX];

	if (status != HCI_OK && !row->optional) {
		(void) snprintf(text, sizeof(text), "The radio's controller refused %s: %s.",
				hci_opcode_name(row->opcode), hci_status_name(status));
		hci_host_fault(h, -ERR_PEER, text);
		return;
	}
	if (row->opcode == HCI_LE_READ_LOCAL_FEATURES)
		memcpy(h->features, more, MIN(len, sizeof(h->features)));
	if (row->opcode == HCI_READ_LOCAL_VERSION && status == HCI_OK)
		take_version(h, more, len);
	if (row->opcode == HCI_READ_LOCAL_COMMANDS && status == HCI_OK)
		memcpy(h->kernel.commands, more, MIN(len, sizeof(h->kernel.commands)));
	if (++h->step == ARRAY_SIZE(script))
		all_up(h);
	else
		hci_script_step(h);
}
