/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The inventory's items as reconciliation needs them, copied on the loop thread a slice at a time,
 * so that the pool can work on them while readers go on.
 */
#pragma once

#include "controller/books/books_internal.h"

struct scan_item {
	struct rec_item item;
	uint64_t gtin; /**< 0 = its tag names none */
	uint8_t class; /**< enum epc_class, of those */
	uint32_t epc;  /**< index into the scan's epcs */
};

struct scan {
	const struct books *books;
	struct scan_item *v;
	size_t n, cap;
	struct epc *epcs; /**< if asked for */
	uint32_t n_epcs, cap_epcs;
	bool with_epcs;
	uint64_t only; /**< items of tags without SGTIN-96 that do not name this GTIN are left out;
			  0 = all */
	uint32_t next; /**< item to go on from */
	bool oom;
};

/** Copies the next slice. True when that was the last one (or memory is short). */
bool scan_slice(struct scan *s);
/** Copies the items of one GTIN, with their EPCs; may be called for several. */
void scan_gtin(struct scan *s, uint64_t gtin);
/** One more EPC, for what is not from the inventory; its index. Sets `oom` when memory is short. */
uint32_t scan_keep_epc(struct scan *s, const struct epc *epc);
void scan_done(struct scan *s);
