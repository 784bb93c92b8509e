/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Keeps the train going on a controller that a kernel works with as well. Joins the host before the
 * train's driver: what an earlier life left of the train's advertising set is removed first, and
 * whatever the kernel does to the set or to the event mask later is put right.
 */
#pragma once

#include "esl-radio/hci_host.h"

struct hci_keep;

/**
 * `cleared` hears that the kernel wants all sets gone, as it does before it switches an adapter
 * off. A controller refuses that while a train runs (Vol 4 Part E 7.8.60), and the kernel gives up;
 * the train has been stopped now, and rests for a while.
 */
int hci_keep_new(struct loop *loop, struct hci_host *host, uint8_t adv_handle,
		 void (*cleared)(void *user), void *user, struct hci_keep **ret) _must_check_;
/** NULL-safe. */
void hci_keep_free(struct hci_keep *k);
/** How often something had to be put right. */
unsigned int hci_keep_repairs(const struct hci_keep *k);
