/* SPDX-License-Identifier: Apache-2.0 */
/** @file Inside the inventory: what its endpoints share. Loop thread. */
#pragma once

#include "controller/inventory/ingest_decode.h"
#include "controller/inventory/inv_engine.h"
#include "controller/inventory/inventory.h"

#define PLACE_NAME_MAX 64
#define PLACE_KIND_MAX 16

struct inv_place {
	uint32_t id;
	char name[PLACE_NAME_MAX + 1];
	char kind[PLACE_KIND_MAX + 1];
};

/** An antenna that somebody gave a place (or took it from). */
struct inv_assignment {
	uint64_t agent;
	char reader[PROTO_NAME_MAX];
	uint16_t number;
	uint32_t place;
};

/** The shop's words for a product of the state engine. */
struct inv_name {
	uint32_t round;     /**< of lookups; an older one is looked up anew */
	int64_t product_id; /**< 0 = the shop does not know this GTIN */
	char *name;
};

struct inv_cell_ref {
	uint32_t product, place;
};

struct inventory {
	struct app *app;
	struct inv_engine *engine;
	struct inv_state *state; /**< the engine's */
	struct ingest_decoder decoder;
	uint64_t batches, bad_batches;

	/* place.c */
	struct inv_place *places;
	size_t n_places;
	struct inv_assignment *assignments;
	size_t n_assignments;

	struct walks *walks;   /**< walk.h: tags that are carried about */
	struct models *models; /**< model.h: what was learnt from them */
	struct exits *exits;   /**< exit.h: who passed the doors */

	/* inventory_names.c */
	struct inv_name *names;
	uint32_t n_names;
	uint32_t round;

	/* inventory_live.c */
	struct loop_timer *flush;
	struct inv_cell_ref *cells;
	uint32_t n_cells, cap_cells;
	struct inv_change *moves;
	uint32_t n_moves, cap_moves;
};

/* place.c */
/** Reads places and antennas from SQLite and tells the engine. */
int inventory_load_places(struct inventory *inv) _must_check_;
const struct inv_place *inventory_place(const struct inventory *inv, uint32_t id);
uint32_t inventory_place_of(void *user, const struct inv_antenna *a);
void places_list(struct http_request *rq, struct app *app);
void places_create(struct http_request *rq, struct app *app);
void places_change(struct http_request *rq, struct app *app);
void places_delete(struct http_request *rq, struct app *app);
void antennas_list(struct http_request *rq, struct app *app);
void antennas_put(struct http_request *rq, struct app *app);

/* inventory_names.c */
const struct inv_name *inventory_name(struct inventory *inv, uint32_t product);
/** The engine's products of a shop product: at most `max` indexes. Negative on failure. */
int inventory_products_of(struct inventory *inv, int64_t product_id, uint32_t *ret, size_t max);
/** New references for JSON; null where there is no such thing. */
json_t *inventory_place_json(const struct inventory *inv, uint32_t place);
json_t *inventory_place_id_json(uint32_t place);
json_t *inventory_product_id_json(const struct inv_name *name);
json_t *inventory_gtin_json(uint64_t gtin);
json_t *inventory_time_json(int64_t at_us);
json_t *inventory_agent_json(struct inventory *inv, uint64_t agent);
void inventory_names_done(struct inventory *inv);

/* inventory_live.c */
int inventory_live_start(struct inventory *inv) _must_check_;
void inventory_live_note(void *user, const struct inv_change *c);
void inventory_live_done(struct inventory *inv);

/* ingest.c, stock.c, item.c */
void ingest_reads(struct http_request *rq, struct app *app);
void ingest_sightings(struct http_request *rq, struct app *app);
void stock_list(struct http_request *rq, struct app *app);
void items_list(struct http_request *rq, struct app *app);
void items_show(struct http_request *rq, struct app *app);
void items_events(struct http_request *rq, struct app *app);
