/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/engine.h"
#include "esl-radio/keys.h"
#include "esl-radio/persist.h"

#include "common/err.h"
#include <errno.h>
#include <string.h>
#include <sys/random.h>

/** Randomizers covered by one save: most of a day at 17 packets a second. */
#define RESERVE (UINT64_C(1) << 20)
/** 39 bits count; the highest bit tells the access point's packets from the labels'. */

/* xorshift128+, for tests that want the same keys each time; never used with seed 0. */
static uint64_t next_seeded(struct esl_rng *r)
{
	uint64_t x = r->seed[0], y = r->seed[1];

	r->seed[0] = y;
	x ^= x << 23;
	r->seed[1] = x ^ y ^ (x >> 17) ^ (y >> 26);
	return r->seed[1] + y;
}

int esl_random(struct esl_rng *r, void *to, size_t n)
{
	uint8_t *p = to;

	if (r->seed[0] | r->seed[1]) {
		for (size_t i = 0; i < n; i++)
			p[i] = (uint8_t) (next_seeded(r) >> 24);
		return 0;
	}
	while (n > 0) {
		ssize_t got = getrandom(p, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		p += got;
		n -= (size_t) got;
	}
	return 0;
}

/** From one counter: saved before it is used, so that a restart begins after everything that may
 * have gone out. */
static int next_of(struct esl_engine *e, uint64_t *next, uint64_t *end, uint8_t ret[EAD_RAND_BYTES])
{
	uint64_t v;

	if (*next >= *end) {
		uint64_t before = *end;
		int r;

		if (*next + RESERVE > ESL_RAND_LIMIT)
			return -ERR_STATE;
		*end = *next + RESERVE;
		r = esl_save_train(e);
		if (r < 0) {
			*end = before;
			return r;
		}
	}
	v = (*next)++;
	for (int i = 0; i < EAD_RAND_BYTES; i++)
		ret[i] = (uint8_t) (v >> 8 * i);
	ret[EAD_RAND_BYTES - 1] |= 0x80;
	return 0;
}

int esl_next_randomizer(struct esl_engine *e, uint8_t ret[EAD_RAND_BYTES])
{
	return next_of(e, &e->rand_next, &e->rand_end, ret);
}

int esl_next_old_randomizer(struct esl_engine *e, uint8_t ret[EAD_RAND_BYTES])
{
	return e->rotating ? next_of(e, &e->old_rand_next, &e->old_rand_end, ret) : -ERR_STATE;
}
