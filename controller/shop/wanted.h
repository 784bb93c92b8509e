/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Wanted state: turns marked labels into pictures and revisions. Loop thread.
 *
 * One batch at a time: take up to WANTED_BATCH marked labels; on the pool read their facts and draw
 * the pictures of their timelines; store the pictures; in one write replace the wanted rows of
 * those labels whose pictures differ, with a new revision each; wake their agents. A mark set
 * meanwhile differs from the count that the batch answers and is found by the next one.
 */
#pragma once

#include "controller/shop/shop.h"

#define WANTED_BATCH 64

struct wanted;

int wanted_new(struct shop *s, struct wanted **ret) _must_check_;
void wanted_free(struct wanted *w);
/** Looks for marked labels now. Call after every commit that may have marked some. */
void wanted_kick(struct wanted *w);
/** Begins no further batch. */
void wanted_stop(struct wanted *w);
