/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * When a rollout will be over, and why then: pictures to stage at the busiest access point of each
 * wave, at the rate measured in this rollout (or a careful guess), plus lead and settle time of
 * each wave. Kept as a line of points, so that a page can draw it beside what happened. Pure.
 */
#pragma once

#include "controller/rollout/machine.h"
#include "controller/rollout/plan.h"
#include <jansson.h>

/** Pictures a second at one access point, while nothing has been measured. */
#define FORECAST_RATE_GUESS 1.0

struct forecast_wave {
	int64_t labels;
	int64_t to_stage; /**< pictures left at its busiest access point */
	int64_t staged;   /**< of its labels, until now */
};

struct forecast_facts {
	int64_t now_us;
	int64_t start_us;
	enum rollout_state state;
	int64_t wave; /**< present one, from 1; 0 = none has begun */
	int64_t n_waves;
	int64_t flip_us; /**< of the present wave */
	struct rollout_rules rules;
	double rate;        /**< measured; 0 = not yet */
	double rate_before; /**< of the latest rollout that measured one; 0 = none did */
	double rate_told;   /**< what the slowest access point says it can; 0 = none said */
	struct forecast_wave waves[ROLLOUT_WAVES_MAX];
};

#define FORECAST_POINTS   (2 * ROLLOUT_WAVES_MAX + 1)
#define FORECAST_WHY_MAX  300
#define FORECAST_TEXT_MAX 2048

struct forecast_point {
	int64_t at_us;
	int64_t staged;
};

struct forecast {
	int64_t at_us; /**< when it was made */
	int64_t finish_us;
	char why[FORECAST_WHY_MAX];
	size_t n;
	struct forecast_point points[FORECAST_POINTS];
};

void forecast_make(const struct forecast_facts *f, struct forecast *ret);
/** How many labels should have been staged by then. */
int64_t forecast_staged(const struct forecast *f, int64_t at_us);

/** As it is kept in the database, and back. The text is the caller's. */
char *forecast_pack(const struct forecast *f);
/** False if there is none. */
bool forecast_unpack(const char *text, struct forecast *ret);
/** {at, finish, why} */
json_t *forecast_json(const struct forecast *f);
