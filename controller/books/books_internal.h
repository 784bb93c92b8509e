/* SPDX-License-Identifier: Apache-2.0 */
/** @file What the files of the books share among themselves. */
#pragma once

#include "common/epc.h"
#include "common/sql.h"
#include "controller/books/books.h"
#include "controller/books/reconcile.h"
#include "controller/db/db.h"
#include "controller/http/idempotency.h"
#include "controller/http/list.h"
#include "controller/inventory/inventory.h"
#include "controller/people/auth.h"
#include "controller/shop/shop.h"
#include "controller/shop/shop_work.h"

#define BOOKS_QUANTITY_MAX  1000000
#define BOOKS_TEXT_MAX      120 /**< bytes of a reference, a till's number, a reason */
#define BOOKS_AHEAD_US      (300 * US_PER_SEC) /**< how far a till's clock may be ahead */
#define BOOKS_LOOK_BACK_US  (90 * 24 * 3600 * US_PER_SEC) /**< of sold EPCs, as the item log */
#define BOOKS_EPC_KEY_BYTES 16

struct books_view;

struct books {
	struct app *app;
	int64_t grace_us;
	uint8_t epc_key[BOOKS_EPC_KEY_BYTES]; /**< makes books_key_of() unguessable */
	bool importing;                       /**< one import at a time */
	uint64_t changes; /**< writes that a view made before them does not know */

	/* view.c */
	struct books_view *view;
	struct view_job *building;
	struct view_waiter *waiters;
};

/** A write begun by a request. Embed it first in the struct that db_write() gets. */
struct books_op {
	struct http_request *rq;
	struct books *books;
	struct idempotency once;
	char who[AUTH_WHO_MAX];
};
void books_op_init(struct books_op *op, struct http_request *rq, struct app *app);
/** Marks the view as old, and tells pages. */
void books_changed(struct books *b);
/** What a `done` does first: replies for a failed write and returns false; after a good one marks
 * the view as old. */
bool books_op_done(struct books_op *op, int err, const char *what);

/** A 64-bit name of an EPC within this process, never 0. Any thread. */
uint64_t books_key_of(const struct books *b, const struct epc *epc);

/** The GTIN that a tag's EPC names, 0 if none. */
uint64_t books_gtin_of(const struct epc *epc);
/** The product of a GTIN, 0 if there is none; negative on failure. Any thread. */
int64_t books_product_of(struct sql *s, uint64_t gtin);
bool books_product_exists(struct sql *s, int64_t product_id);
/** Sets product_id and name in `o`, null if no product has this GTIN. */
void books_name_product(struct sql *s, uint64_t gtin, json_t *o);
json_t *books_time_json(int64_t at_us);
/** null for 0. */
json_t *books_place_id_json(uint32_t place);
json_t *books_place_name_json(const struct books *b, uint32_t place);
/** The place of a body's or query's number: 0 = none given. Replies 422 and returns false if there
 * is no such place. */
bool books_place_read(struct http_request *rq, struct books *b, const json_t *v, uint32_t *ret);

/** Errors of a JSON body, by pointer. */
struct books_errors {
	json_t *list;
	uint64_t count;
};
void books_wrong(struct books_errors *e, const char *pointer, const char *code, const char *fmt,
		 ...) _printf_(4, 5);
/** Replies 422 with them and returns true if there are any; releases the list. */
bool books_errors_reply(struct http_request *rq, struct books_errors *e, const char *what);
/** Text of a JSON string without control characters, at most BOOKS_TEXT_MAX bytes. */
bool books_text_read(const json_t *v, char ret[BOOKS_TEXT_MAX + 1]);
/** RFC 3339. */
bool books_time_read(const json_t *v, int64_t *ret_us);

/* --- figures (stock_api.c) --- */

struct book_figure {
	int64_t product_id;
	uint32_t place;
	int64_t quantity;
	int64_t as_of_us;
};
/** Appends a figure and, unless a newer one is there, makes it the present one. */
int book_append(struct sql *s, const struct book_figure *f, int64_t now_us, const char *who,
		const char *source, const char *reason) _must_check_;

/* Routes of the parts. */
void stock_import(struct http_request *rq, struct app *app);
void stock_put(struct http_request *rq, struct app *app);
void stock_figures(struct http_request *rq, struct app *app);
void sales_post(struct http_request *rq, struct app *app);
void sales_get(struct http_request *rq, struct app *app);
void deliveries_post(struct http_request *rq, struct app *app);
void deliveries_list(struct http_request *rq, struct app *app);
void deliveries_get(struct http_request *rq, struct app *app);
void deliveries_receive(struct http_request *rq, struct app *app);
void deliveries_cancel(struct http_request *rq, struct app *app);
void differences_list(struct http_request *rq, struct app *app);
void differences_strangers(struct http_request *rq, struct app *app);
void differences_get(struct http_request *rq, struct app *app);
void differences_settle(struct http_request *rq, struct app *app);
