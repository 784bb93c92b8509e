/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * One step of all open rollouts: look at the labels, decide, carry it out, count, forecast; one
 * write, all or nothing. Whoever is killed between two steps has lost nothing: the next one finds
 * in the database what it needs. Writer thread.
 */
#pragma once

#include "controller/rollout/row.h"
#include "controller/rollout/scan.h"

#define STEP_CHANGED_MAX 64

struct rollout_step {
	struct scan_online online; /**< in */
	/* out */
	bool marked;     /**< labels are to be drawn anew */
	bool open;       /**< some rollout is not closed */
	bool active;     /**< and goes on by itself */
	int64_t look_us; /**< step again then; INT64_MAX = when something happens */
	size_t n_changed;
	int64_t changed[STEP_CHANGED_MAX]; /**< rollouts of which browsers should hear */
};

int rollout_step_all(struct sql *s, struct rollout_step *st) _must_check_;
/** One rollout, for tests and after a person's word. */
int rollout_step_one(struct sql *s, int64_t id, int64_t now_us,
		     struct rollout_step *st) _must_check_;
/** Pictures a second that the latest rollout measured; 0 = none did. */
double rollout_rate_before(struct sql *s, int64_t id);
/** Makes a forecast of the row as it is, and keeps it; `first`: beside all later ones. */
int rollout_step_forecast(struct sql *s, const struct rollout_row *row, const struct scan *scan,
			  int64_t now_us, bool first) _must_check_;
