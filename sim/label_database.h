/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The Database Hash of a GATT server (Core Specification 5.4, Vol 3 Part G 7.3): by it a bonded
 * client sees whether the handles that it remembers still hold.
 */
#pragma once

#include "common/buf.h"

#define DATABASE_HASH_BYTES 16

/** Adds an attribute to the message that is hashed, in the order of handles; what does not count
 * (values, by 7.3.1) is passed over. */
void database_add(struct buf *message, uint16_t handle, uint16_t type, const void *value,
		  size_t len);
/** Most significant byte first; on the air it goes the other way round. */
void database_hash(const struct buf *message, uint8_t ret[DATABASE_HASH_BYTES]);
