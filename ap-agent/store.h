/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The agent's one file on flash, agent.db: SQLite in exclusive mode (no shared memory, so it works
 * on raw-flash file systems). It holds what must survive a power cut:
 *
 *     journal  what this access point still owes the controller (journal.c is its owner)
 *     label    the last known wish for each label; for readers and watch (follow.c) in meta
 *     blob     what the label engine asked us to keep, sealed: keys, counters, addresses
 *     owed     of which blobs the controller does not have the present form yet
 *     image    pictures by hash, least recently used go first
 *     seen     which tags the controller was told to be where (seen.c)
 *     meta     small facts: revision, epoch, name, clock, up to when readers were heard
 *
 * Everything but the journal could be asked for again or is written before it is used; so any
 * commit may be the last one before the lights go out.
 */
#pragma once

#include "ap-agent/seal.h"
#include "common/image.h"
#include "common/proto_escrow.h"
#include "common/sql.h"

struct store;

struct store_config {
	uint32_t max_mib;   /**< the whole file; beyond it writes say -ENOSPC. 0 = no bound */
	uint32_t image_kib; /**< of which pictures; 0 = 16 MiB */
};

int store_open(const char *path, const struct store_config *cfg, struct store **ret) _must_check_;
void store_close(struct store *s);
DEFINE_CLEANUP(struct store *, store_close)
/** For journal.c and tests. */
struct sql *store_sql(struct store *s);
const char *store_error(const struct store *s);
/** The agent joined another store: forgets journal, wishes and blobs; the journal gets a new id. */
int store_start_over(struct store *s) _must_check_;

/** Copies a value out; -ENOENT, or -ERR_TOO_LARGE beyond cap. */
int store_meta_get(struct store *s, const char *key, void *buf, size_t cap,
		   size_t *ret_len) _must_check_;
int store_meta_set(struct store *s, const char *key, const void *data, size_t len) _must_check_;
int store_meta_get_u64(struct store *s, const char *key, uint64_t *ret) _must_check_;
int store_meta_set_u64(struct store *s, const char *key, uint64_t v) _must_check_;

/** Of this state file. */
struct seal *store_seal(struct store *s);

/** The engine's blobs, kept sealed. len 0 = forget. */
int store_blob_set(struct store *s, const char *key, const void *data, size_t len) _must_check_;
typedef int (*store_blob_fn)(void *user, const char *key, const void *data, size_t len);
/** Calls fn for each; a negative answer ends it and is returned. One that cannot be opened, or was
 * sealed with a key that is gone, comes with len 0. */
int store_blob_each(struct store *s, store_blob_fn fn, void *user) _must_check_;

/* --- blobs that the controller keeps as well (store_escrow.c) -----------------------------------
 */

/** True if the name is that of a label or a bond; which label and what (enum escrow_kind). */
bool store_escrow_name(const char *key, uint8_t ret_addr[LABEL_ADDR_BYTES], uint8_t *ret_kind);
/** The name of what the controller has told. */
#define STORE_NAME_MAX 24
void store_escrow_key(const uint8_t addr[LABEL_ADDR_BYTES], uint8_t kind,
		      char ret_key[STORE_NAME_MAX]);
/** So many blobs have changed since the controller last said that it has them. */
uint32_t store_escrow_owed(const struct store *s);
/** Of these the bonds that are there: their labels would have to be paired anew by whoever takes
 * this machine's place now. Counted in the file. */
int store_escrow_bonds_owed(struct store *s, uint32_t *ret) _must_check_;
/** Fills a message with what is owed, bonds first; `revs` gets a number for each entry, for
 * store_escrow_told(). One that cannot be opened any more is no longer owed. */
int store_escrow_read(struct store *s, struct proto_escrow *ret,
		      uint64_t revs[PROTO_MAX_ESCROW]) _must_check_;
/** The controller has these durably; what changed meanwhile is still owed. */
int store_escrow_told(struct store *s, const struct proto_escrow *m,
		      const uint64_t revs[PROTO_MAX_ESCROW]) _must_check_;
/** The controller has another database: everything is owed again. */
int store_escrow_again(struct store *s) _must_check_;

typedef void (*store_label_fn)(void *user, const struct proto_desired_label *label);
typedef void (*store_addr_fn)(void *user, const uint8_t addr[LABEL_ADDR_BYTES]);
typedef void (*store_readers_fn)(void *user, const struct proto_desired_reader *r, size_t n);
typedef void (*store_watch_fn)(void *user, const struct proto_watch *w);

/**
 * Takes over an answer about the desired state, in one transaction with its revision. `forget` is
 * called, after the commit, for every label that a full answer no longer names.
 */
int store_desired_put(struct store *s, const struct proto_desired *d, store_addr_fn forget,
		      void *user) _must_check_;
/** Meta: the instant before which keys of labels are to be replaced. */
#define STORE_ROTATE_KEYS "rotate_keys"
int store_desired_rev(struct store *s, uint64_t *ret_epoch, uint64_t *ret_rev) _must_check_;
/** The remembered label with that address; not called where there is none. */
int store_desired_label(struct store *s, const uint8_t addr[LABEL_ADDR_BYTES], store_label_fn fn,
			void *user) _must_check_;
/** Calls fn for each remembered label. Rows that no longer decode are skipped. */
int store_desired_labels(struct store *s, store_label_fn fn, void *user) _must_check_;
int store_desired_readers(struct store *s, store_readers_fn fn, void *user) _must_check_;
/** Whose raw reads are asked for; not called if nobody ever said. */
int store_desired_watch(struct store *s, store_watch_fn fn, void *user) _must_check_;

/** -ENOENT when it is not here; -ERR_CORRUPT (and dropped) when its bytes no longer match. */
int store_image_get(struct store *s, const uint8_t hash[IMAGE_HASH_BYTES],
		    struct buf *out) _must_check_;
int store_image_put(struct store *s, const uint8_t hash[IMAGE_HASH_BYTES], const void *data,
		    size_t len) _must_check_;
uint64_t store_image_bytes(const struct store *s);
