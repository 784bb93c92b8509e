/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Operations on tags that the controller asks for, one after the other, each once and for all by
 * its id. What was begun is on flash before the reader hears of it, so that nothing is written
 * twice: after a power cut an operation that was under way is told as unknown, and the tag is read
 * to find out. A write is always read back. Passwords stay in memory.
 *
 *     accepted -> (which tag is in view?) -> begun -> the reader works -> (read back) -> a result
 *              -> told to the controller, again and again until it answers
 */
#pragma once

#include "ap-agent/http_client.h"
#include "ap-agent/readers.h"
#include "ap-agent/store.h"
#include "ap-agent/timebase.h"
#include "common/proto_operations.h"

#define OPERATIONS_LOOK_US (2 * US_PER_SEC) /**< at the field, when no tag is named */
#define OPERATIONS_RECOVER_US                                                                      \
	(600 * US_PER_SEC)  /**< how long one waits for a reader to find out                       \
			     */
#define OPERATIONS_KEPT 500 /**< ids of finished ones that are remembered */

struct operations;

struct operations_config {
	struct store *store;
	struct readers *readers;
	const struct timebase *tb;
	struct http_client *http; /**< NULL = nothing is told (tests) */
	uint64_t caps;
};

/** Goes on with what an earlier life left. Registers readers_listen(). */
int operations_new(struct loop *loop, const struct operations_config *cfg,
		   struct operations **ret) _must_check_;
/** NULL-safe. Before the readers and the HTTP client. */
void operations_free(struct operations *o);
DEFINE_CLEANUP(struct operations *, operations_free)
/** What is to be done now. Durable before the revision it came with may be kept. */
int operations_want(struct operations *o, const struct proto_operation *list,
		    size_t n) _must_check_;
/** The controller can be reached: tells what is owed. */
void operations_online(struct operations *o);
/** Joined another store: nothing of the one before counts. */
int operations_forget(struct operations *o) _must_check_;

/** The results that are not acknowledged; for the link and for tests. Returns how many. */
size_t operations_owed(const struct operations *o, struct proto_operation_results *ret);
