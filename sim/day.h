/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The store's day: a seeded script of people who carry goods about a store with a ground plan.
 *
 *     deliveries     arrive at receiving, and are put away in the back room some minutes later
 *     replenishment  from the back room to the sales floor
 *     customers      take an item from the sales floor; some try it on in a fitting room; some pay
 *                    at the till and go out by the exit; the others put it back where it was, or
 *                    somewhere else: misplaced
 *     thieves        take an item from the sales floor and walk out by the exit
 *
 * Everything that happens is an event with its way and its times, written when it begins. Nothing
 * is lost and nothing doubled: every item is in one place, or has left for good.
 */
#pragma once

#include "sim/floor.h"

#define SIM_MAX_EVENTS 50000

struct sim_day_config {
	double deliveries_per_h, put_away_min, replenish_per_h, customers_per_h, thefts_per_h;
	double try_on, buy, misplace; /**< shares */
	double speed;                 /**< metres a second */
	uint32_t delivery_items;
	const char *till; /**< name of its place; empty = the exit */
	uint64_t seed;
};

enum sim_event_kind {
	SIM_EVENT_DELIVERED,
	SIM_EVENT_PUT_AWAY,
	SIM_EVENT_REPLENISHED,
	SIM_EVENT_TAKEN,    /**< by a customer, to the till */
	SIM_EVENT_TRIED_ON, /**< carried to a fitting room */
	SIM_EVENT_RETURNED, /**< put back where it belongs */
	SIM_EVENT_MISPLACED,
	SIM_EVENT_SOLD,        /**< paid at the till; goes nowhere yet */
	SIM_EVENT_CARRIED_OUT, /**< by who paid for it */
	SIM_EVENT_STOLEN,
	SIM_EVENT_KINDS
};
const char *sim_event_name(enum sim_event_kind k);

struct sim_event {
	enum sim_event_kind kind;
	uint32_t item, from, to;
	int64_t start_us, end_us; /**< UTC; equal when nobody walked */
	size_t n_points;
	struct floor_point points[FLOOR_MAX_POINTS];
};

/** Is there anything that happens? */
bool sim_day_happens(const struct sim_day_config *cfg);

struct sim_day;

/** Begins at once. The floor is borrowed; nobody else may use its `arrived`. */
int sim_day_new(struct loop *loop, struct sim_floor *floor, const struct sim_day_config *cfg,
		struct sim_day **ret) _must_check_;
void sim_day_free(struct sim_day *d);
/** Event number n, counted from 0; NULL if it is forgotten or yet to come. */
const struct sim_event *sim_day_event(const struct sim_day *d, uint64_t n);
/** The oldest that is still known, and how many there were. */
uint64_t sim_day_oldest(const struct sim_day *d);
uint64_t sim_day_events(const struct sim_day *d);
