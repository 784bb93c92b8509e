/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New keys for old. A train's key is held by all its labels, so that it cannot be changed at one
 * instant: while they are visited one after the other both keys are in use, and a packet of a group
 * that has labels of either kind is sealed with the one or the other in turn. A visit gives a label
 * the new train key and a response key of its own that is new as well. When no label in the train
 * has the old key any more it is wiped. Labels that were away meanwhile advertise when they come
 * back, and are given what is valid then.
 *
 * Everything is kept before it is used: the new train key before a label gets it, and of each label
 * that it is being given keys, so that a power cut between any two steps leaves a label that is
 * either visited again or advertises.
 */
#include "esl-radio/keys.h"
#include "esl-radio/engine.h"
#include "esl-radio/packer.h"
#include "esl-radio/persist.h"
#include "esl-radio/timebase.h"

#include "common/err.h"
#include "common/fault.h"
#include <errno.h>
#include <string.h>

#define DAY_US        (INT64_C(86400) * US_PER_SEC)
/** Access points that were installed on one day do not all begin on one day: up to an eighth of the
 * time sooner. */
#define STAGGER_PARTS 8
/** Randomizers left when a train key has to go, whatever its age: a quarter of them all. */
#define RAND_LEFT     (ESL_RAND_LIMIT / 4)
#define LOOK_US       (INT64_C(60) * US_PER_SEC)

bool esl_keys_stale(const struct esl_engine *e, const struct esl_label *l)
{
	return e->rotating && l->has_address && l->key_gen != e->key_gen && !l->forgetting;
}

void esl_keys_count(struct esl_engine *e, const struct esl_label *l, int by)
{
	if (l->has_address && l->key_gen != e->key_gen)
		e->groups[l->group].stale += (unsigned int) by;
}

static void recount(struct esl_engine *e)
{
	for (unsigned int g = 0; g < e->train.subevents; g++)
		e->groups[g].stale = 0;
	for (unsigned int i = 0; i < e->n_labels; i++)
		esl_keys_count(e, e->wakes[i], 1);
}

/** Labels that hold the old key and listen to it. */
static unsigned int left(const struct esl_engine *e)
{
	unsigned int n = 0;

	for (unsigned int i = 0; e->rotating && i < e->n_labels; i++)
		n += esl_keys_stale(e, e->wakes[i]) && e->wakes[i]->phase == ESL_PHASE_SYNCED;
	return n;
}

static int64_t rotate_at_utc(const struct esl_engine *e)
{
	int64_t all_us = e->key_days * DAY_US;

	return e->key_since_utc_us + all_us - all_us / STAGGER_PARTS * e->key_stagger / UINT8_MAX;
}

/** The old key has done its work. */
static void finish(struct esl_engine *e)
{
	e->rotating = false;
	FAULT_POINT("agent.keys.before_end");
	if (esl_save_train(e) < 0) {
		e->rotating = true; /* not before it is gone from flash */
		return;
	}
	FAULT_POINT("agent.keys.after_end");
	explicit_bzero(&e->old_key, sizeof(e->old_key));
	explicit_bzero(e->old_key_wire, sizeof(e->old_key_wire));
	recount(e);
}

int esl_keys_make(struct esl_engine *e)
{
	int r = esl_random(&e->rng, e->train_key_wire, sizeof(e->train_key_wire));

	if (r == 0)
		r = esl_random(&e->rng, &e->key_stagger, sizeof(e->key_stagger));
	if (r < 0)
		return r;
	ead_key_from_wire(e->train_key_wire, &e->train_key);
	e->key_since_utc_us = e->time.utc_known ? esl_utc(e) : 0;
	r = esl_save_train(e);
	if (r == 0)
		e->train_saved = true;
	return r;
}

static int begin(struct esl_engine *e)
{
	int64_t since_us = e->key_since_utc_us;
	int r;

	memcpy(e->old_key_wire, e->train_key_wire, ESL_KEY_BYTES);
	e->old_key = e->train_key;
	e->old_rand_next = e->rand_next;
	e->old_rand_end = e->rand_end;
	e->rotating = true;
	e->key_gen++;
	e->rand_next = e->rand_end = 0;
	FAULT_POINT("agent.keys.before_begin");
	r = esl_keys_make(e);
	if (r < 0) { /* nobody has the new one */
		memcpy(e->train_key_wire, e->old_key_wire, ESL_KEY_BYTES);
		e->train_key = e->old_key;
		e->rand_next = e->old_rand_next;
		e->rand_end = e->old_rand_end;
		e->key_since_utc_us = since_us;
		e->rotating = false;
		e->key_gen--;
		return r;
	}
	FAULT_POINT("agent.keys.after_begin");
	recount(e);
	e->all_again = true;
	loop_timer_start(e->pump, 0);
	return 0;
}

int esl_keys_rotate(struct esl_engine *e, int64_t older_than_utc_us)
{
	if (!e->started || !e->train_saved || !e->time.utc_known)
		return -ERR_STATE;
	if (e->key_since_utc_us >= older_than_utc_us)
		return 0;
	return e->rotating ? -EBUSY : begin(e);
}

void esl_keys_tick(struct esl_engine *e)
{
	int64_t now_us = esl_now(e);

	if (now_us < e->key_look_us || !e->train_saved)
		return;
	e->key_look_us = now_us + LOOK_US;
	if (e->rotating) {
		if (left(e) == 0)
			finish(e);
		return;
	}
	if (e->rand_next > ESL_RAND_LIMIT - RAND_LEFT) {
		(void) begin(e);
		return;
	}
	if (!e->time.utc_known)
		return;
	if (e->key_since_utc_us == 0) { /* of before keys had an age */
		e->key_since_utc_us = esl_utc(e);
		(void) esl_save_train(e);
	} else if (e->key_days && esl_utc(e) >= rotate_at_utc(e)) {
		(void) begin(e);
	}
}

void esl_keys_given(struct esl_engine *e, struct esl_label *l, uint8_t gen)
{
	esl_keys_count(e, l, -1);
	l->key_gen = gen;
	l->rekeying = false;
	esl_keys_count(e, l, 1);
	e->key_look_us = MIN(e->key_look_us, esl_now(e) + US_PER_SEC);
}

void esl_keys_restored(struct esl_engine *e)
{
	recount(e);
}

void esl_keys_get_stats(const struct esl_engine *e, struct esl_stats *ret)
{
	ret->rotating = e->rotating;
	ret->keys_old = left(e);
	ret->keys_since_utc_us = e->train_saved ? e->key_since_utc_us : 0;
}
