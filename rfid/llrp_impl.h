/* SPDX-License-Identifier: Apache-2.0 */
/** @file Inside of a message: shared by llrp_tree.c, llrp_decode.c and llrp_encode.c only. */
#pragma once

#include "rfid/llrp_codec.h"

struct llrp_chunk {
	struct llrp_chunk *next;
	size_t used, size;
	_Alignas(8) uint8_t data[];
};

struct llrp_msg {
	struct llrp_chunk *chunks;
	struct llrp_elem *root;
	uint32_t id;
	uint8_t version;
	int err; /**< sticky, while building */
};

/** Zeroed memory that lives as long as the message; NULL sets the sticky error. */
void *llrp_msg_alloc(struct llrp_msg *m, size_t n);
/** An empty message; `room` is how many bytes its first chunk should hold. */
struct llrp_msg *llrp_msg_alloc_new(uint8_t version, uint32_t id, size_t room);
/** A detached element with room for its values. */
struct llrp_elem *llrp_elem_new(struct llrp_msg *m, const struct llrp_type *type, uint16_t num);
void llrp_elem_append(struct llrp_elem *parent, struct llrp_elem *child);
