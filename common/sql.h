/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The SQLite seam, for both daemons: a connection, cached prepared statements, sticky binding. Only
 * sql.c includes <sqlite3.h>. A connection belongs to one thread at a time. Every SQLite code is
 * mapped here: full disk -ENOSPC, read-only -EROFS, I/O -EIO, constraint -ERR_CONFLICT, damaged
 * file -ERR_CORRUPT, anything else -ERR_DB; sql_error() has SQLite's own words.
 */
#pragma once

#include "common/util.h"
#include <stdbool.h>

struct sql;
struct sql_stmt;

#define SQL_READONLY 1u
#define SQL_EXCLUSIVE                                                                              \
	2u /**< locking_mode=EXCLUSIVE: no shared memory, works on raw-flash file systems */
#define SQL_SMALL 4u /**< small page cache, for access points */

/** Opens (creates, mode 0600) a file in WAL mode with synchronous=FULL and foreign keys on. */
int sql_open(const char *path, unsigned int flags, struct sql **ret) _must_check_;
void sql_close(struct sql *s);
DEFINE_CLEANUP(struct sql *, sql_close)
/** Text of the last failure on this connection. Never NULL. */
const char *sql_error(const struct sql *s);

/** Runs one or more statements without parameters or results (schema, pragma). */
int sql_exec(struct sql *s, const char *text) _must_check_;
/** BEGIN IMMEDIATE / COMMIT / ROLLBACK, with fault points around the commit (sql.before_commit,
 * sql.after_commit). */
int sql_begin(struct sql *s) _must_check_;
int sql_commit(struct sql *s) _must_check_;
void sql_rollback(struct sql *s);

/**
 * A cached prepared statement, reset and with its bindings cleared. `text` must be a string that
 * lives as long as the connection (a literal): its address is the cache key. Not re-entrant: one
 * use at a time per text. Returns NULL on failure; sql_step(NULL) then yields -ERR_DB.
 */
struct sql_stmt *sql_prepare(struct sql *s, const char *text);
/** Bindings count from 1; a failure is remembered and returned by the next sql_step(). */
void sql_bind_i64(struct sql_stmt *q, int i, int64_t v);
void sql_bind_f64(struct sql_stmt *q, int i, double v);
void sql_bind_text(struct sql_stmt *q, int i, const char *text);
void sql_bind_blob(struct sql_stmt *q, int i, const void *data, size_t len);
void sql_bind_null(struct sql_stmt *q, int i);
/** 1 = a row is there, 0 = done (and reset), negative = failed (and reset). NULL q: -ERR_DB. */
int sql_step(struct sql_stmt *q) _must_check_;
/** For statements without rows: steps to the end. */
int sql_run(struct sql_stmt *q) _must_check_;
/** Ends reading early, so that no read transaction stays open. */
void sql_reset(struct sql_stmt *q);
/** Columns count from 0. Text and blob are borrowed until the next step or reset; NULL for NULL. */
int64_t sql_col_i64(struct sql_stmt *q, int i);
double sql_col_f64(struct sql_stmt *q, int i);
const char *sql_col_text(struct sql_stmt *q, int i);
const void *sql_col_blob(struct sql_stmt *q, int i, size_t *ret_len);
bool sql_col_is_null(struct sql_stmt *q, int i);

/** Copies the whole database, as of one instant, into a new file (mode 0600) while others go on
 * reading and writing. The file is complete when this succeeds, but not synced to the disk. */
int sql_copy(struct sql *s, const char *path) _must_check_;

int64_t sql_last_rowid(const struct sql *s);
int sql_changes(const struct sql *s);
