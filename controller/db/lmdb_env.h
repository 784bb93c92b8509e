/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The LMDB seam: the only door to <lmdb.h>. An environment is a directory with a fixed set of
 * tables, opened once per process and locked against a second one. Transactions carry a sticky
 * error: after the first failure further calls do nothing, and lmdb_commit() returns it.
 *
 * Threads: one writer at a time (the second waits); a read transaction belongs to one thread at a
 * time and is kept short, because pages it can see are not reused. What a get or a cursor yields is
 * borrowed until the transaction ends or writes.
 *
 * Codes: full disk or full map -ENOSPC (the map is reserved at max_bytes from the start, which
 * costs address space only, so that it never has to grow under a reader); damaged or truncated file
 * -ERR_CORRUPT; a newer LMDB format -ERR_VERSION; no room for another reader -EAGAIN; in use by
 * another process -EBUSY; anything else -errno or -ERR_DB.
 */
#pragma once

#include "common/util.h"
#include <stdbool.h>

struct lmdb_env;

#define LMDB_MAX_TABLES          8
/** Pages a file may be shorter than its own header says: LMDB does not write a last page that was
 * taken and given back in one transaction. Such a file is padded; a shorter one is damaged. */
#define LMDB_MAX_UNWRITTEN_PAGES 64

struct lmdb_config {
	const char *dir;           /**< created, mode 0700, with its files 0600 */
	const char *const *tables; /**< names; a table is addressed by its index here */
	size_t n_tables;
	uint64_t max_bytes; /**< 0 = 16 GiB (1 GiB where a pointer has 32 bits) */
};

int lmdb_open(const struct lmdb_config *cfg, struct lmdb_env **ret) _must_check_;
/** All transactions must have ended. NULL-safe. */
void lmdb_close(struct lmdb_env *e);
DEFINE_CLEANUP(struct lmdb_env *, lmdb_close)
/** Bytes of the file that hold data or wait to be used again. Any thread. */
uint64_t lmdb_used_bytes(const struct lmdb_env *e);

/** Raises the limit by `bytes`, for deleting what fills it (a deletion writes, too). Only while no
 * transaction is open in this process. */
int lmdb_grow(struct lmdb_env *e, uint64_t bytes) _must_check_;

/** Writes a copy of the environment's file as of one instant to `fd`, without its free pages. Any
 * thread; writers go on meanwhile. lmdb_grow() waits for it. */
int lmdb_copy(struct lmdb_env *e, int fd) _must_check_;

struct lmdb_val {
	const void *data;
	size_t len;
};
#define LMDB_VAL(p, n) ((struct lmdb_val){.data = (p), .len = (n)})

struct lmdb_txn {
	struct lmdb_env *env;
	void *txn; /**< NULL when begin failed or the transaction is over */
	int err;   /**< first failure, negative, or 0 */
};

void lmdb_begin_read(struct lmdb_env *e, struct lmdb_txn *t);
void lmdb_begin_write(struct lmdb_env *e, struct lmdb_txn *t);
/** Ends the transaction and returns its first failure; on failure nothing of it is stored. */
int lmdb_commit(struct lmdb_txn *t) _must_check_;
void lmdb_abort(struct lmdb_txn *t);

/** False when there is no such key (no error) or after a failure. */
bool lmdb_get(struct lmdb_txn *t, unsigned int table, struct lmdb_val key, struct lmdb_val *ret);
void lmdb_put(struct lmdb_txn *t, unsigned int table, struct lmdb_val key, struct lmdb_val val);
/** Puts a key that sorts after all others: fast, and fails with -ERR_STATE if it does not. */
void lmdb_append(struct lmdb_txn *t, unsigned int table, struct lmdb_val key, struct lmdb_val val);
/** Room for `len` bytes under the key, which the caller fills at once; NULL after a failure. */
void *lmdb_reserve(struct lmdb_txn *t, unsigned int table, struct lmdb_val key, size_t len);
void lmdb_del(struct lmdb_txn *t, unsigned int table, struct lmdb_val key);

struct lmdb_cursor {
	struct lmdb_txn *txn;
	void *cursor;
	struct lmdb_val key;
	struct lmdb_val val;
};

/** Close before the transaction ends. The moves are false at the end of the table or on failure. */
void lmdb_cursor_open(struct lmdb_txn *t, unsigned int table, struct lmdb_cursor *ret);
void lmdb_cursor_close(struct lmdb_cursor *c);
bool lmdb_cursor_first(struct lmdb_cursor *c);
bool lmdb_cursor_last(struct lmdb_cursor *c);
bool lmdb_cursor_next(struct lmdb_cursor *c);
bool lmdb_cursor_prev(struct lmdb_cursor *c);
/** The first key at or after `key`. */
bool lmdb_cursor_seek(struct lmdb_cursor *c, struct lmdb_val key);
/** Deletes the present entry; the cursor then stands before the next one. */
void lmdb_cursor_del(struct lmdb_cursor *c);
