/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * gondolad's context, and the map of this room.
 *
 *     main.c          options, state directory lock, signals; owns nothing else
 *     app.c           starts and stops the parts below in order, ties their hooks together
 *     http/           the only door to libmicrohttpd: two TLS listeners on the loop thread, routes,
 *                     requests that are answered exactly once, event streams, files of the web page
 *     db/             the SQLite writer thread with group commit, migrations, LMDB
 *     keeping/        the whole store in one sealed file, and back; how long evidence is kept
 *     people/         who a person is: passwords, sessions, tokens, throttling; who did what
 *     fleet/          who an agent is: the store's authority, join codes, readers, health, advice
 *     incidents/      what a person should look at, with the evidence and the next step
 *     tags/           reading, writing and locking tags at a reader
 *     shop/           a price to a shelf: products, the ledger, labels, pictures
 *     promo/          what the shelf shows at any instant: promotions over the regular price
 *     rollout/        prices that go out in waves
 *     inventory/      a read to a stock figure: ingest, belief, places, doors
 *     books/          what should be there: book stock, sales, deliveries, differences
 *     ctl/            gondolactl, over the public API and nothing else
 *
 * Everything runs on the loop thread, except functions given to db_write() (writer thread) and to
 * loop_work() (pool). A request walks: listener -> route -> caller established (auth, fleet) ->
 * permission -> body -> handler -> db_write() -> reply after the commit -> events_publish().
 *
 * Parts that are NULL have not been started: tests start only what they need.
 */
#pragma once

#include "common/loop.h"

struct app {
	struct loop *loop;
	const struct clock *clock;
	const struct app_config *config; /**< app_config.h */
	struct db *db;                   /**< db.h */
	struct http_server *http;        /**< http.h */
	struct events *events;           /**< events.h */
	struct auth *auth;               /**< auth.h: users, sessions, throttling */
	struct ca *ca;                   /**< ca.h: the store's certificate authority */
	struct fleet *fleet;             /**< fleet.h: agents, readers, join codes */
	struct shop *shop;           /**< shop.h: products, prices, labels, wanted state, images */
	struct rollouts *rollouts;   /**< rollout.h: price changes in waves */
	struct inventory *inventory; /**< inventory.h: where every item is */

	struct books *books; /**< books.h: book stock, sales, deliveries, differences */

	struct retention *retention; /**< retention.h: how long evidence is kept */

	struct backup *backup; /**< backup.h: a copy of everything while it runs */

	struct tags *tags;           /**< tags.h: operations on tags */
	struct incidents *incidents; /**< incidents.h: what a person should look at */

	struct loop_timer *renew; /**< app.c: the server certificate's next look */

	/** Who wants to know that an agent's desired state changed: app_on_desired_changed(). */
	void (*desired_changed)(void *user, int64_t agent_id);
	void *desired_changed_user;
	/** Who wants to know that labels have said something: app_on_labels_reported(). */
	void (*labels_reported)(void *user);
	void *labels_reported_user;
};

/** Starts every part of a daemon that has `loop` and `config` set. On failure everything is stopped
 * again and *ret_what names the part that failed. */
int app_start(struct app *app, const char **ret_what) _must_check_;
/** Stops in order: no new connections, queued writes finish and are answered, the rest gets 503. */
void app_stop(struct app *app);

/** Shows new connections a new server certificate if the present one is gone or nears its end. */
void app_renew_certificate(struct app *app);

/** Registers the one listener (the owner of the agents' long poll). */
void app_on_desired_changed(struct app *app, void (*fn)(void *user, int64_t agent_id), void *user);
/** Tells it, on the loop thread, that what this agent should be has a new revision. */
void app_desired_changed(struct app *app, int64_t agent_id);

/** Registers the one listener (the rollouts). */
void app_on_labels_reported(struct app *app, void (*fn)(void *user), void *user);
/** Tells it, on the loop thread, that reports of labels have been committed. */
void app_labels_reported(struct app *app);
