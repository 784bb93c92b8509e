/* SPDX-License-Identifier: Apache-2.0 */
#include "esl-radio/plan.h"
#include "esl-radio/engine.h"
#include "esl-radio/flash.h"
#include "esl-radio/sensor.h"
#include "esl-radio/timebase.h"

#include <string.h>

/** A timed command must reach the label this long before its instant, in intervals: some labels
 * refuse a delay below one, and loss may cost one or two. */
#define AHEAD_INTERVALS   3
#define FURTHEST_AHEAD_US (INT64_C(7) * 86400 * US_PER_SEC)
/** Differences of an instant that are not worth a delete and a new command: clocks creep all the
 * time, so that a change is ordered roughly long before and once more exactly in its last minutes.
 * Nearer than that it is left alone. */
#define ROUGHLY_MS        250
#define EXACTLY_MS        8
#define REFINE_US         (INT64_C(600) * US_PER_SEC)
#define LEAVE_IT_US       (INT64_C(60) * US_PER_SEC)
#define NEAR_CONFLICT_US  (INT64_C(10) * US_PER_SEC)

static enum esl_urgency say(struct esl_cmd *ret, const struct esl_label *l, uint8_t op,
			    enum esl_urgency urgency)
{
	*ret = (struct esl_cmd){.op = op, .esl_id = l->id};
	return urgency;
}

static int32_t tolerance_ms(const struct esl_engine *e, const struct esl_pending *p)
{
	int64_t ahead_us = p->at_us - esl_now(e);

	if (ahead_us > REFINE_US || ahead_us < LEAVE_IT_US)
		return ROUGHLY_MS;
	/* No finer than UTC itself is known. */
	return (int32_t) MAX(EXACTLY_MS, MIN(e->time.uncertainty_us / US_PER_MS, ROUGHLY_MS));
}

/** True if the timed command the label holds is what this wish needs. */
static bool pending_serves(const struct esl_engine *e, const struct esl_label *l, int wish)
{
	const struct esl_pending *p = &l->pending;
	uint32_t wished;
	int32_t diff;

	if (p->state == ESL_PENDING_FOREIGN || wish < 0 || !esl_label_time_known(e, l))
		return false;
	/* The label's clock wraps: an instant beyond reach would look like a near one. */
	if (l->wishes[wish].from_us - esl_utc(e) > FURTHEST_AHEAD_US)
		return false;
	if (p->slot >= l->n_slots || !l->slots[p->slot].held ||
	    memcmp(l->slots[p->slot].image, l->wishes[wish].image, IMAGE_HASH_BYTES) != 0)
		return false;
	wished = esl_label_time(e, l, esl_mono_of_utc(e, l->wishes[wish].from_us));
	diff = (int32_t) (wished - p->abs_ms);
	return diff >= -tolerance_ms(e, p) && diff <= tolerance_ms(e, p);
}

static enum esl_urgency plan_delete(const struct esl_engine *e, const struct esl_label *l,
				    struct esl_cmd *ret)
{
	bool near = l->pending.state != ESL_PENDING_FOREIGN &&
		    l->pending.at_us - esl_now(e) < NEAR_CONFLICT_US;

	(void) say(ret, l, ESL_OP_DISPLAY_TIMED, ESL_URGENCY_STAGE);
	ret->image = l->pending.slot < l->n_slots ? l->pending.slot : 0;
	return near ? ESL_URGENCY_FLIP : ESL_URGENCY_STAGE;
}

static enum esl_urgency plan_flip(const struct esl_engine *e, const struct esl_label *l, int now,
				  struct esl_cmd *ret)
{
	int slot;

	if (now < 0 || (esl_is_shown(l, l->wishes[now].image) && l->grade != ESL_GRADE_NONE))
		return ESL_URGENCY_NONE;
	slot = esl_slot_of(l, l->wishes[now].image);
	if (slot == ESL_NO_SLOT)
		return ESL_URGENCY_NONE;
	if (l->pending.state == ESL_PENDING_ACKED && l->pending.slot == slot &&
	    l->pending.at_us <= esl_now(e))
		return ESL_URGENCY_NONE; /* the label is doing it by itself this moment */
	(void) say(ret, l, ESL_OP_DISPLAY_IMAGE, ESL_URGENCY_FLIP);
	ret->image = (uint8_t) slot;
	return ESL_URGENCY_FLIP;
}

static enum esl_urgency plan_timed(const struct esl_engine *e, const struct esl_label *l, int now,
				   int next, struct esl_cmd *ret)
{
	bool again = l->pending.state == ESL_PENDING_SENT;
	int64_t at_us, ahead_us;
	int slot;

	if (next < 0 || l->no_timed || l->pending.state == ESL_PENDING_ACKED ||
	    !esl_label_time_known(e, l))
		return ESL_URGENCY_NONE;
	if (now >= 0 && memcmp(l->wishes[now].image, l->wishes[next].image, IMAGE_HASH_BYTES) == 0)
		return ESL_URGENCY_NONE; /* the picture does not change then */
	slot = esl_slot_of(l, l->wishes[next].image);
	if (slot == ESL_NO_SLOT)
		return ESL_URGENCY_NONE;
	at_us = again ? l->pending.at_us : esl_mono_of_utc(e, l->wishes[next].from_us);
	ahead_us = at_us - esl_now(e);
	/* Too late for the first time: it is flipped by hand at its instant instead. */
	if (ahead_us < (again ? e->interval_us + e->interval_us / 4
			      : AHEAD_INTERVALS * e->interval_us) ||
	    ahead_us > FURTHEST_AHEAD_US)
		return ESL_URGENCY_NONE;
	(void) say(ret, l, ESL_OP_DISPLAY_TIMED, ESL_URGENCY_STAGE);
	ret->image = (uint8_t) slot;
	ret->abs_ms = again ? l->pending.abs_ms : esl_label_time(e, l, at_us);
	return ESL_URGENCY_STAGE;
}

enum esl_urgency esl_plan(const struct esl_engine *e, const struct esl_label *l,
			  struct esl_cmd *ret)
{
	int64_t now_us = esl_now(e);
	enum esl_urgency u;
	bool conflict;
	int now, next;

	if (!l->configured || !l->has_address || l->phase == ESL_PHASE_WAITING ||
	    (l->visit && !l->coming_back) || now_us < l->hold_until_us)
		return ESL_URGENCY_NONE;
	if (l->forgetting)
		return say(ret, l, ESL_OP_UNASSOCIATE, ESL_URGENCY_STAGE);
	now = esl_wish_now(e, l, &next);
	/* By a rounding the wish may begin just before its command's instant. */
	conflict = l->pending.state != ESL_PENDING_NONE && l->pending.at_us > now_us &&
		   !pending_serves(e, l, next) && !pending_serves(e, l, now);
	if (conflict && plan_delete(e, l, ret) == ESL_URGENCY_FLIP)
		return ESL_URGENCY_FLIP;
	u = plan_flip(e, l, now, ret);
	if (u)
		return u;
	if (conflict)
		return plan_delete(e, l, ret);
	u = plan_timed(e, l, now, next, ret);
	if (u)
		return u;
	if (esl_flash_plan(e, l, ret))
		return ESL_URGENCY_LED;
	if (l->phase != ESL_PHASE_LOST && esl_sensor_plan(e, l, ret))
		return ESL_URGENCY_SENSOR;
	if (l->leds_foreign && esl_flash_plan_foreign(l, ret))
		return ESL_URGENCY_UPKEEP;
	if (l->service_needed)
		return say(ret, l, ESL_OP_SERVICE_RESET, ESL_URGENCY_UPKEEP);
	if (l->phase == ESL_PHASE_LOST)
		return say(ret, l, ESL_OP_PING, ESL_URGENCY_UPKEEP);
	if ((l->grade == ESL_GRADE_ACKNOWLEDGED && now_us >= l->confirm_at_us) ||
	    now_us >= l->ping_at_us)
		return say(ret, l, ESL_OP_PING, ESL_URGENCY_UPKEEP);
	return ESL_URGENCY_NONE;
}

/** The earlier of two, of those that are still to come. */
static int64_t sooner(int64_t wake_us, int64_t at_us, int64_t now_us)
{
	return at_us > now_us ? MIN(wake_us, at_us) : wake_us;
}

int64_t esl_plan_wake(const struct esl_engine *e, const struct esl_label *l)
{
	int64_t now_us = esl_now(e), wake_us = sooner(ESL_NEVER, l->drawn_at_us, now_us);
	int next;

	(void) esl_wish_now(e, l, &next);
	if (next >= 0) {
		int64_t at_us = esl_mono_of_utc(e, l->wishes[next].from_us);

		wake_us = sooner(wake_us, at_us, now_us);
		wake_us = sooner(wake_us, at_us - FURTHEST_AHEAD_US, now_us);
	}
	if (l->pending.state == ESL_PENDING_SENT || l->pending.state == ESL_PENDING_ACKED) {
		wake_us = sooner(wake_us, l->pending.at_us, now_us);
		wake_us = sooner(wake_us, l->pending.at_us - NEAR_CONFLICT_US, now_us);
		wake_us = sooner(wake_us, l->pending.at_us - REFINE_US, now_us);
	}
	wake_us = sooner(wake_us, l->hold_until_us, now_us);
	wake_us = sooner(wake_us, l->ping_at_us, now_us);
	if (l->grade == ESL_GRADE_ACKNOWLEDGED)
		wake_us = sooner(wake_us, l->confirm_at_us, now_us);
	wake_us = sooner(wake_us, esl_time_fresh_by(e, l), now_us);
	wake_us = sooner(wake_us, esl_time_must_move_by(e, l), now_us);
	wake_us = sooner(wake_us, l->visit_after_us, now_us);
	wake_us = sooner(wake_us, esl_sensors_wake(e, l), now_us);
	return sooner(wake_us, esl_flash_wake(e, l), now_us);
}
