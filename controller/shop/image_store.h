/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Label pictures by their hash, in an LMDB environment of their own (DIR/images): written once,
 * never changed. A picture is durable here before any row of the database names it. The bytes are
 * the serial form of common/image.h; what comes out has been checked against its name.
 *
 * Any thread may read; one thread at a time may write.
 */
#pragma once

#include "common/image.h"

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

/** Stores those that are not there yet, in one durable step. -ENOSPC on a full disk: none is there.
 */
int image_store_put(struct image_store *st, const struct image_store_item *items,
		    size_t n) _must_check_;
/** Appends the serial form to `out`. -ENOENT; -ERR_CORRUPT if the bytes do not match their name. */
int image_store_get(struct image_store *st, const uint8_t hash[IMAGE_HASH_BYTES],
		    struct buf *out) _must_check_;
