/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * CBOR (RFC 8949) by libcbor's streaming encoder and decoder, without a tree: a writer onto a
 * struct buf and a sticky-error reader. The reader takes definite lengths only, and checks every
 * length against the bytes that are really there before anybody allocates.
 */
#pragma once

#include "common/buf.h"

void cbor_put_uint(struct buf *b, uint64_t v);
void cbor_put_int(struct buf *b, int64_t v);
void cbor_put_bytes(struct buf *b, const void *data, size_t n);
void cbor_put_text(struct buf *b, const char *text);
void cbor_put_array(struct buf *b, size_t n);
void cbor_put_map(struct buf *b, size_t pairs);
void cbor_put_bool(struct buf *b, bool v);
void cbor_put_null(struct buf *b);

struct cbor_reader {
	const uint8_t *data;
	size_t len;
	size_t pos;
	int err;   /**< first failure, negative, or 0 */
	size_t at; /**< offset of the item that failed */
};

void cbor_reader_init(struct cbor_reader *r, const void *data, size_t len);
static inline bool cbor_reader_ok(const struct cbor_reader *r)
{
	return r->err == 0;
}
/** Records a failure of the caller's own at the present item. */
void cbor_reader_fail(struct cbor_reader *r, int err);
/** 0 if all bytes were read without error. */
int cbor_reader_finish(struct cbor_reader *r);

uint64_t cbor_get_uint(struct cbor_reader *r, uint64_t max);
int64_t cbor_get_i64(struct cbor_reader *r);
bool cbor_get_boolean(struct cbor_reader *r);
/** Borrows a byte string of at most max_len bytes; NULL and *ret_len 0 on failure. */
const uint8_t *cbor_get_bytes(struct cbor_reader *r, size_t max_len, size_t *ret_len);
/** A byte string of exactly n bytes, copied out; zeroes `to` on failure. */
void cbor_get_bytes_exact(struct cbor_reader *r, void *to, size_t n);
/** Copies a UTF-8 text string into buf with a NUL; -ERR_TOO_LARGE if it has cap bytes or more. */
void cbor_get_text(struct cbor_reader *r, char *buf, size_t cap);
/** Starts an array or map of at most `max` elements or pairs; yields the count (0 on failure). */
size_t cbor_get_array(struct cbor_reader *r, size_t max);
size_t cbor_get_map(struct cbor_reader *r, size_t max);
/** Reads and drops a null if one is next. */
bool cbor_get_null(struct cbor_reader *r);
/** Skips one item of any kind, nested at most 16 deep: how newer fields are passed over. */
void cbor_skip(struct cbor_reader *r);
