/* SPDX-License-Identifier: Apache-2.0 */
/** @file Inside of the agent's one file: store.c (the file, small facts, blobs), store_desired.c
 * (what is wanted) and store_images.c (pictures) only. */
#pragma once

#include "ap-agent/store.h"

struct store {
	struct sql *sql;
	struct seal *seal;
	uint64_t image_bytes; /**< sum over the image table */
	uint64_t image_bound;
	int64_t image_clock; /**< highest "used" number given out */
};
