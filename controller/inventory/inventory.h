/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The inventory: where every item is, and the stock that follows from it.
 *
 *     ingest.c          POST /agent/v1/sightings -> ingest_decode.c -> inv_engine
 *     inv_engine.c      durable state: inv_state (memory), inv_journal, inv_snapshot, inv_history
 *     belief.c          from evidence to a place, pure
 *     stock.c item.c    what people ask: how many where, where is this one and why
 *     place.c           places, and which antenna hears which (SQLite)
 *     walk.h            tags carried about, and the models learnt from them
 *     exit.h            doors: who passed them, and items that left unsold
 *     watch.c           what agents are asked to look at for both
 *     plan.c            where on the floor they are, and the stock there
 *     inventory_live.c  live events, coalesced
 *     inventory_names.c what tags say in words: products, agents, places
 *
 * A read walks down, an answer walks up; nothing here waits. Items, antennas and products are
 * numbered by the state engine; products get their names from the shop's tables by GTIN when
 * somebody looks.
 */
#pragma once

#include "common/epc.h"
#include "controller/app.h"
#include "controller/http/http.h"

struct inventory;

int inventory_new(struct app *app, struct inventory **ret) _must_check_;
/** Takes a last checkpoint. NULL-safe. */
void inventory_free(struct inventory *inv);
extern const struct http_route inventory_routes[];

/** Products were created, edited or imported: names are looked up anew. NULL-safe. */
void inventory_products_changed(struct inventory *inv);

/** Sales were told: an item that left may be explained by them. NULL-safe. */
void inventory_sold(struct inventory *inv);

/** For /metrics. */
struct inventory_stats {
	uint64_t items, present, unplaced, products, antennas;
	uint64_t sightings, transitions, refused; /**< since start */
	uint64_t batches, bad_batches;
	uint64_t commits, commit_failures, checkpoints;
	uint64_t journal_bytes, snapshot_bytes;
	int64_t last_checkpoint_us;
	int storage_err; /**< 0 or why nothing can be stored now */
};
void inventory_stats(const struct inventory *inv, struct inventory_stats *ret);

/** What other rooms may know of an item. */
struct inventory_item {
	uint32_t number; /**< dense, never reused */
	uint32_t place;  /**< where it is, or was last; 0 = no place */
	uint64_t gtin;   /**< 0 = its tag names none */
	bool present;
	int64_t since_us; /**< in this place and state */
	int64_t last_seen_us;
	struct epc epc;
};
typedef void (*inventory_item_fn)(void *user, const struct inventory_item *item);
/** Shows items from number `from` on, at most `max`. Returns the number to go on from; 0 = those
 * were the last. Loop thread; 100,000 take about 10 ms. */
uint32_t inventory_walk(const struct inventory *inv, uint32_t from, uint32_t max,
			inventory_item_fn fn, void *user);
/** Likewise those of one GTIN (0 = tags that name none), newest first. Returns how many. */
uint32_t inventory_walk_gtin(const struct inventory *inv, uint64_t gtin, uint32_t max,
			     inventory_item_fn fn, void *user);
/** -ENOENT if no reader ever heard it. */
int inventory_find(const struct inventory *inv, const struct epc *epc,
		   struct inventory_item *ret) _must_check_;
/** Name and kind of a place, borrowed until places change; NULL if there is no such place. */
const char *inventory_place_name(const struct inventory *inv, uint32_t place,
				 const char **ret_kind);

/** Copies of its two LMDB files, any thread; the journal first (inv_engine.h). */
int inventory_copy_journal(struct inventory *inv, int fd) _must_check_;
int inventory_copy_snapshot(struct inventory *inv, int fd) _must_check_;
