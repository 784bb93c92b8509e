/* SPDX-License-Identifier: Apache-2.0 */
#include "common/epc_scheme.h"
#include "common/err.h"
#include "common/gtin.h"
#include "controller/app_config.h"
#include "controller/books/books_internal.h"
#include "controller/books/view.h"
#include "controller/http/events.h"
#include "controller/shop/csv_sheet.h"
#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FEED_MAX_BODY (1u << 20)
#define ERRORS_MAX    1000

const struct http_route books_routes[] = {
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/books/stock", PERM_VIEW, 0, stock_figures},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/books/stock/import", PERM_BOOKS, CSV_SHEET_MAX_BODY,
	 stock_import},
	{HTTP_PUBLIC, HTTP_PUT, "/api/v1/books/stock/{}", PERM_BOOKS, 0, stock_put},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/sales", PERM_VIEW, 0, sales_get},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/sales", PERM_SALES, FEED_MAX_BODY, sales_post},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/deliveries", PERM_VIEW, 0, deliveries_list},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/deliveries", PERM_BOOKS, FEED_MAX_BODY, deliveries_post},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/deliveries/{}", PERM_VIEW, 0, deliveries_get},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/deliveries/{}/receive", PERM_BOOKS, FEED_MAX_BODY,
	 deliveries_receive},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/deliveries/{}/cancel", PERM_BOOKS, 0, deliveries_cancel},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/differences", PERM_VIEW, 0, differences_list},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/differences/strangers", PERM_VIEW, 0,
	 differences_strangers},
	{HTTP_PUBLIC, HTTP_GET, "/api/v1/differences/{}", PERM_VIEW, 0, differences_get},
	{HTTP_PUBLIC, HTTP_POST, "/api/v1/differences/{}/settle", PERM_BOOKS, 0,
	 differences_settle},
	{.path = NULL},
};

int books_new(struct app *app, struct books **ret)
{
	struct books *b = calloc(1, sizeof *b);

	if (!b)
		return -ENOMEM;
	b->app = app;
	b->grace_us = app->config->books_grace_s * US_PER_SEC;
	randombytes_buf(b->epc_key, sizeof b->epc_key);
	*ret = b;
	return 0;
}

void books_free(struct books *b)
{
	if (!b)
		return;
	/* A job may end in a write, and a write in another job. */
	for (int i = 0; i < 8; i++) {
		shop_work_drain(shop_pool(b->app->shop));
		db_drain(b->app->db);
	}
	books_view_done(b);
	free(b);
}

/* --- writes ------------------------------------------------------------------------------------
 */

void books_op_init(struct books_op *op, struct http_request *rq, struct app *app)
{
	op->rq = rq;
	op->books = app->books;
	auth_who_text(http_who(rq), op->who);
}

void books_changed(struct books *b)
{
	b->changes++;
	events_publish(b->app->events, "difference", json_object());
}

bool books_op_done(struct books_op *op, int err, const char *what)
{
	if (err < 0) {
		http_reply_err(op->rq, err, what);
		return false;
	}
	books_changed(op->books);
	return true;
}

/* --- EPCs, products, places --------------------------------------------------------------------
 */

uint64_t books_key_of(const struct books *b, const struct epc *epc)
{
	uint8_t hash[crypto_shorthash_BYTES], in[EPC_MAX_BYTES + 2];
	size_t n = epc_bytes(epc);
	uint64_t key;

	_Static_assert(sizeof b->epc_key == crypto_shorthash_KEYBYTES, "the key of shorthash");
	memcpy(in, epc->data, n);
	in[n] = (uint8_t) (epc->bits >> 8);
	in[n + 1] = (uint8_t) epc->bits;
	crypto_shorthash(hash, in, n + 2, b->epc_key);
	memcpy(&key, hash, sizeof key);
	return key ? key : 1;
}

uint64_t books_gtin_of(const struct epc *epc)
{
	struct epc_id id;

	return epc_decode(epc, &id) < 0 ? 0 : epc_id_gtin(&id);
}

int64_t books_product_of(struct sql *s, uint64_t gtin)
{
	char name[8];
	int64_t id;
	int r = shop_product_by_gtin(s, gtin, &id, name, sizeof name);

	return r == -ENOENT ? 0 : r < 0 ? r : id;
}

bool books_product_exists(struct sql *s, int64_t product_id)
{
	struct sql_stmt *q = sql_prepare(s, "SELECT 1 FROM products WHERE id = ?");
	bool there;

	sql_bind_i64(q, 1, product_id);
	there = sql_step(q) > 0;
	sql_reset(q);
	return there;
}

void books_name_product(struct sql *s, uint64_t gtin, json_t *o)
{
	char name[400];
	int64_t id;
	bool known = gtin && shop_product_by_gtin(s, gtin, &id, name, sizeof name) == 0;

	json_object_set_new(o, "product_id", known ? json_integer(id) : json_null());
	json_object_set_new(o, "name", known ? json_string(name) : json_null());
}

json_t *books_time_json(int64_t at_us)
{
	char text[CLOCK_RFC3339_MAX];

	return at_us ? json_string(clock_rfc3339(at_us, text)) : json_null();
}

json_t *books_place_id_json(uint32_t place)
{
	return place ? json_integer(place) : json_null();
}

json_t *books_place_name_json(const struct books *b, uint32_t place)
{
	const char *name = place ? inventory_place_name(b->app->inventory, place, NULL) : NULL;

	return name ? json_string(name) : json_null();
}

bool books_place_read(struct http_request *rq, struct books *b, const json_t *v, uint32_t *ret)
{
	json_int_t id = json_integer_value(v);

	*ret = 0;
	if (!v || json_is_null(v))
		return true;
	if (!json_is_integer(v) || id <= 0 || id > UINT32_MAX ||
	    !inventory_place_name(b->app->inventory, (uint32_t) id, NULL)) {
		http_problem(rq, 422, "no-such-place", "place_id names no place of this store.");
		return false;
	}
	*ret = (uint32_t) id;
	return true;
}

/* --- bodies ------------------------------------------------------------------------------------
 */

void books_wrong(struct books_errors *e, const char *pointer, const char *code, const char *fmt,
		 ...)
{
	char detail[160];
	va_list ap;

	if (e->count++ >= ERRORS_MAX)
		return;
	if (!e->list)
		e->list = json_array();
	va_start(ap, fmt);
	vsnprintf(detail, sizeof detail, fmt, ap);
	va_end(ap);
	json_array_append_new(e->list, json_pack("{s:s,s:s,s:s}", "pointer", pointer, "code", code,
						 "detail", detail));
}

bool books_errors_reply(struct http_request *rq, struct books_errors *e, const char *what)
{
	if (!e->count)
		return false;
	http_problem_errors(rq, 422, "bad-body", TAKE_PTR(e->list),
			    "%s: %llu errors; nothing was taken.", what,
			    (unsigned long long) e->count);
	return true;
}

bool books_text_read(const json_t *v, char ret[BOOKS_TEXT_MAX + 1])
{
	size_t n = json_string_length(v);
	const char *text = json_string_value(v);

	if (!text || n > BOOKS_TEXT_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char) text[i] < 0x20 || text[i] == 0x7f)
			return false;
	memcpy(ret, text, n + 1);
	return true;
}

bool books_time_read(const json_t *v, int64_t *ret_us)
{
	const char *text = json_string_value(v);

	return text && clock_parse_rfc3339(text, ret_us) == 0 && *ret_us > 0;
}
