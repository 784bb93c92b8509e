/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"
#include "controller/inventory/inv_impl.h"
#include <errno.h>
#include <string.h>

uint32_t inv_find_evidence(const struct inv_state *st, uint32_t item, uint32_t antenna)
{
	uint32_t at = st->items.v[item].evidence;

	while (at != INV_NONE && st->evidence.v[at].antenna != antenna)
		at = st->evidence.v[at].next;
	return at;
}

/* What an item can spare first: the oldest of what is over, else the oldest of all. */
static bool less_useful(const struct inv_evidence *a, const struct inv_evidence *b)
{
	if (a->present != b->present)
		return !a->present;
	return a->last_us < b->last_us;
}

static uint32_t unlink_least_useful(struct inv_state *st, uint32_t item)
{
	uint32_t worst = st->items.v[item].evidence, *link = &st->items.v[item].evidence;

	for (uint32_t at = worst; at != INV_NONE; at = st->evidence.v[at].next) {
		if (less_useful(&st->evidence.v[at], &st->evidence.v[worst]))
			worst = at;
	}
	while (*link != worst)
		link = &st->evidence.v[*link].next;
	*link = st->evidence.v[worst].next;
	return worst;
}

uint32_t inv_add_evidence(struct inv_state *st, uint32_t item, uint32_t antenna)
{
	size_t n = 0;
	uint32_t at;

	for (at = st->items.v[item].evidence; at != INV_NONE; at = st->evidence.v[at].next)
		n++;
	if (n >= INV_MAX_EVIDENCE) {
		at = unlink_least_useful(st, item);
	} else if (st->free_evidence != INV_NONE) {
		at = st->free_evidence;
		st->free_evidence = st->evidence.v[at].next;
	} else {
		if (!INV_GROW(st->evidence))
			return INV_NONE;
		at = st->evidence.n++;
	}
	st->evidence.v[at] = (struct inv_evidence){
		.next = st->items.v[item].evidence,
		.antenna = (uint16_t) antenna,
		.rssi_cdbm = BELIEF_RSSI_UNKNOWN,
		.peak_cdbm = BELIEF_RSSI_UNKNOWN,
	};
	st->items.v[item].evidence = at;
	return at;
}

int inv_state_restore_item(struct inv_state *st, uint32_t id, const struct epc *epc)
{
	struct inv_epc_view v = inv_view(st, epc->data, epc->bits);
	uint32_t known = inv_find_view(st, &v);

	if (known != INV_NONE)
		return known == id ? 0 : -ERR_CORRUPT;
	if (id != st->items.n)
		return -ERR_CORRUPT;
	return inv_add_item(st, &v) == id ? 0 : -ENOMEM;
}

int inv_state_restore_evidence(struct inv_state *st, uint32_t item, const struct inv_evidence *e)
{
	uint32_t at, next;

	if (item >= st->items.n || e->antenna >= st->antennas.n)
		return -ERR_CORRUPT;
	at = inv_find_evidence(st, item, e->antenna);
	if (at == INV_NONE)
		at = inv_add_evidence(st, item, e->antenna);
	if (at == INV_NONE)
		return -ENOMEM;
	next = st->evidence.v[at].next;
	st->evidence.v[at] = *e;
	st->evidence.v[at].next = next;
	if (e->last_us > st->antennas.v[e->antenna].last_heard_us)
		st->antennas.v[e->antenna].last_heard_us = e->last_us;
	return 0;
}

int inv_state_restore_stream(struct inv_state *st, const struct inv_stream *s)
{
	struct inv_stream *own = inv_get_stream(st, s->agent, s->journal_id);

	if (!own)
		return -ENOMEM;
	own->applied = MAX(own->applied, s->applied);
	own->last_us = MAX(own->last_us, s->last_us);
	return 0;
}

int inv_state_restore_place(struct inv_state *st, uint32_t item, uint32_t place, uint8_t state,
			    uint8_t cause, uint16_t confidence, int64_t since_us)
{
	struct inv_item *it;

	if (item >= st->items.n || state > BELIEF_GONE || cause >= CAUSE_COUNT || confidence > 1000)
		return -ERR_CORRUPT;
	it = &st->items.v[item];
	it->cause = cause;
	it->confidence = confidence;
	it->since_us = since_us;
	if (it->place == place && it->state == state)
		return 0;
	return inv_set_place(st, item, place, state);
}

void inv_state_restored(struct inv_state *st)
{
	/* Those waiting for a grace or a doubt wait again; asking once more costs nothing. */
	for (uint32_t i = 0; i < st->items.n; i++) {
		struct inv_item *it = &st->items.v[i];
		bool heard = false;

		for (uint32_t at = it->evidence; at != INV_NONE; at = st->evidence.v[at].next)
			heard |= st->evidence.v[at].present != 0;
		if (it->state == BELIEF_PRESENT && !heard) {
			it->due_us = 0;
			inv_due_push(st, i, 0);
		}
	}
}
