/* SPDX-License-Identifier: Apache-2.0 */
/** @file What the parts of the live place model share: place_live.c (naming), place_live_fit.c,
 * place_live_file.c. */
#pragma once

#include "controller/inventory/place_live.h"

#define PLACE_LIVE_MAX_DIMS (2 * PLACE_LIVE_MAX_ANTENNAS)

/** Features of an expert: expert 0 levels, then rates; expert 1 levels against their mean. */
static inline unsigned int place_live_dims(unsigned int expert, unsigned int antennas)
{
	return expert == 0 ? 2 * antennas : antennas;
}

void place_live_features(const struct place_live *m, const struct place_live_evidence *ev,
			 float ret[PLACE_LIVE_EXPERTS][PLACE_LIVE_MAX_DIMS]);
