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
 *     inventory_live.c  live events, coalesced
 *     inventory_names.c what tags say in words: products, agents, places
 *
 * A read walks down, an answer walks up; nothing here waits. Items, antennas and products are
 * numbered by the state engine; products get their names from the shop's tables by GTIN when
 * somebody looks.
 */
#pragma once

#include "controller/app.h"
#include "controller/http/http.h"

struct inventory;

int inventory_new(struct app *app, struct inventory **ret) _must_check_;
/** Takes a last checkpoint. NULL-safe. */
void inventory_free(struct inventory *inv);
extern const struct http_route inventory_routes[];

/** Products were created, edited or imported: names are looked up anew. NULL-safe. */
void inventory_products_changed(struct inventory *inv);

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

/** Copies of its two LMDB files, any thread; the journal first (inv_engine.h). */
int inventory_copy_journal(struct inventory *inv, int fd) _must_check_;
int inventory_copy_snapshot(struct inventory *inv, int fd) _must_check_;
