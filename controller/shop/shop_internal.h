/* SPDX-License-Identifier: Apache-2.0 */
/** @file What the files of the shop share among themselves. */
#pragma once

#include "common/sql.h"
#include "controller/app_config.h"
#include "controller/db/db.h"
#include "controller/http/events.h"
#include "controller/http/idempotency.h"
#include "controller/people/auth.h"
#include "controller/shop/image_store.h"
#include "controller/shop/price_text.h"
#include "controller/shop/shop.h"
#include "controller/shop/shop_work.h"

struct wanted;
struct desired;
struct label_escrow;
struct picture_keep;

struct shop {
	struct app *app;
	struct currency currency;
	struct shop_work *work;
	struct image_store *images;
	struct wanted *wanted;
	struct desired *desired;
	struct label_escrow *escrow;
	struct picture_keep *keep;
	bool importing; /**< one import at a time */
	struct shop_stats stats;
};

/** A write begun by a request. Embed it first in the struct that db_write() gets. */
struct shop_op {
	struct http_request *rq;
	struct shop *shop;
	int64_t user_id;
	char who[AUTH_WHO_MAX];
};
void shop_op_init(struct shop_op *op, struct http_request *rq, struct app *app);

/** Why a write refuses what was asked, found out inside it; the reply is made afterwards. */
struct shop_refusal {
	unsigned int status; /**< 0 = it does not refuse */
	const char *code;
	char detail[200];
};
/** Notes it. Returns -ERR_STATE, which undoes the write. */
int shop_refuse(struct shop_refusal *r, unsigned int status, const char *code, const char *fmt, ...)
	_printf_(4, 5);
/** Replies to a write that failed: with its refusal, with the answer that the same Idempotency-Key
 * got meanwhile, or with the error. `again` may be NULL. */
void shop_reply_failed(const struct shop_op *op, const struct shop_refusal *why,
		       struct idempotency *again, int err, const char *what);

/** The number in the i-th {} of the path; replies 404 and returns false if it is none. */
bool shop_arg_id(struct http_request *rq, size_t i, int64_t *ret);

/* Routes of the parts. */
void product_api_list(struct http_request *rq, struct app *app);
void product_api_get(struct http_request *rq, struct app *app);
void product_api_by_gtin(struct http_request *rq, struct app *app);
void product_api_create(struct http_request *rq, struct app *app);
void product_api_patch(struct http_request *rq, struct app *app);
void product_api_import(struct http_request *rq, struct app *app);
void price_api_create(struct http_request *rq, struct app *app);
void price_api_list(struct http_request *rq, struct app *app);
void price_api_undo(struct http_request *rq, struct app *app);
void label_api_list(struct http_request *rq, struct app *app);
void label_api_get(struct http_request *rq, struct app *app);
void label_api_link(struct http_request *rq, struct app *app);
void label_api_unlink(struct http_request *rq, struct app *app);
void label_api_links(struct http_request *rq, struct app *app);
void label_api_links_import(struct http_request *rq, struct app *app);
void label_api_links_undo(struct http_request *rq, struct app *app);
void label_api_flash(struct http_request *rq, struct app *app);
void label_api_read(struct http_request *rq, struct app *app);
void label_api_readings(struct http_request *rq, struct app *app);
void label_api_pick(struct http_request *rq, struct app *app);
void label_api_pick_stop(struct http_request *rq, struct app *app);
void label_api_replace(struct http_request *rq, struct app *app);
void label_api_image(struct http_request *rq, struct app *app);
void label_api_history(struct http_request *rq, struct app *app);
void label_bonds_get(struct http_request *rq, struct app *app);
void label_bonds_post(struct http_request *rq, struct app *app);
void label_api_preview(struct http_request *rq, struct app *app);
void label_report_post(struct http_request *rq, struct app *app);
void desired_get(struct http_request *rq, struct app *app);
void desired_image_get(struct http_request *rq, struct app *app);
