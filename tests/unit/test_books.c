/* SPDX-License-Identifier: Apache-2.0 */
/* The books through their doors: figures, sales and deliveries in, differences out, in virtual time
 * and with a real inventory behind them. */
#include "tests/unit/books_rig.h"

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
		BOOKS(bad_sales_are_refused_by_pointer_and_nothing_is_taken),
		BOOKS(epc_of_another_gtin_is_a_mistake),
		BOOKS(sales_are_listed_by_product),
		BOOKS(delivery_is_announced_seen_arriving_and_received),
		BOOKS(bad_deliveries_are_refused_by_pointer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
