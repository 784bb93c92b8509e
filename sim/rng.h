/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The simulator's only source of chance: a small seeded generator (xoshiro256**, seeded through
 * splitmix64). Every actor draws from a stream of its own, so that adding labels to one radio does
 * not change what another radio loses. Equal seed and equal input give an equal run.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct sim_rng {
	uint64_t s[4];
};

/** `stream` is any text, usually the actor's name. */
void sim_rng_init(struct sim_rng *r, uint64_t seed, const char *stream);
uint64_t sim_rng_u64(struct sim_rng *r);
/** Uniform in [0, n); 0 for n = 0. */
uint32_t sim_rng_below(struct sim_rng *r, uint32_t n);
/** Uniform in [0, 1). */
double sim_rng_unit(struct sim_rng *r);
/** True with probability p. */
bool sim_rng_chance(struct sim_rng *r, double p);
/** Exponential with the given mean. */
double sim_rng_exponential(struct sim_rng *r, double mean);
/** Normal with mean 0 and deviation 1. */
double sim_rng_normal(struct sim_rng *r);
/** Poisson with the given mean (normal approximation past 40). */
uint32_t sim_rng_poisson(struct sim_rng *r, double mean);
void sim_rng_bytes(struct sim_rng *r, void *to, uint32_t n);

/** A number in [0, 1) that depends on the arguments only: what stays put, such as a tag's distance.
 */
double sim_hash_unit(uint64_t a, uint64_t b, uint64_t c);
