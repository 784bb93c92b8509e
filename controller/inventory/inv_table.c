/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"
#include "controller/inventory/inv_impl.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define STREAMS_PER_AGENT 8
#define HUGE_BYTES        ((size_t) 2 << 20)

/* Rows of 32 and 64 bytes must not straddle cache lines, and random access to megabytes of them
 * wants few page-table walks. */
void *inv_alloc(size_t bytes)
{
	size_t align = bytes >= HUGE_BYTES ? HUGE_BYTES : 64;
	void *p;

	if (posix_memalign(&p, align, bytes) != 0)
		return NULL;
	if (align == HUGE_BYTES)
		(void) madvise(p, bytes, MADV_HUGEPAGE);
	return p;
}

bool inv_grow(void **v, uint32_t *cap, uint32_t n, size_t size)
{
	size_t more = *cap ? 2 * (size_t) *cap : 64;
	void *grown;

	if (n < *cap)
		return true;
	if (more >= INV_NONE)
		return false;
	grown = inv_alloc(more * size);
	if (!grown)
		return false;
	if (n)
		memcpy(grown, *v, n * size);
	free(*v);
	*v = grown;
	*cap = (uint32_t) more;
	return true;
}

/* --- items ------------------------------------------------------------------------------------ */

static const uint8_t *item_bytes(const struct inv_state *st, const struct inv_item *it)
{
	uint32_t at;

	if ((it->bits + 7) / 8 <= INV_SHORT_EPC)
		return it->epc;
	memcpy(&at, it->epc, sizeof(at));
	return st->long_epcs.v[at].data;
}

uint32_t inv_find_view(const struct inv_state *st, const struct inv_epc_view *v)
{
	size_t pos = v->hash, n = (size_t) (v->bits + 7) / 8;
	uint32_t id;

	while ((id = inv_index_next(&st->item_index, v->hash, &pos)) != INV_NONE) {
		const struct inv_item *it = &st->items.v[id];

		if (it->bits == v->bits && memcmp(item_bytes(st, it), v->data, n) == 0)
			break;
	}
	return id;
}

uint32_t inv_state_find(const struct inv_state *st, const struct epc *epc)
{
	struct inv_epc_view v = inv_view(st, epc->data, epc->bits);

	return inv_find_view(st, &v);
}

void inv_item_epc(const struct inv_state *st, uint32_t item, struct epc *ret)
{
	const struct inv_item *it = &st->items.v[item];

	*ret = (struct epc){.bits = it->bits};
	memcpy(ret->data, item_bytes(st, it), (size_t) (it->bits + 7) / 8);
}

static bool store_epc(struct inv_state *st, struct inv_item *it, const struct inv_epc_view *v)
{
	size_t n = (size_t) (v->bits + 7) / 8;
	uint32_t at = st->long_epcs.n;

	it->bits = v->bits;
	if (n <= INV_SHORT_EPC) {
		memcpy(it->epc, v->data, n);
		return true;
	}
	if (!INV_GROW(st->long_epcs))
		return false;
	st->long_epcs.v[at] = (struct epc){.bits = v->bits};
	memcpy(st->long_epcs.v[at].data, v->data, n);
	memcpy(it->epc, &at, sizeof(at));
	st->long_epcs.n++;
	return true;
}

static uint64_t gtin_of(const struct inv_epc_view *v)
{
	struct sgtin sgtin;
	struct epc epc;

	if (epc_set(&epc, v->data, v->bits) < 0 || sgtin96_decode(&epc, &sgtin) < 0)
		return 0;
	return sgtin.gtin;
}

uint32_t inv_add_item(struct inv_state *st, const struct inv_epc_view *v)
{
	struct inv_item it = {
		.evidence = INV_NONE,
		.due_us = BELIEF_NEVER,
		.product = inv_get_product(st, gtin_of(v)),
	};
	uint32_t id = st->items.n;

	if (it.product == INV_NONE || !INV_GROW(st->items) || !store_epc(st, &it, v) ||
	    inv_index_add(&st->item_index, v->hash, id) < 0)
		return INV_NONE;
	it.next_same = st->products.v[it.product].first_item;
	st->products.v[it.product].first_item = id;
	st->products.v[it.product].items++;
	st->items.v[st->items.n++] = it;
	return id;
}

/* --- products and counters ---------------------------------------------------------------------
 */

static uint32_t find_product(const struct inv_state *st, uint64_t gtin, uint32_t hash)
{
	size_t pos = hash;
	uint32_t id;

	while ((id = inv_index_next(&st->product_index, hash, &pos)) != INV_NONE) {
		if (st->products.v[id].gtin == gtin)
			break;
	}
	return id;
}

uint32_t inv_state_find_product(const struct inv_state *st, uint64_t gtin)
{
	return find_product(st, gtin, inv_hash(&st->key, &gtin, sizeof(gtin), 0));
}

uint32_t inv_get_product(struct inv_state *st, uint64_t gtin)
{
	uint32_t hash = inv_hash(&st->key, &gtin, sizeof(gtin), 0);
	uint32_t id = find_product(st, gtin, hash);

	if (id != INV_NONE)
		return id;
	id = st->products.n;
	if (!INV_GROW(st->products) || inv_index_add(&st->product_index, hash, id) < 0)
		return INV_NONE;
	st->products.v[st->products.n++] =
		(struct inv_product){.gtin = gtin, .first_item = INV_NONE, .first_cell = INV_NONE};
	return id;
}

static struct inv_cell *find_cell(const struct inv_state *st, uint32_t product, uint32_t place)
{
	uint32_t at = st->products.v[product].first_cell;

	while (at != INV_NONE && st->cells.v[at].place != place)
		at = st->cells.v[at].next;
	return at == INV_NONE ? NULL : &st->cells.v[at];
}

static struct inv_cell *get_cell(struct inv_state *st, uint32_t product, uint32_t place)
{
	struct inv_cell *c = find_cell(st, product, place);

	if (c)
		return c;
	if (!INV_GROW(st->cells))
		return NULL;
	st->cells.v[st->cells.n] =
		(struct inv_cell){.place = place, .next = st->products.v[product].first_cell};
	st->products.v[product].first_cell = st->cells.n;
	return &st->cells.v[st->cells.n++];
}

uint32_t inv_state_count(const struct inv_state *st, uint32_t product, uint32_t place)
{
	const struct inv_cell *c = find_cell(st, product, place);

	return c ? c->count : 0;
}

int inv_set_place(struct inv_state *st, uint32_t item, uint32_t place, uint8_t state)
{
	struct inv_item *it = &st->items.v[item];
	struct inv_product *p = &st->products.v[it->product];
	struct inv_change c = {
		.item = item,
		.from = it->place,
		.to = place,
		.from_state = it->state,
		.to_state = state,
		.cause = it->cause,
		.confidence = it->confidence,
		.at_us = it->since_us,
	};

	if (state == BELIEF_PRESENT) {
		struct inv_cell *to = get_cell(st, it->product, place);

		if (!to)
			return -ENOMEM;
		to->count++;
		p->present++;
		st->present++;
		st->unplaced += place == BELIEF_NO_PLACE;
	}
	if (it->state == BELIEF_PRESENT) {
		find_cell(st, it->product, it->place)->count--;
		p->present--;
		st->present--;
		st->unplaced -= it->place == BELIEF_NO_PLACE;
	}
	it->place = place;
	it->state = state;
	if (st->changed)
		st->changed(st->user, &c);
	return 0;
}

/* --- antennas and streams ----------------------------------------------------------------------
 */

static uint32_t antenna_hash(const struct inv_state *st, const struct inv_antenna *a)
{
	return inv_hash(&st->key, a->reader, strlen(a->reader), a->agent << 16 ^ a->number);
}

static bool same_antenna(const struct inv_antenna *a, const struct inv_antenna *b)
{
	return a->agent == b->agent && a->number == b->number && strcmp(a->reader, b->reader) == 0;
}

int inv_state_restore_antenna(struct inv_state *st, uint32_t id, const struct inv_antenna *a)
{
	if (id < st->antennas.n)
		return same_antenna(&st->antennas.v[id], a) ? 0 : -ERR_CORRUPT;
	if (id != st->antennas.n || id >= INV_MAX_ANTENNAS)
		return -ERR_CORRUPT;
	if (!INV_GROW(st->antennas) ||
	    inv_index_add(&st->antenna_index, antenna_hash(st, a), id) < 0)
		return -ENOMEM;
	st->antennas.v[st->antennas.n++] = *a;
	return 0;
}

uint32_t inv_state_find_antenna(const struct inv_state *st, uint64_t agent, const char *reader,
				uint16_t number)
{
	struct inv_antenna a = {.agent = agent, .number = number};
	uint32_t hash, id;
	size_t pos;

	strncpy(a.reader, reader, sizeof(a.reader) - 1);
	hash = antenna_hash(st, &a);
	pos = hash;
	while ((id = inv_index_next(&st->antenna_index, hash, &pos)) != INV_NONE) {
		if (same_antenna(&st->antennas.v[id], &a))
			break;
	}
	return id;
}

static void forget_oldest(struct inv_state *st, uint64_t agent, bool any)
{
	uint32_t oldest = INV_NONE;

	for (uint32_t i = 0; i < st->streams.n; i++) {
		const struct inv_stream *s = &st->streams.v[i];

		if ((any || s->agent == agent) &&
		    (oldest == INV_NONE || s->last_us < st->streams.v[oldest].last_us))
			oldest = i;
	}
	if (oldest != INV_NONE)
		st->streams.v[oldest] = st->streams.v[--st->streams.n];
}

struct inv_stream *inv_get_stream(struct inv_state *st, uint64_t agent, const uint8_t *journal_id)
{
	size_t own = 0;
	struct inv_stream *s;

	for (uint32_t i = 0; i < st->streams.n; i++) {
		s = &st->streams.v[i];
		if (s->agent != agent)
			continue;
		if (memcmp(s->journal_id, journal_id, sizeof(s->journal_id)) == 0)
			return s;
		own++;
	}
	/* An agent makes a new journal when its flash was replaced, not every day. */
	if (own >= STREAMS_PER_AGENT)
		forget_oldest(st, agent, false);
	else if (st->streams.n >= INV_MAX_STREAMS)
		forget_oldest(st, agent, true);
	if (!INV_GROW(st->streams))
		return NULL;
	s = &st->streams.v[st->streams.n++];
	*s = (struct inv_stream){.agent = agent};
	memcpy(s->journal_id, journal_id, sizeof(s->journal_id));
	return s;
}
