/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Key material at rest: AES-SIV (RFC 5297) with a key of this access point alone, which lies beside
 * the state file in a file of mode 0600. Whoever gets the state file without it, as a backup or a
 * copied card, has no keys of labels. What is sealed is bound to the name it is kept under.
 *
 * Sealed form: 0xe5, version 1, 16 bytes of nonce, 16 of check, then as many as the plain form has.
 */
#pragma once

#include "common/buf.h"

#define SEAL_MARK     0xe5 /**< no plain form of ours begins so */
#define SEAL_OVERHEAD 34

struct seal;

/** Reads the key of a state file at `path`, or makes it when the first thing is sealed. */
int seal_open(const char *path, struct seal **ret) _must_check_;
/** NULL-safe; the key is wiped. */
void seal_close(struct seal *s);
static inline bool seal_is_sealed(const void *data, size_t len)
{
	return len >= SEAL_OVERHEAD && *(const uint8_t *) data == SEAL_MARK;
}
/** Appends the sealed form. -EIO and others when a key has to be made and cannot be kept. */
int seal_put(struct seal *s, const char *name, const void *data, size_t len,
	     struct buf *out) _must_check_;
/** Appends the plain form. -ERR_CRYPTO if it was not sealed by this access point under this name;
 * -ERR_VERSION. */
int seal_get(struct seal *s, const char *name, const void *data, size_t len,
	     struct buf *out) _must_check_;
