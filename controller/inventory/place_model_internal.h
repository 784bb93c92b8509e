/* SPDX-License-Identifier: Apache-2.0 */
/** @file What the parts of the place model share: place_model.c (naming), place_model_fit.c,
 * place_model_score.c, place_model_file.c. */
#pragma once

#include "controller/inventory/place_model.h"

#define PLACE_MAX_DIMS (2 * PLACE_MODEL_MAX_ANTENNAS)
#define PLACE_PARTS    4                 /* a joined walk is cut into */
#define PLACE_GAP_US   (200 * US_PER_MS) /* between two parts */

/** Sizes an expert's tables for the model's places and antennas. */
int place_expert_alloc(struct place_expert *e, unsigned int places, unsigned int antennas);
/** Lets the memory of expert `x` fade over dt and adds the read. */
void place_memory_read(const struct place_model *m, unsigned int x, struct place_memory *mem,
		       int antenna, float rssi_dbm, float dt_s);
/** The features of expert `x` from its memory; dims floats. */
void place_features(const struct place_model *m, unsigned int x, const struct place_memory *mem,
		    float *ret);
/** The model's index of each antenna of the trace's row. */
int place_read_antenna(const struct place_model *m, const struct trace *t,
		       const struct trace_read *r);

/** Where a walk's part `part` of four begins. */
static inline size_t place_part_start(size_t reads, unsigned int part)
{
	return reads * part / PLACE_PARTS;
}
