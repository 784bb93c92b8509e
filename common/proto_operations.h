/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Operations on tags over the link: the desired state names those that a reader of the agent is to
 * carry out, each once and for all by its id; POST /agent/v1/operations tells what became of them
 * (proto_operation_results -> proto_ack, `acked` being the number of results that are durable). A
 * result may be told again; the first one that is final counts.
 */
#pragma once

#include "common/proto.h"

#define PROTO_MAX_OPERATIONS      32
#define PROTO_MAX_OPERATION_WORDS 32

enum operation_kind {
	OPERATION_READ = 1,
	OPERATION_WRITE_EPC = 2,
	OPERATION_LOCK = 3,
	OPERATION_KIND_COUNT
};

/** Banks, fields and ways of locking have the numbers of the Gen2 air protocol. */
struct proto_operation {
	uint64_t id;
	uint8_t kind; /**< enum operation_kind */
	char reader[PROTO_NAME_MAX];
	uint16_t antenna; /**< 0 = any */
	struct epc tag;   /**< 0 bits = the one that is in view */
	uint8_t bank;     /**< READ: 0 reserved, 1 EPC, 2 TID, 3 user */
	uint16_t pointer, n_words;
	struct epc epc;    /**< WRITE_EPC: the new one */
	uint8_t field;     /**< LOCK: 0 kill password, 1 access password, 2 EPC, 3 TID, 4 user */
	uint8_t how;       /**< LOCK: 0 by password, 1 for ever, 2 never again, 3 unlock */
	uint32_t password; /**< access password; 0 = none. Never stored, never logged. */
	int64_t until_us;  /**< not begun after this instant */
};

enum operation_state {
	OPERATION_RUNNING = 1,
	OPERATION_DONE = 2,
	OPERATION_FAILED = 3,
	/** Begun, and nobody knows what came of it: the agent looks, and may tell more. */
	OPERATION_UNKNOWN = 4,
	OPERATION_STATE_COUNT
};

struct proto_operation_result {
	uint64_t id;
	uint8_t state; /**< enum operation_state */
	int64_t at_us;
	struct epc tag;   /**< the one that was worked on; 0 bits = none */
	uint16_t antenna; /**< where it answered; 0 = unknown */
	size_t n_words;
	uint16_t words[PROTO_MAX_OPERATION_WORDS]; /**< read */
	char text[PROTO_TEXT_MAX];                 /**< a sentence for a person */
};

struct proto_operation_results {
	uint64_t caps;
	size_t n;
	struct proto_operation_result list[PROTO_MAX_OPERATIONS];
};

int proto_operation_results_encode(const struct proto_operation_results *m,
				   struct buf *out) _must_check_;
int proto_operation_results_decode(const void *data, size_t len,
				   struct proto_operation_results *ret,
				   size_t *ret_at) _must_check_;

/** One alone, as the agent keeps it; the password is left out. */
int proto_operation_encode(const struct proto_operation *m, struct buf *out) _must_check_;
int proto_operation_decode(const void *data, size_t len, struct proto_operation *ret) _must_check_;
int proto_operation_result_encode(const struct proto_operation_result *m,
				  struct buf *out) _must_check_;
int proto_operation_result_decode(const void *data, size_t len,
				  struct proto_operation_result *ret) _must_check_;
