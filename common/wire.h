/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A reading cursor over bytes from outside, with a sticky error: read everything, then ask
 * `wire_ok()` once. After the first failure every read yields zero and moves nothing; `at` keeps
 * the offset of the field that failed, for the error message.
 */
#pragma once

#include "common/util.h"
#include <stdbool.h>

struct wire {
	const uint8_t *base;
	size_t pos;
	size_t len;
	int err;   /**< first failure, negative, or 0 */
	size_t at; /**< offset of the first failure */
};

void wire_init(struct wire *w, const void *data, size_t len);
static inline bool wire_ok(const struct wire *w)
{
	return w->err == 0;
}
static inline size_t wire_left(const struct wire *w)
{
	return w->err ? 0 : w->len - w->pos;
}
/** Records a failure of the caller's own at the present offset (first one wins). */
void wire_fail(struct wire *w, int err);
/** 0 if everything was read without error; -ERR_TRAILING if bytes are left. */
int wire_finish(struct wire *w);

uint8_t wire_get_u8(struct wire *w);
uint16_t wire_get_u16be(struct wire *w);
uint32_t wire_get_u32be(struct wire *w);
uint64_t wire_get_u64be(struct wire *w);
uint16_t wire_get_u16le(struct wire *w);
uint32_t wire_get_u32le(struct wire *w);
uint64_t wire_get_u64le(struct wire *w);
/** Borrows n bytes from the input; NULL on failure. */
const uint8_t *wire_get_bytes(struct wire *w, size_t n);
/** Copies n bytes out; zeroes `to` on failure. */
void wire_copy(struct wire *w, void *to, size_t n);
void wire_skip(struct wire *w, size_t n);
/** A cursor over the next n bytes, which are skipped here. Carries the error on failure. */
struct wire wire_sub(struct wire *w, size_t n);
