/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The journal's records: one byte of kind, then fixed little-endian fields. They carry absolute
 * values, so that replaying one twice changes nothing. A kind this program does not know is an
 * error (the version in the blob's header says so before).
 */
#pragma once

#include "controller/inventory/inv_state.h"

#define INV_RECORD_VERSION 1u

enum inv_record_kind {
	INV_RECORD_ITEM = 1,     /**< id, EPC */
	INV_RECORD_ANTENNA = 2,  /**< id, agent, reader, number */
	INV_RECORD_EVIDENCE = 3, /**< item, struct inv_evidence */
	INV_RECORD_PLACE = 4,    /**< item, place, state, cause, confidence, since */
	INV_RECORD_STREAM = 5,   /**< struct inv_stream */
	INV_RECORD_COUNT
};

void inv_record_item(struct buf *out, uint32_t id, const struct epc *epc);
void inv_record_antenna(struct buf *out, uint32_t id, const struct inv_antenna *a);
void inv_record_evidence(struct buf *out, uint32_t item, const struct inv_evidence *e);
void inv_record_place(struct buf *out, uint32_t item, const struct inv_item *it);
void inv_record_stream(struct buf *out, const struct inv_stream *s);
