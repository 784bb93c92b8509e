/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What browsers hear live: a ring of small JSON events, numbered from 1, served at /api/v1/events
 * as server-sent events with Last-Event-ID. A client that fell behind the ring gets `event: reset`
 * and fetches anew. Each event says what changed and carries the new values.
 *
 *   price    {product_id, price_minor, currency, from}
 *   product  {id}                      product created or edited; {} after an import
 *   label    the label object of GET /labels/{id}
 *   stock    {product_id, place_id, count}
 *   item     {epc, product_id, place_id, from_place_id, at, confidence}
 *   difference {}                     book stock, sales or deliveries changed
 *   agent    the agent object of GET /agents
 *   walk     {}                       a walk, its reads, or the models fitted to them have changed
 *   passage  {}                       somebody passed a door, or what became of it is known
 *   promotion {id, state}             made, changed, cancelled, begun or ended
 *   incident {id, kind, subject, state, severity, title, agent_id, open}: opened, renewed, closed
 *            or acknowledged; `open` is how many are open now
 *   tag-operation {id, state, agent_id, reader}; {} when some ran out of time
 *   rollout  {id, state, reason, total, staged, flipped, shown, failed}
 */
#pragma once

#include "controller/app.h"
#include "controller/http/http.h"

struct events;

int events_new(struct app *app, struct events **ret) _must_check_;
/** After the HTTP server has stopped. NULL-safe. */
void events_free(struct events *e);
extern const struct http_route events_routes[];

/** Publishes on the loop thread; takes over `data`. NULL-safe in `e`. */
void events_publish(struct events *e, const char *type, json_t *data);

/** Calls `fn` on the loop thread after each event of this type (a literal). One listener in all. */
void events_listen(struct events *e, const char *type, void (*fn)(void *user), void *user);

struct events_stats {
	uint64_t published;
	uint64_t delivered;   /**< writes to browsers, each with one or more events */
	uint64_t subscribers; /**< now */
};
void events_stats(const struct events *e, struct events_stats *ret);
