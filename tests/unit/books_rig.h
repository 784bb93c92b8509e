/* SPDX-License-Identifier: Apache-2.0 */
/** @file Books with a real inventory behind them, in virtual time. */
#pragma once

#include "tests/unit/test_label_env.h"

#include "common/log.h"
#include "controller/books/books.h"
#include "controller/inventory/inventory.h"
#include <stdio.h>
#include <string.h>

#define GTIN   "04006381333931"
#define GTIN2  "04012345678901"
#define GRACE  1800
#define MINUTE (60 * US_PER_SEC)

static const char *const as_csv[] = {"Content-Type", "text/csv", NULL};

static uint64_t next_seq;

static inline void start_books(struct env *e)
{
	e->config.inventory_checkpoint_s = 3600;
	e->config.inventory_max_items = 10000;
	e->config.books_grace_s = GRACE;
	assert_int_equal(inventory_new(&e->app, &e->app.inventory), 0);
	http_add_routes(e->app.http, inventory_routes);
	assert_int_equal(books_new(&e->app, &e->app.books), 0);
	http_add_routes(e->app.http, books_routes);
}

static inline int setup(void **state)
{
	int r = env_setup(state);
	struct env *e = *state;

	if (r < 0)
		return r;
	next_seq = 1;
	start_books(e);
	env_call(e, "POST", "/api/v1/places", "{\"name\":\"Floor\",\"kind\":\"sales-floor\"}");
	env_call(e, "POST", "/api/v1/places", "{\"name\":\"Back\",\"kind\":\"back-room\"}");
	env_call(e, "POST", "/api/v1/places", "{\"name\":\"Door\",\"kind\":\"exit\"}");
	for (int i = 1; i <= 3; i++) {
		char uri[64], body[32];

		snprintf(uri, sizeof uri, "/api/v1/antennas/1/dock/%d", i);
		snprintf(body, sizeof body, "{\"place_id\":%d}", i);
		assert_int_equal(env_call(e, "PUT", uri, body), 200);
	}
	env_new_product(e, GTIN, "Tea", "1.99");
	env_new_product(e, GTIN2, "Jam", "2.99");
	return 0;
}

static inline int teardown(void **state)
{
	struct env *e = *state;

	db_drain(e->app.db);
	http_server_stop(e->app.http);
	books_free(e->app.books);
	e->app.books = NULL;
	inventory_free(e->app.inventory);
	e->app.inventory = NULL;
	return env_teardown(state);
}

/* A tag of GTIN (product 1) or GTIN2 (2), or of a number that no product has (3). */
static inline const char *epc(int product, int serial, char buf[EPC_HEX_MAX])
{
	static const uint64_t gtins[] = {4006381333931, 4012345678901, 4003994155486};
	struct sgtin s = {
		.gtin = gtins[product - 1], .serial = (uint64_t) serial, .prefix_digits = 7};
	struct epc e;

	assert_int_equal(sgtin96_encode(&s, &e), 0);
	return epc_to_hex(&e, buf);
}

static inline void sight(struct env *e, const char *hex, uint16_t antenna, enum sighting_kind kind)
{
	struct proto_source source = {"dock", antenna};
	int64_t now_us = clock_real_us(e->app.clock);
	struct proto_sighting s = {.kind = (uint8_t) kind,
				   .first_us = now_us,
				   .last_us = now_us,
				   .count = 3,
				   .rssi_cdbm = -5500,
				   .peak_cdbm = -5400};
	struct proto_sightings m = {.journal_id = {1},
				    .first_seq = next_seq++,
				    .n_sources = 1,
				    .sources = &source,
				    .n = 1,
				    .sightings = &s};
	_cleanup_buf_ struct buf b = BUF_INIT;

	assert_int_equal(epc_from_hex(hex, &s.epc), 0);
	assert_int_equal(proto_sightings_encode(&m, &b), 0);
	env_agent(e, 1, "POST", "/agent/v1/sightings", b.data, b.len);
	while (!e->answered)
		loop_run_once(e->loop, 0);
	assert_int_equal(e->status, 200);
}

static inline void stock_items(struct env *e, int product, int n, uint16_t antenna)
{
	char hex[EPC_HEX_MAX];

	for (int i = 1; i <= n; i++)
		sight(e, epc(product, i, hex), antenna, SIGHTING_APPEAR);
}

/* Nobody hears it any more, and the belief has given up on it. */
static inline void goes(struct env *e, int product, int serial, uint16_t antenna)
{
	char hex[EPC_HEX_MAX];

	sight(e, epc(product, serial, hex), antenna, SIGHTING_GONE);
	env_advance(e, MINUTE);
}

static inline unsigned int import(struct env *e, const char *uri, const char *csv)
{
	return env_call_as(e, PERM_BOOKS, "POST", uri, as_csv, csv, strlen(csv));
}

static inline void book(struct env *e, int product, int quantity)
{
	char uri[48], body[48];

	snprintf(uri, sizeof uri, "/api/v1/books/stock/%d", product);
	snprintf(body, sizeof body, "{\"quantity\":%d}", quantity);
	assert_int_equal(env_call(e, "PUT", uri, body), 200);
	env_advance(e, MINUTE);
}

/* {"sales":[{"id":..,"at":now - ago,"till":"1","lines":[LINE]}]} */
static inline unsigned int sell(struct env *e, const char *id, int minutes_ago, const char *line)
{
	char at[CLOCK_RFC3339_MAX], body[400];

	clock_rfc3339(clock_real_us(e->app.clock) - minutes_ago * MINUTE, at);
	snprintf(body, sizeof body,
		 "{\"sales\":[{\"id\":\"%s\",\"at\":\"%s\",\"till\":\"1\",\"lines\":[%s]}]}", id,
		 at, line);
	return env_call_as(e, PERM_SALES, "POST", "/api/v1/sales", NULL, body, strlen(body));
}

static inline void difference(struct env *e, int product, const char *reason, int expected,
			      int seen)
{
	char uri[64];

	snprintf(uri, sizeof uri, "/api/v1/differences?product_id=%d", product);
	assert_int_equal(env_call(e, "GET", uri, NULL), 200);
	assert_string_equal(env_text(e, "items.0.reason.code"), reason);
	assert_int_equal(env_int(e, "items.0.expected"), expected);
	assert_int_equal(env_int(e, "items.0.seen"), seen);
	/* The page of the product tells the same. */
	snprintf(uri, sizeof uri, "/api/v1/differences/%d", product);
	assert_int_equal(env_call(e, "GET", uri, NULL), 200);
	assert_string_equal(env_text(e, "reason.code"), reason);
	assert_int_equal(env_int(e, "expected"), expected);
	assert_int_equal(env_int(e, "ledger.0.running"), expected);
}
