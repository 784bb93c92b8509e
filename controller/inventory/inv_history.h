/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The item event log: every place or state change of every item, by item and by time, kept for
 * INV_HISTORY_DAYS days. It lives in the snapshot environment and is written with each checkpoint,
 * in the same transaction; changes since then are in the journal, and in memory with the engine.
 */
#pragma once

#include "controller/db/lmdb_env.h"
#include "controller/inventory/inv_state.h"

#define INV_HISTORY_DAYS 90

/** Writes events and drops what is past its time (a bounded number each call). */
void inv_history_write(struct lmdb_txn *t, unsigned int by_item, unsigned int by_time,
		       const struct inv_change *events, size_t n, int64_t now_us);
/** Newest first, those before `before_us`, at most `max`. Returns how many. */
size_t inv_history_read(struct lmdb_txn *t, unsigned int by_item, uint32_t item, int64_t before_us,
			struct inv_change *ret, size_t max);
