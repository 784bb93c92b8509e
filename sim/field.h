/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The UHF field of one reader in a store with a ground plan: while an inventory runs, its antennas
 * take turns, the carrier hops, and tags that it wakes answer as Gen2 says (sim/rf.h, sim/gen2.h,
 * sim/floor.h). Flags belong to the tags, so that readers in earshot of each other share them.
 *
 * An antenna keeps a list of the items at rest that it can wake on some channel, with their fading
 * per channel; it is made once and mended when items come to rest. An item that walks is worked out
 * anew for each round. Cost goes with carriers and slots, not with items times antennas.
 *
 * Air time runs behind the clock by a slice of FIELD_SLICE_US: what happened in it is told at its
 * end, with the instants at which it happened.
 */
#pragma once

#include "sim/floor.h"
#include "sim/reader.h"

#define FIELD_SLICE_US (50 * US_PER_MS)

struct sim_field_config {
	int64_t dwell_us; /**< of an antenna's turn; a shorter transit time shortens it */
	uint64_t seed;
};

struct sim_field_stats {
	uint64_t rounds, slots, collisions, singles;
	uint64_t unheard; /**< acknowledged, but not understood */
	int64_t lag_us;   /**< the most that air time fell behind the clock */
	size_t in_range;  /**< pairs of antenna and resting item */
};

struct sim_field;

/** Becomes the reader's source. Floor and reader are borrowed and outlive it. */
int sim_field_new(struct loop *loop, struct sim_floor *floor, struct sim_reader *reader,
		  const struct sim_field_config *cfg, struct sim_field **ret) _must_check_;
void sim_field_free(struct sim_field *f);
void sim_field_get_stats(const struct sim_field *f, struct sim_field_stats *ret);
