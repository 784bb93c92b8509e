/* SPDX-License-Identifier: Apache-2.0 */
/** @file What the handlers of promotions share among themselves. */
#pragma once

#include "controller/promo/promo.h"
#include "controller/promo/promotion_read.h"
#include "controller/shop/shop_internal.h"

/** The promotion that the path names; replies and returns false if there is none. */
bool promotion_api_load(struct http_request *rq, struct app *app, struct promotion *ret);
/** A promotion with the store's zone and currency, and nothing else. */
void promotion_init(struct promotion *p, const struct app *app);
/** Replies 422 if there are faults; takes r->errors over in any case. */
bool promotion_reply_faults(struct http_request *rq, struct promotion_reading *r);

void promotion_api_preview(struct http_request *rq, struct app *app);
void promotion_api_products(struct http_request *rq, struct app *app);
void promotion_api_labels(struct http_request *rq, struct app *app);
void promotion_api_progress(struct http_request *rq, struct app *app);
void price_history_get(struct http_request *rq, struct app *app);
