/* SPDX-License-Identifier: Apache-2.0 */
/* Products and prices by REST. */
#include "controller/shop/product.h"
#include "tests/unit/test_label_env.h"
#include <stdio.h>
#include <string.h>

#define GTIN "4006381333931"

static void search_wants_every_word(void **state)
{
	struct product_query q;

	(void) state;
	assert_int_equal(product_query_parse("  BRÛLÉE crème ", &q), 0);
	assert_int_equal(q.n, 2);
	assert_true(product_query_match(&q, "creme brulee", 0));
	assert_false(product_query_match(&q, "creme", 0));
	product_query_done(&q);
	assert_int_equal(product_query_parse("", &q), 0);
	assert_true(product_query_match(&q, "anything", 0));
	product_query_done(&q);
	assert_true(product_query_parse("a b c d e f g h i", &q) < 0);
	assert_true(product_query_parse("\xff", &q) < 0);
}

static bool finds(const char *text, uint64_t gtin)
{
	struct product_query q;
	bool yes;

	assert_int_equal(product_query_parse(text, &q), 0);
	yes = product_query_match(&q, "name", gtin);
	product_query_done(&q);
	return yes;
}

static void search_finds_the_start_of_a_number_as_printed(void **state)
{
	(void) state;
	assert_true(finds("40063", UINT64_C(4006381333931)));
	assert_true(finds("040063", UINT64_C(4006381333931)));
	assert_true(finds("04006381333931", UINT64_C(4006381333931)));
	assert_false(finds("63813", UINT64_C(4006381333931)));
	assert_true(finds("00054018", 54018));
	assert_true(finds("name 4006", UINT64_C(4006381333931)));
	assert_false(finds("4", 0));
}

static void products_are_made_read_and_found(void **state)
{
	struct env *e = *state;

	assert_int_equal(env_call(e, "POST", "/api/v1/products",
				  "{\"gtin\":\"" GTIN
				  "\",\"name\":\"Crème brûlée\",\"brand\":\"Chez\","
				  "\"content\":\"0.75\",\"unit\":\"kg\"}"),
			 201);
	assert_string_equal(env_text(e, "gtin"), "0" GTIN);
	assert_int_equal(env_call(e, "GET", "/api/v1/products?q=BRULEE", NULL), 200);
	assert_string_equal(env_text(e, "items.0.name"), "Crème brûlée");
	assert_int_equal(env_call(e, "GET", "/api/v1/products/by-gtin/" GTIN, NULL), 200);
	assert_int_equal(env_call(e, "GET", "/api/v1/products/by-gtin/4006381333932", NULL), 422);
	assert_int_equal(env_call(e, "GET", "/api/v1/products/99", NULL), 404);
	assert_int_equal(env_call(e, "GET", "/api/v1/products/x", NULL), 404);
	assert_int_equal(env_call(e, "POST", "/api/v1/products",
				  "{\"gtin\":\"" GTIN "\",\"name\":\"again\"}"),
			 409);
	assert_int_equal(env_call(e, "POST", "/api/v1/products", "{\"name\":\"loose goods\"}"),
			 201);
	assert_string_equal(env_text(e, "gtin"), "");
}

static void bad_products_are_refused(void **state)
{
	static const char *const bad[] = {
		"{\"name\":\"\"}",
		"{\"name\":7}",
		"{\"name\":\"x\",\"gtin\":\"4006381333932\"}",
		"{\"name\":\"x\",\"gtin\":4006381333931}",
		"{\"name\":\"x\",\"content\":\"1\"}",
		"{\"name\":\"x\",\"content\":\"0\",\"unit\":\"kg\"}",
		"{\"name\":\"x\",\"content\":\"1\",\"unit\":\"oz\"}",
		"{\"name\":\"x\",\"price_minor\":1}",
	};
	struct env *e = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(env_call(e, "POST", "/api/v1/products", bad[i]), 422);
	assert_int_equal(
		env_call_as(e, PERM_VIEW, "POST", "/api/v1/products", NULL, "{\"name\":\"x\"}", 12),
		403);
}

static void edits_on_an_old_state_are_refused(void **state)
{
	static const char *const tag[] = {"Content-Type", "application/json", "If-Match", "\"1\"",
					  NULL};
	struct env *e = *state;

	env_new_product(e, GTIN, "Pencil", "1.99");
	assert_int_equal(env_call_as(e, PERM_ALL, "PATCH", "/api/v1/products/1", tag,
				     "{\"name\":\"A\"}", 12),
			 200);
	assert_string_equal(env_text(e, "etag"), "2");
	assert_int_equal(env_call_as(e, PERM_ALL, "PATCH", "/api/v1/products/1", tag,
				     "{\"name\":\"B\"}", 12),
			 412);
	assert_int_equal(env_call(e, "PATCH", "/api/v1/products/1", "{\"gtin\":\"5901234123457\"}"),
			 422);
	assert_int_equal(env_call(e, "PATCH", "/api/v1/products/1",
				  "{\"gtin\":\"" GTIN "\",\"brand\":null}"),
			 200);
	assert_int_equal(env_call(e, "PATCH", "/api/v1/products/1", "{\"unit\":\"kg\"}"), 422);
	assert_int_equal(env_call(e, "PATCH", "/api/v1/products/5", "{\"name\":\"C\"}"), 404);
}

static void pages_follow_each_other(void **state)
{
	struct env *e = *state;
	char body[64];

	for (int i = 0; i < 5; i++) {
		snprintf(body, sizeof body, "{\"name\":\"Thing %d\"}", i);
		assert_int_equal(env_call(e, "POST", "/api/v1/products", body), 201);
	}
	assert_int_equal(env_call(e, "GET", "/api/v1/products?limit=2", NULL), 200);
	assert_string_equal(env_text(e, "next"), "2");
	assert_int_equal(env_call(e, "GET", "/api/v1/products?limit=3&after=2", NULL), 200);
	assert_string_equal(env_text(e, "items.2.name"), "Thing 4");
	assert_string_equal(env_text(e, "next"), "");
}

static void repeated_price_change_is_answered_once(void **state)
{
	static const char *const key[] = {"Content-Type", "application/json", "Idempotency-Key",
					  "abc", NULL};
	static const char body[] = "{\"product_id\":1,\"price_minor\":250}";
	static const char other[] = "{\"product_id\":1,\"price_minor\":260}";
	struct env *e = *state;

	env_new_product(e, GTIN, "Pencil", "1.99");
	assert_int_equal(env_call_as(e, PERM_ALL, "POST", "/api/v1/price-changes", key, body,
				     sizeof body - 1),
			 201);
	assert_int_equal(env_call_as(e, PERM_ALL, "POST", "/api/v1/price-changes", key, body,
				     sizeof body - 1),
			 201);
	assert_int_equal(env_int(e, "price_minor"), 250);
	assert_int_equal(env_call_as(e, PERM_ALL, "POST", "/api/v1/price-changes", key, other,
				     sizeof other - 1),
			 422);
	assert_int_equal(env_number(e, "SELECT count(*) FROM prices"), 2);
	assert_int_equal(env_number(e, "SELECT count(*) FROM audit WHERE action = 'price.change'"),
			 2);
	assert_int_equal(env_number(e, "SELECT count(*) FROM audit"
				       " WHERE detail = '2.50 EUR, was 1.99 EUR'"),
			 1);
}

static void bad_price_changes_are_refused(void **state)
{
	static const char *const bad[] = {
		"{\"product_id\":1}",
		"{\"product_id\":1,\"price_minor\":-1}",
		"{\"product_id\":1,\"price_minor\":1.5}",
		"{\"product_id\":1,\"price\":\"1,234\"}",
		"{\"product_id\":1,\"price\":\"1.99\",\"price_minor\":199}",
		"{\"product_id\":1,\"price\":\"1.99\",\"currency\":\"USD\"}",
		"{\"product_id\":1,\"price\":\"1.99\",\"from\":\"tomorrow\"}",
		"{\"product_id\":1,\"price\":\"1.99\",\"from\":\"2999-01-01T00:00:00Z\"}",
		"{\"gtin\":\"4006381333932\",\"price\":\"1.99\"}",
		"{\"price\":\"1.99\"}",
	};
	struct env *e = *state;

	env_new_product(e, GTIN, "Pencil", "1.99");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(env_call(e, "POST", "/api/v1/price-changes", bad[i]), 422);
	assert_int_equal(env_call(e, "POST", "/api/v1/price-changes",
				  "{\"product_id\":9,\"price\":\"1.99\"}"),
			 404);
	assert_int_equal(env_number(e, "SELECT count(*) FROM prices"), 1);
}

static void the_ledger_cannot_be_rewritten(void **state)
{
	struct env *e = *state;

	env_new_product(e, GTIN, "Pencil", "1.99");
	assert_true(env_sql(e, "UPDATE prices SET price_minor = 1") < 0);
	assert_true(env_sql(e, "DELETE FROM prices") < 0);
	assert_true(env_sql(e, "INSERT INTO display_ledger(addr, at, received, kind)"
			       " VALUES(1, 1, 1, 'seen'); DELETE FROM display_ledger") < 0);
	assert_int_equal(env_number(e, "SELECT price_minor FROM prices"), 199);
}

static void price_changes_are_listed_newest_first(void **state)
{
	struct env *e = *state;

	env_new_product(e, GTIN, "Pencil", "1.99");
	assert_int_equal(env_call(e, "POST", "/api/v1/price-changes",
				  "{\"product_id\":1,\"price\":\"2.99\",\"reason\":\"spring\"}"),
			 201);
	assert_int_equal(env_call(e, "GET", "/api/v1/price-changes?product_id=1&limit=1", NULL),
			 200);
	assert_int_equal(env_int(e, "items.0.price_minor"), 299);
	assert_string_equal(env_text(e, "items.0.reason"), "spring");
	assert_string_equal(env_text(e, "items.0.by"), "manager");
	assert_string_equal(env_text(e, "next"), "2");
	assert_int_equal(env_call(e, "GET", "/api/v1/price-changes?after=2", NULL), 200);
	assert_int_equal(env_int(e, "items.0.price_minor"), 199);
}

#define t(f) cmocka_unit_test_setup_teardown(f, env_setup, env_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(search_wants_every_word),
		cmocka_unit_test(search_finds_the_start_of_a_number_as_printed),
		t(products_are_made_read_and_found),
		t(bad_products_are_refused),
		t(edits_on_an_old_state_are_refused),
		t(pages_follow_each_other),
		t(repeated_price_change_is_answered_once),
		t(bad_price_changes_are_refused),
		t(the_ledger_cannot_be_rewritten),
		t(price_changes_are_listed_newest_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
