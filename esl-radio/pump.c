/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is visited next: a price that is due now before one that is due later before a clock that
 * grows old, among equals the label whose subevent comes next. A controller makes one connection at
 * a time and most of that time is waiting for the subevent, so that the next label is chosen when
 * the one before it has been reached, and not while it is being called.
 */
#include "esl-radio/engine.h"

#define ADVERT_FRESH_US (INT64_C(10) * US_PER_SEC)
/** A call must be with the controller this long before its subevent. */
#define CALL_AHEAD_US   (INT64_C(20) * US_PER_MS)
/** The labels' own beat is ours; ours may be off by this much before it is listened to again. */
#define BEAT_KEPT_US    (INT64_C(600) * US_PER_SEC)

/* --- when a subevent comes -------------------------------------------------------------------- */

static int64_t subevent_us(const struct esl_engine *e, unsigned int subevent)
{
	return subevent * e->train.subevent_interval * INT64_C(1250);
}

void esl_beat_requested(struct esl_engine *e, uint8_t start)
{
	/* How long before its time the controller asks is its own affair: only a first guess. */
	if (e->beat_known && esl_now(e) - e->beat_heard_us < BEAT_KEPT_US)
		return;
	e->beat_known = false;
	e->beat_us = esl_now(e) - subevent_us(e, start);
}

void esl_beat_heard(struct esl_engine *e, uint8_t subevent)
{
	const struct esl_train *t = &e->train;

	/* The report comes when the last response slot is over. */
	e->beat_us = esl_now(e) - subevent_us(e, subevent) - t->response_delay * INT64_C(1250) -
		     t->response_slots * t->response_spacing * INT64_C(125);
	e->beat_heard_us = esl_now(e);
	e->beat_known = true;
}

int64_t esl_beat_wait(const struct esl_engine *e, uint8_t group)
{
	int64_t wait_us =
		(e->beat_us + subevent_us(e, group) - esl_now(e) - CALL_AHEAD_US) % e->interval_us;

	return (wait_us < 0 ? wait_us + e->interval_us : wait_us) + CALL_AHEAD_US;
}

/* --- who needs a visit ------------------------------------------------------------------------ */

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

static struct esl_label *choose(struct esl_engine *e, bool *ret_by_advert)
{
	enum esl_urgency best = ESL_URGENCY_NONE;
	struct esl_label *l, *next, *who = NULL;
	unsigned int prefetch = 2 * e->max_links;
	int64_t best_wait_us = 0;

	HASH_ITER (hh, e->labels, l, next) {
		bool by_advert;
		enum esl_urgency u = visit_need(e, l, &prefetch, &by_advert);
		int64_t wait_us;

		if (u == ESL_URGENCY_NONE || u < best)
			continue;
		wait_us = by_advert ? e->interval_us : esl_beat_wait(e, l->group);
		if (u == best && wait_us >= best_wait_us)
			continue;
		best = u;
		who = l;
		best_wait_us = wait_us;
		*ret_by_advert = by_advert;
	}
	return who;
}

void esl_visits_pump(struct esl_engine *e)
{
	struct esl_visit *v;

	drop_forgotten(e);
	if (!e->link || !e->link_up || !e->train_saved)
		return;
	while (!e->calling && (v = free_visit(e))) {
		bool by_advert = false;
		struct esl_label *l = choose(e, &by_advert);

		if (!l)
			return;
		esl_visit_begin(v, l, by_advert);
		if (!v->busy && !v->label)
			return; /* the link takes nothing now; the label's own retry wakes us */
	}
}
