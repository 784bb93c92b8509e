/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Raw HCI beside the kernel's own stack on one of this machine's adapters: what a label needs of
 * its controller and Linux does not offer. The kernel sets the mask of LE events anew whenever the
 * adapter is switched on; it is overheard, so that ours can be laid over it.
 */
#pragma once

#include "common/buf.h"
#include "common/loop.h"
#include "common/wire.h"

struct kernel_hci;

struct kernel_hci_callbacks {
	/** The adapter is on. `addr` is most significant byte first. */
	void (*up)(void *user, const uint8_t addr[6]);
	/** It is off, or not there. */
	void (*down)(void *user);
	/** An event; `w` is a cursor over its parameters. */
	void (*event)(void *user, uint8_t code, struct wire *w);
};

/** `adapter` is the number in "hciN". Opens it soon, and whenever it comes back. */
int kernel_hci_new(struct loop *loop, uint16_t adapter, const struct kernel_hci_callbacks *cb,
		   void *user, struct kernel_hci **ret) _must_check_;
/** NULL-safe. */
void kernel_hci_free(struct kernel_hci *h);

bool kernel_hci_is_up(const struct kernel_hci *h);
/** Has the kernel been heard setting its mask? Only then may ours be laid over it. */
bool kernel_hci_mask_known(const struct kernel_hci *h);
/** Asks to hear these LE events as well. -ERR_STATE while the kernel's mask is not known. */
int kernel_hci_hear(struct kernel_hci *h, uint64_t le_mask) _must_check_;
/** Sends a command (a whole packet of hci_wire.h). */
int kernel_hci_send(struct kernel_hci *h, const struct buf *packet) _must_check_;
/** Handles at once what has arrived: other sockets may tell of what followed from it. */
void kernel_hci_catch_up(struct kernel_hci *h);
