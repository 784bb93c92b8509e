/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Fills the world with tagged goods: takes GTINs from the configuration or a product list (CSV with
 * a `gtin` column) and gives every item an SGTIN-96 of its own, round robin over the products and
 * the places.
 */
#pragma once

#include "sim/world.h"

struct sim_goods {
	const char *gtins;     /**< comma list; used when not empty */
	const char *products;  /**< else a CSV file */
	uint32_t max_products; /**< 0 = all of them */
	uint32_t items;
	unsigned int prefix_digits;
	const char *start; /**< name of the place where all begin; empty = spread over all places */
};

/** On failure `diag` says in one line what is wrong. */
int sim_goods_place(struct sim_world *w, const struct sim_goods *g, char *diag,
		    size_t diag_len) _must_check_;
/** A new item of a GTIN arrives for a place, with a serial that no other has, and is `at` there or
 * still on its way. Yields its index; -ERR_SYNTAX or -ERR_CHECK_DIGIT for a GTIN that is none,
 * -ENOSPC when the world is full. */
int sim_goods_arrive(struct sim_world *w, const char *gtin, uint32_t at,
		     uint32_t place) _must_check_;
