/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is visited next: a price that is due now before one that is due later before a clock that
 * grows old, among equals the label that has been known for longest.
 */
#include "esl-radio/engine.h"

#define ADVERT_FRESH_US (INT64_C(10) * US_PER_SEC)

static bool wants_image(struct esl_engine *e, const uint8_t *hash, unsigned int *prefetch)
{
	if (esl_image_peek(e, hash))
		return true;
	/* One that does not come must not keep the others from being asked for. */
	if (*prefetch == 0 && !esl_image_is_late(e, hash))
		return false;
	if (!esl_image_is_late(e, hash))
		(*prefetch)--;
	return esl_image_get(e, hash) != NULL;
}

/** How much a label needs a connection; *ret_by_advert: as one that advertises. Images of the first
 * few that would like one are asked for, as *prefetch allows. */
static enum esl_urgency visit_need(struct esl_engine *e, struct esl_label *l,
				   unsigned int *prefetch, bool *ret_by_advert)
{
	int64_t now_us = esl_now(e);
	enum esl_urgency urgency;
	struct esl_upload up;
	int now, next;

	if (l->visit || l->forgetting || now_us < l->visit_after_us)
		return ESL_URGENCY_NONE;
	*ret_by_advert = false;
	if (l->phase != ESL_PHASE_SYNCED) {
		if (!l->advert_us || now_us - l->advert_us > ADVERT_FRESH_US ||
		    (!l->wanted && !l->configured))
			return ESL_URGENCY_NONE;
		*ret_by_advert = true;
		/* A label that only lost its way must not keep others' prices waiting. */
		now = esl_wish_now(e, l, &next);
		return now >= 0 && !esl_is_shown(l, l->wishes[now].image) ? ESL_URGENCY_FLIP
									  : ESL_URGENCY_STAGE;
	}
	urgency = esl_next_upload(e, l, &up);
	if (urgency == ESL_URGENCY_FLIP) {
		(void) esl_image_get(e, up.image); /* fetched while we connect */
		return urgency;
	}
	if (urgency == ESL_URGENCY_STAGE && wants_image(e, up.image, prefetch))
		return urgency;
	if (l->info_stale || esl_time_must_be_set(e, l))
		return ESL_URGENCY_UPKEEP;
	return ESL_URGENCY_NONE;
}

static struct esl_visit *free_visit(struct esl_engine *e)
{
	for (unsigned int i = 0; i < e->max_links; i++)
		if (!e->visits[i].label && !e->visits[i].busy)
			return &e->visits[i];
	return NULL;
}

static void drop_forgotten(struct esl_engine *e)
{
	struct esl_label *l, *next;

	HASH_ITER (hh, e->labels, l, next) {
		if (!l->forgetting || l->configured || l->visit)
			continue;
		(void) esl_forget_saved(e, l);
		esl_label_drop(e, l);
	}
}

void esl_visits_pump(struct esl_engine *e)
{
	struct esl_visit *v;

	drop_forgotten(e);
	if (!e->link || !e->link_up || !e->train_saved)
		return;
	while ((v = free_visit(e))) {
		enum esl_urgency best = ESL_URGENCY_NONE;
		struct esl_label *l, *next, *who = NULL;
		unsigned int prefetch = 2 * e->max_links;
		bool by_advert = false;

		HASH_ITER (hh, e->labels, l, next) {
			bool advert;
			enum esl_urgency u = visit_need(e, l, &prefetch, &advert);

			if (u > best) {
				best = u;
				who = l;
				by_advert = advert;
			}
			if (best == ESL_URGENCY_FLIP)
				break;
		}
		if (!who)
			return;
		esl_visit_begin(v, who, by_advert);
		if (!v->busy && !v->label)
			return; /* the link takes nothing now; the label's own retry wakes us */
	}
}
