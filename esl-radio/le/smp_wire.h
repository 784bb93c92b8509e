/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Packets of the Security Manager (Core Specification 5.4, Vol 3 Part H 3.3 to 3.6), as LE Secure
 * Connections uses them. Every packet has one length. Pure functions over bytes; long values are in
 * the order of the packet, least significant byte first: smp_reverse() turns them into the order of
 * le_crypto.h.
 */
#pragma once

#include "common/wire.h"

#define SMP_CID   6
#define SMP_MAX   65 /**< longest packet: Public Key */
#define SMP_VALUE 64

enum smp_op {
	SMP_PAIRING_REQ = 0x01,
	SMP_PAIRING_RSP = 0x02,
	SMP_CONFIRM = 0x03,
	SMP_RANDOM = 0x04,
	SMP_FAILED = 0x05,
	SMP_ENCRYPTION_INFO = 0x06,
	SMP_CENTRAL_IDENT = 0x07,
	SMP_IDENTITY_INFO = 0x08,
	SMP_IDENTITY_ADDR = 0x09,
	SMP_SIGNING_INFO = 0x0a,
	SMP_SECURITY_REQ = 0x0b,
	SMP_PUBLIC_KEY = 0x0c,
	SMP_DHKEY_CHECK = 0x0d,
};

enum smp_failure {
	SMP_FAIL_OOB = 0x02,
	SMP_FAIL_AUTHENTICATION = 0x03,
	SMP_FAIL_CONFIRM = 0x04,
	SMP_FAIL_NOT_SUPPORTED = 0x05,
	SMP_FAIL_KEY_SIZE = 0x06,
	SMP_FAIL_COMMAND = 0x07,
	SMP_FAIL_UNSPECIFIED = 0x08,
	SMP_FAIL_REPEATED = 0x09,
	SMP_FAIL_PARAMETERS = 0x0a,
	SMP_FAIL_DHKEY = 0x0b,
	SMP_FAIL_COMPARISON = 0x0c,
};

#define SMP_IO_NONE     3 /**< no input, no output */
#define SMP_AUTH_BOND   0x01
#define SMP_AUTH_MITM   0x04
#define SMP_AUTH_SECURE 0x08 /**< LE Secure Connections */
#define SMP_KEY_SIZE    16

struct smp_pdu {
	uint8_t op; /**< enum smp_op */
	/* PAIRING_REQ, PAIRING_RSP; SECURITY_REQ has auth alone */
	uint8_t io, oob, auth, key_size, initiator_keys, responder_keys;
	uint8_t reason;           /**< FAILED */
	uint8_t value[SMP_VALUE]; /**< everything else, in the packet's order */
};

const char *smp_op_name(uint8_t op);
/** Why pairing failed, for a person. Never NULL. */
const char *smp_failure_name(uint8_t reason);

/** Returns the length, or -ERR_RANGE for an unknown opcode. */
int smp_encode(const struct smp_pdu *p, uint8_t out[SMP_MAX]) _must_check_;
/** -ERR_BADMSG for another length than the packet's; -ENOTSUP for an unknown opcode. */
int smp_decode(const uint8_t *data, size_t len, struct smp_pdu *ret) _must_check_;
void smp_reverse(uint8_t *to, const uint8_t *from, size_t n);
