/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The decisions of a rollout, as pure functions: facts in, what to do out. Nothing here knows a
 * clock, a database or a label; step.c brings the facts and carries the decision out in the same
 * transaction.
 *
 *   scheduled -> staging -> flipping -> settling -> staging (next wave) ... -> done
 *                   |           |          |
 *                   +-> halted <-----------+        a person: paused, cancelled,
 *                         gate timeout, failures    rolling-back -> rolled-back
 */
#pragma once

#include "common/util.h"
#include <stdbool.h>

enum rollout_state {
	ROLLOUT_SCHEDULED,
	ROLLOUT_STAGING,  /**< the wave's pictures go onto the labels, nothing is shown */
	ROLLOUT_FLIPPING, /**< the prices have their instant, which is near */
	ROLLOUT_SETTLING, /**< flipped; evidence comes in */
	ROLLOUT_PAUSED,
	ROLLOUT_HALTED,
	ROLLOUT_ROLLING_BACK,
	ROLLOUT_ROLLED_BACK,
	ROLLOUT_DONE,
	ROLLOUT_CANCELLED,
	ROLLOUT_STATE_COUNT
};
const char *rollout_state_text(enum rollout_state state);
/** -ENOENT if there is no such word. */
int rollout_state_parse(const char *text, enum rollout_state *ret) _must_check_;
/** Nothing more will happen to it. */
bool rollout_is_closed(enum rollout_state state);

/** Labels of one wave, or of all flipped ones while rolling back. */
struct rollout_counts {
	int64_t labels;
	int64_t lost_before; /**< silent since before the rollout began: known, not held against it
			      */
	int64_t reachable;   /**< have an access point that answers, and answered it */
	int64_t stageable;   /**< of these, those with a slot to spare */
	int64_t stageable_staged;
	int64_t undrawn; /**< pictures still to be made */
	int64_t staged;  /**< all that have had the picture */
	int64_t flipped; /**< all that acknowledged it */
	int64_t shown;   /**< confirmed or read back */
	int64_t failed;  /**< with those lost before */
	int64_t back;    /**< show the old price again */
	int64_t to_go_back;
};

struct rollout_rules {
	double staged_percent;
	int64_t timeout_us;
	double failed_percent;
	int64_t settle_us;
	int64_t lead_us; /**< 0 = by the number of labels */
};

struct rollout_facts {
	int64_t now_us;
	enum rollout_state state;
	int64_t start_us;
	int64_t since_us; /**< when the state was entered */
	int64_t flip_us;  /**< of the present wave */
	int64_t back_us;
	int64_t wave, n_waves;
	int64_t forgiven; /**< failures that a person has accepted */
	struct rollout_rules rules;
	struct rollout_counts counts;
	const char *slowest; /**< access point with most left to stage; NULL = none */
};

enum rollout_action {
	ROLLOUT_WAIT,
	ROLLOUT_BEGIN_WAVE, /**< `wave` */
	ROLLOUT_FLIP,       /**< at `at_us` */
	ROLLOUT_SETTLE,
	ROLLOUT_HALT,
	ROLLOUT_FINISH,
	ROLLOUT_CLOSE_BACK, /**< rolled back */
};

#define ROLLOUT_REASON_MAX 400

struct rollout_decision {
	enum rollout_action action;
	int64_t wave;
	int64_t at_us;
	int64_t look_us; /**< decide again then, whatever happens; INT64_MAX = no need */
	char reason[ROLLOUT_REASON_MAX];
};

void rollout_decide(const struct rollout_facts *f, struct rollout_decision *ret);

/** What a person accepts who lets a halted rollout go on. */
int64_t rollout_forgive(const struct rollout_counts *c);

/** From the write to the flip: long enough for every access point to tell its labels. */
int64_t rollout_lead_us(const struct rollout_rules *rules, int64_t labels);

enum rollout_verb {
	ROLLOUT_PAUSE,
	ROLLOUT_RESUME,
	ROLLOUT_CANCEL,
	ROLLOUT_ROLLBACK
};
/** May a person do that now? */
bool rollout_allows(enum rollout_state state, enum rollout_verb verb);
