/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Which product goes with which wave. Whole products: all labels of one flip together. The order is
 * the caller's; products without a label, from which nothing can be learnt, go with the last wave.
 * A wave's percentage is the share of all labels (or of products, if none has a label) that has
 * flipped when it is over; each wave has a product at least, and waves that would be empty are left
 * out. Pure.
 */
#pragma once

#include "common/util.h"
#include <stdbool.h>

#define ROLLOUT_WAVES_MAX 10

struct rollout_plan_product {
	int64_t labels;
	int64_t wave; /**< out: from 1 */
};

struct rollout_plan {
	double percents[ROLLOUT_WAVES_MAX]; /**< cumulative, rising, the last 100 */
	int64_t n_waves;
	int64_t products[ROLLOUT_WAVES_MAX]; /**< out */
	int64_t labels[ROLLOUT_WAVES_MAX];   /**< out */
};

/** The default waves: 2 %, 25 %, 100 %. */
void rollout_plan_default(struct rollout_plan *p);
void rollout_plan_waves(struct rollout_plan *p, struct rollout_plan_product *products, size_t n);
