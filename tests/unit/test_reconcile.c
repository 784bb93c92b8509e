/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of reconciliation, one by one: which items, which reason, which figure. */
#include "tests/unit/reconcile_rig.h"

static void what_is_there_and_booked_matches(void **state _unused_)
{
	struct facts f;

	open_store(&f, 3, 3);
	run(&f, REC_MATCHING, 3, 0);
}

static void sale_by_epc_explains_its_item_and_no_other(void **state _unused_)
{
	struct facts f;
	struct rec_item *bought, *stolen;

	open_store(&f, 4, 2);
	event(&f, REC_SALE, 1, 60, 7);
	bought = sold(item(&f, 7, 1, 58), 60);
	stolen = item(&f, 8, 1, 59);
	run(&f, REC_MISSING, 3, -1);
	assert_int_equal(bought->reason, REC_SOLD);
	assert_int_equal(stolen->reason, REC_MISSING);
	assert_int_equal(f.r.missing, 1);
	assert_true(f.r.missing_since_us == AT(59));
}

static void sale_by_gtin_takes_the_item_last_seen_nearest_before_it(void **state _unused_)
{
	struct facts f;
	struct rec_item *stolen, *bought;

	open_store(&f, 3, 1);
	stolen = item(&f, 8, 1, 20);
	bought = item(&f, 7, 1, 88);
	event(&f, REC_SALE, 1, 90, 0);
	run(&f, REC_MISSING, 2, -1);
	assert_int_equal(bought->reason, REC_SOLD_LIKELY);
	assert_int_equal(bought->sale_ref, 100);
	assert_int_equal(stolen->reason, REC_MISSING);
}

static void sale_does_not_take_the_item_of_the_next_one(void **state _unused_)
{
	struct facts f;

	facts_init(&f);
	book(&f, 0, 3, 0);
	item(&f, 7, 1, 80);
	item(&f, 8, 1, 91);
	item(&f, 9, 1, 10);
	event(&f, REC_SALE, 1, 90, 0);
	event(&f, REC_SALE, 1, 91, 0);
	run(&f, REC_MISSING, 1, -1);
	assert_int_equal(f.items[0].sale_ref, 100);
	assert_int_equal(f.items[1].sale_ref, 101);
	assert_int_equal(f.items[2].reason, REC_MISSING);
}

static void item_heard_a_little_after_its_sale_is_still_the_sold_one(void **state _unused_)
{
	struct facts f;
	struct rec_item *bought;

	open_store(&f, 2, 1);
	bought = item(&f, 7, 1, 91);
	event(&f, REC_SALE, 1, 90, 0);
	run(&f, REC_MATCHING, 1, 0);
	assert_int_equal(bought->reason, REC_SOLD_LIKELY);
}

static void item_that_went_long_after_a_sale_is_not_that_sale(void **state _unused_)
{
	struct facts f;
	struct rec_item *stolen;

	open_store(&f, 3, 2);
	stolen = item(&f, 7, 1, 200);
	event(&f, REC_SALE, 1, 90, 0);
	run(&f, REC_MISSING, 2, 0);
	assert_int_equal(stolen->reason, REC_MISSING);
	assert_int_equal(f.r.unmatched, 1);
}

static void two_pieces_of_one_line_take_two_items(void **state _unused_)
{
	struct facts f;

	open_store(&f, 3, 1);
	item(&f, 7, 1, 80);
	item(&f, 8, 1, 85);
	event(&f, REC_SALE, 2, 90, 0);
	run(&f, REC_MATCHING, 1, 0);
	assert_int_equal(f.items[1].reason, REC_SOLD_LIKELY);
	assert_int_equal(f.items[2].reason, REC_SOLD_LIKELY);
}

static void item_just_gone_waits_for_its_sale(void **state _unused_)
{
	struct facts f;

	open_store(&f, 2, 1);
	item(&f, 7, 1, 340);
	run(&f, REC_NOT_YET_FED, 2, -1);
	assert_int_equal(f.r.missing, 0);
	assert_int_equal(f.r.pending, 1);
	f.in.now_us = AT(371);
	run(&f, REC_MISSING, 2, -1);
}

static void sold_item_that_is_heard_is_told(void **state _unused_)
{
	struct facts f;
	struct rec_item *it;

	open_store(&f, 2, 1);
	it = sold(item(&f, 7, 1, -1), 60);
	event(&f, REC_SALE, 1, 60, 7);
	run(&f, REC_SOLD_STILL_SEEN, 1, 1);
	assert_int_equal(it->reason, REC_SOLD_STILL_SEEN);
}

static void sold_item_still_heard_does_not_hide_a_missing_one(void **state _unused_)
{
	struct facts f;

	open_store(&f, 3, 1);
	sold(item(&f, 7, 1, -1), 60);
	event(&f, REC_SALE, 1, 60, 7);
	item(&f, 8, 1, 100);
	run(&f, REC_MISSING, 2, 0);
	assert_int_equal(f.r.missing, 1);
}

static void sale_before_the_book_is_not_taken_off_twice(void **state _unused_)
{
	struct facts f;

	facts_init(&f);
	book(&f, 0, 3, 100);
	present(&f, 3, 1);
	item(&f, 7, 1, 88);
	event(&f, REC_SALE, 1, 90, 0);
	event(&f, REC_SALE, 1, 100, 0);
	run(&f, REC_MATCHING, 3, 0);
	assert_int_equal(f.r.f.sold, 0);
	assert_int_equal(f.items[3].reason, REC_GONE_BEFORE);
}

static void item_gone_before_the_book_is_missing_if_the_book_still_expects_it(void **state _unused_)
{
	struct facts f;

	facts_init(&f);
	book(&f, 0, 3, 100);
	present(&f, 2, 1);
	item(&f, 7, 1, 50);
	item(&f, 8, 1, 60);
	run(&f, REC_MISSING, 3, -1);
	assert_int_equal(f.items[2].reason, REC_GONE_BEFORE);
	assert_int_equal(f.items[3].reason, REC_MISSING);
}

static void item_gone_longer_than_sales_are_known_is_nobody_s_loss(void **state _unused_)
{
	struct facts f;

	facts_init(&f);
	book(&f, 0, 2, 100);
	present(&f, 1, 1);
	item(&f, 7, 1, 50)->last_us = AT(0) - 86400 * US_PER_SEC;
	run(&f, REC_UNTAGGED, 2, -1);
	assert_int_equal(f.items[1].reason, REC_GONE_BEFORE);
}

static void product_without_any_tag_is_untagged(void **state _unused_)
{
	struct facts f;

	facts_init(&f);
	book(&f, 0, 12, 0);
	event(&f, REC_SALE, 2, 90, 0);
	run(&f, REC_UNTAGGED, 10, -10);
	assert_int_equal(f.r.missing, 0);
	assert_int_equal(f.r.never_heard, 10);
}

static void pieces_that_were_never_heard_are_not_called_missing(void **state _unused_)
{
	struct facts f;

	open_store(&f, 5, 3);
	run(&f, REC_UNTAGGED, 5, -2);
	assert_int_equal(f.r.never_heard, 2);
	assert_int_equal(f.r.missing, 0);
}

static void item_last_seen_at_an_exit_left_unsold(void **state _unused_)
{
	struct facts f;

	open_store(&f, 2, 1);
	item(&f, 7, 9, 100)->at_exit = true;
	run(&f, REC_LEFT_UNSOLD, 2, -1);
}

static void goods_of_an_open_delivery_explain_a_surplus(void **state _unused_)
{
	struct facts f;

	open_store(&f, 2, 5);
	f.in.open = 3;
	run(&f, REC_DELIVERY_OPEN, 2, 3);
	f.in.open = 2;
	run(&f, REC_SURPLUS, 2, 3);
	f.in.open = 0;
	event(&f, REC_DELIVERY, 3, 60, 0);
	run(&f, REC_MATCHING, 5, 0);
}

static void announced_item_that_never_came_is_missing(void **state _unused_)
{
	struct facts f;
	struct rec_item *it;

	open_store(&f, 2, 3);
	event(&f, REC_DELIVERY, 2, 60, 0);
	it = item(&f, 7, 0, 60);
	it->never_heard = true;
	run(&f, REC_MISSING, 4, -1);
	assert_int_equal(it->reason, REC_MISSING);
}

static void product_without_a_book_has_no_difference(void **state _unused_)
{
	struct facts f;

	facts_init(&f);
	present(&f, 2, 1);
	item(&f, 7, 1, 20);
	assert_int_equal(reconcile(&f.in, &f.r), 0);
	assert_int_equal(f.r.reason, REC_NO_BOOK);
	assert_false(f.r.has_book);
	assert_int_equal(f.r.missing, 0);
}

/* --- order --- */

static void late_sale_gives_the_same_answer_as_a_prompt_one(void **state _unused_)
{
	struct facts a, b;

	for (int late = 0; late < 2; late++) {
		struct facts *f = late ? &b : &a;

		facts_init(f);
		book(f, 0, 4, 0);
		present(f, 1, 1);
		item(f, 7, 1, 58);
		item(f, 8, 1, 100);
		item(f, 9, 1, 200);
		event(f, REC_SALE, 1, 60, 0);
		event(f, REC_SALE, 1, 205, 0);
		if (late) { /* told in another order: other line numbers, the same instants */
			f->events[0].ref = 101;
			f->events[1].ref = 100;
		}
		run(f, REC_MISSING, 2, -1);
	}
	for (size_t i = 0; i < a.in.n_items; i++)
		assert_int_equal(a.items[i].reason, b.items[i].reason);
	assert_int_equal(a.items[2].reason, REC_MISSING);
}

/* --- whatever happens --- */

static unsigned int chance(unsigned int *seed, unsigned int below)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 8) % below;
}

/* A product with anything that may have happened to it. */
static void make_any(struct facts *f, unsigned int *seed)
{
	facts_init(f);
	if (chance(seed, 2))
		book(f, 0, chance(seed, 8), (int) chance(seed, 300));
	for (uint32_t place = 1; place <= chance(seed, 4); place++)
		book(f, place, chance(seed, 6), (int) chance(seed, 300));
	for (unsigned int i = 0; i < chance(seed, 14); i++) {
		struct rec_item *it = item(f, i + 1, chance(seed, 5),
					   chance(seed, 2) ? -1 : (int) chance(seed, 360));

		if (chance(seed, 4) == 0) {
			it->ever_sold = true;
			it->sold = chance(seed, 3) > 0;
			it->returned = !it->sold;
			it->till_us = AT(chance(seed, 360));
		}
	}
	for (unsigned int i = 0, at = 0; i < chance(seed, 14); i++) {
		at += chance(seed, 30);
		event(f, (enum rec_kind) chance(seed, 3), 1 + chance(seed, 3), (int) at,
		      chance(seed, 3) ? 0 : 1 + chance(seed, 14));
	}
}

static void check_sums(const struct facts *f)
{
	const struct rec_result *r = &f->r;
	int64_t booked = 0, expected = 0, likely = 0, sold = 0;

	for (size_t i = 0; i < f->in.n_books; i++)
		if ((f->books[i].place != 0) == r->by_place)
			booked += f->books[i].quantity;
	assert_int_equal(r->f.book, booked);
	assert_int_equal(r->f.expected, r->f.book + r->f.delivered + r->f.returned - r->f.sold);
	assert_int_equal(r->f.difference, r->f.seen - r->f.expected);
	for (size_t i = 0; r->by_place && i < r->n_places; i++)
		expected += r->places[i].f.expected;
	if (r->by_place)
		assert_int_equal(expected, r->f.expected);
	for (size_t i = 0; i < f->in.n_items; i++) {
		if (f->items[i].present)
			assert_true(f->items[i].reason == REC_PRESENT ||
				    f->items[i].reason == REC_SOLD_STILL_SEEN);
		likely += f->items[i].reason == REC_SOLD_LIKELY;
	}
	for (size_t i = 0; i < f->in.n_events; i++)
		if (f->events[i].kind == REC_SALE && !f->events[i].key)
			sold += f->events[i].quantity;
	assert_true(likely <= sold);
	/* What is short is accounted for, by name or as never heard. */
	if (r->has_book)
		assert_true(r->missing + r->pending + r->never_heard >=
			    r->f.expected - (r->f.seen - r->sold_seen));
}

static void sums_hold_whatever_happens_and_in_whatever_order_it_is_known(void **state _unused_)
{
	unsigned int seed = 20261122;
	struct facts a, b;

	for (int round = 0; round < 20000; round++) {
		unsigned int copy = seed;

		make_any(&a, &seed);
		make_any(&b, &copy);
		for (size_t i = 0; i < b.in.n_items / 2; i++) {
			struct rec_item last = b.items[b.in.n_items - 1 - i];

			b.items[b.in.n_items - 1 - i] = b.items[i];
			b.items[i] = last;
		}
		assert_int_equal(reconcile(&a.in, &a.r), 0);
		assert_int_equal(reconcile(&b.in, &b.r), 0);
		check_sums(&a);
		assert_int_equal(a.r.reason, b.r.reason);
		assert_int_equal(a.r.f.expected, b.r.f.expected);
		assert_int_equal(a.r.missing, b.r.missing);
		assert_int_equal(a.r.never_heard, b.r.never_heard);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_there_and_booked_matches),
		cmocka_unit_test(sale_by_epc_explains_its_item_and_no_other),
		cmocka_unit_test(sale_by_gtin_takes_the_item_last_seen_nearest_before_it),
		cmocka_unit_test(sale_does_not_take_the_item_of_the_next_one),
		cmocka_unit_test(item_heard_a_little_after_its_sale_is_still_the_sold_one),
		cmocka_unit_test(item_that_went_long_after_a_sale_is_not_that_sale),
		cmocka_unit_test(two_pieces_of_one_line_take_two_items),
		cmocka_unit_test(item_just_gone_waits_for_its_sale),
		cmocka_unit_test(sold_item_that_is_heard_is_told),
		cmocka_unit_test(sold_item_still_heard_does_not_hide_a_missing_one),
		cmocka_unit_test(sale_before_the_book_is_not_taken_off_twice),
		cmocka_unit_test(item_gone_before_the_book_is_missing_if_the_book_still_expects_it),
		cmocka_unit_test(item_gone_longer_than_sales_are_known_is_nobody_s_loss),
		cmocka_unit_test(product_without_any_tag_is_untagged),
		cmocka_unit_test(pieces_that_were_never_heard_are_not_called_missing),
		cmocka_unit_test(item_last_seen_at_an_exit_left_unsold),
		cmocka_unit_test(goods_of_an_open_delivery_explain_a_surplus),
		cmocka_unit_test(announced_item_that_never_came_is_missing),
		cmocka_unit_test(product_without_a_book_has_no_difference),
		cmocka_unit_test(sums_hold_whatever_happens_and_in_whatever_order_it_is_known),
		cmocka_unit_test(late_sale_gives_the_same_answer_as_a_prompt_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
