/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Chance (random.c), and the keys of the train and of the labels, which are changed while it runs
 * (keys.c).
 */
#pragma once

#include "esl-radio/ead.h"
#include "esl-radio/label.h"

struct esl_engine;
struct esl_stats;

struct esl_rng {
	uint64_t seed[2]; /**< zero = the system's generator */
};

int esl_random(struct esl_rng *r, void *to, size_t n) _must_check_;
/** A Randomizer never used before under the train key. -ERR_STATE when that cannot be promised. */
int esl_next_randomizer(struct esl_engine *e, uint8_t ret[EAD_RAND_BYTES]) _must_check_;
/** The same under the old key, while there is one. */
int esl_next_old_randomizer(struct esl_engine *e, uint8_t ret[EAD_RAND_BYTES]) _must_check_;
/** So many Randomizers a key has: the direction bit is always set. */
#define ESL_RAND_LIMIT (UINT64_C(1) << (8 * EAD_RAND_BYTES - 1))

/** The first train key. */
int esl_keys_make(struct esl_engine *e) _must_check_;
/** esl_engine_rotate_keys(). */
int esl_keys_rotate(struct esl_engine *e, int64_t older_than_utc_us) _must_check_;
/** Begins and ends rotations when it is time; called often. */
void esl_keys_tick(struct esl_engine *e);
/** True if a visit should give the label new keys. */
bool esl_keys_stale(const struct esl_engine *e, const struct esl_label *l);
/** The label has taken the keys of that generation. */
void esl_keys_given(struct esl_engine *e, struct esl_label *l, uint8_t gen);
/** A label comes to its group (1), or leaves it (-1). */
void esl_keys_count(struct esl_engine *e, const struct esl_label *l, int by);
/** All that was kept has been given back. */
void esl_keys_restored(struct esl_engine *e);
void esl_keys_get_stats(const struct esl_engine *e, struct esl_stats *ret);
