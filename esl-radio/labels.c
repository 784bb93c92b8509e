/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/engine.h"

#include "common/err.h"
#include <errno.h>
#include <string.h>

struct esl_label *esl_label_find(const struct esl_engine *e, const uint8_t addr[ESL_ADDR_BYTES])
{
	struct esl_label *l;

	HASH_FIND(hh, e->labels, addr, ESL_ADDR_BYTES, l);
	return l;
}

int esl_label_add(struct esl_engine *e, const uint8_t addr[ESL_ADDR_BYTES], struct esl_label **ret)
{
	struct esl_label *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	memcpy(l->addr, addr, ESL_ADDR_BYTES);
	l->phase = ESL_PHASE_WAITING;
	l->shown_slot = ESL_NO_SLOT;
	l->prev_slot = ESL_NO_SLOT;
	l->temperature_cc = INT16_MIN;
	l->wake_at_us = ESL_NEVER;
	l->confirm_at_us = ESL_NEVER;
	l->drawn_at_us = ESL_NEVER;
	l->ping_at_us = esl_now(e);
	HASH_ADD(hh, e->labels, addr, ESL_ADDR_BYTES, l);
	if (!l->hh.tbl) {
		free(l);
		return -ENOMEM;
	}
	*ret = l;
	return 0;
}

void esl_label_drop(struct esl_engine *e, struct esl_label *l)
{
	esl_visits_detach(e, l);
	esl_label_unplace(e, l);
	HASH_DEL(e->labels, l);
	free(l->slots);
	free(l->wishes);
	free(l->flash_log);
	explicit_bzero(l->response_key, sizeof(l->response_key));
	free(l);
}

static bool id_is_free(const struct esl_group *g, uint8_t id)
{
	const struct esl_label *l;

	TAILQ_FOREACH(l, &g->labels, group_link)
	if (l->id == id)
		return false;
	return true;
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
	TAILQ_INSERT_TAIL(&e->groups[group].labels, l, group_link);
	e->groups[group].n++;
	return 0;
}

int esl_label_allocate(struct esl_engine *e, struct esl_label *l)
{
	bool used[ESL_IDS_PER_GROUP] = {false};
	unsigned int best = 0;
	const struct esl_label *other;

	for (unsigned int g = 1; g < e->train.subevents; g++)
		if (e->groups[g].n < e->groups[best].n)
			best = g;
	TAILQ_FOREACH(other, &e->groups[best].labels, group_link)
	used[other->id] = true;
	for (unsigned int id = 0; id < ESL_IDS_PER_GROUP; id++)
		if (!used[id])
			return esl_label_place(e, l, (uint8_t) best, (uint8_t) id);
	return -ENOSPC;
}

void esl_label_unplace(struct esl_engine *e, struct esl_label *l)
{
	if (!l->has_address)
		return;
	esl_label_cut_flights(e, l);
	TAILQ_REMOVE(&e->groups[l->group].labels, l, group_link);
	e->groups[l->group].n--;
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
