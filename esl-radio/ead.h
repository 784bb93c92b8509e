/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Encrypted Advertising Data (Core Specification Supplement, Part A 1.23): AES-128-CCM with a
 * 4-byte tag and a 13-byte nonce of Randomizer and IV, in an AD structure `[len][31][rand
 * 5][text][MIC 4]`.
 */
#pragma once

#include "common/util.h"

#define EAD_KEY_BYTES      16
#define EAD_IV_BYTES       8
#define EAD_WIRE_KEY_BYTES (EAD_KEY_BYTES + EAD_IV_BYTES)
#define EAD_RAND_BYTES     5
#define EAD_MIC_BYTES      4
#define EAD_AD_TYPE        0x31
#define EAD_OVERHEAD       (2 + EAD_RAND_BYTES + EAD_MIC_BYTES)
#define EAD_PLAIN_MAX      (255 - EAD_OVERHEAD + 1)

struct ead_key {
	uint8_t key[EAD_KEY_BYTES]; /**< as AES takes it, most significant byte first */
	uint8_t iv[EAD_IV_BYTES];   /**< as it travels, which is also its order in the nonce */
};

/** Key material characteristic: session key least significant byte first, then the IV. */
void ead_key_from_wire(const uint8_t wire[EAD_WIRE_KEY_BYTES], struct ead_key *ret);
void ead_key_to_wire(const struct ead_key *k, uint8_t ret_wire[EAD_WIRE_KEY_BYTES]);

/**
 * Encrypts plain AD structures into one Encrypted Data structure. The Randomizer must never repeat
 * under one key. Returns len + EAD_OVERHEAD, -ERR_TOO_LARGE or -ENOBUFS.
 */
int ead_seal(const struct ead_key *k, const uint8_t rand[EAD_RAND_BYTES], const uint8_t *plain,
	     size_t len, uint8_t *out, size_t cap) _must_check_;
/**
 * Decrypts the Encrypted Data structure at the start of `ad`. The direction bit of the Randomizer
 * is not looked at, since published samples disagree about it. Returns the plain length;
 * -ERR_BADMSG for a malformed structure, -ERR_CRYPTO if it does not authenticate (`out` is then
 * zeroed), -ENOBUFS.
 */
int ead_open(const struct ead_key *k, const uint8_t *ad, size_t len, uint8_t *out,
	     size_t cap) _must_check_;
