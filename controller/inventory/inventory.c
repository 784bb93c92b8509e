/* SPDX-License-Identifier: Apache-2.0 */
#include "common/err.h"
#include "controller/app_config.h"
#include "controller/http/events.h"
#include "controller/inventory/exit.h"
#include "controller/inventory/model.h"
#include "controller/inventory/plan.h"
#include <errno.h>
#include <stdio.h>

const struct http_route inventory_routes[] = {
	{HTTP_AGENTS, HTTP_POST, "/agent/v1/sightings", PERM_AGENT, PROTO_MAX_BODY,
	 ingest_sightings},
	{HTTP_AGENTS, HTTP_POST, "/agent/v1/reads", PERM_AGENT, PROTO_MAX_BODY, ingest_reads},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/walks", PERM_VIEW, 0, walks_list},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/walks", PERM_PLACES, 0, walks_start},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/walks/{}", PERM_VIEW, 0, walks_show},
	{HTTP_PUBLIC, HTTP_DELETE, "/api/v1/walks/{}", PERM_PLACES, 0, walks_delete},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/walks/{}/stop", PERM_PLACES, 0, walks_stop},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/walks/{}/reads.csv", PERM_VIEW, 0, walks_csv},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/place-models", PERM_VIEW, 0, models_list},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/place-models", PERM_PLACES, 0, models_fit},
	{HTTP_PUBLIC, HTTP_PUT, "/api/v1/place-models/active", PERM_PLACES, 0, models_use},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/place-models/{}", PERM_VIEW, 0, models_show},
	{HTTP_PUBLIC, HTTP_DELETE, "/api/v1/place-models/{}", PERM_PLACES, 0, models_delete},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/doors", PERM_VIEW, 0, doors_list},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/doors", PERM_PLACES, 0, doors_create},
	{HTTP_PUBLIC, HTTP_PATCH, "/api/v1/doors/{}", PERM_PLACES, 0, doors_change},
	{HTTP_PUBLIC, HTTP_DELETE, "/api/v1/doors/{}", PERM_PLACES, 0, doors_delete},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/passages", PERM_VIEW, 0, passages_list},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/passages/{}", PERM_VIEW, 0, passages_show},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/stock", PERM_VIEW, 0, stock_list},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/items", PERM_VIEW, 0, items_list},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/items/{}", PERM_VIEW, 0, items_show},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/items/{}/events", PERM_VIEW, 0, items_events},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/places", PERM_VIEW, 0, places_list},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/places", PERM_PLACES, 0, places_create},
	{HTTP_PUBLIC, HTTP_PATCH, "/api/v1/places/{}", PERM_PLACES, 0, places_change},
	{HTTP_PUBLIC, HTTP_DELETE, "/api/v1/places/{}", PERM_PLACES, 0, places_delete},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/plan", PERM_VIEW, 0, plan_get},
	{HTTP_PUBLIC, HTTP_PUT, "/api/v1/plan", PERM_PLACES, PLAN_MAX_BODY, plan_put},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/plan/stock", PERM_VIEW, 0, plan_stock},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/antennas", PERM_VIEW, 0, antennas_list},
	{HTTP_PUBLIC, HTTP_PUT, "/api/v1/antennas/{}/{}/{}", PERM_PLACES, 0, antennas_put},
	{.path = NULL},
};

static int open_engine(struct inventory *inv)
{
	const struct app_config *c = inv->app->config;
	_cleanup_free_ char *journal = NULL, *snapshot = NULL;
	struct inv_engine_config cfg = {
		.checkpoint_us = c->inventory_checkpoint_s * US_PER_SEC,
		.max_items = (uint32_t) c->inventory_max_items,
		.place_of = inventory_place_of,
		.changed = inventory_live_note,
		.user = inv,
	};
	int r;

	if (asprintf(&journal, "%s/journal", c->state_dir) < 0)
		return -ENOMEM;
	if (asprintf(&snapshot, "%s/snapshot", c->state_dir) < 0)
		return -ENOMEM;
	cfg.journal_dir = journal;
	cfg.snapshot_dir = snapshot;
	r = inv_engine_open(inv->app->loop, &cfg, &inv->engine);
	if (!r)
		inv->state = inv_engine_state(inv->engine);
	return r;
}

static void on_products_changed(void *user)
{
	inventory_products_changed(user);
}

int inventory_new(struct app *app, struct inventory **ret)
{
	struct inventory *inv = calloc(1, sizeof(*inv));
	int r;

	if (!inv)
		return -ENOMEM;
	inv->app = app;
	inv->round = 1;
	r = inventory_load_places(inv);
	if (!r)
		r = open_engine(inv);
	if (!r)
		r = inventory_live_start(inv);
	if (!r)
		r = walks_new(inv, &inv->walks);
	if (!r)
		r = models_new(inv, &inv->models);
	if (!r)
		r = exits_new(inv, &inv->exits);
	if (r) {
		inventory_free(inv);
		return r;
	}
	if (app->events)
		events_listen(app->events, "product", on_products_changed, inv);
	inv_engine_start(inv->engine);
	*ret = inv;
	return 0;
}

void inventory_free(struct inventory *inv)
{
	if (!inv)
		return;
	if (inv->app->events)
		events_listen(inv->app->events, NULL, NULL, NULL);
	exits_free(inv->exits);
	models_free(inv->models);
	walks_free(inv->walks);
	inv->exits = NULL;
	inv->models = NULL;
	inv->walks = NULL;
	inv_engine_close(inv->engine);
	inventory_live_done(inv);
	inventory_names_done(inv);
	ingest_decoder_done(&inv->decoder);
	free(inv->places);
	free(inv->assignments);
	free(inv);
}

void inventory_products_changed(struct inventory *inv)
{
	if (inv)
		inv->round++;
}

void inventory_sold(struct inventory *inv)
{
	if (inv)
		exits_sold(inv);
}

void inventory_stats(const struct inventory *inv, struct inventory_stats *ret)
{
	const struct inv_state *st = inv->state;
	struct inv_engine_stats e;

	inv_engine_stats(inv->engine, &e);
	*ret = (struct inventory_stats){
		.items = st->items.n,
		.present = st->present,
		.unplaced = st->unplaced,
		.products = st->products.n,
		.antennas = st->antennas.n,
		.sightings = st->applied,
		.transitions = st->transitions,
		.refused = st->refused,
		.batches = inv->batches,
		.bad_batches = inv->bad_batches,
		.commits = e.commits,
		.commit_failures = e.commit_failures,
		.checkpoints = e.checkpoints,
		.journal_bytes = e.journal_bytes,
		.snapshot_bytes = e.snapshot_bytes,
		.last_checkpoint_us = e.last_checkpoint_us,
		.storage_err = e.storage_err,
	};
}

int inventory_copy_journal(struct inventory *inv, int fd)
{
	return inv_engine_copy_journal(inv->engine, fd);
}

int inventory_copy_snapshot(struct inventory *inv, int fd)
{
	return inv_engine_copy_snapshot(inv->engine, fd);
}
