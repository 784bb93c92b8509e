/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Keys of labels, kept for the day on which an access point dies: sealed with libsodium's secretbox
 * under DIR/escrow.key (mode 0600), so that a copy of the database opens no label. They are never
 * logged, and no route of people leads here: the access point that looks after a label is handed
 * what another machine kept of it (label_bonds.c).
 */
#pragma once

#include "common/proto_escrow.h"

#define ESCROW_SEALED_BYTES (24 + 16 + LABEL_ADDR_BYTES + 2 * PROTO_KEY_BYTES)

struct label_escrow;

/** Opens DIR/escrow.key, or makes it. -ERR_CORRUPT if it has another length. */
int label_escrow_open(const char *state_dir, struct label_escrow **ret) _must_check_;
void label_escrow_free(struct label_escrow *e);
void label_escrow_seal(const struct label_escrow *e, const uint8_t addr[LABEL_ADDR_BYTES],
		       const uint8_t response[PROTO_KEY_BYTES],
		       const uint8_t train[PROTO_KEY_BYTES],
		       uint8_t ret_sealed[ESCROW_SEALED_BYTES]);
/** -ERR_CRYPTO if it was not sealed here, or for another label. */
int label_escrow_unseal(const struct label_escrow *e, const uint8_t addr[LABEL_ADDR_BYTES],
			const uint8_t *sealed, size_t len, uint8_t ret_response[PROTO_KEY_BYTES],
			uint8_t ret_train[PROTO_KEY_BYTES]) _must_check_;

/** Appends the sealed form of what an access point keeps of a label. */
int label_escrow_seal_entry(const struct label_escrow *e, const struct proto_escrow_entry *entry,
			    struct buf *out) _must_check_;
/** Opens it: address and kind are given, what was kept comes back. -ERR_CRYPTO if it was not sealed
 * here, or for another label or kind. */
int label_escrow_open_entry(const struct label_escrow *e, const uint8_t *sealed, size_t len,
			    struct proto_escrow_entry *entry) _must_check_;
