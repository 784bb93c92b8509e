/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is visited next: a price that is due now before one that is due later before a clock that
 * grows old, among equals the label whose subevent comes next. A controller makes one connection at
 * a time and most of that time is waiting for the subevent, so that the next label is chosen when
 * the one before it has been reached, and not while it is being called.
 */
#include "esl-radio/engine.h"
#include "esl-radio/images.h"
#include "esl-radio/keys.h"
#include "esl-radio/label.h"
#include "esl-radio/persist.h"
#include "esl-radio/plan.h"
#include "esl-radio/timebase.h"
#include "esl-radio/visit.h"
#include "esl-radio/wake.h"

#include <string.h>

#define ADVERT_FRESH_US (INT64_C(10) * US_PER_SEC)
/** So many of those that could be visited are looked at for the best of them: enough for somebody
 * in nearly every subevent of a long train. */
#define WINDOW          256
#define LOOK_AGAIN_US   US_PER_SEC
/** A call is given up after a few seconds, so that it begins when the subevent is near. */
#define SOON_US         (INT64_C(2) * US_PER_SEC)
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

unsigned int esl_visit_need(const struct esl_engine *e, const struct esl_label *l,
			    bool *ret_by_advert)
{
	int64_t now_us = esl_now(e);
	enum esl_urgency urgency;
	struct esl_upload up;
	int now, next;

	*ret_by_advert = false;
	if (l->visit)
		return ESL_URGENCY_NONE;
	if (l->forgetting)
		return l->configured ? ESL_URGENCY_NONE : ESL_VISIT_DROP;
	if (now_us < l->visit_after_us)
		return l->image_absent ? ESL_VISIT_ABSENT : ESL_URGENCY_NONE;
	if (l->phase != ESL_PHASE_SYNCED) {
		if (!l->advert_us || now_us - l->advert_us > ADVERT_FRESH_US ||
		    (!l->wanted && !l->configured && !l->rekeying))
			return ESL_URGENCY_NONE;
		*ret_by_advert = true;
		/* A label that only lost its way must not keep others' prices waiting. */
		now = esl_wish_now(e, l, &next);
		return now >= 0 && !esl_is_shown(l, l->wishes[now].image) ? ESL_URGENCY_FLIP
									  : ESL_URGENCY_STAGE;
	}
	urgency = esl_next_upload(e, l, &up);
	if (urgency != ESL_URGENCY_NONE)
		return urgency;
	if (l->rekeying || esl_keys_stale(e, l))
		return ESL_URGENCY_UPKEEP;
	if (l->info_stale || esl_time_must_be_set(e, l))
		return ESL_URGENCY_UPKEEP;
	return ESL_URGENCY_NONE;
}

/** True if its next picture is here. Those of the first few are asked for, as *prefetch allows;
 * one that does not come must not keep the others from being asked for. */
static bool image_is_here(struct esl_engine *e, const struct esl_label *l, unsigned int *prefetch,
			  bool *ret_late)
{
	struct esl_upload up;
	uint8_t hash[IMAGE_HASH_BYTES];

	*ret_late = false;
	if (esl_next_upload(e, l, &up) == ESL_URGENCY_NONE)
		return true;
	memcpy(hash, up.image, sizeof(hash));
	if (esl_image_peek(e, hash))
		return true;
	*ret_late = esl_image_is_late(e, hash);
	if (!*ret_late) {
		if (*prefetch == 0)
			return false;
		(*prefetch)--;
	}
	return esl_image_get(e, hash) != NULL;
}

static bool may_be_visited(struct esl_engine *e, struct esl_label *l, unsigned int urgency,
			   unsigned int *prefetch, bool *ret_by_advert)
{
	unsigned int need = esl_visit_need(e, l, ret_by_advert);
	bool late = false;

	if (need != urgency) {
		esl_set_queue(e, l, need);
		return false;
	}
	if (urgency != ESL_URGENCY_STAGE || *ret_by_advert || image_is_here(e, l, prefetch, &late))
		return true;
	/* To the end: what does not come keeps nobody waiting. */
	if (late) {
		esl_set_queue(e, l, ESL_URGENCY_NONE);
		esl_set_queue(e, l, urgency);
	}
	return false;
}

/** Of the first labels in a queue, the one whose subevent comes next. Asking for a picture may
 * change queues, so that who stands in this one is noted first. */
static struct esl_label *best_of(struct esl_engine *e, unsigned int urgency, bool *ret_by_advert,
				 int64_t *ret_wait_us)
{
	struct esl_label *l, *who[WINDOW], *best = NULL;
	unsigned int n = 0, prefetch = 2 * e->max_links;
	int64_t best_wait_us = ESL_NEVER;

	TAILQ_FOREACH(l, &e->visit_queue[urgency], visit_link)
	{
		if (n == WINDOW)
			break;
		who[n++] = l;
	}
	for (unsigned int i = 0; i < n; i++) {
		bool by_advert;
		int64_t wait_us;

		if (!may_be_visited(e, who[i], urgency, &prefetch, &by_advert))
			continue;
		wait_us =
			by_advert ? MIN(e->interval_us, SOON_US) : esl_beat_wait(e, who[i]->group);
		if (wait_us >= best_wait_us)
			continue;
		best = who[i];
		best_wait_us = wait_us;
		*ret_by_advert = by_advert;
		*ret_wait_us = wait_us;
	}
	if (!best && n == WINDOW) /* there may be others behind these */
		loop_timer_start(e->pump, LOOK_AGAIN_US);
	return best;
}

/** What it is visited for is fetched while we connect. */
static void fetch_soon(struct esl_engine *e, const struct esl_label *l)
{
	struct esl_upload up;
	uint8_t hash[IMAGE_HASH_BYTES];

	if (esl_next_upload(e, l, &up) != ESL_URGENCY_FLIP)
		return;
	memcpy(hash, up.image, sizeof(hash));
	(void) esl_image_get(e, hash);
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
	struct esl_label *l;

	while ((l = TAILQ_FIRST(&e->visit_queue[ESL_VISIT_DROP]))) {
		bool by_advert;

		if (esl_visit_need(e, l, &by_advert) != ESL_VISIT_DROP) {
			esl_reconsider(e, l);
			continue;
		}
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
	while (!e->calling && (v = free_visit(e))) {
		struct esl_label *who = NULL;
		bool by_advert = false;
		int64_t wait_us;

		for (unsigned int u = ESL_URGENCY_FLIP; !who && u > ESL_URGENCY_NONE; u--)
			who = best_of(e, u, &by_advert, &wait_us);
		if (!who)
			return;
		if (wait_us > SOON_US) { /* a slow train: nobody else needs to wait for it yet */
			loop_timer_start(e->pump, wait_us - SOON_US);
			return;
		}
		if (!by_advert)
			fetch_soon(e, who);
		esl_visit_begin(v, who, by_advert);
		if (!v->busy && !v->label)
			return; /* the link takes nothing now; the label's own retry wakes us */
	}
}
