/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A growable byte buffer with a sticky error: after the first failure (out of memory, or past
 * `max`) further appends do nothing, and the caller checks `buf_ok()` once.
 */
#pragma once

#include "common/util.h"
#include <stdbool.h>

struct buf {
	uint8_t *data; /**< owned; NULL while empty */
	size_t len;
	size_t cap;
	size_t max; /**< 0 = no limit of its own */
	int err;    /**< first failure, negative, or 0 */
};

#define BUF_INIT ((struct buf){0})

void buf_init(struct buf *b, size_t max);
/** Releases the storage and leaves an empty, usable buffer. */
void buf_done(struct buf *b);
/** Forgets the content and the error, keeps the storage. */
void buf_clear(struct buf *b);
static inline bool buf_ok(const struct buf *b)
{
	return b->err == 0;
}
/** Makes room for n more bytes and returns where they go, or NULL (sticky error set). Adds to len.
 */
uint8_t *buf_extend(struct buf *b, size_t n);
void buf_put(struct buf *b, const void *data, size_t n);
void buf_put_str(struct buf *b, const char *text);
void buf_printf(struct buf *b, const char *fmt, ...) _printf_(2, 3);
/** Drops n bytes from the front (n <= len). */
void buf_consume(struct buf *b, size_t n);
/** Gives the storage to the caller (free() it) with a NUL after it; the buffer is empty then. */
char *buf_steal_str(struct buf *b);

void buf_put_u8(struct buf *b, uint8_t v);
void buf_put_u16be(struct buf *b, uint16_t v);
void buf_put_u32be(struct buf *b, uint32_t v);
void buf_put_u64be(struct buf *b, uint64_t v);
void buf_put_u16le(struct buf *b, uint16_t v);
void buf_put_u32le(struct buf *b, uint32_t v);
void buf_put_u64le(struct buf *b, uint64_t v);
/** Overwrites two or four bytes already written at `at`, for lengths known afterwards. */
void buf_patch_u16be(struct buf *b, size_t at, uint16_t v);
void buf_patch_u32be(struct buf *b, size_t at, uint32_t v);

static inline void buf_donep(struct buf *b)
{
	buf_done(b);
}
#define _cleanup_buf_ _cleanup_(buf_donep)
