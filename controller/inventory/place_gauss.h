/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A normal distribution per place over a vector of features: gathered one vector at a time, drawn
 * towards the spread that all places have in common, and asked how likely a vector is at each
 * place. Pure arithmetic, shared by the model of raw reads (place_model.h) and that of sightings
 * (place_live.h).
 */
#pragma once

#include "common/util.h"

/** What was gathered of one place. */
struct place_sums {
	double n;
	double *sum;   /**< dims */
	double *outer; /**< dims x dims, lower triangle */
};

int place_sums_alloc(struct place_sums *s, unsigned int dims) _must_check_;
void place_sums_done(struct place_sums *s);
void place_sums_add(struct place_sums *s, const float *x, unsigned int dims, double weight);

struct place_gauss {
	unsigned int dims;
	float *mean;    /**< places x dims */
	float *whiten;  /**< places x dims x dims, lower triangle: makes the spread a unit ball */
	float *log_det; /**< places */
};

int place_gauss_alloc(struct place_gauss *g, unsigned int places, unsigned int dims) _must_check_;
void place_gauss_done(struct place_gauss *g);

struct place_gauss_taste {
	double common; /**< how far a place's spread is drawn towards the common one, 0 to 1 */
	double widen;  /**< by what another day may differ, in units of the features */
};

/** Fits `g` to the sums of `places` places. -ENOMEM. */
int place_gauss_fit(struct place_gauss *g, const struct place_sums *sums, unsigned int places,
		    const struct place_gauss_taste *taste) _must_check_;
/** Log likelihood of `x` at each place, up to a constant they share. */
void place_gauss_say(const struct place_gauss *g, unsigned int places, const float *x, float *ret);
/** Makes them log odds over all places, none below `worst`, and adds them to `sum`. */
void place_gauss_add(const float *said, unsigned int places, float worst, float *sum);
