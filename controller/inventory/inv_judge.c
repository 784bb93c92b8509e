/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who judges an item: the store's fitted model, if it knows the antennas that hear it and the place
 * that they speak for; else the general rules of belief.h. Silence is always theirs: the model says
 * where, never whether. A place that nobody walked is not known to the model, so what is loudest
 * there is left to the rules.
 */
#include "controller/inventory/inv_impl.h"
#include <math.h>

#define LOOK_US    PLACE_LIVE_TICK_US
#define CATCH_UP   (10 * US_PER_SEC) /* of old evidence, when nothing is remembered */
#define STILL      0.004f            /* odds that move less in a look have come to rest */
#define IMPOSSIBLE (-1e3f)

int inv_model_antenna(const struct inv_state *st, const struct inv_antenna *a)
{
	return st->model ? place_live_antenna(st->model, a->agent, a->reader, a->number)
			 : PLACE_LIVE_NONE;
}

bool inv_item_by_model(const struct inv_state *st, uint32_t item)
{
	return st->model && st->items.v[item].memory.decides;
}

static bool is_heard(const struct inv_state *st, const struct belief_evidence *e, bool any_fresh,
		     int64_t now_us)
{
	return e->present && (!any_fresh || now_us - e->last_us < st->belief.faded_us);
}

/* Does a place of the model hear the item best? What an agent said that is long away does not
 * count against what another says now. */
static bool gather(const struct inv_state *st, const struct belief_evidence *ev,
		   const uint32_t *ids, size_t n, int64_t now_us, struct place_live_evidence *told)
{
	float loudest = 0;
	bool any_fresh = false, ours = false, best_known = false;

	for (size_t i = 0; i < n; i++)
		any_fresh = any_fresh ||
			    (ev[i].present && now_us - ev[i].last_us < st->belief.faded_us);
	for (size_t i = 0; i < n; i++) {
		int a = st->antennas.v[st->evidence.v[ids[i]].antenna].model;
		float weight;

		if (!is_heard(st, &ev[i], any_fresh, now_us))
			continue;
		if (a != PLACE_LIVE_NONE) {
			told[a] = (struct place_live_evidence){.present = true,
							       .rssi_cdbm = ev[i].rssi_cdbm,
							       .rate_mhz = ev[i].rate_mhz};
			ours = true;
		}
		weight = belief_weight(&st->belief, &ev[i], now_us);
		if (weight > loudest) {
			loudest = weight;
			best_known = ev[i].place == BELIEF_NO_PLACE ||
				     place_live_place(st->model, ev[i].place) != PLACE_LIVE_NONE;
		}
	}
	return ours && best_known;
}

static int64_t newest(const struct belief_evidence *ev, size_t n)
{
	int64_t last_us = 0;

	for (size_t i = 0; i < n; i++)
		last_us = MAX(last_us, ev[i].last_us);
	return last_us;
}

/* The odds as they were, and for how long they have waited. */
static int64_t recall(const struct inv_state *st, const struct inv_item *it, int named,
		      const struct belief_evidence *ev, size_t n, int64_t now_us, float *odds)
{
	place_live_recall(st->model, &it->memory, named, (float) it->confidence / 1000.0f, odds);
	if (it->memory.place[0])
		return MIN(place_live_since(&it->memory, now_us), CATCH_UP);
	if (named == PLACE_LIVE_NONE)
		return LOOK_US;
	return MIN(MAX(now_us - newest(ev, n), LOOK_US), CATCH_UP);
}

static bool at_rest(const struct place_live *m, const float *odds, const float *opinion)
{
	float next[PLACE_LIVE_MAX_PLACES];

	for (unsigned int p = 0; p < m->n_places; p++)
		next[p] = odds[p];
	place_live_pass(m, next, opinion, LOOK_US);
	for (unsigned int p = 0; p < m->n_places; p++)
		if (fabsf(next[p] - odds[p]) > STILL)
			return false;
	return true;
}

static bool judge_by_model(struct inv_state *st, uint32_t item, struct belief *b,
			   const struct belief_evidence *ev, size_t n,
			   const struct place_live_evidence *told, int64_t now_us)
{
	const struct place_live *m = st->model;
	struct inv_item *it = &st->items.v[item];
	float odds[PLACE_LIVE_MAX_PLACES], opinion[PLACE_LIVE_MAX_PLACES];
	bool here = b->state == BELIEF_PRESENT && b->place != BELIEF_NO_PLACE;
	int named = here ? place_live_place(m, b->place) : PLACE_LIVE_NONE;
	int64_t waited_us = recall(st, it, named, ev, n, now_us, odds);

	place_live_opinion(m, told, opinion);
	for (unsigned int p = 0; p < m->n_places; p++)
		if (st->model_lacks[p])
			opinion[p] = IMPOSSIBLE;
	place_live_pass(m, odds, opinion, waited_us);
	named = place_live_name(m, odds, named);
	place_live_keep(m, odds, now_us, &it->memory);
	it->memory.decides = true;
	b->due_us = at_rest(m, odds, opinion) ? BELIEF_NEVER : now_us + LOOK_US;
	b->confidence = (uint16_t) (1000.0f * place_live_confidence(m, odds, named));
	return belief_change(b, m->places[named], BELIEF_PRESENT,
			     here                      ? CAUSE_MODEL
			     : b->state == BELIEF_GONE ? CAUSE_RETURNED
						       : CAUSE_FIRST_SEEN,
			     now_us, now_us);
}

bool inv_judge(struct inv_state *st, uint32_t item, struct belief *b,
	       const struct belief_evidence *ev, const uint32_t *ids, size_t n, int64_t now_us)
{
	struct place_live_evidence told[PLACE_LIVE_MAX_ANTENNAS] = {{0}};

	if (st->model && gather(st, ev, ids, n, now_us, told))
		return judge_by_model(st, item, b, ev, n, told, now_us);
	st->items.v[item].memory = (struct place_live_memory){0};
	return belief_judge(&st->belief, b, ev, n, now_us);
}
