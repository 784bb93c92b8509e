/* SPDX-License-Identifier: Apache-2.0 */
/** @file Models of the store's places, fitted to walks: versions, one of them in use or none. The
 * files: see walk.h. */
#pragma once

#include "controller/inventory/walk.h"

#define MODELS_KEPT     64
#define MODEL_WALKS_MAX WALK_KEPT

struct models {
	struct inventory *inv;
	struct place_live *active; /**< what the engine judges by; NULL = none */
	int64_t id, made_us;       /**< of that; 0 */
	unsigned int fitting;      /**< under way on the pool */
};

int models_new(struct inventory *inv, struct models **ret) _must_check_;
void models_free(struct models *m);
/** Tells the engine of the model in use, read anew; also after places have changed. */
void models_reload(struct models *m);
/** "fitted model of 2026-11-22", or why not: who placed this item, in words. */
json_t *models_judge_json(const struct inventory *inv, uint32_t item);

/** Walks as the fit takes them. */
struct model_walks {
	size_t n, n_antennas, n_events;
	struct place_live_walk *walks;
	struct place_live_event *events; /**< of all */
	struct place_live_antenna antennas[PLACE_LIVE_MAX_ANTENNAS];
	int64_t *ids;                    /**< of the walks */
	bool too_many;                   /**< antennas */
	int64_t wanted[MODEL_WALKS_MAX]; /**< in: which; none = all that have ended */
	size_t n_wanted;
};
/** On the pool, with a reader of its own. */
int model_walks_load(struct sql *s, struct model_walks *w) _must_check_;
void model_walks_done(struct model_walks *w);

/** The outlook of a fit: accuracy by place, confusion, moves, and all of it in words. The names of
 * the places are as of now. */
json_t *model_outlook(const struct place_live *m, const struct place_live_score *score,
		      const struct model_walks *walks);

void models_list(struct http_request *rq, struct app *app);
void models_show(struct http_request *rq, struct app *app);
void models_fit(struct http_request *rq, struct app *app);
void models_use(struct http_request *rq, struct app *app);
void models_delete(struct http_request *rq, struct app *app);
