/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What an access point keeps of its labels, told to the controller for the day on which another
 * machine has to look after them: POST /agent/v1/escrow carries what changed (proto_escrow ->
 * proto_ack, `acked` being the number of entries that are durable), and GET
 * /agent/v1/escrow?machine=HEX&after=ADDR yields what another machine last told of labels that are
 * this agent's now, in the order of their addresses.
 *
 * The bytes are the agents' own affair, and carry their own version. They are key material: nobody
 * logs them, and proto_escrow_free() wipes them.
 */
#pragma once

#include "common/proto.h"

#define PROTO_MAX_ESCROW      64
#define PROTO_ESCROW_DATA_MAX 2048

enum escrow_kind {
	ESCROW_BOND = 1,  /**< by which the label lets the access point in */
	ESCROW_LABEL = 2, /**< its address in the train, its keys, what it is and holds */
	ESCROW_KIND_COUNT
};

struct proto_escrow_entry {
	uint8_t addr[LABEL_ADDR_BYTES];
	uint8_t kind; /**< enum escrow_kind */
	size_t len;   /**< 0 = there is no such thing any more */
	uint8_t data[PROTO_ESCROW_DATA_MAX];
};

struct proto_escrow {
	uint64_t caps;
	uint8_t machine[PROTO_JOURNAL_ID_BYTES]; /**< who keeps it: made with its state file */
	bool more; /**< of an answer: ask again after the last address */
	size_t n;
	struct proto_escrow_entry list[PROTO_MAX_ESCROW];
};

int proto_escrow_encode(const struct proto_escrow *m, struct buf *out) _must_check_;
int proto_escrow_decode(const void *data, size_t len, struct proto_escrow *ret,
			size_t *ret_at) _must_check_;
/** Wipes and frees; NULL-safe. */
void proto_escrow_free(struct proto_escrow *m);
DEFINE_CLEANUP(struct proto_escrow *, proto_escrow_free)
