/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is visited next: a price that is due now before one that is due later before a clock that
 * grows old, among equals the label whose subevent comes next. A controller makes one connection at
 * a time and most of that time is waiting for the subevent, so that the next label is chosen when
 * the one before it has been reached, and not while it is being called. Labels that advertise are
 * listened for all the while nobody is called, many at a time where the link can.
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
/** While it listens for labels that advertise, this near. */
#define NEAR_US         (INT64_C(100) * US_PER_MS)
/** Labels come back by advertisement, if one has since. */
#define COMING_US       (INT64_C(10) * US_PER_SEC)
/** One that advertises once a second is hardly heard so late, unless nobody listens. */
#define CROWDED_OUT_US  (INT64_C(3) * US_PER_SEC)
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
		return ESL_VISIT_ADVERT;
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
			   unsigned int *prefetch)
{
	bool by_advert, late = false;
	unsigned int need = esl_visit_need(e, l, &by_advert);

	if (need != urgency) {
		esl_set_queue(e, l, need);
		return false;
	}
	if (urgency != ESL_URGENCY_STAGE || image_is_here(e, l, prefetch, &late))
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
static struct esl_label *best_of(struct esl_engine *e, unsigned int urgency, int64_t *ret_wait_us)
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
		int64_t wait_us;

		if (!may_be_visited(e, who[i], urgency, &prefetch))
			continue;
		wait_us = esl_beat_wait(e, who[i]->group);
		if (wait_us >= best_wait_us)
			continue;
		best = who[i];
		best_wait_us = wait_us;
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
	for (unsigned int i = 0; i < ESL_VISITS_MAX; i++)
		if (!e->visits[i].label && !e->visits[i].busy)
			return &e->visits[i];
	return NULL;
}

/** Visits that have a link or are being called; of these, those through the train alone. */
static unsigned int links_used(const struct esl_engine *e, bool train)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < ESL_VISITS_MAX; i++) {
		const struct esl_visit *v = &e->visits[i];

		n += (v->label || v->busy) && !v->listening && !(train && v->by_advert);
	}
	return n;
}

bool esl_visits_hurry(const struct esl_engine *e)
{
	const struct esl_label *l = TAILQ_FIRST(&e->visit_queue[ESL_VISIT_ADVERT]);
	unsigned int n = e->n_listening;

	for (; l && n < e->max_links; l = TAILQ_NEXT(l, visit_link))
		n++;
	return n >= e->max_links;
}

/** How many that advertise may be called at a time. Of several links one is kept for prices. */
static unsigned int calls_at_a_time(struct esl_engine *e)
{
	bool prices = !TAILQ_EMPTY(&e->visit_queue[ESL_URGENCY_FLIP]);

	if (e->max_links < 2 || !e->link->ops->calls)
		return 1;
	return MIN(e->link->ops->calls(e->link, e->max_links, prices), ESL_CALLS_MAX);
}

/** Links for calls through the train. While many labels come back by advertisement these get all
 * others; a few get one if none of them has found a free one for a while. */
static unsigned int links_through_train(const struct esl_engine *e)
{
	int64_t came_us = esl_now(e) - e->advert_came_us;
	bool coming = e->advert_came_us && came_us < COMING_US;

	if (e->max_links < 2 || e->n_listening == 0)
		return e->max_links;
	if (coming && e->n_listening >= e->max_links)
		return 1;
	return e->max_links - (MIN(came_us, esl_now(e) - e->listening_us) > CROWDED_OUT_US);
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

/** Calls begun: none, one, or none although somebody waits for one. */
enum called {
	CALLED_NOBODY,
	CALLED,
	CALLED_LATER
};

static enum called begin(struct esl_visit *v, struct esl_label *l, bool by_advert, bool listening)
{
	esl_visit_begin(v, l, by_advert, listening);
	/* What takes nothing now: the label's own retry wakes us. */
	return v->busy || v->label ? CALLED : CALLED_LATER;
}

/**
 * The next that advertises. Those heard one after the other advertise one after the other again: as
 * a list they would all be silent for most of a second, and then all come at once. Where there are
 * many, they are taken as they stand in the table, which mixes them and gives each its turn.
 */
static struct esl_label *next_advertiser(struct esl_engine *e)
{
	struct esl_label *first = TAILQ_FIRST(&e->visit_queue[ESL_VISIT_ADVERT]), *l = first;

	for (unsigned int n = 0; l && n < ESL_CALLS_MAX; n++)
		l = TAILQ_NEXT(l, visit_link);
	if (!l)
		return first;
	for (unsigned int n = 0; n < e->label_cap; n++) {
		l = e->labels[e->advert_turn++ % e->label_cap];
		if (l && l->queue == ESL_VISIT_ADVERT)
			return l;
	}
	return first;
}

/** Calls one that advertises. */
static enum called call_advertiser(struct esl_engine *e)
{
	unsigned int calls = calls_at_a_time(e);
	struct esl_visit *v = free_visit(e);
	struct esl_label *l;
	bool by_advert;

	if (!v ||
	    (calls > 1 ? e->n_listening >= calls
		       : e->calling || e->n_listening || links_used(e, false) >= e->max_links))
		return CALLED_LATER;
	while ((l = next_advertiser(e))) {
		unsigned int need = esl_visit_need(e, l, &by_advert);

		if (need == ESL_VISIT_ADVERT)
			return begin(v, l, true, calls > 1);
		esl_set_queue(e, l, need);
	}
	return CALLED_NOBODY;
}

/** Calls one through the train that has something of that urgency, down to `least`. While others
 * are listened for, the radio is theirs until shortly before, and for a while after a call in vain.
 */
static enum called call_listener(struct esl_engine *e, unsigned int urgency, unsigned int least)
{
	int64_t soon_us = e->n_listening ? NEAR_US : SOON_US, wait_us;
	struct esl_visit *v = free_visit(e);
	struct esl_label *l = NULL;

	if (e->calling || !v || links_used(e, false) >= e->max_links ||
	    links_used(e, true) >= links_through_train(e))
		return CALLED_LATER;
	if (e->n_listening && esl_now(e) < e->listen_until_us) {
		loop_timer_start(e->pump, e->listen_until_us - esl_now(e));
		return CALLED_LATER;
	}
	for (; !l && urgency >= least; urgency--)
		l = best_of(e, urgency, &wait_us);
	if (!l)
		return CALLED_NOBODY;
	if (wait_us > soon_us) { /* a slow train: nobody else needs to wait for it yet */
		loop_timer_start(e->pump, wait_us - soon_us);
		return CALLED_LATER;
	}
	fetch_soon(e, l);
	return begin(v, l, false, false);
}

void esl_visits_pump(struct esl_engine *e)
{
	enum called price, advert, other;

	drop_forgotten(e);
	if (!e->link || !e->link_up || !e->train_saved)
		return;
	do {
		advert = other = CALLED_NOBODY;
		price = call_listener(e, ESL_URGENCY_FLIP, ESL_URGENCY_FLIP);
		if (price != CALLED)
			advert = call_advertiser(e);
		if (price == CALLED_NOBODY && advert != CALLED)
			other = call_listener(e, ESL_URGENCY_STAGE, ESL_URGENCY_UPKEEP);
	} while (price == CALLED || advert == CALLED || other == CALLED);
}
