/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Which product a label belongs to, and every change of it: one row a change in label_links, which
 * nothing rewrites. Whoever links, unlinks, imports, replaces or takes back goes through here, so
 * that no change is without its row.
 */
#pragma once

#include "controller/http/list.h"
#include "controller/shop/label.h"

struct label_link {
	uint64_t addr;
	int64_t product_id; /**< 0 = to none */
	const char *cause;  /**< link, unlink, import, replace or undo */
	const char *who;
	int64_t batch;    /**< the first row that is written together with this one; 0 = itself */
	bool in_batch;    /**< several are written together */
	int64_t undo_of;  /**< the row that is taken back; 0 = none */
	const char *note; /**< for the label's own history; NULL = the product's name */
	int64_t now_us;
	/* what came of it */
	int64_t id; /**< of the row; 0 = the label belonged to that product already */
	int64_t from_product;
	int64_t adopted_by; /**< an agent that takes care of it from now on; 0 = as before */
};

/** Changes the label and writes the row, inside a write. -ENOENT: no such label or product. */
int label_link_set(struct sql *s, struct label_link *l) _must_check_;

/** Of a row that exists already. */
struct label_link_row {
	int64_t id, batch;
	uint64_t addr;
	int64_t from_product, to_product;
	char cause[16];
	bool superseded; /**< the label was linked anew since */
};
/** -ENOENT. */
int label_link_load(struct sql *s, int64_t id, struct label_link_row *ret) _must_check_;
/** The row as the API shows it; NULL if it is not there. */
json_t *label_link_json(struct sql *s, int64_t id);
/** Newest first, before page->after; 0 in `addr` or `product_id` = of all. */
int label_link_list(struct sql *s, const struct list_page *page, uint64_t addr, int64_t product_id,
		    json_t *items, int64_t *ret_next) _must_check_;
