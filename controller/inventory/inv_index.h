/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * An open-addressing hash index from a 32-bit hash to a 32-bit id. It stores neither keys nor
 * values: the owner keeps those in arrays by id and compares. Slots are 8 bytes, so that a lookup
 * costs one cache line, and callers that look up many keys prefetch theirs first (facts: the state
 * engine is bound by memory latency). Hashes come from inv_hash(), keyed at random per process,
 * because EPCs are chosen by whoever writes tags.
 */
#pragma once

#include "common/util.h"
#include <stdbool.h>
#include <string.h>

#define INV_NONE UINT32_MAX

struct inv_key {
	uint64_t k[2];
};

/* The high and low half of a 128-bit product, folded: one multiplication mixes all bits. */
static inline uint64_t inv_fold(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 p = (unsigned __int128) a * b;

	return (uint64_t) p ^ (uint64_t) (p >> 64);
}

/** Keyed hash of a few bytes. Here, so that a known length makes it a handful of instructions. */
static inline uint32_t inv_hash(const struct inv_key *key, const void *data, size_t len,
				uint64_t salt)
{
	const uint8_t *p = data;
	uint64_t h = key->k[0] ^ salt ^ ((uint64_t) len << 56);
	uint64_t word;

	while (len >= 8) {
		memcpy(&word, p, 8);
		h = inv_fold(h ^ word, key->k[1]);
		p += 8;
		len -= 8;
	}
	word = 0;
	memcpy(&word, p, len);
	h = inv_fold(h ^ word, key->k[1]);
	h = inv_fold(h ^ key->k[0], UINT64_C(0x9e3779b97f4a7c15));
	return (uint32_t) (h >> 32);
}

struct inv_index {
	uint64_t *slots; /**< hash << 32 | id; ~0 = empty */
	size_t mask;     /**< capacity - 1, a power of two */
	size_t used;
};

#define INV_INDEX_EMPTY UINT64_MAX

/** Room for `n` entries without growing. */
int inv_index_init(struct inv_index *ix, size_t n) _must_check_;
void inv_index_done(struct inv_index *ix);
/** Adds an id that is not there yet (id != INV_NONE). */
int inv_index_add(struct inv_index *ix, uint32_t hash, uint32_t id) _must_check_;

static inline void inv_index_prefetch(const struct inv_index *ix, uint32_t hash)
{
	__builtin_prefetch(&ix->slots[hash & ix->mask]);
}

/** Walks the ids that may match: start with *pos = hash, call until INV_NONE. */
static inline uint32_t inv_index_next(const struct inv_index *ix, uint32_t hash, size_t *pos)
{
	for (;;) {
		uint64_t slot = ix->slots[(*pos)++ & ix->mask];

		if (slot == INV_INDEX_EMPTY)
			return INV_NONE;
		if ((uint32_t) (slot >> 32) == hash)
			return (uint32_t) slot;
	}
}
