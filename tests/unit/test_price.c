/* SPDX-License-Identifier: Apache-2.0 */
/* Prices that can answer: undo as a new change, and the history of a product. */
#include "common/clock.h"
#include "tests/unit/test_label_env.h"
#include <stdio.h>
#include <string.h>

#define GTIN "4006381333931"

static void price(struct env *e, const char *amount)
{
	char body[80];

	env_advance(e, 60 * US_PER_SEC);
	snprintf(body, sizeof body, "{\"product_id\":1,\"price\":\"%s\"}", amount);
	assert_int_equal(env_call(e, "POST", "/api/v1/price-changes", body), 201);
}

static int64_t now_costs(struct env *e)
{
	assert_int_equal(env_call(e, "GET", "/api/v1/products/1", NULL), 200);
	return env_int(e, "price_minor");
}

static void undo_is_a_new_change_that_restores(void **state)
{
	struct env *e = *state;

	env_new_product(e, GTIN, "Pencil", "2.00");
	price(e, "3.00");
	env_advance(e, 60 * US_PER_SEC);
	assert_int_equal(
		env_call(e, "POST", "/api/v1/price-changes/2/undo", "{\"reason\":\"typed wrong\"}"),
		201);
	assert_int_equal(env_int(e, "id"), 3);
	assert_int_equal(env_int(e, "undo_of"), 2);
	assert_int_equal(env_int(e, "price_minor"), 200);
	assert_string_equal(env_text(e, "reason"), "typed wrong");
	assert_int_equal(now_costs(e), 200);
	/* undone again, the later price is back; the older change cannot be undone any more */
	assert_int_equal(env_call(e, "POST", "/api/v1/price-changes/2/undo", "{}"), 409);
	assert_string_equal(env_text(e, "code"), "superseded");
	env_advance(e, 60 * US_PER_SEC);
	assert_int_equal(env_call(e, "POST", "/api/v1/price-changes/3/undo", NULL), 201);
	assert_int_equal(now_costs(e), 300);
	assert_int_equal(env_call(e, "GET", "/api/v1/price-changes?product_id=1", NULL), 200);
	assert_int_equal(env_int(e, "items.0.undo_of"), 3);
	assert_int_equal(env_int(e, "items.3.undo_of"), -1);
	assert_int_equal(env_number(e, "SELECT count(*) FROM audit WHERE action = 'price.undo'"
				       " AND detail IN ('2.00 EUR again, change 2 undone',"
				       " '3.00 EUR again, change 3 undone')"),
			 2);
}

static void planned_change_is_undone_where_it_is_planned(void **state)
{
	struct env *e = *state;

	env_new_product(e, GTIN, "Pencil", "2.00");
	assert_int_equal(env_call(e, "POST", "/api/v1/price-changes",
				  "{\"product_id\":1,\"price\":\"9.00\","
				  "\"from\":\"2026-11-20T08:00:00Z\"}"),
			 201);
	assert_int_equal(env_call(e, "POST", "/api/v1/price-changes/2/undo", "{}"), 201);
	assert_string_equal(env_text(e, "from"), "2026-11-20T08:00:00.000Z");
	assert_int_equal(now_costs(e), 200);
	env_advance(e, INT64_C(3) * 86400 * US_PER_SEC);
	assert_int_equal(now_costs(e), 200);
}

static void first_price_cannot_be_undone(void **state)
{
	static const char *const key[] = {"Content-Type", "application/json", "Idempotency-Key",
					  "u1", NULL};
	struct env *e = *state;

	env_new_product(e, GTIN, "Pencil", "2.00");
	assert_int_equal(env_call(e, "POST", "/api/v1/price-changes/1/undo", "{}"), 409);
	assert_string_equal(env_text(e, "code"), "nothing-before");
	assert_int_equal(env_call(e, "POST", "/api/v1/price-changes/7/undo", "{}"), 404);
	assert_int_equal(env_call(e, "POST", "/api/v1/price-changes/x/undo", "{}"), 404);
	price(e, "3.00");
	assert_int_equal(env_call(e, "POST", "/api/v1/price-changes/2/undo", "{\"reason\":7}"),
			 422);
	assert_int_equal(
		env_call_as(e, PERM_VIEW, "POST", "/api/v1/price-changes/2/undo", NULL, "{}", 2),
		403);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(env_call_as(e, PERM_ALL, "POST", "/api/v1/price-changes/2/undo",
					     key, "{}", 2),
				 201);
		assert_int_equal(env_int(e, "id"), 3);
	}
}

static void history_has_regular_prices_and_promotions(void **state)
{
	struct env *e = *state;

	env_new_product(e, GTIN, "Pencil", "2.00");
	assert_int_equal(
		env_call(e, "POST", "/api/v1/promotions",
			 "{\"name\":\"Sale\",\"percent\":\"50\",\"select\":{\"product_ids\""
			 ":[1]},\"start\":\"2026-11-18T14:00\",\"end\":"
			 "\"2026-11-18T20:00\"}"),
		201);
	assert_int_equal(env_call(e, "POST", "/api/v1/price-changes",
				  "{\"product_id\":1,\"price\":\"3.00\","
				  "\"from\":\"2026-11-18T16:00:00Z\",\"reason\":\"cost\"}"),
			 201);
	assert_int_equal(env_call(e, "GET", "/api/v1/products/1/history", NULL), 200);
	assert_string_equal(env_text(e, "items.0.kind"), "promotion");
	assert_string_equal(env_text(e, "items.0.from"), "2026-11-18T16:00:00.000Z");
	assert_string_equal(env_text(e, "items.0.to"), "2026-11-18T20:00:00.000Z");
	assert_int_equal(env_int(e, "items.0.price_minor"), 150);
	assert_string_equal(env_text(e, "items.0.promotion"), "Sale");
	assert_string_equal(env_text(e, "items.1.kind"), "regular");
	assert_string_equal(env_text(e, "items.1.reason"), "cost");
	assert_string_equal(env_text(e, "items.1.to"), "");
	assert_string_equal(env_text(e, "items.2.to"), "2026-11-18T16:00:00.000Z");
	assert_int_equal(env_int(e, "items.2.price_minor"), 100);
	assert_int_equal(env_int(e, "items.3.price_change_id"), 1);
	assert_string_equal(env_text(e, "items.3.to"), "2026-11-18T16:00:00.000Z");
	assert_int_equal(env_call(e, "GET", "/api/v1/products/1/history?limit=1", NULL), 200);
	assert_int_equal(env_int(e, "items.1.price_minor"), 300); /* the same instant, one page */
	assert_int_equal(env_int(e, "items.2.price_minor"), -1);
	assert_int_equal(env_call(e, "GET", "/api/v1/products/9/history", NULL), 404);
}

static void product_carries_its_offer(void **state)
{
	struct env *e = *state;

	env_new_product(e, GTIN, "Pencil", "2.00");
	env_advance(e, US_PER_SEC);
	assert_int_equal(env_call(e, "GET", "/api/v1/products/1", NULL), 200);
	assert_string_equal(env_text(e, "offer.until"), "");
	assert_int_equal(
		env_call(e, "POST", "/api/v1/promotions",
			 "{\"name\":\"Sale\",\"percent\":\"50\",\"select\":{\"product_ids\""
			 ":[1]},\"start\":\"2026-11-18T10:00\",\"end\":"
			 "\"2026-11-18T20:00\"}"),
		201);
	assert_int_equal(env_call(e, "GET", "/api/v1/products?q=pencil", NULL), 200);
	assert_int_equal(env_int(e, "items.0.price_minor"), 200);
	assert_int_equal(env_int(e, "items.0.offer.price_minor"), 100);
	assert_int_equal(env_int(e, "items.0.offer.was_minor"), 200);
	assert_int_equal(env_int(e, "items.0.offer.prior_minor"), 200);
	assert_string_equal(env_text(e, "items.0.offer.until"), "2026-11-18T20:00:00.000Z");
}

#define T(name) cmocka_unit_test_setup_teardown(name, env_setup, env_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(undo_is_a_new_change_that_restores),
		T(planned_change_is_undone_where_it_is_planned),
		T(first_price_cannot_be_undone),
		T(history_has_regular_prices_and_promotions),
		T(product_carries_its_offer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
