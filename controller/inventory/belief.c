/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/inventory/belief.h"
#include <math.h>

#define ASSUMED_RATE_MHZ  1250  /* of an antenna that has had no time to measure one */
#define ASSUMED_RSSI_CDBM -6000 /* of a reader that does not say */
#define FADED             0.1f

const struct belief_config *belief_defaults(void)
{
	static const struct belief_config defaults = {
		.stale_us = 90 * US_PER_SEC,
		.faded_us = 180 * US_PER_SEC,
		.doubt_us = 2500 * US_PER_MS,
		.hold_us = 400 * US_PER_MS,
		.dwell_us = 2 * US_PER_SEC,
		.grace_us = 30 * US_PER_SEC,
		.outweigh = 1.8f,
		.comparable = 2.5f,
		.floor = 0.02f,
	};

	return &defaults;
}

const char *belief_cause_str(enum belief_cause c)
{
	static const char *const words[CAUSE_COUNT] = {
		[CAUSE_NONE] = "none",
		[CAUSE_FIRST_SEEN] = "first-seen",
		[CAUSE_LEFT] = "left",
		[CAUSE_STRONGER] = "stronger-elsewhere",
		[CAUSE_RETURNED] = "seen-again",
		[CAUSE_NOT_SEEN] = "not-seen",
		[CAUSE_ANTENNA] = "antenna-moved",
		[CAUSE_MODEL] = "fitted-model",
	};

	return c < CAUSE_COUNT ? words[c] : "unknown";
}

/* 2^((rssi + 50 dBm) / 6 dB), to a whole dB. */
static float amplitude(int16_t rssi_cdbm)
{
	static const float sixths[6] = {1.0f,        0.8908987f, 0.7937005f,
					0.70710678f, 0.6299605f, 0.5612310f};
	int below = -5000 - (rssi_cdbm == BELIEF_RSSI_UNKNOWN ? ASSUMED_RSSI_CDBM : rssi_cdbm);

	/* Anything above -20 dBm or below -110 dBm is a reader's fancy. */
	below = MIN(MAX(below, -3000), 6000);
	below = (below + 3000 + 50) / 100; /* whole dB below -20 dBm */
	return ldexpf(sixths[below % 6], 5 - below / 6);
}

static float strength(const struct belief_evidence *e)
{
	unsigned int rate = e->rate_mhz;

	if (!rate)
		rate = ASSUMED_RATE_MHZ;
	rate = MIN(MAX(rate, 50u), 20000u);
	return (float) rate / 1000.0f * amplitude(e->rssi_cdbm);
}

static float freshness(const struct belief_config *cfg, int64_t age_us)
{
	if (age_us <= cfg->stale_us)
		return 1.0f;
	if (age_us >= cfg->faded_us)
		return FADED;
	return 1.0f - (1.0f - FADED) * (float) (age_us - cfg->stale_us) /
			      (float) (cfg->faded_us - cfg->stale_us);
}

float belief_weight(const struct belief_config *cfg, const struct belief_evidence *e,
		    int64_t now_us)
{
	return strength(e) * freshness(cfg, now_us - e->last_us);
}

/* What the evidence says, added up for one place. */
struct tally {
	float heard;      /* weight of those that hear it */
	float was;        /* strongest of those that heard it once */
	int64_t first_us; /* oldest of those that hear it; BELIEF_NEVER if none */
	int64_t last_us;  /* newest word of any */
};

static struct tally tally_place(const struct belief_config *cfg, const struct belief_evidence *ev,
				size_t n, uint32_t place, int64_t now_us)
{
	struct tally t = {.first_us = BELIEF_NEVER, .last_us = INT64_MIN};

	for (size_t i = 0; i < n; i++) {
		if (ev[i].place != place)
			continue;
		t.last_us = MAX(t.last_us, ev[i].last_us);
		if (ev[i].present) {
			t.heard += belief_weight(cfg, &ev[i], now_us);
			t.first_us = MIN(t.first_us, ev[i].first_us);
		} else {
			t.was = fmaxf(t.was, strength(&ev[i]));
		}
	}
	return t;
}

/* The voting place that hears the item best; BELIEF_NO_PLACE if none does. */
static uint32_t best_place(const struct belief_config *cfg, const struct belief_evidence *ev,
			   size_t n, int64_t now_us, struct tally *ret)
{
	uint32_t best = BELIEF_NO_PLACE;

	*ret = (struct tally){0};
	for (size_t i = 0; i < n; i++) {
		struct tally t;

		if (!ev[i].present || ev[i].place == BELIEF_NO_PLACE || ev[i].place == best)
			continue;
		t = tally_place(cfg, ev, n, ev[i].place, now_us);
		if (best == BELIEF_NO_PLACE || t.heard > ret->heard) {
			best = ev[i].place;
			*ret = t;
		}
	}
	return best;
}

bool belief_change(struct belief *b, uint32_t place, enum belief_state state,
		   enum belief_cause cause, int64_t since_us, int64_t now_us)
{
	bool changed = b->place != place || b->state != state;

	if (changed) {
		/* A presence may have begun before the item was believed to be there, but never
		 * before what was believed last. */
		since_us = MIN(since_us, now_us);
		if (b->state != BELIEF_UNKNOWN && since_us <= b->since_us)
			since_us = b->since_us + 1; /* events of one item have distinct times */
		b->since_us = since_us;
		b->cause = (uint8_t) cause;
	}
	b->place = place;
	b->state = (uint8_t) state;
	return changed;
}

/* Another place hears it best. Decides whether it has moved, or when to look again. */
static bool judge_rival(const struct belief_config *cfg, struct belief *b, uint32_t rival,
			const struct tally *there, const struct tally *here, int64_t now_us)
{
	int64_t when;

	if (here->first_us == BELIEF_NEVER) {
		when = there->heard * cfg->comparable >= here->was ? now_us
								   : here->last_us + cfg->doubt_us;
		if (when <= now_us)
			return belief_change(b, rival, BELIEF_PRESENT, CAUSE_LEFT, there->first_us,
					     now_us);
	} else {
		if (there->heard < here->heard * cfg->outweigh)
			return false;
		when = MAX(there->first_us + cfg->hold_us, b->since_us + cfg->dwell_us);
		if (when <= now_us)
			return belief_change(b, rival, BELIEF_PRESENT, CAUSE_STRONGER,
					     there->first_us, now_us);
	}
	b->due_us = MIN(b->due_us, when);
	return false;
}

/* No voting antenna hears it. */
static bool judge_silence(const struct belief_config *cfg, struct belief *b,
			  const struct belief_evidence *ev, size_t n, int64_t now_us)
{
	int64_t last_us = INT64_MIN, first_us = BELIEF_NEVER;

	for (size_t i = 0; i < n; i++) {
		last_us = MAX(last_us, ev[i].last_us);
		if (ev[i].present)
			first_us = MIN(first_us, ev[i].first_us);
	}
	if (first_us != BELIEF_NEVER && b->place == BELIEF_NO_PLACE)
		return belief_change(b, BELIEF_NO_PLACE, BELIEF_PRESENT,
				     b->state == BELIEF_GONE ? CAUSE_RETURNED : CAUSE_FIRST_SEEN,
				     first_us, now_us);
	if (first_us != BELIEF_NEVER) {
		/* In the store, but only where no place has been named. */
		struct tally here = tally_place(cfg, ev, n, b->place, now_us);
		int64_t when = here.last_us == INT64_MIN ? now_us : here.last_us + cfg->grace_us;

		if (when <= now_us)
			return belief_change(b, BELIEF_NO_PLACE, BELIEF_PRESENT, CAUSE_LEFT,
					     first_us, now_us);
		b->due_us = when;
		return false;
	}
	if (b->state == BELIEF_GONE)
		return false;
	if (n && last_us + cfg->grace_us > now_us) {
		b->due_us = last_us + cfg->grace_us;
		/* What is over before it was ever judged (a late replay) still has to start
		 * somewhere. */
		if (b->state == BELIEF_UNKNOWN)
			return belief_change(b, BELIEF_NO_PLACE, BELIEF_PRESENT, CAUSE_FIRST_SEEN,
					     last_us, now_us);
		return false;
	}
	return belief_change(b, b->place, BELIEF_GONE, CAUSE_NOT_SEEN, n ? last_us : now_us,
			     now_us);
}

static uint16_t confidence(const struct belief_config *cfg, const struct belief *b,
			   const struct belief_evidence *ev, size_t n, bool heard, int64_t now_us)
{
	float all = cfg->floor, ours = 0;

	if (b->state == BELIEF_GONE || b->place == BELIEF_NO_PLACE)
		return 0;
	for (size_t i = 0; i < n; i++) {
		float w;

		if (ev[i].place == BELIEF_NO_PLACE || ev[i].present != heard)
			continue;
		w = belief_weight(cfg, &ev[i], now_us);
		if (!heard)
			w *= fmaxf(0.0f,
				   1.0f - (float) (now_us - ev[i].last_us) / (float) cfg->grace_us);
		all += w;
		ours += ev[i].place == b->place ? w : 0.0f;
	}
	return (uint16_t) (1000.0f * ours / all);
}

bool belief_judge(const struct belief_config *cfg, struct belief *b,
		  const struct belief_evidence *ev, size_t n, int64_t now_us)
{
	struct tally there, here;
	uint32_t best = best_place(cfg, ev, n, now_us, &there);
	bool changed = false;

	b->due_us = BELIEF_NEVER;
	if (best == BELIEF_NO_PLACE) {
		changed = judge_silence(cfg, b, ev, n, now_us);
	} else if (b->state != BELIEF_PRESENT || b->place == BELIEF_NO_PLACE) {
		enum belief_cause cause =
			b->state == BELIEF_GONE ? CAUSE_RETURNED : CAUSE_FIRST_SEEN;

		changed = belief_change(b, best, BELIEF_PRESENT, cause, there.first_us, now_us);
	} else if (best != b->place) {
		here = tally_place(cfg, ev, n, b->place, now_us);
		/* Its antennas were given to other places: there is nothing to wait for. */
		if (here.last_us == INT64_MIN)
			changed = belief_change(b, best, BELIEF_PRESENT, CAUSE_ANTENNA,
						there.first_us, now_us);
		else
			changed = judge_rival(cfg, b, best, &there, &here, now_us);
	}
	b->confidence = confidence(cfg, b, ev, n, best != BELIEF_NO_PLACE, now_us);
	return changed;
}
