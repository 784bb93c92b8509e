/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The snapshot environment: the last image of the state (inv_image.h) and the item event log
 * (inv_history.h), written together by a thread of their own, so that a checkpoint of a million
 * items never holds up an acknowledgement. The image before the last goes in the same transaction
 * that stores the new one; a crash leaves one or the other.
 */
#pragma once

#include "common/loop.h"
#include "controller/inventory/inv_image.h"
#include "controller/inventory/inv_journal.h"

struct inv_snapshot;

/** On the loop thread after each write. */
typedef void (*inv_snapshot_done_fn)(void *user, uint64_t cover, int err);

/** Opens or creates; -ERR_CORRUPT if it belongs to another journal than `identity`. */
int inv_snapshot_open(const char *dir, uint64_t max_bytes,
		      const uint8_t identity[INV_IDENTITY_BYTES],
		      struct inv_snapshot **ret) _must_check_;
/** Restores into a fresh state; *ret_cover is 0 when there is no snapshot yet. */
int inv_snapshot_load(struct inv_snapshot *s, struct inv_state *st,
		      uint64_t *ret_cover) _must_check_;
int inv_snapshot_start(struct inv_snapshot *s, struct loop *loop, inv_snapshot_done_fn done,
		       void *user) _must_check_;
bool inv_snapshot_busy(const struct inv_snapshot *s);
/** Takes an image of `st` now and writes it with the events (copied) in the background. Not while
 * busy. */
int inv_snapshot_write(struct inv_snapshot *s, const struct inv_state *st, uint64_t cover,
		       const struct inv_change *events, size_t n, int64_t now_us) _must_check_;
/** The event log of an item: newest first, those before `before_us`. */
size_t inv_snapshot_events(struct inv_snapshot *s, uint32_t item, int64_t before_us,
			   struct inv_change *ret, size_t max);
/** Writes a copy of the environment's file to `fd`. Any thread. */
int inv_snapshot_copy(struct inv_snapshot *s, int fd) _must_check_;
uint64_t inv_snapshot_bytes(struct inv_snapshot *s);
/** Finishes a write under way, then closes. NULL-safe; no `done` after this. */
void inv_snapshot_close(struct inv_snapshot *s);
