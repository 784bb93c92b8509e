/* SPDX-License-Identifier: Apache-2.0 */
/** @file Plays walks to a model and keeps the score; the fit plays what it left out the same way,
 * with another model for each part. */
#pragma once

#include "controller/inventory/place_model.h"

/** The exponents on the odds that a fit tries. */
static inline float place_temper(unsigned int i)
{
	return 0.05f * (float) (i + 1);
}

struct place_play {
	const struct place_model *model;
	struct place_score *score;
	struct place_track track;
	int named;      /**< before the present read; PLACE_MODEL_NONE at the start */
	int64_t end_us; /**< of the last read played */
	bool played;
};

/** A new life: nothing is believed. */
void place_play_begin(struct place_play *play, struct place_score *score);
/** Goes on with reads [from, to) of a walk, 0.2 s after what was played last. */
void place_play_part(struct place_play *play, const struct place_model *m,
		     const struct place_walk *walk, size_t from, size_t to);
