/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/inventory/inv_index.h"
#include "controller/inventory/inv_impl.h"
#include <errno.h>
#include <string.h>

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
