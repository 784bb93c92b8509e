/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Taking in what agents report about labels: facts on the label's row, evidence in the display
 * ledger, each report once. Writer thread, inside a write.
 */
#pragma once

#include "common/proto.h"
#include "common/sql.h"
#include "controller/shop/label_escrow.h"

#define LABELS_MAX 50000 /**< per store: a broken agent must not fill the disk with labels */

struct label_ingest {
	int64_t agent_id;
	bool adopt; /**< labels that nobody has become this agent's */
	const struct label_escrow *escrow;
	int64_t now_us;
	/* out */
	uint64_t acked;
	size_t taken, dropped;
	int readings;       /**< values of sensors among these */
	bool assigned;      /**< some label has a new owner: agents should be woken */
	int64_t lost_agent; /**< a former owner to wake, 0 = none */
};

/** Applies what is new of a batch and moves the stream's high-water mark. */
int label_ingest_apply(struct sql *s, const struct proto_label_reports *m,
		       struct label_ingest *in) _must_check_;
