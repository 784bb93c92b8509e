/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The cryptographic toolbox of LE Secure Connections (Core Specification 5.4, Vol 3 Part H 2.2) and
 * of link encryption (Vol 6 Part B 2.4.2 needs none of it here: the controller encrypts). Values
 * are written most significant byte first, as the specification prints them; the Security Manager's
 * packets carry them the other way round.
 */
#pragma once

#include "common/util.h"

#define LE_KEY_BYTES   16
#define LE_COORD_BYTES 32 /**< one coordinate of P-256 */
#define LE_ADDR_BYTES  7  /**< type (0 public, 1 random) and six bytes of address */

struct le_public_key {
	uint8_t x[LE_COORD_BYTES], y[LE_COORD_BYTES];
};

/** AES-128-CMAC (RFC 4493). */
void le_cmac(const uint8_t key[LE_KEY_BYTES], const void *data, size_t len,
	     uint8_t ret[LE_KEY_BYTES]);

/** Commitment: f4(U, V, X, Z) of 2.2.6, over x coordinates. */
void le_f4(const uint8_t u[LE_COORD_BYTES], const uint8_t v[LE_COORD_BYTES],
	   const uint8_t x[LE_KEY_BYTES], uint8_t z, uint8_t ret[LE_KEY_BYTES]);
/** MacKey and LTK from the Diffie-Hellman key: f5 of 2.2.7. */
void le_f5(const uint8_t dhkey[LE_COORD_BYTES], const uint8_t n1[LE_KEY_BYTES],
	   const uint8_t n2[LE_KEY_BYTES], const uint8_t a1[LE_ADDR_BYTES],
	   const uint8_t a2[LE_ADDR_BYTES], uint8_t ret_mac_key[LE_KEY_BYTES],
	   uint8_t ret_ltk[LE_KEY_BYTES]);
/** Check value: f6 of 2.2.8. io_cap = AuthReq, OOB flag, IO capability. */
void le_f6(const uint8_t mac_key[LE_KEY_BYTES], const uint8_t n1[LE_KEY_BYTES],
	   const uint8_t n2[LE_KEY_BYTES], const uint8_t r[LE_KEY_BYTES], const uint8_t io_cap[3],
	   const uint8_t a1[LE_ADDR_BYTES], const uint8_t a2[LE_ADDR_BYTES],
	   uint8_t ret[LE_KEY_BYTES]);
/** The number two persons would compare: g2 of 2.2.9, before it is cut to six digits. */
uint32_t le_g2(const uint8_t u[LE_COORD_BYTES], const uint8_t v[LE_COORD_BYTES],
	       const uint8_t x[LE_KEY_BYTES], const uint8_t y[LE_KEY_BYTES]);

/** The public key of a secret one. -ERR_RANGE unless it is from 1 to the group's order less one. */
int le_public_key(const uint8_t secret[LE_COORD_BYTES], struct le_public_key *ret) _must_check_;
/**
 * The shared secret. -ERR_CRYPTO for a public key that is not a point of the curve, which an
 * attacker would send (2.3.5.6.1).
 */
int le_dhkey(const uint8_t secret[LE_COORD_BYTES], const struct le_public_key *peer,
	     uint8_t ret[LE_COORD_BYTES]) _must_check_;
