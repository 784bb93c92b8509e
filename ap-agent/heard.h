/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Up to when each reader was heard: the one thing about readers that outlives the agent's process.
 * From it the next one knows how long nobody listened (the reader's ledger shows it as a gap).
 */
#pragma once

#include "ap-agent/store.h"

#define HEARD_MAX        64
/** A machine that lay in a drawer tells of no gap. */
#define HEARD_MAX_AGE_US (7 * 24 * 3600 * US_PER_SEC)

struct heard {
	size_t n;
	struct {
		char name[PROTO_NAME_MAX];
		int64_t until_us; /**< UTC */
	} marks[HEARD_MAX];
	int64_t saved_us; /**< newest instant in the store */
};

/** Leaves an empty list when there is none that can be read. */
void heard_load(struct heard *h, struct store *store);
/** Writes if anything became newer. */
int heard_save(struct heard *h, struct store *store) _must_check_;
/** 0 = never heard, too long ago, or in the future of a clock that was set back. */
int64_t heard_get(const struct heard *h, const char *name, int64_t now_us);
/** Appends; beyond HEARD_MAX it is left out. */
void heard_put(struct heard *h, const char *name, int64_t until_us);
