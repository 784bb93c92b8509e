/* SPDX-License-Identifier: Apache-2.0 */
/** @file A rollout as a row, for everybody in this room. */
#pragma once

#include "common/sql.h"
#include "controller/people/auth.h"
#include "controller/rollout/machine.h"
#include "controller/rollout/plan.h"
#include "controller/shop/price.h"
#include <jansson.h>

#define ROLLOUT_NAME_MAX 200

struct rollout_wave {
	double percent;
	char state[16];
	int64_t flip_us; /**< 0 = none yet */
	int64_t products, labels, staged, flipped, shown, failed, back;
};

struct rollout_row {
	int64_t id;
	char name[ROLLOUT_NAME_MAX + 1];
	enum rollout_state state;
	enum rollout_state resume_state;
	char reason[ROLLOUT_REASON_MAX];
	char why[PRICE_REASON_MAX + 1];
	int64_t created_us;
	char who[AUTH_WHO_MAX];
	int64_t start_us;
	int64_t finished_us; /**< 0 = not yet */
	int64_t wave;
	int64_t since_us;
	int64_t back_us; /**< 0 = does not go back */
	struct rollout_rules rules;
	int64_t forgiven;
	double rate;
	int64_t prices_seen;
	int64_t sample_us;
	int64_t n_waves;
	struct rollout_wave waves[ROLLOUT_WAVES_MAX];
};

/** With its waves. -ENOENT. */
int rollout_row_load(struct sql *s, int64_t id, struct rollout_row *ret) _must_check_;
/** Writes state, resume_state, reason, wave, since, back, forgiven, rate, prices_seen, sample_us
 * and finished. */
int rollout_row_store(struct sql *s, const struct rollout_row *r) _must_check_;
int rollout_wave_store(struct sql *s, const struct rollout_row *r, int64_t n) _must_check_;
/** Enters a state. `reason` NULL = none. */
void rollout_row_enter(struct rollout_row *r, enum rollout_state state, int64_t now_us,
		       const char *reason);
/** Sums of the waves. */
struct rollout_wave rollout_row_totals(const struct rollout_row *r);

/** Waves not begun are of no concern to whoever looks at labels: the instant from which on trouble
 * of a label counts. */
int64_t rollout_row_began_us(const struct rollout_row *r);

/** The API's object: `whole` with forecasts and samples. */
json_t *rollout_json(struct sql *s, const struct rollout_row *r, bool whole);
