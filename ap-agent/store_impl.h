/* SPDX-License-Identifier: Apache-2.0 */
/** @file Inside of the agent's one file: store.c (the file, small facts, blobs), store_desired.c
 * (what is wanted), store_escrow.c (blobs the controller has not yet) and store_images.c (pictures)
 * only. */
#pragma once

#include "ap-agent/store.h"

/** Names of blobs that the controller keeps as well: of single labels, and bonds. */
#define STORE_ESCROWED                                                                             \
	"(key GLOB '[0-9A-F][0-9A-F][0-9A-F][0-9A-F][0-9A-F][0-9A-F]"                              \
	"[0-9A-F][0-9A-F][0-9A-F][0-9A-F][0-9A-F][0-9A-F]'"                                        \
	" OR (key GLOB 'bond:[0-9a-f]*' AND length(key) = 17))"

struct store {
	struct sql *sql;
	struct seal *seal;
	uint64_t image_bytes; /**< sum over the image table */
	uint64_t image_bound;
	int64_t image_clock; /**< highest "used" number given out */
	uint32_t owed;       /**< rows of that table */
};

/* store_escrow.c; within a transaction of the caller */
/** A blob changes: the controller does not have it, until it says that it does. */
int store_escrow_owe(struct store *s, const char *key) _must_check_;
/** Counts what is owed, after a transaction was given up or another life. */
int store_escrow_recount(struct store *s) _must_check_;
