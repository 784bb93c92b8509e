/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/rng.h"

#include <math.h>

#define POISSON_NORMAL_FROM 40.0

static uint64_t splitmix64(uint64_t *x)
{
	uint64_t z = (*x += UINT64_C(0x9E3779B97F4A7C15));

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

static uint64_t rotl(uint64_t v, int k)
{
	return (v << k) | (v >> (64 - k));
}

void sim_rng_init(struct sim_rng *r, uint64_t seed, const char *stream)
{
	uint64_t h = UINT64_C(0xCBF29CE484222325);

	for (; *stream; stream++)
		h = (h ^ (uint8_t) *stream) * UINT64_C(0x100000001B3);
	h ^= seed * UINT64_C(0xD1342543DE82EF95);
	for (int i = 0; i < 4; i++)
		r->s[i] = splitmix64(&h);
}

uint64_t sim_rng_u64(struct sim_rng *r)
{
	uint64_t result = rotl(r->s[1] * 5, 7) * 9;
	uint64_t t = r->s[1] << 17;

	r->s[2] ^= r->s[0];
	r->s[3] ^= r->s[1];
	r->s[1] ^= r->s[2];
	r->s[0] ^= r->s[3];
	r->s[2] ^= t;
	r->s[3] = rotl(r->s[3], 45);
	return result;
}

uint32_t sim_rng_below(struct sim_rng *r, uint32_t n)
{
	return (uint32_t) (((sim_rng_u64(r) >> 32) * n) >> 32);
}

double sim_rng_unit(struct sim_rng *r)
{
	return (double) (sim_rng_u64(r) >> 11) * 0x1.0p-53;
}

bool sim_rng_chance(struct sim_rng *r, double p)
{
	return sim_rng_unit(r) < p;
}

double sim_rng_exponential(struct sim_rng *r, double mean)
{
	return -mean * log1p(-sim_rng_unit(r));
}

double sim_rng_normal(struct sim_rng *r)
{
	double u = 1.0 - sim_rng_unit(r);

	return sqrt(-2.0 * log(u)) * cos(2.0 * M_PI * sim_rng_unit(r));
}

uint32_t sim_rng_poisson(struct sim_rng *r, double mean)
{
	double limit, product;
	uint32_t n = 0;

	if (!(mean > 0))
		return 0;
	if (mean > POISSON_NORMAL_FROM) {
		double v = mean + sqrt(mean) * sim_rng_normal(r);

		return v < 0 ? 0 : (uint32_t) (v + 0.5);
	}
	limit = exp(-mean);
	for (product = sim_rng_unit(r); product > limit; product *= sim_rng_unit(r))
		n++;
	return n;
}

void sim_rng_bytes(struct sim_rng *r, void *to, uint32_t n)
{
	uint8_t *p = to;

	while (n--)
		*p++ = (uint8_t) (sim_rng_u64(r) >> 56);
}

double sim_hash_unit(uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t x = a * UINT64_C(0x9E3779B97F4A7C15) ^ rotl(b, 23) ^ rotl(c, 47);

	(void) splitmix64(&x);
	return (double) (splitmix64(&x) >> 11) * 0x1.0p-53;
}
