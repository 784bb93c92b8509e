/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Labels count milliseconds in 32 bits, from a value we write. That value is our monotonic clock
 * plus a base, so that it does not jump when anybody sets a clock. Every label remembers the
 * generation of the base it was set from: a new base is begun after 35 days, well before the count
 * wraps at 49.7, and labels move over to it when they are visited, the last of them by 42 days.
 *
 * The clocks of labels that do not correct them by the train drift by seconds a day. So a label
 * whose clock was last written more than four hours before a timed change is visited in these four
 * hours, for the clock alone if need be: at 50 ppm it is at most 0.72 s off then. Four hours are
 * time enough to visit all that one access point can have.
 *
 * After a restart on the same boot the saved base still holds. After a reboot the monotonic clock
 * has begun anew, and the base is found again through UTC, once that is known.
 */
#include "esl-radio/timebase.h"
#include "esl-radio/engine.h"
#include "esl-radio/persist.h"
#include "esl-radio/plan.h"
#include "esl-radio/wake.h"

#include "common/err.h"

#define DAY_US          (INT64_C(86400) * US_PER_SEC)
#define FIRST_TIME_US   (INT64_C(3600) * US_PER_SEC)
#define REBASE_AFTER_US (35 * DAY_US)
#define MUST_MOVE_US    (42 * DAY_US)
#define SAME_BOOT_US    (2 * US_PER_SEC)
#define OLD_AFTER_US    (INT64_C(600) * US_PER_SEC)
#define FRESH_US        (4 * INT64_C(3600) * US_PER_SEC)
#define TOO_LATE_US     (INT64_C(60) * US_PER_SEC)
#define MAX_GEN         254 /* even, so that generations alternate between the two bases */
#define SAVE_SHIFT_US   (US_PER_SEC / 2)

int64_t esl_utc(const struct esl_engine *e)
{
	return esl_now(e) + e->time.utc_us;
}

int64_t esl_mono_of_utc(const struct esl_engine *e, int64_t utc_us)
{
	return utc_us - e->time.utc_us;
}

static uint8_t gen_before(uint8_t gen)
{
	return gen == 1 ? MAX_GEN : (uint8_t) (gen - 1);
}

static void begin_base(struct esl_engine *e)
{
	struct esl_timebase *t = &e->time;

	t->gen = t->gen >= MAX_GEN ? 1 : (uint8_t) (t->gen + 1);
	t->base_us[t->gen & 1] = FIRST_TIME_US - esl_now(e);
	t->valid[t->gen & 1] = true;
	e->all_again = true;
}

/** Finds the saved bases again if that is possible by now. */
static void recover_bases(struct esl_engine *e)
{
	struct esl_timebase *t = &e->time;
	int64_t real_minus_mono = clock_real_us(e->clock) - esl_now(e);
	int64_t drift = real_minus_mono - t->saved_real_minus_mono_us;

	if (drift > -SAME_BOOT_US && drift < SAME_BOOT_US) {
		t->valid[0] = t->valid[1] = true;
	} else if (t->utc_known && t->saved_utc_known) {
		for (int i = 0; i < 2; i++) {
			t->base_us[i] = t->saved_minus_utc_us[i] + t->utc_us;
			t->valid[i] = true;
		}
	} else if (!t->utc_known && t->saved_utc_known) {
		return; /* later */
	}
	t->saved = false;
}

bool esl_timebase_refresh(struct esl_engine *e)
{
	struct esl_timebase *t = &e->time;
	bool changed = false;

	if (t->saved) {
		recover_bases(e);
		changed = !t->saved;
	}
	if (t->gen && t->valid[t->gen & 1] &&
	    esl_now(e) + t->base_us[t->gen & 1] > REBASE_AFTER_US) {
		begin_base(e);
		changed = true;
	}
	return changed;
}

int esl_time_to_set(struct esl_engine *e, uint8_t *ret_gen, uint32_t *ret_ms)
{
	struct esl_timebase *t = &e->time;
	bool changed = esl_timebase_refresh(e);
	int64_t ms;

	if (!t->gen || !t->valid[t->gen & 1]) {
		begin_base(e);
		changed = true;
	}
	if (changed) {
		int r = esl_save_train(e);

		if (r < 0)
			return r;
	}
	ms = (esl_now(e) + t->base_us[t->gen & 1]) / US_PER_MS;
	*ret_gen = t->gen;
	*ret_ms = (uint32_t) ms;
	return 0;
}

bool esl_label_time_known(const struct esl_engine *e, const struct esl_label *l)
{
	const struct esl_timebase *t = &e->time;

	return l->time_gen && t->valid[l->time_gen & 1] &&
	       (l->time_gen == t->gen || l->time_gen == gen_before(t->gen));
}

uint32_t esl_label_time(const struct esl_engine *e, const struct esl_label *l, int64_t mono_us)
{
	int64_t us = mono_us + e->time.base_us[l->time_gen & 1];
	uint32_t ms = (uint32_t) (us / US_PER_MS) - l->time_lag_ms;

	return ms ? ms : 1;
}

bool esl_time_is_old(const struct esl_engine *e, const struct esl_label *l)
{
	return l->time_gen != e->time.gen || esl_now(e) - l->time_set_us > OLD_AFTER_US;
}

int64_t esl_time_fresh_by(const struct esl_engine *e, const struct esl_label *l)
{
	int64_t by_us;
	int next;

	(void) esl_wish_now(e, l, &next);
	if (next < 0 || l->wishes[next].from_us - esl_utc(e) < TOO_LATE_US)
		return ESL_NEVER;
	by_us = esl_mono_of_utc(e, l->wishes[next].from_us) - FRESH_US;
	return l->time_set_us >= by_us ? ESL_NEVER : MAX(by_us, l->time_set_us + FRESH_US);
}

int64_t esl_time_must_move_by(const struct esl_engine *e, const struct esl_label *l)
{
	return esl_label_time_known(e, l) ? MUST_MOVE_US - e->time.base_us[l->time_gen & 1]
					  : ESL_NEVER;
}

bool esl_time_must_be_set(const struct esl_engine *e, const struct esl_label *l)
{
	if (!l->configured || !e->time.utc_known)
		return false;
	if (!esl_label_time_known(e, l) || esl_now(e) >= esl_time_fresh_by(e, l))
		return true;
	return esl_now(e) >= esl_time_must_move_by(e, l);
}

void esl_timebase_set_utc(struct esl_engine *e, int64_t offset_us, int64_t uncertainty_us)
{
	struct esl_timebase *t = &e->time;
	int64_t utc_us = clock_real_us(e->clock) + offset_us - esl_now(e);
	int64_t shift = utc_us - t->utc_us;
	bool first = !t->utc_known;

	t->utc_us = utc_us;
	t->uncertainty_us = uncertainty_us;
	t->utc_known = true;
	if (esl_timebase_refresh(e) || first || shift > SAVE_SHIFT_US || shift < -SAVE_SHIFT_US)
		(void) esl_save_train(e); /* tried again with the next change */
	if (first || shift != 0)
		esl_reconsider_all(e);
}
