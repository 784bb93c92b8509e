/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Pairing as the central: LE Secure Connections, Just Works (Core Specification 5.4, Vol 3 Part H
 * 2.3.5.6.2), with bonding. A label has neither display nor keys, so nobody compares numbers; what
 * protects the first contact is that it happens where the person who installs labels stands. No
 * I/O: packets go out through a callback and come in through smp_central_receive(). Legacy pairing
 * is refused.
 */
#pragma once

#include "esl-radio/le/le_crypto.h"
#include "esl-radio/le/smp_wire.h"
#include <stdbool.h>

struct smp_central_io {
	void (*send)(void *user, const uint8_t *packet, size_t len);
	/** Fills with random bytes. 0 or a negative code. */
	int (*random)(void *user, void *to, size_t n);
	/**
	 * Pairing is over, once. err 0: `ltk` (most significant byte first) encrypts the link from
	 * now on; when the peer asked for no more keys that is all. -ERR_PEER: the peer refused,
	 * -ERR_CRYPTO: its proof is wrong, -ENOTSUP: it cannot do LE Secure Connections,
	 * -ERR_BADMSG: it does not follow the protocol; `why` is a sentence part for a person.
	 */
	void (*done)(void *user, int err, const uint8_t ltk[LE_KEY_BYTES], const char *why);
	/** The key that the peer will hold in a moment, if all goes well: the time to keep it, as a
	 * peer may take its bond to be made before we hear so. Negative ends the pairing. May be
	 * NULL. */
	int (*key)(void *user, const uint8_t ltk[LE_KEY_BYTES]);
};

enum smp_step {
	SMP_IDLE,
	SMP_FEATURES, /**< request sent */
	SMP_KEY,      /**< our public key sent */
	SMP_COMMIT,   /**< waits for the peer's commitment */
	SMP_NONCE,    /**< our nonce sent, waits for the peer's */
	SMP_CHECK,    /**< our check sent, waits for the peer's */
};

/** Embedded by its owner; zeroed before the first use. */
struct smp_central {
	const struct smp_central_io *io;
	void *user;
	enum smp_step step;
	uint8_t own[LE_ADDR_BYTES], peer[LE_ADDR_BYTES]; /**< type, then most significant first */
	uint8_t own_io_cap[3], peer_io_cap[3];           /**< AuthReq, OOB, IO capability */
	uint8_t secret[LE_COORD_BYTES], dhkey[LE_COORD_BYTES];
	struct le_public_key own_key, peer_key;
	uint8_t commit[LE_KEY_BYTES];
	uint8_t own_nonce[LE_KEY_BYTES], peer_nonce[LE_KEY_BYTES];
	uint8_t mac_key[LE_KEY_BYTES], ltk[LE_KEY_BYTES];
};

/** Begins; an earlier run that has not ended is forgotten without a word. */
void smp_central_start(struct smp_central *s, const struct smp_central_io *io, void *user,
		       const uint8_t own[LE_ADDR_BYTES], const uint8_t peer[LE_ADDR_BYTES]);
/** A packet of the security manager's channel. */
void smp_central_receive(struct smp_central *s, const uint8_t *data, size_t len);
/** Gives up without telling anybody, and forgets all secrets. */
void smp_central_forget(struct smp_central *s);
static inline bool smp_central_busy(const struct smp_central *s)
{
	return s->step != SMP_IDLE;
}
