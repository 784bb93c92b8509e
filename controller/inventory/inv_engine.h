/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The durable inventory: the state engine (inv_state.h) with its journal, snapshots and event log.
 * Loop thread. The rules that keep every promise:
 *
 *  1. A batch is applied in memory, its records join the open blob, and its answer waits until a
 * blob that holds all it relied on is stored. While one blob is on its way the next collects, so
 * that batches of all agents share commits.
 *  2. A batch without records is answered at once only when nothing is on its way or collected;
 *     otherwise it waits with the others. Its stream mark is not stored for its own sake: should a
 *     crash take it, what it brought is gone as well, and a replay counts it then, once.
 *  3. When a blob cannot be stored (full disk), nobody who waits is answered, no further batch is
 *     applied, and the blob is tried again with each batch that arrives and with every tick. Memory
 * is then ahead of the disk by at most that blob and the open one, and nothing in them has been
 *     acknowledged: after a crash the agents, who kept their entries, bring them again; without
 * one, the stream marks in memory drop the repetition and the retried blob makes it durable.
 *  4. A checkpoint is taken when no record is collected, so that it covers exactly the blobs up to
 * the last number. Recovery is the snapshot, then the blobs after its cover.
 *
 * What a crash can take: refreshes since the last checkpoint (last seen, read counts, RSSI), never
 * a transition that was acknowledged.
 */
#pragma once

#include "common/loop.h"
#include "controller/inventory/inv_state.h"

struct inv_engine;

struct inv_engine_config {
	const char *journal_dir;
	const char *snapshot_dir;
	uint64_t journal_max_bytes;  /**< 0 = the seam's default */
	uint64_t snapshot_max_bytes; /**< 0 = the seam's default */
	int64_t checkpoint_us;       /**< 0 = 60 s */
	uint32_t max_items;
	const struct belief_config *belief; /**< NULL = defaults */
	inv_place_fn place_of;              /**< may be NULL */
	inv_change_fn changed; /**< hears of every change from now on, not of what is recovered */
	void *user;            /**< of both */
};

/** Opens and recovers. Says in the log what is wrong when it fails. */
int inv_engine_open(struct loop *loop, const struct inv_engine_config *cfg,
		    struct inv_engine **ret) _must_check_;
/** Stores what is collected and takes a last checkpoint. Waiters are answered with -ECANCELED
 * unless their records are stored. NULL-safe. */
void inv_engine_close(struct inv_engine *e);
/** Starts the ticks. */
void inv_engine_start(struct inv_engine *e);

/** err 0: everything up to `acked` is durable. */
typedef void (*inv_acked_fn)(void *user, int err, uint64_t acked);
/** Applies a batch (borrowed for the call). `fn` is called once, perhaps before this returns. */
void inv_engine_sightings(struct inv_engine *e, const struct inv_batch *b, inv_acked_fn fn,
			  void *user);

struct inv_state *inv_engine_state(struct inv_engine *e);
/** The event log of an item: newest first, those before `before_us`, at most `max`. */
size_t inv_engine_events(struct inv_engine *e, uint32_t item, int64_t before_us,
			 struct inv_change *ret, size_t max);

struct inv_engine_stats {
	uint64_t commits;
	uint64_t commit_failures;
	uint64_t checkpoints;
	int64_t last_checkpoint_us; /**< 0 = none yet */
	uint64_t journal_bytes;
	uint64_t snapshot_bytes;
	int storage_err; /**< why nothing can be stored now, 0 = all is well */
};
void inv_engine_stats(const struct inv_engine *e, struct inv_engine_stats *ret);
/** Asks for a checkpoint as soon as it can be taken. */
void inv_engine_checkpoint(struct inv_engine *e);

/** Copies of the two files, any thread: first the journal, then the snapshot. The snapshot is then
 * never older than what the journal has dropped, and together they hold all that was acknowledged
 * before the first copy began. */
int inv_engine_copy_journal(struct inv_engine *e, int fd) _must_check_;
int inv_engine_copy_snapshot(struct inv_engine *e, int fd) _must_check_;
