/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Tells a controller which data channels others leave free (LE Set Host Channel Classification,
 * Core 5.4 Vol 4 Part E 7.8.19): when it comes up, since a reset makes it forget, and whenever that
 * changes, with a second between two commands as the standard has it. A controller that does not
 * know the command is left in peace.
 */
#pragma once

#include "esl-radio/hci_host.h"

#define HCI_CHANNELS_LEAST 2 /**< fewer make no hopping sequence (Vol 6 Part B 4.5.8.1) */

struct hci_channels;

int hci_channels_new(struct loop *loop, struct hci_host *host,
		     struct hci_channels **ret) _must_check_;
void hci_channels_free(struct hci_channels *c);
/** Bit n = data channel n. Maps of fewer than HCI_CHANNELS_LEAST are ignored. */
void hci_channels_set(struct hci_channels *c, uint64_t map);

struct hci_channels_state {
	bool known; /**< the controller took `map` */
	uint64_t map;
	uint8_t refused; /**< status of its refusal; 0 = none */
};
void hci_channels_get(const struct hci_channels *c, struct hci_channels_state *ret);
