/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The UHF air between the goods of the world and one reader's antennas. While an inventory runs,
 * the antennas take turns of 50 ms. An antenna reads every item of the places it covers as a
 * Poisson process, so that each item comes to `reads_per_s` over a whole round, and rarely
 * (probability `cross` of that rate) one from a place that another antenna of the same reader
 * covers. Signal strength follows from where the item lies (fixed per item, antenna and stay),
 * transmit power and fading; too little power wakes no tag.
 *
 * Cost goes with the reads that happen, not with the items there are.
 */
#pragma once

#include "sim/reader.h"
#include "sim/world.h"

struct sim_air_config {
	double reads_per_s; /**< per item and antenna that covers it */
	double cross;       /**< share of that rate at the reader's other antennas */
	uint64_t seed;
};

struct sim_air;

/** Becomes the reader's source. World and reader are borrowed and outlive it. */
int sim_air_new(struct loop *loop, struct sim_world *world, struct sim_reader *reader,
		const struct sim_air_config *cfg, struct sim_air **ret) _must_check_;
void sim_air_free(struct sim_air *a);
