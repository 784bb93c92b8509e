/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The store's ground plan, for stores whose configuration gives one: where places and antennas are
 * in metres, where each item lies, and who walks where. The world (sim/world.h) goes on saying in
 * which place an item is; here that follows from where it is: an item that walks is, within
 * FLOOR_STEP_US, in the place whose rectangle it is in, or in the last one it was in.
 *
 * Positions belong to items: an item that comes to rest lies somewhere in the place, turned
 * somehow, and stays like that until it is moved again.
 */
#pragma once

#include "sim/gen2.h"
#include "sim/rf.h"
#include "sim/world.h"

#define FLOOR_MAX_POINTS 10
#define FLOOR_STEP_US    (50 * US_PER_MS)
#define FLOOR_MAX_FIELDS 32

struct floor_point {
	double x, y;
};

struct floor_rect {
	bool set;
	double x0, y0, x1, y1;
	bool has_door;
	struct floor_point door; /**< whoever comes or goes passes here */
};

/** The way of one item, at one speed. */
struct floor_walk {
	uint32_t item;
	uint64_t number;          /**< of the walk; names it for whoever waits for its end */
	int64_t start_us, end_us; /**< UTC */
	double speed;             /**< metres a second */
	double height;            /**< metres above the ground */
	size_t n_points;
	struct floor_point points[FLOOR_MAX_POINTS];
	uint32_t to; /**< place it ends in; SIM_NOWHERE = outside */
	uint8_t how; /**< enum sim_passage_kind if it leaves for good */
};

/** What the floor knows of an item. */
struct floor_item {
	struct rf_tag tag; /**< as it lies; while it walks, axis and sensitivity only */
	struct gen2_tag gen2;
	bool here;        /**< it is where antennas might see it */
	uint32_t walk;    /**< index of its walk + 1; 0 = at rest */
	uint32_t version; /**< counts up whenever it is put or taken up */
};

/** Is told when items come to rest; taking up is seen from the version. */
struct floor_watcher {
	void (*rests)(void *user, uint32_t item);
	void *user;
};

struct sim_floor {
	struct loop *loop;
	const struct clock *clock;
	struct sim_world *world;
	struct rf_room room;
	struct floor_rect places[SIM_MAX_PLACES];
	struct rf_antenna antennas[SIM_MAX_ANTENNAS]; /**< as the world counts them */
	bool antenna_set[SIM_MAX_ANTENNAS];
	struct floor_point dock, outside; /**< where goods come from and go to */
	bool has_dock, has_outside;
	struct floor_item *items;
	uint32_t n_items, cap_items;
	struct floor_walk *walks;
	uint32_t n_walks, cap_walks;
	uint64_t walks_begun;
	struct loop_timer *step;
	struct floor_watcher watchers[FLOOR_MAX_FIELDS];
	size_t n_watchers;
	void (*arrived)(void *user, const struct floor_walk *w); /**< a walk is over */
	void *arrived_user;
	bool moving; /**< the world's move is the floor's own doing */
	double sensitivity_dbm;
};

/** World and loop are borrowed. Places and antennas are set before sim_floor_start(). */
int sim_floor_new(struct loop *loop, struct sim_world *world, struct sim_floor **ret) _must_check_;
void sim_floor_free(struct sim_floor *f);
/** Puts every item of the world somewhere in its place and follows the world from then on. */
int sim_floor_start(struct sim_floor *f) _must_check_;
/** Told whenever an item came to rest. */
int sim_floor_watch(struct sim_floor *f, const struct floor_watcher *w) _must_check_;
void sim_floor_unwatch(struct sim_floor *f, const void *user);

/** The smallest place around a point, or -ENOENT. */
int sim_floor_place_at(const struct sim_floor *f, double x, double y);
/**
 * Sends an item on foot to a place; from outside it begins at the dock. To SIM_NOWHERE it leaves
 * through the exit, for good if `how` says so. Yields the walk's number, or -EBUSY if it walks
 * already, -ENOENT if there is no way.
 */
int64_t sim_floor_walk(struct sim_floor *f, uint32_t item, uint32_t to, double speed,
		       enum sim_passage_kind how) _must_check_;
/** The item's tag at that instant: where it is and how it moves. False if it is not here. */
bool sim_floor_tag_at(const struct sim_floor *f, uint32_t item, int64_t at_us, struct rf_tag *ret);
const struct floor_walk *sim_floor_walk_of(const struct sim_floor *f, uint32_t item);
