/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/inv_index.h"
#include "controller/inv_impl.h"
#include <errno.h>
#include <string.h>

/* The high and low half of a 128-bit product, folded: one multiplication mixes all bits. */
static uint64_t fold(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 p = (unsigned __int128) a * b;

	return (uint64_t) p ^ (uint64_t) (p >> 64);
}

uint32_t inv_hash(const struct inv_key *key, const void *data, size_t len, uint64_t salt)
{
	const uint8_t *p = data;
	uint64_t h = key->k[0] ^ salt ^ ((uint64_t) len << 56);
	uint64_t word;

	while (len >= 8) {
		memcpy(&word, p, 8);
		h = fold(h ^ word, key->k[1]);
		p += 8;
		len -= 8;
	}
	word = 0;
	memcpy(&word, p, len);
	h = fold(h ^ word, key->k[1]);
	h = fold(h ^ key->k[0], UINT64_C(0x9e3779b97f4a7c15));
	return (uint32_t) (h >> 32);
}

int inv_index_init(struct inv_index *ix, size_t n)
{
	size_t cap = 64;

	while (cap - cap / 4 < n)
		cap *= 2;
	ix->slots = inv_alloc(cap * sizeof(*ix->slots));
	if (!ix->slots)
		return -ENOMEM;
	memset(ix->slots, 0xff, cap * sizeof(*ix->slots));
	ix->mask = cap - 1;
	ix->used = 0;
	return 0;
}

void inv_index_done(struct inv_index *ix)
{
	free(ix->slots);
	*ix = (struct inv_index){0};
}

static void place(struct inv_index *ix, uint64_t slot)
{
	size_t pos = (size_t) (slot >> 32);

	while (ix->slots[pos & ix->mask] != INV_INDEX_EMPTY)
		pos++;
	ix->slots[pos & ix->mask] = slot;
	ix->used++;
}

static int grow(struct inv_index *ix)
{
	struct inv_index bigger;
	int r = inv_index_init(&bigger, 2 * ix->used + 64);

	if (r)
		return r;
	for (size_t i = 0; i <= ix->mask; i++) {
		if (ix->slots[i] != INV_INDEX_EMPTY)
			place(&bigger, ix->slots[i]);
	}
	inv_index_done(ix);
	*ix = bigger;
	return 0;
}

int inv_index_add(struct inv_index *ix, uint32_t hash, uint32_t id)
{
	size_t cap = ix->mask + 1;

	if (ix->used + 1 > cap - cap / 4) {
		int r = grow(ix);

		if (r)
			return r;
	}
	place(ix, (uint64_t) hash << 32 | id);
	return 0;
}
