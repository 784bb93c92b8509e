/* SPDX-License-Identifier: Apache-2.0 */
/* The books through their doors: figures, sales and deliveries in, differences out, in virtual time
 * and with a real inventory behind them. */
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

static void start_books(struct env *e)
{
	e->config.inventory_checkpoint_s = 3600;
	e->config.inventory_max_items = 10000;
	e->config.books_grace_s = GRACE;
	assert_int_equal(inventory_new(&e->app, &e->app.inventory), 0);
	http_add_routes(e->app.http, inventory_routes);
	assert_int_equal(books_new(&e->app, &e->app.books), 0);
	http_add_routes(e->app.http, books_routes);
}

static int setup(void **state)
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

static int teardown(void **state)
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
static const char *epc(int product, int serial, char buf[EPC_HEX_MAX])
{
	static const uint64_t gtins[] = {4006381333931, 4012345678901, 4003994155486};
	struct sgtin s = {
		.gtin = gtins[product - 1], .serial = (uint64_t) serial, .prefix_digits = 7};
	struct epc e;

	assert_int_equal(sgtin96_encode(&s, &e), 0);
	return epc_to_hex(&e, buf);
}

static void sight(struct env *e, const char *hex, uint16_t antenna, enum sighting_kind kind)
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

static void stock_items(struct env *e, int product, int n, uint16_t antenna)
{
	char hex[EPC_HEX_MAX];

	for (int i = 1; i <= n; i++)
		sight(e, epc(product, i, hex), antenna, SIGHTING_APPEAR);
}

/* Nobody hears it any more, and the belief has given up on it. */
static void goes(struct env *e, int product, int serial, uint16_t antenna)
{
	char hex[EPC_HEX_MAX];

	sight(e, epc(product, serial, hex), antenna, SIGHTING_GONE);
	env_advance(e, MINUTE);
}

static unsigned int import(struct env *e, const char *uri, const char *csv)
{
	return env_call_as(e, PERM_BOOKS, "POST", uri, as_csv, csv, strlen(csv));
}

static void book(struct env *e, int product, int quantity)
{
	char uri[48], body[48];

	snprintf(uri, sizeof uri, "/api/v1/books/stock/%d", product);
	snprintf(body, sizeof body, "{\"quantity\":%d}", quantity);
	assert_int_equal(env_call(e, "PUT", uri, body), 200);
	env_advance(e, MINUTE);
}

/* {"sales":[{"id":..,"at":now - ago,"till":"1","lines":[LINE]}]} */
static unsigned int sell(struct env *e, const char *id, int minutes_ago, const char *line)
{
	char at[CLOCK_RFC3339_MAX], body[400];

	clock_rfc3339(clock_real_us(e->app.clock) - minutes_ago * MINUTE, at);
	snprintf(body, sizeof body,
		 "{\"sales\":[{\"id\":\"%s\",\"at\":\"%s\",\"till\":\"1\",\"lines\":[%s]}]}", id,
		 at, line);
	return env_call_as(e, PERM_SALES, "POST", "/api/v1/sales", NULL, body, strlen(body));
}

static void difference(struct env *e, int product, const char *reason, int expected, int seen)
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

/* --- book stock --- */

static void file_of_books_is_taken_as_a_whole(void **state)
{
	struct env *e = *state;

	assert_int_equal(import(e, "/api/v1/books/stock/import?dry_run=1",
				"gtin;quantity;place;as_of\n" GTIN ";3;Floor;2026-11-01T06:00:00Z\n"
				"4006381333931;2;back;\n" GTIN2 ";-1;;\n"),
			 200);
	assert_int_equal(env_int(e, "rows"), 3);
	assert_int_equal(env_int(e, "changed"), 3);
	assert_int_equal(env_number(e, "SELECT count(*) FROM book_stock"), 0);
	assert_int_equal(import(e, "/api/v1/books/stock/import",
				"gtin;quantity;place;as_of\n" GTIN ";3;Floor;2026-11-01T06:00:00Z\n"
				"4006381333931;2;back;\n" GTIN2 ";-1;;\n"),
			 200);
	assert_int_equal(env_number(e, "SELECT sum(quantity) FROM book_now"), 4);
	assert_int_equal(env_number(e, "SELECT count(*) FROM audit WHERE action = 'books.import'"),
			 1);
	assert_int_equal(env_call(e, "GET", "/api/v1/books/stock?q=tea", NULL), 200);
	assert_string_equal(env_text(e, "items.1.place"), "Back");
	assert_string_equal(env_text(e, "items.0.as_of"), "2026-11-01T06:00:00.000Z");
}

static void one_bad_row_takes_nothing(void **state)
{
	struct env *e = *state;

	assert_int_equal(import(e, "/api/v1/books/stock/import",
				"gtin,quantity,as_of\n" GTIN ",3,\n" GTIN2 ",x,\n" GTIN2
				",1,tomorrow\n04006381333932,1,\n" GTIN
				",4,2099-01-01T00:00:00Z\n"),
			 422);
	assert_int_equal(env_int(e, "error_count"), 6);
	assert_string_equal(env_text(e, "errors.0.code"), "bad-quantity");
	assert_int_equal(env_int(e, "errors.0.line"), 3);
	assert_int_equal(env_int(e, "errors.0.column"), 2);
	assert_string_equal(env_text(e, "errors.1.code"), "bad-time");
	assert_string_equal(env_text(e, "errors.2.code"), "duplicate-gtin");
	assert_string_equal(env_text(e, "errors.3.code"), "bad-check-digit");
	assert_string_equal(env_text(e, "errors.4.code"), "in-the-future");
	assert_int_equal(import(e, "/api/v1/books/stock/import",
				"gtin,quantity,place\n" GTIN ",3,Moon\n04003994155486,1,\n"),
			 422);
	assert_string_equal(env_text(e, "errors.0.code"), "unknown-place");
	assert_int_equal(env_int(e, "errors.0.column"), 3);
	assert_string_equal(env_text(e, "errors.1.code"), "unknown-gtin");
	assert_int_equal(import(e, "/api/v1/books/stock/import", "gtin,price\n"), 422);
	assert_int_equal(env_number(e, "SELECT count(*) FROM book_stock"), 0);
}

static void older_figure_is_kept_and_does_not_count(void **state)
{
	struct env *e = *state;

	book(e, 1, 5);
	assert_int_equal(env_call(e, "PUT", "/api/v1/books/stock/1",
				  "{\"quantity\":9,\"as_of\":\"2026-01-01T00:00:00Z\"}"),
			 200);
	assert_int_equal(env_number(e, "SELECT quantity FROM book_now WHERE product_id = 1"), 5);
	assert_int_equal(env_call(e, "GET", "/api/v1/books/stock?product_id=1&history=1", NULL),
			 200);
	assert_int_equal(env_int(e, "items.0.quantity"), 9);
	assert_int_equal(env_int(e, "items.1.quantity"), 5);
}

static void books_cannot_be_rewritten(void **state)
{
	struct env *e = *state;

	book(e, 1, 5);
	assert_int_equal(sell(e, "1", 0, "{\"gtin\":\"" GTIN "\"}"), 200);
	assert_int_not_equal(env_sql(e, "UPDATE book_stock SET quantity = 1"), 0);
	assert_int_not_equal(env_sql(e, "DELETE FROM sale_lines"), 0);
	assert_int_not_equal(env_sql(e, "UPDATE sales SET at = 1"), 0);
}

static void bad_figures_are_refused(void **state)
{
	struct env *e = *state;
	static const char *const bodies[] = {
		"{}",
		"{\"quantity\":1.5}",
		"{\"quantity\":9999999}",
		"{\"quantity\":1,\"place_id\":77}",
		"{\"quantity\":1,\"as_of\":\"2099-01-01T00:00:00Z\"}",
		"{\"quantity\":1,\"reason\":5}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++)
		assert_int_equal(env_call(e, "PUT", "/api/v1/books/stock/1", bodies[i]), 422);
	assert_int_equal(env_call(e, "PUT", "/api/v1/books/stock/99", "{\"quantity\":1}"), 404);
	assert_int_equal(env_call(e, "POST", "/api/v1/differences/1/settle", "{\"quantity\":1}"),
			 422);
}

/* --- sales --- */

static void sale_counts_once_however_often_it_is_told(void **state)
{
	struct env *e = *state;

	assert_int_equal(sell(e, "17", 5, "{\"gtin\":\"" GTIN "\",\"quantity\":2}"), 200);
	assert_int_equal(env_int(e, "accepted"), 1);
	assert_int_equal(sell(e, "17", 5, "{\"gtin\":\"" GTIN "\",\"quantity\":2}"), 200);
	assert_int_equal(env_int(e, "accepted"), 0);
	assert_int_equal(env_int(e, "duplicates"), 1);
	assert_int_equal(env_number(e, "SELECT sum(quantity) FROM sale_lines"), 2);
	assert_int_equal(sell(e, "17", 5, "{\"gtin\":\"" GTIN "\",\"quantity\":3}"), 422);
	assert_string_equal(env_text(e, "errors.0.code"), "id-reused");
	assert_string_equal(env_text(e, "errors.0.pointer"), "/sales/0/id");
	assert_int_equal(env_number(e, "SELECT count(*) FROM sales"), 1);
}

static void sale_told_twice_in_one_call_counts_once(void **state)
{
	struct env *e = *state;
	static const char sale[] = "{\"id\":5,\"at\":\"2026-01-01T00:00:00Z\",\"lines\":[{\"gtin\":"
				   "\"" GTIN "\"}]}";
	char body[300];

	snprintf(body, sizeof body, "{\"sales\":[%s,%s]}", sale, sale);
	assert_int_equal(env_call(e, "POST", "/api/v1/sales", body), 200);
	assert_int_equal(env_int(e, "accepted"), 1);
	assert_int_equal(env_int(e, "duplicates"), 1);
	/* Another till may have the same number. */
	assert_int_equal(sell(e, "5", 0, "{\"gtin\":\"" GTIN "\"}"), 200);
	assert_int_equal(env_int(e, "accepted"), 1);
	assert_int_equal(env_number(e, "SELECT count(*) FROM sale_lines"), 2);
}

static void bad_sales_are_refused_by_pointer_and_nothing_is_taken(void **state)
{
	struct env *e = *state;
	static const struct {
		const char *body, *pointer, *code;
	} bad[] = {
		{"{}", "/sales", "bad-sales"},
		{"{\"sales\":[]}", "/sales", "bad-sales"},
		{"{\"sales\":[5]}", "/sales/0/id", "bad-id"},
		{"{\"sales\":[{\"id\":\"1\",\"at\":\"2026-01-01T00:00:00Z\",\"lines\":[]}]}",
		 "/sales/0/lines", "bad-lines"},
		{"{\"sales\":[{\"id\":\"1\",\"at\":\"noon\",\"lines\":[{\"gtin\":\"" GTIN "\"}]}]}",
		 "/sales/0/at", "bad-time"},
		{"{\"sales\":[{\"id\":1,\"at\":\"2099-01-01T00:00:00Z\",\"lines\":[{\"gtin\":"
		 "\"" GTIN "\"}]}]}",
		 "/sales/0/at", "in-the-future"},
		{"{\"sales\":[{\"id\":\"1\",\"at\":\"2026-01-01T00:00:00Z\",\"lines\":[{\"gtin\":"
		 "\"" GTIN "\"},{\"gtin\":\"4006381333932\"}]}]}",
		 "/sales/0/lines/1", "bad-check-digit"},
		{"{\"sales\":[{\"id\":\"1\",\"at\":\"2026-01-01T00:00:00Z\",\"lines\":[{\"epc\":"
		 "\"xyz\"}]}]}",
		 "/sales/0/lines/0", "bad-epc"},
		{"{\"sales\":[{\"id\":\"1\",\"at\":\"2026-01-01T00:00:00Z\",\"lines\":[{\"gtin\":"
		 "\"" GTIN "\",\"quantity\":0}]}]}",
		 "/sales/0/lines/0", "bad-quantity"},
		{"{\"sales\":[{\"id\":\"1\",\"at\":\"2026-01-01T00:00:00Z\",\"lines\":[{}]}]}",
		 "/sales/0/lines/0", "missing-gtin"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(env_call(e, "POST", "/api/v1/sales", bad[i].body), 422);
		assert_string_equal(env_text(e, "errors.0.pointer"), bad[i].pointer);
		assert_string_equal(env_text(e, "errors.0.code"), bad[i].code);
	}
	assert_int_equal(env_call(e, "POST", "/api/v1/sales", "[1"), 400);
	assert_int_equal(env_number(e, "SELECT count(*) FROM sales"), 0);
}

static void epc_of_another_gtin_is_a_mistake(void **state)
{
	struct env *e = *state;
	char line[160], hex[EPC_HEX_MAX];

	snprintf(line, sizeof line, "{\"gtin\":\"" GTIN2 "\",\"epc\":\"%s\"}", epc(1, 1, hex));
	assert_int_equal(sell(e, "1", 0, line), 422);
	assert_string_equal(env_text(e, "errors.0.code"), "gtin-mismatch");
}

static void sales_are_listed_by_product(void **state)
{
	struct env *e = *state;

	assert_int_equal(sell(e, "1", 9, "{\"gtin\":\"" GTIN "\"}"), 200);
	assert_int_equal(sell(e, "2", 5, "{\"gtin\":\"" GTIN2 "\",\"quantity\":-1}"), 200);
	assert_int_equal(env_call(e, "GET", "/api/v1/sales?product_id=1", NULL), 200);
	assert_string_equal(env_text(e, "items.0.id"), "1");
	assert_string_equal(env_text(e, "items.0.lines.0.name"), "Tea");
	assert_string_equal(env_text(e, "items.1.id"), "");
	assert_int_equal(env_call(e, "GET", "/api/v1/sales?limit=1", NULL), 200);
	assert_int_equal(env_int(e, "items.0.lines.0.quantity"), -1);
	assert_true(env_text(e, "next")[0]);
}

/* --- deliveries --- */

static void delivery_is_announced_seen_arriving_and_received(void **state)
{
	struct env *e = *state;
	char body[300], hex[EPC_HEX_MAX];

	book(e, 1, 0);
	snprintf(body, sizeof body,
		 "{\"reference\":\"DN 7\",\"supplier\":\"Leaf\",\"lines\":[{\"gtin\":\"" GTIN
		 "\",\"quantity\":2,\"epcs\":[\"%s\"]}]}",
		 epc(1, 1, hex));
	assert_int_equal(env_call(e, "POST", "/api/v1/deliveries", body), 201);
	assert_string_equal(env_text(e, "state"), "announced");
	assert_int_equal(env_call(e, "POST", "/api/v1/deliveries", body), 409);
	sight(e, epc(1, 1, hex), 2, SIGHTING_APPEAR);
	assert_int_equal(env_call(e, "GET", "/api/v1/deliveries/1", NULL), 200);
	assert_string_equal(env_text(e, "state"), "arriving");
	assert_int_equal(env_int(e, "lines.0.seen"), 1);
	difference(e, 1, "delivery-open", 0, 1);
	assert_int_equal(env_call(e, "POST", "/api/v1/deliveries/1/receive",
				  "{\"lines\":[{\"gtin\":\"" GTIN "\",\"quantity\":1}]}"),
			 200);
	assert_string_equal(env_text(e, "state"), "received");
	difference(e, 1, "matching", 1, 1);
	assert_int_equal(env_call(e, "POST", "/api/v1/deliveries/1/receive", "{}"), 409);
	assert_int_equal(env_call(e, "POST", "/api/v1/deliveries/1/cancel", "{}"), 409);
	assert_int_equal(env_call(e, "POST", "/api/v1/deliveries/2/receive", "{}"), 404);
}

static void bad_deliveries_are_refused_by_pointer(void **state)
{
	struct env *e = *state;
	char body[300], hex[EPC_HEX_MAX];

	assert_int_equal(env_call(e, "POST", "/api/v1/deliveries", "{\"reference\":\"\"}"), 422);
	assert_string_equal(env_text(e, "errors.0.pointer"), "/reference");
	assert_string_equal(env_text(e, "errors.1.pointer"), "/lines");
	snprintf(body, sizeof body,
		 "{\"reference\":\"x\",\"lines\":[{\"gtin\":\"" GTIN
		 "\",\"quantity\":1,\"epcs\":[\"%s\"]}]}",
		 epc(2, 1, hex));
	assert_int_equal(env_call(e, "POST", "/api/v1/deliveries", body), 422);
	assert_string_equal(env_text(e, "errors.0.pointer"), "/lines/0/epcs/0");
	assert_string_equal(env_text(e, "errors.0.code"), "gtin-mismatch");
	assert_int_equal(env_number(e, "SELECT count(*) FROM deliveries"), 0);
}

/* --- differences --- */

static void theft_is_a_difference_and_a_sale_is_not(void **state)
{
	struct env *e = *state;
	char line[120], hex[EPC_HEX_MAX];

	stock_items(e, 1, 4, 1);
	book(e, 1, 4);
	difference(e, 1, "matching", 4, 4);
	goes(e, 1, 1, 1);
	difference(e, 1, "not-yet-sold-feed", 4, 3);
	snprintf(line, sizeof line, "{\"epc\":\"%s\"}", epc(1, 1, hex));
	assert_int_equal(sell(e, "1", 1, line), 200);
	difference(e, 1, "matching", 3, 3);
	goes(e, 1, 2, 1);
	env_advance(e, GRACE * US_PER_SEC);
	difference(e, 1, "missing", 3, 2);
	assert_string_equal(env_text(e, "items.0.epc"), epc(1, 2, hex));
	assert_string_equal(env_text(e, "items.0.reason.code"), "missing");
	assert_string_equal(env_text(e, "items.0.place"), "Floor");
	assert_int_equal(env_call(e, "GET", "/api/v1/differences?reason=missing", NULL), 200);
	assert_int_equal(env_int(e, "items.0.product_id"), 1);
	assert_int_equal(env_int(e, "summary.missing_items"), 1);
	assert_int_equal(env_call(e, "POST", "/api/v1/differences/1/settle",
				  "{\"quantity\":2,\"reason\":\"looked everywhere\"}"),
			 201);
	difference(e, 1, "matching", 2, 2);
	assert_string_equal(env_text(e, "ledger.0.kind"), "adjustment");
}

static void settling_again_under_one_key_writes_one_figure(void **state)
{
	static const char *const headers[] = {"Content-Type", "application/json", "Idempotency-Key",
					      "again", NULL};
	static const char body[] = "{\"quantity\":2,\"reason\":\"found\"}";
	struct env *e = *state;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(env_call_as(e, PERM_BOOKS, "POST", "/api/v1/differences/1/settle",
					     headers, body, sizeof body - 1),
				 201);
		assert_int_equal(env_int(e, "quantity"), 2);
	}
	assert_int_equal(env_number(e, "SELECT count(*) FROM book_stock"), 1);
}

static void delivered_item_that_was_never_heard_is_missing(void **state)
{
	struct env *e = *state;
	char body[300], hex[EPC_HEX_MAX];

	stock_items(e, 1, 1, 1);
	book(e, 1, 1);
	snprintf(body, sizeof body,
		 "{\"reference\":\"r\",\"lines\":[{\"gtin\":\"" GTIN
		 "\",\"quantity\":1,\"epcs\":[\"%s\"]}]}",
		 epc(1, 77, hex));
	assert_int_equal(env_call(e, "POST", "/api/v1/deliveries", body), 201);
	assert_int_equal(env_call(e, "POST", "/api/v1/deliveries/1/receive", "{}"), 200);
	env_advance(e, GRACE * US_PER_SEC);
	difference(e, 1, "missing", 2, 1);
	assert_string_equal(env_text(e, "items.0.epc"), hex);
	assert_string_equal(env_text(e, "items.0.state"), "never-heard");
	sight(e, hex, 2, SIGHTING_APPEAR);
	env_advance(e, 2 * US_PER_SEC);
	difference(e, 1, "matching", 2, 2);
}

static void late_sale_is_not_taken_off_a_figure_that_knew_of_it(void **state)
{
	struct env *e = *state;

	stock_items(e, 1, 2, 1);
	env_advance(e, 10 * MINUTE);
	book(e, 1, 2);
	assert_int_equal(sell(e, "9", 8, "{\"gtin\":\"" GTIN "\"}"), 200);
	difference(e, 1, "matching", 2, 2);
}

static void item_sold_long_ago_under_an_old_book_stays_sold(void **state)
{
	struct env *e = *state;
	char line[120], hex[EPC_HEX_MAX];

	stock_items(e, 1, 2, 1);
	book(e, 1, 2);
	goes(e, 1, 1, 1);
	snprintf(line, sizeof line, "{\"epc\":\"%s\"}", epc(1, 1, hex));
	assert_int_equal(sell(e, "1", 0, line), 200);
	for (int day = 0; day < 100; day += 10) {
		env_advance(e, INT64_C(10) * 86400 * US_PER_SEC);
		sight(e, epc(1, 2, hex), 1, SIGHTING_APPEAR);
	}
	difference(e, 1, "matching", 1, 1);
}

static void goods_at_the_exit_left_unsold(void **state)
{
	struct env *e = *state;
	char hex[EPC_HEX_MAX];

	stock_items(e, 1, 2, 1);
	book(e, 1, 2);
	sight(e, epc(1, 1, hex), 3, SIGHTING_APPEAR);
	sight(e, epc(1, 1, hex), 1, SIGHTING_GONE);
	env_advance(e, MINUTE);
	goes(e, 1, 1, 3);
	env_advance(e, GRACE * US_PER_SEC);
	difference(e, 1, "left-unsold", 2, 1);
}

static void strangers_and_untagged_goods_are_listed(void **state)
{
	struct env *e = *state;
	char hex[EPC_HEX_MAX];

	book(e, 2, 12);
	sight(e, epc(1, 1, hex), 1, SIGHTING_APPEAR);
	sight(e, epc(3, 1, hex), 1, SIGHTING_APPEAR);
	sight(e, epc(3, 2, hex), 2, SIGHTING_APPEAR);
	sight(e, "e28011700000020f00000001", 1, SIGHTING_APPEAR);
	difference(e, 2, "untagged", 12, 0);
	assert_int_equal(env_call(e, "GET", "/api/v1/differences", NULL), 200);
	assert_string_equal(env_text(e, "items.0.reason.code"), "untagged");
	assert_string_equal(env_text(e, "items.1.reason.code"), "no-book");
	assert_string_equal(env_text(e, "items.2.reason.code"), "unknown-product");
	assert_string_equal(env_text(e, "items.2.gtin"), "04003994155486");
	assert_string_equal(env_text(e, "items.3.reason.code"), "foreign");
	assert_int_equal(env_int(e, "summary.unknown"), 1);
	assert_int_equal(env_int(e, "summary.foreign"), 1);
	assert_int_equal(env_call(e, "GET", "/api/v1/differences/strangers", NULL), 200);
	assert_int_equal(env_int(e, "items.0.count"), 2);
	assert_int_equal(env_int(e, "items.0.places.1.count"), 1);
	assert_string_equal(env_text(e, "items.1.kind"), "foreign");
}

static void book_by_place_shows_where_it_differs(void **state)
{
	struct env *e = *state;

	stock_items(e, 1, 3, 1);
	assert_int_equal(import(e, "/api/v1/books/stock/import",
				"gtin,quantity,place\n" GTIN ",2,Floor\n" GTIN ",1,Back\n"),
			 200);
	difference(e, 1, "misplaced", 3, 3);
	assert_int_equal(env_int(e, "places.0.difference"), 1);
	/* An older figure of the whole store is outdated by those of places. */
	assert_int_equal(env_call(e, "PUT", "/api/v1/books/stock/1",
				  "{\"quantity\":9,\"as_of\":\"2026-01-01T00:00:00Z\"}"),
			 200);
	assert_int_equal(env_call(e, "GET", "/api/v1/books/stock", NULL), 200);
	assert_string_equal(env_text(e, "items.0.place"), "Floor");
	assert_string_equal(env_text(e, "items.1.place"), "Back");
	assert_int_equal(env_call(e, "GET", "/api/v1/differences?place_id=2", NULL), 200);
	assert_string_equal(env_text(e, "items.0.place"), "Back");
	assert_int_equal(env_int(e, "items.0.expected"), 1);
	assert_int_equal(env_int(e, "items.0.seen"), 0);
	assert_string_equal(env_text(e, "items.1.gtin"), "");
}

static void pages_join_without_gap_or_repetition(void **state)
{
	struct env *e = *state;
	char uri[80];

	book(e, 1, 3);
	book(e, 2, 9);
	assert_int_equal(env_call(e, "GET", "/api/v1/differences?limit=1", NULL), 200);
	assert_int_equal(env_int(e, "items.0.product_id"), 2);
	snprintf(uri, sizeof uri, "/api/v1/differences?limit=1&after=%s", env_text(e, "next"));
	assert_int_equal(env_call(e, "GET", uri, NULL), 200);
	assert_int_equal(env_int(e, "items.0.product_id"), 1);
	assert_string_equal(env_text(e, "next"), "");
	assert_int_equal(env_call(e, "GET", "/api/v1/differences?reason=boredom", NULL), 400);
	assert_int_equal(env_call(e, "GET", "/api/v1/differences/99", NULL), 404);
	assert_int_equal(env_call(e, "GET", "/api/v1/differences?q=jam", NULL), 200);
	assert_int_equal(env_int(e, "items.0.product_id"), 2);
	assert_string_equal(env_text(e, "items.1.gtin"), "");
}

int main(void)
{
	log_set_level(LOG_ERR);
#define BOOKS(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		BOOKS(file_of_books_is_taken_as_a_whole),
		BOOKS(one_bad_row_takes_nothing),
		BOOKS(older_figure_is_kept_and_does_not_count),
		BOOKS(books_cannot_be_rewritten),
		BOOKS(bad_figures_are_refused),
		BOOKS(sale_counts_once_however_often_it_is_told),
		BOOKS(sale_told_twice_in_one_call_counts_once),
		BOOKS(settling_again_under_one_key_writes_one_figure),
		BOOKS(delivered_item_that_was_never_heard_is_missing),
		BOOKS(bad_sales_are_refused_by_pointer_and_nothing_is_taken),
		BOOKS(epc_of_another_gtin_is_a_mistake),
		BOOKS(sales_are_listed_by_product),
		BOOKS(delivery_is_announced_seen_arriving_and_received),
		BOOKS(bad_deliveries_are_refused_by_pointer),
		BOOKS(theft_is_a_difference_and_a_sale_is_not),
		BOOKS(late_sale_is_not_taken_off_a_figure_that_knew_of_it),
		BOOKS(item_sold_long_ago_under_an_old_book_stays_sold),
		BOOKS(goods_at_the_exit_left_unsold),
		BOOKS(strangers_and_untagged_goods_are_listed),
		BOOKS(book_by_place_shows_where_it_differs),
		BOOKS(pages_join_without_gap_or_repetition),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
