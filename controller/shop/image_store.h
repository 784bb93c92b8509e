/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Label pictures by their hash, in an LMDB environment of their own (DIR/images): written once,
 * never changed. A picture is durable here before any row of the database names it. The bytes are
 * the serial form of common/image.h; what comes out has been checked against its name. When each
 * was last of use is noted beside it, so that those of no use any more can be let go of.
 *
 * Any thread may read; one thread at a time may write.
 */
#pragma once

#include "common/image.h"
#include <stdbool.h>

struct image_store;

int image_store_open(const char *state_dir, struct image_store **ret) _must_check_;
void image_store_close(struct image_store *st);

/** Writes a copy of the store's LMDB file to `fd`. Any thread. */
int image_store_copy(struct image_store *st, int fd) _must_check_;

struct image_store_item {
	uint8_t hash[IMAGE_HASH_BYTES];
	const uint8_t *data;
	size_t len;
};

/** Stores those that are not there yet, in one durable step, and notes that all were of use at
 * `now_us`. -ENOSPC on a full disk: none is there. */
int image_store_put(struct image_store *st, const struct image_store_item *items, size_t n,
		    int64_t now_us) _must_check_;
/** A walk over all pictures, a few with each step. */
struct image_sweep {
	bool (*in_use)(void *user, const uint8_t hash[IMAGE_HASH_BYTES]);
	void *user;
	int64_t now_us, keep_us;
	uint8_t next[IMAGE_HASH_BYTES]; /**< where to go on; zero = at the beginning */
	size_t seen, dropped;
	bool over;
};
/** Looks at up to `max` pictures and drops those that were not of use for `keep_us`. One that is
 * put at the same time stays. */
int image_store_sweep(struct image_store *st, struct image_sweep *w, size_t max) _must_check_;

/** Appends the serial form to `out`. -ENOENT; -ERR_CORRUPT if the bytes do not match their name. */
int image_store_get(struct image_store *st, const uint8_t hash[IMAGE_HASH_BYTES],
		    struct buf *out) _must_check_;
