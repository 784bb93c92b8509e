/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The agent's own identity: a P-256 key that never leaves the state directory, the certificate that
 * the store CA gave for it, and that CA. Three PEM files; each is written beside, synced and
 * renamed, so that a power cut leaves the old or the new one. The key is on disk before the first
 * request for a certificate goes out, so that asking again after a crash asks with the same key.
 */
#pragma once

#include "common/buf.h"
#include <stdbool.h>

struct identity;

/** Reads what there is in `dir` and makes the key when there is none. */
int identity_open(const char *dir, struct identity **ret) _must_check_;
void identity_free(struct identity *id);
DEFINE_CLEANUP(struct identity *, identity_free)

/** A certificate and its CA are there. */
bool identity_enrolled(const struct identity *id);
/** Request for a certificate, PKCS#10 DER. */
int identity_csr(const struct identity *id, const char *name, struct buf *out) _must_check_;
/**
 * Checks that the certificate (DER) is for our key and signed by the CA, and keeps both.
 * -ERR_CRYPTO when it is not; nothing is changed then.
 */
int identity_accept(struct identity *id, const void *cert, size_t cert_len, const void *ca,
		    size_t ca_len) _must_check_;

const char *identity_key_path(const struct identity *id);
const char *identity_cert_path(const struct identity *id);
/** The CA's certificate, DER; NULL while not enrolled. */
const void *identity_ca(const struct identity *id, size_t *ret_len);
/** Validity of the certificate, UTC microseconds; 0 while not enrolled. */
void identity_times(const struct identity *id, int64_t *ret_not_before_us,
		    int64_t *ret_not_after_us);
/** SHA-256 of the certificate in hex, to remember which one was taken back. */
const char *identity_cert_hash(const struct identity *id);
