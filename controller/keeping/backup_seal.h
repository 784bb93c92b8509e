/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The envelope of a backup: a stream of bytes under a passphrase. argon2id makes the key,
 * libsodium's secretstream seals pieces of 64 KiB in order, and the last piece says that it is the
 * last, so that a file that was cut is told apart from a whole one. Memory is one piece, whatever
 * the size.
 *
 * Head, 96 bytes: magic (16), version, argon2 passes, argon2 memory in KiB, bytes of a piece (each
 * u32be), salt (16), stream header (24), a keyed hash of all that (24) by which a wrong passphrase
 * is known at once.
 */
#pragma once

#include "common/util.h"

#define SEAL_VERSION        1u
#define SEAL_HEAD_BYTES     96
#define SEAL_PASSPHRASE_MIN 10
#define SEAL_PASSPHRASE_MAX 1024

struct seal;

/** Writes the head to `fd`, which stays the caller's. Takes a moment and 64 MiB: not on the loop.
 */
int seal_begin(int fd, const char *passphrase, struct seal **ret) _must_check_;
int seal_write(struct seal *s, const void *data, size_t len) _must_check_;
/** Writes the last piece. */
int seal_end(struct seal *s) _must_check_;
void seal_free(struct seal *s);
DEFINE_CLEANUP(struct seal *, seal_free)

struct unseal;

/** Reads the head. -ERR_BADMSG: not a backup; -ERR_VERSION: of a newer program; -ERR_AUTH: the
 * passphrase is wrong; -ERR_TRUNCATED. */
int unseal_begin(int fd, const char *passphrase, struct unseal **ret) _must_check_;
/** Reads exactly `len` bytes. -ERR_TRUNCATED: the file ends too early; -ERR_CRYPTO: it is damaged.
 */
int unseal_read(struct unseal *u, void *data, size_t len) _must_check_;
/** After the last byte: -ERR_TRAILING if there are more. */
int unseal_end(struct unseal *u) _must_check_;
void unseal_free(struct unseal *u);
DEFINE_CLEANUP(struct unseal *, unseal_free)
