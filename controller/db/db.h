/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The controller's SQLite database: one writer thread that group-commits, one read connection for
 * the loop thread. A write is a function that runs on the writer thread inside a savepoint of the
 * present group; `done` runs on the loop thread after the group's commit (or failure). Several
 * writes share a commit, so that acknowledging is cheap; a write that fails rolls back alone.
 *
 * A full disk fails the writes of one group with -ENOSPC and nothing else: the next group tries
 * anew.
 */
#pragma once

#include "common/loop.h"
#include "common/sql.h"

struct db;

/** Opens DIR/gondola.db and migrates it forward. -ERR_VERSION if a newer program wrote it. */
int db_open(struct loop *loop, const char *dir, struct db **ret) _must_check_;
/** Finishes queued writes, then closes. */
void db_close(struct db *d);

/** Runs on the writer thread; a negative result undoes this write alone. Must not touch loop state.
 */
typedef int (*db_write_fn)(struct sql *s, void *arg);
/** Runs on the loop thread, exactly once; err is the write's own or the commit's failure, or 0. */
typedef void (*db_done_fn)(void *arg, int err);
/** Queues a write. `done` may be NULL. Never fails synchronously except for -ENOMEM (done not
 * called). */
int db_write(struct db *d, db_write_fn fn, db_done_fn done, void *arg) _must_check_;
/** Waits until everything queued so far is durable and its `done` has run. For an orderly stop. */
void db_drain(struct db *d);

/** The loop thread's read connection. Keep reads short and reset statements. */
struct sql *db_reader(struct db *d);
/** Opens another read-only connection, for work on the pool; the caller closes it. */
int db_open_reader(struct db *d, struct sql **ret) _must_check_;

/** The identity of this database, made with it (the `epoch` of proto_desired). Fits an int64. */
uint64_t db_epoch(const struct db *d);
/** Next value of the one revision counter; call inside a write. */
int db_next_rev(struct sql *s, uint64_t *ret_rev) _must_check_;
/** The loop clock's time at the start of this write; call inside a write. */
int db_now_us(struct sql *s, int64_t *ret_us) _must_check_;
/** Appends to the audit table; call inside the write that does the thing. */
int db_audit(struct sql *s, const char *who, const char *action, const char *object,
	     const char *detail) _must_check_;

/** Figures since the start, for /metrics and /readyz. */
struct db_stats {
	uint64_t writes;
	uint64_t failed;
	uint64_t commits;
	uint64_t queued;      /**< now */
	int64_t commit_us;    /**< time spent in groups, sum */
	int64_t max_group_us; /**< longest group */
	int last_err;         /**< of the last commit: 0, or what a full disk or a bad one said */
};
void db_stats(struct db *d, struct db_stats *ret);
