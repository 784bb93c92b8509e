/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The control points of the Object Transfer Service 1.0 as labels use them: choosing an object
 * (OLCP 3.4) and opening it for writing (OACP 3.3). The content itself goes over a credit-based
 * channel with SPSM 0x25. Image N of a label is object 0x100 + N. Pure functions over bytes.
 */
#pragma once

#include "common/wire.h"

#define OTS_SERVICE_UUID    0x1825
#define OTS_FEATURE_UUID    0x2abd
#define OTS_TYPE_UUID       0x2abf
#define OTS_SIZE_UUID       0x2ac0
#define OTS_ID_UUID         0x2ac3
#define OTS_PROPERTIES_UUID 0x2ac4
#define OTS_OACP_UUID       0x2ac5
#define OTS_OLCP_UUID       0x2ac6
#define OTS_SPSM            0x0025
#define OTS_FIRST_OBJECT    0x100
#define OTS_CONTROL_MAX     16

enum oacp_op {
	OACP_CHECKSUM = 0x03,
	OACP_WRITE = 0x06,
	OACP_ABORT = 0x07,
	OACP_RESPONSE = 0x60,
};

enum olcp_op {
	OLCP_FIRST = 0x01,
	OLCP_NEXT = 0x04,
	OLCP_GO_TO = 0x05,
	OLCP_RESPONSE = 0x70,
};

enum ots_result {
	OTS_SUCCESS = 0x01,
	OTS_NOT_SUPPORTED = 0x02,
	OTS_INVALID_PARAMETER = 0x03,
	OACP_NO_RESOURCES = 0x04,
	OACP_INVALID_OBJECT = 0x05,
	OACP_NO_CHANNEL = 0x06,
	OACP_UNSUPPORTED_TYPE = 0x07,
	OACP_NOT_PERMITTED = 0x08,
	OACP_LOCKED = 0x09,
	OACP_FAILED = 0x0a,
	OLCP_FAILED = 0x04,
	OLCP_OUT_OF_BOUNDS = 0x05,
	OLCP_TOO_MANY = 0x06,
	OLCP_NO_OBJECT = 0x07,
	OLCP_NOT_FOUND = 0x08,
};

#define OACP_TRUNCATE 0x02 /**< mode of a write: what lies beyond it is cut off */

/** A procedure, or the answer to one. */
struct ots_control {
	uint8_t op;      /**< enum oacp_op or olcp_op */
	uint8_t request; /**< *_RESPONSE: the procedure it answers */
	uint8_t result;  /**< *_RESPONSE: enum ots_result */
	uint32_t offset, length;
	uint8_t mode;      /**< OACP_WRITE */
	uint64_t object;   /**< OLCP_GO_TO: 48 bits */
	uint32_t checksum; /**< answer to OACP_CHECKSUM */
};

/** Returns the length, or -ERR_RANGE for a procedure we do not have. */
int ots_encode(const struct ots_control *c, uint8_t out[OTS_CONTROL_MAX]) _must_check_;
/** -ERR_BADMSG for a wrong length, -ENOTSUP for a procedure we do not have (op is set). */
int ots_decode(const uint8_t *data, size_t len, struct ots_control *ret) _must_check_;
/** Bits of the OTS Feature characteristic's first word: what the access control point can do. */
#define OACP_FEATURE_CHECKSUM (1u << 2)
#define OACP_FEATURE_WRITE    (1u << 5)
#define OACP_FEATURE_TRUNCATE (1u << 7)
#define OACP_FEATURE_PATCH    (1u << 8)
#define OACP_FEATURE_ABORT    (1u << 9)

/** The checksum of OACP_CHECKSUM: CRC-32 of ISO/IEC 3309. */
uint32_t ots_checksum(const uint8_t *data, size_t len);
/** Why an access (OACP) or a choice (OLCP) was refused, for a person. Never NULL. */
const char *oacp_result_name(uint8_t result);
const char *olcp_result_name(uint8_t result);
