/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * What browsers hear live: a ring of small JSON events, numbered from 1, served at /api/v1/events as
 * server-sent events with Last-Event-ID. A client that fell behind the ring gets `event: reset` and
 * fetches anew. Each event says what changed and carries the new values.
 *
 *   price    {product_id, price_minor, currency, from}
 *   product  {id}                      product created or edited; {} after an import
 *   label    the label object of GET /labels/{id}
 *   stock    {product_id, place_id, count}
 *   item     {epc, product_id, place_id, from_place_id, at, confidence}
 *   agent    the agent object of GET /agents
 */
#pragma once

#include <jansson.h>

struct events;

/** Publishes on the loop thread; takes over `data`. */
void events_publish(struct events *e, const char *type, json_t *data);
