/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Packets of the Attribute Protocol (Core Specification 5.4, Vol 3 Part F 3.4), all from one table:
 * a client encodes requests and decodes answers, a server the other way round. Pure functions over
 * bytes. Values are borrowed from the packet.
 */
#pragma once

#include "common/wire.h"

#define ATT_CID         4
#define ATT_MTU_LEAST   23 /**< of an LE link until both agreed on more */
#define ATT_MTU_MAX     517
#define ATT_VALUE_MAX   512
#define ATT_HANDLE_LAST 0xffff

enum att_op {
	ATT_ERROR_RSP = 0x01,
	ATT_MTU_REQ = 0x02,
	ATT_MTU_RSP = 0x03,
	ATT_FIND_INFO_REQ = 0x04,
	ATT_FIND_INFO_RSP = 0x05,
	ATT_FIND_BY_VALUE_REQ = 0x06,
	ATT_FIND_BY_VALUE_RSP = 0x07,
	ATT_READ_BY_TYPE_REQ = 0x08,
	ATT_READ_BY_TYPE_RSP = 0x09,
	ATT_READ_REQ = 0x0a,
	ATT_READ_RSP = 0x0b,
	ATT_READ_BLOB_REQ = 0x0c,
	ATT_READ_BLOB_RSP = 0x0d,
	ATT_READ_BY_GROUP_REQ = 0x10,
	ATT_READ_BY_GROUP_RSP = 0x11,
	ATT_WRITE_REQ = 0x12,
	ATT_WRITE_RSP = 0x13,
	ATT_PREPARE_REQ = 0x16,
	ATT_PREPARE_RSP = 0x17,
	ATT_EXECUTE_REQ = 0x18,
	ATT_EXECUTE_RSP = 0x19,
	ATT_NOTIFY = 0x1b,
	ATT_INDICATE = 0x1d,
	ATT_CONFIRM = 0x1e,
	ATT_WRITE_CMD = 0x52,
};

enum att_error {
	ATT_ERR_INVALID_HANDLE = 0x01,
	ATT_ERR_READ_NOT_PERMITTED = 0x02,
	ATT_ERR_WRITE_NOT_PERMITTED = 0x03,
	ATT_ERR_INVALID_PDU = 0x04,
	ATT_ERR_AUTHENTICATION = 0x05,
	ATT_ERR_NOT_SUPPORTED = 0x06,
	ATT_ERR_INVALID_OFFSET = 0x07,
	ATT_ERR_PREPARE_QUEUE_FULL = 0x09,
	ATT_ERR_NOT_FOUND = 0x0a,
	ATT_ERR_INVALID_LENGTH = 0x0d,
	ATT_ERR_UNLIKELY = 0x0e,
	ATT_ERR_ENCRYPTION = 0x0f,
	ATT_ERR_RESOURCES = 0x11,
	ATT_ERR_OUT_OF_SYNC = 0x12,    /**< we do not know of its changed attributes */
	ATT_ERR_WRITE_REJECTED = 0x80, /**< of the object transfer service, among others */
};

/** Which members a packet uses is said by the table of att_wire.c; the others are zero. */
struct att_pdu {
	uint8_t op;      /**< enum att_op */
	uint8_t request; /**< ERROR_RSP: the request it answers */
	uint8_t error;   /**< ERROR_RSP: enum att_error */
	uint8_t format;  /**< FIND_INFO_RSP: 1 = 16-bit types, 2 = 128-bit; *_BY_*_RSP: element size
			  */
	uint8_t flags;   /**< EXECUTE_REQ: 1 = write, 0 = forget */
	uint16_t mtu;
	uint16_t handle; /**< also the first of a range */
	uint16_t end;    /**< last of a range */
	uint16_t offset;
	uint16_t type;        /**< FIND_BY_VALUE_REQ: always 16 bits */
	const uint8_t *value; /**< rest of the packet: value, list of elements, or a type's UUID */
	size_t len;
};

/** Name of a packet for a person; "unknown packet" for one that is not in the table. */
const char *att_op_name(uint8_t op);
/** One sentence part for a person: "insufficient encryption". Never NULL. */
const char *att_error_name(uint8_t error);
/** The answer that a request gets; 0 for what is not answered. */
uint8_t att_answer_of(uint8_t op);

/** Writes a packet of at most `mtu` bytes. Returns its length, -ERR_RANGE for an unknown opcode,
 * -ERR_TOO_LARGE past the MTU, -ENOBUFS past cap. */
int att_encode(const struct att_pdu *p, size_t mtu, uint8_t *out, size_t cap) _must_check_;
/** Reads a packet. -ERR_BADMSG where it is too short, too long or lists broken elements;
 * -ENOTSUP for an opcode that is not in the table (op is set). */
int att_decode(const uint8_t *data, size_t len, struct att_pdu *ret) _must_check_;

/** A 16-bit UUID as the types of requests and declarations carry it. */
static inline void att_put_uuid(uint8_t to[2], uint16_t uuid)
{
	to[0] = (uint8_t) uuid;
	to[1] = (uint8_t) (uuid >> 8);
}
/** The 16-bit UUID in `len` bytes, also where it is written as 128 bits; 0 = another one. */
uint16_t att_get_uuid(const uint8_t *data, size_t len);
