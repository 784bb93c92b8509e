/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * How a reader inventories tags, in plain words: what a person chooses instead of Gen2 sessions,
 * targets, populations and link modes. Data that agent and controller share; to add a profile, add
 * a row.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GEN2_LINK_MODES 4 /**< FM0, Miller 2, 4, 8: the MValue of LLRP's mode table */

struct gen2_profile {
	const char *name;  /**< "" = the standard, with the session that the reader is given */
	const char *words; /**< for whom */
	/** A tag that was read keeps quiet: 0 not at all, 1 for some seconds, 2 and 3 as long as it
	 * stays in the field and a little more. */
	uint8_t session;
	/** Read tags once and leave them quiet (true), or wake the quiet ones again in turn. */
	bool single_target;
	uint16_t population;                 /**< tags expected to answer at once */
	uint8_t link_order[GEN2_LINK_MODES]; /**< MValues, the best first */
	bool adaptive; /**< rather the maker's own automatic mode, where it has one */
};

/** NULL for a name that is none of ours; NULL as name is the standard. */
const struct gen2_profile *gen2_profile_find(const char *name);
/** All of them, the standard first. */
const struct gen2_profile *gen2_profiles(size_t *ret_n);
