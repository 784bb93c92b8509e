/* SPDX-License-Identifier: Apache-2.0 */
/* What the shelf shows: prices and promotions merged, as the labels' timelines say it. */
#include "tests/unit/promo_shop.h"

/* --- the edges --------------------------------------------------------------------------------
 */

static void pictures_of_both_edges_are_ahead_on_the_label(void **state)
{
	struct env *e = *state;
	struct proto_desired d;
	uint64_t rev;

	one_label(e);
	assert_int_equal(post(e, PROMO), 201);
	assert_string_equal(env_text(e, "state"), "scheduled");
	assert_string_equal(env_text(e, "next.start"), "2026-11-18T14:00:00.000Z");
	assert_int_equal(env_int(e, "labels"), 1);
	assert_string_equal(timeline(e), "200 150@14:00 200@20:00");
	env_desired(e, 1, 0, &d);
	rev = d.rev;
	assert_int_equal(d.labels[0].n, 3);
	/* back to the very picture from before: nothing to send twice */
	assert_memory_equal(d.labels[0].timeline[0].image, d.labels[0].timeline[2].image,
			    IMAGE_HASH_BYTES);
	proto_desired_done(&d);
	go_to(e, "2026-11-18T14:00:01Z");
	assert_string_equal(state_of(e, 1), "running");
	assert_string_equal(timeline(e), "150 200@20:00");
	assert_string_equal(offer(e), "150 was 200 prior 200");
	go_to(e, "2026-11-18T20:00:01Z");
	assert_string_equal(state_of(e, 1), "ended");
	assert_string_equal(timeline(e), "200");
	assert_string_equal(offer(e), "200 was -1 prior -1");
	env_desired(e, 1, rev, &d);
	assert_int_equal(d.n_labels, 0); /* the agent knew all of it */
	proto_desired_done(&d);
}

static void far_promotion_reaches_its_labels_in_the_last_week(void **state)
{
	struct env *e = *state;

	one_label(e);
	assert_int_equal(
		post(e, "{" TERMS ",\"start\":\"2026-12-24T08:00\",\"end\":\"2026-12-24T18:00\"}"),
		201);
	assert_string_equal(timeline(e), "200");
	go_to(e, "2026-12-17T07:59:00Z");
	assert_string_equal(timeline(e), "200");
	go_to(e, "2026-12-17T08:00:01Z");
	assert_string_equal(timeline(e), "200 150@08:00");
	go_to(e, "2026-12-17T17:59:00Z");
	go_to(e, "2026-12-17T18:00:01Z");
	assert_string_equal(timeline(e), "200 150@08:00 200@18:00");
}

static void restart_in_the_middle_changes_nothing(void **state)
{
	struct env *e = *state;

	one_label(e);
	assert_int_equal(post(e, PROMO), 201);
	env_restart(e);
	assert_string_equal(timeline(e), "200 150@14:00 200@20:00");
	go_to(e, "2026-11-18T15:00:00Z");
	env_restart(e);
	assert_string_equal(timeline(e), "150 200@20:00");
	assert_string_equal(state_of(e, 1), "running");
}

static void long_downtime_ends_in_what_holds_then(void **state)
{
	struct env *e = *state;

	one_label(e);
	assert_int_equal(
		post(e, "{" TERMS ",\"start\":\"2026-12-24T08:00\",\"end\":\"2026-12-24T18:00\"}"),
		201);
	env_set_clock(e, at("2026-12-24T09:00:00Z"));
	env_restart(e);
	assert_string_equal(timeline(e), "150 200@18:00");
	env_set_clock(e, at("2027-02-01T09:00:00Z"));
	env_restart(e);
	assert_string_equal(timeline(e), "200");
}

static void clock_set_forward_and_back_heals_by_itself(void **state)
{
	struct env *e = *state;

	one_label(e);
	assert_int_equal(post(e, "{" TERMS ",\"start\":\"2026-11-18T14:00\","
				 "\"end\":\"2026-11-18T20:00\",\"recurrence\":\"FREQ=DAILY\"}"),
			 201);
	assert_memory_equal(timeline(e), "200 150@14:00 200@20:00 150@14:00", 33);
	env_set_clock(e, at("2028-05-01T15:00:00Z"));
	env_advance(e, 400 * US_PER_SEC); /* it looks every few minutes */
	assert_memory_equal(timeline(e), "150 200@20:00 150@14:00", 23);
	env_set_clock(e, at("2026-11-18T13:00:00Z"));
	env_advance(e, 400 * US_PER_SEC);
	assert_memory_equal(timeline(e), "200 150@14:00 200@20:00 150@14:00", 33);
	go_to(e, "2026-11-19T14:30:00Z");
	assert_memory_equal(timeline(e), "150 200@20:00 150@14:00", 23);
	/* and what the jump wrote far ahead is right when that day comes */
	go_to(e, "2026-12-03T20:00:01Z");
	assert_memory_equal(timeline(e), "200 150@14:00", 13);
}

static void law_that_moves_the_clocks_counts_from_the_next_start_on(void **state)
{
	struct env *e = *state;

	one_label(e);
	assert_int_equal(post(e, PROMO), 201);
	/* what an older zone file would have made of 14:00 and 20:00 */
	assert_int_equal(
		env_sql(e, "UPDATE promotion_occurrences SET start_at = start_at + 3600000000,"
			   " end_at = end_at + 3600000000"),
		0);
	env_restart(e);
	assert_string_equal(timeline(e), "200 150@14:00 200@20:00");
	/* one that has begun is evidence, and stays */
	go_to(e, "2026-11-18T14:30:00Z");
	assert_int_equal(
		env_sql(e, "UPDATE promotion_occurrences SET end_at = end_at + 3600000000"), 0);
	env_restart(e);
	assert_string_equal(timeline(e), "150 200@21:00");
}

static void recurrence_goes_on_without_end(void **state)
{
	struct env *e = *state;

	one_label(e);
	assert_int_equal(post(e, "{" TERMS ",\"start\":\"2026-11-20T08:00\","
				 "\"end\":\"2026-11-20T20:00\",\"recurrence\":"
				 "\"FREQ=WEEKLY;BYDAY=FR\"}"),
			 201);
	assert_string_equal(env_text(e, "occurrences.1.start_wall"), "2026-11-27T08:00");
	for (int week = 0; week < 40; week++) {
		env_advance(e, at("2026-11-20T08:00:01Z") + week * 7 * DAY -
				       clock_real_us(e->app.clock));
		assert_memory_equal(timeline(e), "150 200@20:00", 13);
		assert_string_equal(state_of(e, 1), "running");
		env_advance(e, 12 * HOUR);
		assert_memory_equal(timeline(e), "200 150@08:00", 13);
		assert_string_equal(state_of(e, 1), "scheduled");
	}
	assert_int_equal(env_number(e, "SELECT count(*) FROM promotion_occurrences"
				       " WHERE start_at > 1"),
			 40 + 8);
}

static void counted_recurrence_ends(void **state)
{
	struct env *e = *state;

	one_label(e);
	assert_int_equal(post(e, "{" TERMS ",\"start\":\"2026-11-18T14:00\","
				 "\"end\":\"2026-11-18T20:00\",\"recurrence\":"
				 "\"FREQ=DAILY;COUNT=2\"}"),
			 201);
	assert_string_equal(timeline(e), "200 150@14:00 200@20:00 150@14:00 200@20:00");
	go_to(e, "2026-11-19T20:00:01Z");
	assert_string_equal(timeline(e), "200");
	assert_string_equal(state_of(e, 1), "ended");
}

static void shop_clock_decides_on_the_night_of_the_change(void **state)
{
	struct env *e = *state;

	one_label(e);
	assert_int_equal(post(e, "{" TERMS ",\"zone\":\"Europe/Berlin\","
				 "\"start\":\"2027-03-28T02:30\",\"end\":\"2027-10-31T02:30\"}"),
			 201);
	assert_string_equal(env_text(e, "next.start"), "2027-03-28T01:00:00.000Z");
	assert_string_equal(env_text(e, "next.end"), "2027-10-31T01:30:00.000Z");
	assert_string_equal(env_text(e, "next.notes.0"),
			    "02:30 does not exist on 2027-03-28; it starts at 03:00");
	assert_string_equal(env_text(e, "next.notes.1"),
			    "02:30 comes twice on 2027-10-31; it ends at the second one");
	assert_string_equal(env_text(e, "warnings.0.code"), "clock-change");
	go_to(e, "2027-03-28T00:59:59Z");
	assert_string_equal(timeline(e), "200 150@01:00");
	go_to(e, "2027-03-28T01:00:00Z");
	assert_string_equal(timeline(e), "150");
	go_to(e, "2027-10-31T01:29:00Z");
	assert_string_equal(timeline(e), "150 200@01:30");
	go_to(e, "2027-10-31T01:30:00Z");
	assert_string_equal(timeline(e), "200");
}

/* --- what a price change does -----------------------------------------------------------------
 */

static void percentage_follows_the_regular_price(void **state)
{
	struct env *e = *state;

	one_label(e);
	assert_int_equal(post(e, PROMO), 201);
	go_to(e, "2026-11-18T15:00:00Z");
	price(e, "3.00");
	assert_string_equal(timeline(e), "225 300@20:00");
	/* the window is anchored at the start: the rise during the promotion is not in it */
	assert_string_equal(offer(e), "225 was 300 prior 200");
	price(e, "1.00");
	assert_string_equal(timeline(e), "75 100@20:00");
	assert_string_equal(offer(e), "75 was 100 prior 200");
}

static void planned_price_in_the_middle_is_ahead_on_the_label(void **state)
{
	struct env *e = *state;

	one_label(e);
	assert_int_equal(post(e, PROMO), 201);
	assert_int_equal(env_call(e, "POST", "/api/v1/price-changes",
				  "{\"product_id\":1,\"price_minor\":100,"
				  "\"from\":\"2026-11-18T16:00:00Z\"}"),
			 201);
	assert_string_equal(timeline(e), "200 150@14:00 75@16:00 100@20:00");
}

static void fixed_price_stays_unless_the_regular_one_is_lower(void **state)
{
	struct env *e = *state;

	one_label(e);
	assert_int_equal(post(e, "{\"name\":\"N\",\"kind\":\"fixed\",\"price_minor\":150,"
				 "\"select\":{\"gtins\":[\"" GTIN "\"]},"
				 "\"start\":\"2026-11-18T14:00\",\"end\":\"2026-11-18T20:00\"}"),
			 201);
	assert_string_equal(env_text(e, "kind"), "fixed");
	assert_int_equal(env_int(e, "select.product_ids.0"), 1);
	go_to(e, "2026-11-18T15:00:00Z");
	price(e, "3.00");
	assert_string_equal(timeline(e), "150 300@20:00");
	assert_string_equal(offer(e), "150 was 300 prior 200");
	price(e, "1.50"); /* as low: no reduction */
	assert_string_equal(timeline(e), "150");
	assert_string_equal(offer(e), "150 was -1 prior -1");
	price(e, "1.20");
	assert_string_equal(timeline(e), "120");
	price(e, "1.80");
	assert_string_equal(offer(e), "150 was 180 prior 200");
}

static void lowest_of_two_promotions_shows(void **state)
{
	struct env *e = *state;

	one_label(e);
	assert_int_equal(post(e, PROMO), 201);
	assert_int_equal(
		env_call(e, "POST", "/api/v1/promotions/preview",
			 "{\"kind\":\"fixed\",\"price\":\"1.00\",\"select\":{\"product_ids\":[1]},"
			 "\"start\":\"2026-11-18T16:00\",\"end\":\"2026-11-18T17:00\"}"),
		200);
	assert_string_equal(env_text(e, "conflicts.0.name"), "Black Friday");
	assert_string_equal(env_text(e, "conflicts.0.detail"),
			    "From 2026-11-18T16:00 both hold; this promotion shows, because it is"
			    " lower.");
	assert_int_equal(post(e, "{\"name\":\"Happy hour\",\"kind\":\"fixed\",\"price\":\"1.00\","
				 "\"select\":{\"product_ids\":[1]},"
				 "\"start\":\"2026-11-18T16:00\",\"end\":\"2026-11-18T17:00\"}"),
			 201);
	assert_string_equal(timeline(e), "200 150@14:00 100@16:00 150@17:00 200@20:00");
	go_to(e, "2026-11-18T16:30:00Z");
	/* anchored at the happy hour's own start, before which 1.50 was shown */
	assert_string_equal(offer(e), "100 was 200 prior 150");
	price(e, "1.20"); /* 25 % of it is 0.90, lower than the happy hour */
	assert_string_equal(offer(e), "90 was 120 prior 200");
}

static void prior_price_is_the_lowest_of_thirty_days_before_the_start(void **state)
{
	struct env *e = *state;

	one_label(e);
	price(e, "1.00");
	env_advance(e, DAY);
	price(e, "2.00");
	/* the fall to 1.00 ended 2026-11-19 11:06; thirty days later it is just out of sight */
	assert_int_equal(post(e, "{" TERMS ",\"start\":\"2026-12-19T10:00\","
				 "\"end\":\"2026-12-19T12:00\",\"recurrence\":"
				 "\"FREQ=DAILY;COUNT=2\"}"),
			 201);
	go_to(e, "2026-12-19T11:00:00Z");
	assert_string_equal(offer(e), "150 was 200 prior 100");
	go_to(e, "2026-12-19T11:30:00Z");
	assert_string_equal(offer(e), "150 was 200 prior 100"); /* not "30 days from today" */
	go_to(e, "2026-12-20T11:30:00Z");
	assert_string_equal(offer(e), "150 was 200 prior 150"); /* its own, of yesterday */
}

static void percentages_round_half_up(void **state)
{
	struct env *e = *state;

	one_label(e);
	price(e, "0.99");
	env_advance(e, US_PER_SEC);
	assert_int_equal(post(e, "{\"name\":\"N\",\"percent\":\"12.5\","
				 "\"select\":{\"product_ids\":[1]},"
				 "\"start\":\"2026-11-18T10:00\",\"end\":\"2026-11-18T20:00\"}"),
			 201);
	assert_string_equal(env_text(e, "percent"), "12.5");
	assert_string_equal(offer(e), "87 was 99 prior 99"); /* 86.625 */
	price(e, "1.00");
	assert_string_equal(offer(e), "88 was 100 prior 99"); /* 87.5 */
}

/* --- products that come and go ----------------------------------------------------------------
 */

static void product_that_joins_the_brand_joins_the_promotion(void **state)
{
	struct env *e = *state;

	one_label(e);
	assert_int_equal(post(e, "{\"name\":\"N\",\"percent\":\"25\",\"select\":{\"brand\":"
				 "\"Acme\"},\"start\":\"2026-11-18T14:00\","
				 "\"end\":\"2026-11-18T20:00\"}"),
			 201);
	assert_int_equal(env_int(e, "products"), 0);
	assert_string_equal(env_text(e, "warnings.0.code"), "live-selection");
	assert_string_equal(timeline(e), "200");
	assert_int_equal(env_call(e, "PATCH", "/api/v1/products/1", "{\"brand\":\"Acme\"}"), 200);
	assert_string_equal(timeline(e), "200 150@14:00 200@20:00");
	go_to(e, "2026-11-18T15:00:00Z");
	assert_int_equal(env_call(e, "PATCH", "/api/v1/products/1", "{\"brand\":\"Other\"}"), 200);
	assert_string_equal(timeline(e), "200");
	env_advance(e, HOUR);
	assert_int_equal(env_call(e, "PATCH", "/api/v1/products/1", "{\"brand\":\"Acme\"}"), 200);
	assert_string_equal(timeline(e), "150 200@20:00");
	/* what was shown at 15:30 is not rewritten: the start of its second time is 16:00 */
	assert_string_equal(offer(e), "150 was 200 prior 150");
}

static void imported_product_of_the_category_is_in(void **state)
{
	static const char *const csv[] = {"Content-Type", "text/csv", NULL};
	static const char rows[] = "gtin,name,price,category\n" GTIN2 ",Ink,4.00,Office\n";
	struct env *e = *state;

	one_label(e);
	assert_int_equal(post(e, "{\"name\":\"N\",\"percent\":\"25\",\"select\":{\"category\":"
				 "\"Office\"},\"start\":\"2026-11-18T10:00\","
				 "\"end\":\"2026-11-18T20:00\"}"),
			 201);
	assert_int_equal(env_call_as(e, PERM_ALL, "POST", "/api/v1/products/import", csv, rows,
				     sizeof rows - 1),
			 200);
	assert_string_equal(offer(e), "300 was 400 prior -1"); /* no price before its start */
	assert_int_equal(env_call(e, "GET", "/api/v1/promotions/1", NULL), 200);
	assert_int_equal(env_int(e, "products"), 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, env_setup, env_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(pictures_of_both_edges_are_ahead_on_the_label),
		T(far_promotion_reaches_its_labels_in_the_last_week),
		T(restart_in_the_middle_changes_nothing),
		T(long_downtime_ends_in_what_holds_then),
		T(clock_set_forward_and_back_heals_by_itself),
		T(law_that_moves_the_clocks_counts_from_the_next_start_on),
		T(recurrence_goes_on_without_end),
		T(counted_recurrence_ends),
		T(shop_clock_decides_on_the_night_of_the_change),
		T(percentage_follows_the_regular_price),
		T(planned_price_in_the_middle_is_ahead_on_the_label),
		T(fixed_price_stays_unless_the_regular_one_is_lower),
		T(lowest_of_two_promotions_shows),
		T(prior_price_is_the_lowest_of_thirty_days_before_the_start),
		T(percentages_round_half_up),
		T(product_that_joins_the_brand_joins_the_promotion),
		T(imported_product_of_the_category_is_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
