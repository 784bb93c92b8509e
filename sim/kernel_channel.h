/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Where pictures come in at a label on the kernel's own stack: a credit-based channel of its L2CAP
 * (SPSM 0x0025) that wants an encrypted link. One at a time.
 */
#pragma once

#include "common/loop.h"

struct kernel_channel;

struct kernel_channel_callbacks {
	void (*opened)(void *user);
	/** One unit of the channel; borrowed. */
	void (*content)(void *user, const uint8_t *data, size_t len);
	void (*closed)(void *user);
};

/** Listens at the adapter of that address (most significant byte first). -errno of the kernel. */
int kernel_channel_new(struct loop *loop, const uint8_t addr[6],
		       const struct kernel_channel_callbacks *cb, void *user,
		       struct kernel_channel **ret) _must_check_;
/** No callback comes of it. NULL-safe. */
void kernel_channel_free(struct kernel_channel *c);
/** Handles at once what has arrived. */
void kernel_channel_catch_up(struct kernel_channel *c);
