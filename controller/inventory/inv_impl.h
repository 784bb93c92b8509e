/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Inside the state engine: what inv_state.c (sightings and judgement), inv_table.c (items,
 * products, counters) and inv_restore.c (replay) share.
 */
#pragma once

#include "controller/inventory/inv_state.h"
#include <string.h>

/** Aligned for fast random access; free() it. NULL when memory is out. */
void *inv_alloc(size_t bytes);
/** Makes room for one more element; false (and nothing changed) when memory is out. */
bool inv_grow(void **v, uint32_t *cap, uint32_t n, size_t size);
#define INV_GROW(a) inv_grow((void **) &(a).v, &(a).cap, (a).n, sizeof(*(a).v))

struct inv_epc_view {
	const uint8_t *data;
	uint16_t bits;
	uint32_t hash;
};

#define INV_USUAL_BITS 96 /* nearly every tag of a shop */

static inline struct inv_epc_view inv_view(const struct inv_state *st, const uint8_t *data,
					   uint16_t bits)
{
	return (struct inv_epc_view){
		.data = data,
		.bits = bits,
		.hash = bits == INV_USUAL_BITS
				? inv_hash(&st->key, data, INV_USUAL_BITS / 8, INV_USUAL_BITS)
				: inv_hash(&st->key, data, (size_t) (bits + 7) / 8, bits),
	};
}

/** Whether an item has this EPC, for the usual length only: false may mean "ask inv_find_view()".
 */
static inline bool inv_is_usual(const struct inv_item *it, const struct inv_epc_view *v)
{
	return v->bits == INV_USUAL_BITS && it->bits == INV_USUAL_BITS &&
	       memcmp(it->epc, v->data, INV_USUAL_BITS / 8) == 0;
}

uint32_t inv_find_view(const struct inv_state *st, const struct inv_epc_view *v);
/** Adds an item that is not there; INV_NONE when out of memory. */
uint32_t inv_add_item(struct inv_state *st, const struct inv_epc_view *v);
uint32_t inv_get_product(struct inv_state *st, uint64_t gtin);

/** Evidence of this antenna, or INV_NONE. */
uint32_t inv_find_evidence(const struct inv_state *st, uint32_t item, uint32_t antenna);
/** Adds blank evidence (forgetting the least useful if the item has its fill); INV_NONE = no
 * memory. */
uint32_t inv_add_evidence(struct inv_state *st, uint32_t item, uint32_t antenna);
struct inv_stream *inv_get_stream(struct inv_state *st, uint64_t agent, const uint8_t *journal_id);

/** Judges by the fitted model where it can, else by belief.h; see inv_judge.c. */
int inv_model_antenna(const struct inv_state *st, const struct inv_antenna *a);
bool inv_judge(struct inv_state *st, uint32_t item, struct belief *b,
	       const struct belief_evidence *ev, const uint32_t *ids, size_t n, int64_t now_us);
/** Moves an item: counters, product totals, listener. `it` has its new since, cause, confidence. */
int inv_set_place(struct inv_state *st, uint32_t item, uint32_t place, uint8_t state);
void inv_due_push(struct inv_state *st, uint32_t item, int64_t at_us);
