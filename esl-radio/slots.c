/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which image belongs into which slot of a label. What is shown is never overwritten (unless the
 * label has a single slot), what was shown before only when nothing else is left, and an image that
 * is needed sooner is never displaced by one that is needed later.
 */
#include "esl-radio/engine.h"
#include "esl-radio/plan.h"
#include "esl-radio/timebase.h"

#include <string.h>

int esl_wish_now(const struct esl_engine *e, const struct esl_label *l, int *ret_next)
{
	int now = -1;

	/* Without a vouched-for clock only what has no date at all may be shown. */
	for (int i = 0; i < l->n_wishes; i++)
		if (l->wishes[i].from_us <= (e->time.utc_known ? esl_utc(e) : 0))
			now = i;
	*ret_next = e->time.utc_known && now + 1 < l->n_wishes ? now + 1 : -1;
	return now;
}

int esl_slot_of(const struct esl_label *l, const uint8_t image[IMAGE_HASH_BYTES])
{
	for (int s = 0; s < l->n_slots; s++)
		if (l->slots[s].held && memcmp(l->slots[s].image, image, IMAGE_HASH_BYTES) == 0)
			return s;
	return ESL_NO_SLOT;
}

bool esl_is_shown(const struct esl_label *l, const uint8_t image[IMAGE_HASH_BYTES])
{
	return l->shown_slot != ESL_NO_SLOT && l->slots[l->shown_slot].held &&
	       memcmp(l->slots[l->shown_slot].image, image, IMAGE_HASH_BYTES) == 0;
}

/** How much would be lost by overwriting a slot; negative = must not be. */
static int slot_cost(const struct esl_label *l, int s, unsigned int needed)
{
	int cost = 0;

	if (needed & 1u << s)
		return -1;
	if (s == l->shown_slot && l->n_slots > 1)
		return -1;
	if (l->slots[s].held) {
		cost = 1;
		for (int i = 0; i < l->n_wishes; i++)
			if (memcmp(l->wishes[i].image, l->slots[s].image, IMAGE_HASH_BYTES) == 0)
				cost = 3; /* wished for, but later than what we place now */
	}
	if (s == l->prev_slot)
		cost = MAX(cost, 2);
	if (l->pending.state != ESL_PENDING_NONE && l->pending.slot == s)
		cost += 4;
	return cost;
}

static int cheapest_slot(const struct esl_label *l, unsigned int needed)
{
	int best = ESL_NO_SLOT, best_cost = 0;

	for (int s = 0; s < l->n_slots; s++) {
		int cost = slot_cost(l, s, needed);

		if (cost >= 0 && (best == ESL_NO_SLOT || cost < best_cost)) {
			best = s;
			best_cost = cost;
		}
	}
	return best;
}

enum esl_urgency esl_next_upload(const struct esl_engine *e, const struct esl_label *l,
				 struct esl_upload *ret)
{
	int next, now = esl_wish_now(e, l, &next);
	int first = now >= 0 ? now : (next >= 0 ? next : l->n_wishes);
	unsigned int needed = 0; /* slots that hold what is wished before the image looked at */

	if (now < 0 && !e->time.utc_known)
		first = 0; /* staging is harmless; flipping is what waits for the clock */
	for (int i = first; i < l->n_wishes; i++) {
		const uint8_t *image = l->wishes[i].image;
		int s = esl_slot_of(l, image);

		if (s == ESL_NO_SLOT) {
			s = cheapest_slot(l, needed);
			if (s == ESL_NO_SLOT)
				return ESL_URGENCY_NONE;
			/* One slot, and it is shown: only what is due now may take it. */
			if (s == l->shown_slot && i != now)
				return ESL_URGENCY_NONE;
			ret->image = image;
			ret->slot = (uint8_t) s;
			ret->clear_pending =
				l->pending.state != ESL_PENDING_NONE &&
				(l->pending.slot == s || l->pending.state == ESL_PENDING_FOREIGN);
			return i == now ? ESL_URGENCY_FLIP : ESL_URGENCY_STAGE;
		}
		needed |= 1u << s;
	}
	return ESL_URGENCY_NONE;
}
