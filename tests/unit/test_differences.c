/* SPDX-License-Identifier: Apache-2.0 */
/* Differences between books and shelves, told as they come about, in virtual time. */
#include "tests/unit/books_rig.h"

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
		env_set_clock(e, clock_real_us(e->app.clock) + INT64_C(10) * 86400 * US_PER_SEC);
		env_advance(e, MINUTE);
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
		BOOKS(settling_again_under_one_key_writes_one_figure),
		BOOKS(delivered_item_that_was_never_heard_is_missing),
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
