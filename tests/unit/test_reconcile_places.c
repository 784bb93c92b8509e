/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of reconciliation for goods that come back, and for goods in their places. */
#include "tests/unit/reconcile_rig.h"

/* --- returns --- */

static void returned_item_is_expected_again(void **state _unused_)
{
	struct facts f;
	struct rec_item *it;

	open_store(&f, 2, 1);
	event(&f, REC_SALE, 1, 60, 7);
	event(&f, REC_RETURN, 1, 120, 7);
	it = item(&f, 7, 1, 58);
	it->returned = it->ever_sold = true;
	it->till_us = AT(120);
	run(&f, REC_MISSING, 2, -1);
	assert_true(f.r.missing_since_us == AT(120));
	it->present = true;
	run(&f, REC_MATCHING, 2, 0);
}

static void return_by_gtin_takes_the_last_sale_by_gtin_back(void **state _unused_)
{
	struct facts f;

	open_store(&f, 3, 2);
	item(&f, 7, 1, 58);
	event(&f, REC_SALE, 1, 60, 0);
	event(&f, REC_SALE, 1, 90, 0);
	event(&f, REC_RETURN, 1, 120, 0);
	run(&f, REC_MATCHING, 2, 0);
	assert_int_equal(f.items[2].reason, REC_SOLD_LIKELY);
	assert_int_equal(f.items[2].sale_ref, 100);
}

static void return_by_gtin_of_what_was_sold_by_epc_clears_that_item(void **state _unused_)
{
	struct facts f;
	struct rec_item *it;

	open_store(&f, 2, 1);
	it = sold(item(&f, 7, 1, -1), 60);
	event(&f, REC_SALE, 1, 60, 7);
	event(&f, REC_RETURN, 1, 120, 0);
	run(&f, REC_MATCHING, 2, 0);
	assert_int_equal(it->reason, REC_PRESENT);
}

/* --- places --- */

static void misplaced_goods_match_as_a_whole(void **state _unused_)
{
	struct facts f;

	facts_init(&f);
	book(&f, 1, 3, 0);
	book(&f, 2, 1, 0);
	present(&f, 2, 1);
	present(&f, 2, 2);
	run(&f, REC_MISPLACED, 4, 0);
	assert_true(f.r.by_place);
	assert_int_equal(f.r.places[0].f.difference, -1);
	assert_int_equal(f.r.places[0].reason, REC_MISPLACED);
	assert_int_equal(f.r.places[1].f.difference, 1);
}

static void sale_counts_where_its_item_was_seen_last(void **state _unused_)
{
	struct facts f;

	facts_init(&f);
	book(&f, 1, 2, 0);
	book(&f, 2, 2, 0);
	present(&f, 2, 1);
	present(&f, 1, 2);
	sold(item(&f, 7, 2, 58), 60);
	event(&f, REC_SALE, 1, 60, 7);
	run(&f, REC_MATCHING, 3, 0);
	assert_int_equal(f.r.places[1].f.sold, 1);
	assert_int_equal(f.r.places[1].reason, REC_MATCHING);
}

static void sale_from_an_unknown_place_is_taken_from_the_short_one(void **state _unused_)
{
	struct facts f;

	facts_init(&f);
	book(&f, 1, 2, 0);
	book(&f, 2, 2, 0);
	present(&f, 1, 1);
	present(&f, 2, 2);
	sold(item(&f, 7, 9, 59), 60); /* last heard at the till, which has no book */
	event(&f, REC_SALE, 1, 60, 7);
	run(&f, REC_MATCHING, 3, 0);
	assert_int_equal(f.r.places[0].f.sold, 1);
	assert_int_equal(f.r.places[0].f.difference, 0);
}

static void places_always_add_up_to_the_product(void **state _unused_)
{
	struct facts f;
	int64_t sum = 0;

	facts_init(&f);
	book(&f, 1, 5, 0);
	book(&f, 2, 3, 30);
	present(&f, 4, 1);
	present(&f, 2, 3);
	event(&f, REC_SALE, 3, 60, 0);
	event(&f, REC_DELIVERY, 1, 70, 0);
	event(&f, REC_SALE, 1, 20, 0); /* whose place is not known: before the newest figure */
	assert_int_equal(reconcile(&f.in, &f.r), 0);
	for (size_t i = 0; i < f.r.n_places; i++)
		sum += f.r.places[i].f.expected;
	assert_int_equal(sum, f.r.f.expected);
	assert_int_equal(f.r.f.expected, 8 - 3 + 1);
}

static void newer_figure_of_the_whole_store_replaces_those_of_places(void **state _unused_)
{
	struct facts f;

	facts_init(&f);
	book(&f, 1, 5, 0);
	book(&f, 0, 2, 10);
	present(&f, 2, 1);
	run(&f, REC_MATCHING, 2, 0);
	assert_false(f.r.by_place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(returned_item_is_expected_again),
		cmocka_unit_test(return_by_gtin_takes_the_last_sale_by_gtin_back),
		cmocka_unit_test(return_by_gtin_of_what_was_sold_by_epc_clears_that_item),
		cmocka_unit_test(misplaced_goods_match_as_a_whole),
		cmocka_unit_test(sale_counts_where_its_item_was_seen_last),
		cmocka_unit_test(sale_from_an_unknown_place_is_taken_from_the_short_one),
		cmocka_unit_test(places_always_add_up_to_the_product),
		cmocka_unit_test(newer_figure_of_the_whole_store_replaces_those_of_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
