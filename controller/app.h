/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * gondolad's context: what one part of the controller may reach of the others. Made in app.c, passed
 * to every handler. Parts that are NULL have not been started (tests start only what they need).
 */
#pragma once

#include "common/loop.h"

struct app {
	struct loop *loop;
	const struct clock *clock;
	const struct app_config *config; /**< app.c */
	struct db *db;                   /**< db.h */
	struct http_server *http;        /**< http.h */
	struct events *events;           /**< events.h */
	struct auth *auth;               /**< auth.h: users, sessions, throttling */
	struct ca *ca;                   /**< ca.h: the store's certificate authority */
	struct fleet *fleet;             /**< fleet.h: agents, readers, join codes */
	struct shop *shop;               /**< shop.h: products, prices, labels, wanted state, images */
	struct inventory *inventory;     /**< inventory.h: where every item is */
};
