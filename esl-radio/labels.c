/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/engine.h"
#include "esl-radio/keys.h"
#include "esl-radio/label.h"
#include "esl-radio/packer.h"
#include "esl-radio/visit.h"
#include "esl-radio/wake.h"

#include "common/err.h"
#include <errno.h>
#include <string.h>

#define FIRST_PLACES 64u

/* --- the table: open addressing with linear probing ------------------------------------------- */

static unsigned int home(const struct esl_engine *e, const uint8_t addr[ESL_ADDR_BYTES])
{
	uint64_t x = 0;

	memcpy(&x, addr, ESL_ADDR_BYTES);
	return (unsigned int) ((x * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (e->label_cap - 1);
}

/** Where that address is, or the free place where it would go. The table is never full. */
static unsigned int seek(const struct esl_engine *e, const uint8_t addr[ESL_ADDR_BYTES])
{
	unsigned int i = home(e, addr);

	while (e->labels[i] && memcmp(e->labels[i]->addr, addr, ESL_ADDR_BYTES) != 0)
		i = (i + 1) & (e->label_cap - 1);
	return i;
}

/** Makes room for one more: at most three quarters of the places are taken. */
static int grow(struct esl_engine *e)
{
	unsigned int old_cap = e->label_cap;
	struct esl_label **old = e->labels, **labels;

	if (4 * (e->n_labels + 1) <= 3 * old_cap)
		return 0;
	labels = calloc(old_cap ? 2 * old_cap : FIRST_PLACES, sizeof(struct esl_label *));
	if (!labels)
		return -ENOMEM;
	e->labels = labels;
	e->label_cap = old_cap ? 2 * old_cap : FIRST_PLACES;
	for (unsigned int i = 0; i < old_cap; i++)
		if (old[i])
			e->labels[seek(e, old[i]->addr)] = old[i];
	free(old);
	return 0;
}

/** Empties a place, and closes the gap in the run behind it. */
static void take_out(struct esl_engine *e, unsigned int hole)
{
	unsigned int mask = e->label_cap - 1;

	for (unsigned int i = (hole + 1) & mask; e->labels[i]; i = (i + 1) & mask) {
		unsigned int h = home(e, e->labels[i]->addr);

		/* It may move up unless its home lies behind the hole. */
		if (((i - h) & mask) >= ((i - hole) & mask)) {
			e->labels[hole] = e->labels[i];
			hole = i;
		}
	}
	e->labels[hole] = NULL;
}

struct esl_label *esl_label_find(const struct esl_engine *e, const uint8_t addr[ESL_ADDR_BYTES])
{
	return e->label_cap ? e->labels[seek(e, addr)] : NULL;
}

int esl_label_add(struct esl_engine *e, const uint8_t addr[ESL_ADDR_BYTES], struct esl_label **ret)
{
	struct esl_label *l;
	int r = grow(e);

	l = r < 0 ? NULL : calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	memcpy(l->addr, addr, ESL_ADDR_BYTES);
	l->phase = ESL_PHASE_WAITING;
	l->shown_slot = ESL_NO_SLOT;
	l->prev_slot = ESL_NO_SLOT;
	l->temperature_cc = INT16_MIN;
	l->battery_sensor = l->temperature_sensor = ESL_NO_SENSOR;
	l->pixels = (uint8_t) (pixel_table_count(e->pixels) - 1); /* Gondola's own form */
	l->wake_at_us = ESL_NEVER;
	l->confirm_at_us = ESL_NEVER;
	l->drawn_at_us = ESL_NEVER;
	l->ping_at_us = esl_now(e);
	r = esl_wake_add(e, l);
	if (r < 0) {
		free(l);
		return r;
	}
	e->labels[seek(e, addr)] = l;
	*ret = l;
	return 0;
}

void esl_label_drop(struct esl_engine *e, struct esl_label *l)
{
	esl_visits_detach(e, l);
	esl_label_unplace(e, l);
	esl_set_queue(e, l, ESL_URGENCY_NONE);
	esl_wake_remove(e, l);
	take_out(e, seek(e, l->addr));
	free(l->slots);
	free(l->wishes);
	free(l->flash);
	explicit_bzero(l->response_key, sizeof(l->response_key));
	free(l);
}

/* --- who has which address -------------------------------------------------------------------- */

static bool id_is_free(const struct esl_group *g, unsigned int id)
{
	return !(g->used[id / 8] & 1u << id % 8);
}

int esl_label_place(struct esl_engine *e, struct esl_label *l, uint8_t group, uint8_t id)
{
	if (group >= e->train.subevents || id > ESL_ID_MAX)
		return -ERR_RANGE;
	if (l->has_address || !id_is_free(&e->groups[group], id))
		return -EEXIST;
	l->group = group;
	l->id = id;
	l->has_address = true;
	e->groups[group].used[id / 8] |= (uint8_t) (1u << id % 8);
	e->groups[group].n++;
	esl_keys_count(e, l, 1);
	return 0;
}

int esl_label_allocate(struct esl_engine *e, struct esl_label *l)
{
	unsigned int best = 0;

	for (unsigned int g = 1; g < e->train.subevents; g++)
		if (e->groups[g].n < e->groups[best].n)
			best = g;
	l->key_gen = e->key_gen; /* it will be given no other */
	for (unsigned int id = 0; id < ESL_IDS_PER_GROUP; id++)
		if (id_is_free(&e->groups[best], id))
			return esl_label_place(e, l, (uint8_t) best, (uint8_t) id);
	return -ENOSPC;
}

void esl_label_unplace(struct esl_engine *e, struct esl_label *l)
{
	if (!l->has_address)
		return;
	esl_label_cut_flights(e, l);
	esl_set_ready(e, l, ESL_URGENCY_NONE);
	e->groups[l->group].used[l->id / 8] &= (uint8_t) ~(1u << l->id % 8);
	e->groups[l->group].n--;
	esl_keys_count(e, l, -1);
	l->has_address = false;
}

int esl_label_set_slots(struct esl_label *l, uint8_t n)
{
	struct esl_slot *slots;

	n = MIN(n, ESL_SLOTS_MAX);
	if (n == l->n_slots)
		return 0;
	slots = calloc(MAX(n, 1), sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	if (l->slots && n)
		memcpy(slots, l->slots, MIN(n, l->n_slots) * sizeof(*slots));
	free(l->slots);
	l->slots = slots;
	l->n_slots = n;
	if (l->shown_slot >= n)
		l->shown_slot = ESL_NO_SLOT;
	if (l->prev_slot >= n)
		l->prev_slot = ESL_NO_SLOT;
	return 0;
}

void esl_label_forget_slots(struct esl_label *l)
{
	l->shown_slot = ESL_NO_SLOT;
	l->prev_slot = ESL_NO_SLOT;
	l->grade = ESL_GRADE_NONE;
	for (int s = 0; s < l->n_slots; s++)
		l->slots[s].held = false;
}

void esl_label_was_reset(struct esl_label *l)
{
	l->configured = false;
	l->pending.state = ESL_PENDING_NONE;
	l->info_stale = true;
	l->in_step_us = 0;
	esl_label_forget_slots(l);
}

void esl_label_cut_flights(struct esl_engine *e, struct esl_label *l)
{
	if (!l->has_address)
		return;
	for (int i = 0; i < 2; i++) {
		struct esl_flight *f = &e->groups[l->group].flight[i];

		for (unsigned int k = 0; k < f->n; k++)
			if (f->entry[k].label == l)
				f->entry[k].label = NULL;
	}
}
