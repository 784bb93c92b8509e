/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The floor plan: a rectangle in metres with its origin top left, places as rectangles on it,
 * antennas as points. It is edited and stored as a whole. Which place an antenna hears is not the
 * plan's: that is antennas' own (place.c).
 */
#pragma once

#include "controller/inventory/inventory_internal.h"

#define PLAN_MAX_M        1000.0 /**< a floor's longest side */
#define PLAN_MIN_M        0.1    /**< a place's shortest, and a floor's */
#define PLAN_MAX_PLACES   500
#define PLAN_MAX_ANTENNAS 2000
#define PLAN_MAX_ERRORS   100
#define PLAN_MAX_BODY     (1u << 20)

struct plan_place {
	int64_t place_id;
	double x, y, w, h;
};

struct plan_antenna {
	int64_t agent_id;
	char reader[PROTO_NAME_MAX];
	uint16_t number;
	double x, y;
};

struct plan {
	double width_m, height_m;
	int64_t rev;
	size_t n_places, n_antennas;
	struct plan_place *places;
	struct plan_antenna *antennas;
};

void plan_done(struct plan *p);
/** Takes a plan from a body, checked against the places and antennas that there are. False with
 * *ret_errors an array for http_problem_errors() (NULL = out of memory); the plan is empty then. */
bool plan_parse(struct inventory *inv, const json_t *body, struct plan *ret,
		json_t **ret_errors) _must_check_;
/** Of a configured reader: 1 = it has this antenna, 0 = it has not, -ENOENT = there is no such
 * reader, or it has not been said which antennas it has. */
int inventory_reader_has(struct inventory *inv, int64_t agent, const char *reader, int64_t number);

void plan_get(struct http_request *rq, struct app *app);
void plan_put(struct http_request *rq, struct app *app);
void plan_stock(struct http_request *rq, struct app *app);
